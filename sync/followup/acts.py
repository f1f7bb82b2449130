"""What an action does for people, one function a kind: for those who enter a rule, and wherever else actions stand.

`source` is whose action it is (a rule's id), `step` its lasting name there. The same once more on one day adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rules.conditions import Email, SetCell, Task
from sync.followup import outbox as out
from sync.followup.tables import cell_to_set, task
from sync.followup.turn import HALF_A_DAY, Turn
from sync.store.base import insert_new, upsert


def set_cell(turn: Turn, source: str, action: SetCell, people: Sequence[int]) -> None:
    """The cell is written with the next sheet; once, also if the team changes it later."""
    common = {"org": turn.org, "rule": source, "column": action.column, "value": action.value, "run": turn.run}
    upsert(turn.connection, cell_to_set, [common | {"person_id": p, "written_run": None} for p in people])
    turn.done.cells += len(people)


def add_task(turn: Turn, source: str, step: str, action: Task, people: Sequence[int]) -> None:
    """A line for the tab To do, which waits behind the brake until `outbox.release`."""
    common = {
        "org": turn.org,
        "rule": source,
        "occasion": turn.occasion,
        "text": action.text,
        "assignee": action.assignee,
        "due": action.due.after(turn.today) if action.due else None,
        "state": "waiting",
        "made": turn.now,
        "run": turn.run,
    }
    made = [(out.identity(turn.began, source, step, person, turn.occasion), person) for person in people]
    insert_new(turn.connection, task, [common | {"id": id_, "person_id": person} for id_, person in made])
    turn.done.tasks += len(made)


def send_email(turn: Turn, source: str, step: str, action: Email, people: Sequence[int]) -> None:
    """Planned in the outbox, to leave after its wait and once a person approved."""
    not_before = turn.later(action.wait)
    latest = min(not_before, datetime.max.replace(tzinfo=not_before.tzinfo) - HALF_A_DAY)
    try:
        no_later_than = latest + action.no_later_than.delta
    except (OverflowError, ValueError):
        no_later_than = datetime.max.replace(tzinfo=turn.now.tzinfo)
    common = {
        "org": turn.org,
        "rule": source,
        "step": step,
        "occasion": turn.occasion,
        "state": "planned",
        "template": action.template,
        "purpose": action.purpose,
        "not_before": not_before,
        "no_later_than": no_later_than,
        "created_at": turn.now,
        "created_run": turn.run,
        "attempts": 0,
    }
    rows = [common | {"id": out.identity(turn.began, source, step, p, turn.occasion), "person_id": p} for p in people]
    turn.done.mails += out.plan(turn.connection, rows)
