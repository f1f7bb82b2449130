"""The ledger: what was pulled is kept, with its place to go on from, in one transaction a page.

- An object whose bytes and reading are as before costs one look and no write.
- Otherwise its records are replaced as a set.
- What can't be read is kept with the reason; the records it gave before stand until it can be.
- After a whole read, what was not there is gone: its records are withdrawn, its raw is kept for a while.
- Of an object that tells of somebody who was erased, the raw is not kept, nor what it says of them.
- Whoever is concerned is marked in the same transaction, so `sync.people` finds them after any interruption.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.records import Record
from connectors.source import Object, Page
from connectors.trouble import Nobody, SetAside
from sync.store import tables
from sync.store.base import Store, upsert
from sync.store.erased import without_erased
from sync.store.reading import Read, micros, read, storable
from sync.store.records import Change, replace, unsubscribed_in, withdraw
from sync.store.rows import ask, ask_in, put, run_many, take

Parting = Callable[[Connection, int, str, Sequence[str]], None]
"""Told in the same transaction, with the organisation and the name of the source: addresses whose entry vanishes and that were unsubscribed
in it. A no is not taken back by being deleted.
"""
Reader = Callable[[Object], Sequence[Record]]
T = TypeVar("T")
R = TypeVar("R")
Known = dict[tuple[str, str], tuple[int, bytes, int, bool]]
UNBELIEVABLE_FROM = 20
THING = ("org", "source", "kind", "id", "no", "hash", "version", "run", "changed", "gone", "line")
RAW = ("org", "object", "body")
ASIDE = ("org", "source", "kind", "id", "object", "body", "code", "facts", "line", "version", "run", "at")
UNSTORABLE = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.InterfaceError)
"""What a database says to a value it can't keep. Its other errors (full disk, lock) are the whole page's."""


@dataclass(frozen=True)
class PageResult:
    """How many objects of a page (or of a re-reading) were what. `disbelieved`: gone all at once, and so kept."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    set_aside: int = 0
    gone: int = 0
    disbelieved: int = 0

    def __add__(self, other: PageResult) -> PageResult:
        return PageResult(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


@dataclass
class Seen:
    """What one `pull()` has yielded so far, for `Page.complete`. Make one a pull; `commit_page` fills it."""

    objects: set[int] = field(default_factory=set)
    broken: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Turn:
    """The pull that a page belongs to: whose source, in which run, when, and how new its reading is."""

    org: int
    source: str
    run: int
    now: datetime
    version: int
    parting: Parting | None = None


class Entry(NamedTuple):
    """What became of reading one object. `at`: when its raw last changed, in microseconds since 1970 UTC."""

    key: tuple[str, str]
    number: int
    stored: bool
    at: int
    line: str | None
    found: Read | SetAside


def commit_page(  # noqa: PLR0913, PLR0917  a page, and the pull that it belongs to
    store: Store,
    source: str,
    run: int,
    now: datetime,
    page: Page,
    records: Reader,
    version: int,
    seen: Seen | None = None,
    *,
    believe: int = 0,
    parting: Parting | None = None,
) -> PageResult:
    """Keep a page: its objects, their records, what was set aside, and the cursor, all or nothing.

    `seen` is shared by the pages of one pull; without it a page's `complete` speaks of this page alone. More than
    half of a kind (and more than 20) gone at once is taken for a wrong answer, unless they are at most `believe`.
    """
    turn = Turn(store.org, source, run, now, version, parting)
    seen = seen or Seen()
    with store.begin() as connection:
        parts = carefully(
            connection, page.objects, records, lambda some, how: keep_objects(connection, turn, some, how)
        )
        result = sum((part for part, _ in parts), PageResult())
        numbers = set[int]().union(*(found for _, found in parts))
        _keep_broken(connection, turn, page, numbers)
        result += PageResult(set_aside=len(page.broken))
        everything = Seen(seen.objects | numbers, seen.broken | {(one.kind, one.id) for one in page.broken})
        for kind in page.complete:
            result += _forget_unseen(connection, turn, kind, page.scope, everything, believe=believe)
        if page.cursor is not None:
            _move(connection, turn, page.cursor)
    seen.objects, seen.broken = everything.objects, everything.broken
    return result


def cursor(store: Store, source: str) -> str | None:
    """Where the last committed page of a source ended; None: nowhere yet."""
    with store.look() as connection:
        return _cursor(connection, store.org, source)


def forget_cursor(store: Store, source: str) -> None:
    """Let the next pull of a source begin at the beginning. Nothing kept is lost by it."""
    with store.begin() as connection:
        one = tables.source.c
        connection.execute(sa.update(tables.source).where(one.org == store.org, one.name == source).values(cursor=None))


def settle(store: Store, source: str, run: int, now: datetime, trouble: SetAside | Exception | None = None) -> None:
    """Note how a source's pull ended, for freshness and status: without `trouble`, with success."""
    told = {"code": None, "facts": None} if trouble is None else reason(trouble)
    row = {"org": store.org, "name": source, "tried": now, "run": run, **told}
    with store.begin() as connection:
        upsert(connection, tables.source, [row if trouble else {**row, "succeeded": now}])


def carefully(
    connection: Connection, things: Sequence[T], records: Reader, work: Callable[[Sequence[T], Reader], R]
) -> list[R]:
    """Do `work`; when the database refuses a value, find the thing that carries it and set only that one aside."""
    try:
        with connection.begin_nested():
            return [work(things, records)]
    except (*UNSTORABLE, OverflowError, UnicodeError) as error:
        if len(things) <= 1:
            return [work(things, _refusing(error))]
        half = len(things) // 2
        first = carefully(connection, things[:half], records, work)
        return first + carefully(connection, things[half:], records, work)


def _refusing(error: Exception) -> Reader:
    def refuse(_thing: Object) -> Sequence[Record]:
        raise SetAside("unreadable", detail=type(error).__name__)

    return refuse


def keep_objects(
    connection: Connection, turn: Turn, objects: Sequence[Object], records: Reader
) -> tuple[PageResult, set[int]]:
    """Store what changed among objects. The numbers of all of them come back too."""
    things = {(storable(thing.kind), storable(thing.id)): thing for thing in objects}
    known = _known(connection, turn, things)
    hashes = {key: blake2b(thing.raw, digest_size=16).digest() for key, thing in things.items()}
    changed = [key for key in things if known.get(key, ())[1:] != (hashes[key], turn.version, False)]
    found = {key: understand(records, things[key]) for key in changed}
    erased, shortened = without_erased(connection, turn.org, turn.source, found)
    found |= shortened | {key: read(()) for key in erased}
    changed = [key for key in changed if key in known or key not in erased]
    number = {key: entry[0] for key, entry in known.items()}
    new = [key for key in changed if key not in known]
    if new:
        first = take(connection, turn.org, "object", len(new))
        number |= zip(new, range(first, first + len(new)), strict=True)
    at = micros(turn.now) or 0
    rows = [
        (turn.org, turn.source, *key, number[key], hashes[key], turn.version, turn.run, at, None, things[key].line)
        for key in changed
    ]
    put(connection, tables.thing, THING, rows)
    raw = {key: b"" if key in erased or key in shortened else things[key].raw for key in changed}
    put(connection, tables.raw, RAW, [(turn.org, number[key], body) for key, body in raw.items()])
    entries = [Entry(key, number[key], key in known, at, things[key].line, found[key]) for key in changed]
    aside = store_entries(connection, turn, entries)
    result = PageResult(len(new), len(changed) - len(new), len(things) - len(changed), aside)
    return result, set(number.values())


def store_entries(connection: Connection, turn: Turn, entries: Sequence[Entry]) -> int:
    """Put what objects were found to say in the place of what they said. How many were set aside comes back."""
    said = [(one, read(()) if isinstance(one.found, Nobody) else one.found) for one in entries]
    changes = [Change(one.number, one.stored, found, one.at) for one, found in said if isinstance(found, Read)]
    replace(connection, turn.org, turn.source, changes)
    broken = _broken_before(connection, turn)
    _clear_aside(connection, turn, [one.key for one in entries if one.stored or one.key in broken])
    aside = [
        _aside(turn, one.key, one.number, None, one.found, one.line)
        for one in entries
        if isinstance(one.found, SetAside)
    ]
    put(connection, tables.set_aside, ASIDE, aside)
    return len(aside)


def _broken_before(connection: Connection, turn: Turn) -> set[tuple[str, str]]:
    """What was not even an object when last met: as an object it is broken no more."""
    sql = "SELECT kind, id FROM set_aside WHERE org = ? AND source = ? AND body IS NOT NULL"
    return {(kind, id_) for kind, id_ in ask(connection, sql, turn.org, turn.source)}


def understand(records: Reader, thing: Object) -> Read | SetAside:
    """What an object says, or why that can't be told. Never raises."""
    try:
        return read(records(thing))
    except SetAside as why:
        return why
    except Exception as error:  # noqa: BLE001  whatever a reading stumbles over, the object is kept and told
        return SetAside("unreadable", detail=type(error).__name__)


def _aside(
    turn: Turn, key: tuple[str, str], number: int | None, body: bytes | None, why: Exception, line: str | None
) -> tuple[object, ...]:
    told = reason(why)
    at = micros(turn.now)
    return (turn.org, turn.source, *key, number, body, told["code"], told["facts"], line, turn.version, turn.run, at)


def reason(trouble: Exception) -> dict[str, str]:
    """Code and facts (JSON) of a trouble, as they are kept."""
    code = getattr(trouble, "code", "unreadable")
    facts = getattr(trouble, "facts", {"detail": type(trouble).__name__})
    told = {name: storable(str(value)) for name, value in facts.items()}
    return {"code": code, "facts": msgspec.json.encode(told).decode()}


def _clear_aside(connection: Connection, turn: Turn, keys: Sequence[tuple[str, str]]) -> None:
    sql = "DELETE FROM set_aside WHERE org = ? AND source = ? AND kind = ? AND id = ?"
    run_many(connection, sql, [(turn.org, turn.source, *key) for key in keys])


def _keep_broken(connection: Connection, turn: Turn, page: Page, numbers: set[int]) -> None:
    """Set aside what is not even an object. Where an object stood under that id, it still stands: it counts as seen."""
    if not page.broken:
        return
    known = _known(connection, turn, {(storable(one.kind), storable(one.id)): None for one in page.broken})
    rows = []
    for one in page.broken:
        key = (storable(one.kind), storable(one.id))
        number = known[key][0] if key in known else None
        rows.append(_aside(turn, key, number, one.raw, SetAside(one.code, **one.facts), one.line))
    put(connection, tables.set_aside, ASIDE, list({row[2:4]: row for row in rows}.values()))
    numbers |= {entry[0] for entry in known.values()}


def _known(
    connection: Connection, turn: Turn, keys: dict[tuple[str, str], Object] | dict[tuple[str, str], None]
) -> Known:
    found: Known = {}
    for kind in {kind for kind, _id in keys}:
        sql = (
            "SELECT id, no, hash, version, gone IS NOT NULL FROM object"
            " WHERE org = ? AND source = ? AND kind = ? AND id IN ({among})"
        )
        ids = [id_ for of, id_ in keys if of == kind]
        for id_, number, digest, version, gone in ask_in(connection, sql, (turn.org, turn.source, kind), ids):
            found[kind, id_] = (number, bytes(digest), version, bool(gone))
    return found


def _forget_unseen(
    connection: Connection, turn: Turn, kind: str, scope: str, seen: Seen, *, believe: int
) -> PageResult:
    sql = "SELECT no, id FROM object WHERE org = ? AND source = ? AND kind = ? AND gone IS NULL"
    known = {
        number: id_
        for number, id_ in ask(connection, sql, turn.org, turn.source, kind)
        if not scope or id_.startswith(scope)
    }
    gone = [number for number in known if number not in seen.objects]
    if len(gone) > UNBELIEVABLE_FROM and len(gone) * 2 > len(known) and len(gone) > believe:
        return PageResult(disbelieved=len(gone))
    at = micros(turn.now)
    run_many(
        connection,
        "UPDATE object SET gone = ?, run = ? WHERE org = ? AND source = ? AND kind = ? AND id = ?",
        [(at, turn.run, turn.org, turn.source, kind, known[number]) for number in gone],
    )
    if turn.parting is not None and gone and (refused := unsubscribed_in(connection, turn.org, gone)):
        turn.parting(connection, turn.org, turn.source, refused)
    withdraw(connection, turn.org, turn.source, gone)
    _clear_aside(connection, turn, [(kind, known[number]) for number in gone])
    _forget_mended(connection, turn, kind, scope, seen)
    return PageResult(gone=len(gone))


def _forget_mended(connection: Connection, turn: Turn, kind: str, scope: str, seen: Seen) -> None:
    """Drop from the list of what was set aside the broken things that a whole read no longer met."""
    sql = "SELECT id FROM set_aside WHERE org = ? AND source = ? AND kind = ? AND body IS NOT NULL"
    left = [id_ for (id_,) in ask(connection, sql, turn.org, turn.source, kind) if id_.startswith(scope)]
    _clear_aside(connection, turn, [(kind, id_) for id_ in left if (kind, id_) not in seen.broken])


def _cursor(connection: Connection, org: int, source: str) -> str | None:
    found = ask(connection, "SELECT cursor FROM source WHERE org = ? AND name = ?", org, source)
    return found[0][0] if found else None


def _move(connection: Connection, turn: Turn, place: str) -> None:
    if _cursor(connection, turn.org, turn.source) != place:
        put(connection, tables.source, ("org", "name", "cursor"), [(turn.org, turn.source, place)])
