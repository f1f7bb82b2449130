"""What a person says yes to, and what goes by it: a rule's e-mails and deeds are let go, or wait for somebody.

Every function works inside the transaction of its caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.conditions import Action, Email, Newsletter
from sync.followup import deeds
from sync.followup.outbox import ASKED_AGAIN, where
from sync.followup.tables import approved_action, deed, outbox, rule_state, task
from sync.people.tables import person
from sync.store.base import insert_new

BRAKE_PEOPLE = 50
BRAKE_SHARE = 10  # a tenth of everybody
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Batch:
    """What one rule wants and waits for: `name` and `rule` can both be given to `approve`. `until`: the moments after which
    e-mails and deeds of it are too late, the nearest first, each with how many.
    """

    name: str
    rule: str
    rule_name: str
    mails: int
    tasks: int
    since: datetime
    deeds: int = 0
    until: tuple[tuple[datetime, int], ...] = ()


def release(
    connection: Connection, org: int, run: int, now: datetime, people_count: int,
    text: Callable[[str], str] | None = None,
) -> tuple[list[str], int]:  # fmt: skip
    """Let go what is due: straight to `approved` where a person has approved this e-mail of the rule, else to `waiting`. The names of
    the rules whose e-mails were reworded since come back: theirs wait for a person once more; and how many wait so that
    a person had approved alone. `text` tells how a template reads (`Templates.fingerprint`).

    The brake: a rule whose present meaning (digest) nobody approved waits when it would act on more than 50 people or
    a tenth of them, whichever is larger. The e-mails of rules with a stale source are held until it is fresh.
    """
    connection.execute(where(org, "held", outbox.c.reason == "stale-source").values(state="planned", reason=None))
    limit = most_at_once(people_count)
    active = sa.select(rule_state).where(rule_state.c.org == org, rule_state.c.active)
    reworded = [rule for rule in connection.execute(active).all() if _reworded(rule)]
    for rule in reworded:
        _take_approval_back(connection, org, rule.rule)
    alone = _reworded_alone(connection, org, text) if text else 0
    for rule in connection.execute(active).all():
        of_rule = outbox.c.rule == rule.rule
        due = sa.and_(of_rule, outbox.c.not_before <= now)
        if rule.stale is not None:
            connection.execute(where(org, "planned", due).values(state="held", reason="stale-source"))
            connection.execute(where(org, "approved", of_rule).values(state="held", reason="stale-source"))
            due = sa.false()
        _let_go(connection, org, rule, due, run, limit)
    if text:
        note_texts(connection, org, text)
    return [rule.name for rule in reworded], alone


def _let_go(connection: Connection, org: int, rule: sa.Row[Any], due: Any, run: int, limit: int) -> None:
    connection.execute(where(org, "planned", due, outbox.c.approved_at.is_not(None)).values(state="approved"))
    braked = (
        _meaning(rule.digest) != _meaning(rule.approved_digest) and _people(connection, org, rule.rule, due) > limit
    )
    batch = f"{rule.rule}-{run}"
    if rule.stale is None:
        known = rule.approved_at is not None and "" in set(
            connection.scalars(approved_names(org, rule.rule, "newsletter"))
        )
        deeds.let_go(connection, org, rule.rule, batch, braked=braked, known=known)
    tasks = (task.c.org == org, task.c.rule == rule.rule, task.c.state == "waiting", task.c.batch.is_(None))
    connection.execute(sa.update(task).where(*tasks).values({"batch": batch} if braked else {"state": "open"}))
    if not braked and rule.approved_at is not None:
        seen = outbox.c.template.in_(approved_names(org, rule.rule, "email"))
        approved = {
            "state": "approved",
            "approved_at": rule.approved_at,
            "approved_by": rule.approved_by,
            "reason": None,
        }
        connection.execute(where(org, "planned", due, seen).values(batch=batch, **approved))
    connection.execute(where(org, "planned", due).values(state="waiting", batch=batch))


def _people(connection: Connection, org: int, rule: str, due: Any) -> int:
    mails = sa.select(outbox.c.person_id).where(outbox.c.org == org, outbox.c.rule == rule)
    mails = mails.where(sa.or_(outbox.c.state == "waiting", sa.and_(outbox.c.state == "planned", due)))
    tasks = sa.select(task.c.person_id).where(task.c.org == org, task.c.rule == rule, task.c.state == "waiting")
    return (
        connection.scalar(
            sa.select(sa.func.count()).select_from(mails.union(tasks, deeds.people(org, rule)).subquery())
        )
        or 0
    )


def _reworded(rule: sa.Row[Any]) -> bool:
    """Are its e-mails other ones than those approved? Of an approval from before this was kept, nobody can tell."""
    return _other_letters(rule.approved_digest, rule.digest)


def _reworded_alone(connection: Connection, org: int, text: Callable[[str], str]) -> int:
    going = (
        outbox.c.org == org,
        outbox.c.state.in_(("planned", "approved", "held")),
        outbox.c.approved_at.is_not(None),
    )
    late = sa.and_(outbox.c.state == "held", outbox.c.reason == "too-late")
    known = sa.and_(*going, sa.not_(late), outbox.c.text.is_not(None))
    alone = connection.execute(sa.select(outbox.c.template, outbox.c.text).where(known).distinct()).all()
    again = 0
    for name, shown in alone:
        if shown != text(name):
            mine = sa.update(outbox).where(known, outbox.c.template == name, outbox.c.text == shown)
            again += connection.execute(mine.values(_UNAPPROVED)).rowcount
    return again


def _take_approval_back(connection: Connection, org: int, rule: str) -> None:
    mine = (rule_state.c.org == org, rule_state.c.rule == rule)
    none = {"approved_digest": None, "approved_at": None, "approved_by": None}
    connection.execute(sa.update(rule_state).where(*mine).values(none))
    of_rule = (approved_action.c.org == org, approved_action.c.rule == rule)
    connection.execute(sa.delete(approved_action).where(*of_rule))
    going = (outbox.c.org == org, outbox.c.rule == rule, outbox.c.state.in_(("planned", "approved", "held")))
    late = sa.and_(outbox.c.state == "held", outbox.c.reason == "too-late")
    connection.execute(sa.update(outbox).where(*going, sa.not_(late)).values(_UNAPPROVED))


_UNAPPROVED: dict[str, Any] = {
    "state": "planned", "batch": None, "approved_at": None, "approved_by": None,
    "reason": sa.case((outbox.c.approved_at.is_not(None), ASKED_AGAIN), else_=None),
}  # fmt: skip


def note_texts(connection: Connection, org: int, text: Callable[[str], str]) -> None:
    """What waits is about to be shown to a person: how each reads now."""
    waiting = (outbox.c.org == org, outbox.c.state == "waiting")
    for name in connection.scalars(sa.select(outbox.c.template).where(*waiting).distinct()).all():
        other = outbox.c.text.is_distinct_from(text(name))
        connection.execute(sa.update(outbox).where(*waiting, outbox.c.template == name, other).values(text=text(name)))


def waits(connection: Connection, org: int) -> list[Batch]:
    """What waits for a person's approval, the oldest first."""
    found: dict[str, Batch] = {}
    rules = sa.select(rule_state.c.rule, rule_state.c.name).where(rule_state.c.org == org)
    names = {row.rule: row.name for row in connection.execute(rules)}
    kinds = {"mails": (outbox, outbox.c.created_at), "tasks": (task, task.c.made), "deeds": (deed, deed.c.made)}
    for kind, (table, made) in kinds.items():
        groups = sa.select(table.c.batch, table.c.rule, sa.func.count().label("n"), sa.func.min(made).label("since"))
        groups = groups.where(table.c.org == org, table.c.state == "waiting", table.c.batch.is_not(None))
        for row in connection.execute(groups.group_by(table.c.batch, table.c.rule)):
            old = found.get(row.batch) or Batch(row.batch, row.rule, names.get(row.rule, row.rule), 0, 0, row.since)
            found[row.batch] = replace(old, since=min(old.since, row.since), **{kind: row.n})
    for name, ends in _ends(connection, org).items():
        found[name] = replace(found[name], until=tuple(sorted(ends.items())))
    return sorted(found.values(), key=lambda batch: (batch.since, batch.name))


def _ends(connection: Connection, org: int) -> dict[str, Counter[datetime]]:
    """By batch, when what waits in it is held for good."""
    found: dict[str, Counter[datetime]] = {}
    for table, made in ((outbox, outbox.c.created_at), (deed, deed.c.made)):
        waiting = (table.c.org == org, table.c.state == "waiting", table.c.batch.is_not(None))
        groups = (table.c.batch, table.c.no_later_than, made.label("made"))
        for row in connection.execute(sa.select(*groups, sa.func.count().label("n")).where(*waiting).group_by(*groups)):
            end = row.no_later_than or row.made + deeds.TOO_LATE
            found.setdefault(row.batch, Counter())[end] += row.n
    return found


def waiting_rules(connection: Connection, org: int) -> list[Batch]:
    """The same by rule, whatever the number of batches: `name` is the rule's, as `approve` takes it. What is too late first
    comes first.
    """
    found: dict[str, Batch] = {}
    for one in waits(connection, org):
        old = found.get(one.rule) or Batch(one.rule, one.rule, one.rule_name, 0, 0, one.since)
        found[one.rule] = replace(
            old, mails=old.mails + one.mails, tasks=old.tasks + one.tasks, deeds=old.deeds + one.deeds,
            until=tuple(sorted((*old.until, *one.until))),
        )  # fmt: skip
    return sorted(found.values(), key=lambda one: one.until[0][0] if one.until else NEVER)


def waiting_now(connection: Connection, org: int, rule: str) -> list[str]:
    """The ids of all that waits of a rule, by which another lot of it is told apart."""
    found: list[Any] = []
    for table in (outbox, deed, task):
        mine = (table.c.org == org, table.c.rule == rule, table.c.state == "waiting")
        found += connection.scalars(sa.select(table.c.id).where(*mine).order_by(table.c.id)).all()
    return [str(one) for one in found]


def approve(
    connection: Connection, org: int, what: str, who: str, now: datetime, *, anew: bool = True
) -> int:  # fmt: skip
    """Let go a rule, one batch of it, or one e-mail by its id; gives how many e-mails, tasks and deeds were waiting for it.

    With a rule or a batch the rule itself is approved as it stands, with those of its e-mails that were there to be seen:
    these go by themselves later, until its meaning changes and it would act on many people at once. Another e-mail of
    it, a later step's, waits when it first comes. 0: nothing of that name waits. An e-mail approved
    alone is so for the text that it was shown with. A yes that is not given `anew` (a tick that stood there before) is
    none to what was asked again since.
    """
    approved = {"state": "approved", "reason": None, "approved_at": now, "approved_by": who}
    one = [outbox.c.id == what] if anew else [outbox.c.id == what, outbox.c.reason.is_distinct_from(ASKED_AGAIN)]
    other = [deed.c.id == what] if anew else [deed.c.id == what, deed.c.reason.is_distinct_from(ASKED_AGAIN)]
    alone = connection.execute(where(org, "waiting", *one).values(approved)).rowcount
    if alone := alone + deeds.approve(connection, org, sa.and_(*other), who, now):
        return alone
    approved["text"] = None  # the rule keeps its own
    let_go = 0
    for batch in waits(connection, org):
        if what in {batch.name, batch.rule, batch.rule_name}:
            _note_seen(connection, org, batch)
            let_go += connection.execute(where(org, "waiting", outbox.c.batch == batch.name).values(approved)).rowcount
            tasks = (task.c.org == org, task.c.batch == batch.name, task.c.state == "waiting")
            let_go += connection.execute(sa.update(task).where(*tasks).values(state="open")).rowcount
            let_go += deeds.approve(connection, org, deed.c.batch == batch.name, who, now)
            _approve_rule(connection, org, batch.rule, who, now)
    return let_go


def _note_seen(connection: Connection, org: int, batch: Batch) -> None:
    seen = _waiting(connection, org, outbox.c.batch == batch.name, deed.c.batch == batch.name)
    rows = [{"org": org, "rule": batch.rule, "kind": kind, "name": name} for kind, name in sorted(seen)]
    insert_new(connection, approved_action, rows)


def _waiting(connection: Connection, org: int, mails: Any, others: Any) -> set[tuple[str, str]]:
    names = sa.select(outbox.c.template).where(outbox.c.org == org, outbox.c.state == "waiting", mails)
    kinds = sa.select(deed.c.kind).where(deed.c.org == org, deed.c.state == "waiting", others)
    asked = connection.scalars(kinds.where(deed.c.kind.in_(deeds.ASKED)).distinct())
    return {("email", name) for name in connection.scalars(names.distinct())} | {(kind, "") for kind in asked}


def _approve_rule(connection: Connection, org: int, rule: str, who: str, now: datetime) -> None:
    connection.execute(
        sa.update(rule_state)
        .where(rule_state.c.org == org, rule_state.c.rule == rule)
        .values(approved_digest=rule_state.c.digest, approved_at=now, approved_by=who)
    )


def note_digests(connection: Connection, org: int, digests: Mapping[str, str]) -> None:
    """The rules (by id) as they stand now: who approves at the command line approves what `preview` shows there."""
    for rule, kept in digests.items():
        mine = (rule_state.c.org == org, rule_state.c.rule == rule)
        connection.execute(sa.update(rule_state).where(*mine).values(digest=kept))


def ask_again(connection: Connection, org: int) -> None:
    """Take every approval back: what is about to go, and what rules will have go, waits for a person once more."""
    deeds.ask_again(connection, org)
    connection.execute(sa.delete(approved_action).where(approved_action.c.org == org))
    none = {"approved_digest": None, "approved_at": None, "approved_by": None}
    connection.execute(sa.update(rule_state).where(rule_state.c.org == org).values(none))
    going = (outbox.c.org == org, outbox.c.state.in_(("planned", "approved", "held")))
    connection.execute(sa.update(outbox).where(*going).values(_UNAPPROVED))


def approvable(action: Action) -> tuple[str, str] | None:
    """The kind and name under which a yes to it is kept; None for what asks nobody."""
    match action:
        case Email(template=name):
            return "email", name
        case Newsletter():
            return "newsletter", ""
    return None


def shown(connection: Connection, org: int, rule: str) -> set[tuple[str, str]]:
    """What of a rule a yes is for: what was said yes to before, and what waits now."""
    known = sa.select(approved_action.c.kind, approved_action.c.name)
    rows = connection.execute(known.where(approved_action.c.org == org, approved_action.c.rule == rule))
    return {(row.kind, row.name) for row in rows} | _waiting(
        connection, org, outbox.c.rule == rule, deed.c.rule == rule
    )


def approved_names(org: int, rule: str, kind: str) -> sa.Select[Any]:
    """The names of what a person has said yes to."""
    mine = (approved_action.c.org == org, approved_action.c.rule == rule, approved_action.c.kind == kind)
    return sa.select(approved_action.c.name).where(*mine)


def would_wait(connection: Connection, org: int, rule: str, digest: str, kind: str, name: str) -> bool:
    """Whether what a run plans now for a rule or journey waits for a person: `kind` email with the template's `name`, or
    newsletter without. `digest`: as the rule is written now.
    """
    row = connection.execute(sa.select(rule_state).where(rule_state.c.org == org, rule_state.c.rule == rule)).first()
    if row is None or row.approved_at is None or _other_letters(row.approved_digest, digest):
        return True
    return name not in set(connection.scalars(approved_names(org, rule, kind)))


def most_at_once(people_count: int) -> int:
    """The brake: for more people than this at once, what is new or changed waits."""
    return max(BRAKE_PEOPLE, people_count // BRAKE_SHARE)


def brake(connection: Connection, org: int, rule: str, digest: str) -> int | None:
    """For how many people at most a run acts without asking; None where the present meaning of the rule is approved."""
    row = connection.execute(sa.select(rule_state).where(rule_state.c.org == org, rule_state.c.rule == rule)).first()
    if row is not None and _meaning(digest) == _meaning(row.approved_digest):
        return None
    mine = (person.c.org == org, person.c.live, person.c.merged_into.is_(None))
    return most_at_once(connection.scalar(sa.select(sa.func.count()).select_from(person).where(*mine)) or 0)


def digest(meaning: str, letters: str) -> str:
    """What is approved with a rule: its meaning, and its e-mails as they stand."""
    return f"{meaning}+{letters}"


def _meaning(kept: str | None) -> str | None:
    return None if kept is None else kept.partition("+")[0]


def _other_letters(approved: str | None, present: str) -> bool:
    then, now = ((kept or "").partition("+")[2] for kept in (approved, present))
    return bool(then) and then != now
