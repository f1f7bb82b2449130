"""The team's base in Airtable, through pyairtable.

Tables and fields are known by their ids, so a renamed field stays what it is. Only records that change are sent, 10 a
request, at most 5 requests a second; each record is looked at again just before it is written. Nothing is ever cleared,
replaced (PUT) or interpreted (`typecast`), and no option is made for a choice that nobody offered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec
import pydantic
from pydantic_core import PydanticCustomError

from connectors.sheets.sheet import (
    KEY_HEADER,
    Batch,
    Calls,
    Cell,
    Changes,
    Column,
    Formula,
    NewColumn,
    Row,
    Table,
    TabName,
)
from connectors.source import Setting
from connectors.trouble import FixFile, LogInAgain, Trouble, TryLater

if TYPE_CHECKING:
    from pyairtable.api.table import Table as Remote

    from connectors.sheets.airtables.fields import TableOf

PAGE = 100
RESTARTS = 3
ROOM = 0.7  # of the month's calls may go into readings; the rest is for what changes
MONTHLY = {"free": 1_000, "team": 100_000, "business": None}
_BASE = re.compile(r"\bapp[A-Za-z0-9]{14}\b")


def base_id(text: str) -> str:
    found = _BASE.search(text)
    if found is None:
        raise PydanticCustomError("airtable-base", "must be the base's id (app…) or its address")
    return found[0]


def access_token(secret: pydantic.SecretStr) -> pydantic.SecretStr:
    text = secret.get_secret_value().strip()
    if not (text.startswith("pat") and text.isascii() and text.isprintable()):
        raise PydanticCustomError("airtable-token", "must be a personal access token (pat…)")
    return pydantic.SecretStr(text)


class AirtableSettings(pydantic.BaseModel):
    """The `sheet:` block of the config, for `type: airtable`."""

    model_config = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True)

    base: Annotated[str, pydantic.AfterValidator(base_id)] = pydantic.Field(
        description="The base: its id (app…), or its address copied from the browser."
    )
    token: Annotated[pydantic.SecretStr, pydantic.AfterValidator(access_token)] = pydantic.Field(
        description="Personal access token (airtable.com/create/tokens) with data.records:read, data.records:write, "
        "schema.bases:read and, so that fields can be made, schema.bases:write."
    )
    plan: Literal["free", "team", "business"] = pydantic.Field(
        "free", description="The workspace's plan: how many calls a month Airtable allows."
    )
    endpoint: str | None = pydantic.Field(
        None, pattern="^(https?://.*)?$", description="Another address of the API, for tests or a proxy."
    )


class Airtable:
    """One base. A tab is a table, by its name or its id (tbl…); it is made if it does not exist and the token may.

    There is no cheap way to see whether anybody saved (`revision` is None), and no way to write only if nothing changed;
    so `write` reads 100 records anew, leaves out those that somebody changed, and sends the others within 2 seconds.
    """

    service: ClassVar[str] = "airtable"
    Settings: ClassVar[type[pydantic.BaseModel]] = AirtableSettings
    looks_again: ClassVar[bool] = True

    def __init__(self, settings: AirtableSettings, setting: Setting) -> None:
        try:
            from connectors.sheets.airtables import line
        except ModuleNotFoundError:
            raise FixFile("airtable-missing") from None
        token = settings.token.get_secret_value()
        self.setting, self.plan, self.calls = setting, settings.plan, Calls()
        self._zone = ZoneInfo(setting.timezone)
        self._line = line.Line(self.calls, setting.sleep)
        self._api = line.api(token, settings.endpoint or "https://api.airtable.com", self._line)
        self._base = self._api.base(settings.base)
        self._tables: list[TableOf] = []

    # What the engine calls

    def check(self, tab: str) -> Sequence[str]:
        """The headers of the table, none if it is still to be made. One call."""
        table = self._find(tab, fresh=True)
        return [field.name for field in table.columns] if table else []

    def tabs(self) -> Sequence[TabName]:
        """The tables; `ref` is the table's id, which stands in its address and outlives a new name. One call."""
        self._find("", fresh=True)
        return [TabName(table.name, table.id) for table in self._tables]

    def revision(self, tab: str) -> str | None:  # noqa: ARG002  the same for each table
        """Nothing cheap tells that somebody saved: a record's last change is seen by a filter, a deletion by nothing."""
        return None

    def read(self, tab: str) -> Table | None:
        """The schema in one call, then 100 records a call: complete, or anew from page one where paging broke off."""
        for _ in range(RESTARTS):
            table = self._find(tab, fresh=True)
            if table is None:
                return None
            records = self._records(table)
            if records is not None:
                return self._as_table(tab, table, records)
        raise TryLater("airtable-paging", tab=tab)

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        """Make what is missing: the table, or fields of it. What is there stays."""
        table = self._find(tab, fresh=True)
        if table is None:
            self._make_table(tab, columns)
        else:
            there = {field.name for field in table.fields}
            self._make_fields(table, [*self._ours_missing(table), *(c for c in columns if c.header not in there)])
        return self._read_anew(tab)

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        self._make_fields(self._there(table.tab), columns)
        return self._read_anew(table.tab)

    def write(
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        """10 records a batch. Records that somebody changed since `table` was read are left out; the others land, and
        then `TryLater("sheet-changed")` asks for a new reading.
        """
        if not changes:
            return
        from connectors.sheets.airtables.fitting import Fitting
        from connectors.sheets.airtables.landing import Landing, tens

        there = self._with_our_fields(table.tab)
        entries, rows, refused = Fitting(there, self._zone, self.setting.language).entries(changes)
        landing = Landing(self._line, self._remote(there), there, before, after, refused)
        for part in tens(entries, PAGE):
            same = self._as_read(table, there, [str(entry.ref) for entry in part])
            landing.changed |= len(same) < len(part)
            landing.land([entry for entry in part if entry.ref in same])
        if rows and self._has_newcomers(table, there):
            landing.changed = True
        else:
            landing.land(rows)
        landing.close()
        if landing.changed:
            raise TryLater("sheet-changed", tab=table.tab)

    def landed(self, tab: str, stamp: str) -> bool | None:
        """Does a record carry the stamp? None if our field for stamps is gone, or the record that should carry it."""
        from connectors.sheets.airtables.landing import has_landed

        table = self._find(tab, fresh=True)
        if table is None or table.lot is None:
            return None
        return has_landed(self._remote(table), table, stamp)

    def address(self) -> str:
        return f"https://airtable.com/{self._base.id}"

    def close(self) -> None:
        self._line.close()

    def month(self, runs: float) -> tuple[str, dict[str, object]]:
        """What `runs` runs a month cost in calls, as a code and its facts: by the reading just made, which is what a
        quiet day costs. Calls a month: support.airtable.com, Workspace settings page.
        """
        reading = max(self.calls.read, 2)
        calls, limit = round(runs * reading), MONTHLY[self.plan]
        facts: dict[str, object] = {"n": round(runs), "reading": reading, "calls": calls, "plan": self.plan.title()}
        if limit is None:
            return "airtable-month-unlimited", facts
        facts |= {"limit": limit, "share": round(100 * calls / limit), "most": int(limit * ROOM / reading)}
        return ("airtable-month-fits" if calls <= limit * ROOM else "airtable-month-over"), facts

    # Tables and fields

    def _find(self, tab: str, *, fresh: bool = False) -> TableOf | None:
        from connectors.sheets.airtables.fields import Schema

        if fresh or not self._tables:
            told = self._api.get(self._base.urls.tables)
            self._tables = msgspec.convert(told, Schema, strict=False).tables
        named = [table for table in self._tables if tab in (table.id, table.name)]
        return next(iter(named), None)

    def _there(self, tab: str) -> TableOf:
        table = self._find(tab)
        if table is None:
            raise TryLater("sheet-changed", tab=tab)
        return table

    def _remote(self, table: TableOf) -> Remote:
        return self._base.table(table.id)

    def _with_our_fields(self, tab: str) -> TableOf:
        table = self._there(tab)
        missing = self._ours_missing(table)
        if missing:
            self._make_fields(table, missing)
            table = self._there(tab)
        return table

    def _ours_missing(self, table: TableOf) -> list[NewColumn]:
        from connectors.sheets.airtables.fields import KEY, LOT, LOT_HEADER

        key = [] if table.key else [NewColumn(KEY_HEADER, "text", KEY)]
        return key + ([] if table.lot else [NewColumn(LOT_HEADER, "text", LOT)])

    def _specs(self, columns: Sequence[NewColumn]) -> list[dict[str, Any]]:
        from connectors.sheets.airtables.fields import new_field

        return [new_field(column, self.setting.country, self.setting.language) for column in columns]

    def _make_table(self, tab: str, columns: Sequence[NewColumn]) -> None:
        if tab.startswith("tbl"):
            raise FixFile("airtable-no-table", tab=tab)
        from connectors.sheets.airtables.fields import KEY, LOT, LOT_HEADER, by_hand

        ours = [NewColumn(KEY_HEADER, "text", KEY), NewColumn(LOT_HEADER, "text", LOT)]
        every = [*columns, *ours]
        first = next(column for column in every if column.kind == "text")  # a table's first field has to be a text
        specs = self._specs([first, *(column for column in every if column is not first)])
        try:
            self._api.post(self._base.urls.tables, json={"name": tab, "fields": specs})
        except LogInAgain as trouble:
            if trouble.code != "airtable-not-allowed":
                raise
            listed = by_hand(specs, self.setting.language)
            raise FixFile("airtable-table-by-hand", tab=tab, fields=listed) from None
        except Trouble:
            if self._find(tab, fresh=True) is None:  # the answer was lost, or a colleague made it at the same time
                raise

    def _make_fields(self, table: TableOf, columns: Sequence[NewColumn]) -> None:
        for place, spec in enumerate(self._specs(columns)):
            self._make_field(table, spec, columns[place:])
            self._tables = []

    def _make_field(self, table: TableOf, spec: dict[str, Any], rest: Sequence[NewColumn]) -> None:
        from connectors.sheets.airtables.fields import by_hand

        try:
            self._api.post(self._remote(table).urls.fields, json=spec)
        except LogInAgain as trouble:
            if trouble.code != "airtable-not-allowed":
                raise
            listed = by_hand(self._specs(rest), self.setting.language)
            raise FixFile("airtable-fields-by-hand", tab=table.name, fields=listed) from None
        except Trouble:
            found = self._find(table.id, fresh=True)
            if found is None or spec["name"] not in {field.name for field in found.fields}:
                raise

    # Records

    def _records(self, table: TableOf, formula: str | None = None) -> list[dict[str, Any]] | None:
        """All records, each once; None if paging broke off or a field went away meanwhile."""
        from connectors.sheets.airtables.line import Wrong

        # Fields are asked for by id: one that is gone is then an error, and not a column of empty cells.
        asked: dict[str, Any] = {"page_size": PAGE, "fields": [field.id for field in table.fields]}
        if formula:
            asked["formula"] = formula
        found: dict[str, dict[str, Any]] = {}
        try:
            for page in self._remote(table).iterate(**asked):
                found |= {record["id"]: dict(record) for record in page}
        except Wrong as wrong:
            if wrong.kind in ("LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "UNKNOWN_FIELD_NAME", "INVALID_OFFSET_VALUE"):
                return None
            raise
        # Airtable gives them in no order of its own: by age, so that the same table always reads the same.
        return sorted(found.values(), key=lambda record: (record.get("createdTime", ""), record["id"]))

    def _as_table(self, tab: str, table: TableOf, records: Sequence[Mapping[str, Any]]) -> Table:
        columns = [Column(field.id, field.name, field.mark) for field in table.columns]
        rows = [row for row in self._rows(table, records) if row.key or _holds_something(row)]
        seen = hashlib.sha256(msgspec.json.encode([columns, rows])).hexdigest()
        newest = max((record.get("createdTime", "") for record in records), default="")
        return Table(tab, columns, rows, f"{newest} {seen}")

    def _has_newcomers(self, table: Table, there: TableOf) -> bool:
        """Did somebody add a row since `table` was read? It may be about a person we are about to add. One call."""
        newest = table.revision.partition(" ")[0]
        formula = None
        if newest:
            since = datetime.fromisoformat(newest) - timedelta(seconds=1)
            formula = f"IS_AFTER(CREATED_TIME(),DATETIME_PARSE('{since.isoformat(timespec='milliseconds')[:23]}Z'))"
        known = {row.ref for row in table.rows}
        records = self._records(there, formula)
        rows = self._rows(there, records or ())
        return records is None or any(row.ref not in known and (row.key or _holds_something(row)) for row in rows)

    def _rows(self, table: TableOf, records: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
        from connectors.sheets.airtables.fields import read_cell

        key = table.key
        for record in records:
            said = record.get("fields", {})
            cells = [read_cell(field, said.get(field.id), self._zone) for field in table.columns]
            yield Row(record["id"], str(said.get(key.id) or "").strip() or None if key else None, cells)

    def _as_read(self, table: Table, there: TableOf, refs: Sequence[str]) -> set[str]:
        """Those of the records that nobody has changed since `table` was read. One call for up to 100."""
        these = ",".join(f"RECORD_ID()='{ref}'" for ref in refs)
        records = self._records(there, f"OR({these})")
        if records is None:
            raise TryLater("sheet-changed", tab=table.tab)
        known = {column.ref: place for place, column in enumerate(table.columns)}
        wanted = set(refs)
        before = {row.ref: row for row in table.rows if row.ref in wanted}
        same = set()
        for row in self._rows(there, records):
            old = before.get(row.ref)
            cells = [
                (cell, old.cells[known[field.id]] if field.id in known else None)
                for field, cell in zip(there.columns, row.cells, strict=True)
            ] if old else []  # fmt: skip
            if old and old.key == row.key and not any(_differs(now, was) for now, was in cells):
                same.add(row.ref)
        return same

    def _read_anew(self, tab: str) -> Table:
        table = self.read(tab)
        if table is None:
            raise TryLater("sheet-changed", tab=tab)
        return table


def _holds_something(row: Row) -> bool:
    """Something typed: what a base computes stands in its empty records too."""
    return any(cell is not None and not isinstance(cell, Formula) for cell in row.cells)


def _differs(now: Cell | Formula, was: Cell | Formula | None) -> bool:
    """Did somebody change the cell? What a base computes changes by itself."""
    return not isinstance(now, Formula) and now != was
