"""The whole thread with the team's spreadsheet at Google (its fake): the config, the run, a team at work, the next run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.test_google_races import sort
from tests.fakes.google import EMAIL, SPREADSHEET, FakeGoogle
from tests.fakes.google_grid import GridTab
from tests.sync.sheet.google_team import GoogleTeam, text
from tests.thread.small import LINES, TODAY, Small
from tests.thread.small import line as ticket

SHEET = """\
  type: google
  spreadsheet: "https://docs.google.com/spreadsheets/d/{id}/edit#gid=0"
  credentials: google-key.json
  endpoint: "{endpoint}"
"""


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


@pytest.fixture
def phare(small: Small, fake: FakeGoogle) -> Small:
    key = small.folder / "google-key.json"
    key.write_text(json.dumps(fake.account))
    key.chmod(0o600)
    ours = SHEET.format(id=SPREADSHEET, endpoint=fake.url)
    small.change("config.yaml", "  type: excel\n  file: Contacts.xlsx\n", ours)
    return small


def rows(fake: FakeGoogle, folder: Path) -> dict[Any, dict[str, Any]]:
    return {row.get("Prénom"): row for row in GoogleTeam(fake, folder).shown("Contacts")}


def test_two_runs_with_a_team_in_between(phare: Small, fake: FakeGoogle) -> None:
    done = phare.run()
    assert done.code == 7, done.erred + done.said  # an e-mail waits for approval
    before = rows(fake, phare.folder)
    assert before["Jeanne"]["Signaux"] == "À relancer"
    assert (before["Jeanne"]["Visites"], before["Jeanne"]["Dépensé"]) == (2, 36)
    team = GoogleTeam(fake, phare.folder)
    jeanne = next(line for line in team.tabs["Contacts"].lines if "Jeanne" in line.cells.values())
    team.type_cell("Contacts", jeanne, "Courriel", "jeanne@new.example.org")
    team.rename("Contacts", "Visites", "Nombre de venues")
    sort(fake.document.tab("Contacts"))
    assert phare.run().code == 7
    after = rows(fake, phare.folder)
    assert after["Jeanne"]["Courriel"] == "jeanne@new.example.org"
    assert after["Jeanne"]["Nombre de venues"] == 2
    assert len(after) == len(before)
    asked = len(fake.requests)
    assert phare.run().code == 7
    assert [request.path.rpartition("/")[2] for request in fake.requests[asked:]] == ["token", SPREADSHEET]
    (phare.folder / "google-key.json").chmod(0o644)
    assert "chmod 600" in phare.filrouge("check", "--online").said


def test_lists_and_boxes_are_made_once(phare: Small, fake: FakeGoogle) -> None:
    """The newsletter's few words are a list, a tick a box; a list that the team takes away does not come back."""
    phare.change("config.yaml", "Signaux: flags", "Signaux: flags, Lettre: newsletter")
    phare.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  outbox: Courriels\n")
    phare.run()
    people, mails = fake.document.tab("Contacts"), fake.document.tab("Courriels")
    lists, boxes = places(people, "Lettre"), places(mails, "D'accord")
    assert [word["userEnteredValue"] for word in offer(people, 1, lists)["condition"]["values"]][:2] == [
        "inscrit",
        "en attente",
    ]
    assert offer(mails, 1, boxes)["condition"] == {"type": "BOOLEAN"}
    for row in range(1, len(people.rows)):
        fake.document.put(people, row, lists, {"dataValidation": None})
    phare.export((*LINES, ticket(6, "Paul Nouveau", "Phèdre", "13/03/2026")))
    fake.document.put(mails, 1, boxes, {"userEnteredValue": {"boolValue": True}})
    assert phare.run().facts["mail"]["sent"] == 1
    assert [offer(people, row, lists) for row in range(1, people.last_row())] == [None] * (people.last_row() - 1)


def places(tab: GridTab, header: str) -> int:
    return next(place for place in range(len(tab.columns)) if text(tab.cell(0, place)) == header)


def offer(tab: GridTab, row: int, column: int) -> Any:
    return tab.cell(row, column).get("dataValidation")


def test_a_column_that_is_protected_is_told_once_in_the_summary(phare: Small, fake: FakeGoogle) -> None:
    phare.run()
    tab = fake.document.tab("Contacts")
    place = places(tab, "Visites")
    area = tab.area({"startColumnIndex": place, "endColumnIndex": place + 1})
    tab.protected.append((area, {"protectedRangeId": 9, "editors": {"users": ["direction@example.org"]}}))
    again = [ticket(9 + n, who, "Phèdre", "13/03/2026") for n, who in enumerate(("Jeanne Exemple", "Awa Essai"))]
    phare.export((*LINES, *again))
    said = phare.filrouge("run", today=TODAY).said
    assert said.count(EMAIL) == 1
    assert "est protégée" in said
    assert "(× 2)" in said


def test_what_the_sheet_has_to_remark_stands_in_the_summary(phare: Small) -> None:
    (phare.folder / "google-key.json").chmod(0o644)
    done = phare.filrouge("run", today=TODAY)
    assert "chmod 600" in done.said
    assert "chmod 600" in (phare.folder / "report.html").read_text("utf-8")


def test_a_spreadsheet_that_is_not_shared_says_with_whom(phare: Small, fake: FakeGoogle) -> None:
    fake.role = "none"
    done = phare.filrouge("check", "--online")
    assert done.code == 1
    assert EMAIL in done.said
    fake.role = "reader"
    done = phare.run()
    assert done.code == 1
    assert EMAIL in done.said + done.erred


def test_rows_kept_by_a_store_that_was_lost_are_recognised_and_not_added_again(phare: Small, fake: FakeGoogle) -> None:
    phare.run()
    before = rows(fake, phare.folder)
    for file in phare.folder.glob("filrouge.db*"):
        file.unlink()
    phare.run()
    assert rows(fake, phare.folder) == before
    assert len(GoogleTeam(fake, phare.folder).shown("Contacts")) == len(before)
