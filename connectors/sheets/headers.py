"""Which row of a tab holds the headers, as a person would see at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from connectors.sheets.sheet import KEY_HEADER, Cell, Formula

FIRST_ROWS = 20
_LONGEST_HEADER = 80
_MOSTLY = 0.6

Cells = list[tuple[int, Cell | Formula]]


def is_key(header: str) -> bool:
    return header.casefold() == KEY_HEADER.casefold()


def header_text(value: Cell | Formula) -> str:
    """A header in one line, whatever stands in the cell."""
    plain = value.value if isinstance(value, Formula) else value
    return " ".join(str(plain).split()) if plain is not None else ""


def row_with_key(sample: Sequence[tuple[int, Cells]]) -> int | None:
    """The row that holds the header of our key column. Rows are numbered from 1."""
    for row, cells in sample:
        if row <= FIRST_ROWS and any(isinstance(value, str) and is_key(header_text(value)) for _, value in cells):
            return row
    return None


def guess_row(sample: Sequence[tuple[int, Cells]]) -> int | None:
    """The first row nearly as wide as the widest, of distinct short texts, none of which looks like data."""
    width = max((len(cells) for _, cells in sample), default=0)
    first = [(row, cells) for row, cells in sample if row <= FIRST_ROWS]
    for row, cells in first:
        texts = [header_text(value) for _, value in cells if _names(value)]
        if len(cells) >= _MOSTLY * width and len(texts) >= 0.8 * len(cells) and len(set(texts)) >= 0.8 * len(texts):
            return row
    return first[0][0] if first else None


def _names(value: Cell | Formula) -> bool:
    if not isinstance(value, str) or isinstance(value, date):
        return False
    digits = sum(letter.isdigit() for letter in value)
    return "@" not in value and len(value) <= _LONGEST_HEADER and digits <= len(value) / 2
