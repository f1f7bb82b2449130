"""Lines that deny each other, and a dash that was forgotten: nothing is told that somebody could meet."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions import Check
from rules.mistakes import Mistake
from rules.nobody_left import deny
from rules.reader import read
from tests.rules.reference import COLUMNS, OF_ONE_COLUMN, days, holds

RULE = {
    "en": "rules:\n  - name: R\n    when:\n{}\n    then:\n      - flag: X\n",
    "fr": "règles:\n  - nom: R\n    quand:\n{}\n    alors:\n      - signaler: X\n",
}


PAIRS = st.one_of([st.tuples(one, one) for one in OF_ONE_COLUMN])


@given(PAIRS, st.lists(st.fixed_dictionaries(COLUMNS), min_size=5, max_size=8), days)
@settings(max_examples=300, deadline=None)
def test_nobody_meets_two_lines_that_deny_each_other(
    pair: tuple[Check, Check], people: list[dict[str, Any]], today: date
) -> None:
    one, other = pair
    assert deny(one, other) == deny(other, one)
    met = [holds(one, person[one.field], today) and holds(other, person[other.field], today) for person in people]
    assert not (deny(one, other) and any(met))


@pytest.mark.parametrize(
    ("one", "other", "denied"),
    [
        (("starts_any", ("29", "22")), ("starts", ("75",)), True),
        (("starts_any", ("29", "22")), ("starts_any", ("221", "75")), False),
        (("is", ("29200", "75001")), ("starts_any", ("22", "56")), True),
        (("is", ("École",)), ("contains_any", ("ecol", "coll")), False),
    ],
)
def test_texts_that_no_text_is(one: tuple[str, Any], other: tuple[str, Any], denied: bool) -> None:  # noqa: FBT001  a case
    first, second = (Check("postcode", "text", op, values) for op, values in (one, other))
    assert (deny(first, second), deny(second, first)) == (denied, denied)


def advice(language: str, *lines: str) -> list[Mistake]:
    found = read({"r.yaml": RULE[language].format("\n".join(f"      {line}" for line in lines)).encode()})
    assert found.mistakes == []
    return found.advice


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["any of:", "  - visits: at least 3", "    donations: at least 1"]),
        ("fr", ["l'un de:", "  - visites: au moins 3", "    dons: au moins 1"]),
    ],
)
def test_a_dash_for_the_first_line_alone_is_told(language: str, lines: list[str]) -> None:
    (told,) = advice(language, *lines)
    assert (told.place.line, told.place.column) == (6, 11)
    assert told.message(language).endswith(f"`- {told.found}: …`.")


@pytest.mark.parametrize(
    "lines",
    [
        ["any of:", "  - visits: at least 3", "  - donations: at least 1"],
        ["any of:", "  visits: at least 3", "  donations: at least 1"],
        ["any of:", "  - {visits: at least 3, city: Lyon}", "  - donations: at least 1"],
        ["any of:", "  - visits: at least 3"],
        ["none of:", "  - visits: at least 3", "    city: Lyon"],
        ["all of:", "  - visits: at least 3", "    city: Lyon"],
    ],
)
def test_what_may_well_be_meant_is_left_alone(lines: list[str]) -> None:
    assert advice("en", *lines) == []


def test_a_hundred_gifts_are_probably_money() -> None:
    (told,) = advice("en", "donations: at least 100")
    assert told.suggestion == "donated: at least 100"
    assert advice("en", "donations: at least 3") == advice("en", "visits: at least 100") == []
