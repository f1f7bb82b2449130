"""When a run is due. APScheduler only ticks: what is due is computed from the table of runs, so a tick that was missed
(the machine slept, the container was down) is caught up once, and once only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

DAYS = {
    "mon": ("monday", "lundi"),
    "tue": ("tuesday", "mardi"),
    "wed": ("wednesday", "mercredi"),
    "thu": ("thursday", "jeudi"),
    "fri": ("friday", "vendredi"),
    "sat": ("saturday", "samedi"),
    "sun": ("sunday", "dimanche"),
}
TIME = r"(?P<hour>\d{1,2})\s*[:h]\s*(?P<minute>\d{2})?"
EVERY = r"(?:every|chaque|tous les|toutes les)"
PHRASES = (
    (re.compile(rf"^{EVERY} (?:day|jour|jours) (?:at|à|a) {TIME}$"), "{minute} {hour} * * *"),
    (re.compile(rf"^{EVERY} (?P<day>[a-z]+?)s? (?:at|à|a) {TIME}$"), "{minute} {hour} * * {day}"),
    (re.compile(rf"^{EVERY} (?:hour|heure|heures)$"), "0 * * * *"),
    (re.compile(rf"^{EVERY} (?P<n>\d+) (?:hours|heures)$"), "0 */{n} * * *"),
    (re.compile(rf"^{EVERY} (?P<n>\d+) minutes$"), "*/{n} * * * *"),
)


@dataclass(frozen=True)
class Timetable:
    """`cron` is a five-field cron line, read in the organisation's time zone."""

    cron: str
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time a run is due strictly after `moment`; None if never again."""
        trigger = CronTrigger.from_crontab(self.cron, timezone=self.zone)
        start = moment.astimezone(self.zone) + timedelta(microseconds=1)
        found: datetime | None = trigger.get_next_fire_time(None, start)
        return found

    def is_due(self, last: datetime | None, now: datetime) -> bool:
        """True when a time of the table lies between the last run's start and now, or nothing ever ran."""
        if last is None:
            return True
        following = self.next_after(last)
        return following is not None and following <= now

    def period(self, now: datetime) -> timedelta:
        """The longest wait between two runs of the coming ones: what `fresh` is measured by."""
        longest, moment = timedelta(), self.next_after(now)
        for _ in range(8):
            if moment is None:
                break
            following = self.next_after(moment)
            if following is None:
                break
            longest, moment = max(longest, following - moment), following
        return longest or timedelta(days=1)


def read_schedule(text: str, zone: ZoneInfo) -> Timetable | None:
    """`every day at 06:00`, `chaque lundi à 7h30`, `every 2 hours`, or a cron line. None when it is none of these."""
    plain = " ".join(text.lower().split())
    for pattern, cron in PHRASES:
        if found := pattern.match(plain):
            return _table(_filled(cron, found.groupdict()), zone)
    return _table(plain, zone) if len(plain.split()) == 5 else None


def _filled(cron: str, parts: dict[str, str | None]) -> str:
    day = next((short for short, names in DAYS.items() if parts.get("day") in names), "?")
    numbers = {name: int(parts.get(name) or 0) for name in ("minute", "hour", "n")}
    return cron.format(day=day, **numbers)


def _table(cron: str, zone: ZoneInfo) -> Timetable | None:
    try:
        CronTrigger.from_crontab(cron, timezone=zone)
    except (ValueError, TypeError):
        return None
    return Timetable(cron, zone)
