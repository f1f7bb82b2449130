"""A rules file with everything mended that has one right mend, and today's words for older ones.

The meaning of what is right never changes and no mistake is added: a step that would do either is left out.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator

from rules.canonical import to_json
from rules.context import MORE_OPTIONS, language_of
from rules.encoding import read_text
from rules.lines import LINE_END, rewrite
from rules.mistakes import Place, fold
from rules.reader import Reading, read
from rules.words import Vocabulary, vocabulary
from rules.yamltext import Block, Entry, Items, Node, parse

TAB_WIDTHS = (2, 3, 4, 6, 8)
UNREADABLE = "\ufffd"
NAME = "rules.yaml"
Renamed = tuple[Place, str, str]


def mended(data: bytes, language: str = "en") -> bytes:
    """The file as it should be saved; the same bytes where nothing is to be mended. `language` serves files that do not
    show their own. Mending twice gives what mending once gives.
    """
    for step in (_as_utf8, _slips, _todays_words):
        data = step(data, language)
    return data


def _judged(data: bytes, language: str) -> Reading:
    """What the file says by itself."""
    return read({NAME: data}, language=language)


def _unless_worse(old: bytes, new: bytes, language: str) -> bytes:
    if old == new:
        return old
    before, after = _judged(old, language), _judged(new, language)
    kept = all(rule in _meaning(after) for rule in _meaning(before))
    return new if kept and len(after.mistakes) <= len(before.mistakes) else old


def _meaning(reading: Reading) -> list[object]:
    found = to_json(reading.book)
    return [*found["segments"], *found["rules"]]


def _as_utf8(data: bytes, language: str) -> bytes:
    text, _ = read_text(data, NAME)
    if text is None or UNREADABLE in text:
        return data
    return _unless_worse(data, text.encode("utf-8", "surrogatepass"), language)


def _slips(data: bytes, language: str) -> bytes:
    text = _utf8(data)
    if text is None:
        return data
    several = [rewrite(text, width).encode() for width in (TAB_WIDTHS if "\t" in text else TAB_WIDTHS[:1])]
    best = min(several, key=lambda new: len(_judged(new, language).mistakes)) if len(set(several)) > 1 else several[0]
    return _unless_worse(data, best, language)


def _todays_words(data: bytes, language: str) -> bytes:
    text = _utf8(data)
    node, mistakes = parse(data, NAME)
    if text is None or mistakes or not isinstance(node, Block):
        return data
    words = vocabulary(language_of(node, language))
    pieces = LINE_END.split(text)
    for place, written, today in sorted(_old_words(node, words), reverse=True):
        index, at = 2 * (place.line - 1), place.column - 1
        if pieces[index][at:].startswith(written):
            pieces[index] = pieces[index][:at] + today + pieces[index][at + len(written) :]
    return _unless_worse(data, "".join(pieces).encode(), language)


def _utf8(data: bytes) -> str | None:
    """The text, if it is UTF-8 without a mark at its beginning: whatever else there is was left as it is."""
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _old_words(node: Block, words: Vocabulary) -> Iterator[Renamed]:
    """Every key that is another word for today's: where it stands, as written, as it is today."""
    below: dict[str, Callable[[Node, Vocabulary], Iterator[Renamed]]] = {
        "rules": _rule,
        "segments": _rule,
        "journeys": _journey,
    }
    for name, entry in _keys(node, words, ("top",)):
        yield from _old(entry, "top", name, words)
        for block in _blocks(entry.value):
            yield from below[name](block, words) if name in below else ()


def _rule(block: Node, words: Vocabulary) -> Iterator[Renamed]:
    below = {"when": _conditions, "unless": _conditions, "then": _actions, "examples": _examples}
    for name, entry in _keys(block, words, ("rule",)):
        yield from _old(entry, "rule", name, words)
        if name in below:
            yield from below[name](entry.value, words)


def _journey(block: Node, words: Vocabulary) -> Iterator[Renamed]:
    below = {
        "when": _conditions,
        "unless": _conditions,
        "stop_when": _conditions,
        "steps": _steps,
        "examples": _examples,
    }
    for name, entry in _keys(block, words, ("journey",)):
        yield from _old(entry, "journey", name, words)
        if name in below:
            yield from below[name](entry.value, words)


def _steps(node: Node, words: Vocabulary) -> Iterator[Renamed]:
    for block in _blocks(node):
        for name, entry in _keys(block, words, ("step",)):
            yield from _old(entry, "step", name, words)
            if name in {"when", "unless"}:
                yield from _conditions(entry.value, words)
        own = tuple(entry for entry in block.entries if words.find("step", entry.key.value) is None)
        yield from _actions(Block(own, block.place), words)


def _conditions(node: Node, words: Vocabulary) -> Iterator[Renamed]:
    for block in _blocks(node):
        for name, entry in _keys(block, words, ("logic", "fields")):
            logic = words.find("logic", entry.key.value) == name
            yield from _old(entry, "logic" if logic else "fields", name, words)
            if logic and name in {"any_of", "all_of", "none_of"}:
                yield from _conditions(entry.value, words)


def _actions(node: Node, words: Vocabulary) -> Iterator[Renamed]:
    for block in _blocks(node):
        for section in ("action", "option_email", "option_task", *MORE_OPTIONS):
            for name, entry in _keys(block, words, (section,)):
                yield from _old(entry, section, name, words)


def _examples(node: Node, words: Vocabulary) -> Iterator[Renamed]:
    for block in _blocks(node):
        for name, entry in _keys(block, words, ("example",)):
            yield from _old(entry, "example", name, words)
            if name == "person":
                yield from _conditions(entry.value, words)


def _blocks(node: Node) -> list[Block]:
    return [one for one in (node.items if isinstance(node, Items) else (node,)) if isinstance(one, Block)]


def _keys(block: Node, words: Vocabulary, sections: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
    """The keys of a block that are words of these sections. One that stands twice is the person's to sort out."""
    entries = block.entries if isinstance(block, Block) else ()
    named = [(next((n for section in sections if (n := words.find(section, e.key.value))), None), e) for e in entries]
    names = [name for name, _ in named]
    yield from ((name, entry) for name, entry in named if name is not None and names.count(name) == 1)


def _old(entry: Entry, section: str, name: str, words: Vocabulary) -> Iterator[Renamed]:
    others = {fold(str(word)) for word in words.words[section].get(name, ())[1:]}
    if fold(entry.key.value) in others:
        yield entry.key.place, entry.key.value, words.key(section, name)
