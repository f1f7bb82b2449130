"""LibreOffice opens what we wrote and sees what we meant; what it saves we read and write.

apt-get install --no-install-recommends libreoffice-calc-nogui
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes, Formula
from tests.connectors.grafts import PEOPLE, grafted
from tests.connectors.sheet_contract import TAB, cell, filled, new_row, read, write
from tests.connectors.test_excel import excel
from tests.connectors.test_excel_elsewhere import BY_LIBREOFFICE, FEATURES, by_google, everything
from tests.connectors.test_excel_features import parts
from tests.connectors.test_excel_marks import by_hand, marked
from tests.connectors.workbooks import ROWS, with_everything
from tests.hostile import NAMES

pytestmark = pytest.mark.real
FOR_EXCEL = "xlsx:Calc MS Excel 2007 XML"
EVERY_TAB_AS_TEXT = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"

MODULE = """<?xml version="1.0" encoding="UTF-8"?>
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">{}
</script:module>"""
MACRO = """Sub Main
Dim how(0) As New com.sun.star.beans.PropertyValue
how(0).Name = "Hidden"
how(0).Value = True
book = StarDesktop.loadComponentFromURL("{file}", "_blank", 0, how())
tabs = book.Sheets
{acts}
Dim kind(0) As New com.sun.star.beans.PropertyValue
kind(0).Name = "FilterName"
kind(0).Value = "Calc MS Excel 2007 XML"
book.storeAsURL("{file}", kind())
book.close(True)
End Sub"""


@pytest.fixture(autouse=True, scope="module")
def _libreoffice() -> None:
    if not shutil.which("soffice"):
        pytest.fail("LibreOffice is not here: apt-get install --no-install-recommends libreoffice-calc-nogui")


def converted(path: Path, to: str, into: Path) -> Path:
    profile = (into / "profile").as_uri()
    command = [
        "soffice",
        "--headless",
        f"-env:UserInstallation={profile}",
        "--convert-to",
        to,
        "--outdir",
        str(into),
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return into


def seen(path: Path, tab: str, into: Path) -> list[list[str]]:
    """A tab as LibreOffice understands it, formulas worked out."""
    converted(path, EVERY_TAB_AS_TEXT, into)
    with (into / f"{path.stem}-{tab}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("tab", ["Contacts", "Table"])
def test_libreoffice_sees_new_rows_and_works_out_their_formulas(tmp_path: Path, tab: str) -> None:
    sheet = excel(tmp_path)
    with_everything(sheet.path)
    before = seen(sheet.path, tab, tmp_path / "before")
    table = read(sheet, tab)
    row = new_row(
        table, "P9", ("=1+1", "+33639980000", date(2026, 2, 3), 21, "007", *[None] * (len(table.columns) - 5))
    )
    write(sheet, table, Changes(cells=[cell(table, 1, 3, 500)], rows=[row]))
    after = seen(sheet.path, tab, tmp_path / "after")
    new = ROWS + 1
    assert after[new][:2] + after[new][3:6] == ["=1+1", "+33639980000", "21", "007", "42"]
    assert after[2][3] == "500"
    expected = [[*line] for line in before[:new]]
    expected[2][3] = "500"
    assert [line[:6] for line in after[1:new]] == [line[:6] for line in expected[1:]]


def test_hostile_names_are_text_to_libreoffice(tmp_path: Path) -> None:
    names = [name for key, name in NAMES.items() if key not in ("long", "nul", "controls", "newlines", "spaces")]
    sheet = excel(tmp_path)
    filled(sheet, [(name, None, None, None, None, None) for name in names])
    assert [line[0] for line in seen(sheet.path, TAB, tmp_path / "out")[1:]] == names


def test_a_workbook_saved_by_libreoffice_is_read_and_written(tmp_path: Path) -> None:
    with_everything(tmp_path / "Contacts.xlsx")
    converted(tmp_path / "Contacts.xlsx", FOR_EXCEL, tmp_path / "saved")
    sheet = excel(tmp_path / "saved")
    table = read(sheet, "Contacts")
    assert [column.header for column in table.columns][:6] == [
        "Nom",
        "Courriel",
        "Dernière visite",
        "Visites",
        "Notes",
        "Total",
    ]
    assert len(table.rows) == ROWS
    assert table.rows[0].cells[:4] == ["Personne 1", "p1@example.org", date(2025, 1, 1), 1]
    assert isinstance(table.rows[0].cells[5], Formula)
    before = parts(sheet.path)
    row = new_row(table, "P9", ("Zoé", None, date(2026, 2, 3), 21, *[None] * (len(table.columns) - 4)))
    write(sheet, table, Changes(cells=[cell(table, 1, 0, "Zoë")], rows=[row]))
    after = parts(sheet.path)
    assert {name for name in after if after[name] != before[name]} <= {"xl/worksheets/sheet1.xml", "xl/workbook.xml"}
    assert [line[0] for line in seen(sheet.path, "Contacts", tmp_path / "out")[1 : ROWS + 2]] == [
        "Personne 1", "Zoë", *(f"Personne {n}" for n in range(3, ROWS + 1)), "Zoé"
    ]  # fmt: skip


def test_among_what_no_free_program_writes_libreoffice_sees_our_cells(tmp_path: Path) -> None:
    grafted(tmp_path / "Contacts.xlsx")
    sheet = excel(tmp_path)
    before = seen(sheet.path, TAB, tmp_path / "before")
    table = read(sheet)
    row = new_row(table, "P9", ("=1+1", "ines@example.org", date(2026, 2, 3), 21, "oui", None))
    write(sheet, table, Changes(cells=[cell(table, 1, 3, 500)], rows=[row], tags={"B": "email"}))
    after = seen(sheet.path, TAB, tmp_path / "after")
    assert after[PEOPLE + 1][:2] + after[PEOPLE + 1][3:6] == ["=1+1", "ines@example.org", "21", "oui", "42"]
    assert after[2][3:6] == ["500", "", "1000"]
    assert [line[:5] for line in after[1 : PEOPLE + 1] if line[3] != "500"] == [
        line[:5] for line in before[1 : PEOPLE + 1] if line[3] != "2"
    ]


def test_what_libreoffice_writes_today_is_kept_and_it_reads_it_again(tmp_path: Path) -> None:
    """The same as `test_excel_elsewhere` tries on the kept file, on one that this LibreOffice makes from its source."""
    converted(BY_LIBREOFFICE.with_suffix(".fods"), FOR_EXCEL, tmp_path / "made")
    made = (tmp_path / "made" / "libreoffice.xlsx").rename(tmp_path / "Contacts.xlsx")
    before, sheet = parts(made), excel(tmp_path)
    everything(sheet, read(sheet))
    after = parts(sheet.path)
    assert {name for name in after if after[name] != before.get(name)} == {
        "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"
    }  # fmt: skip
    assert {part for part, _ in FEATURES.values()} <= set(after)
    lines = seen(sheet.path, TAB, tmp_path / "out")
    assert [line[:2] for line in lines[1:4]] == [
        ["Zoé Roy", "=1+1"], ["Ali Benali", "ali@example.org"], ["Inès Côté", "ines@example.org"]
    ]  # fmt: skip
    assert [(line[0], line[3], line[6]) for line in lines[7:9]] == [("Inès Roy", "6", "15")] * 2
    assert seen(sheet.path, "Bilan", tmp_path / "out")[6][:2] == ["23", "30"], "the sum that the team wrote"


def test_a_download_from_google_after_our_changes(tmp_path: Path) -> None:
    sheet = by_google(tmp_path)
    table = read(sheet)
    row = new_row(table, "P9", ("=1+1", "ines@example.org", date(2026, 2, 3), 6, None, None))
    write(sheet, table, Changes(rows=[row], tags={"B": "email"}))
    lines = seen(sheet.path, TAB, tmp_path / "out")
    assert lines[6][:2] + lines[6][3:4] + lines[6][5:6] == ["=1+1", "ines@example.org", "6", "12"]
    assert lines[5][0] == "Personne 6"


def test_a_renamed_header_is_known_after_libreoffice_saved_it(tmp_path: Path) -> None:
    sheet = excel(tmp_path)
    marked(sheet, filled(sheet, [("Zoé", "zoe@example.org", date(2025, 3, 1), 3, 45.5, True)]))
    saved: Excel = excel(converted(sheet.path, FOR_EXCEL, tmp_path / "saved"))
    by_hand(saved, lambda page: page.cell(1, 2, "E-mail"))
    assert [column.tag for column in read(saved).columns if column.header == "E-mail"] == ["email"]


@pytest.mark.parametrize(
    ("acts", "found"),
    [
        ('tabs.getByName("Contacts").Name = "L\'été 2026"', True),
        ('tabs.copyByName("Contacts", "Copie", 0)', True),
        ('tabs.copyByName("Contacts", "Copie", 0)\ntabs.getByName("Contacts").Name = "Archive"', False),
        ('tabs.copyByName("Contacts", "Copie", 0)\ntabs.removeByName("Contacts")', False),
    ],
    ids=["renamed", "copied", "copied and renamed", "copied and removed"],
)
def test_a_tab_that_libreoffice_renames_is_followed_and_no_copy_is(tmp_path: Path, acts: str, *, found: bool) -> None:
    sheet = excel(tmp_path)
    marked(sheet, filled(sheet, [("Zoé", "zoe@example.org", date(2025, 3, 1), 3, 45.5, True)]))
    was = sheet.revision(TAB)
    in_libreoffice(sheet.path, acts, tmp_path / "profile")
    assert sheet.revision(TAB) != was
    table = sheet.read(TAB)
    assert (table is not None) == found
    if table is not None:
        marked(sheet, table)
        assert [row.key for row in read(sheet).rows] == ["P0"]


def in_libreoffice(path: Path, acts: str, profile: Path) -> None:
    """Opens the workbook, does `acts` to its `tabs` (in LibreOffice's Basic), and saves it."""
    soffice = ["soffice", "--headless", f"-env:UserInstallation={profile.as_uri()}"]
    subprocess.run([*soffice, "--terminate_after_init"], check=True, capture_output=True, timeout=120)
    macro = MACRO.format(file=path.as_uri(), acts=acts)
    (profile / "user/basic/Standard/Module1.xba").write_text(MODULE.format(escape(macro)), "utf-8")
    subprocess.run([*soffice, "macro:///Standard.Module1.Main"], check=True, capture_output=True, timeout=120)


def test_it_shows_a_new_workbook_as_we_meant_it(tmp_path: Path) -> None:
    sheet = excel(tmp_path)
    filled(sheet, [("Zoé", "zoe@example.org", date(2025, 3, 1), 3, 45.5, True)])
    lines = seen(sheet.path, TAB, tmp_path / "out")
    assert lines[1][:2] == ["Zoé", "zoe@example.org"]
    assert lines[1][3] == "3"
