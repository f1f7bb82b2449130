"""Conditions as Polars expressions: every rule over every person in one go.

An expression is null exactly where the answer is unknown. A missing value is known: comparisons with it are false. So
each test fills its nulls with false, and only fields named as unknown, or whose column is not there, and counts over a
window that can't be known of somebody give null;
Polars' `&`, `|` and `~` then follow Kleene's logic by themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from operator import and_, or_

import polars as pl

from rules.checks import Checks
from rules.conditions import AllOf, AnyOf, Book, Check, Condition, InSegment, NoneOf, column_of, leaves

SEGMENT = "segment:"


@dataclass(frozen=True)
class Verdicts:
    """`frame` has the people's `key` and, for each active rule, a Boolean column named by its id; for each segment one
    named `segment:<id>`. Null: can't be known today.
    """

    frame: pl.DataFrame

    def rule(self, identity: str) -> pl.Series:
        return self.frame[identity]

    def segment(self, identity: str) -> pl.Series:
        return self.frame[SEGMENT + identity]


def evaluate(book: Book, people: pl.DataFrame, today: date, unknown: Collection[str] = ()) -> Verdicts:
    """Which rules and segments hold for whom.

    `people` has a column `key`, the columns of `rules.fields.FIELDS` (dates as `pl.Date`, tags as lists of text, money
    as Decimal or Float), those of `book.windows` (from `rules.windows.count`) and the team's own as
    `sheet:<header>` in text (ISO dates, `true`/`false`, plain numbers).
    A field in `unknown`, or without a column, is unknown for everyone. `today` is the organisation's local date.
    """
    wanted = {rule.id: rule.condition for rule in book.rules if rule.active}
    wanted |= {SEGMENT + segment.id: InSegment(segment.id) for segment in book.segments}
    return Verdicts(answers(book, wanted, people, today, unknown))


def answers(
    book: Book,
    wanted: Mapping[str, Condition],
    people: pl.DataFrame,
    today: date,
    unknown: Collection[str] = (),
) -> pl.DataFrame:
    """The answer to each wanted condition by its name, for each `key`.

    Each test is computed once however often it stands in rules and segments, then each segment once, then the rules;
    what is combined are bits, so that the tests are nearly all of the work.
    """
    every = [*wanted.values(), *(segment.condition for segment in book.segments)]
    found = {leaf: None for condition in every for leaf in leaves(condition) if isinstance(leaf, Check)}
    columns = {check: column_of(check.column, people.columns) for check in found if check.field not in set(unknown)}
    placed = {check: replace(check, field=column) for check, column in columns.items() if column is not None}
    names = {check: f"test:{n}" for n, check in enumerate(placed)}
    tests = [
        made.alias(name)
        for made, name in zip(Checks(people, today).expressions(placed.values()), names.values(), strict=True)
    ]
    frame = people.lazy().select(pl.col("key"), *tests).collect().lazy()
    for layer in book.layers:
        frame = frame.with_columns(_bits(s.condition, names).alias(SEGMENT + s.id) for s in layer)
    return frame.select(pl.col("key"), *(_bits(c, names).alias(name) for name, c in wanted.items())).collect()


def _bits(condition: Condition, names: Mapping[Check, str]) -> pl.Expr:
    match condition:
        case Check():
            return pl.col(names[condition]) if condition in names else pl.lit(None, dtype=pl.Boolean)
        case InSegment(segment=name):
            return pl.col(SEGMENT + name)
        case AllOf(items=()):
            return pl.lit(value=True)
        case AllOf(items=items):
            return reduce(and_, [_bits(item, names) for item in items])
        case AnyOf(items=items):
            return reduce(or_, [_bits(item, names) for item in items])
        case NoneOf(items=items):
            return ~reduce(or_, [_bits(item, names) for item in items])
