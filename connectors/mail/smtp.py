"""E-mails through an SMTP server (RFC 5321), on the standard `smtplib`.

A message counts as sent when the server says 2xx to the end of its data. From the moment the server has asked for the
data until that word, a broken connection means that nobody knows (RFC 5321 section 4.2.5): `AnswerLost`.
"""

from __future__ import annotations

import base64
import re
import smtplib
import ssl
import time
from contextlib import suppress
from email.message import EmailMessage
from typing import Annotated, ClassVar, Literal

import idna
import pydantic
from pydantic_core import PydanticCustomError

from connectors.mail.dkim import DkimSettings, Signer
from connectors.mail.mailer import (
    AnswerLost,
    Greylisted,
    RefusedForGood,
    RefusedForNow,
    SenderRefused,
    Way,
    mailbox,
    one_mailbox,
)
from connectors.mail.pace import Pace
from connectors.mail.wire import beyond_ascii, to_bytes
from connectors.source import Setting
from connectors.trouble import LogInAgain, TryLater

HELLO = "[127.0.0.1]"  # as mail programs do; asking DNS for a name of our own can take seconds
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LOGIN_REFUSED = {530, 534, 535, 538}
CLOSING = 421
BUSY_PAUSES = (2.0, 8.0)  # seconds before a server that has too many connections is tried again
GREYLISTED = re.compile(r"gr[ae]y-?\s?list", re.IGNORECASE)


class SmtpSettings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    host: str = pydantic.Field(description="The outgoing mail server, e.g. smtp.example.org.")
    port: int | None = pydantic.Field(
        None, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none."
    )
    user: str | None = pydantic.Field(None, description="The account's name, often the e-mail address.")
    password: pydantic.SecretStr | None = pydantic.Field(None, description="Its password: ${SMTP_PASSWORD}.")
    security: Literal["starttls", "tls", "none"] = pydantic.Field("starttls", description="How the way is encrypted.")
    ca_file: str | None = pydantic.Field(None, description="A certificate authority of your own, as a PEM file.")
    timeout: float = pydantic.Field(60, gt=0, le=600, description="Seconds to wait for the server's word.")
    per_minute: int | None = pydantic.Field(
        None, ge=1, le=100_000, description="The most e-mails a minute; as fast as the server takes them if left out."
    )
    dkim: DkimSettings | None = pydantic.Field(
        None, description="Sign each e-mail for the domain; needed where the mail server does not do it."
    )
    sender: Annotated[str, pydantic.AfterValidator(one_mailbox)] = pydantic.Field(
        alias="from", description="Who the e-mails come from: Name <name@example.org>."
    )

    @pydantic.model_validator(mode="after")
    def _no_password_in_the_clear(self) -> SmtpSettings:
        if self.security == "none" and self.password is not None and self.host not in LOOPBACK:
            raise PydanticCustomError("smtp-clear-password", "security none would send the password in the clear")
        return self

    @property
    def at(self) -> tuple[str, int]:
        return self.host, self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]


class Smtp:
    """One connection, opened when first needed, kept for all messages, and opened anew when the server has let go."""

    service: ClassVar[str] = "smtp"
    Settings: ClassVar[type[pydantic.BaseModel]] = SmtpSettings

    def __init__(self, settings: SmtpSettings, setting: Setting) -> None:
        self.settings = settings
        self.setting = setting
        self._pause = setting.sleep or time.sleep
        self._pace = Pace(settings.per_minute, setting.sleep)
        self.signer = Signer(settings.dkim, _domain(mailbox(settings.sender).domain)) if settings.dkim else None
        self._server: smtplib.SMTP | None = None

    @property
    def sender(self) -> str:
        return self.settings.sender

    @property
    def way(self) -> Way:
        return Way(self.settings.host.lower(), (self.signer.name, self.signer.record) if self.signer else None)

    def check(self) -> str:
        server = self._connected()
        try:
            code, words = server.noop()
        except smtplib.SMTPServerDisconnected as fault:
            raise self._unreachable(fault) from fault
        if code != 250:
            raise TryLater("smtp-down", host=self.settings.host, detail=f"{code} {_words(words)}")
        return ":".join(str(part) for part in self.settings.at)

    def ready(self) -> None:
        self._pace.wait()
        self._connected()

    def send(self, message: EmailMessage, sender: str, recipient: str) -> str:
        try:
            envelope = _envelope(sender), _envelope(recipient)
        except ValueError as fault:
            raise RefusedForGood("mail-address") from fault
        utf8 = beyond_ascii(message, *envelope)
        content = to_bytes(message)
        if self.signer:
            content = self.signer.sign(content)
        self._announce(*envelope, len(content), utf8=utf8)
        return self._hand_over(content, envelope[1])

    def has_sent(self, message_id: str) -> None:  # noqa: ARG002  SMTP has no such question
        return None

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _announce(self, sender: str, recipient: str, size: int, *, utf8: bool) -> None:
        """Everything before the data. Nothing has left yet, so a connection gone stale is simply opened again, and a
        server that closes because it is busy is tried again after a pause.
        """
        pauses = iter(BUSY_PAUSES)
        while True:
            fresh = self._server is None
            try:
                self._mail(self._connected(), sender, size, utf8=utf8)
                self._recipient(self._connected(), recipient)
                self._ask_for_data(self._connected(), recipient)
            except (smtplib.SMTPServerDisconnected, _Closing) as fault:
                self._drop()
                pause = next(pauses, None) if isinstance(fault, _Closing) else None
                if fresh and pause is None:
                    raise self._unreachable(fault) from fault
                if fresh and pause is not None:
                    self._pause(pause)
            else:
                return

    def _mail(self, server: smtplib.SMTP, sender: str, size: int, *, utf8: bool) -> None:
        if utf8 and not server.has_extn("smtputf8"):
            if not sender.isascii():
                raise SenderRefused("smtp-utf8-sender", host=self.settings.host)
            raise RefusedForGood("smtp-utf8")
        options = [f"SIZE={size}"] if server.has_extn("size") else []
        code, words = server.mail(sender, [*options, *(["SMTPUTF8", "BODY=8BITMIME"] if utf8 else [])])
        if code // 100 == 2:
            return
        self._reset(server)
        if code // 100 == 5 and code not in {552, *LOGIN_REFUSED}:
            raise SenderRefused("smtp-sender", host=self.settings.host, answer=_answer(code, words))
        raise self._refusal(code, words)

    def _recipient(self, server: smtplib.SMTP, recipient: str) -> None:
        code, words = server.rcpt(recipient)
        if code // 100 != 2:
            self._reset(server)
            raise self._refusal(code, words, recipient)

    def _ask_for_data(self, server: smtplib.SMTP, recipient: str) -> None:
        code, words = server.docmd("DATA")
        if code != 354:
            self._reset(server)
            raise self._refusal(code, words, recipient)

    def _hand_over(self, content: bytes, recipient: str) -> str:
        server = self._connected()
        try:
            server.send(content.replace(b"\n.", b"\n..").removesuffix(b"\r\n") + b"\r\n.\r\n")
            code, words = server.getreply()
        except (smtplib.SMTPException, OSError) as fault:
            self._drop()
            raise AnswerLost("smtp-answer-lost", host=self.settings.host) from fault
        if code // 100 == 2:
            return _answer(code, words, recipient)
        if code // 100 not in {4, 5}:
            self._drop()
            raise AnswerLost("smtp-answer-lost", host=self.settings.host)
        if code == CLOSING:
            self._drop()
            raise RefusedForNow("smtp-refused-now", answer=_answer(code, words, recipient))
        self._reset(server)
        raise self._refusal(code, words, recipient)

    def _refusal(self, code: int, words: bytes | str, recipient: str = "") -> Exception:
        answer = _answer(code, words, recipient)
        if code == CLOSING:
            return _Closing(answer)
        if code in LOGIN_REFUSED:
            return LogInAgain("smtp-login", host=self.settings.host)
        if code // 100 == 5:
            return RefusedForGood("smtp-refused", answer=answer)
        later = Greylisted if GREYLISTED.search(answer) else RefusedForNow
        return later("smtp-refused-now", answer=answer)

    def _reset(self, server: smtplib.SMTP) -> None:
        try:
            code, _ = server.rset()
        except (smtplib.SMTPException, OSError):
            code = CLOSING
        if code // 100 != 2:
            self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        for pause in BUSY_PAUSES:
            try:
                return self._connect_once()
            except _Busy:
                self._pause(pause)
        return self._connect_once()

    def _connect_once(self) -> smtplib.SMTP:
        host = self.settings.host
        server: smtplib.SMTP | None = None
        try:
            server = self._open()
            self._log_in(server)
        except BaseException as fault:
            if server is not None:
                server.close()
            if isinstance(fault, ssl.SSLCertVerificationError):
                raise TryLater("smtp-certificate", host=host, detail=fault.verify_message) from fault
            if isinstance(fault, ssl.SSLError) and fault.reason == "WRONG_VERSION_NUMBER":  # it answered in the clear
                raise LogInAgain("smtp-not-tls", host=host) from fault
            if isinstance(fault, smtplib.SMTPAuthenticationError):
                raise self._login_refused(fault) from fault
            if isinstance(fault, smtplib.SMTPNotSupportedError):
                raise LogInAgain(f"smtp-no-{self._missing(server)}", host=host) from fault
            if isinstance(fault, (smtplib.SMTPException, OSError)):
                raise self._unreachable(fault) from fault
            raise
        return server

    def _open(self) -> smtplib.SMTP:
        host, port = self.settings.at
        if self.settings.security == "tls":
            return smtplib.SMTP_SSL(host, port, HELLO, timeout=self.settings.timeout, context=self._context())
        server = smtplib.SMTP(host, port, HELLO, timeout=self.settings.timeout)
        try:
            server.ehlo_or_helo_if_needed()
            if self.settings.security == "starttls":
                server.starttls(context=self._context())
        except BaseException:
            server.close()
            raise
        return server

    def _log_in(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if self.settings.user is not None:
            password = self.settings.password.get_secret_value() if self.settings.password else ""
            if (self.settings.user + password).isascii():
                server.login(self.settings.user, password)
            else:
                self._log_in_in_utf8(server, self.settings.user, password)

    def _log_in_in_utf8(self, server: smtplib.SMTP, user: str, password: str) -> None:
        """As RFC 4616 says; `smtplib` itself takes ASCII only."""
        if "PLAIN" not in server.esmtp_features.get("auth", "").upper().split():
            raise smtplib.SMTPNotSupportedError("no AUTH PLAIN")
        secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        code, words = server.docmd("AUTH", f"PLAIN {secret}")
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, words)

    def _context(self) -> ssl.SSLContext:
        file = self.settings.ca_file
        return ssl.create_default_context(cafile=self.setting.folder / file if file else None)

    def _login_refused(self, fault: smtplib.SMTPAuthenticationError) -> Exception:
        if fault.smtp_code // 100 == 4:
            return self._unreachable(fault)
        return LogInAgain("smtp-login", host=self.settings.host)

    def _missing(self, server: smtplib.SMTP | None) -> str:
        return "starttls" if server is None else "login"

    def _unreachable(self, fault: Exception) -> TryLater:
        busy = isinstance(fault, smtplib.SMTPResponseException) and fault.smtp_code // 100 == 4
        return (_Busy if busy else TryLater)("smtp-down", host=self.settings.host, detail=_detail(fault))


class _Busy(TryLater):
    """The server itself says that it has no time now."""


class _Closing(Exception):  # noqa: N818  a word of the server, not an error of ours
    """421: the server lets go of the connection."""


def _envelope(text: str) -> str:
    """The bare address; a domain with accents in its ASCII form, which every server understands (RFC 5891)."""
    address = mailbox(text)
    return address.addr_spec.rpartition("@")[0] + "@" + _domain(address.domain)


def _domain(name: str) -> str:
    return name if name.isascii() else idna.encode(name, uts46=True).decode()


def _detail(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return _answer(fault.smtp_code, fault.smtp_error)
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return _without_people(str(fault)) or type(fault).__name__


def _answer(code: int, words: bytes | str, recipient: str = "") -> str:
    return f"{code} {_words(words, recipient)}".strip()


def _words(words: bytes | str, recipient: str = "") -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if recipient:
        folded = text.casefold()
        for part in (part for part in (recipient, recipient.rpartition("@")[0]) if part.casefold() in folded):
            text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return _without_people(" ".join(text.split()))[:300]


def _without_people(text: str) -> str:
    return re.sub(r"[^\s<>\"'=:;,]+@[^\s<>\"';,]+", "…", text)
