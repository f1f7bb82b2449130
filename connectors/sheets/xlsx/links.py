"""The links that Excel makes by itself of an e-mail or web address typed into a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from connectors.sheets.xlsx.markup import ATTRS, attributes
from connectors.sheets.xlsx.places import area
from connectors.sheets.xlsx.reading import Worksheet


def without_links_to(sheet: Worksheet, tail: bytes, replaced: Mapping[tuple[int, int], str]) -> bytes:
    """The part's tail without the links of cells whose address was replaced, given as {(row, column): what it was}: a
    click on the new address must not write to the old one. A link that the team gave to a cell stays.
    """
    if not replaced or b"hyperlink" not in tail:
        return tail
    targets = sheet.book.targets(sheet.part)

    def keep(match: re.Match[bytes]) -> bytes:
        said = attributes(match[1])
        target = next((targets.get(value, "") for name, value in said.items() if name.endswith(":id")), "")
        place = area(said.get("ref", ""))
        was = replaced.get((place.top, place.left)) if place and place[:2] == place[2:] else None
        return b"" if was is not None and _made_of(target, was) else match[0]

    p = re.escape(sheet.grammar.prefix)
    one = re.compile(b"<" + p + b"hyperlink(" + ATTRS + rb")\s*(?:/>|>\s*</" + p + rb"hyperlink\s*>)")
    empty = re.compile(b"<" + p + rb"hyperlinks\s*>\s*</" + p + rb"hyperlinks\s*>")
    return empty.sub(b"", one.sub(keep, tail))


def _made_of(target: str, text: str) -> bool:
    address = unquote(target).partition("?")[0].removeprefix("mailto:")
    typed = {address, *(address.removeprefix(scheme) for scheme in ("http://", "https://"))}
    return bool(address) and text.strip().rstrip("/").casefold() in {one.rstrip("/").casefold() for one in typed}
