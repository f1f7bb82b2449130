"""Commands about what goes out: approve, outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.trouble import FixFile
from rules.conditions import Book
from sync.approval import cover_lines
from sync.awaiting import until, waiting_lines
from sync.beginning import read_rules
from sync.contacts import Contacts, keep_out
from sync.deedwords import to_services
from sync.desk import Desk, at_the_keyboard
from sync.drafts import Draft, drafts
from sync.followup import approvals
from sync.followup import outbox as box
from sync.followup.decide import digest_of
from sync.followup.tables import OUTBOX_STATES, rule_state
from sync.messages import why_not
from sync.outcome import Outcome
from sync.rows import everybody

FEW = 8
APPROVED = {"mails": "approved", "deeds": "approved-others", "tasks": "approved-tasks"}
SHOWN_FIRST = ("uncertain", "failed", "waiting", "held", "approved", "sending", "planned", "sent", "cancelled")


def as_written(desk: Desk, book: Book) -> dict[str, str]:
    """By rule and journey, what a yes is to: its meaning and its e-mails, as they are written now."""
    return {rule.id: digest_of(rule, desk.templates[0]) for rule in book.acting}


def approve_waiting(
    desk: Desk, what: str, who: str | None = None, *, as_shown: Callable[[Sequence[str]], bool] = lambda _ids: True
) -> Outcome:
    """Let a batch go; the next run sends it. `who` says so: at the keyboard, if nobody else does. Raises FixFile
    `waits-otherwise`, and nothing goes, where what waits by now (the ids of it) is not `as_shown`.
    """
    book, _ = read_rules(desk, keep_last_right=True)
    name = book.called(what) or what
    with desk.store.begin() as connection:
        if not as_shown(approvals.waiting_now(connection, desk.store.org, name)):
            raise FixFile("waits-otherwise")
        approvals.note_digests(connection, desk.store.org, as_written(desk, book))
        approvals.note_texts(connection, desk.store.org, lambda name: desk.templates[0].fingerprint([name]))
        before = approvals.waits(connection, desk.store.org)
        count = approvals.approve(connection, desk.store.org, name, who or at_the_keyboard(), desk.clock.now())
        left = approvals.waits(connection, desk.store.org)
    if not count:
        known = ", ".join(sorted({batch.rule for batch in left})) or desk.say("nothing-at-all")
        raise FixFile("nothing-waits", found=what, known=known)
    said = [
        desk.say(code, n=n)
        for kind, code in APPROVED.items()
        if (n := sum(getattr(one, kind) for one in before) - sum(getattr(one, kind) for one in left))
    ]
    mine = [one for one in before if name in {one.name, one.rule, one.rule_name}]
    said += [desk.say("approved-until", until=told) for one in mine if (told := until(desk, one))]
    said += cover_lines(desk, book, {one.rule: None for one in mine})
    return Outcome(said, {"approved": count, "waiting": sum(batch.mails for batch in left)})


def show_outbox(desk: Desk, state: str | None, *, drop: str | None, release: str | None) -> Outcome:
    """What waits, was sent, is held or failed, and why; and letting go of single e-mails."""
    if state is not None and state not in OUTBOX_STATES:
        raise FixFile("no-such-state", found=state, known=", ".join(OUTBOX_STATES))
    store = desk.store
    if drop or release:
        return _settle(desk, drop, release)
    with store.look() as connection:
        batches, rules = approvals.waits(connection, store.org), approvals.waiting_rules(connection, store.org)
        rows = box.listed(connection, store.org, (state,) if state else ())
        counts = box.counts(connection, store.org)
        named = sa.select(rule_state.c.rule, rule_state.c.name).where(rule_state.c.org == store.org)
        names = {row.rule: row.name for row in connection.execute(named)}
    book, _ = read_rules(desk, keep_last_right=True)
    contacts = Contacts(desk, everybody(desk), keep_out(desk, None, {}))
    mails = drafts(desk, rows, contacts, book)
    said = waiting_lines(desk, rules)
    said += ["", *covered, ""] if (covered := list(cover_lines(desk, book, [one.rule for one in rules]))) else []
    total: dict[str, int] = {}
    for (one, _), n in sorted(counts.items(), key=str):
        total[one] = total.get(one, 0) + n
    said.append(" · ".join(desk.say("outbox-count", state=desk.say(f"mail-{one}"), n=n) for one, n in total.items()))
    said += _grouped(desk, list(zip(rows, mails, strict=True)), names, len(rows) if state else FEW)
    others = to_services(desk, state)
    said += ["", *(one["line"] for one in others)] if others else []
    if not rows and not others:
        said.append(desk.say("outbox-empty"))
    facts = {
        "waiting": [
            {"batch": b.name, "rule": b.rule, "mails": b.mails, "tasks": b.tasks, "deeds": b.deeds} for b in batches
        ],
        "mails": [
            {
                **mail.to_json(),
                "id": row.id,
                "state": row.state,
                "reason": row.reason,
                "subject": row.subject or mail.subject,
            }
            for row, mail in zip(rows, mails, strict=True)
        ],
        "deeds": [{name: value for name, value in one.items() if name != "line"} for one in others],
    }
    return Outcome(said, facts)


def _grouped(desk: Desk, found: Sequence[tuple[Any, Draft]], names: dict[str, str], most: int) -> Iterator[str]:
    """E-mails by state and rule: what asks for a person first; each with whom it is for, and its number last."""
    groups: dict[tuple[str, str], list[tuple[Any, Draft]]] = {}
    for row, mail in sorted(found, key=lambda one: (SHOWN_FIRST.index(one[0].state), one[0].rule, one[1].name)):
        groups.setdefault((row.state, names.get(row.rule, row.rule)), []).append((row, mail))
    for (state, rule), group in groups.items():
        yield ""
        yield desk.say("outbox-group", state=desk.say(f"mail-{state}"), rule=rule, n=len(group))
        lines = [(mail.name, mail.to, _subject(desk, row, mail), row.id) for row, mail in group[:most]]
        wide = [min(34, max(len(line[place]) for line in lines)) for place in (0, 1)]
        for name, to, subject, number in lines:
            yield f"  {name:<{wide[0]}}  {to:<{wide[1]}}  {subject}  [{number}]"
        if len(group) > most:
            yield desk.say("outbox-more", n=len(group) - most, command=desk.command("outbox", "--state", state))


def _subject(desk: Desk, row: Any, mail: Draft) -> str:
    """What the e-mail is about, or why it does not go."""
    reason = (mail.reason if row.state in {"planned", "waiting", "approved", "held"} else None) or row.reason
    if not reason:
        return row.subject or mail.subject
    why = why_not(desk.language, reason, mail.other if reason == mail.reason else "")
    return " ".join(part for part in (row.subject or mail.subject, f"({why})") if part)


def _settle(desk: Desk, drop: str | None, release: str | None) -> Outcome:
    with desk.store.begin() as connection:
        if drop:
            done = box.drop(connection, desk.store.org, drop, at_the_keyboard())
        else:
            done = box.resend(connection, desk.store.org, str(release), at_the_keyboard(), desk.clock.now())
    if not done:
        raise FixFile("no-such-mail", found=drop or release)
    return Outcome([desk.say("outbox-dropped" if drop else "outbox-released")], {"done": True})
