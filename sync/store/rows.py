"""Many rows at once, past SQLAlchemy's per-row work: the same SQL for both databases, `?` for every value."""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult

Values = tuple[Any, ...]
MOST = 500  # values in one IN (…): far under what either database takes, long enough to be quick
MANY = 5_000
PIECE = 20_000
TOGETHER = 100


def run(connection: Connection, sql: str, *values: Any) -> CursorResult[Any]:
    """One statement. `values` stand for the `?` in it, in order."""
    return connection.exec_driver_sql(_marks(sql, connection.dialect.name), values)


def run_many(connection: Connection, sql: str, rows: Sequence[Values]) -> None:
    """One statement for each row of values."""
    if rows:
        connection.exec_driver_sql(_marks(sql, connection.dialect.name), list(rows))


def ask(connection: Connection, sql: str, *values: Any) -> list[Any]:
    return list(run(connection, sql, *values).fetchall())


def ask_bare(connection: Connection, sql: str, *values: Any) -> list[Values]:
    """The same as bare tuples, for frames: names on each of a million rows take as long as reading them."""
    cursor = run(connection, sql, *values).cursor
    assert cursor is not None, "a question has an answer"
    return cursor.fetchall()  # type: ignore[return-value]  # the DBAPI's sequences are tuples with both drivers


def ask_in_pieces(connection: Connection, sql: str, *values: Any) -> Iterator[list[Values]]:
    """The same, some rows at a time: as objects of Python, many rows take ten times the room that a frame takes."""
    cursor = run(connection, sql, *values).cursor
    assert cursor is not None, "a question has an answer"
    while piece := cursor.fetchmany(PIECE):
        yield piece  # type: ignore[misc]  # the DBAPI's sequences are tuples with both drivers


def ask_in(connection: Connection, sql: str, values: Sequence[Any], among: Iterable[Any]) -> list[Any]:
    """Ask with `IN (…)`: `{among}` in the SQL, after every other `?`, stands for as many values as there are."""
    found: list[Any] = []
    wanted = list(among)
    for start in range(0, len(wanted), MOST):
        part = wanted[start : start + MOST]
        # Asked in one of two lengths, so that the database compiles each statement only twice.
        part += [part[-1]] * ((MOST if len(part) > 32 else 32) - len(part))
        found += ask(connection, sql.replace("{among}", ",".join("?" * len(part))), *values, *part)
    return found


def are_many(among: Collection[Any]) -> bool:
    """Whether to read everything rather than look each of these up."""
    return len(among) >= MANY


def ask_about(
    connection: Connection, sql: str, values: Sequence[Any], column: str, among: Collection[Any]
) -> list[Values]:
    """Ask, of the rows whose `column` is one of `among`; of many, every row comes, and the caller leaves the others out."""
    if not are_many(among):
        return ask_in(connection, f"{sql} AND {column} IN ({{among}})", values, among)
    return ask_bare(connection, sql, *values)


def put(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[Values]) -> None:
    """Insert rows; where the primary key exists, its other columns are replaced."""
    _insert(connection, _put_sql, table, tuple(columns), rows)


def add(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[Values]) -> None:
    """Insert rows that can't exist yet."""
    _insert(connection, _add_sql, table, tuple(columns), rows)


def _insert(
    connection: Connection,
    sql: Callable[[sa.Table, tuple[str, ...], int], str],
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Sequence[Values],
) -> None:
    """Several rows a statement: a statement a row spends a fifth of its time on being called."""
    whole = len(rows) - len(rows) % TOGETHER
    statement = sql(table, columns, TOGETHER)
    for start in range(0, whole, TOGETHER):
        run(connection, statement, *chain.from_iterable(rows[start : start + TOGETHER]))
    run_many(connection, sql(table, columns, 1), rows[whole:])


def take(connection: Connection, org: int, name: str, many: int) -> int:
    """Reserve `many` numbers of a kind, and get the first. Nobody else gets them, unless this is rolled back."""
    sql = (
        "INSERT INTO counter (org, name, last) VALUES (?, ?, ?)"
        " ON CONFLICT (org, name) DO UPDATE SET last = counter.last + excluded.last RETURNING last"
    )
    return int(run(connection, sql, org, name, many).scalar_one()) - many + 1


@cache
def _marks(sql: str, dialect: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s") if dialect == "postgresql" else sql


@cache
def _add_sql(table: sa.Table, columns: tuple[str, ...], many: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {', '.join([row] * many)}"


@cache
def _put_sql(table: sa.Table, columns: tuple[str, ...], many: int) -> str:
    keys = [column.name for column in table.primary_key.columns]
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    action = f"UPDATE SET {changes}" if changes else "NOTHING"
    return f"{_add_sql(table, columns, many)} ON CONFLICT ({', '.join(keys)}) DO {action}"
