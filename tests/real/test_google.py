"""Our requests to Google Sheets and the fake's answers, held to Google's own discovery document.

The document is Google's and is not part of the project: FILROUGE_SPECS names the folder with `sheets.v4.json`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.sheets.sheet import Changes, KeyWrite, NewColumn
from tests.connectors.sheet_contract import COLUMNS, PEOPLE, TAB, cell, filled, new_row, read, write
from tests.connectors.test_google import google
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grid import Area, mask_of
from tests.fakes.server import Request

pytestmark = pytest.mark.real
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    folder = os.environ.get("FILROUGE_SPECS")
    if not folder:
        pytest.skip(
            "Not compared: set FILROUGE_SPECS to the folder that holds Google's discovery document, sheets.v4.json."
        )
    file = Path(folder) / "sheets.v4.json"
    if not file.is_file():
        pytest.fail(f"FILROUGE_SPECS is set, but there is no {file}.")
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


@pytest.fixture
def asked(fake: FakeGoogle, tmp_path: Path) -> list[Request]:
    """Everything that we ask in a life: a tab made, filled, adopted, changed, renamed, its protected and merged cells."""
    sheet = google(fake, tmp_path)
    table = filled(sheet, PEOPLE)
    table = sheet.add_columns(table, [COLUMNS[2], NewColumn("Lettre", "text", "newsletter", ("inscrit", "désinscrit"))])
    tab = fake.document.tab(TAB)
    tab.merges.append(Area(tab.rows[3], tab.rows[3], tab.columns[0], tab.columns[1]))
    tab.protected.append(
        (
            Area(tab.rows[2], tab.rows[2]),
            {"protectedRangeId": 5, "editors": {"users": []}, "unprotected": [Area(tab.rows[2])]},
        )
    )
    fake.document.put(tab, 1, 3, {"userEnteredValue": {"formulaValue": "=1+2"}, "result": {"numberValue": 3}})
    table = read(sheet)
    write(
        sheet,
        table,
        Changes(
            cells=[cell(table, 0, 0, "Zoë"), cell(table, 0, 2, None)],
            keys=[KeyWrite(table.rows[2].ref, "K")],
            tags={"A": "x"},
        ),
    )
    table = read(sheet)
    write(sheet, table, Changes(rows=[new_row(table, "P9", ("a", *[None] * (len(table.columns) - 1)))]))
    tab.title = "Nos gens"
    read(sheet)
    return [request for request in fake.requests if request.path.startswith("/v4/")]


def test_we_ask_only_what_google_knows(spec: dict[str, Any], asked: list[Request]) -> None:
    methods = spec["resources"]["spreadsheets"]["methods"]
    assert len({method_of(methods, request) for request in asked}) == 3
    for request in asked:
        method = methods[method_of(methods, request)]
        known = set(method["parameters"]) | set(spec["parameters"])
        assert set(request.query) <= known
        if request.body:
            held_to(spec, method["request"]["$ref"], request.json(), "body")
        masks(spec, method["response"]["$ref"], request.one("fields"))


def test_the_fake_answers_as_google_does(spec: dict[str, Any], fake: FakeGoogle, asked: list[Request]) -> None:
    """With our fields and whole; no name and no type that Google does not have."""
    methods = spec["resources"]["spreadsheets"]["methods"]
    for request in asked:
        if "Contacts" in request.raw_query or request.path.endswith("batchUpdate"):
            continue
        for query in (request.raw_query, "includeGridData=true"):
            url, headers = f"{fake.url}{request.path}?{query}", {"Authorization": f"Bearer {fake.tokens[-1]}"}
            answer = requests.request(request.method, url, data=request.body, headers=headers, timeout=10)
            assert answer.status_code == 200
            held_to(spec, methods[method_of(methods, request)]["response"]["$ref"], answer.json(), "answer")
    whole = fake.whole(None, grid=True)
    held_to(spec, "Spreadsheet", whole, "whole")
    assert {"merges", "protectedRanges", "developerMetadata", "data"} <= set(whole["sheets"][1])


def method_of(methods: Mapping[str, Any], request: Request) -> str:
    for name, method in methods.items():
        path = re.sub(r"\{\+?\w+\}", "[^/:]+", method["path"])
        if method["httpMethod"] == request.method and re.fullmatch(f"/{path}", request.path):
            return name
    raise AssertionError(f"Google has no {request.method} {request.path}")


def held_to(spec: dict[str, Any], name: str, value: Any, where: str) -> None:
    """Each name is known, each value is of its type, each word one of the list."""
    properties = spec["schemas"][name]["properties"]
    for key, inner in value.items():
        assert key in properties, f"{where}.{key}"
        fits(spec, properties[key], inner, f"{where}.{key}")


def fits(spec: dict[str, Any], shape: dict[str, Any], value: Any, where: str) -> None:
    if "$ref" in shape:
        held_to(spec, shape["$ref"], value, where)
        return
    assert isinstance(value, TYPES[shape["type"]]), where  # type: ignore[arg-type]  # a type or several
    if "enum" in shape:
        assert value in shape["enum"], where
    if shape["type"] == "array":
        for one in value:
            fits(spec, shape["items"], one, f"{where}[]")


def masks(spec: dict[str, Any], name: str, fields: str) -> None:
    """A field mask names only what the answer has."""
    below(spec, {"$ref": name}, mask_of(fields))


def below(spec: dict[str, Any], shape: dict[str, Any], mask: Mapping[str, Any]) -> None:
    shape = shape.get("items", shape)
    properties = spec["schemas"][shape["$ref"]]["properties"] if "$ref" in shape else {}
    for key, inner in mask.items():
        assert key in properties, key
        below(spec, properties[key], inner)
