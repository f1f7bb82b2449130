"""What people did since the thing a journey is around: in bulk, held against a count by hand over invented seasons."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.records import Answer, Donation, Event, Money, Visit
from connectors.source import Page
from rules.journeys import AnchorKind, Around
from rules.reader import read
from sync.followup.anchors import Anchors
from sync.followup.journeys import World, judge, timed
from sync.followup.since import with_counts
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.store import Store
from sync.store.ledger import commit_page
from tests.sync.store.invented import records, someone, thing

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 25, 18, tzinfo=UTC)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = ("ana", "luc", "zoe")


@dataclass
class Past:
    """Shows with their tickets, gifts and answers, on few days, so that many fall on one day or at one moment."""

    shows: dict[str, tuple[datetime, bool]] = field(default_factory=dict)  # when, and whether it was cancelled
    tickets: list[tuple[str, str, str]] = field(default_factory=list)  # who, show, status
    gifts: list[tuple[str, datetime, str]] = field(default_factory=list)
    answers: list[tuple[str, datetime]] = field(default_factory=list)

    @classmethod
    def invented(cls, chance: random.Random) -> Past:
        def moment() -> datetime:
            return FIRST + timedelta(days=chance.randrange(30), hours=chance.choice((0, 9, 19, 23)))

        shows = {f"show{n}": (moment(), chance.random() < 0.2) for n in range(8)}

        def one(*words: str) -> str:
            return chance.choice(words)

        return cls(
            shows,
            [(one(*PEOPLE), one(*shows), one("booked", "booked", "cancelled")) for _ in range(16)],
            [(one(*PEOPLE), moment(), one("paid", "paid", "refunded", "pending")) for _ in range(10)],
            [(one(*PEOPLE), moment()) for _ in range(4)],
        )

    def went(self, who: str) -> dict[str, datetime]:
        """The shows that stand for somebody, until now."""
        mine = {show for name, show, status in self.tickets if name == who and status == "booked"}
        return {show: at for show, (at, off) in self.shows.items() if show in mine and not off and at <= NOW}

    def gave(self, who: str) -> list[datetime]:
        return [at for name, at, status in self.gifts if name == who and status == "paid" and at <= NOW]

    def kept(self, store: Store) -> None:
        events = [
            thing(name, Event(id=name, name=name, starts=at, cancelled=off), kind="event")
            for name, (at, off) in self.shows.items()
        ]
        own: dict[str, list[Any]] = {who: [] for who in PEOPLE}
        for n, (who, show, status) in enumerate(self.tickets):
            own[who].append(Visit(id=f"t{n}", person=who, event=show, status=status))  # type: ignore[arg-type]
        for n, (who, at, status) in enumerate(self.gifts):
            paid = Money(amount=Decimal(10), currency="EUR")
            own[who].append(Donation(id=f"d{n}", person=who, at=at, status=status, paid=paid))  # type: ignore[arg-type]
        for n, (who, at) in enumerate(self.answers):
            own[who].append(Answer(id=f"a{n}", person=who, at=at, survey="s"))
        orders = [thing(who, someone(who, f"{who}@x.org", f"{who} Roy"), *did) for who, did in own.items()]
        commit_page(store, "box", 1, NOW, Page((*events, *orders)), records, 1)
        resolve(store, 1, NOW)
        refresh(store, NOW, "Europe/Paris", "EUR")


def day(moment: datetime) -> date:
    return moment.astimezone(PARIS).date()


def by_hand(past: Past, who: str, at: datetime | None, on: date) -> tuple[int, int]:
    """Visits on later days; gifts at a later moment, or on a later day than one that has no hour."""
    visits = sum(day(show) > on for show in past.went(who).values())
    return visits, sum(gift > at if at else day(gift) > on for gift in past.gave(who))


def found(store: Store, around: AnchorKind, until: datetime = NOW) -> Iterable[tuple[str, datetime | None, date, Any]]:
    people = people_frame(store)
    names = dict(zip(people["person_id"], (email[:3] for email in people["email"]), strict=True))
    with store.look() as connection:
        anchors = Anchors(connection, store.org, people, PARIS, day(NOW))
        rows = anchors.of(Around(around), people["person_id"].to_list())
        counted = with_counts(rows, anchors, {"visits_since", "donations_since"}, until)
    for row in counted.iter_rows(named=True):
        at = None if row["at"] is None else datetime.fromtimestamp(row["at"] / 1e6, UTC)
        yield names[row["person_id"]], at, row["day"], (row["visits_since"], row["donations_since"])


@pytest.mark.parametrize("around", ["ticket", "first_visit", "donation", "answer"])
def test_what_came_since_is_what_one_counts_by_hand(store: Store, around: AnchorKind) -> None:
    told = 0
    past = Past.invented(random.Random(around))
    past.kept(store)
    for who, at, on, counts in found(store, around):
        assert counts == by_hand(past, who, at, on), (who, at)
        told += sum(counts) > 0
    assert told, "nobody did anything"


def test_what_was_given_back_or_called_off_is_no_return(store: Store) -> None:
    begun = datetime(2026, 3, 2, 19, tzinfo=UTC)
    later = begun + timedelta(days=3)
    past = Past(
        {"A": (begun, False), "same day": (begun + timedelta(hours=2), False), "off": (later, True), "B": (later, False)},
        [("ana", "A", "booked"), ("ana", "same day", "booked"), ("ana", "off", "booked"), ("ana", "B", "cancelled")],
        [("luc", begun, "paid"), ("luc", later, "refunded"), ("luc", later, "pending"), ("zoe", begun, "paid"),
         ("zoe", begun, "paid"), ("zoe", begun + timedelta(hours=1), "paid")],
    )  # fmt: skip
    past.kept(store)
    assert {counts for who, *_, counts in found(store, "ticket") if who == "ana"} == {(0, 0)}
    assert [counts for who, *_, counts in found(store, "donation") if who == "luc"] == [(0, 0)]
    zoe = sorted(counts for who, *_, counts in found(store, "donation") if who == "zoe")
    assert zoe == [(0, 0), (0, 1), (0, 1)], "two at one moment are one act; an hour later is another"


JOURNEY = """
parcours:
  - nom: Un an après
    autour: chaque don
    {whole}
    étapes:
      - {{à: 11 mois après, {own}, signaler: À inviter}}
"""


@pytest.mark.parametrize(
    ("whole", "own"),
    [
        ("actif: oui", "sauf: {dons depuis: au moins 1}"),
        ("quand: {dons depuis: 0}", "au plus tard: 3 jours"),
        ("arrêter quand: {dons_depuis: au moins 1}", "au plus tard: 3 jours"),
    ],
)
def test_a_gift_of_the_31st_of_march_is_asked_for_again_on_the_28th_of_february(
    store: Store, whole: str, own: str
) -> None:
    """`less than 11 months ago` still holds then of the gift itself, and said of everybody that they had given again."""
    gift = datetime(2025, 3, 31, 12, tzinfo=UTC)
    Past(gifts=[("ana", gift, "paid"), ("luc", gift, "paid"), ("luc", gift + timedelta(days=99), "paid")]).kept(store)
    assert verdicts(store, JOURNEY.format(whole=whole, own=own)) == {"ana": True, "luc": False}
    trap = JOURNEY.format(whole="actif: oui", own="sauf: {dernier don: il y a moins de 11 mois}")
    assert verdicts(store, trap)["ana"] is False


def verdicts(store: Store, text: str, unknown: frozenset[str] = frozenset()) -> dict[str, bool | None]:
    """Of the first gift of each, on its step's day."""
    book, people = read({"j.yaml": text.encode()}).book, people_frame(store)
    (journey,) = book.journeys
    now = datetime(2026, 2, 28, 5, tzinfo=UTC)
    names = dict(zip(people["person_id"], (email[:3] for email in people["email"]), strict=True))
    with store.look() as connection:
        anchors = Anchors(connection, store.org, people, PARIS, day(now))
        rows = timed(anchors.of(journey.around, people["person_id"].to_list()), journey.steps[0], PARIS)
        judged = judge(journey, rows.sort("at"), World(book, people, unknown, {}, PARIS, "EUR"), anchors, now)
    told = [(names[row["person_id"]], row["verdict"]) for row in judged.sort("at").iter_rows(named=True)]
    return dict(reversed(told))


def test_where_gifts_are_not_known_nobody_is_said_not_to_have_given_again(store: Store) -> None:
    Past(gifts=[("ana", datetime(2025, 3, 31, 12, tzinfo=UTC), "paid")]).kept(store)
    text = JOURNEY.format(whole="actif: oui", own="sauf: {dons depuis: au moins 1}")
    assert verdicts(store, text, frozenset({"donations"})) == {"ana": None}
    assert verdicts(store, text, frozenset({"visits"})) == {"ana": True}
