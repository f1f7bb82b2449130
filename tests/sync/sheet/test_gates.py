"""What looks like an accident waits for a person, with its numbers; yes to one number is not yes to a larger one."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from sync.messages import LANGUAGES, say, sentences
from sync.sheet import journal
from sync.sheet.columns import Tab, people_columns
from sync.sheet.gates import Gate, GateCode
from tests.fakes.memory_sheet import MemorySheet
from tests.sync.sheet.office import HEADERS, TAB, Office

T = TAB.name


@pytest.fixture
def many(office: Office) -> Office:
    office.people = {
        f"p{i:02}": {"email": f"p{i}@example.org", "first_name": f"Nom {i}", "visits": i + 1} for i in range(30)
    }
    office.run()
    office.people["p29"]["visits"] = 99
    return office


def held(office: Office, code: str, allow: str, n: int) -> None:
    """The tab is held with this gate; one less does not open it, the very number does."""
    sheet = office.sheet
    writes, corrections = sheet.calls.write, dict(office.corrections)
    done = office.run()
    assert [gate.code for gate in done.closed] == [code]
    assert done.closed[0].n == n
    assert done.closed[0].command == f"filrouge run --allow-{allow} {n}"
    assert office.run({allow: n - 1}).closed
    assert (sheet.calls.write, office.corrections) == (writes, corrections)
    assert [line.kind for line in journal.of_run(office.store, office.runs)] == ["gate"]
    assert not office.run({allow: n}).closed


def test_more_than_a_fifth_of_the_rows_gone(many: Office, sheet: MemorySheet) -> None:
    for i in range(7):
        sheet.delete(T, sheet.line(T, f"p{i:02}"))
    held(many, "sheet-rows-gone", "missing", 7)
    done = many.run()  # what was said yes to is not asked again
    assert (done.hidden, done.closed) == (7, ())


def test_a_few_rows_gone_are_no_accident(many: Office, sheet: MemorySheet) -> None:
    for i in range(6):
        sheet.delete(T, sheet.line(T, f"p{i:02}"))
    assert many.run().written == 1


def test_an_emptied_sheet(many: Office, sheet: MemorySheet) -> None:
    sheet.tabs[T].lines.clear()
    sheet.save(T)
    held(many, "sheet-emptied", "missing", 30)


def test_three_rows_are_enough_for_a_sheet_to_be_emptied(office: Office, sheet: MemorySheet) -> None:
    office.run()
    sheet.tabs[T].lines.clear()
    sheet.save(T)
    held(office, "sheet-emptied", "missing", 3)


def test_a_tab_that_is_gone_is_made_anew_only_when_told_so(many: Office, sheet: MemorySheet) -> None:
    sheet.remove_tab(T)
    held(many, "sheet-gone", "missing", 30)
    assert len(sheet.shown(T)) == 30


def test_a_third_of_the_cells_changed(many: Office, sheet: MemorySheet) -> None:
    for i in range(15):
        for header in ("Courriel", "Prénom"):
            sheet.type_cell(T, sheet.line(T, f"p{i:02}"), header, f"x{i}{header}")
    held(many, "sheet-cells-changed", "changed", 30)
    assert len(many.corrections) == 30


def test_one_column_sorted_by_itself(many: Office, sheet: MemorySheet) -> None:
    part = sheet.tabs[T].lines[:12]
    names = [sheet.cell(T, line, "Prénom") for line in part]
    for line, name in zip(part, reversed(names), strict=True):
        sheet.type_cell(T, line, "Prénom", name)
    done = many.run()
    assert [gate.code for gate in done.closed] == ["sheet-column-changed"]
    assert "Prénom" in done.closed[0].sentence("fr")
    assert many.corrections == {}


def test_a_header_gone(many: Office, sheet: MemorySheet) -> None:
    sheet.remove_column(T, "Visites")
    held(many, "sheet-header-gone", "headers", 1)
    assert not many.run().closed
    assert "Visites" not in sheet.check(T)


def test_a_renamed_header_is_told_by_its_values(many: Office, sheet: MemorySheet) -> None:
    sheet.rename(T, "Courriel", "Adresse")
    [gate] = many.run().closed
    assert (gate.code, gate.facts) == ("sheet-header-renamed", {"header": "Courriel", "new": "Adresse"})
    headers = {("Adresse" if h == "Courriel" else h): field for h, field in HEADERS.items()}
    many.tab = Tab(T, people_columns(headers))
    done = many.run()
    assert (done.closed, done.written) == ((), 1)
    assert many.corrections == {}


def test_a_tagged_column_may_be_renamed(many: Office, sheet: MemorySheet) -> None:
    sheet.tags = True
    many.people["p00"]["visits"] = 50
    sheet.tabs[T].columns = [
        type(c)(c.ref, c.header, HEADERS.get(c.header)) for c in sheet.tabs[T].columns
    ]  # fmt: skip
    sheet.rename(T, "Visites", "Venues")
    assert many.run().written == 2


def test_a_header_twice_has_to_be_mended(many: Office, sheet: MemorySheet) -> None:
    sheet.add_column(T, "Courriel")
    [gate] = many.run({"headers": 9}).closed
    assert (gate.code, gate.command) == ("sheet-header-twice", "")


def test_a_header_that_means_something_else_now(many: Office) -> None:
    headers = HEADERS | {"Visites": "purchases"}
    many.tab = Tab(T, people_columns(headers))
    held(many, "sheet-mapping-changed", "mapping", 30)


def test_a_column_added_to_the_mapping_and_one_taken_out(many: Office, sheet: MemorySheet) -> None:
    many.tab = Tab(T, people_columns({**{h: f for h, f in HEADERS.items() if f != "visits"}, "Ville": "city"}))
    done = many.run()
    assert (done.closed, done.columns_added) == ((), 1)
    assert sheet.cell(T, sheet.line(T, "p29"), "Visites") == 30  # the team's from now on
    many.tab = TAB
    assert many.run().written == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("n", [1, 212])
def test_each_gate_has_a_sentence_that_says_what_to_do(language: str, n: int) -> None:
    facts = {"header": "Courriel", "headers": "Courriel", "new": "Adresse", "key": "a1"}
    for code in [*get_args(GateCode), "sheet-unclear", "sheet-hidden", "sheet-changed"]:
        said = say(language, code, n=n, of=230, tab="Contacts", command="filrouge run --allow-missing 212", **facts)
        assert "Contacts" in said
        assert "{" not in said


def test_the_sentence_names_the_very_command() -> None:
    gate = Gate("sheet-rows-gone", "Contacts", 212, 230, "missing")
    assert gate.sentence("en") == (
        "212 of 230 rows are gone from 'Contacts' (limit 20 %). Nothing was written. "
        "If this is right: `filrouge run --allow-missing 212`"
    )
    assert "« Contacts »" in gate.sentence("fr").replace("\u00a0", " ")


def test_french_typography() -> None:
    for code in [*get_args(GateCode), "sheet-unclear", "sheet-hidden", "sheet-changed"]:
        sentence = sentences("fr")[code]
        for text in [sentence] if isinstance(sentence, str) else sentence.values():
            assert not re.search(r" [:;!?»%]|« ", text), "a plain space where French wants a no-break space"
