"""Who is who, as a person says it: two who are one, one who is two. It stands against all that is pulled later."""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.engine import Connection

from connectors.trouble import FixFile
from sync.people import tables
from sync.store.reading import micros
from sync.store.rows import ask, ask_in, put, run, run_many, take


class Entry(NamedTuple):
    """One sighting of a person. `first`: who it was before any merge; `name`: as `person show` tells it."""

    no: int
    first: int | None
    name: str


class By(NamedTuple):
    """Who says it, in which run, when."""

    who: str
    run: int
    at: datetime

    @property
    def values(self) -> tuple[int, int, str]:
        return self.run, micros(self.at) or 0, self.who


def join(connection: Connection, org: int, one: int, other: int, by: By) -> None:
    """These two people (ids) are one from the next resolving on."""
    if one == other:
        raise FixFile("merge-same")
    first, second = sorted(entries(connection, org, person)[0].no for person in (one, other))
    _forget_sides(connection, org, (one, other))
    put(connection, tables.joined, ("org", "one", "other", "run", "at", "by"), [(org, first, second, *by.values)])
    _look_again(connection, org, (one, other))


def part(connection: Connection, org: int, person: int, names: Sequence[str], by: By) -> list[str]:
    """This person is two: a merge is taken back with the records where they were, or the named entries are somebody
    else. Gives the names of the entries that leave. Raises `FixFile` when there is nothing to go by.
    """
    mine = entries(connection, org, person)
    if names:
        leaving = [one for one in mine if any(name in {one.name, one.name.partition(" ")[2]} for name in names)]
        if strange := [name for name in names if not any(name in one.name for one in leaving)]:
            raise FixFile("split-unknown", found=strange[0], known=", ".join(one.name for one in mine))
    else:
        leaving = [one for one in mine if one.first not in {None, person}]
        if not leaving:
            raise FixFile("split-which", known=", ".join(one.name for one in mine))
    if len(leaving) == len(mine):
        raise FixFile("split-all")
    _forget_joins(connection, org, {one.no for one in mine})
    if names:
        side = -take(connection, org, "side", 1)
        sides = {one.no: person for one in mine} | {one.no: side for one in leaving}
    else:  # what came after the merge goes with whom it resembles
        stays = next(one for one in mine if one not in leaving)
        sides = {stays.no: person} | {one.no: int(one.first or 0) for one in leaving}
    rows = [(org, number, side, *by.values) for number, side in sides.items()]
    put(connection, tables.parted, ("org", "sighting", "side", "run", "at", "by"), rows)
    _look_again(connection, org, (person,))
    return [one.name for one in leaving]


def parted_from(connection: Connection, org: int, person: int) -> list[int]:
    """Who was a part of this person before somebody said that they are two: ids of people."""
    sql = (
        "SELECT DISTINCT s.person FROM move AS m JOIN sighting AS s ON s.org = m.org AND s.no = m.sighting"
        " JOIN parted AS p ON p.org = s.org AND p.sighting = s.no"
        " WHERE m.org = ? AND m.from_person = ? AND s.person <> ? ORDER BY s.person"
    )
    return [other for (other,) in ask(connection, sql, org, person, person)]


def entries(connection: Connection, org: int, person: int) -> list[Entry]:
    """The sightings of a person in their order, those left out that only serve to recognise."""
    sql = (
        "SELECT s.no, s.first_person, s.source, o.kind, o.id FROM sighting AS s"
        " LEFT JOIN object AS o ON o.org = s.org AND o.no = s.object"
        " WHERE s.org = ? AND s.person = ? AND s.object >= 0 ORDER BY s.no"
    )
    rows = ask(connection, sql, org, person)
    return [Entry(no, first, f"{source} {kind or ''} {thing or ''}".strip()) for no, first, source, kind, thing in rows]


def _forget_sides(connection: Connection, org: int, people: Collection[int]) -> None:
    for person in people:
        sql = "DELETE FROM parted WHERE org = ? AND sighting IN (SELECT no FROM sighting WHERE org = ? AND person = ?)"
        run(connection, sql, org, org, person)


def _forget_joins(connection: Connection, org: int, numbers: Collection[int]) -> None:
    for side in ("one", "other"):
        found = ask_in(
            connection, f"SELECT one, other FROM joined WHERE org = ? AND {side} IN ({{among}})", (org,), numbers
        )
        run_many(
            connection, "DELETE FROM joined WHERE org = ? AND one = ? AND other = ?", [(org, *pair) for pair in found]
        )


def _look_again(connection: Connection, org: int, people: Collection[int]) -> None:
    sql = "UPDATE sighting SET loose = true, stale = true WHERE org = ? AND person = ?"
    run_many(connection, sql, [(org, person) for person in people])
