"""What becomes of one cell, from what was agreed, what we want, and what stands there now. Never by clock.

Four plain texts decide (`columns.plain`; "" is empty):
- `agreed`: what stood in the cell when both sides last agreed; null if they never did (adoption).
- `wanted`: what we would like there.
- `now`: what was read.
- `standing`: where the team's cell was left standing against ours, what we wanted then; null otherwise. So "we moved"
  means that `wanted` is no longer what it was at the last settlement, whatever the cell shows.

In words, the first line that fits:
1. The cell already says what we want: agreed.
2. It is a formula: never overwritten; noted once.
3. Never agreed: an empty cell gets ours. A filled cell keeps the team's value in a column that is theirs to correct, or
   where we know nothing or count nothing (we erase no history); else ours is written and the old value kept in the journal.
4. Only we moved: ours is written; but a standing correction of the team stands until it is `released`.
5. Only the team moved: their correction is kept; in a computed column ours is put back.
6. Both moved: the team wins in a column that is theirs to correct, ours in a computed one; both values go to the journal.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from sync.sheet.columns import FORMULA

Verdict = Literal[
    "", "settled", "follow", "write", "put-back", "conflict-ours", "edit", "conflict-team", "stands", "formula"
]
NOT_THEIRS = "\x1e"
"""Begins a remembered `standing` that is not the team's doing (an undo, a value that this kind of sheet shows otherwise):
ours is written again as soon as we want something else."""
WRITES = ("write", "put-back", "conflict-ours")


def verdict(*, corrected: bool) -> pl.Expr:
    """The verdict for each row of a frame with the columns agreed, wanted, now, standing and released (yes/no).

    "" means nothing to do. `settled` and `follow` only move what is remembered; `edit`, `conflict-team`, `stands` and
    `formula` leave the team's cell and are noted; the three of `WRITES` write ours.
    """
    return (
        pl.when(_same("now", "wanted"))
        .then(_agreeing(corrected=corrected))
        .when(pl.col("now").str.starts_with(FORMULA))
        .then(_formula())
        .when(pl.col("agreed").is_null())
        .then(_adopted(corrected=corrected))
        .when(_same("now", "agreed"))
        .then(_ours_moved(corrected=corrected))
        .otherwise(_team_moved(corrected=corrected))
    )


def _same(one: str, other: str) -> pl.Expr:
    return pl.col(one) == pl.col(other)


def _word(verdict: Verdict) -> pl.Expr:
    return pl.lit(verdict, dtype=pl.String)


def _we_stayed() -> pl.Expr:
    return pl.col("wanted") == pl.coalesce("standing", "agreed")


def _agreeing(*, corrected: bool) -> pl.Expr:
    new = _word("edit") if corrected else _word("settled")
    return (
        pl.when(pl.col("agreed").is_null())
        .then(_word("settled"))
        .when(~_same("agreed", "now"))
        .then(new)
        .otherwise(pl.when(pl.col("standing").is_null()).then(_word("")).otherwise(_word("follow")))
    )


def _formula() -> pl.Expr:
    return (
        pl.when(_same("agreed", "now").fill_null(value=False) & _same("standing", "wanted").fill_null(value=False))
        .then(_word(""))
        .when(pl.col("agreed").str.starts_with(FORMULA).fill_null(value=False))
        .then(_word("follow"))
        .otherwise(_word("formula"))
    )


def _knowing_nothing() -> pl.Expr:
    """No value, or none counted: the team may know of what our sources never saw."""
    return pl.col("wanted").is_in(["", "0"])


def _adopted(*, corrected: bool) -> pl.Expr:
    theirs = _word("edit") if corrected else pl.when(_knowing_nothing()).then(_word("follow")).otherwise(_word("write"))
    return pl.when(pl.col("now") == "").then(_word("write")).otherwise(theirs)


def _ours_moved(*, corrected: bool) -> pl.Expr:
    stands = pl.lit(corrected) & pl.col("standing").is_not_null() & ~pl.col("released")
    return pl.when(_we_stayed()).then(_word("")).when(stands).then(_word("stands")).otherwise(_word("write"))


def _team_moved(*, corrected: bool) -> pl.Expr:
    if corrected:
        return pl.when(_we_stayed()).then(_word("edit")).otherwise(_word("conflict-team"))
    nothing_of_ours = _knowing_nothing() & _same("standing", "wanted").fill_null(value=False)
    ours = pl.when(_we_stayed()).then(_word("put-back")).otherwise(_word("conflict-ours"))
    return pl.when(nothing_of_ours).then(_word("follow")).otherwise(ours)
