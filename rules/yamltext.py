"""YAML as a tree with places, every scalar as it was written: `NO`, `01000`, `12:30`, `1.10` stay text.

`parse` finds every mistake it can in one go: it mends or blanks what it could not read and goes on, so the tree may
lack what the mistakes name. Nothing but a whole right file gives a tree without mistakes. Anchors, aliases and tags are
refused, which also ends "billion laughs".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from rules.encoding import LARGEST, read_text
from rules.lines import Line, mend
from rules.mistakes import Mistake, Place, fold, messages, nearest
from rules.yamlerrors import classify

__all__ = [
    "Block",
    "Entry",
    "Items",
    "Mistake",
    "Node",
    "Place",
    "Text",
    "fold",
    "in_order",
    "messages",
    "nearest",
    "parse",
    "plain",
    "read_text",
]

DEEPEST = 24
MOST_MISTAKES = 60


@dataclass(frozen=True)
class Text:
    """A scalar as written, quotes taken off. `quoted` tells `"3"` from `3`; an absent value is an unquoted ``''``."""

    value: str
    place: Place
    quoted: bool = False


@dataclass(frozen=True)
class Items:
    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True)
class Entry:
    key: Text
    value: Node


@dataclass(frozen=True)
class Block:
    entries: tuple[Entry, ...]
    place: Place

    def get(self, key: str) -> Entry | None:
        """The entry with this key, accents, letter case and `_` apart."""
        wanted = fold(key)
        return next((entry for entry in self.entries if fold(entry.key.value) == wanted), None)


Node = Text | Items | Block


def plain(node: Node | None) -> Any:
    """The tree as dicts, lists and strings, for a validator such as pydantic. An absent value is None."""
    match node:
        case None:
            return None
        case Text(value="", quoted=False):
            return None
        case Text(value=value):
            return value
        case Items(items=items):
            return [plain(item) for item in items]
        case Block(entries=entries):
            return {entry.key.value: plain(entry.value) for entry in entries}


def parse(data: bytes, file: str) -> tuple[Node | None, list[Mistake]]:
    """The file's tree and its mistakes, in the order of their lines. Never raises, whatever the bytes.

    None stands for an empty file, and for one that could not be read at all (then there is a mistake). When there is a
    mistake the tree is what could be read around it: good for finding more mistakes, not for acting on.
    """
    if len(data) > LARGEST:
        return None, [Mistake(Place(file, 1, 1), "too-big", facts={"kb": len(data) // 1024, "most": LARGEST // 1024})]
    node, mistakes = _parsed(data, file)
    return node, list(mistakes)


@lru_cache(maxsize=128)  # one command reads the same rules several times, and those of the library for each of them
def _parsed(data: bytes, file: str) -> tuple[Node | None, tuple[Mistake, ...]]:
    text, mistakes = read_text(data, file)
    if text is None:
        return None, tuple(mistakes)
    lines, mended = mend(text, file)
    node, broken = _read_on(lines, file)
    told = {mistake.place.line for mistake in mended}
    tabs = any(mistake.code == "tab" for mistake in mended)  # nobody can tell how wide they were meant
    broken = [m for m in broken if m.place.line not in told and not (tabs and m.code == "indent")]
    return node, tuple(in_order([*mistakes, *_tabs_once(mended), *broken]))


def _tabs_once(mended: list[Mistake]) -> list[Mistake]:
    """One mistake for all lines that begin with a tab; `lines` of its facts are theirs."""
    tabs = [mistake for mistake in mended if mistake.code == "tab"]
    if len(tabs) < 2:
        return mended
    facts = {"n": len(tabs), "lines": tuple(mistake.place.line for mistake in tabs)}
    return [*(mistake for mistake in mended if mistake.code != "tab"), replace(tabs[0], code="tabs", facts=facts)]


def lines_of_mistake(mistake: Mistake) -> tuple[int, ...]:
    """Every line that a mistake speaks of."""
    return cast("tuple[int, ...]", mistake.facts.get("lines", (mistake.place.line,)))


def _read_on(lines: list[Line], file: str) -> tuple[Node | None, list[Mistake]]:
    """Compose; at each error note it, blank the lines it spoils, and compose again."""
    tries = max(1, min(MOST_MISTAKES, 600_000 // (1 + sum(len(line.text) for line in lines))))
    found: list[Mistake] = []
    for _ in range(tries):
        builder = _Builder(file, lines)
        try:
            node = builder.build()
        except _Refused as refused:
            return None, [*found, refused.mistake]
        except yaml.YAMLError as error:
            mistake, spoiled = classify(error, lines, file)
            if not any(known.place.line == mistake.place.line for known in found):
                found.append(mistake)
            if not _blank(lines, spoiled):
                return None, found
        else:
            return node, [*found, *builder.mistakes]
    return None, found


def _blank(lines: list[Line], index: int) -> bool:
    """Take a line and the lines below that hang from it out of the text. False when there was nothing left to take."""
    if not 0 <= index < len(lines) or not lines[index].text.strip():
        return False
    indent = lines[index].indent
    end = index + 1
    while end < len(lines) and (not lines[end].text.strip() or lines[end].indent > indent):
        end += 1
    for position in range(index, end):
        lines[position] = replace(lines[position], text="")
    return True


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """By line; of very many in one file only the first, and how many more there are."""
    ordered = sorted((mistake for mistake in mistakes if mistake.code != "and-more"), key=lambda mistake: mistake.place)
    rest = [mistake for mistake in mistakes if mistake.code == "and-more"]
    left = max(0, len(ordered) - MOST_MISTAKES) + sum(int(str(mistake.facts["n"])) for mistake in rest)
    if not left:
        return ordered
    place = ordered[MOST_MISTAKES].place if len(ordered) > MOST_MISTAKES else rest[0].place
    return [*ordered[:MOST_MISTAKES], Mistake(place, "and-more", facts={"n": left})]


class _Refused(Exception):  # noqa: N818  it carries a mistake out of the builder; nobody else sees it
    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.code)
        self.mistake = mistake


@dataclass
class _Open:
    """A block or list whose end was not reached yet. In a block `key` waits for its value."""

    place: Place
    is_block: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Text | None = None

    def close(self) -> Node:
        return (
            Block(tuple(self.entries.values()), self.place) if self.is_block else Items(tuple(self.items), self.place)
        )


class _Builder:
    """Makes the tree from PyYAML's events, without recursion, so that no file can exhaust the stack."""

    def __init__(self, file: str, lines: list[Line]) -> None:
        self.file, self.lines = file, lines
        self.mistakes: list[Mistake] = []
        self.stack: list[_Open] = []
        self.root: Node | None = None

    def build(self) -> Node | None:
        documents = 0
        for event in self._events():
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._tell("second-document", event)
                    break
            self._take(event)
        return None if isinstance(self.root, Text) and not self.root.value and not self.root.quoted else self.root

    def _events(self) -> Iterator[Event]:
        return iter(yaml.parse("\n".join(line.text for line in self.lines) + "\n", Loader=yaml.SafeLoader))

    def _take(self, event: Event) -> None:
        match event:
            case AliasEvent():
                self._tell("alias", event, found=f"*{event.anchor}")
                self._add(Text(f"*{event.anchor}", self._place(event), quoted=True))
            case ScalarEvent():
                self._refuse_extras(event)
                self._add(Text(event.value, self._place(event), quoted=event.style is not None))
            case MappingStartEvent() | SequenceStartEvent():
                self._refuse_extras(event)
                self._open(event)
            case MappingEndEvent() | SequenceEndEvent():
                self._add(self.stack.pop().close())

    def _open(self, event: Event) -> None:
        if len(self.stack) >= DEEPEST:
            raise _Refused(Mistake(self._place(event), "too-deep", facts={"most": DEEPEST}))
        self.stack.append(_Open(self._place(event), isinstance(event, MappingStartEvent)))

    def _add(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if not top.is_block:
            top.items.append(node)
        elif top.key is None:
            top.key = self._key(node)
        else:
            self._entry(top, top.key, node)
            top.key = None

    def _key(self, node: Node) -> Text:
        if isinstance(node, Text):
            return node if node.quoted else replace(node, value=node.value.strip())
        self.mistakes.append(Mistake(node.place, "odd-key"))
        return Text("", node.place)

    def _entry(self, top: _Open, key: Text, node: Node) -> None:
        if isinstance(node, Text) and not node.value and node.place.line != key.place.line:  # `? word`
            node = replace(node, place=key.place)
        first = top.entries.get(fold(key.value))
        if first is None:
            top.entries[fold(key.value)] = Entry(key, node)
        elif key.value:
            code = "duplicate-key" if isinstance(first.value, Text) or isinstance(node, Text) else "duplicate-block"
            self.mistakes.append(Mistake(key.place, code, found=key.value, facts={"first": first.key.place.line}))

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor:
            self._tell("alias", event, found=f"&{event.anchor}")
        if event.tag and not (isinstance(event, ScalarEvent) and event.tag == "!"):
            self._tell("tag", event, found=event.tag)

    def _tell(self, code: str, event: Event, found: str = "") -> None:
        self.mistakes.append(Mistake(self._place(event), code, found=found))

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        if mark is None or mark.line >= len(self.lines):
            return Place(self.file, max(1, len(self.lines)), 1)
        return self.lines[mark.line].place(self.file, mark.line, mark.column)
