"""Whether the times of a step fit together: what is to be done before something is also due before it."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from rules.conditions import Period, Task
from rules.context import Context
from rules.journeys import Step, due, latest
from rules.phrases import Phrase, typed
from rules.yamltext import Block

ZONE = ZoneInfo("UTC")
THE_SAME_DAY = Period(0, "day")
EVENING = datetime(2026, 6, 15, 20, tzinfo=ZONE)


def late_said(language: str, period: Period) -> str:
    """`3 days`, `the same day`, as somebody would type it after `no later than`."""
    return typed(language, "latest", Phrase("within", (period,)) if period.count else Phrase("same"))


def advise_due(context: Context, step: Step, rest: Block, path: str) -> None:
    """Advise on a task of a step before something that would be due after it: always, or where the step is made late."""
    task = step.action
    if not isinstance(task, Task) or task.due is None or step.at.sign > 0 or not step.at.period.count:
        return
    entry = next(one for one in rest.entries if context.words.find("option_task", one.key.value) == "due")
    made, last = (found.date() for found in (due(step.at, EVENING, ZONE), latest(step, EVENING, ZONE)))
    if task.due.after(last) <= EVENING.date():
        return
    language, here = context.words.language, f"{path}.{entry.key.value}"
    found = f"{entry.key.value}: {typed(language, 'due', Phrase('due', (task.due,)))}"
    room = _days_before(task.due, made)
    if room is None:
        shorter = Period((EVENING.date() - made).days, "day")
        line = f"{entry.key.value}: {typed(language, 'due', Phrase('due', (shorter,)))}"
        context.advise(entry.value.place, "due-after" if shorter.count else "due-after-none", here, found, line=line)
    else:
        line = f"{context.words.key('step', 'no_later_than')}: {late_said(language, Period(room, 'day'))}"
        context.advise(entry.value.place, "due-after-late", here, found, line=line)


def _days_before(period: Period, made: date) -> int | None:
    """How many days after `made` the task may be made and still be due in time; None: not even on that day."""
    days = range((EVENING.date() - made).days, -1, -1)
    return next((n for n in days if period.after(Period(n, "day").after(made)) <= EVENING.date()), None)
