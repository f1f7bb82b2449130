"""Reading again what was kept, and letting go of what is long gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.records import Record
from connectors.source import Object
from sync.store import tables
from sync.store.base import Store
from sync.store.ledger import Entry, PageResult, Turn, carefully, reason, store_entries, understand
from sync.store.reading import Read, micros
from sync.store.rows import ask, ask_in, run_many

BATCH = 1000


def reread(
    store: Store, source: str, version: int, records: Callable[[Object], Sequence[Record]], run: int, now: datetime
) -> PageResult:
    """Read anew, from the raw, everything that was read by another version or set aside. In batches, each committed.

    Costs one look when there is nothing to do. What is not an object (a broken line) has no raw object to read: where
    such things were set aside by another version, the cursor is forgotten, so that the next pull meets them again.
    """
    turn = Turn(store.org, source, run, now, version)
    result = PageResult()
    last = 0
    while True:
        with store.begin() as connection:
            rows = _outdated(connection, turn, last)
            if not rows:
                _meet_broken_again(connection, turn)
                return result
            last = rows[-1].no
            result += _read_batch(connection, turn, rows, records)


class Outdated(NamedTuple):
    """An object to be read anew."""

    no: int
    kind: str
    id: str
    line: str | None
    changed: int


def _outdated(connection: Connection, turn: Turn, after: int) -> list[Outdated]:
    sql = (
        "SELECT no, kind, id, line, changed FROM object WHERE org = ? AND source = ? AND gone IS NULL AND no > ?"
        " AND (version <> ? OR no IN (SELECT object FROM set_aside WHERE org = ? AND source = ? AND body IS NULL))"
        " ORDER BY no LIMIT ?"
    )
    values = (turn.org, turn.source, after, turn.version, turn.org, turn.source, BATCH)
    return [Outdated(*row) for row in ask(connection, sql, *values)]


def _read_batch(
    connection: Connection, turn: Turn, rows: Sequence[Outdated], records: Callable[[Object], Sequence[Record]]
) -> PageResult:
    sql = "SELECT object, body FROM raw WHERE org = ? AND object IN ({among})"
    numbers = [row.no for row in rows]
    bodies = {no: bytes(body) for no, body in ask_in(connection, sql, (turn.org,), numbers)}
    sql = "SELECT object, version, code, facts FROM set_aside WHERE org = ? AND object IN ({among}) AND body IS NULL"
    asides = {no: tuple(why) for no, *why in ask_in(connection, sql, (turn.org,), numbers)}

    shortened = [row for row in rows if not bodies.get(row.no)]
    _ask_anew(connection, turn, shortened)

    def work(some: Sequence[Outdated], how: Callable[[Object], Sequence[Record]]) -> PageResult:
        entries = []
        for row in (row for row in some if row not in shortened):
            found = understand(how, Object(row.kind, row.id, bodies[row.no], row.line))
            if isinstance(found, Read) or asides.get(row.no) != (turn.version, *reason(found).values()):
                entries.append(Entry((row.kind, row.id), row.no, True, row.changed, row.line, found))
        aside = store_entries(connection, turn, entries)
        sql = "UPDATE object SET version = ? WHERE org = ? AND source = ? AND kind = ? AND id = ?"
        run_many(connection, sql, [(turn.version, turn.org, turn.source, *one.key) for one in entries])
        return PageResult(changed=len(entries), unchanged=len(some) - len(entries), set_aside=aside)

    return sum(carefully(connection, rows, records, work), PageResult())


def _ask_anew(connection: Connection, turn: Turn, shortened: Sequence[Outdated]) -> None:
    """What told of somebody who was erased too has no raw any more: what it says stands until it is pulled again."""
    if shortened:
        sql = "UPDATE object SET version = ?, hash = ? WHERE org = ? AND source = ? AND kind = ? AND id = ?"
        rows = [(turn.version, b"", turn.org, turn.source, row.kind, row.id) for row in shortened]
        run_many(connection, sql, rows)
        _forget_cursor(connection, turn)


def _forget_cursor(connection: Connection, turn: Turn) -> None:
    one = tables.source.c
    connection.execute(sa.update(tables.source).where(one.org == turn.org, one.name == turn.source).values(cursor=None))


def _meet_broken_again(connection: Connection, turn: Turn) -> None:
    sql = "SELECT id FROM set_aside WHERE org = ? AND source = ? AND body IS NOT NULL AND version <> ? LIMIT 1"
    if ask(connection, sql, turn.org, turn.source, turn.version):
        _forget_cursor(connection, turn)


def let_go(store: Store, now: datetime, days: int) -> int:
    """Delete the raw of objects that have been gone for `days`, and the empty sightings nothing refers to any more.

    How many objects were let go comes back.
    """
    before = micros(now - timedelta(days=days))
    with store.begin() as connection:
        gone = ask(connection, "SELECT no FROM object WHERE org = ? AND gone < ?", store.org, before)
        keys = [(store.org, no) for (no,) in gone]
        run_many(
            connection,
            "DELETE FROM sighting WHERE org = ? AND object = ? AND given IS NULL AND NOT dirty AND NOT loose"
            " AND NOT EXISTS (SELECT 1 FROM fact WHERE fact.org = sighting.org AND fact.sighting = sighting.no)",
            keys,
        )
        run_many(connection, "DELETE FROM raw WHERE org = ? AND object = ?", keys)
        run_many(connection, "DELETE FROM object WHERE org = ? AND no = ?", keys)
    return len(keys)
