"""Which row holds the headers, and which columns a tab has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from connectors.sheets.headers import Cells, guess_row, header_text, is_key, row_with_key
from connectors.sheets.sheet import Cell, Column, Formula, Row, Table
from connectors.sheets.xlsx.book import TablePart
from connectors.sheets.xlsx.markup import attributes
from connectors.sheets.xlsx.names import marks, renamed
from connectors.sheets.xlsx.places import area, letters
from connectors.sheets.xlsx.reading import Worksheet

_SAMPLE = 60


@dataclass(frozen=True)
class Layout:
    """`header_row` is 0 in a tab with nothing in it. `headers` by column number, our key column among them."""

    header_row: int
    headers: dict[int, str]
    table: TablePart | None = None

    @cached_property
    def key_column(self) -> int | None:
        return next((column for column, header in self.headers.items() if is_key(header)), None)

    @cached_property
    def named(self) -> dict[int, str]:
        return {column: header for column, header in self.headers.items() if column != self.key_column}


def find_layout(sheet: Worksheet) -> Layout:
    """The headers of a tab: those of its table, of its filter, or the first of 20 rows that looks like headers."""
    sample = [(row, cells) for row, cells in sheet.rows(last=max(_SAMPLE, _hinted(sheet) or 0)) if cells]
    tables = [table for table in sheet.book.tables(sheet.part) if table.headers]
    found = (
        row_with_key(sample)
        or (tables[0].area.top if tables else None)
        or _filtered(sheet, sample)
        or guess_row(sample)
    )
    if not found:
        return Layout(0, {})
    headers = {column: header_text(value) for column, value in dict(sample).get(found, [])}
    table = next((table for table in tables if table.area.top == found), None)
    return Layout(found, {column: header for column, header in headers.items() if header}, table)


def read_table(sheet: Worksheet, tab: str) -> Table:
    """The tab as the engine sees it: columns by letter, rows by number."""
    layout = find_layout(sheet)
    found = marks(sheet.book.root, sheet.book.tab(sheet.part))
    tags = renamed(found, layout.header_row, layout.named) if found else {}
    columns = [Column(letters(column), header, tags.get(column)) for column, header in layout.named.items()]
    places = {column: position for position, column in enumerate(layout.named)}
    key, width, rows = layout.key_column, len(places), []
    for number, cells in sheet.rows(layout.header_row + 1) if layout.header_row else ():
        values: list[Cell | Formula] = [None] * width
        key_value: str | None = None
        filled = False
        for column, value in cells:
            if column in places:
                values[places[column]], filled = value, True
            elif column == key:
                key_value, filled = header_text(value) or None, True
        if filled and not _is_total(layout, number):
            rows.append(Row(str(number), key_value, values))
    return Table(tab, columns, rows, sheet.book.sha)


def _is_total(layout: Layout, row: int) -> bool:
    table = layout.table
    return table is not None and table.totals > 0 and table.area.bottom - table.totals < row <= table.area.bottom


def _hinted(sheet: Worksheet) -> int | None:
    return max((table.area.top for table in sheet.book.tables(sheet.part)), default=None)


def _filtered(sheet: Worksheet, sample: list[tuple[int, Cells]]) -> int | None:
    match = sheet.tag(b"autoFilter").search(sheet.xml, sheet.body_end)
    place = area(attributes(match[1]).get("ref", "")) if match else None
    return place.top if place is not None and place.top in dict(sample) else None
