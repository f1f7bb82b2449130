"""Workbooks written by hand or by other programs, with everything the standard allows and nobody expects."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes, Formula, KeyWrite
from connectors.trouble import FixFile
from tests.connectors.sheet_contract import TAB, cell, new_row, read, write
from tests.connectors.test_excel import excel

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT, STRICT_RELATIONS = (
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
STYLES = (
    '<styleSheet xmlns="{main}"><numFmts count="1"><numFmt numFmtId="164" formatCode="[$-40C]d\\ mmmm\\ yyyy;@"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/><xf numFmtId="164"/><xf numFmtId="22"/>'
    '<xf numFmtId="46"/></cellXfs></styleSheet>'
)
STRINGS = (
    '<sst xmlns="{main}"><si><t>Nom</t></si><si><t>Courriel</t></si><si><t xml:space="preserve"> Roy </t></si>'
    "<si><r><rPr><b/></rPr><t>Cô</t></r><r><t>té &amp; fils</t></r></si>"
    '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si><si><t>a_x000D_b_x005F_x0041_</t></si>'
    "<si/></sst>"
)
ROWS = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>Vu le</t></is></c></row>'
    '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c><c r="C2" s="1"><v>45000</v></c></row>'
    '<row r="3"><c r="A3" t="s"><v>4</v></c><c r="B3" t="s"><v>5</v></c><c r="C3" s="2"><v>45000.5</v></c></row>'
    '<row r="5"><c r="A5" t="b"><v>1</v></c><c r="B5" t="e"><v>#N/A</v></c><c r="C5"><v>1.5E3</v></c></row>'
)
VALUES = [
    [" Roy ", "Côté & fils", date(2023, 3, 15)],
    ["東京", "a\rb_x0041_", datetime(2023, 3, 15, 12)],  # noqa: DTZ001  cells have no zone
    [True, "#N/A", 1500],
]


def workbook(folder: Path, rows: str = ROWS, *, main: str = MAIN, relations: str = RELATIONS, sheet: str = "", properties: str = "",
             around: str = "{}", strings: str = STRINGS) -> Excel:  # fmt: skip
    """A workbook of one tab, as small as the standard lets it be."""
    sheet = sheet or HEAD + f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
    contents = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType='
        '"application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + "".join(
            f'<Override PartName="/xl/{name}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
            for name, kind in (
                ("workbook", "sheet.main"),
                ("sheet", "worksheet"),
                ("styles", "styles"),
                ("sharedStrings", "sharedStrings"),
            )
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{relations}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type='
        f'"{relations}/worksheet" Target="/xl/sheet.xml"/><Relationship Id="rId2" Type="{relations}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}">{properties}<sheets><sheet name="{TAB}" sheetId="1" '
        'r:id="rId1"/></sheets></workbook>',
        "xl/styles.xml": STYLES.format(main=main),
        "xl/sharedStrings.xml": strings.format(main=main),
        "xl/sheet.xml": around.format(sheet),
    }
    with zipfile.ZipFile(folder / "Contacts.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in contents.items():
            book.writestr(name, content)
    return excel(folder)


def by_openpyxl(sheet: Excel) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl misses the default style
        return openpyxl.load_workbook(sheet.path)[TAB]


def prefixed(folder: Path) -> Excel:
    rows = re.sub(r"<(/?)(\w)", r"<\1x:\2", ROWS)
    return workbook(folder, sheet=f'{HEAD}<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{rows}</x:sheetData></x:worksheet>',
                    strings=re.sub(r"<(/?)(\w)", r"<\1y:\2", STRINGS).replace("xmlns=", "xmlns:y="))  # fmt: skip


def unnumbered(folder: Path) -> Excel:
    rows = re.sub(r' r="[A-Z]*[0-4]"', "", ROWS)
    return workbook(folder, rows)


def other_order(folder: Path) -> Excel:
    rows = (
        re.sub(r'<c r="(\w+)" (\w)="(\w+)">', r"<c \2='\3'  r = '\1' >", ROWS)
        .replace("</c>", "</c >")
        .replace("</row>", "</row\n>")
    )
    return workbook(folder, rows.replace("<row ", "<row spans='1:3' x='a&gt;b>c' ").replace("<v>", "\n<v>"))


def commented(folder: Path) -> Excel:
    rows = ROWS.replace('<row r="3">', '<!-- <row r="3"><c r="A3"/></row> --><?odd <row?><row r="3">')
    return workbook(folder, rows.replace("<t>Vu le</t>", "<t><![CDATA[Vu le]]></t>"))


def utf16(folder: Path) -> Excel:
    shown = workbook(folder)
    with zipfile.ZipFile(shown.path) as book:
        contents = {name: book.read(name) for name in book.namelist()}
    contents["xl/sheet.xml"] = contents["xl/sheet.xml"].decode().replace('"UTF-8"', '"UTF-16"').encode("utf-16")
    with zipfile.ZipFile(shown.path, "w") as book:
        for name, content in contents.items():
            book.writestr(name, content)
    return shown


def strict(folder: Path) -> Excel:
    return workbook(folder, main=STRICT, relations=STRICT_RELATIONS)


def marked(folder: Path) -> Excel:
    return workbook(folder, around="\ufeff{}")


ODD: dict[str, Callable[[Path], Excel]] = {
    "plain": workbook,
    "prefixed": prefixed,
    "without r": unnumbered,
    "strict": strict,
    "in another order": other_order,
    "with comments": commented,
    "UTF-16": utf16,
    "UTF-8 with a mark": marked,
}


@pytest.mark.parametrize("name", ODD)
def test_it_is_read(tmp_path: Path, name: str) -> None:
    table = read(ODD[name](tmp_path))
    assert [column.header for column in table.columns] == ["Nom", "Courriel", "Vu le"]
    assert [row.cells for row in table.rows] == VALUES
    assert [row.ref for row in table.rows] == ["2", "3", "5"]


@pytest.mark.parametrize("name", ODD)
def test_it_is_written(tmp_path: Path, name: str) -> None:
    sheet = ODD[name](tmp_path)
    table = read(sheet)
    changes = Changes(
        [KeyWrite("3", "P3")],
        [cell(table, 0, 0, "=1+1"), cell(table, 2, 2, date(2024, 5, 6)), cell(table, 1, 2, None)],
        [new_row(table, "P9", ("Zoé", None, date(2024, 7, 8)))],
    )
    write(sheet, table, changes)
    after = read(sheet)
    assert [row.cells for row in after.rows] == [
        ["=1+1", *VALUES[0][1:]], [*VALUES[1][:2], None], [*VALUES[2][:2], date(2024, 5, 6)], ["Zoé", None, date(2024, 7, 8)]
    ]  # fmt: skip
    assert [row.key for row in after.rows] == [None, "P3", None, "P9"]
    assert [row.ref for row in after.rows] == ["2", "3", "5", "6"]
    if name != "strict":  # calamine reads strict workbooks as empty
        rows = python_calamine.CalamineWorkbook.from_path(sheet.path).get_sheet_by_name(TAB).to_python()
        assert rows[1][:3] == ["=1+1", "Côté & fils", date(2023, 3, 15)]
        assert rows[5][:4] == ["Zoé", "", date(2024, 7, 8), "P9"]
    if name == "strict":  # openpyxl finds no sheet in one
        return
    page = by_openpyxl(sheet)
    assert page["A6"].value == "Zoé"
    assert page["A2"].data_type != "f"


def test_the_calendar_of_1904(tmp_path: Path) -> None:
    sheet = workbook(tmp_path, properties='<workbookPr date1904="1"/>')
    table = read(sheet)
    assert table.rows[0].cells[2] == date(2027, 3, 16)
    changes = Changes(cells=[cell(table, 0, 2, date(1904, 1, 2)), cell(table, 1, 2, date(1903, 12, 31))])
    write(sheet, table, changes)
    assert [row.cells[2] for row in read(sheet).rows[:2]] == [date(1904, 1, 2), "1903-12-31"]
    assert by_openpyxl(sheet)["C2"].value == datetime(1904, 1, 2)  # noqa: DTZ001  cells have no zone


def test_days_that_never_were_and_times_of_day(tmp_path: Path) -> None:
    serials = {
        "60": "1900-02-29",
        "61": date(1900, 3, 1),
        "1": date(1900, 1, 1),
        "-3": -3,
        "0": 0,
        "2958466": 2958466,
        "59": date(1900, 2, 28),
    }
    rows = "".join(f'<row r="{n}"><c r="A{n}" s="1"><v>{serial}</v></c></row>' for n, serial in enumerate(serials, 2))
    times = '<row r="20"><c r="A20" s="3"><v>1.5</v></c></row><row r="21"><c r="A21" t="d"><v>2024-05-06T07:08:09</v></c></row>'
    table = read(workbook(tmp_path, '<row r="1"><c r="A1" t="str"><v>Vu le</v></c></row>' + rows + times))
    assert [row.cells[0] for row in table.rows] == [*serials.values(), "36:00", datetime(2024, 5, 6, 7, 8, 9)]  # noqa: DTZ001  cells have no zone


def test_shared_formulas_are_told_apart(tmp_path: Path) -> None:
    rows = ROWS + (
        '<row r="6"><c r="A6"><v>1</v></c><c r="D6"><f t="shared" ref="D6:D8" si="0">A6*$A$6+SUM(B$1:B6)&amp;"A6"</f><v>1</v></c></row>'
        '<row r="7"><c r="A7"><v>1</v></c><c r="D7"><f t="shared" si="0"/><v>2</v></c></row><row r="8"><c r="A8"><v>1</v></c><c r="D8" t="str"><f t="shared" si="0"/><v>x</v></c></row>'
    )
    rows = rows.replace("</row>", '<c r="D1" t="str"><v>Total</v></c></row>', 1)
    sheet = workbook(tmp_path, rows)
    table = read(sheet)
    assert [row.cells[3] for row in table.rows[3:]] == [
        Formula('A6*$A$6+SUM(B$1:B6)&"A6"', 1), Formula('A7*$A$6+SUM(B$1:B7)&"A6"', 2), Formula('A8*$A$6+SUM(B$1:B8)&"A6"', "x")
    ]  # fmt: skip
    write(sheet, table, Changes(rows=[new_row(table, "P1", ("Zoé", None, None, None))]))
    assert read(sheet).rows[-1].cells[3] == Formula('A9*$A$6+SUM(B$1:B9)&"A6"')


def test_an_empty_tab_has_no_columns(tmp_path: Path) -> None:
    for body in ("<sheetData/>", "<sheetData></sheetData>", '<sheetData><row r="3"/></sheetData>'):
        table = read(workbook(tmp_path, sheet=f'{HEAD}<worksheet xmlns="{MAIN}">{body}</worksheet>'))
        assert (table.columns, table.rows) == ([], [])


@pytest.mark.parametrize(
    "sheet",
    [
        '<!DOCTYPE w [<!ENTITY a "x">]><worksheet xmlns="m"><sheetData><row><c t="str"><v>&a;</v></c></row></sheetData></worksheet>',
        '<worksheet xmlns="m"><sheetData><row r="2"/><row r="1"/></sheetData></worksheet>',
        '<worksheet xmlns="m"><sheetData><row r="2"><c r="A2"><v>1</v>',
        '<worksheet xmlns="m"><sheetData><row><c t="s"><v>99</v></c></row></sheetData></worksheet>',
        "<worksheet/>",
        "",
    ],
)
def test_what_is_broken_inside_is_refused(tmp_path: Path, sheet: str) -> None:
    with pytest.raises(FixFile, match="workbook-damaged"):
        workbook(tmp_path, sheet=sheet or " ").read(TAB)


def test_a_workbook_without_styles_gets_them_with_its_first_date(tmp_path: Path) -> None:
    sheet = workbook(tmp_path)
    with zipfile.ZipFile(sheet.path) as book:
        contents = {name: book.read(name) for name in book.namelist() if name != "xl/styles.xml"}
    contents["xl/_rels/workbook.xml.rels"] = re.sub(
        rb'<Relationship Id="rId2"[^>]*>', b"", contents["xl/_rels/workbook.xml.rels"]
    )
    contents["[Content_Types].xml"] = re.sub(
        rb'<Override PartName="/xl/styles[^>]*>', b"", contents["[Content_Types].xml"]
    )
    contents["xl/sheet.xml"] = re.sub(rb' s="\d"', b"", contents["xl/sheet.xml"])
    with zipfile.ZipFile(sheet.path, "w") as book:
        for name, content in contents.items():
            book.writestr(name, content)
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, 2, date(2024, 5, 6))]))
    assert read(sheet).rows[0].cells[2] == date(2024, 5, 6)
    assert by_openpyxl(sheet)["C2"].value == datetime(2024, 5, 6)  # noqa: DTZ001  cells have no zone


def test_a_total_row_is_no_person_and_is_not_pushed_away(tmp_path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(tmp_path / "Contacts.xlsx")
    page = book.add_worksheet(TAB)
    page.add_table("A1:B4", {"total_row": True, "columns": [{"header": "Nom", "total_string": "Total"}, {"header": "Visites", "total_function": "sum"}]})  # fmt: skip
    page.write("A2", "Roy")
    book.close()
    sheet = excel(tmp_path)
    table = read(sheet)
    assert [row.cells for row in table.rows] == [["Roy", None]]
    batches = write(sheet, table, Changes(rows=[new_row(table, f"P{n}", (f"N{n}", n)) for n in range(3)]))
    assert [(refused.key, refused.code) for refused in batches[0].refused] == [
        ("P1", "sheet-no-room"),
        ("P2", "sheet-no-room"),
    ]
    assert [row.key for row in batches[0].changes.rows] == ["P0"]
    assert by_openpyxl(sheet)["A4"].value == "Total"


def test_cells_under_a_merged_one_are_refused(tmp_path: Path) -> None:
    body = f'<sheetData>{ROWS}</sheetData><mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'
    sheet = workbook(tmp_path, sheet=f'{HEAD}<worksheet xmlns="{MAIN}">{body}</worksheet>')
    table = read(sheet)
    batches = write(sheet, table, Changes(cells=[cell(table, 0, 0, "x"), cell(table, 1, 0, "y")]))
    assert [(refused.row, refused.code) for refused in batches[0].refused] == [("3", "sheet-merged")]
    assert [row.cells[0] for row in read(sheet).rows[:2]] == ["x", "東京"]
