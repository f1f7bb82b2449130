"""`styles.xml`: what makes a number a date, and a new cell look like its column.

Built-in number formats: ECMA-376 part 1, 18.8.30; 27-36 and 50-58 are dates in East Asian workbooks.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from connectors.sheets.xlsx.markup import child, local, namesake, parsed, serialised
from connectors.sheets.xlsx.values import Kind

DATE, DATE_AND_TIME, GENERAL, WHOLE = 14, 22, 0, 1

_BUILT_IN: dict[int, Kind] = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 37), *range(50, 59)), "date"),
    **dict.fromkeys((18, 19, 20, 21, 45, 46, 47), "time"),
    22: "datetime",
}
_FORMAT_OF: dict[Kind, int] = {"date": DATE, "datetime": DATE_AND_TIME, "number": GENERAL}
_SAID_ALOUD = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|am/pm|a/p|general', re.IGNORECASE)
_ORDER = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs")
_EMPTY = (
    b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b'<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    b'<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    b'</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    b'<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    b'<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs></styleSheet>'
)


def kind_of_format(code: str) -> Kind:
    """Whether a number format shows a date, a time of day, both, or a number."""
    letters = _SAID_ALOUD.sub("", code.split(";", maxsplit=1)[0] if '"' not in code else code).lower()
    time = "h" in letters or "s" in letters
    day = "d" in letters or "y" in letters or ("m" in letters and not time)
    if day:
        return "datetime" if time else "date"
    return "time" if time or "[m" in letters else "number"


class Styles:
    """The cell formats of a workbook, and new ones as they are needed. `changed` says whether the part must be saved."""

    def __init__(self, xml: bytes | None, file: str) -> None:
        self.changed = False
        self._root: Any = parsed(xml or _EMPTY, file)
        codes = {int(element.get("numFmtId", 0)): element.get("formatCode", "") for element in self._group("numFmts")}
        self._formats: Mapping[int, Kind] = _BUILT_IN | {number: kind_of_format(code) for number, code in codes.items()}
        self.kinds: list[Kind] = [self._kind(xf) for xf in self._group("cellXfs")]

    def kind(self, style: int) -> Kind:
        return self.kinds[style] if style < len(self.kinds) else "number"

    def variant(self, style: int, kind: Kind) -> int:
        """The format that looks like `style` and shows a `kind`: itself, another one there is, or a new one."""
        if self.kind(style) == kind:
            return style
        xfs = self._group("cellXfs")
        if not len(xfs):
            self._plain()
        if style >= len(xfs):
            style = 0
        wanted = copy.deepcopy(xfs[style])
        wanted.set("numFmtId", str(_FORMAT_OF[kind]))
        wanted.set("applyNumberFormat", "1")
        return self._xf(wanted)

    def dressed(self, *, number_format: str | int = GENERAL, font: str = "", fill: str = "", border: str = "",
                alignment: str = "") -> int:  # fmt: skip
        """A format made of parts: a number format, and the inner XML of a font, fill, border and alignment."""
        xf = etree.Element(namesake(self._root, "xf"), numFmtId=str(self._number_format(number_format)), xfId="0")
        for group, inner, name in (
            ("fonts", font, "fontId"),
            ("fills", fill, "fillId"),
            ("borders", border, "borderId"),
        ):
            xf.set(name, str(self._add(group, inner)) if inner else "0")
            if inner:
                xf.set(f"apply{group[:-1].capitalize()}", "1")
        if number_format != GENERAL:
            xf.set("applyNumberFormat", "1")
        if alignment:
            xf.set("applyAlignment", "1")
            xf.append(self._fragment(alignment))
        return self._xf(xf)

    def xml(self) -> bytes:
        return serialised(self._root)

    def _xf(self, wanted: Any) -> int:
        xfs = self._group("cellXfs")
        if not len(xfs):
            self._plain()
        looks = etree.tostring(wanted, method="c14n")
        for index, xf in enumerate(xfs):
            if xf.get("numFmtId") == wanted.get("numFmtId") and etree.tostring(xf, method="c14n") == looks:
                return index
        xfs.append(wanted)
        xfs.set("count", str(len(xfs)))
        self.kinds.append(self._kind(wanted))
        self.changed = True
        return len(xfs) - 1

    def _plain(self) -> None:
        """In a part with nothing in it, the look that every cell has anyhow comes first."""
        xfs = self._group("cellXfs")
        etree.SubElement(xfs, namesake(xfs, "xf"), numFmtId="0")
        xfs.set("count", "1")
        self.kinds.append("number")

    def _number_format(self, code: str | int) -> int:
        if isinstance(code, int):
            return code
        group = self._group("numFmts")
        known = {element.get("formatCode"): int(element.get("numFmtId", 0)) for element in group}
        if code not in known:
            known[code] = max([163, *known.values()]) + 1
            etree.SubElement(group, namesake(group, "numFmt"), numFmtId=str(known[code]), formatCode=code)
            group.set("count", str(len(group)))
            self._formats = {**self._formats, known[code]: kind_of_format(code)}
        return known[code]

    def _add(self, group: str, inner: str) -> int:
        parent, looks = self._group(group), etree.tostring(self._fragment(inner), method="c14n")
        for index, element in enumerate(parent):
            if etree.tostring(element, method="c14n") == looks:
                return index
        parent.append(self._fragment(inner))
        parent.set("count", str(len(parent)))
        return len(parent) - 1

    def _fragment(self, xml: str) -> Any:
        namespace = etree.QName(self._root).namespace or ""
        fragment = etree.fromstring(f'<r xmlns="{namespace}">{xml}</r>')[0]
        fragment.tail = None
        return fragment

    def _kind(self, xf: Any) -> Kind:
        return self._formats.get(int(xf.get("numFmtId") or 0), "number")

    def _group(self, name: str) -> Any:
        found = child(self._root, name)
        if found is None:
            found = etree.Element(namesake(self._root, name))
            before = _ORDER[: _ORDER.index(name)]
            self._root.insert(sum(local(element) in before for element in self._root), found)
        return found
