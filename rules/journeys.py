"""What a journey means: what happens before and after something in a person's life, each step at its own time.

**A step's time.** Minutes and hours count exactly from the moment; days and longer fall on a local day, at its first
instant, so that the run of that day finds them. **`no later than`** in days holds to the end of the last of them, in
hours exactly; and what is to go *before* something never goes once it has begun.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from rules.conditions import (
    NOWHERE,
    Action,
    AllOf,
    Condition,
    Email,
    Example,
    Flag,
    Forget,
    Newsletter,
    NoneOf,
    Notify,
    Period,
    Review,
    Rule,
    SetCell,
    Shift,
    Webhook,
)
from rules.fields import SINCE, kinds_of
from rules.mistakes import Place

AnchorKind = Literal["ticket", "first_visit", "membership_end", "birthday", "flag", "donation", "answer"]
DEFAULT_LATEST = Period(3, "day")
EXACT = {"minute", "hour"}
VISITS: frozenset[AnchorKind] = frozenset({"ticket", "first_visit"})
"""Anchors at which there is an event: its `genre` is known, and whether the person came."""
DAYS_ONLY: frozenset[AnchorKind] = frozenset({"birthday", "membership_end"})
"""Anchors that are a day and have no hour."""
READS: dict[AnchorKind, str] = {
    "ticket": "visits",
    "first_visit": "first_visit",
    "membership_end": "membership_ends",
    "birthday": "birthday",
    "flag": "flags",
    "donation": "donations",
    "answer": "answers",
}
"""The field whose records the anchor is made from: a journey rests on it as a rule rests on the fields it reads."""
OF_ONE: dict[str, frozenset[AnchorKind]] = {
    "attended": VISITS,
    "genre": VISITS,
    "amount": frozenset({"donation"}),
    **dict.fromkeys(SINCE, frozenset(get_args(AnchorKind))),
}
"""By field of `rules.fields.OCCASION`, the anchors that have it."""


def asked_of(kind: AnchorKind) -> frozenset[str]:
    """What may be asked of the one thing that a journey is around."""
    return frozenset(name for name, kinds in OF_ONE.items() if kind in kinds)


@dataclass(frozen=True)
class Around:
    """What a journey turns around; `flag` is the name of a flag, for `flag` only."""

    kind: AnchorKind
    flag: str = ""


@dataclass(frozen=True)
class Step:
    """One thing to do, `at` before (sign -1) or after (+1) what the journey is around. `name` is its lasting one;
    `no_later_than` of 0 days: as long as its day lasts. It stands at `late_place`, or this is the step's where it is told
    for the whole journey.
    """

    name: str
    at: Shift
    action: Action
    when: AllOf | None = None
    unless: NoneOf | None = None
    no_later_than: Period = DEFAULT_LATEST
    place: Place = dataclasses.field(default=NOWHERE, compare=False)
    late_place: Place = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Journey:
    """`when` and `unless` hold for every step; whoever meets `stop` gets nothing more. `needs`, `kinds` and `digest` as
    for a rule.
    """

    id: str
    name: str
    around: Around
    steps: tuple[Step, ...]
    when: AllOf | None = None
    unless: NoneOf | None = None
    stop: AllOf | None = None
    active: bool = True
    examples: tuple[Example, ...] = ()
    was: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    digest: str = ""
    place: Place = dataclasses.field(default=NOWHERE, compare=False)

    @property
    def condition(self) -> Condition:
        """What is asked at every step: it is empty (`AllOf(())`) where everybody is meant."""
        return AllOf(tuple(self._asked()))

    def _asked(self) -> Iterator[Condition]:
        yield from self.when.items if self.when else ()
        if self.unless:
            yield self.unless
        if self.stop:
            yield NoneOf((self.stop,))

    def condition_of(self, step: Step) -> Condition:
        """What must hold at the time of this step."""
        own: list[Condition] = [*(step.when.items if step.when else ()), *((step.unless,) if step.unless else ())]
        return AllOf((*self._asked(), *own))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return (self.condition, *(self.condition_of(step) for step in self.steps))

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(step.action for step in self.steps)

    @cached_property
    def step(self) -> dict[str, Step]:
        return {step.name: step for step in self.steps}

    @property
    def kinds(self) -> frozenset[str]:
        return kinds_of(self.needs)


def flat(condition: Condition) -> AllOf:
    """The same as one list of what must hold, for people to read."""
    if not isinstance(condition, AllOf):
        return AllOf((condition,))
    return AllOf(tuple(dict.fromkeys(part for item in condition.items for part in flat(item).items)))


def as_rule(journey: Journey, steps: Iterable[Step] = ()) -> Rule:
    """What the journey asks at these steps (none: at any), as a rule that can be explained."""
    asked = flat(AllOf(tuple(journey.condition_of(step) for step in steps) or (journey.condition,))).items
    left_out = tuple(out for one in asked if isinstance(one, NoneOf) for out in one.items)
    when = AllOf(tuple(one for one in asked if not isinstance(one, NoneOf)))
    return Rule(journey.id, journey.name, when, NoneOf(left_out) if left_out else None, ())


def own_rule(journey: Journey, step: Step) -> Rule:
    """What a step asks beyond its journey, as a rule that can be explained."""
    return Rule(journey.id, journey.name, step.when or AllOf(()), step.unless, ())


def lasting_name(action: Action, before: list[str]) -> str:
    """The name of a step that its place among the others does not change: numbered when another has it."""
    match action:
        case Email(template=template):
            name = template
        case Flag(name=flag):
            name = f"flag {flag}"
        case SetCell(column=column):
            name = f"set {column}"
        case _:
            name = name_of_deed(action) or "task"
    count = sum(known == name or known.startswith(f"{name}#") for known in before)
    return f"{name}#{count + 1}" if count else name


def name_of_deed(action: Action) -> str:
    """The lasting name of what is done beyond the sheet and the e-mails; "" for other actions."""
    match action:
        case Notify():
            return "notify"
        case Webhook(name=name):
            return f"webhook {name}"
        case Newsletter(change=change, tag=tag, source=source):
            return " ".join(part for part in ("newsletter", change, tag, source) if part)
        case Review():
            return "review"
        case Forget():
            return "forget"
        case _:
            return ""


# --- when ------------------------------------------------------------------------------------------------------------


def begins(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, also where the clocks skip midnight or go through it twice."""
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:  # at the edges of the calendar
        return datetime.combine(day, time.min, UTC)


def ends(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a local day, to the microsecond."""
    try:
        return begins(day + timedelta(days=1), zone) - timedelta(microseconds=1)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def due(at: Shift, moment: datetime | date, zone: ZoneInfo) -> datetime:
    """The time of a step (UTC). `moment`: when it happens, or only its day."""
    if at.period.unit in EXACT:
        start = moment if isinstance(moment, datetime) else begins(moment, zone)
        return start.astimezone(UTC) + length(at.period) * at.sign
    day = moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
    return begins(at.day(day), zone)


def latest(step: Step, moment: datetime | date, zone: ZoneInfo) -> datetime:
    """Until when a step makes sense (UTC)."""
    start = due(step.at, moment, zone)
    if step.no_later_than.unit in EXACT:
        last = start + length(step.no_later_than)
    else:
        last = ends(step.no_later_than.after(start.astimezone(zone).date()), zone)
    if step.at.sign > 0:
        return last
    over = moment.astimezone(UTC) if isinstance(moment, datetime) else ends(moment, zone)
    return min(last, over)


def length(period: Period) -> timedelta:
    """Minutes or hours, as exact time."""
    return period.count * (timedelta(minutes=1) if period.unit == "minute" else timedelta(hours=1))


def anniversary(born: date, year: int) -> date:
    """The birthday in a year; one on 29 February is kept on the 28th where there is no 29th."""
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
