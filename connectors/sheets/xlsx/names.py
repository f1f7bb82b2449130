"""The workbook's defined names that say where things of one tab are: its filter, its print area, our columns.

A column of ours is marked by a hidden name of the tab, `_filrouge.last_visit`, that points at its header's cell: Excel and
LibreOffice keep such a name with its cell when columns are inserted, moved, cut and pasted. The header is remembered in
the name's comment. A column is looked for by its header as long as that stands anywhere in the tab; the mark only tells
what a header that is gone has become. So names that some other program dropped, or left behind while it moved the
cells, do no harm.

A tab of ours is marked by a hidden name of the workbook, `_filrouge_tab.contacts_public`, that points at the whole of it:
the tab `Contacts` of the config, called `Public` when we last wrote. Excel and LibreOffice see to it that such a name
follows a tab that is renamed, and never goes over to a copy of it: the copy gets a name of its own tab.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.sheets.xlsx.markup import child, local, namesake
from connectors.sheets.xlsx.places import Area, area, letters, number
from connectors.sheets.xlsx.text import holdable, unescaped

MARK = "_filrouge."
TAB_MARK = "_filrouge_tab."
FILTER, PRINTED = "_xlnm._FilterDatabase", "_xlnm.Print_Area"
LONGEST = 255  # characters in a name's comment

_MARKABLE = re.compile(r"[\w.]{1,200}")
_ONE_CELL = re.compile(r"(?:'((?:[^']|'')*)'|([^'!]+))!\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_TAB_MARK = re.compile(rf"{re.escape(TAB_MARK)}([a-z0-9.]+)_([a-z0-9.]+)")
_WHOLE_TAB = re.compile(r"(?:'((?:[^']|'')*)'|([^'!]+))!(?!#REF!).*")
_RECTANGLE = re.compile(r"(?<=!)\$?[A-Za-z]{1,3}\$?[0-9]{1,7}:\$?[A-Za-z]{1,3}\$?[0-9]{1,7}(?=,|$)")
_BEFORE = ("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups",
           "externalReferences")  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """Our `field` for the column whose header stood at (`row`, `column`) and was `header`, None where nobody knows."""

    field: str
    row: int
    column: int
    header: str | None


@dataclass(frozen=True)
class Growth:
    """What became longer or wider in a tab: rows below `last`, columns right of `right`."""

    first: int
    last: int
    new_last: int
    right: int
    new_right: int


def marks(root: Any, tab: str) -> list[Mark]:
    """Our marks on the columns of a tab, those that point at a cell of it."""
    found = []
    for element in _of_tab(root, tab):
        name = element.get("name", "")
        match = _ONE_CELL.fullmatch((element.text or "").strip())
        if match and name.startswith(MARK) and (match[1] or match[2] or "").replace("''", "'") == tab:
            comment = element.get("comment")
            header = None if comment is None else unescaped(comment)
            found.append(Mark(name.removeprefix(MARK), int(match[4]), number(match[3]), header))
    return found


def renamed(found: list[Mark], header_row: int, headers: Mapping[int, str]) -> dict[int, str]:
    """Our field for each column whose header somebody changed since it was marked."""
    known = {header[:LONGEST] for header in headers.values()}
    expected = {mark.header for mark in found}
    told: dict[int, str] = {}
    for mark in found:
        header = headers.get(mark.column)
        if mark.row != header_row or header is None or mark.header in known:
            continue  # the header is there, here or elsewhere: it says which column is meant
        alone = sum(other.column == mark.column for other in found) == 1
        if alone and (mark.header is None or header not in expected):
            told[mark.column] = mark.field
    return told


def renamed_tab(root: Any, tab: str) -> str | None:
    """What the team calls the tab now that we know as `tab`. None where no mark tells, where the tab was copied before it
    was renamed (which of the two do they go on with?), or where another tab of ours is called so.
    """
    told = [one for one in _tab_marks(root) if one.known_as == _coded(tab)]
    now = next((one.now for one in told if not one.copied), None)
    if now is None or any(one.was == _coded(now) for one in told if not one.copied):
        return now
    taken = any(one.known_as == _coded(now) for one in _tab_marks(root))
    return None if taken or any(one.copied for one in told) else now


def mark_tab(root: Any, tab: str, known_as: str) -> bool:
    """Mark the tab now called `tab` as the one that we know as `known_as`. Whether anything changed."""
    name = f"{TAB_MARK}{_coded(known_as)}_{_coded(tab)}"
    ours = [one for one in _tab_marks(root) if one.known_as == _coded(known_as) or (one.now == tab and not one.copied)]
    stands = [(one.element.get("name"), one.now, one.copied) for one in ours] == [(name, tab, False)]
    if len(name) > LONGEST or stands:
        return False
    names = _defined_names(root)
    for one in ours:
        names.remove(one.element)
    etree.SubElement(names, namesake(names, "definedName"), name=name, hidden="1").text = f"{_quoted(tab)}!$1:$1048576"
    return True


def mark(root: Any, tab: str, header_row: int, columns: Mapping[int, tuple[str, str]]) -> bool:
    """Mark columns, given as {column: (our field, its header)}. Whether anything changed."""
    wanted = {
        f"{MARK}{field}": (
            f"{_quoted(tab)}!${letters(column)}${header_row}",
            holdable(header)[:LONGEST],
        )
        for column, (field, header) in columns.items()
        if _MARKABLE.fullmatch(field)
    }
    place = _place(root, tab)
    there = {element.get("name", ""): element for element in _of_tab(root, tab)}
    kept = {name for name, said in wanted.items() if name in there and _says(there[name], *said)}
    taken = {f"{MARK}{one.field}" for one in marks(root, tab) if one.column in columns and one.row == header_row}
    stale = [element for name, element in there.items() if name in (taken | set(wanted)) - kept]
    fresh = {name: said for name, said in wanted.items() if name not in kept}
    if place is None or not (fresh or stale):
        return False
    names = _defined_names(root)
    for element in stale:
        names.remove(element)
    for name, (target, header) in fresh.items():
        said = {"name": name, "comment": header, "localSheetId": str(place), "hidden": "1"}
        etree.SubElement(names, namesake(names, "definedName"), said).text = target
    return True


def grow(root: Any, tab: str, growth: Growth) -> bool:
    """The names of the tab's filter and print area reach the new rows, the filter's the new columns. Whether one did."""
    changed = False
    for element in _of_tab(root, tab):
        name, text = element.get("name"), element.text or ""
        if name in (FILTER, PRINTED):
            element.text = _RECTANGLE.sub(lambda match, name=name: _grown(match[0], name, growth), text)
            changed |= element.text != text
    return changed


def _grown(text: str, name: str, growth: Growth) -> str:
    place = area(text)
    if place is None:
        return text
    last = growth.last if name == FILTER else max(growth.first, growth.last)
    if place.top <= last <= place.bottom < growth.new_last:
        place = place._replace(bottom=growth.new_last)
    if name == FILTER and place.right == growth.right:
        place = place._replace(right=growth.new_right)
    return _fixed(place) if place != area(text) else text


def _fixed(place: Area) -> str:
    return f"${letters(place.left)}${place.top}:${letters(place.right)}${place.bottom}"


def _says(element: Any, target: str, header: str) -> bool:
    """Whether the name is as we would write it, however its writer quotes the name of the tab."""
    ours, theirs = _ONE_CELL.fullmatch(target), _ONE_CELL.fullmatch((element.text or "").strip())
    same = ours and theirs and (ours[1], *ours.groups()[2:]) == (theirs[1] or theirs[2], *theirs.groups()[2:])
    return bool(same) and element.get("comment") == header and element.get("hidden") in ("1", "true")


def _quoted(tab: str) -> str:
    return f"'{tab.replace(chr(39), chr(39) * 2)}'"


@dataclass(frozen=True)
class _TabMark:
    """What a mark says of a tab, by its names as `_coded`. `now`: the tab at which it points. `copied`: a copy's own."""

    element: Any
    known_as: str
    was: str
    now: str | None
    copied: bool


def _tab_marks(root: Any) -> list[_TabMark]:
    names = child(root, "definedNames")
    found = []
    for element in names if names is not None else ():
        mark = _TAB_MARK.fullmatch(element.get("name", ""))
        if mark:
            place = _WHOLE_TAB.fullmatch((element.text or "").strip())
            now = (place[1] or place[2]).replace("''", "'") if place else None
            found.append(_TabMark(element, mark[1], mark[2], now, element.get("localSheetId") is not None))
    return found


def _coded(tab: str) -> str:
    """As part of a name that Excel takes, whatever stands on the tab."""
    return re.sub(r"[^a-z0-9]", lambda match: f".{ord(match[0]):x}.", tab.strip().casefold())


def _defined_names(root: Any) -> Any:
    """The workbook's list of names, made if it has none."""
    names = child(root, "definedNames")
    if names is None:
        names = etree.Element(namesake(root, "definedNames"))
        root.insert(sum(local(element) in _BEFORE for element in root), names)
    return names


def _of_tab(root: Any, tab: str) -> list[Any]:
    """The names that belong to the tab alone."""
    names, place = child(root, "definedNames"), _place(root, tab)
    return [element for element in names if element.get("localSheetId") == str(place)] if names is not None else []


def _place(root: Any, tab: str) -> int | None:
    """The tab's place in line, as `localSheetId` counts, chart sheets among them."""
    sheets = child(root, "sheets")
    listed = [sheet.get("name") for sheet in sheets] if sheets is not None else []
    return listed.index(tab) if tab in listed else None
