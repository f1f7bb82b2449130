"""Lines of which one denies the other, so that a rule, or a branch of it, is true of nobody, whoever the people are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import cast

from rules.checks import COUNTED, window
from rules.conditions import NOWHERE, SHEET, AllOf, AnyOf, Check, Condition, InSegment, NoneOf
from rules.context import Context
from rules.fields import OCCASION
from rules.mistakes import fold
from rules.phrases import said

HAPPENED = {
    "last_visit": {"visits"},
    "first_visit": {"visits"},
    "last_purchase": {"purchases", "spent"},
    "last_donation": {"donations", "donated"},
}
"""Days that nobody has, of whom nothing was ever counted."""
FIXED = {"before", "after", "since", "until", "between", "on"}
EACH_YEAR = {"today", "in", "next"}
SOME_DAYS = tuple(date(*day) for day in ((2024, 2, 29), (2025, 3, 31), (2026, 9, 1), (2027, 12, 31)))
"""Times that are told from today are held against each other on several days: months are not all as long."""


def tell_nobody_left(
    context: Context,
    when: Sequence[Condition],
    unless: Sequence[Condition],
    path: str,
    known: Iterable[Condition] = (),
) -> None:
    """Tell a line that stands below both, and two lines that nobody can meet both. `known` holds anyhow."""
    bare = [replace(one, place=NOWHERE) for one in when if isinstance(one, Check | InSegment)]
    for one in unless:
        if isinstance(one, Check | InSegment) and replace(one, place=NOWHERE) in bare:
            context.tell(one.place, "same-in-both", path)
    _walk(context, when, tuple(_checks(known)), path)
    for item in unless:
        _walk(context, (item,), (), path)


def _walk(context: Context, items: Iterable[Condition], known: tuple[Check, ...], path: str) -> None:
    """Look at what must hold together, then into each branch of which one is enough."""
    together = list(items)
    for one in _checks(together):
        denied = next((other for other in known if _tell(context, one, other, path)), None)
        known = known if denied else (*known, one)
    for group in _branching(together):
        for branch in group.items:
            _walk(context, (branch,), known if isinstance(group, AnyOf) else (), path)


def _checks(items: Iterable[Condition]) -> Iterator[Check]:
    for item in items:
        if isinstance(item, AllOf):
            yield from _checks(item.items)
        elif isinstance(item, Check):
            yield item


def _branching(items: Iterable[Condition]) -> Iterator[AnyOf | NoneOf]:
    for item in items:
        if isinstance(item, AllOf):
            yield from _branching(item.items)
        elif isinstance(item, AnyOf | NoneOf):
            yield item


def _tell(context: Context, one: Check, other: Check, path: str) -> bool:
    """Whether the two deny each other, which is told."""
    for never, some in ((one, other), (other, one)):
        if never.op == "never" and some.field in HAPPENED.get(never.field, ()) and _some(some):
            day, counted = (context.words.key("fields", check.field) for check in (never, some))
            context.tell(one.place, "never-and-some", path, field=counted, day=day)
            return True
    if one.column != other.column or one.type != other.type or not deny(one, other):
        return False
    any_of = context.words.key("logic", "any_of")
    facts = {"other": _shown(context, other), "line": other.place.line, "any_of": any_of}
    context.tell(one.place, "never-both", path, _shown(context, one), **facts)
    return True


def _shown(context: Context, check: Check) -> str:
    words, name = context.words, check.field
    section = "occasion" if name in OCCASION else "fields"
    field = name.removeprefix(SHEET) if name.startswith(SHEET) else words.key(section, name)
    return f"{field}: {said(words.language, check)}"


def _some(check: Check) -> bool:
    """Whether a check asks for at least one of what it counts."""
    if check.type not in {"number", "money"} or check.op in {"never", "known"}:
        return False
    least, to_pass = _span(check)[0]
    return least > 0 or (least == 0 and to_pass)


def deny(one: Check, other: Check) -> bool:
    """Whether nobody can meet both, on whatever day: two checks of one type, of the same column."""
    ops = {one.op, other.op}
    if "never" in ops:
        rest = other if one.op == "never" else one
        counted = rest.field in COUNTED and rest.op != "known"  # who has none has 0 of them
        return rest.op not in {"never", "contain_none"} and (_some(rest) if counted else True)
    return "known" not in ops and APART.get(one.type, _no_value)(one, other)


def _span(check: Check) -> tuple[tuple[Decimal, bool], tuple[Decimal, bool]]:
    """The smallest and the largest number, each with whether it must be passed (`more`, `less`)."""
    numbers = [cast("Decimal", value) for value in check.values]
    end = Decimal("Infinity")
    match check.op:
        case "at_least" | "more":
            return (numbers[0], check.op == "more"), (end, False)
        case "at_most" | "less":
            return (-end, False), (numbers[0], check.op == "less")
        case _:
            return (min(numbers), False), (max(numbers), False)


def _no_number(one: Check, other: Check) -> bool:
    if one.op == other.op == "is":
        return not set(one.values) & set(other.values)
    return _below(one, other) or _below(other, one)


def _below(one: Check, other: Check) -> bool:
    """Every number that the first means is smaller than all of the second's."""
    (most, passed), (least, to_pass) = _span(one)[1], _span(other)[0]
    return most < least or (most == least and (passed or to_pass))


def _no_day(one: Check, other: Check) -> bool:
    """No day is meant by both; `today` and the like are held against days of the calendar by time alone."""
    fixed = [check.op in FIXED for check in (one, other)]
    if fixed[0] != fixed[1] or (one.field == "birthday" and {one.op, other.op} & EACH_YEAR):
        return False
    return all(_disjoint(window(one, today), window(other, today)) for today in SOME_DAYS)


def _disjoint(one: tuple[date | None, date | None], other: tuple[date | None, date | None]) -> bool:
    first, last = max(one[0] or date.min, other[0] or date.min), min(one[1] or date.max, other[1] or date.max)
    return first > last


def _no_tag(one: Check, other: Check) -> bool:
    """Tags that are wanted, and all of them left out."""
    some, none = (one, other) if other.op == "contain_none" else (other, one)
    wanted, out = ({fold(str(value)) for value in check.values} for check in (some, none))
    return none.op == "contain_none" != some.op and wanted <= out


def _no_text(one: Check, other: Check) -> bool:
    """No one text passes both."""
    if other.op == "is":
        one, other = other, one
    texts, wanted = ([fold(str(value)) for value in check.values] for check in (one, other))
    if one.op == "is":
        return not any(_passes(text, other.op, wanted) for text in texts)
    if {one.op, other.op} <= {"starts", "starts_any"}:
        return not any(text.startswith(start) or start.startswith(text) for text in texts for start in wanted)
    return False


def _passes(text: str, op: str, wanted: list[str]) -> bool:
    match op:
        case "contains" | "contains_any":
            return any(part in text for part in wanted)
        case "starts" | "starts_any":
            return any(text.startswith(start) for start in wanted)
        case _:
            return text in wanted


def _no_value(one: Check, other: Check) -> bool:
    return not set(one.values) & set(other.values)


APART = {"number": _no_number, "money": _no_number, "date": _no_day, "text": _no_text, "tags": _no_tag}
