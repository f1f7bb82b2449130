"""An object's records, replaced as a set; whoever they concern is marked."""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from sync.store import tables
from sync.store.reading import COLUMNS, Happening, Read
from sync.store.rows import add, ask_in, run_many, take

SIGHTING = ("org", "no", "source", "id", "object", "given", "seen")
FACT = ("org", "source", "object", "sighting", "kind", "id")
EVENT = ("org", "source", "object", *Happening._fields)
PRODUCT = ("org", "source", "object", "id", "name")
ATTENDED = "SELECT event FROM fact WHERE org = ? AND attended AND event IS NOT NULL AND object IN ({among})"
Here = dict[int, dict[str, tuple[int, bytes | None]]]  # object -> id of a Person record -> its number and content


class Change(NamedTuple):
    """What an object says now. `stored`: it has said something before.

    `at` (microseconds since 1970 UTC) serves for people's records that do not say as of when they are.
    """

    object: int
    stored: bool
    read: Read
    at: int


def replace(connection: Connection, org: int, source: str, changes: Sequence[Change]) -> None:
    """Put new records in the place of old ones, and mark the people and profiles that this concerns."""
    old = [change.object for change in changes if change.stored]
    before = _sightings(connection, org, old)
    moved = _moved_events(connection, org, source, changes)
    doors = _doors(connection, org, changes)
    scanned = _scanned(connection, org, source, doors)
    _drop(connection, org, old)
    number = _people(connection, org, source, changes, before)
    known = {entry[0] for people in before.values() for entry in people.values()}
    _facts(connection, org, source, changes, number, set(number.values()) - known)
    rows = [(org, source, change.object, *one) for change in changes for one in change.read.events]
    add(connection, tables.event, EVENT, rows)
    products = [(org, source, change.object, *one) for change in changes for one in change.read.products]
    add(connection, tables.product, PRODUCT, products)
    _mark_visitors(connection, org, source, moved | (scanned ^ _scanned(connection, org, source, doors)))


def withdraw(connection: Connection, org: int, source: str, objects: Sequence[int]) -> None:
    """Take back what objects said. Their sightings stay as empty marks, so that who comes back is who left."""
    events = ask_in(connection, "SELECT id FROM event WHERE org = ? AND object IN ({among})", (org,), objects)
    doors = ask_in(connection, ATTENDED, (org,), objects)
    _drop(connection, org, objects)
    for sightings in _sightings(connection, org, objects).values():
        _empty(connection, org, [number for number, given in sightings.values() if given is not None])
    _mark_visitors(connection, org, source, {id_ for (id_,) in (*events, *doors)})


def unsubscribed_in(connection: Connection, org: int, objects: Sequence[int]) -> list[str]:
    """The addresses that these objects call unsubscribed."""
    sql = (
        "SELECT DISTINCT s.email_key FROM fact AS f JOIN sighting AS s ON s.org = f.org AND s.no = f.sighting"
        " WHERE f.org = ? AND f.kind = 'subscription' AND f.status = 'unsubscribed' AND s.email_key IS NOT NULL"
        " AND f.object IN ({among})"
    )
    return sorted({address for (address,) in ask_in(connection, sql, (org,), objects)})


def _drop(connection: Connection, org: int, objects: Sequence[int]) -> None:
    stale = (
        "UPDATE sighting SET stale = true WHERE org = ? AND NOT stale"
        " AND no IN (SELECT sighting FROM fact WHERE org = ? AND object = ?)"
    )
    run_many(connection, stale, [(org, org, one) for one in objects])
    for table in ("fact", "event", "product"):
        run_many(connection, f"DELETE FROM {table} WHERE org = ? AND object = ?", [(org, one) for one in objects])


def _sightings(connection: Connection, org: int, objects: Iterable[int]) -> Here:
    found: Here = {}
    sql = "SELECT object, id, no, given FROM sighting WHERE org = ? AND object IN ({among})"
    for one, id_, number, given in ask_in(connection, sql, (org,), objects):
        found.setdefault(one, {})[id_] = (number, None if given is None else bytes(given))
    return found


def _empty(connection: Connection, org: int, numbers: Sequence[int]) -> None:
    sql = "UPDATE sighting SET given = NULL, dirty = true WHERE org = ? AND no = ?"
    run_many(connection, sql, [(org, number) for number in numbers])


def _people(
    connection: Connection, org: int, source: str, changes: Sequence[Change], before: Here
) -> dict[tuple[int, str], int]:
    """Write sightings; only those whose content changed are to be looked at again. (object, id) -> number."""
    number = {(one, id_): entry[0] for one, people in before.items() for id_, entry in people.items()}
    fresh = [
        (change.object, one if one.seen is not None else one._replace(seen=change.at))
        for change in changes
        for one in change.read.people
    ]
    new = [(place, one) for place, one in fresh if (place, one.id) not in number]
    if new:
        first = take(connection, org, "sighting", len(new))
        rows = []
        for no, (place, one) in enumerate(new, first):
            number[place, one.id] = no
            rows.append((org, no, source, one.id, place, one.given, one.seen))
        add(connection, tables.sighting, SIGHTING, rows)
    other = [
        (one.given, one.seen, org, number[place, one.id])
        for place, one in fresh
        if one.id in before.get(place, {}) and before[place][one.id][1] != one.given
    ]
    run_many(connection, "UPDATE sighting SET given = ?, seen = ?, dirty = true WHERE org = ? AND no = ?", other)
    still = {(place, one.id) for place, one in fresh}
    left = [
        no
        for place, people in before.items()
        for id_, (no, given) in people.items()
        if given is not None and (place, id_) not in still
    ]
    _empty(connection, org, left)
    return number


def _facts(
    connection: Connection,
    org: int,
    source: str,
    changes: Sequence[Change],
    number: dict[tuple[int, str], int],
    new: set[int],
) -> None:
    """Write facts. Whoever they concern is marked, but for `new` sightings: those are to be looked at anyway."""
    facts = [(change.object, one) for change in changes for one in change.read.facts]
    elsewhere = {one.person for place, one in facts if (place, one.person) not in number}
    others = _elsewhere(connection, org, source, elsewhere)
    rows: dict[str, list[tuple[object, ...]]] = {}
    concerned = set()
    for place, (kind, id_, person, values, _scanned) in facts:
        no = number.get((place, person)) or others[person]
        concerned.add(no)
        rows.setdefault(kind, []).append((org, source, place, no, kind, id_, *values))
    for kind, some in rows.items():
        add(connection, tables.fact, FACT + COLUMNS[kind], some)
    concerned -= new
    sql = "UPDATE sighting SET stale = true WHERE org = ? AND no = ? AND NOT dirty AND NOT stale"
    run_many(connection, sql, [(org, no) for no in sorted(concerned)])


def _elsewhere(connection: Connection, org: int, source: str, ids: set[str]) -> dict[str, int]:
    """The sightings that facts of other objects refer to: the first of that id, made empty where there is none yet."""
    sql = "SELECT id, no FROM sighting WHERE org = ? AND source = ? AND id IN ({among})"
    found: dict[str, int] = {}
    for id_, no in ask_in(connection, sql, (org, source), sorted(ids)):
        found[id_] = min(no, found.get(id_, no))
    missing = sorted(ids - found.keys())
    if missing:
        first = take(connection, org, "sighting", len(missing))
        made = list(enumerate(missing, first))
        add(connection, tables.sighting, SIGHTING, [(org, no, source, id_, 0, None, None) for no, id_ in made])
        found |= {id_: no for no, id_ in made}
    return found


def _moved_events(connection: Connection, org: int, source: str, changes: Sequence[Change]) -> set[str]:
    """Events that will not be what they were. Many objects may describe the same event in the same words."""
    columns = ", ".join(Happening._fields)
    now = {one.id: one for change in changes for one in change.read.events}
    sql = f"SELECT {columns}, object FROM event WHERE org = ? AND source = ? AND id IN ({{among}})"
    newest: dict[str, tuple[int, Happening]] = {}
    for *values, place in ask_in(connection, sql, (org, source), now):
        one = Happening(*values)._replace(cancelled=bool(values[-1]))
        newest[one.id] = max(newest.get(one.id, (0, one)), (place, one), key=lambda entry: entry[0])
    moved = {id_ for id_, one in now.items() if id_ not in newest or newest[id_][1] != one}
    old = [change.object for change in changes if change.stored]
    before = ask_in(connection, "SELECT id FROM event WHERE org = ? AND object IN ({among})", (org,), old)
    return moved | {id_ for (id_,) in before if id_ not in now}


def _doors(connection: Connection, org: int, changes: Sequence[Change]) -> set[str]:
    """Events at which these objects say, or said, that somebody was scanned."""
    old = ask_in(connection, ATTENDED, (org,), [change.object for change in changes if change.stored])
    now = {one.scanned for change in changes for one in change.read.facts if one.scanned is not None}
    return now | {id_ for (id_,) in old}


def _scanned(connection: Connection, org: int, source: str, events: Iterable[str]) -> set[str]:
    """Those among events at which anybody was scanned: from then on, who was not did not come."""
    sql = "SELECT DISTINCT event FROM fact WHERE org = ? AND source = ? AND attended AND event IN ({among})"
    return {id_ for (id_,) in ask_in(connection, sql, (org, source), sorted(events))}


def _mark_visitors(connection: Connection, org: int, source: str, events: Iterable[str]) -> None:
    sql = (
        "UPDATE sighting SET stale = true WHERE org = ? AND NOT stale"
        " AND no IN (SELECT sighting FROM fact WHERE org = ? AND source = ? AND event = ?)"
    )
    run_many(connection, sql, [(org, org, source, id_) for id_ in sorted(events)])
