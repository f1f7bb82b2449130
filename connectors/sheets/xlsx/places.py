"""Where a cell is: letters, numbers, ranges."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

_RANGE = re.compile(r"^\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?$")


@cache
def number(letters: str) -> int:
    """1 for A, 27 for AA."""
    found = 0
    for letter in letters.upper():
        found = found * 26 + ord(letter) - 64
    return found


@cache
def letters(column: int) -> str:
    written = ""
    while column:
        column, rest = divmod(column - 1, 26)
        written = chr(65 + rest) + written
    return written


class Area(NamedTuple):
    """A rectangle of cells, ends included."""

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        start, end = f"{letters(self.left)}{self.top}", f"{letters(self.right)}{self.bottom}"
        return start if start == end else f"{start}:{end}"

    def holds(self, row: int, column: int) -> bool:
        return self.top <= row <= self.bottom and self.left <= column <= self.right


def area(text: str) -> Area | None:
    """The rectangle named `B2:D9` or `B2`; None for whole columns and anything else."""
    match = _RANGE.match(text.strip())
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    return Area(number(left), int(top), number(right or left), int(bottom or top))
