"""`person merge` and `person split`: the sheet follows, and nobody is written to twice by it."""

from __future__ import annotations

from tests.thread.small import LINES, Small, line

TWO = (
    *LINES,
    line(6, "Jeannette Exemple", "Cyrano", "10/03/2024"),
    line(7, "Jeannette Exemple", "Ubu roi", "12/05/2024"),
)
JOURNEY = """\
parcours:
  - nom: Après la visite
    autour: chaque billet
    étapes:
      - à: 1 jour après
        courriel: merci
      - à: 1 jour après
        tâche: Appeler {{ prénom }}
"""
ONE, OTHER = "jeanne.exemple@example.org", "jeannette.exemple@example.org"


def codes(small: Small) -> dict[str, str]:
    return {address: small.filrouge("person", "show", address, "--json").facts["code"] for address in (ONE, OTHER)}


def todo(small: Small) -> list[str]:
    """What the tab asks to be done."""
    return sorted(row["Quoi"] for row in small.rows("À faire") if row["Quoi"] and not row["Fait"])


def test_merged_they_are_one_row_and_split_they_are_two_with_what_each_did(small: Small) -> None:
    small.export(TWO)
    small.run()
    before, rows = codes(small), {row["Courriel"]: row["Visites"] for row in small.rows()}
    done = small.filrouge("person", "merge", ONE, OTHER)
    assert done.code == 0, done.erred
    small.run()
    assert 3 in [row["Visites"] for row in small.rows()]  # they were at the same Cyrano
    assert len(set(codes(small).values())) == 1
    assert small.filrouge("person", "split", ONE).code == 0
    small.run()
    assert codes(small) == before
    assert {row["Courriel"]: row["Visites"] for row in small.rows() if row["Courriel"]} == rows


def test_nobody_is_written_to_again_because_of_it(small: Small) -> None:
    small.export(TWO)
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    sent = small.mails()
    assert len(sent) == 2
    small.filrouge("person", "merge", ONE, OTHER)
    small.run()
    small.filrouge("person", "split", ONE)
    small.run()
    small.run(today="2026-05-14")
    assert small.mails() == sent


def test_one_matter_is_one_line_after_they_were_merged(small: Small) -> None:
    """Both were to be called, each since another day."""
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  todo: À faire\n")
    small.change("rules/public.yaml", "- courriel: on-se-revoit", "- tâche: Appeler {{ prénom }}")
    small.run()
    small.export(TWO)
    small.run(today="2026-03-16")
    assert todo(small) == ["Appeler Jeanne", "Appeler Jeannette"]
    small.filrouge("person", "merge", ONE, OTHER)
    small.run(today="2026-03-17")
    assert len(todo(small)) == 1
    small.run(today="2026-03-18")
    assert len(todo(small)) == 1


def test_the_other_of_two_gets_again_no_step_and_no_repeat_that_both_got_as_one(small: Small) -> None:
    """Jeannette was taken for Jeanne while a journey and a repeated e-mail went to them."""
    small.write("rules/parcours.yaml", JOURNEY)
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  todo: À faire\n")
    small.write("rules/templates/merci.md", "---\nobjet: Merci\nfinalité: service\n---\nMerci d'être venue.\n")
    small.change("rules/public.yaml", "on-se-revoit", "on-se-revoit\n        encore: après 2 mois")
    both = (*TWO, line(8, "Jeannette Exemple", "Ubu roi", "13/03/2026"))
    small.export(TWO)
    small.run(today="2026-03-01")
    small.filrouge("approve", "perdus-de-vue")
    small.filrouge("person", "merge", ONE, OTHER)
    small.run(today="2026-03-02")
    assert len(small.mails()) == 1
    small.export(both)
    small.run(today="2026-03-13")
    small.run(today="2026-03-14")
    small.filrouge("approve", "apres-la-visite")
    small.run(today="2026-03-14")
    assert len(small.mails()) == 2
    assert todo(small) == ["Appeler Awa", "Appeler Jeannette"]
    small.tick("À faire", "Jeannette")
    small.run(today="2026-03-14")
    small.filrouge("person", "split", ONE)
    small.run(today="2026-03-15")
    assert len(small.mails()) == 2
    assert todo(small) == ["Appeler Awa"]
    small.run(today="2026-05-01")
    assert len(small.mails()) == 2
    small.run(today="2026-05-03")  # two months after the first; Jeannette came in March
    assert [name for name in small.mails() if name.startswith("2026-05")] == [small.mails()[-1]]
    assert "jeanne " in small.mails()[-1]


def test_what_it_cannot_do_is_a_sentence(small: Small) -> None:
    small.run()
    same = small.filrouge("person", "merge", ONE, ONE)
    assert same.code == 2
    assert "même personne" in same.erred
    alone = small.filrouge("person", "split", ONE)
    assert alone.code == 2
    assert "exports order" in alone.erred
