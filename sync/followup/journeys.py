"""Journeys: each step once for each person and occasion, at its time.

What is due is found in bulk around the present day, judged by the same expressions as rules, and written down
(`journey_step`), so that no run judges it a second time. A step that can't be decided yet stays open until it is too
late. What has not gone is looked at again in every run: it is taken back when its occasion has gone or moved, when the
conditions no longer hold, or when the journey is to stop; and is judged anew when a moved occasion makes it due again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa

from rules.compiler import answers
from rules.conditions import Book, Condition, Email, Flag, Newsletter, Review, SetCell, Task, Webhook
from rules.fields import OCCASION, SINCE
from rules.journeys import EXACT, OF_ONE, READS, Journey, Step, due, latest, length
from sync.followup import acts
from sync.followup import outbox as out
from sync.followup.anchors import Anchors, Span, moment_of
from sync.followup.open_steps import open_steps, take_back
from sync.followup.since import with_counts
from sync.followup.tables import GONE_STATES, flag, journey_step, outbox, rule_state
from sync.followup.turn import Term, Turn, Walked
from sync.store.base import EPOCH, Utc, slices, upsert
from sync.store.reading import micros

LISTED = timedelta(days=60)
"""So far back steps are looked for that an outage made too late, and so long what is too late may still move."""
MARGIN = timedelta(days=4)
"""Wider than calendars, zones and clocks can push a step from where a rough count puts it."""
STOP = "stop"
DONE, SKIPPED, LATE = "done", "skipped", "late"
KEYS = ["person_id", "occasion", "step"]
TIMED = {"due": pl.Int64, "latest": pl.Int64}


@dataclass(frozen=True)
class World:
    """What journeys are judged by: everybody with all their fields, as `rules.compiler.evaluate` takes them; what can't
    be known today; and which journeys wait for a source.
    """

    book: Book
    people: pl.DataFrame
    unknown: Collection[str]
    stale: Mapping[str, str]
    zone: ZoneInfo
    currency: str

    @property
    def unknown_here(self) -> set[str]:
        """Of an occasion too: where visits are not known, neither is who came, then and since."""
        fed = {name: {READS[kind] for kind in kinds} for name, kinds in OF_ONE.items()}
        fed |= {name: {counted} for name, counted in SINCE.items()}
        return {*self.unknown, *(name for name, fields in fed.items() if fields & set(self.unknown))}


def walk(turn: Turn, world: World) -> None:
    """Follow every active journey, in the caller's transaction. The same call once more changes nothing."""
    anchors = Anchors(turn.connection, turn.org, world.people, world.zone, turn.today)
    for journey in world.book.journeys:
        if journey.active:
            turn.done.journeys[journey.id] = _Walk(turn, world, anchors, journey).go()


@dataclass
class _Walk:
    turn: Turn
    world: World
    anchors: Anchors
    journey: Journey
    done: Walked = field(default_factory=Walked)

    def go(self) -> Walked:
        self._take_back()
        self._do_what_is_due()
        self._take_flags_off()
        if self.journey.id not in self.world.stale:
            mine = (rule_state.c.org == self.turn.org, rule_state.c.rule == self.journey.id)
            self.turn.connection.execute(sa.update(rule_state).where(*mine).values(judged=self.turn.now))
        return self.done

    @property
    def now(self) -> int:
        return micros(self.turn.now) or 0

    # --- what is due --------------------------------------------------------------------------------------------------

    def _do_what_is_due(self) -> None:
        found = self._due(self._since())
        known = self._records(found["person_id"])
        found = found.join(known, on=KEYS, how="left").filter(
            pl.col("recorded").is_null() | (pl.col("recorded") != pl.col("due"))
        )
        if found.is_empty():
            return
        judged = self._judge(found)
        open_ = pl.col("latest") >= self.now
        self._pass_over(judged.filter(~pl.col("verdict")))
        self._too_late(judged.filter(pl.col("verdict").fill_null(value=True), ~open_))
        self.done.undecided = len(judged.filter(pl.col("verdict").is_null(), open_))
        self._act(judged.filter("verdict", open_))

    def _judge(self, rows: pl.DataFrame) -> pl.DataFrame:
        return judge(self.journey, rows, self.world, self.anchors, self.turn.now)

    def _since(self) -> datetime:
        """What was too late by then is past; a journey that is new begins now."""
        mine = (rule_state.c.org == self.turn.org, rule_state.c.rule == self.journey.id)
        judged = self.turn.connection.scalar(sa.select(rule_state.c.judged).where(*mine))
        judged = min(judged or self.turn.now, self.turn.now)  # a clock that was ahead has judged nothing in between
        return max(judged, self.turn.now - LISTED)

    def _due(self, since: datetime) -> pl.DataFrame:
        """Each step of an occasion near now that is due, and was not too late already at `since`; of people who are."""
        zone = self.world.zone
        spans = [span_of(step, since.astimezone(zone).date(), self.turn.today) for step in self.journey.steps]
        occasions = self.anchors.near(self.journey.around, spans)
        parts = [timed(occasions, step, zone) for step in self.journey.steps]
        near = pl.concat(parts).filter(pl.col("due") <= self.now, pl.col("latest") >= micros(since))
        return near.join(self.world.people.select("person_id"), on="person_id", how="semi")

    def _records(self, people: pl.Series, state: str | None = None) -> pl.DataFrame:
        """Steps that were judged before (in `state`; None: any), with the time they were due then."""
        mine = [journey_step.c.org == self.turn.org, journey_step.c.rule == self.journey.id]
        mine += [journey_step.c.state == state] if state else []
        asked = sa.select(journey_step.c.person_id, journey_step.c.occasion, journey_step.c.step, journey_step.c.due)
        rows: list[Any] = []
        for some in slices(people.unique().to_list()):
            rows += self.turn.connection.execute(asked.where(*mine, journey_step.c.person_id.in_(some))).all()
        told = [(*row[:3], micros(row.due)) for row in rows]
        schema = {"person_id": pl.Int64, "occasion": pl.String, "step": pl.String, "recorded": pl.Int64}
        return pl.DataFrame(told, schema=schema, orient="row")

    def _pass_over(self, rows: pl.DataFrame) -> None:
        self.done.passed += len(rows)
        stopped = pl.col("stopped").fill_null(value=False)
        for reason, some in (("stopped", rows.filter(stopped)), ("not-met", rows.filter(~stopped))):
            self._record(some, SKIPPED, reason)

    def _too_late(self, rows: pl.DataFrame) -> None:
        """What goes to people and to other services is listed in the outbox, where `expire` holds it for good."""
        self.done.late += len(rows)
        self._record(rows, LATE, "too-late")
        for step, term, people in self._groups(rows):
            if isinstance(step.action, Email | Webhook | Newsletter):
                self._do(step, term, people)

    def _act(self, rows: pl.DataFrame) -> None:
        rows = self._with_room(rows)
        self.done.done += len(rows)
        self._record(rows, DONE)
        for step, term, people in self._groups(rows):
            self._do(step, term, people)

    def _with_room(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Without the reviews that this day has no room for: they stay open, and come another day."""
        for step in self.journey.steps:
            if isinstance(step.action, Review):
                mine = rows.filter(step=step.name).sort("due", "occasion").unique("person_id", keep="first")
                next_ones = acts.next_reviews(
                    self.turn, self.journey.id, step.name, step.action, mine["person_id"].to_list()
                )
                kept = mine.filter(pl.col("person_id").is_in(next_ones))
                rows = pl.concat([rows.filter(pl.col("step") != step.name), kept])
        return rows

    def _do(self, step: Step, term: Term, people: Sequence[int]) -> None:
        mine = (self.turn, self.journey.id)
        match step.action:
            case Email() as email:
                acts.send_email(*mine, step.name, email, self._wanted(step, term, people), term)
            case Task() as work:
                acts.add_task(*mine, step.name, work, people, term)
            case SetCell() as cell:
                acts.set_cell(*mine, cell, people)
            case Flag() as put:
                self._put_flag(put, people)
            case action:
                acts.do_deed(*mine, step.name, action, people, term)

    def _wanted(self, step: Step, term: Term, people: Sequence[int]) -> list[int]:
        """Without those whose e-mail a person of the team has dropped, or whose former self had it: moving the date does not
        bring it back. And without those who had it at this time from the rule that this journey was before.
        """
        mine = (outbox.c.org == self.turn.org, outbox.c.rule == self.journey.id, outbox.c.step == step.name)
        dropped = sa.select(outbox.c.person_id).where(*mine, outbox.c.occasion == term.occasion)
        gone = set(self.turn.connection.scalars(dropped.where(outbox.c.reason.in_(out.SETTLED))))
        email = step.action
        gone |= {
            person
            for person, template, at in self._from_the_rule
            if isinstance(email, Email) and template == email.template and at >= term.not_before
        }
        return [person for person in people if person not in gone]

    @cached_property
    def _from_the_rule(self) -> list[tuple[int, str, datetime]]:
        """Person, template and time of the e-mails that went as a rule's: its occasions are days."""
        mine = (outbox.c.org == self.turn.org, outbox.c.rule == self.journey.id, outbox.c.state.in_(GONE_STATES))
        at = sa.func.coalesce(outbox.c.settled_at, outbox.c.created_at, type_=Utc)
        asked = sa.select(outbox.c.person_id, outbox.c.template, at).where(*mine, outbox.c.occasion.not_like("% %"))
        return [(person, template, moment) for person, template, moment in self.turn.connection.execute(asked)]

    def _groups(self, rows: pl.DataFrame) -> Iterator[tuple[Step, Term, list[int]]]:
        """People who share a step, an occasion and its time."""
        groups = rows.sort("person_id").group_by("step", "occasion", "due", "latest", maintain_order=True)
        for (name, occasion, start, last), some in groups:
            term = Term(str(occasion), _moment(start), _moment(last))
            yield self.journey.step[str(name)], term, some["person_id"].to_list()

    def _record(self, rows: pl.DataFrame, state: str, reason: str | None = None) -> None:
        common = {"org": self.turn.org, "rule": self.journey.id, "state": state, "reason": reason}
        common |= {"at": self.turn.now, "run": self.turn.run}
        told = [
            common | {"person_id": person, "occasion": occasion, "step": step, "due": _moment(start)}
            for person, occasion, step, start in rows.select(*KEYS, "due").iter_rows()
        ]
        upsert(self.turn.connection, journey_step, told)

    # --- what has not gone --------------------------------------------------------------------------------------------

    def _take_back(self) -> None:
        pending = open_steps(self.turn, self.journey, self.turn.now - LISTED)
        lost = pending.filter(pl.col("step").is_in(list(self.journey.step)).not_())
        self._cancel(lost, "rule-changed")
        pending = pending.join(lost, on=["table", "id"], how="anti")
        if pending.is_empty():
            return
        occasions = self.anchors.of(self.journey.around, set(pending["person_id"]))
        now_due = pl.concat([timed(occasions, step, self.world.zone) for step in self.journey.steps])
        found = pending.join(self._records(pending["person_id"]), on=KEYS, how="left").join(
            now_due, on=KEYS, how="left"
        )
        gone = pl.col("due").is_null()
        moved = pl.col("due") != pl.coalesce("recorded", "due")
        for reason, which in (("occasion-gone", gone), ("moved", moved)):
            some = found.filter(which)
            self._cancel(some, reason)
            self._forget(some)
        staying = found.filter(~gone, ~moved, pl.col("follows") & ~pl.col("late"))
        if not staying.is_empty():
            judged = self._judge(staying).filter(~pl.col("verdict"))
            stopped = pl.col("stopped").fill_null(value=False)
            for reason, which in (("stopped", stopped), ("left", ~stopped)):
                self._cancel(judged.filter(which), reason)
                self._record(judged.filter(which), SKIPPED, "stopped" if reason == "stopped" else "not-met")

    def _cancel(self, rows: pl.DataFrame, reason: str) -> None:
        self.done.taken_back += len(rows)
        take_back(self.turn, rows, reason)

    def _forget(self, rows: pl.DataFrame) -> None:
        """So that it is judged again when it comes back, or at its new time."""
        mine = (journey_step.c.org == self.turn.org, journey_step.c.rule == self.journey.id)
        for person, occasion, step in rows.select(KEYS).iter_rows():
            this = (
                journey_step.c.person_id == person,
                journey_step.c.occasion == occasion,
                journey_step.c.step == step,
            )
            self.turn.connection.execute(sa.delete(journey_step).where(*mine, *this))

    # --- flags --------------------------------------------------------------------------------------------------------

    def _put_flag(self, put: Flag, people: Sequence[int]) -> None:
        wearing = {person for person, name in self._worn() if name == put.name}
        row = {
            "org": self.turn.org,
            "rule": self.journey.id,
            "name": put.name,
            "since": self.turn.now,
            "run": self.turn.run,
        }
        new = [row | {"person_id": p, "until": None, "until_run": None} for p in people if p not in wearing]
        upsert(self.turn.connection, flag, new)
        self.turn.done.flags_on += len(new)

    def _worn(self) -> list[tuple[int, str]]:
        mine = (flag.c.org == self.turn.org, flag.c.rule == self.journey.id, flag.c.until.is_(None))
        return [(row.person_id, row.name) for row in self.turn.connection.execute(sa.select(flag).where(*mine))]

    def _take_flags_off(self) -> None:
        """Of who is no longer meant: for the last of a person's occasions that put it."""
        worn = self._worn()
        if not worn:
            return
        keep = self._still_meant({person for person, _ in worn})
        for person, name in worn:
            if (person, name) not in keep:
                this = (flag.c.org == self.turn.org, flag.c.rule == self.journey.id, flag.c.until.is_(None))
                off = sa.update(flag).where(*this, flag.c.person_id == person, flag.c.name == name)
                self.turn.connection.execute(off.values(until=self.turn.now, until_run=self.turn.run))
                self.turn.done.flags_off += 1

    def _still_meant(self, people: set[int]) -> set[tuple[int, str]]:
        """Person and flag, where an occasion that put the flag is still there and what was asked is not known to be false.
        What asks nothing itself (`New`) marks the journey: it goes when nothing of the journey can come any more.
        """
        flags = {step.name: step.action.name for step in self.journey.steps if isinstance(step.action, Flag)}
        put = self._records(pl.Series(sorted(people), dtype=pl.Int64), DONE).filter(pl.col("step").is_in(list(flags)))
        occasions = self.anchors.of(self.journey.around, people)
        steps = pl.concat([timed(occasions, step, self.world.zone) for step in self.journey.steps])
        over = steps.group_by("person_id", "occasion").agg(over=pl.col("latest").max())
        rows = steps.join(put.select(KEYS), on=KEYS).join(over, on=["person_id", "occasion"])
        if rows.is_empty():
            return set()
        judged = self._judge(rows)
        asking = [step.name for step in self.journey.steps if step.when or step.unless]
        stays = judged.filter(
            pl.col("verdict").fill_null(value=True),
            ~pl.col("stopped").fill_null(value=False),
            pl.col("step").is_in(asking) | (pl.col("over") >= self.now),
        )
        return {(person, flags[step]) for person, step in stays.select("person_id", "step").iter_rows()}


# --- parts that looking ahead needs too ------------------------------------------------------------------------------


def timed(occasions: pl.DataFrame, step: Step, zone: ZoneInfo) -> pl.DataFrame:
    """The same occasions with the time of a step: `step`, and `due` and `latest` in microseconds since 1970 UTC."""
    moments = occasions.select("at", "day").unique()
    told = [(at, day, *_times(step, moment_of(at, day, zone), zone)) for at, day in moments.iter_rows()]
    times = pl.DataFrame(told, schema={"at": pl.Int64, "day": pl.Date, **TIMED}, orient="row")
    found = occasions.join(times, on=["at", "day"], how="left", nulls_equal=True)
    return found.with_columns(step=pl.lit(step.name))


def _times(step: Step, moment: datetime | date, zone: ZoneInfo) -> tuple[int | None, int | None]:
    return micros(due(step.at, moment, zone)), micros(latest(step, moment, zone))


def judge(journey: Journey, rows: pl.DataFrame, world: World, anchors: Anchors, now: datetime) -> pl.DataFrame:
    """The same rows with what came since, `verdict` (whether the step's conditions hold; null: not known) and `stopped`."""
    rows, today = with_counts(rows, anchors, journey.needs, now), now.astimezone(world.zone).date()
    people = at_occasions(rows.unique(["person_id", "occasion"]), world)
    wanted: dict[str, Condition] = {f"step:{step.name}": journey.condition_of(step) for step in journey.steps}
    if journey.stop is not None:
        wanted[STOP] = journey.stop
    found = answers(world.book, wanted, people, today, world.unknown_here)
    found = people.select("key", "person_id", "occasion").join(found, on="key")
    stopped = pl.col(STOP) if journey.stop is not None else pl.lit(value=False)
    parts = [
        found.select("person_id", "occasion", step=pl.lit(step.name), verdict=f"step:{step.name}", stopped=stopped)
        for step in journey.steps
    ]
    return rows.join(pl.concat(parts), on=KEYS, how="left")


def at_occasions(occasions: pl.DataFrame, world: World) -> pl.DataFrame:
    """Each person at each of these occasions as rules see them, with what is asked of the occasion itself."""
    amount = pl.when(pl.col("currency") == world.currency).then(pl.col("cents") / 100)
    found = occasions.with_columns(amount=amount).select("person_id", "occasion", *OCCASION)
    return found.join(world.people.drop("key"), on="person_id", how="left").with_row_index("key")


def span_of(step: Step, since: date, today: date) -> Span:
    """The local days on which the occasions lie whose step may be due between these days, with room to spare."""
    late, period = step.no_later_than, step.at.period
    first = _shifted(since, -length(late)) if late.unit in EXACT else late.before(since)
    if period.unit in EXACT:
        return _shifted(first, -step.at.sign * length(period) - MARGIN), _shifted(
            today, MARGIN - step.at.sign * length(period)
        )
    move = period.after if step.at.sign < 0 else period.before
    return _shifted(move(first), -MARGIN), _shifted(move(today), MARGIN)


def _shifted(day: date, by: timedelta) -> date:
    try:
        return day + by
    except OverflowError:
        return date.max if by > timedelta(0) else date.min


def _moment(at: Any) -> datetime:
    return EPOCH + timedelta(microseconds=at)
