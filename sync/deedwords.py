"""Deeds in words: what one is about, and what became of it."""

from __future__ import annotations

from collections.abc import Callable

from sync.desk import Desk
from sync.followup import deeds
from sync.messages import why_not

Say = Callable[..., str]


def about(desk: Desk, row: deeds.Row) -> str:
    """`newsletter lettre: add the tag “Regulars”`."""
    told = deeds.what(row)
    if row.kind == "newsletter":
        return desk.say(f"deed-{told['change'].replace('_', '-')}", source=_named(desk, told), tag=told["tag"] or "")
    return desk.say(f"deed-{row.kind}", **{name: told.get(name, "") for name in ("text", "webhook")})


def _named(desk: Desk, told: dict[str, str | None]) -> str:
    return told["source"] or next(iter(desk.config.newsletters), "")


def became(desk: Desk, row: deeds.Row) -> str:
    """`done`, `held back (the person unsubscribed)`."""
    state = desk.say(f"deed-state-{row.state}")
    return f"{state} ({why_not(desk.language, row.reason)})" if row.reason else state
