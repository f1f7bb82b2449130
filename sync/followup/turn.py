"""What all that follows from one decision shares: where to write it down, when it is, and what it counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.engine import Connection

from rules.conditions import Email, Period

HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True)
class Moved:
    """What a run changed for one rule: person ids, and how many are inside or could not be decided."""

    entered: Sequence[int] = ()
    left: Sequence[int] = ()
    inside: int = 0
    unknown: int = 0


@dataclass
class Walked:
    """What a run did for one journey, in steps: done, passed over since their conditions did not hold, too late, taken
    back; and how many could not be decided yet.
    """

    done: int = 0
    passed: int = 0
    late: int = 0
    taken_back: int = 0
    undecided: int = 0


@dataclass
class Decisions:
    """Counts of what is new: flags put on and taken off, cells to set, tasks, e-mails planned, taken back, and too late; deeds by kind;
    `had_lately`: by rule, e-mails that do not go to who came in again.
    `reworded`: rules whose e-mails have another text than the one that was approved, `reworded_alone`: how many e-mails that
    were approved one by one.
    """

    rules: dict[str, Moved] = field(default_factory=dict)
    journeys: dict[str, Walked] = field(default_factory=dict)
    flags_on: int = 0
    flags_off: int = 0
    cells: int = 0
    tasks: int = 0
    mails: int = 0
    cancelled: int = 0
    too_late: int = 0
    had_lately: dict[str, int] = field(default_factory=dict)
    deeds: dict[str, int] = field(default_factory=dict)
    reworded: list[str] = field(default_factory=list)
    reworded_alone: int = 0


@dataclass(frozen=True)
class Term:
    """What an action is for, and the time in which it makes sense, where that is not today and from now on."""

    occasion: str
    not_before: datetime
    no_later_than: datetime


@dataclass(frozen=True)
class Turn:
    """What all steps of one decision share. `apart`: how long nobody gets the same news of a rule a second time."""

    connection: Connection
    org: int
    run: int
    now: datetime
    today: date
    began: datetime
    done: Decisions
    news: Callable[[Email], bool] = lambda _email: False  # is it marketing?
    apart: Period | None = None

    @property
    def occasion(self) -> str:
        return self.today.isoformat()

    def later(self, period: Period | None) -> datetime:
        """After `period`. A wait of days counts from the morning: the run of that day must find it over."""
        if period is None:
            return self.now
        start = self.now if period.unit in {"minute", "hour"} else self.now - HALF_A_DAY
        try:
            return start + period.delta
        except (OverflowError, ValueError):
            return datetime.max.replace(tzinfo=self.now.tzinfo)
