"""Google's answers, as far as we read them, and what a cell in them says. Source: the discovery document of Sheets v4."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from connectors.sheets.sheet import Cell, Formula

CELLS = "startRow,startColumn,rowData(values(userEnteredValue,effectiveValue,effectiveFormat(numberFormat(type))))"
TAB = "properties(sheetId,title,gridProperties(rowCount,columnCount)),developerMetadata(metadataId,metadataKey,metadataValue)"
WHOLE = (
    f"sheets({TAB},merges,protectedRanges(range,unprotectedRanges,warningOnly,requestingUserCanEdit),"
    f"data({CELLS},columnMetadata(developerMetadata(metadataId,metadataKey,metadataValue))))"
)
SOME = f"sheets({TAB},data({CELLS}))"
NAMES = f"sheets({TAB})"
TITLES = "sheets(properties(sheetId,title,hidden,sheetType))"
ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  serial numbers have no zone
DATES = frozenset({"DATE", "DATE_TIME"})
ARRAY = ""
"""The text of a formula that stands elsewhere: the cell shows a part of its result."""


class Value(msgspec.Struct):
    stringValue: str | None = None  # noqa: N815  Google's own names
    numberValue: int | float | str | None = None  # noqa: N815
    boolValue: bool | None = None  # noqa: N815
    formulaValue: str | None = None  # noqa: N815


class NumberFormat(msgspec.Struct):
    type: str = ""


class Format(msgspec.Struct):
    numberFormat: NumberFormat | None = None  # noqa: N815


class CellData(msgspec.Struct):
    userEnteredValue: Value | None = None  # noqa: N815
    effectiveValue: Value | None = None  # noqa: N815
    effectiveFormat: Format | None = None  # noqa: N815

    @property
    def format(self) -> str:
        """DATE, DATE_TIME, or empty for whatever else."""
        shown = self.effectiveFormat
        kind = shown.numberFormat.type if shown and shown.numberFormat else ""
        return kind if kind in DATES else ""


class RowData(msgspec.Struct):
    values: list[CellData] = []


class Metadata(msgspec.Struct):
    metadataId: int = 0  # noqa: N815
    metadataKey: str = ""  # noqa: N815
    metadataValue: str = ""  # noqa: N815


class Dimension(msgspec.Struct):
    developerMetadata: list[Metadata] = []  # noqa: N815


class GridData(msgspec.Struct):
    """`rowData` is decoded row by row: a large tab never stands in memory twice."""

    startRow: int = 0  # noqa: N815
    startColumn: int = 0  # noqa: N815
    rowData: list[msgspec.Raw] = []  # noqa: N815
    columnMetadata: list[Dimension] = []  # noqa: N815


class GridRange(msgspec.Struct):
    """Half open; None is unbounded. What Google leaves out of an answer is zero, or unbounded for an end."""

    sheetId: int = 0  # noqa: N815
    startRowIndex: int = 0  # noqa: N815
    endRowIndex: int | None = None  # noqa: N815
    startColumnIndex: int = 0  # noqa: N815
    endColumnIndex: int | None = None  # noqa: N815

    def holds(self, row: int, column: int) -> bool:
        below = self.endRowIndex is None or row < self.endRowIndex
        left = self.endColumnIndex is None or column < self.endColumnIndex
        return row >= self.startRowIndex and below and column >= self.startColumnIndex and left


class Protected(msgspec.Struct):
    range: GridRange = msgspec.field(default_factory=GridRange)
    unprotectedRanges: list[GridRange] = []  # noqa: N815
    warningOnly: bool = False  # noqa: N815
    requestingUserCanEdit: bool = False  # noqa: N815

    def forbids(self, row: int, column: int) -> bool:
        if self.warningOnly or self.requestingUserCanEdit:
            return False
        return self.range.holds(row, column) and not any(free.holds(row, column) for free in self.unprotectedRanges)


class GridProperties(msgspec.Struct):
    rowCount: int = 0  # noqa: N815
    columnCount: int = 0  # noqa: N815


class Properties(msgspec.Struct):
    sheetId: int = 0  # noqa: N815
    title: str = ""
    hidden: bool = False
    sheetType: str = "GRID"  # noqa: N815
    gridProperties: GridProperties = msgspec.field(default_factory=GridProperties)  # noqa: N815


class TabData(msgspec.Struct):
    properties: Properties = msgspec.field(default_factory=Properties)
    developerMetadata: list[Metadata] = []  # noqa: N815
    merges: list[GridRange] = []
    protectedRanges: list[Protected] = []  # noqa: N815
    data: list[GridData] = []


class Spreadsheet(msgspec.Struct):
    sheets: list[TabData] = []


class Updated(msgspec.Struct):
    updatedSpreadsheet: Spreadsheet = msgspec.field(default_factory=Spreadsheet)  # noqa: N815


_ROW = msgspec.json.Decoder(RowData)
spreadsheet = msgspec.json.Decoder(Spreadsheet).decode
updated = msgspec.json.Decoder(Updated).decode


def row_of(raw: msgspec.Raw) -> list[CellData]:
    return _ROW.decode(raw).values


def cell_of(data: CellData) -> Cell | Formula:
    """What a cell holds. A number with a date's format is a date; a part of an array formula's result is a formula."""
    entered, shown = data.userEnteredValue, data.effectiveValue
    if entered is None:
        return None if shown is None else Formula(ARRAY, _plain(shown, data.format))
    if entered.formulaValue is not None:
        return Formula(entered.formulaValue, _plain(shown, data.format) if shown else None)
    return _plain(entered, data.format)


def _plain(value: Value, shown_as: str) -> Cell:
    if value.stringValue is not None:
        return value.stringValue or None
    if value.boolValue is not None:
        return value.boolValue
    number = value.numberValue
    if number is None or isinstance(number, str):  # "NaN" and "Infinity" come as texts
        return number
    if shown_as:
        return _moment(number, shown_as)
    return int(number) if number == int(number) and abs(number) < 1e15 else number


def _moment(number: float, shown_as: str) -> Cell:
    try:
        moment = ZERO + timedelta(seconds=round(number * 86_400))
    except OverflowError:
        return number
    return moment.date() if shown_as == "DATE" and number == int(number) else moment


def serial(moment: date) -> float:
    """Days since 1899-12-30, as every Google sheet counts them; a time of day is the fraction."""
    if not isinstance(moment, datetime):
        return (moment - ZERO.date()).days
    return (moment.replace(microsecond=0) - ZERO).total_seconds() / 86_400
