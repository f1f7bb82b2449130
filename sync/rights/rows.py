"""Rows of the sheet that told of somebody who was erased: emptied by the same engine that fills the others.

Our cells are emptied, in the person's row and in the lines beside that named them. The team's own columns are never
written: whoever erases is told which row is left to be deleted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.rights.tables import erasure, erasure_row
from sync.sheet.journal import forget_key
from sync.sheet.look import Look
from sync.sheet.plan import Wanted
from sync.sheet.tables import sheet_row
from sync.store.base import Store


def with_blanks(store: Store, look: Look, wanted: Wanted) -> Wanted:
    """What is wanted in this tab, and nothing where somebody was erased."""
    keys = (waiting_rows(store, look.tab.name) & set(look.seen["key"])) - set(wanted.frame["key"])
    if not keys:
        return wanted
    blank = pl.DataFrame({"key": sorted(keys)}, schema={"key": pl.String})
    released = {(key, name) for key in keys for name in wanted.frame.columns}
    return replace(wanted, frame=pl.concat([wanted.frame, blank], how="diagonal"), released=wanted.released | released)


def hush(store: Store, tab: str) -> None:
    """The journal told what stood in the cells that were emptied: not here. Call after writing the tab."""
    keys = waiting_rows(store, tab)
    if keys:
        with store.begin() as connection:
            for key in sorted(keys):
                forget_key(connection, store.org, key)


def settle_blanks(store: Store, look: Look, now: datetime) -> None:
    """After a reading: forget the rows that say nothing any more, and note the erasures that are done by it."""
    waiting = waiting_rows(store, look.tab.name)
    if not waiting or look.table is None:
        return
    full = pl.any_horizontal([pl.lit(value=False), *(pl.col(name) != "" for name in look.layout.ours)])
    empty = waiting - set(look.seen.filter(full)["key"]) - set(look.twice)
    with store.begin() as connection:
        mine = (sheet_row.c.org == store.org, sheet_row.c.tab == look.tab.name, sheet_row.c.key.in_(sorted(empty)))
        connection.execute(sa.delete(sheet_row).where(*mine))
        _settle(connection, store.org, look.tab.name, empty, now)


def settle_written(store: Store, tab: str, now: datetime) -> None:
    """A tab beside was brought up to date: its lines say nothing of them any more."""
    if waiting := waiting_rows(store, tab):
        hush(store, tab)
        with store.begin() as connection:
            _settle(connection, store.org, tab, waiting, now)


def _settle(connection: Connection, org: int, tab: str, keys: Collection[str], now: datetime) -> None:
    mine = (erasure_row.c.org == org, erasure_row.c.tab == tab, erasure_row.c.key.in_(sorted(keys)))
    connection.execute(sa.delete(erasure_row).where(*mine))
    still = sa.select(erasure_row.c.code).where(erasure_row.c.org == org)
    done = sa.update(erasure).where(erasure.c.org == org, erasure.c.done.is_(None), erasure.c.code.not_in(still))
    connection.execute(done.values(done=now))


def waiting_rows(store: Store, tab: str) -> set[str]:
    """Keys of rows that are still to be emptied."""
    with store.look() as connection:
        mine = (erasure_row.c.org == store.org, erasure_row.c.tab == tab)
        return set(connection.scalars(sa.select(erasure_row.c.key).where(*mine)))
