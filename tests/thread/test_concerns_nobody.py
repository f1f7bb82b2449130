"""A journey that concerns nobody says at which condition it ends; and what waits behind the brake is not called done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare

JOURNEYS = """\
parcours:
  - nom: Fidèles du soir
    autour: chaque billet
    quand: {visites: au moins 5}
    sauf: {nom de famille: Roy}
    étapes:
      - {à: 3 jours avant, courriel: on-se-revoit}
      - {à: 1 jour après, quand: {est venu: oui}, courriel: on-se-revoit}
  - nom: Adhérents
    autour: fin d'adhésion
    étapes: [{à: 3 jours avant, courriel: on-se-revoit}]
  - nom: Appels
    autour: chaque billet
    étapes: [{à: 1 jour après, tâche: "Appeler {{ prénom }}"}]
"""
DAY = "2026-03-21"


@pytest.fixture
def phare(tmp_path: Path) -> Small:
    small = Small(tmp_path / "phare")
    small.write("rules/parcours.yaml", JOURNEYS)
    crowd = [
        line(number, f"P{chr(97 + number // 26)}{chr(97 + number % 26)} Nom", "Cyrano", "20/03/2026")
        for number in range(60)
    ]
    small.export((*crowd, line(90, "Luc Roy", "Ubu", "23/03/2026"), line(91, "Ana Loin", "Ubu", "01/01/2020")))
    small.run(today="2026-03-01")
    return small


def test_how_many_meet_each_condition_of_a_journey_is_told(phare: Small) -> None:
    said = bare(phare.filrouge("preview", "fideles-du-soir", today=DAY).said)
    assert (
        "« Fidèles du soir » ne concerne personne, ni maintenant ni ces 14 prochains jours. Sur 62 personnes, au vu d'aujourd'hui :"
        in said
    )
    for asked in (
        "61 · ont ce autour de quoi il tourne (chaque billet)",
        "61 · parmi elles, avec une étape prévue",
        "0 · visites : au moins 5",
        "1 · sauf nom de famille : Roy",
        "1 jour après · courriel « on-se-revoit », de plus :",
        "? · est venu : oui",
        "courriel « on-se-revoit » (personne sur 1, au vu d'aujourd'hui)",
    ):
        assert asked in said
    page = phare.folder / "preview.html"
    phare.filrouge("preview", "fideles-du-soir", "--page", str(page), today=DAY)
    shown = bare(page.read_text("utf-8"))
    assert "<li>0 · visites : au moins 5 (en tout, depuis toujours)</li>" in shown
    assert "au vu d&#39;aujourd&#39;hui)</li>" in shown
    nobody = bare(phare.filrouge("preview", "adherents", today=DAY).said)
    assert "0 · ont ce autour de quoi il tourne (fin d'adhésion)" in nobody
    assert "prochains jours. Sur" not in bare(phare.filrouge("preview", "appels", today="2026-03-20").said), "they come"


def test_explain_says_why_somebody_is_on_no_such_journey(phare: Small) -> None:
    told = [bare(phare.filrouge("explain", who, "--rule", rule, today=DAY).said) for who, rule in (
        ("Ana Loin", "adherents"), ("Ana Loin", "appels"),
    )]  # fmt: skip
    assert "on ne lui connaît rien de ce autour de quoi il tourne (fin d'adhésion)" in told[0]
    assert "la dernière fois : Ubu · 1er janvier 2020 ; toutes ses étapes sont passées." in told[1]


def test_a_task_behind_the_brake_is_told_as_waiting_before_and_after(phare: Small) -> None:
    before = bare(phare.filrouge("explain", "Paa Nom", "--rule", "appels", today=DAY).said)
    assert "si ce passage agit alors pour plus de 50 personnes, cela attend d'abord votre accord" in before
    assert "Dont 60, de « Appels », qui attendent votre oui" in bare(
        phare.filrouge("preview", "appels", today=DAY).said
    )
    phare.run(today=DAY)
    assert "→ 1 jour après (21 mars 2026) · tâche « Appeler Paa » : attend votre accord" in bare(
        phare.filrouge("explain", "Paa Nom", "--rule", "appels", today=DAY).said
    )
    phare.filrouge("approve", "appels")
    assert "✓ 1 jour après (21 mars 2026) · tâche « Appeler Paa » : dans votre liste" in bare(
        phare.filrouge("explain", "Paa Nom", "--rule", "appels", today=DAY).said
    )


def test_of_a_rule_with_people_each_condition_is_counted_too(small: Small) -> None:
    """Three visits and something of a genre are not three visits of it."""
    small.write(
        "rules/public.yaml",
        "règles:\n  - nom: Fidèles\n    quand:\n      visites: au moins 2\n      dernière visite: il y a plus de 6 mois\n"
        "    sauf:\n      visites: {nombre: au moins 1, sur: 1 mois}\n    alors: [signaler: Fidèle]\n",
    )
    said = bare(small.filrouge("preview", "fideles", today="2026-03-14").said).splitlines()
    start = said.index("1 personne sur 3 est concernée. Combien remplissent chaque condition, prise seule :")
    assert said[start + 1 : start + 4] == [
        "  1 · dernière visite : il y a plus de 6 mois",
        "  2 · visites : au moins 2 (en tout, depuis toujours)",
        "  1 · sauf visites sur 1 mois : au moins 1 (n'écarte personne de cette règle)",
    ]
