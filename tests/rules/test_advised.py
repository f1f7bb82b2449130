"""What can be read, and was probably meant otherwise."""

from __future__ import annotations

import pytest

from rules.reader import read

RULE = "rules:\n  - name: One\n    when:\n      {when}\n    then:\n      - flag: {flag}\n"
REGLE = "règles:\n  - nom: Un\n    quand:\n      {when}\n    alors:\n      - signaler: {flag}\n"


def advised(text: str) -> list[str]:
    found = read({"a.yaml": text.encode()})
    assert not found.mistakes
    return [one.code for one in found.advice]


@pytest.mark.parametrize(
    ("when", "codes"),
    [
        ("any of:\n        - city: Brest\n          visits: 3\n        - city: Lyon", ["any-of-two"]),
        ("any of:\n        - {city: Brest, visits: 3}\n        - city: Lyon", []),
        ("any of:\n        - city: Brest\n        - visits: 3\n        - city: Lyon", []),
        ("all of:\n        - city: Brest\n          visits: 3\n        - region: Bretagne", []),
    ],
)
def test_a_dash_left_out_below_any_of(when: str, codes: list[str]) -> None:
    assert advised(RULE.format(when=when, flag="To call")) == codes


@pytest.mark.parametrize(
    ("flag", "codes"),
    [
        ("Call #1 list", ["hash-cut"]),
        ("Call #list", ["hash-cut"]),
        ("Call # a note", []),
        ('"Call #1 list"', []),
        ("Call #flag: Other", []),
    ],
)
def test_a_text_cut_by_a_note(flag: str, codes: list[str]) -> None:
    assert advised(RULE.format(when="visits: 3", flag=flag)) == codes


def test_a_genre_beside_a_count_is_advised_with_its_braces() -> None:
    text = REGLE.format(when="visites: au moins 3\n      genre: danse", flag="À appeler")
    assert advised(text) == ["genre-beside"]
    assert advised(text.replace("genre:", "genres:")) == []
    assert advised(text.replace("visites: au moins 3", "ville: Brest")) == []


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("spent: 100", "at least 100"),
        ("donated: 100€", "at least 100"),
        ("donated: {amount: $50, within: 12 months}", "at least 50"),
        ("donations: {count: at least 1, amount: 50.5}", "at least 50.5"),
        ("spent: 0", None),
        ("spent: [50, 100]", None),
        ("spent: at least 100", None),
        ("visits: 3", None),
    ],
)
def test_money_asked_for_to_the_cent_is_advised_on(line: str, right: str | None) -> None:
    found = read({"a.yaml": RULE.format(when=line, flag="X").encode()})
    assert [(one.code, one.suggestion) for one in found.advice] == ([("exact-money", right)] if right else [])


def test_money_of_an_example_is_a_fact() -> None:
    example = (
        "    examples:\n      - person: {spent: 100, donations: [{date: today, amount: 50}]}\n        expect: match\n"
    )
    assert advised(RULE.format(when="spent: at least 100", flag="X") + example) == []
    assert advised(REGLE.format(when="dépensé: 50 $", flag="X")) == ["exact-money"]


BEFORE = "journeys:\n  - name: J\n    around: each ticket\n    steps:\n      - {at}\n        task: Call\n        due: {due}\n"


@pytest.mark.parametrize(
    ("at", "due", "told"),
    [
        ("at: 3 days before", "in 5 days", ["due-after", "due: in 3 days"]),
        ("at: 2 hours before", "in 1 day", ["due-after-none", ""]),
        ("at: 3 days before", "in 2 days", ["due-after-late", "no later than: 1 day"]),
        ("at: 3 days before", "in 3 days", ["due-after-late", "no later than: the same day"]),
        ("at: 3 days before\n        no later than: 1 day", "in 2 days", []),
        ("at: 3 days before\n        no later than: the same day", "in 3 days", []),
        ("at: 7 days before", "in 2 days", []),
        ("at: 3 days after", "in 5 days", []),
        ("at: the same day", "in 1 day", []),
    ],
)
def test_a_task_that_would_be_due_after_what_it_comes_before(at: str, due: str, told: list[str]) -> None:
    found = read({"a.yaml": BEFORE.format(at=at, due=due).encode()})
    assert not found.mistakes
    assert [
        fact
        for one in found.advice
        for fact in (one.code, str(one.facts.get("line", "")).replace("due: in 0 days", ""))
    ] == told
