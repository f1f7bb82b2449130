"""Messages to other programs: signed as the standard says, never to the own network, never sent on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from connectors.outward import Outward, is_outside
from connectors.source import Setting
from connectors.trouble import FixFile, GiveUp, LogInAgain, TryLater
from connectors.webhook import NotTaken, Webhook, signature
from tests.fakes.server import FakeService, Request, Response

NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


class Crm(FakeService):
    """Takes messages, as a program that checks their signature would."""

    def handle(self, request: Request) -> Response | None:
        return Response.json({}) if (request.method, request.path) == ("POST", "/hook") else None


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting("webhook", tmp_path, now=lambda: NOW, sleep=lambda _seconds: None)


def send(crm: Crm, setting: Setting, message: object, secret: str = SECRET) -> str:
    with closing(Webhook("crm", f"{crm.url}/hook", secret, setting, own_network=True)) as hook:
        return hook.send("abc", message)


def test_a_message_is_signed_over_id_time_and_body(setting: Setting) -> None:
    with Crm() as crm:
        assert send(crm, setting, {"person": {"name": "Zoé", "since": NOW.date()}}) == "HTTP 200"
        (request,) = crm.requests
    at = str(int(NOW.timestamp()))
    signed = hmac.new(b"k" * 24, f"abc.{at}.".encode() + request.body, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == ("abc", at)
    assert json.loads(request.body) == {"person": {"name": "Zoé", "since": "2026-03-14"}}


def test_the_standard_s_own_example() -> None:
    """https://github.com/standard-webhooks/standard-webhooks, spec, 2023: the signature scheme's example."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    assert signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_passing_failure_is_tried_again_with_the_same_id(setting: Setting) -> None:
    with Crm() as crm:
        crm.fail(status=503, times=2)
        send(crm, setting, {})
        assert [request.headers["webhook-id"] for request in crm.requests] == ["abc"] * 3


@pytest.mark.parametrize(
    ("status", "trouble"), [(503, TryLater), (401, LogInAgain), (404, GiveUp), (302, GiveUp), (422, NotTaken)]
)
def test_what_the_other_side_says(setting: Setting, status: int, trouble: type[Exception]) -> None:
    with Crm() as crm:
        crm.fail(status=status, times=9, headers={"Location": f"{crm.url}/elsewhere"})
        with pytest.raises(trouble) as told:
            send(crm, setting, {}, "s3cret")
        assert all(request.path == "/hook" for request in crm.requests)
    assert "s3cret" not in str(told.value)


def test_this_machine_is_not_reached_unless_the_config_says_so(setting: Setting) -> None:
    with Crm() as crm:
        for url in (crm.url, crm.url.replace("127.0.0.1", "localhost")):
            with closing(Webhook("crm", f"{url}/hook", SECRET, setting)) as hook, pytest.raises(FixFile) as told:
                hook.send("abc", {})
            assert told.value.code == "own-network"
        assert not crm.requests


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1",
     "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "::"],
)  # fmt: skip
def test_inside_is_inside_however_it_is_written(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_outside_is_outside(address: str) -> None:
    assert is_outside(address)


class Line(httpx.BaseTransport):
    """Where requests would have gone; `dead` addresses do not answer."""

    def __init__(self, *dead: str) -> None:
        self.dead, self.asked = dead, list[tuple[str, str, str]]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.url.host, request.headers["host"], request.extensions["sni_hostname"]))
        if request.url.host in self.dead:
            raise httpx.ConnectError("dead")
        return httpx.Response(200)


def names(*answers: Sequence[str]) -> Outward:
    """A transport whose name leads elsewhere each time it is looked up."""
    left = list(answers)
    return Outward("crm", lambda _host, _port: left.pop(0), Line("93.184.215.14"))


def test_the_address_that_was_judged_is_the_one_that_is_reached() -> None:
    outward = names(["93.184.215.15"], ["127.0.0.1"])
    httpx.Client(transport=outward).post("https://crm.example.org/hook")
    assert outward._inner.asked == [("93.184.215.15", "crm.example.org", "crm.example.org")]  # type: ignore[attr-defined]


def test_one_address_inside_among_others_is_refused() -> None:
    outward = names(["93.184.215.15", "10.0.0.1"])
    with pytest.raises(FixFile):
        httpx.Client(transport=outward).post("https://crm.example.org/hook")


def test_the_next_address_is_tried() -> None:
    outward = names(["93.184.215.14", "93.184.215.15"])
    assert httpx.Client(transport=outward).post("https://crm.example.org/hook").status_code == 200
    assert [host for host, _, _ in outward._inner.asked] == ["93.184.215.14", "93.184.215.15"]  # type: ignore[attr-defined]
