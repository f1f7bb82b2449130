"""What happened in the team's tabs, line by line: every cell written and what stood there, every edit kept, every
conflict, gate and hidden row. Enough to explain a cell, and to put a run's cells back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.sheets.sheet import Cell, Formula, Refused
from sync.sheet.tables import sheet_journal
from sync.store.base import Store
from sync.store.reading import micros
from sync.store.rows import add

Kind = Literal[
    "written",  # a cell: from, to
    "uncertain",  # the same, but somebody saved before we could see whether it had landed
    "row",  # a row of ours added; `value` holds its cells
    "key",  # our key given to a row of the team
    "edit",  # the team corrected a cell: kept
    "stands",  # the team's correction stands, though a source now says something else
    "formula",  # a formula of the team in our column: left alone
    "put-back",  # the team changed a computed cell: ours is written again
    "undone",  # a cell put back as it was before a run that somebody undid
    "conflict",  # both sides changed it; `why` says who won
    "hidden",  # a row that the team removed: its person is hidden from this tab
    "back",  # a hidden row that the team put back
    "column",  # a column added, dropped or no longer mapped
    "gate",  # nothing was written until a person decides
    "refused",  # a cell that this kind of sheet could not take; `why` is the code of the reason
    "cut",  # a text too long for a cell
]

WRITTEN = ("org", "run", "line", "tab", "at", "kind", "key", "field", "was", "value", "why")
AT_ONCE = 5_000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`was` and `value` are the cells themselves. For `row`, `value` is None and `why` holds the cells as JSON."""

    kind: Kind
    tab: str
    key: str | None = None
    field: str | None = None
    was: Cell | Formula = None
    value: Cell | Formula = None
    why: str | None = None


def pack(cell: Cell | Formula) -> str | None:
    """A cell as JSON that keeps its type."""
    if cell is None:
        return None
    if isinstance(cell, Formula):
        return msgspec.json.encode({"formula": cell.text, "value": pack(cell.value)}).decode()
    if isinstance(cell, datetime):
        return msgspec.json.encode({"time": cell.isoformat()}).decode()
    if isinstance(cell, date):
        return msgspec.json.encode({"date": cell.isoformat()}).decode()
    if isinstance(cell, str):
        cell = cell.encode("utf-8", "replace").decode()
    return msgspec.json.encode(cell).decode()


def unpack(packed: str | None) -> Cell | Formula:
    if packed is None:
        return None
    value: Any = msgspec.json.decode(packed)
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]  # text, number or yes/no
    if "time" in value:
        return datetime.fromisoformat(value["time"])
    if "date" in value:
        return date.fromisoformat(value["date"])
    inner = unpack(value["value"])
    return Formula(value["formula"], None if isinstance(inner, Formula) else inner)


def refusals(tab: str, refused: Iterable[Refused], names: Mapping[str, str]) -> list[Line]:
    """What a sheet could not take, or had hit by mistake; `names`: the field by the column's ref."""
    return [Line(kind="refused", tab=tab, key=one.key, field=names.get(one.column), why=one.code) for one in refused]


def write_lines(connection: Connection, org: int, run: int, now: datetime, lines: Iterable[Line]) -> None:
    """Add `lines` to the journal of `run`, inside the caller's transaction."""
    c = sheet_journal.c
    last = connection.scalar(sa.select(sa.func.max(c.line)).where(c.org == org, c.run == run)) or 0
    told = (
        (org, run, number, one.tab, micros(now), one.kind, one.key, one.field, pack(one.was), pack(one.value), one.why)
        for number, one in enumerate(lines, last + 1)
    )
    while some := list(islice(told, AT_ONCE)):
        add(connection, sheet_journal, WRITTEN, some)


def columns_told(connection: Connection, org: int, tab: str) -> set[tuple[str | None, str | None]]:
    """Field and words of every line about a column of the tab."""
    c = sheet_journal.c
    query = sa.select(c.field, c.why).where(c.org == org, c.tab == tab, c.kind == "column")
    return {(row.field, row.why) for row in connection.execute(query)}


def take_back_columns(connection: Connection, org: int, run: int, lines: Iterable[Line]) -> None:
    """The sheet took no columns: `lines` of this run about them are not so."""
    c = sheet_journal.c
    for line in lines:
        same = (c.tab == line.tab, c.kind == line.kind, c.field == line.field, c.why == line.why)
        connection.execute(sa.delete(sheet_journal).where(c.org == org, c.run == run, *same))


def of_run(store: Store, run: int, tab: str | None = None) -> list[Line]:
    """All that `run` did and saw, in order."""
    c = sheet_journal.c
    return _read(store, c.run == run, *([c.tab == tab] if tab is not None else []))


def of_key(store: Store, tab: str, key: str) -> list[Line]:
    """All that ever happened to one row: for `explain`, `person show` and `person export`."""
    return _read(store, sheet_journal.c.tab == tab, sheet_journal.c.key == key)


def forget_key(connection: Connection, org: int, key: str) -> int:
    """Empty what the journal holds of one person (erasure): the lines stay, their values go. Gives the line count."""
    c = sheet_journal.c
    gone = sa.update(sheet_journal).where(c.org == org, c.key == key).values(was=None, value=None, why="erased")
    return connection.execute(gone).rowcount


def counts(store: Store, run: int) -> dict[str, int]:
    """How many lines of each kind `run` has, for its summary."""
    c = sheet_journal.c
    query = sa.select(c.kind, sa.func.count()).where(c.org == store.org, c.run == run).group_by(c.kind)
    with store.look() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _read(store: Store, *where: sa.ColumnElement[bool]) -> list[Line]:
    c = sheet_journal.c
    columns: Sequence[sa.ColumnElement[Any]] = (c.kind, c.tab, c.key, c.field, c.was, c.value, c.why)
    query = sa.select(*columns).where(c.org == store.org, *where).order_by(c.run, c.line)
    with store.look() as connection:
        return [
            Line(kind=kind, tab=tab, key=key, field=field, was=unpack(was), value=unpack(value), why=why)
            for kind, tab, key, field, was, value, why in connection.execute(query)
        ]
