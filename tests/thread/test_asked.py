"""Records to check and people to forget: lines in the tab To check, which a tick settles."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.thread.small import LINES, Small
from tests.thread.test_tab_check import line_of, open_lines, write

ERASE = "À effacer\u00a0?"
RULES = """\
règles:
  - nom: Fiches à vérifier
    quand:
      au moins un de:
        - vérifié: jamais
        - vérifié: il y a plus de 12 mois
    alors:
      - vérifier: 1 par jour
  - nom: Plus de nouvelles
    quand:
      dernière visite: il y a plus de 2 ans
    alors:
      - oublier: Plus venue depuis le {{ dernière_visite }}
"""


@pytest.fixture
def phare(small: Small) -> Small:
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  check: À vérifier\n")
    small.change("config.yaml", "Visites: visits", "Visites: visits, Vérifié: verified")
    small.write("rules/public.yaml", RULES)
    small.export(tuple(line for line in LINES if "Diallo" not in line or "2026" not in line))
    return small


def lines(small: Small, kind: str) -> list[dict[str, Any]]:
    return [row for row in open_lines(small) if row["Quoi"] == kind]


def test_a_record_a_day_is_to_be_checked_and_a_tick_dates_it(phare: Small) -> None:
    done = phare.run(today="2026-03-14")
    assert done.facts["deeds"] == {"review": 1, "forget": 1}
    (asked,) = lines(phare, "Fiche à vérifier")
    assert "@example.org" in asked["Constaté"]
    assert "Personne n'a encore vérifié" in asked["Que faire"]
    write(phare, "À vérifier", line_of(phare, "Fiche à vérifier"), "Vu, c'est bon", True)
    phare.run(today="2026-03-14")
    assert lines(phare, "Fiche à vérifier") == []
    assert str(phare.row(asked["Personne"].split()[0])["Vérifié"]) == "2026-03-14"
    phare.run(today="2026-03-15")
    (other,) = lines(phare, "Fiche à vérifier")
    assert other["Personne"] != asked["Personne"]


def test_erasure_is_proposed_with_its_reason_and_done_by_nobody(phare: Small) -> None:
    phare.run(today="2026-03-14")
    (asked,) = lines(phare, ERASE)
    assert asked["Personne"] == "Awa Diallo"
    assert "10 mars 2024" in asked["Constaté"]
    code = phare.filrouge("person", "show", "Awa Diallo", "--json").facts["code"]
    assert f"`filrouge person erase {code}`" in asked["Que faire"]
    assert phare.row("Awa")
    write(phare, "À vérifier", line_of(phare, ERASE), "Vu, c'est bon", True)
    for day in ("2026-03-14", "2026-03-15"):
        phare.run(today=day)
        assert lines(phare, ERASE) == []


def test_looking_ahead_and_explain_tell_it(phare: Small) -> None:
    ahead = phare.filrouge("preview", today="2026-03-14").said
    assert "Awa Diallo · effacement proposé : Plus venue" in ahead.replace("\u00a0", " ")
    phare.run(today="2026-03-14")
    why = phare.filrouge("explain", "awa.diallo@example.org", today="2026-03-14").said.replace("\u00a0", " ")
    assert "effacement proposé" in why
    assert "à faire" in why


def test_whoever_is_erased_leaves_nothing_of_it(phare: Small) -> None:
    phare.run(today="2026-03-14")
    assert phare.filrouge("person", "erase", "awa.diallo@example.org", "--yes").code == 0
    with closing(sqlite3.connect(phare.folder / "filrouge.db")) as store:
        assert store.execute("SELECT count(*) FROM deed WHERE kind = 'forget'").fetchone() == (0,)
    phare.run(today="2026-03-15")
    assert lines(phare, ERASE) == []
