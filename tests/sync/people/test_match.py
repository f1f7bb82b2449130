"""Who is the same person: by rule, and whatever the order in which sightings came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.records import Person
from connectors.source import Page
from sync.people.match import Sight, clusters
from sync.people.merge import code, resolve
from sync.people.normalise import clean, email, names, phone, postcode
from sync.store import Store, tables
from sync.store.ledger import commit_page
from tests.sync.store.databases import NOW
from tests.sync.store.invented import records, someone, thing


def together(*people: Person) -> list[set[str]]:
    sights = []
    for number, one in enumerate(people, 1):
        c = clean(one, "FR")
        sights.append(
            Sight(number, "box", one.id, c.customer, c.email_key, c.name_key, c.phone_key, c.place_key, number)
        )
    return [{people[number - 1].id for number in group} for group in clusters(sights)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"email": "A@x.org"}, {"email": "mailto:a@x.org "}, True),
        ({"email": "a@x.org", "name": "DUPONT Jean"}, {"email": "a@x.org", "name": "Jean Dupont"}, True),
        ({"email": "a@x.org", "name": "J. Dupont"}, {"email": "a@x.org", "name": "Jean Dupont"}, True),
        ({"email": "a@x.org", "name": "Éloïse Noël"}, {"email": "a@x.org", "name": "ELOISE NOEL"}, True),
        ({"email": "a@x.org", "name": "Jean Dupont"}, {"email": "a@x.org", "name": "Marie Dupont"}, False),
        ({"phone": "06 12 34 56 78", "name": "Jean Dupont"}, {"phone": "+33612345678", "name": "Dupont, Jean"}, True),
        ({"phone": "06 12 34 56 78", "name": "Jean Dupont"}, {"phone": "+33612345678", "name": "Marie Dupont"}, False),
        ({"phone": "06 12 34 56 78", "name": "Jean Dupont"}, {"phone": "+33612345678"}, False),
        ({"name": "Jean Dupont", "postcode": "1000", "email": "a@x.org"}, {"name": "Jean Dupont", "postcode": "01000"}, True),
        ({"name": "Jean Dupont", "postcode": "01000", "email": "a@x.org"}, {"name": "Jean Dupont", "postcode": "01000", "email": "b@x.org"}, False),
        ({"customer": "7", "email": "a@x.org", "name": "Jean Dupont"}, {"customer": "7", "email": "b@x.org", "name": "Marie Durand"}, True),
        ({"name": "Jean Dupont"}, {"name": "Jean Dupont"}, False),
    ],
)  # fmt: skip
def test_two_sightings(one: dict[str, str], other: dict[str, str], *, same: bool) -> None:
    assert (len(together(Person(id="1", **one), Person(id="2", **other))) == 1) is same  # type: ignore[arg-type]


def test_a_couple_shares_an_address_and_the_nameless_one_is_whose_name_it_carries() -> None:
    jean, marie = (Person(id=name, email="marie.dupont@x.org", name=f"{name} Dupont") for name in ("Jean", "Marie"))
    assert together(jean, marie, Person(id="?", email="marie.dupont@x.org")) == [{"Jean"}, {"Marie", "?"}]


def test_a_name_without_address_that_two_could_be_is_neither() -> None:
    two = [Person(id=str(n), email=f"{n}@x.org", name="Jean Dupont", postcode="75011") for n in (1, 2)]
    assert together(*two, Person(id="3", name="Jean Dupont", postcode="75011")) == [{"1"}, {"2"}, {"3"}]


def test_values_are_made_comparable_and_shown_as_written() -> None:
    assert email("Jean.Dupont@Example.ORG.") == ("Jean.Dupont@Example.ORG", "jean.dupont@example.org")
    assert email("pas d'adresse") == ("pas d'adresse", None)
    assert phone("514 555-0199", "CA") in ("+15145550199", "514 555-0199")
    assert names(None, None, "DE LA TOUR Anne-Marie") == ("Anne-Marie", "De la Tour")
    assert names("jean", "D'ARTAGNAN", None) == ("Jean", "d'Artagnan")
    assert names("McKenzie", None, None)[0] == "McKenzie"
    assert postcode("h2x1y4", "CA") == "H2X 1Y4"
    assert postcode("123", "FR") == "123"


people: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    email=st.sampled_from([None, "a@x.org", "b@x.org", "jean@x.org"]),
    name=st.sampled_from([None, "Jean Dupont", "J. Dupont", "Dupont", "Marie Dupont", "Marie", "Jacques Dupont"]),
    phone=st.sampled_from([None, "0612345678"]),
    postcode=st.sampled_from([None, "75011"]),
    customer=st.sampled_from([None, None, "1", "2"]),
    day=st.integers(0, 3),
)


def sights_of(drawn: list[dict[str, str]], order: list[int]) -> list[Sight]:
    found = []
    for number, at in enumerate(order, 1):
        facts = dict(drawn[at])
        day = facts.pop("day")
        c = clean(Person(id=str(at), **facts), "FR")  # type: ignore[arg-type]
        found.append(
            Sight(number, "box", str(at), c.customer, c.email_key, c.name_key, c.phone_key, c.place_key, int(day))
        )
    return found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_order_in_which_they_came_changes_nothing(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(people, max_size=9))
    order = data.draw(st.permutations(range(len(drawn))))

    def groups(sights: list[Sight]) -> set[frozenset[str]]:
        by_number = {one.no: one.id for one in sights}
        return {frozenset(by_number[number] for number in group) for group in clusters(sights)}

    assert groups(sights_of(drawn, order)) == groups(sights_of(drawn, list(range(len(drawn)))))


def persons(store: Store) -> set[frozenset[str]]:
    table = tables.sighting
    with store.look() as connection:
        rows = list(
            connection.execute(sa.select(table.c.id, table.c.person).where(table.c.org == store.org, table.c.known))
        )
    return {frozenset(row.id for row in rows if row.person == person) for person in {row.person for row in rows}}


def put(store: Store, *drawn: tuple[int, dict[str, str]], run: int = 1) -> None:
    things = [thing(str(at), someone(str(at), **facts)) for at, facts in drawn]  # type: ignore[arg-type]
    commit_page(store, "box", run, NOW, Page(things), records, 1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), people), max_size=10), st.integers(1, 4))
def test_step_by_step_is_all_at_once(
    fresh_store: Callable[[], Store], drawn: list[tuple[int, dict[str, str]]], size: int
) -> None:
    """Sightings come, change their minds, and come again; looking only at what changed ends where a fresh look does."""
    steps, whole = fresh_store(), fresh_store()
    for start in range(0, len(drawn), size):
        for one in drawn[start : start + size]:
            put(steps, one)
        resolve(steps, start, NOW)
    put(whole, *dict(drawn).items())
    resolve(whole, 1, NOW)
    assert persons(steps) == persons(whole)
    steps.close()
    whole.close()


def test_ids_stay_when_people_merge_and_come_back_when_they_part(store: Store) -> None:
    put(store, (1, {"email": "a@x.org", "name": "Jean Dupont"}))
    put(store, (2, {"email": "b@x.org", "name": "Jean Dupont"}))
    assert resolve(store, 1, NOW).new == 2
    put(store, (2, {"email": "a@x.org", "name": "Jean Dupont"}))
    found = resolve(store, 2, NOW)
    assert (found.merged, found.total) == (1, 1)
    put(store, (2, {"email": "b@x.org", "name": "Jean Dupont"}))
    again = resolve(store, 3, NOW + timedelta(days=1))
    assert (again.new, again.total) == (0, 2)
    with store.look() as connection:
        rows = connection.execute(
            sa.select(tables.sighting.c.id, tables.sighting.c.person).where(tables.sighting.c.org == store.org)
        )
        assert sorted(tuple(row) for row in rows) == [("1", 1), ("2", 2)]


def test_codes_are_eight_characters_and_never_the_same() -> None:
    codes = {code(number, since=1_700_000_000_000_000) for number in range(20_000)}
    assert len(codes) == 20_000
    assert {len(one) for one in codes} == {8}
    assert not codes & {code(number, since=1_700_000_000_000_001) for number in range(20_000)}
