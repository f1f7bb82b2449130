"""People as the e-mails need them: what they said, what the team noted of them, and which addresses are not written to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl
import sqlalchemy as sa

from rules.conditions import SHEET
from sync.desk import Desk
from sync.followup import suppression
from sync.followup.consent import hashed
from sync.rows import team_rows
from sync.sheet.columns import fold
from sync.sheet.look import Look
from sync.store.base import slices
from sync.store.tables import fact, sighting

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


class Noted(NamedTuple):
    """Keys of people of whom the team noted: `never` write to them; `no_news`, they want none."""

    never: frozenset[str] = frozenset()
    no_news: frozenset[str] = frozenset()


def keep_out(desk: Desk, look: Look | None, codes: Mapping[str, str]) -> Noted:
    """Who must not be written to, by the team's own columns. Whatever is not a plain no counts as a yes: a date, a name,
    « oui, demande du 12 mars ».
    """
    if look is None:
        return Noted()
    team = team_rows(desk, look, codes)

    def keys(pattern: re.Pattern[str]) -> frozenset[str]:
        names = [name for name in team.columns if name.startswith(SHEET) and _means(pattern, name.removeprefix(SHEET))]
        said = [~pl.col(n).fill_null("").str.strip_chars().str.to_lowercase().is_in(sorted(NO)) for n in names]
        return frozenset(team.filter(pl.any_horizontal(said))["key"]) if said else frozenset()

    return Noted(keys(NEVER), keys(NO_NEWS))


def _means(pattern: re.Pattern[str], header: str) -> bool:
    bare = re.sub(r"[^a-z0-9]+", " ", fold(header)).strip()
    return pattern.match(bare) is not None and not OTHERWISE.search(bare)


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
        consents = _consents(self.desk, rows["person_id"].to_list())
        suppressed = _suppressed(self.desk, told)
        return {row["person_id"]: self._contact(row, consents) | suppressed[row["person_id"]] for row in told}

    def _contact(self, row: dict[str, Any], consents: Mapping[int, list[dict[str, Any]]]) -> dict[str, Any]:
        known = {"code": row["key"], "consents": consents.get(row["person_id"], ())}
        never, no_news = row["key"] in self.noted.never, row["key"] in self.noted.no_news
        return {**row, **known, "do_not_contact": never, "unsubscribed": no_news}


def _suppressed(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """What the list of suppressed addresses says of these people, by person id: whoever said no under one of their
    addresses said it for all; only the address in use can be one that bounces.
    """
    used = {row["person_id"]: hashed(row["email"]) for row in rows if row["email"]}
    theirs: dict[int, set[str]] = {row["person_id"]: set() for row in rows}
    known = sa.select(sighting.c.person, sighting.c.email_key).distinct()
    known = known.where(sighting.c.org == desk.store.org, sighting.c.email_key.is_not(None))
    with desk.store.look() as connection:
        for some in slices(list(theirs)):
            for person_id, address in connection.execute(known.where(sighting.c.person.in_(some))):
                theirs[person_id].add(hashed(address))
        found = suppression.among(connection, desk.store.org, set(used.values()).union(*theirs.values()))
    told: dict[int, dict[str, Any]] = {}
    for person_id, addresses in theirs.items():
        mine = used.get(person_id)
        reasons = [
            (reason, at)
            for address in addresses | ({mine} if mine else set())
            for reason, at in found.get(address, {}).items()
            if reason != "bounced" or address == mine
        ]
        told[person_id] = {"suppressed": {reason: max(at for r, at in reasons if r == reason) for reason, _ in reasons}}
    return told


def _consents(desk: Desk, people: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """What these people said yes and no to, by person id."""
    said = sa.select(sighting.c.person, fact.c.label, fact.c.status, fact.c.at).where(
        fact.c.org == desk.store.org,
        fact.c.kind == "consent",
        sighting.c.org == fact.c.org,
        sighting.c.no == fact.c.sighting,
    )
    found: dict[int, list[dict[str, Any]]] = {}
    with desk.store.look() as connection:
        for some in slices(people):
            for row in connection.execute(said.where(sighting.c.person.in_(some))):
                consent = {"purpose": row.label, "granted": row.status == "granted", "at": row.at}
                found.setdefault(row.person, []).append(consent)
    return found
