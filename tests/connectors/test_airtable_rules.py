"""What Airtable asks of a good guest: its types, its ten a request, its colleagues; and what a month of it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyairtable
import pytest

from connectors.sheets.airtable import Airtable
from connectors.sheets.sheet import Cell, Changes, Refused, Table
from connectors.trouble import TryLater
from sync.messages import say
from tests.connectors.sheet_contract import PEOPLE, TAB, cell, filled, new_row, read, write
from tests.connectors.test_airtable import opened
from tests.fakes.airtable import BASE, TOKEN, Clock, FakeAirtable
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


# One record does not cost the others --------------------------------------------------------------------------------


def test_a_record_that_airtable_refuses_costs_only_its_cell(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, SEVERAL)
    world.grid(TAB).field("Visites")["type"] = "rating"
    # The schema that we know says number; what Airtable takes has changed since.
    cells = [cell(table, n, 3, 99 if n == 7 else 3) for n in range(10)]
    batches = write(sheet, table, Changes(cells=[*cells, cell(table, 7, 0, "Zoé")]))
    assert [(refused.key, refused.code) for refused in refusals(batches)] == [("P7", "airtable-refused-cell")]
    assert sum(len(batch.changes.cells) for batch in batches) == 10
    rows = {row["Fil rouge"]: row for row in world.rows(TAB)}
    assert (rows["P7"]["Prénom"], rows["P7"]["Visites"], rows["P8"]["Visites"]) == ("Zoé", 7, 3)


def test_a_new_row_that_airtable_refuses_costs_only_its_cell(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, ())
    world.grid(TAB).field("Visites").update(type="rating")
    rows = [new_row(table, f"Q{n}", ("a", None, None, 99 if n == 3 else 1, None, None)) for n in range(10)]
    assert [refused.key for refused in refusals(write(sheet, table, Changes(rows=rows)))] == ["Q3"]
    assert keys(world) == [f"Q{n}" for n in range(10)]


def test_a_locked_field_costs_one_call_more_and_not_one_a_record(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, SEVERAL)
    world.locked.add(world.grid(TAB).field("Visites")["id"])
    before = len(asked(world, "PATCH"))
    batches = write(sheet, table, Changes(cells=[cell(table, n, place, 50) for n in range(12) for place in (3, 4)]))
    assert {refused.code for refused in refusals(batches)} == {"airtable-locked"}
    assert len(refusals(batches)) == 12
    assert len(asked(world, "PATCH")) - before == 3
    assert [row["Dépensé"] for row in world.rows(TAB)] == [50] * 12


@pytest.mark.parametrize(
    ("kind", "options", "value", "code"),
    [
        ("number", {}, "beaucoup", "airtable-needs-number"),
        ("currency", {}, True, "airtable-needs-number"),
        ("rating", {"max": 5}, 6, "airtable-needs-rating"),
        ("date", {}, "hier", "airtable-needs-date"),
        ("dateTime", {}, 3, "airtable-needs-date"),
        ("checkbox", {}, "peut-être", "airtable-needs-tick"),
        ("singleSelect", {"choices": [{"name": "Abonné"}]}, "Fidèle", "airtable-option-missing"),
        ("multipleSelects", {"choices": [{"name": "Don"}]}, "Don, À relancer", "airtable-option-missing"),
        ("multipleAttachments", {}, "x", "airtable-field-type"),
        ("richText", {}, "*x*", "airtable-field-type"),
        ("multipleRecordLinks", {}, "x", "airtable-field-type"),
        ("rollup", {}, 3, "sheet-formula"),
        ("createdTime", {}, date(2026, 1, 1), "sheet-formula"),
    ],
)
def test_what_a_field_can_not_hold_is_refused_with_a_sentence(
    sheet: Airtable,
    world: FakeAirtable,
    kind: str,
    options: dict[str, Any],
    value: Cell,
    code: str,
) -> None:
    world.add_field(world.table(TAB, {"Nom": "singleLineText"}), "Champ", kind, **options)
    world.type_row(world.grid(TAB), {"Nom": "Zoé"})
    table = read(sheet)
    (refused,) = refusals(write(sheet, table, Changes(cells=[cell(table, 0, 1, value), cell(table, 0, 0, "Zoë")])))
    assert refused.code == code
    for language in ("fr", "en"):
        assert f"{TAB} · Champ" in say(language, refused.code, **refused.facts)
    assert world.rows(TAB)[0]["Nom"] == "Zoë"
    if code == "airtable-option-missing":
        assert str(value).rpartition(", ")[2] in say("fr", code, **refused.facts)
        assert "À relancer" not in str(world.grid(TAB).fields)


@pytest.mark.parametrize(
    ("kind", "value", "stands"),
    [
        ("email", "zoe@example.org", "zoe@example.org"),
        ("phoneNumber", "+15145550199", "+15145550199"),
        ("multilineText", "a\nb", "a\nb"),
        ("singleLineText", "a\r\nb", "a b"),
        ("singleLineText", 12.0, "12"),
        ("singleLineText", True, "oui"),
        ("singleLineText", date(2026, 1, 2), "2026-01-02"),
        ("percent", 0.5, 0.5),
        ("rating", 4, 4),
        ("rating", 0, None),
        ("date", datetime(2026, 1, 2, 20, 30), date(2026, 1, 2)),  # noqa: DTZ001  a cell has no zone
        ("dateTime", date(2026, 7, 2), datetime(2026, 7, 2)),  # noqa: DTZ001
        ("dateTime", datetime(2026, 3, 8, 2, 30), datetime(2026, 3, 8, 3, 30)),  # noqa: DTZ001  the hour that is left out
        ("dateTime", datetime(2026, 11, 1, 1, 30), datetime(2026, 11, 1, 1, 30)),  # noqa: DTZ001  the hour that comes twice
        ("checkbox", True, True),
        ("checkbox", False, None),
        ("singleSelect", "Abonné", "Abonné"),
        ("multipleSelects", "Don, Abonné", "Don, Abonné"),
    ],
)
def test_a_value_is_read_back_as_the_batch_said(
    sheet: Airtable,
    world: FakeAirtable,
    kind: str,
    value: Cell,
    stands: Cell,
) -> None:
    choices = {"choices": [{"name": "Abonné"}, {"name": "Don"}]} if "Select" in kind else {}
    world.add_field(world.table(TAB, {"Nom": "singleLineText"}), "Champ", kind, **choices)
    world.type_row(world.grid(TAB), {"Nom": "Zoé"})
    table = read(sheet)
    (batch,) = write(sheet, table, Changes(cells=[cell(table, 0, 1, value)]))
    assert batch.changes.cells[0].value == stands == read(sheet).rows[0].cells[1]
    assert type(read(sheet).rows[0].cells[1]) is type(stands)


def test_a_moment_is_local_here_and_utc_there(sheet: Airtable, world: FakeAirtable) -> None:
    grid = world.table(TAB, {"Nom": "singleLineText", "Quand": "dateTime"}, [{"Quand": "2026-07-14T23:30:00.000Z"}])
    assert read(sheet).rows[0].cells[1] == datetime(2026, 7, 14, 19, 30)  # noqa: DTZ001  a cell has no zone
    table = read(sheet)
    write(sheet, table, Changes(cells=[cell(table, 0, 1, datetime(2026, 1, 14, 19, 30))]))  # noqa: DTZ001
    (record,) = grid.records.values()
    assert record["fields"][grid.field("Quand")["id"]] == "2026-01-15T00:30:00.000Z"
    assert datetime.fromisoformat("2026-01-15T00:30:00.000Z").tzinfo == UTC


# Colleagues ---------------------------------------------------------------------------------------------------------


def between(world: FakeAirtable, act: Callable[[], None], *, method: str, skip: int = 0) -> None:
    """Something that a colleague does just before a call of ours is answered."""
    seen = {"n": 0}

    def before(request: Request) -> None:
        if request.method == method and "/meta/" not in request.path:
            seen["n"] += 1
            if seen["n"] == skip + 1:
                act()

    world.before = before


def test_a_row_edited_meanwhile_is_left_out_and_the_others_land(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, SEVERAL)
    grid = world.grid(TAB)
    between(world, lambda: world.type_cell(grid, table.rows[4].ref, "Prénom", "à la main"), method="GET")
    landed: list[str] = []
    changes = Changes(cells=[cell(table, n, 0, "nous") for n in range(12)])
    with pytest.raises(TryLater) as caught:
        sheet.write(table, changes, lambda _: None, lambda batch: landed.extend(c.key for c in batch.changes.cells))
    assert caught.value.code == "sheet-changed"
    assert sorted(landed) == sorted(f"P{n}" for n in range(12) if n != 4)
    assert grid.records[table.rows[4].ref]["fields"][grid.field("Prénom")["id"]] == "à la main"


def test_a_row_typed_meanwhile_may_be_the_person_we_were_about_to_add(sheet: Airtable, world: FakeAirtable) -> None:
    for people in ((), SEVERAL):
        world.grids.clear()
        table = filled(sheet, people)
        world.type_row(world.grid(TAB), {})
        changes = Changes(rows=[new_row(table, "Q1", PEOPLE[0])])
        assert len(write(sheet, table, changes)) == 1
        table = read(sheet)
        world.type_row(world.grid(TAB), {"Courriel": "ines@example.org"})
        with pytest.raises(TryLater):
            write(sheet, table, Changes(rows=[new_row(table, "Q2", PEOPLE[1])]))
        assert "Q2" not in [row.key for row in read(sheet).rows]


def test_a_row_removed_at_the_last_moment_does_not_cost_the_nine_others(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, SEVERAL)
    between(world, lambda: world.delete(world.grid(TAB), table.rows[4].ref), method="PATCH")
    with pytest.raises(TryLater):
        write(sheet, table, Changes(cells=[cell(table, n, 0, "nous") for n in range(10)]))
    rows = {row["Fil rouge"]: row["Prénom"] for row in world.rows(TAB)}
    assert [rows.get(f"P{n}") for n in range(10)] == ["nous"] * 4 + [None] + ["nous"] * 5


def test_a_field_removed_while_we_read_is_no_column_of_empty_cells(sheet: Airtable, world: FakeAirtable) -> None:
    filled(sheet, [(f"n{n}", "x@example.org", None, n, None, None) for n in range(150)])
    between(world, lambda: world.remove_field(world.grid(TAB), "Courriel"), method="GET", skip=1)
    table = read(sheet)
    assert "Courriel" not in [column.header for column in table.columns]
    assert len(table.rows) == 150


def test_a_field_removed_before_we_write_asks_for_a_new_reading(sheet: Airtable, world: FakeAirtable) -> None:
    table = filled(sheet, PEOPLE)
    for act in ("PATCH", "GET"):
        between(world, lambda: world.remove_field(world.grid(TAB), "Visites"), method=act)
        with pytest.raises(TryLater) as caught:
            write(sheet, table, Changes(cells=[cell(table, 0, 3, 9)]))
        assert caught.value.code == "sheet-changed"
        world.before = None
        world.add_field(world.grid(TAB), "Visites", "number")
        table = read(sheet)
        table = Table(TAB, [*table.columns[:3], table.columns[-1], *table.columns[3:-1]], table.rows, table.revision)


def test_names_may_change(sheet: Airtable, world: FakeAirtable) -> None:
    """Fields made by us carry our mark; tables and fields are written by id."""
    table = filled(sheet, PEOPLE)
    grid = world.grid(TAB)
    for old, new in {
        "Prénom": "Petit nom",
        "Fil rouge": "(ne pas toucher)",
        "Fil rouge · lot": "(ici non plus)",
    }.items():
        grid.field(old)["name"] = new
    grid.name = "Public"
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
    after = opened(world).read("Public")
    assert after is not None
    assert (after.columns[0].header, after.columns[0].tag) == ("Petit nom", "first_name")
    assert ([row.key for row in after.rows], after.rows[0].cells[0]) == (["P0", "P1", "P2"], "Zoë")
    by_id = opened(world).read(grid.id)
    assert by_id is not None
    assert by_id.rows == after.rows


def test_a_reading_that_breaks_off_begins_again(sheet: Airtable, world: FakeAirtable) -> None:
    filled(sheet, [(f"n{n}", None, None, n, None, None) for n in range(250)])
    between(world, world.restart, method="GET", skip=1)
    before = len(asked(world, "GET"))
    assert len(read(sheet).rows) == 250
    assert len(asked(world, "GET")) - before == 2 + 3
    world.before = lambda _: world.restart()
    with pytest.raises(TryLater) as caught:
        sheet.read(TAB)
    assert caught.value.code == "airtable-paging"


def test_what_a_base_computes_makes_no_row_and_no_change(sheet: Airtable, world: FakeAirtable) -> None:
    grid = world.table(TAB, {"Nom": "singleLineText", "Modifié": "lastModifiedTime"}, [{"Nom": "Zoé"}, {}])
    table = read(sheet)
    assert len(table.rows) == 1
    grid.records[table.rows[0].ref]["lastModifiedTime"] = "2026-06-01T00:00:00.000Z"
    assert len(write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))) == 1


# What a month costs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "runs", "code"),
    [
        ("free", 30, "airtable-month-fits"),
        ("free", 720, "airtable-month-over"),
        ("team", 720, "airtable-month-fits"),
        ("business", 9999, "airtable-month-unlimited"),
    ],
)
def test_a_month_is_reckoned(world: FakeAirtable, plan: str, runs: int, code: str) -> None:
    world.clock = None
    filled(opened(world), [(f"n{n}", None, None, n, None, None) for n in range(250)])
    sheet = opened(world, plan=plan)
    sheet.read(TAB)
    found, facts = sheet.month(runs)
    assert (found, facts["reading"], facts["calls"]) == (code, 4, 4 * runs)
    assert "4" in say("fr", found, **facts)


# The fake ------------------------------------------------------------------------------------------------------------


def test_pyairtable_is_at_home_in_the_fake(world: FakeAirtable) -> None:
    world.clock = None
    api = pyairtable.Api(TOKEN, endpoint_url=world.url)
    made = api.base(BASE).create_table("Gens", [{"name": "Nom", "type": "singleLineText"}])
    made.create_field("Visites", "number", options={"precision": 0})
    rows = made.batch_create([{"Nom": f"n{n}", "Visites": n} for n in range(250)])
    assert len(made.all()) == 250
    assert [row["fields"]["Nom"] for row in made.all(sort=["-Nom"], max_records=1)] == ["n99"]
    assert made.first(formula="{Nom}='n7'") is not None
    made.batch_update([{"id": rows[0]["id"], "fields": {"Visites": 5}}])
    result = made.batch_upsert([{"fields": {"Nom": "n1", "Visites": 9}}, {"fields": {"Nom": "neu"}}], ["Nom"])
    assert (len(result["updatedRecords"]), len(result["createdRecords"])) == (1, 1)
    assert made.get(rows[0]["id"])["fields"] == {"Nom": "n0", "Visites": 5}
    made.update(rows[0]["id"], {"Nom": "seul"}, replace=True)
    assert made.get(rows[0]["id"])["fields"] == {"Nom": "seul"}
    assert made.delete(rows[0]["id"])["deleted"]
    assert len(made.batch_delete([row["id"] for row in rows[1:21]])) == 20
    assert [field.type for field in made.schema(force=True).fields] == ["singleLineText", "number"]
    assert api.whoami()["id"].startswith("usr")
    with pytest.raises(Exception, match="INVALID_VALUE_FOR_COLUMN"):
        made.create({"Visites": "7"})
    assert made.create({"Visites": "7"}, typecast=True)["fields"]["Visites"] == 7
