"""Phase 1: read the tab, and say what the team did there since last time."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from connectors.sheets.sheet import Cell, Formula, Refused, Row, Sheet, Table
from sync.sheet import gates as gate
from sync.sheet.columns import FORMULA, Layout, Mapped, Tab, cell_of, fold, from_cell, lay_out, plain, seen_column
from sync.sheet.gates import Gate
from sync.sheet.intents import mend, settle, unfinished
from sync.sheet.journal import refusals
from sync.sheet.state import Rows, TabState, load_rows, load_tab
from sync.store.base import Store

TEAM = "sheet:"
NOTHING: Mapping[str, int] = {}


class Edit(msgspec.Struct, frozen=True):
    """A cell that the team changed: `value` is what it says, as a value of our field (None: emptied), `was` what stood
    there before. `known` is False where nothing was agreed before (a row or column just adopted): then a value that the
    person has already is no correction.
    """

    key: str
    field: str
    value: object
    was: Cell
    known: bool = True


class Stranger(msgspec.Struct, frozen=True):
    """A row without a key of ours, that the team typed: `values` by field, as values of ours. Somebody nobody knew
    becomes a person of whom these values are corrections: no source said them.
    """

    ref: str
    values: dict[str, object]


@dataclass(frozen=True)
class Look:
    """The tab as it stands.

    For the caller: `edits` (corrections, the emptied cells among them), `unclear` (corrections that can't be read: the
    cell is left alone, the value is the text), `computed_edits` (will be put back), `strangers`, `team` (key and a text
    column `sheet:<header>` for each column of the team; null is empty), `twice`, `paused`, `missing` (keys not found),
    `foreign` (how many rows have a key that is none of ours: they are among the strangers), `mended` (cells that a
    killed run had hit), `gates`, and `closed`: the gates that stop this tab. If it is closed there are no edits and no strangers.

    For the engine: the rest. `table` is None where the tab does not exist, or was not read because nobody saved since
    (`unread`); foreign keys are left out of it, but not of `as_read`. `seen`: key, row (place in `table.rows`), paused,
    and the plain text of each of our columns.
    """

    tab: Tab
    table: Table | None
    seen: pl.DataFrame
    rows: Rows
    layout: Layout
    team: pl.DataFrame
    state: TabState
    revision: str | None = None
    unread: bool = False
    known: bool = True
    edits: tuple[Edit, ...] = ()
    unclear: tuple[Edit, ...] = ()
    computed_edits: tuple[Edit, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    nameless: int = 0
    twice: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    foreign: int = 0
    as_read: Table | None = None
    mended: tuple[Refused, ...] = ()
    gates: tuple[Gate, ...] = ()
    closed: tuple[Gate, ...] = ()
    dropped: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    to_add: tuple[Mapped, ...] = ()

    @property
    def bare(self) -> bool:
        """There is no tab, or nothing in it, not even headers: it is made from the beginning."""
        return self.table is None or not self.table.columns


def look(
    store: Store,
    sheet: Sheet,
    tab: Tab,
    run: int,
    now: datetime,
    *,
    allow: Mapping[str, int] = NOTHING,
    fresh: bool = False,
) -> Look:
    """Read the tab and compare it with what was agreed. Writes nothing in the sheet.

    First settles what a killed run left in doubt. Where the sheet's revision says that nobody saved since a run after
    which nothing was left to do, the tab is not read at all (`fresh` reads anyhow). `allow`: gates by the number.
    Raises `connectors.trouble`.
    """
    del run
    state = load_tab(store, tab.name)
    intents = unfinished(store, tab.name)
    revision = sheet.revision(tab.name)
    if not (fresh or intents) and state and _nobody_saved(state, tab, revision):
        return _unread(store, tab, state)
    answers = [(intent, sheet.landed(tab.name, intent.stamp)) for intent in intents]
    mended = {i: mend(store, sheet, tab.name, now, one) for i, (one, landed) in enumerate(answers) if landed}
    table = sheet.read(tab.name)
    layout = lay_out(table.columns if table else (), tab)
    if answers:
        names = {table.columns[place].ref: name for name, place in layout.ours.items()} if table else {}
        told = [(*one, refusals(tab.name, mended.get(i, ()), names)) for i, one in enumerate(answers)]
        settle(store, tab, now, told, _reader(table, layout, tab))
    rows = load_rows(store, tab)
    as_read = table
    table, foreign = _without_foreign_keys(tab, table, rows)
    seen, twice = _seen(tab, table, layout)
    before = state or TabState(columns=[])
    raw = Look(
        tab, table, seen, rows, layout, _team(table, layout, twice), before,
        revision=revision, known=state is not None, twice=twice, foreign=foreign, as_read=as_read,
        mended=tuple(one for some in mended.values() for one in some),
    )  # fmt: skip
    return _compared(_mapping(raw), allow)


def _nobody_saved(state: TabState, tab: Tab, revision: str | None) -> bool:
    return revision is not None and state.revision == revision and state.columns == list(tab.columns)


def _unread(store: Store, tab: Tab, state: TabState) -> Look:
    """The tab stands as it was agreed."""
    rows = load_rows(store, tab)
    there = rows.agreed.filter(~pl.col("hidden"))
    texts = [pl.col(name).fill_null("") for name in tab.fields]
    seen = there.select("key", pl.lit(-1, dtype=pl.Int64).alias("row"), pl.lit(value=False).alias("paused"), *texts)
    layout = Layout(dict.fromkeys(tab.fields, -1), {}, None, (), ())
    return Look(tab, None, seen, rows, layout, thawed(state), state, state.revision, unread=True)


def frozen(team: pl.DataFrame) -> bytes:
    """The team's columns as bytes, to be remembered."""
    buffer = io.BytesIO()
    team.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def thawed(state: TabState) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(state.team)) if state.team else pl.DataFrame(schema={"key": pl.String})


# What was read ------------------------------------------------------------------------------------------------------


def _seen(tab: Tab, table: Table | None, layout: Layout) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows that have a key of their own, and the keys that stand twice."""
    rows = table.rows if table else ()
    times = Counter(row.key for row in rows if row.key)
    twice = tuple(key for key, count in times.items() if count > 1)
    mine = [(i, row) for i, row in enumerate(rows) if row.key and times[row.key] == 1]
    columns: dict[str, Any] = {
        "key": pl.Series([row.key for _, row in mine], dtype=pl.String),
        "row": pl.Series([i for i, _ in mine], dtype=pl.Int64),
        "paused": pl.Series([_is_paused(row, layout) for _, row in mine], dtype=pl.Boolean),
    }
    for name, place in layout.ours.items():
        columns[name] = seen_column([row.cells[place] for _, row in mine], tab.kind(name))
    return pl.DataFrame(columns), twice


def _without_foreign_keys(tab: Tab, table: Table | None, rows: Rows) -> tuple[Table | None, int]:
    """The tab without the keys that we never gave (of a store that was lost, or of another one), and in how many rows."""
    if table is None or tab.knows is None:
        return table, 0
    fresh = {row.key for row in table.rows if row.key} - set(rows.agreed["key"])
    if not (foreign := fresh - tab.knows(fresh) if fresh else fresh):
        return table, 0
    kept = [Row(row.ref, None, row.cells) if row.key in foreign else row for row in table.rows]
    return replace(table, rows=kept), sum(row.key in foreign for row in table.rows)


def _is_paused(row: Row, layout: Layout) -> bool:
    return layout.pause is not None and plain(row.cells[layout.pause], "yesno").removeprefix(FORMULA) != ""


def _team(table: Table | None, layout: Layout, twice: Sequence[str]) -> pl.DataFrame:
    double = set(twice)
    rows = [row for row in (table.rows if table else ()) if row.key and row.key not in double]
    columns = {"key": pl.Series([row.key for row in rows], dtype=pl.String)}
    for header, place in layout.team.items():
        texts = seen_column([row.cells[place] for row in rows]).str.strip_prefix(FORMULA)
        columns[TEAM + header] = texts.set(texts == "", None)
    return pl.DataFrame(columns)


def _reader(table: Table | None, layout: Layout, tab: Tab) -> Callable[[str, str], str | None]:
    rows = {row.key: row for row in (table.rows if table else ()) if row.key}

    def stands(key: str, name: str) -> str | None:
        if key not in rows or name not in layout.ours:
            return None
        return plain(rows[key].cells[layout.ours[name]], tab.kind(name))

    return stands


# The mapping then and now -------------------------------------------------------------------------------------------


def _mapping(look: Look) -> Look:
    """What changed in the mapping since last time: columns to add, columns gone, fields whose past must be forgotten."""
    then = {mapped.field: mapped.header for mapped in look.state.columns}
    here = {mapped.field: mapped.header for mapped in look.tab.columns}
    moved = {name for name, header in then.items() if name not in here or fold(here[name]) != fold(header)}
    back = {name for name in look.state.dropped if name in look.layout.ours}
    dropped = tuple(name for name in look.state.dropped if name in here and name not in back)
    never = [m for m in look.layout.absent if (m.field not in then or m.field in moved) and m.field not in dropped]
    forgotten = tuple(sorted(moved | back))
    rows = _forgetting(look.rows, forgotten)
    to_add = tuple(look.tab.columns if look.bare else never)
    return replace(look, rows=rows, dropped=dropped, forgotten=forgotten, to_add=to_add)


def _forgetting(rows: Rows, fields: Sequence[str]) -> Rows:
    gone = [name for name in fields if name in rows.agreed.columns]
    if not gone:
        return rows
    agreed = rows.agreed.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in gone)
    return Rows(agreed, rows.standing.filter(~pl.col("field").is_in(gone)))


def _lost(look: Look) -> list[Mapped]:
    """Mapped columns that were there last time and are not."""
    added = {mapped.field for mapped in look.to_add}
    return [m for m in look.layout.absent if m.field not in added and m.field not in look.dropped]


def _repointed(look: Look) -> dict[str, int]:
    then = {fold(mapped.header): mapped.field for mapped in look.state.columns}
    found = {}
    for mapped in look.tab.columns:
        other = then.get(fold(mapped.header), mapped.field) != mapped.field
        if other and mapped.field in look.layout.ours:
            found[mapped.header] = int((look.seen[mapped.field] != "").sum())
    return {header: filled for header, filled in found.items() if filled}


# What the team did --------------------------------------------------------------------------------------------------


def _compared(look: Look, allow: Mapping[str, int]) -> Look:
    moved = _moved(look)
    look = replace(look, missing=_missing(look))
    raised = tuple(_gates(look, moved))
    closed = tuple(gate.closed(raised, allow))
    look = replace(look, gates=raised, closed=closed, paused=tuple(look.seen.filter("paused")["key"]))
    if closed:
        return replace(look, team=thawed(look.state) if look.state.team else look.team)
    dropped = (*look.dropped, *(mapped.field for mapped in _lost(look))) if look.table else look.dropped
    edits, unclear, computed = _edits(look.tab, moved)
    strangers, nameless = _strangers(look)
    return replace(
        look, edits=edits, unclear=unclear, computed_edits=computed, strangers=strangers, nameless=nameless,
        dropped=dropped,
    )  # fmt: skip


def place_in(keys: pl.Series, frame: pl.DataFrame) -> pl.Series:
    """For each key its place in the frame, null if it is not there."""
    index = pl.DataFrame({"key": frame["key"], "place": pl.Series(range(len(frame)), dtype=pl.UInt32)})
    return keys.to_frame("key").join(index, on="key", how="left", maintain_order="left")["place"]


def _moved(look: Look) -> pl.DataFrame:
    """The cells that say something else than was agreed, if anything was: key, field, agreed, now; no paused rows."""
    seen = look.seen.filter(~pl.col("paused"))
    place = place_in(seen["key"], look.rows.agreed)
    parts = []
    for name in look.layout.ours:
        agreed = look.rows.agreed[name].gather(place)
        cells = pl.DataFrame({"key": seen["key"], "agreed": agreed, "now": seen[name]})
        parts.append(cells.filter(pl.col("agreed").fill_null("") != pl.col("now")).with_columns(field=pl.lit(name)))
    empty = pl.DataFrame(schema=dict.fromkeys(("key", "agreed", "now", "field"), pl.String))
    return pl.concat([empty, *parts])


def _missing(look: Look) -> tuple[str, ...]:
    if look.table is None or not look.table.complete:
        return ()
    there = pl.concat([look.seen["key"], pl.Series(look.twice, dtype=pl.String)])
    return tuple(look.rows.agreed.filter(~pl.col("hidden") & ~pl.col("key").is_in(there.implode()))["key"])


def _gates(look: Look, moved: pl.DataFrame) -> list[Gate]:
    name = look.tab.name
    known = look.rows.agreed.filter(~pl.col("hidden"))
    fresh = known.filter(pl.col("missing") == 0)
    gone = len(set(fresh["key"]) & set(look.missing))
    keyed = len(look.seen) + len(look.twice)
    raised = gate.foreign_gate(name, look.foreign, keyed + look.foreign)
    raised += gate.rows_gate(name, gone, len(known), exists=look.table is not None, keyed=keyed)
    raised += gate.twice_gate(name, look.twice)
    if look.table is None:
        return raised
    raised += gate.double_gate(name, look.layout.double)
    raised += gate.headers_gate(name, {mapped.header: _renamed_to(look, mapped) for mapped in _lost(look)})
    raised += gate.mapping_gate(name, _repointed(look))
    return raised + gate.changed_gate(name, *_changed(look, moved))


def _changed(look: Look, moved: pl.DataFrame) -> tuple[dict[str, int], dict[str, int]]:
    """By header, how many filled cells of ours were changed, and how many there are."""
    there = look.rows.agreed.filter(pl.col("key").is_in(look.seen["key"].implode()))
    changed = dict(moved.filter(pl.col("agreed") != "").group_by("field").len().iter_rows())
    headers = {m.field: m.header for m in look.tab.columns if m.field in look.layout.ours}
    filled = {header: int((there[name].fill_null("") != "").sum()) for name, header in headers.items()}
    return {headers[name]: count for name, count in changed.items()}, filled


def _renamed_to(look: Look, mapped: Mapped) -> str | None:
    """The team's header below which the values of a lost column stand, if there is one."""
    if look.table is None:
        return None
    place = place_in(look.seen["key"], look.rows.agreed)
    agreed = look.rows.agreed[mapped.field].gather(place).fill_null("")
    filled = int((agreed != "").sum())
    rows = [look.table.rows[i] for i in look.seen["row"]]
    for header, column in look.layout.team.items():
        now = seen_column([row.cells[column] for row in rows], mapped.kind)
        if filled and int(((now == agreed) & (agreed != "")).sum()) > 0.8 * filled:
            return header
    return None


def _edits(tab: Tab, moved: pl.DataFrame) -> tuple[tuple[Edit, ...], tuple[Edit, ...], tuple[Edit, ...]]:
    edits: list[Edit] = []
    unclear: list[Edit] = []
    computed: list[Edit] = []
    mapped = {m.field: m for m in tab.columns}
    for key, agreed, now, name in moved.iter_rows():
        if now == FORMULA:  # a formula never computed says nothing yet
            continue
        one = mapped[name]
        was = cell_of((agreed or "").removeprefix(FORMULA), one.kind)
        text = now.removeprefix(FORMULA)
        try:
            edit = Edit(key, name, from_cell(one, cell_of(text, one.kind)), was, agreed is not None)
        except ValueError:
            edit = Edit(key, name, text, was, agreed is not None)
            (unclear if one.corrected else computed).append(edit)
            continue
        if one.corrected:
            edits.append(edit)
        elif agreed is not None:
            computed.append(edit)
    return tuple(edits), tuple(unclear), tuple(computed)


def _strangers(look: Look) -> tuple[tuple[Stranger, ...], int]:
    """Rows without a key of ours that name somebody; and how many others hold something, but nothing about a person."""
    theirs = {m.field: m for m in look.tab.columns if m.corrected and m.field in look.layout.ours}
    found, nameless = [], 0
    for row in look.table.rows if look.table else ():
        if row.key or all(_is_empty(cell) for cell in row.cells):
            continue
        values = {name: _readable(m, row.cells[look.layout.ours[name]]) for name, m in theirs.items()}
        values = {name: value for name, value in values.items() if value is not None}
        if values:
            found.append(Stranger(row.ref, values))
        else:
            nameless += 1
    return tuple(found), nameless


def _is_empty(cell: Cell | Formula) -> bool:
    return cell is None or plain(cell) == ""


def _readable(mapped: Mapped, cell: Cell | Formula) -> object:
    if isinstance(cell, Formula):  # a total below the list is nobody
        return None
    try:
        return from_cell(mapped, cell)
    except ValueError:
        return None
