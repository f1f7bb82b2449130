"""The outbox: the only way out. Planned by `decide`, let go by a person's approval, emptied by `send`.

Every function works inside the transaction of its caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup import deeds
from sync.followup.tables import OPEN_STATES, PASSING, outbox, task
from sync.store.base import Utc, insert_new, slices

SPLIT = "split"
"""Why somebody never gets an e-mail: it went while they and its reader were taken for one."""
HAD_LATELY = "had-lately"
"""Why news of a rule does not go to somebody who comes into it again soon."""
HAD_ELSEWHERE = "had-elsewhere"
"""Why news does not go to somebody who had the same e-mail from another rule or journey lately."""
WENT = "went-before"
"""As `SPLIT`: a database that was lost sent it, as the sheet tells."""
SETTLED = ("dropped", SPLIT, WENT)
"""Reasons of `cancelled` that stay: such an e-mail counts as done."""
ASKED_AGAIN = "asked-again"
"""Why an e-mail that was approved waits once more: its text was changed, or the database is an older copy."""


def identity(began: datetime, rule: str, step: str, person_id: int, occasion: str) -> str:
    """The lasting name of an e-mail or task. `began`: when this store began to count people; another counts otherwise."""
    words = f"{began.isoformat()}\0{rule}\0{step}\0{person_id}\0{occasion}"
    return blake2b(words.encode(), digest_size=8).hexdigest()


def plan(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Put e-mails in, each identity once. One cancelled earlier the same day takes its old place, unless a person of the
    team dropped it, or it went to the person they were taken for. Gives how many.
    """
    if not rows:
        return 0
    before = _planned(connection, rows[0]["org"])
    if _any_cancelled(connection, rows[0]):
        _revive(connection, rows)
    insert_new(connection, outbox, rows)
    return _planned(connection, rows[0]["org"]) - before


def _planned(connection: Connection, org: int) -> int:
    return connection.scalar(_count().where(outbox.c.org == org, outbox.c.state == "planned")) or 0


def _any_cancelled(connection: Connection, row: Mapping[str, Any]) -> bool:
    same = [outbox.c[name] == row[name] for name in ("org", "rule", "step", "occasion")]
    return bool(connection.scalar(_count().where(*same, outbox.c.state == "cancelled")))


def _revive(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    keys = ("org", "rule", "step", "person_id", "occasion")
    times = ("not_before", "no_later_than")
    statement = (
        sa.update(outbox)
        .where(*(outbox.c[key] == sa.bindparam(f"b_{key}") for key in keys), outbox.c.state == "cancelled")
        .where(*(outbox.c.reason.is_distinct_from(one) for one in SETTLED))  # a list can't stand in a statement of many
        .values(state="planned", reason=None, batch=None, **{name: sa.bindparam(f"b_{name}") for name in times})
    )
    connection.execute(statement, [{f"b_{name}": row[name] for name in (*keys, *times)} for row in rows])


def cancel(connection: Connection, org: int, rule: str, reason: str, people: Collection[int] | None = None) -> int:
    """Take back what has not gone: of these people, or of everybody. Tasks that wait for approval go too, and deeds."""
    deeds.cancel(connection, org, rule, reason, people)
    mails = sa.update(outbox).values(state="cancelled", reason=reason)
    mails = mails.where(outbox.c.org == org, outbox.c.rule == rule, outbox.c.state.in_(OPEN_STATES))
    tasks = sa.update(task).values(state="cancelled")
    tasks = tasks.where(task.c.org == org, task.c.rule == rule, task.c.state == "waiting")
    if people is None:
        connection.execute(tasks)
        return connection.execute(mails).rowcount
    cancelled = 0
    for some in slices(sorted(people)):
        connection.execute(tasks.where(task.c.person_id.in_(some)))
        cancelled += connection.execute(mails.where(outbox.c.person_id.in_(some))).rowcount
    return cancelled


def expire(connection: Connection, org: int, now: datetime) -> int:
    """What can no longer go in time is held for good; a reason of the person's own stays. Gives how many are new."""
    waits = sa.or_(outbox.c.state != "held", outbox.c.reason.in_(PASSING))
    fresh = (waits, outbox.c.no_later_than < now, outbox.c.state.in_(OPEN_STATES))
    late = sa.update(outbox).where(outbox.c.org == org, *fresh).values(state="held", reason="too-late")
    return connection.execute(late).rowcount


def resend(connection: Connection, org: int, id_: str, who: str, now: datetime) -> bool:
    """A person has made sure that an `uncertain` (or failed) e-mail did not arrive: it may go once more, in the next days
    if its time is over.
    """
    due = sa.case((outbox.c.not_before < now, outbox.c.not_before), else_=sa.literal(now, Utc))
    last = now + deeds.LET_GO_FOR
    latest = sa.case((outbox.c.no_later_than > last, outbox.c.no_later_than), else_=sa.literal(last, Utc))
    values: dict[str, Any] = {"state": "approved", "reason": None, "approved_at": now, "approved_by": who}
    values |= {"not_before": due, "no_later_than": latest}
    rows = sa.update(outbox).where(outbox.c.org == org, outbox.c.id == id_, outbox.c.state.in_(("uncertain", "failed")))
    return connection.execute(rows.values(values)).rowcount == 1 or deeds.again(connection, org, id_, who, now)


def drop(connection: Connection, org: int, id_: str, who: str) -> bool:
    """A person does not want this e-mail to go; an `uncertain` one is settled so."""
    rows = sa.update(outbox).where(
        outbox.c.org == org, outbox.c.id == id_, outbox.c.state.in_((*OPEN_STATES, "uncertain", "failed"))
    )
    dropped = connection.execute(rows.values(state="cancelled", reason="dropped", approved_by=who)).rowcount == 1
    return dropped or deeds.drop(connection, org, id_, who)


def counts(connection: Connection, org: int) -> dict[tuple[str, str | None], int]:
    """How many e-mails by (state, reason)."""
    rows = sa.select(outbox.c.state, outbox.c.reason, sa.func.count()).where(outbox.c.org == org)
    return {(state, reason): n for state, reason, n in connection.execute(rows.group_by("state", "reason"))}


def listed(connection: Connection, org: int, states: Collection[str] = (), limit: int = 1000) -> list[sa.Row[Any]]:
    """Rows of the outbox, the newest first; of these states, or of all."""
    rows = sa.select(outbox).where(outbox.c.org == org)
    if states:
        rows = rows.where(outbox.c.state.in_(states))
    return list(connection.execute(rows.order_by(outbox.c.created_at.desc(), outbox.c.id).limit(limit)).all())


def in_states(connection: Connection, org: int, states: Collection[str]) -> dict[str, str]:
    """The ids of the e-mails in these states, each with its rule."""
    rows = sa.select(outbox.c.id, outbox.c.rule).where(outbox.c.org == org, outbox.c.state.in_(states))
    return {row.id: row.rule for row in connection.execute(rows)}


def cancelled(connection: Connection, org: int, ids: Collection[str]) -> Counter[tuple[str, str]]:
    """How many of these e-mails are taken back, by rule and reason."""
    found: Counter[tuple[str, str]] = Counter()
    for some in slices(sorted(ids)):
        mine = sa.select(outbox.c.rule, outbox.c.reason, sa.func.count().label("n"))
        mine = mine.where(outbox.c.org == org, outbox.c.state == "cancelled", outbox.c.id.in_(some))
        for row in connection.execute(mine.group_by(outbox.c.rule, outbox.c.reason)):
            found[row.rule, row.reason or ""] += row.n
    return found


def where(org: int, state: str, *conditions: Any) -> sa.Update:
    return sa.update(outbox).where(outbox.c.org == org, outbox.c.state == state, *conditions)


def _count() -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(outbox)
