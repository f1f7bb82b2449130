"""How lately, how often and for how much each person came, from 1 to 5 beside everybody else who came: RFM.

Recency, frequency and money, each cut into fifths on its own, 5 the best, as Arthur M. Hughes describes it (*Strategic
Database Marketing*, Probus 1994). Here:

- It looks at the last 24 months, so that two seasons are in it. Who has not visited within them has no score.
- **Recency**: the local day of the last visit. **Frequency**: how many visits. **Money**: what was paid for tickets, less
  refunds, in the organisation's currency; gifts have fields of their own. Nobody has a money score while no purchase of
  anybody is known.
- Equals are equal: people with the same value have the same score, that of the middle of the places they take together.
  So the fifths are not of one size where many came once; when everybody is the same, everybody has 3; and of fewer than
  five people, some scores are nobody's (of two: 2 and 4; alone: 3). Hughes' own way cuts through equals at random, and
  would give somebody another score tomorrow for nothing.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from sqlalchemy.engine import Connection

from rules.conditions import Period
from rules.fields import SCORES
from sync import runs
from sync.people import measures
from sync.people.facts import events_of, frame, newest
from sync.people.windows import Facts, placed, read_facts, used, visits_of
from sync.store.base import Store
from sync.store.reading import micros
from sync.store.rows import run, run_many

WINDOW = Period(24, "month")
REMEMBERED = "scores"


def refresh_scores(store: Store, now: datetime, timezone: str, currency: str, *, wanted: bool) -> None:
    """Work out everybody's scores, if the day or anything that was pulled changed since the last time; where nobody
    asks for them any more, there are none. Call it after `profile.refresh`.
    """
    with store.look() as connection:
        today = now.astimezone(ZoneInfo(timezone)).date().isoformat()
        basis = (
            msgspec.json.encode([today, timezone, currency, *newest(connection, store.org)]).decode() if wanted else ""
        )
    if basis == (runs.recall(store, REMEMBERED) or ""):
        return
    with store.begin() as connection:
        if wanted:
            _write(connection, store.org, _worked_out(connection, store.org, now, timezone, currency))
        else:
            run(
                connection,
                f"UPDATE profile SET {', '.join(f'{name} = NULL' for name in SCORES)} WHERE org = ?",
                store.org,
            )
    runs.remember(store, REMEMBERED, basis)


def known(store: Store) -> bool:
    """Whether scores were ever worked out."""
    return bool(runs.recall(store, REMEMBERED))


def score(
    people: pl.DataFrame, facts: Facts, events: pl.DataFrame, *, now: datetime, timezone: str, currency: str
) -> pl.DataFrame:
    """`people` (column `person`) with the three scores, null where there is none. `facts`: visits and orders by kind, as
    `windows.used` names their columns; `events` as `measures.measure` takes them.
    """
    first, last = micros(_first(now, timezone)), micros(now)
    inside = pl.col("at").is_between(first, last)
    visits = visits_of(placed(facts, events)).filter(inside)
    day = measures.local_time("at", timezone).dt.date()
    came = visits.group_by("person").agg(day.max().alias("day"), pl.len().alias("visits"))
    counts = (pl.col("status") != "pending") & (pl.col("currency") == currency)
    paid = facts["order"].filter(inside, counts).group_by("person").agg(pl.col("cents").sum())
    found = people.lazy().select("person").join(came, on="person").join(paid, on="person", how="left")
    told = found.with_columns(cents=pl.when(pl.col("cents").is_not_null().any()).then(pl.col("cents").fill_null(0)))
    scores = told.select(
        "person", *(_fifth(of).alias(name) for name, of in zip(SCORES, ("day", "visits", "cents"), strict=True))
    )
    return people.join(scores.collect(engine="streaming"), on="person", how="left", maintain_order="left")


def _fifth(name: str) -> pl.Expr:
    """1 to 5 by the middle of the places that equals take together: in whole numbers, so that nothing is rounded."""
    twice = (pl.col(name).rank("average") * 2).cast(pl.Int64) - 1
    return twice * 5 // (2 * pl.col(name).count()) + 1


def _first(now: datetime, timezone: str) -> datetime:
    """The morning after the day 24 months ago: today is the last day of the window."""
    zone = ZoneInfo(timezone)
    before = WINDOW.before(now.astimezone(zone).date())
    return datetime.combine(before, time.max, zone)


def _worked_out(connection: Connection, org: int, now: datetime, timezone: str, currency: str) -> pl.DataFrame:
    """Those whose scores are others than those that are kept."""
    columns = {"person": pl.Int64, **dict.fromkeys(SCORES, pl.Int64)}
    kept = frame(connection, columns, f"SELECT {', '.join(columns)} FROM profile WHERE org = ?", (org,))
    events = events_of(connection, org)
    wanted = used(["visits", "purchases"])
    facts = read_facts(connection, org, wanted, events, micros(_first(now, timezone)))
    found = score(kept.select("person"), facts, events, now=now, timezone=timezone, currency=currency)
    return found.filter(pl.any_horizontal(pl.col(name).ne_missing(kept[name]) for name in SCORES))


def _write(connection: Connection, org: int, scores: pl.DataFrame) -> None:
    sql = f"UPDATE profile SET {', '.join(f'{name} = ?' for name in SCORES)} WHERE org = ? AND person = ?"
    run_many(connection, sql, scores.select(*SCORES, pl.lit(org).alias("org"), "person").rows())
