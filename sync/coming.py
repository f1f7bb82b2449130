"""Counts over days that are not all over yet: a visit and its tickets count once the show has begun, so who has booked
for later is not seen in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from rules.again import booked
from rules.conditions import AllOf, AnyOf, Book, Check, Condition, NoneOf
from rules.mistakes import Mistake, Place
from rules.phrases import Phrase, typed
from rules.windows import span
from rules.words import vocabulary

OF_THE_SHOW = {"visits", "tickets"}


def coming_visits(book: Book, today: date, language_at: Callable[[Place], str]) -> list[Mistake]:
    """Each such count at its place, as advice, with what to type in the language of its file. Silent where the same rule,
    segment or journey asks for the next visit.
    """
    parts = [(rule.needs, rule.condition) for rule in book.rules]
    parts += [(segment.needs, segment.condition) for segment in book.segments]
    parts += [(journey.needs, AllOf(journey.conditions)) for journey in book.journeys]
    found = [
        mistake
        for needs, condition in parts
        if "next_visit" not in needs
        for check, out in asked_in(condition, out=False)
        for mistake in _told(check, today, language_at(check.place), out=out)
    ]
    return list({mistake.place: mistake for mistake in found}.values())


def asked_in(condition: Condition, *, out: bool) -> Iterator[tuple[Check, bool]]:
    """Each test, and whether it leaves out those for whom it holds."""
    match condition:
        case AllOf(items=items) | AnyOf(items=items):
            for item in items:
                yield from asked_in(item, out=out)
        case NoneOf(items=items):
            for item in items:
                yield from asked_in(item, out=not out)
        case Check():
            yield condition, out


def _told(check: Check, today: date, language: str, *, out: bool) -> Iterator[Mistake]:
    if check.field not in OF_THE_SHOW or check.window is None or check.window.days is None:
        return
    first, last = span(check.window, today)
    if (first is not None and first > today) or (last is not None and last <= today):
        return
    none = holds_for_none(check) != out
    if last is None and not none and check.field == "visits":
        return  # `at least 3 since September`: of those who came
    words, days = vocabulary(language), check.window.days
    asked = f"{words.key('window', 'date')}: {typed(language, 'date', Phrase(days.op, days.values))}"
    facts = {
        "booked": booked(language),
        "line": booked(language, nothing=not out),
        "purchases": words.key("fields", "purchases"),
        "any_of": words.key("logic", "any_of"),
    }
    code = "coming-none" if none else f"coming-{check.field}"
    yield Mistake(check.place, code, found=f"{words.key('fields', check.field)}: {{…, {asked}}}", facts=facts)


def holds_for_none(check: Check) -> bool:
    """Whether who has none of what is counted passes."""
    least = check.values[0] if check.values else None
    if not isinstance(least, Decimal):
        return False
    return check.op == "at_most" or (check.op == "less" and least > 0) or (check.op in {"is", "between"} and not least)
