"""People as frames: for the rules and for the sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.conditions import SHEET, Book, SetCell
from sync.desk import Desk
from sync.followup import deeds, segments, standings, suppression, wishes
from sync.followup.compose import House
from sync.followup.consent import hashed
from sync.followup.fill import fill_plain
from sync.followup.tables import segment_stay
from sync.people.profile import people_frame
from sync.people.tables import person
from sync.people.windows import count_windows
from sync.sheet.columns import FORMULA, plain
from sync.sheet.look import Look
from sync.sheet.plan import Wanted
from sync.tabs import SET


def called(person: Mapping[str, Any]) -> str:
    """First and last name, as far as they are known; "" if neither is."""
    return " ".join(part for part in (person.get("first_name"), person.get("last_name")) if part)


def told_apart(people: pl.DataFrame) -> pl.DataFrame:
    """How everybody is called where people are listed: `key`, `person_id`, `shown` (null for who has no name). Who bears the
    same name as another is told by address, else by town, else by key. `people` as `everybody` gives it.
    """
    parts = [pl.col(part).str.strip_chars().replace("", None) for part in ("first_name", "last_name")]
    address, town = (pl.col(field).replace("", None) for field in ("email", "city"))
    known = people.select(
        "key",
        "person_id",
        name=pl.concat_str(parts, separator=" ", ignore_nulls=True).replace("", None),
        more=pl.coalesce(address, town, pl.col("key").cast(pl.String)),
    ).with_columns(low=pl.col("name").str.to_lowercase())
    twins = pl.struct("low", "more").is_duplicated()
    more = pl.when(twins).then(pl.col("key").cast(pl.String)).otherwise("more")
    shown = pl.when(pl.col("low").is_duplicated()).then(pl.format("{} ({})", "name", more)).otherwise("name")
    return known.select("key", "person_id", shown=shown)


def reached(person: Mapping[str, Any]) -> str:
    """How somebody is called (else the key of their row), and where they are reached: by telephone first."""
    reach = person["phone"] or person["email"]
    return " · ".join(part for part in (called(person) or str(person["key"]), reach) if part)


def set_columns(book: Book) -> tuple[str, ...]:
    """Columns of the team that rules write in."""
    found = (action.column for rule in book.acting for action in rule.actions if isinstance(action, SetCell))
    return tuple(dict.fromkeys(found))


def everybody(desk: Desk) -> pl.DataFrame:
    """One row a person: `key` (the code in the sheet), `person_id`, the fields of `rules.fields`, `shared_email`."""
    return with_our_marks(desk, people_frame(desk.store))


def with_our_marks(desk: Desk, people: pl.DataFrame) -> pl.DataFrame:
    """The same people with what we did for them as it stands now, `flags`, `last_emailed` and `verified`, and with
    `newsletter` as they told us themselves, or as their address did.
    """
    with desk.store.look() as connection:
        worn = standings.flags(connection, desk.store.org)
        days = {
            "last_emailed": standings.last_emailed(connection, desk.store.org),
            "verified": deeds.verified(connection, desk.store.org),
        }
        people = _as_they_told_us(connection, desk.store.org, people)
    people = people.drop([name for name in ("flags", *days) if name in people.columns])
    people = people.join(worn, on="person_id", how="left")
    for name, times in days.items():
        dated = {"person_id": list(times), name: [_local(at, desk) for at in times.values()]}
        told = pl.DataFrame(dated, schema={"person_id": pl.Int64, name: pl.Date})
        people = people.join(told, on="person_id", how="left")
    return people


def _as_they_told_us(connection: Connection, org: int, people: pl.DataFrame) -> pl.DataFrame:
    refused = wishes.refusing(connection, org)
    told = dict.fromkeys(refused, "unsubscribed")
    if not suppression.is_empty(connection, org):
        rows = people.select("person_id", "email").drop_nulls().rows()
        hashes = {person_id: hashed(address) for person_id, address in rows}
        found = suppression.among(connection, org, set(hashes.values()))
        for person_id, reasons in ((one, found[mark]) for one, mark in hashes.items() if mark in found):
            if reasons.keys() & set(wishes.NO_MORE):
                told[person_id] = "unsubscribed"
            elif "bounced" in reasons:
                told.setdefault(person_id, "bounced")
    words = pl.DataFrame(
        {"person_id": list(told), "told": list(told.values())}, {"person_id": pl.Int64, "told": pl.String}
    )
    stronger = (pl.col("told") == "unsubscribed") | (pl.col("newsletter") != "unsubscribed")
    word = pl.when(pl.col("told").is_not_null() & stronger.fill_null(value=True)).then("told").otherwise("newsletter")
    return (
        people.join(words, on="person_id", how="left", maintain_order="left").with_columns(newsletter=word).drop("told")
    )


def _local(at: datetime, desk: Desk) -> object:
    return at.astimezone(desk.config.zone).date()


def team_rows(desk: Desk, look: Look, codes: Mapping[str, str]) -> pl.DataFrame:
    """The team's own columns by key, and those that rules set: also of rows that were only just recognised (`codes`),
    that somebody copied, or whose person turned out to be another one's. So a person may have several.
    """
    team = pl.concat([look.team, _unsettled(look, codes)], how="diagonal")
    ours = [_text(name) for name in look.seen.columns if name.startswith(SET)]
    if ours:
        team = team.join(look.seen.select("key", *ours), on="key", how="full", coalesce=True)
    return team.with_columns(pl.col("key").replace(_merged_codes(desk)))


def team_columns(look: Look) -> list[str]:
    """Those of `team_rows`, beside the key."""
    set_ones = (SHEET + name.removeprefix(SET) for name in look.seen.columns if name.startswith(SET))
    names = (*look.team.columns, *(SHEET + header for header in look.layout.team), *set_ones)
    return [name for name in dict.fromkeys(names) if name != "key"]


def _unsettled(look: Look, codes: Mapping[str, str]) -> pl.DataFrame:
    """Rows that name a person, and are not (alone) under that person's key yet."""
    names = {SHEET + header: place for header, place in look.layout.team.items()}
    twice = {key: key for key in look.twice}
    rows = look.table.rows if look.table else ()
    whose = [(row, twice.get(row.key) if row.key else codes.get(row.ref)) for row in rows]
    known = [(row, key) for row, key in whose if key]
    texts = {
        n: [plain(row.cells[place]).removeprefix(FORMULA) or None for row, _ in known] for n, place in names.items()
    }
    schema = {"key": pl.String, **dict.fromkeys(names, pl.String)}
    return pl.DataFrame({"key": [key for _, key in known], **texts}, schema=schema)


def with_team(desk: Desk, people: pl.DataFrame, look: Look | None, codes: Mapping[str, str]) -> pl.DataFrame:
    """The same with the team's own columns as `sheet:<header>`; people without a row have nothing there. Of several
    rows the first one that says something counts, column by column.
    """
    if look is None:
        return people
    team = team_rows(desk, look, codes)
    if team["key"].is_duplicated().any():
        team = team.group_by("key", maintain_order=True).agg(pl.all().drop_nulls().first())
    return people.join(team, on="key", how="left")


def with_windows(desk: Desk, people: pl.DataFrame, book: Book, now: datetime) -> pl.DataFrame:
    """The same with a column for each count over a window that the rules ask for."""
    if not book.windows:
        return people
    who = desk.config.organisation
    counted = count_windows(
        desk.store, people["person_id"], book.windows, now=now, timezone=who.timezone, currency=who.money
    )
    return people.join(counted, on="person_id", how="left", maintain_order="left")


def _text(name: str) -> pl.Expr:
    column = pl.col(name)
    return pl.when(column != "").then(column).alias(SHEET + name.removeprefix(SET))


def merged_with_a_past(connection: Connection, org: int) -> dict[int, int]:
    """People who were found to be somebody else and for whom something was done before: ids, gone to kept."""
    known = sa.union(
        *(sa.select(table.c.person_id).where(table.c.org == org) for table in (*standings.OF_PEOPLE, segment_stay))
    )
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
    if "segments" in look.tab.fields:
        with desk.store.look() as connection:
            people = people.join(segments.column(connection, desk.store.org), on="person_id", how="left")
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
    return House(desk.config.organisation, desk.config.sender, logo=desk.logo)


def settle_cells(desk: Desk, run: int, people: pl.DataFrame, paused: Sequence[str]) -> None:
    """The sheet was brought to what is wanted: what rules set stands there, but in rows that are paused."""
    waiting = set(people.filter(pl.col("key").is_in(list(paused)))["person_id"])
    with desk.store.begin() as connection:
        cells = [one for one in standings.cells_to_set(connection, desk.store.org) if one.person_id not in waiting]
        standings.cells_written(connection, desk.store.org, cells, run)
