"""The guide for those who have never written a rule: what it shows is right, and the same in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import count

import pytest

from rules.conditions import Book, Check, leaves
from rules.examples import run_examples
from rules.reader import Reading, read
from rules.recipes import guide
from sync.followup.templatefiles import read_templates

TODAY = date(2026, 11, 23)
LANGUAGES = ("en", "fr")
WORDS = {
    "en": ("rules", "name", "when", "then", "unless", "flag"),
    "fr": ("règles", "nom", "quand", "alors", "sauf", "signaler"),
}


def reading(texts: list[str], language: str) -> Reading:
    files = {f"{number}.yaml": text.encode() for number, text in zip(count(), texts, strict=False)}
    return read(files, language=language)


def shown(language: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", guide(language), re.DOTALL)


def phrases(language: str) -> list[str]:
    """The right-hand column of "to say this, write that"."""
    table = re.findall(r"^\| [^`|]+ \| `([^`]+)` \|$", guide(language), re.MULTILINE)
    return [phrase for phrase in table if not phrase.startswith("segment:")]


def one_rule(phrase: str, language: str, number: int) -> str:
    rules, name, when, then, _, flag = WORDS[language]
    return f"{rules}:\n  - {name}: R{number}\n    {when}:\n      {phrase}\n    {then}:\n      - {flag}: X\n"


def book_of_phrases(language: str) -> Book:
    texts = [one_rule(phrase, language, number) for number, phrase in enumerate(phrases(language))]
    found = reading(texts, language)
    assert [mistake.message(language) for mistake in found.mistakes] == []
    return found.book


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_it_shows_is_right_and_so_are_their_examples(language: str) -> None:
    found = reading(shown(language, "yaml"), language)
    assert [mistake.message(language) for mistake in found.mistakes] == []
    tried = run_examples(found.book, TODAY, language)
    assert len(tried) == 2
    assert all(one.passed for one in tried)


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_first_rule_has_an_example_of_somebody_whom_unless_leaves_out(language: str) -> None:
    book = reading(shown(language, "yaml"), language).book
    rule = next(one for one in book.rules if one.examples)
    without = Book(rules=(replace(rule, unless=None),))
    assert [one.example.expect for one in run_examples(book, TODAY, language)] == [True, False]
    assert [one.found for one in run_examples(without, TODAY, language)] == [True, True]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_its_table_can_be_written_so(language: str) -> None:
    assert len(book_of_phrases(language).rules) >= 15


def test_both_languages_teach_the_same() -> None:
    taught = [
        [
            leaf.field.split(":")[0]
            for rule in book_of_phrases(one).rules
            for leaf in leaves(rule.when)
            if isinstance(leaf, Check)
        ]
        for one in LANGUAGES
    ]
    assert taught[0] == taught[1]
    headings = [re.findall("^#+ ", guide(one), re.MULTILINE) for one in LANGUAGES]
    assert headings[0] == headings[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_it_shows_is_right(language: str) -> None:
    (text,) = shown(language, "markdown")
    templates, mistakes = read_templates({"mail.md": text.encode()})
    assert mistakes == []
    assert templates.choose("mail", language, language) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_actions_it_names_are_right(language: str) -> None:
    rules, name, when, then, *_ = WORDS[language]
    actions = re.findall(r"^\| `(- [^`]+)` \|", guide(language), re.MULTILINE)
    assert len(actions) >= 4
    visits = {"en": "visits: 3", "fr": "visites: 3"}[language]
    body = "".join(f"      {action}\n" for action in actions)
    found = reading([f"{rules}:\n  - {name}: R\n    {when}:\n      {visits}\n    {then}:\n{body}"], language)
    assert [mistake.message(language) for mistake in found.mistakes] == []
