"""Where new rows go, and what a team has prepared for them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from lxml import etree

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes, Formula, NewColumn
from tests.connectors.sheet_contract import TAB, cell, new_row, read, write
from tests.connectors.test_excel import excel
from tests.connectors.test_excel_features import parts
from tests.connectors.test_excel_odd import workbook

PERSON = ("Inès", "ines@example.org", 3, None)
COLUMNS: list[dict[str, Any]] = [
    {"header": "Nom"},
    {"header": "Courriel"},
    {"header": "Visites"},
    {"header": "Total", "formula": "=Public[[#This Row],[Visites]]*2"},
]


def made(folder: Path, fill: Callable[[Any, Any], None]) -> Excel:
    book = xlsxwriter.Workbook(folder / "Contacts.xlsx")
    page = book.add_worksheet(TAB)
    page.write_row(0, 0, [column["header"] for column in COLUMNS])
    fill(book, page)
    book.close()
    return excel(folder)


def people(page: Any, rows: int) -> None:
    for row in range(1, rows + 1):
        page.write_row(row, 0, [f"Personne {row}", f"p{row}@example.org", row])


def added(sheet: Excel, count: int = 1) -> list[list[Any]]:
    """The rows of a tab after people were added, by calamine; what of them was refused is an error."""
    table = read(sheet)
    batches = write(sheet, table, Changes(rows=[new_row(table, f"P{n}", PERSON) for n in range(count)]))
    assert [refused.code for refused in batches[0].refused if refused.code != "sheet-formula"] == []
    return python_calamine.CalamineWorkbook.from_path(sheet.path).get_sheet_by_name(TAB).to_python()


def test_formulas_filled_down_below_the_people_wait_for_new_ones(tmp_path: Path) -> None:
    def fill(_book: Any, page: Any) -> None:
        people(page, 3)
        for row in range(1, 9):
            page.write_formula(row, 3, f'=IF(C{row + 1}="","",C{row + 1}*2)', None, row * 2 if row < 4 else "")

    sheet = made(tmp_path, fill)
    before = parts(sheet.path)["xl/worksheets/sheet1.xml"]
    rows = added(sheet, 2)
    assert [row[0] for row in rows[3:]] == ["Personne 3", "Inès", "Inès"]
    assert read(sheet).rows[3].cells[3] == Formula('IF(C5="","",C5*2)')
    assert parts(sheet.path)["xl/worksheets/sheet1.xml"].count(b"<f>") == before.count(b"<f>")


def test_boxes_without_a_tick_wait_for_people_too(tmp_path: Path) -> None:
    """Boxes set down to row 20, as Google's download and Excel's own boxes have them."""

    def fill(_book: Any, page: Any) -> None:
        people(page, 3)
        page.write_string(0, 4, "Pause")
        for row in range(1, 20):
            page.write_boolean(row, 4, row == 2)

    sheet = made(tmp_path, fill)
    table = read(sheet)
    write(sheet, table, Changes(rows=[new_row(table, "P9", (*PERSON, None))]))
    assert [(row.cells[0], row.cells[4]) for row in read(sheet).rows[2:5]] == [
        ("Personne 3", False), ("Inès", False), (None, False)
    ]  # fmt: skip


def test_when_the_prepared_rows_are_full_formulas_go_on(tmp_path: Path) -> None:
    def fill(_book: Any, page: Any) -> None:
        people(page, 3)
        page.data_validation(1, 2, 4, 2, {"validate": "integer", "criteria": ">=", "value": 0})
        for row in range(1, 5):
            page.write_formula(row, 3, f"=C{row + 1}*2", None, row * 2)

    sheet = made(tmp_path, fill)
    rows = added(sheet, 3)
    assert [row[0] for row in rows[1:]] == ["Personne 1", "Personne 2", "Personne 3", "Inès", "Inès", "Inès"]
    assert [row.cells[3] for row in read(sheet).rows[3:]] == [
        Formula("C5*2", 8), Formula("C6*2"), Formula("C7*2")
    ]  # fmt: skip
    assert b'sqref="C2:C7"' in parts(sheet.path)["xl/worksheets/sheet1.xml"], "the validation went past the people"


def test_a_sum_below_the_people_is_no_place_for_one(tmp_path: Path) -> None:
    def fill(_book: Any, page: Any) -> None:
        people(page, 3)
        page.write_formula(4, 2, "=SUM(C2:C4)", None, 6)

    rows = added(made(tmp_path, fill))
    assert rows[4][2] == 6
    assert rows[5][0] == "Inès"


def test_a_tab_made_of_formulas_gets_its_rows_below(tmp_path: Path) -> None:
    """Names drawn from another tab by formulas: they are people, not prepared rows."""

    def fill(book: Any, page: Any) -> None:
        people(book.add_worksheet("Liste"), 3)
        for row in range(1, 4):
            page.write_formula(row, 0, f"=Liste!A{row + 1}", None, f"Personne {row}")

    sheet = made(tmp_path, fill)
    assert [row[0] for row in added(sheet)[1:4]] == [f"Personne {row}" for row in range(1, 4)]
    assert read(sheet).rows[3].cells[1] == "ines@example.org"


def test_a_table_with_empty_rows_is_filled_from_its_first(tmp_path: Path) -> None:
    sheet = made(tmp_path, lambda _book, page: page.add_table(0, 0, 4, 3, {"name": "Public", "columns": COLUMNS}))
    assert [row[0] for row in added(sheet, 6)[1:]] == ["Inès"] * 6
    assert all(isinstance(row.cells[3], Formula) for row in read(sheet).rows)
    table = etree.fromstring(parts(sheet.path)["xl/tables/table1.xml"])
    assert table.get("ref") == "A1:E7", "with our key column"
    assert b"$A$2:$D$5" not in parts(sheet.path)["xl/workbook.xml"]


def test_a_calculated_column_goes_on_though_the_last_row_has_a_value_of_its_own(tmp_path: Path) -> None:
    def fill(_book: Any, page: Any) -> None:
        page.add_table(0, 0, 3, 3, {"name": "Public", "columns": COLUMNS})
        people(page, 3)
        page.write_number(3, 3, 99)

    sheet = made(tmp_path, fill)
    added(sheet)
    assert [row.cells[3] for row in read(sheet).rows[2:]] == [99, Formula("Public[[#This Row],[Visites]]*2")]


def test_the_only_row_of_a_tab_hands_on_its_validation_and_format(tmp_path: Path) -> None:
    def fill(book: Any, page: Any) -> None:
        people(page, 1)
        page.data_validation(1, 2, 1, 2, {"validate": "integer", "criteria": ">=", "value": 0})
        page.conditional_format(1, 2, 1, 2, {"type": "cell", "criteria": ">", "value": 9, "format": book.add_format()})
        page.add_sparkline(1, 6, {"range": f"{TAB}!C2:D2"})
        page.print_area(0, 0, 1, 3)

    sheet = made(tmp_path, fill)
    added(sheet)
    xml = parts(sheet.path)["xl/worksheets/sheet1.xml"].decode()
    assert xml.count('sqref="C2:C3"') == 2
    assert "<xm:sqref>G2</xm:sqref>" in xml
    assert f"{TAB}!$A$1:$D$3</definedName>" in parts(sheet.path)["xl/workbook.xml"].decode()


def test_the_table_of_a_query_keeps_the_columns_of_its_query(tmp_path: Path) -> None:
    """Excel would call a column that the query does not know damage: ours stand beside the table."""

    def fill(_book: Any, page: Any) -> None:
        page.add_table(0, 0, 2, 3, {"name": "Public", "columns": COLUMNS})
        people(page, 2)

    sheet = made(tmp_path, fill)
    contents = parts(sheet.path)
    table = contents["xl/tables/table1.xml"]
    contents["xl/tables/table1.xml"] = table.replace(
        b' totalsRowShown="0"', b' tableType="queryTable" totalsRowShown="0"'
    )
    with zipfile.ZipFile(sheet.path, "w") as book:
        for name, content in contents.items():
            book.writestr(name, content)
    added(sheet)
    after = sheet.add_columns(read(sheet), [NewColumn("Signaux", "text", "flags")])
    assert [column.header for column in after.columns] == ["Nom", "Courriel", "Visites", "Total", "Signaux"]
    grown: Any = etree.fromstring(parts(sheet.path)["xl/tables/table1.xml"])
    assert (grown.get("ref"), len(grown.find("{*}tableColumns"))) == ("A1:D4", 4)


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        ("mailto:p1@example.org", False),
        ("mailto:P1%40example.org?subject=Bonjour", False),
        ("mailto:bureau@example.org", True),
        ("https://example.org/fiches/1", True),
    ],
)
def test_a_link_goes_only_with_the_address_that_it_was_made_of(tmp_path: Path, target: str, stays: bool) -> None:  # noqa: FBT001  pytest gives it
    def fill(_book: Any, page: Any) -> None:
        people(page, 2)
        page.write_url(1, 1, target, string="p1@example.org")
        page.write_url(2, 1, "mailto:p2@example.org", string="p2@example.org")

    sheet = made(tmp_path, fill)
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, 1, "new@example.org"), cell(table, 1, 0, "Roy")]))
    links = etree.fromstring(parts(sheet.path)["xl/worksheets/sheet1.xml"]).iter("{*}hyperlink")
    assert [link.get("ref") for link in links] == (["B2", "B3"] if stays else ["B3"])


def test_parts_named_with_backslashes_and_in_other_letters(tmp_path: Path) -> None:
    """As exports of older .NET programs name them; Excel opens these files."""
    sheet = workbook(tmp_path)
    contents = {name.replace("/", "\\").replace("xl", "XL"): content for name, content in parts(sheet.path).items()}
    with zipfile.ZipFile(sheet.path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in contents.items():
            book.writestr(name, content)
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
    assert read(sheet).rows[0].cells[0] == "Zoë"
    after = parts(sheet.path)
    assert list(after) == list(contents)
    assert {name for name in after if after[name] != contents[name]} == {"XL\\sheet.xml"}


def test_styles_with_nothing_in_them(tmp_path: Path) -> None:
    sheet = workbook(tmp_path)
    contents = parts(sheet.path)
    contents["xl/sheet.xml"] = re.sub(rb' s="\d"', b"", contents["xl/sheet.xml"])
    contents["xl/styles.xml"] = b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    with zipfile.ZipFile(sheet.path, "w") as book:
        for name, content in contents.items():
            book.writestr(name, content)
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, 2, date(2024, 5, 6))]))
    assert read(sheet).rows[0].cells[2] == date(2024, 5, 6)
    formats: Any = etree.fromstring(parts(sheet.path)["xl/styles.xml"]).find("{*}cellXfs")
    assert [one.get("numFmtId") for one in formats] == ["0", "14"]
