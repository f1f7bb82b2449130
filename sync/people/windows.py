"""Counts over windows ("2 visits to dance in the last 12 months"), worked out anew from the ledger each time they are
asked for: what was inside a window yesterday may be outside today without anybody doing anything.

What counts is what the profile's own counts hold (`measures`), on its local day: a visit and its tickets on the day of
the event once it has begun, a purchase, a gift, an opening, a click and an answer on their own.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy.engine import Connection

from rules.conditions import Check
from rules.windows import TOGETHER, count, span
from sync.people import measures
from sync.people.facts import events_of, frame
from sync.store.base import Store
from sync.store.reading import micros
from sync.store.rows import ask, ask_bare

OBJECTS = 100_000  # read at once: as rows of Python they take several times the room
PAID = ("person", "at", "status", "cents", "currency")
PLACES = ("person", "source", "id", "at", "status", "event", "ref", "label")
USED: Mapping[str, Mapping[str, Sequence[str]]] = {
    "visits": {"visit": PLACES},
    "tickets": {
        "visit": (*PLACES, "object", "quantity"),
        "order": ("person", "source", "object", "id", "at", "status", "quantity"),
    },
    "purchases": {"order": PAID},
    "donations": {"donation": PAID},
    "spent": {"order": PAID},
    "donated": {"donation": PAID},
    "opens": {"engagement": ("person", "at", "status", "quantity")},
    "clicks": {"engagement": ("person", "at", "status", "quantity")},
    "answers": {"answer": ("person", "at", "object", "score")},
}
"""The columns of facts that a field looks at, by their kind; all the others together are many times as large."""
Facts = Mapping[str, pl.LazyFrame]


def count_windows(
    store: Store,
    people: pl.Series,
    asked: Mapping[str, Check],
    *,
    now: datetime,
    timezone: str,
    currency: str,
) -> pl.DataFrame:
    """A row for each of `people` (named `person_id`) with a column for each count in `asked` (`Book.windows`); null where
    it can't be known. `timezone` decides what day it is, `currency` which amounts are compared.
    """
    with store.look() as connection:
        events = events_of(connection, store.org)
        first, only = _first(asked, now, timezone), people.item() if len(people) == 1 else None
        facts = read_facts(connection, store.org, used(check.field for check in asked.values()), events, first, only)
    return _count(people, facts, events, asked, now=now, timezone=timezone, currency=currency)


def count_in(
    people: pl.Series,
    facts: pl.DataFrame,
    events: pl.DataFrame,
    asked: Mapping[str, Check],
    *,
    now: datetime,
    timezone: str,
    currency: str,
) -> pl.DataFrame:
    """The same from frames: `facts` and `events` as `measures.measure` takes them."""
    wanted = used(check.field for check in asked.values())
    of = {kind: facts.lazy().filter(pl.col("kind") == kind).select(names) for kind, names in wanted.items()}
    return _count(people, of, events, asked, now=now, timezone=timezone, currency=currency)


def used(fields: Iterable[str]) -> dict[str, list[str]]:
    """By kind of fact, the columns that these fields look at."""
    found: dict[str, list[str]] = {}
    for field in fields:
        for kind, names in USED[field].items():
            found[kind] = list(dict.fromkeys([*found.get(kind, ()), *names]))
    return found


def _count(
    people: pl.Series,
    facts: Facts,
    events: pl.DataFrame,
    asked: Mapping[str, Check],
    *,
    now: datetime,
    timezone: str,
    currency: str,
) -> pl.DataFrame:
    """Field by field, so that only one field's deeds are held at a time."""
    of, today = placed(facts, events), now.astimezone(ZoneInfo(timezone)).date()
    counts = dict.fromkeys(asked, pl.Series(dtype=pl.Int64))
    for field in dict.fromkeys(check.field for check in asked.values()):
        deeds = {field: _deeds(field, of, now, timezone, currency).rename({"person": people.name})}
        mine = {name: check for name, check in asked.items() if check.field == field}
        counts |= {one.name: one for one in count(people, deeds, mine, today) if one.name != people.name}
    return pl.DataFrame([people, *counts.values()])


def placed(facts: Facts, events: pl.DataFrame) -> Facts:
    """The same with places for visits: those that stand, each with its moment."""
    return {**facts, "visit": measures.places(facts["visit"], events.lazy())} if "visit" in facts else facts


def _deeds(field: str, of: Facts, now: datetime, timezone: str, currency: str) -> pl.DataFrame:
    """What was done until now, on its local day, as `rules.windows.count` takes it; `person` for whose it is."""
    done = (pl.col("at") <= (micros(now) or 0)).fill_null(field in {"opens", "clicks"})
    found = DEEDS[field](of).filter(done)
    if "cents" in found.collect_schema():
        amount = pl.when(pl.col("currency") == currency).then(pl.col("cents") / 100)
        found = found.with_columns(amount.alias("amount")).drop("cents", "currency")
    day = measures.local_time("at", timezone).dt.date().alias("day")
    return found.with_columns(day).drop("at").collect(engine="streaming")


def visits_of(of: Facts) -> pl.LazyFrame:
    """A visit may have several places; in the rare case that these are of several genres, it is of all of them."""
    genre, key = pl.col("genre"), pl.col("visit").hash()
    places = of["visit"].select("person", key, "starts", "genre", booked=pl.col("status") == "booked")
    visits = places.group_by("person", "visit").agg(
        at=pl.col("starts").min(), booked=pl.col("booked").any(), genre=genre.min(), last=genre.max()
    )
    found = visits.filter("booked").drop("booked").collect(engine="streaming")
    several = found.filter(genre != pl.col("last")).select("person", "visit")
    if several.is_empty():
        return found.lazy().select("person", "at", "genre")
    genres = places.join(several.lazy(), on=["person", "visit"], how="semi").group_by("person", "visit")
    all_of_them = genres.agg(all=genre.drop_nulls().unique().sort().str.join(TOGETHER))
    visits = found.lazy().join(all_of_them, on=["person", "visit"], how="left")
    return visits.select("person", "at", genre=pl.coalesce("all", "genre"))


def _tickets(of: Facts) -> pl.LazyFrame:
    booked = of["visit"].filter(pl.col("status") == "booked").select("person", "genre", at="starts", n="quantity")
    alone = measures.without_places(of["order"], of["visit"]).select("person", "at", n="quantity")
    return pl.concat([booked, alone], how="diagonal")


def _paid(kind: str) -> Callable[[Facts], pl.LazyFrame]:
    def paid(of: Facts) -> pl.LazyFrame:
        return of[kind].filter(pl.col("status") == "paid").select("person", "at", "cents", "currency")

    return paid


def _settled(of: Facts) -> pl.LazyFrame:
    """All that `spent` holds: a purchase that was given back keeps what it still comes to."""
    return of["order"].filter(pl.col("status") != "pending").select("person", "at", "cents", "currency")


def _acts(action: str) -> Callable[[Facts], pl.LazyFrame]:
    def acts(of: Facts) -> pl.LazyFrame:
        """More than one at once is a service's running total, with the time of the last."""
        found = of["engagement"].filter(pl.col("status") == action)
        return found.select("person", "at", n="quantity", running=pl.col("quantity") > 1)

    return acts


def _answers(of: Facts) -> pl.LazyFrame:
    return of["answer"].select("person", "at", "score", thing="object")


DEEDS: Mapping[str, Callable[[Facts], pl.LazyFrame]] = {
    "visits": visits_of,
    "tickets": _tickets,
    "purchases": _paid("order"),
    "donations": _paid("donation"),
    "spent": _settled,
    "donated": _paid("donation"),
    "opens": _acts("opened"),
    "clicks": _acts("clicked"),
    "answers": _answers,
}


# --- reading only what may be inside ---------------------------------------------------------------------------------


def _first(asked: Mapping[str, Check], now: datetime, timezone: str) -> int | None:
    """A moment before which nothing counts; None where some count goes back for ever, or needs to see every place."""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    days: list[date] = []
    for check in asked.values():
        begins = span(check.window, today)[0] if check.window else None
        if begins is None or check.field == "tickets":
            return None
        days.append(begins)
    first = min(days)
    return micros(datetime.combine(first, time.min, zone)) if first > date(1970, 1, 2) else None


def read_facts(
    connection: Connection,
    org: int,
    wanted: Mapping[str, Sequence[str]],
    events: pl.DataFrame,
    first: int | None = None,
    only: int | None = None,
) -> dict[str, pl.LazyFrame]:
    """Facts of people, by kind, with the columns `wanted` of it; of one person (`only`), or of everybody. What is older
    than the moment `first` is left out.
    """
    read = _read_one(connection, org, only) if only is not None else _read_all(connection, org)
    found = {}
    for kind, names in wanted.items():
        parts = [_within(part, events, first) if kind == "visit" else part for part in read(kind, names, first)]
        found[kind] = (pl.concat(parts) if parts else _typed(names, [])).lazy()
    return found


Read = Callable[[str, Sequence[str], int | None], Iterator[pl.DataFrame]]


def _late(kind: str, first: int | None) -> tuple[str, tuple[int, ...]]:
    """A visit is as old as its event, which is known later."""
    return ("", ()) if first is None or kind == "visit" else (" AND (f.at IS NULL OR f.at >= ?)", (first,))


def _read_one(connection: Connection, org: int, person: int) -> Read:
    def read(kind: str, names: Sequence[str], first: int | None) -> Iterator[pl.DataFrame]:
        late, since = _late(kind, first)
        columns = ", ".join("s.person" if name == "person" else f"f.{name}" for name in names)
        sql = (
            f"SELECT {columns} FROM sighting AS s JOIN fact AS f ON f.org = s.org AND f.sighting = s.no"
            f" WHERE s.org = ? AND s.person = ? AND f.kind = ?{late}"
        )
        yield _typed(names, ask_bare(connection, sql, org, person, kind, *since))

    return read


def _read_all(connection: Connection, org: int) -> Read:
    """Through the objects in their order, as they lie: any index leads back and forth. Whose each fact is comes from a
    list of its own, which is shorter.
    """
    sightings = {"sighting": pl.Int64, "person": pl.Int64}
    whose = frame(connection, sightings, "SELECT no, person FROM sighting WHERE org = ? AND person IS NOT NULL", (org,))
    ((last,),) = ask(connection, "SELECT max(object) FROM fact WHERE org = ?", org)

    def read(kind: str, names: Sequence[str], first: int | None) -> Iterator[pl.DataFrame]:
        late, since = _late(kind, first)
        there = ["sighting" if name == "person" else name for name in names]
        columns = ", ".join(f"f.{name}" for name in there)
        sql = f"SELECT {columns} FROM fact AS f WHERE f.org = ? AND f.object BETWEEN ? AND ? AND f.kind = ?{late}"
        for start in range(0, (last or 0) + 1, OBJECTS):
            part = _typed(there, ask_bare(connection, sql, org, start, start + OBJECTS - 1, kind, *since))
            yield part.join(whose, on="sighting", how="inner").select(names)

    return read


def _typed(names: Sequence[str], rows: Sequence[Any]) -> pl.DataFrame:
    schema = {name: measures.FACTS.get(name, pl.Int64) for name in names}
    return pl.DataFrame(list(zip(*rows, strict=True)) or None, schema=schema, strict=False)


def _within(visits: pl.DataFrame, events: pl.DataFrame, first: int | None) -> pl.DataFrame:
    """Without those that are older: it is their event that says when they were."""
    if first is None:
        return visits
    starts = events.select("source", "event", "starts")
    dated = visits.join(starts, on=["source", "event"], how="left", maintain_order="left")
    late = pl.coalesce("starts", "at") >= first
    return dated.filter(late.fill_null(value=False)).drop("starts")
