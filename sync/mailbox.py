"""The mailbox is read once a run: bounces, complaints, and people who want no more e-mails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from connectors.mail.mailbox import Head, Mailbox
from connectors.mail.reports import Complaint, Glance, Report, Stop, Word, glance, understand
from connectors.trouble import Trouble
from sync import runs
from sync.desk import Desk
from sync.followup import returns, wishes
from sync.followup.tokens import Meant
from sync.store.base import upsert
from sync.unsubscribing import seal_of

TOLD = ("bad-address", "full-or-away", "policy", "complaint", "unsubscribed", "not-ours", "unreadable")
"""What is counted and told. A delayed e-mail is still under way: nothing to tell."""


@dataclass
class Came:
    """What came back, counted by kind (of `TOLD`); `trouble` says why not all of it was read."""

    counts: Counter[str] = field(default_factory=Counter)
    trouble: Trouble | None = None


def read_mailbox(desk: Desk, mailbox: Mailbox, stop: Callable[[], bool] = lambda: False) -> Came:
    """Take in what is new. What was read and how far are committed together, so that nothing counts twice."""
    came, reader = Came(), _Reader(desk, mailbox)
    try:
        for batch in mailbox.new(runs.recall(desk.store, reader.place)):
            found = [(head.at, word) for head in batch.heads for word in reader.words(head)]
            with desk.store.begin() as connection:
                came.counts.update(reader.take(connection, at, word) for at, word in found)
                place = {"org": desk.store.org, "name": reader.place, "value": batch.cursor}
                upsert(connection, runs.remembered, [place])
            if stop():
                break
    except Trouble as trouble:
        came.trouble = trouble
    finally:
        mailbox.close()
    return came


class _Reader:
    def __init__(self, desk: Desk, mailbox: Mailbox) -> None:
        self.store, self.mailbox = desk.store, mailbox
        self.seal, self.kind = seal_of(desk), desk.templates[0].kind
        settings = mailbox.settings
        self.place = f"mailbox {settings.host} {settings.user} {settings.folder}"

    def words(self, head: Head) -> Sequence[Word | None]:
        """What a message says, if it is any business of ours; None for a report that says nothing we understand."""
        seen = glance(head.head)
        if not self._concerns(seen):
            return []
        word = understand(self.mailbox.whole(head.uid))
        return [word] if word or seen.report else []

    def _concerns(self, seen: Glance) -> bool:
        if seen.report or (seen.subject and self.seal.read(seen.subject)):
            return True
        with self.store.look() as connection:
            return bool(seen.answers and returns.answered(connection, self.store.org, seen.answers, self.kind))

    def take(self, connection: Connection, at: datetime, word: Word | None) -> str:
        """What it comes to."""
        org = self.store.org
        match word:
            case Report():
                return returns.take_report(connection, org, word, at)
            case Complaint():
                return returns.take_complaint(connection, org, word, at, self.kind)
            case Stop():
                sealed = self.seal.read(word.subject)
                meant = sealed or returns.answered(connection, org, word.answers, self.kind)
                return self._refuse(connection, meant, at, "mail" if sealed else "answer")
        return "unreadable"

    def _refuse(self, connection: Connection, meant: Meant | None, at: datetime, how: wishes.How) -> str:
        org = self.store.org
        if meant is None or wishes.said_yes_since(connection, org, meant, at):
            return "not-ours" if meant is None else "settled"
        return "unsubscribed" if wishes.refuse(connection, org, meant, at, how, self.kind) else "settled"
