"""One polite HTTP client for every service.

It waits when asked to wait, tries again what may be tried again, never leaves the address it was given, never walks in
circles, and never lets a token, a query or a person's data into an error or a log line.
"""

from __future__ import annotations

import json
import logging
import random
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx
import msgspec
import structlog
from pyrate_limiter import InMemoryBucket, Rate, RateItem

from connectors.source import Setting
from connectors.trouble import FixFile, GiveUp, LogInAgain, Trouble, TryLater

BIGGEST = 100 * 1024 * 1024
LONGEST_WAIT = 300.0  # seconds a run may spend waiting for one answer, all attempts together
SLOWEST = 10  # an answer may take this many times the time-out from first byte to last
REDIRECTS = 5
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
NOT_DONE = frozenset({425, 429})  # the service says itself that it did not take the request up
WAIT_TOLD = ("retry-after", "x-sib-ratelimit-reset")  # the standard's header, Brevo's

log = structlog.get_logger()
for chatty in ("httpx", "httpcore"):
    # their lines hold whole URLs and headers: queries with e-mail addresses, tokens
    logging.getLogger(chatty).setLevel(logging.WARNING)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that httpx trusts, or the machine's SSL_CERT_FILE: each client would read the whole list anew."""
    return httpx.create_ssl_context()


class Answer:
    """What a service answered. `body` is whole, at most 100 MB."""

    __slots__ = ("_value", "body", "headers", "path", "service", "status")

    def __init__(self, service: str, path: str, status: int, headers: httpx.Headers, body: bytes) -> None:
        self.service = service
        self.path = path
        self.status = status
        self.headers = headers
        self.body = body
        self._value: Any = msgspec.UNSET

    def json(self) -> Any:
        """The body read as JSON. Raises `GiveUp("not-json")` where something else came, a log-in page for example."""
        if self._value is msgspec.UNSET:
            try:
                self._value = _decode(self.body)
            except (ValueError, RecursionError):
                raise GiveUp("not-json", service=self.service, path=self.path, type=self.type or "?") from None
        return self._value

    @property
    def type(self) -> str:
        """`application/json`, `text/html`, or empty where the service does not say."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    def __repr__(self) -> str:
        return f"<Answer {self.status} {self.service} {self.path} {len(self.body)} bytes>"


class Client:
    """Asks one service, at `base` and nowhere else.

    `pace` (n, seconds): at most n requests in any so many seconds. `timeout`: seconds to connect and between two pieces
    of an answer. `attempts`: how often one request is tried in all. `secrets` are blotted out of every fact and line.
    `transport` carries the requests otherwise than usual. `calls` counts requests, repeats included. Raises `TryLater`, `LogInAgain`, `GiveUp`, `FixFile`.
    """

    def __init__(  # noqa: PLR0913  what makes a service reachable, each by name
        self,
        service: str,
        base: str,
        *,
        setting: Setting,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        pace: tuple[int, float] | None = None,
        timeout: float = 30.0,
        attempts: int = 6,
        secrets: Sequence[str] = (),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.service = service
        self.calls = 0
        self._base = httpx.URL(base.rstrip("/") + "/")
        self._setting = setting
        self._attempts = attempts
        self._longest = timeout * SLOWEST
        self._secrets = [secret for secret in secrets if secret]
        self._clock = _Clock(setting.sleep or time.sleep)
        self._bucket = InMemoryBucket([Rate(pace[0], int(pace[1] * 1000))]) if pace else None
        self._http = httpx.Client(
            headers={"Accept": "application/json", "User-Agent": "filrouge", **(headers or {})},
            auth=auth,
            timeout=timeout,
            verify=_trusted(),
            transport=transport,
        )

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        expect: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask for something. `path` stands below `base` or is a whole address there."""
        return self.request("GET", path, params=params, expect=expect, headers=headers)

    def request(  # noqa: PLR0913  what makes a request, each by name
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        safe: bool | None = None,
        expect: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its answer below 300.

        What may have been done by the service is only repeated where that does no harm: GET, HEAD or `safe=True`.
        Statuses in `expect` are given back as they come instead of being raised.
        """
        url = self._url(path, params)
        harmless = method in ("GET", "HEAD") if safe is None else safe
        for _ in range(REDIRECTS):
            request = self._http.build_request(method, url, json=json, content=content, headers=headers)
            answer = self._persist(request, expect, harmless=harmless)
            if answer.status not in (301, 302, 303, 307, 308) or answer.status in expect:
                return self._judge(answer, expect)
            url = self._elsewhere(url, answer, harmless=harmless)
        raise GiveUp("service-circles", service=self.service, path=self._plain(url))

    def pages(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        following: Callable[[Answer], str | None],
        *,
        expect: Collection[int] = (),
    ) -> Iterator[Answer]:
        """Page after page. `following` finds the next page's address or path in an answer, None at the end."""
        url = self._url(path, params)
        seen: set[str] = set()
        while True:
            if str(url) in seen:
                raise GiveUp("paging-loop", service=self.service, path=self._plain(url))
            seen.add(str(url))
            answer = self.get(str(url), expect=expect)
            yield answer
            following_url = following(answer)
            if not following_url:
                return
            url = self._url(following_url, None)

    def close(self) -> None:
        self._http.close()

    def __repr__(self) -> str:
        return f"<Client {self.service} {self.calls} calls>"

    def _url(self, path: str, params: Mapping[str, Any] | None) -> httpx.URL:
        try:
            url = httpx.URL(path)
            url = self._at_home(url) if url.is_absolute_url else httpx.URL(str(self._base) + path.lstrip("/"))
        except httpx.InvalidURL:
            raise GiveUp("paging-elsewhere", service=self.service, host="?") from None
        return url.copy_merge_params(dict(params)) if params else url

    def _at_home(self, url: httpx.URL) -> httpx.URL:
        # Behind a proxy that ends TLS, services name themselves http:// in their own links: same house, so our way in.
        if url.host == self._base.host and (url.port == self._base.port or url.port is None or self._base.port is None):
            return url.copy_with(scheme=self._base.scheme, port=self._base.port, username=None, password=None)
        raise GiveUp("paging-elsewhere", service=self.service, host=url.host)

    def _elsewhere(self, url: httpx.URL, answer: Answer, *, harmless: bool) -> httpx.URL:
        target = url.join(answer.headers.get("location", ""))
        if harmless and (target.scheme, target.host, target.port) == (url.scheme, url.host, url.port):
            return target
        raise FixFile("service-moved", service=self.service, to=f"{target.scheme}://{target.netloc.decode('ascii')}")

    def _persist(self, request: httpx.Request, expect: Collection[int], *, harmless: bool) -> Answer:
        waited = 0.0
        for attempt in range(1, self._attempts + 1):
            outcome = self._attempt(request, expect)
            if isinstance(outcome, Answer):
                return outcome
            if not (harmless or outcome.not_done) or not outcome.passing:
                raise outcome.trouble
            pause = max(_backoff(attempt), outcome.after or 0.0)
            if attempt == self._attempts or waited + pause > LONGEST_WAIT:
                raise outcome.trouble
            log.info("waiting", service=self.service, seconds=round(pause, 1), why=outcome.trouble.code)
            self._clock.sleep(pause)
            waited += pause
        raise AssertionError("unreachable")

    def _attempt(self, request: httpx.Request, expect: Collection[int]) -> Answer | _Failure:
        self._pace()
        self.calls += 1
        path = self._plain(request.url)
        try:
            answer = self._send(request, path)
        except _TooBig:
            return _Failure(GiveUp("answer-too-big", service=self.service, path=path), passing=False)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol):
            host = request.url.host
            return _Failure(TryLater("service-unreachable", service=self.service, host=host), not_done=True)
        except httpx.TimeoutException:
            return _Failure(TryLater("service-slow", service=self.service, path=path))
        except httpx.RequestError:
            return _Failure(TryLater("answer-cut", service=self.service, path=path))
        log.debug("asked", service=self.service, path=path, status=answer.status, bytes=len(answer.body))
        return answer if answer.status in expect else self._weigh(answer)

    def _send(self, request: httpx.Request, path: str) -> Answer:
        until = time.monotonic() + self._longest
        with_body = bytearray()
        response = self._http.send(request, stream=True)
        try:
            for piece in response.iter_bytes():
                with_body += piece
                if len(with_body) > BIGGEST:
                    raise _TooBig
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("dripping")
        finally:
            response.close()
        return Answer(self.service, path, response.status_code, response.headers, bytes(with_body))

    def _weigh(self, answer: Answer) -> Answer | _Failure:
        told = next((answer.headers[name] for name in WAIT_TOLD if name in answer.headers), None)
        after = _retry_after(told, self._setting)
        if answer.status in PASSING or (answer.status == 409 and after is not None):
            code = "service-busy" if answer.status in (409, 429) else "service-down"
            trouble = TryLater(code, after=after, service=self.service, detail=f"HTTP {answer.status}")
            return _Failure(trouble, after=after, not_done=answer.status in NOT_DONE)
        if answer.status in (200, 201) and answer.type.endswith("json") and not _whole(answer):
            return _Failure(TryLater("answer-cut", service=self.service, path=answer.path))
        return answer

    def _judge(self, answer: Answer, expect: Collection[int]) -> Answer:
        if answer.status < 300 or answer.status in expect:
            return answer
        if answer.status == 401:
            raise LogInAgain("login-refused", service=self.service)
        if answer.status == 403:
            raise LogInAgain("login-not-allowed", service=self.service, path=answer.path)
        raise GiveUp("service-answered", service=self.service, status=answer.status, path=answer.path)

    def _pace(self) -> None:
        if self._bucket is None:
            return
        while not self._bucket.put(item := RateItem(self.service, self._clock.now())):
            wait = self._bucket.waiting(item)
            self._clock.sleep((wait if isinstance(wait, int) and wait > 0 else 1) / 1000)
        self._bucket.leak(self._clock.now())

    def _plain(self, url: httpx.URL) -> str:
        """The path alone, without the query and without secrets."""
        path = url.path
        for secret in self._secrets:
            path = path.replace(secret, "…")
        return path


class _TooBig(Exception):  # noqa: N818  an outcome, not an error of ours
    pass


class _Failure(msgspec.Struct):
    """An attempt that came to nothing. `not_done`: the service surely did nothing, so anything may be repeated."""

    trouble: Trouble
    after: float | None = None
    passing: bool = True
    not_done: bool = False


class _Clock:
    """Milliseconds that also move on when `sleep` only pretends, so that pacing works in tests that don't wait."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._ahead = 0.0

    def now(self) -> int:
        return int((time.monotonic() + self._ahead) * 1000)

    def sleep(self, seconds: float) -> None:
        before = time.monotonic()
        self._sleep(seconds)
        self._ahead += max(0.0, seconds - (time.monotonic() - before))


def _backoff(attempt: int) -> float:
    """0.5, 1, 2, 4 … at most 30 seconds, each shortened by up to half, so that many clients do not come back at once."""
    return min(30.0, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret


def _retry_after(value: str | None, setting: Setting) -> float | None:
    """Seconds or an HTTP date (RFC 9110 §10.2.3); what is neither is as if it were not there."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((aware - setting.now()).total_seconds(), 0.0)


def _whole(answer: Answer) -> bool:
    try:
        answer.json()
    except GiveUp:
        return False
    return True


def _decode(body: bytes) -> Any:
    """JSON as services really send it: half a surrogate pair or a broken byte in a name costs that character only."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        value = json.loads(body.decode("utf-8-sig", "replace"))
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
