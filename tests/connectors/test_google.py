"""Google Sheets against its fake: the contract of every sheet, and everything that is Google's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.sheets.google import Google, GoogleSettings
from connectors.sheets.googlesheets.reading import number
from connectors.sheets.sheet import Sheet
from connectors.source import Setting
from tests.connectors.sheet_contract import SheetContract
from tests.fakes.google import SPREADSHEET, FakeGoogle

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def google(fake: FakeGoogle, folder: Path, **more: Any) -> Google:
    settings = {"spreadsheet": SPREADSHEET, "credentials": json.dumps(fake.account), "endpoint": fake.url, **more}
    setting = Setting("sheet", folder, now=lambda: NOW, sleep=lambda _seconds: None)
    return Google(GoogleSettings.model_validate(settings), setting)


@pytest.fixture
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


class TestGoogle(SheetContract):
    longest = 50_000

    @pytest.fixture(autouse=True)
    def world(self, fake: FakeGoogle) -> None:
        self.fake = fake

    def open(self, folder: Path) -> Sheet:
        return google(self.fake, folder)

    def edit(self, folder: Path, tab: str, row: str, column: str, value: Any) -> None:
        entered = {"formulaValue": value} if value.startswith("=") else {"stringValue": value}
        self.fake.document.put(self.fake.document.tab(tab), int(row) - 1, number(column), {"userEnteredValue": entered})
