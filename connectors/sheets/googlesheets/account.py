"""Who we are at Google: a service account, whose address the team shares the spreadsheet with."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.oauth2.service_account import Credentials

from connectors.trouble import FixFile, LogInAgain, TryLater

SCOPES = ("https://www.googleapis.com/auth/spreadsheets",)
_CLOCK = ("short-lived", "reasonable timeframe", "clock")


class Account:
    """A service account from its JSON key: the path of the file, or its content. Raises `FixFile` for what is none."""

    def __init__(self, key: str, folder: Path) -> None:
        self.open_to_all = False
        facts = self._facts(key, folder)
        try:
            self._credentials = Credentials.from_service_account_info(facts, scopes=SCOPES)  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, TypeError, GoogleAuthError):
            raise FixFile("google-key-file") from None
        self.email = str(facts["client_email"])

    def _facts(self, key: str, folder: Path) -> dict[str, Any]:
        text = key if key.lstrip().startswith("{") else self._read(folder / Path(key.strip()).expanduser())
        try:
            facts = json.loads(text)
        except ValueError:
            raise FixFile("google-key-file") from None
        if not isinstance(facts, dict) or facts.get("type") != "service_account":
            raise FixFile("google-key-file")
        return facts

    def _read(self, file: Path) -> str:
        try:
            self.open_to_all = bool(file.stat().st_mode & stat.S_IROTH)
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise FixFile("google-key-missing", file=file.name) from None

    def token(self, session: requests.Session, timeout: float, *, anew: bool = False) -> str:
        """A token that is good now; `anew` after it was refused."""
        if anew or not self._credentials.valid:
            try:
                self._credentials.refresh(_Transport(session, timeout))
            except RefreshError as error:
                raise self._refused(error) from None
            except TransportError:
                raise TryLater("service-unreachable", service="Google", host="oauth2.googleapis.com") from None
        return str(self._credentials.token)

    def _refused(self, error: RefreshError) -> LogInAgain:
        said = str(error)
        code = "google-clock" if any(word in said for word in _CLOCK) else "google-key-refused"
        return LogInAgain(code, email=self.email)


@dataclass(frozen=True)
class _Said:
    """What google-auth reads of an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _Transport:
    """Carries google-auth's requests. A server that is down is told at once: google-auth would sleep and try again."""

    def __init__(self, session: requests.Session, timeout: float) -> None:
        self._session, self._timeout = session, timeout

    def __call__(
        self, url: str, method: str = "GET", body: Any = None, headers: Any = None, timeout: Any = None, **_: Any
    ) -> _Said:
        del timeout
        try:
            answer = self._session.request(
                method, url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException:
            raise TryLater("service-unreachable", service="Google", host="oauth2.googleapis.com") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TryLater("service-down", service="Google", detail=f"HTTP {answer.status_code}")
        return _Said(answer.status_code, answer.headers, answer.content)
