"""What a run costs at Google and at Airtable, counted in calls, and in seconds at the pace they allow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sheets.google import Google
from connectors.sheets.sheet import Calls
from sync.store import Store
from tests.connectors.test_google import google
from tests.fakes.airtable import Clock, FakeAirtable
from tests.fakes.airtable_desk import AirtableDesk
from tests.fakes.google import FakeGoogle
from tests.sync.sheet.office import Office

A_SECOND = 5  # calls that Airtable allows


@pytest.fixture
def sheet(tmp_path: Path) -> Iterator[Google]:
    with FakeGoogle() as fake:
        yield google(fake, tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(clock: Clock) -> Iterator[AirtableDesk]:
    with FakeAirtable(clock) as world:
        yield AirtableDesk(world)


def crowded(store: Store, sheet: Google | AirtableDesk, rows: int) -> Office:
    people = {f"p{n}": {"email": f"p{n}@example.org", "first_name": f"P{n}", "visits": n % 40} for n in range(rows)}
    office = Office(store, sheet, people=people)
    assert office.run().rows_added == rows
    return office


def change(office: Office, every: int) -> int:
    """One cell in every so many rows; how many these are."""
    places = range(0, len(office.people), every)
    for place in places:
        office.people[f"p{place}"]["visits"] = 1000 + place
    return len(places)


def cost(office: Office, calls: Calls, written: int) -> tuple[int, int]:
    """Reads and writes of a run that writes so many cells."""
    before = calls.read, calls.write
    assert office.run().written == written
    return calls.read - before[0], calls.write - before[1]


def google_at_size(store: Store, sheet: Google, rows: int, every: int) -> None:
    office = crowded(store, sheet, rows)
    assert cost(office, sheet.calls, 0) == (1, 0)
    reads, writes = cost(office, sheet.calls, change(office, every))
    assert (reads <= 3, writes <= 5) == (True, True), (reads, writes)
    assert cost(office, sheet.calls, 0) == (1, 0)


def test_google_takes_three_thousand_changed_cells_in_few_calls(store: Store, sheet: Google) -> None:
    google_at_size(store, sheet, 3_000, 1)


@pytest.mark.long
def test_google_takes_ten_thousand_changed_cells_of_a_hundred_thousand_rows(store: Store, sheet: Google) -> None:
    google_at_size(store, sheet, 100_000, 10)


@pytest.mark.parametrize("every", [1, 3, 300])
def test_airtable_takes_a_tenth_of_what_changed_at_the_pace_it_allows(
    store: Store, desk: AirtableDesk, clock: Clock, every: int
) -> None:
    office = crowded(store, desk, 300)
    started, pages = clock.now, 1 + 3  # the schema, and 100 records a page
    assert cost(office, desk.calls, 0) == (pages, 0)
    changed = change(office, every)
    reads, writes = cost(office, desk.calls, changed)
    assert writes == -(-changed // 10)
    assert reads == pages + -(-changed // 100)  # each record is looked at again just before it is written
    quickest = (pages + reads + writes) / A_SECOND
    assert quickest <= clock.now - started <= 1.05 * quickest
    assert max(clock.naps) < 1  # never a refusal for haste
