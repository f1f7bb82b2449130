"""Where a person is on their journeys, for `explain`: what was done for them and what comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from rules.conditions import Action, Book, Email, Flag, Newsletter, Rule, SetCell, Task, Webhook
from rules.explain import explain, span_between
from rules.journey_reader import at_said
from rules.journeys import VISITS, Journey, Step, as_rule, own_rule
from rules.phrases import long_date, unit_word
from sync.addressee import Addressee
from sync.dates import format_date
from sync.deedwords import about_deed, became
from sync.desk import Desk
from sync.followup.acts import deed_of
from sync.followup.anchors import OCCASIONS, Anchors
from sync.followup.approvals import approvable, brake, would_wait
from sync.followup.decide import digest_of
from sync.followup.journeys import World, at_occasions, judge, timed
from sync.followup.turn import Walked
from sync.person import told_when
from sync.rows import filled
from sync.store.base import EPOCH
from sync.store.reading import micros

BACK = timedelta(days=30)
MOST = 6
BRAKED = Email | Newsletter | Webhook | Task
PLAINLY = {True: "so", False: "not-so", None: "unsure"}
UNKNOWN = ("sending", "uncertain")  # whether it went
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
    """What a run did for a journey: `3 steps done, 1 step not done (conditions not met)`; "" for nothing."""
    told = {name: getattr(walked, name) for name in ("done", "passed", "late", "taken_back", "undecided")}
    return ", ".join(desk.say(f"journey-n-{name}", n=n) for name, n in told.items() if n)


# --- one person ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Passage:
    """One step of one occasion of the person: how it stands (`state`), a mark, and the conditions where they matter (`own`:
    without those of the whole journey). `ahead`: it is still to be done.
    """

    step: Step
    due: datetime
    mark: str
    state: str
    why: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    ahead: bool = False


@dataclass(frozen=True)
class Trip:
    """One person (`facts`: as rules see them) on one journey, around one occasion. `shared`: the conditions of every step,
    as they are today.
    """

    journey: Journey
    occasion: str
    what: str
    passages: tuple[_Passage, ...]
    facts: Mapping[str, Any]
    shared: tuple[str, ...] = ()

    def lines(self, desk: Desk, name: str) -> Iterator[str]:
        code = "journey-of-what" if self.what else "journey-of"
        yield desk.say(code, person=name, journey=self.journey.name, what=self.what)
        yield f"  {self._next(desk)}"
        if self.shared and any(one.why for one in self.passages):
            yield f"  {desk.say('journey-shared')}"
            yield from (f"    {line}" for line in self.shared)
        for one in self.passages:
            day = day_of(desk, one.due)
            at = at_said(desk.language, one.step.at)
            yield f"  {one.mark} {desk.say('journey-step', at=at, day=day, what=self._does(desk, one), state=one.state)}"
            yield from (f"      {line}" for line in one.own)

    def _next(self, desk: Desk) -> str:
        """Which step is next, and when; those of one time together."""
        one = next((one for one in self.passages if one.ahead), None)
        if one is None:
            return desk.say("journey-no-more")
        day, today = one.due.astimezone(desk.config.zone).date(), desk.clock.today()
        then = [each for each in self.passages if each.ahead and each.due == one.due]
        if day <= today:
            then = [each for each in then if each.state == one.state]
        what = " · ".join(self._does(desk, each) for each in then)
        if day <= today:
            return desk.say("journey-next-now", what=what, state=one.state)
        period = span_between(today, day)
        told = f"{period.count} {unit_word(desk.language, period)}"
        return desk.say("journey-next", what=what, day=long_date(desk.language, day), period=told)

    def _does(self, desk: Desk, one: _Passage) -> str:
        return filled(desk, does(desk, one.step.action), self.facts)

    def to_json(self) -> dict[str, Any]:
        steps = [
            {"step": one.step.name, "due": one.due.isoformat(), "state": one.state, "why": list(one.why)}
            for one in self.passages
        ]
        return {"occasion": self.occasion, "what": self.what, "steps": steps}


def trips(
    desk: Desk, journeys: Sequence[Journey], book: Book, person: pl.DataFrame, unknown: frozenset[str],
    past: Mapping[str, Sequence[Any]], reader: Addressee,
) -> list[Trip]:  # fmt: skip
    """Every occasion of this person (`person` is one row, as rules see it) that is under way, comes, was of late, or put a
    flag that is still there. `past` is as `standings.of_person` gives it.
    """
    world = World(book, person, unknown, {}, desk.config.zone, desk.config.organisation.money)
    found: list[Trip] = []
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, person, desk.config.zone, desk.clock.today())
        for journey in journeys:
            occasions = anchors.of(journey.around, person["person_id"].to_list())
            parts = [timed(occasions, step, desk.config.zone) for step in journey.steps]
            rows = judge(journey, pl.concat(parts), world, anchors, desk.clock.now())
            last = pl.col("latest").max().over("occasion") >= micros(desk.clock.now() - BACK)
            rows = rows.filter(last | pl.col("occasion").is_in(_with_a_flag(journey, past))).sort(
                "day", "occasion", "due", maintain_order=True
            )
            groups = list(rows.group_by("occasion", maintain_order=True))[:MOST]
            found += [_Teller(desk, world, journey, past, reader).trip(some) for _, some in groups]
    return found


def _with_a_flag(journey: Journey, past: Mapping[str, Sequence[Any]]) -> list[str]:
    """The occasions of a person that put a flag which is still there."""
    worn = {one.name for one in past["flag"] if one.rule == journey.id and one.until is None}
    steps = {step.name for step in journey.steps if isinstance(step.action, Flag) and step.action.name in worn}
    done = (one for one in past["journey_step"] if one.rule == journey.id and one.state == "done")
    return [one.occasion for one in done if one.step in steps]


@dataclass(frozen=True)
class _Teller:
    """Tells how one person stands on one journey."""

    desk: Desk
    world: World
    journey: Journey
    past: Mapping[str, Sequence[Any]]
    reader: Addressee

    def trip(self, rows: pl.DataFrame) -> Trip:
        """Around one occasion; `rows` as `judge` gives them."""
        first = rows.row(0, named=True)
        title = " · ".join(part for part in (first["title"], long_date(self.desk.language, first["day"])) if part)
        passages = tuple(self.passage(row) for row in rows.iter_rows(named=True))
        shared = self._reasons(as_rule(self.journey), first)
        return Trip(self.journey, first["occasion"], title, passages, self.world.people.row(0, named=True), shared)

    def passage(self, row: Mapping[str, Any]) -> _Passage:
        desk, journey, past = self.desk, self.journey, self.past
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
            told = f"{self.reader.state(mail)} ({told_when(desk, mail.settled_at or mail.not_before)})"
            awaits = self.reader.awaits(mail)
            mark = "done" if mail.state == "sent" else "open" if awaits or mail.state in UNKNOWN else "passed"
            return _Passage(step, start, MARKS[mark], told, ahead=awaits)
        task = _task_of(past["task"], journey, step.action, row["occasion"])
        if task is not None and known is not None and known.state == "done":
            told = f"{desk.say(f'task-{task.state}')} ({told_when(desk, task.made)})"
            return _Passage(step, start, MARKS["open" if task.state == "waiting" else "done"], told)
        if known is not None:
            code = {"done": "journey-done", "late": "journey-late"}.get(known.state)
            code = code or ("journey-stopped" if known.reason == "stopped" else "journey-skipped")
            mark = MARKS["done" if known.state == "done" else "passed"]
            why = ((), ()) if known.state == "done" else self._why(step, row)
            told = self._worn(step, known) or desk.say(code, when=told_when(desk, known.at))
            return _Passage(step, start, mark, told, *why)
        return self._open(step, row, start)

    def _worn(self, step: Step, known: Any) -> str | None:
        """Whether the flag of a step that was done is still there."""
        desk, put = self.desk, step.action
        if not isinstance(put, Flag) or known.state != "done":
            return None
        mine = [one for one in self.past["flag"] if one.rule == self.journey.id and one.name == put.name]
        if not mine:
            return None
        when, last = told_when(desk, known.at), max(mine, key=lambda one: one.since)
        if last.until is None:
            return desk.say("journey-flag-on", when=when)
        return desk.say("journey-flag-off", when=when, until=told_when(desk, last.until))

    def _open(self, step: Step, row: Mapping[str, Any], start: datetime) -> _Passage:
        """A step that no run has judged."""
        desk, now = self.desk, micros(self.desk.clock.now()) or 0
        if row["latest"] < now:
            return _Passage(step, start, MARKS["passed"], desk.say("journey-over"))
        why = self._why(step, row)
        if not self.journey.active:
            return _Passage(step, start, MARKS["passed"], desk.say("journey-off"), *why)
        barred = self._barred(step, row, start)
        if row["due"] > now:
            said = barred or desk.say(self._comes(step, row) if why[0] else "journey-comes")
            return _Passage(step, start, MARKS["passed" if barred else "open"], said, *why, ahead=not barred)
        code, mark = {True: ("next-run", "open"), False: ("not-now", "passed"), None: ("undecided", "unsure")}[
            row["verdict"]
        ]
        if code != "next-run":
            return _Passage(step, start, MARKS[mark], desk.say(f"journey-{code}"), *why)
        if barred:
            return _Passage(step, start, MARKS["passed"], barred, *why)
        said = asked_first(desk, self.journey, step.action) or desk.say("journey-next-run")
        return _Passage(step, start, MARKS[mark], said, *why, ahead=True)

    def _comes(self, step: Step, row: Mapping[str, Any]) -> str:
        """How a step that comes hangs on its conditions; a visit that is still to be made changes them."""
        before_it = self.journey.around.kind in VISITS and row["day"] >= self.desk.clock.today() and step.at.sign > 0
        if before_it and row["verdict"] is False:
            return "journey-comes-later"
        return f"journey-comes-{PLAINLY[row['verdict']]}"

    def _barred(self, step: Step, row: Mapping[str, Any], start: datetime) -> str | None:
        if not isinstance(step.action, Email):
            return None
        day = max(start.astimezone(self.desk.config.zone).date(), self.desk.clock.today())
        return self.reader.barred(step.action, day, row["day"] if self.journey.around.kind in VISITS else None)

    def _why(self, step: Step, row: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The conditions of a step as they are today: all, and those that it asks beyond its journey."""
        return self._reasons(as_rule(self.journey, [step]), row), self._reasons(own_rule(self.journey, step), row)

    def _reasons(self, rule: Rule, row: Mapping[str, Any]) -> tuple[str, ...]:
        world, desk = self.world, self.desk
        occasion = pl.DataFrame({name: [row[name]] for name in OCCASIONS}, schema=OCCASIONS)
        person, today = at_occasions(occasion, world), desk.clock.today()
        reason = explain(world.book, rule, person, today, unknown=world.unknown_here, language=desk.language)
        return tuple(line for below in reason.below for line in below.lines())


def asked_first(desk: Desk, one: Rule | Journey, action: Action) -> str | None:
    """That what the next run does waits for a person's approval, or may have to; None where it waits for nobody."""
    if not isinstance(action, BRAKED):
        return None
    this = (desk.store.org, one.id, digest_of(one, desk.templates[0]))
    with desk.store.look() as connection:
        what = approvable(action)
        if what and would_wait(connection, *this, *what):
            return desk.say("journey-next-run-asks")
        limit = brake(connection, *this)
    return None if limit is None else desk.say("journey-next-run-brake", n=limit)


def _task_of(tasks: Sequence[Any], journey: Journey, action: Action, occasion: str) -> Any:
    """The line that a step made in the tab To do, if it makes any."""
    mine = (journey.id, action.text if isinstance(action, Task) else None, occasion)
    return next((one for one in tasks if (one.rule, one.text, one.occasion) == mine), None)


def day_of(desk: Desk, moment: datetime) -> str:
    """The day of a moment, short."""
    return str(format_date(moment.astimezone(desk.config.zone).date(), "d MMM y", locale=desk.language))
