"""The whole thread with the team's spreadsheet at Google (its fake): the config, the run, a team at work, the next run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.test_google_races import sort
from tests.fakes.google import EMAIL, SPREADSHEET, FakeGoogle
from tests.sync.sheet.google_team import GoogleTeam
from tests.thread.small import Small

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


def test_a_spreadsheet_that_is_not_shared_says_with_whom(phare: Small, fake: FakeGoogle) -> None:
    fake.role = "none"
    done = phare.filrouge("check", "--online")
    assert done.code == 1
    assert EMAIL in done.said
    fake.role = "reader"
    done = phare.run()
    assert done.code == 1
    assert EMAIL in done.said + done.erred
