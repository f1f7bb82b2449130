"""What a column of ours looks like in Google Sheets: boxes, lists and formats, made once and then the team's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.google import Google
from connectors.sheets.sheet import Changes, NewColumn, Table
from tests.connectors.sheet_contract import PEOPLE, TAB, cell, filled, new_row, read, write
from tests.connectors.test_google import google
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grid import Dimension, GridTab

WORDS = ("inscrit", "désinscrit")
LIST = {
    "condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": word} for word in WORDS]},
    "strict": False,
    "showCustomUi": True,
}
BOX = {"condition": {"type": "BOOLEAN"}, "strict": False}
DATES, BOXES, LISTS = 2, 5, 6  # columns


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


@pytest.fixture
def sheet(fake: FakeGoogle, tmp_path: Path) -> Google:
    return google(fake, tmp_path)


@pytest.fixture
def table(sheet: Google) -> Table:
    table = sheet.add_columns(filled(sheet, PEOPLE), [NewColumn("Lettre", "text", "newsletter", WORDS)])
    return add(sheet, table, "P8", "inscrit")


def add(sheet: Google, table: Table, key: str, word: str | None) -> Table:
    write(sheet, table, Changes(rows=[new_row(table, key, ("Inès", None, date(2026, 1, 2), 1, None, True, word))]))
    return read(sheet)


def offered(tab: GridTab, column: int) -> list[Any]:
    """What each row below the headers offers in a column."""
    return [row.cells.get(tab.columns[column], {}).get("dataValidation") for row in tab.rows[1 : tab.last_row()]]


def test_a_few_words_are_a_list_and_yes_or_no_a_box(fake: FakeGoogle, table: Table) -> None:
    tab = fake.document.tab(TAB)
    assert offered(tab, LISTS) == [LIST] * 4
    assert offered(tab, BOXES) == [BOX] * 4
    assert offered(tab, DATES) == [None] * 4
    assert table.rows[3].cells[BOXES:] == [True, "inscrit"]


def test_they_refuse_nothing(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    tab = fake.document.tab(TAB)
    fake.document.put(tab, 1, LISTS, {"userEnteredValue": {"stringValue": "peut-être"}})
    table = read(sheet)
    assert table.rows[0].cells[LISTS] == "peut-être"
    (batch,) = write(sheet, table, Changes(cells=[cell(table, 1, LISTS, "en attente")]))
    assert batch.refused == []
    assert read(sheet).rows[1].cells[LISTS] == "en attente"


def test_what_the_team_changes_of_them_stays(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    tab = fake.document.tab(TAB)
    theirs = {"numberFormat": {"type": "DATE", "pattern": "d mmm yyyy"}}
    for row in range(1, len(tab.rows)):
        fake.document.put(tab, row, LISTS, {"dataValidation": None})
        fake.document.put(tab, row, DATES, {"userEnteredFormat": theirs})
    fake.document.put(tab, 0, LISTS, {"note": None})
    tab.protected.clear()
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, DATES, date(2026, 3, 1)), cell(table, 0, LISTS, "inscrit")]))
    table = add(sheet, read(sheet), "P9", "désinscrit")
    sheet.add_columns(table, [NewColumn("Ville", "text", "city")])
    assert offered(tab, LISTS) == [None] * 5
    assert offered(tab, BOXES) == [BOX] * 5  # what they left alone goes on
    assert [tab.cell(row, DATES)["userEnteredFormat"] for row in (1, 5)] == [theirs, theirs]
    assert "note" not in tab.cell(0, LISTS)
    assert len(tab.protected) == 1  # of the new column's header


def test_a_strict_list_of_the_team_goes_on_and_refuses_no_new_row(fake: FakeGoogle, sheet: Google) -> None:
    strict = {"condition": LIST["condition"], "strict": True}
    tab = fake.document.tabs[0]
    tab.title = TAB
    for column, header in enumerate(("Courriel", "Lettre", "Notes")):
        fake.document.put(tab, 0, column, {"userEnteredValue": {"stringValue": header}})
    fake.document.put(tab, 1, 0, {"userEnteredValue": {"stringValue": "zoe@example.org"}})
    fake.document.put(tab, 1, 1, {"dataValidation": strict})
    fake.document.put(tab, 1, 2, {"dataValidation": BOX})
    table = read(sheet)
    write(sheet, table, Changes(rows=[new_row(table, "P1", ("ali@example.org", "en attente", None))]))
    assert read(sheet).rows[1].cells == ["ali@example.org", "en attente", None]
    assert (offered(tab, 1), offered(tab, 2)) == ([strict] * 2, [BOX] * 2)


def test_a_column_protected_against_us_is_left_out(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    tab = fake.document.tab(TAB)
    area = tab.area({"startColumnIndex": BOXES, "endColumnIndex": BOXES + 1})
    tab.protected.append((area, {"protectedRangeId": 9, "editors": {"users": ["direction@example.org"]}}))
    table = read(sheet)
    write(sheet, table, Changes(rows=[new_row(table, "P9", ("Max", None, None, None, None, None, "inscrit"))]))
    assert offered(tab, LISTS) == [LIST] * 5
    assert offered(tab, BOXES) == [BOX] * 4 + [None]


def test_boxes_that_nobody_ticked_are_no_rows(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    """Whoever inserts boxes by the menu fills the whole column with FALSE."""
    tab = fake.document.tab(TAB)
    tab.rows += [Dimension() for _ in range(40 - len(tab.rows))]
    for row in range(1, 40):
        fake.document.put(tab, row, BOXES, {"userEnteredValue": {"boolValue": False}, "dataValidation": BOX})
    table = read(sheet)
    assert [row.key for row in table.rows] == ["P0", "P1", "P2", "P8"]
    table = add(sheet, table, "P9", "inscrit")
    assert [(row.ref, row.key) for row in table.rows][3:] == [("5", "P8"), ("6", "P9")]
    table = add(sheet, table, "P10", None)
    assert [(row.ref, row.key) for row in table.rows][4:] == [("6", "P9"), ("7", "P10")]
    assert [tab.cell(row, BOXES).get("userEnteredValue") for row in (7, 41)] == [{"boolValue": False}] * 2
