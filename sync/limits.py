"""How much is written, and when: what may stand below `mail: limits:`, and what its phrases mean.

`2 in 7 days` · `2 en 7 jours`, `30 days` · `30 jours`, `21:00 to 6:00` · `de 21 h à 6 h`, `sunday` · `dimanche`, `none` · `aucune`. Days and hours
are the organisation's; a day with 23 or 25 hours is a day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

import pydantic
from pydantic_core import PydanticCustomError

from rules.conditions import Period, Unit
from rules.mistakes import fold
from sync.schedule import DAYS

CAP = re.compile(r"(\d+) (?:in|en|per|par|every|tous les) (?:(\d+) )?(days?|jours?|weeks?|semaines?)")
APART = re.compile(r"(\d+) (days?|jours?|weeks?|semaines?|months?|mois)")
UNITS: dict[str, Unit] = {"d": "day", "j": "day", "w": "week", "s": "week", "m": "month"}
HOURS = re.compile(r"(?:from |de )?(\d{1,2}) ?[:h] ?(\d{2})? ?(?:to|a|-|–|until|jusqu'a) ?(\d{1,2}) ?[:h] ?(\d{2})?")
NONE = frozenset({"none", "no", "never", "aucune", "aucun", "non", "jamais"})
USUAL_HOURS = "21:00 to 6:00"
MOST_TRIES = 30
Purpose = Literal["marketing", "service"]


class Cap(NamedTuple):
    """At most `mails` in any `days` days that follow each other."""

    mails: int
    days: int


class Hours(NamedTuple):
    """From `start` until just before `end`, by the clock on the wall; `end` may be on the next morning."""

    start: time
    end: time

    def hold(self, at: time) -> bool:
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


def _plain(text: str) -> str:
    return " ".join(fold(text).split())


def read_cap(text: str) -> Cap | None:
    """`2 in 7 days`, `1 par semaine`, or `none`. Raises ValueError for anything else."""
    if _plain(text) in NONE:
        return None
    found = CAP.fullmatch(_plain(text))
    cap = found and Cap(int(found[1]), int(found[2] or 1) * (7 if found[3][0] in "ws" else 1))
    if not cap or not cap.mails or not 1 <= cap.days <= 366:
        raise ValueError(text)
    return cap


def read_apart(text: str) -> Period | None:
    """`30 days`, `1 mois`, or `none`. Raises ValueError for anything else."""
    if _plain(text) in NONE:
        return None
    found = APART.fullmatch(_plain(text))
    if not found or not 1 <= int(found[1]) <= 366:
        raise ValueError(text)
    return Period(int(found[1]), UNITS[found[2][0]])


def read_hours(text: str) -> Hours | None:
    """`21:00 to 6:00`, `de 21 h à 6 h`, or `none`. Raises ValueError for anything else, and for a whole day."""
    if _plain(text) in NONE:
        return None
    found = HOURS.fullmatch(_plain(text))
    if not found:
        raise ValueError(text)
    start, end = (time(int(found[n]) % 24 if found[n] != "24" else 0, int(found[n + 1] or 0)) for n in (1, 3))
    if start == end or int(found[1]) > 24 or int(found[3]) > 24:
        raise ValueError(text)
    return Hours(start, end)


def read_days(names: list[str]) -> frozenset[int]:
    """Days of the week, Monday is 0. Raises ValueError for a word that is none, and when no day is left."""
    known = {name: number for number, both in enumerate(DAYS.values()) for name in both}
    plain = [_plain(name) for name in names]
    found = {known[name if name in known else name.removesuffix("s")] for name in plain if name not in NONE}
    if len(found) == len(DAYS):
        raise ValueError(names)
    return frozenset(found)


def _one_of(code: str, read: Callable[[str], object]) -> pydantic.AfterValidator:
    def check(text: str | None) -> str | None:
        try:
            if text is not None:
                read(text)
        except ValueError as fault:
            raise PydanticCustomError(code, "is no such phrase") from fault
        return text

    return pydantic.AfterValidator(check)


def _week_days(names: list[str]) -> list[str]:
    try:
        read_days(names)
    except (ValueError, KeyError) as fault:
        raise PydanticCustomError("config-quiet-days", "are no days of the week") from fault
    return names


class Limits(pydantic.BaseModel):
    """What protects readers and the sender's name, whatever rules ask for."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)
    per_person: Annotated[str, _one_of("config-per-person", read_cap)] = pydantic.Field(
        "2 in 7 days", description="How many marketing e-mails a person gets at most, in how many days; none: no limit."
    )
    same_email: Annotated[str, _one_of("config-same-email", read_apart)] = pydantic.Field(
        "30 days", description="How long the same marketing e-mail does not go again to a person, from whichever rule."
    )
    quiet_hours: Annotated[str | None, _one_of("config-quiet-hours", read_hours)] = pydantic.Field(
        None, description=f"When nothing goes; {USUAL_HOURS} if left out (not with `type: folder`); none: at any hour."
    )
    quiet_days: Annotated[
        list[str],
        pydantic.BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
        pydantic.AfterValidator(_week_days),
    ] = pydantic.Field(default_factory=list, description="Days of the week on which no marketing e-mail goes.")
    per_day: int | None = pydantic.Field(
        None, ge=1, description="How many e-mails go in a day at most; a tenth is kept for practical information."
    )
    first_day: int | None = pydantic.Field(
        None, ge=1, description="A new sender begins slowly: so many on the first day, then at most twice the best day."
    )

    @property
    def cap(self) -> Cap | None:
        return read_cap(self.per_person)

    @property
    def apart(self) -> Period | None:
        return read_apart(self.same_email)

    @property
    def hours(self) -> Hours | None:
        return read_hours(self.quiet_hours) if self.quiet_hours else None

    @property
    def days(self) -> frozenset[int]:
        return read_days(self.quiet_days)

    def quiet(self, local: datetime, purpose: Purpose) -> str | None:
        """The word for why nothing of this purpose goes at this local time; None: it may."""
        if (hours := self.hours) and hours.hold(local.time()):
            return "quiet-hours"
        return "quiet-day" if purpose == "marketing" and local.weekday() in self.days else None

    def opens(self, now: datetime, zone: ZoneInfo, purpose: Purpose) -> datetime | None:
        """The first moment from `now` on that is not quiet, in UTC; None if there is none in the next weeks."""
        moment = now
        for _ in range(MOST_TRIES):
            local = moment.astimezone(zone)
            reason = self.quiet(local, purpose)
            if reason is None:
                return moment
            hours = self.hours
            end = hours.end if hours and reason == "quiet-hours" else time()
            moment = _next(moment, end, zone)
        return None


def _next(moment: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The next time after `moment` that the clock on the wall shows `at`; an hour that comes twice counts twice."""
    today = moment.astimezone(zone).date()
    shown = [
        datetime.combine(day, at.replace(fold=fold), tzinfo=zone).astimezone(moment.tzinfo)
        for day in (today, today + timedelta(days=1))
        for fold in (0, 1)
    ]
    return min(one for one in shown if one > moment)


def day_begins(moment: datetime, zone: ZoneInfo, days_before: int = 0) -> datetime:
    """The first moment of the local day of `moment`, or of a day before it (after it, when negative), in UTC's terms."""
    day = moment.astimezone(zone).date() - timedelta(days=days_before)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(moment.tzinfo)
