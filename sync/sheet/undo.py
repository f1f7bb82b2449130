"""`undo RUN`: put back the cells that a run changed and that nobody has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.sheets.sheet import Cell, Formula, Sheet
from sync.sheet import journal
from sync.sheet.columns import Tab, plain
from sync.sheet.journal import Line
from sync.sheet.land import Applied, Job, land
from sync.sheet.look import NOTHING, Look
from sync.sheet.look import look as look_at
from sync.sheet.plan import Plan, Write
from sync.store.base import Store


@dataclass(frozen=True)
class Undo:
    """`since`: (key, field) that somebody or a later run changed since: left alone. `rows`: rows that the run added:
    they stay, the team may remove them. `gone`: cells whose row or column is not there any more.
    """

    writes: list[Write]
    since: list[tuple[str, str]]
    rows: list[str]
    gone: list[tuple[str, str]]


def plan_undo(look: Look, lines: Iterable[Line]) -> Undo:
    """What undoing the run with these journal lines comes to. Pure."""
    first, last, rows = _changed_by(lines)
    seen = {row["key"]: row for row in look.seen.filter(~look.seen["paused"]).iter_rows(named=True)}
    result = Undo([], [], rows, [])
    for (key, name), stood in first.items():
        kind = look.tab.kind(name)
        row = seen.get(key)
        if row is None or name not in look.layout.ours:
            result.gone.append((key, name))
        elif row[name] != plain(last[key, name], kind):
            result.since.append((key, name))
        elif row[name] != plain(stood, kind):
            result.writes.append(Write(key, name, row["row"], row[name], plain(stood, kind), "undo"))
    return result


def _changed_by(
    lines: Iterable[Line],
) -> tuple[dict[tuple[str, str], Cell | Formula], dict[tuple[str, str], Cell | Formula], list[str]]:
    first: dict[tuple[str, str], Cell | Formula] = {}
    last: dict[tuple[str, str], Cell | Formula] = {}
    rows = []
    for line in lines:
        ours = line.kind in {"written", "put-back", "undone"} or (line.kind == "conflict" and line.why == "ours")
        if ours and line.key and line.field:
            first.setdefault((line.key, line.field), line.was)
            last[line.key, line.field] = line.value
        elif line.kind == "row" and line.key:
            rows.append(line.key)
    return first, last, rows


def undo(
    store: Store,
    sheet: Sheet,
    tab: Tab,
    undone: int,
    run: int,
    now: datetime,
    *,
    allow: Mapping[str, int] = NOTHING,
) -> tuple[Undo, Applied]:
    """Undo the cells of run `undone` in this tab, as part of run `run`. What is put back stands until our side moves.

    Corrections that the team made meanwhile are left for the next run. Raises `connectors.trouble`, among them
    `TryLater("sheet-changed")`: then nothing was written, and trying again is fine.
    """
    seen = look_at(store, sheet, tab, run, now, allow=allow, fresh=True)
    done = Applied(seen)
    if seen.closed or seen.table is None:
        return Undo([], [], [], []), done
    planned = plan_undo(seen, journal.of_run(store, undone, tab.name))
    if planned.writes:
        land(Job(store, sheet, tab.name, run, now, allow), seen, Plan(writes=planned.writes), done)
    return planned, done
