"""No right rule is refused: all that `tests.rules.right_rules` makes is taken, by the reader and by the editor's schema."""

from __future__ import annotations

from collections.abc import Iterator

import jsonschema
import pytest

from rules.conditions import Check, leaves
from rules.context import Outside
from rules.reader import read
from rules.schema import schema
from rules.words import LANGUAGES, Vocabulary, vocabulary
from tests.rules import right_rules
from tests.rules.yaml12 import load

OUTSIDE = Outside(["crm"], ["lettre"], ["box@example.org"])
FILES = 12
BY_SCHEMA = 4
"""Each file has lines of every field; a validator in Python is slow, so it reads one file in so many."""


def whole(words: Vocabulary, when: str, then: str, number: int = 0) -> str:
    key = words.key
    return (
        f"  - {key('rule', 'name')}: R {number}\n    {key('rule', 'when')}:\n{when}    {key('rule', 'then')}:\n{then}"
    )


def files_of_conditions(words: Vocabulary) -> Iterator[str]:
    """Many lines in one rule, of which any is enough."""
    lines = list(right_rules.conditions(words))
    for start in range(FILES):
        items = "".join(f"        - {line}\n" for line in lines[start::FILES])
        when = f"      {words.key('logic', 'any_of')}:\n{items}"
        flag = f"      - {words.key('action', 'flag')}: X\n"
        yield f"{words.key('top', 'rules')}:\n{whole(words, when, flag)}"


def files_of_actions(words: Vocabulary) -> Iterator[str]:
    visits = f"      {words.key('fields', 'visits')}: 3\n"
    rules = [
        whole(words, visits, f"      - {action}\n", number) for number, action in enumerate(right_rules.actions(words))
    ]
    yield f"{words.key('top', 'rules')}:\n{''.join(rules)}"


def files_of_journeys(words: Vocabulary) -> Iterator[str]:
    key = words.key
    found = []
    for number, (around, at, when) in enumerate(right_rules.journeys(words)):
        asked = f"        {key('step', 'when')}: {{{when}}}\n" if when else ""
        found.append(
            f"  - {key('journey', 'name')}: J {number}\n    {key('journey', 'around')}: {around}\n"
            f"    {key('journey', 'steps')}:\n      - {key('step', 'at')}: {at}\n{asked}"
            f"        {key('action', 'flag')}: X\n"
        )
    yield f"{key('top', 'journeys')}:\n{''.join(found)}"


MAKERS = [files_of_conditions, files_of_actions, files_of_journeys]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__.removeprefix("files_of_"))
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_right_rule_is_refused(language: str, make: type) -> None:
    validator = jsonschema.Draft7Validator(schema(language))
    for number, text in enumerate(make(vocabulary(language))):
        found = read({"a.yaml": text.encode()}, columns=["Note"], templates=["we-miss-you"], outside=OUTSIDE)
        lines = text.split("\n")
        assert [f"{lines[one.place.line - 1].strip()}: {one.message(language)}" for one in found.mistakes] == []
        if number % BY_SCHEMA:
            continue
        assert [error.message[:200] for error in validator.iter_errors(load(text))] == []


ONE_RULE = "règles:\n  - nom: R\n    quand:\n      {}\n    alors:\n      - signaler: X\n"


@pytest.mark.parametrize(
    "line",
    ["ville: Commercy", "ville: Commentry", "organisme: Commerce équitable", "tableau: {Note: 50 %}", "genres: Contes"],
)
def test_a_name_near_a_phrase_is_a_name(line: str) -> None:
    assert read({"a.yaml": ONE_RULE.format(line).encode()}, columns=["Note"]).mistakes == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ville: {}", "Washington, D.C."),
        ("organisme: {}", "Continent bleu"),
        ("genres: {}", "danse, théâtre"),
        ("signaux: {}", "Non joint"),
        ("tableau: {{Note: {}}}", "Moins de 26 ans"),
        ("tableau: {{Note: {}}}", "2 places"),
    ],
)
def test_what_may_be_meant_as_it_stands_goes_into_quotes(line: str, name: str) -> None:
    bare, quoted = (ONE_RULE.format(line.format(one)) for one in (name, f'"{name}"'))
    (told,) = read({"a.yaml": bare.encode()}, columns=["Note"]).mistakes
    assert told.message("fr").endswith(f'mettez-le entre guillemets droits\u00a0: `"{name}"`.')
    found = read({"a.yaml": quoted.encode()}, columns=["Note"])
    assert found.mistakes == []
    assert [str(leaf.values[0]) for leaf in leaves(found.book.rules[0].when) if isinstance(leaf, Check)] == [name]


@pytest.mark.parametrize("answer", ["oui", "non", "vrai"])
def test_a_yes_or_no_means_the_same_in_quotes(answer: str) -> None:
    """Who quotes it means the box that is ticked, not the three letters; these are a list of one."""
    bare, quoted, letters = (
        read({"a.yaml": ONE_RULE.format(f"tableau: {{Note: {one}}}").encode()}, columns=["Note"]).book.rules[0].when
        for one in (answer, f'"{answer}"', f"[{answer}]")
    )
    assert bare == quoted != letters
