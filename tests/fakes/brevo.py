"""Brevo's API as far as e-mails go: it takes what the real one takes, and knows nothing else.

After the vendor's own description (getbrevo/brevo-python, SendSmtpEmail and its neighbours): fields and their limits,
codes of errors, idempotencyKey, the log of events; headers of the rate limit after its documentation.
"""

from __future__ import annotations

import json
import uuid
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from typing import Any

from tests.fakes.server import FakeService, Request, Response

FIELDS = {"sender", "to", "subject", "htmlContent", "textContent", "replyTo", "headers", "tags"}
KEY = "xkeysib-" + "a" * 64


class FakeBrevo(FakeService):
    """`senders` are verified addresses, `domains` authenticated ones. `late`: the log does not have the newest yet."""

    def __init__(self) -> None:
        super().__init__()
        self.senders = ["bonjour@phare.example"]
        self.domains: list[str] = []
        self.credits = 300
        self.late = False
        self.taken: list[dict[str, Any]] = []
        self.keys: set[str] = set()

    @property
    def arrived(self) -> list[bytes]:
        """Messages as Brevo makes them."""
        return [_message(body, number).as_bytes() for number, body in enumerate(self.taken)]

    def handle(self, request: Request) -> Response | None:
        if request.headers.get("api-key") != KEY:
            return _no(401, "unauthorized", "Key not found")
        match request.method, request.path:
            case "GET", "/v3/account":
                answer = Response.json({"email": "compte@phare.example", "companyName": "Théâtre du Phare", "plan": []})
            case "GET", "/v3/senders":
                answer = Response.json(
                    {"senders": [{"id": 1, "name": "x", "email": e, "active": True} for e in self.senders]}
                )
            case "GET", "/v3/senders/domains":
                known = [{"id": 1, "domain_name": d, "authenticated": True, "verified": True} for d in self.domains]
                answer = Response.json({"domains": known})
            case "GET", "/v3/smtp/statistics/events":
                answer = self._events(request)
            case "POST", "/v3/smtp/email":
                answer = self._email(request.json())
            case _:
                return None
        return answer

    def _events(self, request: Request) -> Response:
        assert set(request.query) <= {"limit", "offset", "days", "tags"}
        assert 1 <= int(request.one("days")) <= 90
        wanted = json.loads(request.one("tags"))
        found = [
            {"email": body["to"][0]["email"], "date": "2026-03-14T09:00:00.000Z", "messageId": f"<{n}@smtp-relay.example>",
             "event": "requests", "tag": body["tags"][0]}
            for n, body in enumerate(self.taken) if body["tags"][0] in wanted and not self.late
        ]  # fmt: skip
        return Response.json({"events": found} if found else {})

    def _email(self, body: dict[str, Any]) -> Response:
        assert set(body) <= FIELDS
        for who in (body["sender"], *body["to"], *([body["replyTo"]] if "replyTo" in body else [])):
            assert set(who) <= {"email", "name"}
            assert len(who.get("name", "")) <= 70
        if not body["to"][0]["email"].isascii():
            return _no(400, "invalid_parameter", f"email is not valid in to: {body['to'][0]['email']}")
        if self.credits < 1:
            return _no(402, "not_enough_credits", "You do not have enough credits")
        key = str(uuid.UUID(body["headers"]["idempotencyKey"]))
        if key in self.keys:
            return _no(400, "duplicate_request", "the request has been taken up already")
        self.keys.add(key)
        self.credits -= 1
        self.taken.append(body)
        return Response.json({"messageId": f"<{len(self.taken)}@smtp-relay.example>"}, 201)


def _no(status: int, code: str, message: str) -> Response:
    return Response.json({"code": code, "message": message}, status)


def _message(body: dict[str, Any], number: int) -> EmailMessage:
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    for name, who in (("From", body["sender"]), ("To", body["to"][0])):
        message[name] = Address(who.get("name", ""), addr_spec=who["email"])
    if "replyTo" in body:
        message["Reply-To"] = formataddr((body["replyTo"].get("name", ""), body["replyTo"]["email"]))
    message["Subject"] = body["subject"]
    message["Message-ID"] = f"<{number}@smtp-relay.example>"
    for name, value in body["headers"].items():
        if name != "idempotencyKey":
            message[name] = value
    message.set_content(body["textContent"], cte="quoted-printable")
    message.add_alternative(body["htmlContent"], subtype="html", cte="quoted-printable")
    return message
