"""Erasing a person from the store: everything that was pulled, typed, worked out and written about them.

What stays: their code, that it was erased and how many records of what; the state of the e-mails that went to them, so
that no number of a run becomes wrong; the address on the list of those not to be written to, as a keyed hash; and marks
by which what they stood in is not taken in again.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup import suppression
from sync.followup.consent import hashed
from sync.followup.tables import OPEN_STATES, outbox, task
from sync.people.tables import person
from sync.rights.tables import erasure, erasure_row
from sync.rights.words import Words, forget_words, words_of
from sync.sheet.journal import forget_key
from sync.sheet.tables import sheet_row, sheet_tab
from sync.store.base import metadata, upsert
from sync.store.erased import Place, remember
from sync.store.rows import ask, ask_in, run_many

KEPT = {outbox.name, task.name, person.name}
BY_PERSON = ("person", "person_id")


class Erased(NamedTuple):
    """What was erased: how many of what, the sources that may still know the person, and by what they were known."""

    code: str
    counts: dict[str, int]
    sources: list[str]
    words: Words


class _Sighting(NamedTuple):
    no: int
    source: str
    id: str
    object: int
    email_key: str | None


class _Object(NamedTuple):
    no: int
    source: str
    kind: str
    id: str


def erase(connection: Connection, org: int, person_id: int, run: int, now: datetime, asked_by: str) -> Erased:
    """Erase this person, and those who were merged into them, in the caller's transaction. Rows of the sheet that tell
    of them are noted to be emptied. The same again changes nothing.
    """
    people = [person_id, *(one for (one,) in ask(connection, MERGED, org, person_id))]
    codes = [code for (code,) in ask_in(connection, CODES, (org,), people)]
    sightings = [_Sighting(*row) for row in ask_in(connection, SIGHTINGS, (org,), people)]
    words = words_of(connection, org, people, [one.no for one in sightings])
    counts: dict[str, int] = {}
    _note_rows(connection, org, codes, words)
    for code in codes:
        forget_key(connection, org, code)
    for address in {one.email_key for one in sightings if one.email_key} | set(words.addresses):
        suppression.add(connection, org, hashed(address), "erased", now, f"erasure {codes[0]}")
    counts |= dict(_forget_records(connection, org, sightings))
    counts |= dict(_forget_sightings(connection, org, people, sightings))
    counts |= dict(_forget_deeds(connection, org, people))
    _let_die(connection, org, people)
    counts |= dict(forget_words(connection, org, words))
    row = {"org": org, "code": codes[0], "at": now, "asked_by": asked_by, "run": run, "done": None}
    upsert(connection, erasure, [row | {"counts": msgspec.json.encode(counts).decode()}])
    return Erased(codes[0], counts, sorted({one.source for one in sightings}), words)


MERGED = "SELECT id FROM person WHERE org = ? AND merged_into = ? ORDER BY id"
CODES = "SELECT code FROM person WHERE org = ? AND id IN ({among}) ORDER BY merged_into IS NOT NULL, id"
SIGHTINGS = "SELECT no, source, id, object, email_key FROM sighting WHERE org = ? AND person IN ({among}) ORDER BY no"


def _note_rows(connection: Connection, org: int, codes: Sequence[str], words: Words) -> None:
    """The person's own row, and the lines of the tabs beside that name them."""
    rows = sa.select(sheet_row.c.tab, sheet_row.c.key, sheet_row.c.cells).where(sheet_row.c.org == org)
    found = [row for row in connection.execute(rows) if row.key in codes or words.stand_in(_plain(row.cells))]
    mine = [one for one in found if one.key in codes or not _is_somebody(connection, org, one.key)]
    upsert(connection, erasure_row, [{"org": org, "tab": one.tab, "key": one.key, "code": codes[0]} for one in mine])
    # the team's columns as last read hold their notes; they are read anew with the next run
    tabs = sa.update(sheet_tab).where(sheet_tab.c.org == org)
    connection.execute(tabs.values(team=None, revision=None, wanted=None))


def _plain(cells: str) -> str:
    return " ".join(str(value) for value in msgspec.json.decode(cells).values())


def _is_somebody(connection: Connection, org: int, key: str) -> bool:
    """Somebody else's row: a couple may share an address."""
    return bool(ask(connection, "SELECT 1 FROM person WHERE org = ? AND code = ?", org, key))


def _forget_records(connection: Connection, org: int, sightings: Sequence[_Sighting]) -> Iterator[tuple[str, int]]:
    """What they did, and the objects that told it; of those that tell of others too, only their part."""
    mine = {one.no: one for one in sightings}
    facts = ask_in(
        connection, "SELECT object, sighting FROM fact WHERE org = ? AND sighting IN ({among})", (org,), mine
    )
    stood = {(one.object, one.id) for one in sightings} | {(place, mine[number].id) for place, number in facts}
    numbers = sorted({place for place, _ in stood if place > 0})
    objects = {no: _Object(no, *row) for no, *row in ask_in(connection, OBJECTS, (org,), numbers)}
    remember(
        connection, org,
        (Place(objects[no].source, objects[no].kind, objects[no].id, id_) for no, id_ in stood if no in objects),
    )  # fmt: skip
    others = {place for (place,) in _others(connection, org, objects, mine)}
    whole = [(org, no) for no in objects if no not in others]
    run_many(connection, "DELETE FROM fact WHERE org = ? AND sighting = ?", [(org, no) for no in mine])
    for table in ("fact", "event", "product"):
        run_many(connection, f"DELETE FROM {table} WHERE org = ? AND object = ?", whole)
    both = [(org, no) for no in objects]
    run_many(connection, "DELETE FROM set_aside WHERE org = ? AND object = ?", both)
    run_many(connection, "UPDATE raw SET body = ? WHERE org = ? AND object = ?", [(b"", *one) for one in both])
    run_many(connection, "DELETE FROM raw WHERE org = ? AND object = ?", whole)
    run_many(connection, "DELETE FROM object WHERE org = ? AND no = ?", whole)
    yield "facts", len(facts)
    yield "objects", len(whole)


OBJECTS = "SELECT no, source, kind, id FROM object WHERE org = ? AND no IN ({among})"


def _others(connection: Connection, org: int, objects: Collection[int], mine: Collection[int]) -> Iterator[tuple[int]]:
    """The objects among these in which somebody else stands too."""
    for table, number in (("sighting", "no"), ("fact", "sighting")):
        sql = f"SELECT DISTINCT object, {number} FROM {table} WHERE org = ? AND object IN ({{among}})"
        yield from ((place,) for place, one in ask_in(connection, sql, (org,), objects) if one not in mine)


def _forget_sightings(
    connection: Connection, org: int, people: Sequence[int], sightings: Sequence[_Sighting]
) -> Iterator[tuple[str, int]]:
    numbers = [(org, one.no) for one in sightings]
    run_many(connection, "DELETE FROM move WHERE org = ? AND sighting = ?", numbers)
    run_many(connection, "DELETE FROM sighting WHERE org = ? AND no = ?", numbers)
    each = [(org, one) for one in people]
    run_many(connection, "DELETE FROM sighting WHERE org = ? AND object = ?", [(org, -one) for one in people])
    run_many(connection, "DELETE FROM to_check WHERE org = ? AND one = ?", each)
    run_many(connection, "DELETE FROM to_check WHERE org = ? AND other = ?", each)
    yield "sightings", sum(one.object >= 0 for one in sightings)


def _forget_deeds(connection: Connection, org: int, people: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Whatever any room keeps about a person, by its column of that name."""
    for table in metadata.sorted_tables:
        column = next((table.c[name] for name in BY_PERSON if name in table.c), None)
        if column is None or table.name in {*KEPT, "sighting"}:
            continue
        gone = sa.delete(table).where(table.c.org == org, column.in_(people))
        yield table.name, connection.execute(gone).rowcount
    mails = sa.update(outbox).where(outbox.c.org == org, outbox.c.person_id.in_(people))
    waiting = mails.where(outbox.c.state.in_(OPEN_STATES)).values(state="cancelled", reason="erased")
    connection.execute(waiting)
    connection.execute(mails.where(outbox.c.state == "sending").values(state="uncertain", reason="erased"))
    blank = dict.fromkeys(("subject", "answer", "address_hash", "message_id", "language"))
    yield "outbox", connection.execute(mails.values(**blank)).rowcount
    tasks = sa.update(task).where(task.c.org == org, task.c.person_id.in_(people))
    connection.execute(tasks.where(task.c.state != "done").values(state="cancelled"))


def _let_die(connection: Connection, org: int, people: Sequence[int]) -> None:
    run_many(
        connection,
        "UPDATE person SET live = false, stale = false WHERE org = ? AND id = ?",
        [(org, one) for one in people],
    )
