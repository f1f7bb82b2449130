"""What comes back of the e-mails that went: held against the outbox, since anybody can write anything to a mailbox.

A report counts when it names an e-mail that we sent (by its Message-ID, or by the address that it was returned to) *and*
the recipient that this e-mail went to. Status codes are those of RFC 3463:

- bad address (5.1.1 and the like): the address is not written to any more, until the team corrects it;
- full or away (5.2.2, any 4.x that was given up): after `IN_A_ROW` e-mails in a row, on as many days, the same;
- policy (5.7.x): it was us whom they refused, and nothing is said about the address;
- a complaint: never any news again.

Every function works inside the transaction of its caller.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.mail.reports import Complaint, Failed, Report
from sync.followup import suppression, wishes
from sync.followup.consent import hashed
from sync.followup.tables import GONE_STATES, outbox, returned
from sync.followup.tokens import Meant
from sync.followup.wishes import Kind
from sync.store.base import upsert

BAD_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
CODE = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")
IN_A_ROW = 3
ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
WORST = ("policy", "full-or-away", "bad-address", "complaint")
Word = Literal["bad-address", "full-or-away", "policy", "complaint", "delayed", "not-ours"]
Row = sa.Row[Any]


def take_report(connection: Connection, org: int, report: Report, at: datetime) -> Word:
    """What a delivery report comes to. `at` is when it came in."""
    mail = _mail(connection, org, report.message_id, report.to)
    mine = [one for one in report.failed if mail and any(hashed(who) == mail.address_hash for who in one.addresses)]
    if mail is None or not mine:
        return "not-ours"
    words = [_word(one) for one in mine]
    word = max(words, key=lambda one: WORST.index(one) if one in WORST else -1)
    if word == "delayed":
        return word
    status = next(one.status for one, its in zip(mine, words, strict=True) if its == word)
    _keep(connection, org, mail, word, status, at)
    if word == "bad-address" or (word == "full-or-away" and _in_a_row(connection, org, mail.address_hash)):
        suppression.add(connection, org, mail.address_hash, "bounced", at, f"bounce {status}")
    return word


def take_complaint(connection: Connection, org: int, complaint: Complaint, at: datetime, kind: Kind) -> Word:
    """Services often leave out who complained: then the e-mail says it."""
    mail = _mail(connection, org, complaint.message_id, complaint.to)
    named = {hashed(who) for who in complaint.addresses}
    if mail is None or (named and mail.address_hash not in named):
        return "not-ours"
    _keep(connection, org, mail, "complaint", "", at)
    wishes.refuse(connection, org, Meant(mail.address_hash, "marketing", mail.person_id), at, "complaint", kind)
    return "complaint"


def take_refusal(connection: Connection, org: int, address: str, answer: str, at: datetime) -> None:
    """The server refused `address` (`consent.hashed`) while we spoke with it: its `answer` may say that it is bad."""
    codes = CODE.findall(answer)
    if bad := next((code for code in codes if code in BAD_ADDRESS), None):
        suppression.add(connection, org, address, "bounced", at, f"refused {bad}")


def answered(connection: Connection, org: int, message_ids: Sequence[str], kind: Kind) -> Meant | None:
    """Whom the e-mail went to that is answered with these references, the nearest first; None if none is ours."""
    for mark in message_ids:
        if mail := _mail(connection, org, mark, ()):
            return Meant(mail.address_hash, mail.purpose or kind(mail.template)[0], mail.person_id)
    return None


def _word(one: Failed) -> Word:
    if one.action != "failed" or not one.status.startswith(("4.", "5.")):
        return "delayed"
    if one.status in BAD_ADDRESS:
        return "bad-address"
    return "policy" if one.status.startswith("5.7.") else "full-or-away"


def _mail(connection: Connection, org: int, message_id: str, to: Sequence[str]) -> Row | None:
    """The e-mail that this is about, if it is one that went."""
    gone = sa.select(outbox).where(outbox.c.org == org, outbox.c.state.in_(GONE_STATES))
    gone = gone.where(outbox.c.address_hash.is_not(None))
    if message_id and (found := connection.execute(gone.where(outbox.c.message_id == message_id)).first()):
        return found
    ids = [id_ for address in to for id_ in ID.findall(address.rpartition("@")[0].casefold())]
    return connection.execute(gone.where(outbox.c.id.in_(ids[:20]))).first() if ids else None


def _keep(connection: Connection, org: int, mail: Row, word: Word, status: str, at: datetime) -> None:
    """The worst of what came back of an e-mail stands, and is told beside it."""
    mine = (returned.c.org == org, returned.c.mail == mail.id)
    before = connection.scalar(sa.select(returned.c.kind).where(*mine))
    if before is None or WORST.index(before) < WORST.index(word):
        upsert(connection, returned, [{"org": org, "mail": mail.id, "kind": word, "status": status, "at": at}])
        told = sa.update(outbox).where(outbox.c.org == org, outbox.c.id == mail.id)
        connection.execute(told.values(reason=f"back-{word}", answer=status or None))


def _in_a_row(connection: Connection, org: int, address: str) -> bool:
    """Whether the last e-mails to this address all came back, on several days."""
    sent = sa.select(outbox.c.settled_at, returned.c.kind)
    sent = sent.outerjoin(returned, sa.and_(returned.c.org == outbox.c.org, returned.c.mail == outbox.c.id))
    mine = (outbox.c.org == org, outbox.c.address_hash == address, outbox.c.state.in_(("sent", "uncertain")))
    rows = connection.execute(sent.where(*mine).order_by(outbox.c.settled_at.desc())).all()
    days: set[object] = set()
    for row in rows:
        if row.kind not in {"full-or-away", "bad-address"}:
            break
        days.add(row.settled_at.date())
    return len(days) >= IN_A_ROW
