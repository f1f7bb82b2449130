"""E-mails through Brevo's transactional API (POST /smtp/email), one message a request.

Brevo builds the message itself: Message-ID and Date are its own. Ours goes along as a tag, by which its log of events can
be asked, and as idempotencyKey, under which Brevo takes a message up once in half an hour. A request is repeated only
where Brevo says itself that it did not take it up.
"""

from __future__ import annotations

import json
import re
import uuid
from email.headerregistry import Address
from email.message import EmailMessage
from hashlib import blake2b
from typing import Annotated, Any, ClassVar

import idna
import pydantic

from connectors.client import Answer, Client
from connectors.mail.mailer import AnswerLost, RefusedForGood, SenderRefused, Way, mailbox, one_mailbox
from connectors.mail.pace import Pace
from connectors.source import Setting
from connectors.trouble import GiveUp, LogInAgain, Trouble, TryLater

URL = "https://api.brevo.com/v3"
LONGEST_NAME = 70
DAYS_KEPT = 30  # of events
OWN = frozenset({"from", "to", "subject", "reply-to", "date", "message-id", "mime-version"})
NOTHING_DONE = frozenset({"service-unreachable", "service-busy"})
SAID = (400, 401, 402, 403, 404, 405, 406, 413, 415, 422)
NOT_LET = {"permission_denied", "account_under_validation"}


class BrevoSettings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    key: pydantic.SecretStr = pydantic.Field(description="In Brevo: SMTP & API, API keys: ${BREVO_KEY}.")
    sender: Annotated[str, pydantic.AfterValidator(one_mailbox)] = pydantic.Field(
        alias="from", description="Who the e-mails come from: a verified sender, or any of an authenticated domain."
    )
    per_minute: int | None = pydantic.Field(None, ge=1, le=60_000, description="The most e-mails a minute.")
    timeout: float = pydantic.Field(60, gt=0, le=600, description="Seconds to wait for Brevo's word.")
    endpoint: str = pydantic.Field(URL, description="Another address of the API, for tests or a proxy.")


class Brevo:
    service: ClassVar[str] = "brevo"
    Settings: ClassVar[type[pydantic.BaseModel]] = BrevoSettings

    def __init__(self, settings: BrevoSettings, setting: Setting) -> None:
        self.settings = settings
        self.setting = setting
        self._pace = Pace(settings.per_minute, setting.sleep)
        self._client: Client | None = None
        self._may_write: set[str] = set()

    @property
    def sender(self) -> str:
        return self.settings.sender

    @property
    def way(self) -> Way:
        return Way("api.brevo.com")

    def check(self) -> str:
        account = self._get("/account")
        self._check_sender(_address(mailbox(self.settings.sender)))
        return f"Brevo, {account.get('companyName') or '?'}"

    def ready(self) -> None:
        self._pace.wait()

    def send(self, message: EmailMessage, sender: str, recipient: str) -> str:
        try:
            writer, reader = _address(mailbox(sender)), _address(mailbox(recipient))
        except ValueError as fault:
            raise RefusedForGood("mail-address") from fault
        self._check_sender(writer)
        answer = self._post(_body(message, writer, reader))
        if answer.status < 300:
            if not answer.type.endswith("json"):  # somebody else answered in Brevo's place
                raise AnswerLost("brevo-answer-lost")
            return str(_object(answer).get("messageId") or answer.status)[:300]
        code, words = _said(answer, reader)
        if code == "duplicate_request":  # the same message, taken up a moment ago
            return code
        raise self._refusal(answer.status, code, words)

    def has_sent(self, message_id: str) -> bool | None:
        """True when Brevo's log has it. Its log runs late, so that what is not there may still be."""
        mark = _mark(message_id)
        try:
            found = self._get("/smtp/statistics/events", tags=json.dumps([mark]), days=DAYS_KEPT, limit=50)
        except Trouble:
            return None
        events = found.get("events") or ()
        return True if any(isinstance(event, dict) and mark in str(event.get("tag")) for event in events) else None

    def close(self) -> None:
        client, self._client = self._client, None
        if client:
            client.close()

    def _check_sender(self, address: str) -> None:
        """Brevo says yes to every sender and then drops what comes from one it has not verified: so ask before."""
        if address in self._may_write:
            return
        senders = self._get("/senders").get("senders") or ()
        known = any(str(each.get("email")).lower() == address.lower() and each.get("active") for each in senders)
        if not known:
            domains = self._get("/senders/domains").get("domains") or ()
            domain = address.rpartition("@")[2].lower()
            known = any(
                str(each.get("domain_name")).lower() == domain and each.get("authenticated") for each in domains
            )
        if not known:
            raise SenderRefused("brevo-sender")
        self._may_write.add(address)

    def _post(self, body: dict[str, Any]) -> Answer:
        try:
            return self._asked().request("POST", "/smtp/email", json=body, expect=SAID)
        except TryLater as trouble:
            if trouble.code in NOTHING_DONE:
                raise
            raise AnswerLost("brevo-answer-lost") from trouble
        except GiveUp as trouble:
            if trouble.code == "service-answered":  # a refusal of a kind we do not know: it was not taken up
                raise
            raise AnswerLost("brevo-answer-lost") from trouble

    def _get(self, path: str, **params: Any) -> dict[str, Any]:
        answer = self._asked().get(path, params, expect=SAID)
        if answer.status >= 400:
            raise self._refusal(answer.status, *_said(answer, ""))
        return _object(answer)

    def _refusal(self, status: int, code: str, words: str) -> Exception:
        if status == 401:
            return LogInAgain("brevo-key")
        if status == 402 or code == "not_enough_credits":
            return LogInAgain("brevo-credits")
        if status == 403 or code in NOT_LET:
            return LogInAgain("brevo-account", answer=words)
        if code == "invalid_parameter" and re.search(r"\bsender\b", words):
            return SenderRefused("brevo-sender")
        return RefusedForGood("brevo-refused", answer=f"{status} {code} {words}".strip())

    def _asked(self) -> Client:
        if self._client is None:
            key = self.settings.key.get_secret_value()
            self._client = Client(
                "Brevo", self.settings.endpoint, setting=self.setting, headers={"api-key": key},
                timeout=self.settings.timeout, secrets=[key],
            )  # fmt: skip
        return self._client


def _body(message: EmailMessage, sender: str, recipient: str) -> dict[str, Any]:
    message_id = str(message["Message-ID"])
    others = {name: str(value) for name, value in message.items() if name.lower() not in OWN | {"content-type"}}
    body = {
        "sender": _who(message["From"].addresses[0], sender),
        "to": [_who(message["To"].addresses[0], recipient)],
        "subject": _literal(str(message["Subject"]), "{ "),
        "htmlContent": _literal(_part(message, "html"), "&#123;"),
        "textContent": _literal(_part(message, "plain"), "{ "),
        "headers": {**others, "idempotencyKey": str(uuid.uuid5(uuid.NAMESPACE_URL, message_id))},
        "tags": [_mark(message_id)],
    }
    if message["Reply-To"]:
        reply = message["Reply-To"].addresses[0]
        body["replyTo"] = _who(reply, _address(reply))
    return body


def _who(address: Address, email: str) -> dict[str, str]:
    name = _literal(address.display_name, "{ ")[:LONGEST_NAME]
    return {"name": name, "email": email} if name else {"email": email}


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())


def _literal(text: str, brace: str) -> str:
    """Brevo fills in `{{ … }}` and obeys `{% … %}` wherever they stand: here they stand for themselves."""
    return re.sub(r"\{(?=[{%#])", brace, text)


def _address(address: Address) -> str:
    domain = address.domain if address.domain.isascii() else idna.encode(address.domain, uts46=True).decode()
    return f"{address.addr_spec.rpartition('@')[0]}@{domain}"


def _mark(message_id: str) -> str:
    return f"filrouge-{blake2b(message_id.encode(), digest_size=10).hexdigest()}"


def _object(answer: Answer) -> dict[str, Any]:
    found = answer.json()
    return found if isinstance(found, dict) else {}


def _said(answer: Answer, recipient: str) -> tuple[str, str]:
    """Brevo's code, in small letters, and its words without the reader's address."""
    try:
        found = _object(answer)
    except Trouble:
        found = {}
    words = str(found.get("message") or "")
    words = words.replace(recipient, "…") if recipient else words
    return str(found.get("code") or "").lower(), re.sub(r"\S+@\S+", "…", " ".join(words.split()))[:300]
