"""Seasons and years that are over: a rule that counts what was done in one of them takes nobody new any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from rules.conditions import AllOf, Book, Check, Condition, Period
from rules.fields import FIELDS
from rules.mistakes import Mistake, Place
from rules.phrases import Phrase, typed
from rules.words import vocabulary
from sync.coming import asked_in, holds_for_none

OVER = Period(10, "month")
SEASON = 366  # days: what is longer is history, and meant so


def past_days(book: Book, today: date, language_at: Callable[[Place], str]) -> list[Mistake]:
    """As advice, each season or year that a rule, segment or journey asks about, where all of them were over ten months
    ago, with what to type for the latest that has begun. Silent where what was done in it only leaves people out.
    """
    parts: list[Condition] = [rule.condition for rule in book.rules if rule.active]
    parts += [segment.condition for segment in book.segments]
    parts += [AllOf(journey.conditions) for journey in book.journeys if journey.active]
    found = [mistake for condition in parts for mistake in _told(condition, today, language_at)]
    return list({mistake.place: mistake for mistake in found}.values())


def _told(condition: Condition, today: date, language_at: Callable[[Place], str]) -> Iterator[Mistake]:
    checks = [(check, out, days) for check, out in asked_in(condition, out=False) if (days := _season(check))]
    if all(holds_for_none(check) != out for check, out, _ in checks):
        return
    first, last = max((days for _, _, days in checks), key=lambda days: days[1])
    years = max((n for n in range(today.year - first.year + 1) if Period(n, "year").after(first) <= today), default=0)
    if OVER.after(last) >= today or not years:
        return
    for check, _, (begin, end) in checks:
        moved = Period(years, "year").after(begin), Period(years, "year").after(end)
        language = language_at(check.place)
        yield Mistake(
            check.place, "past-days", found=_line(check, language, begin, end),
            facts={"newer": _line(check, language, *moved)},
        )  # fmt: skip


def _season(check: Check) -> tuple[date, date] | None:
    """The first and the last day, of a check that names both."""
    days = check.window.days if check.window else check
    if days is None or days.type != "date" or days.op != "between":
        return None
    if check.field not in FIELDS or FIELDS[check.field].about_person:
        return None
    first, last = (day for day in days.values if isinstance(day, date))
    return (first, last) if (last - first).days <= SEASON else None


def _line(check: Check, language: str, first: date, last: date) -> str:
    words = vocabulary(language)
    key = words.key("window", "date") if check.window else words.shown("fields", check.field)
    return f"{key}: {typed(language, 'date', Phrase('between', (first, last)))}"
