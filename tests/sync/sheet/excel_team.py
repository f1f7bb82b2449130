"""The team at its workbook, with the same hands as at the sheet in memory: openpyxl reads and saves a real file."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import openpyxl

from connectors.sheets.excel import Excel, ExcelSettings
from connectors.sheets.sheet import KEY_HEADER, Batch, Cell, Changes, Column, Formula, NewColumn, Table
from connectors.source import Setting
from tests.fakes.memory_sheet import Grid, Killed, Line, MemorySheet
from tests.sync.sheet.office import START
from tests.sync.sheet.workbook_page import Head, Page, filled

OTHER = "Accueil"
"""A tab of the team's that is none of our business, with a text and a formula."""
SPARE = "Contacts (2)"
"""The copy that a program makes of the tab; nobody else's business either."""
OLD = "Contacts (ancien)"
"""What the tab is called when the team renames it."""
CALLED = {"_filrouge_tab.contacts_contacts": "Contacts", "_filrouge_tab.contacts_contacts.20..28.ancien.29.": OLD}
"""What the tab was called when we last wrote, as our mark on it says."""
LOCKS = ("~${}", ".~lock.{}#")


@dataclass(frozen=True)
class Copy:
    """The file as the team set it aside, which row was which, and what its tabs were called."""

    raw: bytes
    ids: dict[str, list[str]]
    titles: dict[str, str]


class ExcelTeam(MemorySheet):
    """A `MemorySheet` whose cells stand in a file and which writes through our connector. Nobody but these hands and our
    connector moves rows, so `ids` holds which row is which; what we add stands below.

    `fault` as there (one batch is all, so `chunk` kills before the second writing of a run), and `early` (killed before
    the intent), `closing` (when the batch is agreed), `columns` (when columns have been added), `refused` (the disk takes
    no new file);
    `answer`: the folder is on another machine, whose answer is lost. `meanwhile`: before our connector opens the file
    to write. `instant`: when the new file lies beside it, ready to take its place.
    `program` saved the file: `excel` moves our marks with their cells, `libreoffice` drops what they remember as well,
    `openpyxl` leaves them where they were, `google` drops them. `titles`: what a tab is called now that is still the one
    that we keep up.
    """

    service: ClassVar[str] = "excel"

    def __init__(self, folder: Path, *, program: str = "excel") -> None:
        setting = replace(Setting("sheet", folder), now=lambda: START)
        self.excel = Excel(ExcelSettings(file="Contacts.xlsx"), setting)
        self.path, self.calls = self.excel.path, self.excel.calls
        self.program, self.fault, self.tags = program, "", program in {"excel", "libreoffice"}
        self.meanwhile: list[Callable[[], None]] = []
        self.instant: list[Callable[[], None]] = []
        self.overwritten: list[tuple[str, str, Cell | Formula]] = []
        self.ids: dict[str, list[str]] = {}
        self.titles: dict[str, str] = {}
        self._ids, self._raw, self._grids = 0, b"", dict[str, Grid]()
        self._book: Any = None

    # What the engine calls

    def check(self, tab: str) -> Sequence[str]:
        return self.excel.check(tab)

    def revision(self, tab: str) -> str | None:
        return self.excel.revision(tab)

    def read(self, tab: str) -> Table | None:
        return self.excel.read(tab)

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        return self._adding(tab, lambda: self.excel.create(tab, columns))

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        return self._adding(table.tab, lambda: self.excel.add_columns(table, columns))

    def landed(self, tab: str, stamp: str) -> bool | None:
        return self.excel.landed(tab, stamp)

    def _adding(self, tab: str, add: Callable[[], Table]) -> Table:
        while self.meanwhile:
            self.meanwhile.pop(0)()
        stood, rest = self._standing(tab), self._rest(tab)
        table = add()
        self._compare(tab, stood, rest)
        if self.fault == "columns":
            self.fault = ""
            raise Killed
        return table

    def write(  # noqa: C901  every way in which a writing can end
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        if not changes:
            return
        while self.meanwhile:
            self.meanwhile.pop(0)()
        fault, self.fault = self.fault, ""
        if fault == "early":
            raise Killed
        if fault == "chunk":
            self.fault = "before"
        stood, rest = self._standing(table.tab), self._rest(table.tab)

        def ready(batch: Batch) -> None:
            nonlocal stood, rest
            before(batch)
            if self.instant:
                self.instant.pop(0)()
                stood, rest = self._standing(table.tab), self._rest(table.tab)
            if fault == "before":
                raise Killed

        def done(batch: Batch) -> None:
            keys = self._page(table.tab).keys() if self.tabs else {}
            assert all(keys[int(cell.row)] == cell.key for cell in batch.changes.cells), "a cell on the wrong row"
            if fault != "landed":
                after(batch)
            if fault in {"landed", "closing"}:
                raise Killed

        try:
            with disk(self.path, fault):
                self.excel.write(table, changes, ready, done)
        finally:
            self._compare(table.tab, stood, rest)
            if fault == "before":
                self.half_written.write_bytes(b"PK\x03\x04 half of it")

    def _standing(self, tab: str) -> dict[tuple[str, str], Cell | Formula]:
        grid = self.tabs.get(tab, Grid())
        headers = {column.ref: column.header for column in grid.columns}
        return {(line.id, headers[ref]): value for line in grid.lines for ref, value in line.cells.items()}

    def _rest(self, tab: str) -> dict[str, Any]:
        """What is none of our business: the other tabs, and what stands above the headers."""
        above = {tab: self._page(tab).above()} if tab in self.tabs else {}
        others = [name for name in (self._book.sheetnames if self.raw else ()) if name != self.title(tab)]
        return above | {name: filled(self._book[name]) for name in others}

    def _compare(self, tab: str, stood: dict[tuple[str, str], Cell | Formula], rest: dict[str, Any]) -> None:
        """What we wrote over; no row may be gone, and nothing be changed elsewhere (promise 1)."""
        now, keys = self._standing(tab), {line.id: line.key for line in self.tabs.get(tab, Grid()).lines}
        assert {row for row, _ in stood} <= keys.keys(), "a row is gone"
        assert self._rest(tab) | rest == self._rest(tab), "changed what is none of our business"
        for (row, header), value in stood.items():
            if now.get((row, header)) != value:
                self.overwritten.append((str(keys[row]), header, value))

    # What stands in the file

    @property
    def half_written(self) -> Path:
        return self.path.with_name(f".{self.path.name}.filrouge.tmp")

    @property
    def raw(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    @property
    def tabs(self) -> dict[str, Grid]:  # type: ignore[override]  # read anew whenever the file is another
        if (raw := self.raw) != self._raw or not raw:
            self._raw = raw
            self._book = openpyxl.load_workbook(io.BytesIO(raw)) if raw else None
            titles = [name for name in self._book.sheetnames if name not in {OTHER, SPARE}] if raw else []
            known = {title: tab for tab, title in self.titles.items()}
            names = [known.get(title, title) for title in titles]
            self._grids = {name: self._grid(name) for name in names}
        return self._grids

    def title(self, tab: str) -> str:
        return self.titles.get(tab, tab)

    def _page(self, tab: str) -> Page:
        return Page(self._book[self.title(tab)], self.ids.setdefault(tab, []), self._id)

    def _grid(self, tab: str) -> Grid:
        page = self._page(tab)
        named = [(head, Column(str(place), head.header)) for place, head in enumerate(page.heads) if head.header]
        lines = []
        for row in page.rows:
            cells = {column.ref: row.value(head) for head, column in named if row.value(head) is not None}
            key = next((cells.pop(column.ref, None) for _, column in named if column.header == KEY_HEADER), None)
            if cells or key:
                lines.append(Line(row.id, str(key) if key else None, cells))
        return Grid([column for _, column in named if column.header != KEY_HEADER], lines)

    def marked(self, tab: str, header: str) -> bool:
        """Whether our mark lies on this column and goes with it."""
        title = self.title(tab)
        names = self._book[title].defined_names.values() if tab in self.tabs and self.program == "excel" else ()
        return any(name.comment == header and name.attr_text.startswith(f"'{title}'!$") for name in names)

    def followed(self, tab: str, new: str) -> bool:
        """Whether our mark lies on this tab, goes with it when it is renamed, and no copy leaves a doubt: none does where
        the tab was called `new` already when we last wrote.
        """
        copies = SPARE in self._book.sheetnames and ours(self._book[SPARE].defined_names)
        marks = [mark for mark in ours(self._book.defined_names) if mark.attr_text.startswith(f"'{self.title(tab)}'!$")]
        return self.tags and any(not copies or CALLED.get(mark.name) == new for mark in marks)

    # What the team does

    @contextmanager
    def open(self, tab: str) -> Iterator[Page]:
        """Opened, changed, and saved."""
        assert tab in self.tabs
        page = self._page(tab)
        yield page
        page.lay_out(self.program)
        self.ids[tab] = [row.id for row in page.rows]
        self.save(tab)

    def save(self, tab: str) -> None:
        for mark in ours(self._book.defined_names) if self.program == "google" else ():
            del self._book.defined_names[mark.name]
        target = io.BytesIO()
        self._book.save(target)
        self.path.write_bytes(target.getvalue())
        self._raw = b""

    def make(self, *titles: str) -> None:
        """A workbook without any tab of ours."""
        self._book = openpyxl.Workbook()
        self._book.remove(self._book.active)
        for title in titles:
            page = self._book.create_sheet(title)
            if title == OTHER:
                page["B2"], page["B3"] = "Saison 2026", "=LEN(B2)"
        self.save("")

    def start(self, tab: str, headers: Sequence[str], rows: Sequence[dict[str, Cell | Formula]] = ()) -> None:
        self.start_dressed(tab, headers, "plain", 0)
        for row in rows:
            self.type_row(tab, row)

    def start_dressed(self, tab: str, headers: Sequence[str], dress: str, above: int) -> None:
        """`dress`: plain, filter or table. `above`: rows above the headers, a title in the first of them."""
        self.make(OTHER, tab)
        sheet = self._book[tab]
        if above:
            sheet["A1"] = "Notre public"
        for place, header in enumerate(headers, 1):
            sheet.cell(above + 1, place, header)
        Page(sheet, [], self._id).dress(dress)
        self.save(tab)

    def type_row(self, tab: str, cells: dict[str, Cell | Formula], at: int | None = None) -> None:
        lines = self.tabs[tab].lines
        with self.open(tab) as page:
            inner = at is not None and at < len(lines)
            place = page.place(lines[at or 0].id) if inner else page.place(lines[-1].id) + 1 if lines else 0
            row = page.insert(place)
            for header, value in cells.items():
                row.put(page.head(header), value)

    def type_cell(self, tab: str, line: Line, header: str, value: Cell | Formula) -> None:
        self.is_there_again(line, header, value)
        with self.open(tab) as page:
            page.row(line.id).put(page.head(header), value)

    def sort(self, tab: str, header: str, *, reverse: bool = False) -> None:
        with self.open(tab) as page:
            head = page.head(header)
            page.rows.sort(key=lambda row: str(row.value(head) or ""), reverse=reverse)
            page.rows.sort(key=lambda row: row.value(head) is None)

    def delete(self, tab: str, line: Line) -> None:
        with self.open(tab) as page:
            page.rows.remove(page.row(line.id))

    def clear(self, tab: str, line: Line) -> None:
        """Everything in the row wiped out; the row stays."""
        with self.open(tab) as page:
            page.row(line.id).cells.clear()

    def copy_row(self, tab: str, line: Line) -> Line:
        lines = self.tabs[tab].lines
        with self.open(tab) as page:
            copy = page.insert(page.place(lines[-1].id) + 1)
            copy.cells = dict(page.row(line.id).cells)
        return next(one for one in self.tabs[tab].lines if one.id == copy.id)

    def rename(self, tab: str, header: str, new: str) -> None:
        with self.open(tab) as page:
            page.head(header).header = new

    def move_column(self, tab: str, header: str, to: int) -> None:
        with self.open(tab) as page:
            head = page.head(header)
            page.heads.remove(head)
            page.heads.insert(to, head)

    def remove_column(self, tab: str, header: str) -> None:
        with self.open(tab) as page:
            page.heads.remove(page.head(header))

    def add_column(self, tab: str, header: str) -> None:
        with self.open(tab) as page:
            page.heads.append(Head(header))

    def insert_column(self, tab: str, to: int) -> None:
        """An empty one."""
        with self.open(tab) as page:
            page.heads.insert(to, Head(""))

    def insert_rows(self, tab: str, at: int, count: int) -> None:
        """Empty ones, between two others."""
        with self.open(tab) as page:
            for _ in range(count):
                page.insert(min(at, len(page.rows)))

    def fill_down(self, tab: str, header: str, formula: str, beyond: int) -> None:
        """A formula in every row, and in some below that wait for people to come."""
        with self.open(tab) as page:
            last = max((place for place, row in enumerate(page.rows, 1) if not row.empty), default=0)
            for _ in range(beyond):
                page.insert(last)
            for row in page.rows[: last + beyond]:
                row.put(page.head(header), Formula(formula))

    def rename_tab(self, tab: str, new: str) -> None:
        assert tab in self.tabs
        followed, title = self.followed(tab, new) or new == tab, self.title(tab)
        sheet = self._book[title]
        sheet.title = new
        for name in [*sheet.defined_names.values(), *ours(self._book.defined_names)] if self.tags else ():
            name.attr_text = name.attr_text.replace(f"'{title}'!", f"'{new}'!")
        if followed:
            self.titles[tab] = new
        else:
            self.ids[new] = self.ids.pop(tab)
        self.save(new)

    def copy_tab(self, tab: str) -> None:
        """The copy has marks of its own, as Excel and LibreOffice make them."""
        assert tab in self.tabs
        if SPARE in self._book.sheetnames:
            del self._book[SPARE]
        title = self.title(tab)
        spare = self._book.copy_worksheet(self._book[title])
        spare.title = SPARE
        names = [*self._book[title].defined_names.values(), *ours(self._book.defined_names)] if self.tags else []
        for name in names:
            spare.defined_names[name.name] = own = copy(name)
            own.attr_text = own.attr_text.replace(f"'{title}'!", f"'{SPARE}'!")
        self.save(SPARE)

    def remove_tab(self, tab: str) -> None:
        """The whole file, where it holds nothing else."""
        assert tab in self.tabs
        del self.ids[tab]
        title = self.titles.pop(tab, tab)
        if len(self._book.sheetnames) == 1:
            self.path.unlink()
            return
        del self._book[title]
        for mark in ours(self._book.defined_names) if self.tags else ():
            mark.attr_text = mark.attr_text.replace(f"'{title}'!", "#REF!")
        self.save(tab)

    def set_aside(self) -> Copy:
        return Copy(self.raw, {tab: list(ids) for tab, ids in self.ids.items()}, dict(self.titles))

    def put_back(self, copy: Copy) -> None:
        self.path.write_bytes(copy.raw)
        self._raw = b""
        self.ids, self.titles = {tab: list(ids) for tab, ids in copy.ids.items()}, dict(copy.titles)
        there = {
            (line.key, header, self.cell(tab, line, header))
            for tab, grid in self.tabs.items()
            for line in grid.lines
            for header in (column.header for column in grid.columns)
        }
        self.overwritten = [one for one in self.overwritten if one not in there]

    @contextmanager
    def opened_by_somebody(self, lock: str) -> Iterator[None]:
        beside = self.path.with_name(lock.format(self.path.name))
        beside.write_bytes(b"\x05Marie".ljust(165, b" "))
        os.utime(beside, (START.timestamp(), START.timestamp()))
        try:
            yield
        finally:
            beside.unlink()


def ours(names: Any) -> list[Any]:
    """Our marks on tabs, among the names of a workbook or of a tab."""
    return [name for name in names.values() if name.name.startswith("_filrouge_tab.")]


@contextmanager
def disk(path: Path, fault: str) -> Iterator[None]:
    """A disk on another machine: it puts the new file in place or not, and answers that it could not."""
    real = os.replace

    def replaced(source: Any, target: Any) -> None:
        if Path(target) != path:
            real(source, target)
            return
        if fault == "answer":
            real(source, target)
        raise OSError(errno.EIO, "Input/output error")

    if fault in {"answer", "refused"}:
        with mock.patch("os.replace", replaced):
            yield
    else:
        yield
