"""The stories in tests/scenarios: a sheet before, what happens in words, the sheet after.

Each file: `columns` (header: field), `people` (what the sources say, by code), `sheet` (rows as a person sees them, if the
team had one before), and `steps`. A step is one of:

- `run:` with what it must say (written, rows added, put back, edits kept, conflicts, hidden), and `allow:`, `killed:`,
  `waits:` (the gate that is closed), `meanwhile:` (what a colleague does between our read and our write)
- `sources say:`      {code: {field: value}}
- `the team types:`   {row: {header: value}}, the row told by its first column
- `the team adds a row:` · `the team deletes:` · `the team copies:` · `the team sorts by:` · `the team renames:` ·
  `the team adds a column:`
- `the sheet is:`     every row, in order
- `corrections:`      {code: {field: value}} · `journal:` lines of the last run, as "kind row/field: from → to"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from sync.sheet import journal
from sync.sheet.columns import Tab, people_columns
from tests.fakes.memory_sheet import Killed, Line, MemorySheet
from tests.sync.sheet.office import Office, organisations

STORIES = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
TAB = "Contacts"
NUMBERS = {
    "written": "written",
    "rows added": "rows_added",
    "put back": "put_back",
    "edits kept": "edits_kept",
    "conflicts": "conflicts",
    "hidden": "hidden",
    "rows recognised": "keys_given",
}


class Story:
    """One file, told step by step."""

    def __init__(self, text: dict[str, Any], office: Office) -> None:
        self.office = office
        assert isinstance(office.sheet, MemorySheet)
        self.sheet = office.sheet
        office.tab = Tab(TAB, people_columns(text["columns"]))
        office.people = text.get("people", {})
        if "sheet" in text:
            headers = list(dict.fromkeys(header for row in text["sheet"] for header in row))
            self.sheet.start(TAB, headers, text["sheet"])

    def tell(self, step: dict[str, Any]) -> None:
        tellers: dict[str, Callable[[Any], object]] = {
            "run": self.run,
            "sources say": self.sources_say,
            "the team types": self.types,
            "the team adds a row": lambda row: self.sheet.type_row(TAB, row),
            "the team deletes": lambda name: self.sheet.delete(TAB, self.row(name)),
            "the team copies": lambda name: self.sheet.copy_row(TAB, self.row(name)),
            "the team sorts by": lambda header: self.sheet.sort(TAB, header),
            "the team renames": self.renames,
            "the team adds a column": lambda header: self.sheet.add_column(TAB, header),
            "the sheet is": self.the_sheet_is,
            "corrections": self.corrections,
            "journal": self.journal,
        }
        for name, facts in step.items():
            tellers[name](facts)

    def run(self, expected: dict[str, Any] | None) -> None:
        expected = dict(expected or {})
        for step in expected.pop("meanwhile", []):
            self.sheet.meanwhile.append(partial(self.tell, step))
        killed = expected.pop("killed", None)
        if killed:
            self.sheet.fault = {"before it is written": "before", "after it is written": "landed"}[killed]
            with pytest.raises(Killed):
                self.office.run()
            return
        waits = expected.pop("waits", None)
        done = self.office.run(expected.pop("allow", {}))
        assert [gate.sentence("en") for gate in done.closed] == ([waits] if waits else [])
        assert {name: getattr(done, NUMBERS[name]) for name in expected} == expected

    def sources_say(self, facts: dict[str, dict[str, object]]) -> None:
        for code, values in facts.items():
            self.office.people.setdefault(code, {}).update(values)

    def types(self, facts: dict[str, dict[str, Any]]) -> None:
        for name, cells in facts.items():
            row = self.row(name)
            for header, value in cells.items():
                self.sheet.type_cell(TAB, row, header, value)

    def renames(self, names: dict[str, str]) -> None:
        for old, new in names.items():
            self.sheet.rename(TAB, old, new)

    def row(self, name: str) -> Line:
        return next(line for line in self.sheet.tabs[TAB].lines if name in line.cells.values())

    def the_sheet_is(self, rows: list[dict[str, Any]]) -> None:
        assert self.sheet.shown(TAB) == rows

    def corrections(self, facts: dict[str, dict[str, object]]) -> None:
        found: dict[str, dict[str, object]] = {}
        for (code, name), value in self.office.corrections.items():
            found.setdefault(code, {})[name] = value
        assert found == facts

    def journal(self, lines: list[str]) -> None:
        found = journal.of_run(self.office.store, self.office.runs)
        assert [f"{line.kind} {line.key}/{line.field}: {line.was} → {line.value}" for line in found] == lines


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = next(organisations(f"sqlite:///{tmp_path / 'filrouge.db'}"))
    yield Office(store, MemorySheet())
    store.close()


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_story(file: Path, office: Office) -> None:
    text = yaml.safe_load(file.read_text("utf-8"))
    story = Story(text, office)
    for step in text["steps"]:
        story.tell(step)


def test_there_are_stories() -> None:
    assert len(STORIES) >= 6
