"""Which of several values about a person is shown, and where it comes from. Pure.

The team's correction goes before everything (an emptied cell stays empty); then the newest sighting that says it, a row
that the team typed after those of sources: where it says more than other letters, that is a correction anyhow. A
first and a last name come from one sighting, a postal code and its town too. A whole name goes before half of one, an
address or number that could be understood before one that could not.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from rules.fields import FIELDS
from sync.people.normalise import email

SHEET = "sheet"
"""The source of what the team typed in rows of their own."""
ABOUT = tuple(name for name, field in FIELDS.items() if field.about_person)
UNITS: tuple[tuple[str, ...], ...] = (
    ("first_name", "last_name"),
    ("email", "email_key"),
    ("phone",),
    ("language",),
    ("postcode", "city"),
    ("region",),
    ("country",),
    ("birthday",),
    ("organisation",),
)
SIGHTINGS = {
    "person": pl.Int64,
    "no": pl.Int64,
    "source": pl.String,
    "seen": pl.Int64,
    "email_key": pl.String,
    **dict.fromkeys(ABOUT, pl.String),
}
CORRECTIONS = {"person": pl.Int64, "no": pl.Int64, "field": pl.String, "value": pl.String}
BETTER = {
    "first_name": (pl.col("last_name").is_not_null() & (pl.col("first_name").str.strip_chars(".").str.len_chars() > 1)),
    "email": pl.col("email_key").is_not_null(),
    "phone": pl.col("phone").str.starts_with("+"),
}


def survive(sightings: pl.DataFrame, corrections: pl.DataFrame, priority: Sequence[str] = ()) -> pl.DataFrame:
    """One row a person: every field about them, `email_key`, and `from_FIELD`: the `no` of the sighting it was taken
    from, or minus the `no` of the correction. `priority`: sources whose word goes first when two are as new.
    """
    ordered = _ordered(sightings, priority)
    people = pl.concat([sightings["person"], corrections["person"]]).unique().sort().to_frame()
    for unit in UNITS:
        people = people.join(_chosen(ordered, unit), on="person", how="left")
    return _correct(people, corrections)


def _ordered(sightings: pl.DataFrame, priority: Sequence[str]) -> pl.DataFrame:
    rank = pl.col("source").replace_strict(
        list(priority), range(len(priority)), default=len(priority), return_dtype=pl.Int64
    )
    by = ["person", "typed", "seen", "rank", "no"]
    ranked = sightings.with_columns(rank=rank, typed=pl.col("source") == SHEET)
    return ranked.sort(by, descending=[False, False, True, False, True], nulls_last=True)


def _chosen(ordered: pl.DataFrame, unit: tuple[str, ...]) -> pl.DataFrame:
    some = ordered.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in unit))
    if unit[0] in BETTER:
        better = BETTER[unit[0]].fill_null(value=False)
        some = some.with_columns(better=better).sort("person", "better", descending=[False, True], maintain_order=True)
    first = some.unique("person", keep="first", maintain_order=True)
    origins = [
        pl.when(pl.col(name).is_not_null()).then("no").alias(f"from_{name}") for name in unit if name != "email_key"
    ]
    return first.select("person", *unit, *origins)


def _correct(people: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    if corrections.is_empty():
        return people
    last = corrections.sort("no").unique(["person", "field"], keep="last", maintain_order=True)
    for name in last["field"].unique().sort():
        mine = last.filter(pl.col("field") == name).select("person", "value", correction="no")
        there = pl.col("correction").is_not_null()
        people = people.join(mine, on="person", how="left").with_columns(
            pl.when(there).then("value").otherwise(name).alias(name),
            pl.when(there).then(-pl.col("correction")).otherwise(f"from_{name}").alias(f"from_{name}"),
            *_corrected_email(mine, there if name == "email" else None),
        )
        people = people.drop("value", "correction")
    return people


def _corrected_email(mine: pl.DataFrame, there: pl.Expr | None) -> list[pl.Expr]:
    if there is None:
        return []
    keys = {written: email(written)[1] for written in mine["value"].drop_nulls()}
    new = pl.col("value").replace_strict(list(keys), list(keys.values()), default=None, return_dtype=pl.String)
    return [pl.when(there).then(new).otherwise("email_key").alias("email_key")]
