"""Why a journey concerns nobody: how many have what it turns around, and how many meet each condition; why not one person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import sqlalchemy as sa

from rules.journey_reader import around_said, at_said
from rules.journeys import Journey, as_rule, own_rule
from rules.phrases import long_date
from rules.tally import Tally, tally
from sync.desk import Desk
from sync.followup.anchors import Anchors
from sync.followup.journeys import World, at_occasions, timed
from sync.followup.since import with_counts
from sync.followup.tables import journey_step
from sync.steps_ahead import AHEAD
from sync.store.base import slices
from sync.store.reading import micros
from sync.underway import does

if TYPE_CHECKING:
    from sync.work import Work

A_YEAR = timedelta(days=365)


def nobody_on(work: Work, journey: Journey) -> Iterator[str]:
    """In words. Occasions are looked for in the year before and after today."""
    world, desk = work.world, work.desk
    if world is None or world.people.is_empty():
        return
    now, today = desk.clock.now(), desk.clock.today()
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, world.people, world.zone, today)
        found = anchors.near(journey.around, [(today - A_YEAR, today + A_YEAR)])
        found = found.join(world.people.select("person_id"), on="person_id", how="semi")
        steps = pl.concat([timed(found, step, world.zone) for step in journey.steps])
        soon = steps.filter(pl.col("latest") >= micros(now), pl.col("due") <= micros(now + timedelta(days=AHEAD)))
        done = soon.join(_done(work, journey, soon["person_id"]), on=["person_id", "occasion", "step"], how="semi")
        of_them = found if soon.is_empty() else soon.unique(["person_id", "occasion"])
        of_them = with_counts(of_them, anchors, journey.needs, now)
    say = desk.say
    around = around_said(desk.language, journey.around)
    yield say("preview-nobody-on", name=journey.name, days=AHEAD, n=len(world.people))
    yield say("preview-around", count=found["person_id"].n_unique(), around=around)
    if found.is_empty():
        return
    yield say("preview-due", count=soon["person_id"].n_unique(), days=AHEAD)
    if not done.is_empty():
        yield say("preview-done-before", count=done["person_id"].n_unique())
    yield from _conditions(desk, journey, of_them, world)


def _done(work: Work, journey: Journey, people: pl.Series) -> pl.DataFrame:
    """The steps that earlier runs did."""
    mine = (journey_step.c.org == work.desk.store.org, journey_step.c.rule == journey.id)
    asked = sa.select(journey_step.c.person_id, journey_step.c.occasion, journey_step.c.step)
    asked = asked.where(*mine, journey_step.c.state == "done", journey_step.c.run != work.number)
    schema = {"person_id": pl.Int64, "occasion": pl.String, "step": pl.String}
    with work.desk.store.look() as connection:
        parts = [asked.where(journey_step.c.person_id.in_(some)) for some in slices(people.unique().to_list())]
        rows = [tuple(row) for part in parts for row in connection.execute(part)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _conditions(desk: Desk, journey: Journey, occasions: pl.DataFrame, world: World) -> Iterator[str]:
    """How many of those with such an occasion meet what every step asks, then what single steps ask."""
    counted = (at_occasions(occasions, world), desk.clock.today(), world.unknown_here, desk.language)
    yield from tally_lines(desk, tally(world.book, as_rule(journey), *counted, who="person_id"))
    for step in journey.steps:
        if step.when or step.unless:
            yield desk.say("preview-step-asks", at=at_said(desk.language, step.at), what=does(desk, step.action))
            yield from tally_lines(desk, tally(world.book, own_rule(journey, step), *counted, who="person_id"))


def tally_lines(desk: Desk, tallies: list[Tally]) -> Iterator[str]:
    """How many people meet each condition, in words, the conditions that fewest meet first; lines of a group below it."""
    say = desk.say
    for line in sorted(tallies, key=lambda line: (line.excepted, line.people or 0)):
        words = say("preview-ever", condition=line.words) if line.ever else line.words
        facts = {"count": "?" if line.people is None else str(line.people), "condition": words}
        if not line.excepted:
            yield say("preview-met", **facts)
        elif line.keeps_out:
            yield say("preview-met-not", n=line.keeps_out, **facts)
        else:
            yield say("preview-met-not-one", **facts)
        if line.people is None:
            yield say("preview-unknown")
        if not line.excepted:
            yield from (say("preview-no-value", field=field) for field in line.empty if line.people is not None)
        for word, meant, there in line.missing:
            code = "-near" if meant else "" if there else "-many"
            yield say(f"preview-no-such-word{code}", word=word, there=", ".join(there), meant=meant)
        yield from (f"    {part}" for part in tally_lines(desk, list(line.parts)))


def not_on(desk: Desk, journey: Journey, person: pl.DataFrame, name: str) -> str:
    """Why a person (one row, as rules see it) is not on a journey: they have nothing of what it turns around, or it is over."""
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, person, desk.config.zone, desk.clock.today())
        found = anchors.of(journey.around, person["person_id"].to_list()).sort("day")
    facts = {"person": name, "journey": journey.name, "around": around_said(desk.language, journey.around)}
    if found.is_empty():
        return desk.say("journey-none", **facts)
    last = found.row(-1, named=True)
    what = " · ".join(part for part in (last["title"], long_date(desk.language, last["day"])) if part)
    return desk.say("journey-none-now", **facts, last=what)
