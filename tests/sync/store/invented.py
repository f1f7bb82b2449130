"""A source as a table of plain rows: each object's raw is what its records are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.records import KINDS, Person, Record
from connectors.source import Object
from connectors.trouble import SetAside

AnyOf = msgspec.json.Decoder(tuple[Any, ...])
START = datetime(2025, 1, 1, tzinfo=UTC)


def thing(id_: str, *records: Record, kind: str = "order") -> Object:
    """An object that means these records."""
    return Object(kind, id_, msgspec.json.encode(records))


def broken(id_: str, kind: str = "order") -> Object:
    """An object that nobody can read."""
    return Object(kind, id_, b'"nonsense"')


def records(one: Object) -> Sequence[Record]:
    """The records that an object means."""
    found = msgspec.json.decode(one.raw)
    if not isinstance(found, list):
        raise SetAside("unreadable", detail="nonsense")
    return [msgspec.convert(item, KINDS[item["kind"]], strict=False) for item in found]


def someone(id_: str, email: str | None = None, name: str | None = None, day: int = 0, **more: Any) -> Person:
    """A sighting, as of a day of 2025."""
    return Person(id=id_, email=email, name=name, seen=START + timedelta(days=day), **more)
