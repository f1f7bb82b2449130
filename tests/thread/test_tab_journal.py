"""The tab Journal: every cell that was overwritten, with what stood there, who says so, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest

from connectors.trouble import GiveUp
from sync.beside import journal
from sync.sheet.journal import forget_key
from sync.sheet.land import Applied, Job, land
from sync.sheet.look import Look
from sync.sheet.plan import Plan
from sync.store import Store
from tests.fakes.google import SPREADSHEET, FakeGoogle
from tests.sync.sheet.google_team import GoogleTeam
from tests.thread.small import LINES, Small, line

AWA = line(6, "Awa Diallo", "Phèdre", "13/03/2026")
JEANNE = line(7, "Jeanne Exemple", "Phèdre", "13/03/2026")


@pytest.fixture
def phare(small: Small) -> Small:
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  outbox: Courriels\n  journal: Journal\n")
    return small


def told(small: Small) -> list[dict[str, Any]]:
    return [row for row in small.rows("Journal") if row["Quoi"]]


def about(small: Small, column: str) -> dict[str, Any]:
    """The last line about a column."""
    return [row for row in told(small) if row["Colonne"] == column][-1]


def five(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("Quoi", "Personne", "Avant", "Après", "D'après"))


def test_a_run_says_what_it_changed(phare: Small) -> None:
    phare.run()
    (run,) = told(phare)
    assert (run["Date"], run["Passage"], run["Quoi"]) == (date(2026, 3, 14), 1, "Passage")
    assert "lignes ajoutées" in run["Pourquoi"]


def test_a_cell_that_follows_a_source_says_what_stood_there_and_which_source(phare: Small) -> None:
    phare.run()
    phare.export((*LINES, AWA))
    phare.run()
    assert five(about(phare, "Visites")) == ("Remplacé", "Awa Diallo", "2", "3", "exports")
    assert five(about(phare, "Dernière visite"))[2:4] == ("1er mars 2026", "13 mars 2026")


def test_a_computed_cell_that_the_team_changed_is_told_as_put_back(phare: Small) -> None:
    phare.run()
    phare.edit("Jeanne", "Visites", 7)
    phare.run()
    assert five(about(phare, "Visites")) == ("Remis", "Jeanne Exemple", "7", "2", "exports")
    assert phare.row("Jeanne")["Visites"] == 2


def test_a_correction_and_a_cell_changed_on_both_sides(phare: Small) -> None:
    phare.run()
    phare.edit("Awa", "Visites", 9)
    phare.edit("Awa", "Prénom", "Aïcha")
    phare.export((*LINES, AWA))
    phare.run()
    assert five(about(phare, "Prénom")) == ("Votre correction", "Aïcha Diallo", "Awa", "Aïcha", "")
    assert five(about(phare, "Visites")) == ("Des deux côtés", "Aïcha Diallo", "9", "3", "exports")


def test_a_name_changed_on_both_sides_stays_the_teams_and_the_other_is_told(phare: Small) -> None:
    phare.run()
    phare.edit("Awa", "Prénom", "Aïcha")
    phare.export(tuple(one.replace(";Awa;", ";Awa-Marie;") for one in LINES))
    phare.run()
    both = about(phare, "Prénom")
    assert five(both) == ("Des deux côtés", "Aïcha Diallo", "Awa", "Aïcha", "exports")
    assert both["Pourquoi"].endswith("Awa-Marie")


def test_what_stood_in_the_sheet_before_is_told_as_kept(phare: Small) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Contacts"
    for row in (["Prénom", "Nom", "Courriel", "Visites"], ["Jeanne", "EXEMPLE", "jeanne.exemple@example.org", 40]):
        sheet.append(row)
    book.save(phare.folder / "Contacts.xlsx")
    phare.run()
    kept = about(phare, "Nom")
    assert (five(kept)[:4], kept["Pourquoi"][-7:]) == (("Gardé", "Jeanne Exemple", "", "EXEMPLE"), "Exemple")
    assert five(about(phare, "Visites")) == ("Remplacé", "Jeanne Exemple", "40", "2", "exports")
    assert {row["Colonne"] for row in told(phare) if row["Quoi"] == "Colonne"} == {
        "Dernière visite",
        "Dépensé",
        "Signaux",
    }


def test_a_flag_says_which_rule_put_it_on_and_took_it_off(phare: Small) -> None:
    phare.write("rules/public.yaml", "règles: []\n")
    phare.run()
    rules = "règles:\n" + "".join(
        f"  - nom: {name}\n    quand: {{visites: {visits}}}\n    alors:\n      - signaler: {flag}\n"
        for name, visits, flag in (("Fidèles", "2", "Fidèle"), ("Venus", "au moins 1", "Connue"))
    )
    phare.write("rules/public.yaml", rules)
    phare.run()
    on = {row["Personne"]: row for row in told(phare) if row["Colonne"] == "Signaux"}
    assert five(on["Jeanne Exemple"])[2:] == ("", "Connue, Fidèle", "règles Fidèles, Venus")
    phare.export((*LINES, JEANNE))
    phare.run()
    off = about(phare, "Signaux")
    assert five(off) == ("Remplacé", "Jeanne Exemple", "Connue, Fidèle", "Connue", "règle Fidèles")


def test_a_column_that_a_rule_sets_says_which_rule(phare: Small) -> None:
    phare.write("rules/public.yaml", "règles: []\n")
    phare.run()
    phare.write(
        "rules/public.yaml",
        "règles:\n  - nom: Fidèles\n    quand: {visites: au moins 2}\n    alors:\n      - écrire: {Statut: 'amie {{ prénom }}'}\n",
    )
    phare.run()
    found = [row for row in told(phare) if row["Colonne"] == "Statut" and row["Personne"] == "Jeanne Exemple"]
    assert five(found[-1])[2:] == ("", "amie Jeanne", "règle Fidèles")
    assert any(row["Colonne"] == "Statut" and row["Quoi"] == "Colonne" for row in told(phare))


def test_a_line_once_written_never_changes(phare: Small) -> None:
    phare.run()
    phare.edit("Jeanne", "Visites", 7)
    phare.run()
    before = told(phare)
    phare.edit("Jeanne", "Prénom", "Jeannette")
    phare.change("rules/public.yaml", "nom: Perdus de vue", "nom: Perdus\n    ancien nom: Perdus de vue")
    phare.export((*LINES, JEANNE))
    phare.run()
    assert told(phare)[: len(before)] == before


def test_a_line_that_somebody_changes_is_put_back_and_that_is_told(phare: Small) -> None:
    phare.run()
    before = told(phare)
    file = phare.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    book["Journal"]["I2"] = "rien du tout"
    book.save(file)
    phare.run()
    phare.run()
    assert told(phare)[0] == before[0]
    assert five(told(phare)[-1])[0] == "Remis"
    assert told(phare)[-1]["Avant"] == "rien du tout"


def test_what_was_set_aside_is_told_once_with_its_reason(phare: Small) -> None:
    bad = line(8, "Luc Roy", "Cyrano", "un jour")
    phare.export((*LINES, bad))
    phare.run()
    phare.export((*LINES, AWA, bad))
    phare.run()
    (aside,) = [row for row in told(phare) if row["Quoi"] == "Mis de côté"]
    assert aside["Colonne"] == "billets.csv:7"
    assert "un jour" in aside["Pourquoi"]


def test_a_gate_is_told_once_while_it_stays_closed(phare: Small) -> None:
    phare.run()
    file = phare.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    book["Contacts"].delete_rows(2, 3)
    book.save(file)
    for _ in range(3):
        assert phare.run().code == 7
    assert len([row for row in told(phare) if row["Quoi"] == "Arrêt"]) == 1


def test_a_quiet_run_adds_no_line_and_writes_nothing(phare: Small) -> None:
    for _ in range(3):
        phare.run()
    before = (phare.folder / "Contacts.xlsx").read_bytes()
    assert phare.run().facts["calls"]["sheet"]["write"] == 0
    assert (phare.folder / "Contacts.xlsx").read_bytes() == before


def test_the_oldest_lines_make_room_and_notes_keep_theirs(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST", 5)
    phare.run()
    file = phare.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Journal"]
    sheet.cell(1, sheet.max_column + 1, "Notes")
    sheet.cell(2, sheet.max_column, "gardée")
    book.save(file)
    for visits in range(10, 18):
        phare.edit("Jeanne", "Visites", visits)
        phare.run()
    rows = told(phare)
    assert (rows[0]["Passage"], rows[0]["Notes"]) == (1, "gardée")
    others = sorted(rows[1:], key=lambda row: row["Passage"])
    assert [row["Passage"] for row in others][-2:] == [9, 9]
    assert len(others) <= 6
    assert len(phare.rows("Journal")) <= 10
    assert [row["Avant"] for row in others if row["Passage"] == 9] == ["", "17"]


def test_more_cells_than_there_is_room_for_are_counted(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST", 3)
    phare.run()
    phare.export((*LINES, AWA))
    phare.run()
    assert [row for row in told(phare) if "2 autres cellules" in row["Pourquoi"]]


def test_a_run_that_ended_before_its_journal_is_told_by_the_next(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    phare.run()
    phare.export((*LINES, AWA))
    with monkeypatch.context() as fallen:
        fallen.setattr("sync.run.write_tabs", refuse)
        assert phare.run().code == 1
    phare.run()
    assert five(about(phare, "Visites"))[2:4] == ("2", "3")
    (run,) = [row for row in told(phare) if (row["Passage"], row["Quoi"]) == (2, "Passage")]
    assert run["Pourquoi"].startswith("Interrompu")


def refuse(*_: object, **__: object) -> None:
    raise GiveUp("sheet-changed", tab="Journal")


def test_cut_short_between_a_rows_new_key_and_its_cells(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST", 5)
    phare.run()
    for visits in range(10, 16):
        phare.edit("Jeanne", "Visites", visits)
        phare.run()
    phare.edit("Jeanne", "Visites", 16)

    def only_keys(job: Job, look: Look, made: Plan, done: Applied) -> None:
        if job.tab_name == "Journal" and not made.given:
            refuse()
        land(job, look, made, done)

    with monkeypatch.context() as fallen:
        fallen.setattr("sync.sheet.apply.land", only_keys)
        assert phare.run().code == 1
    phare.run()
    rows = told(phare)
    assert len(rows) == 5
    assert [row["Avant"] for row in rows if row["Passage"] == 8 and row["Quoi"] == "Remis"] == ["16"]
    assert len({(row["Passage"], row["Quoi"], row["Avant"]) for row in rows}) == 5


def test_when_it_is_full_a_quiet_run_still_writes_nothing(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST", 4)
    phare.run()
    phare.export((*LINES, AWA, JEANNE))
    for _ in range(3):
        phare.run()
    assert phare.run().facts["calls"]["sheet"]["write"] == 0
    assert [row["Quoi"] for row in told(phare)].count("Passage") == 2  # the run's own line, and what found no room


def test_who_was_erased_is_no_longer_named(phare: Small) -> None:
    phare.run()
    phare.edit("Jeanne", "Visites", 7)
    phare.run()
    store = Store.open(f"sqlite:///{phare.folder / 'filrouge.db'}", "theatre-du-phare", datetime.now(UTC))
    with store.begin() as connection:
        forget_key(connection, store.org, str(phare.row("Jeanne")["Fil rouge"]))
    store.close()
    phare.run()
    assert five(about(phare, "Visites")) == ("Remis", "", "", "", "exports")


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


def test_the_same_in_google_sheets(phare: Small, fake: FakeGoogle) -> None:
    key = phare.folder / "google-key.json"
    key.write_text(json.dumps(fake.account))
    key.chmod(0o600)
    ours = f'  type: google\n  spreadsheet: {SPREADSHEET}\n  credentials: google-key.json\n  endpoint: "{fake.url}"\n'
    phare.change("config.yaml", "  type: excel\n  file: Contacts.xlsx\n", ours)
    done = phare.run()
    assert done.code == 7, done.said + done.erred
    phare.export((*LINES, AWA))
    phare.run()
    rows = GoogleTeam(fake, phare.folder).shown("Journal")
    (visits,) = [row for row in rows if row.get("Colonne") == "Visites"]
    assert (visits["Avant"], visits["Après"], visits["D'après"]) == ("2", "3", "exports")
    asked = len(fake.requests)
    for _ in range(2):
        phare.run()
        asked, before = len(fake.requests), asked
    assert [request.path.rpartition("/")[2] for request in fake.requests[before:]] == ["token", SPREADSHEET] + [
        SPREADSHEET
    ] * (asked - before - 2)
