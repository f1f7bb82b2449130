"""`person merge` and `person split`: the sheet follows, and nobody is written to twice by it."""

from __future__ import annotations

from tests.thread.small import LINES, Small, line

TWO = (
    *LINES,
    line(6, "Jeannette Exemple", "Cyrano", "10/03/2024"),
    line(7, "Jeannette Exemple", "Ubu roi", "12/05/2024"),
)
ONE, OTHER = "jeanne.exemple@example.org", "jeannette.exemple@example.org"


def codes(small: Small) -> dict[str, str]:
    return {address: small.filrouge("person", "show", address, "--json").facts["code"] for address in (ONE, OTHER)}


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


def test_what_it_cannot_do_is_a_sentence(small: Small) -> None:
    small.run()
    same = small.filrouge("person", "merge", ONE, ONE)
    assert same.code == 2
    assert "même personne" in same.erred
    alone = small.filrouge("person", "split", ONE)
    assert alone.code == 2
    assert "exports order" in alone.erred
