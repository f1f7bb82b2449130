"""The fake is to be trusted: gspread's own methods work on it, and it answers as Google was recorded to answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gspread
import jsonschema
import pytest
import requests

from tests.fakes.google import SPREADSHEET, FakeGoogle

PLACE = {"type": "integer", "minimum": 0}
VALUE = {
    "type": "object",
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "numberValue": {"type": "number"},
        "stringValue": {"type": "string", "minLength": 1},
        "boolValue": {"type": "boolean"},
        "formulaValue": {"type": "string", "pattern": "^="},
    },
}
CELL = {
    "type": "object",
    "properties": {"userEnteredValue": VALUE, "effectiveValue": VALUE, "formattedValue": {"type": "string"}},
}
ROW = {
    "type": "object",
    "properties": {"values": {"type": "array", "minItems": 1, "items": CELL}},
    "additionalProperties": False,
}
GRID = {
    "type": "object",
    "properties": {
        "startRow": {"minimum": 1},
        "startColumn": {"minimum": 1},
        "rowData": {"type": "array", "minItems": 1, "items": ROW},
    },
}
TAB = {
    "type": "object",
    "required": ["properties"],
    "properties": {
        "properties": {"type": "object", "required": ["sheetId", "title", "index", "gridProperties"], "properties": {"sheetId": PLACE}},
        "data": {"type": "array", "items": GRID},
    },
}  # fmt: skip
SHAPE = {
    "type": "object",
    "required": ["spreadsheetId", "properties", "sheets"],
    "properties": {"sheets": {"type": "array", "minItems": 1, "items": TAB}},
}


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        fake.tokens.append("t")
        yield fake


@pytest.fixture
def book(fake: FakeGoogle) -> Iterator[gspread.Spreadsheet]:
    class Loopback(gspread.HTTPClient):
        def request(self, method: str, endpoint: str, *args: Any, **more: Any) -> requests.Response:
            for host in ("https://sheets.googleapis.com", "https://www.googleapis.com"):
                endpoint = endpoint.replace(host, fake.url)
            return super().request(method, endpoint, *args, **more)

    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer t"
        yield gspread.Client(auth=None, session=session, http_client=Loopback).open_by_key(SPREADSHEET)  # type: ignore[arg-type]


def test_gspread_reads_and_writes(book: gspread.Spreadsheet) -> None:
    tab = book.sheet1
    tab.update([["a", "b"], ["=1", "007"], [1, 2.5]], "A1")
    assert tab.get_all_values() == [["a", "b"], ["=1", "007"], ["1", "2,5"]]
    tab.append_rows([["x", "+33"]])
    assert tab.get("A4:B9") == [["x", "+33"]]
    tab.batch_update([{"range": "C1", "values": [["c"]]}, {"range": "C3", "values": [[True]]}])
    tab.update_acell("C2", "=1+1")
    assert tab.acell("C2", value_render_option="FORMULA").value == "=1+1"  # type: ignore[arg-type]  # gspread takes the word
    assert tab.find("x").address == "A4"  # type: ignore[union-attr]
    tab.insert_rows([["n"]], 2)
    tab.delete_rows(2)
    assert tab.col_values(1) == ["a", "=1", "1", "x"]
    tab.batch_clear(["A1:A2"])
    assert tab.row_values(1) == ["", "b", "c"]


def test_gspread_makes_names_and_removes_tabs(book: gspread.Spreadsheet) -> None:
    tab = book.add_worksheet("L'été", 5, 5)
    tab.update([["é"]], "A1")
    tab.freeze(rows=1)
    tab.update_title("L'hiver")
    assert [one.title for one in book.worksheets()] == ["Feuille 1", "L'hiver"]
    assert book.worksheet("L'hiver").get_all_values() == [["é"]]
    book.del_worksheet(tab)
    with pytest.raises(gspread.WorksheetNotFound):
        book.worksheet("L'hiver")
    with pytest.raises(gspread.exceptions.APIError) as caught:
        book.values_get("Nope!A1")
    assert caught.value.code == 400


def test_its_answers_have_the_shape_of_googles(fake: FakeGoogle, book: gspread.Spreadsheet) -> None:
    book.sheet1.update([["a", None, 1], [], ["", "", True]], "B2")
    whole = fake.whole(None, grid=True)
    jsonschema.validate(whole, SHAPE)
    (grid,) = whole["sheets"][0]["data"]
    assert [len(row.get("values", [])) for row in grid["rowData"]] == [0, 4, 0, 4]  # what is empty at the end is cut
    part = fake.whole(
        [(fake.document.tabs[0], {"startRowIndex": 3, "endRowIndex": 4, "startColumnIndex": 1})], grid=True
    )
    jsonschema.validate(part, SHAPE)
    assert (part["sheets"][0]["data"][0]["startRow"], part["sheets"][0]["data"][0]["startColumn"]) == (3, 1)


def test_a_batch_is_applied_wholly_or_not_at_all(book: gspread.Spreadsheet) -> None:
    book.sheet1.update([["a"], ["b"]], "A1")
    start = {"sheetId": 0, "rowIndex": 0, "columnIndex": 0}
    rows = [{"values": [{"userEnteredValue": {"stringValue": "z"}}]}]
    fine = {"updateCells": {"start": start, "rows": rows, "fields": "userEnteredValue"}}
    gone = {"deleteDimension": {"range": {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}}}
    wrong = {"updateCells": {"start": {"sheetId": 99}, "rows": rows, "fields": "userEnteredValue"}}
    with pytest.raises(gspread.exceptions.APIError):
        book.batch_update({"requests": [fine, gone, wrong]})
    assert book.sheet1.col_values(1) == ["a", "b"]
