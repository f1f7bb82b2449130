"""The engine on a real workbook, edited in between as a team edits it (here by openpyxl)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from connectors.sheets.excel import Excel, ExcelSettings
from connectors.source import Setting
from sync.sheet import journal
from sync.sheet.undo import undo
from sync.store import Store
from tests.sync.sheet.conftest import PEOPLE
from tests.sync.sheet.excel_team import ExcelTeam
from tests.sync.sheet.office import START, TAB, Office

NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "Contacts.xlsx"


@pytest.fixture
def excel(store: Store, book: Path) -> Office:
    setting = replace(Setting("sheet", book.parent), now=lambda: NOW)
    sheet = Excel(ExcelSettings(file=book.name), setting)
    return Office(store, sheet, people={code: dict(person) for code, person in PEOPLE.items()})


def edit(book: Path, act: Callable[[Worksheet], None]) -> None:
    workbook = openpyxl.load_workbook(book)
    act(workbook[TAB.name])
    workbook.save(book)


def shown(book: Path) -> list[dict[str, object]]:
    rows = openpyxl.load_workbook(book)[TAB.name].iter_rows(values_only=True)
    headers = next(rows)
    return [
        {str(h): v for h, v in zip(headers, row, strict=True) if h != "Fil rouge" and v is not None} for row in rows
    ]


def place(sheet: Worksheet, header: str) -> int:
    return next(i for i, cell in enumerate(sheet[1], 1) if cell.value == header)


def put(sheet: Worksheet, name: str, header: str, value: str | int) -> None:
    row = next(i for i, row in enumerate(sheet.iter_rows(), 1) if any(cell.value == name for cell in row))
    sheet.cell(row, place(sheet, header)).value = value


def test_a_workbook_is_made_kept_up_and_left_alone_on_a_quiet_day(excel: Office, book: Path) -> None:
    assert excel.run().rows_added == 3
    assert shown(book)[0] == {
        "Courriel": "lea@example.org",
        "Prénom": "Léa",
        "Dernière visite": datetime.combine(date(2026, 1, 3), datetime.min.time()),
        "Visites": 4,
    }
    before = book.read_bytes()
    assert excel.run().written == 0
    assert excel.run().look.unread
    assert book.read_bytes() == before


def test_what_the_team_does_in_the_workbook_stands(excel: Office, book: Path) -> None:
    excel.run()

    def act(sheet: Worksheet) -> None:
        put(sheet, "lea@example.org", "Prénom", "Léa-Marie")
        put(sheet, "tom@example.org", "Visites", 40)
        put(sheet, "zoe@example.org", "Visites", "=1+1")
        sheet.cell(1, 9).value = "Notes"
        sheet.cell(2, 9).value = "au premier rang"
        sheet.insert_rows(2)
        sheet.cell(2, place(sheet, "Courriel")).value = "ada@example.org"

    edit(book, act)
    excel.people["a1"]["visits"] = 5
    done = excel.run()
    assert (done.keys_given, done.put_back, excel.corrections["a1", "first_name"]) == (1, 1, "Léa-Marie")
    rows = {row.get("Courriel"): row for row in shown(book)}
    assert (rows["lea@example.org"]["Prénom"], rows["lea@example.org"]["Visites"]) == ("Léa-Marie", 5)
    assert rows["lea@example.org"]["Notes"] == "au premier rang"
    assert rows["tom@example.org"]["Visites"] == 0
    assert rows["zoe@example.org"]["Visites"] == "=1+1"
    assert len(rows) == 4
    before = book.read_bytes()
    assert excel.run().written == 0
    assert book.read_bytes() == before


def test_a_renamed_header_and_a_renamed_tab_are_nothing_to_speak_of(store: Store, tmp_path: Path) -> None:
    team = ExcelTeam(tmp_path)
    office = Office(store, team, people={code: dict(person) for code, person in PEOPLE.items()})
    office.run()
    team.rename(TAB.name, "Visites", "Nombre de venues")
    team.move_column(TAB.name, "Prénom", 3)
    team.rename_tab(TAB.name, "Public")
    office.people["a1"] |= {"visits": 9, "last_visit": date(2026, 3, 1)}
    done = office.run()
    assert (done.written, done.gates) == (2, ())
    page = openpyxl.load_workbook(team.path)["Public"]
    assert page.cell(2, place(page, "Nombre de venues")).value == 9
    before = team.raw
    assert office.run().written == 0
    assert team.raw == before


@pytest.mark.parametrize(("program", "copied"), [("excel", True), ("openpyxl", False), ("google", False)])
def test_where_nothing_surely_tells_a_renamed_tab_waits(
    store: Store, tmp_path: Path, program: str, *, copied: bool
) -> None:
    team = ExcelTeam(tmp_path, program=program)
    office = Office(store, team, people={code: dict(person) for code, person in PEOPLE.items()})
    office.run()
    if copied:
        team.copy_tab(TAB.name)
    team.rename_tab(TAB.name, "Public")
    before = team.raw
    assert [gate.code for gate in office.run().gates] == ["sheet-gone"]
    assert team.raw == before


def test_hostile_values_are_read_as_they_were_written(excel: Office, book: Path) -> None:
    names = [
        "=HYPERLINK(1)",
        "+33 6",
        "-1",
        "@x",
        "007",
        "1e5",
        "TRUE",
        "  a  b ",
        "a\nb",
        "\x00x\x07",
        "😀\ufffe",
        "_x000D_",
        "é",
    ]
    excel.people = {f"h{i}": {"first_name": name, "last_visit": date(1880, 1, 1 + i)} for i, name in enumerate(names)}
    excel.run()
    before = book.read_bytes()
    done = excel.run()
    assert (done.written, done.put_back, done.look.edits) == (0, 0, ())
    assert book.read_bytes() == before


def test_a_run_can_be_undone_in_the_workbook(excel: Office, book: Path) -> None:
    excel.run()
    excel.people["a1"] |= {"visits": 5, "last_visit": date(2026, 3, 1)}
    assert excel.run().written == 2
    _, done = undo(excel.store, excel.sheet, TAB, 2, 3, START)
    assert done.written == 2
    assert (shown(book)[0]["Visites"], shown(book)[0]["Dernière visite"]) == (4, datetime(2026, 1, 3))  # noqa: DTZ001  a cell has no zone
    assert {line.kind for line in journal.of_run(excel.store, 3)} == {"undone"}
