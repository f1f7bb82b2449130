"""Somebody who comes into a rule, leaves it and comes again within days: the same news does not go twice, and it is said."""

from __future__ import annotations

from tests.thread.small import Small, line

FRIENDS = """\
règles:
  - nom: Amis
    quand: {visites: au moins 1}
    alors:
      - courriel: on-se-revoit
"""


def bare(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def test_the_same_news_goes_once_a_month_and_what_does_not_go_is_told(small: Small) -> None:
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.write("rules/public.yaml", FRIENDS)

    def sells(status: str) -> None:
        luc = line(2, "Luc Roy", "Ubu", "01/01/2024", status="Annulé")
        small.export((line(1, "Jeanne Exemple", "Cyrano", "01/02/2026", status=status), luc))

    sells("Validé")
    small.run(today="2026-03-01")
    small.filrouge("approve", "amis")
    small.run(today="2026-03-01")
    assert len(small.mails()) == 1
    sells("Annulé")
    small.run(today="2026-03-02")
    sells("Validé")

    told = "« Amis » n'écrit pas une seconde fois à 1 personne qui y est revenue peu après"
    assert told in bare(small.filrouge("run", "--dry-run", today="2026-03-03").said)
    assert any(told in bare(note) for note in small.run(today="2026-03-03").facts["notes"])
    assert len(small.mails()) == 1
    (first, second) = sorted(small.filrouge("outbox", "--json").facts["mails"], key=lambda mail: str(mail["state"]))
    assert (first["state"], first["reason"], second["state"]) == ("cancelled", "had-lately", "sent")
    assert "annulé, la personne est revenue dans la règle peu après ce courriel (`same_email`)" in bare(
        small.filrouge("explain", "Jeanne Exemple", today="2026-03-03").said
    )
