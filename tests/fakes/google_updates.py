"""What `spreadsheets.batchUpdate` does, request by request."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.fakes.google_grid import Area, Dimension, Document, GridTab, Invalid, Metadata, leaves, mask_of

CELL_PARTS = {"userEnteredValue", "userEnteredFormat", "note", "dataValidation", "textFormatRuns"}
SHEET_PARTS = {"title", "hidden", "index", "gridProperties.frozenRowCount", "gridProperties.rowCount", "gridProperties.columnCount",
               "gridProperties.frozenColumnCount", "tabColorStyle", "tabColor"}  # fmt: skip


class Updates:
    """Applies requests to a document. `editor` is who asks."""

    def __init__(self, document: Document, editor: str) -> None:
        self.document, self.editor = document, editor

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
        return {name: reply} if reply else {}

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
        if value and tab.cell(row, column).get("dataValidation", {}).get("strict"):
            raise Invalid("The data you entered violates the data validation rules set on this cell.")
        if len(str(value.get("stringValue", "")).encode("utf-16-le")) > 100_000:
            raise Invalid("Your input contains more than the maximum of 50000 characters in a single cell.")
        if value == {"stringValue": ""}:
            changes["userEnteredValue"] = None
        self.document.put(tab, row, column, changes)

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
        tab, things, start, end = self._span(facts["range"])
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
        self._grown()

    def do_append_dimension(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts.get("sheetId", 0))
        tab.dimension(facts["dimension"]).extend(Dimension() for _ in range(facts["length"]))
        self._grown()

    def do_delete_dimension(self, facts: dict[str, Any]) -> None:
        _, things, start, end = self._span(facts["range"])
        if end > len(things) or end - start >= len(things):
            raise Invalid("Cannot delete a row or column that doesn't exist.")
        del things[start:end]

    def do_move_dimension(self, facts: dict[str, Any]) -> None:
        _, things, start, end = self._span(facts["source"])
        to = facts["destinationIndex"]
        moved = things[start:end]
        del things[start:end]
        at = to - (end - start) if to > start else to
        things[at:at] = moved

    def do_update_dimension_properties(self, facts: dict[str, Any]) -> None:
        _, things, start, end = self._span(facts["range"])
        for thing in things[start:end]:
            old = dict(thing.props)
            self.document.undo.append(partial(setattr, thing, "props", old))
            for name in facts["fields"].split(","):
                if name not in ("pixelSize", "hiddenByUser"):
                    raise Invalid(f"Invalid field: {name}")
                thing.props.pop(name, None)
                if facts["properties"].get(name):
                    thing.props[name] = facts["properties"][name]

    def _span(self, where: dict[str, Any]) -> tuple[GridTab, list[Dimension], int, int]:
        tab = self.document.by_id(where.get("sheetId", 0))
        things = tab.dimension(where["dimension"])
        return tab, things, where.get("startIndex", 0), where.get("endIndex", len(things))

    def _grown(self) -> None:
        if self.document.cells() > self.document.limit:
            raise Invalid(
                "This action would increase the number of cells in the workbook above the limit of 10000000 cells."
            )

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

    # Tabs

    def do_add_sheet(self, facts: dict[str, Any]) -> dict[str, Any]:
        properties = facts.get("properties", {})
        title = properties.get("title", f"Feuille {len(self.document.tabs) + 1}")
        if any(tab.title.casefold() == title.casefold() for tab in self.document.tabs):
            raise Invalid(f'A sheet with the name "{title}" already exists. Please enter another name.')
        grid = properties.get("gridProperties", {})
        id_ = properties.get("sheetId", random.randint(1, 2**31 - 1))
        if any(tab.id == id_ for tab in self.document.tabs):
            raise Invalid(f"A sheet with id: {id_} already exists.")
        tab = GridTab.sized(id_, title, grid.get("rowCount", 1000), grid.get("columnCount", 26))
        tab.frozen = grid.get("frozenRowCount", 0)
        self.document.tabs.append(tab)
        self._grown()
        return {"properties": tab_properties(self.document, tab)}

    def do_delete_sheet(self, facts: dict[str, Any]) -> None:
        if len(self.document.tabs) == 1:
            raise Invalid("You can't remove all the sheets in a document.")
        self.document.tabs.remove(self.document.by_id(facts.get("sheetId", 0)))

    def do_update_sheet_properties(self, facts: dict[str, Any]) -> None:
        properties = facts["properties"]
        tab = self.document.by_id(properties.get("sheetId", 0))
        for path in leaves(mask_of(facts["fields"])):
            if path not in SHEET_PARTS:
                raise Invalid(f"Invalid field: {path}")
            grid = properties.get("gridProperties", {})
            if path == "title":
                tab.title = properties["title"]
            elif path == "gridProperties.frozenRowCount":
                tab.frozen = grid.get("frozenRowCount", 0)
            elif path.startswith("gridProperties."):
                self._resize(tab, path.removeprefix("gridProperties."), grid)
            else:
                tab.extra[path] = properties.get(path)

    def _resize(self, tab: GridTab, name: str, grid: dict[str, Any]) -> None:
        things = {"rowCount": tab.rows, "columnCount": tab.columns}.get(name)
        if things is not None:
            del things[grid[name] :]
            things += [Dimension() for _ in range(grid[name] - len(things))]

    def do_update_spreadsheet_properties(self, facts: dict[str, Any]) -> None:
        names = {"title": "title", "locale": "locale", "timeZone": "zone"}
        for name in facts["fields"].split(","):
            setattr(self.document, names[name], facts["properties"][name])

    # Protection, merges, validation

    def do_add_protected_range(self, facts: dict[str, Any]) -> dict[str, Any]:
        wish = facts["protectedRange"]
        tab = self.document.by_id(wish["range"].get("sheetId", 0))
        kept = {"protectedRangeId": random.randint(1, 2**31 - 1), "description": wish.get("description", "")}
        kept |= (
            {"warningOnly": True} if wish.get("warningOnly") else {"editors": wish.get("editors") or {}, "mine": True}
        )
        tab.protected.append((tab.area(wish["range"]), kept))
        return {"protectedRange": protected(tab, *tab.protected[-1], self.editor)}

    def do_delete_protected_range(self, facts: dict[str, Any]) -> None:
        for tab in self.document.tabs:
            tab.protected[:] = [
                (area, kept) for area, kept in tab.protected if kept["protectedRangeId"] != facts["protectedRangeId"]
            ]

    def do_merge_cells(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts["range"].get("sheetId", 0))
        tab.merges.append(tab.area(facts["range"]))

    def do_set_data_validation(self, facts: dict[str, Any]) -> None:
        cell = {"dataValidation": facts["rule"]} if "rule" in facts else {}
        self.do_repeat_cell({"range": facts["range"], "cell": cell, "fields": "dataValidation"})

    def do_set_basic_filter(self, facts: dict[str, Any]) -> None:
        self.document.by_id(facts["filter"]["range"].get("sheetId", 0)).extra["basicFilter"] = facts["filter"]

    def do_clear_basic_filter(self, facts: dict[str, Any]) -> None:
        self.document.by_id(facts.get("sheetId", 0)).extra.pop("basicFilter", None)

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
        tab, things, start, end = self._span(where["dimensionRange"])
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


def may_edit_all(kept: dict[str, Any], who: str) -> bool:
    """May they edit the protected range? Its maker may, and everybody after a warning."""
    return bool(kept.get("warningOnly") or kept.get("mine")) or who in kept.get("editors", {}).get("users", ())


def protected(tab: GridTab, area: Area, kept: dict[str, Any], reader: str) -> dict[str, Any]:
    answer = {"protectedRangeId": kept["protectedRangeId"], "range": tab.range_of(area)}
    answer |= {"description": kept["description"]} if kept.get("description") else {}
    if kept.get("unprotected"):
        answer["unprotectedRanges"] = [tab.range_of(one) for one in kept["unprotected"]]
    answer |= {"warningOnly": True} if kept.get("warningOnly") else {}
    if may_edit_all(kept, reader):  # who may not edit does not see who may
        answer |= {"requestingUserCanEdit": True} | ({"editors": kept["editors"]} if "editors" in kept else {})
    return answer


def tab_properties(document: Document, tab: GridTab) -> dict[str, Any]:
    grid = {"rowCount": len(tab.rows), "columnCount": len(tab.columns)} | (
        {"frozenRowCount": tab.frozen} if tab.frozen else {}
    )
    answer = {
        "sheetId": tab.id,
        "title": tab.title,
        "index": document.tabs.index(tab),
        "sheetType": "GRID",
        "gridProperties": grid,
    }
    return answer | ({"hidden": True} if tab.extra.get("hidden") else {})
