"""The team renames a header of its workbook, moves the column, and prepares rows: the run goes on with it."""

from __future__ import annotations

from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from tests.thread.small import LINES, Small, line

NEW = (line(6, "Jeanne Exemple", "Le Cid", "05/03/2026"), line(7, "Inès Côté", "Le Cid", "05/03/2026"))


def headers(page: Any) -> dict[Any, int]:
    return {cell.value: cell.column for cell in page[1]}


def test_a_renamed_column_goes_on_and_nobody_has_to_say_so(small: Small) -> None:
    small.run()
    book = openpyxl.load_workbook(small.folder / "Contacts.xlsx")
    page: Any = book["Contacts"]
    page.cell(1, headers(page)["Visites"]).value = "Venues"
    book.save(small.folder / "Contacts.xlsx")
    small.export((*LINES, *NEW))
    done = small.run()
    assert done.code == 0, done.said + done.erred
    assert {row["Prénom"]: row["Venues"] for row in small.rows()} == {"Jeanne": 3, "Awa": 2, "Luc": 0, "Inès": 1}
    small.edit("Awa", "Venues", 9)
    assert small.run().code == 0
    assert small.row("Awa")["Venues"] == 2, "put back, as in any column of ours"


@pytest.mark.parametrize("names", ["kept", "lost"])
def test_where_the_marks_are_lost_a_renamed_column_waits(small: Small, names: str) -> None:
    small.run()
    book = openpyxl.load_workbook(small.folder / "Contacts.xlsx")
    page: Any = book["Contacts"]
    page.cell(1, headers(page)["Visites"]).value = "Venues"
    if names == "lost":
        page.defined_names.clear()
    book.save(small.folder / "Contacts.xlsx")
    small.export((*LINES, *NEW))
    done = small.run()
    assert ("Venues" in done.said) is (names == "lost"), done.said
    assert small.row("Jeanne")["Venues"] == (2 if names == "lost" else 3)


def test_a_renamed_tab_goes_on_and_so_does_what_is_told_of_it(small: Small) -> None:
    small.run()
    book = openpyxl.load_workbook(small.folder / "Contacts.xlsx")
    book["Contacts"].title = "Public 2026"
    for mark in book.defined_names.values():
        mark.attr_text = mark.attr_text.replace("'Contacts'!", "'Public 2026'!")
    book.save(small.folder / "Contacts.xlsx")
    small.export((*LINES, *NEW))
    done = small.run()
    assert done.code == 0, done.said + done.erred
    assert {row["Prénom"]: row["Visites"] for row in small.rows("Public 2026")}["Jeanne"] == 3
    assert "Contacts" not in openpyxl.load_workbook(small.folder / "Contacts.xlsx").sheetnames
    before = (small.folder / "Contacts.xlsx").read_bytes()
    assert small.run().code == 0
    assert (small.folder / "Contacts.xlsx").read_bytes() == before


def test_a_new_person_goes_where_the_team_filled_its_formula_down(small: Small) -> None:
    small.run()
    book = openpyxl.load_workbook(small.folder / "Contacts.xlsx")
    page: Any = book["Contacts"]
    column = page.max_column + 1
    page.cell(1, column).value = "Par visite"
    places = {header: get_column_letter(place) for header, place in headers(page).items()}
    for row in range(2, 40):
        page.cell(
            row, column
        ).value = f'=IF({places["Visites"]}{row}="","",{places["Dépensé"]}{row}/{places["Visites"]}{row})'
    book.save(small.folder / "Contacts.xlsx")
    small.export((*LINES, *NEW))
    done = small.run()
    assert done.code == 0, done.said + done.erred
    assert [row["Prénom"] for row in small.rows()][:4] == ["Jeanne", "Awa", "Luc", "Inès"]
    before = (small.folder / "Contacts.xlsx").read_bytes()
    small.run()
    assert (small.folder / "Contacts.xlsx").read_bytes() == before, "the next run finds everybody there"
