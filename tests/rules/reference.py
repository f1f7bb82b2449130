"""What a rule means, one person at a time, written to be read; and random rules and people to try it on.

True, False, or None for unknown. The product evaluates in bulk; a property test holds the two together.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from dateutil.relativedelta import relativedelta
from hypothesis import strategies as st

from rules.checks import COUNTED
from rules.conditions import AllOf, AnyOf, Check, Condition, InSegment, NoneOf, Period, Window
from rules.fields import SCORES, SINCE, FieldType
from rules.mistakes import fold
from rules.windows import SUMS

YES = {"yes", "true", "oui", "vrai", "x", "1", "✓", "✔", "☑", "v", "y", "o"}
NO = {"", "no", "false", "non", "faux", "0", "✗", "☐", "n", "-"}


def verdict(
    c: Condition, person: Mapping[str, Any], today: date, unknown: set[str], segments: dict[str, Condition]
) -> bool | None:
    match c:
        case Check(window=None):
            return None if c.field in unknown else bool(holds(c, person[c.field], today))
        case Check():
            n = None if c.field in unknown else (added if c.field in SUMS else counted)(c, person["did"], today)
            return None if n is None else bool(holds(c, n, today))
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
        case "contains" | "contains_any":
            return any(text in fold(value) for text in wanted)
        case "starts" | "starts_any":
            return any(fold(value).startswith(text) for text in wanted)
    return fold(value) in wanted


@dataclass(frozen=True)
class Did:
    """One thing somebody did. `n` > 1 with `running`: a total of which only the last day is known; `thing`: rows of one
    thing count once.
    """

    day: date | None
    genre: str | None = None
    amount: float | None = None
    score: float | None = None
    n: int = 1
    running: bool = False
    thing: int = 0


def added(c: Check, did: Mapping[str, list[Did]], today: date) -> Decimal:
    """How much the things in the window come to."""
    things = replace(c, field="donations")
    return sum((Decimal(str(one.amount or 0)) for one in in_window(things, did, today)), Decimal(0))


def counted(c: Check, did: Mapping[str, list[Did]], today: date) -> int | None:
    """How many things of a field are in the window; None: nobody knows."""
    of, found = c.window, in_window(c, did, today)
    if c.field == "answers":
        return len({one.thing for one in found})
    dated = of is not None and (of.within or of.days)
    unsure = dated and any(in_part(one, c, today) for one in did.get(c.field, ()))
    return None if unsure else sum(one.n for one in found)


def in_part(total: Did, c: Check, today: date) -> bool:
    """Whether of the days on which a total may have grown some are in the window, and others are not."""
    if total.day is None or not total.running or total.day > today:
        return total.day is None
    grew = [total.day, date(1900, 1, 1), *(day for day in edges(c, today) if day < total.day)]
    return len({bool(in_window(c, {c.field: [replace(total, day=day)]}, today)) for day in grew}) > 1


def edges(c: Check, today: date) -> list[date]:
    """The days beside which something in a window begins or ends."""
    assert c.window is not None
    told = [today, c.window.within, *(c.window.days.values if c.window.days else ())]
    spans = [one for one in told if isinstance(one, Period)]
    days = [one for one in told if isinstance(one, date)] + [today - period(one) for one in spans]
    return [day + timedelta(days=by) for day in days + [today + period(one) for one in spans] for by in (-1, 0, 1)]


def in_window(c: Check, did: Mapping[str, list[Did]], today: date) -> list[Did]:
    """The things of a field that count; one whose day is not known may."""
    of, found = c.window, []
    assert of is not None
    for one in did.get(c.field, ()):
        if one.day is not None and (one.day > today or (of.within and one.day <= today - period(of.within))):
            continue
        if one.day is not None and of.days is not None and not on_day(of.days, one.day, today):
            continue
        if of.genres and fold(one.genre or "") not in {fold(genre) for genre in of.genres}:
            continue
        value = one.amount if of.each and of.each.field == "amount" else one.score
        if of.each and not on_number(of.each.op, value, [float(cast("Decimal", v)) for v in of.each.values]):
            continue
        found.append(one)
    return found


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


def on_day(c: Check, day: date | None, today: date) -> Any:  # noqa: C901, PLR0911, PLR0912  one return a phrase
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
        case "since":
            return not day < a
        case "until":
            return not day > a
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
            single = make(["before", "after", "since", "until", "on"], st.tuples(days))
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
    several = st.lists(words.filter(str.strip), min_size=1, max_size=3).map(tuple[Any, ...])
    many = make(["is", "contains_any", "starts_any"], several)
    return make(["is", "contains", "starts"], st.tuples(words.filter(str.strip))) | many | known


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "last_visit": st.none() | days,
    "birthday": st.none() | days,
    "visits": st.none() | st.integers(0, 4),
    "spent": st.none() | st.sampled_from([0.0, 1.0, 12.5, 3.0]),
    "satisfaction": st.none() | st.integers(1, 3),
    "city": st.none() | words,
    "genres": st.none() | st.lists(words, max_size=3),
    **dict.fromkeys(SINCE, st.none() | st.integers(0, 3)),
    "sheet:Note": st.none() | cells,
}
OF_ONE_COLUMN = [
    _checks("last_visit", "date"),
    _checks("birthday", "date"),
    _checks("visits", "number"),
    _checks("spent", "money"),
    _checks("satisfaction", "number"),
    _checks("city", "text"),
    _checks("genres", "tags"),
    *(_checks(name, "number") for name in SINCE),
    *(_checks("sheet:Note", kind) for kind in ("date", "number", "text", "yesno")),
]
"""Checks of one column and one type, for each of these."""
CHECKS = st.one_of(OF_ONE_COLUMN)


def conditions(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    def several(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        items = st.lists(inner, min_size=1, max_size=3).map(tuple[Any, ...])
        return st.builds(AllOf, items) | st.builds(AnyOf, items) | st.builds(NoneOf, items)

    return st.recursive(leaves, several, max_leaves=6)


def windowed(field: str, option: str | None) -> st.SearchStrategy[Check]:
    """Counts of a field over a window, with what may be asked of each thing."""
    each: st.SearchStrategy[Check | None] = st.none()
    if option in {"amount", "score"}:
        tests = _checks(option, "number").filter(lambda check: check.op not in {"never", "known"})
        each = each | tests
    genres = st.lists(st.sampled_from(GENRES[:-1]), max_size=2).map(tuple) if option == "genre" else st.just(())
    within = st.none() | periods.filter(lambda of: of.count > 0)
    kind: FieldType = "money" if field in SUMS else "number"
    counts = _checks(field, kind).filter(lambda check: check.op not in {"never", "known"})
    dated = _checks("date", "date").filter(lambda check: check.op not in {"never", "known", "next", "in"})
    return st.builds(
        lambda check, *of: replace(check, window=Window(*of)), counts, within, genres, each, st.none() | dated
    )


GENRES = ["danse", "Danse", "Théâtre", "theatre", "cirque", None]
EDGES = [
    TODAY - relativedelta(**{f"{unit}s": n}) + timedelta(days=by)  # type: ignore[arg-type]  # a unit
    for unit in ("day", "week", "month", "year")
    for n in (0, 1, 2, 6, 7, 12)
    for by in (-1, 0, 1)
]
near = st.sampled_from(EDGES) | days
WINDOWS = st.one_of(
    windowed("visits", "genre"),
    windowed("donations", "amount"),
    windowed("donated", None),
    windowed("answers", "score"),
    windowed("opens", None),
)
DID = st.fixed_dictionaries(
    {
        "visits": st.lists(st.builds(Did, near, genre=st.sampled_from(GENRES)), max_size=4),
        "donations": st.lists(st.builds(Did, near, amount=st.none() | st.sampled_from([0.0, 2.0, 12.5])), max_size=3),
        "answers": st.lists(
            st.builds(Did, near, score=st.none() | st.sampled_from([0.0, 1.0, 3.0]), thing=st.integers(1, 2)),
            max_size=3,
        ),
        "opens": st.lists(
            st.builds(Did, near) | st.builds(Did, st.none() | near, n=st.integers(2, 3), running=st.just(True)),
            max_size=3,
        ),
    }
)
SCORED: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(SCORES, st.none() | st.integers(1, 5))
SCORE_CHECKS = st.one_of(*(_checks(name, "number") for name in SCORES))
