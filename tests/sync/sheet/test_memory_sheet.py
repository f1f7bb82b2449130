"""The sheet in memory passes what every sheet must pass, so that what is proved on it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.sheets.sheet import Formula
from tests.connectors.sheet_contract import SheetContract
from tests.fakes.memory_sheet import MemorySheet


class TestMemorySheet(SheetContract):
    """One sheet in memory for each folder."""

    def open(self, folder: Path) -> MemorySheet:
        self.sheets: dict[Path, MemorySheet]
        self.sheets = getattr(self, "sheets", {})
        return self.sheets.setdefault(folder, MemorySheet())

    def edit(self, folder: Path, tab: str, row: str, column: str, value: Any) -> None:
        sheet = self.open(folder)
        line = next(line for i, line in enumerate(sheet.tabs[tab].lines) if str(i + 2) == row)
        header = next(c.header for c in sheet.tabs[tab].columns if c.ref == column)
        sheet.type_cell(tab, line, header, Formula(value, 3) if str(value).startswith("=") else value)


class TestMemorySheetById(TestMemorySheet):
    """Rows told by an id that stays, batches of ten, as in Airtable."""

    def open(self, folder: Path) -> MemorySheet:
        self.sheets = getattr(self, "sheets", {})
        return self.sheets.setdefault(folder, MemorySheet(batch=10))

    def edit(self, folder: Path, tab: str, row: str, column: str, value: Any) -> None:
        sheet = self.open(folder)
        place = next(i for i, line in enumerate(sheet.tabs[tab].lines) if line.id == row)
        super().edit(folder, tab, str(place + 2), column, value)
