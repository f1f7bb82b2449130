"""Phase 3: write, so that any moment is a fine moment to be killed; and the whole of a tab's sync, `finish`.

How the run calls the engine, for each tab:

    look_ = look(store, sheet, tab, run, now, allow=allow)      # 1. read; feed look_.edits and look_.strangers to people
    ...                                                         #    pull, resolve, profile, rules (look_.team)
    applied = finish(store, sheet, look_, wanted, run, now,     # 2. plan, gates, write
                     allow=allow, again=again)

`again(look) -> Wanted` is called with each newer reading (somebody saved meanwhile; keys or columns were added): it feeds
that look's edits and strangers to people as after the first one, and gives what is wanted then. Corrections must be
committed by people before it returns: from then on the engine remembers them as agreed. Feeding the same edit twice must
change nothing, as a killed run feeds it again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import msgspec
import polars as pl

from connectors.sheets.sheet import NewColumn, Sheet
from connectors.trouble import Trouble, TryLater
from sync.sheet.columns import Mapped
from sync.sheet.journal import Line, columns_told, take_back_columns, write_lines
from sync.sheet.land import Applied, Job, land
from sync.sheet.look import NOTHING, Look, frozen
from sync.sheet.look import look as look_again
from sync.sheet.plan import Conflict, Keep, Plan, Wanted, canonical, cell, plan
from sync.sheet.state import (
    RowChange,
    TabState,
    change_rows,
    count_missing,
    forget_fields,
    forget_rows,
    found_again,
    save_tab,
    unsettle,
)
from sync.store.base import Store

TRIES = 5
KINDS = {"text": "text", "choice": "text", "tags": "text", "number": "number", "money": "money", "date": "date"}


def finish(  # noqa: PLR0913  the two ends, the two sides, and when
    store: Store,
    sheet: Sheet,
    look: Look,
    wanted: Wanted,
    run: int,
    now: datetime,
    *,
    again: Callable[[Look], Wanted],
    allow: Mapping[str, int] = NOTHING,
) -> Applied:
    """Bring the tab to what is wanted. Raises `connectors.trouble`; `TryLater("sheet-changed")` when somebody saved each
    of `TRIES` times. Whatever it raises, and if it is killed: nothing is lost, and the next run carries on.
    """
    job = Job(store, sheet, look.tab.name, run, now, allow)
    done = Applied(look, refused=list(look.mended))
    tries = 0
    if not look.closed and not look.unread and not _is_fresh(sheet, look):
        look, wanted = _anew(job, look, wanted, again)
        done.refused += look.mended
    while not look.closed:
        done.look = look
        tries += 1
        try:
            if _step(job, look, wanted, done):
                return done
        except TryLater as trouble:
            if trouble.code != "sheet-changed" or tries >= TRIES:
                raise
        if tries > 2 * TRIES:
            raise TryLater("sheet-changed", tab=job.tab_name)
        look, wanted = _anew(job, look, wanted, again)
        done.refused += look.mended
    done.look = look
    _journal_gates(job, look)
    return done


def _is_fresh(sheet: Sheet, look: Look) -> bool:
    """Did nobody save since that reading? Where it can't be known, we read again just before writing; but not where the
    sheet itself looks again at every row that it writes.
    """
    if getattr(sheet, "looks_again", False):
        return True
    return look.revision is not None and sheet.revision(look.tab.name) == look.revision


def _anew(job: Job, look: Look, wanted: Wanted, again: Callable[[Look], Wanted]) -> tuple[Look, Wanted]:
    look = look_again(job.store, job.sheet, look.tab, job.run, job.now, allow=job.allow, fresh=True)
    return look, wanted if look.closed else again(look)


def preview(store: Store, look: Look, wanted: Wanted, run: int) -> Plan:  # noqa: ARG001  the store says nothing yet that the look does not
    """The plan as `finish` would make it now, for `--dry-run` and `preview`: nothing is touched."""
    return Plan() if look.closed else plan(_as_if_added(look), wanted, run)


def _as_if_added(look: Look) -> Look:
    """The look as it would be with the columns that are still to be added."""
    places = dict.fromkeys((mapped.field for mapped in look.to_add), -1)
    seen = look.seen.with_columns(pl.lit("").alias(name) for name in places)
    return replace(look, seen=seen, layout=replace(look.layout, ours=look.layout.ours | places))


def _step(job: Job, look: Look, wanted: Wanted, done: Applied) -> bool:
    """One step towards the end; True if it was the last."""
    if look.unread:
        return _quiet(job, look, wanted, done)
    if look.to_add:
        _add_columns(job, look, done)
        return False
    made = plan(look, wanted, job.run)
    done.unknown, done.merged, done.doubled = made.unknown, made.merged, made.doubled
    given = [(key, old) for key, old in made.given if key.key not in done.tried]
    if given:
        land(job, look, Plan(given=given), done)
        return False
    made.given.clear()
    _remember(job, look, made, done)
    if made.writes_something:
        land(job, look, made, done)
    _close(job, look, wanted, made, done)
    return True


def _quiet(job: Job, look: Look, wanted: Wanted, done: Applied) -> bool:
    """Nobody saved since all was settled: if we want what we wanted then, that is all."""
    ours = canonical(look, wanted.frame)
    if look.state.wanted == _fingerprint(ours, wanted):
        return True
    made = plan(look, wanted, job.run, ours)
    if made.writes_something or len(made.moves):
        return False
    done.unknown, done.merged, done.doubled = made.unknown, made.merged, made.doubled
    with job.store.begin() as connection:
        state = msgspec.structs.replace(look.state, wanted=_fingerprint(ours, wanted))
        save_tab(connection, job.store.org, job.tab_name, state, job.now)
    return True


def _fingerprint(ours: pl.DataFrame, wanted: Wanted) -> str:
    """What we want, as one number: the same from run to run, whatever the order of the people."""
    buffer = io.BytesIO()
    ours.hash_rows(seed=7).sort().to_frame().write_ipc(buffer)
    more = [pl.__version__, ours.columns, sorted(wanted.merged.items()), sorted(wanted.released)]
    return hashlib.sha256(buffer.getvalue() + msgspec.json.encode(more)).hexdigest()


# Columns ------------------------------------------------------------------------------------------------------------


def _add_columns(job: Job, look: Look, done: Applied) -> None:
    """The journal first: killed in between, the next run knows by it that these columns are ours, and tells them once."""
    new = [NewColumn(m.header, KINDS.get(m.kind, m.kind), m.field, _choices(m)) for m in look.to_add]
    lines = [Line(kind="column", tab=job.tab_name, field=m.field, why=f"added: {m.header}") for m in look.to_add]
    with job.store.begin() as connection:
        if look.bare:
            forget_rows(connection, job.store.org, job.tab_name)
        told = columns_told(connection, job.store.org, job.tab_name)
        told -= {(m.field, f"added: {m.header}") for m in look.state.columns}  # those are long since known as mapped
        fresh = [line for line in lines if (line.field, line.why) not in told]
        write_lines(connection, job.store.org, job.run, job.now, fresh)
    try:
        if look.table and not look.bare:
            job.sheet.add_columns(look.table, new)
        else:
            job.sheet.create(job.tab_name, new)
    except Trouble:
        with job.store.begin() as connection:
            take_back_columns(connection, job.store.org, job.run, fresh)
        raise
    done.columns_added += len(new)


def _choices(mapped: Mapped) -> tuple[str, ...]:
    return tuple(mapped.words.values()) if mapped.kind == "choice" else ()


# What is agreed without writing -------------------------------------------------------------------------------------


def _remember(job: Job, look: Look, made: Plan, done: Applied) -> None:
    """What needs no write is agreed first, with its lines in the journal, in one transaction."""
    org, tab = job.store.org, job.tab_name
    lines = [*_lines(look, made), *_column_lines(look)]
    with job.store.begin() as connection:
        unsettle(connection, org, tab)
        if look.forgotten:
            forget_fields(connection, org, tab, look.forgotten)
        change_rows(connection, org, tab, _changes(made.moves))
        found_again(connection, org, tab, made.back)
        hides = [hide.key for hide in made.hides]
        count_missing(connection, org, tab, job.run, made.missing, hides, job.now)
        write_lines(connection, org, job.run, job.now, lines)
        if look.forgotten or not look.known or tuple(look.state.columns) != look.tab.columns:
            state = msgspec.structs.replace(_state(look), revision=None, wanted=None)
            save_tab(connection, org, tab, state, job.now)
    done.edits_kept += sum(keep.kind == "edit" for keep in made.keeps)
    done.conflicts += sum(one.winner == "team" for one in made.conflicts)
    done.hidden += len(hides)
    done.cut += len(made.cut)


def _changes(moves: pl.DataFrame) -> dict[str, RowChange]:
    changes: dict[str, RowChange] = {}
    for key, name, agreed, standing in moves.iter_rows():
        change = changes.setdefault(key, RowChange({}, {}))
        change.cells[name] = agreed
        change.standing[name] = standing
    return changes


def _lines(look: Look, made: Plan) -> list[Line]:
    tab = look.tab.name
    kept = [_kept(look, keep) for keep in made.keeps if keep.kind != "conflict-team"]
    lost = [_team_won(look, one) for one in made.conflicts if one.winner == "team"]
    hidden = [Line(kind="hidden", tab=tab, key=hide.key) for hide in made.hides]
    back = [Line(kind="back", tab=tab, key=key) for key in made.back]
    cut = [Line(kind="cut", tab=tab, key=key, field=name) for key, name in made.cut]
    return [*kept, *lost, *hidden, *back, *cut]


def _kept(look: Look, keep: Keep) -> Line:
    return Line(
        kind=keep.kind,  # type: ignore[arg-type]  # edit, stands or formula
        tab=look.tab.name,
        key=keep.key,
        field=keep.field,
        was=cell(look, keep.field, keep.was or ""),
        value=cell(look, keep.field, keep.now),
        why=f"ours: {keep.ours}" if keep.ours != keep.now else None,
    )


def _team_won(look: Look, one: Conflict) -> Line:
    return Line(
        kind="conflict",
        tab=look.tab.name,
        key=one.key,
        field=one.field,
        was=cell(look, one.field, one.wanted),
        value=cell(look, one.field, one.now),
        why=f"team; agreed: {one.agreed}",
    )


def _column_lines(look: Look) -> list[Line]:
    new = [name for name in look.dropped if name not in look.state.dropped]
    gone = [Line(kind="column", tab=look.tab.name, field=name, why="dropped by the team") for name in new]
    return gone + [Line(kind="column", tab=look.tab.name, field=name, why="forgotten") for name in look.forgotten]


def _journal_gates(job: Job, look: Look) -> None:
    lines = [Line(kind="gate", tab=job.tab_name, why=f"{gate.code} {gate.n}/{gate.of}") for gate in look.closed]
    with job.store.begin() as connection:
        write_lines(connection, job.store.org, job.run, job.now, lines)


# The end ------------------------------------------------------------------------------------------------------------


def _state(look: Look) -> TabState:
    return TabState(
        columns=list(look.tab.columns), dropped=list(look.dropped), team=frozen(look.team), revision=None, wanted=None
    )


def _close(job: Job, look: Look, wanted: Wanted, made: Plan, done: Applied) -> None:
    """Remember the tab, and its revision if nothing is left to do: the one that was read, or the one that our own write
    left. Never one asked for afterwards: what was saved since would pass for read.
    """
    state = _state(look)
    held = done.refused or look.twice or look.paused or look.strangers or look.missing or made.missing or made.given
    revision = done.leaves if made.writes_something else look.revision
    if revision is not None and not held and look.table is not None and look.table.complete:
        state.revision = revision
        state.wanted = _fingerprint(canonical(look, wanted.frame), wanted)
    if state != look.state:
        with job.store.begin() as connection:
            save_tab(connection, job.store.org, job.tab_name, state, job.now)
