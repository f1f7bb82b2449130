"""Counts over windows from the ledger, against a small interpreter that goes through one person's records one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.records import Answer, Donation, Engagement, Event, Money, Order, Record, Visit
from connectors.source import Object, Page
from rules.conditions import AllOf, Book, Check, Period, Rule, Window
from rules.mistakes import fold
from rules.windows import OPTIONS, SUMS, main_of
from sync.people import windows
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.people.windows import count_windows
from sync.store import Store
from sync.store.ledger import commit_page
from tests.rules.reference import Did as Day
from tests.rules.reference import in_part, in_window, on_number, period
from tests.sync.store.invented import records, someone, thing

PARIS = ZoneInfo("Europe/Paris")
PEOPLE = ("A", "B", "C")
TODAYS = [
    date(2026, 3, 1),
    date(2028, 2, 29),
    date(2029, 2, 28),
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 8, 31),
]
AGO = [-400, -2, -1, 0, 1, 2, 6, 7, 8, 27, 28, 29, 30, 31, 32, 183, 184, 364, 365, 366, 367, 730, 731, 1461]
CLOCKS = [time(0), time(0, 30), time(1, 59), time(2, 30), time(12), time(23, 59, 59)]
GENRES = ["danse", "Danse", "Théâtre", "theatre", "cirque", None]


# --- the interpreter -------------------------------------------------------------------------------------------------


@dataclass
class Did:
    """A deed, when it counts, and how often; `running`: a total of which only the last day is known."""

    at: datetime | None
    n: int = 1
    genres: tuple[str | None, ...] = (None,)
    amount: Decimal | None = None
    scores: tuple[Decimal | None, ...] = (None,)
    running: bool = False


def reference(check: Check, deeds: Iterable[Did], now: datetime) -> float | None:
    window, total, today = check.window, Decimal(0), now.astimezone(PARIS).date()
    assert window is not None
    when = replace(check, field="opens", window=Window(window.within, days=window.days))
    for one in deeds:
        if one.at is not None and one.at > now:
            continue
        if window.genres and not {fold(g) for g in window.genres} & {fold(g) for g in one.genres if g}:
            continue
        if window.each and not any(passes(window.each, n) for n in (one.amount, *one.scores)):
            continue
        if window.within or window.days:
            day = Day(one.at and one.at.astimezone(PARIS).date(), running=one.running)
            if in_part(day, when, today):
                return None
            if not in_window(when, {"opens": [day]}, today):
                continue
        total += (one.amount or 0) if check.field in SUMS else one.n
    return float(total)


def passes(test: Check, n: Decimal | None) -> bool:
    return n is not None and on_number(test.op, float(n), [float(value) for value in test.values])  # type: ignore[arg-type]


def deeds(field: str, of: list[Object], events: dict[str, Event], person: str) -> Iterator[Did]:
    """What one person did, as a field counts it."""
    groups = [[r for r in records(one) if getattr(r, "person", None) == person] for one in of]
    if field in {"visits", "tickets"}:
        places = [place for group in groups for place in group if isinstance(place, Visit)]
        standing = [(place, *of_event(place, events)) for place in places if stands(place, events)]
        yield from visits(standing) if field == "visits" else tickets(standing, groups)
    for group in groups:
        if field == "answers" and group and isinstance(group[0], Answer):
            yield Did(group[0].at, scores=tuple(one.score for one in group if isinstance(one, Answer)))
        for r in group:
            kind = {"purchases": Order, "spent": Order, "donations": Donation, "donated": Donation}.get(field)
            stays = {"paid", "refunded"} if field == "spent" else {"paid"}
            if kind and isinstance(r, Order | Donation) and isinstance(r, kind) and r.status in stays:
                yield Did(r.at, amount=r.paid.amount if r.paid and r.paid.currency == "EUR" else None)
            if isinstance(r, Engagement) and r.action == {"opens": "opened", "clicks": "clicked"}.get(field):
                yield Did(r.at, r.count, running=r.count > 1)


Standing = list[tuple[Visit, datetime, str | None]]


def visits(standing: Standing) -> Iterator[Did]:
    for key in {place.event or at for place, at, _ in standing}:
        same = [(place, at, genre) for place, at, genre in standing if (place.event or at) == key]
        if any(place.status == "booked" for place, _, _ in same):
            yield Did(min(at for _, at, _ in same), genres=tuple(genre for _, _, genre in same))


def tickets(standing: Standing, groups: list[list[Record]]) -> Iterator[Did]:
    """Places; and orders none of whose places is known."""
    yield from (Did(at, place.tickets, (genre,)) for place, at, genre in standing if place.status == "booked")
    named = {place.order for place, _, _ in standing}
    orders = [r for group in groups for r in group if isinstance(r, Order) and r.status == "paid"]
    yield from (Did(order.at, order.tickets) for order in orders if order.id not in named)


def stands(place: Visit, events: dict[str, Event]) -> bool:
    event = events.get(place.event or "")
    return place.status != "cancelled" and not (event and event.cancelled)


def of_event(place: Visit, events: dict[str, Event]) -> tuple[datetime, str | None]:
    """When a place was for, and its genre: its event's, or else its own."""
    event = events.get(place.event or "")
    at, genre = (event.starts, event.genre or place.genre) if event else (place.starts, place.genre)
    assert at is not None
    return at, genre


# --- random ledgers --------------------------------------------------------------------------------------------------


def moments(today: date) -> st.SearchStrategy[datetime]:
    """Moments at the edges of days, some of them on the days at the edges of windows."""
    edges = [today - period(Period(n, unit)) for n, unit in WITHIN] + [today - timedelta(days=n) for n in AGO]
    days = [edge + timedelta(days=n) for edge in edges for n in (0, 0, 1)]
    return st.builds(
        lambda day, clock: datetime.combine(day, clock, PARIS).astimezone(UTC), st.sampled_from(days), st.sampled_from(CLOCKS)
    )  # fmt: skip


WITHIN: list[tuple[int, Any]] = [
    (12, "month"),
    (6, "month"),
    (1, "month"),
    (1, "week"),
    (30, "day"),
    (1, "day"),
    (4, "year"),
]
DAYS = [
    Check("date", "date", "between", (date(2026, 1, 1), date(2026, 12, 31))),
    Check("date", "date", "before", (date(2028, 2, 28),)),
    Check("date", "date", "after", (date(2025, 9, 1),)),
    Check("date", "date", "since", (date(2025, 9, 1),)),
    Check("date", "date", "until", (date(2028, 2, 28),)),
    Check("date", "date", "more_ago", (Period(6, "month"),)),
    Check("date", "date", "today"),
]
NUMBERS = [Decimal(text) for text in ("0", "2.5", "10", "49.99", "50", "120")]
MONEY = st.none() | st.builds(Money, st.sampled_from(NUMBERS), st.sampled_from(["EUR", "EUR", "CAD"]))


@st.composite
def ledgers(draw: Any) -> tuple[datetime, dict[str, Event], list[Object]]:
    today = draw(st.sampled_from(TODAYS))
    at = moments(today)
    now = datetime.combine(today, draw(st.sampled_from(CLOCKS)), PARIS).astimezone(UTC)
    events = {
        f"E{n}": Event(id=f"E{n}", name="x", starts=draw(at), genre=draw(st.sampled_from(GENRES)), cancelled=draw(st.integers(0, 5)) == 0)
        for n in range(draw(st.integers(0, 4)))
    }  # fmt: skip
    things = []
    for n in range(draw(st.integers(1, 12))):
        person, made = draw(st.sampled_from(PEOPLE)), draw(st.integers(0, 3))
        found: list[Record] = [someone(person, f"{person}@x.org", f"{person} Roy")]
        match draw(st.sampled_from(["order", "order", "order", "donation", "engagement", "answer"])):
            case "order":
                status = draw(st.sampled_from(["paid", "paid", "pending", "refunded"]))
                if not draw(st.booleans()) or made == 0:
                    found.append(Order(id=f"{n}", person=person, at=draw(at), status=status, paid=draw(MONEY), tickets=draw(st.integers(0, 3))))  # fmt: skip
                for seat in range(made):
                    event = draw(st.sampled_from([*events, None]))
                    starts = draw(at) if event is None else None
                    found.append(Visit(
                        id=f"{n}/{seat}", person=person, order=f"{n}", event=event, starts=starts, genre=draw(st.sampled_from(GENRES)),
                        status=draw(st.sampled_from(["booked", "booked", "pending", "cancelled"])), tickets=draw(st.integers(1, 2)),
                    ))  # fmt: skip
            case "donation":
                found.append(Donation(id=f"{n}", person=person, at=draw(at), status=draw(st.sampled_from(["paid", "refunded"])), paid=draw(MONEY)))  # fmt: skip
            case "engagement":
                action = draw(st.sampled_from(["opened", "clicked", "sent"]))
                found.append(Engagement(id=f"{n}", person=person, action=action, at=draw(st.none() | at), count=draw(st.sampled_from([1, 1, 1, 5]))))  # fmt: skip
            case "answer":
                when = draw(at)
                found += [Answer(id=f"{n}/{q}", person=person, at=when, survey="s", question=f"{q}", score=draw(st.none() | st.sampled_from(NUMBERS))) for q in range(made)]  # fmt: skip
        things.append(thing(f"{n}", *found))
    return now, events, things


@st.composite
def checks(draw: Any) -> Check:
    field = draw(st.sampled_from(sorted(OPTIONS)))
    within = draw(st.none() | st.sampled_from([Period(*one) for one in WITHIN]))
    genres = (
        draw(st.lists(st.sampled_from(["danse", "THEATRE", "cirque"]), max_size=2)) if "genre" in OPTIONS[field] else []
    )
    each = None
    if extra := {"amount", "score"} & set(OPTIONS[field]) - {main_of(field)}:
        op, n = draw(st.sampled_from(["at_least", "at_most", "more", "less", "is"])), draw(st.sampled_from(NUMBERS))
        each = draw(st.none() | st.just(Check(extra.pop(), "number", op, (n,))))
    op = draw(st.sampled_from(["at_least", "at_most", "is"]))
    window = Window(within, tuple(genres), each, draw(st.none() | st.sampled_from(DAYS)))
    return Check(field, "money" if field in SUMS else "number", op, (Decimal(draw(st.integers(0, 3))),), window=window)


def fill(store: Store, events: dict[str, Event], things: list[Object], now: datetime) -> None:
    described = [thing(name, event, kind="event") for name, event in events.items()]
    commit_page(store, "box", 1, now, Page((*described, *things)), records, 1)
    resolve(store, 1, now)
    refresh(store, now, "Europe/Paris", "EUR")


def book(asked: Iterable[Check]) -> Book:
    return Book(tuple(Rule(str(n), str(n), AllOf((check,)), None, ()) for n, check in enumerate(asked)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip
@given(ledgers(), st.lists(checks(), min_size=1, max_size=6))
def test_the_ledger_says_what_the_reference_says(
    fresh_store: Callable[[], Store], ledger: tuple[datetime, dict[str, Event], list[Object]], asked: list[Check]
) -> None:
    store, (now, events, things) = fresh_store(), ledger
    fill(store, events, things, now)
    people = people_frame(store)
    of = dict(zip(people["person_id"], (email[0].upper() for email in people["email"]), strict=True))
    found = count_windows(
        store, people["person_id"], book(asked).windows, now=now, timezone="Europe/Paris", currency="EUR"
    )
    for row in found.iter_rows(named=True):
        person = of[row["person_id"]]
        for check in asked:
            assert row[check.column] == reference(check, deeds(check.field, things, events, person), now), (
                person,
                check,
            )
    alone = count_windows(
        store, people["person_id"].head(1), book(asked).windows, now=now, timezone="Europe/Paris", currency="EUR"
    )
    assert alone.equals(found.head(1)), "explain counts what the bulk counts"


# --- the corners that matter -----------------------------------------------------------------------------------------


def seats(store: Store, *starts: datetime) -> None:
    visits = [Visit(id=str(n), person="A", starts=at) for n, at in enumerate(starts)]
    fill(store, {}, [thing("A", someone("A", "a@x.org", "Ada Roy"), *visits)], starts[0])


def counted(store: Store, now: datetime, within: Period, timezone: str = "Europe/Paris") -> int | None:
    asked = book([Check("visits", "number", "at_least", (Decimal(1),), window=Window(within))]).windows
    people = people_frame(store)["person_id"]
    found = count_windows(store, people, asked, now=now, timezone=timezone, currency="EUR")
    value: int | None = found[next(iter(asked))].item()
    return value


def local(text: str, zone: str = "Europe/Paris") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


YEAR, MONTH, DAY = Period(12, "month"), Period(1, "month"), Period(1, "day")


@pytest.mark.parametrize(
    ("visit", "within", "last"),
    [
        ("2025-03-14T20:30", YEAR, "2026-03-13"),
        ("2024-02-29T20:30", YEAR, "2025-02-28"),
        ("2023-02-28T20:30", YEAR, "2024-02-27"),
        ("2024-01-31T20:30", MONTH, "2024-02-29"),
        ("2026-03-28T23:59", DAY, "2026-03-28"),
        ("2026-02-28T23:59", MONTH, "2026-03-27"),
        ("2026-10-25T00:30", DAY, "2026-10-25"),
    ],
)
def test_the_day_on_which_a_visit_leaves_its_window(store: Store, visit: str, within: Period, last: str) -> None:
    """Nobody did anything in between: time alone takes it out, at midnight there."""
    seats(store, local(visit))
    assert counted(store, local(f"{last}T23:59:59"), within) == 1
    after = date.fromisoformat(last) + timedelta(days=1)
    assert counted(store, local(f"{after}T00:00"), within) == 0


def test_the_day_is_the_organisations_own(store: Store) -> None:
    """20:30 in Montréal is the next day in Paris."""
    seats(store, local("2026-03-14T20:30", "America/Montreal"))
    now = local("2027-03-14T09:00", "America/Montreal")
    assert counted(store, now, YEAR, "America/Montreal") == 0
    assert counted(store, now, YEAR, "Europe/Paris") == 1


def test_a_visit_counts_from_its_beginning(store: Store) -> None:
    seats(store, local("2026-03-14T20:30"))
    assert counted(store, local("2026-03-14T20:29"), DAY) == 0
    assert counted(store, local("2026-03-14T20:30"), DAY) == 1


def test_a_large_ledger_is_read_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    orders = [
        thing(str(n), someone("A", "a@x.org", "Ada Roy"), Visit(id=str(n), person="A", event=f"E{n % 3}"))
        for n in range(9)
    ]
    events = {f"E{n}": Event(id=f"E{n}", name="x", starts=now - timedelta(days=n)) for n in range(3)}
    fill(store, events, orders, now)
    monkeypatch.setattr(windows, "OBJECTS", 2)
    assert counted(store, now, YEAR) == 3, "one visit in two orders, read apart, is one"
    assert counted(store, now, Period(2, "day")) == 2
