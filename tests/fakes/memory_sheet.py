"""A spreadsheet in memory, with the team at its keyboard and every accident that can happen between read and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pydantic

from connectors.sheets.sheet import (
    Batch,
    Calls,
    Cell,
    Changes,
    Column,
    Formula,
    NewColumn,
    NewRow,
    Refused,
    Row,
    Table,
)
from connectors.trouble import TryLater


class Killed(BaseException):
    """`kill -9`: nothing catches it."""


@dataclass
class Line:
    """A row as it stands. `id` stays with it, as in Airtable; the reading gives its number instead unless `by_id`."""

    id: str
    key: str | None
    cells: dict[str, Cell | Formula]


@dataclass
class Grid:
    columns: list[Column] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def _refusal(stands: Cell | Formula, value: Cell) -> str:
    if isinstance(stands, Formula):
        return "sheet-formula"
    return "sheet-text-too-long" if isinstance(value, str) and len(value.encode("utf-16-le")) > 65_534 else ""


class Settings(pydantic.BaseModel):
    """Nothing to set."""


class MemorySheet:
    """Implements `connectors.sheets.sheet.Sheet`.

    `fault`, used up by the next write: `before` (killed after the intent, before anything left), `landed` (killed after
    it landed), `answer` (it landed, but the answer was lost: TryLater), `chunk` (killed between two batches).
    `meanwhile`: what a colleague does between our read and our write. `batch` cells or rows land together (0: all).
    `forgetful`: once somebody saved, nobody can tell whether a batch landed. `revisions`: has it a cheap revision?
    `mends`: the writes that put right what a killed run had hit.
    `tags`: do columns carry our mark, so that a renamed header is still found?
    """

    service: ClassVar[str] = "memory"
    Settings: ClassVar[type[pydantic.BaseModel]] = Settings
    mends = 0

    def __init__(self, *, batch: int = 0, forgetful: bool = False, revisions: bool = True, tags: bool = False) -> None:
        self.tabs: dict[str, Grid] = {}
        self.calls = Calls()
        self.batch, self.forgetful, self.revisions, self.tags = batch, forgetful, revisions, tags
        self.fault = ""
        self.meanwhile: list[Callable[[], None]] = []
        self.version = 0
        self.saved: dict[str, int] = {}
        self.incomplete = False
        self.stamps: dict[str, int] = {}
        self.written: list[tuple[str, str, Cell]] = []
        self.overwritten: list[tuple[str, str, Cell | Formula]] = []
        self._ids = 0

    # What the engine calls

    def check(self, tab: str) -> Sequence[str]:
        return [column.header for column in self.tabs[tab].columns]

    def revision(self, tab: str) -> str | None:
        return self._revision(tab) if self.revisions else None

    def read(self, tab: str) -> Table | None:
        self.calls.read += 1
        grid = self.tabs.get(tab)
        if grid is None:
            return None
        rows = [
            Row(self._ref(i, line), line.key, [line.cells.get(column.ref) for column in grid.columns])
            for i, line in enumerate(grid.lines)
        ]
        return Table(tab, list(grid.columns), rows, self._revision(tab), complete=not self.incomplete)

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        there = {column.header for column in self.tabs.setdefault(tab, Grid()).columns}
        new = [column for column in columns if column.header not in there]
        return self._add(tab, new) if new else self._read(tab)

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        return self._add(table.tab, columns)

    def write(
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        if not changes:
            return
        while self.meanwhile:
            self.meanwhile.pop(0)()
        if self._revision(table.tab) != table.revision:
            raise TryLater("sheet-changed", tab=table.tab)
        fault, self.fault = self.fault, ""
        changes, refused = self._possible(table.tab, changes)
        for i, part in enumerate(self._batches(changes)):
            if fault == "chunk" and i:
                raise Killed
            leaves = str(self.version + 1) if self.revisions else None
            batch = Batch(f"stamp-{self.version + 1}", part, refused if i == 0 else (), leaves)
            before(batch)
            if fault == "before":
                raise Killed
            self._land(table.tab, batch)
            if fault == "landed":
                raise Killed
            if fault == "answer":
                raise TryLater("service-down", service="memory", detail="timeout")
            after(batch)

    def landed(self, tab: str, stamp: str) -> bool | None:
        at = self.stamps.get(stamp)
        if self.forgetful and self.version != (at or int(stamp.removeprefix("stamp-")) - 1):
            return None
        return at is not None

    def address(self) -> str:
        return "memory"

    def close(self) -> None:
        """Nothing is open."""

    # How it lands

    def _revision(self, tab: str) -> str:
        return str(self.saved.get(tab, 0))

    def _ref(self, number: int, line: Line) -> str:
        return line.id if self.batch else str(number + 2)

    def _batches(self, changes: Changes) -> list[Changes]:
        if not self.batch:
            return [changes]
        size = self.batch
        keys = [Changes(keys=changes.keys[i : i + size]) for i in range(0, len(changes.keys), size)]
        cells = [Changes(cells=changes.cells[i : i + size]) for i in range(0, len(changes.cells), size)]
        rows = [Changes(rows=changes.rows[i : i + size]) for i in range(0, len(changes.rows), size)]
        return keys + cells + rows

    def _land(self, tab: str, batch: Batch) -> None:
        grid = self.tabs[tab]
        lines = {self._ref(i, line): line for i, line in enumerate(grid.lines)}
        headers = {column.ref: column.header for column in grid.columns}
        for key in batch.changes.keys:
            lines[key.row].key = key.key
        for cell in batch.changes.cells:
            assert lines[cell.row].key == cell.key, "a cell on the wrong row"
            stood = lines[cell.row].cells.get(cell.column)
            if stood not in {None, ""}:
                self.overwritten.append((cell.key, headers[cell.column], stood))
            lines[cell.row].cells[cell.column] = cell.value
            self.written.append((cell.key, headers[cell.column], cell.value))
        for row in batch.changes.rows:
            assert set(row.cells) <= set(headers), "a column that is not there"
            grid.lines.append(Line(self._id(), row.key, dict(row.cells)))
            self.written += [(row.key, headers[ref], value) for ref, value in row.cells.items()]
        self.calls.write += 1
        self.save(tab)
        self.stamps[batch.stamp] = self.version

    def _add(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        grid = self.tabs[tab]
        grid.columns += [Column(self._id(), new.header, new.tag if self.tags else None) for new in columns]
        self.save(tab)
        self.calls.write += 1
        return self._read(tab)

    def _read(self, tab: str) -> Table:
        table = self.read(tab)
        assert table is not None
        return table

    def _possible(self, tab: str, changes: Changes) -> tuple[Changes, list[Refused]]:
        """Formulas of the team stay, and a text may be too long for a cell."""
        lines = {self._ref(i, line): line for i, line in enumerate(self.tabs[tab].lines)}
        refused = [
            Refused(cell.row, cell.key, cell.column, code)
            for cell in changes.cells
            if (code := _refusal(lines[cell.row].cells.get(cell.column), cell.value))
        ]
        no = {(one.row, one.column) for one in refused}
        rows = []
        for row in changes.rows:
            long = {ref for ref, value in row.cells.items() if _refusal(None, value)}
            refused += [Refused(None, row.key, ref, "sheet-text-too-long") for ref in long]
            rows.append(NewRow(row.key, {ref: value for ref, value in row.cells.items() if ref not in long}))
        return Changes(changes.keys, [c for c in changes.cells if (c.row, c.column) not in no], rows), refused

    def _id(self) -> str:
        self._ids += 1
        return f"id{self._ids}"

    # What the team does; every act saves

    def save(self, tab: str) -> None:
        """Whoever changes something in a tab saves it."""
        self.version += 1
        self.saved[tab] = self.version

    def start(self, tab: str, headers: Sequence[str], rows: Sequence[dict[str, Cell | Formula]] = ()) -> None:
        """A tab that the team has had for years."""
        self.tabs[tab] = Grid([Column(self._id(), header) for header in headers])
        for row in rows:
            self.type_row(tab, row)

    def type_row(self, tab: str, cells: dict[str, Cell | Formula], at: int | None = None) -> None:
        grid = self.tabs[tab]
        line = Line(self._id(), None, {self.column(tab, header).ref: value for header, value in cells.items()})
        grid.lines.insert(len(grid.lines) if at is None else at, line)
        self.save(tab)

    def column(self, tab: str, header: str) -> Column:
        return next(column for column in self.tabs[tab].columns if column.header == header)

    def line(self, tab: str, key: str) -> Line:
        return next(line for line in self.tabs[tab].lines if line.key == key)

    def type_cell(self, tab: str, line: Line, header: str, value: Cell | Formula) -> None:
        self.is_there_again(line, header, value)
        line.cells[self.column(tab, header).ref] = value
        self.save(tab)

    def is_there_again(self, line: Line, header: str, value: Cell | Formula) -> None:
        """They type what we had just written over: nothing is lost, and nobody can tell any more that we wrote at all."""
        self.overwritten = [one for one in self.overwritten if one != (line.key, header, value)]

    def cell(self, tab: str, line: Line, header: str) -> Cell | Formula:
        return line.cells.get(self.column(tab, header).ref)

    def sort(self, tab: str, header: str, *, reverse: bool = False) -> None:
        ref = self.column(tab, header).ref
        self.tabs[tab].lines.sort(key=lambda line: str(line.cells.get(ref) or ""), reverse=reverse)
        self.save(tab)

    def delete(self, tab: str, line: Line) -> None:
        self.tabs[tab].lines.remove(line)
        self.save(tab)

    def copy_row(self, tab: str, line: Line) -> Line:
        copy = Line(self._id(), line.key, dict(line.cells))
        self.tabs[tab].lines.append(copy)
        self.save(tab)
        return copy

    def rename(self, tab: str, header: str, new: str) -> None:
        columns = self.tabs[tab].columns
        place = columns.index(self.column(tab, header))
        columns[place] = Column(columns[place].ref, new, columns[place].tag)
        self.save(tab)

    def move_column(self, tab: str, header: str, to: int) -> None:
        column = self.column(tab, header)
        self.tabs[tab].columns.remove(column)
        self.tabs[tab].columns.insert(to, column)
        self.save(tab)

    def remove_column(self, tab: str, header: str) -> None:
        self.tabs[tab].columns.remove(self.column(tab, header))
        self.save(tab)

    def add_column(self, tab: str, header: str) -> None:
        self.tabs[tab].columns.append(Column(self._id(), header))
        self.save(tab)

    def remove_tab(self, tab: str) -> None:
        del self.tabs[tab]
        self.save(tab)

    def shown(self, tab: str) -> list[dict[str, Cell | Formula]]:
        """The tab as a person sees it: a dict of header and value for each row, empty cells left out."""
        grid = self.tabs[tab]
        return [
            {c.header: line.cells[c.ref] for c in grid.columns if line.cells.get(c.ref) not in {None, ""}}
            for line in grid.lines
        ]
