"""A copy of an organisation's store in a file of its own, for trying things out."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sync.store.base import Store, metadata, organisation

BATCH = 5_000


def copy_store(store: Store, folder: Path) -> Store:
    """Copy everything of this organisation into a new SQLite file in `folder`; give the copy opened."""
    file = folder / "copy.db"
    if store.engine.dialect.name == "sqlite":
        _backup(store, file)
    with store.look() as connection:
        whose = connection.execute(sa.select(organisation).where(organisation.c.id == store.org)).one()
    copy = Store.open(f"sqlite:///{file}", whose.slug, whose.created)
    if store.engine.dialect.name != "sqlite":
        _carry_over(store, copy)
    return copy


def _backup(store: Store, file: Path) -> None:
    """SQLite's own way: a consistent picture, even while somebody writes."""
    target = sqlite3.connect(file)
    try:
        with store.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.backup(target)
    finally:
        target.close()


def _carry_over(store: Store, copy: Store) -> None:
    with store.look() as origin, copy.begin() as target:
        for table in metadata.sorted_tables:
            if table is organisation:
                continue
            rows = origin.execute(sa.select(table).where(table.c.org == store.org))
            while some := rows.fetchmany(BATCH):
                target.execute(sa.insert(table), [{**row._mapping, "org": copy.org} for row in some])  # noqa: SLF001  SQLAlchemy's public name
