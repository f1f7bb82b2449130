"""People as frames: for the rules, for the sheet, for the e-mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.conditions import SHEET, Book, SetCell
from sync.desk import Desk
from sync.followup import standings
from sync.followup.compose import House
from sync.followup.fill import fill_plain
from sync.followup.tables import outbox, standing
from sync.people.profile import people_frame
from sync.people.tables import person
from sync.sheet.columns import fold, plain
from sync.sheet.look import Look
from sync.sheet.plan import Wanted
from sync.store.tables import fact, sighting
from sync.tabs import SET

DO_NOT_CONTACT = frozenset(
    fold(header)
    for header in (
        "Ne pas relancer", "Ne pas contacter", "Ne pas écrire", "Ne plus contacter", "Ne plus écrire",
        "Do not contact", "Do not email", "Do not e-mail", "Do not write",
    )
)  # fmt: skip
"""Headers of the team that mean: never write to this person, whatever a rule says."""
YES = frozenset({"true", "oui", "yes", "x", "1", "vrai", "✓", "✔", "☑"})


def set_columns(book: Book) -> tuple[str, ...]:
    """Columns of the team that rules write in."""
    found = (action.column for rule in book.rules for action in rule.actions if isinstance(action, SetCell))
    return tuple(dict.fromkeys(found))


def everybody(desk: Desk) -> pl.DataFrame:
    """One row a person: `key` (the code in the sheet), `person_id`, the fields of `rules.fields`, `shared_email`."""
    people = people_frame(desk.store)
    with desk.store.look() as connection:
        worn = standings.flags(connection, desk.store.org)
        written = standings.last_emailed(connection, desk.store.org)
    emailed = pl.DataFrame(
        {"person_id": list(written), "last_emailed": [_local(at, desk) for at in written.values()]},
        schema={"person_id": pl.Int64, "last_emailed": pl.Date},
    )
    own = [name for name in ("flags", "last_emailed") if name in people.columns]
    return people.drop(own).join(worn, on="person_id", how="left").join(emailed, on="person_id", how="left")


def _local(at: datetime, desk: Desk) -> object:
    return at.astimezone(desk.config.zone).date()


def team_of(look: Look, codes: Mapping[str, str]) -> pl.DataFrame:
    """The team's own columns by key, those of rows that were only just recognised (`codes`) among them: what they say
    ("do not contact") counts from the first run on.
    """
    if not (codes and look.table):
        return look.team
    names = {SHEET + header: place for header, place in look.layout.team.items()}
    rows = [row for row in look.table.rows if not row.key and row.ref in codes]
    texts = {name: [plain(row.cells[place]) or None for row in rows] for name, place in names.items()}
    schema = {"key": pl.String, **dict.fromkeys(names, pl.String)}
    fresh = pl.DataFrame({"key": [codes[row.ref] for row in rows], **texts}, schema=schema)
    return pl.concat([look.team, fresh], how="diagonal").unique("key", keep="first", maintain_order=True)


def with_team(people: pl.DataFrame, look: Look | None, codes: Mapping[str, str]) -> pl.DataFrame:
    """The same with the team's own columns as `sheet:<header>`; people without a row have nothing there."""
    if look is None:
        return people
    team = team_of(look, codes)
    ours = [name for name in look.seen.columns if name.startswith(SET)]
    if ours:
        texts = look.seen.select("key", *(_text(name) for name in ours))
        team = team.join(texts, on="key", how="full", coalesce=True)
    return people.join(team, on="key", how="left")


def _text(name: str) -> pl.Expr:
    column = pl.col(name)
    return pl.when(column != "").then(column).alias(SHEET + name.removeprefix(SET))


def merged_with_a_past(connection: Connection, org: int) -> dict[int, int]:
    """People who were found to be somebody else and for whom something was done before: ids, gone to kept."""
    known = sa.union(*(sa.select(table.c.person_id).where(table.c.org == org) for table in (standing, outbox)))
    gone = sa.select(person.c.id, person.c.merged_into)
    gone = gone.where(person.c.org == org, person.c.merged_into.is_not(None), person.c.id.in_(known))
    return dict(connection.execute(gone).all())


def _merged_codes(desk: Desk) -> dict[str, str]:
    kept = person.alias()
    pairs = sa.select(person.c.code, kept.c.code).where(
        person.c.org == desk.store.org, kept.c.org == desk.store.org, person.c.merged_into == kept.c.id
    )
    with desk.store.look() as connection:
        return dict(connection.execute(pairs).all())


def wanted_rows(desk: Desk, look: Look, codes: Mapping[str, str], people: pl.DataFrame) -> Wanted:
    """What the tab should say. `codes`: by the `ref` of a row that the team typed, the code of its person."""
    merged = _merged_codes(desk)
    fields = [name for name in look.tab.fields if name in people.columns]
    frame = people.select("key", *fields)
    pending = _cells_to_set(desk, people)
    for name in (name for name in look.tab.fields if name.startswith(SET)):
        frame = frame.join(_set_column(look, name, pending.get(name.removeprefix(SET), {})), on="key", how="left")
    released = {(key, SET + column) for column, cells in pending.items() for key in cells}
    return Wanted(frame, {ref: merged.get(code, code) for ref, code in codes.items()}, merged, released)


def _set_column(look: Look, name: str, cells: Mapping[str, str]) -> pl.DataFrame:
    """What stands in the column now, and over it what rules set."""
    now = dict(look.seen.select("key", name).iter_rows()) if name in look.seen.columns else {}
    values = {key: text or None for key, text in now.items()} | dict(cells)
    return pl.DataFrame({"key": list(values), name: list(values.values())}, schema={"key": pl.String, name: pl.String})


def _cells_to_set(desk: Desk, people: pl.DataFrame) -> dict[str, dict[str, str]]:
    """By column and key, the texts that rules set and that do not stand in the sheet yet."""
    with desk.store.look() as connection:
        cells = standings.cells_to_set(connection, desk.store.org)
    if not cells:
        return {}
    wanted = {cell.person_id for cell in cells}
    facts = {row["person_id"]: row for row in people.filter(pl.col("person_id").is_in(wanted)).iter_rows(named=True)}
    found: dict[str, dict[str, str]] = {}
    for cell in cells:
        if one := facts.get(cell.person_id):
            found.setdefault(cell.column, {})[one["key"]] = filled(desk, cell.value, one)
    return found


def filled(desk: Desk, text: str, facts: Mapping[str, Any]) -> str:
    """A text of a rule with a person's facts put in, in the organisation's language."""
    house = house_of(desk)
    return fill_plain(text, facts, house.manner(desk.config.language), house.ours(desk.clock.today()))


def house_of(desk: Desk) -> House:
    """Who writes, from the config."""
    return House(desk.config.organisation, str(getattr(desk.config.mail, "sender", "")))


def settle_cells(desk: Desk, run: int) -> None:
    """The sheet was brought to what is wanted: what rules set stands there."""
    with desk.store.begin() as connection:
        cells = standings.cells_to_set(connection, desk.store.org)
        standings.cells_written(connection, desk.store.org, cells, run)


def keep_out(look: Look | None, codes: Mapping[str, str]) -> frozenset[str]:
    """Keys of rows in which the team noted that this person must not be written to."""
    if look is None:
        return frozenset()
    team = team_of(look, codes)
    columns = [name for name in team.columns if fold(name.removeprefix(SHEET)) in DO_NOT_CONTACT]
    said = [pl.col(name).str.strip_chars().str.to_lowercase().is_in(sorted(YES)) for name in columns]
    return frozenset(team.filter(pl.any_horizontal(said))["key"]) if said else frozenset()


class Contacts:
    """People as the e-mails need them: their fields, what they consented to, and what the team noted."""

    def __init__(self, desk: Desk, people: pl.DataFrame, never: frozenset[str]) -> None:
        self.desk, self.never = desk, never
        self.rows = {row["person_id"]: row for row in people.iter_rows(named=True)}
        self.consents = _consents(desk)

    def __call__(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """By person id; people who are no more are not there."""
        return {number: self._contact(self.rows[number]) for number in ids if number in self.rows}

    def _contact(self, row: dict[str, Any]) -> dict[str, Any]:
        noted = row["key"] in self.never
        return {**row, "code": row["key"], "consents": self.consents.get(row["person_id"], ()), "do_not_contact": noted}


def _consents(desk: Desk) -> dict[int, list[dict[str, Any]]]:
    """What people said yes and no to, by person id."""
    said = sa.select(sighting.c.person, fact.c.label, fact.c.status, fact.c.at).where(
        fact.c.org == desk.store.org,
        fact.c.kind == "consent",
        sighting.c.org == fact.c.org,
        sighting.c.no == fact.c.sighting,
        sighting.c.person.is_not(None),
    )
    found: dict[int, list[dict[str, Any]]] = {}
    with desk.store.look() as connection:
        for row in connection.execute(said):
            consent = {"purpose": row.label, "granted": row.status == "granted", "at": row.at}
            found.setdefault(row.person, []).append(consent)
    return found
