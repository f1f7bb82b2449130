"""What a batch was to do, and the tab as it should stand after it: kept in few bytes beside what is about to be written,
so that whoever comes after a killed run can still put right what moved under its hands.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec

from connectors.sheets.googlesheets.answers import serial
from connectors.sheets.googlesheets.cells import Put
from connectors.sheets.googlesheets.reading import Line, Reading
from connectors.sheets.sheet import Cell, Formula, Refused

Place = tuple[int, int]
Known = tuple[str, object]
WHOLE = 300_000
"""So many cells of a tab are kept as they are. Of a larger one: the rows written whole, of the others the columns written."""


def known(cell: Cell | Formula) -> Known:
    """The same for cells in which the same was written: a date is a number, below another format."""
    if isinstance(cell, Formula):
        return "=", cell.text
    if isinstance(cell, date):
        return "1", serial(cell)
    return "1" if isinstance(cell, int | float) and not isinstance(cell, bool) else type(cell).__name__, cell


@dataclass
class Work:
    """`should`: the tab as read, with the changes of the batch in it. `puts` are in its places, with what `stood` there;
    `fresh` are the rows that were added, `marks` (by id) the columns that were marked.

    So that what was sent is known again where it should not be: `places` is where anything was ever sent and what, in
    the tab as it was then; `strays` what and how often, by column. `told`: the cells that were hit, by where they were
    read; what never was has a negative row.
    """

    should: Reading
    puts: Sequence[Put]
    stood: dict[Place, Cell | Formula]
    fresh: range = range(0)
    marks: dict[int, int] = field(default_factory=dict)
    places: dict[Place, Cell | Formula] = field(default_factory=dict)
    strays: dict[int, dict[Known, tuple[Cell | Formula, int]]] = field(default_factory=dict)
    told: dict[Place, Refused] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sent(self.puts)

    def sent(self, puts: Iterable[Put]) -> None:
        for one in puts:
            self.places[one.row, one.column] = one.value
            values = self.strays.setdefault(one.column, {})
            _, times = values.get(known(one.value), (None, 0))
            values[known(one.value)] = one.value, times + 1

    def is_stray(self, cell: Cell | Formula, *columns: int | None) -> bool:
        """Was it sent for a cell in one of these columns?"""
        return any(known(cell) in self.strays.get(column, ()) for column in columns if column is not None)


class _Kept(msgspec.Struct, array_like=True):
    title: str
    sheet_id: int
    header: int
    key: int | None
    tags: dict[int, str]
    headers: dict[int, str]
    lines: dict[int, list[object]]
    puts: list[tuple[int, int]]
    stood: list[tuple[int, int, object]]
    fresh: tuple[int, int]
    marks: dict[int, int]
    places: list[tuple[int, int, object]]
    strays: dict[int, list[tuple[object, int]]]
    told: list[tuple[int, int, str, str, str, str]]


def freeze(work: Work) -> bytes:
    """Half a second for 100,000 rows."""
    should = work.should
    kept = _Kept(
        should.title, should.sheet_id, should.header, should.key, should.tags, should.headers,
        {row: [_pack(cell) for cell in line] for row, line in _lines(work).items()},
        [(one.row, one.column) for one in work.puts],
        [(row, column, _pack(cell)) for (row, column), cell in work.stood.items()],
        (work.fresh.start, work.fresh.stop),
        work.marks,
        [(*at, _pack(value)) for at, value in work.places.items()],
        {column: [(_pack(value), n) for value, n in values.values()] for column, values in work.strays.items()},
        [(*at, one.key, one.column, one.code, str(one.facts["cell"])) for at, one in work.told.items()],
    )  # fmt: skip
    return zlib.compress(msgspec.msgpack.encode(kept), 1)


def thaw(tab: str, kept: bytes) -> Work:
    old = msgspec.msgpack.decode(zlib.decompress(kept), type=_Kept)
    should = Reading(tab, old.title, old.sheet_id, 0, 0, header=old.header, key=old.key)
    should.tags, should.headers = old.tags, old.headers
    should.lines = {row: [_unpack(cell) for cell in line] for row, line in old.lines.items()}
    puts = [Put(row, column, should.cell(row, column)) for row, column in old.puts]
    stood = {(row, column): _unpack(cell) for row, column, cell in old.stood}
    work = Work(should, puts, stood, range(*old.fresh), old.marks)
    work.places = {(row, column): _unpack(value) for row, column, value in old.places}
    work.strays = {
        column: {known(value): (value, n) for value, n in ((_unpack(packed), n) for packed, n in values)}
        for column, values in old.strays.items()
    }
    for row, column, key, letter, code, cell in old.told:
        work.told[row, column] = Refused(str(row + 1 if row >= 0 else -row), key, letter, code, {"cell": cell})
    return work


def _lines(work: Work) -> dict[int, Line]:
    should = work.should
    if sum(map(len, should.lines.values())) <= WHOLE:
        return should.lines
    written = {one.column for one in work.puts}
    if should.key in written:  # no key tells the rows from one another yet
        return should.lines
    whole = {should.header, *work.fresh, *(one.row for one in work.puts)}
    times = Counter(should.key_of(row) for row in should.lines)
    columns = written | {should.key}
    return {
        row: line if row in whole or times[should.key_of(row)] > 1 or not should.key_of(row)
        else [cell if column in columns else None for column, cell in enumerate(line)]
        for row, line in should.lines.items()
    }  # fmt: skip


def _pack(cell: Cell | Formula) -> object:
    if isinstance(cell, datetime):
        return {"t": cell.isoformat()}
    if isinstance(cell, date):
        return {"d": cell.isoformat()}
    return {"f": cell.text} if isinstance(cell, Formula) else cell


def _unpack(packed: object) -> Cell | Formula:
    if not isinstance(packed, dict):
        return packed  # type: ignore[return-value]  # text, number, yes/no or nothing
    ((kind, text),) = packed.items()
    return Formula(text) if kind == "f" else datetime.fromisoformat(text) if kind == "t" else date.fromisoformat(text)
