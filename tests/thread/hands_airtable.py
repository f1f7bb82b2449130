"""The team at its Airtable base, in the records of the fake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

import pytest

from connectors.sheets.sheet import Cell, Formula
from tests.fakes.airtable import FakeAirtable
from tests.fakes.airtable_fields import COMPUTED, Refusal
from tests.fakes.airtable_team import Grid
from tests.fakes.server import Request
from tests.thread.hands import TAB, Team


class AirtableTeam(Team):
    kind = "airtable"
    colours, single_formulas = False, False
    TYPES: ClassVar[dict[str, str]] = {
        "Courriel": "email", "Tél.": "phoneNumber", "Nb venues": "number", "Remarques": "multilineText",
    }  # fmt: skip

    def __init__(self, world: FakeAirtable) -> None:
        self.world = world

    @property
    def grid(self) -> Grid:
        return self.world.grid(TAB)

    def start(self, headers: Sequence[str], rows: Sequence[Mapping[str, Cell | Formula]]) -> None:
        self.world.table(TAB, {header: self.TYPES.get(header, "singleLineText") for header in headers})
        for header in headers:
            if any(isinstance(row.get(header), Formula) for row in rows):
                self.world.make_formula(self.grid, header, "DATETIME_DIFF(TODAY(), {Depuis}, 'days')", 1000)
        for row in rows:
            line = self.new_line()
            self.lines = [*self.lines, line]
            for header, value in row.items():
                self.put(line, self.column(header), value)

    @property
    def columns(self) -> list[Any]:
        return list(self.grid.fields)

    @columns.setter
    def columns(self, columns: list[Any]) -> None:
        for gone in [one for one in self.grid.fields if one not in columns]:
            self.world.remove_field(self.grid, gone["name"])
        self.grid.fields[:] = columns

    @property
    def lines(self) -> list[Any]:
        return list(self.grid.order)

    @lines.setter
    def lines(self, lines: list[Any]) -> None:
        for gone in set(self.grid.order) - set(lines):
            self.world.delete(self.grid, gone)
        self.grid.order[:] = lines

    def header(self, column: dict[str, Any]) -> str:
        return str(column["name"])

    def get(self, line: str, column: dict[str, Any]) -> Cell | Formula:
        if column["type"] in COMPUTED:
            return Formula(column["options"]["formula"])
        value = self.grid.records[line]["fields"].get(column["id"])
        return date.fromisoformat(value) if value and column["type"] == "date" else value

    def put(self, line: str, column: dict[str, Any], value: Cell | Formula) -> None:
        if isinstance(value, Formula):
            return
        typed: Any = value
        if isinstance(value, date) or (column["type"] in ("singleLineText", "phoneNumber") and value is not None):
            typed = str(value)
        try:
            self.world.type_cell(self.grid, line, column["name"], typed)
        except Refusal:
            return

    def new_column(self, header: str, *, formula: bool) -> dict[str, Any]:
        made = self.world.add_field(self.grid, header, "singleLineText")
        if formula:
            self.world.make_formula(self.grid, header, "LEN({Nom})", 7)
        self.grid.fields.remove(made)
        return made

    def new_line(self) -> str:
        made = str(self.world._new_record(self.grid)["id"])
        self.grid.order.remove(made)
        return made

    def rename(self, header: str, new: str) -> None:
        self.column(header)["name"] = new

    def between_two_calls(self, act: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
        todo = [act]

        def before(request: Request) -> None:
            if "filterByFormula" in request.raw_query and todo:
                todo.pop()()

        self.world.before = before

    def lose_an_answer(self) -> None:
        self.world.fail(method="PATCH", drop=True)
