"""Erasing somebody from the store: their part of what tells of others too, and that it is not taken in again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from connectors.source import Page
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.rights.erase import erase
from sync.store import Store
from sync.store.again import reread
from sync.store.ledger import commit_page, cursor
from sync.store.tables import raw
from tests.sync.store.databases import NOW
from tests.sync.store.invented import records, someone, thing


def run(store: Store, *things: Any, place: str | None = "1") -> list[str | None]:
    commit_page(store, "box", 1, NOW, Page(things, cursor=place), records, 1)
    return names(store)


def names(store: Store) -> list[str | None]:
    resolve(store, 1, NOW)
    refresh(store, NOW, "Europe/Paris", "EUR")
    return sorted(row["first_name"] for row in people_frame(store).to_dicts())


def erase_first(store: Store, name: str) -> None:
    (person,) = (row["person_id"] for row in people_frame(store).to_dicts() if row["first_name"] == name)
    with store.begin() as connection:
        erase(connection, store.org, person, 2, NOW, "marie")


ADA, BEN = someone("A", "ada@x.org", "Ada Martin"), someone("B", "ben@x.org", "Ben Roy")


def test_one_of_two_in_the_same_order(store: Store) -> None:
    both = thing("O", ADA, BEN)
    assert run(store, both) == ["Ada", "Ben"]
    erase_first(store, "Ada")
    assert names(store) == ["Ben"]
    assert run(store, thing("O", ADA, BEN, someone("C", "cy@x.org", "Cy Lee"))) == ["Ben", "Cy"]
    with store.look() as connection:
        bodies = connection.scalars(sa.select(raw.c.body).where(raw.c.org == store.org)).all()
    assert [bytes(body) for body in bodies] == [b""]


def test_the_same_entry_again_is_not_them_and_another_one_is(store: Store) -> None:
    run(store, thing("O", ADA), thing("P", BEN))
    erase_first(store, "Ada")
    assert run(store, thing("O", ADA)) == ["Ben"]
    assert run(store, thing("Q", ADA)) == ["Ada", "Ben"]


def test_what_has_no_raw_any_more_is_pulled_again_when_it_is_to_be_read_anew(store: Store) -> None:
    run(store, thing("O", ADA, BEN))
    erase_first(store, "Ada")
    reread(store, "box", 2, records, 3, NOW)
    assert names(store) == ["Ben"]
    assert cursor(store, "box") is None
    commit_page(store, "box", 3, NOW, Page([thing("O", ADA, BEN)], cursor="2"), records, 2)
    assert names(store) == ["Ben"]


def test_erasing_again_changes_nothing(store: Store) -> None:
    run(store, thing("O", ADA, BEN))
    erase_first(store, "Ada")
    with store.begin() as connection:
        again = erase(connection, store.org, 1, 3, NOW, "marie")
    assert again.counts["facts"] == 0
    assert names(store) == ["Ben"]
