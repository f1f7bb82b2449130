"""Histories that ended wrongly once, as small as they could be made. Their names say what was the matter."""

from __future__ import annotations

import pytest

from tests.fakes.memory_sheet import MemorySheet
from tests.sync.sheet.test_excel_machine import BothSidesInExcel
from tests.sync.sheet.test_google import BothSidesOnGoogle
from tests.sync.sheet.test_machine import BothSides


def on_google(people: int, *, adopted: bool = False) -> BothSidesOnGoogle:
    machine = BothSidesOnGoogle()
    machine.open_the_office(batch=0, forgetful=False, revisions=False, tags=True, adopted=adopted, people=people)
    return machine


def in_excel(people: int, *, made: str = "nothing", dress: str = "plain", program: str = "excel") -> BothSidesInExcel:
    machine = BothSidesInExcel()
    machine.open_the_office(made=made, dress=dress, above=0, program=program, people=people, kept=False)
    return machine


def in_the_instant(
    machine: BothSidesOnGoogle, *acts: str, fault: str = "", header: str = "Courriel", who: int = 0
) -> None:
    machine.run_while_things_move_in_the_instant_of_writing(
        acts=list(acts), fault=fault, header=header, who=who, where=1, visits=5
    )


def test_a_computed_cell_changed_right_after_a_killed_run_had_added_its_row() -> None:
    """What the killed run had landed was settled after the past was loaded: the cell passed for one never agreed."""
    machine = BothSides()
    machine.begin(MemorySheet(), 0, adopted=False)
    machine.somebody_comes(day=None, flag=False, visits=0, who=0)
    machine.run_and_be_killed(fault="landed")
    machine.change_a_computed_cell(header="Dernière visite", value=77, where=0)
    machine.a_source_says_another_name(known=False, name="email", who=0)
    machine.teardown()


def test_rows_sorted_in_the_instant_of_writing_while_one_is_there_twice() -> None:
    """Of two rows with one key neither was recognised: what had been hit of the copy was emptied, not put back."""
    machine = on_google(3)
    machine.run()
    machine.copy_a_row(where=14)
    in_the_instant(machine, "sort", who=0)
    machine.teardown()


def test_rows_sorted_again_in_the_instant_of_a_repair_which_hits_a_row_of_ours() -> None:
    """What the repair had put into the row that the same batch had added passed for a correction of the team."""
    machine = on_google(4)
    machine.run()
    machine.copy_a_row(where=0)
    for acts, where, who in ((["sort"], 15, 0), (["sort back", "sort"], 26, 22)):
        machine.run_while_things_move_in_the_instant_of_writing(
            acts=acts, fault="", header="Courriel", visits=0, where=where, who=who
        )
    machine.run()
    machine.teardown()


def test_a_key_that_a_killed_repair_wrote_into_a_row_that_moved_again_is_taken_back() -> None:
    machine = on_google(0, adopted=True)
    for acts, where, fault in (
        (["sort"], 0, ""), (["sort", "sort"], 0, ""), (["sort", "sort"], 0, ""), (["sort", "insert"], 17, ""),
        (["sort", "delete"], 0, "second"),
    ):  # fmt: skip
        machine.run_while_things_move_in_the_instant_of_writing(
            acts=acts, fault=fault, header="Courriel", visits=0, where=where, who=0
        )
    assert [line.key for line in machine.lines()].count("n3") == 2
    machine.teardown()


@pytest.mark.parametrize("fault", ["", "answer", "landed", "line"])
def test_a_column_moved_in_the_instant_in_which_columns_are_marked(fault: str) -> None:
    """The marks lay on the wrong columns for ever after."""
    machine = on_google(1, adopted=True)
    in_the_instant(machine, "move", fault=fault, header="Visites", who=2)
    machine.teardown()


@pytest.mark.parametrize("act", ["sort", "insert", "delete", "move"])
@pytest.mark.parametrize("fault", ["line", "second"])
def test_what_moved_in_the_instant_of_writing_with_the_line_dead_from_then_on(act: str, fault: str) -> None:
    """The next run took what it found on the wrong rows for corrections of the team."""
    machine = on_google(4, adopted=True)
    machine.run()
    machine.run()
    in_the_instant(machine, act, act, fault=fault)
    machine.write_a_note(where=2)
    machine.teardown()


def test_a_column_moved_in_the_instant_in_which_rows_are_added() -> None:
    """The cells of the new rows stood below the wrong headers."""
    machine = on_google(2)
    machine.run()
    machine.write_a_note(where=0)
    in_the_instant(machine, "move", header="Visites", who=7)
    machine.teardown()


def test_typed_again_before_anybody_knew_that_it_had_been_written_over() -> None:
    """Where nobody can tell whether a batch landed, a cell that says what it said before is as if nothing had been."""
    machine = BothSides()
    machine.begin(MemorySheet(forgetful=True), 1, adopted=False)
    machine.run()
    machine.change_a_computed_cell(header="Signaux", value="x", where=0)
    machine.run_and_be_killed(fault="answer")
    machine.change_a_computed_cell(header="Signaux", value="x", where=0)
    machine.copy_a_row(where=0)
    machine.teardown()


def test_what_may_have_been_carried_over_by_hand_stands_and_is_told() -> None:
    """The one thing that nobody can put right: a row that we wrote was deleted in that very instant, the run killed at
    once, and rows sorted since. It looks just as if somebody had merged two rows by hand after a killed run.
    """
    machine = on_google(4, adopted=True)
    machine.run()
    in_the_instant(machine, "delete", fault="line")
    machine.sort("Courriel", reverse=True)
    machine.teardown()
    assert machine.forgiven == {("p1", "email")}


@pytest.mark.parametrize("fault", ["early", "closing"])
def test_an_older_copy_put_back_after_a_killed_run_is_read(fault: str) -> None:
    """It was the file as it had last been settled, so nobody looked at it: what it said of old stayed there for ever."""
    machine = in_excel(2)
    machine.run()
    machine.set_a_copy_aside()
    machine.correct(where=1, header="Prénom", empty=False)
    before = dict(machine.office.people["p0"])
    machine.a_source_says_another_name(who=0, name="email", known=True)
    machine.run_and_be_killed(fault=fault)
    machine.put_the_copy_back()
    if fault == "early":
        machine.office.people["p0"] = before  # nothing is left to write, which would have it read
    machine.teardown()


def test_a_tab_emptied_to_the_last_header_is_made_anew_once_somebody_says_yes() -> None:
    """In a workbook the run broke off: a row below no header."""
    machine = in_excel(1, made="an empty tab")
    machine.set_a_copy_aside()
    machine.run()
    machine.put_the_copy_back()
    machine.run()
    assert machine.lines() == []
    machine.run_with_yes_to_everything()
    assert [line.key for line in machine.lines()] == ["p0"]
    machine.teardown()
