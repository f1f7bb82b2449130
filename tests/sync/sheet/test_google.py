"""The engine over Google Sheets: the stories of any sheet, and both sides doing what they like."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from connectors.sheets.googlesheets.reading import same
from sync.sheet.columns import Tab, fold, people_columns
from sync.store import Store
from tests.fakes.google import FakeGoogle
from tests.sync.sheet.conftest import PEOPLE
from tests.sync.sheet.google_team import GoogleTeam
from tests.sync.sheet.office import TAB, Office, organisations
from tests.sync.sheet.test_machine import ALL, FIELDS, STORES, BothSides, T, attack, places
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


def test_a_column_that_the_config_maps_to_another_field_is_marked_anew(office: Office, team: GoogleTeam) -> None:
    """The old mark lay there for ever: renamed, the column was not found again."""
    office.run()
    office.tab = Tab(TAB.name, people_columns({"Courriel": "email", "Prénom": "last_name"}))
    office.people["a1"]["email"] = "lea@new.example.org"
    office.run({"mapping": 10})
    team.rename(TAB.name, "Prénom", "Nom de famille")
    office.people["b2"]["email"] = "tom@new.example.org"
    done = office.run()
    assert (done.gates, done.written) == ((), 1)


THEIRS_HERE = {"Courriel", "Prénom", "prenom"}
HANDS = ["sort", "sort back", "insert", "delete", "move"]


class BothSidesOnGoogle(BothSides):
    """As in memory, and somebody sorts, inserts, deletes or moves a column in the very instant of our write, with the
    answer lost, or the line dead from then on. `unread`: cells that nobody can have read before we wrote.
    """

    sheet: GoogleTeam

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
        self.typed, self.copied, self.loose, self.formulas, self.by_hand = {}, set(), set(), set(), set()
        self.in_doubt, self.tokens, self.lost, self.said = False, 0, 0, {}
        self.unread: set[tuple[str, str]] = set()
        self.forgiven = set()
        for number in range(people):
            self.office.people[f"p{number}"] = {"email": self.token(), "first_name": self.token(), "visits": number}
        if adopted:
            self.sheet.start(T, ["Notes", "Courriel", "prenom", "Visites"])
            self.type_stranger(0)

    @precondition(lambda self: T in self.sheet.tabs)
    @rule(
        acts=st.lists(st.sampled_from(HANDS), min_size=1, max_size=2),
        header=st.sampled_from(["Courriel", "Visites"]), where=places, who=places, visits=st.integers(0, 5),
        fault=st.sampled_from(["", "", "answer", "landed", "line", "second"]),
    )  # fmt: skip
    def run_while_things_move_in_the_instant_of_writing(
        self, acts: list[str], header: str, where: int, who: int, visits: int, fault: str
    ) -> None:
        self.somebody_comes(who, visits, None, flag=False)
        self.a_source_says_another_name(where, "email" if header == "Courriel" else "first_name", known=True)
        hands = {
            "sort": lambda: self.sort(header, reverse=True),
            "sort back": lambda: self.sort(header, reverse=False),
            "insert": lambda: self.type_unread_row(where),
            "delete": lambda: self.delete_a_row(where),
            "move": lambda: self.move_a_column(header, where % 6),
        }
        self.sheet.instant, self.sheet.fault = [hands[act] for act in acts], fault
        self.attempt(ALL)
        self.sheet.instant, self.sheet.fault = [], ""

    def type_unread_row(self, at: int) -> None:
        """What we overwrite of a row that appears in the very instant nobody can have read: it is told, and beyond help."""
        before = set(self.typed)
        self.type_stranger(at)
        self.unread |= set(self.typed) - before

    def attempt(self, allow: dict[str, int]) -> None:
        super().attempt(allow)
        if not self.in_doubt:
            self.forget_what_nobody_could_read()

    def forget_what_nobody_could_read(self) -> None:
        lines = {line.id: line for line in self.lines()}
        for id_, header in self.unread & self.typed.keys():
            if id_ in lines and not self.text(lines[id_], header):
                del self.typed[id_, header]
                self.lost += 1
        self.unread.clear()

    def no_cell_of_the_team_is_lost(self) -> None:
        """Promise 1; while a killed run is in doubt, the next has yet to put back what it hit."""
        doubt = (self.sheet.hit.keys() | self.unread) if self.in_doubt else set()
        for line in self.lines():
            for (id_, header), text in self.typed.items():
                if id_ == line.id and (id_, header) not in doubt:
                    assert self.text(line, header) == text, (header, text)

    def no_person_stands_twice_by_our_doing(self) -> None:
        """A repair that was killed may have written a key where rows had moved again: the next run takes it back."""
        if not self.in_doubt:
            super().no_person_stands_twice_by_our_doing()

    def settle(self) -> None:
        super().settle()
        self.in_doubt = False
        self.no_person_stands_twice_by_our_doing()
        self.forget_what_nobody_could_read()
        self.forgive_what_may_have_been_carried_over()

    def forgive_what_may_have_been_carried_over(self) -> None:
        """A row that we wrote was deleted in that very instant, what we wrote hit the next one, the run was killed at
        once, and rows have moved since. It looks just as if a colleague had merged the two by hand, after a run that was
        killed: so it stands as theirs, and the journal names what was there.
        """
        keys, noted = {line.key for line in self.lines()}, self.noted()
        for line in self.lines():
            for header in THEIRS_HERE & set(self.headers()):
                stood, name = self.sheet.hit.get((line.id, header)), FIELDS.get(fold(header))
                value = self.text(line, header)
                owner = self.who_is_called(value)
                if stood and owner and owner not in keys and (line.key, name, stood) in noted:
                    self.typed.pop((line.id, header), None)
                    self.forgiven.add((line.key, name))

    def every_overwrite_is_in_the_journal(self) -> None:
        super().every_overwrite_is_in_the_journal()
        noted = self.noted()
        lines = {line.id: line for line in self.lines()}
        for (id_, header), stood in self.sheet.hit.items():
            if id_ in lines and header in self.headers():
                name = FIELDS.get(fold(header.removesuffix(" (?)")))
                there = same(self.sheet.cell(T, lines[id_], header), stood)
                assert there or (lines[id_].key, name, stood) in noted, (lines[id_].key, header, stood)
        told = sum(line.why == "google-instant" for line in self.journal())
        assert self.lost <= told

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "fake"):
                self.fake.__exit__(None, None, None)


def test_both_sides_in_a_few_histories() -> None:
    attack(12, 10, BothSidesOnGoogle)


@pytest.mark.long
@pytest.mark.parametrize("number", range(8))
def test_both_sides_in_two_thousand_histories(number: int) -> None:
    attack(250, 20, BothSidesOnGoogle, number=number)
