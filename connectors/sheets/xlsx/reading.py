"""The cells of one worksheet, read from its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from connectors.sheets.sheet import Cell, Formula
from connectors.sheets.xlsx.book import Book
from connectors.sheets.xlsx.formulas import moved
from connectors.sheets.xlsx.markup import ATTRS, attributes, prefix_of
from connectors.sheets.xlsx.places import Area, area, letters, number
from connectors.sheets.xlsx.text import plain, rich, unescaped
from connectors.sheets.xlsx.values import from_serial
from connectors.trouble import FixFile

_CELL_NAME = re.compile(rb"([A-Z]+)")


@dataclass(frozen=True)
class Grammar:
    """What rows, cells and formulas look like in a part that writes its tags with `prefix`."""

    prefix: bytes
    row: re.Pattern[bytes]
    cell: re.Pattern[bytes]
    formula: re.Pattern[bytes]
    value: re.Pattern[bytes]
    merge: re.Pattern[bytes]
    data: re.Pattern[bytes]
    row_end: bytes


@cache
def grammar(prefix: bytes) -> Grammar:
    p = re.escape(prefix)
    return Grammar(
        prefix,
        re.compile(rb"<" + p + rb"row(?: r=\"([0-9]+)\")?(" + ATTRS + rb")\s*(/?)>"),
        re.compile(
            rb"<" + p + rb"c(?: r=\"([A-Z]+)[0-9]+\")?(?: s=\"([0-9]+)\")?(?: t=\"(\w+)\")?(" + ATTRS + rb")\s*"
            rb"(?:/>|>(?:<" + p + rb"v>([^<]*)</" + p + rb"v\s*>|(.*?))</" + p + rb"c\s*>)",
            re.DOTALL,
        ),
        re.compile(rb"<" + p + rb"f(" + ATTRS + rb")\s*(?:/>|>([^<]*)</" + p + rb"f\s*>)"),
        re.compile(rb"<" + p + rb"v(?:\s[^>]*)?>([^<]*)</" + p + rb"v\s*>"),
        re.compile(rb"<" + p + rb"mergeCell(" + ATTRS + rb")\s*/?>"),
        re.compile(rb"<" + p + rb"sheetData(" + ATTRS + rb")\s*(/?)>"),
        b"</" + prefix + b"row",
    )


class RowSpan(NamedTuple):
    """Where a row lies in the bytes: its tag, what is inside, its end."""

    number: int
    start: int
    inside: int
    inside_end: int
    end: int


class RawCell(NamedTuple):
    """A cell as it is written: `value` where it is a plain `<v>`, else all that is `inside`."""

    column: int
    style: int
    type: bytes
    value: bytes
    inside: bytes
    start: int
    end: int
    named: bool


class Worksheet:
    """A sheet's XML with its rows found, and a way to read them."""

    def __init__(self, book: Book, part: str) -> None:
        self.book = book
        self.part = part
        self.xml = book.sheet_xml(part)
        self.grammar = grammar(prefix_of(self.xml))
        opening = self.grammar.data.search(self.xml)
        if opening is None:
            raise FixFile("workbook-damaged", file=book.file)
        self.head_end = opening.start()
        self.body = opening.end()
        self.body_end = self.body if opening[2] else self.xml.rfind(b"</" + self.grammar.prefix + b"sheetData")
        if self.body_end < self.body:
            raise FixFile("workbook-damaged", file=book.file)
        self.empty_tag = bool(opening[2])
        self.spans = list(self._spans())
        self._shared: dict[str, tuple[str, int, int]] = {}
        self._known: dict[tuple[bytes, bytes, bytes], Cell] = {}
        p = self.grammar.prefix
        self._one_run = re.compile(b'<%sis><%st(?: xml:space="preserve")?>([^<&_\\r]+)</%st></%sis>' % (p, p, p, p))
        self._arrays = self._array_areas()

    @property
    def head(self) -> bytes:
        return self.xml[: self.head_end]

    @property
    def tail(self) -> bytes:
        """Everything after the rows, from `</sheetData>` (or after `<sheetData/>`)."""
        return self.xml[self.body_end :]

    def tag(self, name: bytes) -> re.Pattern[bytes]:
        """The opening tag of an element called so; its attributes are the first group."""
        return re.compile(b"<" + re.escape(self.grammar.prefix) + name + b"(" + ATTRS + rb")\s*/?>")

    def merged(self) -> list[Area]:
        places = (
            area(attributes(found[1]).get("ref", "")) for found in self.grammar.merge.finditer(self.xml, self.body_end)
        )
        return [place for place in places if place is not None]

    def raw_cells(self, span: RowSpan) -> list[RawCell]:
        """The cells of a row as they are written, with their columns worked out."""
        found: list[RawCell] = []
        column = 0
        inside = self.xml[span.inside : span.inside_end]
        for match in self.grammar.cell.finditer(inside):
            name, style, type_, rest, value, inner = match.groups()
            if rest:
                name, style, type_ = _loose(name, style, type_, rest)
            column = number(name.decode()) if name else column + 1
            found.append(
                RawCell(
                    column,
                    int(style or 0),
                    type_ or b"",
                    value or b"",
                    inner or b"",
                    match.start(),
                    match.end(),
                    bool(name),
                )
            )
        if len(found) != self._cells_said(inside):
            raise FixFile("workbook-damaged", file=self.book.file)
        return found

    def rows(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, list[tuple[int, Cell | Formula]]]]:
        """The cells that hold something, row by row, as (column, value)."""
        for span in self.spans:
            if span.number < first:
                if b"shared" in self.xml[span.inside : span.inside_end]:
                    self.cells(span)
                continue
            if last is not None and span.number > last:
                return
            yield span.number, self.cells(span)

    def cells(self, span: RowSpan) -> list[tuple[int, Cell | Formula]]:  # noqa: C901  calls cost more than the cells
        """The filled cells of one row. Called for a hundred thousand of them, so the usual cells go the short way."""
        strings, kinds = self.book.strings, self.book.styles.kinds
        found: list[tuple[int, Cell | Formula]] = []
        column, seen, known = 0, 0, self._known
        inside = self.xml[span.inside : span.inside_end]
        for name, style, type_, rest, raw, inner in self.grammar.cell.findall(inside):
            seen += 1
            if rest:
                name, style, type_ = _loose(name, style, type_, rest)  # noqa: PLW2901  the same three, from attributes in another order
            column = _column(name) if name else column + 1
            value: Cell | Formula
            if inner:
                value = self._simple(inner) or self._involved(span.number, column, style, type_, inner)
            elif not raw:
                continue
            elif type_ == b"s":
                value = strings[int(raw)] or None
            elif not type_ and (not style or kinds[int(style)] == "number"):
                value = int(raw) if raw.isdigit() else _number(raw)
            elif (value := known.get((type_, style, raw))) is None:
                value = known[type_, style, raw] = self._typed(type_, raw, int(style or 0))
            if self._arrays and not isinstance(value, Formula):
                value = self._spilled(span.number, column, value)
            if value is not None:
                found.append((column, value))
        if seen != self._cells_said(inside):
            raise FixFile("workbook-damaged", file=self.book.file)
        return found

    def formula_text(self, row: int, column: int, inner: bytes) -> str:
        """A cell's formula without `=`; one shared with other cells is moved to where this one stands."""
        match = self.grammar.formula.search(inner)
        if match is None:
            return ""
        written, said = plain(match[2] or b""), attributes(match[1])
        if said.get("t") != "shared":
            return written
        group = said.get("si", "")
        if written:
            self._shared[group] = (written, row, column)
            return written
        if group not in self._shared:
            self._learn_shared()
        text, home_row, home_column = self._shared.get(group, ("", row, column))
        return moved(text, row - home_row, column - home_column)

    def _simple(self, inner: bytes) -> str | None:
        """The text of a cell that holds one run of plain text, the most usual of those written inline."""
        match = self._one_run.fullmatch(inner)
        return match[1].decode() if match else None

    def _involved(self, row: int, column: int, style: bytes, type_: bytes, inner: bytes) -> Cell | Formula:
        if type_ == b"inlineStr":
            return rich(inner, self.grammar.prefix) or None
        found = self.grammar.value.search(inner)
        value = self._typed(type_, found[1], int(style or 0)) if found and found[1] else None
        if self.grammar.formula.search(inner):
            return Formula(self.formula_text(row, column, inner), value)
        return value

    def _typed(self, type_: bytes, raw: bytes, style: int) -> Cell:
        if type_ == b"s":
            return self.book.strings[int(raw)] or None
        if type_ == b"b":
            return raw.strip() in (b"1", b"true")
        if type_ in (b"str", b"e", b"inlineStr"):
            return unescaped(plain(raw)) or None
        if type_ == b"d":
            return _iso(raw.decode())
        value = _number(raw)
        kind = self.book.styles.kind(style)
        if kind == "number" or not isinstance(value, int | float):
            return value
        return from_serial(value, kind, from_1904=self.book.from_1904)

    def spilled(self, row: int, column: int) -> bool:
        """Whether the cell shows a part of an array formula's result."""
        return any(place.holds(row, column) for place, _ in self._arrays)

    def _spilled(self, row: int, column: int, value: Cell) -> Cell | Formula:
        for place, text in self._arrays:
            if place.holds(row, column):
                return Formula(text, value)
        return value

    def _array_areas(self) -> list[tuple[Area, str]]:
        if b'"array"' not in self.xml and b'"dataTable"' not in self.xml:
            return []
        found = []
        for match in self.grammar.formula.finditer(self.xml, self.body, self.body_end):
            said = attributes(match[1])
            place = area(said.get("ref", "")) if said.get("t") in ("array", "dataTable") else None
            if place is not None:
                found.append((place, plain(match[2] or b"")))
        return found

    def _learn_shared(self) -> None:
        for span in self.spans:
            if b"shared" in self.xml[span.inside : span.inside_end]:
                for cell in self.raw_cells(span):
                    match = self.grammar.formula.search(cell.inside)
                    said = attributes(match[1]) if match else {}
                    if match and match[2] and said.get("t") == "shared":
                        self._shared[said.get("si", "")] = (plain(match[2]), span.number, cell.column)

    def _spans(self) -> Iterator[RowSpan]:
        xml, find, tag, closing = self.xml, self.xml.find, self.grammar.row, self.grammar.row_end
        opening = b"<" + self.grammar.prefix + b"row"
        position, last = find(opening, self.body, self.body_end), 0
        while position >= 0:
            match = tag.match(xml, position)
            if match is None:
                raise FixFile("workbook-damaged", file=self.book.file)
            said = match[1] or (attributes(match[2]).get("r", "") if match[2] else "")
            row = int(said) if said else last + 1
            inside = match.end()
            inside_end = inside if match[3] else find(closing, inside, self.body_end)
            if inside_end < inside or row <= last:
                raise FixFile("workbook-damaged", file=self.book.file)
            end = inside if match[3] else find(b">", inside_end) + 1
            yield RowSpan(row, position, inside, inside_end, end)
            last, position = row, find(opening, end, self.body_end)

    def _cells_said(self, inside: bytes) -> int:
        """How many cells there are by their opening tags: a reading that finds another number has gone wrong."""
        opening = b"<" + self.grammar.prefix + b"c"
        return inside.count(opening + b" ") + inside.count(opening + b">") + inside.count(opening + b"/")


def _loose(name: bytes, style: bytes, type_: bytes, rest: bytes) -> tuple[bytes, bytes, bytes]:
    said = attributes(rest)
    place = _CELL_NAME.match(said["r"].upper().encode()) if "r" in said else None
    return (
        name or (place[1] if place else b""),
        style or said.get("s", "").encode(),
        type_ or said.get("t", "").encode(),
    )


@cache
def _column(name: bytes) -> int:
    return number(name.decode())


def _number(raw: bytes) -> Cell:
    try:
        value = float(raw)
    except ValueError:
        return unescaped(plain(raw)) or None
    return int(value) if value.is_integer() and abs(value) < 1e16 else value


def _iso(text: str) -> Cell:
    """A cell of type `d`: ISO 8601 text, in strict workbooks and those of LibreOffice."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return text


def place(row: int, column: int) -> str:
    return f"{letters(column)}{row}"
