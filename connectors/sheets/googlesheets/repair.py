"""When rows moved between our last look and our write: what was hit by mistake is put back, what was missed is written.

Google has no compare-and-set, and answers a batch with the cells as they stand after it. So the tab is compared, row by
row as each is recognised, with what it should be now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.sheets.googlesheets.cells import Put, put
from connectors.sheets.googlesheets.reading import Reading, letters, same
from connectors.sheets.googlesheets.scope import Glance
from connectors.sheets.sheet import Cell, Formula, Refused

Stood = Mapping[tuple[int, int], Cell | Formula]


def moved(reading: Reading, seen: Glance, puts: Sequence[Put], stood: Stood) -> bool:
    """Did one of the cells land in another row or column than was meant? `stood`: what was read there before."""
    there = _merged(seen)
    key = reading.key if reading.key is not None else -1
    known = {one.row for one in puts if (one.row, key) not in stood}
    for row in {one.row for one in puts}:
        columns = [key] if row in known and reading.key_of(row) else range(len(reading.lines.get(row, [])))
        if any(
            (row, column) in there and not same(there[row, column], reading.cell(row, column)) for column in columns
        ):
            return True
    head = reading.header
    return any(
        (head, one.column) in there and not same(there[head, one.column], reading.cell(head, one.column))
        for one in puts
    )


def _merged(seen: Glance) -> dict[tuple[int, int], Cell | Formula]:
    """Every cell of the areas, the empty ones of their rows too."""
    cells: dict[tuple[int, int], Cell | Formula] = {}
    for area, lines in zip(seen.areas, seen.blocks, strict=True):
        rows = (
            range(area.top, area.bottom)
            if area.bottom is not None
            else range(area.top, max(lines, default=area.top) + 1)
        )
        for row in rows:
            line = lines.get(row, [])
            for column in range(area.left, area.right or max(len(line), 64)):
                cells[row, column] = line[column] if column < len(line) else None
    return cells


@dataclass
class Repair:
    """`puts` make it right; `hit` says which cells of others had been overwritten and were put back."""

    puts: list[Put] = field(default_factory=list)
    hit: list[Refused] = field(default_factory=list)


def repair(should: Reading, now: Reading, puts: Sequence[Put], stood: Stood) -> Repair:
    """`should` is the tab as read, with our changes in it; `now` the tab as it stands."""
    result = Repair()
    columns = _columns(should, now, {one.column for one in puts})
    ours: dict[int, list[Cell | Formula]] = defaultdict(list)
    for one in puts:
        for column in (one.column, columns.get(one.column, one.column)):
            ours[column].append(one.value)
    by_cells = any(one.column == should.key for one in puts)
    rows = _rows(should, now, puts, by_cells=by_cells)
    backwards = {here: there for there, here in columns.items()}
    for row in now.lines:
        if row > now.header:
            for column, values in ours.items():
                _mend(result, should, now, (row, column), (rows.get(row), backwards.get(column)), values, stood)
    return result


def _mend(
    result: Repair,
    should: Reading,
    now: Reading,
    here: tuple[int, int],
    there: tuple[int | None, int | None],
    ours: Sequence[Cell | Formula],
    stood: Stood,
) -> None:
    actual = now.cell(*here)
    if there[0] is None or there[1] is None:
        if any(same(actual, one) for one in ours) and here in stood:
            _clear(result, now, here)
        return
    meant = (there[0], there[1])
    wanted = should.cell(*meant)
    if same(actual, wanted):
        return
    if meant in stood:
        if same(actual, stood[meant]) or any(same(actual, one) for one in ours):
            result.puts.append(put(now, *here, wanted))
    elif any(same(actual, one) for one in ours):
        _put_back(result, now, here, wanted)


def _put_back(result: Repair, now: Reading, here: tuple[int, int], value: Cell | Formula) -> None:
    result.puts.append(put(now, *here, value))
    result.hit.append(_told(now, here, "google-put-back"))


def _clear(result: Repair, now: Reading, here: tuple[int, int]) -> None:
    """A row that was never read, inserted where we wrote: nobody can tell what had been typed there."""
    if now.cell(*here) is not None:
        result.puts.append(put(now, *here, None))
    result.hit.append(_told(now, here, "google-instant"))


def _told(now: Reading, here: tuple[int, int], code: str) -> Refused:
    row, column = here
    return Refused(str(row + 1), now.key_of(row) or "", letters(column), code, {"cell": f"{letters(column)}{row + 1}"})


def _columns(should: Reading, now: Reading, written: set[int]) -> dict[int, int]:
    """Where each column stands now: by its mark, else by its header."""
    found = {}
    tags = {tag: column for column, tag in now.tags.items()}
    headers = {text: column for column, text in now.headers.items()}
    for column in written | set(should.headers):
        if column == should.key:
            place = now.key
        else:
            place = tags.get(should.tags.get(column, ""), headers.get(should.headers.get(column, "")))
        if place is not None:
            found[column] = place
    return found


def _rows(should: Reading, now: Reading, puts: Sequence[Put], *, by_cells: bool) -> dict[int, int]:
    """The row of `should` behind each row of `now`: by key, or by what stands in the columns that we did not write."""
    written = {one.column for one in puts}
    mine = {row: _identity(should, row, written, by_cells=by_cells) for row in should.lines if row > should.header}
    theirs = {row: _identity(now, row, written, by_cells=by_cells) for row in now.lines if row > now.header}
    times, others = Counter(mine.values()), Counter(theirs.values())
    place = {who: row for row, who in mine.items()}
    found = {row: place[who] for row, who in theirs.items() if times[who] == 1 and others[who] == 1}
    return {row: row for row, who in theirs.items() if mine.get(row) == who} | found


def _identity(reading: Reading, row: int, written: set[int], *, by_cells: bool) -> Hashable:
    key = reading.key_of(row)
    if key and not by_cells:
        return key
    line = reading.lines[row]
    cells = [
        (c, str(value)) for c, value in enumerate(line) if value is not None and c not in written and c != reading.key
    ]
    return tuple(cells)
