"""Phase 2: what is to be done in the tab, as plain values. Pure: no sheet, no database, no clock.

Columns are compared as wholes; a Python object is made only for a cell that changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import msgspec
import polars as pl

from connectors.sheets.sheet import Cell, KeyWrite
from sync.sheet.columns import FORMULA, LONGEST, Mapped, cell_of, wanted_column
from sync.sheet.intents import WriteKind
from sync.sheet.look import Look, place_in
from sync.sheet.threeway import NOT_THEIRS, WRITES, Verdict, verdict

MOVES = {"key": pl.String, "field": pl.String, "agreed": pl.String, "standing": pl.String}
_CELLS = ("key", "row", "agreed", "wanted", "now", "standing", "verdict")


@dataclass(frozen=True)
class Wanted:
    """What the caller wants in the tab.

    `frame`: `key` and a column for each mapped field that is to be shown, in any Polars type of `rules.fields` (dates
    local, money in the organisation's currency, datetimes naive in its zone). A mapped field without a column is left
    alone, and so is a row of the sheet whose key is not in the frame. Every key of the frame has or gets a row.
    `codes`: the key for each stranger's `ref` that was recognised or taken in.
    `merged`: the key that a person has now, by the key that they had before.
    `released`: (key, field) where the team's standing correction was since replaced or withdrawn elsewhere.
    """

    frame: pl.DataFrame
    codes: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    released: AbstractSet[tuple[str, str]] = frozenset()


class Write(msgspec.Struct, frozen=True):
    """Put the plain text `to` into a cell. `row` is the place in `look.table.rows`."""

    key: str
    field: str
    row: int
    now: str
    to: str
    kind: WriteKind


class Keep(msgspec.Struct, frozen=True):
    """The team's cell is left as it is: a correction (`edit`), one that `stands` against what a source says now, or a
    `formula`. `was` is what was agreed, `ours` what we would have written.
    """

    key: str
    field: str
    now: str
    was: str | None
    ours: str
    kind: Verdict


class Conflict(msgspec.Struct, frozen=True):
    """Both sides changed the cell since `agreed`."""

    key: str
    field: str
    agreed: str
    wanted: str
    now: str
    winner: str


class Hide(msgspec.Struct, frozen=True):
    """The team removed the row: its person is hidden from this tab."""

    key: str


class Add(msgspec.Struct, frozen=True):
    """A row to add, in plain texts by field."""

    key: str
    texts: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """All that is to be done. `moves`: what is agreed without writing: key, field, agreed, standing (null: none).
    `given`: keys for rows of the team, each with the key the row had before (merged people) or None; they are written
    first, and the rest is planned again. `missing`: rows to be counted as not found; `back`: rows found again.
    `unknown`: rows of the sheet whose person we do not know; `merged`: rows left alone because their person has another
    row; `doubled`: strangers' refs whose person has a row already; `cut`: texts too long for a cell.
    """

    writes: list[Write] = field(default_factory=list)
    keeps: list[Keep] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    rows: list[Add] = field(default_factory=list)
    given: list[tuple[KeyWrite, str | None]] = field(default_factory=list)
    hides: list[Hide] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    moves: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MOVES))
    unknown: int = 0
    merged: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    cut: list[tuple[str, str]] = field(default_factory=list)

    @property
    def writes_something(self) -> bool:
        return bool(self.writes or self.rows or self.given)


def canonical(look: Look, wanted: pl.DataFrame) -> pl.DataFrame:
    """What we want as plain texts: key, and each mapped field that `wanted` has."""
    columns = {m.field: wanted_column(wanted[m.field], m) for m in look.tab.columns if m.field in wanted.columns}
    return pl.DataFrame({"key": wanted["key"].cast(pl.String)} | columns)


def plan(look: Look, wanted: Wanted, run: int, ours: pl.DataFrame | None = None) -> Plan:
    """The least that makes the tab say what both sides want. `ours`: `canonical(...)` if it was made already."""
    ours = canonical(look, wanted.frame) if ours is None else ours
    given, merged, doubled = _keys(look, wanted)
    cells = _cells(look, ours, wanted)
    missing, hides, back = _absences(look, run)
    unknown = len(look.seen) - int(look.seen["key"].is_in(ours["key"].implode()).sum())
    result = Plan(
        rows=list(_new_rows(look, ours, wanted)),
        given=given,
        merged=merged,
        doubled=doubled,
        moves=_moves(cells),
        missing=missing,
        hides=hides,
        back=back,
        unknown=unknown,
    )
    for mapped, part in cells:
        _sort_out(result, mapped, part)
    for row in result.rows:
        result.cut.extend((row.key, name) for name, text in row.texts.items() if len(text) >= LONGEST)
    return result


def _cells(look: Look, ours: pl.DataFrame, wanted: Wanted) -> list[tuple[Mapped, pl.DataFrame]]:
    """The cells that are not simply as they were, each with its verdict, by column."""
    there = place_in(look.seen["key"], ours)
    mine = ~look.seen["paused"] & there.is_not_null()
    seen, there = look.seen.filter(mine), there.filter(mine)
    known = place_in(seen["key"], look.rows.agreed)
    parts = []
    for mapped in look.tab.columns:
        if mapped.field not in look.layout.ours or mapped.field not in ours.columns:
            continue
        name = mapped.field
        agreed, want = look.rows.agreed[name].gather(known), ours[name].gather(there)
        standing = _standing(look, name, seen["key"])
        quiet = (seen[name] == want) & (want == agreed).fill_null(value=False)
        loud = ~quiet if standing is None else ~quiet | standing.is_not_null()
        if loud.any():
            standing = pl.Series([None], dtype=pl.String).new_from_index(0, len(seen)) if standing is None else standing
            frame = pl.DataFrame(
                {"key": seen["key"], "row": seen["row"], "agreed": agreed, "wanted": want, "now": seen[name]}
            )
            part = frame.with_columns(standing.alias("standing")).filter(loud)
            parts.append((mapped, _judged(mapped, part, wanted)))
    return parts


def _standing(look: Look, name: str, keys: pl.Series) -> pl.Series | None:
    mine = look.rows.standing.filter(pl.col("field") == name)
    return mine["ours"].gather(place_in(keys, mine)) if len(mine) else None


def _judged(mapped: Mapped, part: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    released = [key for key, name in wanted.released if name == mapped.field]
    ours_to_move = pl.col("standing").str.starts_with(NOT_THEIRS).fill_null(value=False)
    named = pl.col("key").is_in(pl.Series(released, dtype=pl.String).implode())
    part = part.with_columns((named | ours_to_move).alias("released"), pl.col("standing").str.strip_prefix(NOT_THEIRS))
    return part.with_columns(verdict(corrected=mapped.corrected).alias("verdict")).filter(pl.col("verdict") != "")


def _moves(cells: list[tuple[Mapped, pl.DataFrame]]) -> pl.DataFrame:
    parts = [
        part.filter(~pl.col("verdict").is_in(WRITES)).select(
            "key",
            pl.lit(mapped.field).alias("field"),
            pl.col("now").alias("agreed"),
            pl.when(pl.col("now") != pl.col("wanted")).then(pl.col("wanted")).alias("standing"),
        )
        for mapped, part in cells
    ]
    return pl.concat([pl.DataFrame(schema=MOVES), *parts])


def _sort_out(result: Plan, mapped: Mapped, part: pl.DataFrame) -> None:
    loud = part.filter(~pl.col("verdict").is_in(["settled", "follow"]))
    for key, row, agreed, wanted, now, standing, kind in loud.select(_CELLS).iter_rows():
        del standing
        if kind in WRITES:
            result.writes.append(Write(key, mapped.field, row, now, wanted, kind))
            if len(wanted) >= LONGEST:
                result.cut.append((key, mapped.field))
        if kind.startswith("conflict"):
            winner = kind.removeprefix("conflict-")
            result.conflicts.append(Conflict(key, mapped.field, agreed, wanted, now, winner))
        elif kind not in WRITES:
            result.keeps.append(Keep(key, mapped.field, now, agreed, wanted, kind))


def _new_rows(look: Look, ours: pl.DataFrame, wanted: Wanted) -> Iterator[Add]:
    if look.table is not None and not look.table.complete:  # it may be there already
        return
    taken = [look.seen["key"], look.rows.agreed["key"], pl.Series(look.twice, dtype=pl.String)]
    taken += [pl.Series(list(names), dtype=pl.String) for names in (wanted.merged, wanted.codes.values())]
    fields = [name for name in look.layout.ours if name in ours.columns]
    missing = ours.filter(~pl.col("key").is_in(pl.concat(taken).unique().implode()))
    for key, *texts in missing.select("key", *fields).unique("key", maintain_order=True).iter_rows():
        yield Add(key, dict(zip(fields, texts, strict=True)))


def _keys(look: Look, wanted: Wanted) -> tuple[list[tuple[KeyWrite, str | None]], list[str], list[str]]:
    taken = set(look.seen["key"]) | set(look.twice)
    given: list[tuple[KeyWrite, str | None]] = []
    merged, doubled = [], []
    for ref in (stranger.ref for stranger in look.strangers):
        code = wanted.codes.get(ref)
        if code is not None and code not in taken:
            given.append((KeyWrite(ref, code), None))
            taken.add(code)
        elif code is not None:
            doubled.append(ref)
    for old, row_ref in _rows_of(look, wanted.merged):
        key = wanted.merged[old]
        if row_ref is None or key in taken:
            merged.append(old)
        else:
            given.append((KeyWrite(row_ref, key), old))
            taken.add(key)
    return given, merged, doubled


def _rows_of(look: Look, merged: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    if merged:
        old = look.seen.filter(pl.col("key").is_in(pl.Series(list(merged), dtype=pl.String).implode()))
        for key, row, paused in old.select("key", "row", "paused").iter_rows():
            yield key, look.table.rows[row].ref if look.table and not paused else None


def _absences(look: Look, run: int) -> tuple[list[str], list[Hide], list[str]]:
    """A row is gone when two complete readings in a row, of two runs, did not find it."""
    agreed = look.rows.agreed
    gone = agreed.filter(pl.col("key").is_in(pl.Series(look.missing, dtype=pl.String).implode()))
    counted = gone.filter(pl.col("missing_run").is_null() | (pl.col("missing_run") != run))
    hides = counted.filter(pl.col("missing") >= 1)["key"].to_list()
    there = pl.concat([look.seen["key"], pl.Series(look.twice, dtype=pl.String)])
    back = agreed.filter(pl.col("key").is_in(there.implode()) & ((pl.col("missing") > 0) | pl.col("hidden")))
    return counted["key"].to_list(), [Hide(key) for key in hides], back["key"].to_list()


def cell(look: Look, name: str, text: str) -> Cell:
    """The typed cell of a plain text, for showing a plan."""
    return cell_of(text.removeprefix(FORMULA), look.tab.kind(name))
