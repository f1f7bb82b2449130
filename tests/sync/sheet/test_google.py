"""The engine over Google Sheets: the stories of any sheet, and both sides doing what they like."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from sync.store import Store
from tests.fakes.google import FakeGoogle
from tests.sync.sheet.conftest import PEOPLE
from tests.sync.sheet.google_team import GoogleTeam
from tests.sync.sheet.office import TAB, Office, organisations
from tests.sync.sheet.test_machine import STORES, BothSides, T
from tests.test_scenarios import STORIES, Story

MARKED = {"a_header_renamed"}
"""Stories of a sheet that knows columns by their header alone: Google's are marked, so a renamed one is found."""


@pytest.fixture
def team(tmp_path: Path) -> Iterator[GoogleTeam]:
    with FakeGoogle() as fake:
        yield GoogleTeam(fake, tmp_path)


@pytest.fixture
def office(store: Store, team: GoogleTeam) -> Office:
    return Office(store, team, people={code: dict(person) for code, person in PEOPLE.items()})


@pytest.mark.parametrize("file", [one for one in STORIES if one.stem not in MARKED], ids=lambda file: file.stem)
def test_story(file: Path, team: GoogleTeam, tmp_path: Path) -> None:
    text = yaml.safe_load(file.read_text("utf-8"))
    store = next(organisations(f"sqlite:///{tmp_path / 'story.db'}"))
    story = Story(text, Office(store, team))
    for step in text["steps"]:
        story.tell(step)
    store.close()


def test_a_quiet_day_is_one_read_and_no_write(office: Office, team: GoogleTeam) -> None:
    office.run()
    reads, writes = team.calls.read, team.calls.write
    office.run()
    assert (team.calls.read - reads, team.calls.write - writes) == (1, 0)
    office.people["a1"]["visits"] = 5
    office.run()
    assert (team.calls.read - reads, team.calls.write - writes) == (3, 1)


def test_a_renamed_header_and_a_renamed_tab_are_nothing_to_speak_of(office: Office, team: GoogleTeam) -> None:
    office.run()
    team.rename(TAB.name, "Visites", "Nombre de venues")
    team.move_column(TAB.name, "Prénom", 3)
    office.people["a1"] |= {"visits": 9, "last_visit": date(2026, 3, 1)}
    team.fake.document.tab(TAB.name).title = "Public"
    done = office.run()
    assert (done.written, done.gates) == (2, ())
    assert team.line("Public", "a1").cells[team.column("Public", "Nombre de venues").ref] == 9


def test_an_adopted_column_is_marked_so_that_it_can_be_renamed(office: Office, team: GoogleTeam) -> None:
    team.start(
        TAB.name, ["Courriel", "prenom", "Notes"], [{"Courriel": "lea@example.org", "prenom": "Léa", "Notes": "loge 3"}]
    )
    office.run()
    team.rename(TAB.name, "prenom", "Petit nom")
    office.people["a1"]["first_name"] = "Léah"
    done = office.run()
    assert done.gates == ()
    assert team.shown(TAB.name)[0] | {"Petit nom": "Léah", "Notes": "loge 3"} == team.shown(TAB.name)[0]


class BothSidesOnGoogle(BothSides):
    """As in memory, and somebody sorts or inserts in the very instant of our write."""

    @initialize(
        batch=st.just(0), forgetful=st.just(False), revisions=st.just(False), tags=st.just(True),
        adopted=st.booleans(), people=st.integers(0, 5),
    )  # fmt: skip
    def open_the_office(
        self, *, batch: int, forgetful: bool, revisions: bool, tags: bool, adopted: bool, people: int
    ) -> None:
        self.fake = FakeGoogle().__enter__()
        self.sheet = GoogleTeam(self.fake, Path(tempfile.gettempdir()))
        self.office = Office(next(STORES), self.sheet, TAB, credulous=True)
        self.typed, self.copied, self.loose, self.formulas = {}, set(), set(), set()
        self.in_doubt, self.tokens = False, 0
        for number in range(people):
            self.office.people[f"p{number}"] = {"email": self.token(), "first_name": self.token(), "visits": number}
        if adopted:
            self.sheet.start(T, ["Notes", "Courriel", "prenom", "Visites"])
            self.type_stranger(0)

    @precondition(lambda self: T in self.sheet.tabs)
    @rule(header=st.sampled_from(["Courriel", "Visites"]), insert=st.booleans())
    def run_while_somebody_sorts_in_the_instant_of_writing(self, header: str, *, insert: bool) -> None:
        assert isinstance(self.sheet, GoogleTeam)
        self.sheet.instant = [lambda: self.type_stranger(0)] if insert else [lambda: self.sort(header, reverse=True)]
        before = set(self.typed)
        self.attempt({})
        self.sheet.instant = []
        self.forget_what_nobody_could_read(set(self.typed) - before)

    def forget_what_nobody_could_read(self, typed: set[tuple[str, str]]) -> None:
        """A cell of a row that appeared in the very instant, where we wrote. It is told, and beyond help."""
        lines = {line.id: line for line in self.lines()}
        for id_, header in typed:
            if id_ in lines and not self.text(lines[id_], header):
                del self.typed[id_, header]

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "fake"):
                self.fake.__exit__(None, None, None)


def attack(histories: int, steps: int) -> None:
    budget = settings(
        max_examples=histories,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(BothSidesOnGoogle, settings=budget)


def test_both_sides_in_a_few_histories() -> None:
    attack(12, 10)


@pytest.mark.long
def test_both_sides_in_two_thousand_histories() -> None:
    attack(2_000, 20)
