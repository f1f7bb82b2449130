"""One e-mail that two rules or journeys send: a person gets it from the first alone, and the team is told."""

from __future__ import annotations

from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare

TWO_RULES = """\
règles:
  - nom: Amis
    quand: {visites: au moins 1}
    alors: [courriel: on-se-revoit]
  - nom: Connaisseurs
    quand: {visites: au moins 2}
    alors: [{courriel: on-se-revoit, encore: après 2 mois}]
"""
TWO_JOURNEYS = """\
parcours:
  - nom: Après
    autour: chaque billet
    quand: {visites: au plus 1}
    étapes: [{à: 1 jour après, courriel: on-se-revoit}]
  - nom: Lendemain
    autour: chaque billet
    étapes: [{à: 1 jour après, courriel: on-se-revoit}]
"""
WHY = "la personne reçoit ce même courriel par « Amis » (`same_email`)"


def news(small: Small, rules: str) -> None:
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.write("rules/public.yaml", rules)


def test_the_first_rule_wins_and_the_other_says_so_before_and_after(small: Small) -> None:
    news(small, TWO_RULES)
    small.run()
    assert "2 ne partiraient pas pour autant" in bare((small.folder / "report.html").read_text("utf-8"))
    seen = bare(small.filrouge("preview", "connaisseurs", today="2026-03-14").said)
    assert WHY in seen
    assert "« Connaisseurs » n'écrit pas à 2 personnes qui reçoivent le même courriel par « Amis »" in seen
    page = small.folder / "preview.html"
    small.filrouge("preview", "--page", str(page), today="2026-03-14")
    assert WHY.replace("`same_email`", "<code>same_email</code>") in bare(page.read_text("utf-8"))
    for name in ("connaisseurs", "amis"):
        assert small.filrouge("approve", name).code == 0
    ran = small.run()
    assert ran.facts["mail"]["sent"] == 2
    assert ran.facts["mail"]["held"]["had-elsewhere"] == 2
    assert f"annulé, {WHY}" in bare(small.filrouge("explain", "Awa Diallo", today="2026-03-14").said)
    assert small.run(today="2026-05-01").facts["mail"]["sent"] == 0, "for the other it is over"
    assert small.run(today="2026-05-15").facts["mail"]["sent"] == 1, "Awa, by `again`; Jeanne is of long ago"


def test_a_rule_under_another_name_does_not_write_again(small: Small) -> None:
    news(small, TWO_RULES.partition("  - nom: Connaisseurs")[0])
    small.run()
    small.filrouge("approve", "amis")
    assert small.run().facts["mail"]["sent"] == 2
    small.change("rules/public.yaml", "Amis", "Public")
    small.run(today="2026-03-20")
    assert small.filrouge("approve", "public").code == 0
    assert small.run(today="2026-03-20").facts["mail"]["sent"] == 0


def test_every_show_has_its_email_from_one_of_two_journeys(small: Small) -> None:
    news(small, TWO_JOURNEYS)
    shows = ("Cyrano", "10/03/2026"), ("Antigone", "12/03/2026")
    small.change("config.yaml", "folder: outbox/,", "folder: outbox/, limits: {per_person: none},")
    small.export(tuple(line(number, "Jeanne Exemple", *show) for number, show in enumerate(shows, 1)))
    small.run(today="2026-03-09")
    sent = 0
    for day in ("2026-03-11", "2026-03-13"):
        sent += small.run(today=day).facts["mail"]["sent"]
        for name in ("apres", "lendemain"):
            small.filrouge("approve", name)  # the second day, nothing waits any more
        sent += small.run(today=day).facts["mail"]["sent"]
    assert sent == 2
