"""`spreadsheets.values.*`, and what a cell shows."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from tests.fakes.google_grid import Cell, Dimension, Document, GridTab, Invalid, letters
from tests.fakes.google_updates import Updates
from tests.fakes.server import Request, Response

START = date(1899, 12, 30)


def cut(things: list[Any], empty: Any) -> list[Any]:
    """Without what is empty at the end."""
    while things and things[-1] == empty:
        things.pop()
    return things


def shown(cell: Cell) -> Cell:
    """A CellData as it is answered."""
    answer = {
        name: value
        for name, value in cell.items()
        if name in ("userEnteredValue", "userEnteredFormat", "note", "dataValidation")
    }
    value = effective(cell)
    if value:
        answer |= {"effectiveValue": value, "formattedValue": formatted(value, cell)}
    if cell.get("userEnteredFormat"):
        answer["effectiveFormat"] = cell["userEnteredFormat"]
    return answer


def effective(cell: Cell) -> dict[str, Any]:
    if "spilled" in cell:
        return dict(cell["spilled"])
    value = cell.get("userEnteredValue", {})
    return dict(cell.get("result", {"numberValue": 0}) if "formulaValue" in value else value)


def formatted(value: dict[str, Any], cell: Cell) -> str:
    if "boolValue" in value:
        return "TRUE" if value["boolValue"] else "FALSE"
    if "numberValue" not in value:
        return str(value.get("stringValue", "#ERROR!"))
    number, kind = value["numberValue"], cell.get("userEnteredFormat", {}).get("numberFormat", {}).get("type")
    if kind == "DATE":
        return (START + timedelta(days=int(number))).strftime("%d/%m/%Y")
    if kind == "DATE_TIME":
        moment = datetime.combine(START, datetime.min.time()) + timedelta(days=number)
        return moment.strftime("%d/%m/%Y %H:%M:%S")
    return f"{number:g}".replace(".", ",")


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
            return Response.json(self._put(a1, request.json()["values"], request.one("valueInputOption")))
        if request.method == "POST" and a1.endswith(":clear"):
            return Response.json(
                {"spreadsheetId": self.document.id, "clearedRange": self._clear(a1.removesuffix(":clear"))}
            )
        if request.method == "POST" and a1.endswith(":append"):
            tab, where = self.document.resolve(a1.removesuffix(":append"))
            start, top = tab.last_row(), where.get("startRowIndex")
            loose = top is not None and not tab.rows[top].cells  # no table there: the values begin in that row
            start = top if top is not None and loose else start
            body = request.json()["values"]
            tab.rows += [Dimension() for _ in range(start + len(body) - len(tab.rows))]
            done = self._put(f"{_quoted(tab)}!A{start + 1}", body, request.one("valueInputOption"))
            table = {"tableRange": _a1(tab, 0, start, 0, tab.width())} if start and not loose else {}
            return Response.json({"spreadsheetId": self.document.id, **table, "updates": done})
        return None

    def _batch_update(self, body: dict[str, Any]) -> Response:
        done = [self._put(one["range"], one["values"], body["valueInputOption"]) for one in body["data"]]
        totals = {f"total{name}": sum(one[f"updated{name}"] for one in done) for name in ("Rows", "Columns", "Cells")}
        return Response.json({"spreadsheetId": self.document.id, **totals, "totalUpdatedSheets": 1, "responses": done})

    def _get(self, a1: str, request: Request) -> dict[str, Any]:
        tab, where = self.document.resolve(a1)
        top, bottom, left, right = tab.bounds(where)
        option = request.one("valueRenderOption", "FORMATTED_VALUE")
        rows = [
            cut([_rendered(tab.cell(row, column), option) for column in range(left, right)], "")
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

    def _put(self, a1: str, values: list[list[Any]], option: str) -> dict[str, Any]:
        if option not in ("RAW", "USER_ENTERED"):
            raise Invalid("'valueInputOption' is required but not specified")
        tab, where = self.document.resolve(a1)
        top, left = where.get("startRowIndex", 0), where.get("startColumnIndex", 0)
        updates, wide = Updates(self.document, self.writer), max(map(len, values), default=0)
        self.document.remember()
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                if value is not None:
                    cell = {"userEnteredValue": _entered(value, option)} if value != "" else {}
                    updates._cell(tab, top + i, left + j, cell, "userEnteredValue")
        place = _a1(tab, top, top + len(values), left, left + wide)
        return {"spreadsheetId": self.document.id, "updatedRange": place, "updatedRows": len(values), "updatedColumns": wide,
                "updatedCells": sum(map(len, values))}  # fmt: skip

    def _clear(self, a1: str) -> str:
        tab, where = self.document.resolve(a1)
        top, bottom, left, right = tab.bounds(where)
        for row in range(top, bottom):
            for column in range(left, right):
                self.document.put(tab, row, column, {"userEnteredValue": None})
        return _a1(tab, top, bottom, left, right)


def _entered(value: Any, option: str) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int | float):
        return {"numberValue": value}
    if option == "USER_ENTERED" and re.fullmatch(r"[+-]?\d+([.,]\d+)?", value):
        return {"numberValue": float(value.replace(",", "."))}
    if option == "USER_ENTERED" and value.startswith("="):
        return {"formulaValue": value}
    return {"stringValue": value}


def _rendered(cell: Cell, option: str) -> Any:
    value = effective(cell)
    if option == "FORMULA" and "formulaValue" in cell.get("userEnteredValue", {}):
        return cell["userEnteredValue"]["formulaValue"]
    if not value:
        return ""
    return formatted(value, cell) if option == "FORMATTED_VALUE" else next(iter(value.values()))


def _quoted(tab: GridTab) -> str:
    return tab.title if re.fullmatch(r"\w+", tab.title) else "'" + tab.title.replace("'", "''") + "'"


def _a1(tab: GridTab, top: int, bottom: int, left: int, right: int) -> str:
    first, last = f"{letters(left)}{top + 1}", f"{letters(max(right, 1) - 1)}{bottom}"
    return f"{_quoted(tab)}!{first}" + (f":{last}" if first != last else "")
