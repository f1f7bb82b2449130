"""The facts that 50 rules with windows count, out of SQLite: 200,000 people, 2,000,000 records (those of bench.windows).

Ours reads and counts; beside it, what one would write first: `pl.read_database` of the facts joined with their people,
which has counted nothing yet. `python -m bench.reading` prints both; the file is written by a process of its own, so
that its memory is nobody's.
"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from bench.windows import NOW, PEOPLE, RECORDS, ZONE, folder, ledger
from rules.compiler import evaluate
from sync.people import measures
from sync.people.windows import count_windows
from sync.store import Store
from sync.store.rows import add
from sync.store.tables import event, fact, sighting

SECONDS = 10.0
EACH = 3  # sightings of a person: as many orders name them
AT_ONCE = 100_000
FACTS = [name for name in measures.FACTS if name != "person"]


def write(file: Path, people: int, records: int) -> None:
    """The store with all that `ledger` invents; every third fact of a person hangs on another sighting of them."""
    facts, events = ledger(people, records)
    facts = facts.with_columns(sighting=pl.col("person") * EACH + pl.col("object") % EACH)
    store = Store.open(f"sqlite:///{file}", "bench", NOW)
    with store.begin() as connection:
        names = ("org", "no", "source", "id", "object", "given", "person", "dirty", "known", "email_key", "email")
        every = range(EACH, (people + 1) * EACH)
        for start in range(0, len(every), AT_ONCE):
            add(connection, sighting, names, [_sighting(store.org, no) for no in every[start : start + AT_ONCE]])
        for start in range(0, len(facts), AT_ONCE):
            rows = facts[start : start + AT_ONCE].select(pl.lit(store.org), "sighting", *FACTS).rows()
            add(connection, fact, ("org", "sighting", *FACTS), rows)
        columns = ("org", "object", "id", "source", "name", "starts", "genre", "cancelled")
        told = events.select(
            pl.lit(store.org).alias("org"), pl.int_range(records + 1, records + 1 + pl.len()).alias("object"), "event", "source",
            pl.col("event").alias("name"), "starts", "genre", "event_cancelled",
        )  # fmt: skip
        add(connection, event, columns, told.rows())
        connection.exec_driver_sql("ANALYZE")
    store.close()


def _sighting(org: int, no: int) -> tuple[object, ...]:
    mail = f"camille.exemple.{no // EACH}@example.org"
    given = f'{{"id":"{no}","first_name":"Camille","last_name":"Exemple","email":"{mail}","city":"Brest"}}'
    return (org, no, "box", str(no), no, given.encode(), no // EACH, False, True, mail, mail)


def ours(store: Store, people: int) -> pl.DataFrame:
    book, everybody = folder(), pl.Series("person_id", range(1, people + 1))
    counted = count_windows(store, everybody, book.windows, now=NOW, timezone=ZONE, currency="EUR")
    return evaluate(book, counted.with_columns(key="person_id"), NOW.date()).frame


def by_hand(file: Path) -> pl.DataFrame:
    sql = f"SELECT s.person, {', '.join(f'f.{name}' for name in FACTS)} FROM fact AS f JOIN sighting AS s ON s.org = f.org AND s.no = f.sighting"
    connection = sqlite3.connect(file)
    try:
        return pl.read_database(sql, connection, infer_schema_length=None)
    finally:
        connection.close()


def measure(people: int = PEOPLE, records: int = RECORDS) -> tuple[float, float, float]:
    """Seconds for ours, seconds of the plain reading, our peak memory in megabytes."""
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "filrouge.db"
        subprocess.run([sys.executable, "-m", "bench.reading", "write", file, str(people), str(records)], check=True)
        store = Store.open(f"sqlite:///{file}", "bench", NOW)
        began = time.perf_counter()
        assert len(ours(store, people)) == people
        mine, memory = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        store.close()
        began = time.perf_counter()
        assert len(by_hand(file)) == records
        return mine, time.perf_counter() - began, memory


def main() -> None:
    if sys.argv[1:2] == ["write"]:
        write(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    mine, other, memory = measure()
    print(f"{RECORDS:,} records of {PEOPLE:,} people out of SQLite, for 50 rules with windows")
    print(f"  read and counted   {mine:6.1f} s   (peak memory {memory:,.0f} MB)")
    print(f"  pl.read_database   {other:6.1f} s   (nothing counted yet)")


if __name__ == "__main__":
    main()
