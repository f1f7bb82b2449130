"""Sightings become people. A person's id and code never change.

Only what changed is looked at again, together with everything that shares a key with it, so the result is what looking
at everything would give. The marks that say what changed were committed with the change itself, and are taken away in
the transaction that acts on them: after any interruption the same work is done once.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from connectors.records import Person
from sync.people import tables
from sync.people.match import Said, Sight, clusters
from sync.people.normalise import Clean, clean
from sync.store.base import Store
from sync.store.reading import micros
from sync.store.rows import add, ask, ask_in, run, run_many, take

BATCH = 5_000
ALL_AT_ONCE = 5_000  # loose sightings from which reading every sighting is quicker than following keys
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u
KEYS = ("customer", "email_key", "name_key", "phone_key", "place_key")
# `+org` in SQL below: SQLite then goes by the index over the few marked rows, not through all of an organisation.
NOBODY = Clean(False, *([None] * (len(Clean._fields) - 1)))
SIGHT = f"no, source, id, {', '.join(KEYS)}, seen, person, first_person, known AND object >= 0"
_decode = msgspec.json.Decoder(Person).decode


@dataclass(frozen=True)
class Resolved:
    """People that are new, that turned out to be someone already known, sightings that changed person, people in all."""

    new: int = 0
    merged: int = 0
    moved: int = 0
    total: int = 0


class Row(NamedTuple):
    """A sighting, who it was taken for so far, and whether it says anything about anybody."""

    sight: Sight
    person: int | None
    first_person: int | None
    known: bool


@dataclass(frozen=True)
class Moment:
    """Where and when people are worked out. `country` is whose phone numbers are meant where none is given."""

    org: int
    run: int
    now: datetime
    country: str


def resolve(store: Store, run: int, now: datetime, country: str = "FR") -> Resolved:
    """Work out who is who for everything that changed since last time. Milliseconds when nothing did."""
    moment = Moment(store.org, run, now, country)
    while True:
        with store.begin() as connection:
            if not look_at(connection, moment):
                break
    with store.begin() as connection:
        return rejoin(connection, moment)


def code(number: int, since: int) -> str:
    """The lasting key of a person: 8 characters that are read aloud and typed without mistakes.

    No two numbers have the same for the same `since`. A store that was lost, or put back from an older copy, counts its
    people anew: with the moment in it, none of them gets the code that somebody else has in the sheet.
    """
    salt = int.from_bytes(blake2b(since.to_bytes(16, "big", signed=True), digest_size=5).digest(), "big")
    value = (number * 0x9E3779B97F + salt) % 2**40 ^ 0x5A17C3E2D4  # odd factor: every number has its own code
    return "".join(ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))


def known_codes(store: Store, codes: Collection[str]) -> set[str]:
    """Which of these are codes of people of this store, of those too who were merged or are gone."""
    sql = "SELECT code FROM person WHERE org = ? AND code IN ({among})"
    with store.look() as connection:
        return {code for (code,) in ask_in(connection, sql, (store.org,), codes)}


def look_at(connection: Connection, moment: Moment) -> int:
    """Normalise sightings that changed. They become loose, and so do those that shared a key they no longer have."""
    sql = "SELECT no, given, email_key, place_key FROM sighting WHERE +org = ? AND dirty ORDER BY no LIMIT ?"
    rows = ask(connection, sql, moment.org, BATCH)
    updates = []
    left: set[tuple[str, str | None]] = set()
    for number, given, email_key, place_key in rows:
        new = NOBODY if given is None else clean(_decode(given), moment.country)
        updates.append((*new, moment.org, number))
        left |= {("email_key", email_key), ("place_key", place_key)}
        left -= {("email_key", new.email_key), ("place_key", new.place_key)}
    columns = ", ".join(f"{name} = ?" for name in Clean._fields)
    sql = f"UPDATE sighting SET {columns}, dirty = false, loose = true, stale = true WHERE org = ? AND no = ?"
    run_many(connection, sql, updates)
    for key, value in sorted((key, value) for key, value in left if value is not None):
        sql = f"UPDATE sighting SET loose = true, stale = true WHERE org = ? AND {key} = ?"
        run(connection, sql, moment.org, value)
    return len(rows)


def rejoin(connection: Connection, moment: Moment) -> Resolved:
    """Give every loose sighting its person, and mark every profile that this or a changed fact concerns."""
    org = moment.org
    loose = ask(connection, "SELECT count(*) FROM sighting WHERE +org = ? AND loose", org)[0][0]
    result = Resolved()
    if loose:
        rows = _all(connection, org) if loose > ALL_AT_ONCE else _neighbours(connection, org)
        result = _assign(connection, moment, rows)
        run(connection, "UPDATE sighting SET loose = false WHERE +org = ? AND loose", org)
    if ask(connection, "SELECT 1 FROM sighting WHERE +org = ? AND stale LIMIT 1", org):
        _mark_profiles(connection, org)
    sql = "SELECT count(*) FROM person WHERE org = ? AND live AND merged_into IS NULL"
    return Resolved(result.new, result.merged, result.moved, ask(connection, sql, org)[0][0])


def said(connection: Connection, org: int) -> Said:
    """What people said about who is who."""
    same = ask(connection, "SELECT one, other FROM joined WHERE org = ?", org)
    sides = ask(connection, "SELECT sighting, side FROM parted WHERE org = ?", org)
    return Said([(one, other) for one, other in same], dict(tuple(row) for row in sides))


def _row(values: Sequence[object]) -> Row:
    *sight, person, first_person, known = values
    return Row(Sight(*sight), person, first_person, bool(known))  # type: ignore[arg-type]  # columns of SIGHT


def _all(connection: Connection, org: int) -> list[Row]:
    return [_row(values) for values in ask(connection, f"SELECT {SIGHT} FROM sighting WHERE org = ?", org)]


def _neighbours(connection: Connection, org: int) -> list[Row]:
    """Loose sightings and everything that shares a key or a person with them, however far."""
    found: dict[int, Row] = {}
    partners: dict[int, set[int]] = defaultdict(set)
    for one, other in said(connection, org).same:
        partners[one].add(other)
        partners[other].add(one)
    asked: dict[str, set[object]] = defaultdict(set)
    more = [_row(values) for values in ask(connection, f"SELECT {SIGHT} FROM sighting WHERE +org = ? AND loose", org)]
    while more:
        found |= {row.sight.no: row for row in more}
        wanted: dict[str, set[object]] = defaultdict(set)
        for row in more:
            for column in ("email_key", "phone_key", "place_key"):
                wanted[column].add(getattr(row.sight, column))
            wanted["person"].add(row.person)
            wanted["no"] |= partners[row.sight.no]
            wanted[f"id {row.sight.source}"].add(row.sight.id)
            wanted[f"customer {row.sight.source}"].add(row.sight.customer)
        more = []
        for key, values in wanted.items():
            fresh = values - asked[key] - {None}
            asked[key] |= fresh
            more += [row for row in _sharing(connection, org, key, fresh) if row.sight.no not in found]
    return list(found.values())


def _sharing(connection: Connection, org: int, key: str, values: Iterable[object]) -> list[Row]:
    column, _, source = key.partition(" ")
    one_source = " AND source = ?" if source else ""
    sql = f"SELECT {SIGHT} FROM sighting WHERE org = ?{one_source} AND {column} IN ({{among}})"
    return [_row(row) for row in ask_in(connection, sql, (org, source) if source else (org,), values)]


def _assign(connection: Connection, moment: Moment, rows: Sequence[Row]) -> Resolved:
    by_number = {row.sight.no: row for row in rows}
    told = said(connection, moment.org)
    groups = clusters([row.sight for row in rows], told)
    kept, merged = _keepers(groups, by_number, told.sides)
    _revive(connection, moment.org, groups, by_number, kept)
    missing = [place for place, group in enumerate(groups) if place not in kept and _anybody(group, by_number)]
    if missing:
        kept |= zip(missing, _make_people(connection, moment, len(missing)), strict=True)
    changed = [
        (number, kept[place])
        for place, group in enumerate(groups)
        for number in (group if place in kept else ())
        if by_number[number].person != kept[place]
    ]
    _move(connection, moment, changed, by_number)
    _merge(connection, moment.org, merged)
    before = {row.person for row in rows if row.person is not None}
    _mark_people(connection, moment.org, before | set(kept.values()) | set(merged))
    moved = sum(by_number[number].person is not None for number, _ in changed)
    return Resolved(len(missing), len(merged), moved)


def _anybody(group: Sequence[int], rows: Mapping[int, Row]) -> bool:
    return any(rows[number].known for number in group)


def _keepers(
    groups: Sequence[Sequence[int]], rows: Mapping[int, Row], sides: Mapping[int, int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Which person each group is (where it was one), and who thereby turns out to be whom.

    A person stays with the group that somebody said is theirs, else with the one that has most of what they had; of
    several in one group the oldest stays.
    """
    share: dict[int, Counter[int]] = defaultdict(Counter)
    anybody = [_anybody(group, rows) for group in groups]
    for place, group in enumerate(groups):
        for number in group:
            if (person := rows[number].person) is not None:
                share[person][place] += len(rows) if sides.get(number) == person else 1
    kept: dict[int, int] = {}
    merged: dict[int, int] = {}
    for person in sorted(share):
        place = max(share[person], key=lambda one: (anybody[one], share[person][one], -one))
        if place in kept:
            merged[person] = kept[place]
        else:
            kept[place] = person
    return kept, merged


def _revive(
    connection: Connection, org: int, groups: Sequence[Sequence[int]], rows: Mapping[int, Row], kept: dict[int, int]
) -> None:
    """Who was merged and is now apart again takes their own id back."""
    wanted: dict[int, int] = {}
    for place, group in enumerate(groups):
        if place not in kept and _anybody(group, rows):
            for first in sorted({row.first_person for row in map(rows.__getitem__, group) if row.first_person}):
                wanted.setdefault(first, place)
    sql = "SELECT id FROM person WHERE org = ? AND merged_into IS NOT NULL AND id IN ({among})"
    back = []
    for (person,) in sorted(ask_in(connection, sql, (org,), wanted)):
        if wanted[person] not in kept:
            kept[wanted[person]] = person
            back.append((org, person))
    run_many(connection, "UPDATE person SET merged_into = NULL WHERE org = ? AND id = ?", back)


def _make_people(connection: Connection, moment: Moment, many: int) -> range:
    first = take(connection, moment.org, "person", many)
    made = range(first, first + many)
    at = micros(moment.now) or 0
    codes = {one: code(one, at) for one in made}
    sql = "SELECT code FROM person WHERE org = ? AND code IN ({among})"
    since = at
    while ask_in(connection, sql, (moment.org,), codes.values()):  # one in a million or so; then a moment later
        since += 1
        codes = {one: code(one, since) for one in made}
    rows = [(moment.org, one, codes[one], at, moment.run) for one in made]
    add(connection, tables.person, ("org", "id", "code", "created", "run"), rows)
    return made


def _move(connection: Connection, moment: Moment, changed: Sequence[tuple[int, int]], rows: Mapping[int, Row]) -> None:
    run_many(
        connection,
        "UPDATE sighting SET person = ?, first_person = coalesce(first_person, ?), stale = true WHERE org = ? AND no = ?",
        [(person, person, moment.org, number) for number, person in changed],
    )
    moves = [(number, rows[number].person, person) for number, person in changed if rows[number].person is not None]
    if moves:
        first = take(connection, moment.org, "move", len(moves))
        at = micros(moment.now)
        columns = ("org", "no", "sighting", "from_person", "to_person", "run", "at")
        told = [(moment.org, no, *one, moment.run, at) for no, one in enumerate(moves, first)]
        add(connection, tables.move, columns, told)


def _merge(connection: Connection, org: int, merged: Mapping[int, int]) -> None:
    sql = "UPDATE person SET merged_into = ? WHERE org = ? AND (id = ? OR merged_into = ?)"
    run_many(connection, sql, [(keeper, org, person, person) for person, keeper in merged.items()])


def _mark_people(connection: Connection, org: int, people: Iterable[int]) -> None:
    sql = (
        "UPDATE person SET stale = true, live = EXISTS (SELECT 1 FROM sighting WHERE sighting.org = person.org"
        " AND sighting.person = person.id AND sighting.known AND sighting.object >= 0) WHERE org = ? AND id = ?"
    )
    run_many(connection, sql, [(org, person) for person in sorted(people)])


def _mark_profiles(connection: Connection, org: int) -> None:
    """Whoever's sightings changed, and whoever shares an address with them: a newsletter's word is about the address."""
    run(
        connection,
        "UPDATE person SET stale = true WHERE org = ? AND NOT stale AND id IN ("
        "SELECT person FROM sighting WHERE +org = ? AND stale AND person IS NOT NULL"
        " UNION SELECT other.person FROM sighting AS one JOIN sighting AS other"
        " ON other.org = one.org AND other.email_key = one.email_key"
        " WHERE +one.org = ? AND one.stale AND one.email_key IS NOT NULL AND other.person IS NOT NULL)",
        org,
        org,
        org,
    )
    run(connection, "UPDATE sighting SET stale = false WHERE +org = ? AND stale", org)
