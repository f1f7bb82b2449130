"""Rules that ask for more than there is: a number that nobody comes near, a day still to come, a time before the first
record. All of it may become true; until then a person should know why the rule is about nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import polars as pl

from rules.conditions import Check, Period
from rules.fields import FIELDS
from rules.mistakes import Mistake
from rules.never_true import PAST
from rules.phrases import Phrase, long_date, number_word, typed
from rules.words import vocabulary

VISITED = {"first_visit", "last_visit", "visits", "tickets"}


def out_of_reach(check: Check, people: pl.DataFrame, today: date, language: str) -> Iterator[Mistake]:
    """What one check asks that is true of nobody in `people` and can't be yet, as advice. `today` is the local day."""
    if check.field in FIELDS and check.type in {"number", "money"} and check.window is None:
        yield from _too_high(check, people, language)
    if check.field in FIELDS and check.type == "date":
        yield from _still_to_come(check, today, language)
    if check.window and check.window.days:
        yield from _still_to_come(check.window.days, today, language)
    if check.field in VISITED:
        yield from _before_all(check, people, today, language)


def _too_high(check: Check, people: pl.DataFrame, language: str) -> Iterator[Mistake]:
    numbers = [value for value in check.values if isinstance(value, Decimal)]
    most = people[check.field].max()
    if not numbers or most is None or check.op not in {"at_least", "more", "is", "between"}:
        return
    asked, there = min(numbers), Decimal(str(most))
    if asked > there or (check.op == "more" and asked == there):
        facts = {"field": _named(check, language), "most": number_word(language, there)}
        yield Mistake(check.place, "nobody-reaches", found=_typed(check, language), facts=facts)


def _still_to_come(check: Check, today: date, language: str) -> Iterator[Mistake]:
    day = check.values[0] if check.values else None
    if (
        not isinstance(day, date)
        or check.op not in {"after", "since", "on", "between"}
        or check.field not in {*PAST, "birthday", "date"}
    ):
        return
    if day > today or (check.op == "after" and day == today):
        facts = {"field": _named(check, language), "day": long_date(language, day)}
        yield Mistake(check.place, "still-to-come", found=_typed(check, language), facts=facts)


def _before_all(check: Check, people: pl.DataFrame, today: date, language: str) -> Iterator[Mistake]:
    """A time that reaches back beyond the first visit anybody knows of."""
    first = people["first_visit"].min()
    period = check.window.within if check.window else check.values[0] if check.op == "more_ago" else None
    if not isinstance(first, date) or not isinstance(period, Period) or period.before(today) >= first:
        return
    code = "window-before-all" if check.window else "before-all"
    found = typed(language, "within", Phrase("within", (period,))) if check.window else _typed(check, language)
    yield Mistake(check.place, code, found=found, facts={"first": long_date(language, first)})


def _typed(check: Check, language: str) -> str:
    return typed(language, "number" if check.type == "money" else check.type, Phrase(check.op, check.values))


def _named(check: Check, language: str) -> str:
    return vocabulary(language).key("fields" if check.field in FIELDS else "window", check.field)
