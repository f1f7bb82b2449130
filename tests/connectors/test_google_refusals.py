"""Everything that Google or its settings can refuse has a sentence that says what to do, and tells no secret."""

from __future__ import annotations

import builtins
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.google import Google, GoogleSettings
from connectors.sheets.sheet import Changes, NewRow
from connectors.source import Setting
from connectors.trouble import FixFile, LogInAgain, Trouble, TryLater
from sync.messages import LANGUAGES, say
from tests.connectors.sheet_contract import COLUMNS, PEOPLE, TAB, cell, filled, read, write
from tests.connectors.test_google import google
from tests.fakes.google import EMAIL, SPREADSHEET, FakeGoogle
from tests.fakes.google_grid import Dimension


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


def sentences(trouble: Trouble) -> list[str]:
    return [say(language, trouble.code, **trouble.facts) for language in LANGUAGES]


@pytest.mark.parametrize(
    ("world", "kind", "code", "must_hold"),
    [
        ({"role": "none"}, LogInAgain, "google-not-shared", EMAIL),
        ({"enabled": False}, LogInAgain, "google-api-off", "42"),
        ({"office": True}, FixFile, "google-office-file", "spreadsheet:"),
        ({"dead": "Invalid JWT Signature."}, LogInAgain, "google-key-refused", EMAIL),
        ({"dead": "Invalid grant: account not found"}, LogInAgain, "google-key-refused", EMAIL),
        (
            {"dead": "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."},
            LogInAgain,
            "google-clock",
            EMAIL,
        ),
    ],
)
def test_who_may_not(
    fake: FakeGoogle, tmp_path: Path, world: dict[str, Any], kind: type[Trouble], code: str, must_hold: str
) -> None:
    for name, value in world.items():
        setattr(fake, name, value)
    with pytest.raises(kind) as caught:
        google(fake, tmp_path).check(TAB)
    assert caught.value.code == code
    assert all(must_hold in sentence for sentence in sentences(caught.value))


def test_a_spreadsheet_that_is_gone(fake: FakeGoogle, tmp_path: Path) -> None:
    with pytest.raises(FixFile) as caught:
        google(fake, tmp_path, spreadsheet="1gone-gone-gone-gone-gone-gone").check(TAB)
    assert caught.value.code == "google-gone"
    assert all(EMAIL in sentence for sentence in sentences(caught.value))


def test_a_reader_may_not_write_and_nothing_is_written(fake: FakeGoogle, tmp_path: Path) -> None:
    sheet = google(fake, tmp_path)
    table = filled(sheet, PEOPLE)
    fake.role = "reader"
    with pytest.raises(LogInAgain) as caught:
        write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
    assert caught.value.code == "google-read-only"
    assert read(sheet) == table


def test_a_full_spreadsheet(fake: FakeGoogle, tmp_path: Path) -> None:
    sheet = google(fake, tmp_path)
    table = filled(sheet, PEOPLE)
    fake.document.limit = fake.document.cells() + 6
    with pytest.raises(FixFile) as caught:
        write(sheet, table, Changes(rows=[NewRow("P9", {"A": "Inès"})]))
    assert caught.value.code == "google-full"
    assert read(sheet) == table


def test_a_refusal_that_we_do_not_know_shows_nothing_of_the_cells(fake: FakeGoogle, tmp_path: Path) -> None:
    sheet = google(fake, tmp_path)
    table = filled(sheet, PEOPLE)
    body = json.dumps({"error": {"code": 400, "message": "Invalid value zoe@example.org"}}).encode()
    fake.fail(path=":batchUpdate", status=400, body=body)
    with pytest.raises(Trouble) as caught:
        write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
    assert caught.value.code == "google-refused"
    assert "zoe" not in str(caught.value)


def test_nobody_answers(tmp_path: Path, fake: FakeGoogle) -> None:
    sheet = google(fake, tmp_path, endpoint="http://127.0.0.1:9")
    with pytest.raises(TryLater) as caught:
        sheet.read(TAB)
    assert caught.value.code == "service-unreachable"
    assert sentences(caught.value)


@pytest.mark.parametrize("status", [500, 503])
def test_the_token_end_point_is_down_for_a_moment(fake: FakeGoogle, tmp_path: Path, status: int) -> None:
    fake.fail(path="/token", status=status, times=2)
    assert google(fake, tmp_path).read(TAB) is None


# The settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        SPREADSHEET,
        f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit#gid=0",
        f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit?usp=sharing",
    ],
)
def test_the_address_as_people_copy_it(fake: FakeGoogle, tmp_path: Path, address: str) -> None:
    sheet = google(fake, tmp_path, spreadsheet=address)
    assert sheet.read(TAB) is None
    assert sheet.address() == f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit"


def test_an_address_of_something_else(fake: FakeGoogle, tmp_path: Path) -> None:
    with pytest.raises(FixFile) as caught:
        google(fake, tmp_path, spreadsheet="Contacts 2026")
    assert caught.value.code == "google-address"
    assert sentences(caught.value)


def test_the_key_from_its_file(fake: FakeGoogle, tmp_path: Path) -> None:
    file = tmp_path / "google-key.json"
    file.write_text(json.dumps(fake.account))
    file.chmod(0o600)
    sheet = google(fake, tmp_path, credentials="google-key.json")
    assert sheet.read(TAB) is None
    assert not sheet.remarks
    file.chmod(0o644)
    assert [code for code, _ in google(fake, tmp_path, credentials="google-key.json").remarks] == ["google-key-open"]


def _no_file(_: dict[str, str]) -> str:
    return "nowhere.json"


def _not_json(_: dict[str, str]) -> str:
    return "{ not json"


def _a_users_token(account: dict[str, str]) -> str:
    return json.dumps(account | {"type": "authorized_user"})


def _half(account: dict[str, str]) -> str:
    return json.dumps({name: value for name, value in account.items() if name != "client_email"})


def _a_broken_key(account: dict[str, str]) -> str:
    return json.dumps(account | {"private_key": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"})


@pytest.mark.parametrize("key", [_no_file, _not_json, _a_users_token, _half, _a_broken_key])
def test_a_key_that_is_none(fake: FakeGoogle, tmp_path: Path, key: Callable[[dict[str, str]], str]) -> None:
    with pytest.raises(FixFile) as caught:
        google(fake, tmp_path, credentials=key(fake.account))
    assert caught.value.code == ("google-key-missing" if key is _no_file else "google-key-file")
    assert sentences(caught.value)


def test_without_the_extra(fake: FakeGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith(("gspread", "google", "connectors.sheets.googlesheets.account")):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    settings = GoogleSettings.model_validate({"spreadsheet": SPREADSHEET, "credentials": "{}"})
    with pytest.raises(FixFile) as caught:
        Google(settings, Setting("sheet", tmp_path))
    assert caught.value.code == "google-missing"
    assert all("filrouge[google]" in sentence for sentence in sentences(caught.value))


# Secrets and people -------------------------------------------------------------------------------------------------


def test_no_secret_and_no_person_in_any_line(
    fake: FakeGoogle, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    sheet = google(fake, tmp_path)
    table = filled(sheet, PEOPLE)
    fake.fail(path=":batchUpdate", drop=True)
    fake.fail(path="/v4/", status=503)
    write(sheet, table, Changes(cells=[cell(table, 0, 0, "Zoë")]))
    fake.dead = "Invalid JWT Signature."
    fake.expire_tokens()
    with pytest.raises(LogInAgain) as caught:
        sheet.read(TAB)
    said = [caplog.text, *capsys.readouterr(), str(caught.value), repr(sheet), repr(sheet.__dict__)]
    for secret in ("ya29", "BEGIN PRIVATE", "zoe@example.org", "Zoë", fake.account["private_key"][40:80]):
        assert not [text for text in said if secret in text], secret


def test_a_tab_that_has_only_headers_in_the_third_row(fake: FakeGoogle, tmp_path: Path) -> None:
    sheet = google(fake, tmp_path)
    table = filled(sheet, PEOPLE)
    tab = fake.document.tab(TAB)
    tab.rows[:0] = [Dimension(), Dimension()]
    fake.document.put(tab, 0, 0, {"userEnteredValue": {"stringValue": "Nos contacts"}})
    after = read(sheet)
    assert [column.header for column in after.columns] == [column.header for column in COLUMNS]
    assert [row.key for row in after.rows] == [row.key for row in table.rows]
