"""A small organisation whose sheet is a base in Airtable: init to a quiet day by the real command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.airtables import line
from tests.fakes.airtable import BASE, TOKEN, FakeAirtable
from tests.thread.small import LINES, Small
from tests.thread.small import line as ticket

EXCEL = "  type: excel\n  file: Contacts.xlsx\n"

WAITING = 7  # an e-mail waits for approval


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAirtable]:
    monkeypatch.setattr(line, "SPACING", 0.0)
    with FakeAirtable() as world:
        yield world


@pytest.fixture
def small(tmp_path: Path, world: FakeAirtable) -> Small:
    small = Small(tmp_path)
    airtable = f'  type: airtable\n  base: {BASE}\n  token: "${{AIRTABLE_TOKEN}}"\n  endpoint: {world.url}\n'
    small.change("config.yaml", EXCEL, airtable)
    small.write(".env", f"AIRTABLE_TOKEN={TOKEN}\n")
    (tmp_path / ".env").chmod(0o600)
    return small


def by_name(world: FakeAirtable) -> dict[str, dict[str, Any]]:
    return {row["Prénom"]: row for row in world.rows("Contacts")}


def test_the_base_is_filled_kept_up_and_left_alone(small: Small, world: FakeAirtable) -> None:
    assert small.run().code == WAITING
    rows = by_name(world)
    assert (rows["Jeanne"]["Courriel"], rows["Jeanne"]["Visites"]) == ("jeanne.exemple@example.org", 2)
    assert rows["Jeanne"]["Signaux"] == "À relancer"

    calls = len(world.requests)
    assert small.run().code == WAITING
    assert [request.method for request in world.requests[calls:]] == ["GET", "GET"]

    grid = world.grid("Contacts")
    awa = next(one for one in grid.order if "Awa" in grid.records[one]["fields"].values())
    world.type_cell(grid, awa, "Prénom", "Awa-Marie")
    small.export((*LINES, ticket(6, "Jeanne Exemple", "Phèdre", "13/03/2026")))
    assert small.run().code == 0
    rows = by_name(world)
    assert (rows["Awa-Marie"]["Visites"], rows["Jeanne"]["Visites"]) == (2, 3)


def test_check_tells_what_a_month_costs(small: Small, world: FakeAirtable) -> None:
    small.run()
    done = small.filrouge("check", "--online")
    assert (done.code, "30 passages par mois, 2 appels" in done.said.replace("\u00a0", " ")) == (0, True), done.said
    small.change("config.yaml", "every day at 06:00", "every 10 minutes")
    assert "`schedule:`" in small.filrouge("check", "--online").said


def test_the_tabs_beside_count_among_a_months_calls(small: Small, world: FakeAirtable) -> None:
    small.run()
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  todo: À faire\n  journal: Journal\n")
    small.run()
    before = len(world.requests)
    small.run()
    quiet = len(world.requests) - before
    beside = small.filrouge("check", "--online").said
    assert f"{quiet} appels" in beside.replace("\u00a0", " "), beside


def test_an_option_that_nobody_offered_is_named_and_not_made(small: Small, world: FakeAirtable) -> None:
    small.run()
    of = world.grid("Contacts").field("Signaux")
    of.update(type="multipleSelects", options={"choices": [{"id": "selx", "name": "Mécène"}]})
    for record in world.grid("Contacts").records.values():
        record["fields"].pop(of["id"], None)
    done = small.run("--allow-changed", "9")
    assert "« À relancer »" in done.said.replace("\u00a0", " ")
    assert [choice["name"] for choice in of["options"]["choices"]] == ["Mécène"]
    of["options"]["choices"].append({"id": "sely", "name": "À relancer"})
    small.run()
    assert by_name(world)["Jeanne"]["Signaux"] == ["À relancer"]


@pytest.mark.parametrize("old", [BASE, "${AIRTABLE_TOKEN}"])
def test_a_base_or_a_token_that_is_none_is_said_with_its_line(small: Small, old: str) -> None:
    small.change("config.yaml", old, "${AIRTABLE_WRONG}")
    done = small.filrouge("check", AIRTABLE_WRONG="Contacts")
    assert done.code == 2
    assert "config.yaml:" in done.said + done.erred
    assert ("app" if old == BASE else "pat") in done.said + done.erred


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"status": 401}, "airtable.com/create/tokens"),
        ({"status": 403}, "data.records:read"),
        ({"status": 429, "body": b'{"error":{"type":"PUBLIC_API_BILLING_LIMIT_EXCEEDED"}}'}, "pour ce mois"),
    ],
)
def test_what_stands_in_the_way_is_said_and_no_token(
    small: Small, world: FakeAirtable, spoil: dict[str, Any], said: str
) -> None:
    world.fail(times=99, **spoil)
    done = small.run()
    assert done.code == 1
    assert said in done.said + done.erred
    assert TOKEN not in done.said + done.erred


def test_rows_kept_by_a_store_that_was_lost_are_recognised_and_get_new_codes(small: Small, world: FakeAirtable) -> None:
    def said() -> dict[str, dict[str, Any]]:
        return {name: {c: cell for c, cell in row.items() if "rouge" not in c} for name, row in by_name(world).items()}

    small.run()
    before, codes = said(), {row["Fil rouge"] for row in world.rows("Contacts")}
    for file in small.folder.glob("filrouge.db*"):
        file.unlink()
    small.run()
    assert said() == before
    assert len(world.rows("Contacts")) == len(codes)
    assert not codes & {row["Fil rouge"] for row in world.rows("Contacts")}
