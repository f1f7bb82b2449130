"""`amount` and `score` by themselves below `when:`: of one gift, of one answer, or of those that are counted."""

from __future__ import annotations

from decimal import Decimal

from rules.conditions import Check
from rules.context import Context
from rules.mistakes import fold
from rules.phrases import Phrase, read_phrase, typed
from rules.windows import OPTIONS, main_of
from rules.yamltext import Block, Entry, Items, Node, Text

GIFT = {"gift", "donation", "don", "sum", "somme"}
COUNTED_BY = {"amount": "donations", "score": "answers"}


MANY = 20
"""Nobody gives so often that a rule would ask for it: it is the money that is meant."""


def told_by_itself(context: Context, entry: Entry, path: str) -> bool:
    """Whether the line is one of these words by itself, which is told with the line that was meant."""
    value = entry.value.value.strip() if isinstance(entry.value, Text) else ""
    word, here = entry.key.value, f"{path}.{entry.key.value}"
    one, several = _of_one(context, word, value), _between_braces(context, word, value)
    if value and (one or several):
        code = "unknown-key-near" if one else "between-braces"
        context.tell(entry.key.place, code, here, word, suggestion=one or several)
    return bool(value and (one or several))


def tell_beside(context: Context, entry: Entry, block: Block, path: str) -> bool:
    """Tell `within: 12 months` or `genre: dance` on a line of its own, with the braces it was meant in; whether it is one."""
    words, value = context.words, _in_line(entry.value)
    name = words.find("window", entry.key.value)
    line = _counted_with(context, entry, block) if name and value else None
    if line is None and name != "within":
        return False
    if line is None:
        count = f"{words.key('window', 'count')}: {typed(words.language, 'number', Phrase('at_least', (Decimal(1),)))}"
        line = f"{words.key('fields', 'visits')}: {{{count}, {entry.key.value}: {value or '…'}}}"
    context.tell(entry.key.place, "beside-count", f"{path}.{entry.key.value}", entry.key.value, line=line)
    return True


def advise_genre(context: Context, entry: Entry, block: Block, path: str) -> None:
    """In French `genre` is read as `genres`, and beside a count it was meant in its braces."""
    words, key = context.words, entry.key.value
    genre = words.find("window", key) == "genre" and not words.has("fields", key)
    if genre and _in_line(entry.value) and (line := _counted_with(context, entry, block)):
        context.advise(entry.key.place, "genre-beside", f"{path}.{key}", key, line=line)


def _counted_with(context: Context, entry: Entry, block: Block) -> str | None:
    """The line above (else below) that counts what this one may go with, with all such lines in its braces."""
    words, at = context.words, block.entries.index(entry)
    for one in (*reversed(block.entries[:at]), *block.entries[at:]):
        field = words.find("fields", one.key.value) or ""
        goes = {"within", "date", *OPTIONS[field]} - {main_of(field)} if field in OPTIONS else set[str]()
        if words.find("window", entry.key.value) not in goes or not (first := _counted(context, main_of(field), one)):
            continue
        more = [other for other in block.entries if words.find("window", other.key.value) in goes]
        listed = [f"{other.key.value}: {text}" for other in more if (text := _in_line(other.value))]
        return f"{one.key.value}: {{{', '.join([first, *listed])}}}"
    return None


def _counted(context: Context, main: str, entry: Entry) -> str | None:
    """What a line counts, as it stands or would stand between braces."""
    if isinstance(entry.value, Block):
        texts = {inner.key.value: _in_line(inner.value) for inner in entry.value.entries}
        return ", ".join(f"{key}: {text}" for key, text in texts.items()) if all(texts.values()) else None
    text = _in_line(entry.value)
    number = text and read_phrase(context.words.language, "number", text)
    return f"{context.words.key('window', main)}: {text}" if number else None


def _in_line(node: Node) -> str:
    """A value as it may stand on a line; empty for a block."""
    if isinstance(node, Items):
        texts = [item.value.strip() for item in node.items if isinstance(item, Text)]
        return f"[{', '.join(texts)}]" if len(texts) == len(node.items) else ""
    return node.value.strip() if isinstance(node, Text) else ""


def advise_money(context: Context, check: Check, entry: Entry, path: str) -> None:
    """`donations: at least 100` asks for a hundred gifts."""
    value = check.values[0] if check.values else None
    asked = check.field == "donations" and check.window is None and check.op in {"at_least", "more"}
    if asked and isinstance(value, Decimal) and value >= MANY and isinstance(entry.value, Text):
        words, one_gift = context.words, "amount" in (context.occasion or ())
        key = words.key("occasion", "amount") if one_gift else words.key("fields", "donated")
        found = entry.value.value.strip()
        right = f"{key}: {found}"
        context.advise(
            entry.value.place, "many-gifts", path, found, n=f"{value:f}", field=entry.key.value, suggestion=right
        )


def _of_one(context: Context, word: str, value: str) -> str | None:
    """`gift: at least 100` around each donation as `amount: at least 100`, and `score` as the last one given."""
    words = context.words
    if "amount" in (context.occasion or ()) and fold(word) in GIFT:
        return f"{words.key('occasion', 'amount')}: {value}"
    last = context.occasion is not None and words.find("window", word) == "score"  # it is that of this answer
    return f"{words.key('fields', 'satisfaction')}: {value}" if last else None


def _between_braces(context: Context, word: str, value: str) -> str | None:
    """`amount: at least 100` and `score: at most 2` as the block that says what is counted."""
    words, name = context.words, context.words.find("window", word)
    if name not in COUNTED_BY:
        return None
    count = f"{words.key('window', 'count')}: {typed(words.language, 'number', Phrase('at_least', (Decimal(1),)))}"
    return f"{words.key('fields', COUNTED_BY[name])}: {{{count}, {words.key('window', name)}: {value}}}"
