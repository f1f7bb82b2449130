"""What an action does for people, one function a kind: for those who enter a rule, and wherever else actions stand.

`source` is whose action it is (a rule's id), `step` its lasting name there. The same once more on one day adds nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from rules.conditions import Email, Forget, Newsletter, Notify, Review, SetCell, Task, Webhook
from sync.followup import deeds
from sync.followup import outbox as out
from sync.followup.tables import cell_to_set, deed, outbox, task
from sync.followup.turn import HALF_A_DAY, Term, Turn
from sync.store.base import insert_new, slices, upsert

Deed = Notify | Webhook | Newsletter | Review | Forget
LONGEST_DAY = timedelta(hours=25)  # the one on which an hour comes twice


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
    anew = {"batch": None} | {name: common[name] for name in ("state", "due", "made", "run")}
    for some in slices([id_ for id_, _ in made]):
        back = sa.update(task).where(task.c.org == turn.org, task.c.id.in_(some), task.c.state == "cancelled")
        turn.connection.execute(back.values(anew))
    insert_new(turn.connection, task, [common | {"id": id_, "person_id": person} for id_, person in made])
    turn.done.tasks += len(made)


def send_email(
    turn: Turn, source: str, step: str, action: Email, people: Sequence[int], term: Term | None = None
) -> None:
    """Planned in the outbox, to leave in its time and once a person approved."""
    turn.done.mails += out.plan(turn.connection, _mails(turn, source, step, action, people, term))


def leave_out(turn: Turn, source: str, step: str, action: Email, people: Sequence[int], reason: str) -> None:
    """Written down in the outbox as an e-mail that does not go, and why."""
    rows = _mails(turn, source, step, action, people, None)
    insert_new(turn.connection, outbox, [row | {"state": "cancelled", "reason": reason} for row in rows])


def _mails(
    turn: Turn, source: str, step: str, action: Email, people: Sequence[int], term: Term | None
) -> list[dict[str, Any]]:
    term = term or _from_now(turn, action)
    common = {
        "org": turn.org,
        "rule": source,
        "step": step,
        "occasion": term.occasion,
        "state": "planned",
        "reason": None,
        "template": action.template,
        "purpose": action.purpose,
        "not_before": term.not_before,
        "no_later_than": term.no_later_than,
        "created_at": turn.now,
        "created_run": turn.run,
        "attempts": 0,
    }
    return [common | {"id": out.identity(turn.began, source, step, p, term.occasion), "person_id": p} for p in people]


def _from_now(turn: Turn, action: Email) -> Term:
    """Today's occasion, after the wait of a rule's e-mail."""
    not_before = turn.later(action.wait)
    latest = min(not_before, datetime.max.replace(tzinfo=not_before.tzinfo) - HALF_A_DAY)
    try:
        no_later_than = latest + action.no_later_than.delta
    except (OverflowError, ValueError):
        no_later_than = datetime.max.replace(tzinfo=turn.now.tzinfo)
    return Term(turn.occasion, not_before, no_later_than)


def do_deed(turn: Turn, source: str, step: str, action: Deed, people: Sequence[int], term: Term | None = None) -> None:
    """What is done beyond the sheet and the e-mails: `deeds` says by what. A review is asked for by `ask_review`."""
    kind, about = deed_of(action)
    _plan(turn, kind, source, step, about, people, term)


def deed_of(action: Deed) -> tuple[str, dict[str, Any]]:
    """The kind of a deed, and what it is about, as `deeds.what` tells it."""
    match action:
        case Notify(text=text):
            return "notify", {"text": text}
        case Webhook(name=name, fields=fields):
            return "webhook", {"webhook": name, "fields": list(fields)}
        case Newsletter(change=change, tag=tag, source=source):
            return "newsletter", {"change": change, "tag": tag, "source": source}
        case Review():
            return "review", {}
        case Forget(reason=reason):
            return "forget", {"text": reason}


def ask_review(turn: Turn, source: str, step: str, action: Review, inside: Sequence[int]) -> None:
    """Lines in the tab To check for some of those `inside`, as `next_reviews` chooses them."""
    do_deed(turn, source, step, action, next_reviews(turn, source, step, action, inside))


def next_reviews(turn: Turn, source: str, step: str, action: Review, candidates: Sequence[int]) -> list[int]:
    """Whose records are to be checked now: so many a day, and never more open ones; who was checked longest ago first, who
    never was before all others.
    """
    mine = (deed.c.org == turn.org, deed.c.kind == "review", deed.c.state != "cancelled")
    asked = sa.select(deed)
    open_or_new = sa.or_(deed.c.state == "approved", deed.c.made >= turn.now - LONGEST_DAY)
    rows: Sequence[deeds.Row] = turn.connection.execute(asked.where(*mine, open_or_new)).all()
    known = [row for row in rows if row.state == "approved" or _day_of(row) == turn.occasion]
    ours = [row for row in known if (row.rule, row.step) == (source, step)]
    today = sum(_day_of(row) == turn.occasion for row in ours)
    room = action.a_day - max(today, sum(row.state == "approved" for row in ours))
    if room <= 0:
        return []
    last = deeds.verified(turn.connection, turn.org)
    free = set(candidates) - {row.person_id for row in known}
    never = datetime.min.replace(tzinfo=turn.now.tzinfo)
    return heapq.nsmallest(room, free, key=lambda person: (last.get(person, never), person))


def _day_of(row: deeds.Row) -> str:
    """The local day on which a review was asked for; of one from before this was kept it is the occasion."""
    return str(deeds.what(row).get("day", row.occasion))


def _plan(
    turn: Turn, kind: str, source: str, step: str, about: Mapping[str, object], people: Sequence[int], term: Term | None
) -> None:
    if not people:
        return
    occasion = term.occasion if term else turn.occasion
    common = {
        "org": turn.org,
        "kind": kind,
        "rule": source,
        "step": step,
        "occasion": occasion,
        "what": msgspec.json.encode({**about, "day": turn.occasion} if kind == "review" else about).decode(),
        "state": deeds.first_state(kind),
        "not_before": term.not_before if term else turn.now,
        "no_later_than": term.no_later_than if term and kind not in deeds.TICKED else None,
        "made": turn.now,
        "run": turn.run,
        "attempts": 0,
    }
    made = [(out.identity(turn.began, source, step, person, occasion), person) for person in people]
    deeds.plan(turn.connection, [common | {"id": id_, "person_id": person} for id_, person in made])
    turn.done.deeds[kind] = turn.done.deeds.get(kind, 0) + len(made)
