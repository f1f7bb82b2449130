"""What a rules folder means, in one form for every language: conditions, actions, rules, segments.

**Yes, no, unknown.** A field without a value is known: it is `never` (or `empty`), and every comparison with it is
false. A field that can't be known today (its source failed, its column is gone) is unknown, and so is every condition
that hangs on it, in Kleene's logic: `unknown and no` is no, `unknown or yes` is yes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from dateutil.relativedelta import relativedelta

from rules.fields import FieldType, kinds_of
from rules.mistakes import Place, fold

if TYPE_CHECKING:
    from rules.journeys import Journey

Unit = Literal["minute", "hour", "day", "week", "month", "year"]
SHEET = "sheet:"
NOWHERE = Place("", 0, 0)


@dataclass(frozen=True)
class Period:
    """A length of time. Months and years are calendar ones: 31 August + 6 months is the last day of February."""

    count: int
    unit: Unit

    @property
    def delta(self) -> relativedelta:
        return relativedelta(**{f"{self.unit}s": self.count})  # type: ignore[arg-type]

    def before(self, day: date) -> date:
        return _shifted(self, day, -1)

    def after(self, day: date) -> date:
        return _shifted(self, day, +1)

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


@lru_cache(10_000)  # many people did something on one day, and asking the calendar takes long
def _shifted(period: Period, day: date, sign: int) -> date:
    """The nearest day that the calendar has: a period of a million years ends where it ends."""
    try:
        moved = day + period.delta * sign
    except (OverflowError, ValueError):
        return date.max if sign > 0 else date.min
    return date(moved.year, moved.month, moved.day)


Value = Period | date | Decimal | str


@dataclass(frozen=True)
class Check:
    """One line of `when`: a field, and what it is compared with. `type` says how a cell of the sheet is read; `op` is
    one of the phrases of that type in `rules/words`.
    """

    field: str
    type: FieldType
    op: str
    values: tuple[Value, ...] = ()
    place: Place = dataclasses.field(default=NOWHERE, compare=False)
    window: Window | None = None

    @property
    def column(self) -> str:
        """The column of its value: the field's own, or that of its count over a window."""
        return self.field if self.window is None else f"{self.field} {self.window}"


@dataclass(frozen=True)
class Window:
    """Which of the things that a field counts do count: those of the last `within` (None: ever), of one of `genres`,
    whose amount or score passes the test `each`, and whose day passes the test `days`.
    """

    within: Period | None = None
    genres: tuple[str, ...] = ()
    each: Check | None = None
    days: Check | None = None

    def __str__(self) -> str:
        """The same text for the same meaning."""
        told = [str(self.within or "ever"), *sorted({fold(genre) for genre in self.genres})]
        if self.each is not None:
            told += [self.each.field, self.each.op, *map(str, self.each.values)]
        if self.days is not None:
            told += [self.days.field, self.days.op, *map(str, self.days.values)]
        return str(told)


@dataclass(frozen=True)
class AllOf:
    items: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    items: tuple[Condition, ...]


@dataclass(frozen=True)
class NoneOf:
    items: tuple[Condition, ...]


@dataclass(frozen=True)
class InSegment:
    """The person is in the segment with this id."""

    segment: str
    place: Place = dataclasses.field(default=NOWHERE, compare=False)


Condition = Check | AllOf | AnyOf | NoneOf | InSegment


@dataclass(frozen=True)
class Flag:
    name: str


@dataclass(frozen=True)
class SetCell:
    """Write `value` (it may hold `{{ first_name }}`) in a column of the sheet."""

    column: str
    value: str


@dataclass(frozen=True)
class Email:
    """`wait`: still true that long after entering? `again`: may repeat after; `once`: never again, however often a person
    comes into the rule. `purpose` None: as the template says.
    What could not be sent within `no_later_than` of its day is listed, not sent.
    """

    template: str
    wait: Period | None = None
    again: Period | None = None
    purpose: Literal["marketing", "service"] | None = None
    no_later_than: Period = Period(30, "day")
    once: bool = False


@dataclass(frozen=True)
class Task:
    """A line for the tab To do. `text` may hold `{{ first_name }}`; `due` counts from the day the person entered."""

    text: str
    assignee: str | None = None
    due: Period | None = None


@dataclass(frozen=True)
class Notify:
    """Tell the team. `text` may hold `{{ first_name }}`."""

    text: str


@dataclass(frozen=True)
class Webhook:
    """Tell another program, by the name it has in the config: these fields of the person, and which rule it was."""

    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Newsletter:
    """Change where the person stands in a newsletter service. `tag` is what `add_tag` and `remove_tag` are about;
    `source` its name in the config, None where there is but one.
    """

    change: Literal["subscribe", "unsubscribe", "add_tag", "remove_tag"]
    tag: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Review:
    """Have so many records a day looked at by a person, those checked longest ago first."""

    a_day: int


@dataclass(frozen=True)
class Forget:
    """Propose to erase the person's data; nothing more. `reason` may hold `{{ first_name }}`."""

    reason: str


Action = Flag | SetCell | Email | Task | Notify | Webhook | Newsletter | Review | Forget


def texts_of(action: Action) -> tuple[str, ...]:
    """The texts of an action that a person's facts are put into."""
    match action:
        case SetCell(value=text) | Task(text=text) | Notify(text=text) | Forget(reason=text):
            return (text,)
        case _:
            return ()


@dataclass(frozen=True)
class Shift:
    """A day told from today: `2 years ago` (sign -1), `in 3 days` (+1)."""

    sign: int
    period: Period

    def day(self, today: date) -> date:
        return self.period.before(today) if self.sign < 0 else self.period.after(today)


@dataclass(frozen=True)
class Deed:
    """One thing that an example's person did: a visit, a gift, an answer."""

    day: Shift | date
    genre: str | None = None
    amount: Decimal | None = None
    score: Decimal | None = None


Fact = Shift | date | Decimal | str | bool | tuple[str, ...] | tuple[Deed, ...] | None


@dataclass(frozen=True)
class Example:
    """A person told by facts, and whether the rule should hold for them; in a journey, at the step `at` (None: at any)."""

    facts: tuple[tuple[str, Fact], ...]
    expect: bool
    at: Shift | None = None
    place: Place = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Segment:
    """A group of people with a name, for rules and for a column of the sheet. `was` are ids it had before."""

    id: str
    name: str
    condition: Condition
    was: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    digest: str = ""
    place: Place = dataclasses.field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Rule:
    """`condition` is `when` and none of `unless`. `needs` are the fields it reads, through segments too, and `kinds`
    the records those are made from: while one of their sources is not fresh, the rule's e-mails wait.
    `digest` changes when the meaning does, and not when the rule is renamed, moved or translated.
    """

    id: str
    name: str
    when: AllOf
    unless: NoneOf | None
    actions: tuple[Action, ...]
    active: bool = True
    examples: tuple[Example, ...] = ()
    was: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    digest: str = ""
    place: Place = dataclasses.field(default=NOWHERE, compare=False)

    @property
    def condition(self) -> Condition:
        return self.when if self.unless is None else AllOf((*self.when.items, self.unless))

    @property
    def kinds(self) -> frozenset[str]:
        return kinds_of(self.needs)


@dataclass(frozen=True)
class Book:
    """Every rule, segment and journey of a folder, in their order, which is the order of priority."""

    rules: tuple[Rule, ...] = ()
    segments: tuple[Segment, ...] = ()
    journeys: tuple[Journey, ...] = ()

    @property
    def acting(self) -> tuple[Rule | Journey, ...]:
        """All that does something, by an id of its own."""
        return (*self.rules, *self.journeys)

    @cached_property
    def segment(self) -> Mapping[str, Segment]:
        return {segment.id: segment for segment in self.segments}

    @cached_property
    def rule(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def journey(self) -> Mapping[str, Journey]:
        return {journey.id: journey for journey in self.journeys}

    def called(self, name: str) -> str | None:
        """The id of the rule or journey that a person means by its id or its name, however they write it."""
        return next((one.id for one in self.acting if name == one.id or fold(name) == fold(one.name)), None)

    @property
    def names(self) -> dict[str, str]:
        """How rules and journeys are called, by their id."""
        return {one.id: one.name for one in self.acting}

    @cached_property
    def windows(self) -> Mapping[str, Check]:
        """By its column, every count over a window that rules and segments read: a check that asks for it."""
        conditions = [rule.condition for rule in self.rules] + [segment.condition for segment in self.segments]
        conditions += [condition for journey in self.journeys for condition in journey.conditions]
        checks = [leaf for condition in conditions for leaf in leaves(condition) if isinstance(leaf, Check)]
        return {check.column: check for check in checks if check.window is not None}

    @property
    def fields(self) -> frozenset[str]:
        """Fields that rules, journeys and segments read; the team's own as `sheet:` and their header."""
        needs = [*(one.needs for one in self.acting), *(segment.needs for segment in self.segments)]
        return frozenset[str]().union(*needs)

    @property
    def columns(self) -> frozenset[str]:
        """Headers of the team's sheet that rules and segments read."""
        return frozenset(name.removeprefix(SHEET) for name in self.fields if name.startswith(SHEET))

    def columns_gone(self, headers: Iterable[str]) -> tuple[str, ...]:
        """Headers that rules name, as they name them, and that the sheet has not."""
        there = {fold(header) for header in headers}
        return tuple(sorted(name for name in self.columns if fold(name) not in there))

    @cached_property
    def layers(self) -> tuple[tuple[Segment, ...], ...]:
        """The segments, each layer using only those of the layers before."""
        layers, done, left = [], set[str](), list(self.segments)
        while left:
            ready = tuple(segment for segment in left if uses(segment.condition) <= done)
            if not ready:
                break
            layers.append(ready)
            done |= {segment.id for segment in ready}
            left = [segment for segment in left if segment.id not in done]
        return tuple(layers)


def leaves(condition: Condition) -> Iterator[Check | InSegment]:
    """Every test and segment use in a condition, from left to right."""
    if isinstance(condition, AllOf | AnyOf | NoneOf):
        for item in condition.items:
            yield from leaves(item)
    else:
        yield condition


def uses(condition: Condition) -> frozenset[str]:
    """The ids of the segments that a condition uses itself."""
    return frozenset(leaf.segment for leaf in leaves(condition) if isinstance(leaf, InSegment))


def fields_of(condition: Condition, segments: Mapping[str, Segment]) -> frozenset[str]:
    """The fields a condition reads, through its segments (whose `needs` are known) too."""
    found: frozenset[str] = frozenset()
    for leaf in leaves(condition):
        found |= segments[leaf.segment].needs if isinstance(leaf, InSegment) else {leaf.field}
    return found


def plain_field(name: str) -> str:
    """A header's accents and letter case are no part of what a rule means."""
    return SHEET + fold(name.removeprefix(SHEET)) if name.startswith(SHEET) else name


def column_of(field: str, columns: Iterable[str]) -> str | None:
    """The column that holds a field: the same name, or the team's own header, accents and letter case apart."""
    known = list(columns)
    if field in known or not field.startswith(SHEET):
        return field if field in known else None
    return next((name for name in known if name.startswith(SHEET) and plain_field(name) == plain_field(field)), None)
