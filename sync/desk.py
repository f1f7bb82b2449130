"""What every command needs on its desk: the config, the clock, the store, the rules and templates."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from connectors.source import Source
from connectors.trouble import FixFile, TryLater
from rules import reader
from rules.context import Outside, languages_of
from rules.encoding import lines_of
from rules.mistakes import Mistake, Place, fold
from sync.clock import Clock
from sync.config import Config
from sync.configfile import read_config
from sync.followup.pictures import ENDINGS, NO_PICTURES, Picture, local, read_picture
from sync.followup.templatefiles import action_mistakes, name_of, read_templates
from sync.followup.templates import Templates
from sync.messages import say
from sync.store import Store

LEAST_ROOM = 2_000_000  # bytes: below, SQLite can't even open its own journal


class WrongFiles(FixFile):
    """Config or rules have mistakes. `shown` is all of them, each with its line."""

    def __init__(self, mistakes: Sequence[Mistake], shown: str) -> None:
        super().__init__("wrong-files", n=len(mistakes))
        self.mistakes = mistakes
        self.shown = shown


def show_mistakes(mistakes: Iterable[Mistake], language: str, lines: dict[str, list[str]]) -> str:
    """All mistakes with the line they stand in and a caret. `lines` by file name."""

    def line_of(mistake: Mistake) -> str:
        known = lines.get(mistake.place.file, [])
        line = known[mistake.place.line - 1] if 0 < mistake.place.line <= len(known) else ""
        return f"{line.partition(':')[0]}: …" if "secret" in mistake.facts else line

    return "\n\n".join(mistake.show(language, line_of(mistake)) for mistake in mistakes)


def refusal(mistakes: Sequence[Mistake], language: str, lines: dict[str, list[str]]) -> WrongFiles:
    """Why nothing is done: that nothing runs before they are mended, and all of them."""
    stops = say(language, "check-mistakes", n=len(mistakes))
    return WrongFiles(mistakes, f"{stops}\n\n{show_mistakes(mistakes, language, lines)}")


def _for_us_alone(url: str) -> None:
    """A new SQLite file holds everybody: nobody else on this machine may read it."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path and not Path(path).exists() and Path(path).parent.is_dir():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


ADDED = (".txt", ".rtf", ".doc", ".docx", ".odt")


def at_the_keyboard() -> str:
    """The name of who runs this, as the machine knows it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "filrouge"


def files_in(folder: Path, *endings: str) -> dict[str, bytes]:
    """The files of a folder by their name relative to it, hidden ones and drafts of editors left out.

    `welcome.yaml.txt` counts too: whoever saved it so believes that it is read, and is told.
    """

    def meant(file: Path) -> bool:
        ending = Path(file.stem).suffix if file.suffix.lower() in ADDED else file.suffix
        return ending.lower() in endings

    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.glob("*"))
        if file.is_file() and meant(file) and not file.name.startswith((".", "~"))
    }


def files_seen(home: Path, folder: Path, *endings: str) -> dict[str, bytes]:
    """`files_in` a folder, by their path as a person sees it from `home`; none where there is no such folder."""
    found = files_in(folder, *endings) if folder.is_dir() else {}
    return {(_seen(home, folder) / name).as_posix(): data for name, data in found.items()}


def _seen(home: Path, folder: Path) -> Path:
    return folder.relative_to(home) if folder.is_relative_to(home) else folder


def beside_templates(rules: Iterable[Mistake], templates: Sequence[Mistake]) -> list[Mistake]:
    """Both; that there is no such e-mail is not told where its file has a mistake."""
    there = {fold(name_of(mistake.place.file)) for mistake in templates}
    told = [one for one in rules if "template" not in one.code or fold(one.found) not in there]
    return [*told, *templates]


@dataclass
class Desk:
    """Close it at the end."""

    config: Config
    clock: Clock
    language: str

    @classmethod
    def open(cls, file: Path, language: str | None, today: date | None = None) -> Desk:
        """Read the config; raises `WrongFiles` with every mistake in it."""
        if not file.exists():
            raise FixFile("config-not-found", file=str(file))
        reading = read_config(file)
        if reading.config is None:
            said = language or reading.language
            raise refusal(reading.mistakes, said, {file.name: reading.lines})
        config = reading.config
        return cls(config, Clock(config.zone, today), language or config.language)

    @contextmanager
    def speaking(self, language: str) -> Iterator[None]:
        """For the length of a block, say everything in this language."""
        before, self.language = self.language, language
        try:
            yield
        finally:
            self.language = before

    @property
    def has_store(self) -> bool:
        """False before the very first run, while the SQLite file is not there yet."""
        scheme, _, path = self.config.store_url.partition(":///")
        return "store" in self.__dict__ or scheme != "sqlite" or Path(path).exists()

    @cached_property
    def store(self) -> Store:
        if shutil.disk_usage(self.config.folder).free < LEAST_ROOM:
            raise TryLater("disk-full", file=str(self.config.folder))
        try:
            _for_us_alone(self.config.store_url)
            return Store.open(self.config.store_url, self.config.organisation.slug, self.clock.read())
        except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
            raise TryLater("database-away", detail=type(error.orig or error).__name__) from None

    def say(self, code: str, /, **facts: object) -> str:
        return say(self.language, code, **facts)

    def name_check(self, names: Collection[str]) -> None:
        """Raises `FixFile` for a source that the config does not have."""
        if strange := set(names) - set(self.config.sources):
            known = ", ".join(self.config.sources)
            raise FixFile("unknown-source-name", found=", ".join(sorted(strange)), known=known)

    def sources(self, names: Collection[str] = ()) -> dict[str, Source]:
        """Those named, or all, ready to be asked."""
        self.name_check(names)
        return {name: self.config.open_source(name, self.clock) for name in names or self.config.sources}

    @cached_property
    def rule_files(self) -> dict[str, bytes]:
        return self._files(self.config.rules_folder, ".yaml", ".yml")

    @cached_property
    def template_files(self) -> dict[str, bytes]:
        return self._files(self.config.rules_folder / "templates", ".md")

    def _files(self, folder: Path, *endings: str) -> dict[str, bytes]:
        """By their path as a person sees it from the folder of the config."""
        return files_seen(self.config.folder, folder, *endings)

    def as_seen(self, folder: Path) -> Path:
        """A folder as it is told to a person: from the folder of the config, where it lies inside."""
        return _seen(self.config.folder, folder)

    @cached_property
    def templates(self) -> tuple[Templates, list[Mistake]]:
        return read_templates(self.template_files, self._pictures)

    @cached_property
    def logo(self) -> Picture | None:
        """The organisation's own, if it is a file; `configfile` has told what is wrong with it."""
        name = local(self.config.organisation.logo or "")
        if name is None:
            return None
        read = read_picture(name, (self.config.folder / name).read_bytes())
        return read if isinstance(read, Picture) else None

    @property
    def _pictures(self) -> dict[str, bytes] | None:
        """Those beside the templates; None where the mail service carries none inside an e-mail."""
        folder = self.config.rules_folder / "templates"
        if self.config.outline.mail.get("type") in NO_PICTURES:
            return None
        return files_in(folder, *ENDINGS) if folder.is_dir() else {}

    def stand_in(self, last: Mapping[str, bytes]) -> list[Mistake]:
        """Put the last right version of each template that has mistakes in its place; gives those mistakes."""
        mistakes = self.templates[1]
        wrong = {mistake.place.file for mistake in mistakes}
        right = {name: data for name, data in self.template_files.items() if name not in wrong}
        self.template_files = right | {name: last[name] for name in wrong & last.keys()}
        self.__dict__.pop("templates", None)
        return mistakes

    @property
    def outside(self) -> Outside:
        """What the config offers to actions."""
        config = self.config
        staff = config.outline.staff
        told = (*staff.email, *([staff.webhook] if staff.webhook else []))
        return Outside(tuple(config.outline.webhooks), config.newsletters, told)

    def read_rules(self, columns: Collection[str] | None, files: dict[str, bytes] | None = None) -> reader.Reading:
        """`columns`: the headers of the team's sheet, None if they are not known."""
        files = self.rule_files if files is None else files
        reading = reader.read(
            files,
            columns=columns,
            templates=self.templates[0].names,
            outside=self.outside,
            language=self.config.language,
        )
        lines = {name: lines_of(data) for name, data in files.items()}
        found = [*reading.mistakes, *action_mistakes(reading.written, lines)]
        return replace(reading, mistakes=sorted(found, key=lambda mistake: mistake.place))

    def language_at(self, place: Place) -> str:
        """The language in which the rule file there is written: in it stands what is to be typed there."""
        return self._languages.get(place.file, self.config.language)

    @cached_property
    def _languages(self) -> dict[str, str]:
        return languages_of(self.rule_files, self.config.language)

    def mistakes(self, rules: reader.Reading) -> list[Mistake]:
        """Those of the rules and of the templates; that there is no such e-mail is not told where its file has a mistake."""
        return beside_templates(rules.mistakes, self.templates[1])

    def lines(self) -> dict[str, list[str]]:
        """The text of every rule file and template, for showing where."""
        files = {**self.rule_files, **self.template_files}
        return {name: lines_of(data) for name, data in files.items()}

    def command(self, *words: str) -> str:
        """A command as the person has to type it here: with `--config`, where theirs is another than the usual one."""
        file = self.config.file
        usual = file.resolve() == Path("config.yaml").resolve()
        return shlex.join([typed_here(), *([] if usual else ["--config", str(file)]), *words])

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


def typed_here() -> str:
    """The program as it has to be typed here: by its path, where the shell would not find it by its name."""
    typed = sys.argv[0]
    return typed if Path(typed).name == "filrouge" and not shutil.which("filrouge") else "filrouge"
