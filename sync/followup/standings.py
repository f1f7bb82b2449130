"""What is known of people and rules: for the sheet, for rules that read `flags` or `last_emailed`, and for `explain`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup import segments
from sync.followup.outbox import SPLIT, identity
from sync.followup.tables import (
    GONE_STATES,
    OPEN_STATES,
    cell_to_set,
    deed,
    flag,
    journey_step,
    outbox,
    rule_state,
    standing,
    task,
)
from sync.people.tables import person
from sync.store.base import insert_new, organisation, slices

OF_PEOPLE = (standing, flag, cell_to_set, task, deed, outbox, journey_step)
NOBODY = 0
TOLD = ("webhook", "newsletter", "notify")
"""Deeds that reach somebody outside."""
DONE_STATES = (*GONE_STATES, "done")


def flags(connection: Connection, org: int) -> pl.DataFrame:
    """`person_id`, and `flags`: the names a person wears today, in alphabetical order. People without are not there."""
    rows = sa.select(flag.c.person_id, flag.c.name).where(flag.c.org == org, flag.c.until.is_(None)).distinct()
    worn = pl.DataFrame(connection.execute(rows).all(), {"person_id": pl.Int64, "flags": pl.String}, orient="row")
    return worn.sort("person_id", "flags").group_by("person_id", maintain_order=True).agg("flags")


def last_emailed(connection: Connection, org: int) -> dict[int, datetime]:
    """When we last wrote to a person (UTC)."""
    rows = sa.select(outbox.c.person_id, sa.func.max(outbox.c.settled_at).label("at"))
    rows = rows.where(outbox.c.org == org, outbox.c.state == "sent").group_by(outbox.c.person_id)
    return {row.person_id: row.at for row in connection.execute(rows)}


def cells_to_set(connection: Connection, org: int) -> list[sa.Row[Any]]:
    """Cells that rules want set and that were not written yet: person_id, column, value (a template), rule, run."""
    rows = sa.select(cell_to_set).where(cell_to_set.c.org == org, cell_to_set.c.written_run.is_(None))
    return list(connection.execute(rows.order_by("run", "rule", "person_id")).all())


def cells_written(connection: Connection, org: int, cells: Iterable[sa.Row[Any]], run: int) -> None:
    """These cells (of `cells_to_set`) stand in the sheet now."""
    keys = ("rule", "column", "person_id", "run")
    rows = [{f"b_{key}": getattr(cell, key) for key in keys} for cell in cells]
    mine = (cell_to_set.c[key] == sa.bindparam(f"b_{key}") for key in keys)
    if rows:
        connection.execute(sa.update(cell_to_set).where(cell_to_set.c.org == org, *mine).values(written_run=run), rows)


def moved_by(connection: Connection, org: int, rule: str, run: int) -> tuple[set[int], set[tuple[int, str]]]:
    """Whose flags a rule changed in a run, by person id; and the cells it wants set since, by person id and column."""
    moved = sa.or_(sa.and_(flag.c.run == run, flag.c.until.is_(None)), flag.c.until_run == run)
    worn = sa.select(flag.c.person_id).where(flag.c.org == org, flag.c.rule == rule, moved)
    cells = sa.select(cell_to_set.c.person_id, cell_to_set.c.column)
    cells = cells.where(cell_to_set.c.org == org, cell_to_set.c.rule == rule, cell_to_set.c.run == run)
    return set(connection.scalars(worn)), {(row.person_id, row.column) for row in connection.execute(cells)}


def steps_taken(connection: Connection, org: int, journey: str, run: int) -> list[sa.Row[Any]]:
    """The steps of a journey that a run did, by step and person."""
    mine = (journey_step.c.org == org, journey_step.c.rule == journey, journey_step.c.run == run)
    rows = sa.select(journey_step).where(*mine, journey_step.c.state == "done")
    return list(connection.execute(rows.order_by(journey_step.c.step, journey_step.c.person_id)).all())


def new_tasks(connection: Connection, org: int, run: int) -> list[sa.Row[Any]]:
    """Tasks that a run made and that nobody took back, by rule and due day; `text` is a template."""
    rows = sa.select(task).where(task.c.org == org, task.c.run == run, task.c.state.in_(("waiting", "open")))
    return list(connection.execute(rows.order_by(task.c.rule, task.c.due.is_(None), task.c.due, task.c.id)).all())


def open_tasks(connection: Connection, org: int) -> list[sa.Row[Any]]:
    """Tasks for the tab To do, by due day. `text` is a template: `fill.fill_plain` puts the person in."""
    rows = sa.select(task).where(task.c.org == org, task.c.state == "open")
    return list(connection.execute(rows.order_by(task.c.due.is_(None), task.c.due, task.c.made, task.c.id)).all())


def cancelled_tasks(connection: Connection, org: int, ids: Sequence[str]) -> list[str]:
    """Of these tasks those that were taken back."""
    found: list[str] = []
    for some in slices(ids):
        gone = sa.select(task.c.id).where(task.c.org == org, task.c.id.in_(some), task.c.state == "cancelled")
        found += connection.scalars(gone)
    return sorted(found)


def finish_task(connection: Connection, org: int, id_: str) -> bool:
    """Somebody did it."""
    mine = sa.update(task).where(task.c.org == org, task.c.id == id_, task.c.state == "open")
    return connection.execute(mine.values(state="done")).rowcount == 1


def of_person(connection: Connection, org: int, person_id: int) -> dict[str, list[sa.Row[Any]]]:
    """Everything about one person: `standing` (since when in which rule), `flag`, `task`, `deed`, `outbox`, and
    `journey_step` (what became of steps whose time came).
    """
    found: dict[str, list[sa.Row[Any]]] = {}
    for table in (standing, flag, task, deed, outbox, journey_step):
        mine = sa.select(table).where(table.c.org == org, table.c.person_id == person_id)
        found[table.name] = list(connection.execute(mine).all())
    return found


def inherit(connection: Connection, org: int, one: int, other: int) -> None:
    """`other` turned out not to be `one`, and who knows to whom of the two the e-mails went, and whom other services were
    told of: `other` counts as having had them, stands where `one` stands in their rules, and does no step of a journey
    again; who is not inside, leaves with the next run. What still waits for `one` is decided anew for `other`.
    """
    gone = sa.select(outbox).where(outbox.c.org == org, outbox.c.person_id == one, outbox.c.state.in_(GONE_STATES))
    mails = [dict(row) for row in connection.execute(gone).mappings()]
    steps = _steps_over(connection, org, one)
    over = sa.select(deed).where(deed.c.org == org, deed.c.person_id == one, deed.c.state.in_(DONE_STATES))
    over = over.where(
        deed.c.kind.in_(TOLD), deed.c.rule.in_(sa.select(rule_state.c.rule).where(rule_state.c.org == org))
    )
    done = [dict(row) for row in connection.execute(over).mappings()]
    rules = {str(row["rule"]) for row in [*mails, *steps, *done]}
    for table in (standing, flag):
        mine = sa.select(table).where(table.c.org == org, table.c.person_id == one, table.c.rule.in_(rules))
        rows = [{**row, "person_id": other} for row in connection.execute(mine).mappings()]
        insert_new(connection, table, rows)
    insert_new(connection, journey_step, [{**row, "person_id": other} for row in steps])
    began = _began(connection, org)
    blank = dict.fromkeys(("subject", "answer", "address_hash", "message_id"))
    told = [row | blank | {"person_id": other, "state": "cancelled", "reason": SPLIT} for row in mails]
    for row in told:
        row["id"] = identity(began, row["rule"], row["step"], other, row["occasion"])
    insert_new(connection, outbox, told)
    settled = [row | {"person_id": other, "state": "cancelled", "reason": SPLIT, "answer": None} for row in done]
    for row in settled:
        row["id"] = identity(began, row["rule"], row["step"], other, row["occasion"])
    insert_new(connection, deed, settled)


def selves(connection: Connection, org: int, people: Iterable[int]) -> dict[int, list[int]]:
    """By person id, the ids that they have had: what is named after one of them is theirs."""
    found = {one: [one] for one in people}
    for some in slices(sorted(found)):
        merged = sa.select(person.c.merged_into, person.c.id).where(person.c.org == org, person.c.merged_into.in_(some))
        for kept, gone in connection.execute(merged):
            found[kept].append(gone)
    return found


def _steps_over(connection: Connection, org: int, one: int) -> list[dict[str, Any]]:
    """Rows of `journey_step`, without the steps that were passed over, or that still have something to do."""
    began = _began(connection, org)
    opens = {outbox: OPEN_STATES, task: ("waiting", "open"), deed: OPEN_STATES}
    waiting: set[str] = set()
    for table, states in opens.items():
        ids = sa.select(table.c.id).where(table.c.org == org, table.c.person_id == one, table.c.state.in_(states))
        waiting |= set(connection.scalars(ids))
    mine = sa.select(journey_step).where(journey_step.c.org == org, journey_step.c.person_id == one)
    rows = connection.execute(mine.where(journey_step.c.state != "skipped")).mappings()
    names = selves(connection, org, [one])[one]
    return [
        dict(row)
        for row in rows
        if waiting.isdisjoint(identity(began, row["rule"], row["step"], id_, row["occasion"]) for id_ in names)
    ]


def _began(connection: Connection, org: int) -> datetime:
    began: datetime = connection.execute(sa.select(organisation.c.created).where(organisation.c.id == org)).scalar_one()
    return began


def absorb(connection: Connection, org: int, merged: Mapping[int, int]) -> None:
    """People found to be one: what was done for `gone` counts for `kept` (`{gone: kept}`), so that nobody gets anything
    a second time under the other name. Call it in the transaction that merges, before `decide`.
    """
    for gone, kept in merged.items():
        inside = sa.select(standing.c.rule).where(
            standing.c.org == org, standing.c.person_id == gone, standing.c.inside
        )
        twin = (standing.c.org == org, standing.c.person_id == kept, standing.c.rule.in_(inside))
        connection.execute(sa.update(standing).where(*twin).values(inside=True, left_at=None, left_run=None))
        _one_line_a_matter(connection, org, gone, kept)
        for table in (deed, outbox):
            _change_places(connection, org, table, gone, kept)
        for table in OF_PEOPLE:
            _move(connection, org, table, gone, kept)
    segments.absorb(connection, org, merged)
    for some in slices(sorted(merged)):
        for table in (deed, outbox):
            left = (table.c.org == org, table.c.person_id.in_(some), table.c.state.in_(OPEN_STATES))
            connection.execute(sa.update(table).where(*left).values(state="cancelled", reason="merged"))


def _one_line_a_matter(connection: Connection, org: int, gone: int, kept: int) -> None:
    """Tasks that both have: what one of them had done is done, of what is open one stays. A rule asks the same of both on
    whatever days they entered it; a journey, around the same occasion.
    """
    both = (gone, kept)
    rules = set(
        connection.scalars(sa.select(standing.c.rule).where(standing.c.org == org, standing.c.person_id.in_(both)))
    )
    mine = sa.select(task).where(task.c.org == org, task.c.person_id.in_(both), task.c.state != "cancelled")
    matters: dict[tuple[str, ...], list[sa.Row[Any]]] = {}
    for row in connection.execute(mine.order_by(task.c.made, task.c.id)):
        around = () if row.rule in rules else (row.occasion,)
        matters.setdefault((row.rule, row.text, *around), []).append(row)
    for rows in matters.values():
        done = {row.occasion for row in rows if row.state == "done"}
        left = [row for row in rows if row.state != "done"]
        settled = [row for row in left if row.occasion in done]
        theirs = {one: [row for row in left if row.person_id == one and row not in settled] for one in both}
        if theirs[gone] and theirs[kept]:
            shown = any(row.state == "open" for row in theirs[kept]) or not any(
                row.state == "open" for row in theirs[gone]
            )
            settled += theirs[gone if shown else kept]
        over = sa.update(task).where(task.c.org == org, task.c.id.in_([row.id for row in settled]))
        connection.execute(over.values(state="cancelled"))


def _change_places(connection: Connection, org: int, table: sa.Table, gone: int, kept: int) -> None:
    """What was done for `gone` and still waits for `kept`: the one that was done becomes that of `kept`."""
    other = table.alias()
    same = (other.c[key] == table.c[key] for key in _KEYS[table.name])
    pairs = sa.select(table.c.id, other.c.id).where(
        table.c.org == org, table.c.person_id == gone, table.c.state.in_(DONE_STATES),
        other.c.org == org, other.c.person_id == kept, other.c.state.not_in(DONE_STATES), *same,
    )  # fmt: skip
    for done, waits in connection.execute(pairs).all():
        for id_, whose in ((waits, NOBODY), (done, kept), (waits, gone)):  # no two of them may be alike in between
            mine = sa.update(table).where(table.c.org == org, table.c.id == id_)
            connection.execute(mine.values(person_id=whose))


def _move(connection: Connection, org: int, table: sa.Table, gone: int, kept: int) -> None:
    """Rows of `gone` become those of `kept`, but for those that `kept` has already."""
    other = table.alias()
    keys: Sequence[str] = _KEYS[table.name]
    same = (other.c[key] == table.c[key] for key in keys)
    twin = sa.exists().where(other.c.org == org, other.c.person_id == kept, *same)
    mine = sa.update(table).where(table.c.org == org, table.c.person_id == gone, ~twin)
    connection.execute(mine.values(person_id=kept))


_KEYS: dict[str, Sequence[str]] = {
    "standing": ("rule",),
    "flag": ("rule", "name", "since"),
    "cell_to_set": ("rule", "column"),
    "task": ("rule", "occasion", "text"),
    "deed": ("rule", "step", "occasion"),
    "journey_step": ("rule", "step", "occasion"),
    "outbox": ("rule", "step", "occasion"),
}
