"""Facts and events of the ledger as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy.engine import Connection

from sync.people import measures
from sync.store.rows import ask_bare, ask_in_pieces


def frame(connection: Connection, schema: dict[str, Any], sql: str, values: tuple[Any, ...]) -> pl.DataFrame:
    """The rows of a question, as a frame with this schema."""
    pieces = [typed(schema, rows) for rows in ask_in_pieces(connection, sql, *values)]
    return pl.concat(pieces, rechunk=True) if pieces else typed(schema, [])


def typed(schema: dict[str, Any], rows: Sequence[Any]) -> pl.DataFrame:
    """Rows as a frame with this schema; whatever the database keeps a yes or no as."""
    found = pl.DataFrame(
        list(zip(*rows, strict=True)) or None,
        schema={name: pl.Int64 if kind == pl.Boolean else kind for name, kind in schema.items()},
        strict=False,
    )
    return found.cast({name: pl.Boolean for name, kind in schema.items() if kind == pl.Boolean})


def donors(connection: Connection, org: int) -> int:
    """How many people gave something."""
    sql = (
        "SELECT COUNT(DISTINCT s.person) FROM fact AS f JOIN sighting AS s ON s.org = f.org AND s.no = f.sighting"
        " WHERE f.org = ? AND f.kind = 'donation' AND f.status = 'paid'"
    )
    ((n,),) = ask_bare(connection, sql, org)
    return int(n)


def newest(connection: Connection, org: int) -> list[int | None]:
    """What is another whenever a record, or whose it is, changed: the last run that changed an object, how many are
    gone, the last sighting that passed to another person, the last person.
    """
    sql = (
        "SELECT (SELECT MAX(run) FROM object WHERE org = ?), (SELECT COUNT(*) FROM object WHERE org = ? AND gone IS NOT NULL),"
        " (SELECT MAX(no) FROM move WHERE org = ?), (SELECT MAX(id) FROM person WHERE org = ?)"
    )
    (row,) = ask_bare(connection, sql, *[org] * 4)
    return list(row)


def events_of(connection: Connection, org: int) -> pl.DataFrame:
    """Every event as last described, and whether anybody was scanned there."""
    columns = {"object": pl.Int64, **{name: kind for name, kind in measures.EVENTS.items() if name != "scanned"}}
    sql = "SELECT object, source, id, starts, genre, cancelled FROM event WHERE org = ?"
    events = frame(connection, columns, sql, (org,)).sort("object").unique(["source", "event"], keep="last")
    sql = "SELECT DISTINCT source, event FROM fact WHERE org = ? AND attended AND event IS NOT NULL"
    scanned = frame(connection, {"source": pl.String, "event": pl.String}, sql, (org,))
    scanned = scanned.with_columns(scanned=pl.lit(value=True))
    return events.join(scanned, on=["source", "event"], how="full", coalesce=True).select(*measures.EVENTS)
