"""50 rules over 100,000 people, verdicts to deeds: a first day, and a quiet one. `python -m bench.deciding [PEOPLE]`

Who enters and leaves is compared with what the store remembers, and written down with flags, e-mails and tasks.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from rules.conditions import Book
from rules.reader import read
from sync.followup.decide import decide
from sync.followup.turn import Decisions
from sync.store import Store

PEOPLE = 100_000
FIRST, QUIET = 10.0, 3.0
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
RULE = """
  - name: Rule {n}
    when: {{visits: at least {n}}}
    then: [{action}]
"""
ACTIONS = ("flag: Flag {n}", "flag: Flag {n}", "email: letter", "set: {{Column: yes}}", "flag: Other {n}")


@dataclass(frozen=True)
class Days:
    """Seconds for each, and the peak of memory in megabytes."""

    first: float
    quiet: float
    megabytes: float


def folder() -> Book:
    rules = "".join(RULE.format(n=n, action=ACTIONS[n % 5].format(n=n)) for n in range(50))
    reading = read({"bench.yaml": f"rules:{rules}".encode()}, templates=["letter"])
    assert not reading.mistakes, reading.mistakes
    return reading.book


def verdicts(book: Book, people: int, changed: int) -> pl.DataFrame:
    """A twentieth of the people is inside each rule; the first `changed` have just changed their minds."""
    chance = random.Random(3)
    columns = {
        rule.id: [(chance.random() < 0.05) != (person < changed) for person in range(people)] for rule in book.rules
    }
    return pl.DataFrame({"person_id": range(1, people + 1), **columns})


def decided(store: Store, book: Book, frame: pl.DataFrame, run: int, days: int) -> tuple[float, Decisions]:
    now = NOW + timedelta(days=days)
    began = time.perf_counter()
    with store.begin() as connection:
        done = decide(
            connection, store.org, book, frame, run, now, date(2026, 9, 1) + timedelta(days=days),
            stale_rules={}, people_count=len(frame),
        )  # fmt: skip
    return time.perf_counter() - began, done


def measure(people: int = PEOPLE) -> Days:
    book = folder()
    before, after = verdicts(book, people, 0), verdicts(book, people, people // 1000)
    with tempfile.TemporaryDirectory() as made:
        store = Store.open(f"sqlite:///{Path(made) / 'bench.db'}", "bench", NOW)
        try:
            first, done = decided(store, book, before, 1, 0)
            assert sum(len(moved.entered) for moved in done.rules.values()) == sum(moved.inside for moved in done.rules.values())  # fmt: skip
            quiet, again = decided(store, book, before, 2, 1)
            assert not any(moved.entered or moved.left for moved in again.rules.values())
            _, moved = decided(store, book, after, 3, 1)
            assert any(one.left for one in moved.rules.values())
        finally:
            store.close()
    return Days(first, quiet, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    found = measure(*map(int, sys.argv[1:2]))
    print(f"first day {found.first:6.2f} s, quiet day {found.quiet:6.2f} s   (peak memory {found.megabytes:,.0f} MB)")


if __name__ == "__main__":
    main()
