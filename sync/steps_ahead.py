"""The steps of journeys that come in the next days, for `preview`: each judged by the day on which a run will judge it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from rules.journey_reader import at_said
from rules.journeys import EXACT, Journey, Step
from sync.desk import Desk
from sync.followup.anchors import Anchors
from sync.followup.journeys import World, judge, span_of, timed
from sync.people.later import Later
from sync.store.base import EPOCH
from sync.store.reading import micros
from sync.underway import day_of, does

AHEAD = 14  # days that `preview` looks
NAMED = 5


@dataclass(frozen=True)
class Coming:
    """A step that comes, and for whom, by their id. `run`: when it is judged, by the schedule. `likely` are those of
    whom nothing that is known today speaks against it then; nobody where it is `missed`: by that run it is too late.
    """

    journey: Journey
    step: Step
    due: datetime
    latest: datetime
    run: datetime
    people: tuple[int, ...]
    likely: tuple[int, ...]

    @property
    def missed(self) -> bool:
        return self.run > self.latest


def coming(desk: Desk, world: World) -> list[Coming]:
    """The steps of the next two weeks, the soonest first."""
    now, today = desk.clock.now(), desk.clock.today()
    until = now + timedelta(days=AHEAD)
    found: list[Coming] = []
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, world.people, world.zone, today)
        later = Later(connection, desk.store.org, world.zone, world.currency)
        for journey in (one for one in world.book.journeys if one.active):
            spans = [span_of(step, today, until.astimezone(world.zone).date()) for step in journey.steps]
            occasions = anchors.near(journey.around, spans)
            for step in journey.steps:
                soon = pl.col("due").is_between(micros(now), micros(until), closed="right")
                rows = timed(occasions, step, world.zone).filter(soon)
                rows = rows.join(world.people.select("person_id"), on="person_id", how="semi").sort("due", "person_id")
                for (start, last), some in rows.group_by("due", "latest", maintain_order=True):
                    due, latest = (EPOCH + timedelta(microseconds=int(str(at))) for at in (start, last))
                    run = desk.config.timetable.next_after(due - timedelta(microseconds=1)) or due
                    likely = () if run > latest else _likely(journey, some, world, anchors, later, run)
                    found.append(Coming(journey, step, due, latest, run, tuple(some["person_id"]), likely))
    return sorted(found, key=lambda one: (one.due, one.journey.id, one.step.name))


def _likely(
    journey: Journey, rows: pl.DataFrame, world: World, anchors: Anchors, later: Later, moment: datetime
) -> tuple[int, ...]:
    """Those of whom nothing speaks against the step at that moment, as far as is known today."""
    people = later.people(world.people.join(rows, on="person_id", how="semi"), journey.needs, world.book, moment)
    judged = judge(journey, rows, replace(world, people=people), anchors, moment)
    return tuple(judged.filter(pl.col("verdict").fill_null(value=True))["person_id"])


def coming_lines(
    desk: Desk, found: Sequence[Coming], names: Mapping[int, str], named: int = NAMED
) -> Iterator[list[str]]:
    """By journey: a sentence, then each step with its day and the first `named` of the people."""
    for journey in dict.fromkeys(one.journey.id for one in found):
        mine = [one for one in found if one.journey.id == journey]
        title = desk.say("preview-journey", name=mine[0].journey.name, n=AHEAD)
        yield [title, *(_line(desk, one, names, named) for one in mine)]


def _line(desk: Desk, one: Coming, names: Mapping[int, str], named: int) -> str:
    some = ", ".join(names.get(person, "?") for person in one.likely[:named])
    code = "" if one.likely == one.people else "-some" if one.likely else "-none"
    if one.missed:
        code = "-late" if one.step.at.sign < 0 else "-late-after"
    told = desk.say(
        f"preview-journey-step{code}", day=day_of(desk, one.due), at=at_said(desk.language, one.step.at),
        what=does(desk, one.step.action), n=len(one.likely), all=len(one.people),
        names=some + ("…" if len(one.likely) > named else ""),
        until=_moment(desk, one.latest), run=_moment(desk, one.run),
    )  # fmt: skip
    if one.likely and one.step.no_later_than.unit in EXACT:
        return desk.say("preview-journey-until", line=told, until=_moment(desk, one.latest))
    return told


def _moment(desk: Desk, moment: datetime) -> str:
    local = moment.astimezone(desk.config.zone)
    return f"{day_of(desk, moment)} {local:%H:%M}"


def coming_json(found: Sequence[Coming], names: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "journey": one.journey.id,
            "step": one.step.name,
            "due": one.due.isoformat(),
            "until": one.latest.isoformat(),
            "too_late": one.missed,
            "people": [names.get(person, "?") for person in one.people],
            "likely": [names.get(person, "?") for person in one.likely],
        }
        for one in found
    ]
