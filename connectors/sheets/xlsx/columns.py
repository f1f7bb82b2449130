"""Columns added at the right end: `<cols>`, the table they stand in, the filter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from connectors.sheets.xlsx.book import Book, TablePart
from connectors.sheets.xlsx.markup import attributes, child, namesake, parsed, serialised
from connectors.sheets.xlsx.places import LAST_COLUMN, Area, area
from connectors.sheets.xlsx.reading import Worksheet
from connectors.sheets.xlsx.text import attribute

_REF = re.compile(rb"""(\sref\s*=\s*["'])([^"']*)(["'])""")


@dataclass(frozen=True)
class Look:
    """How a column is shown. `width` in characters."""

    width: float
    style: int = 0
    hidden: bool = False


def column_styles(sheet: Worksheet) -> list[tuple[int, int, int]]:
    """(first, last, style) of the columns that have a style of their own."""
    said = [attributes(match[1]) for match in sheet.tag(b"col").finditer(sheet.head)]
    return [(int(col["min"]), int(col["max"]), int(col["style"])) for col in said if "style" in col]


def shown(sheet: Worksheet, head: bytes, looks: dict[int, Look]) -> bytes:
    """The part's head in which `<cols>` says how the new columns look; the others keep what they have."""
    p = sheet.grammar.prefix
    old = [attributes(match[1]) for match in sheet.tag(b"col").finditer(head)]
    kept = [piece for col in old for piece in _without(col, set(looks))]
    new = [
        {"min": str(column), "max": str(column), "width": f"{look.width:g}", "customWidth": "1"}
        | ({"style": str(look.style)} if look.style else {})
        | ({"hidden": "1"} if look.hidden else {})
        for column, look in looks.items()
    ]
    written = "".join(
        f"<{p.decode()}col " + " ".join(f'{name}="{attribute(value)}"' for name, value in col.items()) + "/>"
        for col in sorted(kept + new, key=lambda col: int(col["min"]))
    ).encode()
    whole = b"<%scols>%s</%scols>" % (p, written, p)
    pattern = re.compile(b"<" + re.escape(p) + rb"cols[\s>].*?</" + re.escape(p) + rb"cols\s*>", re.DOTALL)
    return pattern.sub(lambda _: whole, head) if pattern.search(head) else head + whole


def _without(col: dict[str, str], columns: set[int]) -> list[dict[str, str]]:
    """What is left of a `<col>` (which may stand for many) when some columns get their own."""
    first, last = int(col["min"]), min(int(col["max"]), LAST_COLUMN)
    pieces, start = [], first
    for column in sorted(columns):
        if first <= column <= last:
            if start < column:
                pieces.append(col | {"min": str(start), "max": str(column - 1)})
            start = column + 1
    return [*pieces, *([col | {"min": str(start), "max": str(last)}] if start <= last else [])]


def grown_table(book: Book, table: TablePart, headers: list[str], bottom: int) -> bytes | None:
    """The table's part with columns added at its right and rows down to `bottom`. So a sort by the team moves our key
    with its row. None if nothing grows.
    """
    root = parsed(book.package.read(table.part), book.file)
    if root.get("tableType") == "queryTable":  # its columns are those of its query: Excel would call another one damage
        headers = []
    if not headers and bottom <= table.area.bottom:
        return None
    columns = child(root, "tableColumns")
    assert columns is not None
    taken = {(column.get("name") or "").casefold() for column in columns}
    highest = max((int(column.get("id", 0)) for column in columns), default=0)
    for number, header in enumerate(headers, highest + 1):
        name = header if header.casefold() not in taken else f"{header}{number}"
        etree.SubElement(columns, namesake(root, "tableColumn"), id=str(number), name=name)
    columns.set("count", str(len(columns)))
    grown = table.area._replace(right=table.area.right + len(headers), bottom=max(bottom, table.area.bottom))
    root.set("ref", str(grown))
    filter_ = child(root, "autoFilter")
    if filter_ is not None:
        filter_.set("ref", str(grown._replace(bottom=grown.bottom - table.totals)))
    return serialised(root)


def wider_filter(sheet: Worksheet, tail: bytes, last: int, new_last: int) -> bytes:
    """The tab's own filter over the new columns too, if it went as far as the old ones."""

    def widen(match: re.Match[bytes]) -> bytes:
        place = area(match[2].decode())
        if place is None or place.right != last:
            return match[0]
        return match[1] + str(Area(place.left, place.top, new_last, place.bottom)).encode() + match[3]

    return sheet.tag(b"autoFilter").sub(lambda match: _REF.sub(widen, match[0]), tail)
