"""Whatever stands in a rules file or a template, it is read or refused with sentences: no traceback, no hang, no end of
the memory. Ten minutes of it in `make test-long`, two hundred files in `make test`.
"""

from __future__ import annotations

import gc
import math
import random
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rules.compiler import evaluate
from rules.conditions import Example
from rules.encoding import lines_of
from rules.examples import person_of
from rules.explain import explain
from rules.mistakes import Mistake, Place
from rules.reader import read
from sync.followup.templatefiles import action_mistakes, read_templates
from tests.rules.mutations import broken

ROOT = Path(__file__).parents[2]
RULES = [*ROOT.glob("rules/library/*/*.yaml"), *ROOT.glob("tests/rules/mistakes/*.yaml")]
TEMPLATES = [*ROOT.glob("rules/library/*/templates/*.md"), *ROOT.glob("sync/demo/*/templates/*.md")]
COLUMNS = ["E-mail", "Do not contact", "Ne pas relancer", "Seats"]
TODAY = date(2026, 11, 20)
FEW, LONG = 100, 300.0  # files, and seconds, of each of the two
LONGEST = 10  # seconds of work for one file, on a busy machine too
INSIDE = re.compile(r"Traceback|<class|object at 0x|\b(?:scalar|mapping|token|sequence|NoneType)\b", re.IGNORECASE)


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Ends what hangs; counts the work of this process only, so that a busy machine is no failure."""

    def stop(*_: object) -> None:
        raise TimeoutError("hangs")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def memory() -> int:
    """The most that this process ever held, in MB."""
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def hold_rules(data: bytes) -> None:
    """What is read is told or works: the rules left standing are decided and explained for somebody."""
    reading = read({"r.yaml": data}, columns=COLUMNS, templates=["we-miss-you", "on-se-revoit"])
    lines = lines_of(data)
    told(reading.mistakes, lines)
    told(action_mistakes(reading.written, {"r.yaml": lines}), lines)
    if not reading.book.rules:
        return
    needs = sorted({field for rule in reading.book.rules for field in rule.needs})
    person = person_of(Example((), expect=False, place=Place("r.yaml", 1, 1)), needs, TODAY)
    found = evaluate(reading.book, person, TODAY)
    for rule in reading.book.rules[:2]:
        assert not rule.active or explain(reading.book, rule, person, TODAY).answer is found.rule(rule.id)[0]


def hold_template(data: bytes) -> None:
    _, mistakes = read_templates({"t.md": data})
    told(mistakes, lines_of(data))


def told(mistakes: list[Mistake], lines: list[str]) -> None:
    """Each mistake points into the file, in words of people, in both languages."""
    for mistake in mistakes:
        place = mistake.place
        assert 1 <= place.line <= len(lines), (place, mistake.code)
        line = lines[place.line - 1]
        assert 1 <= place.column <= len(line) + 1, (place, mistake.code, line)
        for language in ("en", "fr"):
            shown = mistake.show(language, line)
            assert len(shown.split("\n")) == 3, shown
            assert not INSIDE.search(shown) or INSIDE.search(line), shown
            shown.encode("utf-8")


def fuzz(
    hold: Callable[[bytes], None], files: list[Path], seed: int, *, most: int | None = None, seconds: float = math.inf
) -> int:
    """Breaks so many files, or for so many seconds; the one that brought it down is in the failure. Gives how many."""
    texts = [file.read_bytes() for file in sorted(files)]
    assert len(texts) > 5
    dice, ends, count = random.Random(seed), time.monotonic() + seconds, 0
    while count != most and time.monotonic() < ends:
        data = broken(dice, texts)
        try:
            with no_longer_than(LONGEST):
                hold(data)
        except Exception as fault:
            raise AssertionError(f"file {count} of seed {seed}: {data!r}") from fault
        count += 1
    return count


KINDS = [pytest.param(hold_rules, RULES, id="rules"), pytest.param(hold_template, TEMPLATES, id="templates")]


@pytest.mark.parametrize(("hold", "files"), KINDS)
def test_a_moment_of_broken_files(hold: Callable[[bytes], None], files: list[Path]) -> None:
    assert fuzz(hold, files, seed=4, most=FEW) == FEW


@pytest.mark.long
@pytest.mark.parametrize(("hold", "files"), KINDS)
def test_ten_minutes_of_broken_files(
    hold: Callable[[bytes], None], files: list[Path], record_property: Callable[[str, Any], None]
) -> None:
    seed = random.randrange(10**9)  # another each time; it is told when a file brings it down
    gc.collect()
    before = memory()
    count = fuzz(hold, files, seed, seconds=LONG)
    record_property("files", count)
    print(f"{count} files of seed {seed}, {memory() - before} MB more at most")
    assert count > 1000
    assert memory() - before < 300


def laughs() -> bytes:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(["rules:", "l0: &l0 lol", *levels]).encode()


BIG = {
    "billion laughs": laughs(),
    "billion laughs, merged": b"a: &a {b: c}\n" + b"x: {<<: *a, <<: [*a, *a]}\n" * 3000,
    "10,000 brackets": b"rules: " + b"[" * 10_000,
    "10,000 braces": b"rules: " + b"{a: " * 10_000,
    "10,000 dashes": b"rules:\n  " + b"- " * 10_000 + b"x",
    "10,000 levels": b"".join(b" " * n + b"a:\n" for n in range(10_000)),
    "700 levels": b"".join(b" " * n + b"a:\n" for n in range(700)),
    "50 MB": b"rules:\n" + b"  - name: Regulars\n" * (50 * 1024 * 1024 // 19),
    "50 MB of one line": b"rules: " + b"x" * (50 * 1024 * 1024),
    "50 MB of nothing": b"\0" * (50 * 1024 * 1024),
    "50 MB of white": b" \n" * (25 * 1024 * 1024),
    "a million keys": b"".join(b"k%d: 1\n" % n for n in range(1_000_000)),
    "twenty thousand keys": b"".join(b"k%d: 1\n" % n for n in range(20_000)),
    "a million rules": b"rules:\n" + b"- {name: a}\n" * 1_000_000,
    "as many rules as fit": b"rules:\n" + b"- {name: a}\n" * 20_000,
    "as many conditions as fit": b"rules:\n- name: a\n  when:\n" + b"".join(b"    k%d: 1\n" % n for n in range(16_000)),
    "as many slips as fit": b"rules:\n" + b"\ta:b\n" * 40_000,
    "as many open quotes as fit": b"a: 'x\n" * 40_000,
    "a long word": b"rules:\n- name: " + b"a" * 250_000,
    "a long key": b"a" * 250_000 + b": 1",
    "a long phrase": b"rules:\n- name: a\n  when:\n    visits: at least " + b"1 000" * 50_000,
    "a long period": b"rules:\n- name: a\n  when:\n    last_visit: more than " + b"1 " * 100_000 + b"months ago",
    "a long list": b"rules:\n- name: a\n  when:\n    city: [" + b"a," * 100_000 + b"]\n  then:\n  - flag: x",
    "a long tight line": b"rules:\n" + b"a " * 120_000 + b":b",
    "a long tight dash": b"rules:\n-" + b"a " * 120_000,
    "many curly quotes": b"a: " + "“".encode() * 80_000,
    "many spaces": b"a: 1" + b" " * 250_000 + b"x:y",
    "many signs": b"a: " + b": > " * 60_000,
    "many bars": b"a: |" + b"+-" * 100_000,
    "circles": b"segments:\n" + b"".join(b"- {name: s%d, when: {segment: s%d}}\n" % (n, (n + 1) % 5000) for n in range(5000)),
}  # fmt: skip


@pytest.mark.parametrize("name", BIG)
def test_what_is_too_much_is_refused_with_a_sentence(name: str) -> None:
    before, data = memory(), BIG[name]
    with no_longer_than(60):
        mistakes = read({"r.yaml": data}, columns=COLUMNS, templates=[]).mistakes
        told(mistakes, lines_of(data))
    assert mistakes or name == "a long list"
    assert len(mistakes) <= 61
    assert memory() - before < 400
