"""Where people are on their journeys: for `explain`, what was done for one person and what comes; for `preview`, what
comes for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from rules.conditions import Action, Book, Email, Flag, Newsletter, SetCell, Task, Webhook
from rules.explain import explain
from rules.journey_reader import at_said
from rules.journeys import Journey, Step, as_rule
from rules.phrases import long_date
from sync.dates import format_date
from sync.deedwords import about_deed, became
from sync.desk import Desk
from sync.followup.acts import deed_of
from sync.followup.anchors import OCCASIONS, Anchors
from sync.followup.approvals import approvable, brake, would_wait
from sync.followup.decide import digest_of
from sync.followup.journeys import World, at_occasions, judge, span_of, timed
from sync.followup.outbox import HAD_ELSEWHERE
from sync.followup.turn import Walked
from sync.messages import why_not
from sync.person import told_when
from sync.rows import filled
from sync.store.base import EPOCH
from sync.store.reading import micros

AHEAD = 14  # days that `preview` looks
BACK = timedelta(days=30)
MOST, NAMED = 6, 5
BRAKED = Email | Newsletter | Webhook | Task
MARKS = {"done": "✓", "passed": "✗", "open": "→", "unsure": "?"}


def does(desk: Desk, action: Action) -> str:
    """What an action does, in a few words."""
    kinds = {Email: "email", Task: "task", Flag: "flag", SetCell: "set"}
    match action:
        case Email(template=what) | Task(text=what) | Flag(name=what) | SetCell(column=what):
            return desk.say(f"journey-{kinds[type(action)]}", what=what)
        case deed:
            return about_deed(desk, *deed_of(deed))


def counts(desk: Desk, walked: Walked) -> str:
    """What a run did for a journey: `3 steps done, 1 passed over`; "" for nothing."""
    told = {name: getattr(walked, name) for name in ("done", "passed", "late", "taken_back", "undecided")}
    return ", ".join(desk.say(f"journey-n-{name}", n=n) for name, n in told.items() if n)


# --- one person ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Passage:
    """One step of one occasion of the person: how it stands (`state`), a mark, and the conditions where they matter."""

    step: Step
    due: datetime
    mark: str
    state: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trip:
    """One person (`facts`: as rules see them) on one journey, around one occasion."""

    journey: Journey
    occasion: str
    what: str
    passages: tuple[_Passage, ...]
    facts: Mapping[str, Any]

    def lines(self, desk: Desk, name: str) -> Iterator[str]:
        code = "journey-of-what" if self.what else "journey-of"
        yield desk.say(code, person=name, journey=self.journey.name, what=self.what)
        for one in self.passages:
            day = _day(desk, one.due)
            at = at_said(desk.language, one.step.at)
            what = filled(desk, does(desk, one.step.action), self.facts)
            yield f"  {one.mark} {desk.say('journey-step', at=at, day=day, what=what, state=one.state)}"
            yield from (f"      {line}" for line in one.why)

    def to_json(self) -> dict[str, Any]:
        steps = [
            {"step": one.step.name, "due": one.due.isoformat(), "state": one.state, "why": list(one.why)}
            for one in self.passages
        ]
        return {"occasion": self.occasion, "what": self.what, "steps": steps}


def trips(
    desk: Desk, journeys: Sequence[Journey], book: Book, person: pl.DataFrame, unknown: frozenset[str],
    past: Mapping[str, Sequence[Any]], others: Mapping[str, str],
) -> list[Trip]:  # fmt: skip
    """Every occasion of this person (`person` is one row, as rules see it) that is under way, comes, or was of late. `past` is as
    `standings.of_person` gives it, `others` as `Twice.others`.
    """
    world = World(book, person, unknown, {}, desk.config.zone, desk.config.organisation.money)
    found: list[Trip] = []
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, person, desk.config.zone, desk.clock.today())
        for journey in journeys:
            occasions = anchors.of(journey.around, person["person_id"].to_list())
            parts = [timed(occasions, step, desk.config.zone) for step in journey.steps]
            rows = judge(journey, pl.concat(parts), world, desk.clock.today())
            last = pl.col("latest").max().over("occasion") >= micros(desk.clock.now() - BACK)
            rows = rows.filter(last).sort("day", "occasion", "due", maintain_order=True)
            groups = list(rows.group_by("occasion", maintain_order=True))[:MOST]
            found += [_trip(desk, world, journey, str(occasion), some, past, others) for (occasion,), some in groups]
    return found


def _trip(
    desk: Desk, world: World, journey: Journey, occasion: str, rows: pl.DataFrame, past: Mapping[str, Sequence[Any]],
    others: Mapping[str, str],
) -> Trip:  # fmt: skip
    first = rows.row(0, named=True)
    title = " · ".join(part for part in (first["title"], long_date(desk.language, first["day"])) if part)
    passages = [_passage(desk, world, journey, row, past, others) for row in rows.iter_rows(named=True)]
    return Trip(journey, occasion, title, tuple(passages), world.people.row(0, named=True))


def _passage(
    desk: Desk, world: World, journey: Journey, row: Mapping[str, Any], past: Mapping[str, Sequence[Any]],
    others: Mapping[str, str],
) -> _Passage:  # fmt: skip
    step = journey.step[row["step"]]
    start = EPOCH + timedelta(microseconds=row["due"])
    mine = (journey.id, row["step"], row["occasion"])
    mail, deed, known = (
        next((one for one in past[table] if (one.rule, one.step, one.occasion) == mine), None)
        for table in ("outbox", "deed", "journey_step")
    )
    if deed is not None and (known is None or known.state != "skipped"):
        told = f"{became(desk, deed)} ({told_when(desk, deed.settled_at or deed.made)})"
        return _Passage(step, start, MARKS["done" if deed.state == "done" else "open"], told)
    if mail is not None and (known is None or known.state != "skipped"):
        told = f"{mail_state(desk, mail, others)} ({told_when(desk, mail.settled_at or mail.not_before)})"
        return _Passage(step, start, MARKS["done" if mail.state == "sent" else "open"], told)
    task = _task_of(past["task"], journey, step.action, row["occasion"])
    if task is not None and known is not None and known.state == "done":
        told = f"{desk.say(f'task-{task.state}')} ({told_when(desk, task.made)})"
        return _Passage(step, start, MARKS["open" if task.state == "waiting" else "done"], told)
    if known is not None:
        code = {"done": "journey-done", "late": "journey-late"}.get(known.state)
        code = code or ("journey-stopped" if known.reason == "stopped" else "journey-skipped")
        mark = MARKS["done" if known.state == "done" else "passed"]
        why = () if known.state == "done" else _why(desk, world, journey, step, row)
        return _Passage(step, start, mark, desk.say(code, when=told_when(desk, known.at)), why)
    return _open(desk, world, journey, step, row, start)


def mail_state(desk: Desk, mail: Any, others: Mapping[str, str]) -> str:
    """How an e-mail of the outbox stands, and why. `others`: who sends the same, by its id."""
    other = others.get(mail.id, "")
    reason = HAD_ELSEWHERE if other else mail.reason
    return desk.say(f"mail-{mail.state}") + (f", {why_not(desk.language, reason, other)}" if reason else "")


def _open(desk: Desk, world: World, journey: Journey, step: Step, row: Mapping[str, Any], start: datetime) -> _Passage:
    """A step that no run has judged."""
    now = micros(desk.clock.now()) or 0
    if row["latest"] < now:
        return _Passage(step, start, MARKS["passed"], desk.say("journey-over"))
    why = _why(desk, world, journey, step, row)
    if not journey.active:
        return _Passage(step, start, MARKS["passed"], desk.say("journey-off"), why)
    if row["due"] > now:
        return _Passage(step, start, MARKS["open"], desk.say("journey-comes"), why)
    code, mark = {True: ("next-run", "open"), False: ("not-now", "passed"), None: ("undecided", "unsure")}[
        row["verdict"]
    ]
    said = _asked_first(desk, journey, step) if code == "next-run" else None
    return _Passage(step, start, MARKS[mark], said or desk.say(f"journey-{code}"), why)


def _asked_first(desk: Desk, journey: Journey, step: Step) -> str | None:
    """That a step of the next run waits for a person's approval, or may have to; None where it waits for nobody."""
    if not isinstance(step.action, BRAKED):
        return None
    this = (desk.store.org, journey.id, digest_of(journey, desk.templates[0]))
    with desk.store.look() as connection:
        what = approvable(step.action)
        if what and would_wait(connection, *this, *what):
            return desk.say("journey-next-run-asks")
        limit = brake(connection, *this)
    return None if limit is None else desk.say("journey-next-run-brake", n=limit)


def _task_of(tasks: Sequence[Any], journey: Journey, action: Action, occasion: str) -> Any:
    """The line that a step made in the tab To do, if it makes any."""
    mine = (journey.id, action.text if isinstance(action, Task) else None, occasion)
    return next((one for one in tasks if (one.rule, one.text, one.occasion) == mine), None)


def _why(desk: Desk, world: World, journey: Journey, step: Step, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The conditions of a step as they are today."""
    rule = as_rule(journey, [step])
    occasion = pl.DataFrame({name: [row[name]] for name in OCCASIONS}, schema=OCCASIONS)
    person = at_occasions(occasion, world)
    reason = explain(world.book, rule, person, desk.clock.today(), unknown=world.unknown_here, language=desk.language)
    return tuple(line for below in reason.below for line in below.lines())


def _day(desk: Desk, moment: datetime) -> str:
    return str(format_date(moment.astimezone(desk.config.zone).date(), "d MMM y", locale=desk.language))


# --- everybody -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coming:
    """A step that comes, and for whom, by their id; only at its time is it known whether its conditions hold. `likely` are
    those for whom nothing speaks against it today.
    """

    journey: Journey
    step: Step
    due: datetime
    people: tuple[int, ...]
    likely: tuple[int, ...]


def coming(desk: Desk, world: World) -> list[Coming]:
    """The steps of the next two weeks, the soonest first."""
    now, today = desk.clock.now(), desk.clock.today()
    until = now + timedelta(days=AHEAD)
    found: list[Coming] = []
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, world.people, world.zone, today)
        for journey in (one for one in world.book.journeys if one.active):
            spans = [span_of(step, today, until.astimezone(world.zone).date()) for step in journey.steps]
            occasions = anchors.near(journey.around, spans)
            for step in journey.steps:
                soon = pl.col("due").is_between(micros(now), micros(until), closed="right")
                rows = timed(occasions, step, world.zone).filter(soon)
                rows = rows.join(world.people.select("person_id"), on="person_id", how="semi").sort("due", "person_id")
                for (start,), some in judge(journey, rows, world, today).group_by("due", maintain_order=True):
                    moment = EPOCH + timedelta(microseconds=int(str(start)))
                    likely = some.filter(pl.col("verdict").fill_null(value=True))["person_id"]
                    found.append(Coming(journey, step, moment, tuple(some["person_id"]), tuple(likely)))
    return sorted(found, key=lambda one: (one.due, one.journey.id, one.step.name))


def coming_lines(desk: Desk, found: Sequence[Coming], names: Mapping[int, str]) -> Iterator[list[str]]:
    """By journey: a sentence, then each step with its day and some of the people."""
    for journey in dict.fromkeys(one.journey.id for one in found):
        mine = [one for one in found if one.journey.id == journey]
        title = desk.say("preview-journey", name=mine[0].journey.name, n=AHEAD)
        yield [title, *(_coming_line(desk, one, names) for one in mine)]


def _coming_line(desk: Desk, one: Coming, names: Mapping[int, str]) -> str:
    some = ", ".join(names.get(person, "?") for person in one.likely[:NAMED])
    code = "" if one.likely == one.people else "-some" if one.likely else "-none"
    return desk.say(
        f"preview-journey-step{code}", day=_day(desk, one.due), at=at_said(desk.language, one.step.at),
        what=does(desk, one.step.action), n=len(one.likely), all=len(one.people),
        names=some + ("…" if len(one.likely) > NAMED else ""),
    )  # fmt: skip


def coming_json(found: Sequence[Coming], names: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "journey": one.journey.id,
            "step": one.step.name,
            "due": one.due.isoformat(),
            "people": [names.get(person, "?") for person in one.people],
            "likely": [names.get(person, "?") for person in one.likely],
        }
        for one in found
    ]
