"""What `spreadsheets.batchUpdate` does to cells, rows, columns and developer metadata, request by request."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.fakes.google_grid import Cell, Dimension, GridTab, Invalid, Metadata, leaves, mask_of
from tests.fakes.google_layout import Layout, may_edit_all

CELL_PARTS = {"userEnteredValue", "userEnteredFormat", "note", "dataValidation", "textFormatRuns"}
A_LETTER, PADDING = 8.47, 18  # pixels, as recorded for a column of As


class Updates(Layout):
    """Applies requests to a document."""

    def apply(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All of them or, with `Invalid`, none."""
        if len(requests) > 100_000:
            raise Invalid("Cannot exceed 100000 requests in a single batch")
        if not requests:
            raise Invalid("Must specify at least one request.")
        self.document.remember()
        replies = []
        try:
            for number, request in enumerate(requests):
                replies.append(self._one(number, request))
        except BaseException:
            self.document.roll_back()
            raise
        self.document.forget_gone()
        return replies

    def _one(self, number: int, request: dict[str, Any]) -> dict[str, Any]:
        ((name, facts),) = request.items()
        method = getattr(self, "do_" + re.sub(r"([A-Z])", r"_\1", name).lower(), None)
        if method is None:
            raise NotImplementedError(name)
        try:
            reply = method(facts)
        except Invalid as error:
            raise Invalid(f"Invalid requests[{number}].{name}: {error}", error.code, error.status) from None
        return {name: reply} if reply is not None else {}

    # Cells

    def do_update_cells(self, facts: dict[str, Any]) -> None:
        if "range" in facts:
            tab = self.document.by_id(facts["range"].get("sheetId", 0))
            top, bottom, left, right = tab.bounds(facts["range"])
        else:
            tab = self.document.by_id(facts["start"].get("sheetId", 0))
            top, left = facts["start"].get("rowIndex", 0), facts["start"].get("columnIndex", 0)
            bottom = right = -1
        rows = facts.get("rows", [])
        for i in range(max(bottom - top, len(rows))):
            cells = rows[i].get("values", []) if i < len(rows) else []
            for j in range(max(right - left, len(cells))):
                self._cell(tab, top + i, left + j, cells[j] if j < len(cells) else {}, facts["fields"])

    def do_append_cells(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts.get("sheetId", 0))
        start = tab.last_row()
        missing = start + len(facts["rows"]) - len(tab.rows)
        tab.rows += [Dimension() for _ in range(missing)]
        for i, row in enumerate(facts["rows"]):
            for j, cell in enumerate(row.get("values", [])):
                self._cell(tab, start + i, j, cell, facts["fields"])

    def do_repeat_cell(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts["range"].get("sheetId", 0))
        top, bottom, left, right = tab.bounds(facts["range"])
        for row in range(top, bottom):
            for column in range(left, right):
                self._cell(tab, row, column, facts["cell"], facts["fields"])

    def _cell(self, tab: GridTab, row: int, column: int, cell: dict[str, Any], fields: str) -> None:
        if row >= len(tab.rows) or column >= len(tab.columns):
            raise Invalid(
                f"Attempting to write column: {column}, beyond the last requested column of: {len(tab.columns) - 1}"
            )
        self.may_edit(tab, row, column)
        paths = sorted(CELL_PARTS) if fields == "*" else list(leaves(mask_of(fields)))
        changes: dict[str, Any] = {}
        for path in paths:
            part, _, below = path.partition(".")
            if part not in CELL_PARTS:
                raise Invalid(f"Invalid field: {path}")
            if below:
                stands = dict(changes.get(part) or tab.cell(row, column).get(part) or {})
                stands.pop(below, None)
                if below in cell.get(part, {}):
                    stands[below] = cell[part][below]
                changes[part] = stands or None
            else:
                changes[part] = cell.get(part) or None
        value = changes.get("userEnteredValue") or {}
        if value and not allowed(value, tab.cell(row, column).get("dataValidation", {})):
            raise Invalid("The data you entered violates the data validation rules set on this cell.")
        if len(str(value.get("stringValue", "")).encode("utf-16-le")) > 100_000:
            raise Invalid("Your input contains more than the maximum of 50000 characters in a single cell.")
        if value == {"stringValue": ""}:
            changes["userEnteredValue"] = None
        self.document.put(tab, row, column, changes)

    def do_set_data_validation(self, facts: dict[str, Any]) -> None:
        cell = {"dataValidation": facts["rule"]} if "rule" in facts else {}
        self.do_repeat_cell({"range": facts["range"], "cell": cell, "fields": "dataValidation"})

    def do_copy_paste(self, facts: dict[str, Any]) -> None:
        """A destination of several times the source's height is filled with as many copies."""
        to, source = facts["destination"], facts["source"]
        parts = {"PASTE_DATA_VALIDATION": {"dataValidation"}}.get(facts.get("pasteType", ""), CELL_PARTS)
        top, bottom, left, right = self.document.by_id(to.get("sheetId", 0)).bounds(to)
        height = source["endRowIndex"] - source.get("startRowIndex", 0)
        if facts.get("pasteType") not in (None, "PASTE_NORMAL", "PASTE_DATA_VALIDATION") or right - left != (
            source["endColumnIndex"] - source.get("startColumnIndex", 0)
        ):
            raise NotImplementedError(facts)
        for row in range(top, max(bottom, top + 1), height):
            self._paste(source, to.get("sheetId", 0), row, left, parts)

    def do_cut_paste(self, facts: dict[str, Any]) -> None:
        to = facts["destination"]
        place = to.get("rowIndex", 0), to.get("columnIndex", 0)
        cut = self._paste(facts["source"], to.get("sheetId", 0), *place, CELL_PARTS)
        for tab, row, column, cell in cut:
            self.document.put(tab, row, column, dict.fromkeys(cell))

    def _paste(
        self, source: dict[str, Any], id_: int, row: int, column: int, parts: set[str]
    ) -> list[tuple[GridTab, int, int, Cell]]:
        tab, to = self.document.by_id(source.get("sheetId", 0)), self.document.by_id(id_)
        top, bottom, left, right = tab.bounds(source)
        found = [(tab, i, j, dict(tab.cell(i, j))) for i in range(top, bottom) for j in range(left, right)]
        for _, i, j, cell in found:
            self.may_edit(to, row + i - top, column + j - left)
            self.document.put(to, row + i - top, column + j - left, {part: cell.get(part) for part in parts})
        return found

    def may_edit(self, tab: GridTab, row: int, column: int) -> None:
        for area, facts in tab.protected:
            if may_edit_all(facts, self.editor):
                continue
            free = [tab.range_of(one) for one in facts.get("unprotected", ())]
            if tab.covers(tab.range_of(area), row, column) and not any(tab.covers(one, row, column) for one in free):
                raise Invalid(
                    "You are trying to edit a protected cell or object. Please contact the spreadsheet owner to remove protection if you need to edit."
                )

    # Rows and columns

    def do_insert_dimension(self, facts: dict[str, Any]) -> None:
        tab, things, start, end = self.span(facts["range"])
        before = facts.get("inheritFromBefore", False)
        if start >= len(things) or end <= start or (before and start == 0):
            raise Invalid(f"range.startIndex[{start}] must be less than the grid's size [{len(things)}]")
        model = things[start - 1 if before else start]
        new = [
            Dimension({"pixelSize": model.props["pixelSize"]} if "pixelSize" in model.props else {})
            for _ in range(end - start)
        ]
        things[start:start] = new
        if things is tab.rows:
            for line in new:
                line.cells = {
                    column: {"userEnteredFormat": cell["userEnteredFormat"]}
                    for column, cell in model.cells.items()
                    if "userEnteredFormat" in cell
                }
        self.grown()

    def do_append_dimension(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts.get("sheetId", 0))
        tab.dimension(facts["dimension"]).extend(Dimension() for _ in range(facts["length"]))
        self.grown()

    def do_delete_dimension(self, facts: dict[str, Any]) -> None:
        _, things, start, end = self.span(facts["range"])
        if end > len(things) or end - start >= len(things):
            raise Invalid("Cannot delete a row or column that doesn't exist.")
        del things[start:end]

    def do_move_dimension(self, facts: dict[str, Any]) -> None:
        _, things, start, end = self.span(facts["source"])
        to = facts["destinationIndex"]
        moved = things[start:end]
        del things[start:end]
        at = to - (end - start) if to > start else to
        things[at:at] = moved

    def do_update_dimension_properties(self, facts: dict[str, Any]) -> None:
        _, things, start, end = self.span(facts["range"])
        for thing in things[start:end]:
            old = dict(thing.props)
            self.document.undo.append(partial(setattr, thing, "props", old))
            for name in facts["fields"].split(","):
                if name not in ("pixelSize", "hiddenByUser"):
                    raise Invalid(f"Invalid field: {name}")
                thing.props.pop(name, None)
                if facts["properties"].get(name):
                    thing.props[name] = facts["properties"][name]

    def do_auto_resize_dimensions(self, facts: dict[str, Any]) -> None:
        tab, things, start, end = self.span(facts["dimensions"])
        for column in things[start:end] if things is tab.columns else ():
            texts = [
                str(line.cells.get(column, {}).get("userEnteredValue", {}).get("stringValue", "")) for line in tab.rows
            ]
            self.document.undo.append(partial(setattr, column, "props", dict(column.props)))
            column.props["pixelSize"] = round(max(map(len, texts)) * A_LETTER) + PADDING

    def do_sort_range(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts["range"].get("sheetId", 0))
        top, bottom, _, _ = tab.bounds(facts["range"])
        for spec in reversed(facts["sortSpecs"]):
            column = tab.columns[spec.get("dimensionIndex", 0)]
            tab.rows[top:bottom] = sorted(
                tab.rows[top:bottom],
                key=lambda line: str(line.cells.get(column, {}).get("userEnteredValue", "")),
                reverse=spec.get("sortOrder") == "DESCENDING",
            )

    # Developer metadata

    def do_create_developer_metadata(self, facts: dict[str, Any]) -> dict[str, Any]:
        wish = facts["developerMetadata"]
        if not wish.get("metadataKey") or wish.get("visibility") not in ("DOCUMENT", "PROJECT"):
            raise Invalid("Developer metadata must have a key and a visibility.")
        id_ = wish.get("metadataId") or random.randint(1, 2**31 - 1)
        if any(entry.id == id_ for entry in self.document.metadata):
            raise Invalid(f"Developer metadata with id {id_} already exists.")
        entry = Metadata(
            id_,
            wish["metadataKey"],
            wish.get("metadataValue", ""),
            wish["visibility"],
            *self._location(wish["location"]),
        )
        self.document.metadata.append(entry)
        self._weigh(entry.tab)
        return {"developerMetadata": metadata(entry)}

    def _location(self, where: dict[str, Any]) -> tuple[GridTab | None, Dimension | None]:
        if where.get("spreadsheet"):
            return None, None
        if "sheetId" in where:
            return self.document.by_id(where["sheetId"]), None
        tab, things, start, end = self.span(where["dimensionRange"])
        if end - start != 1 or end > len(things):
            raise Invalid("Developer metadata can be associated with one row or column only.")
        return tab, things[start]

    def do_update_developer_metadata(self, facts: dict[str, Any]) -> dict[str, Any]:
        found = [entry for filter_ in facts["dataFilters"] for entry in self.matching(filter_)]
        for entry in found:
            for name in facts["fields"].split(","):
                setattr(
                    entry,
                    {"metadataValue": "value", "metadataKey": "key"}[name],
                    facts["developerMetadata"].get(name, ""),
                )
            self._weigh(entry.tab)
        return {"developerMetadata": [metadata(entry) for entry in found]}

    def do_delete_developer_metadata(self, facts: dict[str, Any]) -> dict[str, Any]:
        found = list(self.matching(facts["dataFilter"]))
        self.document.metadata[:] = [entry for entry in self.document.metadata if entry not in found]
        return {"deletedDeveloperMetadata": [metadata(entry) for entry in found]}

    def matching(self, filter_: dict[str, Any]) -> Iterator[Metadata]:
        lookup = filter_["developerMetadataLookup"]
        for entry in self.document.metadata:
            facts = metadata(entry)
            wish = {
                name: lookup[name]
                for name in ("metadataId", "metadataKey", "metadataValue", "visibility")
                if name in lookup
            }
            if (
                facts | wish == facts
                and lookup.get("locationType", facts["location"]["locationType"]) == facts["location"]["locationType"]
            ):
                yield entry

    def _weigh(self, tab: GridTab | None) -> None:
        weight = sum(len(entry.key) + len(entry.value) for entry in self.document.metadata if entry.tab is tab)
        if weight > 30_000:
            raise Invalid("Developer metadata storage limit exceeded.")


def allowed(value: dict[str, Any], rule: dict[str, Any]) -> bool:
    """May the value stand in a cell with this validation? Of strict rules, only lists are looked into."""
    condition = rule.get("condition", {})
    if condition.get("type") == "ONE_OF_LIST":
        shown = [one["userEnteredValue"] for one in condition["values"]]
        return not rule.get("strict") or str(next(iter(value.values()))) in shown
    return not rule.get("strict")


def metadata(entry: Metadata) -> dict[str, Any]:
    answer: dict[str, Any] = {"metadataId": entry.id, "metadataKey": entry.key, "visibility": entry.visibility}
    if entry.value:
        answer["metadataValue"] = entry.value
    if entry.tab is None:
        return answer | {"location": {"locationType": "SPREADSHEET", "spreadsheet": True}}
    if entry.at is None:
        return answer | {"location": {"locationType": "SHEET", "sheetId": entry.tab.id}}
    rows = entry.at in entry.tab.rows
    place = (entry.tab.rows if rows else entry.tab.columns).index(entry.at)
    where = {
        "sheetId": entry.tab.id,
        "dimension": "ROWS" if rows else "COLUMNS",
        "startIndex": place,
        "endIndex": place + 1,
    }
    where = {name: value for name, value in where.items() if value != 0}
    return answer | {"location": {"locationType": "ROW" if rows else "COLUMN", "dimensionRange": where}}
