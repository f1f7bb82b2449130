"""Two journeys or rules around one moment that write to the same people on neighbouring days."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import combinations, product
from typing import NamedTuple

from rules.conditions import NOWHERE, AllOf, Book, Check, Condition, Email, InSegment, NoneOf, Period, Rule, Shift
from rules.journey_reader import at_said
from rules.journeys import VISITS, Around, Journey, Step
from rules.mistakes import Mistake, Place
from rules.nobody_left import deny
from rules.phrases import Phrase, typed
from rules.words import vocabulary

NEAR = 3  # days
DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}
OPPOSITE = {"at_least": "less", "less": "at_least", "at_most": "more", "more": "at_most"}


JUST = {"last_visit": Around("ticket"), "first_visit": Around("first_visit"), "last_donation": Around("donation")}
"""What a rule is around that asks for a day shortly before today."""
SHORTLY = 31  # days; a thank-you takes people in on the day after, and asks for a month so that none is missed
NEXT_RUN = 1  # a rule takes somebody in on the day after


class _Mail(NamedTuple):
    """An e-mail of a journey or rule: how many days after what it goes, who it is for, and when, as it is written."""

    of: Journey | Rule
    email: Email
    around: Around
    day: float
    condition: Condition
    place: Place
    at: Callable[[str], str]


def near_emails(book: Book, language_at: Callable[[Place], str], is_news: Callable[[Email], bool]) -> list[Mistake]:
    """As advice, of each two journeys or rules around the same moment the first two e-mails that lie within three days of
    each other, at the later one in the file. Silent where nobody can get both by their conditions, and of the same news
    twice, which nobody gets.
    """
    mails = [list(_mails_of(one)) for one in book.acting if one.active]
    found = []
    for one, other in combinations(mails, 2):
        if pair := next(_near(one, other, is_news), None):
            first, second = sorted(pair, key=lambda mail: mail.place)
            found.append(_told(first, second, language_at(first.place), language_at(second.place)))
    return found


def _near(one: list[_Mail], other: list[_Mail], is_news: Callable[[Email], bool]) -> Iterator[tuple[_Mail, _Mail]]:
    for first, second in product(one, other):
        if first.email.template == second.email.template and is_news(first.email) and is_news(second.email):
            continue
        same = first.around == second.around or {first.around.kind, second.around.kind} == VISITS
        if same and abs(first.day - second.day) <= NEAR and not _part(_asked(first), _asked(second)):
            yield first, second


def _mails_of(one: Journey | Rule) -> Iterator[_Mail]:
    if isinstance(one, Rule):
        yield from _of_rule(one)
        return
    for step in one.steps:
        if isinstance(step.action, Email):
            said = partial(_at_said, step)
            yield _Mail(one, step.action, one.around, _days(step.at), one.condition_of(step), step.place, said)


def _of_rule(rule: Rule) -> Iterator[_Mail]:
    """The e-mails of a rule that asks for a day shortly before today, by the first line that does."""
    asked = (one for one in _must_hold(rule.when) if isinstance(one, Check) and one.field in JUST)
    check = next((one for one in asked if one.op == "less_ago" and _length(one) <= SHORTLY), None)
    for email in (action for action in rule.actions if isinstance(action, Email)):
        if check is not None:
            day = NEXT_RUN + (email.wait.count * DAYS[email.wait.unit] if email.wait else 0)
            said = partial(_line, check)
            yield _Mail(rule, email, JUST[check.field], day, rule.condition, rule.place, said)


def _at_said(step: Step, language: str) -> str:
    return at_said(language, step.at)


def _line(check: Check, language: str) -> str:
    phrase = typed(language, "date", Phrase(check.op, check.values))
    return f"{vocabulary(language).shown('fields', check.field)}: {phrase}"


def _days(at: Shift) -> float:
    return at.sign * at.period.count * DAYS[at.period.unit]


def _length(check: Check) -> float:
    period = check.values[0]
    return period.count * DAYS[period.unit] if isinstance(period, Period) else math.inf


def _asked(mail: _Mail) -> list[Check | InSegment | NoneOf]:
    """What must hold on the day of an e-mail; around a first visit, how often they can have come by then too."""
    asked = list(_must_hold(mail.condition))
    if mail.around.kind == "first_visit":
        asked.append(Check("visits", "number", "at_most", (Decimal(mail.day >= 0),)))
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


def _told(first: _Mail, second: _Mail, its_language: str, language: str) -> Mistake:
    words = vocabulary(language)
    facts = {
        "when": words.key("rule", "when"),
        "unless": words.key("rule", "unless"),
        "at": second.at(language),
        "email": first.email.template,
        "other": first.of.name,
        "other_at": first.at(its_language),
        "place": f"{first.place.file}:{first.place.line}",
    }
    return Mistake(second.place, "near-emails", found=second.email.template, facts=facts)
