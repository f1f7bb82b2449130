"""What the team corrected about who somebody is tells who they are elsewhere too.

A booking with the address that the team typed into a row is that row's person. So a person's corrected name, address,
number and postcode stand as one more sighting beside the first record that tells of them (the same record in
`sync.people.match`), under the object number `-person`. It serves to recognise only: what is shown of somebody, and
whether they are anybody, comes from sources, typed rows and the corrections themselves.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from sync.store.reading import micros
from sync.store.rows import add, ask_in, run_many, take
from sync.store.tables import sighting

NAMES = ("first_name", "last_name")
TELLING = (*NAMES, "email", "phone", "postcode")


class Record(NamedTuple):
    """The first record that tells of a person."""

    no: int
    source: str
    id: str


def recognise_by_corrections(connection: Connection, org: int, people: Collection[int], now: datetime) -> None:
    """Bring these people's sightings of that kind to what the team says now. Call after any correction."""
    records = _records(connection, org, people)
    said = _said(connection, org, people)
    names = _names(connection, org, people)
    before = _before(connection, org, people)
    at = micros(now)
    changed, new = [], []
    for person in sorted(records):
        record = records[person]
        given = _given(record.id, said.get(person, {}), names.get(person, {}))
        if person in before:
            number, was = before[person]
            if was != given:
                changed.append((given, at, org, number))
        elif given is not None:
            new.append((record.source, record.id, -person, given, at))
    run_many(connection, "UPDATE sighting SET given = ?, seen = ?, dirty = true WHERE org = ? AND no = ?", changed)
    if new:
        first = take(connection, org, "sighting", len(new))
        columns = ("org", "no", "source", "id", "object", "given", "seen")
        add(connection, sighting, columns, [(org, number, *row) for number, row in enumerate(new, first)])


def _given(id_: str, said: Mapping[str, str | None], names: Mapping[str, str | None]) -> bytes | None:
    """The sighting's content; None where the team said nothing that tells who it is. A name is told whole."""
    told = {field: value for field, value in said.items() if value is not None}
    if not told:
        return None
    known = {field: value for field, value in {**names, **said}.items() if value is not None}
    return msgspec.json.encode({"kind": "person", "id": id_, **known})


def _records(connection: Connection, org: int, people: Collection[int]) -> dict[int, Record]:
    sql = "SELECT person, no, source, id FROM sighting WHERE org = ? AND object >= 0 AND person IN ({among})"
    rows = sorted(ask_in(connection, sql, (org,), people), key=lambda row: int(row[1]), reverse=True)
    return {person: Record(*record) for person, *record in rows}


def _said(connection: Connection, org: int, people: Collection[int]) -> dict[int, dict[str, str | None]]:
    """The last word on each field, said of this person or of one who was merged into them."""
    merged = "SELECT id, merged_into FROM person WHERE org = ? AND merged_into IN ({among})"
    whose = {person: person for person in people} | dict(map(tuple, ask_in(connection, merged, (org,), people)))
    sql = "SELECT no, person, field, value FROM correction WHERE org = ? AND person IN ({among})"
    found: dict[int, dict[str, str | None]] = defaultdict(dict)
    for _, person, field, value in sorted(ask_in(connection, sql, (org,), whose), key=lambda row: int(row[0])):
        if field in TELLING:
            found[whose[person]][field] = value
    return found


def _names(connection: Connection, org: int, people: Collection[int]) -> dict[int, dict[str, str | None]]:
    sql = f"SELECT person, {', '.join(NAMES)} FROM profile WHERE org = ? AND person IN ({{among}})"
    return {person: dict(zip(NAMES, name, strict=True)) for person, *name in ask_in(connection, sql, (org,), people)}


def _before(connection: Connection, org: int, people: Collection[int]) -> dict[int, tuple[int, bytes | None]]:
    sql = "SELECT object, no, given FROM sighting WHERE org = ? AND object IN ({among})"
    rows = ask_in(connection, sql, (org,), [-person for person in people])
    return {-place: (number, None if given is None else bytes(given)) for place, number, given in rows}
