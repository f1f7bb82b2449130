"""The team at its Google spreadsheet, with the same hands as at the one in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.sheets.googlesheets.cells import cell_data
from connectors.sheets.googlesheets.reading import same
from connectors.sheets.googlesheets.session import ATTEMPTS
from connectors.sheets.sheet import Batch, Cell, Changes, Column, Formula, NewColumn, Refused, Table
from connectors.trouble import TryLater
from tests.connectors.test_google import google
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grid import Dimension, GridTab
from tests.fakes.memory_sheet import Grid, Killed, Line, MemorySheet

EMPTY: dict[str, Any] = {"userEnteredValue": None, "userEnteredFormat": None, "result": None}


class GoogleTeam(MemorySheet):
    """A `MemorySheet` whose cells stand in the fake's grid and which writes through our connector. `fault` and
    `meanwhile` as there, and `line` or `second`: the line is dead once the first or second batch has landed. `instant`: what is done in the
    instant between a last look and a write, one thing for each batch. `hit`: what was overwritten by a run that could
    not look any more at what it did, by row and header; whoever types there since takes it out.
    """

    service: ClassVar[str] = "google"
    looks_again: ClassVar[bool] = True

    def __init__(self, fake: FakeGoogle, folder: Path) -> None:
        self.fake, self.google = fake, google(fake, folder)
        self.calls = self.google.calls
        self.fault, self.tags = "", True
        self.meanwhile: list[Callable[[], None]] = []
        self.instant: list[Callable[[], None]] = []
        self.overwritten: list[tuple[str, str, Cell | Formula]] = []
        self.hit: dict[tuple[str, str], Cell | Formula] = {}

    # What the engine calls

    def revision(self, tab: str) -> str | None:
        return self.google.revision(tab)

    def read(self, tab: str) -> Table | None:
        return self.google.read(tab)

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        return self.google.create(tab, columns)

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        return self.google.add_columns(table, columns)

    def landed(self, tab: str, stamp: str) -> bool | None:
        return self.google.landed(tab, stamp)

    def mend(self, tab: str, stamp: str, kept: bytes, keep: Callable[[bytes], None]) -> Sequence[Refused]:
        before = self.calls.write
        try:
            return self.google.mend(tab, stamp, kept, keep)
        finally:
            self.mends += self.calls.write - before

    def write(
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        if not changes:
            return
        while self.meanwhile:
            self.meanwhile.pop(0)()
        fault, self.fault = self.fault, ""
        self._at_the_next_batch(self.instant)
        self.instant = []
        if fault in ("answer", "line", "second"):
            self.fake.fail(path=":batchUpdate", drop=True, skip=int(fault == "second"))
        if fault in ("line", "second"):  # a look, a batch; with another batch a reading more
            self.fake.fail(path="/v4/", drop=True, skip=1 if fault == "line" else 3, times=ATTEMPTS)
        stood = self._standing(table.tab)

        def ready(batch: Batch) -> None:
            before(batch)
            if fault == "before":
                raise Killed

        def done(batch: Batch) -> None:
            self._compare(table.tab, stood)
            if fault == "landed":
                raise Killed
            after(batch)

        try:
            self.google.write(table, changes, ready, done)
        except TryLater:
            now = self._standing(table.tab)
            self.hit |= {cell: value for cell, value in stood.items() if not same(now.get(cell), value)}
            raise
        finally:
            self.fake.meanwhile.clear()
            self.fake.faults.clear()

    def _at_the_next_batch(self, acts: Sequence[Callable[[], None]]) -> None:
        if acts:

            def act() -> None:
                acts[0]()
                self._at_the_next_batch(acts[1:])

            self.fake.meanwhile = [(":batchUpdate", act)]

    def _standing(self, tab: str) -> dict[tuple[str, str], Cell | Formula]:
        grid = self.tabs.get(tab, Grid())  # they may have renamed it
        headers = {column.ref: column.header for column in grid.columns}
        return {(line.id, headers[ref]): value for line in grid.lines for ref, value in line.cells.items()}

    def _compare(self, tab: str, stood: dict[tuple[str, str], Cell | Formula]) -> None:
        now, keys = self._standing(tab), {line.id: line.key for line in self.tabs.get(tab, Grid()).lines}
        for (row, header), value in stood.items():
            if not same(now.get((row, header)), value) and keys.get(row):
                self.overwritten.append((str(keys[row]), header, value))

    # What stands in the fake

    @property
    def tabs(self) -> dict[str, Grid]:  # type: ignore[override]  # read anew each time
        return {tab.title: self._grid(tab) for tab in self.fake.document.tabs if tab.title != "Feuille 1"}

    def _tab(self, title: str) -> GridTab:
        return self.fake.document.tab(title)

    def _grid(self, tab: GridTab) -> Grid:
        named = {column: text(tab.rows[0].cells.get(column)) for column in tab.columns}
        tags = {entry.at: entry.value for entry in self.fake.document.metadata if entry.key == "filrouge-column"}
        ours = next((column for column, header in named.items() if header == "Fil rouge"), None)
        columns = [Column(str(c.number), h, tags.get(c)) for c, h in named.items() if h and c is not ours]
        refs = {column: str(column.number) for column, header in named.items() if header and column is not ours}
        lines = []
        for row in tab.rows[1:]:
            cells = {ref: value_of(row.cells[column]) for column, ref in refs.items() if column in row.cells}
            cells = {ref: value for ref, value in cells.items() if value is not None}
            key = text(row.cells.get(ours)) if ours else ""
            if cells or key:
                lines.append(Line(str(row.number), key or None, cells))
        return Grid(columns, lines)

    def _row(self, tab: str, line: Line) -> int:
        return next(i for i, row in enumerate(self._tab(tab).rows) if str(row.number) == line.id)

    def _column(self, tab: str, header: str) -> int:
        ref = self.column(tab, header).ref
        return next(i for i, column in enumerate(self._tab(tab).columns) if str(column.number) == ref)

    def _put(self, tab: GridTab, row: int, column: int, value: Cell | Formula) -> None:
        result = {"numberValue": value.value} if isinstance(value, Formula) else None
        self.fake.document.put(tab, row, column, {**EMPTY, **cell_data(value, formatted=True), "result": result})
        if result:
            tab.rows[row].cells[tab.columns[column]]["result"] = result

    # What the team does

    def start(self, tab: str, headers: Sequence[str], rows: Sequence[dict[str, Cell | Formula]] = ()) -> None:
        made = GridTab.sized(4242, tab, 1 + len(rows), len(headers) + 1)
        self.fake.document.tabs.append(made)
        for place, header in enumerate(headers):
            self._put(made, 0, place, header)
        for row in rows:
            self.type_row(tab, row)

    def type_row(self, tab: str, cells: dict[str, Cell | Formula], at: int | None = None) -> None:
        lines, grid = self.tabs[tab].lines, self._tab(tab)
        inner = at is not None and at < len(lines)
        place = self._row(tab, lines[at or 0]) if inner else self._row(tab, lines[-1]) + 1 if lines else 1
        grid.rows.insert(place, Dimension())
        for header, value in cells.items():
            self._put(grid, place, self._column(tab, header), value)

    def type_cell(self, tab: str, line: Line, header: str, value: Cell | Formula) -> None:
        self.is_there_again(line, header, value)
        self.hit.pop((line.id, header), None)
        self._put(self._tab(tab), self._row(tab, line), self._column(tab, header), value)

    def sort(self, tab: str, header: str, *, reverse: bool = False) -> None:
        ref, grid = self.column(tab, header).ref, self._tab(tab)
        lines = sorted(self.tabs[tab].lines, key=lambda line: str(line.cells.get(ref) or ""), reverse=reverse)
        rows = {str(row.number): row for row in grid.rows}
        first = [rows[line.id] for line in lines]
        grid.rows[1:] = [*first, *(row for row in grid.rows[1:] if row not in first)]

    def delete(self, tab: str, line: Line) -> None:
        del self._tab(tab).rows[self._row(tab, line)]
        self.fake.document.forget_gone()

    def copy_row(self, tab: str, line: Line) -> Line:
        grid = self._tab(tab)
        copy = Dimension(cells={column: dict(cell) for column, cell in grid.rows[self._row(tab, line)].cells.items()})
        grid.rows.insert(self._row(tab, self.tabs[tab].lines[-1]) + 1, copy)
        return next(one for one in self.tabs[tab].lines if one.id == str(copy.number))

    def rename(self, tab: str, header: str, new: str) -> None:
        self.hit = {(row, new if name == header else name): value for (row, name), value in self.hit.items()}
        self._put(self._tab(tab), 0, self._column(tab, header), new)

    def move_column(self, tab: str, header: str, to: int) -> None:
        columns = self._tab(tab).columns
        columns.insert(to, columns.pop(self._column(tab, header)))

    def remove_column(self, tab: str, header: str) -> None:
        del self._tab(tab).columns[self._column(tab, header)]
        self.fake.document.forget_gone()

    def add_column(self, tab: str, header: str) -> None:
        grid = self._tab(tab)
        grid.columns.append(Dimension())
        self._put(grid, 0, len(grid.columns) - 1, header)

    def remove_tab(self, tab: str) -> None:
        self.fake.document.tabs.remove(self._tab(tab))
        self.fake.document.forget_gone()


def text(cell: dict[str, Any] | None) -> str:
    return str((cell or {}).get("userEnteredValue", {}).get("stringValue", ""))


def value_of(cell: dict[str, Any]) -> Cell | Formula:
    """What a person sees in a cell."""
    value = cell.get("userEnteredValue", {})
    if "formulaValue" in value:
        return Formula(value["formulaValue"], cell.get("result", {}).get("numberValue"))
    if "numberValue" in value and cell.get("userEnteredFormat", {}).get("numberFormat", {}).get("type") == "DATE":
        return date(1899, 12, 30) + timedelta(days=int(value["numberValue"]))
    return next(iter(value.values()), None)
