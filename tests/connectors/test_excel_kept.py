"""What Fil rouge has never heard of is afterwards as it was: parts of the file byte for byte, elements of the tab too.

The workbook is `grafts.grafted`: XlsxWriter's, with the parts that no free program writes grafted in after their schemas.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from datetime import date
from typing import Any

import openpyxl
import pytest
import python_calamine
from lxml import etree

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes, Formula, KeyWrite, NewColumn
from tests.connectors.grafts import MAIN, PEOPLE, SHEET, grafted
from tests.connectors.sheet_contract import cell, new_row, read, write
from tests.connectors.test_excel import excel
from tests.connectors.test_excel_features import parts

TABLE, WORKBOOK, STYLES = "xl/tables/table1.xml", "xl/workbook.xml", "xl/styles.xml"
LAST, NEW_LAST = PEOPLE + 1, PEOPLE + 3

IN_PARTS = {
    "slicer of a table": ("xl/slicers/slicer1.xml", b"Slicer_Notes"),
    "its cache": ("xl/slicerCaches/slicerCache1.xml", b"tableSlicerCache"),
    "timeline": ("xl/timelines/timeline1.xml", b"<timeline "),
    "threaded comments": ("xl/threadedComments/threadedComment1.xml", b"parentId"),
    "the people who comment": ("xl/persons/person.xml", b"providerId"),
    "notes": ("xl/comments1.xml", b"Un fil"),
    "a drop-down list on the tab": ("xl/ctrlProps/ctrlProp1.xml", b'objectType="Drop"'),
    "another workbook": ("xl/externalLinks/externalLink1.xml", b"externalBook"),
    "where it lies": ("xl/externalLinks/_rels/externalLink1.xml.rels", b"External"),
    "a connection": ("xl/connections.xml", b"webPr"),
    "a query": ("xl/queryTables/queryTable1.xml", b"connectionId"),
    "custom XML": ("customXml/item1.xml", b"2025-2026"),
    "its map": ("xl/xmlMaps.xml", b"SchemaID"),
    "a signature": ("_xmlsignatures/origin.sigs", b""),
    "the printer's settings": ("xl/printerSettings/printerSettings1.bin", b"\x07\x08"),
    "a property of the tab": ("xl/customProperty1.bin", b"F\0i\0"),
    "pictures in cells": ("xl/richData/rdrichvalue.xml", b"<rv "),
    "which cells show them": ("xl/metadata.xml", b"XLRICHVALUE"),
    "boxes to tick": ("xl/featurePropertyBag/featurePropertyBag.xml", b"Checkbox"),
    "a picture in the page's head": ("xl/drawings/vmlDrawing2.vml", b"image"),
    "a picture": ("xl/media/image1.png", b"PNG"),
    "phonetic guides": ("xl/sharedStrings.xml", "トウキョウ".encode()),
}
IN_THE_TAB = (
    "sheetPr", "sheetViews", "sheetFormatPr", "sheetProtection", "scenarios", "dataConsolidate", "customSheetViews",
    "phoneticPr", "pageMargins", "pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches",
    "drawing", "legacyDrawing", "legacyDrawingHF", "controls", "tableParts",
)  # fmt: skip
IN_THE_WORKBOOK = ("workbookProtection", "bookViews", "sheets", "externalReferences", "customWorkbookViews", "extLst")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, bytes], Mapping[str, bytes], Excel]:
    """The parts before and after two cells, two rows, a key for each row and a column; and the sheet."""
    folder = tmp_path_factory.mktemp("kept")
    grafted(folder / "Contacts.xlsx")
    sheet = excel(folder)
    before = parts(sheet.path)
    table = read(sheet)
    row = new_row(table, "P9", ("=1+1", "ines@example.org", date(2026, 2, 3), 12, "oui", None))
    keys = [KeyWrite(row.ref, f"P{row.ref}") for row in table.rows]
    cells = [cell(table, 1, 1, "new@example.org"), cell(table, 2, 3, 30)]
    write(sheet, table, Changes(keys, cells, [row, row]))
    sheet.add_columns(read(sheet), [NewColumn("Signaux", "text", "flags")])
    return before, parts(sheet.path), sheet


Written = tuple[Mapping[str, bytes], Mapping[str, bytes], Excel]


def root(xml: bytes) -> Any:
    return etree.fromstring(xml)


def elements(xml: bytes, name: str) -> list[bytes]:
    return [etree.tostring(found, method="c14n") for found in root(xml).findall(f"{{{MAIN}}}{name}")]


def cells(xml: bytes) -> dict[str, bytes]:
    return {one.get("r"): etree.tostring(one, method="c14n") for one in root(xml).iter(f"{{{MAIN}}}c")}


@pytest.mark.parametrize("feature", IN_PARTS)
def test_byte_for_byte(written: Written, feature: str) -> None:
    before, after, _ = written
    part, sign = IN_PARTS[feature]
    assert sign in before[part]
    assert after[part] == before[part]


@pytest.mark.parametrize("name", IN_THE_TAB)
def test_element_of_the_tab(written: Written, name: str) -> None:
    before, after, _ = written
    assert elements(before[SHEET], name)
    assert elements(after[SHEET], name) == elements(before[SHEET], name)


@pytest.mark.parametrize("name", IN_THE_WORKBOOK)
def test_element_of_the_workbook(written: Written, name: str) -> None:
    before, after, _ = written
    assert elements(before[WORKBOOK], name)
    assert elements(after[WORKBOOK], name) == elements(before[WORKBOOK], name)


def test_nothing_but_our_parts_changes(written: Written) -> None:
    before, after, _ = written
    assert {name for name in after if after[name] != before.get(name)} == {SHEET, TABLE, WORKBOOK, STYLES}
    assert list(after) == list(before)


def test_in_the_tab_only_our_cells_change(written: Written) -> None:
    before, after, _ = written
    was, now = cells(before[SHEET]), cells(after[SHEET])
    ours = {place for place in now if now[place] != was.get(place)}
    key, flags = "J", "K"
    assert ours == {
        "B3", "D4", f"{key}1", f"{flags}1", *(f"{key}{row}" for row in range(2, NEW_LAST + 1)),
        *(f"{column}{row}" for column in "ABCDEF" for row in range(LAST + 1, NEW_LAST + 1)),
    }  # fmt: skip
    assert set(was) <= set(now)


def test_what_follows_the_rows_reaches_the_new_ones(written: Written) -> None:
    _, after, _ = written
    tab, book = after[SHEET].decode(), after[WORKBOOK].decode()
    assert f'sqref="E2:E{NEW_LAST}"' in tab
    assert re.search(rf'<protectedRange [^>]*sqref="A2:F{NEW_LAST}"', tab)
    assert f"<xm:sqref>D2:D{NEW_LAST}</xm:sqref>" in tab
    assert f"Contacts!$A$1:$F${NEW_LAST}</definedName>" in book
    grown = root(after[TABLE])
    assert grown.get("ref") == f"A1:F{NEW_LAST}"
    assert grown.find(f"{{{MAIN}}}autoFilter").get("ref") == f"A1:F{NEW_LAST}"


def test_a_link_that_was_made_of_the_old_address_goes_with_it(written: Written) -> None:
    before, after, _ = written
    assert elements(before[SHEET], "hyperlinks")
    assert not elements(after[SHEET], "hyperlinks")


def test_others_read_what_we_wrote(written: Written) -> None:
    _, _, sheet = written
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl says what it would lose
        page: Any = openpyxl.load_workbook(sheet.path)["Contacts"]
    rows = python_calamine.CalamineWorkbook.from_path(sheet.path).get_sheet_by_name("Contacts").to_python()
    assert rows[2][:4] == ["Personne 2", "new@example.org", date(2025, 1, 2), 2]
    assert rows[3][:4] == ["東京", "p3@example.org", date(2025, 1, 3), 30]
    for row in (LAST + 1, NEW_LAST):
        assert rows[row - 1][:5] == ["=1+1", "ines@example.org", date(2026, 2, 3), 12, "oui"]
        assert page.cell(row, 6).value == "=Public[[#This Row],[Visites]]*2"
    assert read(sheet).rows[-1].cells[5] == Formula("Public[[#This Row],[Visites]]*2")
