"""What is looked at just before and just after a write: the headers, the keys, and the rows or columns written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.sheets.googlesheets.answers import TabData
from connectors.sheets.googlesheets.cells import Json, grid_range
from connectors.sheets.googlesheets.reading import Line, Reading, letters, lines_of, same

MOST_ROWS = 60
"""So many stretches of rows are asked for one by one; where there are more, the columns written are asked for whole."""


@dataclass(frozen=True)
class Area:
    """Half open; None is open."""

    top: int
    bottom: int | None
    left: int
    right: int | None

    def json(self, sheet_id: int) -> Json:
        return grid_range(sheet_id, self.top, self.bottom, self.left, self.right)

    def a1(self, title: str, columns: int) -> str:
        first = f"{letters(self.left)}{self.top + 1}"
        last = f"{letters((self.right or columns) - 1)}{self.bottom or ''}"
        return f"'{title.replace(chr(39), chr(39) * 2)}'!{first}:{last}"


def areas(reading: Reading, rows: Iterable[int], columns: Iterable[int], *, keyless: bool) -> list[Area]:
    """`keyless`: rows are written that no key tells from one another, so everything in them counts."""
    head, below = max(reading.header, 0), max(reading.header, 0) + 1
    found = [Area(head, below, 0, None)]
    stretches = list(runs(sorted(set(rows))))
    if len(stretches) <= MOST_ROWS:
        found += [Area(first, last + 1, 0, None) for first, last in stretches]
    elif keyless:
        return [*found, Area(below, None, 0, None)]
    else:
        found += [Area(below, None, column, column + 1) for column in sorted(set(columns) - {reading.key})]
    if reading.key is not None:
        found.append(Area(below, None, reading.key, reading.key + 1))
    return found


def runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of numbers that follow one another."""
    first = None
    for i, number in enumerate(numbers):
        first = number if first is None else first
        if i + 1 == len(numbers) or numbers[i + 1] != number + 1:
            yield first, number
            first = None


@dataclass(frozen=True)
class Glance:
    """The areas as Google gave them, in the order they were asked for."""

    areas: Sequence[Area]
    blocks: Sequence[dict[int, Line]]

    def differs(self, reading: Reading) -> bool:
        """Does anything stand otherwise than in the reading?"""
        return any(_differs(reading, area, lines) for area, lines in zip(self.areas, self.blocks, strict=True))


def glance(asked: Sequence[Area], data: TabData) -> Glance:
    free = list(data.data)
    blocks: list[dict[int, Line]] = []
    for area in asked:
        block = next((one for one in free if (one.startRow, one.startColumn) == (area.top, area.left)), None)
        if block is None:  # the tab is no longer that large
            blocks.append({})
            continue
        free.remove(block)
        blocks.append(dict(lines_of(block)))
    return Glance(asked, blocks)


def _differs(reading: Reading, area: Area, lines: dict[int, Line]) -> bool:
    rows = {row for row in reading.lines if row >= area.top and (area.bottom is None or row < area.bottom)}
    for row in rows | lines.keys():
        line, mine = lines.get(row, []), reading.lines.get(row, [])
        width = area.right or max(len(line), len(mine))
        for column in range(area.left, width):
            there = line[column] if column < len(line) else None
            known = mine[column] if column < len(mine) else None
            if not same(there, known):
                return True
    return False
