"""The team at its Google spreadsheet, in the grid of the fake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.sheets.sheet import Cell, Formula
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grid import Dimension, GridTab
from tests.thread.hands import TAB, TITLE, Team
from tests.thread.messy import NUMBER

EPOCH = date(1899, 12, 30)


class GoogleTeam(Team):
    kind = "google"

    def __init__(self, fake: FakeGoogle) -> None:
        self.fake = fake

    @property
    def tab(self) -> GridTab:
        return self.fake.document.tab(TAB)

    def start(self, headers: Sequence[str], rows: Sequence[Mapping[str, Cell | Formula]]) -> None:
        tab = GridTab.sized(4242, TAB, 3 + len(rows), len(headers) + 3)
        self.fake.document.tabs.append(tab)
        self.put(tab.rows[0], tab.columns[0], TITLE)
        for column, header in zip(tab.columns, headers, strict=False):
            self.put(tab.rows[2], column, header)
            for line, row in zip(tab.rows[3:], rows, strict=True):
                self.put(line, column, row.get(header))

    @property
    def columns(self) -> list[Any]:
        return list(self.tab.columns)

    @columns.setter
    def columns(self, columns: list[Any]) -> None:
        self.tab.columns[:] = columns
        self.fake.document.forget_gone()

    @property
    def lines(self) -> list[Any]:
        return list(self.tab.rows[3:])

    @lines.setter
    def lines(self, lines: list[Any]) -> None:
        self.tab.rows[3:] = lines
        self.fake.document.forget_gone()

    def header(self, column: Dimension) -> str:
        return str(self.get(self.tab.rows[2], column) or "")

    def get(self, line: Dimension, column: Dimension) -> Cell | Formula:
        cell = line.cells.get(column, {})
        value = cell.get("userEnteredValue", {})
        if "formulaValue" in value:
            return Formula(value["formulaValue"])
        shape = cell.get("userEnteredFormat", {}).get("numberFormat", {}).get("type")
        if shape == "DATE" and "numberValue" in value:
            return EPOCH + timedelta(days=int(value["numberValue"]))
        return next(iter(value.values()), None)

    def put(self, line: Dimension, column: Dimension, value: Cell | Formula) -> None:
        cell = {name: part for name, part in line.cells.get(column, {}).items() if name == "userEnteredFormat"}
        if isinstance(value, Formula):
            cell |= {"userEnteredValue": {"formulaValue": value.text}, "result": {"numberValue": 1000}}
        elif isinstance(value, date):
            dated = {"numberFormat": {"type": "DATE", "pattern": "dd/mm/yyyy"}}
            cell |= {"userEnteredValue": {"numberValue": (value - EPOCH).days}, "userEnteredFormat": dated}
        elif isinstance(value, int | float):
            cell |= {"userEnteredValue": {"numberValue": value}}
        elif value:
            cell |= {"userEnteredValue": {"stringValue": value}}
        line.cells.pop(column, None)
        if cell:
            line.cells[column] = cell

    def new_column(self, header: str, *, formula: bool) -> Dimension:
        made = Dimension()
        self.put(self.tab.rows[2], made, header)
        return made

    def new_line(self) -> Dimension:
        return Dimension()

    def rename(self, header: str, new: str) -> None:
        self.put(self.tab.rows[2], self.column(header), new)

    def colour(self, row: str) -> None:
        cell = self.line(row).cells[self.column(NUMBER)]
        cell["userEnteredFormat"] = {"backgroundColor": {"red": 1, "green": 1}}

    def coloured(self) -> set[str]:
        column = self.column(NUMBER)
        cells = (line.cells.get(column, {}) for line in self.lines)
        return {
            one["userEnteredValue"]["stringValue"]
            for one in cells
            if "backgroundColor" in one.get("userEnteredFormat", {})
        }

    def between_two_calls(self, act: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
        self.fake.meanwhile = [(":batchUpdate", act)]

    def lose_an_answer(self) -> None:
        self.fake.fail(path=":batchUpdate", drop=True)
