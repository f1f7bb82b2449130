"""Why a cell says what it says: the rules that decided it, or the sources that said it.

Nothing of it is written down with the cell: what rules did and what sources said is kept anyway, with its time, so that
the trace of any line of the journal can be told at any time.
"""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.fields import FIELDS
from sync.desk import Desk
from sync.followup.tables import cell_to_set, flag, rule_state
from sync.people.normalise import fold
from sync.rows import filled
from sync.sheet.columns import FORMULA, plain
from sync.sheet.journal import Line
from sync.store.base import slices
from sync.store.rows import ask_in
from sync.tabs import SET

ABOUT = tuple(name for name, field in FIELDS.items() if field.about_person)
Rows = dict[int, list[Any]]


class Origin(NamedTuple):
    """`rules` by name, or `sources` as the config calls them (`sheet`: a row that the team typed). `otherwise`: what
    these sources say now where the team's correction stands against it, if it is not what stood there before.
    """

    rules: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    otherwise: str = ""


class Written(NamedTuple):
    """A line of the journal, with its number in its run and its time."""

    run: int
    number: int
    at: datetime
    line: Line


def origins(desk: Desk, people: pl.DataFrame, lines: Sequence[Written]) -> list[Origin]:
    """For each line about a cell of a person, what decided the value that is ours."""
    with desk.store.look() as connection:
        trace = _Trace(desk, connection, people, lines)
    return [trace.origin(one) for one in lines]


def ours(line: Line) -> str:
    """The plain text that we wanted in the cell: written there, or given way to the team's."""
    if line.kind == "conflict" and (line.why or "").startswith("team"):
        return plain(line.was)
    if line.kind in {"edit", "stands", "formula"}:
        return (line.why or "").removeprefix("ours: ")
    return plain(line.value).removeprefix(FORMULA)


class _Trace:
    """All that is known of the people in these lines, asked for at once."""

    def __init__(self, desk: Desk, connection: Connection, people: pl.DataFrame, lines: Sequence[Written]) -> None:
        org, self.desk = desk.store.org, desk
        codes = {one.line.key for one in lines if one.line.key}
        sql = "SELECT code, coalesce(merged_into, id) FROM person WHERE org = ? AND code IN ({among})"
        self.ids = dict(map(tuple, ask_in(connection, sql, (org,), sorted(codes))))
        concerned = set(self.ids.values())
        mine = people.filter(pl.col("person_id").is_in(concerned)).iter_rows(named=True)
        self.facts = {row["person_id"]: row for row in mine}
        states = sa.select(rule_state.c.rule, rule_state.c.name).where(rule_state.c.org == org)
        self.rules: dict[str, str] = {row.rule: row.name for row in connection.execute(states)}
        self.flags = self._of_people(connection, flag, concerned)
        self.cells = self._of_people(connection, cell_to_set, concerned)
        fed = (
            "SELECT DISTINCT s.person, f.kind, f.source FROM sighting AS s JOIN fact AS f"
            " ON f.org = s.org AND f.sighting = s.no WHERE s.org = ? AND s.person IN ({among})"
        )
        said = (
            f"SELECT person, source, {', '.join(ABOUT)} FROM sighting"
            " WHERE org = ? AND object >= 0 AND person IN ({among}) ORDER BY seen DESC, no DESC"
        )
        self.fed = _by_person(ask_in(connection, fed, (org,), sorted(concerned)))
        self.said = _by_person(ask_in(connection, said, (org,), sorted(concerned)))

    def _of_people(self, connection: Connection, table: sa.Table, people: Collection[int]) -> Rows:
        found: Rows = defaultdict(list)
        for some in slices(sorted(people)):
            rows = sa.select(table).where(table.c.org == self.desk.store.org, table.c.person_id.in_(some))
            for row in connection.execute(rows):
                found[row.person_id].append(row)
        return found

    def origin(self, one: Written) -> Origin:
        person, field = self.ids.get(one.line.key or ""), one.line.field or ""
        if person is None:
            return Origin()
        if field == "flags":
            return Origin(rules=self._flagged(person, one))
        if field == "segments":
            return Origin(rules=_named(one.line))
        if field.startswith(SET):
            return Origin(rules=self._set(person, field.removeprefix(SET), ours(one.line)))
        if field in ABOUT:
            return self._said(person, field, one.line)
        kinds = FIELDS[field].source if field in FIELDS else frozenset()
        return Origin(sources=tuple(sorted({row.source for row in self.fed.get(person, ()) if row.kind in kinds})))

    def _said(self, person: int, field: str, line: Line) -> Origin:
        """The sources that say this very text; beside a correction, those that now say neither it nor what was there."""
        rows = [row for row in self.said.get(person, ()) if getattr(row, field)]
        text = ours(line)
        if line.kind == "edit":
            latest = getattr(rows[0], field) if rows else ""
            text = latest if fold(latest) not in {fold(plain(line.was)), fold(plain(line.value))} else ""
        sources = tuple(sorted({row.source for row in rows if text and fold(getattr(row, field)) == fold(text)}))
        return Origin(sources=sources, otherwise=text if line.kind == "edit" else "")

    def _flagged(self, person: int, one: Written) -> tuple[str, ...]:
        """The rules whose flags came or went with this line."""
        was, now = ({name.strip() for name in text.split(",")} for text in (plain(one.line.was), ours(one.line)))
        moved = [row for row in self.flags.get(person, ()) if row.name in was ^ now]
        on = [row for row in moved if row.name in now and row.since <= one.at and (not row.until or row.until > one.at)]
        off = [row for row in moved if row.name in was and row.until and row.until <= one.at]
        last = max((row.until for row in off), default=None)
        return self._names(row.rule for row in (*on, *(row for row in off if row.until == last)))

    def _set(self, person: int, column: str, text: str) -> tuple[str, ...]:
        """The rule that set the column; where several did, those that set this very text."""
        rows = [row for row in self.cells.get(person, ()) if row.column == column]
        facts = self.facts.get(person)
        if len(rows) > 1 and facts:
            rows = [row for row in rows if plain(filled(self.desk, row.value, facts)) == text] or rows
        return self._names(row.rule for row in rows)

    def _names(self, rules: Any) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.rules.get(rule, rule) for rule in rules))


def _named(line: Line) -> tuple[str, ...]:
    """The segments that came or went with this line."""
    was, now = ({name.strip() for name in text.split(",")} for text in (plain(line.was), ours(line)))
    return tuple(sorted((was ^ now) - {""}))


def _by_person(rows: Sequence[Any]) -> Rows:
    found: Rows = defaultdict(list)
    for row in rows:
        found[row.person].append(row)
    return found
