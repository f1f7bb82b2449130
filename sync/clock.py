"""The only place that asks what time it is. Everything else is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def utc_now() -> datetime:
    return datetime.now(UTC)


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones: six hundred files, looked through once."""
    return frozenset(available_timezones())


@dataclass(frozen=True)
class Clock:
    """The time as one run sees it. `as_if` is the day given with `--today`: then it is that day, at the real time."""

    zone: ZoneInfo
    as_if: date | None = None
    read: Callable[[], datetime] = utc_now

    def now(self) -> datetime:
        """The time in UTC, moved to the day of `as_if` when there is one."""
        real = self.read()
        if self.as_if is None:
            return real
        local = real.astimezone(self.zone)
        return datetime.combine(self.as_if, local.time(), tzinfo=self.zone).astimezone(UTC)

    def today(self) -> date:
        """The day in the organisation's time zone."""
        return self.now().astimezone(self.zone).date()
