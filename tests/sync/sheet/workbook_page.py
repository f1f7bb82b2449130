"""One tab of a workbook while a program has it open: its columns and rows may move, each cell with its dress."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table

from connectors.sheets.sheet import KEY_HEADER, Cell, Formula

_HEADER_CELL = re.compile(r"(.*!)\$([A-Z]+)\$([0-9]+)")


@dataclass(eq=False)
class Head:
    """A column, by its header; "" where it has none."""

    header: str
    style: Any = None
    comment: Any = None


@dataclass(frozen=True)
class Content:
    value: Any
    type: str
    style: Any


@dataclass(eq=False)
class Row:
    """`id` stays with it wherever it goes."""

    id: str
    cells: dict[Head, Content] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return all(content.value is None for content in self.cells.values())

    def value(self, head: Head) -> Cell | Formula:
        content = self.cells.get(head)
        if content is None or content.value is None:
            return None
        if content.type == "f":
            return Formula(content.value)
        value: Cell = content.value
        return value.date() if isinstance(value, datetime) and value.time() == time() else value

    def put(self, head: Head, value: Cell | Formula) -> None:
        style = self.cells[head].style if head in self.cells else None
        if isinstance(value, Formula):
            self.cells[head] = Content(value.text, "f", style)
        else:
            self.cells[head] = Content(value, "s" if isinstance(value, str) else "", style)


def filled(sheet: Any, last: int | None = None) -> dict[str, Any]:
    """Every cell that holds something, by its place."""
    return {
        cell.coordinate: cell.value for row in sheet.iter_rows(max_row=last) for cell in row if cell.value is not None
    }


class Page:
    """Read from a sheet of openpyxl; `lay_out` writes it back there. `ids` are those of the rows below the headers, as far
    as somebody saw them; `new_id` names the others.
    """

    def __init__(self, sheet: Any, ids: list[str], new_id: Callable[[], str]) -> None:
        self.sheet, self.new_id = sheet, new_id
        rows = list(sheet.iter_rows())
        self.top = next((i for i, row in enumerate(rows) if len([c for c in row if c.value is not None]) > 1), 0)
        headers, *below = rows[self.top :] or [()]
        self.heads = [Head(str(cell.value or ""), cell._style, cell.comment) for cell in headers]
        ids += [new_id() for _ in below[len(ids) :]]
        self.rows = [
            Row(id_, {head: Content(c.value, c.data_type, c._style) for head, c in zip(self.heads, cells, strict=True)})
            for id_, cells in zip(ids, below, strict=False)
        ]
        self._was = list(self.heads)

    def above(self) -> dict[str, Any]:
        """What stands above the headers."""
        return filled(self.sheet, self.top) if self.top else {}

    def keys(self) -> dict[int, Cell | Formula]:
        """What our key column holds, by the number of the row."""
        return {place: row.value(self.head(KEY_HEADER)) for place, row in enumerate(self.rows, self.top + 2)}

    def head(self, header: str) -> Head:
        return next(head for head in self.heads if head.header == header)

    def row(self, id_: str) -> Row:
        return self.rows[self.place(id_)]

    def place(self, id_: str) -> int:
        return next(place for place, row in enumerate(self.rows) if row.id == id_)

    def insert(self, place: int) -> Row:
        row = Row(self.new_id())
        self.rows.insert(place, row)
        return row

    def lay_out(self, program: str) -> None:
        """Everything from the headers down, where it stands now."""
        cells = self.sheet._cells
        for head, cell in zip(self._was, self.sheet[self.top + 1], strict=True):
            cell.comment = None
            head.style = cell._style
        self.sheet._cells = {place: cell for place, cell in cells.items() if place[0] <= self.top}
        while self.rows and self.rows[-1].empty:
            self.rows.pop()
        table = next(iter(self.sheet.tables.values()), None)
        for place, head in enumerate(self.heads, 1):
            if table and not head.header:
                head.header = f"Colonne{place} ({self.new_id()})"
            self._write(1, place, Content(head.header or None, "s", head.style)).comment = head.comment
        for line, row in enumerate(self.rows, 2):
            for place, head in enumerate(self.heads, 1):
                if head in row.cells:
                    self._write(line, place, row.cells[head])
        self._names(program)
        if table:
            self.dress("table")
        elif self.sheet.auto_filter.ref:
            self.dress("filter")

    def _write(self, line: int, place: int, content: Content) -> Any:
        cell = self.sheet.cell(self.top + line, place)
        if content.style is not None:
            cell._style = content.style
        cell.value = content.value
        if content.type == "s" and content.value is not None:
            cell.data_type = "s"  # also a text that looks like a formula
        return cell

    def dress(self, dress: str) -> None:
        """The filter or the table reaches all columns and rows."""
        ref = f"A{self.top + 1}:{get_column_letter(len(self.heads))}{self.top + 1 + max(1, len(self.rows))}"
        if dress == "filter":
            self.sheet.auto_filter.ref = ref
        elif dress == "table":
            self.sheet.tables.clear()
            self.sheet.add_table(Table(displayName="Public", ref=ref))

    def _names(self, program: str) -> None:
        """Our marks on the columns, as this program keeps them."""
        names = self.sheet.defined_names
        for name in [name for name in names if name.startswith("_filrouge.")]:
            match = _HEADER_CELL.fullmatch(names[name].attr_text)
            if program == "google":
                del names[name]
            elif match and program != "openpyxl":
                head = next((h for i, h in enumerate(self._was, 1) if get_column_letter(i) == match[2]), None)
                there = head in self.heads
                letter = get_column_letter(self.heads.index(head) + 1) if there and head else ""
                names[name].attr_text = f"{match[1]}${letter}${match[3]}" if there else f"{match[1]}#REF!"
                if program == "libreoffice":
                    names[name].comment = names[name].hidden = None
