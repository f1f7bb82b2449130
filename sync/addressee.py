"""Whether e-mails to one person would go, as things stand: for `explain`, in the words of the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from rules.conditions import Book, Email
from sync.contacts import Contacts, keep_out
from sync.desk import Desk
from sync.drafts import Draft, drafts, may_go
from sync.followup.consent import Contact
from sync.followup.outbox import ASKED_AGAIN, HAD_ELSEWHERE
from sync.followup.tables import OPEN_STATES, PASSING
from sync.messages import why_not
from sync.sheet.look import Look


@dataclass(frozen=True)
class Addressee:
    """One person as their e-mails know them; `drafts` are those of the outbox that have not gone, by their id."""

    desk: Desk
    contact: Contact
    drafts: Mapping[str, Draft]

    @classmethod
    def of(cls, desk: Desk, book: Book, person: pl.DataFrame, seen: Look, rows: Sequence[Any]) -> Addressee:
        """`person` is one row, as rules see it; `rows` are those of the outbox that are about this person."""
        contacts = Contacts(desk, person, keep_out(desk, seen, {}))
        number = person["person_id"][0]
        asked = [row for row in rows if row.state in OPEN_STATES or row.reason == HAD_ELSEWHERE]
        return cls(desk, contacts([number])[number], {mail.id: mail for mail in drafts(desk, asked, contacts, book)})

    def state(self, row: Any) -> str:
        """How an e-mail of the outbox stands, and why it would not go."""
        draft, state = self.drafts.get(row.id), self.desk.say(f"mail-{row.state}")
        if draft and draft.reason not in {None, row.reason} and row.state in OPEN_STATES:
            why = why_not(self.desk.language, draft.reason or "", draft.other)
            return self.desk.say("mail-barred", state=state, why=why)
        if row.state == "waiting":
            state = self.desk.say("mail-waiting-for", state=state, command=self.desk.command("approve", row.rule))
        other = draft.other if draft else ""
        return state + (f", {why_not(self.desk.language, row.reason, other)}" if row.reason else "")

    def awaits(self, row: Any) -> bool:
        """Whether an e-mail of the outbox has yet to go, and may."""
        draft = self.drafts.get(row.id)
        return row.state in OPEN_STATES and draft is not None and draft.reason in {None, ASKED_AGAIN, *PASSING}

    def barred(self, email: Email, day: date, visit: date | None = None) -> str | None:
        """That an e-mail would not go on this day, and why, as far as is known now; None where nothing speaks against it.
        What they have booked until then counts as a visit by then; so does `visit`, the one it is about.
        """
        visits = (self.contact.get("last_visit"), self.contact.get("next_visit"), visit)
        last = max((one for one in visits if one and one <= day), default=None)
        may = may_go(self.desk, email.template, email.purpose, {**self.contact, "last_visit": last}, day)
        return (
            self.desk.say("mail-would-not-go", why=why_not(self.desk.language, may)) if isinstance(may, str) else None
        )
