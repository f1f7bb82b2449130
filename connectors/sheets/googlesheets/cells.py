"""Values of ours as Google's typed cells: nothing is ever parsed as if a person had typed it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connectors.sheets.googlesheets.answers import serial
from connectors.sheets.googlesheets.reading import Reading, letters
from connectors.sheets.sheet import Cell, Formula

LONGEST = 50_000
BIGGEST_WHOLE = 2**53
VALUE, FORMAT = "userEnteredValue", "userEnteredFormat.numberFormat"
_KEEP = "as it is"

Json = dict[str, Any]


def storable(value: Cell) -> Cell:
    """The value as it will be read back: a number keeps 53 bits, half a character is no text."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") or None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > BIGGEST_WHOLE:
        return str(value)
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def refusal(reading: Reading, row: int, column: int, value: Cell, email: str) -> tuple[str, Json] | None:
    """Why the value can't be put there, as code and facts."""
    cell = f"{letters(column)}{row + 1}"
    if isinstance(reading.cell(row, column), Formula):
        return "sheet-formula", {"cell": cell}
    if isinstance(value, str) and (n := len(value.encode("utf-16-le", "surrogatepass")) // 2) > LONGEST:
        return "sheet-text-too-long", {"cell": cell, "n": n, "limit": LONGEST}
    if isinstance(value, float) and not math.isfinite(value):
        return "sheet-no-number", {"cell": cell}
    if reading.hidden_by_merge(row, column):
        return "sheet-merged", {"cell": cell}
    if reading.protects(row, column):
        return "google-protected", {"cell": cell, "email": email}
    return None


def extended(value: Cell | Formula) -> Json:
    """An `ExtendedValue`, empty for an empty cell."""
    if isinstance(value, Formula):
        return {"formulaValue": value.text}
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"numberValue": serial(value) if isinstance(value, date) else value}


def number_format(value: Cell | Formula) -> str:
    """The format that shows the value as what it is; "" is Google's automatic one."""
    if isinstance(value, datetime):
        return "DATE_TIME"
    if isinstance(value, date):
        return "DATE"
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else _KEEP


def cell_data(value: Cell | Formula, *, formatted: bool) -> Json:
    data: Json = {}
    if entered := extended(value):
        data["userEnteredValue"] = entered
    kind = number_format(value)
    if formatted and kind not in ("", _KEEP):
        data["userEnteredFormat"] = {"numberFormat": {"type": kind}}
    return data


@dataclass(frozen=True)
class Put:
    """A value for a cell of the grid, by row and column from 0; `formatted` sets its number format too."""

    row: int
    column: int
    value: Cell | Formula
    formatted: bool = False


def put(reading: Reading, row: int, column: int, value: Cell | Formula) -> Put:
    """The number format is only touched where the value would else be shown as something else."""
    stands, kind = reading.cell(row, column), number_format(value)
    has = reading.formats.get((row, column)) or number_format(stands)
    return Put(row, column, value, formatted=kind not in (_KEEP, has if has != _KEEP else ""))


def requests(sheet_id: int, puts: Iterable[Put]) -> Iterator[Json]:
    """`updateCells` for the cells, those side by side in one request."""
    run: list[Put] = []
    for one in sorted(puts, key=lambda one: (one.row, one.column)):
        if run and (one.row, one.column, one.formatted) != (run[0].row, run[-1].column + 1, run[0].formatted):
            yield _update(sheet_id, run)
            run = []
        run.append(one)
    if run:
        yield _update(sheet_id, run)


def _update(sheet_id: int, run: list[Put]) -> Json:
    first = run[0]
    fields = f"{VALUE},{FORMAT}" if first.formatted else VALUE
    rows = [{"values": [cell_data(one.value, formatted=one.formatted) for one in run]}]
    return {"updateCells": {"start": start(sheet_id, first.row, first.column), "rows": rows, "fields": fields}}


def start(sheet_id: int, row: int, column: int) -> Json:
    return {"sheetId": sheet_id, "rowIndex": row, "columnIndex": column}


def grid_range(sheet_id: int, top: int, bottom: int | None, left: int, right: int | None) -> Json:
    """A GridRange; None for an end that is open."""
    ends = {"endRowIndex": bottom, "endColumnIndex": right}
    open_ = {"sheetId": sheet_id, "startRowIndex": top, "startColumnIndex": left}
    return open_ | {name: end for name, end in ends.items() if end is not None}
