"""A word among the flags that no rule sets, and a header that is misspelled, are advised on; nothing else is."""

from __future__ import annotations

import pytest

from rules.mistakes import Mistake
from rules.reader import read

SETS = "segments:\n  - nom: Nos amis\n    quand: {{signaux: {0}}}\nrègles:\n  - nom: Dons\n    quand: {{donné: plus de 100}}\n    sauf: {{signaux: {0}}}\n    alors:\n      - signaler: Merci\n"
WALKS = "parcours:\n  - nom: P\n    autour: chaque billet\n    étapes:\n      - {à: 1 jour après, signaler: Venu}\n"


def advice(text: str) -> list[Mistake]:
    found = read({"r.yaml": text.encode()}, columns=["Remarques", "Nom"])
    assert found.mistakes == []
    return found.advice


@pytest.mark.parametrize("word", ["Merci", "merci", "MERCI", "[Merci, Venu]"])
def test_what_a_rule_or_a_step_sets_is_fine(word: str) -> None:
    assert advice(SETS.format(word) + WALKS) == []


def test_a_word_that_no_rule_sets_is_told_where_it_stands() -> None:
    told = advice(SETS.format("[Curieux, Merci]") + WALKS)
    assert [(one.code, one.found, one.place.line) for one in told] == [
        ("flag-unset", "Curieux", 3),
        ("flag-unset", "Curieux", 7),
    ]
    assert "`Merci` ou `Venu`" in told[0].message("fr")


def test_a_slip_of_the_pen_gets_the_word_that_was_meant() -> None:
    (first, second) = advice(SETS.format("Mercy"))
    assert (first.code, first.suggestion, second.suggestion) == ("flag-unset-near", "Merci", "Merci")


def test_where_many_are_set_they_are_not_listed() -> None:
    more = "".join(
        f"  - nom: R{n}\n    quand: {{donné: plus de {n}}}\n    alors: [signaler: Mot {n}]\n" for n in range(9)
    )
    assert advice(SETS.format("Bénévole") + more)[0].code == "flag-unset-many"


@pytest.mark.parametrize(("header", "meant"), [("Remarque", "Remarques"), ("remarques", None), ("Fidélité", None)])
def test_a_header_that_is_misspelled_would_be_another_column(header: str, meant: str | None) -> None:
    told = advice(
        f"règles:\n  - nom: R\n    quand: {{donné: plus de 1}}\n    alors:\n      - écrire: {{{header}: Brestois}}\n"
    )
    assert [(one.code, one.suggestion) for one in told] == ([("new-column-near", meant)] if meant else [])
