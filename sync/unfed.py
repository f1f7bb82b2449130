"""Conditions on what nobody can know yet, as no source gives it: that they keep everybody out, and what would bring it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import polars as pl

from rules.conditions import AllOf, AnyOf, Book, Check, Condition, NoneOf
from rules.fields import EVERY, OCCASION, SCORES
from rules.mistakes import Mistake, Place
from rules.words import vocabulary
from sync.desk import Desk
from sync.knowledge import feeds, is_fed, told_by_people

BROUGHT = ("person", "engagement", "membership", "answer", "subscription", "donation", "visit", "order")
"""Kinds of record that have a sentence on what brings them: `expected-from-…`."""


def unfed_fields(desk: Desk) -> frozenset[str]:
    """Fields that no source gives: what asks for them is unknown of everybody."""
    fed = feeds(desk) | told_by_people(desk)
    return frozenset(name for name, field in EVERY.items() if not is_fed(field.source, fed)) - set(SCORES)


def deciding_nothing(
    checks: Collection[Check], book: Book, people: pl.DataFrame, unfed: Collection[str],
    language_at: Callable[[Place], str],
) -> Iterator[Mistake]:  # fmt: skip
    """What a check asks that nobody has, as advice: whether the rule is about nobody for it, and what brings it."""
    decisive = dict(_decisive(book))
    for check in checks:
        empty = check.field in people.columns and people[check.field].null_count() == len(people) > 0
        unknown = check.field in unfed
        if not unknown and (not empty or "person" not in _kinds(check.field) or check.op == "never"):
            continue
        left_out = decisive.get(check.place)
        nobody = left_out is not None and (unknown or not left_out)
        yield Mistake(
            check.place,
            "nobody-has-field" if nobody else "nobody-has-field-here",
            found=vocabulary(language_at(check.place)).shown(
                "occasion" if check.field in OCCASION else "fields", check.field
            ),
            expecting=next(f"from_{kind}" for kind in BROUGHT if kind in _kinds(check.field)),
        )


def _kinds(name: str) -> frozenset[str]:
    return EVERY[name].source if name in EVERY else frozenset()


def _decisive(book: Book) -> Iterator[tuple[Place, bool]]:
    """The checks without which nobody is in a rule, a segment or a journey, and whether each leaves people out."""
    for rule in book.rules:
        yield from _needed(rule.when, out=False)
        yield from _needed(rule.unless, out=False) if rule.unless else ()
    for one in (*(segment.condition for segment in book.segments), *(AllOf(each.conditions) for each in book.journeys)):
        yield from _needed(one, out=False)


def _needed(condition: Condition, *, out: bool) -> Iterator[tuple[Place, bool]]:
    match condition:
        case Check(place=place):
            yield place, out
        case NoneOf(items=items) if not out:
            for item in items:
                yield from _needed(item, out=True)
        case AllOf(items=items) | AnyOf(items=items) if len(items) == 1 or isinstance(condition, AnyOf) is out:
            for item in items:
                yield from _needed(item, out=out)
