"""`undo RUN` puts back the cells that the run changed and that nobody changed since."""

from __future__ import annotations

from datetime import date

from sync.sheet import journal
from sync.sheet.undo import undo
from tests.fakes.memory_sheet import MemorySheet
from tests.sync.sheet.office import START, TAB, Office

T = TAB.name


def test_what_a_run_changed_is_put_back_unless_somebody_changed_it_since(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.people["a1"] |= {"visits": 5, "last_visit": date(2026, 3, 1), "first_name": "LEA"}
    assert office.run().written == 3
    sheet.type_cell(T, sheet.line(T, "a1"), "Prénom", "Léa-Marie")
    sheet.sort(T, "Courriel", reverse=True)
    planned, done = undo(office.store, sheet, TAB, 2, 3, START)
    assert (done.written, planned.since) == (2, [("a1", "first_name")])
    assert sheet.shown(T)[2] == {
        "Courriel": "lea@example.org",
        "Prénom": "Léa-Marie",
        "Dernière visite": date(2026, 1, 3),
        "Visites": 4,
    }
    assert {line.kind for line in journal.of_run(office.store, 3)} == {"undone"}


def test_what_was_put_back_stands_until_our_side_moves(office: Office, sheet: MemorySheet) -> None:
    office.run()
    office.people["a1"]["visits"] = 5
    office.run()
    undo(office.store, sheet, TAB, 2, 3, START)
    office.runs = 3
    assert office.run().written == 0
    assert sheet.cell(T, sheet.line(T, "a1"), "Visites") == 4
    office.people["a1"]["visits"] = 6
    office.run()
    assert sheet.cell(T, sheet.line(T, "a1"), "Visites") == 6


def test_rows_that_a_run_added_stay_and_are_told(office: Office, sheet: MemorySheet) -> None:
    office.run()
    planned, done = undo(office.store, sheet, TAB, 1, 2, START)
    assert (planned.rows, done.written, len(sheet.shown(T))) == (["a1", "b2", "c3"], 0, 3)
