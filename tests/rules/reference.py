"""What a rule means, one person at a time, written to be read; and random rules and people to try it on.

True, False, or None for unknown. The product evaluates in bulk; a property test holds the two together.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

from dateutil.relativedelta import relativedelta
from hypothesis import strategies as st

from rules.checks import COUNTED
from rules.conditions import AllOf, AnyOf, Check, Condition, InSegment, NoneOf, Period
from rules.fields import FieldType
from rules.mistakes import fold

YES = {"yes", "true", "oui", "vrai", "x", "1", "✓", "✔", "☑", "v", "y", "o"}
NO = {"", "no", "false", "non", "faux", "0", "✗", "☐", "n", "-"}


def verdict(
    c: Condition, person: Mapping[str, Any], today: date, unknown: set[str], segments: dict[str, Condition]
) -> bool | None:
    match c:
        case Check():
            return None if c.field in unknown else bool(holds(c, person[c.field], today))
        case InSegment(segment=name):
            return verdict(segments[name], person, today, unknown, segments)
        case AllOf() | AnyOf() | NoneOf():
            found = [verdict(item, person, today, unknown, segments) for item in c.items]
            decisive = not isinstance(c, AllOf)  # one yes decides "any of" and "none of"; one no decides "all of"
            answer = decisive if decisive in found else None if None in found else not decisive
            return answer if answer is None or not isinstance(c, NoneOf) else not answer


def holds(c: Check, value: Any, today: date) -> bool:  # noqa: PLR0911  one return a type
    if c.field in COUNTED and value is None and c.op not in {"never", "known"}:
        value = 0
    if c.op in {"never", "known"}:
        return (value is None or value in ("", []) or not str(value).strip()) == (c.op == "never")
    if c.type == "tags":
        has = bool({fold(tag) for tag in value or []} & {fold(str(wanted)) for wanted in c.values})
        return has != (c.op == "contain_none")
    if c.type == "yesno":
        return fold(value or "") in ({fold(w) for w in YES} if c.values[0] == "yes" else {fold(w) for w in NO})
    if value is None:
        return False
    if c.type == "date":
        return bool(on_day(c, value if isinstance(value, date) else parsed(value), today))
    if c.type in {"number", "money"}:
        return on_number(c.op, number(value), [float(cast("Decimal", v)) for v in c.values])
    wanted = [fold(str(v)) for v in c.values]
    match c.op:
        case "contains":
            return wanted[0] in fold(value)
        case "starts":
            return fold(value).startswith(wanted[0])
    return fold(value) in wanted


def parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def number(value: Any) -> float | None:
    try:
        return float(value) if math.isfinite(float(value)) else None
    except ValueError:
        return None


def on_number(op: str, n: float | None, values: list[float]) -> bool:
    if n is None:
        return False
    table = {"at_least": n >= values[0], "at_most": n <= values[0], "more": n > values[0], "less": n < values[0]}
    return table[op] if op in table else values[0] <= n <= values[1] if op == "between" else n in values


def on_day(c: Check, day: date | None, today: date) -> Any:  # noqa: C901, PLR0911  one return a phrase
    if day is None:
        return False
    a: Any = c.values[0] if c.values else None
    if isinstance(a, Period):
        before, after = today - period(a), today + period(a)
    if c.field == "birthday" and c.op in {"today", "in", "next"}:
        first, last = (
            {"today": (today, today), "in": (after, after), "next": (today, after)}[c.op] if a else (today, today)
        )
        return any(kept(day, date.fromordinal(n)) for n in range(first.toordinal(), last.toordinal() + 1))
    match c.op:
        case "more_ago":
            return day < before
        case "less_ago":
            return before < day <= today
        case "ago":
            return day == before
        case "next":
            return today <= day <= after
        case "in":
            return day == after
        case "before":
            return day < a
        case "after":
            return day > a
        case "between":
            return a <= day <= cast("date", c.values[1])
    return day == (a or today)


def period(a: Period) -> relativedelta:
    return relativedelta(**{f"{a.unit}s": a.count})  # type: ignore[arg-type]


def kept(born: date, day: date) -> bool:
    """Is `day` the day on which somebody born on `born` has their birthday?"""
    on = born.day if calendar.isleap(day.year) or (born.month, born.day) != (2, 29) else 28
    return (day.month, day.day) == (born.month, on)


TODAY = date(2026, 8, 31)
days = st.dates(date(2024, 1, 1), date(2027, 12, 31)) | st.sampled_from(
    [
        TODAY,
        date(2026, 2, 28),
        date(2025, 2, 28),
        date(2024, 2, 29),
        date(2026, 9, 7),
        date(2026, 8, 24),
        date(2027, 2, 28),
    ]
)
words = st.sampled_from(
    ["Lyon", "lyon", "LYON ", "Saint-Étienne", "saint-etienne", "Œuvre", "oeuvre", "", " ", "L'Isle", "L’Isle", "1"]
)
periods = st.builds(
    Period,
    st.sampled_from([0, 1, 2, 6, 7, 12, 18]),
    st.sampled_from(["day", "week", "month", "year"]),
)
numbers = st.sampled_from([Decimal(n) for n in ("0", "1", "2", "3", "12.5", "-1")])
cells = words | st.sampled_from(
    ["oui", "NON", "x", "✓", "true", "false", "2026-08-24", "2026-02-30", "12.5", "3", "nan", "inf", "peut-être"]
)


def _ordered(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    return (min(pair), max(pair))


def _checks(name: str, kind: FieldType) -> st.SearchStrategy[Check]:
    def make(ops: list[str], values: st.SearchStrategy[tuple[Any, ...]]) -> st.SearchStrategy[Check]:
        return st.builds(Check, st.just(name), st.just(kind), st.sampled_from(ops), values)

    known = make(["never", "known"], st.just(()))
    match kind:
        case "date":
            spans = make(["more_ago", "less_ago", "ago", "next", "in"], st.tuples(periods))
            single = make(["before", "after", "on"], st.tuples(days))
            return (
                spans
                | single
                | make(["between"], st.tuples(days, days).map(_ordered))
                | make(["today"], st.just(()))
                | known
            )
        case "number" | "money":
            single = make(["at_least", "at_most", "more", "less", "is"], st.tuples(numbers))
            return single | make(["between"], st.tuples(numbers, numbers).map(_ordered)) | known
        case "tags":
            several = st.lists(words.filter(str.strip), min_size=1, max_size=3).map(tuple[Any, ...])
            return (
                make(["contain_any", "contain_none"], several)
                | make(["contain"], st.tuples(words.filter(str.strip)))
                | known
            )
        case "yesno":
            return make(["is"], st.tuples(st.sampled_from(["yes", "no"])))
    return make(["is", "contains", "starts"], st.tuples(words.filter(str.strip))) | known


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "last_visit": st.none() | days,
    "birthday": st.none() | days,
    "visits": st.none() | st.integers(0, 4),
    "spent": st.none() | st.sampled_from([0.0, 1.0, 12.5, 3.0]),
    "satisfaction": st.none() | st.integers(1, 3),
    "city": st.none() | words,
    "genres": st.none() | st.lists(words, max_size=3),
    "sheet:Note": st.none() | cells,
}
CHECKS = st.one_of(
    _checks("last_visit", "date"),
    _checks("birthday", "date"),
    _checks("visits", "number"),
    _checks("spent", "money"),
    _checks("satisfaction", "number"),
    _checks("city", "text"),
    _checks("genres", "tags"),
    *(_checks("sheet:Note", kind) for kind in ("date", "number", "text", "yesno")),
)


def conditions(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    def several(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        items = st.lists(inner, min_size=1, max_size=3).map(tuple[Any, ...])
        return st.builds(AllOf, items) | st.builds(AnyOf, items) | st.builds(NoneOf, items)

    return st.recursive(leaves, several, max_leaves=6)
