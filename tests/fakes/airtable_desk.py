"""Our Airtable client on the fake base, with the team at its keyboard in the words of `MemorySheet`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import ClassVar

from connectors.sheets.airtable import Airtable, AirtableSettings
from connectors.sheets.airtables.fields import LOT_HEADER
from connectors.sheets.sheet import KEY_HEADER, Batch, Cell, Changes, Column, Formula, NewColumn, Table
from connectors.source import Setting
from tests.fakes.airtable import BASE, TOKEN, Clock, FakeAirtable
from tests.fakes.airtable_team import Grid as Base
from tests.fakes.memory_sheet import Grid, Killed, Line, MemorySheet
from tests.fakes.server import Request

OURS = (KEY_HEADER, LOT_HEADER)


class AirtableDesk(MemorySheet):
    """`fault` and `meanwhile` as in `MemorySheet` (`landed`: after the last batch); a lost answer is lost on the line, and our client has to find out."""

    service: ClassVar[str] = "airtable"
    looks_again: ClassVar[bool] = True

    def __init__(self, world: FakeAirtable) -> None:  # the world is elsewhere
        self.world = world
        settings = AirtableSettings.model_validate({"base": BASE, "token": TOKEN, "endpoint": world.url})
        self.ours = Airtable(settings, Setting("sheet", Path(), sleep=(world.clock or Clock()).sleep))
        self.calls = self.ours.calls
        self.fault, self.meanwhile, self.overwritten, self.incomplete = "", [], [], False
        world.grids.clear()
        world.faults.clear()
        world.before = self._note_overwritten

    @property
    def tabs(self) -> dict[str, Grid]:  # type: ignore[override]  # as it stands now
        return {grid.name: self._seen(grid) for grid in self.world.grids.values()}

    def _seen(self, grid: Base) -> Grid:
        columns = [Column(of["id"], of["name"]) for of in grid.fields if of["name"] not in OURS]
        return Grid(columns, [self._line(grid, record) for record in grid.order])

    def _line(self, grid: Base, record: str) -> Line:
        said = grid.records[record]["fields"]
        kinds = {of["id"]: of["type"] for of in grid.fields}
        key = next((said.get(of["id"]) for of in grid.fields if of["name"] == KEY_HEADER), None)
        cells: dict[str, Cell | Formula] = {
            name: date.fromisoformat(value) if kinds[name] == "date" and value else value
            for name, value in said.items()
        }
        return Line(record, key, cells)

    # What the engine calls

    def check(self, tab: str) -> Sequence[str]:
        return self.ours.check(tab)

    def revision(self, tab: str) -> str | None:
        return self.ours.revision(tab)

    def read(self, tab: str) -> Table | None:
        return self.ours.read(tab)

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        return self.ours.create(tab, columns)

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        return self.ours.add_columns(table, columns)

    def landed(self, tab: str, stamp: str) -> bool | None:
        return self.ours.landed(tab, stamp)

    def write(
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        while self.meanwhile:
            self.meanwhile.pop(0)()
        fault, self.fault = self.fault, ""
        batches: list[Batch] = []
        rows = {*(key.row for key in changes.keys), *(cell.row for cell in changes.cells)}
        last = -(-len(rows) // 10) + -(-len(changes.rows) // 10)

        def killed_before(batch: Batch) -> None:
            if fault == "chunk" and batches:
                raise Killed
            before(batch)
            batches.append(batch)
            if fault == "before":
                raise Killed

        def killed_after(batch: Batch) -> None:
            if fault == "landed" and len(batches) == last:
                raise Killed
            after(batch)

        if fault == "answer":
            self.world.fail(method="PATCH", drop=True)
            self.world.fail(method="POST", path=f"/v0/{BASE}", drop=True)
        self.ours.write(table, changes, killed_before, killed_after)
        self.world.faults.clear()

    def _note_overwritten(self, request: Request) -> None:
        """What stood in the cells that a PATCH is about to change."""
        if request.method != "PATCH" or "/meta/" in request.path:
            return
        grid = next(grid for grid in self.world.grids.values() if grid.id == request.path.split("/")[-1])
        names = {of["id"]: of["name"] for of in grid.fields}
        for asked in request.json()["records"]:
            line = self._line(grid, asked["id"])
            stood = {name: line.cells.get(name) for name in asked["fields"] if names[name] not in OURS}
            self.overwritten += [(str(line.key), names[n], cell) for n, cell in stood.items() if cell not in {None, ""}]

    # What the team does

    def save(self, tab: str) -> None:
        """Airtable keeps everything at once."""

    def start(self, tab: str, headers: Sequence[str], rows: Sequence[dict[str, Cell | Formula]] = ()) -> None:
        self.world.table(tab, dict.fromkeys(headers, "singleLineText"))
        for row in rows:
            self.type_row(tab, row)

    def type_row(self, tab: str, cells: dict[str, Cell | Formula], at: int | None = None) -> None:
        grid = self.world.grid(tab)
        record = self.world.type_row(grid, {})
        grid.order.insert(len(grid.order) if at is None else at, grid.order.pop())
        for header, value in cells.items():
            self.type_cell(tab, self._line(grid, record), header, value)

    def type_cell(self, tab: str, line: Line, header: str, value: Cell | Formula) -> None:
        """What does not go into a field, Airtable does not take; there are no formulas in single cells."""
        grid = self.world.grid(tab)
        kind = grid.field(header)["type"]
        typed: object = value
        if kind == "singleLineText" and value is not None:
            typed = "oui" if value is True else None if value is False else str(value)
        elif isinstance(value, date):
            typed = value.isoformat()
        fits = value is None or kind == "singleLineText" or (kind == "date") == isinstance(value, date)
        if fits and not isinstance(value, Formula) and not (kind == "number" and isinstance(value, str | date)):
            self.world.type_cell(grid, line.id, header, typed)

    def sort(self, tab: str, header: str, *, reverse: bool = False) -> None:
        """A view is sorted; a reading by the API does not see it."""
        grid, ref = self.world.grid(tab), self.column(tab, header).ref
        grid.order.sort(key=lambda one: str(grid.records[one]["fields"].get(ref) or ""), reverse=reverse)

    def delete(self, tab: str, line: Line) -> None:
        self.world.delete(self.world.grid(tab), line.id)

    def copy_row(self, tab: str, line: Line) -> Line:
        grid = self.world.grid(tab)
        return self._line(grid, self.world.copy_row(grid, line.id))

    def rename(self, tab: str, header: str, new: str) -> None:
        self.world.grid(tab).field(header)["name"] = new

    def move_column(self, tab: str, header: str, to: int) -> None:
        fields = self.world.grid(tab).fields
        fields.insert(to, fields.pop(fields.index(self.world.grid(tab).field(header))))

    def remove_column(self, tab: str, header: str) -> None:
        self.world.remove_field(self.world.grid(tab), header)

    def add_column(self, tab: str, header: str) -> None:
        self.world.add_field(self.world.grid(tab), header, "singleLineText")

    def remove_tab(self, tab: str) -> None:
        del self.world.grids[self.world.grid(tab).id]
