"""YAML as a tree with places, every scalar as it was written: `NO`, `01000`, `12:30`, `1.10` stay text.

`parse` finds every mistake it can in one go: it mends or blanks what it could not read and goes on, so the tree may
lack what the mistakes name. Nothing but a whole right file gives a tree without mistakes. Anchors, aliases and tags are
refused, which also ends "billion laughs".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

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
from rules.indents import begins_item, is_action
from rules.lines import Line, cut_by_a_note, mend
from rules.mistakes import Mistake, Place, fold, messages, nearest
from rules.salvage import DEEPEST, Salvage, error_in, events, pieces
from rules.yamlmends import VALUE_ONLY

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

MOST_MISTAKES = 60
TABS = (2, 4, 6, 8, 3)  # how wide a tab may have been meant
MOST_WITH_TABS = 40_000  # characters, to be read once for each width


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
    """`again`: entries whose key stands in `entries` already, which is told; `firsts`: those that were joined with them, as
    they stand.
    """

    entries: tuple[Entry, ...]
    place: Place
    again: tuple[Entry, ...] = ()
    firsts: tuple[Entry, ...] = ()

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


@dataclass(frozen=True)
class Tree:
    """`node` None stands for an empty file, and for one that could not be read at all (then there is a mistake). When
    there is a mistake, the tree is what could be read around it: good for finding more mistakes, not for acting on.
    `lost`: the numbers of lines that are not in it, though they say something. `advice`: on what is right and was probably
    meant otherwise.
    """

    node: Node | None
    mistakes: tuple[Mistake, ...]
    lost: frozenset[int] = frozenset()
    advice: tuple[Mistake, ...] = ()


def parse(data: bytes, file: str) -> tuple[Node | None, list[Mistake]]:
    """The file's tree and its mistakes, in the order of their lines. Never raises, whatever the bytes."""
    tree = tree_of(data, file)
    return tree.node, list(tree.mistakes)


def tree_of(data: bytes, file: str) -> Tree:
    """The same, and which lines were lost. Never raises, whatever the bytes."""
    if len(data) > LARGEST:
        big = Mistake(Place(file, 1, 1), "too-big", facts={"kb": len(data) // 1024, "most": LARGEST // 1024})
        return Tree(None, (big,))
    return _parsed(data, file)


@lru_cache(maxsize=128)  # one command reads the same rules several times, and those of the library for each of them
def _parsed(data: bytes, file: str) -> Tree:
    text, mistakes = read_text(data, file)
    if text is None:
        return Tree(None, tuple(mistakes))
    lines, mended = _mended(text, file)
    read = _read(lines, file, mended)
    told = tuple(in_order([*mistakes, *_tabs_once(mended), *read.mistakes]))
    return Tree(read.node, told, read.lost, tuple(cut_by_a_note(lines, file)))


def _mended(text: str, file: str) -> tuple[list[Line], list[Mistake]]:
    """The lines with what shows in a single one mended; tabs as wide as the lines around them need."""
    usual = mend(text, file, TABS[0])
    tabs = {mistake.place.line for mistake in usual[1] if mistake.code == "tab"}
    if not tabs or len(text) > MOST_WITH_TABS:
        return usual
    tried = (usual, *(mend(text, file, width) for width in TABS[1:]))
    return next((mended for mended in tried if _fits(mended[0], tabs)), usual)


def _fits(lines: list[Line], tabs: set[int]) -> bool:
    """Whether what these lines belong to can be read."""
    theirs = (piece for piece in pieces(lines) if any(line.number in tabs for line in piece))
    return all(error_in(piece) is None for piece in theirs)


def _read(lines: list[Line], file: str, mended: list[Mistake]) -> Tree:
    """The tree of these lines; where they can't be read as they are, of what can be saved of them."""
    told = frozenset(mistake.place.line for mistake in mended)
    try:
        return _built(lines, file, told)
    except yaml.YAMLError:
        tabs = frozenset(mistake.place.line for mistake in mended if mistake.code == "tab")
        saved = Salvage(file, lines, told, tabs).work()
        if saved.given_up:
            return Tree(None, tuple(saved.mistakes))
        guessed = frozenset(mistake.place.line for mistake in saved.mistakes if mistake.code in VALUE_ONLY)
        tree = _built(saved.lines, file, told | {mistake.place.line for mistake in saved.mistakes}, guessed)
        return Tree(tree.node, (*saved.mistakes, *tree.mistakes), frozenset(saved.lost))


def _built(lines: list[Line], file: str, told: frozenset[int], guessed: frozenset[int] = frozenset()) -> Tree:
    builder = _Builder(file, lines, told, guessed)
    try:
        return Tree(builder.build(), tuple(builder.mistakes))
    except _Refused as refused:
        return Tree(None, (refused.mistake,))


def _tabs_once(mended: list[Mistake]) -> list[Mistake]:
    """One mistake for all lines that begin with a tab; `lines` of its facts are theirs."""
    tabs = [mistake for mistake in mended if mistake.code == "tab"]
    if len(tabs) < 2:
        return mended
    facts = {"n": len(tabs), "lines": tuple(mistake.place.line for mistake in tabs)}
    return [*(mistake for mistake in mended if mistake.code != "tab"), replace(tabs[0], code="tabs", facts=facts)]


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """By line; of very many in one file only the first, and how many more there are."""
    ordered = sorted((mistake for mistake in mistakes if mistake.code != "and-more"), key=lambda mistake: mistake.place)
    rest = [mistake for mistake in mistakes if mistake.code == "and-more"]
    left = max(0, len(ordered) - MOST_MISTAKES) + sum(int(str(mistake.facts["n"])) for mistake in rest)
    if not left:
        return ordered
    place = ordered[MOST_MISTAKES].place if len(ordered) > MOST_MISTAKES else rest[0].place
    return [*ordered[:MOST_MISTAKES], Mistake(place, "and-more", facts={"n": left})]


def joined(nodes: list[Node]) -> Node:
    """What stands in several lists, or several blocks, as one; of a word that is in several, the first."""
    first = nodes[0]
    if isinstance(first, Items):
        return Items(tuple(item for node in nodes if isinstance(node, Items) for item in node.items), first.place)
    if isinstance(first, Block):
        every = [entry for node in nodes if isinstance(node, Block) for entry in node.entries]
        return Block(tuple({fold(entry.key.value): entry for entry in reversed(every)}.values())[::-1], first.place)
    return first


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
    doubled: dict[str, list[Node]] = field(default_factory=dict)
    again: list[Entry] = field(default_factory=list)
    key: Text | None = None

    def close(self) -> Node:
        if not self.is_block:
            return Items(tuple(self.items), self.place)
        firsts = tuple(self.entries[key] for key in self.doubled)
        for key, more in self.doubled.items():
            entry = self.entries[key]
            self.entries[key] = Entry(entry.key, joined([entry.value, *more]))
        return Block(tuple(self.entries.values()), self.place, tuple(self.again), firsts)


class _Builder:
    """Makes the tree from PyYAML's events, without recursion, so that no file can exhaust the stack. Of `told` lines no
    more is said; what a `guessed` line says gives way to a later one.
    """

    def __init__(self, file: str, lines: list[Line], told: frozenset[int], guessed: frozenset[int]) -> None:
        self.file, self.lines, self.told, self.guessed = file, lines, told, guessed
        self.mistakes: list[Mistake] = []
        self.stack: list[_Open] = []
        self.roots: list[Node] = []

    def build(self) -> Node | None:
        documents = 0
        for event in events(self.lines):
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self._tell("second-document", event)
            self._take(event)
        said = [root for root in self.roots if not (isinstance(root, Text) and not root.value and not root.quoted)]
        return self._one_document(said) if said else None

    def _one_document(self, roots: list[Node]) -> Node:
        """Further documents are told and read like the first."""
        blocks = [root for root in roots if isinstance(root, Block)]
        if len(blocks) < 2:
            return roots[0]
        top = _Open(blocks[0].place, is_block=True)
        for entry in (entry for block in blocks for entry in block.entries):
            if top.entries.setdefault(fold(entry.key.value), entry) is not entry:
                top.doubled.setdefault(fold(entry.key.value), []).append(entry.value)
        return top.close()

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
            self.roots.append(node)
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
        self._note(Mistake(node.place, "odd-key"))
        return Text("", node.place)

    def _entry(self, top: _Open, key: Text, node: Node) -> None:
        if isinstance(node, Text) and not node.value and node.place.line != key.place.line:  # `? word`
            node = replace(node, place=key.place)
        name = fold(key.value)
        top = self._next_item(top, key)
        first = top.entries.get(name)
        if first is None or first.key.place.line in self.guessed:
            top.entries[name] = Entry(key, node)
        elif key.value:
            top.again.append(Entry(key, node))
            code = "duplicate-key" if isinstance(first.value, Text) or isinstance(node, Text) else "duplicate-block"
            self._note(Mistake(key.place, code, found=key.value, facts={"first": first.key.place.line}))
            if not isinstance(node, Text):
                top.doubled.setdefault(name, []).append(node)

    def _next_item(self, top: _Open, key: Text) -> _Open:
        """The block that a word goes into: where the one that begins an item stands there again, below lines of the item, the
        dash before it was forgotten. That is told, and it begins the next item.
        """
        first = next(iter(top.entries.values()), None)
        above = self.stack[-2] if len(self.stack) > 1 else None
        if first is None or above is None or above.is_block or fold(first.key.value) != fold(key.value):
            return top
        words = [entry.key for entry in top.entries.values()]
        lines, column = {word.place.line for word in (*words, key)}, key.place.column
        stands = len(lines) > len(words) and words[0].place.column == column
        if not stands or not begins_item(key.value) or (len(words) == 1 and not is_action(key.value)):
            return top
        line = self.lines[key.place.line - 1].text.strip()
        right = f"{' ' * (column - 3)}- {line}"
        self._note(Mistake(key.place, "no-dash", found=key.value, suggestion=right, facts={"name": key.value}))
        above.items.append(top.close())
        self.stack[-1] = _Open(key.place, is_block=True)
        return self.stack[-1]

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor:
            self._tell("alias", event, found=f"&{event.anchor}")
        if event.tag and not (isinstance(event, ScalarEvent) and event.tag == "!"):
            self._tell("tag", event, found=event.tag)

    def _tell(self, code: str, event: Event, found: str = "") -> None:
        self._note(Mistake(self._place(event), code, found=found))

    def _note(self, mistake: Mistake) -> None:
        if mistake.place.line not in self.told:
            self.mistakes.append(mistake)

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        if mark is None or mark.line >= len(self.lines):
            return Place(self.file, max(1, len(self.lines)), 1)
        return self.lines[mark.line].place(self.file, mark.column)
