"""`spreadsheets.values.*`, and what a cell shows."""

from __future__ import annotations

import operator
import re
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from tests.fakes.google_grid import Cell, Dimension, Document, GridTab, Invalid, letters
from tests.fakes.google_layout import with_styles
from tests.fakes.google_updates import Updates
from tests.fakes.server import Request, Response

Touched = set[tuple[GridTab, int, int]]
START = date(1899, 12, 30)
THOUSANDS, ISO = "#,##0.00", "yyyy-mm-dd"
FRENCH = str.maketrans({",": "\u202f", ".": ","})


def cut(things: list[Any], empty: Any) -> list[Any]:
    """Without what is empty at the end."""
    while things and things[-1] == empty:
        things.pop()
    return things


def shown(cell: Cell, locale: str) -> Cell:
    """A CellData as it is answered."""
    answer: Cell = {name: cell[name] for name in ("userEnteredValue", "note", "dataValidation") if name in cell}
    value = effective(cell)
    if value:
        answer |= {"effectiveValue": value, "formattedValue": formatted(value, cell, locale)}
    if cell.get("userEnteredFormat"):
        look = with_styles(cell["userEnteredFormat"])
        answer |= {"userEnteredFormat": look, "effectiveFormat": look}
    return answer


def effective(cell: Cell) -> dict[str, Any]:
    if "spilled" in cell:
        return dict(cell["spilled"])
    value = cell.get("userEnteredValue", {})
    if "formulaValue" in value:
        return dict(cell.get("result") or {"numberValue": computed(value["formulaValue"])})
    return dict(value)


def computed(formula: str) -> float:
    """Two numbers and what stands between them; any other formula gives 0."""
    match = re.fullmatch(r"=\s*([\d.]+)\s*([-+*/])\s*([\d.]+)\s*", formula)
    if match is None:
        return 0
    how = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[match[2]]
    result: float = how(float(match[1]), float(match[3]))
    return int(result) if result.is_integer() else result


def formatted(value: dict[str, Any], cell: Cell, locale: str) -> str:
    if "boolValue" in value:
        return "TRUE" if value["boolValue"] else "FALSE"
    if "numberValue" not in value:
        return str(value.get("stringValue", "#ERROR!"))
    number, look = value["numberValue"], cell.get("userEnteredFormat", {}).get("numberFormat", {})
    if look.get("type") in ("DATE", "DATE_TIME"):
        moment = datetime.combine(START, datetime.min.time()) + timedelta(days=number)
        return moment.strftime(_pattern(look, locale))
    if look.get("pattern") == THOUSANDS:
        return f"{number:,.2f}" if _english(locale) else f"{number:,.2f}".translate(FRENCH)
    text = f"{number:.10f}".rstrip("0").rstrip(".")
    return text if _english(locale) else text.replace(".", ",")


def _english(locale: str) -> bool:
    return locale.startswith("en")


def _pattern(look: dict[str, Any], locale: str) -> str:
    day = "%Y-%m-%d" if look.get("pattern") == ISO else "%m/%d/%Y" if _english(locale) else "%d/%m/%Y"
    return day if look["type"] == "DATE" else f"{day} %H:%M:%S"


def _counts(word: str, touched: Touched) -> dict[str, int]:
    rows, columns = {(tab, row) for tab, row, _ in touched}, {(tab, column) for tab, _, column in touched}
    return {f"{word}Rows": len(rows), f"{word}Columns": len(columns), f"{word}Cells": len(touched)}


class Values:
    """`spreadsheets.values.*`."""

    def __init__(self, document: Document, writer: str) -> None:
        self.document, self.writer = document, writer

    def answer(self, request: Request, rest: str) -> Response | None:  # noqa: PLR0911  one for each method
        verb = f"{request.method} {rest}"
        if verb == "GET :batchGet":
            found = [self._get(a1, request) for a1 in request.query.get("ranges", [])]
            return Response.json({"spreadsheetId": self.document.id, "valueRanges": found})
        if verb == "POST :batchUpdate":
            return self._batch_update(request.json())
        if verb == "POST :batchClear":
            cleared = [self._clear(a1) for a1 in request.json()["ranges"]]
            return Response.json({"spreadsheetId": self.document.id, "clearedRanges": cleared})
        a1 = rest.removeprefix("/")
        if request.method == "GET":
            return Response.json(self._get(a1, request))
        if request.method == "PUT":
            return Response.json(self._put(a1, request.json(), request.one("valueInputOption"))[0])
        if request.method == "POST" and a1.endswith(":clear"):
            return Response.json(
                {"spreadsheetId": self.document.id, "clearedRange": self._clear(a1.removesuffix(":clear"))}
            )
        if request.method == "POST" and a1.endswith(":append"):
            return self._append(a1.removesuffix(":append"), request)
        return None

    def _append(self, a1: str, request: Request) -> Response:
        """Below the table at the cell that is named, or the last one there is; without a table, at the cell itself."""
        tab, where = self.document.resolve(a1)
        table = _table(tab, where)
        top, left = (table[1], table[2]) if table else (where.get("startRowIndex", 0), where.get("startColumnIndex", 0))
        body = request.json()
        rows = max(map(len, body["values"])) if body.get("majorDimension") == "COLUMNS" else len(body["values"])
        tab.rows += [Dimension() for _ in range(top + rows - len(tab.rows))]
        done, _ = self._put(f"{_quoted(tab)}!{letters(left)}{top + 1}", body, request.one("valueInputOption"))
        found = {"tableRange": _a1(tab, *table)} if table else {}
        return Response.json({"spreadsheetId": self.document.id, **found, "updates": done})

    def _batch_update(self, body: dict[str, Any]) -> Response:
        done = [self._put(one["range"], one, body["valueInputOption"]) for one in body["data"]]
        every = set().union(*(touched for _, touched in done))
        counts = _counts("totalUpdated", every) | {"totalUpdatedSheets": len({tab for tab, _, _ in every})}
        return Response.json({"spreadsheetId": self.document.id, **counts, "responses": [answer for answer, _ in done]})

    def _get(self, a1: str, request: Request) -> dict[str, Any]:
        tab, where = self.document.resolve(a1)
        top, bottom, left, right = tab.bounds(where)
        option, dates = request.one("valueRenderOption", "FORMATTED_VALUE"), request.one("dateTimeRenderOption")
        rows = [
            cut(
                [
                    _rendered(tab.cell(row, column), option, dates, self.document.locale)
                    for column in range(left, right)
                ],
                "",
            )
            for row in range(top, bottom)
        ]
        rows = cut(rows, [])
        by_columns = request.one("majorDimension") == "COLUMNS"
        if by_columns and rows:
            width = max(map(len, rows))
            rows = [list(column) for column in zip(*(row + [""] * (width - len(row)) for row in rows), strict=True)]
        answer: dict[str, Any] = {
            "range": _a1(tab, top, bottom, left, right),
            "majorDimension": "COLUMNS" if by_columns else "ROWS",
        }
        return answer | ({"values": rows} if rows else {})

    def _put(self, a1: str, body: dict[str, Any], option: str) -> tuple[dict[str, Any], Touched]:
        """The answer, and the cells that were written: null leaves one alone."""
        if option not in ("RAW", "USER_ENTERED"):
            raise Invalid("'valueInputOption' is required but not specified")
        values = body["values"]
        if not isinstance(values, list):
            kind = "type.googleapis.com/google.protobuf.ListValue"
            raise Invalid(f"Invalid value at 'data.values' ({kind}), \"{values}\"", field="data.values")
        if body.get("majorDimension") == "COLUMNS":
            values = [list(row) for row in zip_longest(*values)]
        tab, where = self.document.resolve(a1)
        top, left = where.get("startRowIndex", 0), where.get("startColumnIndex", 0)
        updates, touched = Updates(self.document, self.writer), set()
        self.document.remember()
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                if value is not None:
                    cell = _entered(value, option, self.document.locale) if value != "" else {}
                    updates._cell(tab, top + i, left + j, cell, ",".join({"userEnteredValue", *cell}))
                    touched.add((tab, top + i, left + j))
        wide = max(map(len, values), default=0)
        place = {"updatedRange": _a1(tab, top, top + len(values), left, left + wide)}
        return {"spreadsheetId": self.document.id, **place, **_counts("updated", touched)}, touched

    def _clear(self, a1: str) -> str:
        tab, where = self.document.resolve(a1)
        top, bottom, left, right = tab.bounds(where)
        for row in range(top, bottom):
            for column in range(left, right):
                self.document.put(tab, row, column, {"userEnteredValue": None})
        return _a1(tab, top, bottom, left, right)


def _entered(value: Any, option: str, locale: str) -> Cell:  # noqa: PLR0911  one for each kind of value
    """The cell that comes of a value; typed as a person types it, a number or a date brings its format along."""
    if isinstance(value, bool):
        return {"userEnteredValue": {"boolValue": value}}
    if isinstance(value, int | float):
        return {"userEnteredValue": {"numberValue": value}}
    if option == "RAW" or not value:
        return {"userEnteredValue": {"stringValue": value}}
    if value.startswith("="):
        return {"userEnteredValue": {"formulaValue": value}}
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        days = (date.fromisoformat(value) - START).days
        return _typed(days, {"type": "DATE", "pattern": ISO})
    plain = value if _english(locale) else value.replace(",", ".").replace("\u202f", ",")
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        return {"userEnteredValue": {"numberValue": float(plain)}}
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d\d", plain):
        return _typed(float(plain.replace(",", "")), {"type": "NUMBER", "pattern": THOUSANDS})
    return {"userEnteredValue": {"stringValue": value}}


def _typed(number: float, look: dict[str, str]) -> Cell:
    return {"userEnteredValue": {"numberValue": number}, "userEnteredFormat": {"numberFormat": look}}


def _rendered(cell: Cell, option: str, dates: str, locale: str) -> Any:
    value = effective(cell)
    if option == "FORMULA" and "formulaValue" in cell.get("userEnteredValue", {}):
        return cell["userEnteredValue"]["formulaValue"]
    if not value:
        return ""
    kind = cell.get("userEnteredFormat", {}).get("numberFormat", {}).get("type")
    as_shown = option == "FORMATTED_VALUE" or (dates == "FORMATTED_STRING" and kind in ("DATE", "DATE_TIME"))
    return formatted(value, cell, locale) if as_shown else next(iter(value.values()))


def _table(tab: GridTab, where: dict[str, int]) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of the filled cells that hang together around the named cell, else the last there is."""
    filled = {
        (i, j) for i, row in enumerate(tab.rows) if row.cells
        for j, column in enumerate(tab.columns) if effective(row.cells.get(column, {}))
    }  # fmt: skip
    named = (where["startRowIndex"], where.get("startColumnIndex", 0)) if "startRowIndex" in where else None
    start = named or max(filled, default=None)
    if start is None or start not in filled:
        return None
    seen, edge = {start}, [start]
    while edge:
        row, column = edge.pop()
        near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & filled - seen
        seen |= near
        edge += near
    rows, columns = [row for row, _ in seen], [column for _, column in seen]
    return min(rows), max(rows) + 1, min(columns), max(columns) + 1


def _quoted(tab: GridTab) -> str:
    """A name that is no plain word, or could be a cell's, stands in quotation marks."""
    plain = re.fullmatch(r"\w+", tab.title) and not re.fullmatch(r"[A-Za-z]{1,3}\d+", tab.title)
    return tab.title if plain else "'" + tab.title.replace("'", "''") + "'"


def _a1(tab: GridTab, top: int, bottom: int, left: int, right: int) -> str:
    first, last = f"{letters(left)}{top + 1}", f"{letters(max(right, 1) - 1)}{bottom}"
    return f"{_quoted(tab)}!{first}" + (f":{last}" if first != last else "")
