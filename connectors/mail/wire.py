"""An e-mail as the bytes that travel (RFC 5322, 2047, 6532).

The standard library's own folding turns long words of any header into encoded words, an unsubscribe link too, which no
mail program then finds. Here words stay whole, only what is not ASCII is encoded, and lines break at spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

LINE = 76
LONGEST = 900  # of a line that can't be broken: servers take 998
ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)


class Wire(EmailPolicy):
    """How headers are written; everything else is the standard library's."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower().startswith("content-"):
            return str(super().fold(name, value))
        if hasattr(value, "addresses"):
            return _broken(name, ", ".join(_mailbox(name, address) for address in value.addresses)) + "\r\n"
        text = str(value)
        return _broken(name, text if _plain(text) else _encoded(name, text)) + "\r\n"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode()


WIRE = Wire(linesep="\r\n", cte_type="7bit")


def to_bytes(message: EmailMessage) -> bytes:
    """The same message gives the same bytes. ValueError for a header that can't be written."""
    return message.as_bytes(policy=WIRE)


def beyond_ascii(message: EmailMessage, *envelope: str) -> bool:
    """Whether only servers with SMTPUTF8 can carry it: an address with accents before its @."""
    written = (address.addr_spec for name in ("From", "To", "Reply-To") for address in _addresses(message[name]))
    return not all(address.isascii() for address in (*envelope, *written))


def _addresses(header: Any) -> Iterable[Address]:
    return () if header is None else header.addresses


def _mailbox(header: str, address: Address) -> str:
    shown = address.display_name
    if not shown:
        return address.addr_spec
    if not _plain(shown) or len(shown) > LINE // 2:
        shown = _encoded(header, shown)
    elif not ATOMS.fullmatch(shown):
        shown = '"' + re.sub(r'(["\\])', r"\\\1", shown) + '"'
    return f"{shown} <{address.addr_spec}>"


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "=?" not in text and max(map(len, text.split(" "))) <= LONGEST


def _encoded(name: str, text: str) -> str:
    """As encoded words, none longer than 75 characters; the first has room beside the header's name."""
    return " ".join(Header(text, "utf-8", maxlinelen=LINE, header_name=name).encode(linesep="").split())


def _broken(name: str, text: str) -> str:
    """Lines of at most 76 characters where spaces allow it."""
    first, *words = text.split(" ")
    lines = [f"{name}: {first}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > LINE and lines[-1].strip():
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines)
