"""What a file names, found before any of it is read, so that files and rules may stand in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules.mistakes import fold
from rules.words import Vocabulary
from rules.yamltext import Block, Items, Node, Text


def slug(name: str) -> str:
    """`Habitués perdus de vue` as `habitues-perdus-de-vue`: the id of a rule that has no other."""
    return "-".join(re.findall(r"[a-z0-9]+", fold(name).replace("'", " ").encode("ascii", "ignore").decode()))


def segments_named(node: Node | None, words: Vocabulary) -> Iterator[tuple[str, str]]:
    """Name and id of every segment of a file."""
    if not isinstance(node, Block):
        return
    for entry in node.entries:
        if words.find("top", entry.key.value) != "segments" or not isinstance(entry.value, Items):
            continue
        for block in entry.value.items:
            if isinstance(block, Block):
                texts = {
                    words.find("segment", e.key.value): e.value.value
                    for e in block.entries
                    if isinstance(e.value, Text)
                }
                if name := texts.get("name", "").strip():
                    yield name, slug(texts.get("id", "") or name)


def columns_made(node: Node | None, words: Vocabulary) -> Iterator[str]:
    """The columns that a file's rules write in: they are in the sheet, or will be."""
    level: list[Node] = [node] if node else []
    for _ in range(4):  # rules, a rule, its actions, an action
        entries = [entry for node in level if isinstance(node, Block) for entry in node.entries]
        made = [entry.value for entry in entries if words.find("action", entry.key.value) == "set"]
        yield from (cell.key.value for block in made if isinstance(block, Block) for cell in block.entries)
        level = [entry.value for entry in entries]
        level += [item for node in level if isinstance(node, Items) for item in node.items]
