"""A word that stands twice in one place below `when:`, told with the lines that say both."""

from __future__ import annotations

import re
from collections.abc import Callable

from rules.context import Context
from rules.fields import EVERY
from rules.mistakes import fold
from rules.phrases import read_phrase
from rules.yamltext import Block, Entry, Items, Node, Text

Named = Callable[[Context, str], str | None]
TOLD = {"twice-list", "twice-lines"}


def tell_twice(context: Context, block: Block, path: str, named: Named) -> None:
    """Tell each condition of a block that stands there again. `named` gives the field behind a word."""
    for entry in block.again:
        begun = [one for one in (*block.firsts, *block.entries) if fold(one.key.value) == fold(entry.key.value)]
        same = [*begun[:1], *(one for one in block.again if fold(one.key.value) == fold(entry.key.value))]
        name, segment = named(context, entry.key.value), context.words.find("logic", entry.key.value) == "segment"
        if name is None and not segment:
            continue
        place, here, shown = entry.key.place, f"{path}.{entry.key.value}", entry.key.value
        kind, facts = EVERY[name].type if name else "", {"first": same[0].key.place.line}
        named_so = same if kind in {"text", "choice"} else []
        names = [text for one in named_so for text in _names(context, kind, one.value)]
        if names and all(names):
            context.tell(
                place, "twice-list", here, shown, suggestion=f"{shown}: [{', '.join(map(str, names))}]", **facts
            )
        elif lines := _lines(same):
            logic = {word: context.words.key("logic", word) for word in ("all_of", "any_of")}
            context.tell(place, "twice-lines", here, shown, one=lines[0], other=lines[1], **logic, **facts)


def _names(context: Context, kind: str, node: Node) -> list[str | None]:
    """The names that a value is, as typed in a list; None for what is none."""
    if isinstance(node, Items):
        return [name for item in node.items for name in _names(context, kind, item)]
    if not isinstance(node, Text) or not node.value.strip() or "\n" in node.value.strip():
        return [None]
    text = node.value.strip()
    phrase = not node.quoted and kind and read_phrase(context.words.language, kind, text)
    return [None if phrase else f'"{text}"' if node.quoted or re.search(r"[,\[\]{}:#]", text) else text]


def _lines(same: list[Entry]) -> list[str]:
    """The lines as they would stand in a list; none where one of them takes more than a line."""
    texts = [_in_line(one.value) for one in same]
    return [f"- {same[0].key.value}: {text}" for text in texts] if all(texts) else []


def _in_line(node: Node) -> str:
    """A value as it is typed on one line; empty where it takes several."""
    match node:
        case Text(value=value, quoted=quoted):
            text = value.strip()
            return "" if "\n" in text else f'"{text}"' if quoted else text
        case Items(items=items):
            texts = [_in_line(item) for item in items]
            return f"[{', '.join(texts)}]" if all(texts) else ""
        case Block(entries=entries):
            lines = {entry.key.value: _in_line(entry.value) for entry in entries}
            return f"{{{', '.join(f'{key}: {text}' for key, text in lines.items())}}}" if all(lines.values()) else ""
