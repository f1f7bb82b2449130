"""Who was erased is not taken in again from what they stood in.

An order, a member, a line of a file that told of them is known again by a mark, from which nothing can be read. What
they do afterwards is new, and so are they.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy.engine import Connection

from sync.store import tables
from sync.store.base import pepper
from sync.store.reading import Read
from sync.store.rows import ask, ask_in, put

Key = tuple[str, str]


class Place(NamedTuple):
    """Where somebody stood: an object of a source, and the id of the Person record in it."""

    source: str
    kind: str
    object: str
    person: str


def remember(connection: Connection, org: int, places: Iterable[Place]) -> None:
    """Let nobody be taken in from these places any more."""
    secret = pepper(connection, org)
    put(connection, tables.erased, ("org", "mark"), sorted({(org, _mark(secret, place)) for place in places}))


def without_erased(
    connection: Connection, org: int, source: str, found: Mapping[Key, object]
) -> tuple[set[Key], dict[Key, Read]]:
    """Of what objects say, by kind and id: those that tell of nobody but the erased, and what is left of those that
    tell of others too.
    """
    if not ask(connection, "SELECT 1 FROM erased WHERE org = ? LIMIT 1", org):
        return set(), {}
    secret = pepper(connection, org)
    people = {key: _people(said) for key, said in found.items() if isinstance(said, Read)}
    marks = {_mark(secret, Place(source, *key, one)): (key, one) for key, some in people.items() for one in some}
    sql = "SELECT mark FROM erased WHERE org = ? AND mark IN ({among})"
    gone: dict[Key, set[str]] = {}
    for (mark,) in ask_in(connection, sql, (org,), marks):
        key, one = marks[mark]
        gone.setdefault(key, set()).add(one)
    whole = {key for key, erased in gone.items() if erased == people[key]}
    return whole, {key: _less(found[key], erased) for key, erased in gone.items() if key not in whole}


def _people(said: Read) -> set[str]:
    return {one.id for one in said.people} | {one.person for one in said.facts}


def _less(said: object, erased: Collection[str]) -> Read:
    assert isinstance(said, Read)
    return said._replace(
        people=[one for one in said.people if one.id not in erased],
        facts=[one for one in said.facts if one.person not in erased],
    )


def _mark(secret: str, place: Place) -> str:
    return blake2b("\0".join(place).encode(), key=secret.encode()[:64], digest_size=16).hexdigest()
