"""One slip hides no other, and makes none: of two broken rules in one file both are told, whatever is wrong with either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.context import Outside
from rules.reader import read
from rules.recipes import recipes
from rules.words import LANGUAGES

FOLDER = Path(__file__).parent / "mistakes"
COLUMNS = ["E-mail", "Do not contact", "Ne pas relancer", "Seats", "Note"]
OUTSIDE = Outside(["crm"], ["lettre", "mailchimp"], ["box@example.org"])
HEAD = re.compile(r"(rules|règles):[ \t]*")
OF_THE_FILE = ("encoding", "file", "paste", "lines", "layers-rule-fr", "layers-two", "key-rules-twice", "line-tab")
"""What is wrong with these is wrong with the file, not with one of its rules."""
MANY = 30  # of more than sixty, the last are only counted
MAY_BE_SILENT = ("unknown-segment", "unknown-column")
"""Perhaps it stands in a line that could not be read."""
Told = set[tuple[int, str]]


def told(text: str) -> Told:
    reading = read(
        {"r.yaml": text.encode()}, columns=COLUMNS, templates=["on-se-revoit", "we-miss-you"], outside=OUTSIDE
    )
    return {(mistake.place.line, mistake.code) for mistake in reading.mistakes}


def broken_rules() -> Iterator[tuple[str, str]]:
    """The word at the top and the lines below it of each broken file that holds rules and nothing else."""
    for file in sorted(FOLDER.glob("*.yaml")):
        if file.stem.startswith(OF_THE_FILE):
            continue
        head, _, body = file.read_text("utf-8").rstrip().partition("\n")
        left = [line for line in body.split("\n") if re.match(r"\S", line)]
        if HEAD.fullmatch(head) and body.startswith("  - ") and not left and 0 < len(told(f"{head}\n{body}")) < MANY:
            yield head, body


BROKEN = list(broken_rules())
PAIRS = [(head, one, other) for head, one in BROKEN for top, other in BROKEN if head == top]


@given(st.sampled_from(PAIRS))
@settings(max_examples=150, deadline=None)
def test_two_broken_rules_in_one_file_are_both_told(pair: tuple[str, str, str]) -> None:
    head, one, other = pair
    further = one.count("\n") + 1
    alone = told(f"{head}\n{one}") | {(n + further, code) for n, code in told(f"{head}\n{other}")}
    together = told(f"{head}\n{one}\n{other}")
    assert not {(n, code) for n, code in alone - together if not code.startswith(MAY_BE_SILENT)}
    assert {code for _, code in together - alone} <= {"duplicate-rule"}  # many of them are called the same


VALUE = re.compile(r"(?P<key>\s*(?:- )*[^\W\d][^:\"'{\[]*: +)(?P<value>[^\s\"'{\[#|>][^#]*?)\s*(?:#.*)?")
SLIPS = ('"{}', "'{}", '"{}" x', "@{}", "`{}`", "%{}", "[{}", "{}: x: y")
RIGHT = [recipe.text(recipe.defaults).split("\n") for language in LANGUAGES for recipe in recipes(language)]
LINES = [(text, n) for text in RIGHT for n, line in enumerate(text) if VALUE.fullmatch(line)]


@given(st.sampled_from(LINES), st.sampled_from(SLIPS))
@settings(max_examples=150, deadline=None)
def test_a_slip_in_a_value_is_one_mistake_and_makes_no_other(at: tuple[list[str], int], slip: str) -> None:
    text, n = at
    found = VALUE.fullmatch(text[n])
    assert found
    wrong = found["key"] + slip.format(found["value"])
    new = told("\n".join([*text[:n], wrong, *text[n + 1 :]])) - told("\n".join(text))
    assert {line for line, _ in new} == {n + 1}


def test_there_are_many_of_them() -> None:
    assert len(BROKEN) > 150
    assert len(LINES) > 200


ONE_OF_EACH = """rules:
  - name: A
    when:
      visits: at least 3
      city: Lyon
    unless:
      next_visit: known
    then:
      - flag: A
      - task: Call
        for: Marie
    examples:
      - person: {visits: 5}
        expect: match
journeys:
  - name: J
    around: each ticket
    steps:
      - at: 3 days before
        flag: S
      - at: 1 day after
        unless: {answered: x}
        flag: T
"""


@pytest.mark.parametrize("by", [-4, -2, 2, 4])
def test_a_line_in_another_column_is_one_mistake_whose_cure_is_right(by: int) -> None:
    lines = ONE_OF_EACH.split("\n")
    for n, line in enumerate(lines):
        indent = len(line) - len(line.lstrip()) + by
        if line and indent >= 0:
            text = "\n".join([*lines[:n], " " * indent + line.lstrip(), *lines[n + 1 :]])
            told = read({"r.yaml": text.encode()}).mistakes
            assert len(told) <= 1, (line, [one.message("en") for one in told])
            for one in told:
                if one.suggestion:
                    cured = text.split("\n")
                    cured[one.place.line - 1] = one.suggestion
                    assert read({"r.yaml": "\n".join(cured).encode()}).mistakes == [], (line, one.suggestion)


def test_a_mistake_in_a_line_that_was_moved_stands_where_it_is_in_the_file() -> None:
    data = (
        b"journeys:\n  - name: Around\n    around: each ticket\n    steps:\n      - at: 3 days before\n"
        b"\x91   flag: \x02oon\n      - at: 1 day after\n    %   unless: {answered: 0}\n  r     flag: After\n"
    )
    (one,) = [one for one in read({"r.yaml": data}).mistakes if one.code == "control-character"]
    assert (one.place.line, one.place.column) == (6, 11)
