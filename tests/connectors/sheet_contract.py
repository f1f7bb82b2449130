"""What every sheet must pass. A new one subclasses `SheetContract` and says how its world is made and edited by hand.

class TestExcel(SheetContract):
    def open(self, folder): return Excel(…)
    def edit(self, folder, tab, row, column, value): …
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.sheet import (
    Batch,
    Cell,
    CellWrite,
    Changes,
    Formula,
    KeyWrite,
    NewColumn,
    NewRow,
    Sheet,
    Table,
)
from connectors.trouble import TryLater
from tests.hostile import NAMES

TAB = "Contacts"
COLUMNS = (
    NewColumn("Prénom", "text", "first_name"),
    NewColumn("Courriel", "text", "email"),
    NewColumn("Dernière visite", "date", "last_visit"),
    NewColumn("Visites", "number", "visits"),
    NewColumn("Dépensé", "money", "spent"),
    NewColumn("Abonné", "yesno", "member"),
)
PEOPLE: tuple[tuple[Cell, ...], ...] = (
    ("Zoé", "zoe@example.org", date(2025, 3, 1), 3, 45.5, True),
    ("Ali", "ali@example.org", date(1999, 12, 31), 0, -12, False),
    ("Yann", None, None, None, None, None),
)


class Killed(BaseException):
    """`kill -9`: nothing catches it."""


class SheetContract:
    """For any sheet. `folder` is empty at first and keeps whatever the sheet keeps, so that it can be opened again."""

    longest = 32_767
    """How many UTF-16 units of text a cell holds."""
    people: Sequence[tuple[Cell, ...]] = PEOPLE
    """The rows that most tests begin with, each value one that this kind of sheet can tell from an empty cell."""

    def open(self, folder: Path) -> Sheet:
        raise NotImplementedError

    def edit(self, folder: Path, tab: str, row: str, column: str, value: Any) -> None:
        """A person types `value` into a cell (a formula if it begins with `=`), and saves."""
        raise NotImplementedError

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    @pytest.fixture
    def sheet(self, folder: Path) -> Sheet:
        return self.open(folder)

    @pytest.fixture
    def table(self, sheet: Sheet) -> Table:
        return filled(sheet, self.people)

    def test_nothing_is_there_at_first_and_is_made(self, sheet: Sheet) -> None:
        assert sheet.read(TAB) is None
        table = sheet.create(TAB, COLUMNS)
        assert [column.header for column in table.columns] == [column.header for column in COLUMNS]
        assert table.rows == []
        assert list(sheet.check(TAB)) == [column.header for column in COLUMNS]

    def test_what_is_made_again_stays(self, sheet: Sheet, table: Table) -> None:
        assert sheet.create(TAB, COLUMNS) == table

    def test_rows_come_back_as_they_were_given(self, table: Table) -> None:
        assert [tuple(row.cells) for row in table.rows] == list(self.people)
        assert [row.key for row in table.rows] == ["P0", "P1", "P2"]
        assert [[type(cell) for cell in row.cells] for row in table.rows] == [
            [type(cell) for cell in person] for person in self.people
        ]

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in ("long", "newlines", "spaces")])
    def test_nothing_from_outside_is_interpreted(self, sheet: Sheet, name: str) -> None:
        table = filled(sheet, [(NAMES[name], None, None, None, None, None)])
        assert table.rows[0].cells[0] == NAMES[name]

    def test_only_the_cells_asked_for_change(self, sheet: Sheet, table: Table) -> None:
        batches = write(
            sheet, table, Changes(cells=[cell(table, 1, 1, "new@example.org"), cell(table, 2, 2, date(2026, 1, 2))])
        )
        after = read(sheet)
        expected = [list(person) for person in self.people]
        expected[1][1], expected[2][2] = "new@example.org", date(2026, 1, 2)
        assert [row.cells for row in after.rows] == expected
        assert len(batches) == 1
        assert not batches[0].refused

    def test_a_cell_is_emptied(self, sheet: Sheet, table: Table) -> None:
        write(sheet, table, Changes(cells=[cell(table, 0, place, None) for place in range(len(COLUMNS))]))
        assert read(sheet).rows[0].cells == [None] * len(COLUMNS)
        assert read(sheet).rows[0].key == "P0"

    def test_a_cell_changes_its_type_and_back(self, sheet: Sheet, table: Table) -> None:
        for value in (date(2020, 2, 29), 5, "text", datetime(2021, 5, 6, 20, 30), True, 0.1, date(2020, 1, 1)):  # noqa: DTZ001  cells have no zone
            write(sheet, table, Changes(cells=[cell(table, 0, 2, value)]))
            table = read(sheet)
            assert (type(table.rows[0].cells[2]), table.rows[0].cells[2]) == (type(value), value)

    def test_rows_are_added_below(self, sheet: Sheet, table: Table) -> None:
        write(sheet, table, Changes(rows=[new_row(table, "P9", ("Inès", "ines@example.org", None, 1, 0.25, True))]))
        after = read(sheet)
        assert after.rows[:3] == table.rows
        assert (after.rows[3].key, after.rows[3].cells) == ("P9", ["Inès", "ines@example.org", None, 1, 0.25, True])

    def test_a_batch_knows_the_revision_that_it_leaves(self, folder: Path, sheet: Sheet, table: Table) -> None:
        batches = write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
        assert batches[-1].leaves == sheet.revision(TAB)
        self.edit(folder, TAB, table.rows[1].ref, table.columns[0].ref, "by hand")
        assert batches[-1].leaves is None or batches[-1].leaves != self.open(folder).revision(TAB)

    def test_a_row_gets_another_key(self, sheet: Sheet, table: Table) -> None:
        write(sheet, table, Changes(keys=[KeyWrite(table.rows[1].ref, "Q1")]))
        assert [row.key for row in read(sheet).rows] == ["P0", "Q1", "P2"]

    def test_nothing_to_write_calls_nobody(self, sheet: Sheet, table: Table) -> None:
        calls = sheet.calls.write
        assert write(sheet, table, Changes()) == []
        assert sheet.calls.write == calls
        assert sheet.revision(TAB) in (table.revision, None)

    def test_the_intent_comes_before_and_the_word_after(self, sheet: Sheet, table: Table) -> None:
        seen: list[tuple[str, Cell | Formula]] = []
        changes = Changes(cells=[cell(table, 0, 0, "Zoë")])

        def before(batch: Batch) -> None:
            seen.append(("before", read(sheet).rows[0].cells[0]))
            assert sheet.landed(TAB, batch.stamp) is False

        def after(batch: Batch) -> None:
            seen.append(("after", read(sheet).rows[0].cells[0]))
            assert sheet.landed(TAB, batch.stamp) is True

        sheet.write(table, changes, before, after)
        assert seen == [("before", "Zoé"), ("after", "Zoë")]

    def test_killed_before_it_left_nothing_has_changed(self, folder: Path, sheet: Sheet, table: Table) -> None:
        stamps: list[str] = []

        def killed(batch: Batch) -> None:
            stamps.append(batch.stamp)
            raise Killed

        with pytest.raises(Killed):
            sheet.write(table, Changes(cells=[cell(table, 0, 0, "Zoë")]), killed, nobody)
        again = self.open(folder)
        assert read(again) == table
        assert again.landed(TAB, stamps[0]) is False

    def test_killed_after_it_landed_the_next_run_knows(self, folder: Path, sheet: Sheet, table: Table) -> None:
        stamps: list[str] = []

        def killed(batch: Batch) -> None:
            stamps.append(batch.stamp)
            raise Killed

        with pytest.raises(Killed):
            sheet.write(table, Changes(cells=[cell(table, 0, 0, "Zoë")]), nobody, killed)
        again = self.open(folder)
        assert read(again).rows[0].cells[0] == "Zoë"
        assert again.landed(TAB, stamps[0]) is True

    def test_an_edit_in_between_is_seen_and_kept(self, folder: Path, sheet: Sheet, table: Table) -> None:
        self.edit(folder, TAB, table.rows[0].ref, table.columns[0].ref, "by hand")
        with pytest.raises(TryLater) as caught:
            write(sheet, table, Changes(cells=[cell(table, 0, 1, "new@example.org")]))
        assert caught.value.code == "sheet-changed"
        after = read(self.open(folder))
        assert after.rows[0].cells[:2] == ["by hand", "zoe@example.org"]
        assert after.revision != table.revision

    def test_after_an_edit_nobody_claims_that_a_batch_did_not_land(
        self, folder: Path, sheet: Sheet, table: Table
    ) -> None:
        batches = write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
        self.edit(folder, TAB, table.rows[1].ref, table.columns[0].ref, "by hand")
        assert self.open(folder).landed(TAB, batches[0].stamp) is not False

    def test_a_formula_of_the_team_is_read_and_never_touched(self, folder: Path, sheet: Sheet, table: Table) -> None:
        self.edit(folder, TAB, table.rows[1].ref, table.columns[3].ref, "=1+2")
        table = read(sheet)
        assert isinstance(table.rows[1].cells[3], Formula)
        assert table.rows[1].cells[3].text.lstrip("=") == "1+2"
        batches = write(sheet, table, Changes(cells=[cell(table, 1, 3, 7), cell(table, 1, 0, "Aly")]))
        assert [(refused.key, refused.column, refused.code) for refused in batches[0].refused] == [
            ("P1", table.columns[3].ref, "sheet-formula")
        ]
        assert [write.value for write in batches[0].changes.cells] == ["Aly"]
        assert isinstance(read(sheet).rows[1].cells[3], Formula)
        assert read(sheet).rows[1].cells[0] == "Aly"

    def test_a_text_too_long_costs_only_its_cell(self, sheet: Sheet, table: Table) -> None:
        long, fits = "é" * (self.longest + 1), "𝒁" * (self.longest // 2)
        changes = Changes(
            cells=[cell(table, 0, 0, long), cell(table, 1, 0, fits)],
            rows=[new_row(table, "P9", (long, "ines@example.org", None, None, None, None))],
        )
        batches = write(sheet, table, changes)
        assert [(refused.row, refused.key, refused.code) for refused in batches[0].refused] == [
            (table.rows[0].ref, "P0", "sheet-text-too-long"),
            (None, "P9", "sheet-text-too-long"),
        ]
        assert [row.cells[0] for row in read(sheet).rows] == ["Zoé", fits, "Yann", None]
        assert read(sheet).rows[3].cells[1] == "ines@example.org"

    def test_columns_are_added_at_the_right_end(self, sheet: Sheet, table: Table) -> None:
        after = sheet.add_columns(table, [NewColumn("Dernier don", "date", "last_donation")])
        assert [column.header for column in after.columns] == [*(column.header for column in COLUMNS), "Dernier don"]
        assert [row.cells[:-1] for row in after.rows] == [list(person) for person in self.people]
        write(sheet, after, Changes(cells=[cell(after, 2, 6, date(2026, 5, 4))]))
        assert read(sheet).rows[2].cells[6] == date(2026, 5, 4)
        assert [row.key for row in read(sheet).rows] == ["P0", "P1", "P2"]

    def test_a_second_tab_leaves_the_first_alone(self, sheet: Sheet, table: Table) -> None:
        other = sheet.create("À faire", COLUMNS[:2])
        assert [column.header for column in other.columns] == ["Prénom", "Courriel"]
        write(sheet, other, Changes(rows=[new_row(other, "T1", ("Zoé", "zoe@example.org"))]))
        assert [row.cells for row in read(sheet).rows] == [row.cells for row in table.rows]
        write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
        assert read(sheet).rows[0].cells[0] == "Zoë"

    def test_one_key_twice_is_reported_as_it_is(self, folder: Path, sheet: Sheet, table: Table) -> None:
        write(sheet, table, Changes(keys=[KeyWrite(table.rows[1].ref, "P0")]))
        assert [row.key for row in read(sheet).rows] == ["P0", "P0", "P2"]


def nobody(_batch: Batch) -> None:
    """Takes notice of nothing."""


def read(sheet: Sheet, tab: str = TAB) -> Table:
    table = sheet.read(tab)
    assert table is not None
    return table


def write(sheet: Sheet, table: Table, changes: Changes, before: Callable[[Batch], None] = nobody) -> list[Batch]:
    """Land the changes and give the batches that did."""
    batches: list[Batch] = []
    sheet.write(table, changes, before, batches.append)
    return batches


def cell(table: Table, row: int, column: int, value: Cell) -> CellWrite:
    """Put a value into the cell at these places of the table."""
    line = table.rows[row]
    return CellWrite(line.ref, line.key or "", table.columns[column].ref, value, line.cells[column])


def new_row(table: Table, key: str, values: Sequence[Cell]) -> NewRow:
    return NewRow(key, {column.ref: value for column, value in zip(table.columns, values, strict=True)})


def filled(sheet: Sheet, people: Sequence[Sequence[Cell]]) -> Table:
    """A tab made and filled with people whose keys are P0, P1 …"""
    table = sheet.create(TAB, COLUMNS)
    write(sheet, table, Changes(rows=[new_row(table, f"P{n}", person) for n, person in enumerate(people)]))
    return read(sheet)
