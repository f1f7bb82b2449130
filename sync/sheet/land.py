"""Writing a plan: the intent is committed before a batch leaves, what is agreed moves when it has surely landed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.sheets.sheet import Batch, Cell, CellWrite, Changes, NewRow, Refused, Sheet, Table
from sync.sheet.columns import cell_of, plain
from sync.sheet.gates import Gate
from sync.sheet.intents import Intent, IntentCell, IntentKey, landed, note
from sync.sheet.journal import pack, refusals
from sync.sheet.look import Look
from sync.sheet.plan import Plan, Write
from sync.store.base import Store


@dataclass
class Applied:
    """What was done in a tab. `gates` holds every gate raised, `closed` those that stopped it; `look` is the last one.
    `refused`: cells that this kind of sheet could not take; they are tried again with each run; or that it had hit by mistake.
    `tried`: the keys given so far in this run (a sheet may refuse one). `leaves`: the revision that our last write left.
    """

    look: Look
    written: int = 0
    put_back: int = 0
    rows_added: int = 0
    keys_given: int = 0
    columns_added: int = 0
    edits_kept: int = 0
    conflicts: int = 0
    hidden: int = 0
    unknown: int = 0
    merged: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    cut: int = 0
    refused: list[Refused] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    leaves: str | None = None

    @property
    def gates(self) -> tuple[Gate, ...]:
        return self.look.gates

    @property
    def closed(self) -> tuple[Gate, ...]:
        return self.look.closed


@dataclass(frozen=True)
class Job:
    store: Store
    sheet: Sheet
    tab_name: str
    run: int
    now: datetime
    allow: Mapping[str, int]


def land(job: Job, look: Look, made: Plan, done: Applied) -> None:
    """Write the plan. Raises what `Sheet.write` raises; what had landed by then is agreed."""
    if look.table is None or look.as_read is None:
        raise AssertionError("a tab that was not read can't be written")
    words = _Words(look, look.table, made)

    def before(batch: Batch) -> None:
        intent = words.intent(batch)
        intent.kept = batch.kept
        note(job.store, job.tab_name, job.run, job.now, batch.stamp, intent)

    def after(batch: Batch) -> None:
        intent = words.intent(batch)
        intent.run, intent.stamp = job.run, batch.stamp
        landed(job.store, look.tab, job.now, intent, refusals(job.tab_name, batch.refused, words.names))
        _count(done, intent, batch)

    job.sheet.write(look.as_read, words.changes(), before, after)


def _count(done: Applied, intent: Intent, batch: Batch) -> None:
    done.written += len(intent.cells)
    done.put_back += sum(cell.kind == "put-back" for cell in intent.cells)
    done.conflicts += sum(cell.kind == "conflict-ours" for cell in intent.cells)
    done.rows_added += len(intent.rows)
    done.keys_given += len(intent.keys)
    done.refused += batch.refused
    done.leaves = batch.leaves
    done.tried |= {key.key for key in intent.keys} | {one.key for one in batch.refused}


class _Words:
    """The plan in the sheet's own words, and a batch of it in ours."""

    def __init__(self, look: Look, table: Table, made: Plan) -> None:
        self.look, self.table, self.made = look, table, made
        self.kinds = {mapped.field: mapped.kind for mapped in look.tab.columns}
        self.refs = {name: table.columns[place].ref for name, place in look.layout.ours.items()}
        self.names = {ref: name for name, ref in self.refs.items()}
        self.writes = {(write.key, write.field): write for write in made.writes}
        self.texts = {row.key: row.texts for row in made.rows}
        self.given: dict[str, dict[str, Cell]] = {row.key: self.cells_of(row.texts) for row in made.rows}
        self.old = {given.key: before for given, before in made.given}
        self.known: dict[str, Intent] = {}

    def cells_of(self, texts: Mapping[str, str]) -> dict[str, Cell]:
        return {self.refs[name]: cell_of(text, self.kinds[name]) for name, text in texts.items() if text}

    def changes(self) -> Changes:
        keys = [given for given, _ in self.made.given]
        cells = [self.cell_write(write) for write in self.made.writes]
        named = {column.ref: column.tag for column in self.table.columns}
        tags = {ref: name for ref, name in self.names.items() if named[ref] != name}
        return Changes(keys, cells, [NewRow(key, cells) for key, cells in self.given.items()], tags)

    def cell_write(self, write: Write) -> CellWrite:
        row = self.table.rows[write.row]
        value = cell_of(write.to, self.kinds[write.field])
        stands = row.cells[self.look.layout.ours[write.field]]
        return CellWrite(row.ref, write.key, self.refs[write.field], value, stands)

    def intent(self, batch: Batch) -> Intent:
        if batch.stamp not in self.known:
            self.known = {batch.stamp: self._intent(batch)}
        return self.known[batch.stamp]

    def _intent(self, batch: Batch) -> Intent:
        landing = batch.changes
        keys = [IntentKey(key.key, self.old[key.key]) for key in landing.keys]
        cells = [self.intent_cell(cell) for cell in landing.cells]
        rows = {row.key: self.row_texts(row) for row in landing.rows}
        refused = {(one.key, self.names.get(one.column)) for one in batch.refused}
        odd = {key: self.odd(key, texts, refused) for key, texts in rows.items() if texts != self.texts[key]}
        return Intent(keys, cells, rows, {key: one for key, one in odd.items() if one})

    def intent_cell(self, cell: CellWrite) -> IntentCell:
        write = self.writes[cell.key, self.names[cell.column]]
        why = {"write": "", "put-back": "computed", "conflict-ours": "ours", "undo": ""}[write.kind]
        to = plain(cell.value, self.kinds[write.field])
        ours = None if to == write.to else write.to
        return IntentCell(write.key, write.field, pack(cell.was), write.now, to, write.kind, why, ours)

    def row_texts(self, row: NewRow) -> dict[str, str]:
        """The row as it will be read; mostly just as it was planned."""
        planned, given = self.texts[row.key], self.given[row.key]
        if row.cells == given and all(row.cells[ref] is value for ref, value in given.items()):
            return planned
        return {name: plain(row.cells.get(self.refs[name]), self.kinds[name]) for name in planned}

    def odd(self, key: str, texts: Mapping[str, str], refused: set[tuple[str, str | None]]) -> dict[str, str]:
        planned = self.texts[key].items()
        return {name: wanted for name, wanted in planned if texts[name] != wanted and (key, name) not in refused}
