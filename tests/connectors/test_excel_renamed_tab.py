"""A tab of ours is found again though the team calls it otherwise now; a copy of it is never taken for it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes
from tests.connectors.sheet_contract import COLUMNS, PEOPLE, TAB, cell, filled, new_row, read, write
from tests.connectors.test_excel import excel
from tests.connectors.test_excel_marks import FIELDS, marked, rewritten, tags

AWKWARD = ["Public", "L'été 2026", "A1", "a_b.c", "Été !A1", "名簿", "x" * 31]


@pytest.fixture
def sheet(tmp_path: Path) -> Excel:
    """Three people in a tab that we marked with our last batch."""
    sheet = excel(tmp_path)
    marked(sheet, filled(sheet, PEOPLE))
    return sheet


def in_the_book(sheet: Excel, change: Callable[[Any], object]) -> None:
    book = openpyxl.load_workbook(sheet.path)
    change(book)
    book.save(sheet.path)


def points(names: Any, old: str, new: str) -> None:
    for name in names.values():
        name.attr_text = name.attr_text.replace(f"'{old}'!", f"'{new}'!")


def called(sheet: Excel, old: str, new: str) -> None:
    """Renamed in Excel: the names follow."""

    def change(book: Any) -> None:
        quoted = [tab.replace("'", "''") for tab in (old, new)]
        points(book.defined_names, *quoted)
        points(book[old].defined_names, *quoted)
        book[old].title = new

    in_the_book(sheet, change)


def copied(sheet: Excel, tab: str, new: str) -> None:
    """Copied in Excel or LibreOffice: each name becomes one of the copy's own, at its first place in line."""

    def change(book: Any) -> None:
        spare = book.copy_worksheet(book[tab])
        spare.title = new
        for name in [*book.defined_names.values(), *book[tab].defined_names.values()]:
            spare.defined_names[name.name] = copy(name)
        points(spare.defined_names, tab, new)
        book.move_sheet(spare, -1)

    in_the_book(sheet, change)


def removed(sheet: Excel, tab: str) -> None:
    def change(book: Any) -> None:
        points(book.defined_names, tab, "#REF")
        del book[tab]

    in_the_book(sheet, change)


def rewrite(sheet: Excel) -> None:
    table = read(sheet)
    columns = zip(table.columns, FIELDS, strict=True)
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë!")], tags={one.ref: field for one, field in columns}))


@pytest.mark.parametrize("name", AWKWARD)
def test_a_renamed_tab_is_read_and_written_as_ever(sheet: Excel, name: str) -> None:
    called(sheet, TAB, name)
    table = read(sheet)
    assert [row.key for row in table.rows] == ["P0", "P1", "P2"]
    assert sheet.create(TAB, COLUMNS) == table, "nothing is to be made"
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")], rows=[new_row(table, "P9", PEOPLE[0])]))
    assert [row.key for row in read(sheet).rows] == ["P0", "P1", "P2", "P9"]
    assert [tab.name for tab in sheet.tabs()] == [name]
    rewrite(sheet)
    called(sheet, name, "Encore")
    assert len(read(sheet).rows) == 4
    in_the_book(sheet, lambda book: book["Encore"].cell(1, 2, "E-mail"))
    assert tags(sheet)["E-mail"] == "email"


def test_as_libreoffice_saves_it(sheet: Excel) -> None:
    """Not hidden, and without quotes that nobody needs."""
    called(sheet, TAB, "Public")
    rewritten(sheet, lambda xml: xml.replace(' hidden="1"', "").replace("'Public'!", "Public!"))
    assert len(read(sheet).rows) == 3


def test_the_mark_is_made_once(sheet: Excel) -> None:
    before = openpyxl.load_workbook(sheet.path).defined_names
    assert [(name.name, name.hidden, name.attr_text) for name in before.values()] == [
        ("_filrouge_tab.contacts_contacts", True, "'Contacts'!$1:$1048576")
    ]
    rewrite(sheet)
    assert openpyxl.load_workbook(sheet.path).defined_names == before


@pytest.mark.parametrize("then", [lambda sheet: called(sheet, TAB, "Archive"), lambda sheet: removed(sheet, TAB)])
def test_a_tab_that_was_copied_before_waits(sheet: Excel, then: Callable[[Excel], None]) -> None:
    """Do they go on with the copy, or with what is called otherwise now?"""
    copied(sheet, TAB, "Contacts (2)")
    assert len(read(sheet).rows) == 3, "while both are there the name tells"
    then(sheet)
    assert sheet.read(TAB) is None


def test_a_copy_from_before_our_last_batch_leaves_no_doubt(sheet: Excel) -> None:
    copied(sheet, TAB, "Contacts (2)")
    rewrite(sheet)
    called(sheet, TAB, "Public")
    assert read(sheet).rows[0].cells[0] == "Zoë!"


def test_a_renamed_tab_may_be_copied_once_we_wrote_there(sheet: Excel) -> None:
    called(sheet, TAB, "Public")
    rewrite(sheet)
    copied(sheet, "Public", "Public (2)")
    assert read(sheet).rows[0].cells[0] == "Zoë!"
    called(sheet, "Public", "Archive")
    assert sheet.read(TAB) is None


def test_a_tab_of_the_old_name_is_the_one(sheet: Excel) -> None:
    called(sheet, TAB, "Archive")
    in_the_book(sheet, lambda book: book.create_sheet(TAB))
    assert read(sheet).rows == []
    filled(sheet, PEOPLE[:2])
    rewrite(sheet)
    called(sheet, TAB, "Public")
    assert len(read(sheet).rows) == 2


def test_a_tab_that_took_the_name_of_another_of_ours_is_that_one(sheet: Excel) -> None:
    table = sheet.create("À faire", COLUMNS)
    write(sheet, table, Changes(rows=[new_row(table, "P7", PEOPLE[0])], tags={"A": "first_name"}))
    removed(sheet, "À faire")
    called(sheet, TAB, "À faire")
    assert sheet.read(TAB) is None


@pytest.mark.parametrize("lost", [True, False])
def test_where_the_mark_is_lost_or_left_behind_it_is_not_found(sheet: Excel, *, lost: bool) -> None:
    def change(book: Any) -> None:
        book[TAB].title = "Public"
        if lost:
            book.defined_names.clear()

    in_the_book(sheet, change)
    assert sheet.read(TAB) is None
