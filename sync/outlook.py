"""What a run would do to the e-mails that wait: which it would take back, and which the limits would hold back.

Both are tried on the copy of the store that looking ahead works on, with the code that decides and sends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, ClassVar

import pydantic
import sqlalchemy as sa

from connectors.mail.mailer import Way
from rules.conditions import Book
from sync.contacts import Contacts
from sync.desk import Desk
from sync.drafts import Draft
from sync.followup import approvals
from sync.followup import outbox as box
from sync.followup.send import send_due
from sync.followup.tables import OPEN_STATES, PASSING
from sync.messages import why_not
from sync.store import Store
from sync.unsubscribing import letterhead

if TYPE_CHECKING:
    from sync.work import Work

MOST = 2_000  # e-mails that are tried: each is written in full, as it would be for its reader


@dataclass
class _Nowhere:
    """A mailer that nothing leaves."""

    service: ClassVar[str] = "nowhere"
    Settings: ClassVar[type[pydantic.BaseModel]] = pydantic.BaseModel
    sender: str
    way: Way | None = None
    sent: int = 0

    def check(self) -> str:
        return self.service

    def ready(self) -> None:
        pass

    def send(self, message: EmailMessage, sender: str, recipient: str) -> str:  # noqa: ARG002  as every mailer is called
        self.sent += 1
        return self.service

    def has_sent(self, message_id: str) -> bool | None:  # noqa: ARG002
        return None

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Paced:
    """How many e-mails would wait even if all were approved now, by the word for why."""

    waits: Mapping[str, int]
    all_tried: bool


NONE_HELD = Paced({}, all_tried=True)


def open_mails(store: Store) -> dict[str, str]:
    """The e-mails that have not gone, by their id, with their rule."""
    with store.look() as connection:
        return box.in_states(connection, store.org, OPEN_STATES)


def taken_back(store: Store, before: Collection[str]) -> list[tuple[str, str, int]]:
    """Of those that were open `before`, how many are no more: by rule and the word for why."""
    with store.look() as connection:
        found = box.cancelled(connection, store.org, before)
    return sorted((rule, reason, n) for (rule, reason), n in found.items())


def had_lately(work: Work, only: str | None = None) -> list[str]:
    """By rule (or of one), how many came into it again too soon for its e-mail."""
    found = work.decisions.had_lately if work.decisions else {}
    names = {rule: work.book.names.get(rule, rule) for rule, n in found.items() if n}
    told = {rule: name for rule, name in names.items() if only in {None, rule, name}}
    return [work.desk.say("run-had-lately", n=found[rule], rule=name) for rule, name in told.items()]


def had_elsewhere(desk: Desk, book: Book, mails: Sequence[Draft]) -> list[str]:
    """By rule, how many of these e-mails would not go since another rule sends their readers the same."""
    found = Counter((mail.rule, mail.other) for mail in mails if mail.other)
    return [
        desk.say("preview-had-elsewhere", n=n, rule=book.names.get(rule, rule), other=other)
        for (rule, other), n in sorted(found.items())
    ]


def paced(work: Work, rows: Sequence[sa.Row[Any]], contacts: Contacts) -> Paced:
    """Approve these rows and send them to nowhere. The store of `work` must be the copy: it is of no use afterwards."""
    desk, mailer = work.desk, _Nowhere(work.desk.config.sender)
    rules, now = {row.rule for row in rows}, desk.clock.now()
    with desk.store.begin() as connection:
        for batch in approvals.waits(connection, desk.store.org):
            if batch.rule in rules:
                approvals.approve(connection, desk.store.org, batch.name, mailer.service, now)
    sent = send_due(
        desk.store, mailer, work.number, desk.clock.now,
        people=contacts, templates=desk.templates[0], house=letterhead(desk), stop=lambda: mailer.sent >= MOST,
        limits=desk.config.limits, order=list(work.book.names), twice=work.twice,
    )  # fmt: skip
    mine = {row.id for row in rows}
    with desk.store.look() as connection:
        held = [row for row in box.listed(connection, desk.store.org, ("held",), limit=100_000) if row.id in mine]
    waits = Counter(row.reason for row in held if row.reason in PASSING and row.reason != "stale-source")
    return Paced(dict(waits), all_tried=not sent.stopped)


def paced_lines(desk: Desk, found: Paced) -> Iterator[str]:
    """The same in words; nothing where nothing would wait."""
    if not found.waits:
        return
    reasons = [(n, why_not(desk.language, reason)) for reason, n in sorted(found.waits.items())]
    why = " · ".join(desk.say("preview-paced-each", n=n, why=why) for n, why in reasons)
    yield desk.say("preview-paced", n=sum(found.waits.values()), why=why)
    if not found.all_tried:
        yield desk.say("preview-paced-first", n=MOST)
