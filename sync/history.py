"""How many people were in each segment in the months before Fil rouge came: told from the records' own dates."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from rules.compiler import evaluate
from rules.conditions import Book, Segment
from sync import runs
from sync.desk import Desk
from sync.people.profile import RECONSTRUCTIBLE, as_it_was

MONTHS = 24


def backfill(desk: Desk, book: Book) -> None:
    """Note the sizes at the last month ends of segments that are new, as far as they read only what records date."""
    known = runs.segment_history(desk.store)
    new = [one for one in book.segments if one.name not in known and one.needs <= frozenset(RECONSTRUCTIBLE)]
    if not new:
        return
    who = desk.config.organisation
    ends = month_ends(desk.clock.today(), MONTHS)
    moments = [datetime.combine(day, time.max, tzinfo=desk.config.zone) for day in ends]
    alone = Book(segments=_with_what_they_use(book, new))
    sizes = {day: {one.name: 0 for one in new} for day in ends}
    for moment, people in as_it_was(desk.store, moments, who.timezone, who.money, alone.windows):
        verdicts = evaluate(alone, people, moment.date())
        for one in new:
            sizes[moment.date()][one.name] += int(verdicts.segment(one.id).sum() or 0)
    with desk.store.begin() as connection:  # all or nothing: a segment that is known is not told again
        for day, of_day in sizes.items():
            runs.note_segments(connection, desk.store.org, of_day, day)


def _with_what_they_use(book: Book, wanted: list[Segment]) -> tuple[Segment, ...]:
    """Segments and those they are made of: a segment's fields hold those of what it uses, so all of these can be told."""
    return tuple(one for one in book.segments if one in wanted or one.needs <= frozenset(RECONSTRUCTIBLE))


def month_ends(today: date, count: int) -> list[date]:
    """The last days of the `count` months before `today`'s, the oldest first."""
    found, first = [], today.replace(day=1)
    for _ in range(count):
        last = first - timedelta(days=1)
        found.append(last)
        first = last.replace(day=1)
    return found[::-1]
