"""Which mistakes may only follow from a slip that YAML does not accept. They are not told: better silent than false."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from rules.indents import KEYED
from rules.lines import ONE_MEND
from rules.mistakes import Mistake
from rules.words import LANGUAGES, vocabulary
from rules.yamlmends import VALUE_ONLY
from rules.yamltext import Block, Entry, Items, Node, Tree

WHOLE = {"no-value", "missing-name", "missing-when", "missing-then", "not-a-text-here", "unknown-segment-none"}
"""Something is missing from a rule: perhaps it stands in a line that was lost."""
WHOLE |= {"missing-around", "missing-steps", "missing-at", "missing-action", "example-incomplete"}
MOVED = {"tab", "tabs", "indent-under", "indent-dash", "indent-below", "indent-like", "indent-item"}
"""The line was read, in a column that is a guess."""
READ = {"quoted-mail", "below", "braces-left-out", "comma-missing", "no-dash", "joined-lines"} | ONE_MEND
"""The line was read as it was surely meant, so that all else in it is told as well."""
DOUBLED = {"duplicate-key", "duplicate-block"}
OF_PLACE = {"unknown-key", "unknown-field", "same-meaning", "two-actions", "two-actions-step", "or-key"}
EXAMPLE = re.compile(r"\.(?:examples|exemples)\[")
NAMES = ("unknown-segment", "unknown-column")


def without_follow_ons(told: list[Mistake], tree: Tree) -> list[Mistake]:
    """Of what was found in a tree, that which none of the file's slips can have made."""
    if not tree.mistakes:
        return told
    spoiled = _lines(one for one in tree.mistakes if one.code not in READ | MOVED)
    moved = _lines(one for one in tree.mistakes if one.code in MOVED)
    unsure = tree.lost | moved | _lines(one for one in tree.mistakes if one.code not in READ | VALUE_ONLY | DOUBLED)
    begins = sorted(_begins(tree.node))

    def stands(one: Mistake) -> bool:
        line = one.place.line
        if line in spoiled or (line in moved and (one.code in OF_PLACE or one.code.startswith("misplaced"))):
            return False
        if one.code.startswith("unknown-value") and EXAMPLE.search(one.path):  # it names a step by its time
            return not _same(line, unsure | spoiled, begins)
        return one.code not in WHOLE or not _same(line, unsure, begins)

    return [one for one in told if stands(one)]


def without_doubtful_names(told: list[Mistake], trees: Iterable[Tree]) -> list[Mistake]:
    """Without “there is no such segment”, or column, where a file may hold it in lines that could not be read."""
    if not any(_may_hide_names(tree) for tree in trees):
        return told
    return [one for one in told if not one.code.startswith(NAMES)]


def lines_of_mistake(mistake: Mistake) -> tuple[int, ...]:
    """Every line that a mistake speaks of."""
    return cast("tuple[int, ...]", mistake.facts.get("lines", (mistake.place.line,)))


def _lines(mistakes: Iterable[Mistake]) -> set[int]:
    return {line for one in mistakes for line in lines_of_mistake(one)}


def _may_hide_names(tree: Tree) -> bool:
    return bool(tree.lost) or (tree.node is None and bool(tree.mistakes)) or any(_is_name(one) for one in tree.mistakes)


def _is_name(mistake: Mistake) -> bool:
    """Whether the value that is a guess is the name of something."""
    keyed = KEYED.match(mistake.found) if mistake.code not in READ | MOVED | DOUBLED else None
    known = [vocabulary(language) for language in LANGUAGES] if keyed else []
    return any(words.find("segment", keyed["key"]) in {"name", "id"} for words in known if keyed)


def _same(line: int, unsure: Iterable[int], begins: list[int]) -> bool:
    """Whether one of the lines belongs to the same rule, segment or journey."""
    first = max((begin for begin in begins if begin <= line), default=0)
    last = min((begin for begin in begins if begin > line), default=10**9)
    return any(first <= other < last for other in unsure)


def _begins(node: Node | None) -> Iterable[int]:
    """The lines in which what stands at the top of a file begins, and each item below it."""
    entries: tuple[Entry, ...] = node.entries if isinstance(node, Block) else ()
    for entry in entries:
        yield entry.key.place.line
        yield from (item.place.line for item in entry.value.items) if isinstance(entry.value, Items) else ()
