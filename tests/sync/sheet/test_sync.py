"""A tab from the first run on: what the team does to it, and what we then do."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.sheet import Formula, Table
from connectors.trouble import TryLater
from sync.sheet import journal
from sync.sheet.apply import finish, preview
from sync.sheet.look import look
from sync.sheet.plan import Add, Wanted
from sync.sheet.state import forget_key, hidden_keys
from sync.store import Store
from tests.fakes.memory_sheet import Killed, MemorySheet
from tests.sync.sheet.office import START, TAB, Office, organisations

T = TAB.name


def kinds(office: Office) -> list[str]:
    return [line.kind for line in journal.of_run(office.store, office.runs)]


def show(office: Office, key: str, header: str) -> object:
    sheet = office.sheet
    assert isinstance(sheet, MemorySheet)
    return sheet.cell(T, sheet.line(T, key), header)


def test_a_first_run_makes_the_tab_and_a_second_writes_nothing(office: Office, sheet: MemorySheet) -> None:
    first = office.run()
    assert (first.rows_added, first.columns_added) == (3, 5)
    assert sheet.shown(T)[0] == {
        "Courriel": "lea@example.org",
        "Prénom": "Léa",
        "Dernière visite": date(2026, 1, 3),
        "Visites": 4,
    }
    writes = sheet.calls.write
    second = office.run()
    assert (second.written, second.rows_added, sheet.calls.write) == (0, 0, writes)
    assert kinds(office) == []


def test_a_quiet_day_does_not_even_read_the_tab(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.run()
    reads, writes = sheet.calls.read, sheet.calls.write
    done = office.run()
    assert done.look.unread
    assert (sheet.calls.read, sheet.calls.write) == (reads, writes)


def test_an_unread_tab_is_read_when_something_is_wanted(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.run()
    office.people["b2"]["visits"] = 7
    assert office.run().written == 1
    assert show(office, "b2", "Visites") == 7


def test_the_team_columns_are_known_on_a_quiet_day(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.add_column(T, "Ne pas relancer")
    sheet.type_cell(T, sheet.line(T, "a1"), "Ne pas relancer", True)
    office.run()
    done = office.run()
    assert done.look.unread
    assert done.look.team.rows_by_key("key", unique=True)["a1"] == ("true",)
    assert done.look.team.rows_by_key("key", unique=True)["b2"] == (None,)


def test_a_correction_is_kept_and_what_a_source_says_later_does_not_undo_it(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.type_cell(T, sheet.line(T, "a1"), "Prénom", "Léa-Marie")
    assert office.run().edits_kept == 1
    assert office.corrections == {("a1", "first_name"): "Léa-Marie"}
    office.people["a1"]["first_name"] = "LEA"
    assert office.run().written == 0
    assert show(office, "a1", "Prénom") == "Léa-Marie"


def test_a_correction_that_people_could_not_take_in_stands(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.deaf = True
    sheet.type_cell(T, sheet.line(T, "a1"), "Courriel", "lea(at)example")
    office.run()
    office.people["a1"]["email"] = "lea.new@example.org"
    office.run()
    assert kinds(office) == ["stands"]
    assert show(office, "a1", "Courriel") == "lea(at)example"
    office.run()
    assert kinds(office) == []


def test_a_standing_correction_ends_when_it_is_released(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.deaf = True
    sheet.type_cell(T, sheet.line(T, "a1"), "Courriel", "lea(at)example")
    office.run()
    office.people["a1"]["email"] = "lea.new@example.org"
    office.released = {("a1", "email")}
    office.run()
    assert show(office, "a1", "Courriel") == "lea.new@example.org"


def test_an_emptied_cell_is_a_correction_to_nothing(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.type_cell(T, sheet.line(T, "a1"), "Courriel", None)
    office.run()
    assert office.corrections == {("a1", "email"): None}
    office.run()
    assert show(office, "a1", "Courriel") is None


def test_a_computed_cell_is_put_back_and_the_edit_noted(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.type_cell(T, sheet.line(T, "a1"), "Visites", 99)
    done = office.run()
    assert (done.put_back, show(office, "a1", "Visites")) == (1, 4)
    [line] = journal.of_run(office.store, office.runs)
    assert (line.kind, line.key, line.field, line.was, line.value) == ("put-back", "a1", "visits", 99, 4)


def test_both_moved_in_a_computed_cell_ours_wins_and_both_are_noted(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.type_cell(T, sheet.line(T, "a1"), "Visites", 99)
    office.people["a1"]["visits"] = 5
    done = office.run()
    assert (done.conflicts, show(office, "a1", "Visites")) == (1, 5)
    [line] = journal.of_run(office.store, office.runs)
    assert (line.kind, line.was, line.value, line.why) == ("conflict", 99, 5, "ours")


def test_both_moved_in_a_cell_about_the_person_the_team_wins(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.type_cell(T, sheet.line(T, "a1"), "Prénom", "Léa-Marie")
    seen = look(office.store, sheet, TAB, 2, START)
    office.people["a1"]["first_name"] = "LEA"
    office.runs += 1
    done = finish(office.store, sheet, seen, Wanted(office.frame()), 2, START, again=lambda _: Wanted(office.frame()))
    assert done.conflicts == 1
    assert show(office, "a1", "Prénom") == "Léa-Marie"
    [line] = journal.of_run(office.store, 2)
    assert (line.kind, line.was, line.value) == ("conflict", "LEA", "Léa-Marie")


def test_a_formula_is_never_overwritten_and_noted_once(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.type_cell(T, sheet.line(T, "a1"), "Visites", Formula("=2+2", 4))
    sheet.type_cell(T, sheet.line(T, "b2"), "Visites", Formula("=2+1", 3))
    office.people["b2"]["visits"] = 8
    office.run()
    assert kinds(office) == ["formula", "formula"]
    sheet.sort(T, "Courriel", reverse=True)
    office.people["b2"]["visits"] = 9
    assert office.run().written == 0
    assert kinds(office) == []
    assert show(office, "b2", "Visites") == Formula("=2+1", 3)


def test_sorting_moving_and_inserting_put_nothing_on_the_wrong_row(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.sort(T, "Courriel", reverse=True)
    sheet.move_column(T, "Visites", 0)
    sheet.type_row(T, {"Prénom": None}, at=0)
    office.people["a1"]["visits"] = 5
    office.run()
    assert [show(office, key, "Visites") for key in ("a1", "b2", "c3")] == [5, 0, 1]


def test_a_colleague_who_saves_while_we_write_is_read_again(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.people["a1"]["visits"] = 5
    sheet.meanwhile.append(lambda: sheet.sort(T, "Courriel", reverse=True))
    sheet.meanwhile.append(lambda: sheet.type_cell(T, sheet.line(T, "c3"), "Prénom", "Zoë"))
    done = office.run()
    assert (done.written, show(office, "a1", "Visites"), show(office, "c3", "Prénom")) == (1, 5, "Zoë")
    assert office.corrections == {("c3", "first_name"): "Zoë"}


class Restless(MemorySheet):
    """Somebody saves each time before we write."""

    def write(self, table: Table, *args: Any, **kwargs: Any) -> None:
        self.sort(table.tab, "Courriel")
        super().write(table, *args, **kwargs)


def test_someone_who_never_stops_saving_is_left_in_peace(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.people["a1"]["visits"] = 5
    sheet.__class__ = Restless
    with pytest.raises(TryLater, match="sheet-changed"):
        office.run()
    sheet.__class__ = MemorySheet
    assert office.run().written == 1


@pytest.mark.parametrize("fault", ["before", "landed"])
@pytest.mark.parametrize("forgetful", [False, True])
def test_a_killed_run_is_carried_on(office: Office, sheet: MemorySheet, fault: str, *, forgetful: bool) -> None:
    office.run()
    sheet.forgetful = forgetful
    office.people["a1"]["visits"] = 5
    office.people["d4"] = {"email": "max@example.org", "visits": 1}
    sheet.fault = fault
    with pytest.raises(Killed):
        office.run()
    sheet.sort(T, "Courriel", reverse=True)
    office.run()
    assert [show(office, key, "Visites") for key in ("a1", "d4")] == [5, 1]
    assert len(sheet.shown(T)) == 4
    lines = [line for run in range(2, office.runs + 1) for line in journal.of_run(office.store, run)]
    assert [(line.kind, line.key) for line in lines] == [("written", "a1"), ("row", "d4")]
    assert office.run().written == 0


def test_a_lost_answer_is_no_conflict(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.people["a1"]["visits"] = 5
    sheet.fault = "answer"
    with pytest.raises(TryLater):
        office.run()
    done = office.run()
    assert (done.written, done.conflicts, done.put_back) == (0, 0, 0)


def test_batches_of_ten_killed_in_the_middle_are_carried_on(store: Store) -> None:
    sheet = MemorySheet(batch=10)
    office = Office(store, sheet, people={f"p{i}": {"visits": i} for i in range(35)})
    sheet.fault = "chunk"
    with pytest.raises(Killed):
        office.run()
    assert len(sheet.shown(T)) == 10
    assert office.run().rows_added == 25
    assert [row["Visites"] for row in sheet.shown(T)] == list(range(35))


def test_a_removed_row_hides_its_person_after_two_readings(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.delete(T, sheet.line(T, "b2"))
    assert office.run().hidden == 0
    assert office.run().hidden == 1
    assert kinds(office) == ["hidden"]
    assert hidden_keys(office.store, T) == ["b2"]
    assert office.run().rows_added == 0
    assert len(sheet.shown(T)) == 2


def test_a_row_put_back_is_kept_up_again(office: Office, sheet: MemorySheet) -> None:
    office.run()
    line = sheet.line(T, "b2")
    sheet.delete(T, line)
    office.run()
    office.run()
    sheet.tabs[T].lines.append(line)
    sheet.save(T)
    office.people["b2"]["visits"] = 3
    office.run()
    assert show(office, "b2", "Visites") == 3
    assert sorted(kinds(office)) == ["back", "written"]


def test_nothing_is_concluded_from_an_incomplete_reading(office: Office, sheet: MemorySheet) -> None:
    office.run()
    line = sheet.line(T, "b2")
    sheet.delete(T, line)
    sheet.incomplete = True
    office.people["e5"] = {"visits": 1}
    for _ in range(3):
        done = office.run()
        assert (done.hidden, done.rows_added) == (0, 0)


def test_a_copied_row_holds_both_and_one_only(office: Office, sheet: MemorySheet) -> None:
    office.run()
    copy = sheet.copy_row(T, sheet.line(T, "a1"))
    office.people["a1"]["visits"] = 5
    office.people["b2"]["visits"] = 6
    done = office.run()
    assert (done.look.twice, done.written) == (("a1",), 1)
    assert [gate.code for gate in done.gates] == ["sheet-key-twice"]
    sheet.delete(T, copy)
    assert office.run().written == 1


def test_a_paused_row_is_frozen_for_us(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.add_column(T, "En pause")
    sheet.type_cell(T, sheet.line(T, "a1"), "En pause", True)
    sheet.type_cell(T, sheet.line(T, "a1"), "Prénom", "L.")
    office.people["a1"]["visits"] = 5
    done = office.run()
    assert (done.look.paused, done.written, office.corrections) == (("a1",), 0, {})
    sheet.type_cell(T, sheet.line(T, "a1"), "En pause", False)
    assert office.run().written == 1
    assert office.corrections == {("a1", "first_name"): "L."}


def test_a_sheet_that_exists_is_adopted(office: Office, sheet: MemorySheet) -> None:
    sheet.start(
        T,
        ["Notes", "courriel ", "PRENOM", "Visites"],
        [
            {"Notes": "à rappeler", "courriel ": "lea@example.org", "PRENOM": "Léa M.", "Visites": 17},
            {"courriel ": "neu@example.org"},
            {"Notes": "liste de 2019"},
        ],
    )
    done = office.run()
    assert (done.keys_given, done.columns_added, done.look.nameless) == (2, 2, 1)
    assert sheet.shown(T)[0] == {
        "Notes": "à rappeler",
        "courriel ": "lea@example.org",
        "PRENOM": "Léa M.",
        "Visites": 4,
        "Dernière visite": date(2026, 1, 3),
    }
    assert office.corrections == {("a1", "first_name"): "Léa M.", ("n4", "email"): "neu@example.org"}
    overwritten = [line.was for line in journal.of_run(office.store, 1) if line.field == "visits" and line.key == "a1"]
    assert overwritten == [17]
    assert len(sheet.shown(T)) == 5
    assert office.run().written == 0


def test_history_that_only_the_team_knows_is_not_erased(office: Office, sheet: MemorySheet) -> None:
    headers = ["Courriel", "Dernière visite"]
    sheet.start(T, headers, [{"Courriel": "tom@example.org", "Dernière visite": date(2019, 5, 4)}])
    office.run()
    assert show(office, "b2", "Dernière visite") == date(2019, 5, 4)
    sheet.type_cell(T, sheet.line(T, "b2"), "Dernière visite", date(2019, 6, 6))
    office.run()
    assert show(office, "b2", "Dernière visite") == date(2019, 6, 6)
    office.people["b2"]["last_visit"] = date(2026, 3, 1)
    office.run()
    assert show(office, "b2", "Dernière visite") == date(2026, 3, 1)


def test_a_merged_person_keeps_the_row_that_is_there(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.add_column(T, "Notes")
    sheet.type_cell(T, sheet.line(T, "c3"), "Notes", "préfère le jeudi")
    office.people["d4"] = office.people.pop("c3") | {"visits": 9}
    office.merged["c3"] = "d4"
    done = office.run()
    assert (done.keys_given, done.rows_added, done.written) == (1, 0, 1)
    assert sheet.shown(T)[2]["Visites"] == 9
    assert sheet.shown(T)[2]["Notes"] == "préfère le jeudi"
    assert office.run().written == 0


def test_after_our_own_write_the_tab_is_not_read_until_somebody_saves(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.people["a1"]["visits"] = 9
    assert office.run().written == 1
    reads = sheet.calls.read
    assert office.run().look.unread
    assert sheet.calls.read == reads
    sheet.type_cell(T, sheet.line(T, "a1"), "Prénom", "Léa-Marie")
    assert office.run().edits_kept == 1
    assert sheet.calls.read > reads


def test_a_merged_person_with_two_rows_is_reported_and_both_stay(office: Office, sheet: MemorySheet) -> None:
    office.run()
    del office.people["c3"]
    office.merged["c3"] = "b2"
    done = office.run()
    assert (done.merged, done.unknown, len(sheet.shown(T))) == (["c3"], 1, 3)


def test_a_preview_shows_what_a_run_would_write_and_writes_nothing(office: Office, sheet: MemorySheet) -> None:
    seen = look(office.store, sheet, TAB, 1, START)
    planned = preview(office.store, seen, Wanted(office.frame()), 1)
    assert planned.rows[0] == Add(
        "a1",
        {"email": "lea@example.org", "first_name": "Léa", "last_visit": "2026-01-03", "visits": "4", "flags": ""},
    )
    assert (sheet.tabs, sheet.calls.write) == ({}, 0)
    office.run()
    office.run()
    office.people["a1"]["visits"] = 5
    seen = look(office.store, sheet, TAB, 3, START)
    planned = preview(office.store, seen, Wanted(office.frame()), 3)
    assert seen.unread
    assert [(write.key, write.field, write.now, write.to) for write in planned.writes] == [("a1", "visits", "4", "5")]
    assert show(office, "a1", "Visites") == 4


def test_an_unread_look_knows_what_stands_there(office: Office) -> None:
    office.run()
    office.run()
    done = office.run()
    assert done.look.unread
    assert dict(done.look.seen.select("key", "visits").iter_rows()) == {"a1": "4", "b2": "0", "c3": "1"}


def test_cells_that_the_sheet_refuses_are_told_and_tried_again(office: Office, sheet: MemorySheet) -> None:
    long = "𝒁" * 20_000  # more than a cell holds, counted as Excel counts
    office.people["a1"]["first_name"] = long
    first = office.run()
    assert [(one.key, one.code) for one in first.refused] == [("a1", "sheet-text-too-long")]
    assert "refused" in kinds(office)
    assert len(sheet.shown(T)) == 3
    assert [one.key for one in office.run().refused] == ["a1"]
    office.people["a1"]["first_name"] = "Léa"
    done = office.run()
    assert (done.refused, show(office, "a1", "Prénom")) == ([], "Léa")


def test_two_organisations_in_one_database_do_not_know_each_other(tmp_path: Path) -> None:
    stores = organisations(f"sqlite:///{tmp_path / 'two.db'}")
    one, two = (Office(next(stores), MemorySheet(), people={"a1": {"visits": n}}) for n in (1, 2))
    one.run()
    two.run()
    assert (one.run().written, two.run().written) == (0, 0)
    assert len(journal.of_key(one.store, T, "a1")) == 1


def test_an_erased_person_leaves_no_value_behind(office: Office) -> None:
    office.run()
    with office.store.begin() as connection:
        journal.forget_key(connection, office.store.org, "a1")
        forget_key(connection, office.store.org, "a1")
    [line] = journal.of_key(office.store, T, "a1")
    assert (line.was, line.value, line.why) == (None, None, "erased")
