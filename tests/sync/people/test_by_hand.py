"""What a person says about who is who stands against all that comes later."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.source import Page
from connectors.trouble import FixFile
from sync.people.by_hand import By, entries, join, part
from sync.people.merge import resolve
from sync.people.profile import people_frame, refresh
from sync.store import Store
from sync.store.ledger import commit_page
from tests.sync.store.databases import NOW
from tests.sync.store.invented import records, someone, thing

BY = By("marie", 2, NOW)


def run(store: Store, *things: Any) -> dict[str, int]:
    """Who there is: e-mail to person."""
    commit_page(store, "box", 1, NOW, Page(things), records, 1)
    resolve(store, 1, NOW)
    refresh(store, NOW, "Europe/Paris", "EUR")
    return {row["email"]: row["person_id"] for row in people_frame(store).to_dicts()}


def merge(store: Store, one: int, other: int) -> dict[str, int]:
    with store.begin() as connection:
        join(connection, store.org, one, other, BY)
    return run(store)


def split(store: Store, person: int, *names: str) -> dict[str, int]:
    with store.begin() as connection:
        part(connection, store.org, person, names, BY)
    return run(store)


def order(id_: str, email: str, name: str) -> Any:
    return thing(id_, someone(id_, email, name))


ADA, ADDA = order("A", "ada@x.org", "Ada Martin"), order("B", "adda@y.org", "Adda M")


def test_two_who_are_one_stay_so_whatever_comes(store: Store) -> None:
    before = run(store, ADA, ADDA)
    assert len(before) == 2
    assert len(merge(store, *before.values())) == 1
    after = run(store, ADA, ADDA, order("C", "adda@y.org", "Adda M"))
    assert set(after.values()) == {min(before.values())}


def test_a_merge_is_taken_back_with_the_records_where_they_were(store: Store) -> None:
    before = run(store, ADA, ADDA)
    merge(store, *before.values())
    run(store, order("C", "adda@y.org", "Adda M"))  # what came meanwhile goes with whom it resembles
    after = split(store, min(before.values()))
    assert after == before
    with store.look() as connection:
        assert [one.name for one in entries(connection, store.org, after["adda@y.org"])] == [
            "box order B",
            "box order C",
        ]


def test_one_who_was_never_two_is_parted_by_naming_the_entries(store: Store) -> None:
    family = [order(id_, "roy@x.org", "Jean Roy") for id_ in "AB"]
    (person,) = run(store, *family).values()
    with pytest.raises(FixFile, match="split-which"):
        split(store, person)
    with pytest.raises(FixFile, match="split-unknown"):
        split(store, person, "order Z")
    split(store, person, "order B")
    assert len(people_frame(store)) == 2
    run(store, *family, order("C", "roy@x.org", "Jean Roy"))
    assert len(people_frame(store)) == 2


def test_merging_goes_over_a_split(store: Store) -> None:
    before = run(store, ADA, ADDA)
    merge(store, *before.values())
    split(store, min(before.values()))
    assert len(merge(store, *before.values())) == 1
