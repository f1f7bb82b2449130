"""Counts and sums over windows, in bulk: from what people did, one row a deed, to one column for each that rules ask for.

A window of 12 months holds the days that `in the last 12 months` holds: today is its last day, and the day exactly 12
months ago is no longer in it. Days of the calendar are those of the same phrase about a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce
from operator import and_
from typing import cast

import polars as pl

from rules.checks import compared, window
from rules.conditions import Check, Window
from rules.mistakes import fold

OPTIONS: dict[str, tuple[str, ...]] = {
    "visits": ("genre",),
    "purchases": ("amount",),
    "tickets": ("genre",),
    "donations": ("amount",),
    "opens": (),
    "clicks": (),
    "answers": ("score",),
    "spent": ("amount",),
    "donated": ("amount",),
}
"""The fields that can be counted or added up over a window, and what may be asked of each thing."""
SUMS = {"spent": "purchases", "donated": "donations"}
"""Of these the amounts are added up, and `amount` is asked of the sum; each with the field that counts the same things."""


def main_of(field: str) -> str:
    """What is asked of a field over a window: how many things (`count`), or how much they come to (`amount`)."""
    return "amount" if field in SUMS else "count"


TOGETHER = "\n"
NOT_KNOWN = -1


def count(
    people: pl.Series, deeds: Mapping[str, pl.DataFrame], asked: Mapping[str, Check], today: date
) -> pl.DataFrame:
    """A row for each of `people` with each count in `asked`, by its column (`Book.windows`).

    `deeds`, by field, have columns named as `people` and `day` (local; null: not known), as far as a window asks for
    them `genre` (several joined by line ends), `amount` (money) and `score`; `n` where a row stands for several; `thing` where
    several rows are one; and `running`, true where `n` is a total of which only the last day is known: a count that
    such a row may belong to in part is null, unknown for that person.
    """
    counts = dict.fromkeys(asked, pl.Series(dtype=pl.Int64))
    for field in dict.fromkeys(check.field for check in asked.values()):
        windows = {name: check.window for name, check in asked.items() if check.field == field and check.window}
        part = _counted(people.name, deeds[field], windows, today, money=field in SUMS)
        found = people.to_frame().join(part, on=people.name, how="left", maintain_order="left")
        known = [pl.when(pl.col(name) != NOT_KNOWN).then(pl.col(name)).alias(name) for name in windows]
        counts |= {one.name: one for one in found.select(pl.col(list(windows)).fill_null(0)).select(known)}
    return pl.DataFrame([people, *counts.values()])


def span(of: Window, today: date) -> tuple[date | None, date | None]:
    """The first and the last day of a window, both in it; None: no end on that side."""
    tests = [] if of.within is None else [Check("", "date", "less_ago", (of.within,))]
    spans = [window(test, today) for test in (*tests, of.days) if test is not None]
    firsts, lasts = (
        [day for day in days if day is not None] for days in ([a for a, _ in spans], [b for _, b in spans])
    )
    return max(firsts, default=None), min(lasts, default=None)


def _counted(by: str, deeds: pl.DataFrame, windows: Mapping[str, Window], today: date, *, money: bool) -> pl.DataFrame:
    holds = {name: _holds(window, deeds, today) for name, window in windows.items()}
    if "thing" in deeds.columns:
        parts = [
            deeds.lazy().filter(test).select(by, "thing").unique().group_by(by).agg(pl.len().cast(pl.Int64).alias(name))
            for name, test in holds.items()
        ]
        frames = pl.collect_all(parts)
        return reduce(lambda a, b: a.join(b, on=by, how="full", coalesce=True), frames)
    if money:
        sums = [_money(test).alias(name) for name, test in holds.items()]
    else:
        sums = [_sum(test, deeds.columns, windows[name], today).alias(name) for name, test in holds.items()]
    return deeds.lazy().group_by(by).agg(sums).collect()


def _money(test: pl.Expr) -> pl.Expr:
    """Added up in cents: three times 33.33 and one cent are 100."""
    cents = (pl.col("amount") * 100).round().cast(pl.Int64)
    return pl.when(test).then(cents).otherwise(0).sum() / 100


def _sum(test: pl.Expr, columns: list[str], of: Window, today: date) -> pl.Expr:
    total = pl.when(test).then(pl.col("n")).otherwise(0).sum() if "n" in columns else test.sum()
    total = total.cast(pl.Int64)
    first, last = span(of, today)
    if "running" not in columns or (first is None and last is None):
        return total
    day = pl.col("day")
    reaches_in = day >= first if first is not None else day > last
    anything = first is None or last is None or first <= last
    partly = day.is_null() | (pl.col("running") & reaches_in & (day <= today) & anything)
    return pl.when(partly.any()).then(NOT_KNOWN).otherwise(total)


def _holds(of: Window, deeds: pl.DataFrame, today: date) -> pl.Expr:
    """Whether a deed is in the window: true or false. One of which the day is not known may be."""
    first, last = span(of, today)
    tests = [(pl.col("day") <= min(today, last or today)).fill_null(value=True)]
    if first is not None:
        tests.append((pl.col("day") >= first).fill_null(value=True))
    if of.genres:
        tests.append(pl.col("genre").is_in(_spelled(deeds["genre"], of.genres)).fill_null(value=False))
    if of.each is not None:
        tests.append(compared(of.each, pl.col(of.each.field)).fill_null(value=False))
    return reduce(and_, tests)


def _spelled(genres: pl.Series, wanted: Iterable[str]) -> list[str]:
    """The ways in which one of these genres stands in the column, accents and letter case apart."""
    meant = {fold(genre) for genre in wanted}
    values = cast("list[str]", genres.drop_nulls().unique().to_list())
    return [value for value in values if meant & {fold(one) for one in value.split(TOGETHER)}]
