"""What a message that came back says: a delivery report (RFC 3464), a complaint (RFC 5965), an unsubscribing, or nothing.

Whoever wrote it may have written anything: what can't be read says nothing. Nothing here believes it; `sync.followup`
holds it against what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from typing import Any

REPORTS = {"delivery-status", "feedback-report"}
COMPLAINTS = {"abuse", "fraud", "virus", "other"}  # RFC 5965, section 7.3; `not-spam` takes one back
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
STOP = re.compile(
    r"\W*\b(?:stop|unsubscribe(?: me)?|remove me|me d[ée]sinscrire|d[ée]sinscri\w*(?:-moi)?|d[ée]sabonn\w*(?:-moi)?)\W*"
    r"(?:please|thanks|thank you|merci|svp|s.il vous pla[iî]t)?\W*",
    re.IGNORECASE,
)
AUTOMATIC = ("auto-replied", "auto-generated", "auto-notified")


@dataclass(frozen=True)
class Failed:
    """One recipient of a delivery report: the addresses by which it is named, `failed` or `delayed`…, and x.y.z."""

    addresses: frozenset[str]
    action: str
    status: str


@dataclass(frozen=True)
class Report:
    """A delivery report about the message with this Message-ID; `to`: whom the report itself was sent to."""

    message_id: str
    failed: Sequence[Failed]
    to: Sequence[str]


@dataclass(frozen=True)
class Complaint:
    """Somebody called the message with this Message-ID spam. `addresses`: who, where the service tells."""

    message_id: str
    addresses: frozenset[str]
    to: Sequence[str]


@dataclass(frozen=True)
class Stop:
    """Somebody wants no more: by the subject of our own link (`subject`), or by a STOP in answer to these messages."""

    subject: str
    answers: Sequence[str]


Word = Report | Complaint | Stop


@dataclass(frozen=True)
class Glance:
    """What the head of a message shows: a report; the last word of a subject `STOP …`; Message-IDs that it answers."""

    report: bool
    subject: str = ""
    answers: Sequence[str] = ()


def glance(head: bytes) -> Glance:
    """Whether the whole of a message may have to be read. Nothing more of the team's own mail is looked at."""
    message = _parsed(head)
    if message is None:
        return Glance(report=False)
    if message.get_content_type() == "multipart/report":
        return Glance(report=True)
    return Glance(False, _subject(message), () if _automatic(message) else _answered(message))


def understand(raw: bytes) -> Word | None:
    """What a message says to us; None for nothing."""
    message = _parsed(raw)
    if message is None:
        return None
    try:
        if message.get_content_type() == "multipart/report":
            return _report(message)
        return _stop(message)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # bytes that Python's parser itself stumbles over


def _parsed(raw: bytes) -> Message | None:
    try:
        return message_from_bytes(raw)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _automatic(message: Message) -> bool:
    """Out of office, and whatever else no person wrote (RFC 3834)."""
    told = _text(message["Auto-Submitted"]).casefold()
    return told.startswith(AUTOMATIC) or any(
        name in message for name in ("X-Autoreply", "X-Autorespond", "List-Id", "List-Unsubscribe")
    )


# Reports -------------------------------------------------------------------------------------------------------------


def _report(message: Message) -> Report | Complaint | None:
    kind = _text(message.get_param("report-type")).casefold()
    if kind not in REPORTS:
        return None
    parts = list(_parts(message))
    returned = next(_returned(parts), None)
    mark = _text(returned["Message-ID"]).strip() if returned else ""
    sent_to = _addresses(returned, "To") if returned else frozenset()
    to = [address for name in ("Delivered-To", "X-Original-To", "To") for address in sorted(_addresses(message, name))]
    if kind == "feedback-report":
        block = _inner(next((part for part in parts if part.get_content_type() == "message/feedback-report"), None))
        if block is None or _text(block["Feedback-Type"]).strip().casefold() not in COMPLAINTS:
            return None
        return Complaint(mark, _recipients(block, "Original-Rcpt-To") | sent_to, to)
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    blocks = status.get_payload() if status is not None else None
    told = blocks if isinstance(blocks, list) else []
    failed = [_failed(block, sent_to) for block in told if isinstance(block, Message) and "Action" in block]
    return Report(mark, failed, to) if failed else None


def _parts(message: Message) -> Iterator[Message]:
    """The parts of a report, without what lies inside the returned message."""
    parts: Any = message.get_payload()
    yield from (part for part in parts if isinstance(part, Message)) if isinstance(parts, list) else ()


def _returned(parts: Sequence[Message]) -> Iterator[Message]:
    for part in parts:
        if part.get_content_type() == "message/rfc822" and (inner := _inner(part)) is not None:
            yield inner
        elif part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            yield message_from_bytes(payload if isinstance(payload, bytes) else b"")


def _inner(part: Message | None) -> Message | None:
    inner: Any = part.get_payload() if part is not None else None
    return inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], Message) else None


def _failed(block: Message, sent_to: frozenset[str]) -> Failed:
    addresses = _recipients(block, "Final-Recipient") | _recipients(block, "Original-Recipient")
    told = _text(block["Status"]).strip()
    status = ENHANCED.match(told)
    closer = ENHANCED.search(_text(block["Diagnostic-Code"]))
    if closer and (status is None or told.startswith(("5.0.0", "4.0.0"))):  # the other server's own word says more
        status = closer
    return Failed(addresses | sent_to, _text(block["Action"]).strip().casefold(), status[0] if status else "")


def _recipients(block: Message, name: str) -> frozenset[str]:
    """`rfc822; zoe@example.org`: the type of address before the semicolon says nothing to us."""
    told = (_text(value).rpartition(";")[2].strip().strip("<>") for value in block.get_all(name, []))
    return frozenset(address for address in told if "@" in address)


# Unsubscribing -------------------------------------------------------------------------------------------------------


def _stop(message: Message) -> Stop | None:
    """A mail program that writes for its person when they press its button may call itself automatic."""
    subject = _subject(message)
    asked = not _automatic(message) and STOP.fullmatch(_first_line(message))
    answers = _answered(message) if asked else []
    return Stop(subject, answers) if subject or answers else None


def _subject(message: Message) -> str:
    """What our own link put there: the last word of `STOP …`."""
    words = "".join(_text(message["Subject"]).splitlines()).split()
    return words[-1] if len(words) >= 2 and words[-2].casefold() == "stop" else ""


def _answered(message: Message) -> list[str]:
    """The nearest first."""
    told = f"{_text(message['In-Reply-To'])} {' '.join(reversed(_text(message['References']).split()))}"
    return list(dict.fromkeys(re.findall(r"<[^<>\s]{1,200}>", told)))[:20]


def _first_line(message: Message) -> str:
    for part in message.walk():
        kind = part.get_content_type()
        if kind not in {"text/plain", "text/html"}:
            continue
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
        if kind == "text/html":
            text = re.sub(r"<(?:br|/p|/div|/tr)\b[^>]{0,200}>", "\n", text, flags=re.IGNORECASE)
            text = re.sub(r"<[^>]{0,2000}>", "", text).replace("&nbsp;", " ")
        return next((line.strip() for line in text.splitlines() if line.strip()), "")[:200]
    return ""


def _addresses(message: Message, name: str) -> frozenset[str]:
    told = [_text(value) for value in message.get_all(name, [])]
    return frozenset(address for _, address in getaddresses(told) if "@" in address)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
