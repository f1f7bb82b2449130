"""`{ prénom }`, `[prénom]`, `«nom»`, `*|FNAME|*`: too few braces, or the signs of other programs' mail merges, which
would reach the reader as they stand; and a currency's sign beside a field that writes it itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import jinja2

from rules.conditions import Book, texts_of
from rules.fields import FIELDS
from rules.marks import CODE
from rules.mistakes import Mistake, Place
from rules.words import LANGUAGES, vocabulary
from sync.followup.fill import field_of, names_in
from sync.followup.templatefiles import TemplateMistake

WORD = r"[^\W\d_][\w '’-]{1,30}?"
SIGNS = re.compile(
    rf"\[\s*({WORD})\s*\](?![(\[:])|\{{+\s*({WORD})(?P<otherwise> (?:or|ou) [^{{}}]*?)?\s*\}}+|<<\s*({WORD})\s*>>"
    rf"|«\s*({WORD})\s*»|<\s*({WORD})\s*>|%({WORD})%|\*\|(\w+)\|\*"
)
MAILCHIMP = {"FNAME", "LNAME", "EMAIL"}
SIGN = r"(?:[€$£]|euros?\b|dollars?\b|EUR\b|CAD\b|USD\b)"
BESIDE = re.compile(rf"(?:{SIGN}\s?)?(\{{\{{[^{{}}]*\}}\}})(?:\s?{SIGN})?", re.IGNORECASE)
MONEY = {name for name, field in FIELDS.items() if field.type == "money"} | {"donation_amount"}


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
        for sign in BESIDE.finditer(line):
            if sign[0] != sign[1] and any(field_of(name) in MONEY for name in _shown(sign[1])):
                place = Place(file, number, sign.start() + 1)
                yield TemplateMistake(place, "template-money-sign", found=sign[0], suggestion=sign[1])
        for sign in SIGNS.finditer(CODE.sub(lambda code: " " * len(code[0]), line)):
            word = next(text for text in sign.groups() if text)
            otherwise = (sign["otherwise"] or "").replace(" ou ", " or ", 1)
            if (
                word in MAILCHIMP
                or field_of(word)
                or any(one.meant(("fields",), word) for one in map(vocabulary, LANGUAGES))
            ):
                right = f"{{{{ {word}{otherwise} }}}}"
                place = Place(file, number, sign.start() + 1)
                meant = right if any(map(field_of, _shown(right))) else None
                yield TemplateMistake(place, "template-merge-sign", found=sign[0], suggestion=meant)


def _shown(code: str) -> frozenset[str]:
    """The fields between two braces; none where they can't be read, which is told elsewhere."""
    try:
        return names_in(code)
    except jinja2.TemplateSyntaxError:
        return frozenset()
