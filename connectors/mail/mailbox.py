"""A mailbox that is read by IMAP (RFC 3501): what comes back to the organisation's address.

It is opened for reading only: nothing is deleted, moved or marked as read. Of each new message the head is looked at;
its text is asked for only when the head says that it may concern us, and never more than `MOST` bytes of it.
"""

from __future__ import annotations

import base64
import imaplib
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple, TypeVar

import pydantic
from pydantic_core import PydanticCustomError

from connectors.mail.mailer import one_mailbox
from connectors.mail.smtp import LOOPBACK
from connectors.source import Setting
from connectors.trouble import FixFile, LogInAgain, TryLater

MOST = 256 * 1024
HEAD = 16 * 1024
AT_ONCE = 100
FIRST_DAYS = 30  # how far back the first reading goes: a bounce comes within a week
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UID = re.compile(rb"\bUID (\d+)")
T = TypeVar("T")


class Head(NamedTuple):
    """A message by its head as it came, at most `HEAD` bytes of it; `at` is when it came in, by the server's clock."""

    uid: int
    at: datetime
    head: bytes


class Batch(NamedTuple):
    """Some heads, oldest first, and the place to go on from once they are dealt with."""

    heads: Sequence[Head]
    cursor: str


class MailboxSettings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    host: str = pydantic.Field(description="The incoming mail server (IMAP), e.g. imap.example.org.")
    port: int | None = pydantic.Field(None, ge=1, le=65535, description="993 with tls, 143 with starttls or none.")
    user: str = pydantic.Field(description="The account's name, often the e-mail address.")
    password: pydantic.SecretStr = pydantic.Field(description="Its password: ${MAILBOX_PASSWORD}.")
    security: Literal["tls", "starttls", "none"] = pydantic.Field("tls", description="How the way is encrypted.")
    folder: str = pydantic.Field("INBOX", min_length=1, description="The folder in which answers and bounces arrive.")
    address: Annotated[str, pydantic.AfterValidator(one_mailbox)] | None = pydantic.Field(
        None, description="The address that ends up in this folder; `user`, or else `from`, if left out."
    )
    bounces: str | None = pydantic.Field(
        None, description="An address with {id} to which bounces go, e.g. bounces+{id}@example.org; `from` if left out."
    )
    ca_file: str | None = pydantic.Field(None, description="A certificate authority of your own, as a PEM file.")
    timeout: float = pydantic.Field(60, gt=0, le=600, description="Seconds to wait for the server's word.")

    @pydantic.field_validator("bounces")
    @classmethod
    def _one_for_each(cls, told: str | None) -> str | None:
        if told is not None:
            if told.count("{id}") != 1:
                raise PydanticCustomError("mailbox-bounces", "must hold {{id}} once, e.g. bounces+{{id}}@example.org")
            one_mailbox(told.replace("{id}", "0"))
        return told

    @pydantic.model_validator(mode="after")
    def _no_password_in_the_clear(self) -> MailboxSettings:
        if self.security == "none" and self.host not in LOOPBACK:
            raise PydanticCustomError("smtp-clear-password", "security none would send the password in the clear")
        return self

    @property
    def at(self) -> tuple[str, int]:
        return self.host, self.port or (993 if self.security == "tls" else 143)


class Mailbox:
    """One connection, opened when first needed. Raises `LogInAgain`, `FixFile` (no such folder) and `TryLater`."""

    def __init__(self, settings: MailboxSettings, setting: Setting) -> None:
        self.settings = settings
        self.setting = setting
        self._server: imaplib.IMAP4 | None = None
        self._validity = ""

    def check(self) -> str:
        """Log in and open the folder; gives a name to show."""
        self._ask(lambda server: server.noop())
        return f"{self.settings.host}: {self.settings.folder}"

    def new(self, cursor: str | None) -> Iterator[Batch]:
        """What came since `cursor` (None, or one of a folder that was made anew: in the last `FIRST_DAYS` days)."""
        validity, _, last = (cursor or "").partition(":")
        self._ask(lambda server: server.noop())
        known = int(last) if validity == self._validity and last.isdigit() else None
        uids = self._search(known)
        for start in range(0, len(uids), AT_ONCE):
            some = uids[start : start + AT_ONCE]
            yield Batch(self._heads(some), f"{self._validity}:{some[-1]}")

    def whole(self, uid: int) -> bytes:
        """A message as it came, at most `MOST` bytes of it; nothing if it is gone."""
        found = self._fetch([uid], f"BODY.PEEK[]<0.{MOST}>")
        return next((content for number, _, content in found if number == uid), b"")

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()
            _drop(server)

    def _search(self, known: int | None) -> list[int]:
        since = self.setting.now() - timedelta(days=FIRST_DAYS)
        wanted = f"SINCE {_day(since)}" if known is None else f"UID {known + 1}:*"
        _, found = self._ask(lambda server: server.uid("SEARCH", wanted))
        uids = sorted({int(uid) for line in found if line for uid in line.split()})
        return [uid for uid in uids if uid > (known or 0)]  # `n:*` gives the last one even when it is older

    def _heads(self, uids: Sequence[int]) -> list[Head]:
        found = self._fetch(uids, f"INTERNALDATE BODY.PEEK[HEADER]<0.{HEAD}>")
        return sorted(Head(uid, self._moment(around), content) for uid, around, content in found)

    def _moment(self, around: bytes) -> datetime:
        told = imaplib.Internaldate2tuple(around)
        return datetime.fromtimestamp(time.mktime(told), UTC) if told else self.setting.now()

    def _fetch(self, uids: Sequence[int], what: str) -> list[tuple[int, bytes, bytes]]:
        """By UID what stands around the content, and the content."""
        wanted = ",".join(map(str, uids))
        _, lines = self._ask(lambda server: server.uid("FETCH", wanted, f"(UID {what})"))
        found = []
        for line, after in zip(lines, [*lines[1:], b""], strict=True):
            if isinstance(line, tuple):
                around = line[0] + b" " + (after if isinstance(after, bytes) else b"")
                if uid := UID.search(around):
                    found.append((int(uid[1]), around, bytes(line[1])))
        return found

    def _ask(self, question: Callable[[imaplib.IMAP4], tuple[str, T]]) -> tuple[str, T]:
        try:
            said, found = question(self._connected())
        except (imaplib.IMAP4.error, OSError) as fault:
            self.close()
            raise self._unreachable(fault) from fault
        if said != "OK":
            raise TryLater("mailbox-down", host=self.settings.host, detail=said)
        return said, found

    def _connected(self) -> imaplib.IMAP4:
        if self._server is None:
            server = self._open()
            try:
                self._log_in(server)
                self._examine(server)
            except BaseException:
                _drop(server)
                raise
            self._server = server
        return self._server

    def _open(self) -> imaplib.IMAP4:
        (host, port), wait = self.settings.at, self.settings.timeout
        file = self.settings.ca_file
        context = ssl.create_default_context(cafile=self.setting.folder / file if file else None)
        if self.settings.security == "tls":
            return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=wait)
        server = imaplib.IMAP4(host, port, timeout=wait)
        try:
            if self.settings.security == "starttls":
                server.starttls(context)
        except BaseException:
            _drop(server)
            raise
        return server

    def _log_in(self, server: imaplib.IMAP4) -> None:
        user, password = self.settings.user, self.settings.password.get_secret_value()
        try:
            if "AUTH=PLAIN" in server.capabilities:
                server.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                server.login(user, password)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeEncodeError) as refused:
            raise LogInAgain("mailbox-login", host=self.settings.host) from refused

    def _examine(self, server: imaplib.IMAP4) -> None:
        said, _ = server.select(_quoted(self.settings.folder), readonly=True)
        if said != "OK":
            raise FixFile("mailbox-folder", folder=self.settings.folder, host=self.settings.host)
        _, validity = server.response("UIDVALIDITY")
        self._validity = (validity[0] or b"").decode() if validity else ""

    def _unreachable(self, fault: Exception) -> TryLater:
        host = self.settings.host
        if isinstance(fault, ssl.SSLCertVerificationError):
            return TryLater("mailbox-certificate", host=host, detail=fault.verify_message)
        detail = fault.strerror if isinstance(fault, OSError) and fault.strerror else type(fault).__name__
        return TryLater("mailbox-down", host=host, detail=detail)


def _drop(server: imaplib.IMAP4) -> None:
    with suppress(OSError):  # a socket that is gone already
        server.shutdown()


def _day(moment: datetime) -> str:
    return f"{moment.day:02d}-{MONTHS[moment.month - 1]}-{moment.year}"


def _quoted(folder: str) -> str:
    """A folder's name as IMAP writes it: in quotes, accents in its own UTF-7 (RFC 3501, section 5.1.3)."""
    parts = re.split(r"([^\x20-\x7e]+)", folder.replace("&", "&-"))
    written = "".join(part if n % 2 == 0 else _utf7(part) for n, part in enumerate(parts))
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _utf7(text: str) -> str:
    return "&" + base64.b64encode(text.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
