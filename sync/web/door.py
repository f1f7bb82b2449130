"""Who may see what `filrouge serve` shows. People come from everywhere to unsubscribe; all else is the team's.

What an address proves: only a caller on this very machine has one of the loopback, and a proxy on this machine has it
too, for whomever it speaks. So a service that the public is led to (`web: {address: …}`) believes no address at all, and
shows the team's page for the password only. No word about who is behind a proxy is believed, since anybody can write
one; that there is such a word says that the caller is not here. In a container everybody comes from its network's door.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sync.messages import say

HERE = frozenset({"localhost", "127.0.0.1", "::1"})
ON_BEHALF = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


@dataclass(frozen=True)
class Door:
    """`public`: people are led to this service, by a proxy or straight."""

    password: str | None = field(default=None, repr=False)
    public: bool = False

    def opens(self, request: Request) -> bool:
        """May this caller see the team's page? With a password, whoever has it; without, who sits at this machine."""
        if self.password is not None:
            return hmac.compare_digest(_told(request)[1].encode(), self.password.encode())
        return not self.public and _is_here(request)


def closed(door: Door, language: str) -> Response:
    """Asks for the password, or says how there comes to be one."""
    if door.password is not None:
        ask = {"WWW-Authenticate": 'Basic realm="Fil rouge", charset="UTF-8"'}
        return PlainTextResponse(say(language, "web-password-asked"), 401, ask)
    return PlainTextResponse(say(language, "web-team-only"), 403)


def told_name(request: Request) -> str:
    """The name beside the password; it proves nothing, and is noted."""
    return _told(request)[0].strip()[:60]


def _told(request: Request) -> tuple[str, str]:
    """Name and password of HTTP's basic authentication (RFC 7617)."""
    scheme, _, words = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(words, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _is_here(request: Request) -> bool:
    """From this machine, under its own name: a page of the web that has its name lead here is not the team's."""
    if request.client is None or any(name in request.headers for name in ON_BEHALF):
        return False
    try:
        here = ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return here and (request.url.hostname or "") in HERE
