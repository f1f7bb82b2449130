"""The ledger of the contracts with the real store behind it: every page is committed, people and profiles follow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.source import Page, Source
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.people.tables import person
from sync.store import Store, ledger, tables
from tests.contracts import Ledger

NAME = "ours"
SAID = ("kind", "id", "at", "status", "event", "ref", "label", "cents", "currency", "quantity", "attended", "rest")


@dataclass
class Kept(Ledger):
    """Pulls as `filrouge run` does, from the store's own cursor; `moment` is the time of the last pull."""

    store: Store = field(kw_only=True)
    zone: str = field(kw_only=True)
    moment: datetime = field(kw_only=True)
    run: int = 0
    _source: Source | None = None
    _seen: ledger.Seen = field(default_factory=ledger.Seen)

    @classmethod
    def open(cls, folder: Path, zone: str, now: datetime) -> Kept:
        return cls(store=Store.open(f"sqlite:///{folder / 'kept.db'}", "ours", now), zone=zone, moment=now)

    def pull(self, source: Source, pages: int | None = None) -> Kept:
        self.run, self.moment = self.run + 1, datetime.now(UTC)
        self._source, self._seen = source, ledger.Seen()
        self.cursor = ledger.cursor(self.store, NAME)
        super().pull(source, pages)
        ledger.settle(self.store, NAME, self.run, self.moment)
        resolve(self.store, self.run, self.moment, "FR")
        refresh(self.store, self.moment, self.zone, "EUR", priority=[NAME])
        return self

    def apply(self, page: Page) -> None:
        assert self._source
        super().apply(page)
        read, version = self._source.records, self._source.version
        ledger.commit_page(self.store, NAME, self.run, self.moment, page, read, version, self._seen)

    def said(self) -> Counter[tuple[Any, ...]]:
        """Every fact and whom it is about, without the store's own numbers."""
        columns = [tables.fact.c[name] for name in SAID]
        query = sa.select(tables.sighting.c.id, tables.sighting.c.email, *columns).where(
            tables.sighting.c.no == tables.fact.c.sighting, tables.sighting.c.org == tables.fact.c.org
        )
        with self.store.look() as connection:
            return Counter(tuple(row[:2]) + tuple(row[2:]) for row in connection.execute(query))

    def who(self) -> dict[str, int]:
        """Whom each Person record is of, by the record's id."""
        query = sa.select(
            tables.sighting.c.id, sa.func.coalesce(person.c.merged_into, person.c.id).label("person")
        ).where(
            person.c.id == tables.sighting.c.person,
            person.c.org == tables.sighting.c.org,
            tables.sighting.c.given.is_not(None),
        )
        with self.store.look() as connection:
            return {row.id: row.person for row in connection.execute(query)}

    def profiles(self) -> dict[int, dict[str, Any]]:
        """What the sheet would show of everybody, by person."""
        return {row["person_id"]: row for row in people_frame(self.store).iter_rows(named=True)}
