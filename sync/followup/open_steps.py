"""What steps of a journey have begun and is not over: e-mails that wait, open tasks, deeds to be done."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import polars as pl
import sqlalchemy as sa

from rules.conditions import Task
from rules.journeys import Journey
from sync.followup import outbox as out
from sync.followup.standings import selves
from sync.followup.tables import OPEN_STATES, deed, outbox, task
from sync.followup.turn import Turn
from sync.store.base import slices

OPEN = {
    "id": pl.String, "table": pl.String, "person_id": pl.Int64, "occasion": pl.String, "step": pl.String,
    "follows": pl.Boolean, "late": pl.Boolean,
}  # fmt: skip
"""`follows`: it is taken back, too, when its conditions no longer hold; `late`: it is held since its time is over."""
Line = tuple[str, str, int, str, str, bool, bool]


def open_steps(turn: Turn, journey: Journey, since: datetime) -> pl.DataFrame:
    """Columns of `OPEN`. What was too late by `since` is past."""
    rows = [*_mails(turn, journey, since), *_tasks(turn, journey), *_deeds(turn, journey, since)]
    return pl.DataFrame(rows, schema=OPEN, orient="row")


def take_back(turn: Turn, rows: pl.DataFrame, reason: str) -> None:
    """Cancel these rows of `open_steps`."""
    for table in (outbox, task, deed):
        values = {"state": "cancelled"} | ({} if table is task else {"reason": reason})
        for some in slices(rows.filter(table=table.name)["id"].to_list()):
            cancelled = sa.update(table).where(table.c.org == turn.org, table.c.id.in_(some)).values(values)
            count = turn.connection.execute(cancelled).rowcount
            turn.done.cancelled += count if table is outbox else 0


def _mails(turn: Turn, journey: Journey, since: datetime) -> Iterable[Line]:
    mine = (outbox.c.org == turn.org, outbox.c.rule == journey.id, outbox.c.state.in_(OPEN_STATES))
    asked = sa.select(outbox.c.id, outbox.c.person_id, outbox.c.occasion, outbox.c.step, outbox.c.reason)
    for row in turn.connection.execute(asked.where(*mine, outbox.c.no_later_than >= since)):
        yield row.id, outbox.name, row.person_id, row.occasion, row.step, True, row.reason == "too-late"


def _tasks(turn: Turn, journey: Journey) -> Iterable[Line]:
    """Their step is part of their id, and so is whom they were made for: perhaps somebody who was merged since."""
    mine = (task.c.org == turn.org, task.c.rule == journey.id, task.c.state.in_(("waiting", "open")))
    names = [step.name for step in journey.steps if isinstance(step.action, Task)]
    rows = turn.connection.execute(sa.select(task.c.id, task.c.person_id, task.c.occasion).where(*mine)).all()
    ids = selves(turn.connection, turn.org, {row.person_id for row in rows})
    for row in rows:
        for name in names:
            known = (out.identity(turn.began, journey.id, name, one, row.occasion) for one in ids[row.person_id])
            if row.id in known:
                yield row.id, task.name, row.person_id, row.occasion, name, False, False


def _deeds(turn: Turn, journey: Journey, since: datetime) -> Iterable[Line]:
    """What the team is to be told of somebody is told, though it does not hold any more."""
    mine = (deed.c.org == turn.org, deed.c.rule == journey.id, deed.c.state.in_(OPEN_STATES))
    asked = sa.select(deed.c.id, deed.c.kind, deed.c.person_id, deed.c.occasion, deed.c.step, deed.c.reason)
    recent = sa.or_(deed.c.no_later_than.is_(None), deed.c.no_later_than >= since)
    for row in turn.connection.execute(asked.where(*mine, recent)):
        late = row.reason == "too-late"
        yield row.id, deed.name, row.person_id, row.occasion, row.step, row.kind != "notify", late
