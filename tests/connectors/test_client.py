"""The HTTP client: polite, patient, close-mouthed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from connectors import client as client_module
from connectors.client import Answer, Client
from connectors.source import Setting
from connectors.trouble import FixFile, GiveUp, LogInAgain, Trouble, TryLater
from tests.fakes.server import FakeService, Request, Response

TOKEN = "s3cret-token"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class Echo(FakeService):
    """Numbered pages under /api/list, an echo under /api/echo, redirects, and a few bad habits."""

    def handle(self, request: Request) -> Response | None:  # noqa: C901, PLR0911  a table of paths
        match request.path:
            case "/api/echo":
                return Response.json(
                    {"query": request.query, "method": request.method, "token": request.headers.get("authorization")}
                )
            case "/api/list":
                page = int(request.one("page", "1"))
                return Response.json(
                    {"page": page, "next": f"{self.url}/api/list?page={page + 1}" if page < 4 else None}
                )
            case "/api/circle":
                return Response.json({"next": f"{self.url}/api/circle?page=2"})
            case "/api/away":
                return Response.json({"next": "https://thief.example.org/api/list"})
            case "/api/proxied":
                return Response.json({"next": "https://127.0.0.1/api/echo"})
            case "/api/moved":
                return Response(301, b"", {"Location": "/api/echo"})
            case "/api/gone-abroad":
                return Response(302, b"", {"Location": f"https://elsewhere.example.org/?t={TOKEN}"})
            case "/api/round":
                return Response(302, b"", {"Location": "/api/round"})
            case "/api/odd":
                return Response(200, b'{"name": "\\ud83d", "raw": "caf\xe9"}', {"Content-Type": "application/json"})
            case "/api/empty":
                return Response(204, b"", {"Content-Type": "application/json"})
            case path if path.startswith("/api/status"):
                return Response.json({"detail": "marie@example.org"}, int(request.one("code")))
        return None


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as fake:
        yield fake


@pytest.fixture
def sleeps() -> list[float]:
    return []


def make(fake: FakeService, sleeps: list[float], **more: Any) -> Client:
    setting = Setting(name="box office", folder=Path(), now=lambda: NOW, sleep=sleeps.append)
    headers = {"Authorization": f"Token {TOKEN}"}
    return Client("echo", f"{fake.url}/api", setting=setting, headers=headers, secrets=[TOKEN], **more)


@pytest.fixture
def client(echo: Echo, sleeps: list[float]) -> Iterator[Client]:
    made = make(echo, sleeps)
    yield made
    made.close()


def next_of(answer: Answer) -> str | None:
    found: str | None = answer.json()["next"]
    return found


def test_parameters_are_percent_encoded(client: Client, echo: Echo) -> None:
    stamp = "2026-11-22T22:20:21.364410+01:00"
    assert client.get("echo", {"modified_since": stamp}).json()["query"] == {"modified_since": [stamp]}
    assert "%2B01" in echo.requests[0].raw_query


def test_pages_go_on_to_the_end(client: Client) -> None:
    assert [page.json()["page"] for page in client.pages("list", {"page": 1}, next_of)] == [1, 2, 3, 4]
    assert client.calls == 4


def test_a_circle_of_pages_ends(client: Client) -> None:
    with pytest.raises(GiveUp) as trouble:
        list(client.pages("circle", None, next_of))
    assert trouble.value.code == "paging-loop"
    assert client.calls == 2


def test_the_token_never_goes_to_another_host(client: Client) -> None:
    with pytest.raises(GiveUp) as paging:
        list(client.pages("away", None, next_of))
    assert paging.value.code == "paging-elsewhere"
    with pytest.raises(FixFile) as moved:
        client.get("gone-abroad")
    assert moved.value.code == "service-moved"
    assert moved.value.facts["to"] == "https://elsewhere.example.org"


def test_links_that_forget_the_proxy_in_front_are_followed_our_way(client: Client) -> None:
    pages = list(client.pages("proxied", None, lambda answer: answer.json().get("next")))
    assert pages[-1].path == "/api/echo"


def test_redirects_stay_in_the_house_and_end(client: Client) -> None:
    assert client.get("moved").json()["token"] == f"Token {TOKEN}"
    with pytest.raises(GiveUp) as trouble:
        client.get("round")
    assert trouble.value.code == "service-circles"


def test_a_post_is_not_redirected(client: Client) -> None:
    with pytest.raises(FixFile):
        client.request("POST", "moved", json={})


@pytest.mark.parametrize(
    ("header", "least"),
    [("7", 7.0), (format_datetime(NOW + timedelta(seconds=40), usegmt=True), 40.0), ("soon", 0.2), ("-5", 0.2)],
)
def test_it_waits_as_long_as_it_is_asked(
    client: Client, echo: Echo, sleeps: list[float], header: str, least: float
) -> None:
    echo.fail(status=429, headers={"Retry-After": header})
    assert client.get("echo").status == 200
    assert len(sleeps) == 1
    assert least <= sleeps[0] <= max(least, 1.0)


def test_it_comes_back_later_rather_than_wait_for_hours(client: Client, echo: Echo, sleeps: list[float]) -> None:
    echo.fail(status=429, headers={"Retry-After": "7200"})
    with pytest.raises(TryLater) as trouble:
        client.get("echo")
    assert (trouble.value.code, trouble.value.after, sleeps) == ("service-busy", 7200.0, [])


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(client: Client, echo: Echo, sleeps: list[float], status: int) -> None:
    echo.fail(status=status, times=3)
    assert client.get("echo").status == 200
    assert client.calls == 4
    assert len(sleeps) == 3
    assert sleeps[2] > 0.9 >= sleeps[0]


def test_a_lasting_failure_is_told_after_the_last_attempt(client: Client, echo: Echo, sleeps: list[float]) -> None:
    echo.fail(status=503, times=99)
    with pytest.raises(TryLater) as trouble:
        client.get("echo")
    assert trouble.value.code == "service-down"
    assert client.calls == 6
    assert sum(sleeps) < 60


def test_waits_for_one_answer_have_an_end(client: Client, echo: Echo, sleeps: list[float]) -> None:
    echo.fail(status=429, times=99, headers={"Retry-After": "120"})
    with pytest.raises(TryLater):
        client.get("echo")
    assert sum(sleeps) <= client_module.LONGEST_WAIT


@pytest.mark.parametrize("fault", [{"drop": True}, {"cut": True}, {"cut_json": True}])
def test_broken_answers_are_asked_for_again(client: Client, echo: Echo, fault: dict[str, bool]) -> None:
    echo.fail(**fault)
    assert client.get("echo").json()["method"] == "GET"
    assert client.calls == 2


@pytest.mark.parametrize("fault", [{"drop": True}, {"cut": True}, {"cut_json": True}])
def test_answers_that_stay_broken_are_told(client: Client, echo: Echo, fault: dict[str, bool]) -> None:
    echo.fail(times=99, **fault)
    with pytest.raises(TryLater) as trouble:
        client.get("echo")
    assert trouble.value.code == "answer-cut"


def test_a_slow_service_runs_into_the_timeout(echo: Echo, sleeps: list[float]) -> None:
    client = make(echo, sleeps, timeout=0.05, attempts=2)
    echo.fail(slow=0.4, times=2)
    with pytest.raises(TryLater) as trouble:
        client.get("echo")
    client.close()
    assert trouble.value.code == "service-slow"
    assert client.calls == 2


def test_nobody_at_home(sleeps: list[float]) -> None:
    with Echo() as fake:
        client = make(fake, sleeps)
    with pytest.raises(TryLater) as trouble:
        client.get("echo")
    client.close()
    assert (trouble.value.code, trouble.value.facts["host"]) == ("service-unreachable", "127.0.0.1")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, LogInAgain, "login-refused"),
        (403, LogInAgain, "login-not-allowed"),
        (404, GiveUp, "service-answered"),
        (400, GiveUp, "service-answered"),
    ],
)
def test_each_refusal_says_what_to_do(client: Client, status: int, kind: type[Trouble], code: str) -> None:
    with pytest.raises(kind) as trouble:
        client.get("status", {"code": status})
    assert trouble.value.code == code
    assert client.calls == 1


def test_a_caller_may_expect_a_status(client: Client) -> None:
    assert client.get("status", {"code": 404}, expect=[404]).status == 404
    assert client.get("status", {"code": 403}, expect=(403,)).status == 403


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"status": 503}, {"cut": True}])
def test_what_may_have_been_done_is_not_done_twice(client: Client, echo: Echo, fault: dict[str, Any]) -> None:
    echo.fail(**fault)
    with pytest.raises(TryLater):
        client.request("POST", "echo", json={"a": 1})
    assert client.calls == 1
    echo.fail(**fault)
    assert client.request("PUT", "echo", json={"a": 1}, safe=True).status == 200


def test_what_was_refused_for_haste_is_done_later(client: Client, echo: Echo) -> None:
    echo.fail(status=429, headers={"Retry-After": "1"})
    assert client.request("POST", "echo", json={}).json()["method"] == "POST"


def test_a_login_page_is_not_json(client: Client, echo: Echo) -> None:
    echo.fail(html=True)
    answer = client.get("echo")
    with pytest.raises(GiveUp) as trouble:
        answer.json()
    assert trouble.value.facts["type"] == "text/html"


def test_half_a_character_costs_only_itself(client: Client) -> None:
    assert client.get("odd").json() == {"name": "?", "raw": "caf�"}


def test_nothing_is_an_answer_too(client: Client) -> None:
    assert client.get("empty").body == b""


def test_an_endless_answer_is_cut_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "BIGGEST", 10)
    with pytest.raises(GiveUp) as trouble:
        client.get("echo")
    assert trouble.value.code == "answer-too-big"


def test_it_keeps_the_pace(echo: Echo, sleeps: list[float]) -> None:
    client = make(echo, sleeps, pace=(5, 10.0))
    began = time.monotonic()
    for _ in range(15):
        client.get("echo")
    taken = time.monotonic() - began  # on a busy machine much of the waiting is done by then
    client.close()
    assert sum(sleeps) < 21
    assert sum(sleeps) + taken > 19.9


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 401}, {"status": 404}, {"html": True}, {"drop": True}, {"cut_json": True}]
)
def test_no_secret_and_nobody_in_errors_and_lines(
    echo: Echo, client: Client, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    echo.fail(times=99, path=TOKEN, **fault)
    with structlog.testing.capture_logs() as lines, pytest.raises(Trouble) as trouble:
        client.get(f"status/{TOKEN}", {"email": "marie@example.org", "code": 200}).json()
    told = f"{trouble.value!r} {trouble.value.facts} {trouble.value.__cause__!r} {lines} {caplog.text} {client!r}"
    assert lines
    assert TOKEN not in told
    assert "marie" not in told


def test_an_answer_shows_nobody(client: Client) -> None:
    assert "marie" not in repr(client.get("status", {"code": 200, "email": "marie@example.org"}))
