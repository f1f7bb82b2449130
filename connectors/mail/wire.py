"""An e-mail as the bytes that travel (RFC 5322, 2047, 6532).

The standard library's own folding turns long words of any header into encoded words, an unsubscribe link too, which no
mail program then finds. Here words stay whole, only what is not ASCII is encoded, and lines break at spaces.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Iterable, Iterator, Sequence
from email.charset import Charset
from email.header import Header
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from functools import cache, lru_cache
from typing import Any, NamedTuple

LINE = 76
UTF_8 = Charset("utf-8")
BOUNDARY = "=_filrouge"  # quoted-printable never has these two signs beside each other (RFC 2045, 6.7)
INSIDE = "=_inside_filrouge"  # no beginning of the other: simple programs look no further
LONGEST = 900  # of a line that can't be broken: servers take 998
ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)


class Line(str):
    """A header as it stands in the message: its text, and the addresses of one that has them."""

    __slots__ = ("addresses", "name")
    name: str
    addresses: tuple[Address, ...]

    @classmethod
    def of(cls, name: str, text: str, *addresses: Address) -> Line:
        line = cls(text)
        line.name = name
        if addresses:
            line.addresses = addresses
        return line


class Wire(EmailPolicy):
    """How headers are read and written; everything else is the standard library's.

    What we set is text and addresses, taken as they are: the standard library would parse each anew, which took half the
    time of an e-mail.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if isinstance(value, Address):
            return name, Line.of(name, str(value), value)
        if hasattr(value, "name") or (_TOLD_APART.match(name) and not _is_plain_content(name, value)):
            return (
                super().header_store_parse(name, value) if not isinstance(value, str) else (name, _parsed(name, value))
            )
        if not isinstance(value, str) or any(mark in value for mark in "\r\n\0"):
            raise ValueError("a header is one line, without CR or LF")
        return name, Line.of(name, value)

    def header_max_count(self, name: str) -> int | None:
        return _most(name.lower())

    def fold(self, name: str, value: Any) -> str:
        if name.lower().startswith("content-") and not _is_plain_content(name, value):
            return str(super().fold(name, value))
        if hasattr(value, "addresses"):
            return _broken(name, ", ".join(_mailbox(name, address) for address in value.addresses)) + "\r\n"
        text = str(value)
        return _broken(name, text if _plain(text) else _encoded(name, text)) + "\r\n"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode()


_TOLD_APART = re.compile(r"content-|mime-|from$|to$|cc$|bcc$|reply-to$|sender$", re.IGNORECASE)
_registry = HeaderRegistry()


@lru_cache(maxsize=256)
def _parsed(name: str, value: str) -> Any:
    """The standard library's header: the same few in every e-mail."""
    if any(mark in value for mark in "\r\n"):
        raise ValueError("a header is one line, without CR or LF")
    return _registry(name, value)


@cache
def _most(name: str) -> int | None:
    """How many of this header there may be: the registry makes a class each time it is asked."""
    return getattr(_registry[name], "max_count", None)


WIRE = Wire(linesep="\r\n", cte_type="7bit")


def to_bytes(message: EmailMessage) -> bytes:
    """The same message gives the same bytes. ValueError for a header that can't be written."""
    return "\r\n".join(_lines(message)).encode("utf-8", "surrogateescape")


def _lines(part: MIMEPart) -> Iterator[str]:
    """A message or a part of one. The standard library's generator writes it line by line, in most of an e-mail's time."""
    yield "".join(WIRE.fold(name, value) for name, value in part.raw_items())
    if not part.is_multipart():
        yield str(part.get_payload() or "").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
        return
    boundary = part.get_boundary()
    if boundary is None:
        raise ValueError("parts without a boundary between them")
    for inner in part.iter_parts():
        yield f"--{boundary}"
        yield from _lines(inner)
    yield f"--{boundary}--\r\n"


class Inside(NamedTuple):
    """A picture that travels in the e-mail: `mark` is what its HTML calls it, `body` its bytes in lines of base64."""

    mark: str
    kind: str
    body: str


def put_bodies(message: EmailMessage, text: str, html: str, pictures: Sequence[Inside] = ()) -> None:
    """Plain text, and the same as HTML with its pictures."""
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = f'multipart/alternative; boundary="{BOUNDARY}"'
    for kind, words in (("plain", text), ("html", html)):
        part = EmailMessage(policy=WIRE)
        part["Content-Type"] = f'text/{kind}; charset="utf-8"'
        part["Content-Transfer-Encoding"] = "quoted-printable"
        part.set_payload(b2a_qp(b"\n".join([*words.encode().splitlines(), b""])).decode())
        message.attach(_with_pictures(part, pictures) if pictures and kind == "html" else part)


def _with_pictures(html: EmailMessage, pictures: Sequence[Inside]) -> EmailMessage:
    """RFC 2387: the HTML first, then what it shows."""
    whole = EmailMessage(policy=WIRE)
    whole["Content-Type"] = f'multipart/related; type="text/html"; boundary="{INSIDE}"'
    whole.attach(html)
    for number, one in enumerate(pictures, 1):
        part = EmailMessage(policy=WIRE)
        part["Content-Type"] = f'image/{one.kind}; name="image{number}.{one.kind}"'
        part["Content-Transfer-Encoding"] = "base64"
        part["Content-ID"] = f"<{one.mark}>"
        part["Content-Disposition"] = f'inline; filename="image{number}.{one.kind}"'
        part.set_payload(one.body)
        whole.attach(part)
    return whole


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


def _is_plain_content(name: str, value: Any) -> bool:
    """`text/html; charset="utf-8"`: nothing in it has to be encoded."""
    return name.lower().startswith("content-") and isinstance(value, str) and _plain(value)


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "=?" not in text and max(map(len, text.split(" "))) <= LONGEST


@lru_cache(maxsize=256)
def _encoded(name: str, text: str) -> str:
    """As encoded words, none longer than 75 characters; the first has room beside the header's name."""
    one = UTF_8.header_encode(text)
    if len(name) + 2 + len(one) <= 75:  # `Header` weighs every way to break it
        return one
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
