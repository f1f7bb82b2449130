"""How long planning takes, and how much memory: `python -m bench.planning [ROWS] [COLUMNS]` (500,000 × 25).

One per cent of the people changed since the last run, the team changed a thousandth of the cells. Also: what is agreed,
loaded from the store (100,000 × 10), which must stay under a second and a half.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from connectors.sheets.sheet import Column, Row, Table
from rules.fields import FieldType
from sync.sheet import tables
from sync.sheet.columns import Layout, Mapped, Tab
from sync.sheet.look import Look
from sync.sheet.plan import Wanted, plan
from sync.sheet.state import Rows, TabState, load_rows
from sync.store.base import Store, connect, metadata, organisation

KINDS: tuple[FieldType, ...] = ("text", "date", "number", "money", "tags")
NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)


def tab_of(columns: int) -> Tab:
    return Tab("Contacts", tuple(Mapped(f"C{i}", f"c{i}", KINDS[i % 5], corrected=i < 10) for i in range(columns)))


def wanted_of(tab: Tab, rows: int, changed: int) -> pl.DataFrame:
    """What the profiles say: the first `changed` people did something since."""
    i = pl.int_range(rows, eager=True)
    more = (i < changed).cast(pl.Int64)
    made: dict[FieldType, pl.Series] = {
        "text": "personne." + i.cast(pl.String) + "@example.org" + more.cast(pl.String).replace({"0": "", "1": "x"}),
        "date": (i % 2000 + more + date(2020, 1, 1).toordinal() - date(1970, 1, 1).toordinal()).cast(pl.Date),
        "number": i % 50 + more,
        "money": ((i % 9000 + more) / 100).cast(pl.Decimal(12, 2)),
        "tags": pl.select(pl.concat_list(pl.lit("Habitué"), (i % 7 + more).cast(pl.String))).to_series(),
    }
    columns = {mapped.field: made[mapped.kind].alias(mapped.field) for mapped in tab.columns}
    return pl.DataFrame({"key": keys(rows)} | columns)


def keys(rows: int) -> pl.Series:
    return pl.int_range(rows, eager=True).cast(pl.String).str.zfill(7).alias("key")


def look_of(tab: Tab, rows: int, agreed: pl.DataFrame) -> Look:
    head = pl.DataFrame({"key": keys(rows)}).with_columns(
        pl.lit(0, dtype=pl.Int64).alias("missing"),
        pl.lit(None, dtype=pl.Int64).alias("missing_run"),
        pl.lit(value=False).alias("hidden"),
    )
    order = pl.int_range(rows, eager=True).reverse()  # the team sorted the tab
    texts = agreed.select(tab.fields)
    edited = texts.with_columns(
        pl.when(pl.int_range(rows) % 1000 == 0).then(pl.lit("édit")).otherwise("c5").alias("c5")
    )
    seen = pl.DataFrame({"key": keys(rows)}).hstack(edited)[order]
    seen = seen.with_columns(pl.int_range(rows, dtype=pl.Int64).alias("row"), pl.lit(value=False).alias("paused"))
    known = Rows(head.hstack(texts), Rows.none(tab.fields).standing)
    layout = Layout({name: i for i, name in enumerate(tab.fields)}, {}, None, (), ())
    table = Table(tab.name, [Column(str(i), m.header) for i, m in enumerate(tab.columns)], _Rows(), "1")
    return Look(tab, table, seen, known, layout, pl.DataFrame({"key": []}), TabState())


class _Rows(list[Row]):
    """The reading itself is not what is measured here."""


def bench_plan(rows: int, columns: int) -> float:
    from sync.sheet.plan import canonical

    tab = tab_of(columns)
    bare = look_of(tab, 0, pl.DataFrame(schema=dict.fromkeys(tab.fields, pl.String)))
    agreed = canonical(bare, wanted_of(tab, rows, 0))
    look = look_of(tab, rows, agreed)
    wanted = wanted_of(tab, rows, rows // 100)
    start = time.perf_counter()
    made = plan(look, Wanted(wanted), 1)
    took = time.perf_counter() - start
    print(f"plan {rows:,} × {columns}: {took:.2f} s, {len(made.writes):,} writes, {len(made.keeps):,} edits kept")
    return took


def bench_load(rows: int, columns: int) -> float:
    tab = tab_of(columns)
    blob = '{"c0":"personne@example.org",' + ",".join(f'"c{i}":"2026-01-{i + 10}"' for i in range(1, columns)) + "}"
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'bench.db'}")
        metadata.create_all(engine, [organisation, tables.sheet_row])
        with engine.begin() as connection:
            connection.execute(organisation.insert().values(id=1, slug="bench", created=NOW))
            row = {"org": 1, "tab": tab.name, "cells": blob, "missing": 0}
            connection.execute(sa.insert(tables.sheet_row), [row | {"key": f"{i:07}"} for i in range(rows)])
        store = Store(engine, 1)
        start = time.perf_counter()
        loaded = load_rows(store, tab)
        took = time.perf_counter() - start
        print(f"load {len(loaded.agreed):,} × {columns}: {took:.2f} s")
        store.close()
    return took


def main() -> None:
    rows, columns = (
        (int(text) for text in [*sys.argv[1:], "500000", "25"][:2]) if len(sys.argv) != 2 else (int(sys.argv[1]), 25)
    )
    bench_load(100_000, 10)
    bench_plan(rows, columns)
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
