"""Airtable passes what every sheet must pass, and keeps to its own rules; on the fake of tests/fakes/airtable.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.airtable import Airtable, AirtableSettings
from connectors.sheets.sheet import Cell, Changes, KeyWrite, Sheet, Table
from connectors.source import Setting
from tests.connectors.sheet_contract import PEOPLE, SheetContract, cell, read, write
from tests.fakes.airtable import BASE, TOKEN, Clock, FakeAirtable


def opened(world: FakeAirtable, clock: Clock | None = None, **settings: Any) -> Airtable:
    given = {"base": BASE, "token": TOKEN, "endpoint": world.url} | settings
    setting = Setting(
        "sheet",
        Path(),
        sleep=(clock or world.clock or Clock()).sleep,
        language="fr",
        country="CA",
        timezone="America/Montreal",
    )
    return Airtable(AirtableSettings.model_validate(given), setting)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Iterator[FakeAirtable]:
    with FakeAirtable(clock) as world:
        yield world


class TestAirtable(SheetContract):
    """A ticked box and an unticked one is all that Airtable tells: unticked and empty are the same."""

    longest = 100_000
    people = tuple(tuple(None if value is False else value for value in person) for person in PEOPLE)

    @pytest.fixture(autouse=True)
    def _world(self, world: FakeAirtable, clock: Clock) -> None:
        self.world, self.clock = world, clock

    def open(self, folder: Path) -> Sheet:
        return opened(self.world, self.clock)

    def edit(self, folder: Path, tab: str, row: str, column: str, value: Any) -> None:
        """A formula is a matter of the whole field in Airtable."""
        grid = self.world.grid(tab)
        if isinstance(value, str) and value.startswith("="):
            self.world.make_formula(grid, column, value[1:], 3)
        else:
            self.world.type_cell(grid, row, column, value)

    def test_a_cell_changes_its_type_and_back(self, sheet: Sheet, table: Table) -> None:
        """Fields are typed: a day stays a day, and what is none is refused with a sentence."""
        values: list[Cell] = [date(2020, 2, 29), 5, "text", True, 0.1]
        for value in values:
            batches = write(sheet, table, Changes(cells=[cell(table, 0, 2, value)]))
            table = read(sheet)
            assert table.rows[0].cells[2] == date(2020, 2, 29)
            assert [refused.code for batch in batches for refused in batch.refused] == (
                [] if value == date(2020, 2, 29) else ["airtable-needs-date"]
            )

    def test_a_row_gets_another_key(self, sheet: Sheet, table: Table) -> None:
        write(sheet, table, Changes(keys=[KeyWrite(table.rows[1].ref, "Q1")]))
        assert {row.ref: row.key for row in read(sheet).rows} == {
            row.ref: "Q1" if row.key == "P1" else row.key for row in table.rows
        }
