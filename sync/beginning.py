"""What has to be right before a run does anything: the rules as they stand, and the clock."""

from __future__ import annotations

from datetime import timedelta

from connectors.trouble import FixFile
from rules.conditions import Book
from sync import runs
from sync.desk import Desk, refusal, show_mistakes

CLOCK_MAY_DIFFER = timedelta(minutes=10)


def read_rules(desk: Desk, *, keep_last_right: bool) -> tuple[Book, list[str]]:
    """The rules as they stand. With mistakes: refused, or (serve) the last right version of each wrong file, rules or
    template, is used. Writes nothing down: who only looks ahead reads them too.
    """
    reading = desk.read_rules(None)
    mistakes = desk.mistakes(reading)
    if not mistakes:
        return reading.book, []
    lines = desk.lines()
    if not keep_last_right:
        raise refusal(mistakes, desk.language, lines)
    last = runs.last_right_rules(desk.store)
    mistakes = desk.stand_in(last)  # templates first: else every rule that uses one would count as wrong
    mistakes += desk.read_rules(None).mistakes
    wrong = {mistake.place.file for mistake in mistakes}
    files = {name: data for name, data in desk.rule_files.items() if name not in wrong}
    kept = {name: last[name] for name in wrong & last.keys() - desk.template_files.keys()}
    again = desk.read_rules(None, {**files, **kept})
    shown = show_mistakes(mistakes, desk.language, lines)
    return again.book, [desk.say("rules-last-right", file=name) for name in sorted(wrong)] + shown.splitlines()


class ClockWentBack(FixFile):
    """The clock is behind the last run: a person has to decide. Exit code 7."""


def mind_the_clock(desk: Desk, allowed: int) -> None:
    """Refuse to begin before the last run began, unless by at most `allowed` hours, to which a person said yes."""
    last = runs.last_start(desk.store)
    now = desk.clock.read()
    if last is None or last <= now + CLOCK_MAY_DIFFER:
        return
    hours = int((last - now).total_seconds() // 3600) + 1
    if allowed < hours:
        times = {"now": now, "last": last}
        said = {name: f"{at.astimezone(desk.config.zone):%Y-%m-%d %H:%M}" for name, at in times.items()}
        raise ClockWentBack("clock-back", n=hours, **said)
