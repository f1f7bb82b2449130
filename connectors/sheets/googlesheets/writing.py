"""One run's changes in a tab as atomic batches: typed cells, new rows, marks and the stamp go together or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from connectors.sheets.googlesheets import marks
from connectors.sheets.googlesheets.cells import (
    Json,
    Put,
    cell_data,
    grid_range,
    number_format,
    put,
    refusal,
    requests,
    start,
    storable,
)
from connectors.sheets.googlesheets.reading import Line, Reading, letters, number
from connectors.sheets.googlesheets.scope import runs
from connectors.sheets.sheet import Cell, CellWrite, Changes, Formula, KeyWrite, NewRow, Refused

BATCH = 2_000_000
"""Bytes of a request that Google advises not to exceed."""
_A_CELL, _A_VALUE = 170, 45


@dataclass
class Step:
    """What goes in one batch. `puts` are the cells of rows that are there, with what stood in each; `fresh` the places of
    the rows that are added, `marks` the ids of the marks on columns that are made.
    """

    changes: Changes = field(default_factory=Changes)
    puts: list[Put] = field(default_factory=list)
    refused: Sequence[Refused] = ()
    stood: dict[tuple[int, int], Cell | Formula] = field(default_factory=dict)
    fresh: range = range(0)
    marks: set[int] = field(default_factory=set)
    stamp: str = field(default_factory=lambda: secrets.token_hex(8))


def steps(reading: Reading, changes: Changes, email: str) -> list[Step]:
    """The changes that Google can take, in as few batches as can be, the first with what it can't."""
    possible, refused = _sort_out(reading, changes, email)
    found = [Step(part) for part in _parts(possible)] or [Step()]
    found[0].refused = refused
    return found


def _sort_out(reading: Reading, changes: Changes, email: str) -> tuple[Changes, list[Refused]]:
    refused: list[Refused] = []

    def fine(row: int, column: int, value: Cell, who: tuple[str | None, str]) -> bool:
        why = refusal(reading, row, column, value, email)
        if why:
            refused.append(Refused(who[0], who[1], letters(column), *why))
        return why is None

    keys = [key for key in changes.keys if _key_fits(reading, key, fine)]
    cells = [replace(cell, value=storable(cell.value)) for cell in changes.cells
             if fine(int(cell.row) - 1, number(cell.column), cell.value, (cell.row, cell.key))]  # fmt: skip
    below = reading.end
    rows = [
        NewRow(row.key, {ref: storable(value) for ref, value in row.cells.items() if fine(below, number(ref), value, (None, row.key))})
        for row in changes.rows
    ]  # fmt: skip
    return Changes(keys, cells, rows, changes.tags), refused


def _key_fits(reading: Reading, key: KeyWrite, fine: object) -> bool:
    return reading.key is None or bool(fine(int(key.row) - 1, reading.key, key.key, (key.row, key.key)))  # type: ignore[operator]


def _parts(changes: Changes) -> Iterator[Changes]:
    """Slices of about 2 MB; rows that are there come first, so that no new row moves them."""
    things: list[tuple[object, int]] = [(key, _A_CELL) for key in changes.keys]
    things += [(cell, _A_CELL + len(str(cell.value))) for cell in changes.cells]
    things += [
        (row, sum(_A_VALUE + len(str(value)) for value in row.cells.values()) + _A_VALUE) for row in changes.rows
    ]
    part: list[object] = []
    size = 0
    for thing, weight in things:
        if part and size + weight > BATCH:
            yield _part(part, changes.tags)
            part, size = [], 0
        part.append(thing)
        size += weight
    if part:
        yield _part(part, changes.tags)


def _part(things: Sequence[object], tags: Mapping[str, str]) -> Changes:
    return Changes(
        [thing for thing in things if isinstance(thing, KeyWrite)],
        [thing for thing in things if isinstance(thing, CellWrite)],
        [thing for thing in things if isinstance(thing, NewRow)],
        tags,
    )


def request_batch(reading: Reading, step: Step, language: str) -> list[Json]:
    """The requests of a step; afterwards the reading says how the tab stands once they have landed."""
    batch = marks.key_column(reading, language) if reading.key is None else []
    assert reading.key is not None
    step.puts = [put(reading, int(key.row) - 1, reading.key, key.key) for key in step.changes.keys]
    step.puts += [put(reading, int(one.row) - 1, number(one.column), one.value) for one in step.changes.cells]
    batch += requests(reading.sheet_id, step.puts)
    known = set(reading.marks)
    batch += marks.columns(reading, {number(ref): tag for ref, tag in step.changes.tags.items()})
    step.marks = set(reading.marks) - known
    for one in step.puts:
        step.stood[one.row, one.column] = reading.cell(one.row, one.column)
        reading.put(one.row, one.column, one.value)
        reading.formats.pop((one.row, one.column), None)
    if step.changes.rows:
        at = max(reading.end, reading.header + 1)
        step.fresh = range(at, at + len(step.changes.rows))
        batch += _new_rows(reading, at, step.changes.rows)
    return batch + marks.stamp(reading, step.stamp)


def without(step: Step, request: Json) -> bool:
    """Leave out of the step what one request of it writes, because Google refuses it. False if there is no such cell."""
    facts = request.get("updateCells", {})
    at, rows = facts.get("start", {}), facts.get("rows", ())
    wrong = {
        (at["rowIndex"] + i, at["columnIndex"] + j) for i, row in enumerate(rows) for j in range(len(row["values"]))
    } & step.stood.keys()
    cells = [one for one in step.changes.cells if (int(one.row) - 1, number(one.column)) in wrong]
    refused = [
        Refused(one.row, one.key, one.column, "google-cell", {"cell": f"{one.column}{one.row}"}) for one in cells
    ]
    kept = [one for one in step.changes.cells if one not in cells]
    step.changes, step.refused = replace(step.changes, cells=kept), [*step.refused, *refused]
    step.stood, step.stamp = {}, secrets.token_hex(8)
    return bool(cells)


def _new_rows(reading: Reading, at: int, rows: Sequence[NewRow]) -> list[Json]:
    """Rows are inserted below everything, never written over what is there: somebody may be typing in that line."""
    count = len(rows)
    batch: list[Json] = []
    if at >= reading.row_count:
        batch.append(
            {
                "appendDimension": {
                    "sheetId": reading.sheet_id,
                    "dimension": "ROWS",
                    "length": at + 1 - reading.row_count,
                }
            }
        )
        reading.row_count = at + 1
    like_above = at > reading.header + 1
    span = {"sheetId": reading.sheet_id, "dimension": "ROWS", "startIndex": at, "endIndex": at + count}
    batch.append({"insertDimension": {"range": span, "inheritFromBefore": like_above}})
    model = at - 1 if like_above else at
    looks = {column: reading.formats.get((model, column)) or number_format(reading.cell(model, column))
             for column in {number(ref) for row in rows for ref in row.cells}}  # fmt: skip
    _insert(reading, at, rows)
    lines = [reading.lines[at + i] for i in range(count)]
    batch += [_filled(reading.sheet_id, at, lines, left, right) for left, right in runs(_columns(lines))]
    batch += _formats(reading, at, count, looks)
    # Last, so that a strict list of the team's can't refuse what is already there.
    return [*batch, *_boxes_and_lists(reading, model if like_above else at + count, at, count)]


def _boxes_and_lists(reading: Reading, model: int, at: int, count: int) -> Iterator[Json]:
    """New rows offer what the row beside them offers: ours and the team's, as the team has it now."""
    free = [place for place in range(reading.column_count) if not reading.protects(min(model, at), place)]
    for left, right in runs(free):
        source = grid_range(reading.sheet_id, model, model + 1, left, right + 1)
        there = grid_range(reading.sheet_id, at, at + count, left, right + 1)
        yield {"copyPaste": {"source": source, "destination": there, "pasteType": "PASTE_DATA_VALIDATION"}}


def _insert(reading: Reading, at: int, rows: Sequence[NewRow]) -> None:
    assert reading.key is not None
    reading.row_count += len(rows)
    for below in sorted((line for line in reading.lines if line >= at), reverse=True):  # boxes that nobody has ticked
        reading.lines[below + len(rows)] = reading.lines.pop(below)
    for i, row in enumerate(rows):
        for ref, value in row.cells.items():
            reading.put(at + i, number(ref), value)
        reading.put(at + i, reading.key, row.key)


def _columns(lines: Sequence[Line]) -> list[int]:
    """Those that hold anything: the team's own are not even written empty, they may be protected."""
    return [
        place
        for place in range(max(map(len, lines)))
        if any(line[place : place + 1] not in ([], [None]) for line in lines)
    ]


def _filled(sheet_id: int, at: int, lines: Sequence[Line], left: int, right: int) -> Json:
    rows = [{"values": [cell_data(value, formatted=False) for value in line[left : right + 1]]} for line in lines]
    return {"updateCells": {"start": start(sheet_id, at, left), "rows": rows, "fields": "userEnteredValue"}}


def _formats(reading: Reading, at: int, count: int, looks: Mapping[int, str]) -> Iterator[Json]:
    """Number formats of new rows where the row above has others: by column, one request for a stretch of rows."""
    for column, look in looks.items():
        has = look if look in ("DATE", "DATE_TIME") else ""
        wanted = [number_format(reading.cell(at + i, column)) for i in range(count)]
        row = at
        for kind, run in groupby(wanted):
            length = len(list(run))
            if kind in ("", "DATE", "DATE_TIME") and kind != has:
                cell = {"userEnteredFormat": {"numberFormat": {"type": kind}}} if kind else {}
                area = grid_range(reading.sheet_id, row, row + length, column, column + 1)
                yield {"repeatCell": {"range": area, "cell": cell, "fields": "userEnteredFormat.numberFormat"}}
            row += length
