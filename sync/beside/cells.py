"""The journal's lines about cells: what was written over what, what the team changed, rows that went and came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
import sqlalchemy as sa

from sync.beside.lines import Entry
from sync.beside.tab import TICK, in_house
from sync.origins import Origin, Written, origins, ours
from sync.report.gather import shown
from sync.rows import called
from sync.sheet.journal import Line, unpack
from sync.sheet.tables import sheet_journal
from sync.store.base import Store
from sync.store.rows import ask_in
from sync.tabs import SET

if TYPE_CHECKING:
    from sync.work import Work

TEAMS = ("edit", "stands", "formula", "put-back", "conflict", "undone", "uncertain", "hidden", "back", "refused", "cut")
AGAIN = ("refused", "cut")
"""Told once, not with every run that tries again."""
OVERWRITTEN = sa.or_(
    sheet_journal.c.was.is_not(None),
    sheet_journal.c.field == "flags",
    sheet_journal.c.field.startswith(SET, autoescape=True),
)
"""Something stood there before, or rules decide what stands there."""
TEAMS_ALONE = frozenset({"edit", "formula", "undone"})
"""Kinds that follow from no rule and no source."""
TELLING = frozenset({"edit", "formula", "put-back", "undone", "uncertain", "hidden", "back", "cut"})
"""Kinds of which one sentence says all."""


def newest(store: Store, people: str, columns: int, most: int) -> list[Written]:
    """The last lines worth telling, newest run first; of one run what concerns the team before what follows the sources.

    In the tab of people: every cell that something stood in before, every cell that rules decide, and all that the team
    did; columns that were added, but not when all of them (`columns`) were. In the other tabs: only what the team did.
    """
    c, before = sheet_journal.c, sheet_journal.alias().c
    told = sa.or_(
        sa.and_(c.tab == people, c.kind == "written", OVERWRITTEN), sa.and_(c.tab == people, c.kind == "column"),
        c.kind.in_(TEAMS) & (c.field.is_(None) | (c.field != TICK) | (c.kind != "put-back")),
    )  # fmt: skip
    same = (before[name].is_not_distinct_from(c[name]) for name in ("tab", "kind", "key", "field", "why"))
    twice = sa.exists().where(before.org == c.org, before.run == c.run - 1, *same)
    rows = sa.select(sheet_journal).where(c.org == store.org, told, ~(c.kind.in_(AGAIN) & twice))
    rows = rows.where(c.why.is_distinct_from("erased"))
    last = rows.with_only_columns(c.run).order_by(c.run.desc(), c.line.desc()).limit(most)
    with store.look() as connection:
        since = min(connection.scalars(last), default=0)  # by the primary key, backwards: the past is not gone through
        rows = rows.where(c.run >= since).order_by(c.run.desc(), c.kind == "written", c.line.desc()).limit(most)
        found = [_written(row) for row in connection.execute(rows)]
    made = Counter(one.run for one in found if _is_added(one))
    return [one for one in found if not _is_added(one) or made[one.run] < columns]


def _is_added(one: Written) -> bool:
    return one.line.kind == "column" and (one.line.why or "").startswith("added")


def _written(row: Any) -> Written:
    line = Line(
        kind=row.kind, tab=row.tab, key=row.key, field=row.field, was=unpack(row.was), value=unpack(row.value), why=row.why
    )  # fmt: skip
    return Written(row.run, row.line, row.at, line)


def count(store: Store, people: str, run: int) -> int:
    """How many cells that something stood in before, or that rules decide, a run wrote among the people."""
    c = sheet_journal.c
    mine = (c.org == store.org, c.run == run, c.tab == people, c.kind == "written")
    with store.look() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(sheet_journal).where(*mine, OVERWRITTEN)) or 0


def entries(work: Work, known: Collection[str], most: int) -> list[Entry]:
    """A line for each that is not among `known` yet; those that are have no texts: what stands there is right."""
    found = newest(work.desk.store, work.tab.name, len(work.tab.columns), most)
    new = [one for one in found if _key(one) not in known]
    words = _Words(work, new)
    told = {_key(one): texts for one, texts in zip(new, words.texts(), strict=True)}
    return [
        Entry(_key(one), one.run, 0 if one.line.kind == "written" else 1, one.number, told.get(_key(one), {}))
        for one in found
    ]


def erased(store: Store, since: int) -> set[str]:
    """Keys of lines of the runs since then that are about people who were erased."""
    c = sheet_journal.c
    rows = sa.select(c.run, c.line).where(c.org == store.org, c.run >= since, c.why == "erased")
    with store.look() as connection:
        return {f"{run}.{line}" for run, line in connection.execute(rows)}


def _key(one: Written) -> str:
    return f"{one.run}.{one.number}"


def _is_older(line: Line) -> bool:
    """Did the team's cell stand there before we came, saying in its own way what we would write?"""
    return line.kind == "edit" and line.was is None and ours(line) != ""


class _Words:
    def __init__(self, work: Work, lines: Sequence[Written]) -> None:
        self.work, self.lines = work, lines
        self.language = work.desk.config.language
        self.people = people_called(work, {one.line.key for one in lines if one.line.key})
        self.headers = {(work.tab.name, mapped.field): mapped.header for mapped in work.tab.columns}
        for one in work.side_tabs:
            self.headers |= {(one.tab.name, mapped.field): mapped.header for mapped in one.tab.columns}
        self.refusals = refusals(work)

    def texts(self) -> Iterator[dict[str, str]]:
        if not self.lines:
            return
        for one, origin in zip(self.lines, origins(self.work.desk, self.work.frame, self.lines), strict=True):
            line, both = one.line, bool(origin.otherwise)
            yield {
                "day": one.at.astimezone(self.work.desk.config.zone).date().isoformat(),
                "run": str(one.run),
                "event": self._say(f"journal-event-{self._event(line, both=both)}"),
                "person": self._whose(line),
                "column": self._column(line),
                **self._values(line),
                "by": self._by(origin) if both or line.kind not in TEAMS_ALONE else "",
                "why": self._say("journal-team-won", ours=origin.otherwise) if both else self._why(line),
            }

    def _say(self, code: str, **facts: object) -> str:
        return in_house(self.work, code, **facts)

    def _event(self, line: Line, *, both: bool) -> str:
        if both:
            return "conflict"
        if line.kind == "written" and line.was is None:
            return "filled"
        return "kept" if _is_older(line) else line.kind

    def _whose(self, line: Line) -> str:
        if line.tab == self.work.tab.name:
            return self.people.get(line.key or "") or line.key or ""
        side = next((one for one in self.work.side_tabs if one.tab.name == line.tab and one.seen), None)
        rows = side.seen.seen.filter(pl.col("key") == line.key) if side and side.seen else pl.DataFrame()
        named = next((name for name in ("person", "to") if name in rows.columns), None)
        return rows[named][0] if named and len(rows) else ""

    def _column(self, line: Line) -> str:
        header = self.headers.get((line.tab, line.field or ""), (line.field or "").removeprefix(SET))
        return header if line.tab == self.work.tab.name else " · ".join(part for part in (line.tab, header) if part)

    def _values(self, line: Line) -> dict[str, str]:
        was, now = line.was, line.value
        if line.kind == "conflict" and (line.why or "").startswith("team"):
            return {"was": (line.why or "").partition("agreed: ")[2], "now": self._shown(now)}
        return {"was": self._shown(was), "now": self._shown(now)}

    def _shown(self, cell: Any) -> str:
        return "✓" if cell is True else shown(cell, self.language)

    def _why(self, line: Line) -> str:
        if line.kind in TELLING:
            return self._say(f"journal-{'kept' if _is_older(line) else line.kind}", ours=ours(line))
        if line.kind == "written":
            field = line.field or ""
            ruled = field == "flags" or field.startswith(SET)
            corrected = self._is_theirs(field)
            return self._say("journal-ruled" if ruled else "journal-said" if corrected else "journal-computed")
        if line.kind == "stands":
            return self._say("journal-stands-against", ours=ours(line))
        if line.kind == "conflict":
            team = (line.why or "").startswith("team")
            return self._say("journal-team-won", ours=self._shown(line.was)) if team else self._say("journal-ours-won")
        if line.kind == "refused":
            return self.refusals.get((line.key or "", line.field or "")) or self._say("journal-refused")
        what, _, header = (line.why or "").partition(": ")
        code = {"added": "added", "dropped by the team": "dropped", "forgotten": "forgotten"}.get(what, "forgotten")
        return self._say(f"journal-column-{code}", header=header)

    def _is_theirs(self, field: str) -> bool:
        return any(mapped.corrected for mapped in self.work.tab.columns if mapped.field == field)

    def _by(self, origin: Origin) -> str:
        if origin.rules:
            return self._say("journal-by-rule", n=len(origin.rules), rules=", ".join(origin.rules))
        named = (self._say("person-sheet") if name == "sheet" else name for name in origin.sources)
        return ", ".join(named)


def people_called(work: Work, keys: Collection[str]) -> dict[str, str]:
    """How people are called, by the key of their row, also one that they had before."""
    org = work.desk.store.org
    sql = "SELECT code, coalesce(merged_into, id) AS person FROM person WHERE org = ? AND code IN ({among})"
    with work.desk.store.look() as connection:
        ids = {row.code: row.person for row in ask_in(connection, sql, (org,), sorted(keys))}
    rows = work.frame.filter(pl.col("person_id").is_in(set(ids.values())))
    names = {row["person_id"]: called(row) or row["email"] for row in rows.iter_rows(named=True)}
    return {code: names[person] for code, person in ids.items() if names.get(person)}


def refusals(work: Work) -> Mapping[tuple[str, str], str]:
    """Why the tab of people could not take cells in this run, by key and field."""
    if work.applied is None or work.applied.look.table is None:
        return {}
    seen, table = work.applied.look, work.applied.look.table
    fields = {table.columns[place].ref: name for name, place in seen.layout.ours.items()}
    told = [(one.key, fields.get(one.column, ""), one) for one in work.applied.refused]
    return {(key, field): in_house(work, one.code, **one.facts) for key, field, one in told}
