"""Both sides at a real workbook do what they like: the promises of `test_machine`, and those of a file.

A lost answer there is one of a folder on another machine. Nothing comes between our last look at the file and its
replacement but the two system calls themselves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from connectors.sheets.sheet import KEY_HEADER, Formula
from tests.fakes.memory_sheet import Line
from tests.sync.sheet.excel_team import LOCKS, OLD, OTHER, Copy, ExcelTeam
from tests.sync.sheet.test_machine import ALL, COMPUTED, THEIRS, BothSides, T, attack, places

FOLDER = tempfile.TemporaryDirectory(prefix="filrouge-workbooks-")
NUMBERS = count()
TEXTS = ["é{}", "=é{}", "+33 {}", "00{}", "a&<b>{}"]
Typed = dict[tuple[str, str], str]
HANDS = ["correct", "sort", "insert", "delete", "clear", "move", "column", "formula", "nothing"]
FAULTS = ["early", "before", "landed", "answer", "chunk", "closing", "columns", "refused"]


class BothSidesInExcel(BothSides):
    """As in memory, and as one does in a workbook: columns and rows put in anywhere, rows wiped out, formulas filled down,
    the tab renamed or copied, the file open, saved in the instant of our write, or put back as it was long ago.
    `kept`: a run has been there already.
    `away`: what was typed in the tab while it is called otherwise. `copy`: the file set aside, with what was typed by then.
    """

    sheet: ExcelTeam

    @initialize(
        made=st.sampled_from(["nothing", "another tab", "an empty tab", "adopted", "adopted"]),
        dress=st.sampled_from(["plain", "filter", "table"]), above=st.sampled_from([0, 2]),
        program=st.sampled_from(["excel", "excel", "libreoffice", "openpyxl", "google"]), people=st.integers(0, 7),
        kept=st.sampled_from([True, True, False]),
    )  # fmt: skip
    def open_the_office(self, *, made: str, dress: str, above: int, program: str, people: int, kept: bool) -> None:
        folder = Path(FOLDER.name) / str(next(NUMBERS))
        folder.mkdir()
        self.sheet = ExcelTeam(folder, program=program)
        self.away: tuple[Typed, set[str]] = {}, set()
        self.older = False
        self.copy: tuple[Copy, Typed, set[str], tuple[Typed, set[str]]] | None = None
        self.begin(self.sheet, people, adopted=False)
        if made == "adopted":
            self.sheet.start_dressed(T, ["Notes", "Courriel", "prenom", "Visites"], dress, above)
            self.type_stranger(0)
        elif made != "nothing":
            self.sheet.make(OTHER, *([T] if made == "an empty tab" else []))
        if kept:
            self.run()

    def token(self) -> str:
        """Nothing from outside is interpreted (promise 5)."""
        self.tokens += 1
        return TEXTS[self.tokens % len(TEXTS)].format(self.tokens)

    # The team

    @rule(
        act=st.sampled_from(["rows", "column", "clear", "formula", "nothing", "no column", "copy", "aside", "back"]),
        header=st.sampled_from([*THEIRS, *COMPUTED, "Notes"]), where=places,
    )  # fmt: skip
    def do_what_one_does_in_a_workbook(self, act: str, header: str, where: int) -> None:
        acts: dict[str, Callable[[], None]] = {
            "rows": lambda: self.insert_empty_rows(where, 1 + where % 2),
            "column": lambda: self.insert_an_empty_column(where % 8),
            "clear": lambda: self.clear_a_row(where),
            "formula": lambda: self.fill_a_formula_down(where % 3),
            "nothing": self.save_as_it_is,
            "no column": lambda: self.delete_a_column(header),
            "copy": self.copy_the_tab,
            "aside": self.set_a_copy_aside,
            "back": self.put_the_copy_back,
        }
        acts[act]()

    @rule(header=st.sampled_from([*THEIRS, *COMPUTED]))
    def rename_a_header(self, header: str) -> None:
        """A column that carries our mark is known again where the program keeps the mark (promise 1)."""
        loose = set(self.loose)
        marked = self.sheet.marked(T, header)
        super().rename_a_header(header)
        if marked:
            self.loose = loose

    def insert_empty_rows(self, at: int, count: int) -> None:
        if self.lines():
            self.sheet.insert_rows(T, at, count)

    def insert_an_empty_column(self, to: int) -> None:
        if self.headers():
            self.sheet.insert_column(T, to)

    def delete_a_column(self, header: str) -> None:
        if header in self.headers() and len(self.headers()) > 2:
            self.sheet.remove_column(T, header)
            self.typed = {cell: text for cell, text in self.typed.items() if cell[1] != header}
            self.loose.add(header)

    def clear_a_row(self, where: int) -> None:
        line = self.pick(where)
        if line is not None:
            self.sheet.clear(T, line)
            self.typed = {cell: text for cell, text in self.typed.items() if cell[0] != line.id}

    def fill_a_formula_down(self, beyond: int) -> None:
        if self.lines():
            if "Double" not in self.headers():
                self.sheet.add_column(T, "Double")
            self.sheet.fill_down(T, "Double", "=ROW()*2", beyond)
            self.typed |= {(line.id, "Double"): "=ROW()*2" for line in self.lines()}

    def save_as_it_is(self) -> None:
        if T in self.sheet.tabs:
            self.sheet.save(T)

    @rule(copied=st.sampled_from([False, False, True]))
    def rename_the_tab(self, *, copied: bool) -> None:
        """And back again, if it was renamed before. `copied`: just before. Where our mark goes with it, it stays the tab that we keep up."""
        if T in self.sheet.tabs and self.sheet.title(T) == OLD:
            self.sheet.rename_tab(T, T)
        elif T in self.sheet.tabs and OLD not in self.sheet.tabs:
            if copied:
                self.copy_the_tab()
            followed = self.sheet.followed(T, OLD)
            self.sheet.rename_tab(T, OLD)
            if not followed:
                self.away, self.typed, self.copied = (self.typed, self.copied), {}, set()
            assert (self.sheet.read(T) is not None) == followed
        elif T not in self.sheet.tabs and OLD in self.sheet.tabs:
            self.sheet.rename_tab(OLD, T)
            self.typed, self.copied = self.away
            self.away, self.older = ({}, set()), True

    def copy_the_tab(self) -> None:
        """As a backup; the copy is never taken for the tab itself."""
        if T in self.sheet.tabs and self.sheet.title(T) == T:
            self.sheet.copy_tab(T)

    def set_a_copy_aside(self) -> None:
        if self.sheet.raw:
            self.copy = self.sheet.set_aside(), dict(self.typed), set(self.copied), self.away

    def put_the_copy_back(self) -> None:
        if self.copy is not None:
            copy, typed, copied, self.away = self.copy
            self.sheet.put_back(copy)
            self.typed, self.copied, self.older = dict(typed), set(copied), True

    # The runs

    @rule(fault=st.sampled_from(FAULTS))
    def run_and_be_killed(self, fault: str) -> None:
        super().run_and_be_killed(fault)

    @rule(act=st.sampled_from(HANDS), header=st.sampled_from(THEIRS), where=places, who=places)
    def run_while_a_colleague_saves(self, act: str, header: str, where: int, who: int) -> None:
        self.run_and_save(self.sheet.meanwhile, [act], header, where, who)

    @rule(
        acts=st.lists(st.sampled_from(HANDS), min_size=1, max_size=3), fault=st.sampled_from(["", "", "before"]),
        header=st.sampled_from(THEIRS), where=places, who=places,
    )  # fmt: skip
    def run_while_a_colleague_saves_in_the_instant(
        self, acts: list[str], fault: str, header: str, where: int, who: int
    ) -> None:
        self.sheet.fault = fault
        self.run_and_save(self.sheet.instant, acts, header, where, who)
        self.sheet.fault = ""

    def run_and_save(self, todo: list[Callable[[], None]], acts: list[str], header: str, where: int, who: int) -> None:
        self.a_source_says_another_name(who, "email", known=True)
        hands: dict[str, Callable[[], None]] = {
            "correct": lambda: self.correct(where, header, empty=False),
            "sort": lambda: self.sort(header, reverse=True),
            "insert": lambda: self.type_stranger(where),
            "delete": lambda: self.delete_a_row(where),
            "clear": lambda: self.clear_a_row(where),
            "move": lambda: self.move_a_column(header, where % 6),
            "column": lambda: self.insert_an_empty_column(where % 6),
            "formula": lambda: self.fill_a_formula_down(where % 3),
            "nothing": self.save_as_it_is,
        }
        todo += [hands[act] for act in acts]
        self.attempt(ALL)
        todo.clear()

    @precondition(lambda self: T in self.sheet.tabs)
    @rule(lock=st.sampled_from(LOCKS), instant=st.booleans(), who=places)
    def run_while_somebody_has_it_open(self, lock: str, who: int, *, instant: bool) -> None:
        self.a_source_says_another_name(who, "email", known=True)
        with ExitStack() as opened:
            seen: list[bytes] = []

            def opens() -> None:
                opened.enter_context(self.sheet.opened_by_somebody(lock))
                seen.append(self.sheet.raw)

            if instant:
                self.sheet.instant.append(opens)
            else:
                opens()
            self.attempt(ALL)
            self.sheet.instant.clear()
            assert seen in ([], [self.sheet.raw]), "written while somebody has it open"

    @precondition(lambda self: T in self.sheet.tabs)
    @rule()
    def run_while_our_key_column_is_gone(self) -> None:
        """Deleted by mistake, and put back when the run has said so."""
        self.attempt({})
        keys = [line.key for line in self.lines() if line.key]
        paused = "Pause" in self.headers()  # of whom nothing may ever have been agreed
        if not self.in_doubt and not paused and any(keys.count(key) == 1 for key in keys):
            whole = self.sheet.set_aside()
            self.sheet.remove_column(T, KEY_HEADER)
            bare = self.sheet.raw
            self.attempt({})
            assert self.sheet.raw == bare, "written behind a gate"
            self.sheet.put_back(whole)

    # What must hold

    def teardown(self) -> None:
        self.sheet.fault = ""
        self.sheet.instant.clear()
        super().teardown()

    def no_correction_is_of_our_own_making(self) -> None:
        """Unless they put back what was there long ago, in the file or in a tab that was called otherwise."""
        if not self.older:
            super().no_correction_is_of_our_own_making()

    def check_cell(self, line: Line, header: str) -> None:
        """A formula that two rows had in a column of ours goes on in a new one."""
        if not isinstance(self.sheet.cell(T, line, header), Formula):
            super().check_cell(line, header)

    def a_quiet_run_writes_nothing(self) -> None:
        raw = self.sheet.raw
        super().a_quiet_run_writes_nothing()
        assert self.sheet.raw == raw


def test_both_sides_in_a_few_histories() -> None:
    attack(20, 12, BothSidesInExcel)


@pytest.mark.long
@pytest.mark.parametrize("number", range(4))
def test_both_sides_in_a_thousand_histories(number: int) -> None:
    attack(250, 20, BothSidesInExcel, number=number)
