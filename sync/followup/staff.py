"""The e-mail to the team: made in the house's frame, written down before it leaves, told once.

Killed in between, it counts as told: uncertain is better than twice, and the next one says which did perhaps not arrive.
Each address has its row of `staff_mail`; a webhook of the config is one, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from connectors.mail.mailer import AnswerLost, Mailer, RefusedForGood, RefusedForNow, mailbox
from connectors.mail.wire import WIRE
from connectors.trouble import Trouble
from connectors.webhook import Webhook
from sync.followup.compose import House, message_id
from sync.followup.frame import Page, lay_out
from sync.followup.look import look_of
from sync.followup.markdown import write
from sync.followup.tables import deed, staff_mail
from sync.messages import say
from sync.runs import remembered
from sync.store.base import Store, slices, upsert

MEMORY = "staff told"
HOOK = "webhook "
"""Begins the address of a program that is told."""


@dataclass(frozen=True)
class Section:
    """A part of the e-mail: a heading and lines of plain text."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Bulletin:
    """One e-mail to the team. `notices` are the deeds it tells of, `memory` what counts as told once it has left."""

    subject: str
    sections: tuple[Section, ...]
    notices: tuple[str, ...] = ()
    memory: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Told:
    """What became of it: the addresses reached, and the troubles of the others."""

    reached: list[str] = field(default_factory=list)
    troubles: list[tuple[str, Trouble]] = field(default_factory=list)


@dataclass(frozen=True)
class Post:
    """How the team is reached."""

    store: Store
    house: House
    mailer: Mailer
    open_hook: Callable[[str], Webhook | None]
    clock: Callable[[], datetime]

    def mark(self, run: int, address: str) -> str:
        identity = {"org": self.store.org, "rule": "staff", "step": address, "person_id": 0, "occasion": run}
        return message_id(self.house.organisation.slug, identity, self.house.sender)


def settle_interrupted(post: Post) -> list[sa.Row[Any]]:
    """What a dead run left: gone if the carrier knows so, else uncertain. Gives those nobody was told of yet."""
    store = post.store
    mine = (staff_mail.c.org == store.org,)
    with store.look() as connection:
        left = connection.execute(sa.select(staff_mail).where(*mine, staff_mail.c.state == "sending")).all()
    for row in left:
        hook = row.address.startswith(HOOK)
        known = None if hook else post.mailer.has_sent(row.message_id)
        _settle(store, row.run, row.address, {True: "sent", False: "failed", None: "uncertain"}[known])
    with store.begin() as connection:
        _close_notices(connection, store.org, {row.run for row in left}, reached=True)
        unsure = sa.select(staff_mail).where(*mine, staff_mail.c.state == "uncertain", staff_mail.c.told.is_(False))
        return list(connection.execute(unsure).all())


def tell(post: Post, run: int, bulletin: Bulletin, addresses: Sequence[str], unsure: Sequence[sa.Row[Any]]) -> Told:
    """Send one bulletin to everybody; where nobody at all could be reached, nothing counts as told."""
    store, now = post.store, post.clock()
    told = Told()
    before = _begin(post, run, bulletin, addresses, unsure, now)
    for address in addresses:
        try:
            answer = _send(post, run, bulletin, address, now)
        except AnswerLost as lost:
            told.reached.append(address)
            _settle(store, run, address, "uncertain", lost.code)
        except Trouble as trouble:
            told.troubles.append((address, trouble))
            _settle(store, run, address, "failed", str(trouble.facts.get("answer") or trouble.code))
            if not (isinstance(trouble, RefusedForGood | RefusedForNow) or address.startswith(HOOK)):
                break
        else:
            told.reached.append(address)
            _settle(store, run, address, "sent", answer)
    with store.begin() as connection:
        _close_notices(connection, store.org, {run}, reached=bool(told.reached))
        if not told.reached:
            upsert(connection, remembered, [{"org": store.org, "name": MEMORY, "value": before}])
        left = (staff_mail.c.org == store.org, staff_mail.c.run == run, staff_mail.c.state == "sending")
        connection.execute(sa.update(staff_mail).where(*left).values(state="failed"))
    return told


def _begin(
    post: Post, run: int, bulletin: Bulletin, addresses: Sequence[str], unsure: Sequence[sa.Row[Any]], now: datetime
) -> str:
    """Write all of it down as told, in one go. Gives what was told before."""
    store = post.store
    row = {"org": store.org, "run": run, "state": "sending", "made": now, "told": False}
    with store.begin() as connection:
        known = sa.select(remembered.c.value).where(remembered.c.org == store.org, remembered.c.name == MEMORY)
        before = connection.scalar(known) or "{}"
        marks = [row | {"address": address, "message_id": post.mark(run, address)} for address in addresses]
        upsert(connection, staff_mail, marks)
        for one in unsure:
            this = (staff_mail.c.org == store.org, staff_mail.c.run == one.run, staff_mail.c.address == one.address)
            connection.execute(sa.update(staff_mail).where(*this).values(told=True))
        for some in slices(bulletin.notices):
            notices = sa.update(deed).where(deed.c.org == store.org, deed.c.id.in_(some), deed.c.state == "approved")
            connection.execute(notices.values(state="sending", batch=_batch(run)))
        value = msgspec.json.encode(bulletin.memory).decode()
        upsert(connection, remembered, [{"org": store.org, "name": MEMORY, "value": value}])
    return before


def _batch(run: int) -> str:
    return f"staff-{run}"


def _close_notices(connection: sa.Connection, org: int, runs: Collection[int], *, reached: bool) -> None:
    mine = (deed.c.org == org, deed.c.kind == "notify", deed.c.batch.in_([_batch(run) for run in runs]))
    told = sa.update(deed).where(*mine, deed.c.state == "sending")
    connection.execute(told.values(state="done" if reached else "approved"))


def _settle(store: Store, run: int, address: str, state: str, answer: str | None = None) -> None:
    mine = (staff_mail.c.org == store.org, staff_mail.c.run == run, staff_mail.c.address == address)
    with store.begin() as connection:
        connection.execute(sa.update(staff_mail).where(*mine).values(state=state, answer=answer))


def _send(post: Post, run: int, bulletin: Bulletin, address: str, now: datetime) -> str:
    if not address.startswith(HOOK):
        message = compose_bulletin(bulletin, post.house, now, address, post.mark(run, address))
        return post.mailer.send(message, mailbox(post.house.sender).addr_spec, mailbox(address).addr_spec)
    hook = post.open_hook(address.removeprefix(HOOK))
    if hook is None:
        raise Trouble("webhook-none", name=address.removeprefix(HOOK))
    try:
        sections = [{"title": one.title, "lines": one.lines} for one in bulletin.sections]
        told = {"type": "run.digest", "run": run, "at": now, "subject": bulletin.subject, "sections": sections}
        organisation = post.house.organisation.slug
        return hook.send(f"{organisation}-run-{run}", {"organisation": organisation, **told})
    finally:
        hook.close()


def compose_bulletin(bulletin: Bulletin, house: House, now: datetime, address: str, mark: str) -> EmailMessage:
    """The e-mail as it goes to one address of the team."""
    language, who = house.organisation.language, house.organisation
    body = "\n\n".join(
        f"### {_literal(section.title)}\n\n" + "\n".join(f"- {_literal(line)}" for line in section.lines)
        for section in bulletin.sections
    )
    said, why = write(body, language), say(language, "staff-why", house=who.name)
    page = Page(
        language, look_of(who.colours), bulletin.subject, bulletin.sections[0].lines[0], said.parts, (), (),
        who.name, "", why, "", "", house.shown_logo,
    )  # fmt: skip
    message = EmailMessage(policy=WIRE)
    message["From"] = house.sender
    message["To"] = mailbox(address)
    message["Subject"] = bulletin.subject
    message["Date"] = format_datetime(now.astimezone(house.zone))
    message["Message-ID"] = mark
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    house.put(message, f"{said.plain}\n\n-- \n{why}\n", lay_out(page))
    return message


def _literal(text: str) -> str:
    """Text in which Markdown finds nothing of its own: names and sentences from elsewhere stand in it."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
