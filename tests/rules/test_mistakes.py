"""Broken files and what is said of them, as a person reviewed it: `mistakes/messages.{en,fr}.txt`.

After a change of wording: `FILROUGE_REVIEW=1 pytest tests/rules/test_mistakes.py`, then read the difference.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rules.context import Outside
from rules.encoding import lines_of, read_text
from rules.mistakes import messages
from rules.reader import Reading, read

FOLDER = Path(__file__).parent / "mistakes"
FILES = sorted([*FOLDER.glob("*.yaml"), *FOLDER.glob("*.y*ml.txt")])
COLUMNS = ["E-mail", "Do not contact", "Ne pas relancer", "Seats", "Note"]
TEMPLATES = ["on-se-revoit", "we-miss-you"]
OUTSIDE = Outside(["crm"], ["lettre", "mailchimp"], ["box@example.org"])


def reading(file: Path) -> Reading:
    return read({file.name: file.read_bytes()}, columns=COLUMNS, templates=TEMPLATES, outside=OUTSIDE)


def said(file: Path, language: str) -> str:
    lines = lines_of(file.read_bytes())
    shown = [m.show(language, lines[m.place.line - 1]) for m in reading(file).mistakes]
    return "\n".join([f"── {file.stem}", *shown, ""])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_message_is_the_reviewed_one(language: str) -> None:
    told = "\n".join(said(file, language) for file in FILES)
    reviewed = FOLDER / f"messages.{language}.txt"
    if os.environ.get("FILROUGE_REVIEW"):
        reviewed.write_text(told, "utf-8")
    assert told == reviewed.read_text("utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_broken_file_gives_a_mistake_and_no_rule(file: Path) -> None:
    found = reading(file)
    assert bool(found.mistakes) is not file.stem.endswith("is-fine")
    if found.mistakes and "twice" not in file.stem:
        assert not found.book.rules


def test_nothing_inside_shows() -> None:
    for file in FILES:
        for language in ("en", "fr"):
            told = said(file, language)
            assert not any(
                word in told for word in ("Traceback", "yaml.e", "yaml.s", "NoneType", "{found}", "rules.", "<class")
            )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_sentence_speaks_of_parsing(language: str) -> None:
    jargon = re.compile(
        r"scalar|mapping|token|parse|syntax|string|boolean|null|sequence|exception|chaîne de car|jeton", re.IGNORECASE
    )
    assert [code for code, sentence in messages(language).items() if jargon.search(sentence)] == []


def test_every_sentence_is_said_by_some_file() -> None:
    told = {mistake.code for file in FILES for mistake in reading(file).mistakes}
    elsewhere = {
        "did-you-mean",
        "as-it-stands",
        "as-one-text",
        "and-more",
        "too-big",
        "odd-key",
        "name-without-letters",
        "unknown-column-none",
        "nobody-has",
        "nobody-has-near",
        "nobody-has-many",
        "nobody-has-field",
        "nobody-has-field-here",
        "nobody-has-both",
        "nobody-reaches",
        "still-to-come",
        "coming-none",
        "late-hours",
        "late-hours-unscheduled",
        "due-after",
        "due-after-none",
        "due-after-late",
        "once-before",
        "again-before",
        "few-before",
        "coming-is-this",
        "often-empty",
        "often-empty-postcode",
        "once-before-first",
        "only-booked",
        "since-counted-back",
        "since-counted-back-gift",
        "since-too-early",
        "coming-visits",
        "coming-tickets",
        "past-days",
        "near-emails",
        "before-all",
        "window-before-all",
        "unknown-segment",
        "any-of-one",
        "many-gifts",
        "notify-name",
        "that-very-day",
        "exact-money",
    }
    elsewhere |= {
        "flag-unset",
        "flag-unset-many",
        "flag-unset-near",
        "new-column-near",
        "genre-beside",
        "any-of-two",
        "hash-cut",
    }
    elsewhere |= {
        "unknown-webhook-none",
        "unknown-newsletter-none",
        "notify-nobody",
    }
    elsewhere |= {
        "unknown-template-none",
        "unknown-value-near",
        "block-here",
        "unreadable",
        "unknown-key",
    }
    said = {code for code in messages("en") if not code.startswith("expected-")}
    assert said - told - elsewhere == set()


@pytest.mark.parametrize("name", ["key-twice-groups", "key-twice-groups-fr"])
def test_the_lines_told_for_two_groups_can_be_typed_in(name: str) -> None:
    """Below the word told, in place of the rule's own lines."""
    found = [mistake for mistake in reading(FOLDER / f"{name}.yaml").mistakes if mistake.code.startswith("twice-")]
    assert len(found) == 2
    for facts in (mistake.facts for mistake in found):
        lines = [f"        {str(facts[one]).strip('`')}" for one in ("one", "other")]
        top = [f"{facts['segments']}:", f"- {facts['name']}: A", f"  {facts['when']}:", f"    {facts['outer']}:"]
        again = read({"a.yaml": "\n".join([*top, *lines]).encode()})
        assert not again.mistakes
        assert repr(again.book.segments[0].condition).count("Check(") >= 4


def test_the_mend_is_right() -> None:
    """What is suggested, typed in, is no mistake any more."""
    mended = 0
    for file in FILES:
        for mistake in reading(file).mistakes:
            text, _ = read_text(file.read_bytes(), file.name)
            if mistake.suggestion is None or text is None or not mistake.code.startswith("phrase"):
                continue
            lines = text.split("\n")
            line, at = lines[mistake.place.line - 1], mistake.place.column - 1
            at = line.index(mistake.found, at)
            assert not line[mistake.place.column - 1 : at].strip("\"'“« "), file
            lines[mistake.place.line - 1] = line[:at] + mistake.suggestion + line[at + len(mistake.found) :]
            again = read({file.name: "\n".join(lines).encode()}, columns=COLUMNS, templates=TEMPLATES, outside=OUTSIDE)
            assert not any((other.place, other.code) == (mistake.place, mistake.code) for other in again.mistakes), (
                file,
                mistake,
            )
            mended += 1
    assert mended > 15
