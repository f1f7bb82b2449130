"""What waits for a person's yes, as they see it before they give it: on the report, and on the page of `serve`."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from rules.conditions import Book
from sync.approval import covers
from sync.awaiting import until
from sync.beginning import read_rules
from sync.contacts import Contacts, keep_out
from sync.deedwords import to_services
from sync.desk import Desk
from sync.drafts import Held, batches, drafts
from sync.followup import approvals
from sync.letting_go import approve_waiting, as_written
from sync.report.page import Sample, Waiting
from sync.rows import everybody

TRIED = 25  # e-mails of one text, until one of them has nothing that keeps it from going


def shown_waiting(desk: Desk, book: Book, waiting: Iterable[Held], contacts: Contacts) -> list[Waiting]:
    """For each rule of which something waits, how much, each of its texts as one reader gets it, and what a yes is for."""
    found = []
    for held in waiting:
        batch = held.batch
        shared = (desk.command("approve", batch.rule), covers(desk, book, batch.rule))
        parts = {
            "mails": (_samples(desk, book, held, contacts), held.barred),
            "tasks": ((), 0),
            "deeds": (_others(desk, batch), 0),
        }
        told = until(desk, batch)
        for kind, (samples, barred) in parts.items():
            if n := getattr(batch, kind):
                counted = desk.say(f"counted-{kind}", n=n)
                found.append(Waiting(batch.rule, batch.rule_name, counted, samples, *shared, barred, told))
                told = ""  # it is of the rule as a whole
    return found


def _samples(desk: Desk, book: Book, held: Held, contacts: Contacts) -> list[Sample]:
    by_text: dict[str, list[Any]] = {}
    for row in held.rows:
        by_text.setdefault(row.template, []).append(row)
    found = []
    for rows in by_text.values():
        mine = drafts(desk, rows[:TRIED], contacts, book)
        one = next((mail for mail in mine if mail.text and not mail.reason), None)
        one = one or next((mail for mail in mine if mail.text), mine[0])
        found.append(Sample(one.subject, one.name or one.to, one.text))
    return found


def _others(desk: Desk, batch: approvals.Batch) -> list[Sample]:
    """What goes to other services: the first as an example, more below it; nothing where nothing does."""
    if not batch.deeds:
        return []
    mine = [one for one in to_services(desk, "waiting") if one["rule"] == batch.rule]
    first = mine[0] if mine else {"what": "", "person": ""}
    return [Sample(first["what"], first["person"], "\n".join(one["line"].strip() for one in mine[:TRIED]))]


@dataclass(frozen=True)
class Asked:
    """What waits of one rule. `seal` goes with the yes: it is to this and nothing else, and only who saw it has it."""

    id: str
    rule: str
    parts: Sequence[Waiting]
    seal: str


@dataclass
class Asking:
    """For the page. `desk` opens one with the config and the rules as they stand now; its `Trouble` comes through."""

    desk: Callable[[], Desk]
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def waiting(self) -> list[Asked]:
        """All that waits, the oldest first."""
        with closing(self.desk()) as desk:
            book, _ = read_rules(desk, keep_last_right=True)
            contacts = Contacts(desk, everybody(desk), keep_out(desk, None, {}))
            parts: dict[str, list[Waiting]] = {}
            for one in shown_waiting(desk, book, batches(desk, contacts, book), contacts):
                parts.setdefault(one.id, []).append(one)
            with desk.store.look() as connection:
                there = {rule: approvals.waiting_now(connection, desk.store.org, rule) for rule in parts}
            written = as_written(desk, book)
            return [
                Asked(rule, mine[0].rule, mine, self._seal(rule, written.get(rule, ""), there[rule]))
                for rule, mine in parts.items()
            ]

    def approve(self, rule: str, seal: str, who: str) -> list[str]:
        """What to tell of the yes. Raises `Trouble` where something else waits by now than was shown."""
        with closing(self.desk()) as desk:
            book, _ = read_rules(desk, keep_last_right=True)
            written = as_written(desk, book).get(rule, "")

            def as_shown(there: Sequence[str]) -> bool:
                return bool(there) and hmac.compare_digest(self._seal(rule, written, there), seal)

            return list(approve_waiting(desk, rule, who, as_shown=as_shown).said)

    def _seal(self, rule: str, written: str, there: Sequence[str]) -> str:
        return hmac.new(self.secret, json.dumps([rule, written, list(there)]).encode(), "sha256").hexdigest()
