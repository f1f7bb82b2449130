"""`{amount: at least 1,000}`, `{date: after August 31st, 2024}`: between braces a comma ends the value, which is told with the
line that says what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from rules.context import Context
from rules.lists_meant import several_texts
from rules.phrases import read_phrase
from rules.suggestions import suggest
from rules.thousands import tell_thousands
from rules.times_meant import as_typed
from rules.words import Vocabulary
from rules.yamltext import Block, Entry, Text

NUMBER = re.compile(r"\d(?:[\d ,.]*\d)?")
AMBIGUOUS = re.compile(r"(?<![\d.,])[1-9]\d{0,2},\d{3}(?![\d,.])")
NUMBERS = {"number", "money"}


def whole(context: Context, shown: str, block: Block, path: str, kind_of: Callable[[str], str | None]) -> Block:
    """The block with what commas broke off put back, as it was meant. `shown`: the word before the braces, empty where there is
    none; `kind_of`: what the value after a word is, a type of field or `sheet`; None for what is no word here.
    """
    kept: list[Entry] = []
    broken: dict[int, Text] = {}
    for entry in block.entries:
        if kept and _is_rest(entry, kept[-1], kind_of):
            value = kept[-1].value
            assert isinstance(value, Text)
            gap = " " * max(0, entry.key.place.column - value.place.column - len(value.value) - 1)
            joined = replace(value, value=f"{value.value},{gap or ''}{entry.key.value}")
            kept[-1], broken[len(kept) - 1] = replace(kept[-1], value=joined), joined
        else:
            kept.append(entry)
    if not broken:
        return block
    for n, text in broken.items():
        kind = kind_of(kept[n].key.value) or "text"
        kept[n] = replace(kept[n], value=replace(text, value=_meant(context.words, kind, text.value)))
    line = ", ".join(f"{one.key.value}: {_in_braces(one)}" for one in kept)
    for n, text in broken.items():
        _tell(context, text, kept[n], f"{shown}: {{{line}}}" if shown else f"{{{line}}}", path, kind_of)
    return replace(block, entries=tuple(one for n, one in enumerate(kept) if n not in broken))


def _is_rest(entry: Entry, before: Entry, kind_of: Callable[[str], str | None]) -> bool:
    """Whether what stands here as a word is the end of the value before it: it has no value of its own."""
    if not isinstance(entry.value, Text) or entry.value.value or entry.value.quoted:
        return False
    value = before.value
    plain = isinstance(value, Text) and bool(value.value) and not value.quoted and not entry.key.quoted
    beside = entry.key.place.line == value.place.line and entry.key.place.column > value.place.column
    kind, rest = kind_of(before.key.value), entry.key.value
    counted = kind in {*NUMBERS, "date", "within"}
    return plain and beside and bool(kind) and kind_of(rest) is None and (rest[:1].isdigit() or not counted)


def _tell(
    context: Context, text: Text, meant: Entry, line: str, path: str, kind_of: Callable[[str], str | None]
) -> None:
    here, shown = f"{path}.{meant.key.value}", meant.key.value
    unclear = context.words.words["decimal"] == "," and AMBIGUOUS.search(text.value)
    numbers = kind_of(shown) in NUMBERS
    if not (numbers and unclear and tell_thousands(context, "", shown, text, here, "comma-in-braces")):
        context.tell(text.place, "comma-in-braces", here, text.value, suggestion=line)


def _in_braces(entry: Entry) -> str:
    """A value as it may stand between braces."""
    text = as_typed(entry.value)
    plain = isinstance(entry.value, Text) and not entry.value.quoted and not text.startswith("[")
    return f'"{text}"' if plain and re.search(r"[,\[\]{}]", text) else text


def _meant(words: Vocabulary, kind: str, text: str) -> str:
    """What was meant by a text with commas in it, as it is written without them; in quotes where they belong to it."""
    if kind in NUMBERS or (kind == "sheet" and re.search(r"\d,\d", text)):
        number = NUMBER.sub(lambda found: _number(words, found[0]), text)
        return (
            number
            if read_phrase(words.language, "number", number)
            else suggest(words.language, "number", number) or number
        )
    if kind in {"date", "sheet"} and (day := suggest(words.language, "date", text)):
        return day
    return several_texts(words, kind, text) or (f"[{text}]" if kind in {"text", "tags", "genre", "sheet"} else text)


def _number(words: Vocabulary, text: str) -> str:
    """`1,000.50` and `1 000,50` as this language writes them."""
    marks, decimal = re.findall(r"[.,]", text), words.words["decimal"]
    if not marks:
        return text
    whole_part, _, rest = text.rpartition(marks[-1])
    thousands = len(set(marks)) == 1 and len(rest) == 3 and (len(marks) > 1 or marks[-1] != decimal)
    if thousands:
        return re.sub(r"[.,]", "", text)
    before = re.sub(r"[.,]", "", whole_part)
    return before if set(rest) == {"0"} else f"{before}{decimal}{rest}"
