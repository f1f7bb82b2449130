"""Stands in for the `conftest.py` of gspread's own tests, which replays recordings: here every request goes to the fake."""

from __future__ import annotations

import io
import itertools
import unittest
from collections.abc import Iterator
from typing import Any

import gspread
import pytest
import requests

from tests.fakes.google_drive import FakeDrive

I18N_STR = "Iñtërnâtiônàlizætiøn"
HOSTS = ("https://sheets.googleapis.com", "https://www.googleapis.com")
BROKEN = b"<html><body><h1>Failed</h1></body></html>"


class GspreadTest(unittest.TestCase):
    """What gspread's test classes are made of."""

    @classmethod
    def get_temporary_spreadsheet_title(cls, suffix: str = "") -> str:
        return f"Test {cls.__name__} {suffix}"

    def _sequence_generator(self) -> Iterator[str]:
        name = self.id().rpartition(".")[2]
        return (f"{name} {number}" for number in itertools.count(1))


class Broken(gspread.HTTPClient):
    def request(self, *_: Any, **__: Any) -> requests.Response:
        answer = requests.Response()
        answer.raw, answer.status_code, answer.encoding = io.BytesIO(BROKEN), 500, "text/html"
        raise gspread.exceptions.APIError(answer)


def invalid_json_client() -> tuple[gspread.Client, bytes]:
    return gspread.Client(auth=None, session=requests.Session(), http_client=Broken), BROKEN  # type: ignore[arg-type]  # no account


@pytest.fixture(scope="module")
def client() -> Iterator[gspread.Client]:
    with FakeDrive() as drive, requests.Session() as session:
        drive.tokens.append("t")
        session.headers["Authorization"] = "Bearer t"

        class Loopback(gspread.HTTPClient):
            def request(self, method: str, endpoint: str, *args: Any, **more: Any) -> requests.Response:
                for host in HOSTS:
                    endpoint = endpoint.replace(host, drive.url)
                return super().request(method, endpoint, *args, **more)

        yield gspread.Client(auth=None, session=session, http_client=Loopback)  # type: ignore[arg-type]  # the session has the token
