"""What Google says when it refuses, as something a person can act on."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from connectors.trouble import FixFile, GiveUp, LogInAgain, Trouble, TryLater

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Detail(msgspec.Struct):
    reason: str = ""


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""
    status: str = ""
    details: list[_Detail] = []


class _Envelope(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


@dataclass(frozen=True)
class Said:
    """An answer. `whole`: its JSON ends where it should."""

    status: int
    body: bytes
    whole: bool
    message: str = ""
    reason: str = ""

    @property
    def passing(self) -> bool:
        return self.status in _PASSING or (self.status == 200 and not self.whole)

    @property
    def in_doubt(self) -> bool:
        """May a write have landed for all that? Not when it was refused for its content, its sender or the quota."""
        return self.passing and self.status not in (425, 429)


def said(status: int, body: bytes) -> Said:
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Said(status, body, whole=False)
    error = envelope.error
    return Said(status, body, True, error.message, error.details[0].reason if error.details else "")


def no_such_tab(said: Said) -> bool:
    return said.status == 400 and "Unable to parse range" in said.message


def trouble(said: Said, email: str, *, writing: bool) -> Trouble:
    """The trouble behind an answer. Google's own words may hold what stands in cells, so they are never handed on."""
    if said.status == 429:
        return TryLater("google-quota", after=60.0)
    if said.status == 401:
        return LogInAgain("google-key-refused", email=email)
    if said.status == 403:
        return _forbidden(said, email, writing=writing)
    if said.status == 404:
        return FixFile("google-gone", email=email)
    if said.status == 200 or said.passing:
        return TryLater("service-down", service="Google", detail=f"HTTP {said.status}" if said.whole else "…")
    return _invalid(said)


def _forbidden(said: Said, email: str, *, writing: bool) -> Trouble:
    if said.reason in ("SERVICE_DISABLED", "accessNotConfigured") or "has not been used in project" in said.message:
        project = re.search(r"project[ =](\d+)", said.message)
        return LogInAgain("google-api-off", project=project[1] if project else "?")
    return LogInAgain("google-read-only" if writing else "google-not-shared", email=email)


def _invalid(said: Said) -> Trouble:
    words = said.message
    if no_such_tab(said) or "No grid with id" in words:
        return TryLater("sheet-changed")
    if "protected" in words:
        return TryLater("sheet-changed", why="protected")
    if "10000000 cells" in words:
        return FixFile("google-full")
    if "not supported for this document" in words or "must not be an Office file" in words:
        return FixFile("google-office-file")
    if "exceeds grid limits" in words or "startIndex" in words or "beyond the last requested" in words:
        return TryLater("sheet-changed")
    place = re.match(r"Invalid requests\[(\d+)\]", words)
    return GiveUp("google-refused", status=said.status, request=int(place[1]) if place else -1)
