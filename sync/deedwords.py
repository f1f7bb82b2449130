"""Deeds in words: what one is about, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from sync.desk import Desk
from sync.followup import deeds
from sync.messages import why_not
from sync.rows import called, everybody

NOT_OVER = ("uncertain", "failed", "waiting", "held", "approved", "sending", "planned")


def about(desk: Desk, row: deeds.Row) -> str:
    """`newsletter lettre: add the tag “Regulars”`."""
    return about_deed(desk, row.kind, deeds.what(row))


def about_deed(desk: Desk, kind: str, told: Mapping[str, Any]) -> str:
    """The same of a deed that is not there yet: `told` is what `deeds.what` would give."""
    if kind == "newsletter":
        return desk.say(f"deed-{told['change'].replace('_', '-')}", source=_named(desk, told), tag=told["tag"] or "")
    return desk.say(f"deed-{kind}", **{name: told.get(name, "") for name in ("text", "webhook")})


def _named(desk: Desk, told: Mapping[str, Any]) -> str:
    return str(told["source"] or next(iter(desk.config.newsletters), ""))


def became(desk: Desk, row: deeds.Row) -> str:
    """`done`, `held back (the person unsubscribed)`."""
    state = desk.say(f"deed-state-{row.state}")
    if row.kind == "newsletter" and row.state == "done":
        more = [desk.say(f"deed-answer-{row.answer}")] if row.answer in {"asked", "already"} else []
        more += [desk.say(f"deed-undo-{deeds.what(row)['change'].replace('_', '-')}")] if row.answer == "done" else []
        return f"{state} ({'; '.join(more)})" if more else state
    return f"{state} ({why_not(desk.language, row.reason)})" if row.reason else state


def to_services(desk: Desk, state: str | None) -> list[dict[str, Any]]:
    """What goes to other services, for `filrouge outbox`: in this state, or whatever is not over. `line` tells it."""
    with desk.store.look() as connection:
        rows = deeds.listed(connection, desk.store.org, deeds.BRAKED, (state,) if state else NOT_OVER)
    wanted = {row.person_id for row in rows}
    people = everybody(desk).filter(pl.col("person_id").is_in(wanted)).iter_rows(named=True) if rows else ()
    names = {one["person_id"]: called(one) or str(one["key"]) for one in people}
    found = []
    for row in rows:
        who, what = names.get(row.person_id, "?"), about(desk, row)
        told = {"id": row.id, "rule": row.rule, "kind": row.kind, "state": row.state, "reason": row.reason}
        line = f"  {who} · {what} ({became(desk, row)})  [{row.id}]"
        found.append({**told, "person": who, "what": what, "line": line})
    return found
