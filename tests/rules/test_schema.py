"""The schema for editors knows the words that the reader knows: what is right for one is right for the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.context import STRUCTURE, language_of
from rules.encoding import read_text
from rules.fields import FIELDS
from rules.hints import hint, hints
from rules.mending import mended
from rules.phrases import Phrase, read_phrase, typed
from rules.reader import read
from rules.recipes import recipes
from rules.schema import Names, schema
from rules.unfold import phrase_pattern, word_pattern
from rules.words import LANGUAGES, vocabulary
from rules.yamltext import parse
from sync.demo import write_demo
from tests.rules import test_reader
from tests.rules.reference import CHECKS
from tests.rules.yaml12 import load

ROOT = Path(__file__).parents[2]
VALIDATORS = {language: jsonschema.Draft7Validator(schema(language)) for language in LANGUAGES}
MISTAKES = sorted((ROOT / "tests/rules/mistakes").glob("*.yaml"))
UNSEEN = {
    # what only the reader sees: what a journey is around, two lines that clash, the calendar, other files, what looks like a phrase in free text
    *(
        "duplicate-key",
        "duplicate-block",
        "same-meaning",
        "duplicate-rule",
        "duplicate-segment",
        "circle",
        "circle-itself",
        "between-order",
        "no-such-date",
        "no-such-date-near",
        "one-name",
        "list-of-phrases",
        "list-of-one-phrase",
        "texts-in-brackets",
        "score-range",
        "occasion-journey",
        "step-day-only",
        "duplicate-journey",
        "waits-in-vain",
        "twice-list",
        "twice-lines",
        "twice-any",
        "twice-all",
        "window-ahead",
        "never-both",
        "never-and-some",
        "same-in-both",
    ),
    *(
        "unknown-segment-none",
        "unknown-segment-near",
        "unknown-segment",
        "name-without-letters",
        "smart-quotes",
        "curly-in-braces",
        "control-character",
    ),
}
FREE = {
    "contains-several",
    "contains-several-fr",
    "phrase-contient",
    "phrase-sheet-number",
    "phrase-several-towns",
    "phrase-tag-all-of",
    "phrase-each-tag",
    "phrase-begins-with",
    "segment-list-unknown",
    "sheet-denied",
    "sheet-denied-fr",
}


def complaints(text: str, language: str) -> list[str]:
    return [f"{error.json_path}: {error.message[:80]}" for error in VALIDATORS[language].iter_errors(load(text))]


def texts() -> Iterator[tuple[str, str]]:
    for recipe in (*recipes("en"), *recipes("fr")):
        yield recipe.key, recipe.text(recipe.defaults)
    for page in (ROOT / "README.md", ROOT / "LISEZMOI.md", *sorted((ROOT / "docs").rglob("*.md"))):
        blocks = re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        shown = str(page.relative_to(ROOT))
        yield from (
            (shown, block) for block in blocks if re.search(r"^(rules|règles|journeys|parcours):", block, re.MULTILINE)
        )
    yield "EN", test_reader.EN
    yield "FR", test_reader.FR
    yield from (
        (file.stem, read_text(file.read_bytes(), "")[0] or "") for file in MISTAKES if file.stem.endswith("is-fine")
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_a_schema(language: str) -> None:
    jsonschema.Draft7Validator.check_schema(schema(language))


@pytest.mark.parametrize(("name", "text"), [pytest.param(*found, id=found[0]) for found in texts()])
def test_what_the_reader_takes_is_right(name: str, text: str) -> None:
    """As `rules fix` would save it, since the reader also takes what YAML does not: a no-break space as an indent."""
    assert read({name: text.encode()}).mistakes == []
    assert complaints(mended(text.encode()).decode(), language_of(parse(text.encode(), name)[0], "en")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_demo_is_right(language: str, tmp_path: Path) -> None:
    write_demo(tmp_path, date(2026, 3, 14), language)
    found = list((tmp_path / "rules").glob("*.yaml"))
    assert found
    assert not [line for file in found for line in complaints(file.read_text("utf-8"), language)]


def shows(file: Path) -> bool:
    told = {mistake.code for mistake in read({file.name: file.read_bytes()}).mistakes}
    return bool(told - UNSEEN) and file.stem not in FREE


@pytest.mark.parametrize("file", [one for one in MISTAKES if shows(one)], ids=lambda file: file.stem)
def test_a_wrong_file_is_wrong_in_an_editor_too(file: Path) -> None:
    try:
        text = file.read_text("utf-8")
        found = complaints(text, language_of(parse(text.encode(), "")[0], "en"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        found = [str(error)]
    assert found


def variants(word: str) -> set[str]:
    return {word, word.upper(), word.capitalize(), word.replace(" ", "_"), word.replace("'", "’")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", STRUCTURE)
def test_each_word_is_known_for_what_it_is(language: str, section: str) -> None:
    words = vocabulary(language)
    patterns = {name: re.compile(word_pattern(words, section, name)) for name in words.words[section]}
    for name, several in words.words[section].items():
        for word in (found for one in several for found in variants(one)):
            assert words.find(section, word) == name
            assert [other for other, pattern in patterns.items() if pattern.search(word)] == [name]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_word_that_works_is_explained(language: str) -> None:
    told, words = hints(language), vocabulary(language).words
    later = {"newsletter", "notify", "review", "webhook", "forget"}
    for section in (*STRUCTURE, "occasion", "example_journey"):
        assert all(
            hint(language, section, name) for name in set(words[section]) - (later if section != "fields" else set())
        )
    assert set(told["fields"]) == set(FIELDS)
    assert hints("en").keys() == hints("fr").keys()
    assert not re.search(r"\w [:;!?](?![\w/])", " ".join(map(str, hints("fr").values())))


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_phrase_somebody_may_write_is_taken(language: str, data: st.DataObject) -> None:
    check = data.draw(CHECKS.filter(lambda check: check.type in {"date", "number", "money"}))
    kind = "number" if check.type == "money" else check.type
    text = typed(language, kind, Phrase(check.op, check.values))
    text = data.draw(st.sampled_from([text, text.upper(), text.replace(" ", "  "), text.replace("'", "’")]))
    assert bool(re.search(phrase_pattern(language, kind), text)) == bool(read_phrase(language, kind, text))


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=st.text(alphabet="aeilmnostué '’_-0123456789/.,", max_size=30))
def test_no_other_text_is_taken_for_a_phrase(language: str, text: str) -> None:
    for kind in ("date", "number", "again", "due", "wait", "at"):
        if read_phrase(language, kind, text):
            assert re.search(phrase_pattern(language, kind), text)


def test_what_is_offered_is_right() -> None:
    """Every completion of a phrase is one that the reader takes."""
    for language in LANGUAGES:
        for kind in ("date", "number", "again", "due", "wait", "around", "at"):
            offered = [one["label"] for one in schema(language)["definitions"][kind]["defaultSnippets"]]
            assert offered
            assert all(read_phrase(language, kind, phrase) for phrase in offered)


def test_the_teams_own_names_are_offered() -> None:
    made = json.dumps(schema("fr", Names(["Ne pas relancer"], ["on-se-revoit"], ["Habitués"])), ensure_ascii=False)
    assert all(f'"{name}"' in made for name in ("Ne pas relancer", "on-se-revoit", "Habitués"))


def test_it_speaks_the_reader_s_language() -> None:
    english: dict[str, Any] = schema("fr", None, "en")["definitions"]["conditions"]["properties"]
    assert english["visites"]["description"].startswith("How many visits")
