"""The verdict on a cell, held against the sentences of `threeway` written a second time, one cell at a time."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sync.sheet.columns import FORMULA
from sync.sheet.threeway import WRITES, verdict

FORMULA_2 = f"{FORMULA}2"
texts = st.sampled_from(["", "0", "a", "b"])
cells = st.tuples(
    st.one_of(st.none(), texts, st.just(FORMULA_2)), texts, st.one_of(texts, st.just(FORMULA_2)), st.none() | texts, st.booleans()
)  # fmt: skip
Cell = tuple[str | None, str, str, str | None, bool]


def judge(cell: Cell, *, corrected: bool) -> str:
    names = ("agreed", "wanted", "now", "standing")
    frame = pl.DataFrame({name: pl.Series([value], dtype=pl.String) for name, value in zip(names, cell, strict=False)})
    frame = frame.with_columns(pl.lit(cell[4]).alias("released"))
    return str(frame.select(verdict(corrected=corrected)).item())


def reference(cell: Cell, *, corrected: bool) -> str:  # the sentences, in their order
    agreed, wanted, now, standing, released = cell
    base = agreed if standing is None else standing
    if now == wanted:
        return "agrees"
    if now.startswith(FORMULA):
        return "leave"
    if agreed is None:
        return "write" if now == "" or not (corrected or wanted in ("", "0")) else "leave"
    if now == agreed:
        stands = corrected and standing is not None and not released
        return "leave" if wanted == base or stands else "write"
    if corrected or (wanted in ("", "0") and standing == wanted):
        return "leave"
    return "write"


@given(cells, st.booleans())
def test_the_verdict_is_what_the_sentences_say(cell: Cell, corrected: bool) -> None:  # noqa: FBT001  hypothesis gives it
    found = judge(cell, corrected=corrected)
    expected = reference(cell, corrected=corrected)
    assert (found in WRITES) == (expected == "write")


@given(cells, st.booleans())
def test_once_settled_nothing_is_left_to_do(cell: Cell, corrected: bool) -> None:  # noqa: FBT001  hypothesis gives it
    _, wanted, now, _, _ = cell
    written = judge(cell, corrected=corrected) in WRITES
    after = wanted if written else now
    settled = (after, wanted, after, None if after == wanted else wanted, False)
    if judge(cell, corrected=corrected):
        assert judge(settled, corrected=corrected) == ""


@given(cells)
def test_a_formula_is_never_overwritten(cell: Cell) -> None:
    formula = (cell[0], cell[1], FORMULA_2, cell[3], cell[4])
    assert {judge(formula, corrected=yes) for yes in (True, False)}.isdisjoint(WRITES)


@given(cells)
def test_where_the_cell_is_theirs_only_an_untouched_one_is_written(cell: Cell) -> None:
    agreed, _, now, _, _ = cell
    if judge(cell, corrected=True) in WRITES:
        assert now == (agreed or "")


def test_each_verdict_has_its_name() -> None:
    assert judge(("a", "b", "c", None, False), corrected=False) == "conflict-ours"
    assert judge(("a", "b", "c", None, False), corrected=True) == "conflict-team"
    assert judge(("a", "a", "c", None, False), corrected=False) == "put-back"
    assert judge(("a", "a", "c", None, False), corrected=True) == "edit"
    assert judge(("a", "c", "c", None, False), corrected=True) == "edit"
    assert judge(("a", "c", "c", None, False), corrected=False) == "settled"
    assert judge(("a", "b", "a", None, False), corrected=True) == "write"
    assert judge(("a", "b", "a", "c", False), corrected=True) == "stands"
    assert judge(("a", "b", "a", "c", True), corrected=True) == "write"
    assert judge((None, "", "a", None, False), corrected=False) == "follow"
    assert judge(("a", "b", FORMULA_2, None, False), corrected=False) == "formula"
