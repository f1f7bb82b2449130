"""The tab To check: what a person should look at, with what to do; a line leaves by itself once it is settled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest

from sync.beside.addresses import meant_domain
from tests.fakes.airtable import BASE, TOKEN, FakeAirtable
from tests.fakes.google import SPREADSHEET, FakeGoogle
from tests.sync.sheet.google_team import GoogleTeam
from tests.thread.small import LINES, Small, line

SLIP = line(9, "Marc Petit", "Cyrano", "10/03/2024").replace("@example.org", "@gmial.com")
BAD = line(8, "Luc Roy", "Cyrano", "un jour")


@pytest.fixture
def phare(small: Small) -> Small:
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  check: À vérifier\n  journal: Journal\n")
    small.change("config.yaml", "Visites: visits", "Visites: visits, Ville: city, Anniversaire: birthday")
    return small


def open_lines(small: Small) -> list[dict[str, Any]]:
    return [row for row in small.rows("À vérifier") if row["Quoi"]]


def by_kind(small: Small) -> dict[str, dict[str, Any]]:
    return {row["Quoi"]: row for row in open_lines(small)}


def write(small: Small, tab: str, row: int, header: str, value: object) -> None:
    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book[tab]
    headers = {cell.value: int(cell.column or 0) for cell in sheet[1]}
    sheet.cell(row, headers.get(header) or sheet.max_column + 1).value = value  # type: ignore[assignment]  # as typed
    if header not in headers:
        sheet.cell(1, sheet.max_column).value = header
    book.save(file)


def line_of(small: Small, kind: str) -> int:
    return next(at for at, row in enumerate(small.rows("À vérifier"), 2) if row["Quoi"] == kind)


def add_rows(small: Small, *rows: dict[str, str]) -> None:
    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Contacts"]
    headers = {cell.value: int(cell.column or 0) for cell in sheet[1]}
    for row in rows:
        at = sheet.max_row + 1
        for header, value in row.items():
            sheet.cell(at, headers[header]).value = value
    book.save(file)


def test_what_was_set_aside_stands_there_with_what_to_do_until_it_is_right(phare: Small) -> None:
    phare.export((*LINES, BAD))
    phare.run()
    aside = by_kind(phare)["Mis de côté"]
    assert (aside["Constaté"], "un jour" in aside["Que faire"]) == ("billets.csv:7", True)
    phare.export((*LINES, BAD.replace("un jour", "02/05/2024")))
    phare.run()
    assert open_lines(phare) == []


def test_an_address_with_a_slip_leaves_when_it_is_corrected(phare: Small) -> None:
    phare.export((*LINES, SLIP))
    phare.run()
    slip = by_kind(phare)["Adresse"]
    assert (slip["Personne"], slip["Constaté"]) == ("Marc Petit", "marc.petit@gmial.com")
    assert "marc.petit@gmail.com" in slip["Que faire"]
    phare.edit("Marc", "Courriel", "marc.petit@gmail.com")
    phare.run()
    assert open_lines(phare) == []


def test_a_tick_says_that_it_is_right_and_the_line_does_not_come_back(phare: Small) -> None:
    phare.export((*LINES, SLIP))
    phare.run()
    write(phare, "À vérifier", line_of(phare, "Adresse"), "Vu, c'est bon", "x")
    phare.run()
    assert open_lines(phare) == []
    assert not any(row["Vu, c'est bon"] for row in phare.rows("À vérifier"))
    phare.run()
    assert open_lines(phare) == []
    assert "À vérifier" not in str(phare.rows("Journal"))
    phare.edit("Marc", "Courriel", "marc.petit@hotmial.com")
    phare.run()
    assert by_kind(phare)["Adresse"]["Constaté"] == "marc.petit@hotmial.com"


def test_two_rows_that_may_be_one_person_until_somebody_says_they_are_two(phare: Small) -> None:
    phare.run()
    person = {"Prénom": "Camille", "Nom": "Roy", "Ville": "Lyon"}
    add_rows(phare, {**person, "Courriel": "camille@example.org"})
    phare.run()
    add_rows(phare, {**person, "Courriel": "croy@example.org"})
    phare.run()
    pair = by_kind(phare)["Une seule personne ?".replace(" ?", "\u00a0?")]
    assert pair["Personne"] == "Camille Roy"
    assert {part.strip() for part in pair["Constaté"].split("/")} == {
        "camille@example.org · Lyon",
        "croy@example.org · Lyon",
    }
    write(phare, "À vérifier", line_of(phare, pair["Quoi"]), "Vu, c'est bon", "oui")
    phare.run()
    phare.run()
    assert open_lines(phare) == []


def test_two_rows_that_were_one_person_after_all(phare: Small) -> None:
    phare.run()
    person = {"Prénom": "Camille", "Nom": "Roy", "Ville": "Lyon"}
    add_rows(phare, {**person, "Courriel": "camille@example.org"}, {**person, "Courriel": "croy@example.org"})
    phare.run()
    assert len(open_lines(phare)) == 1
    last = next(at for at, row in enumerate(phare.rows(), 2) if row["Courriel"] == "croy@example.org")
    write(phare, "Contacts", last, "Courriel", "camille@example.org")
    phare.run()
    phare.run()
    (left,) = open_lines(phare)
    assert (left["Quoi"], left["Personne"]) == ("Ligne en trop", "Camille Roy")


def test_a_date_in_words_and_a_row_too_many(phare: Small) -> None:
    phare.run()
    phare.edit("Awa", "Anniversaire", "au printemps")
    add_rows(phare, {"Prénom": "Jeanne", "Nom": "Exemple", "Courriel": "jeanne.exemple@example.org"})
    phare.run()
    found = by_kind(phare)
    assert (found["Date"]["Personne"], found["Date"]["Constaté"]) == ("Awa Diallo", "au printemps")
    assert found["Ligne en trop"]["Personne"] == "Jeanne Exemple"
    phare.run()
    assert len(open_lines(phare)) == 2
    phare.edit("Awa", "Anniversaire", None)
    file = phare.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    book["Contacts"].delete_rows(book["Contacts"].max_row)
    book.save(file)
    phare.run()
    assert open_lines(phare) == []


def test_a_copied_row(phare: Small) -> None:
    phare.run()
    file = phare.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Contacts"]
    sheet.append([cell.value for cell in sheet[2]])
    book.save(file)
    phare.run()
    assert by_kind(phare)["Ligne en trop"]["Personne"]


def test_a_row_that_stands_empty_takes_the_next_line_unless_the_team_noted_something(phare: Small) -> None:
    other = BAD.replace("un jour", "un soir").replace("8;", "18;", 1)
    phare.export((*LINES, BAD, other))
    phare.run()
    write(phare, "À vérifier", 2, "Notes", "Luc appelle")
    phare.run()
    phare.export(LINES)
    phare.run()
    assert (len(phare.rows("À vérifier")), len(open_lines(phare))) == (2, 0)
    phare.export((*LINES, SLIP))
    phare.run()
    rows = phare.rows("À vérifier")
    assert [(row["Quoi"], row["Notes"]) for row in rows] == [("", "Luc appelle"), ("Adresse", "")]


def test_while_the_sheet_can_not_be_trusted_what_it_told_stays(phare: Small) -> None:
    phare.run()
    phare.edit("Awa", "Anniversaire", "au printemps")
    phare.run()
    file = phare.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    book["Contacts"].delete_rows(2, 3)
    book.save(file)
    assert phare.run().code == 7
    assert "Date" in by_kind(phare)


def test_a_quiet_run_writes_nothing(phare: Small) -> None:
    phare.export((*LINES, BAD, SLIP))
    for _ in range(3):
        phare.run()
    before = (phare.folder / "Contacts.xlsx").read_bytes()
    assert phare.run().facts["calls"]["sheet"]["write"] == 0
    assert (phare.folder / "Contacts.xlsx").read_bytes() == before


def test_only_a_slip_is_taken_for_one() -> None:
    slips = {
        "gmial.com": "gmail.com",
        "hotmal.com": "hotmail.com",
        "gmail.fr": "gmail.com",
        "laposte.ne": "laposte.net",
    }
    assert {name: meant_domain(name) for name in slips} == slips
    assert not [name for name in ("gmail.com", "mail.com", "email.com", "tree.fr", "example.org") if meant_domain(name)]


# Elsewhere -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


def test_the_same_in_google_sheets(phare: Small, google: FakeGoogle) -> None:
    key = phare.folder / "google-key.json"
    key.write_text(json.dumps(google.account))
    key.chmod(0o600)
    ours = f'  type: google\n  spreadsheet: {SPREADSHEET}\n  credentials: google-key.json\n  endpoint: "{google.url}"\n'
    phare.change("config.yaml", "  type: excel\n  file: Contacts.xlsx\n", ours)
    phare.export((*LINES, SLIP))
    phare.run()
    team = GoogleTeam(google, phare.folder)
    (row,) = team.shown("À vérifier")
    assert row["Constaté"] == "marc.petit@gmial.com"
    team.type_cell("À vérifier", team.tabs["À vérifier"].lines[0], "Vu, c'est bon", True)
    phare.run()
    phare.run()
    assert not any(
        row.get("Quoi") or row.get("Vu, c'est bon") for row in GoogleTeam(google, phare.folder).shown("À vérifier")
    )


@pytest.fixture
def airtable(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAirtable]:
    from connectors.sheets.airtables import line as airtable_line

    monkeypatch.setattr(airtable_line, "SPACING", 0.0)
    with FakeAirtable() as world:
        yield world


def test_the_same_in_airtable(phare: Small, airtable: FakeAirtable) -> None:
    ours = f'  type: airtable\n  base: {BASE}\n  token: "${{AIRTABLE_TOKEN}}"\n  endpoint: {airtable.url}\n'
    phare.change("config.yaml", "  type: excel\n  file: Contacts.xlsx\n", ours)
    phare.write(".env", f"AIRTABLE_TOKEN={TOKEN}\n")
    (phare.folder / ".env").chmod(0o600)
    phare.export((*LINES, SLIP))
    done = phare.run()
    assert done.code == 7, done.said + done.erred
    (row,) = airtable.rows("À vérifier")
    assert row["Constaté"] == "marc.petit@gmial.com"
    assert any("lignes ajoutées" in one["Pourquoi"] for one in airtable.rows("Journal"))
    grid = airtable.grid("À vérifier")
    airtable.type_cell(grid, grid.order[0], "Vu, c'est bon", True)
    phare.run()
    phare.run()
    assert not any(row.get("Quoi") or row.get("Vu, c'est bon") for row in airtable.rows("À vérifier"))
