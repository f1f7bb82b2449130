"""What can happen between two of our calls, and on the way of one: nothing of the team's is lost, nothing lands twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.google import Google, GoogleSettings
from connectors.sheets.googlesheets import writing
from connectors.sheets.googlesheets.session import ATTEMPTS
from connectors.sheets.sheet import Batch, Cell, CellWrite, Changes, Formula, KeyWrite, Table
from connectors.source import Setting
from connectors.trouble import TryLater
from tests.connectors.sheet_contract import COLUMNS, PEOPLE, TAB, cell, filled, new_row, nobody, read, write
from tests.connectors.test_google import google
from tests.fakes.google import SPREADSHEET, FakeGoogle
from tests.fakes.google_grid import Area, Dimension, GridTab
from tests.fakes.memory_sheet import Killed

Act = Callable[[GridTab], object]


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


@pytest.fixture
def sheet(fake: FakeGoogle, tmp_path: Path) -> Google:
    return google(fake, tmp_path)


@pytest.fixture
def table(sheet: Google) -> Table:
    return filled(sheet, PEOPLE)


def sort(tab: GridTab) -> None:
    tab.rows[1:4] = reversed(tab.rows[1:4])


def insert(tab: GridTab) -> None:
    tab.rows.insert(1, Dimension())


def delete(tab: GridTab) -> None:
    del tab.rows[1]


def move_column(tab: GridTab) -> None:
    tab.columns.insert(3, tab.columns.pop(0))


def insert_above_all(tab: GridTab) -> None:
    tab.rows.insert(0, Dimension())


def rename_tab(tab: GridTab) -> None:
    tab.title = "Nos gens"


def shown(sheet: Google) -> dict[str | None, dict[str, Cell | Formula]]:
    table = read(sheet)
    return {row.key: dict(zip((c.header for c in table.columns), row.cells, strict=True)) for row in table.rows}


def between(fake: FakeGoogle, path: str, act: Act) -> None:
    fake.meanwhile.append((path, lambda: act(fake.document.tab(TAB))))


def updates(fake: FakeGoogle) -> int:
    return sum(request.path.endswith(":batchUpdate") for request in fake.requests)


@pytest.mark.parametrize("act", [sort, insert, delete, move_column])
def test_what_moved_before_our_last_look_is_read_again(fake: FakeGoogle, sheet: Google, table: Table, act: Act) -> None:
    before = updates(fake)
    between(fake, ":getByDataFilter", act)
    with pytest.raises(TryLater) as caught:
        write(sheet, table, Changes(cells=[cell(table, 1, 0, "Aly")]))
    assert caught.value.code == "sheet-changed"
    assert updates(fake) == before


@pytest.mark.parametrize("value", ["zz@example.org", None])
def test_what_is_typed_where_we_write_in_that_instant_is_told(
    fake: FakeGoogle, sheet: Google, table: Table, value: Cell
) -> None:
    """A row typed between the last look and the write was never read: what our cell hit of it is beyond help."""

    def type_above(tab: GridTab) -> None:
        insert(tab)
        for column, text in enumerate(("Inès", "ines@example.org")):
            fake.document.put(tab, 1, column, {"userEnteredValue": {"stringValue": text}})

    between(fake, ":batchUpdate", type_above)
    (batch,) = write(sheet, table, Changes(cells=[cell(table, 0, 1, value)]))
    assert [(one.code, one.facts["cell"]) for one in batch.refused] == [("google-instant", "B2")]
    rows = read(sheet).rows
    assert [row.cells[:2] for row in rows[:2]] == [["Inès", None], ["Zoé", value]]


@pytest.mark.parametrize("act", [sort, insert, move_column, insert_above_all])
def test_what_moves_in_the_instant_of_writing_is_put_right(
    fake: FakeGoogle, sheet: Google, table: Table, act: Act
) -> None:
    """Between the last look and the write there is nothing to hold on to: the answer is compared, and mended."""
    meant = shown(sheet)
    meant["P0"]["Prénom"], meant["P0"]["Courriel"] = "Zoë", "zz@example.org"
    changes = Changes(cells=[cell(table, 0, 0, "Zoë"), cell(table, 0, 1, "zz@example.org")])
    between(fake, ":batchUpdate", act)
    batches = write(sheet, table, changes)
    assert shown(sheet) == meant
    if act is sort:
        assert [(one.key, one.code) for one in batches[0].refused] == [("P2", "google-put-back")] * 2
        assert [(one.column, one.facts["cell"]) for one in batches[0].refused] == [("A", "A2"), ("B", "B2")]


@pytest.mark.parametrize("act", [sort, insert, delete, move_column, insert_above_all])
def test_killed_before_it_could_look_the_next_run_puts_it_right(
    fake: FakeGoogle, sheet: Google, table: Table, act: Act, tmp_path: Path
) -> None:
    """Rows moved in the instant of writing, and the line was dead from then on: what was read is kept with the intent."""
    meant = shown(sheet)
    meant["P1"]["Prénom"], meant["P1"]["Courriel"] = "Aly", "aly@example.org"
    if act is delete:
        del meant["P0"]
    kept: list[Batch] = []
    between(fake, ":batchUpdate", act)
    fake.fail(path=":batchUpdate", drop=True)
    fake.fail(path="/v4/", drop=True, skip=1, times=ATTEMPTS)
    changes = Changes(cells=[cell(table, 1, 0, "Aly"), cell(table, 1, 1, "aly@example.org")])
    with pytest.raises(TryLater):
        sheet.write(table, changes, kept.append, nobody)
    again = google(fake, tmp_path)
    (batch,) = kept
    assert again.landed(TAB, batch.stamp)
    told = again.mend(TAB, batch.stamp, batch.kept, lambda more: kept.append(replace(batch, kept=more)))
    assert shown(again) == meant
    writes = again.calls.write
    assert again.mend(TAB, batch.stamp, kept[-1].kept, lambda _: None) == told
    assert again.calls.write == writes


def test_what_people_did_after_a_run_was_killed_is_theirs(
    fake: FakeGoogle, sheet: Google, table: Table, tmp_path: Path
) -> None:
    """Nothing had moved: sorted since, changed back, or copied from where we wrote, it stays."""
    kept: list[Batch] = []

    def killed(_: Batch) -> None:
        raise Killed

    with pytest.raises(Killed):
        sheet.write(table, Changes(cells=[cell(table, 0, 0, "Zoë"), cell(table, 1, 0, "Aly")]), kept.append, killed)
    tab = fake.document.tab(TAB)
    for row, text in ((1, "Zoé"), (3, "Aly")):
        fake.document.put(tab, row, 0, {"userEnteredValue": {"stringValue": text}})
    sort(tab)
    again, stands = google(fake, tmp_path), shown(sheet)
    assert not again.mend(TAB, kept[0].stamp, kept[0].kept, lambda _: None)
    assert shown(again) == stands
    assert again.calls.write == 0


def move_key_column(tab: GridTab) -> None:
    tab.columns.insert(1, tab.columns.pop(6))


@pytest.mark.parametrize("act", [move_column, move_key_column])
@pytest.mark.parametrize("then", [None, delete, insert])
def test_columns_moved_in_the_instant_in_which_rows_are_added(
    fake: FakeGoogle, sheet: Google, table: Table, act: Act, then: Act | None
) -> None:
    """And rows in the instant in which that is put right."""
    new = [(f"P{n}", (f"Nom {n}", f"n{n}@example.org", date(2025, 3, n), 10 + n, None, True)) for n in (7, 8, 9)]
    meant = shown(sheet) | {key: dict(zip((c.header for c in table.columns), who, strict=True)) for key, who in new}
    if then is delete:
        del meant["P0"]

    def first(tab: GridTab) -> None:
        act(tab)
        if then is not None:
            between(fake, ":batchUpdate", then)

    between(fake, ":batchUpdate", first)
    write(sheet, table, Changes(rows=[new_row(table, key, who) for key, who in new]))
    assert shown(sheet) == meant


def test_a_tab_renamed_in_the_instant_of_writing_lands_once(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    before = updates(fake)
    between(fake, ":batchUpdate", rename_tab)
    assert len(write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))) == 1
    assert updates(fake) == before + 1
    assert read(sheet).rows[0].cells[0] == "Zoë"


def test_a_row_deleted_in_the_instant_of_writing_takes_no_other_row_with_it(
    fake: FakeGoogle, sheet: Google, table: Table
) -> None:
    meant = shown(sheet)
    del meant["P0"]
    between(fake, ":batchUpdate", delete)
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
    assert shown(sheet) == meant


@pytest.mark.parametrize("then", [sort, insert, move_column])
def test_what_landed_below_everything_is_found_there_when_rows_move_again(
    fake: FakeGoogle, sheet: Google, table: Table, then: Act
) -> None:
    """A row above was deleted: our cell landed in the empty row below, and would have passed for a new person."""
    meant = shown(sheet)
    del meant["P0"]
    meant["P2"]["Courriel"] = "yann@example.org"

    def first(tab: GridTab) -> None:
        delete(tab)
        between(fake, ":batchUpdate", then)

    between(fake, ":batchUpdate", first)
    write(sheet, table, Changes(cells=[cell(table, 2, 1, "yann@example.org")]))
    assert shown(sheet) == meant


def test_keys_given_while_somebody_sorts_go_to_the_right_rows(fake: FakeGoogle, sheet: Google) -> None:
    adopted(fake)
    table = read(sheet)
    between(fake, ":batchUpdate", sort)
    write(sheet, table, Changes(keys=[KeyWrite(row.ref, f"K{row.cells[0]}") for row in table.rows[:2]]))
    assert {row.key: row.cells[0] for row in read(sheet).rows} == {"Ka": "a", "Kb": "b", None: "c"}


def adopted(fake: FakeGoogle) -> None:
    """A tab that the team has had for years: no column of ours."""
    tab = GridTab.sized(77, TAB, 20, 6)
    fake.document.tabs.append(tab)
    for row, values in enumerate((("Nom", "Courriel"), *((c, f"{c}@example.org") for c in "abc"))):
        for column, value in enumerate(values):
            fake.document.put(tab, row, column, {"userEnteredValue": {"stringValue": value}})


def test_a_colleague_who_types_a_new_row_at_the_same_instant_keeps_it(
    fake: FakeGoogle, sheet: Google, table: Table
) -> None:
    def type_below(tab: GridTab) -> None:
        fake.document.put(tab, 4, 0, {"userEnteredValue": {"stringValue": "Inès, au guichet"}})

    between(fake, ":batchUpdate", type_below)
    write(sheet, table, Changes(rows=[new_row(table, "P9", ("Nouveau", None, None, 1, None, None))]))
    names = [row.cells[0] for row in read(sheet).rows]
    assert sorted(map(str, names)) == ["Ali", "Inès, au guichet", "Nouveau", "Yann", "Zoé"]


def test_a_cell_that_they_change_in_the_instant_after_is_theirs(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    def type_elsewhere(tab: GridTab) -> None:
        fake.document.put(tab, 2, 1, {"userEnteredValue": {"stringValue": "ali@new.example.org"}})

    between(fake, ":batchUpdate", type_elsewhere)
    (batch,) = write(sheet, table, Changes(cells=[cell(table, 1, 0, "Aly")]))
    assert not batch.refused
    assert read(sheet).rows[1].cells[:2] == ["Aly", "ali@new.example.org"]


def test_between_two_batches_it_is_looked_at_again(
    fake: FakeGoogle, sheet: Google, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too much for one request goes in several; whoever sorts in between stops the rest, and nothing is lost."""
    monkeypatch.setattr(writing, "BATCH", 200)
    landed: list[Batch] = []

    def after(batch: Batch) -> None:
        landed.append(batch)
        sort(fake.document.tab(TAB))

    changes = Changes(cells=[cell(table, row, 0, f"n{row}") for row in range(3)])
    with pytest.raises(TryLater) as caught:
        sheet.write(table, changes, nobody, after)
    assert (caught.value.code, len(landed)) == ("sheet-changed", 1)
    assert {row.key: row.cells[0] for row in read(sheet).rows} == {"P0": "n0", "P1": "Ali", "P2": "Yann"}
    again = read(sheet)
    cells = [CellWrite(row.ref, str(row.key), "A", f"m{row.key}", row.cells[0]) for row in again.rows]
    assert len(write(sheet, again, Changes(cells=cells))) == 3
    assert {row.key: row.cells[0] for row in read(sheet).rows} == {"P0": "mP0", "P1": "mP1", "P2": "mP2"}


# On the way ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"drop": True}, {"cut": True}, {"cut_json": True}])
def test_a_write_whose_answer_is_lost_is_not_repeated(
    fake: FakeGoogle, sheet: Google, table: Table, fault: dict[str, Any]
) -> None:
    before = updates(fake)
    fake.fail(path=":batchUpdate", **fault)
    (batch,) = write(sheet, table, Changes(rows=[new_row(table, "P9", ("Inès", None, None, None, None, None))]))
    assert updates(fake) == before + 1
    assert [row.key for row in read(sheet).rows] == ["P0", "P1", "P2", "P9"]
    assert sheet.landed(TAB, batch.stamp) is True


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_write_that_did_not_land_is_sent_again(fake: FakeGoogle, sheet: Google, table: Table, status: int) -> None:
    before = updates(fake)
    fake.fail(path=":batchUpdate", status=status, times=2, body=b'{"error": {"code": 5, "message": "x"}}')
    write(sheet, table, Changes(rows=[new_row(table, "P9", ("Inès", None, None, None, None, None))]))
    assert updates(fake) == before + 3
    assert [row.key for row in read(sheet).rows] == ["P0", "P1", "P2", "P9"]


def test_a_write_of_which_nothing_can_be_known_is_left_to_the_next_run(
    fake: FakeGoogle, sheet: Google, table: Table
) -> None:
    fake.fail(path=":batchUpdate", drop=True)
    stamps: list[str] = []
    tab = fake.document.tab(TAB)

    def before(batch: Batch) -> None:
        stamps.append(batch.stamp)
        fake.document.metadata[:] = [one for one in fake.document.metadata if one.tab is not tab]

    changes = Changes(rows=[new_row(table, "P9", ("Inès", None, None, None, None, None))])
    with pytest.raises(TryLater) as caught:
        sheet.write(table, changes, before, nobody)
    assert caught.value.code == "google-answer-lost"
    assert sheet.landed(TAB, stamps[0]) is None
    assert [row.key for row in read(sheet).rows] == ["P0", "P1", "P2", "P9"]


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 500}, {"status": 429}, {"drop": True}, {"cut_json": True}, {"html": True}]
)
def test_a_read_is_tried_again(fake: FakeGoogle, sheet: Google, table: Table, fault: dict[str, Any]) -> None:
    fake.fail(path="/v4/", times=3, **fault)
    assert read(sheet) == table


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"drop": True}, {"html": True}])
def test_trying_again_has_an_end(fake: FakeGoogle, sheet: Google, fault: dict[str, Any]) -> None:
    fake.fail(path="/v4/", times=100, **fault)
    with pytest.raises(TryLater):
        sheet.read(TAB)
    assert len([one for one in fake.requests if one.path.startswith("/v4/")]) == 7


def test_a_token_that_expires_in_the_middle_is_renewed(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    fake.expire_tokens()
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]), lambda _: fake.expire_tokens())
    assert read(sheet).rows[0].cells[0] == "Zoë"


def test_we_keep_below_the_quota(fake: FakeGoogle, tmp_path: Path) -> None:
    """60 reads a minute: 130 take two minutes and are never refused."""

    def sleep(seconds: float) -> None:
        fake.skipped += seconds

    settings = {"spreadsheet": SPREADSHEET, "credentials": json.dumps(fake.account), "endpoint": fake.url}
    sheet = Google(GoogleSettings.model_validate(settings), Setting("sheet", tmp_path, sleep=sleep))
    fake.quota, started = 60, time.monotonic()
    for _ in range(130):
        sheet.landed(TAB, "x")
    assert sheet.calls.read == 130
    assert 120 < fake.skipped + time.monotonic() - started < 130


# What they put in the way ------------------------------------------------------------------------------------------


def test_a_protected_cell_costs_only_itself(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    tab = fake.document.tab(TAB)
    area = Area(tab.rows[2], tab.rows[2], tab.columns[1], tab.columns[1])
    tab.protected.append((area, {"protectedRangeId": 9, "editors": {"users": ["direction@example.org"]}}))
    table = read(sheet)
    (batch,) = write(sheet, table, Changes(cells=[cell(table, 1, 1, "no@example.org"), cell(table, 1, 0, "Aly")]))
    assert [(one.key, one.column, one.code, one.facts["cell"]) for one in batch.refused] == [
        ("P1", "B", "google-protected", "B3")
    ]
    assert read(sheet).rows[1].cells[:2] == ["Aly", "ali@example.org"]


def test_a_protection_made_in_between_is_read_and_respected(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    def protect(tab: GridTab) -> None:
        area = Area(tab.rows[2], tab.rows[2], None, None)
        tab.protected.append((area, {"protectedRangeId": 9, "editors": {"users": []}}))

    between(fake, ":batchUpdate", protect)
    with pytest.raises(TryLater) as caught:
        write(sheet, table, Changes(cells=[cell(table, 1, 0, "Aly")]))
    assert caught.value.code == "sheet-changed"
    table = read(sheet)
    (batch,) = write(sheet, table, Changes(cells=[cell(table, 1, 0, "Aly"), cell(table, 0, 0, "Zoë")]))
    assert [one.code for one in batch.refused] == ["google-protected"]
    assert [row.cells[0] for row in read(sheet).rows] == ["Zoë", "Ali", "Yann"]


def test_a_cell_below_a_merge_and_a_part_of_an_array_are_left_alone(
    fake: FakeGoogle, sheet: Google, table: Table
) -> None:
    tab = fake.document.tab(TAB)
    tab.merges.append(Area(tab.rows[1], tab.rows[1], tab.columns[0], tab.columns[1]))
    tab.rows[2].cells[tab.columns[3]] = {"spilled": {"numberValue": 7}}
    table = read(sheet)
    assert table.rows[1].cells[3] == Formula("", 7)
    (batch,) = write(sheet, table, Changes(cells=[cell(table, 0, 1, "x@example.org"), cell(table, 1, 3, 9)]))
    assert [one.code for one in batch.refused] == ["sheet-merged", "sheet-formula"]


def test_a_cell_that_google_refuses_costs_only_itself(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    for row in (1, 3):
        fake.document.put(fake.document.tab(TAB), row, 0, {"dataValidation": {"strict": True}})
    cells = [cell(table, row, 0, f"n{row}") for row in range(3)]
    changes = Changes(cells=cells, rows=[new_row(table, "P9", ("Inès", None, None, None, None, None))])
    (batch,) = write(sheet, table, changes)
    assert [(one.key, one.code, one.facts) for one in batch.refused] == [
        ("P0", "google-cell", {"cell": "A2"}),
        ("P2", "google-cell", {"cell": "A4"}),
    ]
    assert [row.cells[0] for row in read(sheet).rows] == ["Zoé", "n1", "Yann", "Inès"]
    assert sheet.landed(TAB, batch.stamp) is True


@pytest.mark.parametrize("act", [move_column, rename_tab])
def test_renamed_and_moved_columns_and_tabs_are_found_again(
    fake: FakeGoogle, sheet: Google, table: Table, act: Act
) -> None:
    tab = fake.document.tab(TAB)
    fake.document.put(tab, 0, 1, {"userEnteredValue": {"stringValue": "E-mail (à vérifier)"}})
    act(tab)
    after = read(sheet)
    assert {column.tag for column in after.columns} == {column.tag for column in COLUMNS}
    assert next(column.header for column in after.columns if column.tag == "email") == "E-mail (à vérifier)"
    assert [row.key for row in after.rows] == ["P0", "P1", "P2"]


def test_an_adopted_tab_gets_marks_and_a_hidden_key_and_nothing_else_changes(fake: FakeGoogle, sheet: Google) -> None:
    adopted(fake)
    table = read(sheet)
    write(sheet, table, Changes(keys=[KeyWrite(table.rows[0].ref, "K1")], tags={"B": "email"}))
    after = read(sheet)
    assert [(column.header, column.tag) for column in after.columns] == [("Nom", None), ("Courriel", "email")]
    assert [row.cells for row in after.rows] == [row.cells for row in table.rows]
    tab = fake.document.tab(TAB)
    assert tab.cell(0, 2)["userEnteredValue"] == {"stringValue": "Fil rouge"}
    assert tab.columns[2].props == {"hiddenByUser": True}
    assert [facts.get("warningOnly") for _, facts in tab.protected] == [True]
    tab.protected.clear()
    tab.columns[2].props.clear()
    write(sheet, after, Changes(keys=[KeyWrite(after.rows[1].ref, "K2")]))
    assert (tab.protected, tab.columns[2].props) == ([], {})  # what the team changes of it stays


def test_a_tab_of_ours_is_ready_to_use(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    tab = fake.document.tab(TAB)
    assert tab.frozen == 1
    assert [tab.cell(0, column)["note"] for column in (0, 6)] == [
        "Tenue par Fil rouge.",
        "Cette colonne permet à Fil rouge de reconnaître chaque ligne. Merci de la garder telle quelle.",
    ]
    assert tab.cell(1, 4)["userEnteredFormat"]["numberFormat"] == {"type": "CURRENCY", "pattern": '#,##0.00\u00a0"€"'}
    assert len(tab.rows) == 5  # no pile of blank rows
    assert [one.key for one in fake.document.metadata].count("filrouge-stamp") == 1
    assert table.rows[0].key == "P0"


def test_many_rows_and_many_cells_take_few_calls(fake: FakeGoogle, sheet: Google, table: Table) -> None:
    many = [new_row(table, f"N{n}", (f"n{n}", f"n{n}@example.org", None, n, None, None)) for n in range(600)]
    write(sheet, table, Changes(rows=many))
    table = read(sheet)
    reads, writes = sheet.calls.read, sheet.calls.write
    cells = [cell(table, row, 3, row + 1000) for row in range(3, 600, 2)]
    assert len(write(sheet, table, Changes(cells=cells))) == 1
    assert (sheet.calls.read - reads, sheet.calls.write - writes) == (1, 1)
    assert [row.cells[3] for row in read(sheet).rows[3:8]] == [1003, 1, 1005, 3, 1007]


def test_a_reading_that_is_no_longer_the_last_is_not_written_on(sheet: Google, table: Table) -> None:
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
    stale = CellWrite(table.rows[0].ref, "P0", "A", "Zac", table.rows[0].cells[0])
    with pytest.raises(TryLater):
        write(sheet, table, Changes(cells=[stale]))
