"""What a cell says, and which column is which."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, time
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sheets.sheet import Cell, Column, Formula
from rules.fields import FieldType
from sync.sheet.columns import (
    LONGEST,
    Mapped,
    Tab,
    cell_of,
    from_cell,
    lay_out,
    people_columns,
    plain,
    same,
    seen_column,
    tidy,
    tidy_column,
    to_cell,
    wanted_column,
)

TEXT = Mapped("x", "x", "text", corrected=True)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (3, 3.0, "number"),
        ("", None, "text"),
        (datetime.combine(date(2026, 3, 14), time()), date(2026, 3, 14), "date"),
        ("14/03/2026", date(2026, 3, 14), "date"),
        (unicodedata.normalize("NFD", "Zoé"), "Zoé", "text"),
        ("Zoé  ", "Zoé", "text"),
        (69001, "69001", "text"),
        (69001.0, "69001", "text"),
        ("a\r\nb", "a\nb", "text"),
        (False, None, "yesno"),
        ("Oui", True, "yesno"),
    ],
)
def test_cells_that_a_person_calls_the_same(one: Cell, other: Cell, kind: FieldType) -> None:
    assert same(one, other, kind)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("Zoé", "zoé", "text"),
        ("01000", 1000, "text"),
        (3, 3.5, "number"),
        ("03/04/2026", date(2026, 4, 3), "date"),  # or 4 March: nobody can tell
        (datetime.combine(date(2026, 3, 14), time(20)), date(2026, 3, 14), "date"),
        (Formula("=1+1", 2), 2, "number"),
        (True, None, "yesno"),
    ],
)
def test_cells_that_differ(one: Cell, other: Cell, kind: FieldType) -> None:
    assert not same(one, other, kind)


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("tags", ["À relancer", "VIP"], "À relancer, VIP"),
        ("tags", [], None),
        ("money", Decimal("12.50"), 12.5),
        ("money", Decimal("12.00"), 12),
        ("date", date(2026, 3, 14), date(2026, 3, 14)),
        ("number", 7, 7),
        ("text", "+33612345678", "+33612345678"),
        ("text", "01000", "01000"),
        ("text", '=HYPERLINK("x")', '=HYPERLINK("x")'),
        ("text", "a\x00b\x07", "ab"),
        ("yesno", True, True),
        ("yesno", False, None),
        ("text", None, None),
    ],
)
def test_a_value_of_ours_as_a_cell(kind: FieldType, value: object, cell: Cell) -> None:
    made = to_cell(Mapped("x", "x", kind), value)
    assert (made, type(made)) == (cell, type(cell))


def test_a_choice_is_shown_in_the_words_of_the_team_and_read_back() -> None:
    column = Mapped("Infolettre", "newsletter", "choice", words={"unsubscribed": "désinscrit"})
    assert to_cell(column, "unsubscribed") == "désinscrit"
    assert from_cell(column, "Desinscrit") == "unsubscribed"
    tags = Mapped("Signaux", "flags", "tags", words={"late": "En retard"})
    assert to_cell(tags, ["late", "VIP"]) == "En retard, VIP"
    assert from_cell(tags, "En retard, VIP") == ["late", "VIP"]


def test_what_the_team_typed_as_a_value() -> None:
    birthday = Mapped("Anniversaire", "birthday", "date", corrected=True)
    assert from_cell(birthday, "31/12/1980") == date(1980, 12, 31)
    assert from_cell(birthday, " ") is None
    assert from_cell(TEXT, 69001) == "69001"
    assert from_cell(TEXT, Formula("=A2", "Léa")) == "Léa"
    with pytest.raises(ValueError, match="date"):
        from_cell(birthday, "au printemps")


def test_a_text_longer_than_a_cell_is_cut() -> None:
    assert to_cell(TEXT, "x" * 50_000) == "x" * LONGEST


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12), st.dates(), st.datetimes(), st.builds(Formula, st.just("=1"), st.text(max_size=3)),
)  # fmt: skip
KINDS: list[FieldType] = ["text", "date", "number", "money", "yesno", "tags", "choice"]


@given(st.lists(CELLS, max_size=8), st.sampled_from(KINDS))
def test_a_column_is_read_as_its_cells_one_by_one(cells: list[Cell | Formula], kind: FieldType) -> None:
    assert seen_column(cells, kind).to_list() == [plain(cell, kind) for cell in cells]


@given(
    st.lists(
        st.text(max_size=12).filter(lambda text: text.isascii() or text.encode("utf-8", "ignore").decode() == text)
    )
)
def test_texts_are_tidied_alike_by_the_column_and_one_by_one(texts: list[str]) -> None:
    assert tidy_column(pl.Series(texts, dtype=pl.String)).to_list() == [tidy(text) for text in texts]


@given(CELLS, st.sampled_from(KINDS))
def test_what_we_write_reads_back_as_what_we_wanted(cell: Cell | Formula, kind: FieldType) -> None:
    text = plain(cell, kind)
    if not isinstance(cell, Formula):
        assert plain(cell_of(text, kind), kind) == text


@given(st.lists(st.none() | st.decimals(-10_000, 10_000, places=2, allow_nan=False), min_size=1))
def test_money_wanted_is_the_number_that_stands_there(amounts: list[Decimal | None]) -> None:
    texts = wanted_column(pl.Series(amounts, dtype=pl.Decimal(12, 2)), Mapped("x", "x", "money"))
    assert texts.to_list() == [plain(None if a is None else float(a), "money") for a in amounts]


def columns(*headers: str, **tags: str) -> list[Column]:
    return [Column(str(i), header, tags.get(header)) for i, header in enumerate(headers)]


def test_columns_are_found_by_the_header_as_written_then_without_accents_and_case() -> None:
    tab = Tab("x", people_columns({"Prénom": "first_name", "Dernière visite": "last_visit"}))
    layout = lay_out(columns("Notes", "DERNIERE  VISITE", "Prénom", "prenom", "En Pause"), tab)
    assert layout.ours == {"first_name": 2, "last_visit": 1}
    assert layout.pause == 4
    assert set(layout.team) == {"Notes", "prenom", "En Pause"}


def test_a_tagged_column_is_found_under_any_header() -> None:
    tab = Tab("x", people_columns({"Prénom": "first_name"}))
    layout = lay_out(columns("Prénom", "Petit nom", **{"Petit nom": "first_name"}), tab)
    assert layout.ours == {"first_name": 1}


def test_the_tag_of_a_field_that_is_mapped_no_more_hides_no_column() -> None:
    """The config now says that the column shows something else: it is this column still, not one that is gone."""
    tab = Tab("x", people_columns({"Première visite": "first_visit", "Nom": "last_name"}))
    layout = lay_out(columns("Première visite", "Nom", **{"Première visite": "last_visit"}), tab)
    assert (layout.ours, layout.absent) == ({"first_visit": 0, "last_name": 1}, ())


def test_a_header_that_stands_twice_and_one_that_is_not_there() -> None:
    tab = Tab("x", people_columns({"Prénom": "first_name", "Nom": "last_name"}))
    layout = lay_out(columns("Prénom", "Prénom"), tab)
    assert layout.double == ("Prénom",)
    assert [mapped.header for mapped in layout.absent] == ["Nom"]
