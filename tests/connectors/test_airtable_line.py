"""The line to Airtable: its pace, lost answers, refusals, and what the token may; every accident that can happen there."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyairtable
import pydantic
import pytest
import structlog
import yaml

from connectors.sheets import airtables
from connectors.sheets.airtable import Airtable, AirtableSettings
from connectors.sheets.sheet import Changes, NewColumn, NewRow, Refused
from connectors.source import Setting
from connectors.trouble import FixFile, GiveUp, LogInAgain, Trouble, TryLater
from sync.messages import say
from tests.connectors.sheet_contract import COLUMNS, PEOPLE, TAB, cell, filled, new_row, read, write
from tests.connectors.test_airtable import opened
from tests.fakes.airtable import BASE, SCOPES, TOKEN, Clock, FakeAirtable
from tests.fakes.server import Request

SEVERAL = tuple((f"Prénom {n}", f"p{n}@example.org", date(2026, 1, 1), n, n / 2, None) for n in range(12))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Iterator[FakeAirtable]:
    with FakeAirtable(clock) as world:
        yield world


@pytest.fixture
def sheet(world: FakeAirtable, clock: Clock) -> Airtable:
    return opened(world, clock)


def keys(world: FakeAirtable) -> list[str]:
    return sorted(row["Fil rouge"] for row in world.rows(TAB))


def asked(world: FakeAirtable, method: str) -> list[Request]:
    return [request for request in world.requests if request.method == method and "/meta/" not in request.path]


def refusals(batches: Any) -> list[Refused]:
    return [refused for batch in batches for refused in batch.refused]


# The pace -----------------------------------------------------------------------------------------------------------


def test_a_thousand_changed_records_take_a_hundred_writes_at_five_a_second(
    sheet: Airtable,
    world: FakeAirtable,
    clock: Clock,
) -> None:
    table = filled(sheet, [(f"n{n}", None, None, n, None, None) for n in range(1000)])
    before, calls, posts = clock.now, sheet.calls.read + sheet.calls.write, len(asked(world, "PATCH"))
    write(sheet, table, Changes(cells=[cell(table, n, 3, n + 1) for n in range(1000)]))
    made = sheet.calls.read + sheet.calls.write - calls
    assert (len(asked(world, "PATCH")) - posts, made) == (100, 110)
    assert clock.now - before <= 1.05 * made / 5
    assert 30.0 not in clock.naps
    assert sorted(row["Visites"] for row in world.rows(TAB)) == list(range(1, 1001))


def test_thirty_changes_in_four_hundred_rows_beside_an_upsert_of_everything(
    sheet: Airtable, world: FakeAirtable
) -> None:
    table = filled(sheet, [(f"n{n}", None, None, n, None, None) for n in range(400)])
    before = len(world.requests)
    write(sheet, table, Changes(cells=[cell(table, n * 13, 3, -1) for n in range(30)]))
    ours, before = len(world.requests) - before, len(world.requests)
    world.clock = None
    peer = pyairtable.Api(TOKEN, endpoint_url=world.url).table(BASE, TAB)
    peer.batch_upsert([{"fields": {"Fil rouge": f"P{n}", "Visites": n}} for n in range(400)], key_fields=["Fil rouge"])
    assert (ours, len(world.requests) - before) == (4, 40)


def test_after_a_refusal_for_haste_it_rests_thirty_seconds(sheet: Airtable, world: FakeAirtable, clock: Clock) -> None:
    table = filled(sheet, PEOPLE)
    world.fail(method="PATCH", status=429, body=b'{"errors":[{"error":"RATE_LIMIT_REACHED"}]}')
    write(sheet, table, Changes(cells=[cell(table, 0, 3, 9)]))
    assert [nap for nap in clock.naps if nap >= 1] == [30.0]
    assert read(sheet).rows[0].cells[3] == 9


def test_a_month_that_is_spent_is_no_reason_to_wait(sheet: Airtable, world: FakeAirtable, clock: Clock) -> None:
    filled(sheet, PEOPLE)
    world.month, before = 0, len(clock.naps)
    with pytest.raises(TryLater) as caught:
        sheet.read(TAB)
    assert caught.value.code == "airtable-month-spent"
    assert max(clock.naps[before:]) < 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_reading_is_tried_again(sheet: Airtable, world: FakeAirtable, status: int) -> None:
    filled(sheet, PEOPLE)
    world.fail(method="GET", status=status, times=2)
    world.fail(method="GET", path=BASE, cut_json=True)
    assert len(read(sheet).rows) == 3


# Lost answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accident", [{"drop": True}, {"cut": True}, {"cut_json": True}, {"html": True}, {"status": 500}, {"status": 502}]
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_lost_answer_makes_no_second_row_and_loses_no_write(
    sheet: Airtable,
    world: FakeAirtable,
    method: str,
    accident: dict[str, Any],
) -> None:
    table = filled(sheet, SEVERAL)
    world.fail(method=method, path=f"/v0/{BASE}", times=2, **accident)
    batches = write(
        sheet,
        table,
        Changes(
            cells=[cell(table, n, 3, 100 + n) for n in range(12)],
            rows=[new_row(table, f"Q{n}", SEVERAL[n]) for n in range(12)],
        ),
    )
    assert len(batches) == 4
    assert keys(world) == sorted([f"P{n}" for n in range(12)] + [f"Q{n}" for n in range(12)])
    assert sorted(row["Visites"] for row in world.rows(TAB)) == [*range(12), *range(100, 112)]


def test_a_write_that_lands_late_is_waited_for(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, ())
    world.fail(method="POST", status=504)
    looks: list[Request] = []

    def late(request: Request) -> None:
        """The servers were slow: what was asked lands between our first look and our second."""
        looks.extend([request] if request.method == "GET" else [])
        if len(looks) == 3:  # the first was to see whether somebody had added a row
            posted = next(old for old in world.requests if b"Zo" in old.body)
            world.before = None
            world.handle(posted)

    world.before = late
    write(sheet, table, Changes(rows=[new_row(table, "P1", PEOPLE[0])]))
    assert keys(world) == ["P1"]


def test_an_answer_that_never_comes_is_told_and_settled_by_its_stamp(sheet: Airtable, world: FakeAirtable) -> None:
    table, stamps = filled(sheet, PEOPLE), list[str]()
    world.fail(method="PATCH", status=503, times=99)
    with pytest.raises(TryLater):
        write(sheet, table, Changes(cells=[cell(table, 0, 3, 9)]), lambda batch: stamps.append(batch.stamp))
    assert sheet.landed(TAB, stamps[0]) is False
    assert len(stamps) == 1


def test_a_table_whose_making_was_not_answered_is_there_once(sheet: Airtable, world: FakeAirtable) -> None:
    world.fail(method="POST", path="/tables", drop=True)
    sheet.create(TAB, COLUMNS)
    world.fail(method="POST", path="/fields", drop=True)
    table = sheet.add_columns(read(sheet), [NewColumn("Dons", "money", "donated")])
    assert [grid.name for grid in world.grids.values()] == [TAB]
    assert [column.header for column in table.columns].count("Dons") == 1


# What a token may, and what stands in the way ------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_where_the_token_makes_no_fields_a_list_says_what_a_person_has_to_make(
    world: FakeAirtable, language: str
) -> None:
    world.table(TAB, {"Nom": "singleLineText"})
    world.scopes = {*SCOPES} - {"schema.bases:write"}
    sheet = opened(world)
    with pytest.raises(FixFile) as caught:
        sheet.create(TAB, COLUMNS)
    said = say(language, caught.value.code, **caught.value.facts)
    assert all(
        header in said for header in ("Fil rouge", "Fil rouge · lot", "Visites", "(nombre)", "schema.bases:write")
    )
    with pytest.raises(FixFile) as caught:
        sheet.create("Autre", COLUMNS)
    assert caught.value.code == "airtable-table-by-hand"
    grid = world.grid(TAB)
    for header in ("Fil rouge", "Fil rouge · lot"):
        world.add_field(grid, header, "singleLineText")
    write(sheet, read(sheet), Changes(rows=[NewRow("P1", {grid.field("Nom")["id"]: "Zoé"})]))
    assert world.rows(TAB)[0]["Nom"] == "Zoé"


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"status": 401}, LogInAgain, "airtable-login"),
        ({"status": 403}, LogInAgain, "airtable-not-allowed"),
        ({"status": 404, "body": b'{"error":"NOT_FOUND"}'}, LogInAgain, "airtable-not-allowed"),
        ({"status": 422, "body": b'{"error":{"type":"INVALID_REQUEST_UNKNOWN"}}'}, GiveUp, "airtable-refused"),
        ({"status": 429, "times": 99}, TryLater, "service-busy"),
        ({"status": 500, "times": 99}, TryLater, "service-down"),
        ({"html": True, "times": 99}, TryLater, "answer-cut"),
        ({"status": 301, "headers": {"Location": "https://elsewhere.example/x"}}, FixFile, "service-moved"),
    ],
)
def test_every_refusal_has_its_sentence(
    sheet: Airtable,
    world: FakeAirtable,
    fault: dict[str, Any],
    kind: type[Trouble],
    code: str,
) -> None:
    world.fail(**fault)
    with pytest.raises(kind) as caught:
        sheet.check(TAB)
    assert caught.value.code == code
    for language in ("fr", "en"):
        assert say(language, code, **caught.value.facts)


def test_a_request_that_is_too_big_is_halved(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, SEVERAL)
    world.fail(method="PATCH", status=413, times=2)
    write(sheet, table, Changes(cells=[cell(table, n, 3, 50) for n in range(10)]))
    assert [row["Visites"] for row in world.rows(TAB)][:10] == [50] * 10


def test_nobody_there(clock: Clock) -> None:
    with FakeAirtable() as gone:
        sheet = opened(gone, clock)
    with pytest.raises(TryLater) as caught:
        sheet.check(TAB)
    assert caught.value.code == "service-unreachable"


def test_without_pyairtable_it_says_what_to_install(world: FakeAirtable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyairtable", None)
    monkeypatch.delitem(sys.modules, "connectors.sheets.airtables.line")
    monkeypatch.delattr(airtables, "line")
    with pytest.raises(FixFile) as caught:
        opened(world)
    assert "filrouge[airtable]" in say("fr", caught.value.code)


def test_what_the_example_config_offers_is_right() -> None:
    lines = (Path(__file__).parents[2] / "config.example.yaml").read_text("utf-8").splitlines()
    (offered,) = [line.removeprefix("# ") for line in lines if line.startswith("# sheet: {type: airtable")]
    settings = yaml.safe_load(offered)["sheet"]
    ours = {name: value for name, value in settings.items() if name not in ("type", "tab", "columns")}
    Airtable(AirtableSettings.model_validate(ours | {"token": TOKEN}), Setting("sheet", Path())).close()
    assert {*ours, "endpoint"} == set(AirtableSettings.model_fields)


@pytest.mark.parametrize("base", [BASE, f"https://airtable.com/{BASE}/tblx/viwy?blocks=hide"])
def test_a_base_is_its_id_or_its_address(world: FakeAirtable, base: str) -> None:
    assert opened(world, base=base).address() == f"https://airtable.com/{BASE}"
    wrongs: list[dict[str, Any]] = [{"base": "Contacts"}, {"token": "keyOldAndDead"}, {"token": "pat\né"}]
    for wrong in wrongs:
        with pytest.raises(pydantic.ValidationError) as caught:
            opened(world, None, **wrong)
        assert "keyOld" not in str(caught.value)


def test_nothing_is_replaced_or_interpreted_and_no_secret_is_told(
    world: FakeAirtable,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        sheet = opened(world, clock)
        table = filled(sheet, [("Zoé Secrète", "zoe@example.org", None, None, None, None)])
        world.fail(method="PATCH", drop=True)
        write(sheet, table, Changes(cells=[cell(table, 0, 0, "=1+1"), cell(table, 0, 1, None)]))
        world.fail(method="GET", status=401)
        with pytest.raises(LogInAgain) as caught:
            sheet.read(TAB)
    told = f"{logs}{caplog.text}{caught.value!r}{caught.value.__context__!r}{sheet!r}"
    assert logs
    assert not [secret for secret in (TOKEN, "Secrète", "zoe@example.org") if secret in told]
    bodies = [json.loads(request.body) for request in world.requests if request.body]
    assert not [request for request in world.requests if request.method == "PUT"]
    assert not [body for body in bodies if body.get("typecast") or "performUpsert" in body]
    assert world.rows(TAB)[0]["Prénom"] == "=1+1"
