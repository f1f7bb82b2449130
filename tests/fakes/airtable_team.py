"""A base's tables, and a team at work in them: it types, copies, deletes, renames, as people do in the browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.airtable_fields import COMPUTED, Refusal, taken

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass
class Grid:
    """A table. `records` by id; `order` is the view's order, which only a request with `view` gets."""

    id: str
    name: str
    fields: list[dict[str, Any]]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    view: str = "Grid view"

    def field(self, name: str) -> dict[str, Any]:
        found = next((one for one in self.fields if name in (one["id"], one["name"])), None)
        if found is None:
            raise Refusal(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')
        return found


class Team:
    """The tables by id, and what people do to them; every act moves the clock by a millisecond."""

    def __init__(self) -> None:
        self.grids: dict[str, Grid] = {}
        self.now = START
        self._ids = 0

    def grid(self, name: str) -> Grid:
        return next(grid for grid in self.grids.values() if grid.name == name)

    def table(self, name: str, fields: dict[str, str], rows: list[dict[str, Any]] | None = None) -> Grid:
        """A table that the team has had for years: type by field name."""
        grid = Grid(self._id("tbl"), name, [])
        for header, kind in fields.items():
            self.add_field(grid, header, kind)
        self.grids[grid.id] = grid
        for row in rows or []:
            self.type_row(grid, row)
        return grid

    def add_field(self, grid: Grid, name: str, kind: str, **options: Any) -> dict[str, Any]:
        made: dict[str, Any] = {"id": self._id("fld"), "name": name, "type": kind}
        if options:
            made["options"] = options
        grid.fields.append(made)
        return made

    def type_row(self, grid: Grid, cells: dict[str, Any]) -> str:
        record = self._new_record(grid)
        for name, value in cells.items():
            self.type_cell(grid, record["id"], name, value)
        return str(record["id"])

    def type_cell(self, grid: Grid, record: str, name: str, value: Any) -> None:
        """A person types; what the field can't hold, Airtable does not take."""
        of = grid.field(name)
        if of["type"] not in COMPUTED:
            grid.records[record]["fields"][of["id"]] = taken(of, value, typecast=True)
            grid.records[record]["lastModifiedTime"] = self._tick()

    def make_formula(self, grid: Grid, name: str, formula: str, value: Any) -> None:
        """A field becomes a formula: what stood in it is gone, as in Airtable."""
        of = grid.field(name)
        of.update(
            type="formula", options={"formula": formula, "isValid": True, "result": {"type": "number"}}, _value=value
        )
        for record in grid.records.values():
            record["fields"].pop(of["id"], None)

    def copy_row(self, grid: Grid, record: str) -> str:
        copy = self._new_record(grid)
        copy["fields"] = dict(grid.records[record]["fields"])
        return str(copy["id"])

    def delete(self, grid: Grid, record: str) -> None:
        del grid.records[record]
        grid.order.remove(record)

    def remove_field(self, grid: Grid, name: str) -> None:
        of = grid.field(name)
        grid.fields.remove(of)
        for record in grid.records.values():
            record["fields"].pop(of["id"], None)

    def _new_record(self, grid: Grid) -> dict[str, Any]:
        at = self._tick()
        record: dict[str, Any] = {"id": self._id("rec"), "createdTime": at, "lastModifiedTime": at, "fields": {}}
        grid.records[record["id"]] = record
        grid.order.append(record["id"])
        return record

    def _tick(self) -> str:
        self.now += timedelta(milliseconds=1)
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}{self._ids:014d}"
