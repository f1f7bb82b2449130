"""How changes land: 10 records a request, each request with its own stamp, so that a lost answer leaves no doubt.

A request lands whole or not at all. Each record of it gets the stamp in the same PATCH or POST; whether it landed is
then one question to Airtable, whatever colleagues did in between. Comparing cells would not do: a colleague who puts
back what stood before our write looks just like a write that never landed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from pyairtable.api.table import Table as Remote

from connectors.sheets.airtables.fields import Field, TableOf
from connectors.sheets.airtables.line import Line, Uncertain, Wrong
from connectors.sheets.sheet import Batch, CellWrite, Changes, KeyWrite, NewRow, Refused
from connectors.trouble import TryLater

TEN = 10
TRIES = 4
PATIENCE = (2.0, 30.0)  # seconds until a request whose answer was lost is looked for, and once more
CELL_ERRORS = frozenset({"INVALID_VALUE_FOR_COLUMN", "INVALID_MULTIPLE_CHOICE_OPTIONS", "INVALID_PERMISSIONS"})
SPLIT_ERRORS = CELL_ERRORS | {"ROW_DOES_NOT_EXIST", "INVALID_RECORDS"}
CHANGED_ERRORS = frozenset({"UNKNOWN_FIELD_NAME", "ROW_DOES_NOT_EXIST"})
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One record of a request: `sent` by field id. `ref` is None for a new row. The writes hold values as read back."""

    ref: str | None
    key: str
    sent: dict[str, Any]
    given: KeyWrite | None = None
    cells: tuple[CellWrite, ...] = ()
    row: NewRow | None = None

    @property
    def columns(self) -> list[str]:
        return list(self.row.cells) if self.row else [cell.column for cell in self.cells]

    def without(self, columns: Sequence[str]) -> Entry:
        gone = set(columns)
        row = self.row and NewRow(self.key, {ref: value for ref, value in self.row.cells.items() if ref not in gone})
        sent = {ref: value for ref, value in self.sent.items() if ref not in gone}
        return replace(self, sent=sent, row=row, cells=tuple(c for c in self.cells if c.column not in gone))

    @property
    def says_something(self) -> bool:
        return bool(self.given or self.cells or self.row)


def tens(entries: Iterable[T], size: int = TEN) -> Iterator[list[T]]:
    rest = iter(entries)
    while part := list(islice(rest, size)):
        yield part


@dataclass
class Landing:
    """Lands entries, all new or all there. `refused` waits for the next batch that lands.

    `changed`: somebody removed a record or a field meanwhile; what could land has landed, the rest is to be planned anew.
    """

    line: Line
    remote: Remote
    table: TableOf
    before: Callable[[Batch], None]
    after: Callable[[Batch], None]
    refused: list[Refused]
    changed: bool = False
    locked: set[str] = field(default_factory=set)

    def land(self, entries: Sequence[Entry]) -> None:
        for part in tens(entries):
            self._land([self._unlocked(entry) for entry in part])

    def close(self) -> None:
        """What was refused and had no batch to go with."""
        if self.refused:
            batch = Batch(_new_stamp(), Changes(), tuple(self.refused))
            self.before(batch)
            self.after(batch)

    def _land(self, entries: Sequence[Entry]) -> None:
        entries = [entry for entry in entries if entry.says_something]
        if not entries:
            return
        batch = Batch(_new_stamp(entries[0].ref), _changes(entries), tuple(self.refused))
        self.before(batch)
        try:
            self._send(entries, batch.stamp)
        except Wrong as wrong:
            self._mend(entries, wrong)
        else:
            self.refused.clear()
            self.after(batch)

    def _send(self, entries: Sequence[Entry], stamp: str) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                self._request(entries, stamp)
            except Uncertain:
                if self._found(stamp):
                    return
                if attempt == TRIES:
                    raise
            else:
                return

    def _request(self, entries: Sequence[Entry], stamp: str) -> None:
        lot = self.table.lot
        assert lot is not None, "write makes our fields first"
        fields = [entry.sent | {lot.id: stamp} for entry in entries]
        if entries[0].ref is None:
            self.remote.batch_create(fields)
        else:
            self.remote.batch_update(
                [{"id": str(entry.ref), "fields": sent} for entry, sent in zip(entries, fields, strict=True)]
            )

    def _found(self, stamp: str) -> bool:
        """Did a request whose answer was lost land? It may still be under way, so we wait before we say no."""
        for pause in PATIENCE:
            self.line.rest(pause)
            if has_landed(self.remote, self.table, stamp):
                return True
        return False

    # What Airtable did not take

    def _mend(self, entries: Sequence[Entry], wrong: Wrong) -> None:
        if wrong.kind not in SPLIT_ERRORS and wrong.status != 413:
            if wrong.kind not in CHANGED_ERRORS:
                raise wrong
            raise TryLater("sheet-changed", tab=self.table.name)
        culprit = _named(wrong.message, self.table.fields)
        if wrong.kind == "INVALID_PERMISSIONS" and culprit:
            self.locked.add(culprit.id)
            self._land([self._unlocked(entry) for entry in entries])
        elif len(entries) > 1:
            half = len(entries) // 2
            self._land(entries[:half])
            self._land(entries[half:])
        elif wrong.kind in CHANGED_ERRORS:
            self.changed = True
        else:
            self._refuse(entries[0], wrong, culprit)

    def _refuse(self, entry: Entry, wrong: Wrong, culprit: Field | None) -> None:
        """The cell that Airtable named is left out and the rest tried again; if it named none, the whole record."""
        if culprit and culprit.id in entry.columns:
            self._leave_out(entry, [culprit.id], wrong)
            self._land([entry.without([culprit.id])])
        else:
            self._leave_out(entry, entry.columns or [self.table.key.id if self.table.key else ""], wrong)

    def _leave_out(self, entry: Entry, columns: Sequence[str], wrong: Wrong) -> None:
        code = "airtable-too-big" if wrong.status == 413 else "airtable-refused-cell"
        self.refused += [
            Refused(entry.ref, entry.key, column, code, {"cell": cell_name(self.table, column), "type": wrong.kind})
            for column in columns
        ]

    def _unlocked(self, entry: Entry) -> Entry:
        gone = [column for column in entry.columns if column in self.locked]
        if not gone:
            return entry
        self.refused += [
            Refused(entry.ref, entry.key, ref, "airtable-locked", {"cell": cell_name(self.table, ref)}) for ref in gone
        ]
        return entry.without(gone)


def has_landed(remote: Remote, table: TableOf, stamp: str) -> bool | None:
    """One call: is there a record with this stamp? None if there is none, but the record that should have it is gone."""
    lot = table.lot
    assert lot is not None, "asked only where the field is"
    formula = f"{{{lot.id}}}='{stamp}'"
    first = stamp.partition(".")[0]
    if first:
        formula = f"OR({formula},RECORD_ID()='{first}')"
    found = remote.all(formula=formula, fields=[lot.id])
    if any(record["fields"].get(lot.id) == stamp for record in found):
        return True
    return None if first and not found else False


def cell_name(table: TableOf, column: str) -> str:
    header = next((field.name for field in table.fields if field.id == column), column)
    return f"{table.name} · {header}"


def _changes(entries: Sequence[Entry]) -> Changes:
    return Changes(
        [entry.given for entry in entries if entry.given],
        [cell for entry in entries for cell in entry.cells],
        [entry.row for entry in entries if entry.row],
    )


def _named(message: str, fields: Sequence[Field]) -> Field | None:
    """The field that a message names, by its id or its name in quotation marks."""
    return next((field for field in fields if field.id in message or f'"{field.name}"' in message), None)


def _new_stamp(first: str | None = None) -> str:
    """It begins with the first record of its request: where that is gone too, nobody can say that nothing landed."""
    return f"{first or ''}.{secrets.token_hex(6)}"
