"""What the team typed in the sheet, taken in as known: corrections, and people in rows of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec
import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.records import Person
from sync.people import normalise
from sync.people.corrected import recognise_by_corrections
from sync.people.survive import ABOUT, SHEET
from sync.people.tables import person
from sync.people.team import adopt_rows, correct
from sync.sheet.look import Edit, Stranger
from sync.store import Store
from sync.store.base import slices
from sync.store.tables import sighting

SOME = 500


def take_in(
    store: Store,
    edits: Sequence[Edit],
    strangers: Sequence[Stranger],
    run: int,
    now: datetime,
    country: str,
    people: Callable[[], pl.DataFrame],
) -> dict[str, str]:
    """Keep corrections, and give each new row of the team a person: its code by the row's `ref`.

    In a row that was just recognised, a value that a source says anyhow (in other letters, a phone number written
    another way) is no correction; what only the sheet says is one, so that no later pull goes over it. `people` gives
    everybody as they are known, for that.
    """
    fresh = {edit.key for edit in edits if not edit.known}
    known = _values(people(), fresh) if fresh else {}
    with store.begin() as connection:
        ids = _ids(connection, store.org, {edit.key for edit in edits})
        said = _said(connection, store.org, {ids[key] for key in fresh if key in ids})
        for edit in (edit for edit in edits if edit.key in ids):
            person_id, value, has = ids[edit.key], _text(edit.value), known.get(edit.key, {})
            if not edit.known and _says_the_same(edit, has, country):
                if any(_says_the_same(edit, one, country) for one in said[person_id]):
                    continue
                value = _text(has[edit.field])  # as it is known: in letters fit for an e-mail
            correct(connection, store.org, person_id, edit.field, value, now, run)
        recognise_by_corrections(
            connection, store.org, {ids[one.key] for one in edits if one.known and one.key in ids}, now
        )
        rows = [msgspec.convert({"kind": "person", "id": row.ref, **_given(row)}, Person) for row in strangers]
        codes = adopt_rows(connection, store.org, rows, run, now, country) if rows else []
    return {row.ref: code for row, code in zip(strangers, codes, strict=True) if code is not None}


def _values(people: pl.DataFrame, keys: set[str]) -> dict[str, dict[str, object]]:
    return {row["key"]: row for row in people.filter(pl.col("key").is_in(list(keys))).iter_rows(named=True)}


def _said(connection: Connection, org: int, people: Iterable[int]) -> dict[int, list[dict[str, object]]]:
    """By person what each source says about them."""
    found: dict[int, list[dict[str, object]]] = defaultdict(list)
    said = sa.select(sighting.c.person, *(sighting.c[name] for name in ABOUT))
    for some in slices(sorted(people)):
        mine = said.where(
            sighting.c.org == org, sighting.c.person.in_(some), sighting.c.source != SHEET, sighting.c.object >= 0
        )
        for row in connection.execute(mine).mappings():
            found[row["person"]].append(dict(row))
    return found


def _ids(connection: Connection, org: int, codes: Iterable[str]) -> dict[str, int]:
    """Person ids by code; a code that somebody had before is that somebody."""
    wanted = sorted(codes)
    found: dict[str, int] = {}
    for start in range(0, len(wanted), SOME):
        some = wanted[start : start + SOME]
        rows = sa.select(person.c.code, sa.func.coalesce(person.c.merged_into, person.c.id))
        found |= dict(connection.execute(rows.where(person.c.org == org, person.c.code.in_(some))).all())
    return found


def _says_the_same(edit: Edit, known: Mapping[str, object], country: str) -> bool:
    typed, has = _text(edit.value), _text(known.get(edit.field))
    if typed is None or has is None:
        return typed == has
    if edit.field == "phone":
        return (normalise.phone(typed, country) or typed) == has
    if edit.field == "postcode":
        return (normalise.postcode(typed, country) or typed) == has
    return normalise.fold(typed) == normalise.fold(has)


def _text(value: object) -> str | None:
    return value.isoformat() if isinstance(value, date) else None if value is None else str(value)


def _given(row: Stranger) -> dict[str, object]:
    return {name: value if name == "birthday" else str(value) for name, value in row.values.items()}
