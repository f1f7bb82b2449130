"""The parts around the sheets: `workbook.xml`, relationships, content types."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree

from connectors.sheets.xlsx.markup import child, local, namesake, parsed, prefix_of, serialised, settled
from connectors.sheets.xlsx.names import renamed_tab
from connectors.sheets.xlsx.package import Package, Pieces, folder_of
from connectors.sheets.xlsx.places import Area, area
from connectors.sheets.xlsx.styles import Styles
from connectors.sheets.xlsx.text import shared_strings
from connectors.trouble import FixFile

CONTENT_TYPES = "[Content_Types].xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
TRANSITIONAL_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_AFTER_CALC = ("oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes", "webPublishing",
               "fileRecoveryPr", "webPublishObjects", "extLst")  # fmt: skip


@dataclass(frozen=True)
class Relation:
    kind: str
    part: str


@dataclass(frozen=True)
class TablePart:
    """A table (`ListObject`) of a sheet, in its own part of the file."""

    part: str
    area: Area
    headers: int
    totals: int
    calculated: dict[int, str]
    """Column number: the formula that each new row gets."""


def _has_formula(xml: bytes) -> bool:
    opening = b"<" + prefix_of(xml) + b"f"
    return any(opening + end in xml for end in (b">", b" "))


def recalculate(root: Any) -> bool:
    """Have Excel work out all formulas anew when it opens the workbook. False if it does so already."""
    calculation = child(root, "calcPr")
    if calculation is None:
        calculation = etree.Element(namesake(root, "calcPr"))
        later = [element for element in root if local(element) in _AFTER_CALC]
        root.insert(root.index(later[0]) if later else len(root), calculation)
    if calculation.get("fullCalcOnLoad") in ("1", "true"):
        return False
    calculation.set("fullCalcOnLoad", "1")
    return True


def relations_path(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


class Book:
    """A workbook as it was at one instant: its sheets by name, its styles and shared texts."""

    def __init__(self, raw: bytes, file: str) -> None:
        self.package = Package(raw, file)
        self.file = file
        main = [relation.part for relation in self._relations("").values() if relation.kind == "officeDocument"]
        if not main or main[0] not in self.package:
            raise FixFile("workbook-damaged", file=file)
        if main[0].endswith(".bin"):
            raise FixFile("workbook-other-format", file=file, format="Excel binary (.xlsb)")
        self.part = main[0]
        self.root: Any = parsed(self.package.read(self.part), file)
        if local(self.root) != "workbook":
            raise FixFile("workbook-other-format", file=file, format="Word, PowerPoint")
        self.relations = self._relations(self.part)
        properties = child(self.root, "workbookPr")
        self.from_1904 = properties is not None and properties.get("date1904") in ("1", "true")

    @property
    def sha(self) -> str:
        return self.package.sha

    @cached_property
    def sheets(self) -> dict[str, str]:
        """The part of each worksheet by the name on its tab (chart sheets are none)."""
        found: dict[str, str] = {}
        sheets = child(self.root, "sheets")
        for sheet in sheets if sheets is not None else ():
            number = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
            relation = self.relations.get(number)
            if relation is not None and relation.kind == "worksheet":
                found[sheet.get("name", "")] = relation.part
        return found

    def sheet(self, tab: str) -> str | None:
        """The part of the tab called so, or that we knew by this name before the team renamed it; letter case and outer
        blanks do not matter if no other tab is meant.
        """
        if tab in self.sheets:
            return self.sheets[tab]
        alike = [part for name, part in self.sheets.items() if name.strip().casefold() == tab.strip().casefold()]
        if alike:
            return alike[0] if len(alike) == 1 else None
        now = renamed_tab(self.root, tab)
        return self.sheets.get(now) if now is not None else None

    def tab(self, part: str) -> str:
        """The name on the tab of a sheet's part."""
        return next(name for name, other in self.sheets.items() if other == part)

    def sheet_xml(self, part: str) -> bytes:
        return settled(self.package.read(part), self.file)

    @cached_property
    def styles_part(self) -> str:
        found = [relation.part for relation in self.relations.values() if relation.kind == "styles"]
        return found[0] if found else posixpath.join(folder_of(self.part), "styles.xml")

    @cached_property
    def styles(self) -> Styles:
        part = self.styles_part
        return Styles(self.package.read(part) if part in self.package else None, self.file)

    @cached_property
    def strings(self) -> list[str]:
        for relation in self.relations.values():
            if relation.kind == "sharedStrings" and relation.part in self.package:
                xml = settled(self.package.read(relation.part), self.file)
                return shared_strings(xml, prefix_of(xml))
        return []

    def tables(self, sheet_part: str) -> list[TablePart]:
        """The tables of a sheet, the largest first."""
        parts = [relation.part for relation in self._relations(sheet_part).values() if relation.kind == "table"]
        found = [self._table(part) for part in parts if part in self.package]
        return sorted((table for table in found if table), key=lambda table: -(table.area.right - table.area.left + 1))

    def has_formulas(self, part: str, xml: bytes) -> bool:
        """Whether any sheet has a formula; `xml` is the sheet `part`, which need not be read again."""
        if any(relation.kind == "calcChain" for relation in self.relations.values()):
            return True
        others = (other for other in self.sheets.values() if other != part and other in self.package)
        return _has_formula(xml) or any(_has_formula(self.package.read(other)) for other in others)

    def changed(self, *edits: Callable[[Any], bool]) -> dict[str, Pieces]:
        """`workbook.xml` after `edits`, each of which says whether it changed the tree; nothing if none did."""
        root = parsed(self.package.read(self.part), self.file)
        made = [edit(root) for edit in edits]
        return {self.part: [serialised(root)]} if any(made) else {}

    def styles_parts(self) -> dict[str, Pieces]:
        """`styles.xml` as it has become, and what must say that it exists if it did not."""
        parts: dict[str, Pieces] = {self.styles_part: [self.styles.xml()]}
        if self.styles_part not in self.package:
            parts |= self.announced(self.styles_part, "styles", STYLES_TYPE)[1]
        return parts

    def announced(self, part: str, kind: str, content_type: str) -> tuple[str, dict[str, Pieces]]:
        """A new part made known to the workbook: the id of its relation, and the two parts that say so."""
        path = relations_path(self.part)
        relations = parsed(self.package.read(path), self.file)
        taken = {element.get("Id") for element in relations}
        number = next(f"rId{n}" for n in range(len(taken) + 1, 2 * len(taken) + 3) if f"rId{n}" not in taken)
        of_sheets = next(
            (element.get("Type", "") for element in relations if element.get("Type", "").endswith("/worksheet")), ""
        )
        base = of_sheets.removesuffix("worksheet") or TRANSITIONAL_RELATIONS
        target = posixpath.relpath(part, folder_of(self.part))
        etree.SubElement(relations, namesake(relations, "Relationship"), Id=number, Type=base + kind, Target=target)
        types = parsed(self.package.read(CONTENT_TYPES), self.file)
        etree.SubElement(types, namesake(types, "Override"), PartName=f"/{part}", ContentType=content_type)
        return number, {path: [serialised(relations)], CONTENT_TYPES: [serialised(types)]}

    def _table(self, part: str) -> TablePart | None:
        root = parsed(self.package.read(part), self.file)
        where = area(root.get("ref", ""))
        if where is None:
            return None
        calculated: dict[int, str] = {}
        columns = child(root, "tableColumns")
        for offset, column in enumerate(columns if columns is not None else ()):
            formula = child(column, "calculatedColumnFormula")
            if formula is not None and formula.get("array") not in ("1", "true"):
                calculated[where.left + offset] = formula.text or ""
        return TablePart(
            part, where, int(root.get("headerRowCount", 1)), int(root.get("totalsRowCount", 0)), calculated
        )

    def targets(self, part: str) -> dict[str, str]:
        """Where a part's relations lead outside the workbook, by their ids."""
        path = relations_path(part)
        relations = parsed(self.package.read(path), self.file) if path in self.package else ()
        return {one.get("Id", ""): one.get("Target", "") for one in relations if one.get("TargetMode") == "External"}

    def _relations(self, part: str) -> dict[str, Relation]:
        folder, path = posixpath.dirname(part), relations_path(part)
        if path not in self.package:
            return {}
        found = {}
        for element in parsed(self.package.read(path), self.file):
            if element.get("TargetMode") != "External":
                target = element.get("Target", "")
                found[element.get("Id", "")] = Relation(
                    element.get("Type", "").rpartition("/")[2],
                    target.lstrip("/")
                    if target.startswith("/")
                    else posixpath.normpath(posixpath.join(folder, target)),
                )
        return found
