"""The team's spreadsheet at Google.

One ranged read gives a tab with everything we need of it; one atomic `spreadsheets.batchUpdate` writes typed cells, marks
and the batch's stamp. Google has no compare-and-set: so the headers, the keys and the rows concerned are looked at just
before a write, and its answer tells what stands there after it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pydantic

from connectors.sheets.sheet import Batch, Calls, Changes, NewColumn, Refused, Table, TabName
from connectors.source import Setting
from connectors.trouble import FixFile, GiveUp, Trouble, TryLater

if TYPE_CHECKING:
    from connectors.sheets.googlesheets.answers import TabData
    from connectors.sheets.googlesheets.keeping import Work
    from connectors.sheets.googlesheets.reading import Reading
    from connectors.sheets.googlesheets.scope import Area, Glance
    from connectors.sheets.googlesheets.writing import Step

_ADDRESS = re.compile(r"/spreadsheets/(?:u/\d+/)?d/(?!e/)([A-Za-z0-9_-]+)")
_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
_REPAIRS = 4


class GoogleSettings(pydantic.BaseModel):
    """The `sheet:` block of the config, for `type: google`."""

    model_config = pydantic.ConfigDict(extra="forbid")

    spreadsheet: str = pydantic.Field(
        min_length=1, description="The spreadsheet's address in the browser, or the long code in it."
    )
    credentials: pydantic.SecretStr = pydantic.Field(
        description="The JSON key of a service account: the file's path from the config's folder, or ${file:…}."
    )
    endpoint: str | None = pydantic.Field(
        default=None, description="Another address of the Sheets API, for tests or a proxy."
    )

    @pydantic.field_validator("endpoint", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return value or None


class Google:
    """One spreadsheet, shared with our service account as an editor.

    Raises `LogInAgain("google-not-shared", email=…)` and its like with the address to share it with. Nothing but the
    scope `spreadsheets` is asked for: so there is no cheap revision (the file's version is Drive's), and `revision` is None.
    """

    service: ClassVar[str] = "google"
    Settings: ClassVar[type[pydantic.BaseModel]] = GoogleSettings
    looks_again: ClassVar[bool] = True

    def __init__(self, settings: GoogleSettings, setting: Setting) -> None:
        try:
            from connectors.sheets.googlesheets.account import Account
            from connectors.sheets.googlesheets.session import Session
        except ModuleNotFoundError as error:
            raise FixFile("google-missing") from error
        self.setting, self.calls = setting, Calls()
        self.id = _id_of(settings.spreadsheet)
        self.account = Account(settings.credentials.get_secret_value(), setting.folder)
        self._session = Session(self.account, self.id, settings.endpoint, setting, self.calls)
        self._readings: dict[str, Reading] = {}

    @property
    def remarks(self) -> Sequence[tuple[str, dict[str, str]]]:
        """What the person who set it up should know."""
        return [("google-key-open", {})] if self.account.open_to_all else []

    def check(self, tab: str) -> Sequence[str]:
        """The headers of the tab, none if it is still to be made."""
        table = self.read(tab)
        return [column.header for column in table.columns] if table else []

    def tabs(self) -> Sequence[TabName]:
        """The tabs with cells that are not hidden; `ref` is the number behind `gid=` in the address. One call."""
        from connectors.sheets.googlesheets import answers

        told = answers.spreadsheet(self._session.read(params={"fields": answers.TITLES})).sheets
        shown = [one.properties for one in told if one.properties.sheetType == "GRID" and not one.properties.hidden]
        return [TabName(one.title, str(one.sheetId)) for one in shown]

    def revision(self, tab: str) -> str | None:  # noqa: ARG002  nothing cheap says it, whatever the tab
        """None: see the class."""
        return None

    def read(self, tab: str) -> Table | None:
        """One call; three where the team renamed the tab, which is then known by its mark."""
        reading = self._read(tab)
        if reading is None:
            self._readings.pop(tab, None)
            return None
        self._readings[tab] = reading
        return reading.table()

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        """Make the tab, or the headers of an empty one. What is there stays. The spreadsheet itself must be there: a
        service account can't own files.
        """
        from connectors.sheets.googlesheets import marks

        reading = self._read(tab)
        if reading is None:
            self._structure(marks.new_tab(tab, columns, self.setting), lambda: self._named(tab) is not None)
        elif reading.header < 0:
            self._structure(marks.empty_tab(reading, columns, self.setting), lambda: self._has_headers(tab))
        return self._read_anew(tab)

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        from connectors.sheets.googlesheets import marks
        from connectors.sheets.googlesheets.scope import areas

        reading = self._reading_of(table)
        self._refuse_if_changed(reading, areas(reading, (), (), keyless=False))
        at = reading.right
        room = marks.make_room(reading, at, len(columns))
        dressed = marks.new_columns(
            reading.sheet_id, reading.header, at, columns, self.setting, max(reading.row_count, reading.header + 1)
        )
        headers = {column.header for column in columns}
        self._structure([*room, *dressed], lambda: headers <= set(self.check(table.tab)))
        return self._read_anew(table.tab)

    def write(
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        """Batches of about 2 MB, each with its stamp. Where a write's answer was lost, the stamp is asked first."""
        if not changes:
            return
        from connectors.sheets.googlesheets.writing import steps

        reading = self._reading_of(table).copy()
        for number, step in enumerate(steps(reading, changes, self.account.email)):
            if step.changes and (number == 0 or step.changes.keys or step.changes.cells):
                self._refuse_if_changed(reading, self._areas(reading, step))
            self._land(reading, step, before)
            after(Batch(step.stamp, step.changes, step.refused))

    def landed(self, tab: str, stamp: str) -> bool | None:
        """True if the stamp is among the last few on the tab; None where the tab has none (replaced, or never written)."""
        data = self._named(tab)
        stamps = _stamps(data) if data else None
        return None if stamps is None else stamp in stamps

    def mend(self, tab: str, stamp: str, kept: bytes, keep: Callable[[bytes], None]) -> Sequence[Refused]:
        """One read where nothing moved."""
        from connectors.sheets.googlesheets.keeping import thaw

        return self._put_right(tab, thaw(tab, kept), stamp, keep, late=True)

    def address(self) -> str:
        return f"https://docs.google.com/spreadsheets/d/{self.id}/edit"

    def close(self) -> None:
        self._session.close()

    # Reading

    def _read(self, tab: str) -> Reading | None:
        from connectors.sheets.googlesheets import answers
        from connectors.sheets.googlesheets.reading import read_tab

        asked = {"ranges": f"'{tab.replace(chr(39), chr(39) * 2)}'", "fields": answers.WHOLE}
        try:
            raw = self._session.read(params=asked)
        except TryLater as error:
            if error.code != "sheet-changed":
                raise
            found = self._named(tab)  # no tab of this name: did they rename it?
            if found is None:
                return None
            whole = {"dataFilters": [{"gridRange": {"sheetId": found.properties.sheetId}}]}
            raw = self._session.read(":getByDataFilter", params={"fields": answers.WHOLE}, body=whole)
        sheets = answers.spreadsheet(raw).sheets
        return read_tab(tab, sheets[0], raw) if sheets else None

    def _named(self, tab: str) -> TabData | None:
        """The tab of this name, else the one that has our mark for it."""
        from connectors.sheets.googlesheets import answers
        from connectors.sheets.googlesheets.reading import TAB_MARK

        tabs = answers.spreadsheet(self._session.read(params={"fields": answers.NAMES})).sheets
        titled = [one for one in tabs if one.properties.title == tab]
        marked = [
            one for one in tabs
            if any((mark.metadataKey, mark.metadataValue) == (TAB_MARK, tab) for mark in one.developerMetadata)
        ]  # fmt: skip
        return next(iter(titled or marked), None)

    def _read_anew(self, tab: str) -> Table:
        table = self.read(tab)
        if table is None:
            raise TryLater("sheet-changed", tab=tab)
        return table

    def _reading_of(self, table: Table) -> Reading:
        reading = self._readings.get(table.tab)
        if reading is None or reading.revision != table.revision:
            raise TryLater("sheet-changed", tab=table.tab)
        return reading

    def _has_headers(self, tab: str) -> bool:
        reading = self._read(tab)
        return reading is not None and reading.header >= 0

    # Looking just before and just after

    def _areas(self, reading: Reading, step: Step) -> list[Area]:
        from connectors.sheets.googlesheets.reading import number
        from connectors.sheets.googlesheets.scope import areas

        rows = [int(key.row) - 1 for key in step.changes.keys] + [int(cell.row) - 1 for cell in step.changes.cells]
        columns = {number(one.column) for one in step.changes.cells}
        return areas(reading, rows, columns, keyless=bool(step.changes.keys))

    def _glance(self, reading: Reading, asked: Sequence[Area]) -> Glance:
        from connectors.sheets.googlesheets import answers
        from connectors.sheets.googlesheets.scope import glance

        filters = [{"gridRange": area.json(reading.sheet_id)} for area in asked]
        try:
            raw = self._session.read(":getByDataFilter", params={"fields": answers.SOME}, body={"dataFilters": filters})
        except TryLater as error:
            if error.code == "sheet-changed":
                raise TryLater("sheet-changed", tab=reading.tab) from None
            raise
        sheets = answers.spreadsheet(raw).sheets
        if not sheets:
            raise TryLater("sheet-changed", tab=reading.tab)
        reading.title = sheets[0].properties.title
        return glance(asked, sheets[0])

    def _refuse_if_changed(self, reading: Reading, asked: Sequence[Area]) -> None:
        if self._glance(reading, asked).differs(reading):
            raise TryLater("sheet-changed", tab=reading.tab)

    # Writing

    def _land(self, reading: Reading, step: Step, before: Callable[[Batch], None]) -> None:
        """Where Google refuses a cell, nothing has landed: the rest goes without it."""
        from connectors.sheets.googlesheets.keeping import Work, freeze
        from connectors.sheets.googlesheets.repair import moved
        from connectors.sheets.googlesheets.writing import request_batch, without

        if not step.changes:
            before(Batch(step.stamp, step.changes, step.refused))
            return
        base = reading.copy()
        requests = request_batch(reading, step, "fr" if self.setting.language == "fr" else "en")
        made = {id_: reading.marks[id_] for id_ in step.marks}
        work = Work(reading, step.puts, step.stood, step.fresh, made)

        def keep(kept: bytes) -> None:
            before(Batch(step.stamp, step.changes, step.refused, kept=kept))

        keep(freeze(work))
        try:
            seen = self._send(reading, requests, self._areas(reading, step), step.stamp)
        except GiveUp as error:
            place = error.facts.get("request", -1)
            if not isinstance(place, int) or place < 0 or not without(step, requests[place]):
                raise
            vars(reading).update(vars(base))
            self._land(reading, step, before)
            return
        if moved(reading, seen, step.puts):
            step.refused = [*step.refused, *self._put_right(reading.tab, work, step.stamp, keep)]

    def _send(self, reading: Reading, requests: Sequence[Any], asked: Sequence[Area], stamp: str) -> Glance:
        """One batch, and the areas as they stand after it."""
        from connectors.sheets.googlesheets import answers
        from connectors.sheets.googlesheets.scope import glance

        body = {
            "requests": requests,
            "includeSpreadsheetInResponse": True,
            "responseRanges": [area.a1(reading.title, reading.column_count) for area in asked],
        }
        params = {"fields": f"updatedSpreadsheet({answers.SOME})"}
        try:
            raw = self._session.write(body, params, lambda: self.landed(reading.tab, stamp))
        except TryLater as error:  # a tab renamed in this instant: was it the change that was refused, or its answer?
            if error.code != "sheet-changed" or not self.landed(reading.tab, stamp):
                raise
            raw = None
        sheets = answers.updated(raw).updatedSpreadsheet.sheets if raw is not None else []
        return glance(asked, sheets[0]) if sheets else self._glance(reading, asked)

    def _put_right(
        self, tab: str, work: Work, stamp: str, keep: Callable[[bytes], None], *, late: bool = False
    ) -> list[Refused]:
        """Rows or columns moved in between: put right what was hit, from what was read. They may move again meanwhile."""
        from connectors.sheets.googlesheets import marks
        from connectors.sheets.googlesheets.cells import requests
        from connectors.sheets.googlesheets.keeping import freeze
        from connectors.sheets.googlesheets.repair import moved, repair

        for tries in range(_REPAIRS):
            now = self._read(tab)
            if now is None:
                return []
            right = repair(work, now, late=late, again=tries > 0)
            if not (right.puts or right.marks):
                return right.told(work, late=late)
            mended = now.copy()
            batch = marks.move(mended, work.should, work.marks, right.marks)
            for one in right.puts:
                mended.put(one.row, one.column, one.value)
            work.sent(right.puts)
            keep(freeze(work))
            mark = secrets.token_hex(8)
            batch += [*requests(now.sheet_id, right.puts), *marks.stamp(mended, mark, stamp)]
            seen = self._send(mended, batch, self._rows_of(mended, right.puts), mark)
            if not (right.more or moved(mended, seen, right.puts)):
                return right.told(work, late=late)
        raise TryLater("sheet-changed", tab=tab)

    def _rows_of(self, reading: Reading, puts: Sequence[Any]) -> list[Area]:
        from connectors.sheets.googlesheets.scope import areas

        keyless = any(one.column == reading.key for one in puts)
        return areas(reading, {one.row for one in puts}, {one.column for one in puts}, keyless=keyless)

    def _structure(self, requests: Sequence[Any], there: Callable[[], bool]) -> None:
        """Make tabs and columns. A colleague who was quicker is no trouble: it is read anew."""
        try:
            self._session.write({"requests": requests}, {"fields": "replies"}, there)
        except Trouble as trouble:
            if trouble.code != "google-refused" or not there():
                raise


def _stamps(data: TabData) -> list[str] | None:
    from connectors.sheets.googlesheets.reading import STAMP_MARK

    return next((mark.metadataValue.split() for mark in data.developerMetadata if mark.metadataKey == STAMP_MARK), None)


def _id_of(text: str) -> str:
    """The spreadsheet's id, from itself or from its address."""
    found = _ADDRESS.search(text)
    if found:
        return found[1]
    if _ID.fullmatch(text.strip()):
        return text.strip()
    raise FixFile("google-address", given=text[:60])
