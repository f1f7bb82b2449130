"""Six journeys over 200,000 people and 2,000,000 records: what is due on one day, beside the same found by hand.

Ours is the second day's decision: due steps found in the store, judged, and written down with e-mails and tasks that can
be taken back. By hand is what a developer writes who knows the data (no moved or renamed events, one zone, every visit of
one source), finding the same people in the same SQLite file with SQL and Polars, and writing nothing.
`python -m bench.journeys [PEOPLE RECORDS]` prints both, the memory, and that both found the same.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa

from bench.windows import NOW, PEOPLE, RECORDS, ZONE, ledger
from rules.conditions import Book
from rules.reader import read
from sync.followup.decide import decide
from sync.followup.journeys import World, walk
from sync.followup.tables import journey_step
from sync.store import Store

SECONDS, QUIET = 10.0, 5.0
AWAY = timedelta(days=12)  # a day with shows the day before and three days on
TODAY = (NOW + AWAY).date()
JOURNEYS = """
journeys:
  - name: Show
    around: each ticket
    when: {genre: [danse, cirque, théâtre]}
    steps:
      - {at: 3 days before, email: letter, purpose: service}
      - {at: 1 day after, unless: {next visit: known}, task: Thank}
  - {name: First, around: first visit, steps: [{at: 1 day after, task: Welcome}]}
  - {name: Member, around: membership end, steps: [{at: 30 days before, task: Renew}]}
  - {name: Birthday, around: birthday, steps: [{at: the same day, email: letter}]}
  - {name: Gift, around: each donation, steps: [{at: 2 days after, email: letter}]}
  - {name: Answer, around: each answer, when: {satisfaction: at most 2}, steps: [{at: 1 day after, task: Call}]}
"""
Found = list[tuple[str, str, int]]
"""Journey, step and person, one for each occasion, in order."""


@dataclass(frozen=True)
class Days:
    """Seconds of a day's decision, of the same day once more, and by hand; how many steps; our peak memory in megabytes."""

    ours: float
    quiet: float
    hand: float
    steps: int
    megabytes: float


def folder() -> Book:
    reading = read({"bench.yaml": JOURNEYS.encode()}, templates=["letter"])
    assert not reading.mistakes, reading.mistakes
    return reading.book


def crowd(people: int, records: int) -> pl.DataFrame:
    """Everybody's fields that journeys ask for: first visits as the records have them, the others invented."""
    facts, events = ledger(people, records)
    shows = events.lazy().filter(~pl.col("event_cancelled")).select("event", "starts")
    went = facts.lazy().filter(kind="visit").join(shows, on="event")
    past = went.filter(pl.col("starts") <= int((NOW + AWAY).timestamp()) * 1_000_000)
    day = pl.from_epoch("starts", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE).dt.date()
    first = past.group_by(person_id="person").agg(first_visit=day.min()).collect()
    chance = random.Random(5)
    ends = [None, *(TODAY + timedelta(days=n) for n in range(-365, 365))]
    births = [None, *(date(1940, 1, 1) + timedelta(days=n) for n in range(25_000))]
    ahead = [*[None] * 60, *(TODAY + timedelta(days=n) for n in range(60))]
    invented = pl.DataFrame(
        {
            "key": range(people),
            "person_id": range(1, people + 1),
            "birthday": chance.choices(births, k=people),
            "membership_ends": chance.choices(ends, k=people),
            "membership": ["Friend"] * people,
            "next_visit": chance.choices(ahead, k=people),
            "satisfaction": chance.choices([None, 1.0, 2.0, 3.0, 4.0, 5.0], k=people),
        }
    )
    return invented.join(first, on="person_id", how="left", maintain_order="left")


def ours(store: Store, book: Book, people: pl.DataFrame, run: int, now: datetime) -> float:
    began, zone = time.perf_counter(), ZoneInfo(ZONE)
    world = World(book, people, frozenset(), {}, zone, "EUR")
    with store.begin() as connection:
        decide(
            connection, store.org, book, people.select("person_id"), run, now, now.astimezone(zone).date(),
            stale_rules={}, people_count=len(people), walk=lambda turn: walk(turn, world),
        )  # fmt: skip
    return time.perf_counter() - began


def written(store: Store, run: int) -> Found:
    asked = sa.select(journey_step.c.rule, journey_step.c.step, journey_step.c.person_id)
    with store.look() as connection:
        rows = connection.execute(asked.where(journey_step.c.run == run, journey_step.c.state == "done"))
        return sorted((row.rule, row.step, row.person_id) for row in rows)


def by_hand(file: Path, book: Book, people: pl.DataFrame) -> Found:
    connection = sqlite3.connect(file)
    try:
        parts = list(_due_by_hand(connection, people))
    finally:
        connection.close()
    names = [(journey.id, step.name) for journey in book.journeys for step in journey.steps]
    return sorted((*name, person) for name, part in zip(names, parts, strict=True) for person in part.to_list())


def _due_by_hand(connection: sqlite3.Connection, people: pl.DataFrame) -> list[pl.Series]:
    """The people of each step that is due today, in the order of the journeys."""

    def asked(sql: str, *values: object) -> pl.DataFrame:
        kinds = {"person": pl.Int64, "event": pl.String}
        found = pl.read_database(sql, connection, execute_options={"parameters": values}, infer_schema_length=None)
        return found.cast({name: kind for name, kind in kinds.items() if name in found.columns})

    def span(back: int) -> tuple[int, int]:
        day = datetime.combine(TODAY - timedelta(days=back), datetime.min.time(), ZoneInfo(ZONE))
        return int(day.timestamp()) * 1_000_000, int((day + timedelta(days=1)).timestamp()) * 1_000_000 - 1

    shows = asked("SELECT id AS event, starts, genre FROM event WHERE NOT cancelled")
    visits = "SELECT s.person, f.event FROM fact AS f JOIN sighting AS s ON s.org = f.org AND s.no = f.sighting WHERE f.org = 1 AND f.source = 'box' AND f.kind = 'visit' AND f.status = 'booked'"

    def tickets(back: int) -> pl.DataFrame:
        near = shows.filter(pl.col("starts").is_between(*span(back)))
        holes = ", ".join("?" * len(near))
        return asked(f"{visits} AND f.event IN ({holes})", *near["event"]).unique().join(near, on="event")

    wanted = pl.col("genre").str.to_lowercase().is_in(["danse", "cirque", "théâtre"])
    before, after = tickets(-3), tickets(1)
    free = people.filter(pl.col("next_visit").is_null())["person_id"]
    did = "SELECT s.person FROM fact AS f JOIN sighting AS s ON s.org = f.org AND s.no = f.sighting WHERE f.org = 1 AND f.at BETWEEN ? AND ? AND f.kind = ?"
    unhappy = people.filter(pl.col("satisfaction") <= 2)["person_id"]
    born = (pl.col("birthday").dt.month() == TODAY.month) & (pl.col("birthday").dt.day() == TODAY.day)
    return [
        before.filter(wanted)["person"],
        after.filter(wanted, pl.col("person").is_in(free.implode()))["person"],
        people.filter(pl.col("first_visit") == TODAY - timedelta(days=1))["person_id"],
        people.filter(pl.col("membership_ends") == TODAY + timedelta(days=30))["person_id"],
        people.filter(born)["person_id"],
        asked(f"{did} AND f.status = 'paid'", *span(2), "donation")["person"],
        asked(did, *span(1), "answer").filter(pl.col("person").is_in(unhappy.implode()))["person"],
    ]


def measure(people: int = PEOPLE, records: int = RECORDS) -> Days:
    book, everybody = folder(), crowd(people, records)
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "filrouge.db"
        subprocess.run([sys.executable, "-m", "bench.reading", "write", file, str(people), str(records)], check=True)
        store = Store.open(f"sqlite:///{file}", "bench", NOW)
        try:
            ours(store, book, everybody, 1, NOW + AWAY - timedelta(days=1))
            mine = ours(store, book, everybody, 2, NOW + AWAY)
            quiet = ours(store, book, everybody, 3, NOW + AWAY)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            found = written(store, 2)
            assert not written(store, 3), "the same day once more did something"
        finally:
            store.close()
        began = time.perf_counter()
        expected = by_hand(file, book, everybody)
        hand = time.perf_counter() - began
    assert found == expected, "they found other steps"
    return Days(mine, quiet, hand, len(found), memory)


def main() -> None:
    found = measure(*map(int, sys.argv[1:3]))
    print(f"{found.steps:,} steps of six journeys due on one day, the same found by hand")
    print(f"  journeys, written down {found.ours:6.2f} s   (peak memory {found.megabytes:,.0f} MB)")
    print(f"  the same day again     {found.quiet:6.2f} s")
    print(f"  SQL and Polars by hand {found.hand:6.2f} s   (nothing written)")


if __name__ == "__main__":
    main()
