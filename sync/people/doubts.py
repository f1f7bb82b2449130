"""Who may be one person after all: rows of the team that nothing but a name connects with somebody known."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from sync.people import tables
from sync.people.normalise import fold, is_whole
from sync.store.base import Store, insert_new
from sync.store.rows import ask

TYPED = "sheet"
"""The source of a row that the team typed."""


class Doubt(NamedTuple):
    """Two people (ids, the lower first) and why they may be one: a code of `sync/words`. `run` noted it."""

    one: int
    other: int
    reason: str
    run: int


def note_doubts(store: Store, run: int, now: datetime) -> None:
    """Write down each pair that this run brought: a row that the team typed, and somebody else of the same whole name,
    whose town is the same or not known. (The same e-mail, phone number or postcode would have made them one.)
    """
    sql = (
        "SELECT s.name_key, s.person, s.city, o.person, o.city FROM sighting AS s"
        " JOIN sighting AS o ON o.org = s.org AND o.name_key = s.name_key AND o.person <> s.person"
        " JOIN person AS p ON p.org = s.org AND p.id = s.person JOIN person AS q ON q.org = o.org AND q.id = o.person"
        " WHERE s.org = ? AND s.source = ? AND s.name_key IS NOT NULL AND (p.run = ? OR q.run = ?)"
    )
    with store.look() as connection:
        made = ask(connection, "SELECT 1 FROM person WHERE org = ? AND run = ? LIMIT 1", store.org, run)
    if not made:
        return
    with store.begin() as connection:
        towns: dict[tuple[int, int], tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
        for name, mine, my_town, theirs, their_town in ask(connection, sql, store.org, TYPED, run, run):
            if is_whole(name):
                pair = (mine, theirs) if mine < theirs else (theirs, mine)
                for place, town in ((pair.index(mine), my_town), (pair.index(theirs), their_town)):
                    towns[pair][place].update([fold(town)] if town else [])
        rows = [
            {"org": store.org, "one": one, "other": other, "reason": reason, "run": run, "at": now}
            for (one, other), (here, there) in sorted(towns.items())
            if (reason := _reason(here, there))
        ]
        insert_new(connection, tables.to_check, rows)


def _reason(here: set[str], there: set[str]) -> str | None:
    if here & there:
        return "same-name-same-city"
    return None if here and there else "same-name"


def doubts(store: Store) -> list[Doubt]:
    """Those that are still two people, and of whom nobody said yet that they are; the latest first."""
    check, one, other = tables.to_check, tables.person.alias(), tables.person.alias()
    query = sa.select(check.c.one, check.c.other, check.c.reason, check.c.run)
    query = query.where(check.c.org == store.org, check.c.answer.is_(None))
    for side, person in ((check.c.one, one), (check.c.other, other)):
        query = query.where(
            person.c.org == check.c.org, person.c.id == side, person.c.live, person.c.merged_into.is_(None)
        )
    with store.look() as connection:
        return [
            Doubt(*row) for row in connection.execute(query.order_by(check.c.run.desc(), check.c.one, check.c.other))
        ]
