"""People as the e-mails need them: what they said, what the team noted of them, and which addresses are not written to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, NamedTuple

import msgspec
import polars as pl
from sqlalchemy.engine import Connection

from rules.conditions import SHEET
from sync.desk import Desk
from sync.followup import suppression, wishes
from sync.followup.consent import hashed
from sync.messages import sentences
from sync.people.normalise import email
from sync.rows import team_columns, team_rows
from sync.sheet.columns import fold
from sync.sheet.look import Look
from sync.store.base import EPOCH
from sync.store.rows import are_many, ask_about, ask_in

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
    own: bool = True  # else it is another's word, who has this address too


Noted = Mapping[str, Sequence[Note]]
"""By the key of a row; people of whom nothing is noted are not there."""


def keep_out(desk: Desk, look: Look | None, codes: Mapping[str, str]) -> Noted:
    """Who may be written to by the team's own columns, and who may not. In a column that says not to, whatever is not a
    plain no counts as a yes: a date, a name, « oui, demande du 12 mars ». In one that says they agreed, only a yes does.
    """
    if look is None:
        return {}
    meant = {name: meaning for name in team_columns(look) if (meaning := _meaning(name.removeprefix(SHEET)))}
    if not meant:
        return {}
    team = team_rows(desk, look, codes)
    found: dict[str, list[Note]] = {}
    for name, meaning in meant.items():
        filled = team.select("key", pl.col(name).str.strip_chars()).filter(pl.col(name) != "")
        notes = ((key, _note(meaning, name.removeprefix(SHEET), cell)) for key, cell in filled.iter_rows())
        for key, note in notes:
            if note is not None:
                found.setdefault(key, []).append(note)
    return found


def _meaning(header: str) -> Meaning | None:
    return next((meaning for meaning, pattern in MEANINGS.items() if _means(pattern, header)), None)


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


NOTHING_SAID: dict[str, Any] = {
    "consents": (), "do_not_contact": False, "unsubscribed": False, "bounced": False, "last_inquiry": None,
}  # fmt: skip


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
            number: self._contact(
                row, words.get(number, ()), lists.get(number, {}), back.get(number), unwanted.get(number, frozenset())
            )
            for number, row in zip(people, told, strict=True)
        }

    def _contact(
        self,
        row: dict[str, Any],
        words: Sequence[Said],
        lists: Mapping[str, Any],
        back: datetime | None,
        unwanted: frozenset[str],
    ) -> dict[str, Any]:
        told = self._told(row, words, back)
        contact = {**row, "code": row["key"], "suppressed": lists, "unwanted": unwanted, **told}
        if back and row["newsletter"] == "unsubscribed":
            contact["newsletter"] = None
        return contact

    def _told(self, row: Mapping[str, Any], words: Sequence[Said], back: datetime | None) -> dict[str, Any]:
        """What follows from what sources, the team and the person said."""
        notes = self.noted.get(row["key"], ())
        if not (words or notes):
            return NOTHING_SAID
        means, mine = {note.means for note in notes}, email(row["email"])[1]
        bounced = {one.email for one in words if one.status == "bounced"}
        return {
            "consents": [*_consents(words), *(self._consent(note) for note in notes if note.means in _WORD)],
            "do_not_contact": "never" in means,
            "unsubscribed": "no-news" in means
            or any(_left(one, back) for one in words if one.own or one.email == mine),
            "bounced": bool(bounced) and mine in bounced,
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


SAID = (
    "SELECT s.person, f.kind, f.status, f.at, f.source, f.label, f.rest, s.email_key FROM fact AS f"
    " JOIN sighting AS s ON s.org = f.org AND s.no = f.sighting WHERE f.org = ? AND s.person IS NOT NULL"
)
ADDRESSES = (
    "SELECT DISTINCT person, email_key FROM sighting WHERE org = ? AND person IS NOT NULL AND email_key IS NOT NULL"
)


def said(desk: Desk, people: Sequence[int]) -> dict[int, list[Said]]:
    """What sources say that these people agreed to and refused, and what they told us themselves, by person id. A
    newsletter's word on an address counts for everybody who has it.
    """
    org, wanted = desk.store.org, set(people)
    found: dict[int, list[Said]] = {}
    with desk.store.look() as connection:
        own = ask_about(connection, f"{SAID} AND f.kind IN ('consent', 'subscription')", (org,), "s.person", wanted)
        theirs: dict[str, set[int]] = {}
        for person_id, address in ask_about(connection, ADDRESSES, (org,), "person", wanted):
            theirs.setdefault(address, set()).add(person_id)
        # Of everybody, only addresses of several people can have another one's word.
        shared = [address for address, holders in theirs.items() if len(holders) > 1] if are_many(wanted) else theirs
        of_address = ask_in(
            connection, f"{SAID} AND f.kind = 'subscription' AND s.email_key IN ({{among}})", (org,), shared
        )
        for whose, *told in own:
            found.setdefault(whose, []).append(_said(*told))
        for whose, *told in dict.fromkeys(map(tuple, of_address)):
            for person_id in sorted(theirs[told[-1]] - {whose}):
                found.setdefault(person_id, []).append(_said(*told)._replace(own=False))
        for person_id, wish in wishes.consents(connection, org, people).items():
            found.setdefault(person_id, []).extend(_told_us(desk, one) for one in wish)
    return {person_id: words for person_id, words in found.items() if person_id in wanted}


def _said(
    kind: str, status: str, at: int | None, source: str, label: str | None, rest: str | None, key: str | None
) -> Said:
    moment = None if at is None else EPOCH + timedelta(microseconds=at)
    if kind == "subscription":
        return Said("subscription", status, moment, source, label or "", key)
    proof = msgspec.json.decode(rest).get("proof", "") if rest else ""
    return Said("consent", status, moment, source, proof, key, label or "")


def _told_us(desk: Desk, wish: Mapping[str, Any]) -> Said:
    """What they said on our own page, by a mail, or to the team (then in its words)."""
    code, status = f"wish-{wish['proof']}", "granted" if wish["granted"] else "refused"
    proof = desk.say(code) if code in sentences(desk.language) else wish["proof"]
    return Said("consent", status, wish["at"], "filrouge", proof, None, wish["purpose"])


def suppressed(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, datetime]]:
    """What the list of suppressed addresses says of these people, by person id: whoever said no under one of their
    addresses said it for all; only the address in use can be one that bounces, or at which somebody else said it, or was
    erased: who was known before that is not who was erased.
    """
    with desk.store.look() as connection:
        if suppression.is_empty(connection, desk.store.org):
            return {}
    theirs = addresses_of(desk, rows)
    with desk.store.look() as connection:
        found = suppression.among(connection, desk.store.org, set().union(*theirs.values()))
        moments = {at for reasons in found.values() for at in reasons.values()}
        by_whom = wishes.refused_at(connection, desk.store.org, moments)
        erased = any("erased" in reasons for reasons in found.values())
        since = _known_since(connection, desk.store.org, theirs) if erased else {}
    told: dict[int, dict[str, datetime]] = {}
    for row in rows if found else ():
        mine = hashed(row["email"]) if row["email"] else None
        reasons: dict[str, datetime] = {}
        for address in theirs[row["person_id"]] & found.keys():
            for reason, at in found[address].items():
                who = row["person_id"]
                others = reason == "bounced" or who not in by_whom.get(at, {who})
                others = others or (reason == "erased" and since.get(who, at) < at)
                if address == mine or not others:
                    reasons[reason] = max(at, reasons.get(reason, at))
        told[row["person_id"]] = reasons
    return told


def _known_since(connection: Connection, org: int, people: Iterable[int]) -> dict[int, datetime]:
    sql = "SELECT id, created FROM person WHERE org = ? AND id IN ({among})"
    return {who: EPOCH + timedelta(microseconds=at) for who, at in ask_in(connection, sql, (org,), people)}


def addresses_of(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> dict[int, set[str]]:
    """Every address that each of these people has or was met with, as `consent.hashed` gives it, by person id."""
    found = {row["person_id"]: {row["email"]} - {None, ""} for row in rows}
    with desk.store.look() as connection:
        for person_id, address in ask_about(connection, ADDRESSES, (desk.store.org,), "person", found):
            if person_id in found:
                found[person_id].add(address)
    marks = {address: hashed(address) for address in set().union(*found.values())}
    return {person_id: {marks[address] for address in addresses} for person_id, addresses in found.items()}


def _unwanted(desk: Desk, people: Sequence[int]) -> dict[int, frozenset[str]]:
    """By person id the topics of news that they refused."""
    with desk.store.look() as connection:
        told = wishes.among(connection, desk.store.org, people)
    said = {person_id: purposes.get("marketing", {}) for person_id, purposes in told.items()}
    return {one: frozenset(t for t, wanted in topics.items() if t and not wanted) for one, topics in said.items()}
