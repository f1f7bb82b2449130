"""Random tables, random changes: only the cells asked for differ, and every value comes back as it was given."""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sheets.sheet import Cell, Changes, KeyWrite
from connectors.sheets.xlsx.formulas import moved
from connectors.sheets.xlsx.text import escaped, plain, unescaped
from connectors.sheets.xlsx.values import Kind, from_serial, to_serial
from tests.connectors.sheet_contract import TAB, cell, new_row, read, write
from tests.connectors.test_excel import excel

HEADERS = ("Nom", "Courriel", "Vu", "Montant")
HOSTILE = (
    "=1+1",
    "+33639980000",
    "@x",
    "-1",
    "007",
    "_x0041_",
    "a\x00b\x0bc",
    "\r\n",
    " x ",
    "<&>\"'",
    "]]>",
    "<row>",
    "🎭",
    "עברית",
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30)).map(lambda text: text.replace("\r\n", "\n"))
dates = st.dates(date(1900, 1, 1), date(9999, 12, 31))
moments = st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001  cells have no zone
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
numbers = st.one_of(
    st.integers(-(10**14), 10**14), st.floats(allow_nan=False, allow_infinity=False, min_value=-1e14, max_value=1e14)
)
values: st.SearchStrategy[Cell] = st.one_of(st.none(), texts, numbers, st.booleans(), dates, moments)
small = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2**40), max_value=2**40).map(
    lambda number: float(f"{number:.15G}")
)
made: st.SearchStrategy[Cell] = st.one_of(
    st.none(), texts, st.integers(-(10**14), 10**14), small, st.booleans(), dates, moments
)
"""What XlsxWriter writes to 16 digits without loss."""
made_rows = st.lists(st.lists(made, min_size=4, max_size=4), max_size=6)
rows = st.lists(st.lists(values, min_size=4, max_size=4), max_size=6)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def same(first: object, second: object) -> bool:
    """Equal, and a yes is no 1, a day no midnight; a whole float is its number."""
    if isinstance(first, float | int) and not isinstance(first, bool):
        return not isinstance(second, bool) and first == second
    return type(first) is type(second) and first == second


@quick
@given(made_rows, st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), values), max_size=6), rows)
def test_only_the_cells_asked_for_differ(
    given_rows: list[list[Cell]], edits: list[tuple[int, int, Cell]], added: list[list[Cell]]
) -> None:
    lines: list[list[Cell]] = [["first", *line[1:]] for line in given_rows]
    with tempfile.TemporaryDirectory() as folder:
        _made(Path(folder) / "Contacts.xlsx", lines)
        sheet = excel(Path(folder))
        table = read(sheet)
        expected: list[list[Cell]] = [[None if value == "" else value for value in line] for line in lines]
        edits = list({(row, column): (row, column, value) for row, column, value in edits if row < len(lines)}.values())
        for row, column, value in edits:
            expected[row][column] = None if value == "" else value
        expected += [["last", *(None if value == "" else value for value in line[1:])] for line in added]
        changes = Changes(
            [KeyWrite(row.ref, f"P{row.ref}") for row in table.rows],
            [cell(table, row, column, value) for row, column, value in edits],
            [new_row(table, f"N{n}", ["last", *line[1:]]) for n, line in enumerate(added)],
        )
        batches = write(sheet, table, changes)
        assert all(not batch.refused for batch in batches)
        found = [line.cells for line in read(sheet).rows]
        assert len(found) == len(expected)
        for line, wanted in zip(found, expected, strict=True):
            assert all(same(value, want) for value, want in zip(line, wanted, strict=True)), (line, wanted)
        page = openpyxl.load_workbook(sheet.path)[TAB]
        assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)


def _made(path: Path, lines: list[list[Cell]]) -> None:
    book = xlsxwriter.Workbook(
        path, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    formats = {date: book.add_format({"num_format": "d mmm yyyy"}), datetime: book.add_format({"num_format": 22})}
    page = book.add_worksheet(TAB)
    for column, header in enumerate(HEADERS):
        page.write_string(0, column, header)
    for row, line in enumerate(lines, 1):
        for column, value in enumerate(line):
            if isinstance(value, date):
                serial = to_serial(value, from_1904=False)
                page.write_number(row, column, serial, formats[type(value)])
            elif isinstance(value, str) and value:
                page.write_string(row, column, value)
            elif isinstance(value, bool):
                page.write_boolean(row, column, value)
            elif value is not None and value != "":
                page.write_number(row, column, value)
    book.close()


@quick
@given(st.text())
def test_any_text_survives_being_written(text: str) -> None:
    assert unescaped(plain(escaped(text).encode())) == text


@quick
@given(st.one_of(dates, moments), st.booleans())
def test_any_date_survives_being_written(value: date, from_1904: bool) -> None:  # noqa: FBT001  hypothesis gives it
    serial = to_serial(value, from_1904=from_1904)
    if serial is None:
        assert value.year < 1904
        return
    kind: Kind = "datetime" if isinstance(value, datetime) else "date"
    assert from_serial(serial, kind, from_1904=from_1904) == value


@quick
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 500))
def test_a_formula_filled_down_and_up_again_is_the_same(row: int, other: int, down: int) -> None:
    formula = f"""IF($A{row}>B$2,'L''été 3'!C{other},"A1")+LOG10(D{other})+Public[[#This Row],[A1]]+SUM({row}:{other})+Feuil2!E{row}"""
    assert moved(moved(formula, down), -down) == formula
    assert moved(f'$A{row}*B$2+"A1"', down) == f'$A{row + down}*B$2+"A1"'
    assert moved("A1", -1) == "#REF!"
