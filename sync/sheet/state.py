"""What is remembered of a tab between runs: loaded in bulk into frames, and only changed rows written again."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.sheet.columns import Mapped, Tab
from sync.sheet.tables import sheet_row, sheet_tab
from sync.store.base import Store, upsert

CHUNK = 20_000
STANDING = {"key": pl.String, "field": pl.String, "ours": pl.String}
_ROW = {"key": pl.String, "missing": pl.Int64, "missing_run": pl.Int64, "hidden": pl.Boolean}


class Rows(msgspec.Struct):
    """`agreed`: key, missing, missing_run, hidden and a plain-text column for each mapped field (null: never agreed).
    `standing`: key, field, ours; one line for each cell where the team's value stands against ours.
    """

    agreed: pl.DataFrame
    standing: pl.DataFrame

    @classmethod
    def none(cls, fields: Sequence[str]) -> Rows:
        schema = _ROW | dict.fromkeys(fields, pl.String)
        return cls(pl.DataFrame(schema=schema), pl.DataFrame(schema=STANDING))


class TabState(msgspec.Struct, kw_only=True):
    """What is remembered of the tab as a whole; see `tables.sheet_tab`."""

    revision: str | None = None
    columns: list[Mapped] = []
    dropped: list[str] = []
    wanted: str | None = None
    team: bytes | None = None


def load_tab(store: Store, tab: str) -> TabState | None:
    c = sheet_tab.c
    query = sa.select(c.revision, c.columns, c.dropped, c.wanted, c.team).where(c.org == store.org, c.tab == tab)
    with store.look() as connection:
        found = connection.execute(query).one_or_none()
    if found is None:
        return None
    return TabState(
        revision=found.revision,
        columns=msgspec.json.decode(found.columns, type=list[Mapped]),
        dropped=msgspec.json.decode(found.dropped, type=list[str]),
        wanted=found.wanted,
        team=found.team,
    )


def save_tab(connection: Connection, org: int, tab: str, state: TabState, now: datetime) -> None:
    row = {
        "org": org,
        "tab": tab,
        "revision": state.revision,
        "columns": msgspec.json.encode(state.columns).decode(),
        "dropped": msgspec.json.encode(state.dropped).decode(),
        "wanted": state.wanted,
        "team": state.team,
        "read": now,
    }
    upsert(connection, sheet_tab, [row])


def unsettle(connection: Connection, org: int, tab: str) -> None:
    """What is agreed moves. Should this run be killed, the tab has to be read again even where it is put back as it was
    at the revision that was settled last.
    """
    c = sheet_tab.c
    settled = sa.update(sheet_tab).where(c.org == org, c.tab == tab, c.revision.is_not(None))
    connection.execute(settled.values(revision=None))


def load_rows(store: Store, tab: Tab) -> Rows:
    """All rows of a tab: 100,000 rows of 10 fields in well under a second and a half."""
    c = sheet_row.c
    query = sa.select(c.key, c.missing, c.missing_run, c.hidden, c.standing, c.cells).where(
        c.org == store.org, c.tab == tab.name
    )
    frames, standing = [], []
    with store.look() as connection:
        result = connection.execution_options(yield_per=CHUNK).execute(query)
        for chunk in result.partitions(CHUNK):
            frames.append(_frame(chunk, tab.fields))
            standing += [(row[0], field, ours) for row in chunk if row[4] for field, ours in _standing(row[4], tab)]
    none = Rows.none(tab.fields)
    return Rows(
        pl.concat([none.agreed, *frames], rechunk=True),
        pl.DataFrame(standing, schema=STANDING, orient="row") if standing else none.standing,
    )


def _frame(chunk: Sequence[Any], fields: Sequence[str]) -> pl.DataFrame:
    keys, missing, missing_run, hidden, _, cells = zip(*chunk, strict=True)
    known = {"key": keys, "missing": missing, "missing_run": missing_run, "hidden": [h is not None for h in hidden]}
    head = pl.DataFrame(known, schema=_ROW)
    if not fields:
        return head
    schema = dict.fromkeys(fields, pl.String)
    return head.hstack(pl.read_ndjson(io.BytesIO("\n".join(cells).encode()), schema=schema).select(fields))


def _standing(text: str, tab: Tab) -> Iterable[tuple[str, str]]:
    fields = set(tab.fields)
    return [(field, ours) for field, ours in msgspec.json.decode(text).items() if field in fields]


class RowChange(msgspec.Struct):
    """New agreed texts of one row, by field; `standing` None ends a standing, a text begins or moves one."""

    cells: dict[str, str] = {}
    standing: dict[str, str | None] = {}
    back: bool = False


def change_rows(connection: Connection, org: int, tab: str, changes: Mapping[str, RowChange]) -> None:
    """Move what is agreed in some rows, leaving their other fields as they are."""
    keys = list(changes)
    for start in range(0, len(keys), CHUNK // 40):
        part = keys[start : start + CHUNK // 40]
        upsert(connection, sheet_row, _changed(connection, org, tab, {key: changes[key] for key in part}))


def _changed(connection: Connection, org: int, tab: str, changes: Mapping[str, RowChange]) -> list[dict[str, Any]]:
    c = sheet_row.c
    query = sa.select(sheet_row).where(c.org == org, c.tab == tab, c.key.in_(list(changes)))
    before = {row.key: row for row in connection.execute(query)}
    return [_merged(org, tab, key, before.get(key), change) for key, change in changes.items()]


def _merged(org: int, tab: str, key: str, before: sa.Row[Any] | None, change: RowChange) -> dict[str, Any]:
    cells = msgspec.json.decode(before.cells) if before else {}
    standing = msgspec.json.decode(before.standing) if before and before.standing else {}
    standing |= change.standing
    standing = {field: ours for field, ours in standing.items() if ours is not None}
    keep = before is not None and not change.back
    return {
        "org": org,
        "tab": tab,
        "key": key,
        "cells": msgspec.json.encode(cells | change.cells).decode(),
        "standing": msgspec.json.encode(standing).decode() if standing else None,
        "missing": before.missing if before is not None and keep else 0,
        "missing_run": before.missing_run if before is not None and keep else None,
        "hidden": before.hidden if before is not None and keep else None,
    }


def count_missing(
    connection: Connection, org: int, tab: str, run: int, keys: Sequence[str], hide: Sequence[str], now: datetime
) -> None:
    """Note that rows were not there in a complete reading; those in `hide` for the second time in a row."""
    c = sheet_row.c
    gone: sa.BindParameter[str] = sa.bindparam("gone")
    counted = sa.update(sheet_row).where(c.org == org, c.tab == tab, c.key == gone)
    if keys:
        connection.execute(counted.values(missing=c.missing + 1, missing_run=run), [{"gone": key} for key in keys])
    if hide:
        connection.execute(counted.values(hidden=now), [{"gone": key} for key in hide])


def found_again(connection: Connection, org: int, tab: str, keys: Sequence[str]) -> None:
    c = sheet_row.c
    there = sa.update(sheet_row).where(c.org == org, c.tab == tab, c.key == sa.bindparam("there"))
    if keys:
        connection.execute(there.values(missing=0, missing_run=None, hidden=None), [{"there": key} for key in keys])


def rename_row(connection: Connection, org: int, tab: str, old: str, new: str) -> None:
    """The row of a person who became part of another is that other person's row from now on."""
    c = sheet_row.c
    connection.execute(sa.delete(sheet_row).where(c.org == org, c.tab == tab, c.key == new))
    renamed = sa.update(sheet_row).where(c.org == org, c.tab == tab, c.key == old)
    connection.execute(renamed.values(key=new))


def forget_fields(connection: Connection, org: int, tab: str, fields: Iterable[str]) -> None:
    """Forget what was agreed in columns that the mapping no longer has (or has elsewhere)."""
    gone = set(fields)
    c = sheet_row.c
    rows = connection.execute(sa.select(c.key, c.cells, c.standing).where(c.org == org, c.tab == tab)).all()
    changed = [
        {"one": row.key, "kept": _without(row.cells, gone) or "{}", "still": _without(row.standing, gone)}
        for row in rows
    ]
    if changed:
        one = sa.update(sheet_row).where(c.org == org, c.tab == tab, c.key == sa.bindparam("one"))
        connection.execute(one.values(cells=sa.bindparam("kept"), standing=sa.bindparam("still")), changed)


def _without(text: str | None, fields: set[str]) -> str | None:
    if text is None:
        return None
    kept = {field: value for field, value in msgspec.json.decode(text).items() if field not in fields}
    return msgspec.json.encode(kept).decode() if kept else None


def forget_rows(connection: Connection, org: int, tab: str) -> None:
    """Forget the rows of a tab that is gone for good; who is hidden from it stays hidden."""
    c = sheet_row.c
    connection.execute(sa.delete(sheet_row).where(c.org == org, c.tab == tab, c.hidden.is_(None)))


def forget_key(connection: Connection, org: int, key: str) -> None:
    """Forget one person everywhere (erasure). The team's columns are read anew with the next run."""
    connection.execute(sa.delete(sheet_row).where(sheet_row.c.org == org, sheet_row.c.key == key))
    tabs = sa.update(sheet_tab).where(sheet_tab.c.org == org)
    connection.execute(tabs.values(team=None, revision=None, wanted=None))


def hidden_keys(store: Store, tab: str) -> list[str]:
    """People whose row the team removed: they are not shown in this tab any more."""
    c = sheet_row.c
    query = sa.select(c.key).where(c.org == store.org, c.tab == tab, c.hidden.is_not(None)).order_by(c.hidden, c.key)
    with store.look() as connection:
        return list(connection.scalars(query))
