"""gspread's way to Google, made polite: paced below the quotas, repeated where that does no harm, and never for ever."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import gspread
import requests
import structlog
from gspread.urls import SPREADSHEETS_API_V4_BASE_URL
from pyrate_limiter import InMemoryBucket, Rate, RateItem

from connectors.sheets.googlesheets.account import Account
from connectors.sheets.googlesheets.errors import Said, said, trouble
from connectors.sheets.sheet import Calls
from connectors.source import Setting
from connectors.trouble import Trouble, TryLater

PACE = Rate(60, 61_000)  # reads, and as many writes, a minute for each user of a project; a second for the way
TIMEOUT = (20.0, 200.0)  # Google itself cuts a request after 180 seconds: whoever waits longer knows that it is over
ATTEMPTS = 7
HOST = "https://sheets.googleapis.com"

log = structlog.get_logger()


class Session(gspread.HTTPClient):
    """One spreadsheet at Google. Raises `connectors.trouble`. `calls` counts every request, repeats included."""

    def __init__(
        self, account: Account, spreadsheet: str, endpoint: str | None, setting: Setting, calls: Calls
    ) -> None:
        super().__init__(auth=None, session=requests.Session())  # type: ignore[arg-type]  # the token is our own affair
        self.account, self.calls, self.spreadsheet = account, calls, spreadsheet
        self._base = (endpoint or HOST).rstrip("/") + SPREADSHEETS_API_V4_BASE_URL.removeprefix(HOST)
        self._sleep, self._ahead = setting.sleep or time.sleep, 0.0
        self._buckets = {kind: InMemoryBucket([PACE]) for kind in ("read", "write")}

    def read(self, path: str = "", *, params: Mapping[str, Any], body: Mapping[str, Any] | None = None) -> bytes:
        """Ask; by POST where there is a body. The answer is whole JSON."""
        outcome: Said | Trouble = TryLater("service-busy", service="Google")
        for attempt in range(1, ATTEMPTS + 1):
            outcome = self._once("read", path, params, body)
            if isinstance(outcome, Said) and outcome.status == 200 and outcome.whole:
                return outcome.body
            if not self._wait(outcome, attempt):
                break
        raise self._trouble(outcome, writing=False)

    def write(
        self, body: Mapping[str, Any], params: Mapping[str, Any], landed: Callable[[], bool | None]
    ) -> bytes | None:
        """One `batchUpdate`. Where its answer was lost, `landed` is asked before anything is sent again; None: it landed,
        and nobody knows what the answer was.
        """
        outcome: Said | Trouble = TryLater("service-busy", service="Google")
        for attempt in range(1, ATTEMPTS + 1):
            outcome = self._once("write", ":batchUpdate", params, body)
            if isinstance(outcome, Said) and outcome.status == 200 and outcome.whole:
                return outcome.body
            waited = self._wait(outcome, attempt)
            in_doubt = outcome.in_doubt if isinstance(outcome, Said) else outcome.code != "service-unreachable"
            if in_doubt:
                there = landed()
                if there:
                    return None
                if there is None:
                    raise TryLater("google-answer-lost")
            if not waited:
                break
        raise self._trouble(outcome, writing=True)

    def close(self) -> None:
        self.session.close()

    # One request

    def _once(self, kind: str, path: str, params: Mapping[str, Any], body: Mapping[str, Any] | None) -> Said | Trouble:
        for renewed in (False, True):
            self._pace(kind)
            setattr(self.calls, kind, getattr(self.calls, kind) + 1)
            outcome = self._send(path, params, body, renewed=renewed)
            if not (isinstance(outcome, Said) and outcome.status == 401):
                break
        return outcome

    def _send(
        self, path: str, params: Mapping[str, Any], body: Mapping[str, Any] | None, *, renewed: bool
    ) -> Said | Trouble:
        try:
            self.session.auth = _Bearer(self.account.token(self.session, TIMEOUT[0], anew=renewed))
            answer = self.session.request(
                "POST" if body is not None else "GET",
                f"{self._base}/{self.spreadsheet}{path}",
                params=params,
                json=body,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except TryLater:  # no token to be had: nothing has left
            return TryLater("service-unreachable", service="Google", host="oauth2.googleapis.com")
        except (requests.ConnectTimeout, requests.exceptions.InvalidURL):
            return self._unreachable()
        except requests.ConnectionError as error:
            lost = "NewConnectionError" not in str(error) and "NameResolution" not in str(error)
            return TryLater("google-answer-lost") if lost else self._unreachable()
        except requests.RequestException:
            return TryLater("google-answer-lost")
        return said(answer.status_code, answer.content)

    def _unreachable(self) -> TryLater:
        return TryLater("service-unreachable", service="Google", host=self._base.split("/")[2])

    # Waiting

    def _wait(self, outcome: Said | Trouble, attempt: int) -> bool:
        """Wait if another attempt makes sense."""
        passing = outcome.passing if isinstance(outcome, Said) else isinstance(outcome, TryLater)
        if not passing or attempt == ATTEMPTS:
            return False
        busy = isinstance(outcome, Said) and outcome.status == 429
        # The quota is filled up again each minute.
        seconds = min(60.0, (5.0 if busy else 0.5) * 2.0 ** (attempt - 1)) * random.uniform(0.7, 1.0)  # noqa: S311  jitter
        log.info("waiting", service="Google", seconds=round(seconds, 1), busy=busy)
        self._pause(seconds)
        return True

    def _pace(self, kind: str) -> None:
        bucket = self._buckets[kind]
        while not bucket.put(item := RateItem(kind, self._now())):
            wait = bucket.waiting(item)
            self._pause((wait if isinstance(wait, int) and wait > 0 else 1) / 1000)
        bucket.leak(self._now())

    def _now(self) -> int:
        return int((time.monotonic() + self._ahead) * 1000)

    def _pause(self, seconds: float) -> None:
        """Sleep; where the sleep only pretends, our clock goes on all the same."""
        before = time.monotonic()
        self._sleep(seconds)
        self._ahead += max(0.0, seconds - (time.monotonic() - before))

    def _trouble(self, outcome: Said | Trouble, *, writing: bool) -> Trouble:
        return outcome if isinstance(outcome, Trouble) else trouble(outcome, self.account.email, writing=writing)


class _Bearer(requests.auth.AuthBase):
    """Signs a request. As `auth` and not as a header, so that no .netrc has a say."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
