"""Whatever the team put into its workbook is there afterwards, byte for byte."""

from __future__ import annotations

import re
import warnings
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
from lxml import etree

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes, Formula, KeyWrite, NewColumn
from tests.connectors.sheet_contract import cell, new_row, read, write
from tests.connectors.test_excel import excel
from tests.connectors.workbooks import HEADERS, ROWS, with_everything

TABS = ("Contacts", "Table")
SHEETS = {"Contacts": "xl/worksheets/sheet1.xml", "Table": "xl/worksheets/sheet2.xml"}
CHANGED_NAME, NEW = "Zoë =1+1", ("Inès", "ines@example.org", date(2026, 2, 3), 12, "à rappeler")


@pytest.fixture(params=["Contacts.xlsx", "Contacts.xlsm"])
def sheet(request: pytest.FixtureRequest, tmp_path: Path) -> Excel:
    with_everything(tmp_path / request.param)
    return excel(tmp_path, request.param)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        return {info.filename: book.read(info) for info in book.infolist()}


def entries(path: Path) -> list[tuple[Any, ...]]:
    with zipfile.ZipFile(path) as book:
        return [(info.filename, info.date_time, info.external_attr, info.create_system) for info in book.infolist()]


def grid(path: Path, tab: str) -> dict[tuple[int, int], Any]:
    """Every cell of a tab by openpyxl: formulas as text, values as values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl says what it would lose
        page = openpyxl.load_workbook(path)[tab]
    return {
        (cell.row, cell.column): getattr(cell.value, "text", cell.value)
        for row in page.iter_rows()
        for cell in row
        if cell.value is not None
    }


@pytest.mark.parametrize("tab", TABS)
def test_a_changed_cell_changes_nothing_else(sheet: Excel, tab: str) -> None:
    before, listed = parts(sheet.path), entries(sheet.path)
    grids = {name: grid(sheet.path, name) for name in (*TABS, "Liste", "Graphiques")}
    table = read(sheet, tab)
    write(sheet, table, Changes(cells=[cell(table, 0, 0, CHANGED_NAME), cell(table, 3, 2, date(2026, 1, 2))]))
    after = parts(sheet.path)
    assert entries(sheet.path) == listed
    assert {name for name in after if after[name] != before[name]} == {SHEETS[tab]}
    grids[tab][2, 1], grids[tab][5, 3] = CHANGED_NAME, datetime(2026, 1, 2)  # noqa: DTZ001  cells have no zone
    assert {name: grid(sheet.path, name) for name in grids} == grids
    old, new = before[SHEETS[tab]], after[SHEETS[tab]]
    assert new.partition(b"</sheetData>")[2] == old.partition(b"</sheetData>")[2]
    assert new.partition(b"<sheetData>")[0] == old.partition(b"<sheetData>")[0]


@pytest.mark.parametrize("calculation", [b'<calcPr calcId="191029"/>', b""])
def test_formulas_are_worked_out_anew_when_the_workbook_opens(sheet: Excel, calculation: bytes) -> None:
    """XlsxWriter asks for it by itself; Excel's own files do not."""
    before = parts(sheet.path)
    before["xl/workbook.xml"] = re.sub(rb"<calcPr[^>]*>", calculation, before["xl/workbook.xml"])
    with zipfile.ZipFile(sheet.path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in before.items():
            book.writestr(name, content)
    table = read(sheet, "Table")
    write(sheet, table, Changes(cells=[cell(table, 0, 0, CHANGED_NAME)]))
    after = parts(sheet.path)
    assert {name for name in after if after[name] != before[name]} == {SHEETS["Table"], "xl/workbook.xml"}
    assert b'fullCalcOnLoad="1"' in after["xl/workbook.xml"]
    stripped = re.sub(rb"<calcPr[^>]*/>", b"", after["xl/workbook.xml"])
    assert _canonical(stripped) == _canonical(re.sub(rb"<calcPr[^>]*/>", b"", before["xl/workbook.xml"]))


def _canonical(xml: bytes) -> bytes:
    return etree.tostring(etree.fromstring(xml), method="c14n")


@pytest.mark.parametrize("tab", TABS)
def test_rows_are_added_in_the_look_of_the_others(sheet: Excel, tab: str) -> None:
    before = parts(sheet.path)
    table = read(sheet, tab)
    width = len(table.columns)
    row = new_row(table, "P1", (*NEW, *[None] * (width - len(NEW))))
    write(sheet, table, Changes(rows=[row, row]))
    after = parts(sheet.path)
    allowed = {SHEETS[tab], "xl/tables/table1.xml" if tab == "Table" else "xl/workbook.xml"}
    assert {name for name in after if after[name] != before[name]} == allowed
    names = re.compile(rb"(_FilterDatabase[^>]*>[^<]*)\$F\$\d+<")
    assert _canonical(names.sub(rb"\1<", after["xl/workbook.xml"])) == _canonical(
        names.sub(rb"\1<", before["xl/workbook.xml"])
    )
    cells = grid(sheet.path, tab)
    for number in (ROWS + 2, ROWS + 3):
        assert [cells.get((number, column)) for column in range(1, 6)] == [
            *NEW[:2], datetime(2026, 2, 3), *NEW[3:]  # noqa: DTZ001  cells have no zone
        ]  # fmt: skip
    assert read(sheet, tab).rows[-1].cells[: len(NEW)] == list(NEW)
    xml = after[SHEETS[tab]].decode()
    assert re.search(rf'<c r="C{ROWS + 2}" s="(\d+)"', xml)[1] == re.search(r'<c r="C2" s="(\d+)"', xml)[1]  # type: ignore[index]
    assert re.search(rf'<dimension ref="A1:[A-Z]+{ROWS + 3}"/>', xml)


def test_filter_validation_and_conditional_formats_reach_the_new_rows(sheet: Excel) -> None:
    table = read(sheet, "Contacts")
    write(sheet, table, Changes(rows=[new_row(table, "P1", (*NEW, None, *[None] * (len(table.columns) - 6)))]))
    xml = parts(sheet.path)[SHEETS["Contacts"]].decode()
    assert f'<autoFilter ref="A1:F{ROWS + 2}"/>' in xml
    names = parts(sheet.path)["xl/workbook.xml"].decode()
    assert f"Contacts!$A$1:$F${ROWS + 2}</definedName>" in names, "the filter's own name"
    assert "Contacts!$A$1:$F$20</definedName>" in names, "what is printed went further already"
    assert f'sqref="E2:E{ROWS + 2}"' in xml
    assert f'<ignoredError sqref="A1:F{ROWS + 2}"' in xml
    assert xml.count(f'<conditionalFormatting sqref="D2:D{ROWS + 2}"') == 1
    assert f"<xm:sqref>D2:D{ROWS + 2}</xm:sqref>" in xml
    assert "<xm:sqref>O2</xm:sqref>" in xml
    assert grid(sheet.path, "Contacts")[ROWS + 2, 6] == f"=D{ROWS + 2}*2"


def test_a_table_grows_with_its_rows_and_columns(sheet: Excel) -> None:
    table = read(sheet, "Table")
    write(sheet, table, Changes(rows=[new_row(table, "P1", (*NEW, None))]))
    table = sheet.add_columns(read(sheet, "Table"), [NewColumn("Signaux", "text", "flags")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl says what it would lose
        page: Any = openpyxl.load_workbook(sheet.path)["Table"]
    grown = page.tables["Public"]
    assert (grown.ref, grown.autoFilter.ref) == (f"A1:H{ROWS + 2}", f"A1:H{ROWS + 2}")
    assert [column.name for column in grown.tableColumns] == [*HEADERS, "Fil rouge", "Signaux"]
    assert [page.cell(1, column).value for column in range(1, 9)] == [*HEADERS, "Fil rouge", "Signaux"]
    assert isinstance(read(sheet, "Table").rows[-1].cells[5], Formula)
    tables = python_calamine.CalamineWorkbook.from_path(sheet.path, load_tables=True)
    assert len(tables.get_table_by_name("Public").to_python()) == ROWS + 1


def test_adoption_gives_each_row_a_key_and_widens_the_filter(sheet: Excel) -> None:
    before = parts(sheet.path)
    table = read(sheet, "Contacts")
    write(sheet, table, Changes(keys=[KeyWrite(row.ref, f"P{row.ref}") for row in table.rows]))
    assert [row.key for row in read(sheet, "Contacts").rows] == [f"P{row.ref}" for row in table.rows]
    assert [row.cells for row in read(sheet, "Contacts").rows] == [row.cells for row in table.rows]
    after = parts(sheet.path)
    assert {name for name in after if after[name] != before[name]} == {SHEETS["Contacts"]}
    marked = Changes(cells=[cell(table, 0, 0, "Zoë")], tags={table.columns[0].ref: "name"})
    write(sheet, read(sheet, "Contacts"), marked)
    names = etree.fromstring(parts(sheet.path)["xl/workbook.xml"]).iter("{*}definedName")
    assert [(name.get("name"), name.get("hidden"), name.text) for name in names if "filrouge" in name.get("name", "")] == [
        ("_filrouge.name", "1", "'Contacts'!$A$1"),
        ("_filrouge_tab.contacts_contacts", "1", "'Contacts'!$1:$1048576"),
    ]  # fmt: skip


def test_formulas_are_read_with_their_results(sheet: Excel) -> None:
    table = read(sheet, "Contacts")
    assert table.rows[0].cells[5] == Formula("D2*2", 2)
    assert table.rows[2].cells[4] == Formula("1/0", "#DIV/0!")
    assert table.rows[1].cells[4] == "un mot en gras"
    assert table.rows[3].cells[4] is True


def test_the_spill_of_an_array_is_never_written(sheet: Excel) -> None:
    table = read(sheet, "Graphiques")
    assert table.rows
    assert all(isinstance(row.cells[0], Formula) for row in table.rows if row.cells[0] is not None)
