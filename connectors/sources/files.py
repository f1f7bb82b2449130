"""Export files in a folder: CSV and Excel exports of ticketing, donation, membership and newsletter services.

Each file is read once for each content. Files that are exports of the same thing (`contacts-may.csv`,
`contacts-june.csv`; any two exports of one ticketing service) are one *series*: the newest file that holds a line says
what it means, and a line is gone only when no file of its series holds it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar

import msgspec
import pydantic

from connectors.files.cells import Context, Raw
from connectors.files.gathering import Found, Gathering
from connectors.files.meaning import records_of
from connectors.files.memory import Memory, Read, cursor_of, files_below, look, remembered, way_of
from connectors.files.reading import Unfit
from connectors.files.rule import Settings as FilesSettings
from connectors.files.understanding import Home, Understanding, understand
from connectors.records import Record
from connectors.source import Account, Broken, Object, Page, Setting
from connectors.trouble import FixFile, GiveUp

PAGE = 1000
_NOTHING = msgspec.json.encode(Raw(Context("UTC", "EUR"), []))
KINDS = ("order", "member", "donation", "contact", "event", "product", "address")


class Files:
    """The `files` source. Needs no account; `check` shows how each file is understood."""

    service: ClassVar[str] = "files"
    version: ClassVar[int] = 1
    gives: ClassVar[frozenset[str]] = frozenset(
        {"person", "event", "product", "order", "visit", "donation", "membership", "subscription", "consent"}
    )
    Settings: ClassVar[type[pydantic.BaseModel]] = FilesSettings

    def __init__(self, settings: FilesSettings, setting: Setting) -> None:
        self.settings = settings
        self.setting = setting
        self.folder = setting.folder / settings.folder
        self.home = Home(setting.timezone, setting.country, setting.language)

    def check(self) -> Account:
        """Say how each file is understood. Reads the beginning of each."""
        return Account(self.settings.folder, self.told())

    def understood(self, name: str, named: str | None = None) -> Understanding:
        """How the file at this path from the folder is read. Raises `Unfit` and OSError."""
        judged = (named or name).rsplit("/", 1)[-1]
        return understand(self.folder / name, self.settings.rule(name, named), self.home, judged)

    def told(self) -> list[tuple[str, dict[str, str]]]:
        """How each file is read and what is doubtful about it, as (code, facts) for `sync.messages.say`.

        The facts hold examples of what stands in the file: show them, do not log them.
        """
        remarks: list[tuple[str, dict[str, str]]] = []
        for name, about, doubts in self.looked_at():
            remarks.extend((code, {"file": name} | facts) for code, facts in ([about.told()] if about else []))
            remarks.extend(doubts)
        return remarks or [("files-none-yet", {"folder": self.settings.folder})]

    def looked_at(self) -> Iterator[tuple[str, Understanding | None, list[tuple[str, dict[str, str]]]]]:
        """Each file, how it is read (None: not at all), and what is doubtful or wrong, to be told with care as above."""
        for name in self.exports():
            try:
                about = self.understood(name)
            except (Unfit, OSError) as error:
                code, facts = _reason(error)
                yield name, None, [(code, {"file": name} | facts)]
            else:
                yield name, about, [(code, {"file": name} | facts) for code, facts in about.doubts]

    def pull(self, cursor: str | None) -> Iterator[Page]:
        """Pages of what changed; nothing at all when no file did. See the module for what `complete` rests on."""
        return _Pull(self, remembered(cursor)).pages(cursor)

    def records(self, thing: Object) -> Sequence[Record]:
        return records_of(thing.kind, thing.id, thing.raw)

    def close(self) -> None:
        """Nothing is kept open between files."""

    def exports(self) -> dict[str, Path]:
        """The export files in the folder, by their path from there. Raises `FixFile`, `GiveUp`."""
        try:
            if not self.folder.is_dir():
                raise FixFile("files-no-folder", folder=self.settings.folder)
            return files_below(self.folder)
        except OSError as error:
            raise GiveUp("files-cannot-open", file=self.settings.folder, detail=error.strerror or "") from None


class _Pull:
    """One pull: `before` is what the cursor remembers, `after` what the next one will."""

    def __init__(self, source: Files, before: Memory) -> None:
        self.source = source
        self.before = before
        self.after: Memory = {}
        self.fresh: dict[str, Understanding] = {}
        self.troubled: list[Broken] = []
        self.now = source.setting.now().timestamp()

    def pages(self, cursor: str | None) -> Iterator[Page]:
        self._look_at_all()
        for series in self._series_to_read():
            yield from self._read_series(series)
        if self.troubled or cursor_of(self.after) != cursor:
            yield Page(objects=self._summaries(), broken=self.troubled, cursor=cursor_of(self.after))

    def _look_at_all(self) -> None:
        files = self.source.exports()
        for name, read in self.before.items():
            if name not in files:
                self.after[name] = msgspec.structs.replace(read, gone=True)
        for name in files:
            self._or_set_aside(name, self._look_at)
        for name in [name for name, read in self.after.items() if read.copy and not read.gone]:
            if not self._held_elsewhere(self.after[name]):
                self._or_set_aside(name, self._understand)
        self._tell_of_the_gone()

    def _or_set_aside(self, name: str, do: Callable[[str], None]) -> None:
        try:
            do(name)
        except (Unfit, OSError) as error:
            self._set_aside(name, error)

    def _look_at(self, name: str) -> None:
        before = self.before.get(name)
        now = self.after[name] = self._as_it_is(name, before, before.named if before else name)
        if before and now.sha256 == before.sha256 and (now.way == before.way or before.copy):
            self.after[name] = msgspec.structs.replace(before, mtime=now.mtime, size=now.size, gone=False, way=now.way)
        elif before is None and (same := self._same_content(name, now)):
            self._take_over(name, now, *same)
        else:
            self._understand(name)

    def _as_it_is(self, name: str, before: Read | None, named: str) -> Read:
        way = way_of(self.source.settings.rule(name, named), self.source.home)
        return look(self.source.folder / name, named, before, way, self.now)

    def _same_content(self, name: str, now: Read) -> tuple[str, Read] | None:
        known = {**self.before, **self.after}
        known.pop(name, None)
        return next(
            ((other, read) for other, read in known.items() if read.sha256 == now.sha256 and not read.copy), None
        )

    def _held_elsewhere(self, copy: Read) -> bool:
        return any(read.sha256 == copy.sha256 and not read.copy and not read.gone for read in self.after.values())

    def _take_over(self, name: str, now: Read, old: str, read: Read) -> None:
        """Renamed: goes on as what it was. A copy: remembered, not read."""
        if not (old in self.after and self.after[old].gone):
            self.after[name] = msgspec.structs.replace(now, copy=True)
            return
        del self.after[old]
        self.after[name] = msgspec.structs.replace(read, mtime=now.mtime, gone=False)
        if self._as_it_is(name, None, read.named).way != read.way:
            self._understand(name)

    def _understand(self, name: str) -> None:
        now = self.after[name]
        about = self.source.understood(name, now.named)
        age = self.now - (self.source.folder / name).stat().st_mtime
        if not about.form.whole and 0 <= age < self.source.settings.settle:
            raise Unfit("files-still-growing", growing=True)
        self.fresh[name] = about
        self.after[name] = msgspec.structs.replace(now, series=about.series, copy=False)

    def _tell_of_the_gone(self) -> None:
        for name, read in self.after.items():
            if read.gone and not self.before[name].gone and not read.copy:
                self.troubled.append(_file_trouble(name, "files-gone", {"file": name}))

    def _set_aside(self, name: str, error: Unfit | OSError) -> None:
        """A file that can't be read: what it held before stays; it is tried again until it can."""
        code, facts = _reason(error)
        self.troubled.append(_file_trouble(name, code, {"file": name} | facts))
        self.fresh.pop(name, None)
        self.after.pop(name, None)
        if name in self.before:
            self.after[name] = msgspec.structs.replace(self.before[name], mtime=0)

    def _series_to_read(self) -> list[str]:
        moved = {self.before[name].series for name in self.fresh if name in self.before}
        return sorted((moved | {about.series for about in self.fresh.values()}) - {""})

    def _read_series(self, series: str) -> Iterator[Page]:
        """The files of a series, newest first, each object once; at the end what none of them holds is gone."""
        whole, files = self._files_of(series)
        every: list[Gathering] = []
        try:
            for page in _paged(self._objects(files, every)):
                yield Page(objects=page, broken=_taken(every))
        except (Unfit, OSError) as error:  # it changed while it was read: nothing of this series counts as read
            self._set_aside(every[-1].path if every else series, error)
            self._forget(series)
            return
        whole = whole and all(gathering.rule.contains == "everything" for gathering in every)
        left = _taken(every)
        if whole or left:
            yield Page(broken=left, complete=KINDS if whole else (), scope=f"{series}#" if whole else "")

    def _files_of(self, series: str) -> tuple[bool, list[str]]:
        """Which files to read, newest first, and whether they are all there are (so that what is missing is gone)."""
        members = [name for name, read in self.after.items() if read.series == series and not read.copy]
        here = sorted((name for name in members if not self.after[name].gone), key=self._age, reverse=True)
        fresh = [name for name in here if name in self.fresh]
        moved = any(read.series == series for name, read in self.before.items() if name in self.fresh)
        newest_only = here[: len(fresh)] == fresh and not _is_list(self.fresh.values(), series)
        if not moved and newest_only:
            return False, fresh
        troubled = {broken.id for broken in self.troubled}
        return not any(self.after[name].gone or name in troubled for name in members), here

    def _age(self, name: str) -> tuple[int, str]:
        try:
            return (self.source.folder / name).stat().st_mtime_ns, name
        except OSError:
            return 0, name

    def _objects(self, files: Iterable[str], every: list[Gathering]) -> Iterator[Object]:
        seen: set[tuple[str, str]] = set()
        ranked: dict[str, Found] = {}
        for name in files:
            about = self.fresh.get(name) or self.source.understood(name, self.after[name].named)
            gathering = Gathering(about, self.source.settings.rule(name, self.after[name].named), name)
            every.append(gathering)
            for found in gathering.found():
                if about.list or about.status:
                    held = ranked.get(found.object.id)
                    if held is None or found.rank > held.rank:
                        ranked[found.object.id] = found
                elif (key := (found.object.kind, found.object.id)) not in seen:
                    seen.add(key)
                    yield found.object
            self.after[name] = msgspec.structs.replace(self.after[name], lines=gathering.read)
        yield from (found.object for found in ranked.values())

    def _forget(self, series: str) -> None:
        for name in [name for name, read in self.after.items() if read.series == series]:
            if name in self.before:
                self.after[name] = msgspec.structs.replace(self.before[name], sha256="", mtime=0)
            else:
                del self.after[name]
            self.fresh.pop(name, None)

    def _summaries(self) -> list[Object]:
        """One object for each file that was read: it clears an earlier trouble with that file."""
        return [Object("file", name, _NOTHING, name) for name in sorted(self.fresh)]


def _is_list(fresh: Iterable[Understanding], series: str) -> bool:
    return any(about.series == series and (about.list or about.status) for about in fresh)


def _paged(objects: Iterator[Object]) -> Iterator[list[Object]]:
    while page := list(islice(objects, PAGE)):
        yield page


def _taken(every: Sequence[Gathering]) -> list[Broken]:
    broken = [broken for gathering in every for broken in gathering.broken]
    for gathering in every:
        gathering.broken.clear()
    return broken


def _file_trouble(name: str, code: str, facts: dict[str, str]) -> Broken:
    return Broken("file", name, _NOTHING, code, facts, name)


def _reason(error: Unfit | OSError) -> tuple[str, dict[str, str]]:
    if isinstance(error, Unfit):
        return error.code, {"detail": error.detail}
    return "files-cannot-open", {"detail": error.strerror or type(error).__name__}
