"""A real SMTP server on loopback (aiosmtpd) that can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

PASSWORD = b"right"


@dataclass
class Post:
    """The handler: `mail`, `rcpt`, `data` are answers to give once each, from the left; then everything is fine.

    `greet` are greetings of connections that are closed at once. An answer `drop` breaks the connection there; `take and drop` keeps the message first; `stay silent` never answers.
    """

    greet: list[str] = field(default_factory=list)
    mail: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    arrived: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    logged_in: list[bytes] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802  the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802  the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail:
            return await self._answer(server, self.mail.pop(0))
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt:
            return await self._answer(server, self.rcpt.pop(0))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  the name aiosmtpd calls
        answer = self.data.pop(0) if self.data else "250 2.0.0 queued"
        if answer.startswith(("250", "take")):
            self.arrived.append(bytes(envelope.original_content or b""))
            self.recipients += envelope.rcpt_tos
        return await self._answer(server, answer)

    async def _answer(self, server: SMTP, answer: str) -> str:
        if answer.endswith("drop") and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        if answer == "stay silent":
            await asyncio.sleep(3600)
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        right = login.password == PASSWORD
        self.logged_in += [login.login] if right else []
        return AuthResult(success=right, handled=right)


@contextmanager
def server(
    post: Post, *, certificate: tuple[Path, Path] | None = None, tls: bool = False, **options: Any
) -> Iterator[int]:
    """Runs the server; gives its port. With a certificate: STARTTLS, or TLS from the first byte with `tls`."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    loop = asyncio.new_event_loop()
    starttls = None if tls else context

    def protocol() -> asyncio.Protocol:
        if post.greet:
            return _Closed(post.greet.pop(0))
        made: asyncio.Protocol = SMTP(post, hostname="mx.phare.example", tls_context=starttls, loop=loop, **options)
        return made

    listening = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls else None))
    thread = threading.Thread(target=loop.run_forever, name="smtp")
    thread.start()
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_close(listening))
        loop.close()


class _Closed(asyncio.Protocol):
    """A server that says one line and hangs up."""

    def __init__(self, line: str) -> None:
        self.line = line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(f"{self.line}\r\n".encode())
        transport.close()


async def _close(listening: asyncio.Server) -> None:
    listening.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    transports: Any = getattr(
        asyncio.get_running_loop(), "_transports", {}
    )  # a handshake cut off has no task of its own
    for transport in list(transports.values()):
        transport.abort()
    for _ in range(5):  # transports close their sockets in the loop's next turns
        await asyncio.sleep(0)


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate and its key, made now."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files
