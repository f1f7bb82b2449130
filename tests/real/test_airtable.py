"""The fake's answers and our reading of fields, held to pyairtable's own samples of Airtable's answers.

The samples are pyairtable's (MIT) and no part of the project: FILROUGE_SPECS names the folder that holds
`pyairtable-sample-data/`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pyairtable
import pytest

from connectors.sheets.airtables.fields import COMPUTED, KINDS, WRITABLE, Field, Schema, Unfit, read_cell, write_cell
from connectors.sheets.sheet import Formula
from tests.connectors.sheet_contract import COLUMNS, TAB
from tests.connectors.test_airtable import opened
from tests.fakes.airtable import BASE, TOKEN, FakeAirtable

pytestmark = pytest.mark.real
ZONE = ZoneInfo("America/Montreal")


@pytest.fixture(scope="module")
def samples() -> Path:
    folder = os.environ.get("FILROUGE_SPECS")
    if not folder:
        pytest.skip("Not compared: set FILROUGE_SPECS to the folder that holds pyairtable-sample-data.")
    found = Path(folder) / "pyairtable-sample-data"
    if not found.is_dir():
        pytest.fail(f"FILROUGE_SPECS is set, but there is no {found}.")
    return found


def sample(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def fields(samples: Path) -> dict[str, dict[str, Any]]:
    return {one["type"]: one for one in map(sample, sorted((samples / "field_schema").glob("*.json")))}


def test_every_type_of_field_is_read_and_written_or_refused(samples: Path) -> None:
    known = fields(samples)
    assert len(known) > 30
    assert set(known) >= WRITABLE
    assert set(KINDS.values()) <= set(known)
    for kind, told in known.items():
        field = msgspec.convert(told, Field)
        if kind in WRITABLE:
            assert write_cell(field, None, ZONE, "fr") == (None, None)
        else:
            with pytest.raises(Unfit) as caught:
                write_cell(field, "x", ZONE, "fr")
            assert caught.value.code == ("sheet-formula" if kind in COMPUTED else "airtable-field-type")
        assert isinstance(read_cell(field, ["a", {"name": "b"}], ZONE), Formula) == (kind in COMPUTED)


def test_the_sample_schemas_are_read(samples: Path) -> None:
    read = msgspec.convert(sample(samples / "BaseSchema.json"), Schema)
    assert [table.name for table in read.tables] == ["Apartments", "Districts"]
    assert all(table.key is None and len(table.columns) == len(table.fields) for table in read.tables)


def test_the_fake_tells_its_schema_as_airtable_does(samples: Path) -> None:
    with FakeAirtable() as world:
        opened(world).create(TAB, COLUMNS)
        grid = world.grid(TAB)
        world.add_field(grid, "Choix", "singleSelect", choices=[{"id": "selx", "name": "a", "color": "redLight2"}])
        world.make_formula(grid, "Visites", "1+2", 3)
        address = f"{world.url}/v0/meta/bases/{BASE}/tables"
        told = httpx.get(address, headers={"Authorization": f"Bearer {TOKEN}"}).json()
        parsed = pyairtable.Api(TOKEN, endpoint_url=world.url).base(BASE).schema().table(TAB)
    table, shape = told["tables"][0], sample(samples / "BaseSchema.json")["tables"][0]
    assert set(table) <= set(shape)
    assert set(table["views"][0]) == set(shape["views"][0])
    for made, known in zip(table["fields"], (fields(samples)[one["type"]] for one in table["fields"]), strict=True):
        assert set(made) - {"description"} <= set(known)
        assert set(made.get("options") or {}) <= set(known.get("options") or {})
    assert [field.type for field in parsed.fields] == [one["type"] for one in table["fields"]]
    assert {one["type"] for one in table["fields"]} >= {"singleLineText", "date", "currency", "checkbox", "formula"}
