"""The team's workbook on disk, in Excel's format (`.xlsx`, `.xlsm`).

Cells are changed inside the sheet's own XML; every other part of the file (charts, pivots, macros, comments …) is
carried over byte for byte. The file is exchanged at one instant, so a reader sees the old or the new one, never half.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pydantic

from connectors.sheets.sheet import Batch, Calls, Changes, NewColumn, Table, TabName
from connectors.sheets.xlsx import fresh
from connectors.sheets.xlsx.book import Book
from connectors.sheets.xlsx.layout import find_layout, read_table
from connectors.sheets.xlsx.locks import refuse_if_open
from connectors.sheets.xlsx.markup import child
from connectors.sheets.xlsx.package import Pieces
from connectors.sheets.xlsx.reading import Worksheet
from connectors.sheets.xlsx.replace import back_up, fingerprint, plainly, put, refuse_read_only
from connectors.sheets.xlsx.writing import Edit
from connectors.source import Setting
from connectors.trouble import FixFile, TryLater

_FORBIDDEN_IN_TAB = re.compile(r"[\[\]:*?/\\]")
_LONGEST_TAB = 31


class ExcelSettings(pydantic.BaseModel):
    """The `sheet:` block of the config, for `type: excel`."""

    model_config = pydantic.ConfigDict(extra="forbid")

    file: str = pydantic.Field(
        min_length=1,
        description="The workbook, e.g. Contacts.xlsx; made if it does not exist. From the config's folder.",
    )


class Excel:
    """One workbook. `settings.file` may be relative to the config's folder, and a link is followed to the file itself.

    A workbook that somebody has open is read but never written: `TryLater("workbook-open", who=…)`.
    Before the first change of a day a copy is kept in `.filrouge-backups/` beside it (the last ten days stay).
    """

    service: ClassVar[str] = "excel"
    Settings: ClassVar[type[pydantic.BaseModel]] = ExcelSettings

    def __init__(self, settings: ExcelSettings, setting: Setting) -> None:
        self.setting = setting
        self.path = (setting.folder / Path(settings.file).expanduser()).resolve()
        self.calls = Calls()
        self._ours: dict[str, tuple[str, str]] = {}

    def check(self, tab: str) -> Sequence[str]:
        """The headers of the tab, none if the file or the tab is still to be made."""
        if self.path.suffix.lower() not in (".xlsx", ".xlsm"):
            raise FixFile("workbook-name", file=self.path.name)
        refuse_read_only(self.path)
        with self._sound():
            book = self._book()
            part = book.sheet(tab) if book else None
            return list(find_layout(Worksheet(book, part)).named.values()) if book and part else []

    def tabs(self) -> Sequence[TabName]:
        """The tabs that are not hidden; those that are, where there is no other."""
        with self._sound():
            book = self._book()
            if book is None:
                return []
            listed = child(book.root, "sheets")
            hidden = {
                sheet.get("name")
                for sheet in (listed if listed is not None else ())
                if sheet.get("state", "visible") != "visible"
            }
            names = [TabName(name) for name in book.sheets]
            return [tab for tab in names if tab.name not in hidden] or names

    def revision(self, tab: str) -> str | None:  # noqa: ARG002  one file, whatever the tab
        """The sha256 of the file: 14 MB take a hundredth of a second. Empty if there is no file."""
        with plainly(self.path):
            return fingerprint(self.path)

    def read(self, tab: str) -> Table | None:
        with self._sound():
            book = self._book()
            part = book.sheet(tab) if book else None
            return read_table(Worksheet(book, part), tab) if book and part else None

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        """Make what is missing: the file, the tab, or the headers of an empty tab. What is there stays."""
        _refuse_tab_name(tab)
        look = (self.setting.country, "fr" if self.setting.language == "fr" else "en")
        book = self._book()
        if book is None:
            self._refuse_if_open()
            self._put([fresh.new_workbook(tab, columns, *look)], tab, was="")
        elif (part := book.sheet(tab)) is None:
            self._exchange(book, fresh.new_tab(book, tab, columns, *look), tab)
        elif not find_layout(Worksheet(book, part)).headers:
            self._exchange(book, self._with_headers(book, tab, columns, key=True), tab)
        return self._read_anew(tab)

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        book = self._unchanged(table)
        self._exchange(book, self._with_headers(book, table.tab, columns, key=False), table.tab)
        return self._read_anew(table.tab)

    def write(
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        """One batch: all of it or nothing. Its stamp is the sha256 of the file before and after it."""
        if not changes:
            return
        self._refuse_if_open()
        book = self._unchanged(table)
        outcome = Edit(book, self._part(book, table.tab), table.tab).apply(changes)
        if not outcome.parts:
            batch = Batch(f"{book.sha}:{book.sha}", outcome.changes, outcome.refused, book.sha)
            before(batch)
            after(batch)
            return
        landed: list[Batch] = []

        def ready(sha: str) -> None:
            landed.append(Batch(f"{book.sha}:{sha}", outcome.changes, outcome.refused, sha))
            before(landed[0])

        self._exchange(book, outcome.parts, table.tab, ready)
        after(landed[0])

    def landed(self, tab: str, stamp: str) -> bool | None:  # noqa: ARG002  one file, whatever the tab
        """True if the file is as the batch left it, False if it is as it was before, None if somebody saved since."""
        was, _, became = stamp.partition(":")
        with plainly(self.path):
            now = fingerprint(self.path)
        return True if now == became else False if now == was else None

    def address(self) -> str:
        return str(self.path)

    def close(self) -> None:
        """Nothing is held open between two calls."""

    def _book(self) -> Book | None:
        if not self.path.exists():
            if not self.path.parent.is_dir():
                raise FixFile("workbook-folder-missing", folder=str(self.path.parent))
            return None
        with plainly(self.path):
            raw = self.path.read_bytes()
        self.calls.read += 1
        return Book(raw, self.path.name)

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Parts that contradict each other (a text that is not in the list of texts, a number that is none)."""
        try:
            yield
        except (IndexError, KeyError, ValueError, OverflowError) as error:
            raise FixFile("workbook-damaged", file=self.path.name) from error

    def _unchanged(self, table: Table) -> Book:
        """The workbook, if nobody but us saved it since `table` was read (and we only other tabs)."""
        book = self._book()
        sha = book.sha if book else ""
        while sha != table.revision:
            sha, tab = self._ours.get(sha, ("", table.tab))
            if tab == table.tab:
                raise TryLater("sheet-changed", file=self.path.name, tab=tab)
        assert book is not None
        return book

    def _part(self, book: Book, tab: str) -> str:
        part = book.sheet(tab)
        if part is None:
            raise TryLater("sheet-changed", file=self.path.name, tab=tab)
        return part

    def _with_headers(self, book: Book, tab: str, columns: Sequence[NewColumn], *, key: bool) -> Mapping[str, Pieces]:
        looks = fresh.looks(book.styles, columns, self.setting.country, self.setting.language)
        return Edit(book, self._part(book, tab), tab).with_columns(columns, looks, key=key)

    def _read_anew(self, tab: str) -> Table:
        table = self.read(tab)
        if table is None:
            raise TryLater("sheet-changed", file=self.path.name, tab=tab)
        return table

    def _exchange(
        self, book: Book, parts: Mapping[str, Pieces], tab: str, ready: Callable[[str], None] | None = None
    ) -> None:
        self._refuse_if_open()
        back_up(self.path, self.setting.now())
        sha = self._put(book.package.rewritten(parts), tab, was=book.sha, ready=ready)
        self._ours[sha] = (book.sha, tab)

    def _put(
        self, pieces: Iterable[bytes | memoryview], tab: str, *, was: str, ready: Callable[[str], None] | None = None
    ) -> str:
        def last_look(sha: str) -> None:
            if ready:
                ready(sha)
            self._refuse_if_open()

        sha = put(self.path, pieces, was=was, tab=tab, ready=last_look)
        self.calls.write += 1
        return sha

    def _refuse_if_open(self) -> None:
        refuse_if_open(self.path, self.setting.now())
        refuse_read_only(self.path)


def _refuse_tab_name(tab: str) -> None:
    """Excel's own rules for the name on a tab."""
    if not tab.strip() or len(tab) > _LONGEST_TAB or _FORBIDDEN_IN_TAB.search(tab) or tab[0] == "'" or tab[-1] == "'":
        raise FixFile("workbook-tab-name", tab=tab, limit=_LONGEST_TAB)
