"""A word that is no field, and what was probably meant by it: an age, a column of the sheet, a misspelled field."""

from __future__ import annotations

import re

from rules.conditions import Period
from rules.context import Context
from rules.mistakes import fold, nearest
from rules.phrases import Phrase, read_phrase, typed
from rules.suggestions import suggest
from rules.words import LANGUAGES, vocabulary
from rules.yamltext import Entry, Node, Text

OF_SHEET = re.compile(r"(?:colonne|column|tableau|sheet)[ .]\s*(.+)", re.IGNORECASE)
AGE = {"age"}


def tell_unknown_field(context: Context, entry: Entry, path: str, sections: tuple[str, ...]) -> None:
    """Tell a line whose word is no field, with what was meant. `sections` of the vocabulary may stand there."""
    key = entry.key
    if fold(key.value) in AGE and (older := _older(context, entry.value)):
        context.tell(key.place, "unknown-key-near", f"{path}.{key.value}", key.value, suggestion=older)
        return
    begun = OF_SHEET.match(key.value)
    if begun and (column := next((name for name in context.columns or () if fold(name) == fold(begun[1])), None)):
        _tell_column(context, entry, path, column)
        return
    if context.words.find("occasion", key.value) and not context.words.nearest(("fields",), key.value):
        code = "occasion-rule" if context.occasion is None else "occasion-journey"
        context.tell(key.place, code, f"{path}.{key.value}", key.value)
        return
    column = next((name for name in context.columns or () if fold(name) == fold(key.value)), None)
    foreign = any(one.find("fields", key.value) for one in map(vocabulary, LANGUAGES))
    if column is None or foreign or nearest(key.value, context.words.all("fields")):
        context.unknown_key(key, sections, path)
        return
    _tell_column(context, entry, path, column)


def _older(context: Context, node: Node) -> str | None:
    """`age: over 65` as `birthday: more than 65 years ago`."""
    words, found = context.words, re.search(r"\d{1,3}", node.value) if isinstance(node, Text) else None
    if found is None or not isinstance(node, Text):
        return None
    phrase = read_phrase(words.language, "number", node.value) or read_phrase(
        words.language, "number", suggest(words.language, "number", node.value) or ""
    )
    old = {"at_least": "more_ago", "more": "more_ago", "at_most": "less_ago", "less": "less_ago"}
    if phrase is None or phrase.op not in old:
        return None
    birth = typed(words.language, "date", Phrase(old[phrase.op], (Period(int(found[0]), "year"),)))
    return f"{words.key('fields', 'birthday')}: {birth}"


def _tell_column(context: Context, entry: Entry, path: str, column: str) -> None:
    value = entry.value.value if isinstance(entry.value, Text) else "…"
    right = f"{context.words.key('logic', 'sheet')}: {{{column}: {value}}}"
    context.tell(entry.key.place, "column-not-field", f"{path}.{entry.key.value}", column, suggestion=right)
