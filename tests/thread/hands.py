"""The team's hands in its sheet, the same in Excel, Google Sheets and Airtable: what people do in the window.

Nothing below goes through our code: a workbook is opened and saved by openpyxl (`hands_excel`), the two others are their
servers' own grids (`hands_google`, `hands_airtable`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pytest

from connectors.sheets.sheet import KEY_HEADER, Cell, Formula
from tests.thread.messy import NUMBER

TAB = "Contacts"
TITLE = "Contacts du Phare (ne pas imprimer !)"
OURS_TO_HIDE = (KEY_HEADER, f"{KEY_HEADER} · lot")
Shown = dict[str, dict[str, Cell | Formula]]


def as_seen(value: Any) -> Cell | Formula:
    """A value as a person would call it: 3.0 is 3, midnight is the day, nothing is nothing."""
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date()
    if isinstance(value, float) and value == int(value):
        return int(value)
    return None if value in ("", None) else value


class Team(ABC):
    """A row is called by its N°, or by our key where it is ours. `columns` and `lines` are things that keep their identity."""

    kind: ClassVar[str]
    colours: ClassVar[bool] = True
    single_formulas: ClassVar[bool] = True

    @property
    @abstractmethod
    def columns(self) -> list[Any]: ...

    @columns.setter
    @abstractmethod
    def columns(self, columns: list[Any]) -> None: ...

    @property
    @abstractmethod
    def lines(self) -> list[Any]: ...

    @lines.setter
    @abstractmethod
    def lines(self, lines: list[Any]) -> None: ...

    @abstractmethod
    def header(self, column: Any) -> str: ...

    @abstractmethod
    def get(self, line: Any, column: Any) -> Cell | Formula: ...

    @abstractmethod
    def put(self, line: Any, column: Any, value: Cell | Formula) -> None: ...

    @abstractmethod
    def new_column(self, header: str, *, formula: bool) -> Any: ...

    @abstractmethod
    def new_line(self) -> Any: ...

    @abstractmethod
    def rename(self, header: str, new: str) -> None: ...

    @abstractmethod
    def start(self, headers: Sequence[str], rows: Sequence[Mapping[str, Cell | Formula]]) -> None: ...

    @abstractmethod
    def between_two_calls(self, act: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
        """Have a colleague act after our last reading and before our write."""

    def save(self) -> None:  # noqa: B027  where it means nothing
        """Where there is a file: put it on the disk."""

    def forget(self) -> None:  # noqa: B027  where it means nothing
        """Where there is a file: it may have changed on the disk."""

    def lose_an_answer(self) -> None:  # noqa: B027  where it means nothing
        """The next write lands, and the line breaks before anybody is told."""

    # What is seen

    def headers(self) -> list[str]:
        return [name for name in map(self.header, self.columns) if name and name not in OURS_TO_HIDE]

    def rows(self) -> Shown:
        """By N° or key what stands in each row, in their order; a row with nothing in it is none."""
        found: Shown = {}
        columns = [(self.header(column), column) for column in self.columns if self.header(column)]
        for line in self.lines:
            cells = {name: as_seen(self.get(line, column)) for name, column in columns}
            cells = {name: value for name, value in cells.items() if value is not None and name != OURS_TO_HIDE[1]}
            if any(not isinstance(value, Formula) for value in cells.values()):
                name = str(cells.get(NUMBER) or cells.get(KEY_HEADER) or cells)
                assert name not in found, f"two rows are called {name}"
                found[name] = cells
        return found

    def line(self, row: str) -> Any:
        named = [column for column in self.columns if self.header(column) in (NUMBER, KEY_HEADER)]
        return next(line for line in self.lines if row in [self.get(line, column) for column in named])

    def column(self, header: str) -> Any:
        return next(column for column in self.columns if self.header(column) == header)

    # What is done

    def type(self, row: str, header: str, value: Cell | Formula) -> Cell | Formula:
        """Gives what the cell says then: a field of Airtable may not take what is typed."""
        line, column = self.line(row), self.column(header)
        self.put(line, column, value)
        return as_seen(self.get(line, column))

    def insert_row(self, cells: Mapping[str, Cell | Formula], above: str | None = None) -> None:
        lines, new = self.lines, self.new_line()
        lines.insert(lines.index(self.line(above)) if above else len(lines), new)
        self.lines = lines
        for header, value in cells.items():
            self.put(new, self.column(header), value)

    def delete_row(self, row: str) -> None:
        gone = self.line(row)
        self.lines = [line for line in self.lines if line is not gone and line != gone]

    def sort(self, header: str, *, reverse: bool = False) -> None:
        column = self.column(header)
        self.lines = sorted(self.lines, key=lambda line: str(self.get(line, column) or ""), reverse=reverse)

    def insert_column(self, header: str, before: str, *, formula: bool = False) -> None:
        columns = self.columns
        place = columns.index(self.column(before))
        columns.insert(place, self.new_column(header, formula=formula))
        self.columns = columns

    def move_column(self, header: str, before: str) -> None:
        columns, moved = self.columns, self.column(header)
        columns.remove(moved)
        columns.insert(columns.index(self.column(before)), moved)
        self.columns = columns

    def delete_column(self, header: str) -> None:
        gone = self.column(header)
        self.columns = [column for column in self.columns if column is not gone]

    def colour(self, row: str) -> None:  # noqa: B027  where it means nothing
        """Where cells have colours of their own: the row in yellow."""

    def coloured(self) -> set[str]:
        return set()

    def leave_open(self, *, opened: bool) -> None:  # noqa: B027  where it means nothing
        """Where it is a file: somebody has gone to lunch with it open, or closes it."""
