"""Where a line was meant to begin that begins in a column of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rules.heads import families, families_below
from rules.lines import Line
from rules.words import LANGUAGES, vocabulary

KEYED = re.compile(
    r"(?P<head> *(?P<dashes>(?:- +)*))(?P<key>[^\s\"'#{\[\-][^:#]*?) *:(?: +(?P<value>[^#\s].*)|\s*(?:#.*)?$)"
)
DASHED = re.compile(r" *- +")


@dataclass(frozen=True)
class Column:
    """A column (from 0) in which a line may begin. `word` stands there on line `line`, or, `below`, two columns to the left
    and one line or more above.
    """

    at: int
    word: str
    line: int
    below: bool
    families: frozenset[int]


def meant(lines: list[Line], index: int) -> list[Column]:
    """The columns in which line `index` may begin for what stands above it, the most probable first."""
    line = lines[index]
    found = list(_open_columns(lines, index, dashed=bool(DASHED.match(line.text))))
    keyed = KEYED.match(line.text)
    mine = families(keyed["key"]) if keyed else frozenset()
    last = found[0].at if found else 0
    fits = [column for column in found if column.at != line.indent]

    def unlikely(one: Column) -> tuple[bool, int, int, int]:
        strange = len(one.families - mine)
        return not (mine & one.families), strange, abs(one.at - line.indent), abs(one.at - last)

    return sorted(fits, key=unlikely)


def begins_item(word: str) -> bool:
    """Whether an item of a list begins with this word: an action, the name of a rule, the time of a step."""
    known = [vocabulary(language) for language in LANGUAGES]
    firsts = {"rule": "name", "example": "person", "step": "at"}
    return is_action(word) or any(w.find(of, word) == first for w in known for of, first in firsts.items())


def is_action(word: str) -> bool:
    return any(vocabulary(language).find("action", word) for language in LANGUAGES)


def dash_forgotten(lines: list[Line], index: int) -> str | None:
    """The word at the beginning of a line, if it begins an item of the list above and stands right below its dash."""
    keyed, edge = KEYED.match(lines[index].text), lines[index].indent
    if keyed is None or keyed["dashes"]:
        return None
    for line in reversed(lines[:index]):
        if line.text.strip() and not line.verbatim and line.indent <= edge:
            starts = line.indent == edge and bool(DASHED.match(line.text))
            return keyed["key"] if starts and begins_item(keyed["key"]) else None
    return None


def _open_columns(lines: list[Line], index: int, *, dashed: bool) -> Iterator[Column]:
    """From the deepest on. A dash goes below a dash, a word below a word."""
    limit, first = 10**6, True
    for line in reversed(lines[:index]):
        if line.verbatim or not line.text.strip():
            continue
        keyed = KEYED.match(line.text)
        key_at = len(keyed["head"]) if keyed else line.indent
        if keyed and first and not keyed["value"]:
            yield Column(key_at + 2, keyed["key"], line.number, below=True, families=families_below(keyed["key"]))
        first = False
        if keyed and key_at < limit and not dashed and not line.moved:
            yield Column(key_at, keyed["key"], line.number, below=False, families=families(keyed["key"]))
        if DASHED.match(line.text) and line.indent < limit and dashed:
            begun = families(keyed["key"]) if keyed else frozenset[int]()
            yield Column(line.indent, "-", line.number, below=False, families=begun)
        limit = min(limit, line.indent if line.indent < key_at else key_at + line.moved)
        if limit == 0:
            return
