"""YAML as a tree with places, and what it says of files that are broken."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.mistakes import messages
from rules.yamltext import Block, Items, Text, parse, plain

SMALL = b"rules:\n  - name: Regulars\n    when:\n      visits: at least 3\n      city: NO\n"


def told(text: str | bytes) -> list[tuple[int, int, str]]:
    data = text.encode() if isinstance(text, str) else text
    return [(m.place.line, m.place.column, m.code) for m in parse(data, "f.yaml")[1]]


def test_scalars_stay_as_written_and_know_their_place() -> None:
    node, mistakes = parse(SMALL, "f.yaml")
    assert not mistakes
    assert plain(node) == {"rules": [{"name": "Regulars", "when": {"visits": "at least 3", "city": "NO"}}]}
    assert isinstance(node, Block)
    rules = node.get("RULES")
    assert rules is not None
    assert isinstance(rules.value, Items)
    first = rules.value.items[0]
    assert isinstance(first, Block)
    assert (first.entries[0].value.place.line, first.entries[0].value.place.column) == (2, 11)


@pytest.mark.parametrize("word", ["NO", "on", "01000", "12:30", "2024-01-31", "1.10", "~", "null", "0x1F", "1_000"])
def test_no_word_turns_into_something_else(word: str) -> None:
    node, mistakes = parse(f"a: {word}\n".encode(), "f.yaml")
    assert (plain(node), mistakes) == ({"a": word}, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_editors_save(encoding: str) -> None:
    assert parse("nom: Été\r\nville: Orléans\r\n".encode(encoding), "f.yaml")[1] == []


def test_quoted_is_known() -> None:
    node, _ = parse(b"a: '3'\nb: 3\n", "f.yaml")
    assert isinstance(node, Block)
    assert [e.value.quoted for e in node.entries if isinstance(e.value, Text)] == [True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 3\n", [(2, 1, "tab")]),
        ("a:3\nb:4\n", [(1, 2, "no-space-after-colon"), (2, 2, "no-space-after-colon")]),
        ("a:\n  -b: 3\n", [(2, 3, "no-space-after-dash")]),
        ("a: “x”\n", [(1, 4, "smart-quotes")]),
        ("a: x: y\n", [(1, 5, "colon-in-text")]),
        ("a: 1\n  b: 2\nc: 'x\n", [(2, 3, "indent-under"), (3, 4, "quote-open")]),
        ("a: 1\na: 2\n", [(2, 1, "duplicate-key")]),
        ("a: [b, c\nd: 1\n", [(1, 4, "bracket-open")]),
        ("a: @b\n", [(1, 4, "bad-start")]),
        ("a: &x 1\nb: *x\n", [(1, 4, "alias"), (2, 4, "alias")]),
        ("a: !!python/object:os.system x\n", [(1, 4, "tag")]),
        ("a: 1\n---\nb: 2\n", [(2, 1, "second-document")]),
        ('a: "b" c\n', [(1, 8, "after-quote")]),
        ("a:\n  when\n  b: 1\n", [(2, 3, "no-colon")]),
        ("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n", [(1, 1, "merge-mark"), (4, 1, "duplicate-key")]),
        ("a: b\x07c\n", [(1, 5, "control-character")]),
        ('a: "\\q"\n', [(1, 4, "bad-escape")]),
        ("nom: Été\n".encode("cp1252"), [(1, 6, "not-utf8")]),
        (b"PK\x03\x04....", [(1, 1, "not-text")]),
        ("[" * 5000, [(1, 25, "too-deep")]),
        (b"a: 1\n" * 10_000_000, [(1, 1, "too-big")]),
    ],
)
def test_each_slip_has_its_own_sentence(text: str | bytes, expected: list[tuple[int, int, str]]) -> None:
    assert told(text) == expected


def test_the_caret_stands_under_the_slip() -> None:
    mistake = parse(b"a:\n  visits:3\n", "r.yaml")[1][0]
    assert mistake.show("en", "  visits:3") == (
        "r.yaml:2:9  A space is missing after the colon. Did you mean `visits: 3`?\n  2 |   visits:3\n    |         ^"
    )


def test_block_text_is_left_alone() -> None:
    assert told("a: |\n  not:tight\n  “quoted”\n\n  -dash: x\nb: 1\n") == []


def test_billion_laughs_ends_at_once() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]
    begun = time.process_time()
    assert {code for _, _, code in told("\n".join(["l0: &l0 lol", *levels]))} == {"alias", "and-more"}
    assert time.process_time() - begun < 20


def test_both_languages_hold_the_same_facts() -> None:
    english, french = messages("en"), messages("fr")
    assert english.keys() == french.keys()
    for code, sentence in english.items():
        assert set(re.findall(r"\{(\w+)\}", sentence)) == set(re.findall(r"\{(\w+)\}", french[code])), code


def _speaks(data: bytes) -> None:
    _, mistakes = parse(data, "f.yaml")
    for mistake in mistakes:
        assert mistake.show("fr", "")
        assert mistake.show("en", "")


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=60_000)
def test_no_bytes_ever_raise(data: bytes) -> None:
    _speaks(data)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SMALL)), st.sampled_from(list("\t:-'\"[{]}&*!|>%@`#?,\n \u00a0“é\ufeff\x85\u2028"))
        )
    )
)
@settings(max_examples=250, deadline=60_000)
def test_no_broken_rule_ever_raises(edits: list[tuple[int, str]]) -> None:
    text = SMALL.decode()
    for at, char in edits:
        text = text[:at] + char + text[at:]
    _speaks(text.encode())
