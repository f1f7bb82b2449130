"""What was about to be written, committed before it left, so that a killed run leaves no doubt behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.sheets.sheet import Mending, Refused, Sheet
from sync.sheet.columns import Tab, cell_of
from sync.sheet.journal import Line, unpack, write_lines
from sync.sheet.state import RowChange, change_rows, found_again, rename_row, unsettle
from sync.sheet.tables import sheet_intent
from sync.sheet.threeway import NOT_THEIRS
from sync.store.base import Store, slices, upsert

WriteKind = Literal["write", "put-back", "conflict-ours", "undo"]
ROWS_AT_ONCE = 5_000  # of a first fill: all of 100,000 would be held several times over
KIND_OF_LINE: dict[WriteKind, Literal["written", "put-back", "conflict", "undone"]] = {
    "write": "written",
    "put-back": "put-back",
    "conflict-ours": "conflict",
    "undo": "undone",
}


class IntentCell(msgspec.Struct, frozen=True, array_like=True):
    """`was` is the cell as read (packed), `before` its plain text, `to` the plain text that will be read
    there; `ours` what we wanted, where that is something else.
    """

    key: str
    field: str
    was: str | None
    before: str
    to: str
    kind: WriteKind
    why: str
    ours: str | None = None


class IntentKey(msgspec.Struct, frozen=True, array_like=True):
    """`old` is the key that the row had before, of a person who became part of `key`."""

    key: str
    old: str | None = None


class Intent(msgspec.Struct):
    """One batch. `rows`: the plain texts of the rows to be added, by key and field; `odd`: what we wanted in those of
    their cells that will be read otherwise. `kept`: what the sheet wants to be given again, should this run be killed.
    """

    keys: list[IntentKey] = []
    cells: list[IntentCell] = []
    rows: dict[str, dict[str, str]] = {}
    odd: dict[str, dict[str, str]] = {}
    run: int = 0
    stamp: str = ""
    kept: bytes = b""


def note(store: Store, tab: str, run: int, now: datetime, stamp: str, intent: Intent) -> None:
    """Commit what a batch is about to do; again with the same stamp: what it is about to do by now."""
    row = {"org": store.org, "stamp": stamp, "tab": tab, "run": run, "at": now}
    with store.begin() as connection:
        upsert(connection, sheet_intent, [row | {"changes": msgspec.json.encode(intent).decode()}])


def unfinished(store: Store, tab: str) -> list[Intent]:
    """Batches of which nobody knows yet whether they landed."""
    c = sheet_intent.c
    query = sa.select(c.stamp, c.run, c.changes).where(c.org == store.org, c.tab == tab).order_by(c.at, c.stamp)
    with store.look() as connection:
        found = connection.execute(query).all()
    intents = []
    for stamp, run, changes in found:
        intent = msgspec.json.decode(changes, type=Intent)
        intent.stamp, intent.run = stamp, run
        intents.append(intent)
    return intents


def landed(store: Store, tab: Tab, now: datetime, intent: Intent, more: Sequence[Line] = ()) -> None:
    """The batch stands in the sheet: what is agreed moves, and the journal says so, in one transaction; `more` is what
    else it has to say.
    """
    with store.begin() as connection:
        agree(connection, store.org, tab, intent)
        write_lines(connection, store.org, intent.run, now, chain(lines(tab, intent), more))
        drop(connection, store.org, intent)


def drop(connection: Connection, org: int, intent: Intent) -> None:
    connection.execute(sa.delete(sheet_intent).where(sheet_intent.c.org == org, sheet_intent.c.stamp == intent.stamp))


def agree(connection: Connection, org: int, tab: Tab, intent: Intent) -> None:
    unsettle(connection, org, tab.name)
    for key in intent.keys:
        if key.old is not None:
            rename_row(connection, org, tab.name, key.old, key.key)
    found_again(connection, org, tab.name, [key.key for key in intent.keys])
    for some in slices(list(intent.rows), ROWS_AT_ONCE):
        change_rows(connection, org, tab.name, {key: _new_row(intent, key) for key in some})
    changes: dict[str, RowChange] = {}
    for cell in intent.cells:
        change = changes.setdefault(cell.key, RowChange({}, {}))
        change.cells[cell.field] = cell.to
        # What an undo puts back stands against what we want, until we want something else.
        change.standing[cell.field] = _stands(cell.before if cell.kind == "undo" else cell.ours)
    change_rows(connection, org, tab.name, changes)


def _new_row(intent: Intent, key: str) -> RowChange:
    cells, odd = intent.rows[key], intent.odd.get(key, {})
    return RowChange(cells, {name: _stands(odd.get(name)) for name in cells}, back=True)


def _stands(ours: str | None) -> str | None:
    return None if ours is None else NOT_THEIRS + ours


def lines(tab: Tab, intent: Intent, *, uncertain: bool = False) -> Iterator[Line]:
    """The journal of a batch."""
    for key in intent.keys:
        yield Line(kind="key", tab=tab.name, key=key.key, was=key.old, value=key.key)
    for cell in intent.cells:
        yield Line(
            kind="uncertain" if uncertain else KIND_OF_LINE[cell.kind],
            tab=tab.name,
            key=cell.key,
            field=cell.field,
            was=unpack(cell.was),
            value=cell_of(cell.to, tab.kind(cell.field)),
            why=cell.why,
        )
    for row, texts in intent.rows.items():
        told = msgspec.json.encode({name: text for name, text in texts.items() if text}).decode()
        yield Line(kind="row", tab=tab.name, key=row, why=told)


def mend(store: Store, sheet: Sheet, tab: str, now: datetime, intent: Intent) -> Sequence[Refused]:
    """Rows may have moved in the instant of a write that landed, and that a killed run could not look at any more."""
    if not intent.kept or not isinstance(sheet, Mending):
        return ()

    def keep(kept: bytes) -> None:
        intent.kept = kept
        note(store, tab, intent.run, now, intent.stamp, intent)

    return sheet.mend(tab, intent.stamp, intent.kept, keep)


Answer = tuple[Intent, bool | None, Sequence[Line]]
"""A batch, whether it landed, and what the journal has to say of its mending."""


def settle(
    store: Store,
    tab: Tab,
    now: datetime,
    answers: Sequence[Answer],
    stands: Callable[[str, str], str | None],
) -> None:
    """Close the batches of a killed run. `stands(key, field)` is the plain text read there, None if there is no such row.

    True: landed. False: it never left. None (somebody saved since): each cell that holds what was meant has landed,
    each that holds what was there before has not; any other was changed since, and is compared as usual, with a line
    in the journal for what may have been overwritten.
    """
    for intent, answer, told in answers:
        if answer:
            landed(store, tab, now, intent, told)
        elif answer is None:
            _settle_by_cell(store, tab, now, intent, stands)
        else:
            with store.begin() as connection:
                drop(connection, store.org, intent)


def _settle_by_cell(
    store: Store, tab: Tab, now: datetime, intent: Intent, stands: Callable[[str, str], str | None]
) -> None:
    there = [cell for cell in intent.cells if stands(cell.key, cell.field) == cell.to]
    open_ = [cell for cell in intent.cells if stands(cell.key, cell.field) not in {cell.to, cell.before}]
    # Nobody else knows the key of a row to be added: where it stands, the whole row has landed.
    rows = {key: texts for key, texts in intent.rows.items() if any(stands(key, f) is not None for f in texts)}
    keys = [key for key in intent.keys if any(stands(key.key, field) is not None for field in tab.fields)]
    known = Intent(keys, there, rows, intent.odd, intent.run, intent.stamp)
    unsure = Intent(cells=open_)
    with store.begin() as connection:
        agree(connection, store.org, tab, known)
        journal = chain(lines(tab, known), lines(tab, unsure, uncertain=True))
        write_lines(connection, store.org, intent.run, now, journal)
        drop(connection, store.org, intent)
