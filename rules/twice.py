"""A word that stands twice in one place below `when:` or `then:`, told with the lines that say both."""

from __future__ import annotations

import re
from collections.abc import Callable

from rules.context import Context
from rules.fields import EVERY
from rules.indents import is_action
from rules.mistakes import fold
from rules.phrases import read_phrase
from rules.yamltext import Block, Entry, Items, Node, Text

GROUPS = {"any_of", "all_of", "none_of"}
Named = Callable[[Context, str], str | None]
TOLD = {"twice-list", "twice-lines", "twice-any", "twice-all", "one-each", "two-actions-step"}
MANY = "[…]"  # lines too long to be shown in one


def tell_twice(context: Context, block: Block, path: str, named: Named) -> None:
    """Tell each condition of a block that stands there again. `named` gives the field behind a word."""
    for entry in block.again:
        begun = [one for one in (*block.firsts, *block.entries) if fold(one.key.value) == fold(entry.key.value)]
        same = [*begun[:1], *(one for one in block.again if fold(one.key.value) == fold(entry.key.value))]
        name, logic = named(context, entry.key.value), context.words.find("logic", entry.key.value)
        place, here, shown = entry.key.place, f"{path}.{entry.key.value}", entry.key.value
        if logic in GROUPS:
            _tell_groups(context, same, entry, here)
        if name is None and logic != "segment":
            continue
        kind, facts = EVERY[name].type if name else "", {"first": same[0].key.place.line}
        named_so = same if kind in {"text", "choice"} else []
        names = [text for one in named_so for text in _names(context, kind, one.value)]
        if names and all(names):
            context.tell(
                place, "twice-list", here, shown, suggestion=f"{shown}: [{', '.join(map(str, names))}]", **facts
            )
        elif lines := _lines(same):
            both = {word: context.words.key("logic", word) for word in ("all_of", "any_of")}
            context.tell(place, "twice-lines", here, shown, one=lines[0], other=lines[1], **both, **facts)


def tell_actions_twice(context: Context, block: Block, path: str) -> None:
    """Tell a second `flag:` below `then:`, both without a dash."""
    for entry in block.again:
        first, key = block.get(entry.key.value), entry.key
        values = [first.value, entry.value] if first and is_action(key.value) else []
        lines = [f"- {key.value}: {one.value.strip()}" for one in values if isinstance(one, Text)]
        if len(lines) == 2:
            context.tell(key.place, "one-each", f"{path}.{key.value}", key.value, first=lines[0], second=lines[1])


def _tell_groups(context: Context, same: list[Entry], entry: Entry, path: str) -> None:
    """Two `any of:` side by side: in one list they would ask less than both do. Two `all of:` would ask more than one does."""
    logic = context.words.find("logic", entry.key.value)
    code, outer = ("twice-any", "all_of") if logic == "any_of" else ("twice-all", "any_of")
    lines = [f"`- {one.key.value}: {_as_list(one.value)}`" for one in same]
    context.tell(
        entry.key.place, code, path, entry.key.value,
        first=same[0].key.place.line, outer=context.words.key("logic", outer), one=", ".join(lines[:-1]), other=lines[-1],
    )  # fmt: skip


def _as_list(node: Node) -> str:
    """The lines of a group between brackets, as they are typed on one line."""
    if isinstance(node, Block):
        blocks: list[Node] = [Block((entry,), entry.key.place) for entry in node.entries]
    else:
        blocks = list(node.items) if isinstance(node, Items) else []
    texts = [_in_line(one) for one in blocks]
    plain = [
        text[1:-1] if isinstance(one, Block) and len(one.entries) == 1 else text
        for one, text in zip(blocks, texts, strict=True)
    ]
    return f"[{', '.join(plain)}]" if texts and all(texts) else MANY


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
            texts = [_in_brackets(item) for item in items]
            return f"[{', '.join(texts)}]" if all(texts) else ""
        case Block(entries=entries):
            lines = {entry.key.value: _in_brackets(entry.value) for entry in entries}
            return f"{{{', '.join(f'{key}: {text}' for key, text in lines.items())}}}" if all(lines.values()) else ""


def _in_brackets(node: Node) -> str:
    """The same, between brackets or braces, where a comma would end it."""
    if isinstance(node, Text) and not node.quoted and re.search(r"[,\[\]{}]", node.value):
        return ""
    return _in_line(node)
