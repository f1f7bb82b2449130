"""The library that ships: right in both languages, its examples true, the same rules in each."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules.canonical import condition_json
from rules.conditions import Book, Email
from rules.examples import run_examples
from rules.reader import read

LIBRARY = Path(__file__).parents[2] / "rules" / "library"


def book(language: str) -> Book:
    folder = LIBRARY / language
    files = {file.name: file.read_bytes() for file in folder.glob("*.yaml")}
    templates = [file.stem for file in (folder / "templates").glob("*.md")]
    reading = read(files, columns=[], templates=templates, language=language)
    assert [mistake.show(language, "") for mistake in reading.mistakes] == []
    used = {action.template for rule in reading.book.rules for action in rule.actions if isinstance(action, Email)}
    assert used == set(templates)
    return reading.book


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2028, 2, 29), date(2027, 3, 31)])
def test_every_rule_has_examples_and_they_hold(language: str, today: date) -> None:
    outcomes = run_examples(book(language), today, language)
    assert [outcome.why.lines() for outcome in outcomes if not outcome.passed] == []
    assert {outcome.rule.id for outcome in outcomes} == set(book(language).rule)
    assert all({e.expect for e in rule.examples} == {True, False} for rule in book(language).rules)


def test_both_languages_hold_the_same_rules() -> None:
    meanings = {
        language: sorted(
            (str(condition_json(rule.when.items[0])), len(rule.examples), len(rule.actions))
            for rule in book(language).rules
        )
        for language in ("en", "fr")
    }
    english, french = ([m for m in meanings[x] if "segment" not in m[0]] for x in ("en", "fr"))
    assert english == french


@pytest.mark.parametrize("file", sorted(LIBRARY.rglob("*.md")), ids=lambda file: file.name)
def test_a_template_has_a_head(file: Path) -> None:
    text = file.read_text("utf-8")
    words = ("objet:", "finalité:") if "fr" in file.parts else ("subject:", "purpose:")
    assert text.startswith("---\n")
    assert all(word in text.split("---")[1] for word in words)
