"""People as the e-mails need them: what they said, what the team noted of them, and which addresses are not written to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any, Literal, NamedTuple

import msgspec
import polars as pl
import sqlalchemy as sa

from rules.conditions import SHEET
from sync.desk import Desk
from sync.followup import suppression, wishes
from sync.followup.consent import hashed
from sync.messages import sentences
from sync.people.normalise import email
from sync.rows import team_rows
from sync.sheet.columns import fold
from sync.sheet.look import Look
from sync.store.base import slices
from sync.store.tables import fact, sighting

Meaning = Literal["never", "no-news", "agreed", "refused", "inquiry"]

NEVER = re.compile(
    r"(?:a )?ne (?:veut |souhaite )?(?:pas|plus|jamais) (?:\w+ ){0,3}(?:contact|relanc|ecri|sollicit|demarch|e?mail|courriel|message)"
    r"|(?:do not|don t|dont|never) (?:contact|e ?mail|mail|write|solicit|send)"
)
"""How a header of the team begins that means: never write to this person, whatever a rule says. In bare letters."""
NO_NEWS = re.compile(r"desinscri|desabonn|unsubscri|opt ?out|stop (?:e ?mail|mail|courriel|pub)|stop$")
"""The same for: nothing but what they need for what they booked."""
OTHERWISE = re.compile(r"\b(?:tel|telephone|phone|sms|courrier|papier|post|lien|link|url|motif|raison|reason)\b")
"""A word in the header by which it speaks of something else."""
NO = frozenset({"", "false", "faux", "non", "no", "n", "0", "-", "–", "☐"})
AGREED = re.compile(
    r"opt ?in\b|(?:consent|consentement|lcap|casl|rgpd|gdpr)$"
    r"|(?:accord|consent|consentement|accepte?|agreed?|ok)\b.*\b(?:e?mails?|courriels?|infolettre|newsletter|news|lcap|casl|rgpd|gdpr)\b"
)
"""The same for: they agreed to get news. The cell says yes or no, and may say when and where."""
INQUIRY = re.compile(
    r"(?:derniere )?demande d(?:e renseignements?| infos?\b| information)|(?:last )?(?:inquiry|enquiry)\b"
)
"""The same for: the day on which they asked something."""
YES = re.compile(r"(?:oui|o|yes|y|x|ok|vrai|true|1|expres|express|explicite?)\b|[✓✔☑]")
NOT = re.compile(r"(?:non|no|n)\b")
DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
MEANINGS: dict[Meaning, re.Pattern[str]] = {"never": NEVER, "no-news": NO_NEWS, "agreed": AGREED, "inquiry": INQUIRY}


class Note(NamedTuple):
    """What the team wrote in a column of its own about writing to somebody; `day` if the cell names one."""

    means: Meaning
    header: str
    cell: str
    day: date | None = None


class Said(NamedTuple):
    """What a source says of one person: a consent (`granted` or `refused`, with the words of its proof) or where they
    stand with a newsletter list (its name in `words`). `email` is the address it says it of.
    """

    kind: Literal["consent", "subscription"]
    status: str
    at: datetime | None
    source: str
    words: str
    email: str | None
    purpose: str = "marketing"


Noted = Mapping[str, Sequence[Note]]
"""By the key of a row; people of whom nothing is noted are not there."""


def keep_out(desk: Desk, look: Look | None, codes: Mapping[str, str]) -> Noted:
    """Who may be written to by the team's own columns, and who may not. In a column that says not to, whatever is not a
    plain no counts as a yes: a date, a name, « oui, demande du 12 mars ». In one that says they agreed, only a yes does.
    """
    if look is None:
        return {}
    team = team_rows(desk, look, codes)
    found: dict[str, list[Note]] = {}
    for name in (name for name in team.columns if name.startswith(SHEET)):
        header = name.removeprefix(SHEET)
        meaning = next((meaning for meaning, pattern in MEANINGS.items() if _means(pattern, header)), None)
        if meaning is not None:
            filled = team.select("key", pl.col(name).str.strip_chars()).filter(pl.col(name) != "")
            notes = ((key, _note(meaning, header, cell)) for key, cell in filled.iter_rows())
            for key, note in notes:
                if note is not None:
                    found.setdefault(key, []).append(note)
    return found


def _means(pattern: re.Pattern[str], header: str) -> bool:
    bare = re.sub(r"[^a-z0-9]+", " ", fold(header)).strip()
    return pattern.match(bare) is not None and not OTHERWISE.search(bare)


def _note(meaning: Meaning, header: str, cell: str) -> Note | None:
    low, day = fold(cell), _day(cell)
    if meaning == "inquiry":
        return Note(meaning, header, cell, day) if day else None
    if meaning != "agreed":
        return None if low in NO else Note(meaning, header, cell, day)
    if NOT.match(low):
        return Note("refused", header, cell, day)
    return Note(meaning, header, cell, day) if YES.match(low) or (day and DAY.match(cell)) else None


def _day(cell: str) -> date | None:
    """The day that a cell names: as a date, or in words with it (day before month)."""
    if found := DAY.search(cell):
        year, month, day, day_2, month_2, year_2 = found.groups()
        with suppress(ValueError):
            return date(int(year or year_2), int(month or month_2), int(day or day_2))
    return None


class Contacts:
    """People as the e-mails need them: their fields, what they consented to, and what the team noted."""

    def __init__(self, desk: Desk, people: pl.DataFrame, noted: Noted) -> None:
        self.desk, self.people, self.noted = desk, people, noted

    def __call__(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """By person id; people who are no more are not there. Only those asked for are made: a quiet day has none."""
        if not ids:
            return {}
        rows = self.people.filter(pl.col("person_id").is_in(sorted(set(ids))))
        told = list(rows.iter_rows(named=True))
        people = rows["person_id"].to_list()
        words, unwanted = said(self.desk, people), _unwanted(self.desk, people)
        lists = suppressed(self.desk, told)
        with self.desk.store.look() as connection:
            back = wishes.back(connection, self.desk.store.org, people)
        return {
            row["person_id"]: self._contact(
                row, words.get(row["person_id"], ()), lists[row["person_id"]], back.get(row["person_id"])
            )
            | {"unwanted": unwanted.get(row["person_id"], frozenset())}
            for row in told
        }

    def _contact(
        self, row: dict[str, Any], words: Sequence[Said], lists: Mapping[str, Any], back: datetime | None
    ) -> dict[str, Any]:
        notes = self.noted.get(row["key"], ())
        means = {note.means for note in notes}
        _, used = email(row["email"])
        return {
            **row,
            "newsletter": None if back and row["newsletter"] == "unsubscribed" else row["newsletter"],
            "code": row["key"],
            "consents": [*_consents(words), *(self._consent(note) for note in notes if note.means in _WORD)],
            "do_not_contact": "never" in means,
            "unsubscribed": "no-news" in means or any(_left(one, back) for one in words),
            "bounced": any(one.status == "bounced" and one.email == used for one in words),
            "suppressed": lists,
            "last_inquiry": max((note.day for note in notes if note.means == "inquiry" and note.day), default=None),
        }

    def _consent(self, note: Note) -> dict[str, Any]:
        zone = self.desk.config.zone
        at = datetime.combine(note.day, time(), tzinfo=zone).astimezone(UTC) if note.day else None
        return {"purpose": "marketing", "granted": _WORD[note.means], "at": at}


def _left(one: Said, back: datetime | None) -> bool:
    """Whether they unsubscribed there, and not before the day on which they came `back` to us: our own passing on of
    their first word would else stand against them for ever.
    """
    return one.status == "unsubscribed" and not (back and one.at and one.at < back)


_WORD: dict[str, bool] = {"agreed": True, "refused": False}


def _consents(words: Iterable[Said]) -> list[dict[str, Any]]:
    return [
        {"purpose": one.purpose, "granted": one.status == "granted", "at": one.at}
        for one in words
        if one.kind == "consent"
    ]


def said(desk: Desk, people: Sequence[int]) -> dict[int, list[Said]]:
    """What sources say that these people agreed to and refused, and what they told us themselves, by person id. A newsletter's word on an address counts
    for everybody who has it.
    """
    columns = (fact.c.kind, fact.c.status, fact.c.at, fact.c.source, fact.c.label, fact.c.rest, sighting.c.email_key)
    words = sa.select(sighting.c.person.label("whose"), *columns).where(
        sighting.c.org == desk.store.org, fact.c.org == desk.store.org, fact.c.sighting == sighting.c.no
    )
    own = words.where(fact.c.kind.in_(("consent", "subscription")))
    of_address = words.where(fact.c.kind == "subscription", sighting.c.person.is_not(None)).distinct()
    addresses = sa.select(sighting.c.email_key, sighting.c.person).distinct()
    addresses = addresses.where(sighting.c.org == desk.store.org, sighting.c.email_key.is_not(None))
    found: dict[int, list[Said]] = {}
    with desk.store.look() as connection:
        for some in slices(people):
            for row in connection.execute(own.where(sighting.c.person.in_(some))):
                found.setdefault(row.whose, []).append(_said(row))
            theirs: dict[str, set[int]] = {}
            for address, person_id in connection.execute(addresses.where(sighting.c.person.in_(some))):
                theirs.setdefault(address, set()).add(person_id)
            for keys in slices(sorted(theirs)):
                for row in connection.execute(of_address.where(sighting.c.email_key.in_(keys))):
                    for person_id in sorted(theirs[row.email_key] - {row.whose}):
                        found.setdefault(person_id, []).append(_said(row))
        for person_id, told in wishes.consents(connection, desk.store.org, people).items():
            found.setdefault(person_id, []).extend(_told_us(desk, one) for one in told)
    return found


def _said(row: Any) -> Said:
    if row.kind == "subscription":
        return Said("subscription", row.status, row.at, row.source, row.label or "", row.email_key)
    proof = msgspec.json.decode(row.rest).get("proof", "") if row.rest else ""
    return Said("consent", row.status, row.at, row.source, proof, row.email_key, row.label)


def _told_us(desk: Desk, wish: Mapping[str, Any]) -> Said:
    """What they said on our own page, by a mail, or to the team (then in its words)."""
    code, status = f"wish-{wish['proof']}", "granted" if wish["granted"] else "refused"
    proof = desk.say(code) if code in sentences(desk.language) else wish["proof"]
    return Said("consent", status, wish["at"], "filrouge", proof, None, wish["purpose"])


def suppressed(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, datetime]]:
    """What the list of suppressed addresses says of these people, by person id: whoever said no under one of their
    addresses said it for all; only the address in use can be one that bounces.
    """
    used = {row["person_id"]: hashed(row["email"]) for row in rows if row["email"]}
    theirs = addresses_of(desk, rows)
    with desk.store.look() as connection:
        found = suppression.among(connection, desk.store.org, set().union(*theirs.values()))
    told: dict[int, dict[str, datetime]] = {row["person_id"]: {} for row in rows}
    for person_id, reasons in told.items():
        mine = used.get(person_id)
        for address in theirs[person_id]:
            for reason, at in found.get(address, {}).items():
                if reason != "bounced" or address == mine:
                    reasons[reason] = max(at, reasons.get(reason, at))
    return told


def addresses_of(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> dict[int, set[str]]:
    """Every address that each of these people has or was met with, as `consent.hashed` gives it, by person id."""
    known = sa.select(sighting.c.person, sighting.c.email_key).distinct()
    known = known.where(sighting.c.org == desk.store.org, sighting.c.email_key.is_not(None))
    found = {row["person_id"]: {hashed(row["email"])} if row["email"] else set() for row in rows}
    with desk.store.look() as connection:
        for some in slices(list(found)):
            for person_id, address in connection.execute(known.where(sighting.c.person.in_(some))):
                found[person_id].add(hashed(address))
    return found


def _unwanted(desk: Desk, people: Sequence[int]) -> dict[int, frozenset[str]]:
    """By person id the topics of news that they refused."""
    with desk.store.look() as connection:
        told = wishes.among(connection, desk.store.org, people)
    said = {person_id: purposes.get("marketing", {}) for person_id, purposes in told.items()}
    return {one: frozenset(t for t, wanted in topics.items() if t and not wanted) for one, topics in said.items()}
