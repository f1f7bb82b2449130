"""Bulk evaluation against the small reference interpreter, and the corners that matter to people."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.compiler import evaluate
from rules.conditions import AllOf, Book, Check, Condition, InSegment, Period, Rule, Segment
from tests.rules.reference import CHECKS, COLUMNS, TODAY, conditions, holds, verdict

SCHEMA: dict[str, Any] = {
    "key": pl.Int64,
    "last_visit": pl.Date,
    "birthday": pl.Date,
    "visits": pl.Int64,
    "spent": pl.Float64,
    "satisfaction": pl.Int64,
    "city": pl.String,
    "genres": pl.List(pl.String),
    "visits_since": pl.Int64,
    "donations_since": pl.Int64,
    "sheet:Note": pl.String,
}


def frame(people: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{"key": n, **person} for n, person in enumerate(people)], schema=SCHEMA)


def rule(condition: Condition, name: str = "r") -> Rule:
    return Rule(name, name, AllOf((condition,)), None, ())


def one(check: Check, value: Any, today: date = TODAY) -> Any:
    return evaluate(Book((rule(check),)), frame([{check.field: value}]), today).rule("r")[0]


@given(
    st.lists(conditions(CHECKS), min_size=1, max_size=3),
    conditions(CHECKS | st.just(InSegment("s"))),
    conditions(CHECKS | st.sampled_from([InSegment("s"), InSegment("t")])),
    st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=8),
    st.sets(st.sampled_from(sorted(COLUMNS)), max_size=2),
)
@settings(max_examples=150, deadline=None)
def test_bulk_says_what_the_reference_says(
    first: list[Condition], nested: Condition, using: Condition, people: list[dict[str, Any]], unknown: set[str]
) -> None:
    segments = {"s": first[0], "t": nested}
    book = Book(
        tuple(rule(c, f"r{n}") for n, c in enumerate([*first, using])),
        (Segment("t", "t", nested), Segment("s", "s", first[0])),
    )
    found = evaluate(book, frame(people), TODAY, unknown)
    for n, condition in enumerate([*first, using]):
        assert found.rule(f"r{n}").to_list() == [verdict(condition, p, TODAY, unknown, segments) for p in people]
    for name, condition in segments.items():
        assert found.segment(name).to_list() == [verdict(condition, p, TODAY, unknown, segments) for p in people]


def test_a_column_that_is_gone_is_unknown() -> None:
    people = frame([{"visits": 3}]).drop("city")
    gone = Check("city", "text", "is", ("Lyon",))
    found = evaluate(
        Book((rule(gone), rule(AllOf((gone, Check("visits", "number", "is", (Decimal(0),)))), "no"))), people, TODAY
    )
    assert found.rule("r")[0] is None
    assert found.rule("no")[0] is False


def test_months_are_calendar_months() -> None:
    six = Check("last_visit", "date", "ago", (Period(6, "month"),))
    assert one(six, date(2026, 2, 28), today=date(2026, 8, 31)) is True
    assert one(six, date(2026, 3, 3), today=date(2026, 8, 31)) is False


@pytest.mark.parametrize(
    ("op", "days"),
    [
        ("before", (True, False, False)), ("until", (True, True, False)), ("on", (False, True, False)),
        ("since", (False, True, True)), ("after", (False, False, True)),
    ],
)  # fmt: skip
def test_the_day_itself_and_those_beside_it(op: str, days: tuple[bool, ...]) -> None:
    asked = Check("last_visit", "date", op, (date(2026, 6, 30),))
    beside = (date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 1))
    assert tuple(one(asked, day) for day in beside) == days
    assert tuple(holds(asked, day, TODAY) for day in beside) == days


@pytest.mark.parametrize(
    ("today", "on"), [(date(2026, 2, 28), True), (date(2028, 2, 28), False), (date(2028, 2, 29), True)]
)
def test_a_birthday_on_29_february(today: date, *, on: bool) -> None:
    assert one(Check("birthday", "date", "today"), date(2000, 2, 29), today) is on


def test_never_came_is_known() -> None:
    assert one(Check("last_visit", "date", "never"), None) is True
    assert one(Check("last_visit", "date", "more_ago", (Period(1, "day"),)), None) is False


@pytest.mark.parametrize("cell", ["oui", "Yes", "x", "X", "true", "vrai", "1", "✓"])
def test_a_ticked_cell(cell: str) -> None:
    assert one(Check("sheet:Note", "yesno", "is", ("yes",)), cell) is True
    assert one(Check("sheet:Note", "yesno", "is", ("no",)), cell) is False


@pytest.mark.parametrize("cell", [None, "", "non", "false", "0"])
def test_a_cell_left_empty_is_a_no(cell: str | None) -> None:
    assert one(Check("sheet:Note", "yesno", "is", ("no",)), cell) is True


def test_a_paused_rule_is_not_decided() -> None:
    paused = Rule("r", "r", AllOf((Check("visits", "number", "is"),)), None, (), active=False)
    assert evaluate(Book((paused,)), frame([{}]), TODAY).frame.columns == ["key"]


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Decimal(12, 2)])
def test_money_as_decimal_or_float(dtype: Any) -> None:
    people = pl.DataFrame({"key": [1, 2, 3], "spent": ["12.50", "12.49", None]}).with_columns(
        pl.col("spent").cast(dtype)
    )
    book = Book((rule(Check("spent", "money", "at_least", (Decimal("12.5"),))),))
    assert evaluate(book, people, TODAY).rule("r").to_list() == [True, False, False]


def test_nobody_and_unknown_for_everyone() -> None:
    empty = frame([])
    book = Book((rule(Check("last_emailed", "date", "never")),))
    assert evaluate(book, empty, TODAY).rule("r").to_list() == []
    assert evaluate(book, frame([{}, {}]), TODAY).rule("r").to_list() == [None, None]


def test_on_no_list_is_none() -> None:
    people = pl.DataFrame({"key": [1, 2], "newsletter": [None, "subscribed"]})
    book = Book((rule(Check("newsletter", "choice", "is", ("none", "bounced"))),))
    assert evaluate(book, people, TODAY).rule("r").to_list() == [True, False]


def test_a_header_is_found_whatever_its_accents_and_case() -> None:
    people = pl.DataFrame({"key": [1, 2], "sheet:Ne pas Relancer": ["oui", None]})
    book = Book((rule(Check("sheet:ne_pas relancer", "yesno", "is", ("yes",))),))
    assert evaluate(book, people, TODAY).rule("r").to_list() == [True, False]
    assert evaluate(book, people, TODAY, {"sheet:ne_pas relancer"}).rule("r").to_list() == [None, None]


@pytest.mark.parametrize(
    ("op", "texts", "met"),
    [
        ("contains", ("ecole",), ["École de danse", "Grande ECOLE"]),
        ("contains_any", ("Ecole", "collège"), ["École de danse", "Grande ECOLE", "College Sévigné"]),
        ("starts", ("ecole",), ["École de danse"]),
        ("starts_any", ("ECOLE", "Collège"), ["École de danse", "College Sévigné"]),
        ("contains_any", ("École, Collège",), []),
    ],
)
def test_a_part_of_a_text_whatever_its_accents_and_case(op: str, texts: tuple[str, ...], met: list[str]) -> None:
    names = ["École de danse", "Grande ECOLE", "College Sévigné", "Lycée", "", None]
    for field in ("organisation", "sheet:Note"):
        people = pl.DataFrame({"key": range(6), field: names})
        found = evaluate(Book((rule(Check(field, "text", op, texts)),)), people, TODAY).rule("r")
        assert people.filter(found)[field].to_list() == met
