"""From verdicts to deeds: who enters, stays in and leaves each rule, and what follows, once.

Bulk work is Polars and SQL; only people whose standing changed become Python objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.conditions import (
    Action,
    Book,
    Email,
    Flag,
    Forget,
    Newsletter,
    Notify,
    Period,
    Review,
    Rule,
    SetCell,
    Task,
    Webhook,
)
from rules.journeys import Journey, name_of_deed
from sync.followup import acts, approvals, deeds
from sync.followup import outbox as out
from sync.followup.tables import (
    OPEN_STATES,
    approved_action,
    cell_to_set,
    deed,
    flag,
    is_in,
    journey_step,
    outbox,
    rule_state,
    standing,
    task,
)
from sync.followup.templates import Templates
from sync.followup.turn import HALF_A_DAY, Decisions, Moved, Turn
from sync.store.base import organisation, slices, upsert

BY_RULE = (rule_state, approved_action, standing, flag, cell_to_set, task, deed, outbox, journey_step)


def decide(  # noqa: PLR0913  one run's facts, each told from outside
    connection: Connection,
    org: int,
    book: Book,
    verdicts: pl.DataFrame,
    run: int,
    now: datetime,
    today: date,
    *,
    stale_rules: Mapping[str, str],
    people_count: int,
    walk: Callable[[Turn], None] = lambda _turn: None,
    templates: Templates | None = None,
    apart: Period | None = None,
) -> Decisions:
    """Compare `verdicts` with where everybody stood, and write down all that follows, in the caller's transaction.

    `verdicts` has one row for *every* person (`person_id`) and one Boolean column a rule id; null is unknown: the
    person stays as they were. Somebody who has no row (merged, erased) leaves. `today` is the local day. The same call
    once more changes nothing. `stale_rules` tells, by rule, which source was not pulled in time: its e-mails wait.
    `walk` follows the journeys, once the rules are decided and before anything is let go. `templates`: whoever approved
    a rule approved its e-mails as they stood; reworded, they wait for a person once more. `apart`: who had a rule's
    marketing e-mail less long ago does not get it for coming in again, unless the e-mail says `again` itself.
    """
    began = connection.execute(sa.select(organisation.c.created).where(organisation.c.id == org)).scalar_one()
    turn = Turn(connection, org, run, now, today, began, Decisions(), lambda email: _is_news(email, templates), apart)
    _rename(turn, book)
    active = [rule for rule in book.rules if rule.active and rule.id in verdicts.columns]
    _retire(turn, book)
    journeys = [journey for journey in book.journeys if journey.active]
    _resume(turn, [*active, *journeys])
    _remember(turn, [*active, *journeys], stale_rules, templates)
    inside = _inside(turn)
    nobody = pl.Series("person_id", [], dtype=pl.Int64)
    for rule in active:
        _follow(turn, rule, verdicts.select("person_id", verdict=rule.id), inside.get(rule.id, nobody))
    walk(turn)
    turn.done.too_late = out.expire(connection, org, now)
    deeds.expire(connection, org, now)
    text = None if templates is None else lambda name: templates.fingerprint([name])
    turn.done.reworded, turn.done.reworded_alone = approvals.release(connection, org, run, now, people_count, text)
    return turn.done


def _follow(turn: Turn, rule: Rule, verdicts: pl.DataFrame, inside: pl.Series) -> None:
    people, verdict = verdicts["person_id"].cast(pl.Int64), verdicts["verdict"]
    yes = people.filter(verdict)
    staying = inside.filter(inside.is_in(people.filter(~verdict).implode()).not_() & inside.is_in(people.implode()))
    entered = yes.filter(yes.is_in(inside.implode()).not_()).sort().to_list()
    left = inside.filter(inside.is_in(staying.implode()).not_()).sort().to_list()
    turn.done.rules[rule.id] = Moved(entered, left, len(staying) + len(entered), verdict.null_count())
    _leave(turn, rule, left)
    _drop_steps(turn, rule)
    _enter(turn, rule, entered)
    _set_flags(turn, rule, entered)
    for step, action in deed_steps(rule):
        _act(turn, rule, step, action, entered)
    for step, email in steps(rule):
        had = _had_lately(turn, rule, step, email, entered)
        wanted = [person for person in entered if person not in had]
        acts.send_email(turn, rule.id, step, email, _not_again_yet(turn, rule, step, email, wanted))
        acts.leave_out(turn, rule.id, step, email, sorted(had), out.HAD_LATELY)
        turn.done.had_lately[rule.id] = turn.done.had_lately.get(rule.id, 0) + len(had)
        if email.again is not None:
            acts.send_email(turn, rule.id, step, email, _due_again(turn, rule, step, email.again, set(entered)))


def deed_steps(rule: Rule) -> list[tuple[str, Action]]:
    """What a rule has done beyond the sheet and the e-mails, by lasting name; numbered when one comes more than once."""
    found: dict[str, Action] = {}
    for action in rule.actions:
        if not (name := name_of_deed(action)):
            continue
        count = sum(known.partition("#")[0] == name for known in found)
        found[name if not count else f"{name}#{count + 1}"] = action
    return list(found.items())


def steps(rule: Rule) -> list[tuple[str, Email]]:
    """The e-mails of a rule by their lasting name: the template, numbered when it comes more than once."""
    found: dict[str, Email] = {}
    for action in rule.actions:
        if isinstance(action, Email):
            count = sum(known.template == action.template for known in found.values())
            found[action.template if not count else f"{action.template}#{count + 1}"] = action
    return list(found.items())


def _rename(turn: Turn, book: Book) -> None:
    known = set(turn.connection.scalars(sa.select(rule_state.c.rule).where(rule_state.c.org == turn.org)))
    for rule in book.acting:
        old = next((name for name in rule.was if name in known), None)
        if old is not None and rule.id not in known:
            for table in BY_RULE:
                rows = (table.c.org == turn.org, table.c.rule == old)
                turn.connection.execute(sa.update(table).where(*rows).values(rule=rule.id))
            known = known - {old} | {rule.id}


def _retire(turn: Turn, book: Book) -> None:
    """A rule that was taken out or paused: its flags and its waiting e-mails go. Who was inside is kept, so that nobody
    gets anything twice when it comes back.
    """
    alive = {rule.id for rule in book.acting if rule.active}
    states = turn.connection.execute(sa.select(rule_state).where(rule_state.c.org == turn.org, rule_state.c.active))
    for state in states.all():
        if state.rule in alive:
            continue
        reason = "rule-paused" if state.rule in book.names else "rule-removed"
        turn.done.cancelled += out.cancel(turn.connection, turn.org, state.rule, reason)
        turn.done.flags_off += _close_flags(turn, flag.c.rule == state.rule)
        mine = (rule_state.c.org == turn.org, rule_state.c.rule == state.rule)
        turn.connection.execute(sa.update(rule_state).where(*mine).values(active=False, judged=None))


def _resume(turn: Turn, rules: Sequence[Rule | Journey]) -> None:
    """A rule that comes back finds the e-mails again that its pause took back, as long as they are not too late."""
    asleep = sa.select(rule_state.c.rule).where(rule_state.c.org == turn.org, rule_state.c.active.is_(False))
    for rule in set(turn.connection.scalars(asleep)) & {rule.id for rule in rules}:
        mine = (outbox.c.org == turn.org, outbox.c.rule == rule, outbox.c.state == "cancelled")
        paused = outbox.c.reason.in_(("rule-paused", "rule-removed"))
        back = sa.update(outbox).where(*mine, paused, outbox.c.no_later_than >= turn.now)
        turn.done.mails += turn.connection.execute(back.values(state="planned", reason=None)).rowcount
        deeds.resume(turn.connection, turn.org, rule, turn.now)


def _remember(
    turn: Turn, rules: Sequence[Rule | Journey], stale: Mapping[str, str], templates: Templates | None
) -> None:
    rows = [
        {
            "org": turn.org,
            "rule": rule.id,
            "name": rule.name,
            "digest": rule.digest
            if templates is None
            else approvals.digest(rule.digest, templates.fingerprint(letters(rule))),
            "first_seen": turn.now,
            "active": True,
            "stale": stale.get(rule.id),
        }
        for rule in rules
    ]
    upsert(turn.connection, rule_state, rows, keep=("first_seen",))


def digest_of(rule: Rule | Journey, templates: Templates | None) -> str:
    """What somebody approves with a rule: what it means and, with `templates`, how its e-mails read."""
    return rule.digest if templates is None else approvals.digest(rule.digest, templates.fingerprint(letters(rule)))


def letters(rule: Rule | Journey) -> list[str]:
    """The templates that it writes with."""
    actions = rule.actions if isinstance(rule, Rule) else [step.action for step in rule.steps]
    return [action.template for action in actions if isinstance(action, Email)]


def _inside(turn: Turn) -> dict[str, pl.Series]:
    """Person ids by rule."""
    rows = sa.select(standing.c.rule, standing.c.person_id).where(standing.c.org == turn.org, standing.c.inside)
    found: dict[str, list[int]] = {}
    for rule, person in turn.connection.execute(rows):
        found.setdefault(rule, []).append(person)
    return {rule: pl.Series("person_id", people, dtype=pl.Int64) for rule, people in found.items()}


def _leave(turn: Turn, rule: Rule, people: Sequence[int]) -> None:
    for some in slices(people):
        mine = (standing.c.org == turn.org, standing.c.rule == rule.id, standing.c.person_id.in_(some))
        left = {"inside": False, "left_at": turn.now, "left_run": turn.run}
        turn.connection.execute(sa.update(standing).where(*mine).values(left))
        turn.done.flags_off += _close_flags(turn, sa.and_(flag.c.rule == rule.id, flag.c.person_id.in_(some)))
    turn.done.cancelled += out.cancel(turn.connection, turn.org, rule.id, "left", people)


def _drop_steps(turn: Turn, rule: Rule) -> None:
    """E-mails and deeds that the rule no longer names are taken back."""
    deeds.drop_steps(turn.connection, turn.org, rule.id, dict(deed_steps(rule)).keys())
    mine = (outbox.c.org == turn.org, outbox.c.rule == rule.id, outbox.c.state.in_(OPEN_STATES))
    gone = set(turn.connection.scalars(sa.select(outbox.c.step).where(*mine).distinct())) - dict(steps(rule)).keys()
    for step in gone:
        taken_back = sa.update(outbox).where(*mine, outbox.c.step == step)
        values = {"state": "cancelled", "reason": "rule-changed"}
        turn.done.cancelled += turn.connection.execute(taken_back.values(values)).rowcount


def _enter(turn: Turn, rule: Rule, people: Sequence[int]) -> None:
    rows = [
        {
            "org": turn.org,
            "rule": rule.id,
            "person_id": person,
            "inside": True,
            "since": turn.now,
            "entered_run": turn.run,
            "left_at": None,
            "left_run": None,
        }
        for person in people
    ]
    upsert(turn.connection, standing, rows)
    cells = [action for action in rule.actions if isinstance(action, SetCell)]
    todo = [action for action in rule.actions if isinstance(action, Task)]
    for cell in cells:
        acts.set_cell(turn, rule.id, cell, people)
    for number, action in enumerate(todo):
        acts.add_task(turn, rule.id, f"task {number}", action, people)


def _act(turn: Turn, rule: Rule, step: str, action: Action, entered: Sequence[int]) -> None:
    match action:
        case Notify() | Webhook() | Newsletter():
            acts.do_deed(turn, rule.id, step, action, entered)
        case Forget():
            acts.do_deed(turn, rule.id, step, action, _not_proposed(turn, rule, step))
        case Review():
            acts.ask_review(turn, rule.id, step, action, _everybody_inside(turn, rule))
        case _:
            return


def _not_proposed(turn: Turn, rule: Rule, step: str) -> Sequence[int]:
    """Who is inside, also since before the rule had this action, and was not proposed since entering."""
    asked = (deed.c.org == turn.org, deed.c.rule == rule.id, deed.c.step == step, deed.c.state != "cancelled")
    since = sa.exists().where(*asked, deed.c.person_id == standing.c.person_id, deed.c.made >= standing.c.since)
    mine = (standing.c.org == turn.org, standing.c.rule == rule.id, standing.c.inside)
    return turn.connection.scalars(sa.select(standing.c.person_id).where(*mine, ~since)).all()


def _set_flags(turn: Turn, rule: Rule, entered: Sequence[int]) -> None:
    """Everybody inside wears the rule's flags, whenever the rule came to name them."""
    wanted = {action.name for action in rule.actions if isinstance(action, Flag)}
    mine = (flag.c.org == turn.org, flag.c.rule == rule.id, flag.c.until.is_(None))
    worn = set(turn.connection.scalars(sa.select(flag.c.name).where(*mine).distinct()))
    for name in worn - wanted:
        turn.done.flags_off += _close_flags(turn, sa.and_(flag.c.rule == rule.id, flag.c.name == name))
    for name in wanted:
        people = entered if name in worn else _everybody_inside(turn, rule)
        row = {"org": turn.org, "rule": rule.id, "name": name, "since": turn.now, "run": turn.run}
        upsert(turn.connection, flag, [row | {"person_id": p, "until": None, "until_run": None} for p in people])
        turn.done.flags_on += len(people)


def _everybody_inside(turn: Turn, rule: Rule) -> Sequence[int]:
    mine = (standing.c.org == turn.org, standing.c.rule == rule.id, standing.c.inside)
    return turn.connection.scalars(sa.select(standing.c.person_id).where(*mine)).all()


def _close_flags(turn: Turn, which: Any) -> int:
    worn = sa.update(flag).where(flag.c.org == turn.org, flag.c.until.is_(None), which)
    return turn.connection.execute(worn.values(until=turn.now, until_run=turn.run)).rowcount


def _not_again_yet(turn: Turn, rule: Rule, step: str, email: Email, entered: Sequence[int]) -> Sequence[int]:
    """Who entered, less those who had this e-mail less than `again` ago: theirs comes when that is over. Of what goes once,
    less those who had it ever.
    """
    again = email.again
    if (again is None and not email.once) or not entered:
        return entered
    last = _last_written(turn, rule, step)
    return [one for one in entered if one not in last or (again is not None and again.after(last[one]) <= turn.today)]


def _had_lately(turn: Turn, rule: Rule, step: str, email: Email, entered: Sequence[int]) -> set[int]:
    """Of those who entered, who had this e-mail so lately that it does not go again."""
    if turn.apart is None or email.again is not None or email.once or not entered or not turn.news(email):
        return set()
    mine = (outbox.c.org == turn.org, outbox.c.rule == rule.id, outbox.c.step == step)
    day, moment = turn.apart.before(turn.today), turn.now - turn.apart.delta + HALF_A_DAY
    lately = sa.or_(outbox.c.occasion > day.isoformat(), outbox.c.settled_at > moment, is_in("sending"))
    had = set(turn.connection.scalars(sa.select(outbox.c.person_id).where(*mine, _counts(), lately).distinct()))
    return had.intersection(entered)


def _is_news(email: Email, templates: Templates | None) -> bool:
    return (email.purpose or (templates and templates.kind(email.template)[0])) == "marketing"


def _counts() -> sa.ColumnElement[bool]:
    """Is it an e-mail that somebody had, or has on its way? What was taken back is none, but for what a person of the team
    dropped, tomorrow is no new occasion for it, and for what went to the person they were taken for.
    """
    return sa.or_(outbox.c.state != "cancelled", outbox.c.reason.in_(out.SETTLED))


def _due_again(turn: Turn, rule: Rule, step: str, again: Period, entered: set[int]) -> Sequence[int]:
    last = _last_written(turn, rule, step)
    due = {person for person, day in last.items() if person not in entered and again.after(day) <= turn.today}
    return [person for person in _everybody_inside(turn, rule) if person in due] if due else []


def _last_written(turn: Turn, rule: Rule, step: str) -> dict[int, date]:
    """The last occasion, or the day it really went if that was later; a far day while one is still on its way. One that did
    not go, since the same came from another rule, counts: the next comes `again` after it.
    """
    waits = sa.and_(outbox.c.no_later_than >= turn.now, outbox.c.settled_at.is_(None), outbox.c.state != "cancelled")
    last_day, last_gone = sa.func.max(outbox.c.occasion), sa.func.max(outbox.c.settled_at)
    rows = sa.select(outbox.c.person_id, last_day, last_gone, sa.func.max(sa.case((waits, 1), else_=0)))
    rows = rows.where(outbox.c.org == turn.org, outbox.c.rule == rule.id, outbox.c.step == step)
    rows = rows.where(sa.or_(_counts(), outbox.c.reason == out.HAD_ELSEWHERE)).group_by(outbox.c.person_id)
    last: dict[int, date] = {}
    for person, occasion, settled, on_its_way in turn.connection.execute(rows):
        day = date.fromisoformat(occasion)
        last[person] = date.max if on_its_way else max(day, settled.date()) if settled else day
    return last
