"""Tokens for unsubscribe links: they say who, at which address, and which purpose, to us alone.

A token stands in every marketing e-mail, and mail services keep and call such links: so there is neither an address nor a
number in it that anybody else could read or change, and the same person at the same address has the same token in every
e-mail. Those that were made before the person was in them are still believed. It never ends: the law wants the link to work for at least 60 days (CASL), and a no is welcome after ten years too.

The form is that of a synthetic initialisation vector (RFC 5297), with HMAC-SHA-2 in both places: the seal over the
content is also what the content is hidden with.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.followup.consent import Purpose

PURPOSES: tuple[Purpose, ...] = ("marketing", "service")  # the order is in the tokens out there: only add at the end
SEAL = 12  # bytes; RFC 2104 asks for 10
WHO = 6  # bytes of a person's number
TOKEN = re.compile(r"[A-Za-z0-9_-]{60}(?:[A-Za-z0-9_-]{8})?")


class Meant(NamedTuple):
    """What a token says: an address as `consent.hashed` gives it, the purpose of the e-mail it stood in, and whom that
    was written to (their id), where it is known.
    """

    address: str
    purpose: Purpose
    person: int | None = None


@dataclass(frozen=True)
class Seal:
    """Makes and reads the tokens of one organisation. The first secret seals; what any of them sealed is believed."""

    secrets: Sequence[bytes] = field(repr=False)

    def token(self, meant: Meant) -> str:
        """68 letters, digits, `-` and `_`; 60 without a person."""
        secret = self.secrets[0]
        who = b"" if meant.person is None else meant.person.to_bytes(WHO)
        content = bytes([PURPOSES.index(meant.purpose)]) + bytes.fromhex(meant.address) + who
        seal = _sealed(secret, content)
        return base64.urlsafe_b64encode(seal + _hidden(secret, seal, content)).decode()

    def read(self, token: str) -> Meant | None:
        """None for what none of our secrets sealed: forged, cut short, of another organisation."""
        if not TOKEN.fullmatch(token):
            return None
        try:
            raw = base64.urlsafe_b64decode(token)
        except binascii.Error:
            return None
        return next((meant for secret in self.secrets if (meant := _opened(secret, raw))), None)


def _opened(secret: bytes, raw: bytes) -> Meant | None:
    seal, content = raw[:SEAL], _hidden(secret, raw[:SEAL], raw[SEAL:])
    if not hmac.compare_digest(seal, _sealed(secret, content)) or content[0] >= len(PURPOSES):
        return None
    address, who = content[1:33], content[33:]
    return Meant(address.hex(), PURPOSES[content[0]], int.from_bytes(who) if who else None)


def _sealed(secret: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, b"filrouge unsubscribe seal " + content, "sha256")[:SEAL]


def _hidden(secret: bytes, seal: bytes, content: bytes) -> bytes:
    """Hides, and shows again what was hidden."""
    stream = hmac.digest(secret, b"filrouge unsubscribe veil " + seal, "sha512")
    return bytes(one ^ other for one, other in zip(content, stream, strict=False))
