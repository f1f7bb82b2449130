"""What an action does for people, one function a kind: for those who enter a rule, and wherever else actions stand.

`source` is whose action it is (a rule's id), `step` its lasting name there. The same once more on one day adds nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from rules.conditions import Email, Forget, Newsletter, Notify, Review, SetCell, Task, Webhook
from sync.followup import deeds
from sync.followup import outbox as out
from sync.followup.tables import cell_to_set, deed, task
from sync.followup.turn import HALF_A_DAY, Term, Turn
from sync.store.base import insert_new, upsert


def set_cell(turn: Turn, source: str, action: SetCell, people: Sequence[int]) -> None:
    """The cell is written with the next sheet; once, also if the team changes it later."""
    common = {"org": turn.org, "rule": source, "column": action.column, "value": action.value, "run": turn.run}
    upsert(turn.connection, cell_to_set, [common | {"person_id": p, "written_run": None} for p in people])
    turn.done.cells += len(people)


def add_task(turn: Turn, source: str, step: str, action: Task, people: Sequence[int], term: Term | None = None) -> None:
    """A line for the tab To do, which waits behind the brake until `outbox.release`."""
    occasion = term.occasion if term else turn.occasion
    common = {
        "org": turn.org,
        "rule": source,
        "occasion": occasion,
        "text": action.text,
        "assignee": action.assignee,
        "due": action.due.after(turn.today) if action.due else None,
        "state": "waiting",
        "made": turn.now,
        "run": turn.run,
    }
    made = [(out.identity(turn.began, source, step, person, occasion), person) for person in people]
    insert_new(turn.connection, task, [common | {"id": id_, "person_id": person} for id_, person in made])
    turn.done.tasks += len(made)


def send_email(
    turn: Turn, source: str, step: str, action: Email, people: Sequence[int], term: Term | None = None
) -> None:
    """Planned in the outbox, to leave in its time and once a person approved."""
    term = term or _from_now(turn, action)
    common = {
        "org": turn.org,
        "rule": source,
        "step": step,
        "occasion": term.occasion,
        "state": "planned",
        "template": action.template,
        "purpose": action.purpose,
        "not_before": term.not_before,
        "no_later_than": term.no_later_than,
        "created_at": turn.now,
        "created_run": turn.run,
        "attempts": 0,
    }
    rows = [common | {"id": out.identity(turn.began, source, step, p, term.occasion), "person_id": p} for p in people]
    turn.done.mails += out.plan(turn.connection, rows)


def _from_now(turn: Turn, action: Email) -> Term:
    """Today's occasion, after the wait of a rule's e-mail."""
    not_before = turn.later(action.wait)
    latest = min(not_before, datetime.max.replace(tzinfo=not_before.tzinfo) - HALF_A_DAY)
    try:
        no_later_than = latest + action.no_later_than.delta
    except (OverflowError, ValueError):
        no_later_than = datetime.max.replace(tzinfo=turn.now.tzinfo)
    return Term(turn.occasion, not_before, no_later_than)


def tell_team(turn: Turn, source: str, step: str, action: Notify, people: Sequence[int]) -> None:
    """A line in the next e-mail to the team."""
    _plan(turn, "notify", source, step, {"text": action.text}, people)


def call_webhook(turn: Turn, source: str, step: str, action: Webhook, people: Sequence[int]) -> None:
    """A message to another program, which leaves with `hooks.call_webhooks`."""
    _plan(turn, "webhook", source, step, {"webhook": action.name, "fields": list(action.fields)}, people)


def change_newsletter(turn: Turn, source: str, step: str, action: Newsletter, people: Sequence[int]) -> None:
    """A change in a newsletter service, which is made by `letters.change_newsletters` once a person approved."""
    about = {"change": action.change, "tag": action.tag, "source": action.source}
    _plan(turn, "newsletter", source, step, about, people)


def propose_erasure(turn: Turn, source: str, step: str, action: Forget, people: Sequence[int]) -> None:
    """A line in the tab To check. Nothing is erased by it."""
    _plan(turn, "forget", source, step, {"text": action.reason}, people)


def ask_review(turn: Turn, source: str, step: str, action: Review, inside: Sequence[int]) -> None:
    """Lines in the tab To check for some of those `inside`: so many a day, and never more open ones; who was checked
    longest ago first, who never was before all others.
    """
    mine = (deed.c.org == turn.org, deed.c.kind == "review", deed.c.state != "cancelled")
    asked = sa.select(deed.c.rule, deed.c.step, deed.c.person_id, deed.c.occasion, deed.c.state).where(*mine)
    rows = turn.connection.execute(asked.where(sa.or_(deed.c.state == "approved", deed.c.occasion == turn.occasion)))
    known = rows.all()
    ours = [row for row in known if (row.rule, row.step) == (source, step)]
    today = sum(row.occasion == turn.occasion for row in ours)
    room = action.a_day - max(today, sum(row.state == "approved" for row in ours))
    if room <= 0:
        return
    last = deeds.verified(turn.connection, turn.org)
    free = set(inside) - {row.person_id for row in known}
    never = datetime.min.replace(tzinfo=turn.now.tzinfo)
    next_ones = heapq.nsmallest(room, free, key=lambda person: (last.get(person, never), person))
    _plan(turn, "review", source, step, {}, next_ones)


def _plan(turn: Turn, kind: str, source: str, step: str, about: Mapping[str, object], people: Sequence[int]) -> None:
    if not people:
        return
    common = {
        "org": turn.org,
        "kind": kind,
        "rule": source,
        "step": step,
        "occasion": turn.occasion,
        "what": msgspec.json.encode(about).decode(),
        "state": deeds.first_state(kind),
        "not_before": turn.now,
        "made": turn.now,
        "run": turn.run,
        "attempts": 0,
    }
    made = [(out.identity(turn.began, source, step, person, turn.occasion), person) for person in people]
    deeds.plan(turn.connection, [common | {"id": id_, "person_id": person} for id_, person in made])
    turn.done.deeds[kind] = turn.done.deeds.get(kind, 0) + len(made)
