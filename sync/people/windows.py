"""Counts over windows ("2 visits to dance in the last 12 months"), worked out anew from the ledger each time they are
asked for: what was inside a window yesterday may be outside today without anybody doing anything.

What counts is what the profile's own counts hold (`measures`), on its local day: a visit and its tickets on the day of
the event once it has begun, a purchase, a gift, an opening, a click and an answer on their own.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy.engine import Connection

from rules.conditions import Check
from rules.windows import TOGETHER, count
from sync.people import measures
from sync.people.facts import events_of, fact_frame
from sync.store.base import Store
from sync.store.reading import micros
from sync.store.rows import ask

OBJECTS = 100_000  # read at once: more would be held twice
KINDS = {
    "visits": ("visit",),
    "tickets": ("visit", "order"),
    "purchases": ("order",),
    "donations": ("donation",),
    "opens": ("engagement",),
    "clicks": ("engagement",),
    "answers": ("answer",),
}
USED = {
    "visit": ("person", "source", "object", "id", "at", "status", "event", "ref", "label", "quantity"),
    "order": ("person", "source", "object", "id", "at", "status", "cents", "currency", "quantity"),
    "donation": ("person", "at", "status", "cents", "currency"),
    "engagement": ("person", "at", "status", "quantity"),
    "answer": ("person", "at", "object", "score"),
}
"""The columns of facts that are looked at; the others are as large again."""
Facts = Mapping[str, pl.DataFrame]


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
    kinds = sorted({kind for check in asked.values() for kind in KINDS[check.field]})
    only = people.item() if len(people) == 1 else None
    with store.look() as connection:
        events = events_of(connection, store.org)
        first = _first(asked, now, timezone)
        parts = [_within(part, events, first) for part in _read(connection, store.org, kinds, first, only)]
    facts = pl.concat(parts) if parts else pl.DataFrame(schema=measures.FACTS)
    return count_in(people, facts, events, asked, now=now, timezone=timezone, currency=currency)


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
    fields = {check.field for check in asked.values()}
    kinds = {kind for field in fields for kind in KINDS[field]}
    of = {kind: facts.lazy().filter(pl.col("kind") == kind).select(USED[kind]).collect() for kind in kinds}
    if "visit" in of:
        of["visit"] = measures.places(of["visit"], events)
    moment = micros(now) or 0
    deeds = {}
    for field in fields:
        found = DEEDS[field](of).filter((pl.col("at") <= moment).fill_null(field in {"opens", "clicks"}))
        if "cents" in found.columns:
            amount = pl.when(pl.col("currency") == currency).then(pl.col("cents") / 100)
            found = found.with_columns(amount.alias("amount")).drop("cents", "currency")
        day = measures.local_time("at", timezone).dt.date().alias("day")
        deeds[field] = found.with_columns(day).drop("at").rename({"person": people.name})
    return count(people, deeds, asked, now.astimezone(ZoneInfo(timezone)).date())


def _visits(of: Facts) -> pl.DataFrame:
    """A visit may have several places; in the rare case that these are of several genres, it is of all of them."""
    genre = pl.col("genre")
    visits = (
        of["visit"]
        .group_by("person", "visit")
        .agg(
            at=pl.col("starts").min(), booked=(pl.col("status") == "booked").any(), genre=genre.min(), last=genre.max()
        )
    )
    visits = visits.filter("booked")
    several = visits.filter(genre != pl.col("last")).select("person", "visit")
    if several.is_empty():
        return visits.select("person", "at", "genre")
    genres = of["visit"].join(several, on=["person", "visit"], how="semi").group_by("person", "visit")
    all_of_them = genres.agg(all=genre.drop_nulls().unique().sort().str.join(TOGETHER))
    visits = visits.join(all_of_them, on=["person", "visit"], how="left")
    return visits.select("person", "at", genre=pl.coalesce("all", "genre"))


def _tickets(of: Facts) -> pl.DataFrame:
    booked = of["visit"].filter(pl.col("status") == "booked").select("person", "genre", at="starts", n="quantity")
    alone = measures.without_places(of["order"], of["visit"]).select("person", "at", n="quantity")
    return pl.concat([booked, alone], how="diagonal")


def _paid(kind: str) -> Callable[[Facts], pl.DataFrame]:
    def paid(of: Facts) -> pl.DataFrame:
        return of[kind].filter(pl.col("status") == "paid").select("person", "at", "cents", "currency")

    return paid


def _acts(action: str) -> Callable[[Facts], pl.DataFrame]:
    def acts(of: Facts) -> pl.DataFrame:
        """More than one at once is a service's running total, with the time of the last."""
        found = of["engagement"].filter(pl.col("status") == action)
        return found.select("person", "at", n="quantity", running=pl.col("quantity") > 1)

    return acts


def _answers(of: Facts) -> pl.DataFrame:
    return of["answer"].select("person", "at", "score", thing="object")


DEEDS: Mapping[str, Callable[[Facts], pl.DataFrame]] = {
    "visits": _visits,
    "tickets": _tickets,
    "purchases": _paid("order"),
    "donations": _paid("donation"),
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
        if check.window is None or check.window.within is None or check.field == "tickets":
            return None
        days.append(check.window.within.before(today))
    first = min(days)
    return micros(datetime.combine(first, time.min, zone)) if first > date(1970, 1, 2) else None


def _read(
    connection: Connection, org: int, kinds: list[str], first: int | None, only: int | None
) -> Iterator[pl.DataFrame]:
    """Facts of these kinds, as `measures.FACTS`. What says itself that it is older than `first` is left out."""
    columns = ", ".join(f"f.{name}" for name in measures.FACTS if name != "person")
    among = ", ".join("?" * len(kinds))
    sql = f"SELECT s.person, {columns} FROM {{tables}} WHERE {{joined}} AND f.kind IN ({among})"
    values: list[Any] = [*kinds]
    if first is not None:
        sql += " AND (f.kind = 'visit' OR f.at IS NULL OR f.at >= ?)"
        values.append(first)
    if only is not None:
        tables = "sighting AS s JOIN fact AS f ON f.org = s.org AND f.sighting = s.no"
        asked = sql.format(tables=tables, joined="s.org = ? AND s.person = ?")
        yield fact_frame(ask(connection, asked, org, only, *values))
        return
    # Through the objects in their order, as they lie; which sighting is whose is looked up.
    tables = "fact AS f CROSS JOIN sighting AS s"
    joined = "f.org = ? AND f.object BETWEEN ? AND ? AND s.org = f.org AND s.no = f.sighting AND s.person IS NOT NULL"
    sql = sql.format(tables=tables, joined=joined)
    ((last,),) = ask(connection, "SELECT max(object) FROM fact WHERE org = ?", org)
    for start in range(0, (last or 0) + 1, OBJECTS):
        yield fact_frame(ask(connection, sql, org, start, start + OBJECTS - 1, *values))


def _within(facts: pl.DataFrame, events: pl.DataFrame, first: int | None) -> pl.DataFrame:
    """Without the visits that are older: it is their event that says when they were."""
    if first is None:
        return facts
    starts = events.select("source", "event", "starts")
    dated = facts.join(starts, on=["source", "event"], how="left", maintain_order="left")
    late = pl.coalesce("starts", "at") >= first
    return dated.filter((pl.col("kind") != "visit") | late.fill_null(value=False)).drop("starts")
