"""The team at a workbook: opened, laid out anew and saved by openpyxl, as another program would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import PatternFill

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Cell, Formula
from tests.thread.hands import TAB, TITLE, Team
from tests.thread.messy import NUMBER


class Named:
    """A column of a workbook while it is open."""

    def __init__(self, header: str) -> None:
        self.header = header


class ExcelTeam(Team):
    kind = "excel"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.book: openpyxl.Workbook | None = None
        self._columns: list[Named] = []
        self._lines: list[dict[Named, tuple[Any, Any]]] = []

    def start(self, headers: Sequence[str], rows: Sequence[Mapping[str, Cell | Formula]]) -> None:
        book = openpyxl.Workbook()
        sheet: Any = book.active
        sheet.title = TAB
        sheet["A1"] = TITLE
        for place, header in enumerate(headers, 1):
            sheet.cell(3, place, header)
        for number, row in enumerate(rows, 4):
            for place, header in enumerate(headers, 1):
                if header in row:
                    sheet.cell(number, place, _typed(row[header]))
        book.save(self.file)

    def _open(self) -> None:
        if self.book is not None:
            return
        self.book = openpyxl.load_workbook(self.file)
        grid: Any = self.book[TAB]
        headers, *lines = grid.iter_rows(min_row=3)
        self._columns = [Named(str(cell.value or "")) for cell in headers]
        self._lines = [
            {column: (cell.value, cell._style) for column, cell in zip(self._columns, line, strict=True)}
            for line in lines
        ]

    def save(self) -> None:
        """All of it is laid out anew below the title, each cell with its dress."""
        if self.book is None:
            return
        sheet: Any = self.book[TAB]
        header_style = sheet.cell(3, 1)._style
        sheet.delete_rows(3, sheet.max_row)
        for place, column in enumerate(self._columns, 1):
            sheet.cell(3, place, column.header or None)._style = header_style
        for number, line in enumerate(self._lines, 4):
            for place, column in enumerate(self._columns, 1):
                value, style = line.get(column, (None, None))
                if value is not None or style is not None:
                    cell: Any = sheet.cell(number, place, value)
                    cell._style = cell._style if style is None else style
        self.book.save(self.file)
        self.forget()

    def forget(self) -> None:
        self.book = None

    @property
    def columns(self) -> list[Any]:
        self._open()
        return list(self._columns)

    @columns.setter
    def columns(self, columns: list[Any]) -> None:
        self._columns = columns

    @property
    def lines(self) -> list[Any]:
        self._open()
        return list(self._lines)

    @lines.setter
    def lines(self, lines: list[Any]) -> None:
        self._lines = lines

    def line(self, row: str) -> Any:
        self._open()
        return super().line(row)

    def header(self, column: Named) -> str:
        return column.header

    def get(self, line: Any, column: Named) -> Cell | Formula:
        value = line.get(column, (None, None))[0]
        return Formula(value) if isinstance(value, str) and value.startswith("=") else value

    def put(self, line: Any, column: Named, value: Cell | Formula) -> None:
        line[column] = (_typed(value), line.get(column, (None, None))[1])

    def delete_row(self, row: str) -> None:
        gone = self.line(row)
        self.lines = [line for line in self.lines if line is not gone]

    def new_column(self, header: str, *, formula: bool) -> Named:
        return Named(header)

    def new_line(self) -> Any:
        return {}

    def rename(self, header: str, new: str) -> None:
        self.column(header).header = new

    def colour(self, row: str) -> None:
        line, column = self.line(row), self.column(NUMBER)
        assert self.book is not None
        place: Any = self.book[TAB].cell(1, 50)
        place.fill = PatternFill("solid", fgColor="FFFF00")
        line[column] = (line[column][0], place._style)

    def coloured(self) -> set[str]:
        self._open()
        assert self.book is not None
        cells = (cell for line in self.book[TAB].iter_rows(min_row=4) for cell in line)
        return {str(cell.value) for cell in cells if cell.fill.fgColor.rgb == "00FFFF00" and cell.value}

    def leave_open(self, *, opened: bool) -> None:
        lock = self.file.with_name(f"~${self.file.name}")
        if opened:
            lock.write_bytes(b"\x05Marie".ljust(165, b" "))
        else:
            lock.unlink()

    def between_two_calls(self, act: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
        real, todo = Excel.write, [act]

        def write(sheet: Excel, *args: Any) -> None:
            while todo:
                self.forget()
                todo.pop()()
                self.save()
            real(sheet, *args)

        patch.setattr(Excel, "write", write)


def _typed(value: Cell | Formula) -> Any:
    return value.text if isinstance(value, Formula) else value
