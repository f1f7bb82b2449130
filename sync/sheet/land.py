"""Writing a plan: the intent is committed before a batch leaves, what is agreed moves when it has surely landed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.sheets.sheet import Batch, CellWrite, Changes, KeyWrite, NewRow, Refused, Sheet, Table
from sync.sheet.columns import cell_of, plain
from sync.sheet.gates import Gate
from sync.sheet.intents import Intent, IntentCell, IntentKey, landed, note
from sync.sheet.journal import pack
from sync.sheet.look import Look
from sync.sheet.plan import Plan, Write
from sync.store.base import Store


@dataclass
class Applied:
    """What was done in a tab. `gates` holds every gate raised, `closed` those that stopped it; `look` is the last one.
    `refused`: cells that this kind of sheet could not take; they are tried again with each run.
    `tried`: the keys given so far in this run (a sheet may refuse one).
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
    table = look.table
    if table is None:
        raise AssertionError("a tab that was not read can't be written")
    changes, intent_of = _changes_of(look, table, made)

    def before(batch: Batch) -> None:
        note(job.store, job.tab_name, job.run, job.now, batch.stamp, intent_of(batch))

    def after(batch: Batch) -> None:
        intent = intent_of(batch)
        intent.run, intent.stamp = job.run, batch.stamp
        landed(job.store, look.tab, job.now, intent)
        done.written += len(intent.cells)
        done.put_back += sum(cell.kind == "put-back" for cell in intent.cells)
        done.conflicts += sum(cell.kind == "conflict-ours" for cell in intent.cells)
        done.rows_added += len(intent.rows)
        done.keys_given += len(intent.keys)

        done.refused += batch.refused
        done.tried |= {key.key for key in batch.changes.keys} | {one.key for one in batch.refused}

    job.sheet.write(table, changes, before, after)


def _changes_of(look: Look, table: Table, made: Plan) -> tuple[Changes, Callable[[Batch], Intent]]:
    """The plan in the sheet's own terms, and the way back from a batch of it to an intent."""
    refs = {name: table.columns[place].ref for name, place in look.layout.ours.items()}
    names = {ref: name for name, ref in refs.items()}
    writes = {(write.key, write.field): write for write in made.writes}
    old = {given.key: before for given, before in made.given}
    texts = {row.key: row.texts for row in made.rows}
    cells = [_cell_write(look, table, refs, write) for write in made.writes]
    rows = [
        NewRow(key, {refs[name]: cell_of(text, look.tab.kind(name)) for name, text in by_field.items() if text})
        for key, by_field in texts.items()
    ]

    def intent_of(batch: Batch) -> Intent:
        landing = batch.changes
        cells = [_intent_cell(look, writes[(cell.key, names[cell.column])], cell) for cell in landing.cells]
        refused = {(one.key, names.get(one.column)) for one in batch.refused}
        rows, odd = {}, {}
        for row in landing.rows:
            rows[row.key] = {name: plain(row.cells.get(refs[name]), look.tab.kind(name)) for name in texts[row.key]}
            odd[row.key] = {
                name: wanted
                for name, wanted in texts[row.key].items()
                if rows[row.key][name] != wanted and (row.key, name) not in refused
            }
        keys = [IntentKey(key.key, old[key.key]) for key in landing.keys]
        return Intent(keys, cells, rows, {key: one for key, one in odd.items() if one})

    keys: list[KeyWrite] = [given for given, _ in made.given]
    return Changes(keys, cells, rows), intent_of


def _cell_write(look: Look, table: Table, refs: Mapping[str, str], write: Write) -> CellWrite:
    row = table.rows[write.row]
    value = cell_of(write.to, look.tab.kind(write.field))
    return CellWrite(row.ref, write.key, refs[write.field], value, row.cells[look.layout.ours[write.field]])


def _intent_cell(look: Look, write: Write, cell: CellWrite) -> IntentCell:
    why = {"write": "", "put-back": "computed", "conflict-ours": "ours", "undo": ""}[write.kind]
    to = plain(cell.value, look.tab.kind(write.field))
    ours = None if to == write.to else write.to
    return IntentCell(write.key, write.field, pack(cell.was), write.now, to, write.kind, why, ours)
