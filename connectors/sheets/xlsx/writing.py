"""From wanted changes to the new parts of a workbook."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any

from connectors.sheets.sheet import KEY_HEADER, Cell, CellWrite, Changes, Formula, KeyWrite, NewColumn, NewRow, Refused
from connectors.sheets.xlsx import names
from connectors.sheets.xlsx.book import Book, recalculate
from connectors.sheets.xlsx.columns import Look, column_styles, grown_table, shown, wider_filter
from connectors.sheets.xlsx.editing import NewCell, RowEdit, edited, grown_dimension, grown_ranges
from connectors.sheets.xlsx.formulas import moved
from connectors.sheets.xlsx.layout import find_layout
from connectors.sheets.xlsx.links import without_links_to
from connectors.sheets.xlsx.markup import well_formed
from connectors.sheets.xlsx.package import Pieces
from connectors.sheets.xlsx.places import LAST_COLUMN, LAST_ROW, Area, letters, number
from connectors.sheets.xlsx.reading import RawCell, Worksheet
from connectors.sheets.xlsx.text import LONGEST, units
from connectors.sheets.xlsx.values import Kind, to_serial
from connectors.trouble import FixFile, GiveUp

KEY_LOOK = Look(width=4, hidden=True)
MOST_DIGITS = 15  # what a number in Excel holds exactly


class CannotHold(Exception):  # noqa: N818  it says what the cell can't do
    """A value that no Excel cell can hold. `code` and `facts` say why."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def kept(value: Cell, *, from_1904: bool) -> Cell:
    """The value as Excel will give it back. Raises `CannotHold` for text that is too long."""
    match value:
        case str():
            value = value.replace("\r\n", "\n")
            if units(value) > LONGEST:
                raise CannotHold("sheet-text-too-long", n=units(value), limit=LONGEST)
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") or None
        case bool() | None:
            return value
        case int():
            return value if abs(value) < 10**MOST_DIGITS else str(value)
        case float():
            if not math.isfinite(value):
                raise CannotHold("sheet-no-number")
            return int(value) if value.is_integer() and abs(value) < 10**MOST_DIGITS else value
        case datetime():
            value = _to_milliseconds(value)
            return value if to_serial(value, from_1904=from_1904) is not None else value.isoformat(" ")
        case date():
            return value if to_serial(value, from_1904=from_1904) is not None else value.isoformat()


def _to_milliseconds(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=None)


def kind_of(value: Cell) -> Kind | None:
    """How a number has to be shown for this value; None where any cell will do."""
    if isinstance(value, datetime):
        return "datetime"
    if isinstance(value, date):
        return "date"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass
class Outcome:
    """The new parts, what of the changes is in them, and what was left out."""

    parts: dict[str, Pieces] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    refused: list[Refused] = field(default_factory=list)


class Edit:
    """Changes to one tab, gathered and then written as parts. `tab` is what we know it as, whatever it is called now."""

    def __init__(self, book: Book, part: str, tab: str) -> None:
        self.book = book
        self.tab = tab
        self.sheet = Worksheet(book, part)
        self.layout = find_layout(self.sheet)
        self.edits: dict[int, RowEdit] = {}
        self.refused: list[Refused] = []
        self.looks: dict[int, Look] = {}
        self.new_headers: list[str] = []
        self.filling: set[int] = set()
        self.tags: dict[int, str] = {}
        self.replaced: dict[tuple[int, int], str] = {}
        self._raw: dict[int, dict[int, RawCell]] = {}
        self._spans = {span.number: span for span in self.sheet.spans}

    @cached_property
    def last(self) -> int:
        """The last row that holds anything between the first and the last header; the header row if there is none."""
        low, high = min(self.layout.headers), max(self.layout.headers)
        for span in reversed(self.sheet.spans):
            if span.number <= self.layout.header_row:
                break
            filled = {column: value for column, value in self.sheet.cells(span) if low <= column <= high}
            if filled and not self._is_total(span.number) and not self._waiting(span.number, filled):
                return span.number
        return self.layout.header_row

    def _waiting(self, row: int, filled: Mapping[int, Cell | Formula]) -> bool:
        """Whether the row holds nothing but what the team prepared for people to come: boxes without a tick, and formulas
        filled down, none of them where a new row puts something.
        """
        here, above = self._cells_of(row), self._cells_of(row - 1)
        calculated = self.layout.table.calculated if self._in_table(row) and self.layout.table else {}

        def prepared(column: int) -> bool:
            text = self._formula(row, here[column])
            before = self._formula(row - 1, above[column]) if column in above else ""
            return bool(text) and column not in self.filling and (column in calculated or moved(before, 1) == text)

        return all(value is False or prepared(column) for column, value in filled.items())

    @cached_property
    def key_column(self) -> int:
        """Our key column, made if the tab has none."""
        return self.layout.key_column or self.add_header(KEY_HEADER, KEY_LOOK)

    def apply(self, changes: Changes) -> Outcome:
        """The new parts for `changes`. Nothing is written yet."""
        self.tags = {number(ref): tag for ref, tag in changes.tags.items()}
        wanted = {number(ref) for row in changes.rows for ref, value in row.cells.items() if value is not None}
        self.filling = wanted | {self.layout.key_column or 0}
        keys = [write for write in changes.keys if self._key(write)]
        cells = [landing for write in changes.cells if (landing := self._cell(write))]
        rows = self._new_rows(changes.rows)
        parts = self.parts(self.last + len(rows)) if keys or cells or rows else {}
        return Outcome(parts, Changes(keys, cells, rows), self.refused)

    def add_header(self, header: str, look: Look) -> int:
        """A column right of the last, its header dressed like the others."""
        first_free = max([*self.layout.headers, *self.looks, 0]) + 1
        column = first_free
        if not self.looks:
            column = max(first_free, self._last_used_column() + 1)
        if column > LAST_COLUMN:
            raise FixFile("workbook-too-wide", file=self.book.file)
        neighbour = self._cells_of(self.layout.header_row).get(max(self.layout.headers, default=1))
        row = self.layout.header_row or 1
        self.edits.setdefault(row, RowEdit({})).cells[column] = NewCell(neighbour.style if neighbour else 0, header)
        self.looks[column] = look
        self.new_headers.append(header)
        return column

    def with_columns(self, columns: Sequence[NewColumn], looks: Sequence[Look], *, key: bool) -> dict[str, Pieces]:
        """The new parts with columns added at the right end, and our key column behind them if it is wanted."""
        for column, look in zip(columns, looks, strict=True):
            self.add_header(column.header, look)
        if key:
            self.add_header(KEY_HEADER, KEY_LOOK)
        return self.parts(self.last if self.layout.headers else 1)

    def parts(self, new_last: int) -> dict[str, Pieces]:
        """Every part that differs from what is there."""
        sheet, last = self.sheet, self.last if self.layout.headers else 1
        head, tail = sheet.head, sheet.tail
        right = max((max(edit.cells, default=1) for edit in self.edits.values()), default=1)
        head = grown_dimension(sheet, head, max([new_last, *self.edits]), right)
        if new_last > last:
            tail = grown_ranges(sheet, tail, self.layout.header_row + 1, last, new_last)
        tail = without_links_to(sheet, tail, self.replaced)
        if self.looks:
            head = shown(sheet, head, self.looks)
            tail = wider_filter(sheet, tail, min(self.looks) - 1, max(self.looks))
        pieces = list(edited(sheet, self.edits, head, tail))
        if not well_formed(piece for piece in pieces if isinstance(piece, bytes)):  # whole rows in between stay
            raise GiveUp("workbook-edit-failed", file=self.book.file)
        parts: dict[str, Pieces] = {sheet.part: pieces}
        parts |= self._table_part(last, new_last)
        if self.book.styles.changed:
            parts |= self.book.styles_parts()
        return parts | self.book.changed(*self._of_the_workbook(last, new_last))

    def _of_the_workbook(self, last: int, new_last: int) -> list[Callable[[Any], bool]]:
        """What must change in `workbook.xml`."""
        tab, row, named = self.book.tab(self.sheet.part), self.layout.header_row, self.layout.named
        columns = {column: (tag, named[column]) for column, tag in self.tags.items() if column in named}
        right = (min(self.looks) - 1, max(self.looks)) if self.looks else (0, 0)
        growth = names.Growth(row + 1, last, new_last, *right)
        edits = [
            partial(names.mark, tab=tab, header_row=row, columns=columns),
            *([partial(names.mark_tab, tab=tab, known_as=self.tab)] if columns else []),
            partial(names.grow, tab=tab, growth=growth),
        ]
        return [*edits, *([recalculate] if self.book.has_formulas(self.sheet.part, self.sheet.xml) else [])]

    def _table_part(self, last: int, new_last: int) -> dict[str, Pieces]:
        table = self.layout.table
        if table is None:
            return {}
        beside = bool(self.looks) and min(self.looks) == table.area.right + 1
        bottom = new_last if last <= table.area.bottom else table.area.bottom
        grown = grown_table(self.book, table, self.new_headers if beside else [], bottom)
        return {table.part: [grown]} if grown else {}

    def _key(self, write: KeyWrite) -> bool:
        row, column = int(write.row), self.key_column
        if self._has_formula(row, column):
            self.refused.append(Refused(write.row, write.key, "", "sheet-formula", {"cell": f"{letters(column)}{row}"}))
            return False
        self._set(row, column, write.key)
        return True

    def _cell(self, write: CellWrite) -> CellWrite | None:
        row, column = int(write.row), number(write.column)
        reason = self._untouchable(row, column)
        if reason is None:
            try:
                value = kept(write.value, from_1904=self.book.from_1904)
            except CannotHold as error:
                self._refuse(write.row, write.key, column, row, error.code, **error.facts)
                return None
            self._set(row, column, value)
            if isinstance(write.was, str) and value != write.was:
                self.replaced[row, column] = write.was
            return write if _same(value, write.value) else replace(write, value=value)
        self._refuse(write.row, write.key, column, row, reason)
        return None

    def _refuse(self, ref: str | None, key: str, column: int, row: int, code: str, **facts: object) -> None:
        self.refused.append(Refused(ref, key, letters(column), code, {"cell": f"{letters(column)}{row}", **facts}))

    def _untouchable(self, row: int, column: int) -> str | None:
        if column not in self.layout.named or row <= self.layout.header_row:
            return "sheet-no-cell"
        if self._has_formula(row, column):
            return "sheet-formula"
        if any(place.holds(row, column) and (row, column) != (place.top, place.left) for place in self._merged):
            return "sheet-merged"
        return None

    @cached_property
    def _merged(self) -> list[Area]:
        return self.sheet.merged()

    def _has_formula(self, row: int, column: int) -> bool:
        cell = self._cells_of(row).get(column)
        return (cell is not None and self.sheet.grammar.formula.search(cell.inside) is not None) or self.sheet.spilled(
            row, column
        )

    def _new_rows(self, rows: Sequence[NewRow]) -> list[NewRow]:
        if not rows:
            return []
        room = LAST_ROW - self.last
        if self.layout.table is not None and self.layout.table.totals and self.last <= self.layout.table.area.bottom:
            room = self.layout.table.area.bottom - self.layout.table.totals - self.last
        for row in rows[room:]:
            self.refused.append(Refused(None, row.key, "", "sheet-no-room", {"tab_row": self.last + room + 1}))
        template = self.last if self.last > self.layout.header_row else None
        formulas = self._formulas_to_fill(template)
        return [self._new_row(row, self.last + 1 + index, template, formulas) for index, row in enumerate(rows[:room])]

    def _new_row(self, new: NewRow, row: int, template: int | None, formulas: dict[int, str]) -> NewRow:
        edit = self.edits.setdefault(row, RowEdit({}, template))
        here = self._cells_of(row)
        for column, cell in self._cells_of(template).items() if template else ():
            if cell.style and column not in here:
                edit.cells[column] = NewCell(cell.style)
        above = self._cells_of(template) if template else {}
        for column, formula in formulas.items():
            if not self._has_formula(row, column):
                style = above[column].style if column in above else self._column_style(column)
                edit.cells[column] = NewCell(style, formula=moved(formula, row - (template or row)))
        landed: dict[str, Cell] = {}
        for ref, wanted in new.cells.items():
            column = number(ref)
            reason = "sheet-formula" if column in formulas else self._untouchable(row, column)
            if reason:
                self._refuse(None, new.key, column, row, reason)
                continue
            try:
                landed[ref] = kept(wanted, from_1904=self.book.from_1904)
            except CannotHold as error:
                self._refuse(None, new.key, column, row, error.code, **error.facts)
                continue
            if landed[ref] is not None:
                self._set(row, column, landed[ref], template)
        self._set(row, self.key_column, new.key, template)
        as_wanted = len(landed) == len(new.cells) and all(landed[ref] is value for ref, value in new.cells.items())
        return new if as_wanted else replace(new, cells=landed)

    def _formulas_to_fill(self, template: int | None) -> dict[int, str]:
        """The formulas that go on in new rows: those of a table's calculated columns, and those that the two last rows
        have alike.
        """
        calculated = self.layout.table.calculated if self.layout.table and self._in_table(self.last) else {}
        found = {column: text for column, text in calculated.items() if text and moved(text, 1) == text}
        if template is None:
            return found
        before = self._cells_of(template - 1)
        for column, cell in self._cells_of(template).items():
            text = self._formula(template, cell)
            above = before.get(column)
            if text and (
                column in calculated or (above is not None and moved(self._formula(template - 1, above), 1) == text)
            ):
                found[column] = text
        return found

    def _in_table(self, row: int) -> bool:
        table = self.layout.table
        return table is not None and table.area.top <= row <= table.area.bottom

    def _formula(self, row: int, cell: RawCell) -> str:
        match = self.sheet.grammar.formula.search(cell.inside)
        if match is None or b"array" in match[1] or b"dataTable" in match[1]:
            return ""
        return self.sheet.formula_text(row, cell.column, cell.inside)

    def _set(self, row: int, column: int, value: Cell, template: int | None = None) -> None:
        self.edits.setdefault(row, RowEdit({})).cells[column] = NewCell(
            self._style(row, column, value, template), value
        )

    def _style(self, row: int, column: int, value: Cell, template: int | None) -> int:
        """The cell's own look, else that of the cell above, else the column's; for a date, one that shows a date."""
        styles, own = self.book.styles, self._cells_of(row).get(column)
        above_row = template or row - 1
        above = self._cells_of(above_row).get(column) if above_row > self.layout.header_row else None
        base = own.style if own else above.style if above else self._column_style(column)
        kind = kind_of(value)
        if kind is None or styles.kind(base) == kind:
            return base
        if own is not None and not own.style and above is not None and styles.kind(above.style) == kind:
            return above.style
        return styles.variant(base, kind)

    def _column_style(self, column: int) -> int:
        if column in self.looks:
            return self.looks[column].style
        return next((style for first, last, style in self._column_styles if first <= column <= last), 0)

    @cached_property
    def _column_styles(self) -> list[tuple[int, int, int]]:
        return column_styles(self.sheet)

    def _cells_of(self, row: int) -> dict[int, RawCell]:
        if row not in self._raw:
            span = self._spans.get(row)
            self._raw[row] = {cell.column: cell for cell in self.sheet.raw_cells(span)} if span else {}
        return self._raw[row]

    def _last_used_column(self) -> int:
        return max((cells[-1][0] for _, cells in self.sheet.rows() if cells), default=0)

    def _is_total(self, row: int) -> bool:
        table = self.layout.table
        return table is not None and table.totals > 0 and table.area.bottom - table.totals < row <= table.area.bottom


def _same(first: Cell, second: Cell) -> bool:
    return type(first) is type(second) and first == second
