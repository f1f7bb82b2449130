"""Emptying the outbox: each e-mail is written down as leaving, handed over, and settled, one commit each.

Killed in between, it is `uncertain`: it may have arrived, and goes again only when a person says so (`outbox.resend`).
No transaction is open around the network.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import jinja2
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.mail.mailer import (
    AnswerLost,
    Greylisted,
    Mailer,
    RefusedForGood,
    RefusedForNow,
    SenderRefused,
    mailbox,
)
from connectors.trouble import Trouble
from sync.followup import outbox as out
from sync.followup.compose import EmptyField, House, compose, domain_of, message_id
from sync.followup.consent import Contact, Purpose, Right, hashed, right
from sync.followup.leaving import Leaving, Row, leaving
from sync.followup.occasions import occasions
from sync.followup.pacing import Pace
from sync.followup.returns import take_refusal
from sync.followup.tables import PASSING, outbox, rule_state
from sync.followup.templates import Template, Templates
from sync.followup.twice import Twice
from sync.limits import Limits
from sync.store.base import Store, organisation

PAGE = 25  # so many people are looked at together: what they say in between counts from the next page on
MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=30)
ASKED_FOR = timedelta(days=30)  # so long carriers keep what they sent
LONGEST_PAUSE = timedelta(days=3)
REFUSALS_IN_A_ROW = 10
LOST_IN_A_ROW = 3
ABOUT_THE_ADDRESS = re.compile(r"\d{3} [45]\.[12]\.")  # RFC 3463: the mailbox or its system, not the sender
NO_LIMITS = Limits(per_person="none")
People = Callable[[Sequence[int]], Mapping[int, Contact]]


@dataclass
class Sent:
    """What became of the outbox. `later` were refused for now and stay approved, `waiting` wait for an approval,
    `held` counts every e-mail held back today by reason. `trouble` says why sending stopped before its end,
    `again` when the first of those may go that only the hour or the day holds back.
    """

    sent: int = 0
    failed: int = 0
    uncertain: int = 0
    later: int = 0
    waiting: int = 0
    held: dict[str, int] = field(default_factory=dict)
    trouble: Trouble | None = None
    stopped: bool = False
    again: datetime | None = None


@dataclass(frozen=True)
class _Letter:
    """An e-mail ready to go."""

    row: Row
    message: EmailMessage
    sender: str
    envelope: str
    recipient: str
    values: Mapping[str, Any]


def send_due(  # noqa: PLR0913  the outside world, each part of it given
    store: Store, mailer: Mailer, run: int, clock: Callable[[], datetime], *, people: People, templates: Templates,
    house: House, limits: Limits | None = None, order: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None, stop: Callable[[], bool] = lambda: False,
    news: bool = True, twice: Twice | None = None,
) -> Sent:  # fmt: skip
    """Send everything that is approved and due; safe to kill at any moment, and to start again.

    `people` gives, for person ids, what the store knows of them *now* (see `consent.Contact`). Practical information
    goes first, then what rules ask for in the `order` of their ids, as far as the `limits` let it. `progress` is told
    how many of how many are done; `stop` is asked before each e-mail. `news`: whether any marketing e-mail may go. `twice` knows who had the same e-mail
    from another rule. Only one sender should be at work (the lease of `run`); two never send the same e-mail.
    """
    with leaving(store, run, clock) as way:
        pace = Pace(way.connection, store.org, limits or NO_LIMITS, house.zone, domain_of(house.sender), news=news)
        post = _Post(way.connection, store.org, mailer, way, clock, people, templates, house, stop, pace, order, twice)
        try:
            post.settle_interrupted()
            post.send(progress or (lambda _done, _all: None))
        except Trouble as trouble:
            post.done.trouble = trouble
        return post.report()


@dataclass
class _Post:
    connection: Connection
    org: int
    mailer: Mailer
    way: Leaving
    clock: Callable[[], datetime]
    people: People
    templates: Templates
    house: House
    stop: Callable[[], bool]
    pace: Pace
    order: Sequence[str]
    twice: Twice | None
    done: Sent = field(default_factory=Sent)
    refusals: list[tuple[Row, str]] = field(default_factory=list)  # with no success in between
    lost: int = 0  # answers, with no success in between
    refused_senders: set[str] = field(default_factory=set)

    def settle_interrupted(self) -> None:
        """What a dead run left as `sending`: the carrier may know whether it went; else nobody does. It may also have
        learnt since that an uncertain one went; that one did not is no reason to send it again by itself.
        """
        lately = sa.and_(outbox.c.state == "uncertain", outbox.c.settled_at > self.clock() - ASKED_FOR)
        open_ones = sa.select(outbox).where(outbox.c.org == self.org, sa.or_(outbox.c.state == "sending", lately))
        open_ones = open_ones.where(outbox.c.message_id.is_not(None))  # of somebody erased nothing can be asked
        with self.connection.begin():
            rows = self.connection.execute(open_ones).all()
        for row in rows:
            match self.mailer.has_sent(row.message_id):
                case True:
                    self.way.settle(row, "sent", reason=None)
                case False if row.state == "sending":
                    self.way.settle(row, "approved")
                case None if row.state == "sending":
                    self.done.uncertain += 1
                    self.way.settle(row, "uncertain", reason="interrupted")

    def send(self, progress: Callable[[int, int], None]) -> None:
        with self.connection.begin():
            self.done.held["too-late"] = out.expire(self.connection, self.org, self.clock())
            salt = self._salt()
            due = self._due()
        for start in range(0, len(due), PAGE):
            for letter in self._letters(due[start : start + PAGE], salt):
                if self.stop():
                    self.done.stopped = True
                    return
                self._send(letter)
            progress(min(start + PAGE, len(due)), len(due))

    def report(self) -> Sent:
        with self.connection.begin():
            held = sa.select(outbox.c.reason, sa.func.count()).where(outbox.c.org == self.org, outbox.c.state == "held")
            held = held.where(outbox.c.no_later_than >= self.clock()).group_by(outbox.c.reason)
            found = Counter({reason or "": n for reason, n in self.connection.execute(held)})
            waiting = sa.select(sa.func.count()).where(outbox.c.org == self.org, outbox.c.state == "waiting")
            self.done.waiting = self.connection.scalar(waiting) or 0
        self.done.held = dict(+(found + Counter(self.done.held)))
        self.done.again = self.pace.again(set(self.done.held), self.clock())
        return self.done

    def _salt(self) -> str:
        row = self.connection.execute(sa.select(organisation).where(organisation.c.id == self.org)).one()
        return f"{row.slug} {row.created.isoformat()}"

    def _due(self) -> Sequence[str]:
        """Approved ones, and those held for a reason that may be gone. Stale rules' wait."""
        stale = sa.select(rule_state.c.rule).where(rule_state.c.org == self.org, rule_state.c.stale.is_not(None))
        mine = (outbox.c.org == self.org, outbox.c.approved_at.is_not(None))
        to_hold = sa.update(outbox).where(*mine, outbox.c.state == "approved", outbox.c.rule.in_(stale))
        self.connection.execute(to_hold.values(state="held", reason="stale-source"))
        now = self.clock()
        open_ones = (
            outbox.c.state.in_(("approved", "held")),
            outbox.c.not_before <= now,
            outbox.c.no_later_than >= now,
        )
        due = sa.select(outbox.c.id, outbox.c.rule, outbox.c.template, outbox.c.purpose)
        due = due.where(*mine, *open_ones, outbox.c.rule.not_in(stale))
        rows = self.connection.execute(due.order_by(outbox.c.created_at, outbox.c.rule, outbox.c.person_id)).all()
        place = {rule: number for number, rule in enumerate(self.order)}
        rank = {row.id: (self._purpose(row) == "marketing", place.get(row.rule, len(place))) for row in rows}
        return sorted(rank, key=rank.__getitem__)

    def _purpose(self, row: Any) -> Purpose:
        """What an e-mail is for, as far as it is known without its reader."""
        house = self.house.organisation.language
        template = self.templates.choose(row.template, house, house)
        return row.purpose or (template.purpose if template else "marketing")

    def _letters(self, ids: Sequence[str], salt: str) -> Iterator[_Letter]:
        with self.connection.begin():
            rows = self.connection.execute(
                sa.select(outbox).where(outbox.c.org == self.org, outbox.c.id.in_(ids))
            ).all()
            rows = self._not_barred(rows)
            told = occasions(self.connection, self.org, rows, self.templates, self.house)
        order = {id_: place for place, id_ in enumerate(ids)}
        known = self.people([row.person_id for row in rows])
        for row in sorted(rows, key=lambda row: order[row.id]):
            person = known.get(row.person_id)
            letter = self._write(row, person and {**person, **told.get((row.person_id, row.occasion), {})}, salt)
            if isinstance(letter, str):
                self.way.hold(row, letter)
            else:
                yield letter

    def _not_barred(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Those that may go at this hour; the others wait. A reason of the person's own, which time won't mend, stays."""
        barred: dict[str, list[str]] = {}
        self.pace.count(self.clock(), len(rows))
        for row in rows:
            if reason := self.pace.bar(self._purpose(row), self.clock()):
                barred.setdefault(reason, []).append(row.id)
        for reason, ids in barred.items():
            mine = sa.update(outbox).where(outbox.c.org == self.org, outbox.c.id.in_(ids))
            open_ones = sa.or_(outbox.c.state == "approved", outbox.c.reason.in_(PASSING))
            self.connection.execute(mine.where(open_ones).values(state="held", reason=reason))
        waits = {id_ for ids in barred.values() for id_ in ids}
        return [row for row in rows if row.id not in waits]

    def _write(self, row: Row, person: Contact | None, salt: str) -> _Letter | str:
        """The letter, or the word for why it is not sent."""
        if person is None:
            return "unknown-person"
        language = self.house.organisation.language
        template = self.templates.choose(row.template, person.get("language"), language)
        if template is None:
            return "template"
        template = _for_purpose(template, row.purpose)
        today = self.clock().astimezone(self.house.zone).date()
        may = right(person, template.purpose, self.house.organisation.law, today)
        if template.purpose == "marketing" and self.templates.kind(row.template)[1] in person.get("unwanted", ()):
            return may.reason or "topic"
        return may.reason or self._letter(row, person, template, may, salt)

    def _letter(self, row: Row, person: Contact, template: Template, may: Right, salt: str) -> _Letter | str:
        sender = template.sender or self.house.sender
        mark = row.message_id or message_id(salt, row._asdict(), sender)
        try:
            message = compose(person, template, self.house, self.clock(), message_id=mark, right=may)
        except EmptyField:
            return "empty-field"
        except (jinja2.TemplateError, ValueError, TypeError, ArithmeticError, LookupError):
            return "template"
        values = {
            "message_id": mark,
            "subject": str(message["Subject"]),
            "language": template.language or self.house.organisation.language,
            "basis": may.basis,
            "purpose": template.purpose,
            "address_hash": hashed(person["email"]),
        }
        address = mailbox(sender).addr_spec
        return _Letter(row, message, address, self.house.returns_to(row.id) or address, person["email"], values)

    def _send(self, letter: _Letter) -> None:
        if letter.sender in self.refused_senders:
            return
        self.mailer.ready()
        if not self._claim(letter):
            return
        try:
            answer = self.mailer.send(letter.message, letter.envelope, letter.recipient)
        except RefusedForNow as no:
            self._refused_for_now(letter.row, no)
        except RefusedForGood as no:
            self.done.failed += 1
            self.way.settle(letter.row, "failed", reason="refused", answer=_words(no))
            with self.connection.begin():
                take_refusal(self.connection, self.org, letter.values["address_hash"], _words(no), self.clock())
            self._refused(letter.row, no)
        except AnswerLost:
            self.done.uncertain += 1
            self.way.settle(letter.row, "uncertain", reason="answer-lost")
            self.lost += 1
            if self.lost == LOST_IN_A_ROW:
                raise Trouble("mail-answers-lost", n=self.lost) from None
        except SenderRefused as no:  # those of other senders go on
            self.refused_senders.add(letter.sender)
            self.done.trouble = no
            self.way.settle(letter.row, "approved", attempts=letter.row.attempts)
        except Trouble:  # nothing can go out at all, and nothing has: the others wait
            self.way.settle(letter.row, "approved", attempts=letter.row.attempts)
            raise
        else:
            self.refusals.clear()
            self.lost = 0
            self.done.sent += 1
            self.way.settle(letter.row, "sent", reason=None, answer=answer)

    def _claim(self, letter: _Letter) -> bool:
        """Write down that it is leaving; False when it may not, or somebody else has it."""
        word = self.way.claim(letter.row, letter.values, lambda: self._not_now(letter))
        if word == out.HAD_ELSEWHERE:
            self.way.leave_out(letter.row, word)
            self.done.held[word] = self.done.held.get(word, 0) + 1
        elif word:
            self.way.hold(letter.row, word)
        return word is None

    def _not_now(self, letter: _Letter) -> str | None:
        """The word for why this e-mail does not go at this moment: others that went stand in its way."""
        now, purpose = self.clock(), letter.values["purpose"]
        if barred := self.pace.bar(purpose, now):
            return barred
        marketing, address = purpose == "marketing", letter.values["address_hash"]
        if marketing and self.twice and self.twice.had(self.connection, self.org, letter.row, address, now):
            return out.HAD_ELSEWHERE
        had_enough = marketing and self.pace.had_enough(letter.row.person_id, address, now)
        return "cap" if had_enough else None

    def _refused_for_now(self, row: Row, no: RefusedForNow) -> None:
        if row.attempts + 1 >= MOST_ATTEMPTS:
            self.done.failed += 1
            self.way.settle(row, "failed", reason="refused-too-often", answer=_words(no))
        else:
            self.done.later += 1
            self.way.settle(row, "approved", answer=_words(no), not_before=self._later(row))
        if not isinstance(no, Greylisted):
            self._refused(row, no)

    def _later(self, row: Row) -> datetime:
        pause: timedelta = FIRST_PAUSE * 2 ** min(row.attempts, MOST_ATTEMPTS)
        return self.clock() + min(pause, LONGEST_PAUSE)

    def _refused(self, row: Row, no: Trouble) -> None:
        """Stop when nothing but refusals comes back. The same word to all is about the sender: nobody is given up."""
        self.refusals.append((row, _words(no)))
        if len(self.refusals) < REFUSALS_IN_A_ROW:
            return
        kinds = {" ".join(words.split()[:2]) for _, words in self.refusals}
        if len(kinds) == 1 and not ABOUT_THE_ADDRESS.match(_words(no)):
            for each, words in self.refusals:
                given_up = self.way.take_back(each, words, self._later(each))
                self.done.failed -= given_up
                self.done.later += given_up
        raise Trouble("mail-too-many-refusals", n=len(self.refusals), answer=_words(no))


def _for_purpose(template: Template, purpose: Any) -> Template:
    if purpose is None or purpose == template.purpose:
        return template
    return replace(template, purpose=purpose)


def _words(trouble: Trouble) -> str:
    return str(trouble.facts.get("answer") or trouble.code)
