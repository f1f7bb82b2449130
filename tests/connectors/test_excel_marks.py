"""A column of ours is found again though its header was changed; where nobody knows, its header decides."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree

from connectors.sheets.excel import Excel
from connectors.sheets.sheet import Changes, Table
from tests.connectors.sheet_contract import COLUMNS, PEOPLE, TAB, cell, filled, new_row, read, write
from tests.connectors.test_excel import excel
from tests.connectors.test_excel_features import parts

FIELDS = [column.tag for column in COLUMNS]


@pytest.fixture
def sheet(tmp_path: Path) -> Excel:
    """Three people whose six columns we marked with our last batch."""
    sheet = excel(tmp_path)
    marked(sheet, filled(sheet, PEOPLE))
    return sheet


def marked(sheet: Excel, table: Table) -> None:
    """A batch as the engine sends it: a tag for each column that reads without one."""
    tags = {column.ref: field for column, field in zip(table.columns, FIELDS, strict=False) if column.tag is None}
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")], tags=tags))


def by_hand(sheet: Excel, change: Callable[[Any], object]) -> None:
    """A change of the tab by a program that keeps our names as they are."""
    book = openpyxl.load_workbook(sheet.path)
    change(book[TAB])
    book.save(sheet.path)


def rewritten(sheet: Excel, change: Callable[[str], str]) -> None:
    """The same workbook with `workbook.xml` as another program would write it."""
    contents = parts(sheet.path)
    contents["xl/workbook.xml"] = change(contents["xl/workbook.xml"].decode()).encode()
    with zipfile.ZipFile(sheet.path, "w") as book:
        for name, content in contents.items():
            book.writestr(name, content)


def tags(sheet: Excel) -> dict[str, str | None]:
    return {column.header: column.tag for column in read(sheet).columns}


def names(sheet: Excel) -> dict[str, tuple[str, str]]:
    """Our names: where each points, and the header that it remembers."""
    root: Any = etree.fromstring(parts(sheet.path)["xl/workbook.xml"])
    ours = [name for name in root.iter("{*}definedName") if name.get("name").startswith("_filrouge.")]
    assert all(name.get("hidden") == "1" and name.get("localSheetId") == "0" for name in ours)
    return {name.get("name").removeprefix("_filrouge."): (name.text, name.get("comment")) for name in ours}


def test_columns_are_marked_by_hidden_names_of_the_tab(sheet: Excel) -> None:
    assert names(sheet) == {
        column.tag: (f"'{TAB}'!${letter}$1", column.header) for column, letter in zip(COLUMNS, "ABCDEF", strict=True)
    }
    assert set(tags(sheet).values()) == {None}, "each header is there: nothing else need be asked"


def test_marks_once_made_are_not_made_again(sheet: Excel) -> None:
    before = parts(sheet.path)["xl/workbook.xml"]
    marked(sheet, read(sheet))
    assert parts(sheet.path)["xl/workbook.xml"] == before


def test_no_batch_is_made_for_marks_alone(tmp_path: Path) -> None:
    sheet = excel(tmp_path)
    table = filled(sheet, PEOPLE)
    assert write(sheet, table, Changes(tags={"A": "first_name"})) == []
    assert names(sheet) == {}


def test_a_changed_header_is_known(sheet: Excel) -> None:
    by_hand(sheet, lambda page: page.cell(1, 2, "E-mail"))
    assert tags(sheet)["E-mail"] == "email"
    assert [tag for tag in tags(sheet).values() if tag] == ["email"]
    marked(sheet, read(sheet))
    assert tags(sheet)["E-mail"] == "email", "also after the next batch"
    by_hand(sheet, lambda page: page.cell(1, 2, "Adresse"))
    assert tags(sheet)["Adresse"] == "email", "and when it is changed once more"


def test_excel_moves_the_name_with_its_header(sheet: Excel) -> None:
    """A column inserted at the left, one renamed: the name points at C1, as Excel and LibreOffice see to."""
    by_hand(sheet, lambda page: page.insert_cols(1))
    by_hand(sheet, lambda page: page.cell(1, 3, "E-mail"))
    following = re.compile(r"!\$([A-F])\$1<")
    rewritten(sheet, lambda xml: following.sub(lambda match: f"!${chr(ord(match[1]) + 1)}$1<", xml))
    assert {header: tag for header, tag in tags(sheet).items() if tag} == {"E-mail": "email"}
    assert read(sheet).columns[1].ref == "C"


def test_a_program_that_leaves_our_names_behind_does_no_harm(sheet: Excel) -> None:
    """With openpyxl: it inserts a column and moves no name: every name now points at the column before the one it means."""
    by_hand(sheet, lambda page: page.insert_cols(1))
    by_hand(sheet, lambda page: page.cell(1, 1, "Équipe"))
    assert set(tags(sheet).values()) == {None}
    by_hand(sheet, lambda page: page.cell(1, 3, "E-mail"))
    assert set(tags(sheet).values()) == {None}, "the name of the e-mail points at the first name, which is known"
    table = read(sheet)
    moved = {column.ref: field for column, field in zip(table.columns[1:], FIELDS, strict=True)}
    write(sheet, table, Changes(cells=[cell(table, 0, 1, "Zoé")], tags=moved))
    assert names(sheet)["email"] == (f"'{TAB}'!$C$1", "E-mail")
    assert set(tags(sheet).values()) == {None}


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: re.sub(r"<definedNames>.*</definedNames>", "", xml),
        lambda xml: re.sub(r"<definedNames>.*</definedNames>", "<definedNames/>", xml),
        lambda xml: re.sub(r"'Contacts'!\$[A-F]\$1<", "#REF!<", xml),
        lambda xml: re.sub(r"'Contacts'!(\$[A-F])\$1<", r"'Contacts'!\1$7<", xml),
        lambda xml: re.sub(r"'Contacts'!(\$[A-F]\$1)<", r"Autre!\1<", xml),
    ],
    ids=["none", "Google's empty list", "cells deleted", "another row", "another tab"],
)
def test_a_workbook_whose_names_are_lost_is_read_by_its_headers(sheet: Excel, change: Callable[[str], str]) -> None:
    rewritten(sheet, change)
    assert set(tags(sheet).values()) == {None}
    by_hand(sheet, lambda page: page.cell(1, 2, "E-mail"))
    assert set(tags(sheet).values()) == {None}
    by_hand(sheet, lambda page: page.cell(1, 2, "Courriel"))
    marked(sheet, read(sheet))
    assert names(sheet)["email"] == (f"'{TAB}'!$B$1", "Courriel")


def test_a_name_that_libreoffice_saved_still_tells(sheet: Excel) -> None:
    """LibreOffice keeps name and place, not the comment, not that it is hidden."""
    rewritten(sheet, lambda xml: re.sub(r' (comment|hidden)="[^"]*"', "", xml).replace("'Contacts'!", "Contacts!"))
    by_hand(sheet, lambda page: page.cell(1, 2, "E-mail"))
    assert tags(sheet)["E-mail"] == "email"


def test_a_header_that_stands_elsewhere_is_believed(sheet: Excel) -> None:
    by_hand(sheet, lambda page: [page.cell(1, 2, "Notes"), page.cell(1, 9, "Courriel")])
    assert set(tags(sheet).values()) == {None}


def test_two_marks_on_one_column_tell_nothing(sheet: Excel) -> None:
    rewritten(sheet, lambda xml: xml.replace("!$C$1<", "!$B$1<"))
    by_hand(sheet, lambda page: [page.cell(1, 2, "E-mail"), page.cell(1, 3, "Venue")])
    assert set(tags(sheet).values()) == {None}


def test_a_column_that_shows_another_field_now_loses_its_old_mark(sheet: Excel) -> None:
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoé")], tags={"B": "second_email"}))
    assert names(sheet)["second_email"] == (f"'{TAB}'!$B$1", "Courriel")
    assert "email" not in names(sheet)


@pytest.mark.parametrize("tab", ["L'été 2026", "Été !A1", "A1"])
def test_tabs_whose_names_want_quotes(tmp_path: Path, tab: str) -> None:
    sheet = excel(tmp_path)
    sheet.create("Autre", COLUMNS)
    sheet.create(tab, COLUMNS)
    for name in (tab, "Autre"):
        table = read(sheet, name)
        tags = {column.ref: field for column, field in zip(table.columns, FIELDS, strict=True)}
        write(sheet, table, Changes(rows=[new_row(table, "P1", PEOPLE[0])], tags=tags))
    book = openpyxl.load_workbook(sheet.path)
    book[tab]["B1"] = "E-mail"
    book.save(sheet.path)
    assert [column.tag for column in read(sheet, tab).columns] == [None, "email", None, None, None, None]
    assert {column.tag for column in read(sheet, "Autre").columns} == {None}
