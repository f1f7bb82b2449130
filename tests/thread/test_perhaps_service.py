"""A thank-you that is called news, where most of those it is for may not be sent any: advice says when it may be service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare

NAMES = ("Ana", "Bea", "Cleo", "Dora", "Emil", "Fay")
JOURNEY = """\
parcours:
  - nom: Après
    autour: chaque billet
    étapes:
      - {à: 1 jour après, courriel: on-se-revoit}
"""
RULE = """\
règles:
  - nom: Venus
    quand: {dernière visite: il y a moins de 5 ans}
    alors: [{courriel: on-se-revoit}]
"""


@pytest.fixture(scope="module")
def phare(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Six who come next week; four of them unsubscribed from the newsletter."""
    small = Small(tmp_path_factory.mktemp("thanks") / "phare")
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.write("rules/public.yaml", JOURNEY)
    small.export(tuple(line(n, f"{who} Exemple", "Cyrano", "20/03/2026") for n, who in enumerate(NAMES, 1)))
    rows = [f"{who.lower()}.exemple@example.org,{who},Exemple" for who in NAMES[:4]]
    small.write(
        "exports/unsubscribed_members_export_a1b2c3.csv",
        "\n".join(["Email Address,First Name,Last Name", *rows]) + "\n",
    )
    small.run()
    return small


def advised(small: Small, *words: str) -> list[tuple[str, int, str]]:
    found = small.filrouge(*words, "check", "--json").facts["advice"]
    return [
        (Path(one["file"]).name, one["line"], bare(one["message"]))
        for one in found
        if "finalité" in one["message"] or "purpose" in one["message"]
    ]


def test_a_thank_you_that_would_not_reach_most_is_told_when_it_may_be_service(phare: Small) -> None:
    ((file, line_, message),) = advised(phare)
    assert (file, line_) == ("public.yaml", 5)
    assert (
        "4 des 6 dernières personnes qu'il peut concerner ne peuvent pas en recevoir (la personne s'est désinscrite)"
        in message
    )
    assert "Écrivez alors `finalité: service`" in message
    assert "Avec une offre, une invitation ou un autre spectacle, il reste `finalité: promotion`." in message
    ((_, _, english),) = advised(phare, "--language", "en")
    assert "4 of the latest 6 people whom it may concern may not be sent any (the person unsubscribed)" in english


def test_nothing_is_said_of_what_reaches_them_or_follows_on_nothing(phare: Small) -> None:
    phare.change("rules/public.yaml", "on-se-revoit}", "on-se-revoit, finalité: service}")
    assert [message for _, _, message in advised(phare) if "dernières personnes" in message] == []
    phare.write("rules/public.yaml", RULE)  # of years ago: no thank-you
    assert advised(phare) == []
    phare.write(
        "rules/public.yaml", JOURNEY.replace("chaque billet", "anniversaire").replace("1 jour après", "le jour même")
    )
    assert advised(phare) == []
    phare.write("rules/public.yaml", JOURNEY)
