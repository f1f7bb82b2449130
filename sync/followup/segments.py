"""Who is in which segment, since when and until when: for the sheet's column, for `explain`, and to tell who moved.

A person's time in a segment is one row, open while they are in it. Somebody whose segments can't be known today stays
where they were. When the team draws a segment anew, people come and go without having done anything: such runs are
noted, and nobody is said to have moved in them.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.compiler import SEGMENT
from rules.conditions import Book, Segment
from sync.followup.tables import segment_definition, segment_stay
from sync.store.base import EPOCH, slices
from sync.store.reading import micros
from sync.store.rows import ask, put, run_many

STAY = ("org", "segment", "person_id", "since", "run", "until", "until_run")
DEFINITION = ("org", "segment", "run", "at", "name", "digest", "active")


@dataclass(frozen=True)
class Shift:
    """What a run changed in one segment. `drawn`: it is new, or the team changed it in this run."""

    name: str
    inside: int
    entered: int
    left: int
    unknown: int
    drawn: bool


class Stay(NamedTuple):
    """A person's time in a segment. `until` None: still there. `drawn`: the segment was new or changed in the run when
    they were first found in it, so that they may have been such a person for longer.
    """

    segment: str
    name: str
    since: datetime
    run: int
    until: datetime | None
    until_run: int | None
    drawn: bool


class Move(NamedTuple):
    """So many people went from one segment to another; None: from none, to none."""

    was: str | None
    now: str | None
    people: int


class _Definition(NamedTuple):
    name: str
    digest: str
    active: bool


def follow(
    connection: Connection, org: int, book: Book, verdicts: pl.DataFrame, run: int, now: datetime
) -> dict[str, Shift]:
    """Compare with where everybody stood, and write down who came and went, in the caller's transaction.

    `verdicts` has a row for every person: `person_id`, and a Boolean column `segment:<id>` for each segment (null: not
    known, they stay). Somebody without a row (merged, erased) leaves. The same call once more changes nothing.
    """
    known = _definitions(connection, org)
    _rename(connection, org, book, known)
    open_ = _open(connection, org)
    found: dict[str, Shift] = {}
    told = {name: one._replace(active=False) for name, one in known.items() if name not in book.segment}
    for segment in book.segments:
        drawn = _drawn(segment, known.get(segment.id))
        verdict = verdicts.select("person_id", verdict=SEGMENT + segment.id)
        found[segment.id] = _follow(connection, (org, run, now), segment, verdict, open_, drawn=drawn)
        if verdict["verdict"].is_not_null().any():  # what nobody could be judged by yet is still to be drawn
            told[segment.id] = _Definition(segment.name, segment.digest, active=True)
    _retire(connection, org, {name for name, one in known.items() if one.active} - book.segment.keys(), run, now)
    new = [(org, name, run, micros(now), *one) for name, one in sorted(told.items()) if known.get(name) != one]
    put(connection, segment_definition, DEFINITION, new)
    return found


def _drawn(segment: Segment, before: _Definition | None) -> bool:
    return before is None or not before.active or before.digest != segment.digest


def _follow(
    connection: Connection,
    at: tuple[int, int, datetime],
    segment: Segment,
    verdict: pl.DataFrame,
    open_: pl.DataFrame,
    *,
    drawn: bool,
) -> Shift:
    org, run, now = at
    were = open_.filter(pl.col("segment") == segment.id).select("person_id", "since")
    both = verdict.join(were, on="person_id", how="full", coalesce=True)
    came = both.filter("verdict", pl.col("since").is_null())["person_id"].sort()
    there = verdict["person_id"].implode()
    stays = pl.col("verdict").fill_null(value=True) & pl.col("person_id").is_in(there)
    gone = both.filter(pl.col("since").is_not_null(), ~stays).select("person_id", "since").sort("person_id")
    moment = micros(now)
    put(connection, segment_stay, STAY, [(org, segment.id, one, moment, run, None, None) for one in came])
    sql = (
        "UPDATE segment_stay SET until = ?, until_run = ? WHERE org = ? AND segment = ? AND person_id = ? AND since = ?"
    )
    run_many(connection, sql, [(moment, run, org, segment.id, *row) for row in gone.iter_rows()])
    inside = len(were) + len(came) - len(gone)
    return Shift(segment.name, inside, len(came), len(gone), verdict["verdict"].null_count(), drawn)


def _definitions(connection: Connection, org: int) -> dict[str, _Definition]:
    """The last one of each segment."""
    sql = "SELECT segment, name, digest, active FROM segment_definition WHERE org = ? ORDER BY run"
    return {row[0]: _Definition(row[1], row[2], bool(row[3])) for row in ask(connection, sql, org)}


def _open(connection: Connection, org: int) -> pl.DataFrame:
    rows = ask(connection, "SELECT segment, person_id, since FROM segment_stay WHERE org = ? AND until IS NULL", org)
    schema = {"segment": pl.String, "person_id": pl.Int64, "since": pl.Int64}
    return pl.DataFrame(list(zip(*rows, strict=True)) or None, schema=schema)


def _rename(connection: Connection, org: int, book: Book, known: dict[str, _Definition]) -> None:
    """A segment that was called otherwise takes its people and its past along."""
    for segment in book.segments:
        old = next((name for name in segment.was if name in known), None)
        if old is not None and segment.id not in known:
            for table in (segment_definition, segment_stay):
                rows = (table.c.org == org, table.c.segment == old)
                connection.execute(sa.update(table).where(*rows).values(segment=segment.id))
            known[segment.id] = known.pop(old)


def _retire(connection: Connection, org: int, gone: Iterable[str], run: int, now: datetime) -> None:
    """Segments that are no longer in the rules: nobody is in them."""
    for name in gone:
        mine = (segment_stay.c.org == org, segment_stay.c.segment == name, segment_stay.c.until.is_(None))
        connection.execute(sa.update(segment_stay).where(*mine).values(until=now, until_run=run))


# --- what is known ---------------------------------------------------------------------------------------------------


def column(connection: Connection, org: int) -> pl.DataFrame:
    """`person_id`, and `segments`: the names of those a person is in, in alphabetical order. Who is in none is not there."""
    names = {segment: one.name for segment, one in _definitions(connection, org).items()}
    inside = _open(connection, org).select("person_id", segments=pl.col("segment").replace(names))
    return inside.sort("person_id", "segments").group_by("person_id", maintain_order=True).agg("segments")


def of_person(connection: Connection, org: int, person_id: int) -> list[Stay]:
    """Every time the person was in a segment: where they are now first, then the latest first."""
    names = {segment: one.name for segment, one in _definitions(connection, org).items()}
    drawn = _drawn_in(connection, org)
    rows = connection.execute(
        sa.select(segment_stay).where(segment_stay.c.org == org, segment_stay.c.person_id == person_id)
    )
    stays = [
        Stay(row.segment, names.get(row.segment, row.segment), row.since, row.run, row.until, row.until_run,
             (row.segment, row.run) in drawn)
        for row in rows
    ]  # fmt: skip
    return sorted(stays, key=lambda one: (one.until is not None, EPOCH - (one.until or one.since), one.name))


def _drawn_in(connection: Connection, org: int) -> set[tuple[str, int]]:
    """Segments with the runs in which they were new, changed or gone; a mere new name is no change."""
    sql = "SELECT segment, run, digest, active FROM segment_definition WHERE org = ? ORDER BY segment, run"
    found, before = set(), None
    for segment, run, *meaning in ask(connection, sql, org):
        if before != (segment, meaning):
            found.add((segment, run))
        before = (segment, meaning)
    return found


def moves(connection: Connection, org: int, since: datetime) -> list[Move]:
    """Who went where in runs since then, the most first; without what the team did by drawing a segment anew."""
    drawn = _drawn_in(connection, org)
    names = {segment: one.name for segment, one in _definitions(connection, org).items()}

    def moved(run: str, at: str, name: str) -> pl.DataFrame:
        sql = f"SELECT person_id, {run}, segment FROM segment_stay WHERE org = ? AND {at} >= ?"
        rows = [row for row in ask(connection, sql, org, micros(since)) if (row[2], row[1]) not in drawn]
        schema = {"person_id": pl.Int64, "run": pl.Int64, name: pl.String}
        return pl.DataFrame(list(zip(*rows, strict=True)) or None, schema=schema)

    left, came = moved("until_run", "until", "was"), moved("run", "since", "now")
    pairs = left.join(came, on=["person_id", "run"], how="full", coalesce=True)
    counted = pairs.group_by("was", "now").len("people").with_columns(pl.col("was", "now").replace(names))
    return [Move(*row) for row in counted.sort("people", "was", "now", descending=[True, False, False]).iter_rows()]


def absorb(connection: Connection, org: int, merged: Mapping[int, int]) -> None:
    """People found to be one (`{gone: kept}`): their past is one, and they have been in a segment since the earlier of
    the two days.
    """
    for some in slices(sorted(merged)):
        mine = (segment_stay.c.org == org, segment_stay.c.person_id.in_(some))
        for row in connection.execute(sa.select(segment_stay).where(*mine)).all():
            _hand_over(connection, row, merged[row.person_id])


def _hand_over(connection: Connection, row: sa.Row[Any], kept: int) -> None:
    same = (segment_stay.c.org == row.org, segment_stay.c.segment == row.segment)
    theirs = (*same, segment_stay.c.person_id == kept)
    this = (*same, segment_stay.c.person_id == row.person_id, segment_stay.c.since == row.since)
    here = connection.scalar(sa.select(segment_stay.c.since).where(*theirs, segment_stay.c.until.is_(None)))
    twin = connection.scalar(sa.select(segment_stay.c.since).where(*theirs, segment_stay.c.since == row.since))
    both = row.until is None and here is not None
    if not both and twin is None:
        connection.execute(sa.update(segment_stay).where(*this).values(person_id=kept))
        return
    connection.execute(sa.delete(segment_stay).where(*this))
    if both and here is not None and row.since < here and twin is None:
        earlier = sa.update(segment_stay).where(*theirs, segment_stay.c.until.is_(None))
        connection.execute(earlier.values(since=row.since, run=row.run))
