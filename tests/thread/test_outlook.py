"""What `preview` says of e-mails that wait: which would be taken back, and which the limits would hold back."""

from __future__ import annotations

import pytest

from tests.thread.small import TODAY, Small

RULES = """\
règles:
  - nom: Venus
    quand: {visites: au moins 1}
    alors:
      - courriel: on-se-revoit
"""


@pytest.fixture
def waiting(small: Small) -> Small:
    """Two e-mails wait for approval."""
    small.write("rules/public.yaml", RULES)
    small.change(
        "config.yaml", 'bonjour@example.org>"', 'bonjour@example.org>", limits: {quiet_hours: none, per_day: 1}'
    )
    assert small.run().code == 7
    return small


def test_it_says_how_many_the_limits_would_hold_back(waiting: Small) -> None:
    told = waiting.filrouge("preview", today=TODAY)
    assert (
        "Même accordé maintenant, 1 attendrait encore (1\xa0: le nombre de courriels du jour est atteint" in told.said
    )
    assert waiting.filrouge("preview", "--json", today=TODAY).facts["would_wait"] == {"day-full": 1}

    assert waiting.filrouge("approve", "Venus").code == 0
    mail = waiting.run().facts["mail"]
    assert (mail["sent"], mail["held"]) == (1, {"day-full": 1})


def test_looking_ahead_sends_and_approves_nothing(waiting: Small) -> None:
    before = waiting.filrouge("outbox", "--json").facts
    waiting.filrouge("preview", today=TODAY)
    assert waiting.filrouge("outbox", "--json").facts == before
    assert waiting.mails() == []


def test_without_a_limit_nothing_is_said_of_it(waiting: Small) -> None:
    waiting.change("config.yaml", "per_day: 1", "per_day: 100")
    assert "attendrait" not in waiting.filrouge("preview", today=TODAY).said


@pytest.mark.parametrize(
    ("old", "new", "why", "n"),
    [
        (
            "visites: au moins 1",
            "dernière visite: il y a plus de 12 mois",
            "la règle ne concerne plus cette personne",
            1,
        ),
        ("    alors:", "    actif: non\n    alors:", "la règle est en pause", 2),
        ("courriel: on-se-revoit", "signaler: Venu", "la règle n'a plus ce courriel", 2),
    ],
)
def test_it_says_what_would_be_taken_back(waiting: Small, old: str, new: str, why: str, n: int) -> None:
    waiting.change("rules/public.yaml", old, new)
    told = waiting.filrouge("preview", today=TODAY).said
    assert f"\xa0: {n} courriel" in told
    assert "Retiré" in told
    assert f"({why})" in told
    assert [
        one["mails"] for one in waiting.filrouge("preview", "Venus", "--json", today=TODAY).facts["taken_back"]
    ] == [n]

    waiting.run()
    assert len(waiting.filrouge("outbox", "--json", "--state", "cancelled").facts["mails"]) == n
