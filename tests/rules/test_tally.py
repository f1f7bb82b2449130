"""How many people meet each condition of a rule, which words nobody has, and which fields few are known by."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from rules.compiler import evaluate
from rules.conditions import Book
from rules.reader import read
from rules.tally import Tally, often_empty, tally

TODAY = date(2026, 11, 23)
PEOPLE = pl.DataFrame(
    {
        "key": range(6),
        "visits": [0, 1, 2, 3, 4, 5],
        "city": ["Brest", None, None, None, None, None],
        "postcode": ["29200", "29000", "56000", "56100", "29200", None],
        "last_name": ["École", "Martin", None, None, None, None],
        "sheet:Ne pas relancer": ["oui", "non", None, "x", None, None],
        "sheet:Taille": ["S", "M", None, None, None, None],
    }
)


def book(when: str, unless: str = "") -> Book:
    text = f"règles:\n  - nom: R\n    quand: {when}\n{unless and f'    sauf: {unless}'}\n    alors: [signaler: X]\n"
    found = read({"a.yaml": text.encode()})
    assert not found.mistakes
    return found.book


def told(when: str, unless: str = "") -> list[Tally]:
    made = book(when, unless)
    return tally(made, made.rules[0], PEOPLE, TODAY, (), "fr")


def test_each_line_of_a_group_is_counted() -> None:
    (group,) = told(
        "{tous: [visites: au moins 1, au moins un de: [code postal: commence par 29, visites: au moins 5]]}"
    )
    visits, either = group.parts
    assert (group.words, group.people, visits.people, either.words, either.people) == (
        "tous\xa0:", 3, 5, "au moins un de\xa0:", 4
    )  # fmt: skip
    assert [(one.words, one.people) for one in either.parts] == [
        ("code postal\xa0: commence par 29", 3),
        ("visites\xa0: au moins 5", 1),
    ]


def test_a_word_that_nobody_has_is_told_below_unless_too() -> None:
    for line, missing in (
        ("Ne pas relancer: vraiment", ("vraiment", None, ("non", "oui", "x"))),
        ("Taille: oui", ("oui", None, ("M", "S"))),
        ("Taille: 38", ("38", None, ("M", "S"))),
    ):
        assert told("{visites: au moins 1}", f"{{tableau: {{{line}}}}}")[1].missing == (missing,)
    for line in ("Ne pas relancer: oui", "Ne pas relancer: non", "Taille: s"):
        assert told("{visites: au moins 1}", f"{{tableau: {{{line}}}}}")[1].missing == ()
    assert told("{visites: au moins 1}", "{signaux: contiennent Jamais posé}")[1].missing == ()


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("ville: contient bres", ()),
        ("ville: contient Lorient", (("Lorient", None, ("Brest",)),)),
        ("ville: contient Brets", (("Brets", "Brest", ("Brest",)),)),
        ("code postal: commence par un de [29, 56]", ()),
        (
            "code postal: commence par un de [29, 35]",
            (("35", None, ("29000", "29200", "56000", "56100")),),
        ),
        ("code postal: contient 00", ()),
        ("code postal: commence par 00", (("00", None, ("29000", "29200", "56000", "56100")),)),
        ("code postal: contient 35", (("35", None, ("29000", "29200", "56000", "56100")),)),
        ("tableau: {Taille: contient XL}", (("XL", None, ("M", "S")),)),
        ("nom de famille: contient Zzz", (("Zzz", None, ()),)),
        ("nom de famille: contient écol", ()),
    ],
)
def test_a_part_that_nobodys_text_has_is_told(line: str, missing: tuple[object, ...]) -> None:
    assert told("{visites: au moins 1}", f"{{{line}}}")[1].missing == missing


@pytest.mark.parametrize("tick", ["x", "X", "✓", "☑", "oui", "vrai"])
def test_a_tick_in_a_rule_is_a_yes_in_the_sheet(tick: str) -> None:
    made = book(f"{{tableau: {{Ne pas relancer: {tick}}}}}")
    assert evaluate(made, PEOPLE, TODAY).rule("r").to_list() == [True, False, False, True, False, False]
    quoted = book('{tableau: {Ne pas relancer: "x"}}')
    assert evaluate(quoted, PEOPLE, TODAY).rule("r").to_list() == [False, False, False, True, False, False]


def test_a_field_few_are_known_by_is_told_but_where_another_will_do() -> None:
    for when, fields in (
        ("{ville: Brest}", ["city"]),
        ("{au moins un de: [ville: Brest, visites: 3]}", ["city"]),
        ("{au moins un de: [ville: Brest, code postal: commence par 29]}", []),
        ("{tous: [au moins un de: [ville: Brest, code postal: commence par 29], visites: 3]}", []),
        ("{ville: Brest, code postal: commence par 29}", ["city"]),
    ):
        assert [field for field, _ in often_empty(book(when).rules[0], PEOPLE)] == fields
