"""Both sides do what they like, and everything that can break between them breaks. What must hold all the same:

- promise 1: no cell of the team is ever lost, whatever they do while we write;
- promise 4: a run killed at any moment is carried on by the next, to the same end.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connectors.sheets.sheet import Cell, Formula
from connectors.trouble import TryLater
from sync.sheet import journal
from sync.sheet.columns import Tab, fold, people_columns, plain, to_cell
from tests.fakes.memory_sheet import Killed, Line, MemorySheet
from tests.sync.sheet.office import HEADERS, Office, organisations

TAB = Tab("Contacts", people_columns(HEADERS))
T = TAB.name
THEIRS = ["Courriel", "Prénom"]
COMPUTED = ["Dernière visite", "Visites", "Signaux"]
ALL = {"missing": 10**6, "changed": 10**6, "headers": 10**6, "mapping": 10**6}
FIELDS = {fold(mapped.header): mapped.field for mapped in TAB.columns}
DATABASE = tempfile.TemporaryDirectory(prefix="filrouge-machine-")
STORES = organisations(f"sqlite:///{DATABASE.name}/machine.db")
places = st.integers(0, 30)


class BothSides(RuleBasedStateMachine):
    """`typed`: what the team last typed in a cell that is theirs, by row and column; "" where they emptied it."""

    @initialize(
        batch=st.sampled_from([0, 0, 2]), forgetful=st.booleans(), revisions=st.booleans(), tags=st.booleans(),
        adopted=st.booleans(), people=st.integers(0, 7),
    )  # fmt: skip
    def open_the_office(
        self, *, batch: int, forgetful: bool, revisions: bool, tags: bool, adopted: bool, people: int
    ) -> None:
        self.begin(
            MemorySheet(batch=batch, forgetful=forgetful, revisions=revisions, tags=tags), people, adopted=adopted
        )

    def begin(self, sheet: MemorySheet, people: int, *, adopted: bool) -> None:
        self.sheet = sheet
        self.office = Office(next(STORES), self.sheet, TAB, credulous=True)
        self.typed: dict[tuple[str, str], str] = {}
        self.copied: set[str] = set()
        self.loose: set[str] = set()
        self.formulas: set[tuple[str, str]] = set()
        self.in_doubt = False
        self.tokens = 0
        self.said: dict[object, str] = {}
        self.by_hand: set[object] = set()
        self.forgiven: set[tuple[str | None, str | None]] = set()
        for number in range(people):
            self.office.people[f"p{number}"] = {"email": self.token(), "first_name": self.token(), "visits": number}
        if adopted:
            self.sheet.start(T, ["Notes", "Courriel", "prenom", "Visites"])
            self.type_stranger(0)

    def token(self) -> str:
        self.tokens += 1
        return f"é{self.tokens}"

    # The sources

    @rule(who=places, visits=st.integers(0, 5), day=st.none() | st.integers(1, 9), flag=st.booleans())
    def somebody_comes(self, who: int, visits: int, day: int | None, *, flag: bool) -> None:
        code = f"p{who % 8}"
        person = self.office.people.setdefault(code, {"email": self.token()})
        person |= {"visits": visits, "last_visit": day and date(2026, 1, day), "flags": ["À relancer"] if flag else []}

    @rule(who=places, name=st.sampled_from(["email", "first_name"]), known=st.booleans())
    def a_source_says_another_name(self, who: int, name: str, *, known: bool) -> None:
        if self.office.people:
            code = sorted(self.office.people)[who % len(self.office.people)]
            self.office.people[code][name] = said = self.token() if known else None
            self.said[said] = code

    # The team

    def lines(self) -> list[Line]:
        return self.sheet.tabs[T].lines if T in self.sheet.tabs else []

    def pick(self, where: int) -> Line | None:
        lines = self.lines()
        return lines[where % len(lines)] if lines else None

    def headers(self) -> list[str]:
        return [column.header for column in self.sheet.tabs[T].columns] if T in self.sheet.tabs else []

    @rule(where=places, header=st.sampled_from(THEIRS), empty=st.booleans())
    def correct(self, where: int, header: str, *, empty: bool) -> None:
        line = self.pick(where)
        if line is None or header not in self.headers():
            return
        empty = empty and line.key is not None and not self.in_doubt
        value = None if empty else self.token()
        stood = self.sheet.cell(T, line, header)
        self.sheet.type_cell(T, line, header, value)
        self.by_hand.add(value)
        if value or (stood and (line.id, header) not in self.typed):
            self.typed[line.id, header] = value or ""
        else:  # emptied before anybody had seen it: as if never typed
            self.typed.pop((line.id, header), None)

    @rule(where=places, header=st.sampled_from(THEIRS), known=st.booleans())
    def correct_what_a_source_changes_too(self, where: int, header: str, *, known: bool) -> None:
        self.correct(where, header, empty=False)
        line = self.pick(where)
        if line is not None and line.key in self.office.people:
            self.office.people[line.key][FIELDS[fold(header)]] = said = self.token() if known else None
            self.said[said] = line.key

    @rule(where=places, header=st.sampled_from(COMPUTED), value=st.sampled_from([77, "x", None, date(2020, 2, 2)]))
    def change_a_computed_cell(self, where: int, header: str, value: Cell) -> None:
        line = self.pick(where)
        if line is not None and line.key and header in self.headers():
            self.sheet.type_cell(T, line, header, value)
            self.typed.pop((line.id, header), None)

    @rule(where=places, header=st.sampled_from(COMPUTED))
    def put_a_formula(self, where: int, header: str) -> None:
        line = self.pick(where)
        if line is not None and header in self.headers():
            self.sheet.type_cell(T, line, header, Formula("=1+1", 2))
            self.typed[line.id, header] = "=1+1"
            self.formulas.add((line.id, header))

    @rule(where=places)
    def write_a_note(self, where: int) -> None:
        line = self.pick(where)
        if line is not None:
            if "Notes" not in self.headers():
                self.sheet.add_column(T, "Notes")
            note = self.token()
            self.sheet.type_cell(T, line, "Notes", note)
            self.typed[line.id, "Notes"] = note

    @rule(at=places)
    def type_stranger(self, at: int) -> None:
        headers = [header for header in self.headers() if header in {*THEIRS, "prenom"}]
        if headers:
            values: dict[str, Any] = {header: self.token() for header in headers}
            self.sheet.type_row(T, values, at=at)
            self.by_hand |= set(values.values())
            line = next(line for line in self.lines() if values[headers[0]] in line.cells.values())
            self.typed |= {(line.id, header): text for header, text in values.items()}

    @rule(header=st.sampled_from([*THEIRS, *COMPUTED]), reverse=st.booleans())
    def sort(self, header: str, *, reverse: bool) -> None:
        if header in self.headers():
            self.sheet.sort(T, header, reverse=reverse)

    @rule(header=st.sampled_from([*THEIRS, *COMPUTED]), to=st.integers(0, 6))
    def move_a_column(self, header: str, to: int) -> None:
        if header in self.headers():
            self.sheet.move_column(T, header, to)

    @rule(where=places)
    def delete_a_row(self, where: int) -> None:
        line = self.pick(where)
        if line is not None:
            self.sheet.delete(T, line)
            self.typed = {cell: text for cell, text in self.typed.items() if cell[0] != line.id}

    @rule(where=places)
    def copy_a_row(self, where: int) -> None:
        line = self.pick(where)
        if line is not None and line.key:
            copy = self.sheet.copy_row(T, line)
            self.typed |= {(copy.id, name): text for (id_, name), text in self.typed.items() if id_ == line.id}
            self.copied.add(line.key)

    @rule(where=places, paused=st.booleans())
    def pause(self, where: int, *, paused: bool) -> None:
        line = self.pick(where)
        if line is not None:
            if "Pause" not in self.headers():
                self.sheet.add_column(T, "Pause")
            self.sheet.type_cell(T, line, "Pause", paused)

    @rule(header=st.sampled_from([*THEIRS, *COMPUTED]))
    def rename_a_header(self, header: str) -> None:
        """And back again, if it was renamed before."""
        old, new = (header, f"{header} (?)") if header in self.headers() else (f"{header} (?)", header)
        if old in self.headers() and new not in self.headers():
            self.sheet.rename(T, old, new)
            self.typed = {(i, new if name == old else name): text for (i, name), text in self.typed.items()}
            self.loose.add(header)

    @rule()
    def throw_the_tab_away(self) -> None:
        if T in self.sheet.tabs and self.office.runs > 2:
            self.sheet.remove_tab(T)
            self.typed.clear()
            self.copied.clear()

    # The runs

    @rule()
    def run(self) -> None:
        self.attempt({})

    @rule()
    def run_with_yes_to_everything(self) -> None:
        self.attempt(ALL)

    @rule(fault=st.sampled_from(["before", "landed", "answer", "chunk"]))
    def run_and_be_killed(self, fault: str) -> None:
        self.sheet.fault = fault
        self.attempt(ALL)
        self.sheet.fault = ""

    @precondition(lambda self: T in self.sheet.tabs)
    @rule(where=places, header=st.sampled_from(THEIRS), sort=st.booleans())
    def run_while_a_colleague_is_at_it(self, where: int, header: str, *, sort: bool) -> None:
        self.sheet.meanwhile.append(lambda: self.correct(where, header, empty=False))
        if sort:
            self.sheet.meanwhile.append(lambda: self.sort("Courriel", reverse=True))
        self.attempt({})
        self.sheet.meanwhile.clear()

    def attempt(self, allow: dict[str, int]) -> None:
        writes = self.sheet.calls.write - self.sheet.mends
        try:
            done = self.office.run(allow)
        except (Killed, TryLater):
            self.in_doubt = True
            return
        self.in_doubt = False
        written = self.sheet.calls.write - self.sheet.mends - writes
        assert not (done.closed and written > done.columns_added), "written behind a gate"

    # What must hold

    @invariant()
    def no_cell_of_the_team_is_lost(self) -> None:
        """Promise 1."""
        for line in self.lines():
            for (id_, header), text in self.typed.items():
                if id_ == line.id:
                    assert self.text(line, header) == text, (header, text)

    def text(self, line: Line, header: str) -> str:
        cell = self.sheet.cell(T, line, header)
        return cell.text if isinstance(cell, Formula) else plain(cell)

    @invariant()
    def no_person_stands_twice_by_our_doing(self) -> None:
        times = Counter(line.key for line in self.lines() if line.key)
        assert {key for key, count in times.items() if count > 1} <= self.copied

    def teardown(self) -> None:
        """In the end, whatever was killed before (promise 4)."""
        if hasattr(self, "office"):
            self.settle()
            self.ours_says_what_is_wanted()
            self.a_quiet_run_writes_nothing()
            self.every_overwrite_is_in_the_journal()
            self.no_cell_of_the_team_is_lost()
            self.nobody_is_called_what_a_source_calls_another()
            self.no_correction_is_of_our_own_making()

    def settle(self) -> None:
        for _ in range(8):
            writes = self.sheet.calls.write
            done = self.office.run(ALL)
            assert not done.closed
            if self.sheet.calls.write == writes and not done.look.missing:
                return
        raise AssertionError("it never comes to rest")

    def ours_says_what_is_wanted(self) -> None:
        times = Counter(line.key for line in self.lines())
        for line in self.lines():
            pause = "Pause" in self.headers() and self.sheet.cell(T, line, "Pause")
            if line.key in self.office.people and times[line.key] == 1 and not pause:
                for header in self.headers():
                    self.check_cell(line, header)

    def check_cell(self, line: Line, header: str) -> None:
        name = fold(header.removesuffix(" (?)"))
        mapped = next((m for m in TAB.columns if fold(m.header) == name), None)
        if mapped is None or (line.id, header) in self.typed or mapped.header in self.loose:
            return
        wanted = to_cell(mapped, self.office.value(line.key or "", mapped.field))
        theirs = str(line.key).startswith("n") or (line.id, header) in self.formulas
        if wanted in {None, 0} and theirs:  # a cell that was theirs before, where we count nothing: we erase no history
            return
        assert plain(self.sheet.cell(T, line, header), mapped.kind) == plain(wanted, mapped.kind), (line.key, header)

    def a_quiet_run_writes_nothing(self) -> None:
        writes, fed = self.sheet.calls.write, len(self.office.corrections)
        done = self.office.run(ALL)
        assert (done.written, done.rows_added, self.sheet.calls.write) == (0, 0, writes)
        assert len(self.office.corrections) == fed

    def every_overwrite_is_in_the_journal(self) -> None:
        noted = self.noted()
        for key, header, stood in self.sheet.overwritten:
            name = FIELDS[fold(header.removesuffix(" (?)"))]
            assert (key, name, stood) in noted, (key, header, stood)

    def nobody_is_called_what_a_source_calls_another(self) -> None:
        """What landed in a wrong row must not be taken for a correction of the team."""
        for (code, name), value in self.office.corrections.items():
            assert self.who_is_called(value) in {None, code} or (code, name) in self.forgiven, (code, name, value)

    def no_correction_is_of_our_own_making(self) -> None:
        """What we wrote, or did not, must not be taken for theirs."""
        loose = {FIELDS.get(fold(header)) for header in self.loose}
        for (code, name), value in self.office.corrections.items():
            assert value in self.by_hand or name in loose or (code, name) in self.forgiven, (code, name, value)

    def who_is_called(self, value: object) -> str | None:
        """Of whom a source says this, or did."""
        for code, person in self.office.people.items():
            if value and value in (person.get("email"), person.get("first_name")):
                return code
        return self.said.get(value) if value else None

    def noted(self) -> set[tuple[str | None, str | None, Cell | Formula]]:
        return {(line.key, line.field, line.was) for line in self.journal()}

    def journal(self) -> list[journal.Line]:
        return [line for run in range(self.office.runs + 1) for line in journal.of_run(self.office.store, run)]


def attack(histories: int, steps: int, machine: type[BothSides] = BothSides, *, number: int | None = None) -> None:
    """`number`: which histories; the same ones each time. None: others each time."""
    numbered = type(machine.__name__, (machine,), {})  # a seed stays with its class
    if number is not None:
        seed(number)(numbered)
    budget = settings(
        max_examples=histories,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(numbered, settings=budget)


def test_both_sides_in_a_few_histories() -> None:
    attack(180, 12)


@pytest.mark.long
@pytest.mark.parametrize("number", range(10))
def test_both_sides_in_ten_thousand_histories(number: int) -> None:
    """A thousand each: they can run side by side, and each that is done tells where it is."""
    attack(1_000, 25, number=number)
