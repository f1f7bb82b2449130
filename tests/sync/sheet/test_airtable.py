"""The engine on Airtable: the stories, both sides at random, and what a day costs in calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from sync.sheet.undo import undo
from sync.store import Store
from tests.fakes.airtable import FakeAirtable
from tests.fakes.airtable_desk import AirtableDesk
from tests.fakes.server import Request
from tests.sync.sheet.conftest import PEOPLE
from tests.sync.sheet.office import START, TAB, Office
from tests.sync.sheet.test_machine import THEIRS, BothSides, attack, places
from tests.test_scenarios import STORIES, Story


@pytest.fixture
def world() -> Iterator[FakeAirtable]:
    with FakeAirtable() as world:
        yield world


@pytest.fixture
def desk(world: FakeAirtable) -> AirtableDesk:
    return AirtableDesk(world)


@pytest.fixture
def office(store: Store, desk: AirtableDesk) -> Office:
    return Office(store, desk, people={code: dict(person) for code, person in PEOPLE.items()})


class AirtableStory(Story):
    """An edit, made while we write, of a row that we do not write is seen by the next reading and not by this run."""

    late = False

    def run(self, expected: dict[str, Any] | None) -> None:
        self.late = "meanwhile" in (expected or {})
        super().run(expected)

    def corrections(self, facts: dict[str, dict[str, object]]) -> None:
        if self.late:
            self.office.run()
        super().corrections(facts)


@pytest.mark.parametrize(
    "file", [file for file in STORIES if file.stem != "a_header_renamed"], ids=lambda file: file.stem
)
def test_story(file: Path, store: Store, desk: AirtableDesk) -> None:
    text = yaml.safe_load(file.read_text("utf-8"))
    story = AirtableStory(text, Office(store, desk))
    for step in text["steps"]:
        story.tell(step)


def test_a_field_of_ours_may_be_renamed(office: Office, desk: AirtableDesk) -> None:
    """Where a workbook has to ask, a field that we made is still known."""
    office.run()
    desk.rename(TAB.name, "Visites", "Venues")
    office.people["a1"]["visits"] = 5
    assert office.run().written == 1
    assert desk.shown(TAB.name)[0]["Venues"] == 5


class OnAirtable(BothSides):
    """No formulas in single cells there."""

    world: FakeAirtable

    @initialize(adopted=st.booleans(), people=st.integers(0, 7))
    def open_the_office(self, *, adopted: bool, people: int) -> None:
        self.begin(AirtableDesk(self.world), people, adopted=adopted)

    def put_a_formula(self, where: int, header: str) -> None:
        """A formula is a matter of a whole field."""

    @rule(where=places, header=st.sampled_from(THEIRS), call=st.integers(1, 6))
    def run_while_a_colleague_types_between_two_calls(self, where: int, header: str, call: int) -> None:
        """Before any of our readings; what is typed in the two seconds between the last look and the write is beyond help."""
        note, seen = self.world.before, []

        def before(request: Request) -> None:
            if note:
                note(request)
            if request.method == "GET" and "/meta/" not in request.path:
                seen.append(request)
                if len(seen) == call:
                    self.correct(where, header, empty=False)

        self.world.before = before
        self.attempt({})
        self.world.before = note


def test_both_sides_in_a_few_histories(world: FakeAirtable) -> None:
    OnAirtable.world = world
    attack(20, 12, OnAirtable)


@pytest.mark.long
def test_both_sides_in_many_histories(world: FakeAirtable) -> None:
    OnAirtable.world = world
    attack(1_000, 20, OnAirtable)


def test_a_quiet_day_costs_one_reading(office: Office, desk: AirtableDesk) -> None:
    office.people = {f"p{n}": {"email": f"p{n}@example.org", "visits": n} for n in range(250)}
    assert office.run().rows_added == 250
    reads, writes = desk.calls.read, desk.calls.write
    done = office.run()
    assert (done.written, desk.calls.read - reads, desk.calls.write - writes) == (0, 1 + 3, 0)


def test_a_busy_day_costs_a_tenth_of_what_changed(office: Office, desk: AirtableDesk) -> None:
    office.people = {f"p{n}": {"email": f"p{n}@example.org", "visits": n} for n in range(250)}
    office.run()
    for n in range(42):
        office.people[f"p{n * 5}"]["visits"] = 1000
    reads, writes = desk.calls.read, desk.calls.write
    assert office.run().written == 42
    assert (desk.calls.read - reads, desk.calls.write - writes) == (1 + 3 + 1, 5)


def test_a_run_can_be_undone(office: Office, desk: AirtableDesk) -> None:
    office.run()
    office.people["a1"]["visits"] = 5
    assert office.run().written == 1
    _, done = undo(office.store, desk, TAB, 2, 3, START)
    assert done.written == 1
    assert desk.shown(TAB.name)[0]["Visites"] == 4
