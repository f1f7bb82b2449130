"""Two journeys around one moment that write to the same people on neighbouring days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from rules.conditions import NOWHERE, AllOf, Book, Check, Condition, Email, InSegment, NoneOf
from rules.journey_reader import at_said
from rules.journeys import VISITS, Journey, Step
from rules.mistakes import Mistake, Place
from rules.nobody_left import deny
from rules.words import vocabulary

NEAR = 3  # days
DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}
OPPOSITE = {"at_least": "less", "less": "at_least", "at_most": "more", "more": "at_most"}


class _Mail(NamedTuple):
    journey: Journey
    step: Step
    email: Email

    @property
    def day(self) -> float:
        at = self.step.at
        return at.sign * at.period.count * DAYS[at.period.unit]


def two_journeys(book: Book, language_at: Callable[[Place], str]) -> list[Mistake]:
    """As advice, of each two journeys around the same moment the first two e-mails that lie within three days of each other,
    at the later one in the file. Silent where nobody can get both by their conditions.
    """
    active = [journey for journey in book.journeys if journey.active]
    found = []
    for one, other in combinations(active, 2):
        if pair := next(_near(one, other), None):
            first, second = sorted(pair, key=lambda mail: mail.step.place)
            found.append(_told(first, second, language_at(second.step.place)))
    return found


def _near(one: Journey, other: Journey) -> Iterator[tuple[_Mail, _Mail]]:
    kinds = {one.around.kind, other.around.kind}
    if one.around != other.around and kinds != VISITS:  # a first visit is a ticket
        return
    for first in _mails(one):
        for second in _mails(other):
            if abs(first.day - second.day) <= NEAR and not _part(_asked(first), _asked(second)):
                yield first, second


def _mails(journey: Journey) -> Iterator[_Mail]:
    for step in journey.steps:
        if isinstance(step.action, Email):
            yield _Mail(journey, step, step.action)


def _asked(mail: _Mail) -> list[Check | InSegment | NoneOf]:
    """What must hold on the day of an e-mail; around a first visit, how often they can have come by then too."""
    asked = list(_must_hold(mail.journey.condition_of(mail.step)))
    if mail.journey.around.kind == "first_visit":
        asked.append(Check("visits", "number", "at_most", (Decimal(mail.step.at.sign > 0),)))
    return asked


def _must_hold(condition: Condition) -> Iterator[Check | InSegment | NoneOf]:
    match condition:
        case AllOf(items=items):
            for item in items:
                yield from _must_hold(item)
        case NoneOf(items=items):
            for item in items:
                if isinstance(item, Check) and item.op in OPPOSITE and item.type in {"number", "money"}:
                    yield replace(item, op=OPPOSITE[item.op])
                else:
                    yield NoneOf((_bare(item),))
        case Check() | InSegment():
            yield condition


def _bare(condition: Condition) -> Condition:
    return replace(condition, place=NOWHERE) if isinstance(condition, Check | InSegment) else condition


def _part(these: list[Check | InSegment | NoneOf], those: list[Check | InSegment | NoneOf]) -> bool:
    """Whether nobody can be asked for both."""
    return any(_against(one, other) or _against(other, one) for one in these for other in those)


def _against(one: Check | InSegment | NoneOf, other: Check | InSegment | NoneOf) -> bool:
    if isinstance(other, NoneOf):
        return _bare(one) in other.items
    if not (isinstance(one, Check) and isinstance(other, Check)):
        return False
    return (one.column, one.type) == (other.column, other.type) and deny(one, other)


def _told(first: _Mail, second: _Mail, language: str) -> Mistake:
    words = vocabulary(language)
    facts = {
        "when": words.key("rule", "when"),
        "unless": words.key("rule", "unless"),
        "at": at_said(language, second.step.at),
        "email": first.email.template,
        "journey": first.journey.name,
        "other_at": at_said(language, first.step.at),
        "place": f"{first.step.place.file}:{first.step.place.line}",
    }
    return Mistake(second.step.place, "two-journeys", found=second.email.template, facts=facts)
