"""A mailbox on loopback that speaks enough IMAP (RFC 3501) to be read, and refuses whatever would change it.

Real ones have limits, and so has this: a command of more than 8,000 bytes is refused (RFC 7162), `n:*` always gives the
last message, partial fetches are cut exactly, flags come unasked, and a UID may stand before or behind the content.
"""

from __future__ import annotations

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LONGEST = 8_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FETCH = re.compile(r"([\d,]+) \((.*)\)")


@dataclass
class Box:
    """One folder. `asked` is every command as it came (no passwords); `drop_at` breaks the connection at that command."""

    user: str = "bonjour@example.org"
    password: str = "pässword"
    folder: str = "INBOX"
    validity: int = 7
    plain: bool = True
    drop_at: str = ""
    messages: dict[int, tuple[datetime, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, raw: bytes, at: datetime | None = None) -> int:
        uid = max(self.messages, default=41) + 1
        self.messages[uid] = (at or datetime(2026, 3, 14, 9, tzinfo=UTC), raw)
        return uid


class _Talk(socketserver.StreamRequestHandler):
    box: Box
    context: ssl.SSLContext | None
    tls: bool

    def setup(self) -> None:
        if self.tls and self.context:
            self.request = self.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        self._say("* OK ready")
        self.open = False
        try:
            while line := self.rfile.readline(LONGEST + 2):
                if not line.endswith(b"\n"):
                    self._say("* BAD command too long")
                    return
                tag, _, command = line.decode("ascii").strip().partition(" ")
                if not self._command(tag, command):
                    return
        except (OSError, ValueError):  # the other side is gone
            return

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()
        self.request.close()

    def _say(self, text: str | bytes) -> None:
        self.wfile.write((text.encode() if isinstance(text, str) else text) + b"\r\n")

    def _command(self, tag: str, command: str) -> bool:
        """False when the connection ends."""
        name = command.upper()
        self.box.asked.append(re.sub(r"^(LOGIN|AUTHENTICATE \S+).*", r"\1", command, flags=re.IGNORECASE))
        if self.box.drop_at and name.startswith(self.box.drop_at):
            self.box.drop_at = ""
            return False
        answers: dict[str, Callable[[str], str]] = {
            "CAPABILITY": self._capability, "NOOP": lambda _: "OK", "STARTTLS": lambda _: "OK", "LOGOUT": lambda _: "OK",
            "LOGIN": self._login, "AUTHENTICATE": self._authenticate, "EXAMINE": self._examine,
            "UID SEARCH": self._search, "UID FETCH": self._fetch,
        }  # fmt: skip
        known = next((word for word in answers if name == word or name.startswith(f"{word} ")), None)
        said = answers[known](command[len(known) :].strip()) if known else "BAD not allowed here"
        self._say(f"{tag} {said} done")
        if known == "STARTTLS" and self.context:
            self.request = self.context.wrap_socket(self.request, server_side=True)
            super().setup()
        return known != "LOGOUT"

    def _capability(self, _rest: str) -> str:
        self._say(f"* CAPABILITY IMAP4rev1{' AUTH=PLAIN' if self.box.plain else ''} STARTTLS")
        return "OK"

    def _login(self, rest: str) -> str:
        told = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', rest)
        return self._right(*(quoted or bare for quoted, bare in told[:2]))

    def _authenticate(self, _rest: str) -> str:
        self._say("+ ")
        _, user, password = base64.b64decode(self.rfile.readline()).decode().split("\0")
        return self._right(user, password)

    def _right(self, user: str, password: str) -> str:
        right = (user, password) == (self.box.user, self.box.password)
        return "OK" if right else "NO [AUTHENTICATIONFAILED] wrong"

    def _examine(self, rest: str) -> str:
        if rest.strip('"') != self.box.folder:
            return "NO no such folder"
        self._say(f"* {len(self.box.messages)} EXISTS")
        self._say(f"* OK [UIDVALIDITY {self.box.validity}] valid")
        return "OK [READ-ONLY]"

    def _search(self, rest: str) -> str:
        uids = sorted(self.box.messages)
        if since := re.fullmatch(r"SINCE (\d+)-(\w{3})-(\d{4})", rest):
            day = datetime(int(since[3]), MONTHS.index(since[2]) + 1, int(since[1]), tzinfo=UTC)
            uids = [uid for uid in uids if self.box.messages[uid][0] >= day]
        elif after := re.fullmatch(r"UID (\d+):\*", rest):
            uids = [uid for uid in uids if uid >= int(after[1]) or uid == uids[-1]]
        else:
            return "BAD search"
        self._say("* SEARCH" + "".join(f" {uid}" for uid in uids))
        return "OK"

    def _fetch(self, rest: str) -> str:
        asked = FETCH.fullmatch(rest)
        if not asked or "BODY[" in asked[2]:  # without PEEK it would mark the message as read
            return "BAD fetch"
        part = re.search(r"BODY\.PEEK\[(HEADER)?\]<0\.(\d+)>", asked[2])
        assert part
        for number, uid in enumerate(int(one) for one in asked[1].split(",")):
            if uid not in self.box.messages:
                continue
            at, raw = self.box.messages[uid]
            content = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if part[1] else raw
            content = content[: int(part[2])]
            date = f'INTERNALDATE "{at.day:2d}-{MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000" '
            before, after = (f"UID {uid} ", "") if number % 2 else ("", f" UID {uid}")
            shown = f"* {number + 1} FETCH ({before}{date}BODY[{part[1] or ''}]<0> {{{len(content)}}}\r\n"
            self.wfile.write(shown.encode() + content)
            self._say(f"{after} FLAGS (\\Seen))")
            self._say(f"* {number + 1} FETCH (FLAGS (\\Answered))")
        return "OK"


@contextmanager
def server(box: Box, certificate: tuple[Path, Path] | None = None, *, tls: bool = False) -> Iterator[int]:
    """Runs it; gives its port. With a certificate: STARTTLS, or TLS from the first byte with `tls`."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    talk: Any = type("Talk", (_Talk,), {"box": box, "context": context, "tls": tls})
    with _Listening(("127.0.0.1", 0), talk) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, name="imap")
        thread.start()
        try:
            yield listening.server_address[1]
        finally:
            listening.shutdown()
            thread.join()


class _Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that the other side refuses is what some tests are about."""
