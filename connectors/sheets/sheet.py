"""What a shared spreadsheet is: the one interface behind which Excel, Google Sheets and Airtable stand.

The engine (`sync/sheet`) decides what to write and remembers what was agreed; a sheet only reads and lands batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

import msgspec
import pydantic

from connectors.source import Setting

Cell = str | int | float | bool | date | datetime | None
"""A cell's value. Empty is None (never ""). Datetimes are naive, in the organisation's time zone. Text is text: a sheet
never interprets what is written (`=1+1`, `+33…`, `007` stay as they are)."""


KEY_HEADER = "Fil rouge"
"""The header of our key column. It is no member of `Table.columns`; where it is missing, `write` and `create` add it."""


class TabName(msgspec.Struct, frozen=True):
    """A tab as people see it: its `name`, and the `ref` by which an address in the browser points at it (gid, tbl…)."""

    name: str
    ref: str = ""


class Formula(msgspec.Struct, frozen=True):
    """A cell that the team computes. `value` is the result that was last saved, None if there is none."""

    text: str
    value: Cell = None


class Column(msgspec.Struct, frozen=True):
    """`ref` finds the column again in this reading and lasts as long as the kind of sheet can make it last (field id in
    Airtable, column tag in Google, letter in Excel). `tag` is our field if the column carries our mark, else None.
    """

    ref: str
    header: str
    tag: str | None = None


class Row(msgspec.Struct):
    """`ref` finds the row in this reading only (a number, a record id). `key` is what our key column holds.
    `cells` stand in the order of `Table.columns`. Rows with nothing in any column are left out.
    """

    ref: str
    key: str | None
    cells: list[Cell | Formula]


@dataclass(frozen=True)
class Table:
    """One tab as it was read. `revision` lets `write` see that somebody saved in between.
    `complete` is False when the reading may lack rows: then nothing may be concluded from a row's absence.
    """

    tab: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    revision: str
    complete: bool = True


@dataclass(frozen=True)
class CellWrite:
    """Put `value` into the cell at (`row`, `column`); `was` is what was read there."""

    row: str
    key: str
    column: str
    value: Cell
    was: Cell | Formula


@dataclass(frozen=True)
class KeyWrite:
    """Give an existing row of the team our key (adoption)."""

    row: str
    key: str


@dataclass(frozen=True)
class NewRow:
    """A row to add below the others: `cells` by column ref."""

    key: str
    cells: dict[str, Cell]


@dataclass(frozen=True)
class NewColumn:
    """A column to add at the right end, with `header` in the header row; `kind` is text, number, money, date, yesno.
    `choices`: the words that it ever shows, if they are few.
    """

    header: str
    kind: str
    tag: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """All that one run wants in one tab. `tags`: our field for the ref of a column of the team that shows it; a sheet
    that can mark columns does so with its next batch, so that a renamed column is found again. They alone are no change.
    """

    keys: Sequence[KeyWrite] = ()
    cells: Sequence[CellWrite] = ()
    rows: Sequence[NewRow] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.keys or self.cells or self.rows)


@dataclass(frozen=True)
class Refused:
    """One cell that this kind of sheet can't take or must not change. It stays as it is; the rest of its row lands.
    `row` is None for a cell of a new row. `code` and `facts` as in `connectors.trouble`.
    """

    row: str | None
    key: str
    column: str
    code: str
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """What lands together or not at all. `stamp` proves it later: `Sheet.landed(tab, stamp)`.

    `changes` are those that land, with each value as it will be read back (a date before 1900 becomes text in Excel);
    `refused` are the cells that were left out. `leaves` is the tab's revision once it has landed, as `Sheet.revision`
    gives it while nobody else saves; None where that can't be known before reading. `kept`: what the sheet asks to have
    kept with the intent, and is given again by the next run if this one is killed (`Mending`).
    """

    stamp: str
    changes: Changes = field(default_factory=Changes)
    refused: Sequence[Refused] = ()
    leaves: str | None = None
    kept: bytes = b""


class Calls(msgspec.Struct):
    """Calls made so far, for the run's summary and the budget of quotas (files count as calls too)."""

    read: int = 0
    write: int = 0


class Sheet(Protocol):
    """A spreadsheet of the team. All methods raise `connectors.trouble`.

    The engine reads, plans, commits each batch's intent in `before`, and moves what is agreed in `after`. When a run
    was killed in between, the next one asks `landed` with the stamp of the intent.
    """

    service: ClassVar[str]
    Settings: ClassVar[type[pydantic.BaseModel]]
    calls: Calls

    def __init__(self, settings: Any, setting: Setting) -> None: ...

    def check(self, tab: str) -> Sequence[str]:
        """Try to reach the tab; give its headers."""
        ...

    def revision(self, tab: str) -> str | None:
        """Something cheap that changes whenever anybody saves; None where the kind of sheet has no such thing."""
        ...

    def read(self, tab: str) -> Table | None:
        """The whole tab, None if the file or the tab does not exist yet."""
        ...

    def create(self, tab: str, columns: Sequence[NewColumn]) -> Table:
        """Make the file and the tab as far as they are missing, and give them back as read."""
        ...

    def add_columns(self, table: Table, columns: Sequence[NewColumn]) -> Table:
        """Add columns at the right end of an existing tab, and give it back as read anew."""
        ...

    def write(
        self, table: Table, changes: Changes, before: Callable[[Batch], None], after: Callable[[Batch], None]
    ) -> None:
        """Land `changes`, read against `table`, in as few batches as can be.

        `before(batch)` is called when nothing of it has left yet, and once more with the same stamp if what is to be
        `kept` grows; `after(batch)` when it has surely landed.
        Raises `TryLater("sheet-changed")` when somebody saved since `table` was read and nothing was written:
        the engine reads and plans again. A sheet with `looks_again = True` reads each row anew just before it writes
        it, leaves out those that somebody changed, and raises when the others have landed.
        """
        ...

    def landed(self, tab: str, stamp: str) -> bool | None:
        """Did the batch with this stamp land? None: can't be known (somebody saved since); then compare cell by cell."""
        ...

    def address(self) -> str:
        """Where a person opens it: a path or a link."""
        ...

    def close(self) -> None: ...


class Browsable(Sheet, Protocol):
    """A sheet that can tell its tabs: what `filrouge init` needs to find its way in one that it has never seen."""

    def tabs(self) -> Sequence[TabName]:
        """The tabs that people see, in their order; none where the file does not exist yet. Changes nothing."""
        ...


@runtime_checkable
class Mending(Sheet, Protocol):
    """A sheet whose rows may move in the very instant of a write, so that what landed wrongly is put right after it."""

    def mend(self, tab: str, stamp: str, kept: bytes, keep: Callable[[bytes], None]) -> Sequence[Refused]:
        """Put right the batch with this stamp, which landed in a run that was killed before it could look at what it
        did. `kept` is its `Batch.kept`; `keep` is called with what takes its place before anything is sent. Gives the cells concerned.
        """
        ...
