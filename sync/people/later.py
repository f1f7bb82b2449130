"""People as they will be at a later moment if nothing else happens: what is booked has been visited, windows have moved on."""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy.engine import Connection

from rules.conditions import Book
from sync.people import measures, windows
from sync.people.facts import events_of, typed
from sync.store.reading import micros
from sync.store.rows import ask_in

MOVING = ("first_visit", "last_visit", "next_visit", "visits", "last_activity")
"""Fields that change by themselves when the day of a visit comes."""


@dataclass
class Later:
    """Looks up what people did and have booked. `currency`: the organisation's."""

    connection: Connection
    org: int
    zone: ZoneInfo
    currency: str

    def people(self, people: pl.DataFrame, asked: Collection[str], book: Book, moment: datetime) -> pl.DataFrame:
        """The same rows (as rules see them) as of that moment, as far as the fields `asked` are concerned."""
        counts = {name: check for name, check in book.windows.items() if check.field in asked}
        ids = people["person_id"].to_list()
        if counts and ids:
            counted = windows.count_in(
                people["person_id"], self._did(ids), self._events, counts,
                now=moment, timezone=str(self.zone), currency=self.currency,
            )  # fmt: skip
            people = people.drop(counts).join(counted, on="person_id", how="left", maintain_order="left")
        return self._visited(people, moment) if set(MOVING) & set(asked) else people

    def _visited(self, people: pl.DataFrame, moment: datetime) -> pl.DataFrame:
        """Only of those with a visit by then: of all others nothing moves, and what their team wrote stands."""
        going = (pl.col("next_visit") <= moment.astimezone(self.zone).date()).fill_null(value=False)
        moved = people.filter(going)
        if moved.is_empty():
            return people
        ids = pl.DataFrame({"person": moved["person_id"]})
        nobody = pl.DataFrame(schema=measures.SUBSCRIPTIONS)
        found = measures.measure(
            ids, self._did(ids["person"].to_list()), self._events, nobody,
            now=micros(moment) or 0, timezone=str(self.zone), currency=self.currency,
        )  # fmt: skip
        then = [pl.col(name).str.to_date() if name in measures.DATES else pl.col(name) for name in MOVING]
        moved = moved.drop(MOVING).join(found.select(pl.col("person").alias("person_id"), *then), on="person_id")
        return pl.concat([people.filter(~going), moved.select(people.columns)], how="vertical_relaxed")

    @cached_property
    def _events(self) -> pl.DataFrame:
        return events_of(self.connection, self.org)

    def _did(self, people: Sequence[int]) -> pl.DataFrame:
        """Everything these people did, or booked."""
        columns = ", ".join(f"f.{name}" for name in measures.FACTS if name != "person")
        sql = (
            f"SELECT s.person, {columns} FROM sighting AS s CROSS JOIN fact AS f"
            " WHERE s.org = ? AND f.org = s.org AND f.sighting = s.no AND s.person IN ({among})"
        )
        return typed(measures.FACTS, ask_in(self.connection, sql, (self.org,), people))
