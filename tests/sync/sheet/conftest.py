"""Shared by the tests of the sheet engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sync.store import Store
from tests.fakes.memory_sheet import MemorySheet
from tests.sync.sheet.office import Office, organisations

PEOPLE: dict[str, dict[str, object]] = {
    "a1": {"email": "lea@example.org", "first_name": "Léa", "last_visit": date(2026, 1, 3), "visits": 4, "flags": []},
    "b2": {"email": "tom@example.org", "first_name": "Tom", "last_visit": None, "visits": 0, "flags": ["À relancer"]},
    "c3": {"email": "zoe@example.org", "first_name": "Zoé", "last_visit": date(2025, 11, 9), "visits": 1},
}


@pytest.fixture
def sheet() -> MemorySheet:
    return MemorySheet()


@pytest.fixture
def office(store: Store, sheet: MemorySheet) -> Office:
    return Office(store, sheet, people={code: dict(person) for code, person in PEOPLE.items()})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    stores = organisations(f"sqlite:///{tmp_path / 'filrouge.db'}")
    first = next(stores)
    yield first
    first.close()
