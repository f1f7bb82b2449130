"""New cells and rows put into a worksheet's bytes. What does not change is passed on as the bytes it was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from connectors.sheets.sheet import Cell
from connectors.sheets.xlsx.package import Bytes
from connectors.sheets.xlsx.places import area, letters
from connectors.sheets.xlsx.reading import RawCell, RowSpan, Worksheet
from connectors.sheets.xlsx.text import escaped, plain
from connectors.sheets.xlsx.values import to_serial

_NUMBER_ATTRIBUTE = re.compile(rb"""\sr\s*=\s*(?:"[0-9]*"|'[0-9]*')""")
_SPANS = re.compile(rb"""\sspans\s*=\s*(?:"[^"]*"|'[^']*')""")
_OF_THE_ROW_ABOVE = re.compile(rb"""\s(?:s|customFormat|ht|customHeight)\s*=\s*(?:"[^"]*"|'[^']*')""")
_FOLLOW_THE_ROWS = (b"dataValidation", b"conditionalFormatting", b"ignoredError", b"protectedRange")
_RANGES = re.compile(rb"""(\ssqref\s*=\s*["'])([^"']*)(["'])""")
_REF = re.compile(rb"""(\sref\s*=\s*["'])([^"']*)(["'])""")


@dataclass(frozen=True, slots=True)
class NewCell:
    """What a cell becomes: a value, or a formula (then `value` is None)."""

    style: int
    value: Cell = None
    formula: str = ""


@dataclass(slots=True)
class RowEdit:
    """The cells of one row that change. `like` is the row above, whose look a row that does not exist yet takes."""

    cells: dict[int, NewCell]
    like: int | None = None


def cell_xml(prefix: bytes, row: int, column: int, cell: NewCell, *, from_1904: bool) -> bytes:
    """One `<c>` element. Text is written inline, as text, whatever it looks like."""
    p = prefix.decode()
    start = f'<{p}c r="{letters(column)}{row}"' + (f' s="{cell.style}"' if cell.style else "")
    if cell.formula:
        return f"{start}><{p}f>{escaped(cell.formula)}</{p}f></{p}c>".encode()
    match cell.value:
        case None:
            return f"{start}/>".encode()
        case bool():
            return f'{start} t="b"><{p}v>{int(cell.value)}</{p}v></{p}c>'.encode()
        case int() | float():
            return f"{start}><{p}v>{cell.value!r}</{p}v></{p}c>".encode()
        case date():
            return f"{start}><{p}v>{to_serial(cell.value, from_1904=from_1904)!r}</{p}v></{p}c>".encode()
        case str():
            text = f'<{p}is><{p}t xml:space="preserve">{escaped(cell.value)}</{p}t></{p}is>'
            return f'{start} t="inlineStr">{text}</{p}c>'.encode()


def edited(sheet: Worksheet, edits: Mapping[int, RowEdit], head: bytes, tail: bytes) -> Iterator[Bytes]:
    """The pieces of the new part: `head`, the rows with `edits` merged in, `tail` (with its `</sheetData>`).

    What is new comes as bytes, what stays as a view of the old part, cut between rows.
    """
    p = sheet.grammar.prefix
    whole = memoryview(sheet.xml)
    yield head
    yield b"<" + p + b"sheetData>" if sheet.empty_tag else sheet.xml[sheet.head_end : sheet.body]
    waiting = sorted(edits)
    position = sheet.body
    spans = {span.number: span for span in sheet.spans} if waiting else {}
    for span in sheet.spans if waiting else ():
        if not waiting:
            break
        if span.number < waiting[0]:
            continue
        yield whole[position : span.start]
        while waiting and waiting[0] < span.number:
            row = waiting.pop(0)
            yield _row(sheet, row, edits[row], None, spans)
        if waiting and waiting[0] == span.number:
            row = waiting.pop(0)
            yield _row(sheet, row, edits[row], span, spans)
            position = span.end
        else:
            position = span.start
    yield whole[position : sheet.body_end]
    for row in waiting:
        yield _row(sheet, row, edits[row], None, spans)
    yield b"</" + p + b"sheetData>" if sheet.empty_tag else b""
    yield tail


def _row(sheet: Worksheet, row: int, edit: RowEdit, span: RowSpan | None, spans: Mapping[int, RowSpan]) -> bytes:
    p = sheet.grammar.prefix
    from_1904 = sheet.book.from_1904
    new = {column: cell_xml(p, row, column, cell, from_1904=from_1904) for column, cell in edit.cells.items()}
    if span is None:
        like = spans.get(edit.like) if edit.like else None
        look = b"".join(_OF_THE_ROW_ABOVE.findall(sheet.xml[like.start : like.inside])) if like else b""
        inside = b"".join(new[column] for column in sorted(new))
        return b'<%srow r="%d"%s>%s</%srow>' % (p, row, look, inside, p)
    raw = sheet.xml[span.inside : span.inside_end]
    old = sheet.raw_cells(span)
    kept = {cell.column: _named(p, row, cell, raw[cell.start : cell.end]) for cell in old}
    behind = raw[old[-1].end :] if old else b""
    tag = sheet.xml[span.start : span.inside].rstrip(b">").rstrip(b"/").rstrip()
    if not set(new) <= set(kept):
        tag = _SPANS.sub(b"", tag)
    if not _NUMBER_ATTRIBUTE.search(tag):
        tag = b'<%srow r="%d"%s' % (p, row, tag[len(p) + 4 :])
    merged = kept | new
    return tag + b">" + b"".join(merged[column] for column in sorted(merged)) + behind.strip() + b"</%srow>" % p


def _named(prefix: bytes, row: int, cell: RawCell, raw: bytes) -> bytes:
    """A cell that did not say where it is has to, once others stand before it."""
    if cell.named:
        return raw
    start = len(prefix) + 2
    return raw[:start] + b' r="%s%d"' % (letters(cell.column).encode(), row) + raw[start:]


def grown_ranges(sheet: Worksheet, tail: bytes, first: int, last: int, new_last: int) -> bytes:
    """Validations, conditional formats, the filter and what else held the last row reach the new last row.

    `first` is the first row below the headers, `last` the last one before (above `first` if there was none).
    """

    def grow(match: re.Match[bytes]) -> bytes:
        ranges = (_grown(part, first, last, new_last) for part in match[2].split())
        return match[1] + b" ".join(ranges) + match[3]

    def grow_rectangles(match: re.Match[bytes]) -> bytes:
        return grow(match) if b":" in match[2] else match[0]  # a sparkline stands in one cell

    for name in _FOLLOW_THE_ROWS:
        tail = sheet.tag(name).sub(lambda match: _RANGES.sub(grow, match[0]), tail)
    tail = re.sub(rb"(<[\w.-]+:sqref>)([^<]*)(</)", grow_rectangles, tail)
    return sheet.tag(b"autoFilter").sub(
        lambda match: _REF.sub(lambda ref: _filter(ref, last, new_last), match[0]), tail
    )


def _filter(match: re.Match[bytes], last: int, new_last: int) -> bytes:
    place = area(plain(match[2]))
    if place is None or not place.top <= last <= place.bottom < new_last:
        return match[0]
    return match[1] + str(place._replace(bottom=new_last)).encode() + match[3]


def _grown(part: bytes, first: int, last: int, new_last: int) -> bytes:
    place = area(part.decode())
    if place is None or not place.top <= max(first, last) <= place.bottom < new_last:
        return part
    if place.top == place.bottom and last > first:  # one row among several was chosen on purpose
        return part
    return str(place._replace(bottom=new_last)).encode()


def grown_dimension(sheet: Worksheet, head: bytes, row: int, column: int) -> bytes:
    """`<dimension>` that holds the cell at (row, column) too."""

    def grow(match: re.Match[bytes]) -> bytes:
        place = area(plain(match[2]))
        if place is None:
            return match[0]
        grown = place._replace(bottom=max(place.bottom, row), right=max(place.right, column))
        return match[1] + str(grown).encode() + match[3]

    return sheet.tag(b"dimension").sub(lambda match: _REF.sub(grow, match[0]), head)


def is_date(value: Cell) -> bool:
    return isinstance(value, date | datetime)
