"""Profiles: what is counted, what time alone changes, and what the team corrects."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.records import Event, Money, Order, Person, Subscription, Visit
from connectors.source import Page
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.people.story import Ambiguous, story
from sync.people.team import adopt_rows, correct
from sync.store import Store
from sync.store.ledger import commit_page
from tests.sync.store.databases import NOW
from tests.sync.store.invented import records, someone, thing


def run(store: Store, *things: Any, now: datetime = NOW) -> int:
    commit_page(store, "box", 1, now, Page(things), records, 1)
    resolve(store, 1, now)
    return refresh(store, now, "Europe/Paris", "EUR")


def rows(store: Store) -> list[dict[str, Any]]:
    return people_frame(store).to_dicts()


def ada(*visits: Visit, email: str = "ada@x.org") -> Any:
    paid = Money(Decimal("20.50"), "EUR")
    return thing(
        "A", someone("A", email, "Ada Martin"), Order(id="A", person="A", at=NOW, status="paid", paid=paid), *visits
    )


def played(days: float, **more: Any) -> Any:
    return thing(
        "E", Event(id="E", name="Le Cid", starts=NOW + timedelta(days=days), genre="théâtre", **more), kind="event"
    )


SEATS = (Visit(id="1", person="A", order="A", event="E"), Visit(id="2", person="A", order="A", event="E"))


def test_two_tickets_are_one_visit_and_nothing_is_worked_out_twice(store: Store) -> None:
    assert run(store, played(-1), ada(*SEATS)) == 1
    (row,) = rows(store)
    assert (row["visits"], row["tickets"], row["spent"], row["genres"]) == (1, 2, 20.5, ["théâtre"])
    assert row["last_visit"] == (NOW - timedelta(days=1)).date()
    assert run(store, played(-1), ada(*SEATS)) == 0


def test_the_passing_of_time_turns_a_next_visit_into_a_past_one_and_back(store: Store) -> None:
    run(store, played(1), ada(*SEATS))
    assert (rows(store)[0]["next_visit"], rows(store)[0]["visits"]) == (date(2026, 3, 2), 0)
    assert run(store, now=NOW + timedelta(days=2)) == 1
    assert (rows(store)[0]["next_visit"], rows(store)[0]["visits"]) == (None, 1)
    assert run(store, now=NOW) == 1, "the clock was set back"
    assert (rows(store)[0]["next_visit"], rows(store)[0]["visits"]) == (date(2026, 3, 2), 0)


def test_a_cancelled_event_is_no_visit_and_a_moved_one_is_another_day(store: Store) -> None:
    run(store, played(-1), ada(*SEATS))
    assert run(store, played(-1, cancelled=True)) == 1
    assert rows(store)[0]["visits"] == 0
    assert run(store, played(-3)) == 1
    assert rows(store)[0]["last_visit"] == (NOW - timedelta(days=3)).date()


def test_a_no_show_needs_somebody_who_was_scanned(store: Store) -> None:
    run(store, played(-1), ada(*SEATS))
    assert rows(store)[0]["no_shows"] == 0
    other = thing("B", someone("B", "b@x.org", "Bo Roy"), Visit(id="9", person="B", event="E", attended=True))
    assert run(store, other) == 2
    assert [row["no_shows"] for row in rows(store)] == [1, 0]


def test_other_currencies_and_pending_places_stand_aside(store: Store) -> None:
    order = Order(id="Z", person="A", at=NOW, status="paid", paid=Money(Decimal(99), "USD"))
    run(
        store,
        played(-1),
        thing("A", someone("A", "a@x.org"), order, Visit(id="1", person="A", event="E", status="pending")),
    )
    (row,) = rows(store)
    assert (row["spent"], row["purchases"], row["visits"]) == (0.0, 1, 0)


def test_who_unsubscribed_an_address_unsubscribed_everybody_who_shares_it(store: Store) -> None:
    gone = Subscription(id="1", person="1", list="news", status="unsubscribed")
    run(
        store,
        thing("1", someone("1", "d@x.org", "Jean Dupont"), gone),
        thing("2", someone("2", "d@x.org", "Marie Dupont", 1)),
    )
    assert [(row["newsletter"], row["shared_email"]) for row in rows(store)] == [("unsubscribed", True)] * 2


def test_the_team_has_the_last_word(store: Store) -> None:
    run(store, ada())
    with store.begin() as connection:
        correct(connection, store.org, 1, "first_name", "Adèle", NOW, 2)
        correct(connection, store.org, 1, "city", None, NOW, 2)
    run(store, ada(email="new@x.org"))
    (row,) = rows(store)
    assert (row["first_name"], row["last_name"], row["email"], row["city"]) == ("Adèle", "Martin", "new@x.org", None)
    values = {value.field: value for value in story(store, row["key"].upper()).values}
    assert values["first_name"].corrected
    assert (values["email"].source, values["visits"].value) == ("box", 0)
    with store.begin() as connection, pytest.raises(ValueError, match="computed"):
        correct(connection, store.org, 1, "visits", "9", NOW, 2)


def test_rows_typed_by_the_team_find_their_person_or_make_one_once(store: Store) -> None:
    run(store, ada())
    typed = [Person(id="r1", email="ADA@x.org"), Person(id="r2", name="Bo Roy"), Person(id="r3", city="Lyon")]
    for _ in range(2):
        with store.begin() as connection:
            codes = adopt_rows(connection, store.org, typed, 2, NOW)
        assert codes[0] == rows(store)[0]["key"]
        assert codes[2] is None
        refresh(store, NOW, "Europe/Paris", "EUR")
        assert [row["key"] for row in rows(store)] == codes[:2]


def test_an_ambiguous_name_gives_candidates(store: Store) -> None:
    run(store, *(thing(n, someone(n, f"{n}@x.org", "Jean Dupont")) for n in "12"))
    with pytest.raises(Ambiguous) as many:
        story(store, "dupont jean")
    assert [one.email for one in many.value.candidates] == ["1@x.org", "2@x.org"]
    assert story(store, "2@x.org").person_id == 2
