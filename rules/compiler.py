"""Conditions as Polars expressions: every rule over every person in one go.

An expression is null exactly where the answer is unknown. A missing value is known: comparisons with it are false. So
each test fills its nulls with false, and only fields named as unknown, or whose column is not there, give null;
Polars' `&`, `|` and `~` then follow Kleene's logic by themselves.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import cast

import polars as pl

from rules.conditions import AllOf, AnyOf, Book, Check, Condition, InSegment, NoneOf, Period
from rules.fields import FIELDS
from rules.mistakes import fold
from rules.words import LANGUAGES, vocabulary

SEGMENT = "segment:"
# Nobody who never came has an unknown number of visits: without a value these are 0.
COUNTED = frozenset(
    name for name, field in FIELDS.items() if field.type in {"number", "money"} and name != "satisfaction"
)
TRUE = ("x", "1", "✓", "✔", "☑", "v", "y", "o", "vrai", "true")
FALSE = ("", "0", "✗", "☐", "n", "-", "false", "faux")


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
    as Decimal or Float) and the team's own as `sheet:<header>` in text (ISO dates, `true`/`false`, plain numbers).
    A field in `unknown`, or without a column, is unknown for everyone. `today` is the organisation's local date.
    """
    compiler = Compiler(people, today, unknown)
    frame = people.lazy()
    for layer in book.layers:
        frame = frame.with_columns(compiler.condition(s.condition).alias(SEGMENT + s.id) for s in layer)
        compiler.known_segments |= {segment.id for segment in layer}
    rules = [compiler.condition(rule.condition).alias(rule.id) for rule in book.rules if rule.active]
    segments = [pl.col(SEGMENT + segment.id) for segment in book.segments]
    return Verdicts(frame.select(pl.col("key"), *rules, *segments).collect())


class Compiler:
    """Makes expressions for one frame. The same test gives the very same expression, so Polars computes it once.

    Tests of text are tried on the column's distinct values, of which even a million people have few, and become a
    look-up among those that passed: folding a million towns takes 0.3 s, finding their 5,000 names 0.02 s.
    """

    def __init__(self, people: pl.DataFrame, today: date, unknown: Collection[str] = ()) -> None:
        self.people, self.schema, self.today = people, people.schema, today
        self._distinct: dict[str, pl.DataFrame] = {}
        self.unknown = frozenset(unknown)
        self.known_segments: set[str] = set()
        self._made: dict[Condition, pl.Expr | None] = {}

    def condition(self, condition: Condition) -> pl.Expr:
        made = self._make(condition)
        return pl.lit(None, dtype=pl.Boolean) if made is None else made

    def _make(self, condition: Condition) -> pl.Expr | None:
        """The expression, None for one that is unknown for everyone."""
        if condition not in self._made:
            self._made[condition] = self._build(condition)
        return self._made[condition]

    def _build(self, condition: Condition) -> pl.Expr | None:
        match condition:
            case Check():
                return None if self._is_unknown(condition.field) else self._check(condition)
            case InSegment(segment=name):
                return pl.col(SEGMENT + name) if name in self.known_segments else None
            case AllOf(items=items):
                return self._joined(items, and_, empty=True)
            case AnyOf(items=items):
                return self._joined(items, or_, empty=False)
            case NoneOf(items=items):
                found = self._joined(items, or_, empty=False)
                return None if found is None else ~found

    def _joined(
        self, items: tuple[Condition, ...], join: Callable[[pl.Expr, pl.Expr], pl.Expr], *, empty: bool
    ) -> pl.Expr | None:
        made = [self._make(item) for item in items]
        if made and all(item is None for item in made):
            return None
        parts = [pl.lit(None, dtype=pl.Boolean) if item is None else item for item in made]
        return reduce(join, parts) if parts else pl.lit(empty)

    def _is_unknown(self, name: str) -> bool:
        return name in self.unknown or name not in self.schema

    def _check(self, check: Check) -> pl.Expr:
        column = pl.col(check.field)
        if check.op in {"never", "known"}:
            empty = _empty(column, self.schema[check.field])
            return empty if check.op == "never" else ~empty
        if self.schema[check.field] == pl.String:
            return self._by_distinct(check.field, self._text_test(check))
        if isinstance(self.schema[check.field], pl.List):
            return self._tags(check)
        return self._test(check, column).fill_null(value=False)

    def _test(self, check: Check, column: pl.Expr) -> pl.Expr:
        match check.type:
            case "date":
                return self._date(check, column)
            case "number" | "money":
                return _number(check, column)
            case _:
                return column if check.values[0] == "yes" else ~column.fill_null(value=False)

    def _text_test(self, check: Check) -> pl.Expr:
        match check.type:
            case "date":
                return self._date(check, _as_date(pl.col("value")))
            case "number" | "money":
                return _number(check, _as_number(pl.col("value")))
            case "yesno":
                return pl.col("folded").is_in(_ticked(check.values[0] == "yes"))
            case "choice":
                return pl.col("value").is_in(list(check.values))
            case _:
                return _text(check, pl.col("folded"))

    def _by_distinct(self, name: str, test: pl.Expr) -> pl.Expr:
        passed = self._values(name).filter(test.fill_null(value=False))["value"]
        column = pl.col(name)
        found = column.is_in(passed.drop_nulls().implode()).fill_null(value=False)
        return found | column.is_null() if passed.null_count() else found

    def _values(self, name: str) -> pl.DataFrame:
        """The distinct values of a column of text or tags, as they stand and folded."""
        if name not in self._distinct:
            series = self.people[name]
            values = (series.explode() if isinstance(series.dtype, pl.List) else series).unique().alias("value")
            folding = folded(pl.col("value").cast(pl.String).fill_null("")).alias("folded")
            self._distinct[name] = values.to_frame().with_columns(folding)
        return self._distinct[name]

    def _tags(self, check: Check) -> pl.Expr:
        wanted = [fold(str(value)) for value in check.values]
        passed = self._values(check.field).drop_nulls("value").filter(pl.col("folded").is_in(wanted))["value"]
        column = pl.col(check.field)
        has = reduce(or_, [column.list.contains(value) for value in passed], pl.lit(value=False))
        has = has.fill_null(value=False)
        return ~has if check.op == "contain_none" else has

    def _date(self, check: Check, column: pl.Expr) -> pl.Expr:
        first, last = window(check, self.today)
        if check.field == "birthday" and check.op in {"today", "in", "next"}:
            return _anniversary(column, cast("date", first), cast("date", last))
        return _between(column, first, last)


def window(check: Check, today: date) -> tuple[date | None, date | None]:  # noqa: PLR0911  one line a phrase
    """The first and last day, both included, that a phrase about a date allows; None: no end on that side."""
    a = check.values[0] if check.values else None
    one = timedelta(days=1)
    if isinstance(a, Period):
        match check.op:
            case "more_ago":
                return None, _step(a.before(today), -one)
            case "less_ago":
                return _step(a.before(today), one), today
            case "ago":
                return a.before(today), a.before(today)
            case "next":
                return today, a.after(today)
            case _:
                return a.after(today), a.after(today)
    match check.op, a:
        case "before", date():
            return None, _step(a, -one)
        case "after", date():
            return _step(a, one), None
        case "between", date():
            return a, cast("date", check.values[1])
        case "on", date():
            return a, a
        case _:
            return today, today


def _step(day: date, by: timedelta) -> date:
    try:
        return day + by
    except OverflowError:
        return day


def _between(column: pl.Expr, first: date | None, last: date | None) -> pl.Expr:
    if first is None:
        return column <= pl.lit(last)
    if last is None:
        return column >= pl.lit(first)
    return column == pl.lit(first) if first == last else (column >= pl.lit(first)) & (column <= pl.lit(last))


def _anniversary(column: pl.Expr, first: date, last: date) -> pl.Expr:
    """A birthday falls between two days of any year; one on 29 February is kept on the 28th where there is no 29th."""
    if (last - first).days >= 365:
        return column.is_not_null()
    day = column.dt.month().cast(pl.Int16) * 100 + column.dt.day().cast(pl.Int16)
    if not calendar.isleap(first.year if first.month <= 2 else last.year):
        day = pl.when(day == 229).then(228).otherwise(day)
    a, b = first.month * 100 + first.day, last.month * 100 + last.day
    return (day >= a) & (day <= b) if a <= b else (day >= a) | (day <= b)


def _empty(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == pl.String:
        return column.fill_null("").str.strip_chars() == ""
    if isinstance(kind, pl.List):
        return column.list.len().fill_null(0) == 0
    return column.is_null()


def _number(check: Check, column: pl.Expr) -> pl.Expr:
    if check.field in COUNTED:
        column = column.fill_null(0)
    values = [_plain(cast("Decimal", value)) for value in check.values]
    match check.op:
        case "at_least":
            return column >= values[0]
        case "at_most":
            return column <= values[0]
        case "more":
            return column > values[0]
        case "less":
            return column < values[0]
        case "between":
            return (column >= values[0]) & (column <= values[1])
        case _:
            return reduce(or_, [column == value for value in values])


def _plain(value: Decimal) -> pl.Expr:
    whole = value == value.to_integral_value()
    return pl.lit(int(value)) if whole else pl.lit(float(value))


def _ticked(wanted: bool) -> list[str]:  # noqa: FBT001  yes or no is what it is about
    """The ways in which people tick a cell, or leave it."""
    name = "yes" if wanted else "no"
    words = [fold(word) for language in LANGUAGES for word in vocabulary(language).words["yesno"][name]]
    return list(dict.fromkeys([*words, *(TRUE if wanted else FALSE)]))


def _text(check: Check, folded_text: pl.Expr) -> pl.Expr:
    wanted = [fold(str(value)) for value in check.values]
    match check.op:
        case "contains":
            return folded_text.str.contains(wanted[0], literal=True)
        case "starts":
            return folded_text.str.starts_with(wanted[0])
        case _:
            return folded_text.is_in(wanted)


def folded(column: pl.Expr) -> pl.Expr:
    """The same as `rules.mistakes.fold`, in bulk."""
    text = column.str.replace_many(["’", "œ", "Œ", "_", "ß"], ["'", "oe", "oe", " ", "ss"])
    text = text.str.normalize("NFKD").str.replace_all(r"[\p{M}\u{200b}\u{feff}]", "").str.to_lowercase()
    return text.str.replace_all(r"\s+", " ").str.strip_chars()


def _as_date(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _as_number(text: pl.Expr) -> pl.Expr:
    plain = text.str.strip_chars().str.replace(",", ".", literal=True)
    return plain.cast(pl.Float64, strict=False)
