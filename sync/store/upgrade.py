"""Tables brought up to date when the program starts.

A revision is a file `versions/NNNN_what.py` and its id is NNNN, so whether there is anything to do is seen without
loading Alembic. An empty database gets all tables at once; one that an older program wrote is taken through the
revisions; a test holds the two ways equal.
"""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from connectors.trouble import FixFile, TryLater
from sync.store.base import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
ROOMS = (
    "sync.store.tables",
    "sync.people.tables",
    "sync.sheet.tables",
    "sync.followup.tables",
    "sync.rights.tables",
    "sync.runs",
)
LOCK = 7305_1946  # any number, the same in all our processes: PostgreSQL's advisory lock around an upgrade


def tables() -> sa.MetaData:
    """The metadata with the tables of every room in it."""
    for room in ROOMS:
        if find_spec(room) is not None:
            import_module(room)
    return metadata


def head() -> str | None:
    """The newest revision that this program knows."""
    return max((file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py")), default=None)


def upgrade(engine: Engine) -> None:
    """Bring a database to `head()`; do nothing when it is there. See `Store.open` for what it raises."""
    try:
        with engine.connect() as connection:
            if (here := _revision(connection)) == head() and here is not None:
                tables()
                return
            connection.rollback()
            with connection.begin():
                _upgrade(connection)
    except sa.exc.OperationalError as error:
        raise _unreachable(engine, error) from None


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    here, newest = _revision(connection), head()
    if here is None:
        tables().create_all(connection)
        if newest is not None:
            _stamp(connection, newest)
    elif newest is None or here > newest:
        raise FixFile("store-newer", found=here, known=newest or "0000")
    elif here < newest:
        tables()
        _migrate(connection)
    if connection.dialect.name == "sqlite":
        _tell_sizes(connection)


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _stamp(connection: Connection, revision: str) -> None:
    """Alembic's own table, written without loading Alembic."""
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS alembic_version"
        " (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(sa.text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def _tell_sizes(connection: Connection) -> None:
    """Tell SQLite's planner that `org` alone narrows nothing and that tables are long (sqlite.org/fileformat2.html#stat1tab).

    Without it every table is taken for ten rows an organisation and joins go through all of them; statistics that
    SQLite gathers itself would say so of a new, empty database.
    """
    connection.exec_driver_sql("ANALYZE")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    for name in sa.inspect(connection).get_table_names():
        for _, index, unique, _, partial in connection.exec_driver_sql(f"PRAGMA index_list('{name}')").fetchall():
            width = len(connection.exec_driver_sql(f"PRAGMA index_info('{index}')").fetchall())
            rows = 1_000 if partial and not _is_of_known(connection, index) else 1_000_000
            steps = [rows, *(10 for _ in range(width - 2)), *([1 if unique else 10] if width > 1 else [])]
            stated = name if _is_clustered(connection, name, index) else index
            connection.exec_driver_sql(
                "INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (name, stated, " ".join(map(str, (rows, *steps))))
            )
    connection.exec_driver_sql("ANALYZE sqlite_schema")


def _is_of_known(connection: Connection, index: str) -> bool:
    """Whether a partial index only leaves out rows without a value: it is as long as its table."""
    sql = "SELECT sql LIKE '%IS NOT NULL' FROM sqlite_schema WHERE type = 'index' AND name = ?"
    return bool(connection.exec_driver_sql(sql, (index,)).scalar())


def _is_clustered(connection: Connection, table: str, index: str) -> bool:
    sql = "SELECT sql LIKE '%WITHOUT ROWID%' FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return index.startswith("sqlite_autoindex") and bool(connection.exec_driver_sql(sql, (table,)).scalar())


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _unreachable(engine: Engine, error: sa.exc.OperationalError) -> Exception:
    place = engine.url.render_as_string(hide_password=True)
    if engine.dialect.name != "sqlite":
        return TryLater("store-down", place=place)
    if "locked" in str(error.orig):
        return TryLater("store-busy", place=engine.url.database or "")
    return FixFile("store-not-found", place=engine.url.database or "", detail=str(error.orig))
