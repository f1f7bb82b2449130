"""Workbooks that LibreOffice and Google saved.

`files/libreoffice.xlsx` is LibreOffice's own work (from `files/libreoffice.fods`; `make test-real` makes it anew). Google's
is built here as its downloads are: no dimension, an empty list of names, 1,000 rows with a height, numbers as `1.0`, an
empty drawing, ranges with `$`, and a part of its own (seen in the downloads among PhpSpreadsheet's and ClosedXML's tests).
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
import python_calamine

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes, Formula, KeyWrite, NewColumn, Table
from tests.connectors.sheet_contract import TAB, cell, new_row, read, write
from tests.connectors.test_excel import excel
from tests.connectors.test_excel_features import parts
from tests.connectors.test_excel_kept import cells, elements

BY_LIBREOFFICE = Path(__file__).with_name("files") / "libreoffice.xlsx"
SHEET = "xl/worksheets/sheet1.xml"
OURS = {SHEET, "xl/workbook.xml", "xl/styles.xml"}
INES = ("Inès Roy", "new@example.org", date(2026, 2, 3), 6, "oui", 90, None)

FEATURES = {
    "pivot table": ("xl/pivotTables/pivotTable1.xml", b'name="Pilote"'),
    "its cache": ("xl/pivotCache/pivotCacheDefinition1.xml", b"worksheetSource"),
    "its records": ("xl/pivotCache/pivotCacheRecords1.xml", b"<r>"),
    "box to tick": ("xl/ctrlProps/ctrlProps2.xml", b"CheckBox"),
    "note": ("xl/comments1.xml", "À rappeler".encode()),
    "where it shows": ("xl/drawings/vmlDrawing1.vml", b"ObjectType"),
    "shape": ("xl/drawings/drawing1.xml", b"Saison 2026"),
    "rich text": ("xl/sharedStrings.xml", b"<rPr>"),
    "matrix formula": ("xl/worksheets/sheet2.xml", b't="array"'),
    "links": ("xl/worksheets/_rels/sheet1.xml.rels", b"mailto:zoe@example.org"),
}
IN_THE_TAB = ("sheetPr", "sheetViews", "pageSetup", "headerFooter", "rowBreaks", "drawing", "legacyDrawing")


def everything(sheet: Excel, table: Table) -> None:
    """Two cells, a key for each row, two people and a column."""
    keys = [KeyWrite(row.ref, f"P{row.ref}") for row in table.rows]
    row = new_row(table, "P9", INES)
    tags = {column.ref: field for column, field in zip(table.columns, ("name", "email", "last_visit"), strict=False)}
    changes = Changes(keys, [cell(table, 0, 1, "=1+1"), cell(table, 2, 2, date(2026, 1, 9))], [row, row], tags)
    write(sheet, table, changes)
    sheet.add_columns(read(sheet), [NewColumn("Signaux", "text", "flags")])


@pytest.fixture(scope="module")
def libreoffice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, bytes], Excel]:
    """Its parts as LibreOffice wrote them, and the workbook after our changes."""
    folder = tmp_path_factory.mktemp("libreoffice")
    shutil.copy(BY_LIBREOFFICE, folder / "Contacts.xlsx")
    sheet = excel(folder)
    everything(sheet, read(sheet))
    return parts(BY_LIBREOFFICE), sheet


@pytest.mark.parametrize("feature", FEATURES)
def test_what_libreoffice_wrote_stays(libreoffice: tuple[Mapping[str, bytes], Excel], feature: str) -> None:
    before, sheet = libreoffice
    part, sign = FEATURES[feature]
    assert sign in before[part]
    assert parts(sheet.path)[part] == before[part]


@pytest.mark.parametrize("name", IN_THE_TAB)
def test_what_libreoffice_said_of_the_tab_stays(libreoffice: tuple[Mapping[str, bytes], Excel], name: str) -> None:
    before, sheet = libreoffice
    assert elements(before[SHEET], name)
    assert elements(parts(sheet.path)[SHEET], name) == elements(before[SHEET], name)


def test_libreoffices_ranges_grow_and_its_cells_stay(libreoffice: tuple[Mapping[str, bytes], Excel]) -> None:
    before, sheet = libreoffice
    after = parts(sheet.path)
    assert {name for name in after if after[name] != before.get(name)} == OURS
    was, now = cells(before[SHEET]), cells(after[SHEET])
    changed = {place for place in was if now[place] != was[place]}
    assert changed == {"B2", "C4"}
    assert {place for place in set(now) - set(was) if place[0] not in "HI"} == {
        f"{column}{row}" for row in (8, 9) for column in "ABCDEFG"
    }
    tab, book = after[SHEET].decode(), after["xl/workbook.xml"].decode()
    for grown in ('<autoFilter ref="A1:I9"', 'sqref="D2:D9"', 'sqref="F2:F9"', 'sqref="E2:E9"', "<xm:sqref>F2:F9<"):
        assert grown in tab
    assert re.findall(r"Contacts!\$A\$1:\$[A-Z]\$\d+<", book) == ["Contacts!$A$1:$G$9<", "Contacts!$A$1:$I$9<"]
    assert "Contacts!$D$2:$D$7<" in book, "a name of the team's own"
    assert "mailto:" not in tab
    assert not elements(after[SHEET], "hyperlinks")
    assert read(sheet).rows[-1].cells[6] == Formula("F9/D9")


def by_google(folder: Path) -> Excel:
    """Five people in a tab as Google Sheets downloads it."""
    people = "".join(
        f'<row r="{n}"><c r="A{n}" s="1" t="s"><v>{n + 2}</v></c><c r="B{n}" s="1" t="s"><v>{n + 7}</v></c>'
        f'<c r="C{n}" s="2"><v>{45000 + n}.0</v></c><c r="D{n}" s="1"><v>{n}.0</v></c><c r="E{n}" s="1" t="b"><v>0</v></c>'
        f'<c r="F{n}" s="1"><f{" t=" + chr(34) + "shared" + chr(34) + f" ref={chr(34)}F2:F6{chr(34)} si={chr(34)}1{chr(34)}" if n == 2 else ""}'
        f">D{n}*2</f><v>{n * 2}</v></c></row>"
        for n in range(2, 7)
    )
    empty = "".join(
        f'<row r="{n}" ht="15.75" customHeight="1"><c r="E{n}" s="1" t="b"><v>0</v></c></row>' for n in range(7, 1001)
    )
    words = [
        "Nom",
        "Courriel",
        "Vu le",
        "Visites",
        *(f"Personne {n}" for n in range(2, 7)),
        *(f"p{n}@example.org" for n in range(2, 7)),
        "Pause",
        "Total",
    ]
    headers = "".join(
        f'<c r="{column}1" s="1" t="s"><v>{number}</v></c>'
        for column, number in zip("ABCDEF", (0, 1, 2, 3, 14, 15), strict=True)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    extra = f'xmlns="{main}" xmlns:r="{office}" xmlns:mx="http://schemas.microsoft.com/office/mac/excel/2008/main"'
    contents = {
        "xl/drawings/drawing1.xml": f'{head}<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"/>',
        "xl/worksheets/sheet1.xml": f'{head}<worksheet {extra}><sheetPr><outlinePr summaryBelow="0" summaryRight="0"/></sheetPr><sheetViews>'
        '<sheetView workbookViewId="0"/></sheetViews><sheetFormatPr customHeight="1" defaultColWidth="12.63" defaultRowHeight="15.75"/>'
        f'<sheetData><row r="1">{headers}</row>{people}{empty}</sheetData><autoFilter ref="$A$1:$F$1000"/>'
        '<dataValidations><dataValidation type="custom" allowBlank="1" showErrorMessage="1" sqref="D2:D1000"><formula1>D2&gt;=0</formula1>'
        '</dataValidation></dataValidations><drawing r:id="rId1"/></worksheet>',
        "xl/worksheets/_rels/sheet1.xml.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/drawing" '
        'Target="../drawings/drawing1.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'{head}<sst xmlns="{main}" count="{len(words)}" uniqueCount="{len(words)}">'
        + "".join(f"<si><t>{word}</t></si>" for word in words) + "</sst>",
        "xl/styles.xml": f'{head}<styleSheet xmlns="{main}"><numFmts count="1"><numFmt numFmtId="164" formatCode="d/m/yyyy"/></numFmts><fonts count="1">'
        '<font><sz val="10.0"/><name val="Arial"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill>'
        '<patternFill patternType="lightGray"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf borderId="0" '
        'fillId="0" fontId="0" numFmtId="0"/></cellStyleXfs><cellXfs count="3"><xf borderId="0" fillId="0" fontId="0" numFmtId="0" xfId="0"/>'
        '<xf borderId="0" fillId="0" fontId="0" numFmtId="0" xfId="0" applyAlignment="1"><alignment readingOrder="0"/></xf><xf borderId="0" '
        'fillId="0" fontId="0" numFmtId="164" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/metadata": "H4sIAAAAAAAA",
        "xl/workbook.xml": f'{head}<workbook {extra}><workbookPr/><sheets><sheet state="visible" name="{TAB}" sheetId="1" r:id="rId4"/></sheets>'
        '<definedNames/><calcPr/><extLst><ext uri="GoogleSheetsCustomDataVersion2"><go:sheetsCustomData '
        'xmlns:go="http://customooxmlschemas.google.com/" r:id="rId5" roundtripDataChecksum="S/a4P="/></ext></extLst></workbook>',
        "xl/_rels/workbook.xml.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="rId2" Type="{office}/styles" '
        f'Target="styles.xml"/><Relationship Id="rId3" Type="{office}/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId4" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId5" '
        'Type="http://customschemas.google.com/relationships/workbookmetadata" Target="metadata"/></Relationships>',
        "_rels/.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'{head}<Types xmlns="{package}/content-types"><Default ContentType="application/xml" Extension="xml"/>'
        '<Default ContentType="application/vnd.openxmlformats-package.relationships+xml" Extension="rels"/>'
        + "".join(
            f'<Override ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml" PartName="/xl/{name}.xml"/>'
            for name, kind in {
                "workbook": "spreadsheetml.sheet.main", "worksheets/sheet1": "spreadsheetml.worksheet",
                "styles": "spreadsheetml.styles", "sharedStrings": "spreadsheetml.sharedStrings", "drawings/drawing1": "drawing",
            }.items()
        )
        + '<Override ContentType="application/binary" PartName="/xl/metadata"/></Types>',
    }  # fmt: skip
    with zipfile.ZipFile(folder / "Contacts.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in contents.items():
            book.writestr(name, content)
    return excel(folder)


def test_a_download_from_google_is_read_and_written(tmp_path: Path) -> None:
    sheet = by_google(tmp_path)
    before = parts(sheet.path)
    table = read(sheet)
    assert [column.header for column in table.columns] == ["Nom", "Courriel", "Vu le", "Visites", "Pause", "Total"]
    assert table.rows[0].cells == ["Personne 2", "p2@example.org", date(2023, 3, 17), 2, False, Formula("D2*2", 4)]
    row = new_row(table, "P9", ("Inès Roy", "=1+1", date(2026, 2, 3), 6, None, None))
    changes = Changes([KeyWrite("2", "P2")], [cell(table, 1, 2, date(2026, 1, 9))], [row, row], {"B": "email"})
    write(sheet, table, changes)
    after = parts(sheet.path)
    assert {name for name in after if after[name] != before.get(name)} <= OURS
    rows = python_calamine.CalamineWorkbook.from_path(sheet.path).get_sheet_by_name(TAB).to_python()
    assert rows[2][:4] == ["Personne 3", "p3@example.org", date(2026, 1, 9), 3]
    assert [line[:5] for line in rows[6:8]] == [["Inès Roy", "=1+1", date(2026, 2, 3), 6, False]] * 2
    assert rows[8][0] == ""
    assert read(sheet).rows[6].cells[5] == Formula("D8*2")
    assert (
        '<definedName name="_filrouge.email" comment="Courriel" localSheetId="0" hidden="1">'
        in after["xl/workbook.xml"].decode()
    )
    assert elements(after["xl/workbook.xml"], "extLst") == elements(before["xl/workbook.xml"], "extLst")
