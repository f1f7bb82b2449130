"""What journeys turn around, found in bulk: tickets, visits, membership ends, birthdays, flags, gifts, answers.

One row an *occasion* of one person. Its text names it for ever: several tickets for one event are one occasion, and it
stays the same when the event moves. Only what happens near certain days is read, or all of certain people; a ticket
that was cancelled or refunded, and one for a cancelled event, is not there.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.fields import SINCE
from rules.journeys import Around, anniversary, begins, ends
from rules.mistakes import fold
from sync.followup.tables import flag, standing
from sync.people import measures
from sync.people.facts import frame, typed
from sync.store.reading import micros
from sync.store.rows import ask, ask_in

OCCASIONS = {
    "person_id": pl.Int64,
    "occasion": pl.String,
    "at": pl.Int64,
    "day": pl.Date,
    "genre": pl.String,
    "attended": pl.Boolean,
    "title": pl.String,
    "place": pl.String,
    "cents": pl.Int64,
    "currency": pl.String,
    **dict.fromkeys(SINCE, pl.Int64),
}
"""`at` in microseconds since 1970 UTC, null for what is only a day; `day` is the local one; `attended` null: not known;
`title`: the event's name, the survey's; `place`: the event's; `cents`: a gift's. What came since is null: it is counted
only where somebody asks (`followup.since`).
"""
VISITS = {
    name: measures.FACTS[name]
    for name in ("person", "source", "id", "at", "status", "event", "ref", "label", "attended")
}
DID = {
    "person": pl.Int64, "source": pl.String, "object": pl.Int64, "id": pl.String, "at": pl.Int64, "title": pl.String,
    "cents": pl.Int64, "currency": pl.String,
}  # fmt: skip
EVENTS = {
    "object": pl.Int64, "source": pl.String, "event": pl.String, "name": pl.String, "starts": pl.Int64,
    "genre": pl.String, "event_cancelled": pl.Boolean, "location": pl.String,
}  # fmt: skip
EVENT = "SELECT object, source, id, name, starts, genre, cancelled, location FROM event WHERE org = ?"
LOOSE = "f.kind = 'visit' AND f.event IS NULL"
WHOSE = "s.org = f.org AND s.no = f.sighting AND s.person IS NOT NULL"
SPELLS = {
    "person_id": pl.Int64, "rule": pl.String, "since": pl.Int64, "until": pl.Int64, "inside_since": pl.Int64,
}  # fmt: skip
"""One time that a rule's flag was worn, and since when the person is in that rule, where they are."""
SAME_FLAG = timedelta(days=7)
"""Who has a flag back sooner than this after losing it has had it all along; in days of the clock."""
Span = tuple[date, date]


@dataclass
class Anchors:
    """Looks occasions up. `people` is everybody as rules see them (`person_id`, `birthday`, `first_visit`, …)."""

    connection: Connection
    org: int
    people: pl.DataFrame
    zone: ZoneInfo
    today: date

    def near(self, around: Around, spans: Collection[Span]) -> pl.DataFrame:
        """Occasions on the local days of one of these spans (first, last), of everybody."""
        if not spans:
            return pl.DataFrame(schema=OCCASIONS)
        return self._found(around, merged(spans), None)

    def of(self, around: Around, people: Collection[int]) -> pl.DataFrame:
        """Every occasion of these people."""
        if not people:
            return pl.DataFrame(schema=OCCASIONS)
        return self._found(around, None, sorted(people))

    def _found(self, around: Around, spans: Sequence[Span] | None, people: Sequence[int] | None) -> pl.DataFrame:
        kinds: dict[str, Callable[..., pl.DataFrame]] = {
            "ticket": self._tickets,
            "first_visit": self._first_visits,
            "membership_end": self._membership_ends,
            "birthday": self._birthdays,
            "flag": lambda spans, people: self._flags(around.flag, spans, people),
            "donation": lambda spans, people: self._deeds("donation", spans, people),
            "answer": lambda spans, people: self._deeds("answer", spans, people),
        }
        found = kinds[around.kind](spans, people)
        if "at" in found.columns and "day" not in found.columns:
            found = found.with_columns(day=measures.local_time("at", str(self.zone)).dt.date())
        missing = [
            pl.lit(None, dtype=kind).alias(name) for name, kind in OCCASIONS.items() if name not in found.columns
        ]
        found = found.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in OCCASIONS.items())
        return _on(found, spans) if spans is not None else found

    # --- visits -------------------------------------------------------------------------------------------------------

    @cached_property
    def events(self) -> pl.DataFrame:
        """Every event as last described."""
        return _last_described(frame(self.connection, EVENTS, EVENT, (self.org,)))

    def _events_of(self, visits: pl.DataFrame) -> pl.DataFrame:
        """The same, only those that these visits name."""
        rows: list[Any] = []
        named = visits.select("source", "event").drop_nulls().unique()
        for source, events in named.group_by("source").agg("event").iter_rows():
            sql = f"{EVENT} AND source = ? AND id IN ({{among}})"
            rows += ask_in(self.connection, sql, (self.org, source), events)
        return _last_described(typed(EVENTS, rows))

    def _tickets(self, spans: Sequence[Span] | None, people: Sequence[int] | None) -> pl.DataFrame:
        visits = self._visits_near(spans) if people is None else self._visits_of(people)
        places = measures.places(visits, self.events if people is None else self._events_of(visits))
        places = places.join(self._scanned(places), on=["source", "event"], how="left")
        came, scanned = pl.col("attended").fill_null(value=False), pl.col("scanned").fill_null(value=False)
        by_visit = places.group_by(person_id="person", visit="visit").agg(
            at=pl.col("starts").min(),
            booked=(pl.col("status") == "booked").any(),
            genre=pl.col("genre").drop_nulls().first(),
            came=came.any(),
            scanned=scanned.any(),
            title=pl.col("name").drop_nulls().first(),
            place=pl.col("location").drop_nulls().first(),
        )
        known = pl.when("came").then(statement=True).when("scanned").then(statement=False)
        occasion = pl.format("visit {}", pl.col("visit").str.replace("\n", "/", literal=True))
        return by_visit.filter("booked", pl.col("at").is_not_null()).with_columns(occasion=occasion, attended=known)

    def _first_visits(self, spans: Sequence[Span] | None, people: Sequence[int] | None) -> pl.DataFrame:
        """A person's first place that stands, past or to come."""
        if people is None:
            near = self._tickets(spans, None)
            day = measures.local_time("at", str(self.zone)).dt.date()
            known = near.join(self.people.select("person_id", "first_visit"), on="person_id", how="inner")
            firsts = known.filter(pl.col("first_visit").is_null() | (pl.col("first_visit") == day))
            people = sorted(set(firsts["person_id"]))
        found = self._tickets(None, people).sort("person_id", "at", "occasion")
        return found.unique("person_id", keep="first", maintain_order=True)

    def _visits_near(self, spans: Sequence[Span] | None) -> pl.DataFrame:
        rows: list[Any] = []
        columns = _columns(VISITS)
        moments = [(micros(begins(first, self.zone)), micros(ends(last, self.zone))) for first, last in spans or ()]
        inside = reduce(or_, [pl.col("starts").is_between(first, last) for first, last in moments])
        near = self.events.filter(inside | pl.col("starts").is_null())  # then its tickets may say when
        for source, events in near.select("source", "event").group_by("source").agg("event").iter_rows():
            sql = (
                f"SELECT {columns} FROM fact AS f CROSS JOIN sighting AS s"
                f" WHERE f.org = ? AND f.source = ? AND {WHOSE} AND f.kind = 'visit' AND f.event IN ({{among}})"
            )
            rows += ask_in(self.connection, sql, (self.org, source), events)
        for first, last in moments:
            sql = (
                f"SELECT {columns} FROM fact AS f CROSS JOIN sighting AS s"
                f" WHERE f.org = ? AND {LOOSE} AND f.at BETWEEN ? AND ? AND {WHOSE}"
            )
            rows += ask(self.connection, sql, self.org, first, last)
        return typed(VISITS, rows)

    def _visits_of(self, people: Sequence[int]) -> pl.DataFrame:
        sql = (
            f"SELECT {_columns(VISITS)} FROM sighting AS s CROSS JOIN fact AS f"
            " WHERE s.org = ? AND f.org = s.org AND f.sighting = s.no AND f.kind = 'visit' AND s.person IN ({among})"
        )
        return typed(VISITS, ask_in(self.connection, sql, (self.org,), people))

    def _scanned(self, places: pl.DataFrame) -> pl.DataFrame:
        """Events of these at which anybody was scanned."""
        found: list[tuple[str, str]] = []
        named = places.select("source", "event").drop_nulls().unique()
        for source, events in named.group_by("source").agg("event").iter_rows():
            sql = "SELECT DISTINCT event FROM fact WHERE org = ? AND source = ? AND attended AND event IN ({among})"
            found += [(source, event) for (event,) in ask_in(self.connection, sql, (self.org, source), events)]
        scanned = pl.DataFrame(found, schema={"source": pl.String, "event": pl.String}, orient="row").unique()
        return scanned.with_columns(scanned=pl.lit(value=True))

    # --- gifts and answers --------------------------------------------------------------------------------------------

    def _deeds(self, kind: str, spans: Sequence[Span] | None, people: Sequence[int] | None) -> pl.DataFrame:
        """A filled-in survey is one answer, however many questions it had."""
        columns = "s.person, f.source, f.object, f.id, f.at, f.label, f.cents, f.currency"
        stands = f"f.kind = '{kind}'" + (" AND f.status = 'paid'" if kind == "donation" else "")
        rows: list[Any] = []
        for first, last in spans or ():
            sql = f"SELECT {columns} FROM fact AS f CROSS JOIN sighting AS s WHERE f.org = ? AND {stands} AND f.at BETWEEN ? AND ? AND {WHOSE}"
            moments = micros(begins(first, self.zone)), micros(ends(last, self.zone))
            rows += ask(self.connection, sql, self.org, *moments)
        if people is not None:
            sql = f"SELECT {columns} FROM sighting AS s CROSS JOIN fact AS f WHERE s.org = ? AND f.org = s.org AND f.sighting = s.no AND {stands} AND s.person IN ({{among}})"
            rows += ask_in(self.connection, sql, (self.org,), people)
        found = typed(DID, rows).unique(["object", "id"]).filter(pl.col("at").is_not_null())
        one = ["person", "source", "id"] if kind == "donation" else ["person", "source", "object"]
        told = found.sort("at", "id").unique(one, keep="first", maintain_order=True)
        return told.with_columns(person_id="person", occasion=pl.format(f"{kind} {{}}/{{}}", "source", "id"))

    # --- days ---------------------------------------------------------------------------------------------------------

    def _membership_ends(self, _spans: Sequence[Span] | None, people: Sequence[int] | None) -> pl.DataFrame:
        """The end of the membership that goes furthest: who renews moves it. A day put right is the same end: one a month."""
        held = _among(self.people, people).filter(pl.col("membership_ends").is_not_null())
        day = pl.col("membership_ends")
        return held.select(
            "person_id",
            day=day,
            title=pl.col("membership"),
            occasion=pl.format("membership {}", day.dt.strftime("%Y-%m")),
        )

    def _birthdays(self, spans: Sequence[Span] | None, people: Sequence[int] | None) -> pl.DataFrame:
        """Without spans, last year's, this year's and next year's. A day put right is the same birthday: one a year."""
        born = _among(self.people, people).select("person_id", "birthday").drop_nulls()
        year = self.today.year
        years = {year - 1, year, year + 1} if spans is None else {day.year for span in spans for day in span}
        known = born["birthday"].unique().to_list()
        days = [(one, anniversary(one, year)) for one in known for year in sorted(years)]
        shown = pl.DataFrame(days, schema={"birthday": pl.Date, "day": pl.Date}, orient="row")
        found = born.join(shown, on="birthday", how="inner")
        return found.select("person_id", "day", occasion=pl.format("birthday {}", pl.col("day").dt.year()))

    def _flags(self, name: str, _spans: Sequence[Span] | None, people: Sequence[int] | None) -> pl.DataFrame:
        """Since when a person wears the flag; who lost it has no such occasion, and who has it back within days has the
        same one as before.
        """
        named = sa.select(flag.c.name).where(flag.c.org == self.org).distinct()
        names = [known for known in self.connection.scalars(named) if fold(known) == fold(name)]
        mine = (flag.c.org == self.org, flag.c.name.in_(names))
        worn = sa.select(flag.c.person_id).where(*mine, flag.c.until.is_(None))
        same = [standing.c[key] == flag.c[key] for key in ("org", "rule", "person_id")]
        told = sa.select(flag.c.person_id, flag.c.rule, flag.c.since, flag.c.until, standing.c.since)
        told = told.outerjoin(standing, sa.and_(*same, standing.c.inside)).where(*mine, flag.c.person_id.in_(worn))
        rows = [(*row[:2], *map(micros, row[2:])) for row in self.connection.execute(told)]
        first = _among(self._first_worn(pl.DataFrame(rows, SPELLS, orient="row")), people)
        return first.with_columns(occasion=pl.format("flag {}", measures.local_time("at", str(self.zone)).dt.date()))

    def _first_worn(self, spells: pl.DataFrame) -> pl.DataFrame:
        """`person_id` and `at`: since when somebody wears a flag, short times without it left out. So is a time in which
        the rule that gives it slept, or had no flag to give, while the person stayed in it.
        """
        spells = spells.sort("person_id", "since").with_columns(
            before=pl.col("until").fill_null(pl.col("since").max()).cum_max().shift(1).over("person_id"),
            by_rule=pl.col("until").shift(1).over("person_id", "rule"),
        )
        day, lost = (measures.local_time(name, str(self.zone)).dt.date() for name in ("since", "before"))
        back = (day - lost < SAME_FLAG).fill_null(value=False)
        stayed = (pl.col("inside_since") <= pl.col("by_rule")).fill_null(value=False)
        spells = spells.with_columns(occasion=(~(back | stayed)).cum_sum().over("person_id"))
        worn = spells.filter(pl.col("until").is_null()).select("person_id", "occasion")
        found = spells.join(worn, on=["person_id", "occasion"], how="semi")
        return found.group_by("person_id").agg(at=pl.col("since").min())


def _last_described(events: pl.DataFrame) -> pl.DataFrame:
    return events.sort("object").unique(["source", "event"], keep="last").drop("object")


def _columns(names: Iterable[str]) -> str:
    return ", ".join("s.person" if name == "person" else f"f.{name}" for name in names)


def _among(frame: pl.DataFrame, people: Sequence[int] | None) -> pl.DataFrame:
    return frame if people is None else frame.filter(pl.col("person_id").is_in(list(people)))


def _on(found: pl.DataFrame, spans: Sequence[Span]) -> pl.DataFrame:
    return found.filter(reduce(or_, [pl.col("day").is_between(first, last) for first, last in spans]))


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same days in as few spans as possible."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def moment_of(at: int | None, day: date, zone: ZoneInfo) -> datetime | date:
    """When an occasion happens, as `rules.journeys` takes it."""
    return day if at is None else datetime.fromtimestamp(at / 1_000_000, tz=zone)
