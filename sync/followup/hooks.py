"""Webhooks: what rules have told to another program, about one person each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.webhook import NotTaken, Webhook
from rules.conditions import Book
from sync.followup import deeds
from sync.followup.doing import Done, do_due
from sync.followup.send import People
from sync.store import Store

Open = Callable[[str], Webhook | None]


def call_webhooks(
    store: Store,
    hooks: Open,
    clock: Callable[[], datetime],
    *,
    people: People,
    house: str,
    book: Book,
    stop: Callable[[], bool],
) -> Done:
    """Deliver every message that is due. At least once: the same message keeps its id, whoever gets it twice can tell.

    `hooks` opens a webhook by its name in the config (None: it is gone); `book` tells how rules and
    journeys are called.
    """
    opened: dict[str, Webhook | None] = {}

    def do(row: deeds.Row) -> deeds.Outcome:
        told = deeds.what(row)
        name = told["webhook"]
        if name not in opened:
            opened[name] = hooks(name)
        hook, person = opened[name], people([row.person_id]).get(row.person_id)
        if hook is None or person is None:
            return deeds.Outcome("held", "webhook-gone" if hook is None else "unknown-person")
        try:
            return deeds.Outcome("done", answer=hook.send(row.id, _message(row, told, person, house, book)))
        except NotTaken as no:
            return deeds.Outcome("failed", "not-taken", f"HTTP {no.facts['status']}")

    try:
        return do_due(store, "webhook", clock, lambda row: str(deeds.what(row)["webhook"]), do, stop)
    finally:
        for hook in filter(None, opened.values()):
            hook.close()


def _message(
    row: deeds.Row, told: Mapping[str, Any], person: Mapping[str, Any], house: str, book: Book
) -> dict[str, Any]:
    """What the other program is told: nothing of the person but what the rule names, and the code of their row."""
    whose = "journey" if row.rule in book.journey else "rule"
    return {
        "id": row.id,
        "type": "journey.step" if whose == "journey" else "rule.entered",
        "at": row.made,
        "organisation": house,
        whose: {"id": row.rule, "name": book.names.get(row.rule, row.rule)},
        "occasion": row.occasion,
        "person": {"code": person["code"], **{name: person.get(name) for name in told["fields"]}},
    }
