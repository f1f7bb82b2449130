"""What is wrong in a file that a person wrote: where, what stands there, what was expected, and the mend.

Sentences live in `rules/words/messages.{en,fr}.yaml`, one for each code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from rapidfuzz.distance import OSA

from rules import ouryaml

LONGEST_QUOTE = 60
SAME: dict[int, str | None] = {
    **{ord(sign): plain for sign, plain in {"œ": "oe", "Œ": "oe", "’": "'", "‐": "-", "‑": "-"}.items()},
    **dict.fromkeys(map(ord, "\u200b\ufeff\u00ad\u2060")),
}
"""What a word processor or a PDF writes otherwise, or hides in a word."""
LAST_SAMPLE = re.compile(r"`, (?=`[^`]*`$)")
NOTS = {"not", "no", "non", "pas", "never", "jamais", "without", "sans", "except", "sauf"}
TOGETHER = {"examples", "steps"}  # their samples stand side by side in a file


@dataclass(frozen=True, order=True)
class Place:
    """A point in a file; line and column count from 1, the column in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Mistake:
    """One thing to mend. `path` says where in the file's own words (`rules[2].when.visits`), `found` is what stands
    there, `expected` what may stand there, `suggestion` the nearest right word. `expected` and `suggestion` are in the
    language of the file, since that is what must be typed; `message` is in the reader's. `expecting` names the words
    around the samples in `expected`.
    """

    place: Place
    code: str
    path: str = ""
    found: str = ""
    expected: str = ""
    suggestion: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    expecting: str = ""

    def message(self, language: str) -> str:
        """The mistake in one or two sentences, for a person."""
        said = messages(language)
        known = _joined(self.expected, {"fr": "et", "en": "and"}[language])
        facts: dict[str, object] = {"found": shorten(self.found), "expected": self.wanted(language), "path": self.path}
        facts |= {"known": known, **self.facts}
        parts = [said[self.code].format_map(facts)]
        if self.suggestion:
            parts.append(said["did-you-mean"].format(suggestion=self.facts.get("line_meant", self.suggestion)))
        if "one_text" in self.facts:
            parts.append(said["as-one-text"].format_map(facts))
        if "quotable" in self.facts:
            parts.append(said["as-it-stands"].format_map(facts))
        return " ".join(parts)

    def wanted(self, language: str) -> str:
        """What was expected, in words around the samples."""
        prose = messages(language).get(f"expected-{self.expecting.replace('_', '-')}", "{samples}")
        one_of = _joined(self.expected, {"fr": "ou", "en": "or"}[language])
        return prose.format(samples=self.expected if self.expecting in TOGETHER else one_of)

    def show(self, language: str, source_line: str) -> str:
        """The message under its place, with the line itself and a caret under the column."""
        number = str(self.place.line)
        line = source_line.rstrip("\r\n")
        start = max(0, self.place.column - 80)
        shown = "".join(" " if c == "\t" or not c.isprintable() else c for c in line[start : start + 110])
        caret = " " * max(0, self.place.column - 1 - start) + "^"
        return f"{self.place}  {self.message(language)}\n  {number} | {shown}\n  {' ' * len(number)} | {caret}"

    def to_json(self, language: str) -> dict[str, Any]:
        """The stable keys of `check --json`."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "path": self.path,
            "found": self.found,
            "expected": self.wanted(language),
            "suggestion": self.suggestion,
            "message": self.message(language),
        }


def _joined(samples: str, word: str) -> str:
    return LAST_SAMPLE.sub(f"` {word} ", samples)


@cache
def messages(language: str) -> dict[str, str]:
    """All sentences about mistakes in a language, by code."""
    text = files("rules").joinpath("words", f"messages.{language}.yaml").read_text("utf-8")
    return {str(code): str(sentence) for code, sentence in ouryaml.read(text).items()}


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Text for comparing: without accents, letter case, `_`, typographic signs, what nobody sees, or extra spaces."""
    plain = unicodedata.normalize("NFKD", text.translate(SAME))
    kept = "".join(" " if c == "_" else c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word a person most probably meant, or None when nothing is near. Ties go to the first. A `not` is never dropped."""
    typed = fold(word)
    denied = NOTS & set(typed.split()) if " " in typed else set[str]()
    known = [one for one in words if not denied or denied <= set(fold(one).split())]
    if longer := [word for word in known if fold(word).startswith(typed if len(typed) > 3 else f"{typed} ")]:
        return longer[0]
    allowed = max(1, (len(typed) + 1) // 3)
    best, best_distance = None, allowed + 1
    for candidate in known:
        distance = OSA.distance(typed, fold(candidate), score_cutoff=allowed)
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"
