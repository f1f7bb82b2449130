"""`amount` and `score` by themselves below `when:`: of one gift, of one answer, or of those that are counted."""

from __future__ import annotations

from decimal import Decimal

from rules.conditions import Check
from rules.context import Context
from rules.mistakes import fold
from rules.phrases import Phrase, typed
from rules.yamltext import Entry, Text

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
