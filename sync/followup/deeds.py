"""What actions do beyond the sheet and the e-mails: one row of `deed` each, recorded before it is done, settled after.

    review, forget   a line in the tab To check           a person's tick settles it
    notify           a line in the next e-mail to the team
    webhook          a signed message to another program  behind the brake
    newsletter       a change in a newsletter service     behind the brake, and the first batch is asked for

A deed is unique by (rule, step, person, occasion), like an e-mail, and has its states: planned, waiting, approved,
sending, done; held, cancelled, failed, uncertain. What needs nobody's approval is `approved` from the first. A journey's
has its time, after which it is held for good; a line in the tab To check stays until it is ticked or taken back.
Every function works inside the transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup.tables import OPEN_STATES, deed, rule_state
from sync.store.base import Utc, insert_new, slices

KINDS = ("review", "forget", "notify", "webhook", "newsletter")
BRAKED = ("webhook", "newsletter")
ASKED = ("newsletter",)
TICKED = ("review", "forget")
FIRST_PAUSE = timedelta(minutes=30)
MOST_ATTEMPTS = 8
TOO_LATE = timedelta(days=30)
LET_GO_FOR = timedelta(days=3)  # quiet hours and days may lie between
SETTLED = ("dropped", "split")
"""Reasons of `cancelled` that stay: a person took it out, or it was done for whom they were taken for."""
ANEW = ("state", "what", "not_before", "no_later_than", "made", "run", "attempts")
"""What a deed that was taken back has anew when it comes back."""
Row = sa.Row[Any]


def plan(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put deeds of one rule, step and occasion in, each identity once. One that was cancelled takes its old place, unless
    a person of the team dropped it, or it was done for the person they were taken for.
    """
    if not rows:
        return
    same = [deed.c[name] == rows[0][name] for name in ("org", "rule", "step", "occasion")]
    for some in slices([row["person_id"] for row in rows]):
        back = sa.update(deed).where(*same, deed.c.person_id.in_(some), deed.c.state == "cancelled")
        back = back.where(*(deed.c.reason.is_distinct_from(one) for one in SETTLED))
        connection.execute(back.values(reason=None, batch=None, **{name: rows[0][name] for name in ANEW}))
    insert_new(connection, deed, rows)


def first_state(kind: str) -> str:
    return "planned" if kind in BRAKED else "approved"


def what(row: Row) -> dict[str, Any]:
    """What the deed is about: `text`, or `webhook` and `fields`, or `change`, `tag` and `source`."""
    found: dict[str, Any] = msgspec.json.decode(row.what)
    return found


def cancel(connection: Connection, org: int, rule: str, reason: str, people: Collection[int] | None = None) -> int:
    """Take back what was not done: of these people, or of everybody. What the team is to be told of it is told."""
    mine = (deed.c.org == org, deed.c.rule == rule, deed.c.state.in_(OPEN_STATES))
    taken_back = sa.update(deed).where(*mine).values(state="cancelled", reason=reason)
    if people is None:
        return connection.execute(taken_back).rowcount
    of_them = taken_back.where(deed.c.kind != "notify")
    return sum(
        connection.execute(of_them.where(deed.c.person_id.in_(some))).rowcount for some in slices(sorted(people))
    )


def drop_steps(connection: Connection, org: int, rule: str, steps: Collection[str]) -> int:
    """Take back what the rule no longer asks for: `steps` are those that it still has."""
    mine = (deed.c.org == org, deed.c.rule == rule, deed.c.state.in_(OPEN_STATES))
    gone = set(connection.scalars(sa.select(deed.c.step).where(*mine).distinct())) - set(steps)
    dropped = sa.update(deed).where(*mine, deed.c.step.in_(gone))
    return connection.execute(dropped.values(state="cancelled", reason="rule-changed")).rowcount if gone else 0


def resume(connection: Connection, org: int, rule: str, now: datetime) -> None:
    """A rule comes back: what its pause took back is open again, unless it is too late."""
    mine = (deed.c.org == org, deed.c.rule == rule, deed.c.state == "cancelled", deed.c.made >= now - TOO_LATE)
    in_time = sa.or_(deed.c.no_later_than.is_(None), deed.c.no_later_than >= now)
    paused = sa.update(deed).where(*mine, in_time, deed.c.reason.in_(("rule-paused", "rule-removed")))
    first = sa.case((deed.c.kind.in_(BRAKED), "planned"), else_="approved")
    connection.execute(paused.values(state=first, reason=None, batch=None))


def expire(connection: Connection, org: int, now: datetime) -> None:
    """What nobody approved, and what could not be done, in its time or within 30 days, is held for good."""
    old = sa.and_(deed.c.kind.in_(BRAKED), deed.c.no_later_than.is_(None), deed.c.made < now - TOO_LATE)
    fresh = sa.or_(deed.c.reason.is_(None), deed.c.reason != "too-late")
    late = (sa.or_(old, deed.c.no_later_than < now), deed.c.state.in_(OPEN_STATES), fresh)
    connection.execute(sa.update(deed).where(deed.c.org == org, *late).values(state="held", reason="too-late"))


def people(org: int, rule: str) -> sa.Select[Any]:
    """Whom a rule wants to do something for that the brake may stop."""
    mine = (deed.c.org == org, deed.c.rule == rule, deed.c.kind.in_(BRAKED))
    return sa.select(deed.c.person_id).where(*mine, deed.c.state.in_(("planned", "waiting")))


def let_go(connection: Connection, org: int, rule: str, batch: str, *, braked: bool, known: bool) -> None:
    """What a rule planned goes on: to be done, or to wait for a person. `known`: one has said yes to such of it before."""
    planned = (deed.c.org == org, deed.c.rule == rule, deed.c.state == "planned")
    asked = BRAKED if braked else () if known else ASKED
    waits = sa.update(deed).where(*planned, deed.c.kind.in_(asked), deed.c.approved_at.is_(None))
    connection.execute(waits.values(state="waiting", batch=batch))
    connection.execute(sa.update(deed).where(*planned).values(state="approved", batch=batch))


def approve(connection: Connection, org: int, which: sa.ColumnElement[bool], who: str, now: datetime) -> int:
    """Let those go that wait and that `which` is true of; gives how many."""
    waiting = sa.update(deed).where(deed.c.org == org, deed.c.state == "waiting", which)
    return connection.execute(waiting.values(state="approved", reason=None, approved_at=now, approved_by=who)).rowcount


def ask_again(connection: Connection, org: int) -> None:
    """Take every approval back."""
    going = (deed.c.org == org, deed.c.kind.in_(BRAKED), deed.c.state.in_(("planned", "approved", "held")))
    why = sa.case((deed.c.approved_at.is_not(None), "asked-again"), else_=None)
    none = {"state": "planned", "reason": why, "batch": None, "approved_at": None, "approved_by": None}
    connection.execute(sa.update(deed).where(*going).values(none))


def again(connection: Connection, org: int, id_: str, who: str, now: datetime) -> bool:
    """A person wants one that failed to be tried once more, in the next days if its time is over."""
    mine = sa.update(deed).where(deed.c.org == org, deed.c.id == id_, deed.c.state.in_(("failed", "uncertain")))
    last = sa.literal(now + LET_GO_FOR, Utc)
    latest = sa.case((deed.c.no_later_than < last, last), else_=deed.c.no_later_than)
    values: dict[str, Any] = {"state": "approved", "reason": None, "attempts": 0, "not_before": now, "approved_by": who}
    values["no_later_than"] = latest
    return connection.execute(mine.values(values)).rowcount == 1


def drop(connection: Connection, org: int, id_: str, who: str) -> bool:
    """A person does not want it done."""
    open_ones = deed.c.state.in_((*OPEN_STATES, "uncertain", "failed"))
    mine = sa.update(deed).where(deed.c.org == org, deed.c.id == id_, open_ones)
    return connection.execute(mine.values(state="cancelled", reason="dropped", approved_by=who)).rowcount == 1


def tick(connection: Connection, org: int, id_: str, now: datetime) -> None:
    """Somebody looked at it: the record is right as it is, the person is to be kept."""
    mine = sa.update(deed).where(deed.c.org == org, deed.c.id == id_, deed.c.state.in_(OPEN_STATES))
    connection.execute(mine.values(state="done", settled_at=now, approved_by="sheet"))


def verified(connection: Connection, org: int) -> dict[int, datetime]:
    """When somebody last ticked a person's record as right (UTC)."""
    ticked = (deed.c.org == org, deed.c.kind == "review", deed.c.state == "done")
    rows = sa.select(deed.c.person_id, sa.func.max(deed.c.settled_at).label("at")).where(*ticked)
    return {row.person_id: row.at for row in connection.execute(rows.group_by(deed.c.person_id))}


def listed(
    connection: Connection, org: int, kinds: Collection[str], states: Collection[str] = (), limit: int = 5_000
) -> list[Row]:
    """Deeds of these kinds, the newest first; in these states, or in any."""
    rows = sa.select(deed).where(deed.c.org == org, deed.c.kind.in_(kinds))
    if states:
        rows = rows.where(deed.c.state.in_(states))
    return list(connection.execute(rows.order_by(deed.c.made.desc(), deed.c.id).limit(limit)).all())


def counts(connection: Connection, org: int) -> dict[tuple[str, str, str | None], int]:
    """How many by (kind, state, reason)."""
    rows = sa.select(deed.c.kind, deed.c.state, deed.c.reason, sa.func.count()).where(deed.c.org == org)
    return {
        (kind, state, why): n for kind, state, why, n in connection.execute(rows.group_by("kind", "state", "reason"))
    }


# Doing them ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of one: `state` done, held, failed, or approved (to be tried again), and why, in a word. `counted`:
    whether this try was one of the 8.
    """

    state: str
    reason: str | None = None
    answer: str | None = None
    counted: bool = True


def interrupted(connection: Connection, org: int, kind: str) -> None:
    """What a dead run was doing is done once more: these kinds do no harm when done twice."""
    left = sa.update(deed).where(deed.c.org == org, deed.c.kind == kind, deed.c.state == "sending")
    connection.execute(left.values(state="approved"))


def due(connection: Connection, org: int, kind: str, now: datetime) -> list[Row]:
    """Those to be done, oldest first; also those held for a reason that may be gone. Rules with a stale source wait."""
    stale = sa.select(rule_state.c.rule).where(rule_state.c.org == org, rule_state.c.stale.is_not(None))
    open_ones = (deed.c.state.in_(("approved", "held")), deed.c.rule.not_in(stale))
    rows = sa.select(deed).where(deed.c.org == org, deed.c.kind == kind, *open_ones)
    rows = rows.where(deed.c.not_before <= now, sa.or_(deed.c.reason.is_(None), deed.c.reason != "too-late"))
    return list(connection.execute(rows.order_by(deed.c.made, deed.c.rule, deed.c.person_id)).all())


def claim(connection: Connection, row: Row) -> bool:
    """Write down that it is being done; False when somebody else was quicker, or it was taken back."""
    mine = sa.update(deed).where(deed.c.org == row.org, deed.c.id == row.id, deed.c.state.in_(("approved", "held")))
    mine = mine.where(deed.c.attempts == row.attempts)
    return connection.execute(mine.values(state="sending", attempts=row.attempts + 1)).rowcount == 1


def settle(connection: Connection, row: Row, became: Outcome, now: datetime) -> str:
    """Write down what became of it, and give its state. One to be tried again waits twice as long each time; after 8 times
    it has failed.
    """
    state, reason = became.state, became.reason
    if state == "approved" and became.counted and row.attempts + 1 >= MOST_ATTEMPTS:
        state, reason = "failed", "refused-too-often"
    values: dict[str, Any] = {"state": state, "reason": reason, "answer": became.answer}
    if state == "held" or not became.counted:
        values["attempts"] = row.attempts
    elif state == "approved":
        values["not_before"] = now + FIRST_PAUSE * 2**row.attempts
    elif state in {"done", "failed"}:
        values["settled_at"] = now
    mine = sa.update(deed).where(deed.c.org == row.org, deed.c.id == row.id)
    connection.execute(mine.where(deed.c.state == "sending").values(values))
    return state
