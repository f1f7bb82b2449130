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


def test_who_share_an_address_are_listed_each_with_the_command_to_copy(phare: Small) -> None:
    seen = ("Cyrano", "10/03/2026")
    two = [line(n, who, *seen).replace("ana.petit@", "famille@") for n, who in ((1, "Ana Petit"), (2, "Bob Petit"))]
    phare.export((two[0], two[1].replace("bob.petit@", "famille@")))
    phare.run(today=DAY)
    done = phare.filrouge("explain", "famille@example.org", "--rule", "venus", today=DAY)
    assert done.code == 2
    assert "2 personnes se partagent l'adresse famille@example.org. Copiez la ligne" in bare(done.erred)
    for who in ("Ana", "Bob"):
        (command,) = [row.split("   ")[0].split() for row in done.erred.splitlines() if who in row]
        asked = command[command.index("explain") :]
        assert asked[2:] == ["--rule", "venus", "--today", DAY], "as it was typed"
        assert phare.filrouge(*asked).said.count(f"{who} Petit est dans") == 1
    assert "2 people share the address" in phare.filrouge("--language", "en", "explain", "famille@example.org").erred
    shown = phare.filrouge("person", "show", "famille@example.org").said
    assert "filrouge person show" in shown
    named = phare.filrouge("explain", "Petit", today=DAY).erred
    assert "2 personnes correspondent à" in named
    assert "filrouge --config config.yaml explain" in named
