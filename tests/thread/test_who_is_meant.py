"""Which of several people is meant: of the same name in a preview, and where a name is typed by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare

RULES = """\
règles:
  - nom: Venus
    quand: {visites: au moins 1}
    alors:
      - signaler: Venu
      - tâche: Appeler {{ prénom }}
parcours:
  - nom: Après
    autour: chaque billet
    étapes: [{à: 3 jours après, signaler: Relancé}]
"""
DAY = "2026-03-12"


@pytest.fixture
def phare(tmp_path: Path) -> Small:
    small = Small(tmp_path / "phare")
    small.write("rules/public.yaml", RULES)
    seen = ("Cyrano", "10/03/2026")
    twin = line(2, "Élodie Roy", *seen).replace("élodie.roy@", "roy.e@")
    small.export((line(1, "Élodie Roy", *seen).replace("élodie", "elodie"), twin, line(3, "Luc Tremblay", *seen)))
    return small


def test_two_of_one_name_are_told_by_address(phare: Small) -> None:
    page = phare.folder / "preview.html"
    seen = bare(phare.filrouge("preview", "--page", str(page), today=DAY).said)
    shown = page.read_text("utf-8")
    for who in ("Élodie Roy (elodie.roy@example.org)", "Élodie Roy (roy.e@example.org)"):
        assert f"+ {who}" in seen
        assert f"{who} · Appeler Élodie" in seen
        assert seen.count(who) >= 3, "among those who enter, with a task, and with a step that comes"
        assert who in shown
    assert re.search(r"\+ Luc Tremblay +\d", seen), "nobody else is called so"


TYPED = {
    "tremblay": "Luc Tremblay est dans",
    "TREMBLAY luc": "Luc Tremblay est dans",
    "lúc tremb": "Luc Tremblay est dans",
    "elodie": "2 personnes correspondent à « elodie »",
    "Luk Tremblai": "Pensiez-vous à l'une de ces personnes ?",
    "Tremblai": "Pensiez-vous à l'une de ces personnes ?",
    "luc.trembley@example.org": "Pensiez-vous à l'une de ces personnes ?",
    "Zébulon": "Essayez un courriel, un nom ou le code du tableau.",
}


def test_a_name_is_found_as_it_is_typed_or_near_ones_are_told(phare: Small) -> None:
    phare.run(today=DAY)
    for typed, found in TYPED.items():
        done = phare.filrouge("explain", typed, today=DAY)
        said = bare(done.said + done.erred)
        assert found in said, typed
        assert ("Luc Tremblay  luc.tremblay@example.org" in said) is ("Pensiez" in found)
        assert ("Élodie Roy  roy.e@example.org" in said) is ("2 personnes" in found)
