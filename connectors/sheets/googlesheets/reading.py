"""A tab as it was read, by grid row and column (from 0), and what the engine sees of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.sheets.googlesheets.answers import GridData, GridRange, Metadata, Protected, TabData, cell_of, row_of
from connectors.sheets.headers import Cells, guess_row, header_text, is_key, row_with_key
from connectors.sheets.sheet import Cell, Column, Formula, Row, Table

COLUMN_MARK, KEY_MARK, TAB_MARK, STAMP_MARK = "filrouge-column", "filrouge-key", "filrouge-tab", "filrouge-stamp"
_SAMPLE = 60

Line = list[Cell | Formula]


@dataclass(repr=False)
class Reading:
    """`lines` by row, as long as they are filled. `formats`: cells with a date's format that hold something else.
    `tags` by column; `marks`: the column on which each mark lies, by its id.
    `header` is -1 in a tab with nothing in it; `headers` by column, without our key column, which is `key`.
    """

    tab: str
    title: str
    sheet_id: int
    row_count: int
    column_count: int
    revision: str = ""
    lines: dict[int, Line] = field(default_factory=dict)
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)
    marks: dict[int, int] = field(default_factory=dict)
    header: int = -1
    headers: dict[int, str] = field(default_factory=dict)
    key: int | None = None
    marked: bool = False
    stamp: Metadata | None = None
    merges: Sequence[GridRange] = ()
    protected: Sequence[Protected] = ()

    def cell(self, row: int, column: int) -> Cell | Formula:
        line = self.lines.get(row)
        return line[column] if line and column < len(line) else None

    def key_of(self, row: int) -> str | None:
        return (header_text(self.cell(row, self.key)) or None) if self.key is not None else None

    def put(self, row: int, column: int, value: Cell | Formula) -> None:
        line = self.lines.setdefault(row, [])
        line += [None] * (column + 1 - len(line))
        line[column] = value

    def copy(self) -> Reading:
        """One that can be written in without changing this one."""
        lines = {row: list(line) for row, line in self.lines.items()}
        parts = {
            "formats": dict(self.formats),
            "tags": dict(self.tags),
            "marks": dict(self.marks),
            "headers": dict(self.headers),
        }
        return replace(self, lines=lines, **parts)  # type: ignore[arg-type]  # each part is of its own type

    @property
    def end(self) -> int:
        """The first row below everything. Boxes that nobody has ticked are nothing: some fill a whole column with them."""
        return max((row for row, line in self.lines.items() if any(map(_says, line))), default=-1) + 1

    @property
    def right(self) -> int:
        """The first column right of all headers."""
        return max(self.headers, default=-1) + 1

    @property
    def stamps(self) -> list[str]:
        """The last batches that landed, newest first."""
        return self.stamp.metadataValue.split() if self.stamp else []

    def hidden_by_merge(self, row: int, column: int) -> bool:
        return any(
            area.holds(row, column) and (row, column) != (area.startRowIndex, area.startColumnIndex)
            for area in self.merges
        )

    def protects(self, row: int, column: int) -> bool:
        return any(one.forbids(row, column) for one in self.protected)

    def table(self) -> Table:
        places = list(self.headers)
        columns = [Column(letters(place), self.headers[place], self.tags.get(place)) for place in places]
        return Table(self.tab, columns, list(self._rows(places)), self.revision)

    def _rows(self, places: Sequence[int]) -> Iterator[Row]:
        if self.header < 0:
            return
        for row, line in self.lines.items():
            if row > self.header:
                width = len(line)
                cells = [line[place] if place < width else None for place in places]
                key = self.key_of(row)
                if key is not None or any(map(_says, cells)):
                    yield Row(str(row + 1), key, cells)


def read_tab(tab: str, data: TabData, raw: bytes) -> Reading:
    """A tab from an answer that holds the whole of it."""
    grid = data.properties.gridProperties
    reading = Reading(tab, data.properties.title, data.properties.sheetId, grid.rowCount, grid.columnCount)
    reading.revision = hashlib.sha256(raw).hexdigest()
    reading.merges, reading.protected = data.merges, data.protectedRanges
    _marks(reading, data.developerMetadata)
    for block in data.data:
        reading.lines |= dict(lines_of(block, reading.formats))
        _column_marks(reading, block)
    _lay_out(reading)
    return reading


def lines_of(block: GridData, formats: dict[tuple[int, int], str] | None = None) -> Iterator[tuple[int, Line]]:
    """The rows of a block, each from column 0 on."""
    shift: Line = [None] * block.startColumn
    for row, raw in enumerate(block.rowData, block.startRow):
        values = row_of(raw)
        line = [cell_of(value) for value in values]
        if formats is not None:
            for place, (value, cell) in enumerate(zip(values, line, strict=True)):
                kind = value.format
                if kind and type(cell).__name__ != ("date" if kind == "DATE" else "datetime"):
                    formats[row, block.startColumn + place] = kind
        if any(cell is not None for cell in line):
            yield row, shift + line


def _marks(reading: Reading, marks: Sequence[Metadata]) -> None:
    for mark in marks:
        if mark.metadataKey == STAMP_MARK:
            reading.stamp = mark
        reading.marked |= mark.metadataKey == TAB_MARK


def _column_marks(reading: Reading, block: GridData) -> None:
    for place, column in enumerate(block.columnMetadata, block.startColumn):
        for mark in column.developerMetadata:
            if mark.metadataKey == COLUMN_MARK:
                reading.tags[place] = mark.metadataValue
                reading.marks[mark.metadataId] = place
            elif mark.metadataKey == KEY_MARK:
                reading.key = place


def _lay_out(reading: Reading) -> None:
    """The row of headers: where our key column has its header, else the first that looks like one."""
    sample: list[tuple[int, Cells]] = [
        (row + 1, [(place, cell) for place, cell in enumerate(line) if cell is not None])
        for row, line in reading.lines.items()
        if row < _SAMPLE
    ]
    found = row_with_key(sample) or guess_row(sample)
    if not found:
        reading.key = None
        return
    reading.header = found - 1
    texts = {place: header_text(cell) for place, cell in enumerate(reading.lines[reading.header])}
    named = next((place for place, text in texts.items() if is_key(text)), None)
    reading.key = named if named is not None else reading.key
    reading.headers = {place: text for place, text in texts.items() if text and place != reading.key}


def _says(cell: Cell | Formula) -> bool:
    return cell is not None and cell is not False


def same(a: Cell | Formula, b: Cell | Formula) -> bool:
    """Is it what was read before? A formula may be computed anew at any time: its text counts."""
    if isinstance(a, Formula) and isinstance(b, Formula):
        return a.text == b.text
    return type(a) is type(b) and a == b


def letters(place: int) -> str:
    """`A` for column 0."""
    text, rest = "", place + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        text = chr(65 + letter) + text
    return text


def number(text: str) -> int:
    """0 for column `A`."""
    place = 0
    for letter in text:
        place = place * 26 + ord(letter) - 64
    return place - 1
