"""Where somebody is named in words: texts that no number of a person leads to.

What was set aside unread, a server's answer in the summary of a run, what the team was told, lines of the journal about
tasks and e-mails that are long over, the words with which somebody was taken off a list.
"""

# ruff: noqa: S608  names in these statements are our own
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from sync.followup import suppression
from sync.followup.consent import hashed
from sync.sheet.journal import forget_key
from sync.store.rows import ask, ask_in, run_many

GONE = "…"
TEXTS = {"run": ("id", "summary"), "remembered": ("name", "value"), "staff_mail": ("message_id", "answer")}
"""Table: what tells its rows apart, and the column that may name anybody."""


class Words(NamedTuple):
    """By what a person is known in a text, case-folded: addresses, whole names (in either order), telephone numbers."""

    addresses: Sequence[str]
    names: Sequence[tuple[str, str]]
    phones: Sequence[str]

    @property
    def whole(self) -> list[str]:
        names = [f"{one} {other}" for first, last in self.names for one, other in ((first, last), (last, first))]
        return [*self.addresses, *names, *self.phones]

    def stand_in(self, text: str) -> bool:
        folded = text.casefold()
        return any(word in folded for word in self.whole)

    def stand_apart_in(self, text: str) -> bool:
        """Also with first and last name in fields of their own."""
        said = set(re.findall(r"\w+(?:[-'’]\w+)*", text.casefold()))
        apart = any(said.issuperset([*first.split(), *last.split()]) for first, last in self.names)
        return apart or self.stand_in(text)

    def taken_out(self, text: str) -> str:
        """A text of ours without them."""
        longest_first = sorted(self.whole, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), GONE, text, flags=re.IGNORECASE) if self.whole else text


def words_of(connection: Connection, org: int, people: Sequence[int], sightings: Sequence[int]) -> Words:
    """By what these people (ids) are known, and were in any of their sightings (numbers)."""
    wanted = "SELECT email, phone, first_name, last_name FROM"
    shown = ask_in(connection, f"{wanted} profile WHERE org = ? AND person IN ({{among}})", (org,), people)
    said = ask_in(connection, f"{wanted} sighting WHERE org = ? AND no IN ({{among}})", (org,), sightings)
    addresses, phones, names = set[str](), set[str](), set[tuple[str, str]]()
    for email, phone, first, last in (*shown, *said):
        addresses |= {email.casefold()} if email else set()
        phones |= {phone.casefold()} if phone else set()
        names |= {(first.casefold(), last.casefold())} if first and last else set()
    return Words(sorted(addresses), sorted(names), sorted(phones))


def forget_words(connection: Connection, org: int, words: Words) -> Iterator[tuple[str, int]]:
    """Take them out of such texts, in the caller's transaction; how many of which kind comes back."""
    yield "journal", _forget_lines(connection, org, words)
    yield "set_aside", _forget_set_aside(connection, org, words)
    for table, (key, column) in TEXTS.items():
        _take_out(connection, org, words, table, key, column)
    suppression.forget_words(connection, org, map(hashed, words.addresses))


def _forget_lines(connection: Connection, org: int, words: Words) -> int:
    """The journal's lines about something that named them, which may be gone from its tab; not those about others."""
    rows = ask(
        connection, "SELECT DISTINCT key, was, value, why FROM sheet_journal WHERE org = ? AND key IS NOT NULL", org
    )
    named = {key for key, *cells in rows if any(cell and words.stand_in(cell) for cell in cells)}
    others = {code for (code,) in ask_in(connection, OTHERS, (org,), named)}
    return sum(forget_key(connection, org, key) for key in sorted(named - others))


OTHERS = "SELECT code FROM person WHERE org = ? AND live AND code IN ({among})"
"""A couple may share an address."""


def _forget_set_aside(connection: Connection, org: int, words: Words) -> int:
    """What could not be read and names them, with its raw form."""
    sql = (
        "SELECT a.source, a.kind, a.id, a.object, a.facts, a.body, r.body FROM set_aside AS a"
        " LEFT JOIN raw AS r ON r.org = a.org AND r.object = a.object WHERE a.org = ?"
    )
    found = [
        (source, kind, id_, number)
        for source, kind, id_, number, facts, *bodies in ask(connection, sql, org)
        if words.stand_apart_in(" ".join([facts, *(bytes(body).decode("utf-8", "replace") for body in bodies if body)]))
    ]
    keys = [(org, *one[:3]) for one in found]
    run_many(connection, "DELETE FROM set_aside WHERE org = ? AND source = ? AND kind = ? AND id = ?", keys)
    objects = [(org, number) for *_, number in found if number is not None]
    told = {number for (number,) in ask_in(connection, TELLS, (org,), [number for _, number in objects])}
    empty = [one for one in objects if one[1] not in told]
    run_many(connection, "UPDATE raw SET body = ? WHERE org = ? AND object = ?", [(b"", *one) for one in objects])
    run_many(connection, "DELETE FROM raw WHERE org = ? AND object = ?", empty)
    run_many(connection, "DELETE FROM object WHERE org = ? AND no = ?", empty)
    return len(found)


TELLS = "SELECT DISTINCT object FROM sighting WHERE org = ? AND object IN ({among})"
"""What was read of it before, or of others, stands."""


def _take_out(connection: Connection, org: int, words: Words, table: str, key: str, column: str) -> None:
    rows = ask(connection, f"SELECT {key}, {column} FROM {table} WHERE org = ? AND {column} IS NOT NULL", org)
    less = [(words.taken_out(text), org, key_) for key_, text in rows if words.stand_in(text)]
    run_many(connection, f"UPDATE {table} SET {column} = ? WHERE org = ? AND {key} = ?", less)
