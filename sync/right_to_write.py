"""Whether a person may be written to, by what right, until when, and what was said about it: for people who look."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, get_args

import polars as pl

from connectors.trouble import Trouble
from sync.contacts import Contacts, Note, Said, addresses_of, keep_out, said
from sync.dates import format_date
from sync.desk import Desk
from sync.followup import suppression
from sync.followup.consent import READ, Purpose, Right, right
from sync.messages import sentences, why_not
from sync.sheet.look import Look

END = "may_write_until"
REFUSED = {
    "said-no": {"said-marketing-refused", "said-note-refused"},
    "unsubscribed": {"said-unsubscribed", "said-note-no-news", "said-list-unsubscribed", "said-list-nothing-more"},
    "complained": {"said-list-complained"},
    "do-not-contact": {"said-note-never"},
}
"""By why no news may go, what was said that makes it so."""


@dataclass(frozen=True)
class Statement:
    """One thing that was said: `code` says what, in our words; `words` are those that stand where it was said."""

    code: str
    at: date | datetime | None
    where: str
    words: str = ""


@dataclass(frozen=True)
class Standing:
    """A person's rights by purpose, and all that was said, the newest first. `unread`: why the sheet was not looked at."""

    rights: Mapping[Purpose, Right]
    statements: Sequence[Statement]
    unread: Trouble | None = None


def standing(desk: Desk, people: pl.DataFrame, code: str, seen: Look | None, unread: Trouble | None = None) -> Standing:
    """`people` as `rows.everybody` gives them; `seen` is the sheet, where the team may have noted something."""
    noted = keep_out(desk, seen, {})
    row = people.filter(pl.col("key") == code)
    number = row["person_id"][0]
    contact = Contacts(desk, row, noted)([number])[number]
    law, today = desk.config.organisation.law, desk.clock.today()
    rights = {purpose: right(contact, purpose, law, today) for purpose in get_args(Purpose)}
    found = [*map(_of_source, said(desk, [number]).get(number, ())), *map(_of_note, noted.get(code, ()))]
    found += _of_list(desk, number, contact)
    return Standing(
        rights, sorted(dict.fromkeys(found), key=lambda one: _day(desk, one.at) or date.min, reverse=True), unread
    )


def with_ends(
    desk: Desk, people: pl.DataFrame, fields: Collection[str], seen: Look | None, codes: Mapping[str, str]
) -> pl.DataFrame:
    """`people` (as `rows.everybody` gives them) with `may_write_until`, if it is among the `fields` that are asked for:
    the last day of a right to send news that comes from what somebody did, also of one that is over. Empty for those
    who agreed or refused.
    """
    if END not in fields:
        return people
    noted = keep_out(desk, seen, codes)
    law, today = desk.config.organisation.law, desk.clock.today()
    asked = people.select("key", "person_id", *sorted(READ))
    contacts = Contacts(desk, asked, noted)(people["person_id"].to_list())
    rights = {number: right(contact, "marketing", law, today) for number, contact in contacts.items()}
    ends = {"person_id": list(rights), END: [may.until for may in rights.values()]}
    told = pl.DataFrame(ends, {"person_id": pl.Int64, END: pl.Date})
    return people.drop(END).join(told, on="person_id", how="left", maintain_order="left")


def _of_source(one: Said) -> Statement:
    code = f"said-{one.purpose}-{one.status}" if one.kind == "consent" else f"said-{one.status}"
    return Statement(code, one.at, one.source, one.words)


def _of_note(note: Note) -> Statement:
    return Statement(f"said-note-{note.means}", note.day, "sheet", f"{note.header} : {note.cell}")


def _of_list(desk: Desk, number: int, contact: Mapping[str, Any]) -> Iterator[Statement]:
    mine = addresses_of(desk, [contact]).get(number, set())
    with desk.store.look() as connection:
        for entry in suppression.entries(connection, desk.store.org, mine):
            yield Statement(f"said-list-{entry.reason}", entry.at, "filrouge", _evidence(desk, entry.evidence))
            if entry.lifted_at:
                yield Statement("said-lifted", entry.lifted_at, "filrouge", entry.lifted_by or "")


def _evidence(desk: Desk, kept: str) -> str:
    """Where it was said, from the word that the list keeps and what it is about; other words are a person's own."""
    word, _, what = kept.partition(" ")
    code = f"evidence-{word}"
    return desk.say(code, what=what) if code in sentences(desk.language) else kept


def lines(desk: Desk, one: Standing) -> Iterator[str]:
    """The rights, then what was said, each on a line with its day and place."""
    yield from right_lines(desk, one)
    for each in one.statements:
        yield f"{_when(desk, each):<14} {desk.say(each.code)} ({_where(desk, each)}){_words(each)}"
    if one.unread:
        yield desk.say("right-sheet-unread", why=desk.say(one.unread.code, **one.unread.facts))


def right_lines(desk: Desk, one: Standing) -> Iterator[str]:
    """Each right on a line; below that to news, which word counts where the person refused and is subscribed all the same."""
    for purpose, may in one.rights.items():
        yield _right_line(desk, purpose, may)
        if purpose == "marketing":
            yield from _both_said(desk, one.statements, may.reason or "")


def _both_said(desk: Desk, statements: Sequence[Statement], reason: str) -> Iterator[str]:
    refused = next((one for one in statements if one.code in REFUSED.get(reason, ())), None)
    subscribed = next((one for one in statements if one.code == "said-subscribed"), None)
    if refused and subscribed:
        told = [
            f"{desk.say(one.code)} ({', '.join((_when(desk, one), _where(desk, one)))}{_words(one)})"
            for one in (refused, subscribed)
        ]
        yield "  " + desk.say("right-both-said", refused=told[0], subscribed=told[1])


def _when(desk: Desk, one: Statement) -> str:
    day = _day(desk, one.at)
    return str(format_date(day, "d MMM y", locale=desk.language)) if day else "–"


def _where(desk: Desk, one: Statement) -> str:
    return desk.say(f"said-in-{one.where}") if one.where in {"sheet", "filrouge"} else one.where


def _words(one: Statement) -> str:
    return f" : {one.words}" if one.words else ""


def _right_line(desk: Desk, purpose: Purpose, may: Right) -> str:
    """Whether, by what right, and until when."""
    until = format_date(may.until, "long", locale=desk.language) if may.until else ""
    what = desk.say(f"right-{purpose}")
    if may.reason:
        said = desk.say("right-no", what=what, why=why_not(desk.language, may.reason))
        return f"{said} {desk.say('right-ended', day=until)}" if until else said
    said = desk.say("right-yes", what=what, basis=desk.say(f"basis-{may.basis}"))
    return f"{said} {desk.say('right-until', day=until)}" if until else said


def facts(one: Standing) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "rights": {
            purpose: {
                "may": may.reason is None, "reason": may.reason, "basis": may.basis,
                "until": may.until.isoformat() if may.until else None,
            }
            for purpose, may in one.rights.items()
        },
        "said": [
            {"what": each.code.removeprefix("said-"), "at": each.at.isoformat() if each.at else None,
             "where": each.where, "words": each.words}
            for each in one.statements
        ],
    }  # fmt: skip


def _day(desk: Desk, at: date | datetime | None) -> date | None:
    return at.astimezone(desk.config.zone).date() if isinstance(at, datetime) else at
