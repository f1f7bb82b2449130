"""Which column of the team's tab is which of ours, and what a cell says.

Two cells are the same when a person looking at them would say so: 3 and 3.0, an empty cell and an empty text, a date and
its midnight, the two ways of composing « é », a postcode typed as a number. So every cell has one *plain text*
(`plain`), and the whole engine compares plain texts, a column at a time.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from connectors.sheets.sheet import Cell, Column, Formula
from rules.fields import COLUMNS, Field, FieldType

FORMULA = "\x1f"
"""Begins the plain text of a formula; the text of no cell can hold it."""
LONGEST = 32_000
"""Characters kept of a text: Excel takes 32,767 in a cell, Google 50,000, Airtable 100,000."""
PAUSE = ("pause", "en pause", "paused")
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{FFFE}\x{FFFF}]"
_CONTROL_HERE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_YES = frozenset({"true", "vrai", "yes", "oui", "x", "1", "✓", "✔", "☑"})
_NO = frozenset({"false", "faux", "no", "non", "0", "☐"})


class Mapped(msgspec.Struct, frozen=True):
    """One column of the mapping: the team's `header` shows our `field`.

    `corrected`: the column is the team's to correct (a name, an e-mail); else what they change is put back.
    `words`: how a canonical value (`unsubscribed`) is shown (`désinscrit`), for choices and tags.
    """

    header: str
    field: str
    kind: FieldType = "text"
    corrected: bool = False
    words: dict[str, str] = {}


@dataclass(frozen=True)
class Tab:
    """A tab that we keep: its name and our columns. Headers in `pause` (accents and case free) freeze a row for us.

    `knows` tells which of some keys are ours: a row with another key counts as one without. None: all of them.
    """

    name: str
    columns: tuple[Mapped, ...]
    pause: tuple[str, ...] = PAUSE
    knows: Callable[[Collection[str]], set[str]] | None = None

    @property
    def fields(self) -> list[str]:
        return [mapped.field for mapped in self.columns]

    def kind(self, field: str) -> FieldType:
        return next((mapped.kind for mapped in self.columns if mapped.field == field), "text")


def people_columns(
    mapping: Mapping[str, str],
    fields: Mapping[str, Field] = COLUMNS,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[Mapped, ...]:
    """Our columns from the config's `{header: field}`; `words` by field, where a field's values have other words."""
    return tuple(
        Mapped(header, name, fields[name].type, fields[name].about_person, dict((words or {}).get(name, {})))
        for header, name in mapping.items()
    )


@dataclass(frozen=True)
class Layout:
    """Where things stand in `Table.columns`: our fields, the team's headers, the pause column.
    `absent`: mapped, but no such header. `double`: mapped headers that stand twice, so that nobody can tell which is meant.
    """

    ours: dict[str, int]
    team: dict[str, int]
    pause: int | None
    absent: tuple[Mapped, ...]
    double: tuple[str, ...]


def fold(header: str) -> str:
    """A header without accents, case, and spaces that nobody sees."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", header) if not unicodedata.combining(c))
    return " ".join(bare.replace("_", " ").replace("’", "'").casefold().split())


def lay_out(columns: Sequence[Column], tab: Tab) -> Layout:
    """Find our columns by their tag, else by the very header, else by the header without accents, case and spaces."""
    ours: dict[str, int] = {}
    double: list[str] = []
    for mapped in tab.columns:
        found = _find(columns, mapped, set(ours.values()), tab.fields)
        if len(found) == 1:
            ours[mapped.field] = found[0]
        elif found:
            double.append(mapped.header)
    rest = {i: column.header for i, column in enumerate(columns) if i not in ours.values() and column.header.strip()}
    pause = next((i for i, header in rest.items() if fold(header) in {fold(name) for name in tab.pause}), None)
    team: dict[str, int] = {}
    for i, header in rest.items():
        team.setdefault(header, i)
    absent = tuple(m for m in tab.columns if m.field not in ours and m.header not in double)
    return Layout(ours, team, pause, absent, tuple(double))


def _find(columns: Sequence[Column], mapped: Mapped, taken: set[int], fields: Sequence[str]) -> list[int]:
    free = [(i, column) for i, column in enumerate(columns) if i not in taken]
    untagged = [(i, column) for i, column in free if column.tag not in fields]  # nor by a field that is mapped no more
    tagged = [i for i, column in free if column.tag == mapped.field]
    if len(tagged) > 1:  # a column copied together with its mark: its header tells which one was meant
        tagged = [i for i in tagged if columns[i].header == mapped.header] or tagged
    exact = [i for i, column in untagged if column.header == mapped.header]
    return tagged or exact or [i for i, column in untagged if fold(column.header) == fold(mapped.header)]


def plain(cell: Cell | Formula, kind: FieldType = "text") -> str:  # noqa: PLR0911  one line a type of cell
    """The one text of a cell: "" for empty, ISO dates, numbers without `.0`, `true` and `false`."""
    if isinstance(cell, Formula):
        return FORMULA + plain(cell.value, kind)
    if kind == "yesno":
        return _plain_yesno(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return plain_number(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.replace(microsecond=0).isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    text = tidy(cell or "")
    return _plain_date(text) if kind == "date" else text


def _plain_yesno(cell: Cell) -> str:
    # An unticked box and an empty cell look the same to Airtable, and to people.
    text = "" if cell is None else str(cell).strip().casefold()
    return "true" if text in _YES else "" if text in _NO else tidy(str(cell or ""))


def _plain_date(text: str) -> str:
    """A date typed as text, day first, where it can be nothing else."""
    match = _DAY_FIRST.fullmatch(text)
    if match:
        day, month, year = (int(part) for part in match.groups())
        if day > 12 or day == month:
            try:
                return date(year, month, day).isoformat()
            except ValueError:
                return text
    return text


def plain_number(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return str(number)
    number = round(number, 9)
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def tidy(text: str) -> str:
    """A text as every kind of sheet can hold it: composed letters, no control characters, no spaces at the ends."""
    text = _CONTROL_HERE.sub("", _LINE_END.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip()[:LONGEST].rstrip()


def tidy_column(texts: pl.Series) -> pl.Series:
    """`tidy` for a whole column; missing is ""."""
    clean = pl.col("v").fill_null("").str.replace_all(r"\r\n?", "\n").str.replace_all(_CONTROL, "").str.normalize("NFC")
    trimmed = clean.str.strip_chars().str.head(LONGEST).str.strip_chars_end()
    return texts.to_frame("v").select(trimmed).to_series().alias(texts.name)


def same(a: Cell | Formula, b: Cell | Formula, kind: FieldType = "text") -> bool:
    """Would a person who looks at the two cells call them the same?"""
    return plain(a, kind) == plain(b, kind)


def cell_of(text: str, kind: FieldType) -> Cell:
    """The typed cell that has this plain text in a column of this kind."""
    if not text:
        return None
    if kind == "yesno":
        return True if text == "true" else text
    try:
        if kind == "date":
            return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        if kind in {"number", "money"}:
            return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    except ValueError:
        pass
    return text


def to_cell(mapped: Mapped, value: object) -> Cell:
    """A value of ours as a cell of its column: tags joined by ", ", money a number, phone and postcode always text."""
    return cell_of(wanted_column(pl.Series([value]), mapped)[0], mapped.kind)


def from_cell(mapped: Mapped, cell: Cell | Formula) -> object:
    """What the team's cell says, as a value of our field: None if empty. Raises ValueError where it can't be read so."""
    text = plain(cell, mapped.kind).removeprefix(FORMULA)
    if not text:
        return None
    if mapped.kind == "tags":
        return [_canonical(mapped, tag.strip()) for tag in text.split(",") if tag.strip()]
    value = cell_of(text, mapped.kind)
    if isinstance(value, str) and mapped.kind not in {"text", "choice"}:
        raise ValueError(mapped.kind)
    return _canonical(mapped, value) if isinstance(value, str) else value


def _canonical(mapped: Mapped, shown: str) -> str:
    return next((name for name, word in mapped.words.items() if fold(word) == fold(shown)), shown)


def wanted_column(values: pl.Series, mapped: Mapped) -> pl.Series:
    """Plain texts of a column of ours, from whatever Polars type the profile has it in."""
    kind = values.dtype
    if kind == pl.List:
        joined = (
            values.cast(pl.List(pl.String))
            .list.eval(_worded(pl.element(), mapped.words))
            .list.join(", ", ignore_nulls=True)
        )
        return tidy_column(joined)
    if kind == pl.String:
        texts = values.to_frame("v").select(_worded(pl.col("v"), mapped.words)).to_series()
        return _odd_texts(tidy_column(texts), mapped.kind)
    if kind == pl.Date:
        return values.dt.to_string("%Y-%m-%d").fill_null("")
    if kind.is_integer():
        return values.cast(pl.String).fill_null("")
    if kind == pl.Null:
        return pl.Series([""] * len(values), dtype=pl.String)
    money = 2 if mapped.kind == "money" else None
    return _by_value(values, mapped.kind, money)


def _worded(texts: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    return texts.replace(list(words), list(words.values())) if words else texts


def _odd_texts(texts: pl.Series, kind: FieldType) -> pl.Series:
    """Texts in a column of dates or boxes are read as such, value by value."""
    return pl.Series([plain(text, kind) for text in texts], dtype=pl.String) if kind in {"date", "yesno"} else texts


def _by_value(values: pl.Series, kind: FieldType, digits: int | None) -> pl.Series:
    def one(value: Any) -> str:
        number = float(value) if isinstance(value, Decimal) else value
        return plain(round(number, digits) if digits is not None and isinstance(number, float) else number, kind)

    return pl.Series(_remembering(values.to_list(), one), dtype=pl.String)


def _remembering(values: Iterable[Any], one: Callable[[Any], str]) -> list[str]:
    # bool, int and float are equal as keys (True == 1 == 1.0), so the type belongs to the key.
    known: dict[object, str] = {}
    texts = []
    for value in values:
        key = (type(value), value)
        text = known.get(key)
        if text is None:
            text = known[key] = one(value)
        texts.append(text)
    return texts


def seen_column(cells: list[Cell | Formula], kind: FieldType = "text") -> pl.Series:
    """Plain texts of a column as it was read."""
    types = set(map(type, cells)) - {type(None)}
    if types <= {str} and kind not in {"date", "yesno"} and not _has_surrogate(cells):
        return tidy_column(pl.Series(cells, dtype=pl.String))
    if types == {date}:
        return pl.Series(cells, dtype=pl.Date).dt.to_string("%Y-%m-%d").fill_null("")
    return pl.Series(_remembering(cells, lambda cell: plain(cell, kind)), dtype=pl.String)


def _has_surrogate(cells: list[Cell | Formula]) -> bool:
    try:
        "".join(filter(None, cells)).encode()  # type: ignore[arg-type]  # texts and None only
    except UnicodeEncodeError:
        return True
    return False
