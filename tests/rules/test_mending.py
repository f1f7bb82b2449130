"""`rules fix`: what has one right mend is mended; the meaning of a right file and all that stands beside it never changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.canonical import to_json
from rules.mending import mended
from rules.reader import read
from rules.recipes import recipes
from rules.words import vocabulary
from tests.rules import test_reader

ROOT = Path(__file__).parents[2]
RIGHT = [
    *(recipe.text(recipe.defaults) for language in ("en", "fr") for recipe in recipes(language)),
    test_reader.EN,
    test_reader.FR,
]
MISTAKES = sorted((ROOT / "tests/rules/mistakes").glob("*.yaml"))
OLDER = {
    "when": ["if"], "unless": ["except"], "any of": ["one of"], "email": ["e-mail", "mail"], "city": ["town"],
    "quand": ["si"], "sauf": ["sauf si"], "courriel": ["e-mail", "email", "mail"], "infolettre": ["newsletter"],
    "au moins un de": ["l'un de"],
}  # fmt: skip


def meaning(data: bytes) -> tuple[object, int]:
    reading = read({"rules.yaml": data})
    return to_json(reading.book), len(reading.mistakes)


@pytest.mark.parametrize("text", RIGHT)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_right_file_in_todays_words_stays_as_it_is_byte_for_byte(text: str, end: str) -> None:
    data = mended(text.encode())
    assert mended(data) == data
    assert mended(text.replace("\n", end).encode()) == data.replace(b"\n", end.encode())
    assert text not in RIGHT[:-2] or data == text.encode()


@pytest.mark.parametrize("file", MISTAKES, ids=lambda file: file.stem)
def test_fixing_adds_no_mistake_and_twice_is_once(file: Path) -> None:
    data = file.read_bytes()
    fixed = mended(data)
    assert meaning(fixed)[1] <= meaning(data)[1]
    assert mended(fixed) == fixed


@pytest.mark.parametrize(
    "name",
    ["line-tab", "line-smart-quotes", "line-no-space-after-colon", "line-no-space-after-dash", "file-windows-1252"],
)
def test_a_slip_with_one_right_mend_is_mended(name: str) -> None:
    data = (ROOT / f"tests/rules/mistakes/{name}.yaml").read_bytes()
    assert meaning(data)[1]
    assert meaning(mended(data))[1] == 0


def test_every_slip_at_once_and_nothing_else() -> None:
    wrong = (
        "\ufeff# « à nous »\u00a0: ne pas toucher\t\r\n"
        "règles:\r\n\t- nom: “Habitués” # si\r\n\t  si:\r\n\t    visites:au moins 3\r\n\t    e-mail:\u00a0connu\r\n"
        '\t  alors:\r\n\t    -écrire: {Si: \'e-mail\', "Note": "à\u00a0: b"}\r\n'
    )
    right = (
        "# « à nous »\u00a0: ne pas toucher\t\r\n"
        "règles:\r\n  - nom: Habitués # si\r\n    quand:\r\n      visites: au moins 3\r\n      courriel: connu\r\n"
        '    alors:\r\n      - écrire: {Si: \'e-mail\', "Note": "à\u00a0: b"}\r\n'
    )
    assert mended(wrong.encode()).decode() == right
    assert meaning(right.encode())[1] == 0


def test_a_tab_is_as_wide_as_the_file_needs() -> None:
    wide = b"rules:\n    - name: A\n\t  when:\n\t\tvisits: 3\n\t  then: {flag: b}\n"
    assert meaning(mended(wide))[1] == 0


def test_a_text_of_several_lines_stays_as_it_is() -> None:
    text = "rules:\n  - name: A\n    if: {visits: 3}\n    then:\n      - task: |\n          if:\u00a0“so”\n          \tvisits:3\n"
    assert mended(text.encode()).decode() == text.replace("    if: {", "    when: {")


def test_what_stands_twice_is_left_to_the_person() -> None:
    text = b"rules:\n  - name: A\n    when: {visits: 3}\n    if: {visits: 4}\n    then: {flag: b}\n"
    assert mended(text) == text


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00", b"\x00" * 50, b"", "règles:".encode("utf-16"), b"\x81\x8d: \xe9"])
def test_what_is_no_rules_file_does_no_harm(data: bytes) -> None:
    fixed = mended(data)
    assert mended(fixed) == fixed
    assert meaning(fixed)[1] <= meaning(data)[1]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A right file, and the same as somebody else's editor or an older guide would have left it."""
    text = draw(st.sampled_from(RIGHT))
    right = text.encode()
    for today in draw(st.lists(st.sampled_from(sorted(OLDER)), max_size=4, unique=True)):
        older = draw(st.sampled_from(OLDER[today]))
        text = re.sub(rf"^([ -]*){re.escape(today)}:", rf"\g<1>{older}:", text, flags=re.MULTILINE)
    if draw(st.booleans()):
        text = re.sub(r"^( *(?:- )?[\w ]+:) (?=\w)", "\\1\u00a0", text, flags=re.MULTILINE)
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return right, text.encode(encoding)


@settings(max_examples=60, deadline=None)
@given(pair=mutated())
def test_what_reads_the_same_before_reads_the_same_after(pair: tuple[bytes, bytes]) -> None:
    right, other = pair
    fixed = mended(other)
    assert meaning(fixed) == meaning(other)
    assert mended(fixed) == fixed
    if meaning(other) == meaning(right):
        assert fixed.replace(b"\r\n", b"\n") == mended(right)


@settings(max_examples=60, deadline=None)
@given(text=st.sampled_from(RIGHT), at=st.integers(0, 2000), slip=st.sampled_from("\t\u00a0:-\"'“”#|\r\n xé\\"))
def test_no_slip_of_the_finger_gets_worse(text: str, at: int, slip: str) -> None:
    data = (text[: at % len(text)] + slip + text[at % len(text) :]).encode()
    fixed = mended(data)
    before, after = meaning(data), meaning(fixed)
    assert after[1] <= before[1]
    assert before[1] or after == before
    assert mended(fixed) == fixed


def test_the_older_words_are_still_words() -> None:
    for language in ("en", "fr"):
        words = vocabulary(language)
        known = {word for section in ("rule", "logic", "action", "fields") for word in words.all(section)}
        for today, older in OLDER.items():
            if today in known:
                assert all(any(words.find(s, one) for s in ("rule", "logic", "action", "fields")) for one in older)


def test_old_words_in_the_steps_of_a_journey_are_mended() -> None:
    step = "      - at: 1 day after\n        except: {visits: 3}\n        email: a\n"
    text = f"journeys:\n  - name: F\n    around: first visit\n    if: {{visits: 1}}\n    steps:\n{step}"
    assert mended(text.encode()).decode() == text.replace("except", "unless").replace("if:", "when:")
