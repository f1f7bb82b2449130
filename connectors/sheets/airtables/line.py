"""The line to Airtable: pyairtable's requests, at the pace Airtable allows, each refusal told by what to do about it.

pyairtable itself does not pace, gives up after 3 seconds where Airtable wants 30, and repeats what may have landed. So
its own retry is off and its session is this one: at most 5 requests a second, 30 seconds of rest after a refusal for
haste, and only what surely did nothing or only reads is sent again. (airtable.com/developers/web/api: rate-limits, errors)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pyairtable
import requests
import structlog
import urllib3

from connectors.sheets.sheet import Calls
from connectors.trouble import FixFile, GiveUp, LogInAgain, Trouble, TryLater

SPACING = 0.201  # seconds from one request to the next: 5 a second per base, with a hair to spare
PENALTY = 30.0  # seconds in which nothing succeeds after a refusal for haste
ATTEMPTS = 6
LONGEST_WAIT = 300.0  # seconds that one request may wait in all
TIMEOUT = (10, 60)  # seconds to connect, and for an answer
SERVICE = "Airtable"
SPENT = "PUBLIC_API_BILLING_LIMIT_EXCEEDED"

log = structlog.get_logger()
# its lines hold whole addresses: formulas with keys
logging.getLogger("urllib3").setLevel(logging.WARNING)


class Busy(TryLater):
    """Nothing was done; it may be asked again after `after` seconds."""


class Uncertain(TryLater):
    """No whole answer came: what was asked may have been done."""


class Wrong(GiveUp):
    """Airtable did not take what was sent, and did nothing of it. `message` may hold a value: it is for no log."""

    def __init__(self, status: int, kind: str, message: str, path: str) -> None:
        super().__init__("airtable-refused", status=status, type=kind or "?", path=path)
        self.status, self.kind, self.message = status, kind, message


class Line(requests.Session):
    """A session of `requests` that raises `connectors.trouble` instead of giving back a refusal."""

    def __init__(self, calls: Calls, sleep: Callable[[float], None] | None) -> None:
        super().__init__()
        self.calls = calls
        self._sleep = sleep or time.sleep
        # With a clock that only sleeping moves on, pacing can be tried without waiting.
        self._slept: float | None = 0.0 if sleep else None
        self._next = 0.0

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        name, path = str(method).upper(), urlsplit(str(url)).path
        harmless = _only_reads(name, path)
        waited = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(name, str(url), path, *args, **kwargs)
            except (Busy, Uncertain) as trouble:
                pause = max(trouble.after or 0.0, min(30.0, 2.0 ** (attempt - 1)))
                sure = harmless or isinstance(trouble, Busy)
                if not sure or attempt == ATTEMPTS or waited + pause > LONGEST_WAIT:
                    raise
                log.info("waiting", service=SERVICE, seconds=round(pause, 1), why=trouble.code)
            self.rest(pause)
            waited += pause
        raise AssertionError("unreachable")

    def rest(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._slept is not None:
            self._slept += seconds

    def _now(self) -> float:
        return time.monotonic() if self._slept is None else self._slept

    def _pace(self) -> None:
        wait = self._next - self._now()
        if wait > 0:
            self.rest(wait)
        self._next = self._now() + SPACING

    def _once(self, method: str, url: str, path: str, *args: Any, **kwargs: Any) -> requests.Response:
        self._pace()
        if _only_reads(method, path):
            self.calls.read += 1
        else:
            self.calls.write += 1
        try:
            answer = super().request(method, url, *args, **kwargs | {"allow_redirects": False})
        except requests.RequestException as error:
            raise _silence(error, url, path) from None
        log.debug("asked", service=SERVICE, path=path, status=answer.status_code, bytes=len(answer.content))
        trouble = _judged(answer, path)
        if trouble is not None:
            raise trouble
        return answer


def _only_reads(method: str, path: str) -> bool:
    return method == "GET" or path.endswith("/listRecords")


def _silence(error: requests.RequestException, url: str, path: str) -> Trouble:
    """No answer at all, or none that is whole."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError) or isinstance(
        reason, urllib3.exceptions.NewConnectionError
    ):
        return Busy("service-unreachable", service=SERVICE, host=urlsplit(url).hostname or "?")
    if isinstance(error, requests.exceptions.Timeout):
        return Uncertain("service-slow", service=SERVICE, path=path)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return FixFile("airtable-endpoint")
    return Uncertain("answer-cut", service=SERVICE, path=path)


def _judged(answer: requests.Response, path: str) -> Trouble | None:  # noqa: PLR0911  one line a kind of answer
    """What an answer means, None if all is well."""
    status = answer.status_code
    if 300 <= status < 400:
        target = urlsplit(answer.headers.get("Location", ""))
        return FixFile("service-moved", service=SERVICE, to=f"{target.scheme}://{target.netloc}")
    if status < 300:
        return None if _whole(answer) else Uncertain("answer-cut", service=SERVICE, path=path)
    kind, message = _error_of(answer)
    if kind == SPENT:
        return TryLater("airtable-month-spent")
    if status == 429:
        return Busy("service-busy", after=max(PENALTY, _after(answer)), service=SERVICE)
    if status >= 500:
        return Uncertain("service-down", after=_after(answer), service=SERVICE, detail=f"HTTP {status}")
    if status == 401:
        return LogInAgain("airtable-login")
    if status in (403, 404) and not _is_about_records(kind, message):
        return LogInAgain("airtable-not-allowed", type=kind or "?")
    return Wrong(status, kind, message, path)


def _is_about_records(kind: str, message: str) -> bool:
    """A field that is locked, or a record that is gone; not the base, the table or the token."""
    return kind == "ROW_DOES_NOT_EXIST" or (kind == "INVALID_PERMISSIONS" and "field" in message.casefold())


def _whole(answer: requests.Response) -> bool:
    try:
        return not answer.content or isinstance(answer.json(), dict)
    except ValueError:
        return False


def _error_of(answer: requests.Response) -> tuple[str, str]:
    """`{"error": {"type": …, "message": …}}`, `{"error": "NOT_FOUND"}`, or `{"errors": [{"error": …, "message": …}]}`."""
    try:
        told = answer.json()
        error = told["errors"][0] if "errors" in told else told["error"]
    except (ValueError, LookupError, TypeError):
        return "", ""
    if isinstance(error, dict):
        return str(error.get("type") or error.get("error", "")), str(error.get("message", ""))
    return str(error), ""


def _after(answer: requests.Response) -> float:
    text = answer.headers.get("Retry-After", "").strip()
    return float(text) if text.isdecimal() else 0.0


def api(token: str, endpoint: str, line: Line) -> pyairtable.Api:
    """The API of pyairtable on our line."""
    made = pyairtable.Api(token, timeout=TIMEOUT, retry_strategy=None, endpoint_url=endpoint, use_field_ids=True)
    made.session = line
    made.api_key = token
    return made
