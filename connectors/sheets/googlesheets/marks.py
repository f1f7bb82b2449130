"""What we leave in the team's spreadsheet so as to find everything again: marks (developer metadata) on the tab and the
columns, our key column, and the dress of columns that we make. Made once; what the team changes of it later stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence

from connectors.sheets.googlesheets.answers import Metadata
from connectors.sheets.googlesheets.cells import Json, grid_range, start
from connectors.sheets.googlesheets.reading import COLUMN_MARK, KEY_MARK, STAMP_MARK, TAB_MARK, Reading
from connectors.sheets.sheet import KEY_HEADER, NewColumn
from connectors.source import Setting

KEPT_STAMPS = 8
_INK = {"red": 1.0, "green": 1.0, "blue": 1.0}
_PAPER = {"red": 0.549, "green": 0.137, "blue": 0.196}  # the red of a thread
_WIDTHS = {"date": 110, "number": 90, "money": 110, "yesno": 90, "text": 160}
_WIDE = {"email": 230, "flags": 220, "tags": 220, "genres": 200, "organisation": 200, "reason": 300, "subject": 300}
_CURRENCY = {"CA": "$", "US": "$", "GB": "£", "CH": "CHF"}
_KEY_NOTE = {
    "fr": "Cette colonne permet à Fil rouge de reconnaître chaque ligne. Merci de la garder telle quelle.",
    "en": "Fil rouge recognises each row by this column. Please leave it as it is.",
}
_NOTE = {"fr": "Tenue par Fil rouge.", "en": "Kept by Fil rouge."}


def _id() -> int:
    return secrets.randbelow(2**31 - 2) + 1


def _mark(key: str, value: str, where: Json, id_: int | None = None) -> Json:
    entry = {"metadataId": id_ or _id(), "metadataKey": key, "metadataValue": value, "visibility": "DOCUMENT"}
    return {"createDeveloperMetadata": {"developerMetadata": entry | {"location": where}}}


def _column_place(sheet_id: int, column: int, count: int = 1) -> Json:
    return {"sheetId": sheet_id, "dimension": "COLUMNS", "startIndex": column, "endIndex": column + count}


def stamp(reading: Reading, *new: str) -> list[Json]:
    """The batch's stamp, before those of the last few, in the one entry on the tab; and the tab's own mark."""
    batch: list[Json] = []
    value = " ".join([*new, *(one for one in reading.stamps if one not in new)][:KEPT_STAMPS])
    if not reading.marked:
        batch.append(_mark(TAB_MARK, reading.tab, {"sheetId": reading.sheet_id}))
        reading.marked = True
    if reading.stamp is None:
        id_ = _id()
        reading.stamp = Metadata(id_, STAMP_MARK, value)
        return [*batch, _mark(STAMP_MARK, value, {"sheetId": reading.sheet_id}, id_)]
    reading.stamp = Metadata(reading.stamp.metadataId, STAMP_MARK, value)
    return [*batch, _say(reading.stamp.metadataId, value)]


def columns(reading: Reading, tags: Mapping[int, str]) -> Iterator[Json]:
    """Marks for columns that have none, or one that says what they were before."""
    stale = {column: id_ for id_, column in reading.marks.items()}
    for column, tag in tags.items():
        if column in stale and reading.tags.get(column) != tag:
            reading.tags[column] = tag
            yield _say(stale[column], tag)
        elif column not in stale:
            yield _mark_column(reading, column, tag)


def _say(id_: int, value: str) -> Json:
    """Give an entry of developer metadata another value."""
    found = {"developerMetadataLookup": {"metadataId": id_}}
    change = {"dataFilters": [found], "developerMetadata": {"metadataValue": value}, "fields": "metadataValue"}
    return {"updateDeveloperMetadata": change}


def _mark_column(reading: Reading, column: int, tag: str) -> Json:
    id_ = _id()
    reading.tags[column], reading.marks[id_] = tag, column
    return _mark(COLUMN_MARK, tag, {"dimensionRange": _column_place(reading.sheet_id, column)}, id_)


def move(now: Reading, should: Reading, made: dict[int, int], to: Mapping[int, int | None]) -> list[Json]:
    """Marks that lie on wrong columns are made anew `to` the right ones. `made`: for which column of `should` each mark
    was made, which is kept up to date.
    """
    batch: list[Json] = []
    for id_, right in to.items():
        batch.append({"deleteDeveloperMetadata": {"dataFilter": {"developerMetadataLookup": {"metadataId": id_}}}})
        meant = made.pop(id_)
        if right is not None:
            batch.append(_mark_column(now, right, should.tags[meant]))
            made[next(reversed(now.marks))] = meant
    return batch


def key_column(reading: Reading, language: str) -> list[Json]:
    """Our key column right of everything in an existing tab."""
    at = max((len(line) for line in reading.lines.values()), default=0)
    head = max(reading.header, 0)
    batch = make_room(reading, at, 1)
    reading.key = at
    reading.put(head, at, KEY_HEADER)
    return [*batch, *_dress_key(reading.sheet_id, head, at, language)]


def make_room(reading: Reading, at: int, count: int) -> list[Json]:
    """New columns at `at`. They are inserted, so that nothing is written over."""
    batch: list[Json] = []
    if at >= reading.column_count:
        length = at + 1 - reading.column_count
        batch.append({"appendDimension": {"sheetId": reading.sheet_id, "dimension": "COLUMNS", "length": length}})
        reading.column_count = at + 1
    reading.column_count += count
    where = _column_place(reading.sheet_id, at, count)
    return [*batch, {"insertDimension": {"range": where, "inheritFromBefore": at > 0}}]


def _dress_key(sheet_id: int, head: int, at: int, language: str) -> Iterator[Json]:
    title: Json = {"userEnteredValue": {"stringValue": KEY_HEADER}, "note": _KEY_NOTE[language], **_header_look("text")}
    yield _header(sheet_id, head, at, [title])
    hidden = {"range": _column_place(sheet_id, at), "properties": {"hiddenByUser": True}, "fields": "hiddenByUser"}
    yield {"updateDimensionProperties": hidden}
    yield _mark(KEY_MARK, "1", {"dimensionRange": _column_place(sheet_id, at)})
    yield _warn(grid_range(sheet_id, 0, None, at, at + 1))


def _header(sheet_id: int, head: int, at: int, cells: Sequence[Json]) -> Json:
    fields = "userEnteredValue,userEnteredFormat,note"
    return {"updateCells": {"start": start(sheet_id, head, at), "rows": [{"values": cells}], "fields": fields}}


def _header_look(kind: str) -> Json:
    side = {"number": "RIGHT", "money": "RIGHT", "yesno": "CENTER"}.get(kind, "LEFT")
    text = {"bold": True, "foregroundColorStyle": {"rgbColor": _INK}}
    look = {"backgroundColorStyle": {"rgbColor": _PAPER}, "textFormat": text, "horizontalAlignment": side}
    return {"userEnteredFormat": look | {"verticalAlignment": "MIDDLE"}}


def _warn(where: Json) -> Json:
    """Whoever types there is asked whether they are sure; nobody is kept from it."""
    return {"addProtectedRange": {"protectedRange": {"range": where, "description": KEY_HEADER, "warningOnly": True}}}


def new_columns(sheet_id: int, head: int, at: int, new: Sequence[NewColumn], setting: Setting, rows: int) -> list[Json]:
    """Headers, formats, widths and marks for columns that stand empty at `at`."""
    language = "fr" if setting.language == "fr" else "en"
    titles = [
        {"userEnteredValue": {"stringValue": one.header}, "note": _NOTE[language], **_header_look(one.kind)}
        for one in new
    ]
    batch = [_header(sheet_id, head, at, titles)]
    for place, one in enumerate(new, at):
        batch += _dress(sheet_id, head, place, one, setting, rows)
    return [*batch, _warn(grid_range(sheet_id, head, head + 1, at, at + len(new)))]


def _dress(sheet_id: int, head: int, place: int, one: NewColumn, setting: Setting, rows: int) -> Iterator[Json]:
    look = number_look(one.kind, setting)
    if rows > head + 1:
        area, part = grid_range(sheet_id, head + 1, rows, place, place + 1), "userEnteredFormat.numberFormat"
        cell = {"userEnteredFormat": {"numberFormat": look}} if look else {}
        yield {"repeatCell": {"range": area, "cell": cell, "fields": part}}
    if rows > head + 1 and (rule := drop_down(one)):
        yield {"setDataValidation": {"range": grid_range(sheet_id, head + 1, rows, place, place + 1), "rule": rule}}
    size = {"pixelSize": max(_WIDE.get(one.tag, _WIDTHS.get(one.kind, 160)), 9 * len(one.header) + 24)}
    shown = {"range": _column_place(sheet_id, place), "properties": size, "fields": "pixelSize,hiddenByUser"}
    yield {"updateDimensionProperties": shown}
    yield _mark(COLUMN_MARK, one.tag, {"dimensionRange": _column_place(sheet_id, place)})


def drop_down(one: NewColumn) -> Json | None:
    """A box to tick, or a list to choose from. Neither refuses anything: whoever types another word is only shown it."""
    if one.kind == "yesno":
        return {"condition": {"type": "BOOLEAN"}, "strict": False}
    if not one.choices:
        return None
    words = [{"userEnteredValue": word} for word in one.choices]
    return {"condition": {"type": "ONE_OF_LIST", "values": words}, "strict": False, "showCustomUi": True}


def number_look(kind: str, setting: Setting) -> Json | None:
    """How a column of this kind shows its values; dates follow the spreadsheet's own locale."""
    if kind == "date":
        return {"type": "DATE"}
    if kind != "money":
        return None
    sign = _CURRENCY.get(setting.country, "€")
    before = setting.language == "en" and sign != "CHF"
    return {"type": "CURRENCY", "pattern": f'"{sign}"#,##0.00' if before else f'#,##0.00\u00a0"{sign}"'}


def new_tab(tab: str, new: Sequence[NewColumn], setting: Setting) -> list[Json]:
    """A tab of its own: bold headers that stay in sight, our key column hidden at the right end."""
    sheet_id = _id()
    grid = {"rowCount": 2, "columnCount": len(new) + 1, "frozenRowCount": 1}
    batch: list[Json] = [{"addSheet": {"properties": {"sheetId": sheet_id, "title": tab, "gridProperties": grid}}}]
    return [*batch, *_fill_tab(tab, sheet_id, new, setting, 2)]


def empty_tab(reading: Reading, new: Sequence[NewColumn], setting: Setting) -> list[Json]:
    """The same in a tab of the team that has nothing in it yet."""
    batch = make_room(reading, 0, len(new) + 1)
    frozen = {"sheetId": reading.sheet_id, "gridProperties": {"frozenRowCount": 1}}
    batch.append({"updateSheetProperties": {"properties": frozen, "fields": "gridProperties.frozenRowCount"}})
    return [*batch, *_fill_tab(reading.tab, reading.sheet_id, new, setting, reading.row_count)]


def _fill_tab(tab: str, sheet_id: int, new: Sequence[NewColumn], setting: Setting, rows: int) -> Iterator[Json]:
    yield from new_columns(sheet_id, 0, 0, new, setting, rows)
    yield from _dress_key(sheet_id, 0, len(new), "fr" if setting.language == "fr" else "en")
    yield _mark(TAB_MARK, tab, {"sheetId": sheet_id})
    yield _mark(STAMP_MARK, secrets.token_hex(8), {"sheetId": sheet_id})
