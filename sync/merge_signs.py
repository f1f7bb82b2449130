"""`[prénom]`, `«nom»`, `*|FNAME|*`: the signs of other programs' mail merges, which would reach the reader as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rules.conditions import Book, texts_of
from rules.marks import CODE
from rules.mistakes import Mistake, Place
from rules.words import LANGUAGES, vocabulary
from sync.followup.fill import field_of
from sync.followup.templatefiles import TemplateMistake

WORD = r"[^\W\d_][\w '’-]{1,30}?"
SIGNS = re.compile(
    rf"\[({WORD})\](?![(\[:])|\{{({WORD})\}}|<<\s*({WORD})\s*>>|«\s*({WORD})\s*»|<({WORD})>|%({WORD})%|\*\|(\w+)\|\*"
)
MAILCHIMP = {"FNAME", "LNAME", "EMAIL"}


def merge_signs(
    book: Book, templates: Mapping[str, Sequence[str]], rules: Mapping[str, Sequence[str]]
) -> list[Mistake]:
    """Each with its place; `templates` and `rules` are the lines of the files, by name. A word that is no field of a
    person is left alone: it may be meant as it stands.
    """
    found = [one for file, lines in templates.items() for one in _in_lines(file, enumerate(lines, 1))]
    for rule in book.acting:
        below = list(enumerate(rules.get(rule.place.file, ()), 1))[rule.place.line - 1 :]
        for text in (text for action in rule.actions for text in texts_of(action)):
            found += _in_lines(rule.place.file, [(n, line) for n, line in below if text in line][:1])
    return found


def _in_lines(file: str, lines: Iterator[tuple[int, str]] | Sequence[tuple[int, str]]) -> Iterator[Mistake]:
    for number, line in lines:
        for sign in SIGNS.finditer(CODE.sub(lambda code: " " * len(code[0]), line)):
            word = next(text for text in sign.groups() if text)
            if (
                word in MAILCHIMP
                or field_of(word)
                or any(one.meant(("fields",), word) for one in map(vocabulary, LANGUAGES))
            ):
                yield TemplateMistake(Place(file, number, sign.start() + 1), "template-merge-sign", found=sign[0])
