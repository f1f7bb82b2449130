"""A season on a simulated clock: shows that move and are cancelled, tickets, people at the door, runs, and outages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.records import Event, Visit
from connectors.source import Page
from rules.conditions import Book
from rules.reader import read
from sync.followup import approvals, deeds
from sync.followup.decide import decide
from sync.followup.doing import do_due
from sync.followup.journeys import World, walk
from sync.followup.send import Sent, send_due
from sync.followup.tables import deed
from sync.followup.tables import outbox as outbox_table
from sync.followup.turn import Walked
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.store import Store
from sync.store.ledger import commit_page
from tests.sync.followup.theatre import HOUSE, Inbox, person, templates
from tests.sync.store.invented import records, someone, thing

PARIS = ZoneInfo("Europe/Paris")
JOURNEY = """
parcours:
  - nom: Autour
    autour: chaque billet
    étapes:
      - {à: 2 jours avant, courriel: infos}
      - {à: 3 heures avant, courriel: on-se-revoit, finalité: service, au plus tard: 2 heures}
      - {à: 1 jour après, courriel: infos, quand: {est venu: oui}, au plus tard: 2 jours}
      - {à: 30 heures avant, webhook: crm, au plus tard: 1 jour}
"""
Key = tuple[str, str, str]  # step, person, show


@dataclass
class Season:
    """People are called A, B, C; shows as you like. What changes is seen by the next run."""

    store: Store
    text: str = JOURNEY
    now: datetime = datetime(2026, 3, 25, 7, tzinfo=UTC)
    mailer: Inbox = field(default_factory=Inbox)
    called: list[tuple[str, str]] = field(default_factory=list)
    shows: dict[str, datetime] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    tickets: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    came: set[tuple[str, str]] = field(default_factory=set)
    number: int = 0

    @property
    def book(self) -> Book:
        found = read({"j.yaml": self.text.encode()}, templates=["infos", "on-se-revoit"])
        assert found.mistakes == []
        return found.book

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def at(self, text: str) -> None:
        """It is now this local time."""
        self.now = datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)

    def show(self, name: str, text: str) -> None:
        """A show begins at this local time, or now begins then."""
        self.shows[name] = datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)

    def book_seat(self, who: str, name: str, status: str = "booked") -> None:
        self.tickets.setdefault((who, name), []).append(status)

    def run(self, *, approve: bool = True, send: bool = True) -> Walked:
        """Pull, decide, and send what may go; everything that waits is approved with `approve`."""
        self.number += 1
        self._pull()
        people, zone = people_frame(self.store), PARIS
        today = self.now.astimezone(zone).date()
        with self.store.begin() as connection:
            done = decide(
                connection, self.store.org, self.book, people.select("person_id"), self.number, self.now, today,
                stale_rules={}, people_count=len(people),
                walk=lambda turn: walk(turn, World(self.book, people, frozenset(), {}, zone, "EUR")),
            )  # fmt: skip
            for batch in approvals.waits(connection, self.store.org) if approve else ():
                approvals.approve(connection, self.store.org, batch.rule, "Marie", self.now)
        if send:
            self.send()
        return next(iter(done.journeys.values()), Walked())

    def send(self) -> Sent:
        """What waits and may go, first to the other program."""
        do_due(self.store, "webhook", lambda: self.now, lambda _row: "crm", self._call)
        return send_due(
            self.store, self.mailer, self.number, lambda: self.now, templates=templates(), house=HOUSE,
            people=lambda ids: {number: person(number) for number in ids},
        )  # fmt: skip

    def _call(self, row: deeds.Row) -> deeds.Outcome:
        self.called.append((row.id, row.occasion))
        return deeds.Outcome("done")

    def _pull(self) -> None:
        shows = [
            thing(name, Event(id=name, name=name, starts=at, cancelled=name in self.cancelled), kind="event")
            for name, at in self.shows.items()
        ]
        orders = [
            thing(f"{who}-{name}", someone(who, f"{who}@x.org", f"{who} Roy"), *self._seats(who, name, statuses))
            for (who, name), statuses in self.tickets.items()
        ]
        commit_page(self.store, "box", self.number, self.now, Page((*shows, *orders)), records, 1)
        resolve(self.store, self.number, self.now)
        refresh(self.store, self.now, "Europe/Paris", "EUR")

    def _seats(self, who: str, name: str, statuses: list[str]) -> list[Visit]:
        came = True if (who, name) in self.came else None
        return [
            Visit(id=f"{who}-{name}-{n}", person=who, event=name, status=status, attended=came)  # type: ignore[arg-type]
            for n, status in enumerate(statuses)
        ]

    def rows(self) -> dict[Key, str]:
        """Every e-mail and deed: its state, with the reason."""
        people = people_frame(self.store)
        who = dict(zip(people["person_id"], (email[0].upper() for email in people["email"]), strict=True))
        with self.store.look() as connection:
            rows = [row for table in (outbox_table, deed) for row in connection.execute(sa.select(table)).all()]
        return {
            (row.step, who[row.person_id], row.occasion.rpartition("/")[2]): " ".join(
                filter(None, (row.state, row.reason))
            )
            for row in rows
        }
