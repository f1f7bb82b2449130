"""A count over 12 months through the whole thread: time alone takes somebody out of it, and `explain` says why."""

from __future__ import annotations

import sqlite3

import pytest

from tests.thread.small import Small

RULES = """\
segments:
  - nom: Assidus
    quand: {visites: {nombre: au moins 2, sur: 12 mois}}
règles:
  - nom: Assidus de l'année
    quand: {segment: Assidus}
    alors: [{signaler: Assidu}]
    exemples:
      - personne: {visites: [il y a 2 mois, il y a 3 mois]}
        attendu: concerné
      - personne: {visites: [il y a 2 mois, il y a 2 ans]}
        attendu: pas concerné
"""


def flagged(small: Small, today: str) -> str:
    assert small.run(today=today).code == 0
    return str(small.row("Jeanne")["Signaux"] or "")


def test_a_visit_grows_too_old_and_nobody_did_anything(small: Small) -> None:
    small.write("rules/public.yaml", RULES)
    assert small.filrouge("check").code == 0
    assert small.filrouge("test").code == 0
    assert [flagged(small, day) for day in ("2024-06-15", "2025-03-09")] == ["Assidu", "Assidu"]
    ahead = small.filrouge("preview", "--json", today="2025-03-10").facts["rules"]["assidus-de-l-annee"]
    assert ahead == {"enters": [], "leaves": ["Jeanne Exemple"]}
    assert flagged(small, "2025-03-10") == ""
    told = small.filrouge("explain", "jeanne.exemple@example.org", today="2025-03-10").said
    assert "1 visite sur 12 mois (au moins 2 ✗)" in told
    told = small.filrouge("--language", "en", "explain", "jeanne.exemple@example.org", today="2025-03-09").said
    assert "2 visits in the last 12 months (at least 2 ✓)" in told


def test_a_segment_over_a_window_has_a_past_too(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.history.MONTHS", 24)
    small.write("rules/public.yaml", RULES)
    small.run(today="2025-04-02")
    with sqlite3.connect(small.folder / "filrouge.db") as store:
        sizes = dict(store.execute("SELECT day, people FROM segment_size").fetchall())
    store.close()
    days = ("2024-04-30", "2024-05-31", "2025-02-28", "2025-03-31", "2025-04-02")
    assert [sizes[day] for day in days] == [0, 1, 1, 0, 0]


def test_what_a_broken_source_feeds_is_not_decided(small: Small) -> None:
    small.write("rules/public.yaml", RULES)
    assert flagged(small, "2024-06-15") == "Assidu"
    store = sqlite3.connect(small.folder / "filrouge.db")
    with store:
        store.execute("UPDATE source SET succeeded = succeeded - 3 * 86400 * 1000000")
    store.close()
    small.run("--only", "rules", "--only", "sheet", today="2025-06-15")
    assert small.row("Jeanne")["Signaux"] == "Assidu", "she keeps it until her visits are known again"
    told = small.filrouge("explain", "jeanne.exemple@example.org", today="2025-06-15").said
    assert "visites sur 12 mois\u00a0: inconnu pour le moment (au moins 2 ?)" in told
