"""The whole language three ways: in bulk, by the small reference, and as `explain` tells it, over random rules and people.

Rules nest, use segments that use segments, count over windows, read scores; people lack values, whole fields are not
known, and of some only a total is known. A few seconds in `make test`, much more in `make test-long`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.compiler import evaluate
from rules.conditions import AllOf, Book, Check, Condition, InSegment, NoneOf, Rule, Segment
from rules.explain import Reason, explain
from rules.windows import count
from tests.rules.reference import (
    CHECKS,
    COLUMNS,
    DID,
    SCORE_CHECKS,
    SCORED,
    TODAY,
    WINDOWS,
    Did,
    conditions,
    verdict,
)
from tests.rules.test_compiler import SCHEMA

Person = dict[str, Any]
LEAVES = WINDOWS | CHECKS | SCORE_CHECKS | WINDOWS
PEOPLE = st.lists(st.fixed_dictionaries({**COLUMNS, **SCORED, "did": DID}), min_size=1, max_size=5)
FIELDS = [*COLUMNS, *SCORED, "donations", "donated", "answers", "opens"]
DEEDS: dict[str, Any] = {
    "key": pl.Int64, "day": pl.Date, "genre": pl.String, "amount": pl.Float64, "score": pl.Float64,
    "n": pl.Int64, "running": pl.Boolean, "thing": pl.Int64,
}  # fmt: skip
HAS = {
    "visits": ("genre",), "donations": ("amount",), "donated": ("amount",), "answers": ("score", "thing"),
    "opens": ("n", "running"),
}  # fmt: skip
DID_AS = {"donated": "donations"}


def frame(people: list[Person], book: Book) -> pl.DataFrame:
    """People as the rules take them: their fields, and the counts that the book asks for."""
    schema = {**SCHEMA, **dict.fromkeys(SCORED, pl.Int64)}
    known = pl.DataFrame([{"key": n, **person} for n, person in enumerate(people)], schema=schema)
    deeds = {field: deeds_of(people, field) for field in HAS}
    return known.join(count(known["key"], deeds, book.windows, TODAY), on="key", maintain_order="left")


def deeds_of(people: list[Person], field: str) -> pl.DataFrame:
    def row(key: int, one: Did) -> dict[str, Any]:
        return {"key": key, "day": one.day, **{name: getattr(one, name) for name in HAS[field]}}

    rows = [row(key, one) for key, person in enumerate(people) for one in person["did"][DID_AS.get(field, field)]]
    return pl.DataFrame(rows, schema={name: DEEDS[name] for name in ("key", "day", *HAS[field])})


def three_ways(
    plain: list[Condition],
    wanted: list[Condition],
    excepted: Condition,
    drawn: list[Condition],
    people: list[Person],
    unknown: set[str],
) -> None:
    """The first segment may use the second, the rules both. `plain` tests stand alone: nesting hides what is wrong."""
    segments = dict(zip(("a", "b"), drawn, strict=True))
    rules = tuple(Rule(f"r{n}", f"r{n}", AllOf((one,)), NoneOf((excepted,)), ()) for n, one in enumerate(wanted))
    alone = tuple(Rule(f"p{n}", f"p{n}", AllOf((one,)), None, ()) for n, one in enumerate(plain))
    book = Book((*rules, *alone), tuple(Segment(name, name, one) for name, one in segments.items()))
    known = frame(people, book)
    bulk = evaluate(book, known, TODAY, unknown)

    def judged(node: Condition, person: Person) -> bool | None:
        return verdict(node, person, TODAY, unknown, segments)

    for name, condition in segments.items():
        assert bulk.segment(name).to_list() == [judged(condition, person) for person in people]
    for rule in alone:
        assert bulk.rule(rule.id).to_list() == [judged(rule.condition, person) for person in people], rule.when
    for rule in rules:
        assert bulk.rule(rule.id).to_list() == [judged(rule.condition, person) for person in people]
        for n, person in enumerate(people[:2]):
            language = ("en", "fr")[n % 2]
            told = explain(book, rule, known[n : n + 1], TODAY, unknown=unknown, language=language)
            assert told.answer == bulk.rule(rule.id)[n]
            assert len(told.lines()) > len(rule.when.items)
            for reason, item in zip(told.below, (*rule.when.items, rule.unless), strict=True):
                assert item is not None
                agrees(reason, item, segments, lambda node, person=person: judged(node, person))  # type: ignore[misc]  # of this turn


def agrees(
    reason: Reason, node: Condition, segments: Mapping[str, Condition], judged: Callable[[Condition], bool | None]
) -> None:
    """Every reason says of its node what the reference says."""
    assert reason.answer == judged(node), reason.words
    match node:
        case Check():
            below: tuple[Condition, ...] = ()
        case InSegment(segment=name):
            inner = segments[name]
            below = inner.items if isinstance(inner, AllOf) else (inner,)
        case _:
            below = node.items
    for under, item in zip(reason.below, below, strict=True):
        agrees(under, item, segments, judged)


CASES = st.tuples(
    st.lists(WINDOWS | SCORE_CHECKS, min_size=8, max_size=12),
    st.lists(conditions(LEAVES | st.sampled_from([InSegment("a"), InSegment("b")])), min_size=1, max_size=2),
    conditions(LEAVES | st.just(InSegment("a"))),
    st.tuples(conditions(LEAVES | st.just(InSegment("b"))), conditions(LEAVES)).map(list),
    PEOPLE,
    st.sets(st.sampled_from(FIELDS), max_size=2),
)

# Drawing whole rules folders takes a second where others use the machine too, and one that grows too large is drawn anew.
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@given(CASES)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_bulk_reference_and_explain_say_the_same(case: tuple[Any, ...]) -> None:
    three_ways(*case)


@pytest.mark.long
@given(CASES)
@settings(max_examples=5000, deadline=None, suppress_health_check=SLOW)
def test_they_say_the_same_for_a_long_time(case: tuple[Any, ...]) -> None:
    three_ways(*case)
