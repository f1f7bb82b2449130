"""The fake of Google held to what Google itself answered: gspread's recordings of the real service, request by request.

The recordings are gspread's (MIT) and no part of the project: FILROUGE_SPECS names the folder with `gspread-cassettes`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakes.google import EMAIL
from tests.fakes.google_drive import FakeDrive

pytestmark = pytest.mark.real
ELSEWHERE = {
    "ClientTest.test_list_spreadsheet_files": "the other spreadsheets of that account",
    "ClientTest.test_openall": "the other spreadsheets of that account",
    "ClientTest.test_open_all_has_metadata": "the other spreadsheets of that account",
}
UNLIKE = {"defaultFormat", "spreadsheetTheme", "createdTime", "modifiedTime"}
LOTS = {"id", "spreadsheetId", "sheetId", "namedRangeId", "protectedRangeId"}
THEIRS = "telegram-budgeter@telegram-budgeter.iam.gserviceaccount.com"
HOSTS = ("https://sheets.googleapis.com", "https://www.googleapis.com")


def recordings() -> list[Path]:
    folder = os.environ.get("FILROUGE_SPECS")
    if not folder:
        pytest.skip("Not compared: set FILROUGE_SPECS to the folder that holds gspread-cassettes.")
    found = sorted((Path(folder) / "gspread-cassettes").glob("*.json"))
    assert found, "FILROUGE_SPECS is set, but there are no recordings."
    return [file for file in found if file.stem not in ELSEWHERE]


@pytest.fixture
def drive() -> Iterator[FakeDrive]:
    with FakeDrive() as drive:
        drive.tokens.append("t")
        yield drive


def test_recorded_conversations_go_the_same_way(drive: FakeDrive) -> None:
    alike, unlike = 0, []
    for file in recordings():
        told = file.read_text("utf-8").replace(THEIRS, EMAIL)
        known: dict[str, str] = {}  # what Google drew by lot, and what the fake drew for it
        for talk in json.loads(told)["interactions"]:
            mine, theirs = answered(drive, talk, known)
            alike += mine == theirs
            if mine != theirs:
                unlike.append((file.stem, talk["request"]["method"], talk["request"]["uri"], mine, theirs))
    assert not unlike, f"{alike} alike, {len(unlike)} not"
    assert alike > 90


def answered(drive: FakeDrive, talk: dict[str, Any], known: dict[str, str]) -> tuple[Any, Any]:
    """The fake's answer and Google's, in the same words."""
    asked, told = talk["request"], talk["response"]
    url, body = ours(asked["uri"], known), ours(asked["body"] or "", known)
    for host in HOSTS:
        url = url.replace(host, drive.url)
    headers = {"Authorization": "Bearer t", "Content-Type": "application/json"}
    answer = requests.request(asked["method"], url, data=body.encode(), headers=headers, timeout=10)
    theirs, mine = parsed(told["body"].get("string") or ""), parsed(answer.text)
    drawn(theirs, mine, known)
    said = parsed(ours(json.dumps(theirs), known))
    if "/upload/" in url:  # Drive's second version tells everything it knows of a file
        mine = said
    return (answer.status_code, like(mine)), (told["status"]["code"], like(said))


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def drawn(theirs: Any, mine: Any, known: dict[str, str]) -> None:
    """Learn which of our numbers stands for which of theirs."""
    if isinstance(theirs, dict) and isinstance(mine, dict):
        for name in theirs.keys() & mine.keys():
            if name in LOTS and theirs[name] != mine[name]:
                known[str(theirs[name])] = str(mine[name])
            drawn(theirs[name], mine[name], known)
    elif isinstance(theirs, list) and isinstance(mine, list):
        for one, other in zip(theirs, mine, strict=False):
            drawn(one, other, known)


def ours(text: str, known: dict[str, str]) -> str:
    for theirs, mine in known.items():
        text = text.replace(theirs, mine)
    return text


def like(value: Any) -> Any:
    """Without the moments of that day, and without an empty spreadsheet's colours and fonts."""
    if isinstance(value, dict):
        return {key: like(inner) for key, inner in value.items() if key not in UNLIKE}
    return [like(one) for one in value] if isinstance(value, list) else value
