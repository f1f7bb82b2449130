"""The database: SQLite by default, PostgreSQL by URL, one SQL for both.

Every row belongs to an organisation (`org`), so that one database can hold one or thousands. Times are UTC. Amounts are
whole hundredths of the currency unit (`cents`), so that both databases add them up exactly. JSON stands in text
columns, written and read by msgspec, never queried inside.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util import LRUCache

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)
Key = TypeVar("Key")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BUSY_SECONDS = 30
CACHE_KILOBYTES = 64 * 1024

# CPython's sqlite3 looks for an adapter of every None and every bytes it binds, and finding none takes three times as
# long as being given one that does nothing. Half the time of a wide insert was that.
_same: dict[None, None] = {}
sqlite3.register_adapter(type(None), _same.get)
sqlite3.register_adapter(bytes, bytes)


class Utc(TypeDecorator[datetime]):
    """An aware datetime, kept by both databases as microseconds since 1970 UTC: compares and indexes alike in both."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy calls it so
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        return (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy calls it so
        return None if value is None else EPOCH + timedelta(microseconds=value)


def org_column() -> sa.Column[int]:
    """The first column of every table but `organisation`, and of every primary key."""
    return sa.Column("org", sa.Integer, sa.ForeignKey("organisation.id"), primary_key=True)


organisation = sa.Table(
    "organisation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("created", Utc, nullable=False),
    sa.Column("pepper", sa.Text),  # goes into what is kept of addresses and of the erased; made when first needed
)


class Store:
    """One organisation's part of a database. Cheap to keep; `close` it at the end.

    All writing goes through `begin()`: one transaction, committed at the end of the block, rolled back on any error.
    Never hold one open around a call to the network.
    """

    def __init__(self, engine: Engine, org: int) -> None:
        self.engine = engine
        self.org = org
        self._reading = engine.execution_options(reading=True)

    @classmethod
    def open(cls, url: str, slug: str, now: datetime) -> Store:
        """Connect, bring the tables up to date, and find or make the organisation.

        Raises FixFile `store-newer` for a database that a newer program has written, FixFile `store-not-found` for a
        URL that leads nowhere, TryLater `store-down` when the server does not answer.
        """
        from sync.store.upgrade import upgrade

        engine = connect(url)
        try:
            upgrade(engine)
            with engine.begin() as connection:
                return cls(engine, _organisation(connection, slug, now))
        except BaseException:
            engine.dispose()
            raise

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection for reading only: it waits for nobody, and sees the state at its first question throughout."""
        with self._reading.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _organisation(connection: Connection, slug: str, now: datetime) -> int:
    find = sa.select(organisation.c.id).where(organisation.c.slug == slug)
    found = connection.scalar(find)
    if found is None:
        make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(make(organisation).values(slug=slug, created=now).on_conflict_do_nothing())
        found = connection.execute(find).scalar_one()
    return int(found)


def pepper(connection: Connection, org: int) -> str:
    """The organisation's secret for what is known again without being known; made when it is first needed."""
    mine = organisation.c.id == org
    blank = sa.update(organisation).where(mine, organisation.c.pepper.is_(None))
    connection.execute(blank.values(pepper=secrets.token_hex(32)))
    return str(connection.scalar(sa.select(organisation.c.pepper).where(mine)))


def connect(url: str) -> Engine:
    """An engine with the settings that make any moment a fine moment to be killed."""
    place = sa.make_url(url)
    if place.drivername in ("postgresql", "postgres"):
        place = place.set(drivername="postgresql+psycopg")
    if place.get_backend_name() != "sqlite":
        return sa.create_engine(place)
    dialect, compiled = _of_every_file()
    engine = sa.create_engine(place, execution_options={"compiled_cache": compiled})
    engine.dialect = dialect  # it is part of the key of what is compiled
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    return engine


@cache
def _of_every_file() -> tuple[Dialect, MutableMapping[Any, Any]]:
    """What our SQLite files have in common: a statement is compiled once in a process, not again for each file that it
    opens (a run of `serve`, the copy of a preview). That was a fifth of a small run.
    """
    engine = sa.create_engine("sqlite://")
    engine.connect().close()
    return engine.dialect, LRUCache(1_000)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN below, not sqlite3's own guesses
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "page_size=16384",  # of a new file: what was pulled is a kilobyte or two a piece
        "journal_mode=WAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"cache_size=-{CACHE_KILOBYTES}",
        "wal_autocheckpoint=2000",  # pages: a first load writes back every 32 megabytes
    ):
        _patiently(connection, f"PRAGMA {pragma}")
    wait_for_disk(connection, "NORMAL")


def wait_for_disk(driver: Any, how: str) -> None:
    """How a connection to SQLite waits for the disk: `FULL` at each commit, `NORMAL` only now and then. After a power cut
    the last commits of the second may be gone, of which none is lost when only the program dies.
    """
    _patiently(driver, f"PRAGMA synchronous={how}")


def _patiently(connection: Any, statement: str) -> None:
    """SQLite does not wait by itself while another program turns the same new file to WAL: it says "locked" at once."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement).close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that began as a reader could not wait for another's end.
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE")


def upsert(
    connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, keep: Sequence[str] = ()
) -> None:
    """Insert rows; where the primary key exists, update every other given column except those in `keep`."""
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key.columns]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys and name not in keep}
    statement = (
        statement.on_conflict_do_update(index_elements=keys, set_=changed)
        if changed
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    connection.execute(statement, list(rows))


def insert_new(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those that are there already, by whichever unique key, stay as they are."""
    if rows:
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(make(table).on_conflict_do_nothing(), list(rows))


def slices(ids: Sequence[Key], size: int = 500) -> Iterator[Sequence[Key]]:
    """Pieces that both databases take as the list of one `IN`."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
