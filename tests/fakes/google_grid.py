"""A Google spreadsheet as the fake keeps it: rows and columns are things with an identity, so that whatever hangs on them
(metadata, protection, hidden columns) moves when they move and goes when they go.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

Cell = dict[str, Any]
NUMBERS = itertools.count(1)


class Invalid(Exception):  # noqa: N818  it is answered, not raised to anybody
    """A request that Google refuses, with its status; `field` of the body where that is not even of the right kind."""

    def __init__(self, message: str, code: int = 400, status: str = "INVALID_ARGUMENT", field: str = "") -> None:
        super().__init__(message)
        self.code, self.status, self.field = code, status, field


@dataclass(eq=False)
class Dimension:
    """A row or a column. `cells` of a row by column."""

    props: dict[str, Any] = field(default_factory=dict)
    cells: dict[Dimension, Cell] = field(default_factory=dict)
    number: int = field(default_factory=lambda: next(NUMBERS))


@dataclass(eq=False)
class Area:
    """A range that follows what it covers. None is unbounded."""

    top: Dimension | None = None
    bottom: Dimension | None = None
    left: Dimension | None = None
    right: Dimension | None = None


@dataclass(eq=False)
class Metadata:
    id: int
    key: str
    value: str
    visibility: str
    tab: GridTab | None = None
    at: Dimension | None = None


@dataclass(eq=False)
class Named:
    id: str
    name: str
    tab: GridTab
    area: Area


@dataclass(eq=False)
class GridTab:
    id: int
    title: str
    rows: list[Dimension] = field(default_factory=list)
    columns: list[Dimension] = field(default_factory=list)
    frozen: int = 0
    protected: list[tuple[Area, dict[str, Any]]] = field(default_factory=list)
    merges: list[Area] = field(default_factory=list)
    filter: Area | None = None
    groups: list[tuple[str, Dimension, Dimension]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def sized(cls, id_: int, title: str, rows: int = 1000, columns: int = 26) -> GridTab:
        return cls(id_, title, [Dimension() for _ in range(rows)], [Dimension() for _ in range(columns)])

    def cell(self, row: int, column: int) -> Cell:
        return self.rows[row].cells.get(self.columns[column], {})

    def last_row(self) -> int:
        """How many rows there are down to the last with something in it."""
        for i in range(len(self.rows), 0, -1):
            if any("userEnteredValue" in cell or "spilled" in cell for cell in self.rows[i - 1].cells.values()):
                return i
        return 0

    def area(self, grid: dict[str, Any]) -> Area:
        """The rows and columns of a GridRange as they stand now."""
        top, bottom, left, right = self.bounds(grid)
        return Area(
            self.rows[top] if "startRowIndex" in grid else None,
            self.rows[bottom - 1] if "endRowIndex" in grid else None,
            self.columns[left] if "startColumnIndex" in grid else None,
            self.columns[right - 1] if "endColumnIndex" in grid else None,
        )

    def bounds(self, grid: dict[str, Any]) -> tuple[int, int, int, int]:
        top, bottom = grid.get("startRowIndex", 0), grid.get("endRowIndex", len(self.rows))
        left, right = grid.get("startColumnIndex", 0), grid.get("endColumnIndex", len(self.columns))
        if bottom > len(self.rows) or right > len(self.columns) or top > bottom or left > right:
            raise Invalid(f"Range ({self.title}) exceeds grid limits. Max rows: {len(self.rows)}")
        return top, bottom, left, right

    def range_of(self, area: Area) -> dict[str, int]:
        """A GridRange: what is open is left out, and so is the first tab's id, zero (both as recorded)."""
        places = {
            "sheetId": self.id or None,
            "startRowIndex": self.rows.index(area.top) if area.top else None,
            "endRowIndex": self.rows.index(area.bottom) + 1 if area.bottom else None,
            "startColumnIndex": self.columns.index(area.left) if area.left else None,
            "endColumnIndex": self.columns.index(area.right) + 1 if area.right else None,
        }
        return {name: place for name, place in places.items() if place is not None}

    def covers(self, grid: dict[str, int], row: int, column: int) -> bool:
        return (
            grid.get("startRowIndex", 0) <= row < grid.get("endRowIndex", len(self.rows))
            and grid.get("startColumnIndex", 0) <= column < grid.get("endColumnIndex", len(self.columns))
        )  # fmt: skip

    def dimension(self, name: str) -> list[Dimension]:
        return {"ROWS": self.rows, "COLUMNS": self.columns}[name]


@dataclass(eq=False)
class Document:
    """A spreadsheet. `undo` puts back what a request changed, newest last."""

    id: str
    title: str = "Contacts"
    locale: str = "fr_FR"
    zone: str = "Europe/Paris"
    tabs: list[GridTab] = field(default_factory=lambda: [GridTab.sized(0, "Feuille 1")])
    metadata: list[Metadata] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)
    limit: int = 10_000_000

    def tab(self, title: str) -> GridTab:
        return next(tab for tab in self.tabs if tab.title == title)

    def by_id(self, id_: int) -> GridTab:
        found = next((tab for tab in self.tabs if tab.id == id_), None)
        if found is None:
            raise Invalid(f"No grid with id: {id_}")
        return found

    def remember(self) -> None:
        """Whatever is done from here on can be undone as a whole: a batchUpdate is applied wholly or not at all."""
        self.undo.clear()
        self._keep(self, "title", "locale", "zone")
        for things in (self.tabs, self.metadata, self.named):
            self._keep_list(things)
        for one in self.named:
            self._keep(one, "name", "area")
        for entry in self.metadata:
            self._keep(entry, "value")
        for tab in self.tabs:
            self._keep(tab, "title", "frozen", "filter")
            self.undo.append(partial(setattr, tab, "extra", dict(tab.extra)))
            for kept in (tab.rows, tab.columns, tab.protected, tab.merges, tab.groups):
                self._keep_list(kept)

    def _keep(self, thing: object, *names: str) -> None:
        for name in names:
            self.undo.append(partial(setattr, thing, name, getattr(thing, name)))

    def _keep_list(self, things: list[Any]) -> None:
        copy = list(things)
        self.undo.append(lambda: things.__setitem__(slice(None), copy))

    def roll_back(self) -> None:
        for undo in reversed(self.undo):
            undo()
        self.undo.clear()

    def put(self, tab: GridTab, row: int, column: int, changes: Cell) -> None:
        """Change parts of a cell: None takes a part away."""
        line, where = tab.rows[row], tab.columns[column]
        old = line.cells.get(where)
        new = {name: value for name, value in {**(old or {}), **changes}.items() if value is not None}
        if "userEnteredValue" in changes:
            new.pop("result", None)
        self.undo.append(lambda: line.cells.__setitem__(where, old) if old else line.cells.pop(where, None))
        if new:
            line.cells[where] = new
        else:
            line.cells.pop(where, None)

    def forget_gone(self) -> None:
        """What hung on a row or column that was deleted is gone with it."""
        places = {id(thing) for tab in self.tabs for thing in (*tab.rows, *tab.columns)}
        tabs = {id(tab) for tab in self.tabs}
        self.metadata[:] = [
            entry
            for entry in self.metadata
            if (entry.tab is None or id(entry.tab) in tabs) and (entry.at is None or id(entry.at) in places)
        ]
        for tab in self.tabs:
            tab.protected[:] = [(area, facts) for area, facts in tab.protected if _stands(area, places)]
            tab.merges[:] = [area for area in tab.merges if _stands(area, places)]
            tab.groups[:] = [one for one in tab.groups if {id(one[1]), id(one[2])} <= places]
        self.named[:] = [one for one in self.named if id(one.tab) in tabs and _stands(one.area, places)]

    def cells(self) -> int:
        return sum(len(tab.rows) * len(tab.columns) for tab in self.tabs)

    def resolve(self, a1: str) -> tuple[GridTab, dict[str, int]]:
        """A tab and a GridRange from A1 notation or a range's name. Raises what Google answers when there is no such tab."""
        known = next((one for one in self.named if one.name == a1.rpartition("!")[2]), None)
        if known:
            return known.tab, known.tab.range_of(known.area)
        name, _, cells = a1.rpartition("!") if re.search(r"![A-Za-z0-9:$]*$", a1) else (a1, "", "")
        title = name[1:-1].replace("''", "'") if name.startswith("'") and name.endswith("'") else name
        tab = next((tab for tab in self.tabs if tab.title == title), None)
        if tab is None and not cells and re.fullmatch(r"[A-Za-z]{0,3}\d*(:[A-Za-z]{0,3}\d*)?", a1):
            tab, cells = self.tabs[0], a1
        match = re.fullmatch(r"([A-Za-z]{0,3})(\d*)(?::([A-Za-z]{0,3})(\d*))?", cells.replace("$", ""))
        if tab is None or match is None:
            raise Invalid(f"Unable to parse range: {a1}")
        return tab, _grid(match, tab)


def _stands(area: Area, places: set[int]) -> bool:
    ends = (area.top, area.bottom, area.left, area.right)
    return all(end is None or id(end) in places for end in ends)


def _grid(match: re.Match[str], tab: GridTab) -> dict[str, int]:
    left, top, right, bottom = match.groups()
    single = ":" not in match.string
    right, bottom = (left, top) if single else (right, bottom)
    if left and right and number(left) > number(right):
        left, right = right, left
    if top and bottom and int(top) > int(bottom):
        top, bottom = bottom, top
    grid = {"sheetId": tab.id}
    if top:
        grid["startRowIndex"] = int(top) - 1
    if bottom:
        grid["endRowIndex"] = min(int(bottom), len(tab.rows))
    if left:
        grid["startColumnIndex"] = number(left)
    if right:
        grid["endColumnIndex"] = min(number(right) + 1, len(tab.columns))
    return grid


def number(letters: str) -> int:
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def letters(place: int) -> str:
    text, place = "", place + 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(65 + rest) + text
    return text


# Field masks --------------------------------------------------------------------------------------------------------

Mask = dict[str, "Mask"]


def mask_of(text: str) -> Mask:
    """`a(b,c/d),e.f` as a tree; an empty tree is everything below."""
    mask, rest = _mask(text.replace(" ", ""))
    if rest:
        raise Invalid("Invalid value at 'fields'")
    return mask


def _mask(text: str) -> tuple[Mask, str]:
    tree: Mask = {}
    while text and text[0] != ")":
        match = re.match(r"[A-Za-z*_]+", text)
        if match is None:
            raise Invalid("Error expanding 'fields' parameter.")
        text, name = text[match.end() :], match[0]
        inner, text = _below(text)
        tree.setdefault(name, {}).update(inner)
        text = text.removeprefix(",")
    return tree, text


def _below(text: str) -> tuple[Mask, str]:
    if text[:1] in ("/", "."):
        match = re.match(r"[A-Za-z*_]+", text[1:])
        if match is None:
            raise Invalid("Error expanding 'fields' parameter.")
        inner, rest = _below(text[1 + match.end() :])
        return {match[0]: inner}, rest
    if text[:1] == "(":
        inner, rest = _mask(text[1:])
        return inner, rest.removeprefix(")")
    return {}, text


def masked(value: Any, mask: Mask) -> Any:
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [masked(one, mask) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: masked(value[name], below) for name, below in mask.items() if name in value}


def leaves(mask: Mask) -> Iterator[str]:
    for name, below in mask.items():
        yield from (f"{name}.{leaf}" for leaf in leaves(below)) if below else [name]
