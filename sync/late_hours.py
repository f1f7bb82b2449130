"""`no later than` in hours on a step told in days: its hours count from midnight, and runs may all come later."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from rules.conditions import Book
from rules.journeys import EXACT, Step, begins, length
from rules.mistakes import Mistake
from rules.step_times import THE_SAME_DAY, late_said
from rules.words import vocabulary
from sync.dates import format_datetime
from sync.desk import Desk

A_DAY = timedelta(days=1)
LOOKED_AT = 28  # days: a schedule may name days of the week


def late_hours(desk: Desk, book: Book) -> list[Mistake]:
    """Each such line as advice, where on some day no run of the schedule comes in that time, or no schedule is told."""
    scheduled = "schedule" in desk.config.outline.model_fields_set
    found = [
        _told(desk, step, "late-hours" if scheduled else "late-hours-unscheduled")
        for journey in book.journeys
        for step in journey.steps
        if step.no_later_than.unit in EXACT and step.at.period.unit not in EXACT and length(step.no_later_than) < A_DAY
        if not (scheduled and _run_comes(desk, step))
    ]
    return list({one.place: one for one in found}.values())


def _run_comes(desk: Desk, step: Step) -> bool:
    """Whether every day has a run within these hours of its beginning."""
    today, zone = desk.clock.today(), desk.config.zone
    days = [today + timedelta(days=n) for n in range(1, LOOKED_AT + 1)]
    return all(_in_time(desk, day, zone, length(step.no_later_than)) for day in days)


def _in_time(desk: Desk, day: date, zone: ZoneInfo, span: timedelta) -> bool:
    start = begins(day, zone)
    run = desk.config.timetable.next_after(start - timedelta(microseconds=1))
    return run is not None and run <= start + span


def _told(desk: Desk, step: Step, code: str) -> Mistake:
    language = desk.language_at(step.place)
    key, period = vocabulary(language).key("step", "no_later_than"), step.no_later_than
    start = begins(desk.clock.today(), desk.config.zone).astimezone(desk.config.zone)
    until = start.replace(tzinfo=None) + length(period)
    facts = {
        "until": format_datetime(until, "HH:mm", locale=desk.language),
        "schedule": desk.config.outline.schedule,
        "line": f"{key}: {late_said(language, THE_SAME_DAY)}",
    }
    return Mistake(step.late_place, code, found=f"{key}: {late_said(language, period)}", facts=facts)
