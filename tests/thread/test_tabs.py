"""The tabs beside the people: what is to do, and the e-mails, with a box to tick."""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest

from tests.thread.small import Small


@pytest.fixture
def tabs(small: Small) -> Small:
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  todo: À faire\n  outbox: Courriels\n")
    small.change(
        "rules/public.yaml",
        "      - courriel: on-se-revoit",
        "      - courriel: on-se-revoit\n      - tâche: Appeler {{ prénom }}\n        pour: Marie\n        échéance: dans 5 jours",
    )
    return small


def tick(small: Small, tab: str, header: str) -> None:
    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book[tab]
    (column,) = [cell.column for cell in sheet[1] if cell.value == header]
    sheet.cell(2, int(column or 0), "x")
    book.save(file)


def test_they_say_what_waits(tabs: Small) -> None:
    tabs.run()
    (mail,) = tabs.rows("Courriels")
    assert (mail["Règle"], mail["À"], mail["État"]) == (
        "Perdus de vue",
        "jeanne.exemple@example.org",
        "attend votre accord",
    )
    assert mail["Objet"] == "Cela fait longtemps, Jeanne"
    alone = "Cocher ne vaut que pour cette ligne. Toute la règle\u00a0: filrouge approve perdus-de-vue"
    assert mail["Pourquoi"] == alone


def test_a_tick_approves_one_mail_and_the_same_run_sends_it(tabs: Small) -> None:
    tabs.run()
    tick(tabs, "Courriels", "D'accord")
    assert tabs.run().facts["mail"]["sent"] == 1
    assert [tabs.rows("Courriels")[0][header] for header in ("État", "Pourquoi")] == ["envoyé", ""]
    assert tabs.run().facts["mail"]["sent"] == 0


def test_a_task_is_listed_and_closed_by_a_tick(tabs: Small) -> None:
    tabs.run()
    tabs.filrouge("approve", "perdus-de-vue")
    tabs.run()
    (task,) = tabs.rows("À faire")
    assert (task["Quoi"], task["Qui"], task["Avant le"]) == ("Appeler Jeanne", "Marie", date(2026, 3, 19))
    tick(tabs, "À faire", "Fait")
    tabs.run()
    assert "Appeler Jeanne" not in (tabs.folder / "report.html").read_text("utf-8")
    assert tabs.rows("À faire")[0]["Fait"] == "x"


def test_a_quiet_run_writes_none_of_them(tabs: Small) -> None:
    tabs.run()
    tabs.filrouge("approve", "perdus-de-vue")
    tabs.run()
    tabs.run()
    before = (tabs.folder / "Contacts.xlsx").read_bytes()
    done = tabs.run()
    assert (done.code, done.facts["calls"]["sheet"]["write"]) == (0, 0)
    assert (tabs.folder / "Contacts.xlsx").read_bytes() == before


def test_the_teams_own_words_beside_stay(tabs: Small) -> None:
    tabs.run()
    tick(tabs, "Courriels", "Pourquoi")  # ours: put back
    file = tabs.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Courriels"]
    sheet.cell(1, sheet.max_column + 1, "Notes")
    sheet.cell(2, sheet.max_column, "à voir avec Luc")
    book.save(file)
    tabs.run()
    (mail,) = tabs.rows("Courriels")
    assert mail["Notes"] == "à voir avec Luc"
    assert mail["Pourquoi"].startswith("Cocher ne vaut que pour cette ligne")


def test_two_tabs_of_one_name_are_a_mistake(tabs: Small) -> None:
    tabs.change("config.yaml", "todo: À faire", "todo: Contacts")
    assert tabs.filrouge("run").code == 2


def test_they_speak_the_organisations_language_whoever_runs(tabs: Small) -> None:
    tabs.filrouge("--language", "en", "run", today="2026-03-14")
    (mail,) = tabs.rows("Courriels")
    assert mail["État"] == "attend votre accord"
    headers = list(mail)
    tabs.run()
    assert list(tabs.rows("Courriels")[0]) == headers
