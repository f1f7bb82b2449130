"""E-mails as they would go out, for people who look before they say yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import jinja2
import sqlalchemy as sa

from rules.conditions import Book
from sync.contacts import Contacts
from sync.dates import format_date
from sync.desk import Desk
from sync.followup import approvals
from sync.followup import outbox as box
from sync.followup.compose import EmptyField, House, compose, page, text
from sync.followup.consent import Contact, Purpose, Right, right
from sync.followup.occasions import occasions
from sync.followup.tables import PASSING
from sync.followup.templates import Gap, Template
from sync.followup.twice import Twice
from sync.messages import say, why_not
from sync.rows import called, house_of
from sync.unsubscribing import letterhead


@dataclass(frozen=True)
class Draft:
    """`reason` says in a word why it would not go; then there may be no text. `gaps` are the fields that stay empty. `other`
    is the name of the rule or journey that sends the same e-mail, where that is the reason. `leaves` is the local day of one
    that waits its time.
    """

    id: str
    rule: str
    template: str
    state: str
    to: str
    name: str
    subject: str = ""
    text: str = ""
    html: str = ""
    reason: str | None = None
    gaps: tuple[Gap, ...] = ()
    other: str = ""
    leaves: date | None = None

    def to_json(self) -> dict[str, Any]:
        told = {"to": self.to, "subject": self.subject, "rule": self.rule, "state": self.state, "reason": self.reason}
        return {**told, "leaves": self.leaves.isoformat() if self.leaves else None}

    def standing(self, language: str) -> str:
        """Why it would not go, or how it stands: with its day, where it waits its time."""
        if self.reason:
            return why_not(language, self.reason, self.other)
        if self.leaves:
            return say(language, "mail-planned-on", day=format_date(self.leaves, "medium", locale=language))
        return say(language, f"mail-{self.state}")


@dataclass(frozen=True)
class Held:
    """What waits of a rule for approval: its rows, and how many of them would not go even then (unsubscribed, …)."""

    batch: approvals.Batch
    rows: Sequence[sa.Row[Any]]
    barred: int


def twice(desk: Desk, book: Book) -> Twice:
    """Who gets the same e-mail from two rules."""
    return Twice(book, desk.templates[0], desk.config.organisation.language, desk.config.limits.apart)


def batches(desk: Desk, contacts: Contacts, book: Book) -> list[Held]:
    """What waits for a person, the oldest first."""
    with desk.store.look() as connection:
        waiting = approvals.waiting_rules(connection, desk.store.org)
        rows = box.listed(connection, desk.store.org, ("waiting",), limit=100_000) if waiting else []
        others = twice(desk, book).others(connection, desk.store.org, rows, desk.clock.now())
    people = contacts([row.person_id for row in rows])
    found = []
    for batch in waiting:
        mine = [row for row in rows if row.rule == batch.rule]
        barred = sum(
            row.id in others or isinstance(_row_may(desk, row, people.get(row.person_id)), str) for row in mine
        )
        found.append(Held(batch, mine, barred))
    return found


def _row_may(desk: Desk, row: sa.Row[Any], person: Mapping[str, Any] | None) -> tuple[Template, Right] | str:
    if person is None:
        return "unknown-person"
    return may_go(desk, row.template, row.purpose, person, desk.clock.today())


def may_go(desk: Desk, name: str, purpose: Purpose | None, person: Contact, day: date) -> tuple[Template, Right] | str:
    """The template of this name and the right to send it to a person on a local day, or the word for why it would not go.
    `purpose` None: as the template says.
    """
    who = desk.config.organisation
    template = desk.templates[0].choose(name, person.get("language"), who.language)
    if template is None:
        return "template"
    template = replace(template, purpose=purpose or template.purpose)
    may = right(person, template.purpose, who.law, day)
    if template.purpose == "marketing" and desk.templates[0].kind(name)[1] in person.get("unwanted", ()):
        return may.reason or "topic"
    return may.reason or (template, may)


def drafts(desk: Desk, rows: Sequence[sa.Row[Any]], contacts: Contacts, book: Book) -> list[Draft]:
    """For rows of the outbox, each e-mail as it would be written today."""
    people = contacts([row.person_id for row in rows])
    house = letterhead(desk) if rows else house_of(desk)
    with desk.store.look() as connection:
        told = occasions(connection, desk.store.org, rows, desk.templates[0], house)
        others = twice(desk, book).others(connection, desk.store.org, rows, desk.clock.now())
    found = [
        _draft(desk, house, row, person and {**person, **told.get((row.person_id, row.occasion), {})})
        for row in rows
        for person in (people.get(row.person_id),)
    ]
    return [_had_elsewhere(mail, others[mail.id]) if mail.id in others else mail for mail in found]


def _had_elsewhere(mail: Draft, other: str) -> Draft:
    """A reason of the person's own comes before."""
    if mail.reason in {None, box.ASKED_AGAIN, box.HAD_ELSEWHERE, *PASSING}:
        return replace(mail, reason=box.HAD_ELSEWHERE, other=other)
    return mail


def _draft(desk: Desk, house: House, row: sa.Row[Any], person: Mapping[str, Any] | None) -> Draft:
    if person is None:
        return Draft(row.id, row.rule, row.template, row.state, "", "", reason="unknown-person")
    leaves = row.not_before if row.state == "planned" and row.not_before > desk.clock.now() else None
    blank = Draft(
        row.id, row.rule, row.template, row.state, person.get("email") or "", called(person), reason=row.reason,
        leaves=leaves and leaves.astimezone(desk.config.zone).date(),
    )  # fmt: skip
    allowed = _row_may(desk, row, person)
    if isinstance(allowed, str):
        return replace(blank, reason=allowed)
    template, may = allowed
    try:
        message = compose(person, template, house, desk.clock.now(), message_id="<draft@example.org>", right=may)
    except EmptyField as hole:
        seen = hole.letter
        return replace(
            blank, subject=seen.subject, text=seen.text, html=seen.html, reason="empty-field", gaps=seen.empty
        )
    except (jinja2.TemplateError, ValueError, TypeError, ArithmeticError, LookupError):
        return replace(blank, reason="template")
    return replace(blank, subject=str(message["Subject"]), text=text(message), html=page(message))
