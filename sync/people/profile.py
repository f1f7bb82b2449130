"""Profiles: one row a person with every field that rules read, worked out anew only for those concerned."""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy.engine import Connection

from rules.conditions import Check
from rules.fields import FIELDS, SCORES
from sync.people import measures, survive, tables, windows
from sync.people.facts import events_of, frame
from sync.people.tables import ELSEWHERE
from sync.store.base import Store
from sync.store.reading import micros
from sync.store.rows import ask, put, run, run_many

CHUNK = 20_000
COMPUTED = tuple(name for name in FIELDS if name not in ELSEWHERE)
COLUMNS = (
    "org",
    "person",
    *(name for name in COMPUTED if name not in SCORES),
    "email_key",
    "other_money",
    "due",
    "past",
)
CONCERNED = "person AS p JOIN sighting AS s ON s.org = p.org AND s.person = p.id"
ONE_OF = "p.org = ? AND p.id BETWEEN ? AND ?"
RECONSTRUCTIBLE = (
    *survive.ABOUT,
    *("first_visit", "last_visit", "visits", "no_shows", "last_purchase", "purchases", "spent"),
    *("last_donation", "donations", "donated", "genres"),
)
"""Fields that can be told for a day in the past, since their records carry their dates."""
STALE = "p.org = ? AND p.stale AND p.id BETWEEN ? AND ?"


def refresh(
    store: Store,
    now: datetime,
    timezone: str,
    currency: str,
    *,
    everything: bool = False,
    priority: Sequence[str] = (),
) -> int:
    """Work out profiles of people who changed, or whose next visit has begun since; how many comes back.

    `timezone` (Europe/Paris) decides on dates, `currency` (EUR) is the organisation's; call with `everything` after
    either was changed. `priority`: sources in the order in which their word counts when two are as new.
    Each 20,000 people are one transaction; after an interruption the others still are to do.
    """
    moment = micros(now) or 0
    _mark(store, moment, everything=everything)
    events: pl.DataFrame | None = None
    done = 0
    while True:
        with store.begin() as connection:
            people = ask(
                connection,
                "SELECT id, live AND merged_into IS NULL FROM person WHERE +org = ? AND stale ORDER BY id LIMIT ?",
                store.org,
                CHUNK,
            )
            if not people:
                return done
            if events is None:
                events = events_of(connection, store.org)
            span = (store.org, people[0][0], people[-1][0])
            alive = [id_ for id_, live in people if live]
            told = about(connection, *span, priority)
            found = measures.measure(
                pl.DataFrame({"person": alive}, schema={"person": pl.Int64}),
                _facts(connection, *span),
                events,
                _shared_subscriptions(connection, *span, told),
                now=moment,
                timezone=timezone,
                currency=currency,
            ).join(told, on="person", how="left")
            put(connection, tables.profile, COLUMNS, _rows(store.org, found))
            _drop(connection, store.org, [id_ for id_, live in people if not live])
            run(connection, "UPDATE person SET stale = false WHERE org = ? AND stale AND id BETWEEN ? AND ?", *span)
            done += len(alive)


def people_frame(store: Store) -> pl.DataFrame:
    """Everybody: `key` (the row's code), `person_id`, every field of `rules.fields`, `shared_email`.

    Dates are dates, counts whole numbers, money in units of the organisation's currency, tags lists of text. `flags`,
    `last_emailed`, `may_write_until` and `verified` are empty: other rooms know them. Two living people with one address share it.
    """
    names = [name for name in COMPUTED if name != "satisfaction"]
    columns = ", ".join(f"f.{name}" for name in (*names, "satisfaction", "email_key"))
    sql = (
        f"SELECT p.code, p.id, {columns} FROM profile AS f JOIN person AS p ON p.org = f.org AND p.id = f.person"
        " WHERE f.org = ? AND p.live AND p.merged_into IS NULL"
    )
    schema = {"key": pl.String, "person_id": pl.Int64, **{name: _stored(name) for name in names}}
    schema |= {"satisfaction": pl.Float64, "email_key": pl.String}
    with store.look() as connection:
        everybody = frame(connection, schema, sql, (store.org,))
    shared = pl.col("email_key").is_not_null() & pl.col("email_key").is_duplicated()
    typed = [_typed(name) for name in FIELDS]
    return (
        everybody.with_columns(shared_email=shared).select("key", "person_id", *typed, "shared_email").sort("person_id")
    )


def as_it_was(
    store: Store, moments: Sequence[datetime], timezone: str, currency: str, counts: Mapping[str, Check] | None = None
) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """What records say of everybody as of each moment: `key`, `person_id`, the fields of `RECONSTRUCTIBLE`, and `counts`
    of these over windows (`Book.windows`). Each moment comes once for every 20,000 people, so that a large organisation's
    records are never held all at once.

    Who people are is as known today. What was booked or subscribed to at the time can't be told from the records.
    """
    everybody = people_frame(store).select("key", "person_id", *survive.ABOUT)
    with store.look() as connection:
        events = events_of(connection, store.org)
    for start in range(0, len(everybody), CHUNK):
        some = everybody[start : start + CHUNK]
        with store.look() as connection:
            facts = _facts(connection, store.org, some["person_id"][0], some["person_id"][-1], where=ONE_OF)
        yield from _then(some, facts, events, moments, timezone, currency, counts)


def _then(
    people: pl.DataFrame,
    facts: pl.DataFrame,
    events: pl.DataFrame,
    moments: Sequence[datetime],
    timezone: str,
    currency: str,
    counts: Mapping[str, Check] | None,
) -> Iterator[tuple[datetime, pl.DataFrame]]:
    nobody = pl.DataFrame(schema=measures.SUBSCRIPTIONS)
    ids = people.select(pl.col("person_id").alias("person"))
    done = [name for name in RECONSTRUCTIBLE if name not in survive.ABOUT]
    for moment in moments:
        at = micros(moment) or 0
        then = facts.filter((pl.col("kind") == "visit") | (pl.col("at") <= at))
        found = measures.measure(ids, then, events, nobody, now=at, timezone=timezone, currency=currency)
        typed = found.select(pl.col("person").alias("person_id"), *(_typed(name) for name in done))
        if counts:
            counted = windows.count_in(
                people["person_id"], then, events, counts, now=moment, timezone=timezone, currency=currency
            )
            typed = typed.join(counted, on="person_id", how="left")
        yield moment, people.join(typed, on="person_id", how="left")


def about(
    connection: Connection, org: int, first: int, last: int, priority: Sequence[str] = (), where: str = STALE
) -> pl.DataFrame:
    """What is shown about people, with where it comes from: see `survive`."""
    columns = ", ".join(f"s.{name}" for name in survive.SIGHTINGS if name != "person")
    sightings = frame(
        connection,
        survive.SIGHTINGS,
        f"SELECT p.id, {columns} FROM {CONCERNED} WHERE {where} AND s.given IS NOT NULL AND s.object >= 0",
        (org, first, last),
    )
    corrections = frame(
        connection,
        survive.CORRECTIONS,
        "SELECT p.id, c.no, c.field, c.value FROM correction AS c JOIN person AS q ON q.org = c.org AND q.id = c.person"
        f" JOIN person AS p ON p.org = q.org AND p.id = coalesce(q.merged_into, q.id) WHERE {where}",
        (org, first, last),
    )
    return survive.survive(sightings, corrections, priority)


def _mark(store: Store, now: int, *, everything: bool) -> None:
    whose = "SELECT person FROM profile WHERE org = ? AND due <= ? UNION SELECT person FROM profile WHERE org = ? AND past > ?"
    with store.look() as connection:
        anybody = everything or bool(ask(connection, f"{whose} LIMIT 1", store.org, now, store.org, now))
    if not anybody:
        return
    with store.begin() as connection:
        if everything:
            run(connection, "UPDATE person SET stale = true WHERE org = ?", store.org)
        else:
            sql = f"UPDATE person SET stale = true WHERE org = ? AND id IN ({whose})"
            run(connection, sql, store.org, store.org, now, store.org, now)


def _facts(connection: Connection, org: int, first: int, last: int, where: str = STALE) -> pl.DataFrame:
    columns = ", ".join(f"f.{name}" for name in measures.FACTS if name != "person")
    return frame(
        connection,
        measures.FACTS,
        f"SELECT p.id, {columns} FROM {CONCERNED} JOIN fact AS f ON f.org = s.org AND f.sighting = s.no WHERE {where}",
        (org, first, last),
    )


def _shared_subscriptions(connection: Connection, org: int, first: int, last: int, told: pl.DataFrame) -> pl.DataFrame:
    """Of the address in use alone: at another one of theirs it may be the other's own word."""
    found = frame(
        connection,
        {**measures.SUBSCRIPTIONS, "email_key": pl.String},
        f"SELECT p.id, f.status, s.email_key FROM {CONCERNED}"
        " JOIN sighting AS o ON o.org = s.org AND o.email_key = s.email_key AND o.person <> s.person"
        f" JOIN fact AS f ON f.org = o.org AND f.sighting = o.no AND f.kind = 'subscription' WHERE {STALE}",
        (org, first, last),
    )
    in_use = told.select("person", "email_key")
    return found.join(in_use, on=["person", "email_key"], how="semi").select(*measures.SUBSCRIPTIONS)


def _rows(org: int, found: pl.DataFrame) -> list[tuple[Any, ...]]:
    return found.select(pl.lit(org).alias("org"), *COLUMNS[1:]).rows()


def _drop(connection: Connection, org: int, people: Sequence[int]) -> None:
    run_many(connection, "DELETE FROM profile WHERE org = ? AND person = ?", [(org, one) for one in people])


def _stored(name: str) -> Any:
    return pl.Int64 if FIELDS[name].type in ("number", "money") else pl.String


def _typed(name: str) -> pl.Expr:
    kind = FIELDS[name].type
    if name in ELSEWHERE:
        empty = pl.List(pl.String) if kind == "tags" else pl.Date
        return pl.lit(None, dtype=empty).alias(name)
    if kind == "date":
        return pl.col(name).str.to_date("%Y-%m-%d", strict=False)
    if kind == "money":
        return (pl.col(name) / 100).alias(name)
    return pl.col(name).str.json_decode(pl.List(pl.String)) if kind == "tags" else pl.col(name)
