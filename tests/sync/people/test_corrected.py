"""What the team corrects in a row tells who that person is elsewhere."""

from __future__ import annotations

from typing import Any

from connectors.source import Page
from sync.people.corrected import recognise_by_corrections
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.people.story import story
from sync.people.team import correct
from sync.store import Store
from sync.store.ledger import commit_page
from tests.sync.store.databases import NOW
from tests.sync.store.invented import records, someone, thing


def run(store: Store, *things: Any, complete: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    commit_page(store, "box", 1, NOW, Page(things, complete=complete), records, 1)
    resolve(store, 1, NOW)
    refresh(store, NOW, "Europe/Paris", "EUR")
    return people_frame(store).to_dicts()


def say(store: Store, person: int, **fields: str | None) -> None:
    with store.begin() as connection:
        for field, value in fields.items():
            correct(connection, store.org, person, field, value, NOW, 2)
        recognise_by_corrections(connection, store.org, {person}, NOW)


ADA = thing("A", someone("A", None, "Ada Martin"))
BOOKS = thing("B", someone("B", "ada@x.org", "Ada Martin"))


def test_who_books_with_the_address_in_a_row_is_that_row(store: Store) -> None:
    run(store, ADA)
    say(store, 1, email="ada@x.org")
    (row,) = run(store, BOOKS)
    assert (row["email"], row["person_id"]) == ("ada@x.org", 1)


def test_an_address_taken_back_tells_nobody_any_more(store: Store) -> None:
    run(store, ADA)
    say(store, 1, email="ada@x.org")
    say(store, 1, email=None)
    assert len(run(store, BOOKS)) == 2


def test_two_who_share_an_address_are_one_once_a_name_is_put_right(store: Store) -> None:
    assert (
        len(
            run(
                store,
                thing("A", someone("A", "m@x.org", "Adda Martn")),
                thing("B", someone("B", "m@x.org", "Ada Martin")),
            )
        )
        == 2
    )
    say(store, 1, first_name="Ada", last_name="Martin")
    (row,) = run(store)
    assert row["first_name"] == "Ada"


def test_it_shows_nothing_of_its_own_and_keeps_nobody_who_is_gone(store: Store) -> None:
    run(store, ADA)
    say(store, 1, email="ada@x.org")
    (row,) = run(store, thing("A", someone("A", None, "Adèle Martin")))
    assert row["first_name"] == "Adèle"
    assert [one.id for one in story(store, row["key"]).sightings] == ["A"]
    assert run(store, complete=("order",)) == []


def test_saying_it_again_writes_nothing(store: Store) -> None:
    run(store, ADA)
    say(store, 1, email="ada@x.org")
    run(store)
    say(store, 1, email="ada@x.org")
    with store.look() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sighting WHERE dirty").scalar_one() == 0
