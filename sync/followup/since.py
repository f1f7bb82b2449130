"""What people did after the thing that a journey is around: how often they came, how many gifts they made.

What counts is what is an occasion itself: a visit that stands, a gift that was paid. Visits count from the next day on, so
that two shows on one evening are no return; gifts by their time, so that one made an hour later is another.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import polars as pl

from rules.fields import SINCE
from rules.journeys import AnchorKind, Around
from sync.followup.anchors import Anchors
from sync.store.reading import micros

OF: dict[str, AnchorKind] = {"visits_since": "ticket", "donations_since": "donation"}


def with_counts(rows: pl.DataFrame, anchors: Anchors, asked: Collection[str], until: datetime) -> pl.DataFrame:
    """Rows with the columns of `OCCASIONS`, those of `rules.fields.SINCE` that are `asked` for filled in up to a moment."""
    for name in SINCE:
        if name in asked and not rows.is_empty():
            deeds = anchors.of(Around(OF[name]), rows["person_id"].unique().to_list())
            rows = _counted(rows, deeds.filter(pl.col("at") <= micros(until)), name)
    return rows


def _counted(rows: pl.DataFrame, deeds: pl.DataFrame, name: str) -> pl.DataFrame:
    later = pl.col("day") < pl.col("did_on")
    if name == "donations_since":
        later = pl.coalesce(pl.col("at") < pl.col("did_at"), later)
    key = ["person_id", "occasion"]
    what = rows.select(*key, "at", "day").unique()
    did = what.join(deeds.select("person_id", did_at="at", did_on="day"), on="person_id", how="left")
    counted = did.group_by(key).agg(later.fill_null(value=False).sum().cast(pl.Int64).alias(name))
    return rows.drop(name).join(counted, on=key, how="left", maintain_order="left")
