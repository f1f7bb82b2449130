"""Changes as entries for Airtable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sheets.airtables.fields import Field, TableOf, Unfit, write_cell
from connectors.sheets.airtables.landing import Entry, cell_name
from connectors.sheets.sheet import Cell, CellWrite, Changes, NewRow, Refused
from connectors.trouble import TryLater


class Fitting:
    """What a field can't take is refused, cell by cell; the rest of its row goes."""

    def __init__(self, table: TableOf, zone: ZoneInfo, language: str) -> None:
        self.table, self.zone, self.language = table, zone, language
        self.fields: dict[str, Field] = {field.id: field for field in table.fields}
        self.refused: list[Refused] = []

    def entries(self, changes: Changes) -> tuple[list[Entry], list[Entry], list[Refused]]:
        key = self.table.key
        assert key is not None, "write makes our fields first"
        given = {write.row: write for write in changes.keys}
        cells: dict[str, list[CellWrite]] = {}
        for write in changes.cells:
            cells.setdefault(write.row, []).append(write)
        entries = []
        for ref in dict.fromkeys([*given, *cells]):
            sent, landing = self._cells(cells.get(ref, ()))
            keyed = {key.id: given[ref].key} if ref in given else {}
            name = given[ref].key if ref in given else cells[ref][0].key
            if keyed or landing:
                entries.append(Entry(ref, name, keyed | sent, given.get(ref), tuple(landing)))
        rows = [self._row(key, row) for row in changes.rows]
        return entries, rows, self.refused

    def _cells(self, writes: Sequence[CellWrite]) -> tuple[dict[str, Any], list[CellWrite]]:
        sent, landing = {}, []
        for write in writes:
            fitted = self._fit(write.row, write.key, write.column, write.value)
            if fitted:
                sent[write.column] = fitted[0]
                landing.append(CellWrite(write.row, write.key, write.column, fitted[1], write.was))
        return sent, landing

    def _row(self, key: Field, row: NewRow) -> Entry:
        fitted = {ref: self._fit(None, row.key, ref, value) for ref, value in row.cells.items()}
        sent = {ref: one[0] for ref, one in fitted.items() if one and one[0] is not None}
        landing = NewRow(row.key, {ref: one[1] for ref, one in fitted.items() if one})
        return Entry(None, row.key, {key.id: row.key} | sent, row=landing)

    def _fit(self, row: str | None, key: str, column: str, value: Cell) -> tuple[Any, Cell] | None:
        field = self.fields.get(column)
        if field is None:
            raise TryLater("sheet-changed", tab=self.table.name)
        try:
            return write_cell(field, value, self.zone, self.language)
        except Unfit as unfit:
            facts = {"cell": cell_name(self.table, column), **unfit.facts}
            self.refused.append(Refused(row, key, column, unfit.code, facts))
            return None
