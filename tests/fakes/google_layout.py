"""What `spreadsheets.batchUpdate` does around the cells: tabs, protected, merged, named, filtered and grouped ranges."""

from __future__ import annotations

import random
from typing import Any

from tests.fakes.google_grid import Area, Dimension, Document, GridTab, Invalid, Named, leaves, mask_of

PLAIN = {"hidden", "tabColorStyle", "gridProperties.hideGridlines", "gridProperties.frozenColumnCount"}


class Layout:
    """Requests that change no cell. `editor` is who asks."""

    def __init__(self, document: Document, editor: str) -> None:
        self.document, self.editor = document, editor

    def span(self, where: dict[str, Any]) -> tuple[GridTab, list[Dimension], int, int]:
        tab = self.document.by_id(where.get("sheetId", 0))
        things = tab.dimension(where["dimension"])
        return tab, things, where.get("startIndex", 0), where.get("endIndex", len(things))

    def grown(self) -> None:
        if self.document.cells() > self.document.limit:
            raise Invalid(
                "This action would increase the number of cells in the workbook above the limit of 10000000 cells."
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
        self.grown()
        return {"properties": tab_properties(self.document, tab)}

    def do_delete_sheet(self, facts: dict[str, Any]) -> None:
        if len(self.document.tabs) == 1:
            raise Invalid("You can't remove all the sheets in a document.")
        self.document.tabs.remove(self.document.by_id(facts.get("sheetId", 0)))

    def do_update_sheet_properties(self, facts: dict[str, Any]) -> None:
        properties = facts["properties"]
        tab, grid = self.document.by_id(properties.get("sheetId", 0)), properties.get("gridProperties", {})
        for path in leaves(mask_of(facts["fields"])):
            part = path.removeprefix("gridProperties.")
            if path == "title":
                tab.title = properties["title"]
            elif path == "index":
                self._move(tab, properties.get("index", 0))
            elif path == "gridProperties.frozenRowCount":
                tab.frozen = grid.get(part, 0)
            elif path in ("gridProperties.rowCount", "gridProperties.columnCount"):
                things = tab.rows if part == "rowCount" else tab.columns
                del things[grid[part] :]
                things += [Dimension() for _ in range(grid[part] - len(things))]
            elif path in PLAIN:
                tab.extra[path] = (grid if part != path else properties).get(part)
            else:
                raise Invalid(f"Invalid field: {path}")
        if all(one.extra.get("hidden") for one in self.document.tabs):
            raise Invalid("You can't hide all the sheets in a document.")

    def _move(self, tab: GridTab, to: int) -> None:
        """The place counts as the tabs stand before the move."""
        tabs = self.document.tabs
        place = tabs.index(tab)
        tabs.remove(tab)
        tabs.insert(to - (to > place), tab)

    def do_update_spreadsheet_properties(self, facts: dict[str, Any]) -> None:
        names = {"title": "title", "locale": "locale", "timeZone": "zone"}
        for name in facts["fields"].split(","):
            setattr(self.document, names[name], facts["properties"][name])

    # Ranges

    def _range(self, grid: dict[str, Any]) -> tuple[GridTab, Area]:
        tab = self.document.by_id(grid.get("sheetId", 0))
        return tab, tab.area(grid)

    def do_add_protected_range(self, facts: dict[str, Any]) -> dict[str, Any]:
        wish = facts["protectedRange"]
        tab, area = self._range(wish["range"])
        kept = {"protectedRangeId": random.randint(1, 2**31 - 1), "description": wish.get("description", "")}
        kept |= {"warningOnly": True} if wish.get("warningOnly") else {}
        wished = {name: who for name, who in (wish.get("editors") or {}).items() if who}
        tab.protected.append((area, kept | {"editors": wished | {"users": [*wished.get("users", ()), self.editor]}}))
        answer = protected(tab, *tab.protected[-1], self.editor)
        return {"protectedRange": answer | {"editors": wished}}  # whoever asks is only named when it is read

    def do_delete_protected_range(self, facts: dict[str, Any]) -> None:
        for tab in self.document.tabs:
            tab.protected[:] = [
                (area, kept) for area, kept in tab.protected if kept["protectedRangeId"] != facts["protectedRangeId"]
            ]

    def do_merge_cells(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts["range"].get("sheetId", 0))
        top, bottom, left, right = tab.bounds(facts["range"])
        self.do_unmerge_cells(facts)
        rows, columns = [(top, bottom)], [(left, right)]
        if facts["mergeType"] == "MERGE_ROWS":
            rows = [(row, row + 1) for row in range(top, bottom)]
        elif facts["mergeType"] == "MERGE_COLUMNS":
            columns = [(column, column + 1) for column in range(left, right)]
        tab.merges += [
            Area(tab.rows[a], tab.rows[b - 1], tab.columns[c], tab.columns[d - 1]) for a, b in rows for c, d in columns
        ]

    def do_unmerge_cells(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts["range"].get("sheetId", 0))
        tab.merges[:] = [
            area for area in tab.merges
            if not tab.covers(facts["range"], tab.rows.index(area.top), tab.columns.index(area.left))  # type: ignore[arg-type]  # a merge has its four sides
        ]  # fmt: skip

    def do_add_named_range(self, facts: dict[str, Any]) -> dict[str, Any]:
        wish = facts["namedRange"]
        one = Named(str(random.randint(1, 2**31 - 1)), wish["name"], *self._range(wish["range"]))
        self.document.named.append(one)
        return {"namedRange": named(one)}

    def do_update_named_range(self, facts: dict[str, Any]) -> None:
        wish = facts["namedRange"]
        one = next(one for one in self.document.named if one.id == wish["namedRangeId"])
        for name in facts["fields"].split(","):
            if name == "range":
                one.tab, one.area = self._range(wish["range"])
            else:
                one.name = wish["name"]

    def do_delete_named_range(self, facts: dict[str, Any]) -> None:
        self.document.named[:] = [one for one in self.document.named if one.id != facts["namedRangeId"]]

    def do_set_basic_filter(self, facts: dict[str, Any]) -> None:
        tab = self.document.by_id(facts["filter"]["range"].get("sheetId", 0))
        top, bottom, left, right = tab.bounds(facts["filter"]["range"])
        tab.filter = Area(tab.rows[top], tab.rows[bottom - 1], tab.columns[left], tab.columns[right - 1])

    def do_clear_basic_filter(self, facts: dict[str, Any]) -> None:
        self.document.by_id(facts.get("sheetId", 0)).filter = None

    def do_add_dimension_group(self, facts: dict[str, Any]) -> dict[str, Any]:
        tab, things, start, end = self.span(facts["range"])
        kind = facts["range"]["dimension"]
        if any(one[0] == kind for one in tab.groups):
            raise NotImplementedError("a group beside or within another")
        tab.groups.append((kind, things[start], things[end - 1]))
        tab.extra[f"gridProperties.{_singular(kind)}GroupControlAfter"] = True
        return {"dimensionGroups": groups(tab, kind)}

    def do_delete_dimension_group(self, facts: dict[str, Any]) -> dict[str, Any]:
        tab, _, _, _ = self.span(facts["range"])
        tab.groups[:] = [one for one in tab.groups if one[0] != facts["range"]["dimension"]]
        return {}


def _singular(kind: str) -> str:
    return kind.lower().removesuffix("s")


def groups(tab: GridTab, kind: str) -> list[dict[str, Any]]:
    things = tab.dimension(kind)
    return [
        {
            "range": {"dimension": kind, "startIndex": things.index(first), "endIndex": things.index(last) + 1},
            "depth": 1,
        }
        for name, first, last in tab.groups
        if name == kind
    ]


def named(one: Named) -> dict[str, Any]:
    return {"namedRangeId": one.id, "name": one.name, "range": one.tab.range_of(one.area)}


def may_edit_all(kept: dict[str, Any], who: str) -> bool:
    """May they edit the protected range? Whoever is named may, as its maker is, and everybody after a warning."""
    return bool(kept.get("warningOnly")) or who in kept.get("editors", {}).get("users", ())


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
    """Zeros, falsehoods and colours that are none are left out, as recorded."""
    grid: dict[str, Any] = {"rowCount": len(tab.rows), "columnCount": len(tab.columns)}
    grid |= {"frozenRowCount": tab.frozen} if tab.frozen else {}
    answer: dict[str, Any] = {"sheetId": tab.id, "title": tab.title, "index": document.tabs.index(tab)}
    answer |= {"sheetType": "GRID", "gridProperties": grid}
    for path, value in tab.extra.items():
        part = path.removeprefix("gridProperties.")
        if value and value != {"rgbColor": None}:
            (grid if part != path else answer)[part] = colour(value) if isinstance(value, dict) else value
    return answer


def colour(style: dict[str, Any]) -> dict[str, Any]:
    """As Google keeps it: 256 shades each, black left out."""
    return {"rgbColor": {name: round(int(part * 255) / 255, 8) for name, part in style["rgbColor"].items() if part}}


def with_styles(look: Any) -> Any:
    """A format as it is answered: each colour under both its old name and its new one."""
    if not isinstance(look, dict):
        return look
    answer = {name: with_styles(value) for name, value in look.items()}
    for name, value in look.items():
        if name.endswith("Color") and name != "rgbColor":
            answer.setdefault(f"{name}Style", {"rgbColor": value})
        elif name.endswith("ColorStyle") and "rgbColor" in value:
            answer.setdefault(name.removesuffix("Style"), value["rgbColor"])
    return answer
