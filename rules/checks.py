"""One test of one field as a Polars expression, true or false for every person."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import cast

import polars as pl

from rules.conditions import Check, Period
from rules.fields import FIELDS, SCORES, SINCE
from rules.mistakes import fold
from rules.words import LANGUAGES, vocabulary

# Nobody who never came has an unknown number of visits: without a value these are 0.
COUNTED = frozenset(
    name
    for name, field in FIELDS.items()
    if field.type in {"number", "money"} and name not in {"satisfaction", *SCORES}
).union(SINCE)
# Without a value it can't be known of this person: nobody was scanned there, or not yet.
UNSURE = frozenset({"attended"})
TICKS = frozenset({"x", "✓", "✔", "☑"})
"""What is typed in a cell for yes, and in a rule about such a column."""
TRUE = ("x", "1", "✓", "✔", "☑", "v", "y", "o", "vrai", "true")
FEW = 6
FALSE = ("", "0", "✗", "☐", "n", "-", "false", "faux")


class Checks:
    """Makes the expressions for one frame of people.

    Tests of text are tried on the column's distinct values, of which even a million people have few, and become a
    look-up among those that passed: folding a million towns takes 0.3 s, finding their 3,000 names 0.02 s.
    """

    def __init__(self, people: pl.DataFrame, today: date) -> None:
        self.people, self.schema, self.today = people, people.schema, today
        self._distinct: dict[str, pl.DataFrame] = {}

    def expressions(self, checks: Iterable[Check]) -> list[pl.Expr]:
        """An expression for each check, whose field is a column. It is null only for a count over a window, or a coming,
        that can't be known of somebody.
        """
        checks = list(checks)
        self._find_distinct({check.field for check in checks if self._is_worded(check)})
        return [self._check(check) for check in checks]

    def _is_worded(self, check: Check) -> bool:
        kind = self.schema[check.field]
        named = check.type == "choice" or check.op in {"never", "known"}
        return (kind == pl.String or isinstance(kind, pl.List)) and not named

    def _find_distinct(self, names: set[str]) -> None:
        """The distinct values of the columns of text and tags, as they stand and folded; side by side."""
        values = [pl.col(n).explode() if isinstance(self.schema[n], pl.List) else pl.col(n) for n in sorted(names)]
        queries = [self.people.lazy().select(value.unique().alias("value")) for value in values]
        folding = folded(pl.col("value").cast(pl.String).fill_null("")).alias("folded")
        frames = pl.collect_all([query.with_columns(folding) for query in queries])
        self._distinct = dict(zip(sorted(names), frames, strict=True))

    def _check(self, check: Check) -> pl.Expr:
        column = pl.col(check.field)
        if check.op in {"never", "known"}:
            empty = _empty(column, self.schema[check.field])
            return empty if check.op == "never" else ~empty
        if check.type == "choice":
            found = reduce(or_, [column == value for value in check.values])
            return found.fill_null(value="none" in check.values)  # who is on no list has the newsletter "none"
        if self.schema[check.field] == pl.String:
            return self._by_distinct(check.field, self._text_test(check))
        if isinstance(self.schema[check.field], pl.List):
            return self._tags(check)
        test = self._test(check, column)
        return test if check.window or check.field in UNSURE else test.fill_null(value=False)

    def _test(self, check: Check, column: pl.Expr) -> pl.Expr:
        match check.type:
            case "date":
                return self._date(check, column)
            case "number" | "money":
                return _number(check, column)
            case _:
                known = column if check.field in UNSURE else column.fill_null(value=False)
                return known if check.values[0] == "yes" else ~known

    def _text_test(self, check: Check) -> pl.Expr:
        match check.type:
            case "date":
                return self._date(check, _as_date(pl.col("value")))
            case "number" | "money":
                return _number(check, _as_number(pl.col("value")))
            case "yesno":
                return pl.col("folded").is_in(ticked(check.values[0] == "yes"))
            case _:
                return _text(check, pl.col("folded"))

    def _by_distinct(self, name: str, test: pl.Expr) -> pl.Expr:
        passed = self._distinct[name].filter(test.fill_null(value=False))["value"]
        column, words = pl.col(name), passed.drop_nulls()
        if len(words) <= FEW:
            found = reduce(or_, [column == word for word in words], pl.lit(value=False))
        else:
            found = column.is_in(words.implode())
        found = found.fill_null(value=False)
        return found | column.is_null() if passed.null_count() else found

    def _tags(self, check: Check) -> pl.Expr:
        wanted = [fold(str(value)) for value in check.values]
        passed = self._distinct[check.field].drop_nulls("value").filter(pl.col("folded").is_in(wanted))["value"]
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
    if isinstance(a, date):
        last = cast("date", check.values[-1])
        beside = {
            "before": (None, _step(a, -one)),
            "after": (_step(a, one), None),
            "since": (a, None),
            "until": (None, a),
        }
        return beside.get(check.op, (a, last))
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
    found = compared(check, column)
    return found.fill_null(compared(check, pl.lit(0))) if check.field in COUNTED else found


def compared(check: Check, column: pl.Expr) -> pl.Expr:
    """A number against what a check asks; null stays null."""
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


def ticked(wanted: bool) -> list[str]:  # noqa: FBT001  yes or no is what it is about
    """The ways in which people tick a cell, or leave it."""
    name = "yes" if wanted else "no"
    words = [fold(word) for language in LANGUAGES for word in vocabulary(language).words["yesno"][name]]
    return list(dict.fromkeys([*words, *(TRUE if wanted else FALSE)]))


def _text(check: Check, folded_text: pl.Expr) -> pl.Expr:
    wanted = [fold(str(value)) for value in check.values]
    match check.op:
        case "contains" | "contains_any":
            return reduce(or_, [folded_text.str.contains(text, literal=True) for text in wanted])
        case "starts" | "starts_any":
            return reduce(or_, [folded_text.str.starts_with(text) for text in wanted])
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
    number = plain.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)
