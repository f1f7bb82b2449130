"""`dons: au moins 50 €`, which would ask for fifty gifts: told with the field that adds up the money."""

from __future__ import annotations

import re

from rules.context import Context
from rules.days_meant import NAMED
from rules.misread import number_asked, tell_named
from rules.mistakes import fold
from rules.phrases import read_phrase
from rules.suggestions import suggest
from rules.window_reader import listed, windowed
from rules.yamltext import Block, Text

MONEY = re.compile(r"\s*(?:[€$£]|\b(?:euros?|dollars?|eur|cad)\b)", re.IGNORECASE)
SPENT = {"donations": "donated", "purchases": "spent", "tickets": "spent", "visits": "spent"}
"""Fields that count, each with the one that adds up the money."""


def tell_money(context: Context, field: str, shown: str, node: Text, path: str) -> bool:
    """Tell money where a number of times is asked for; whether there is any."""
    if field not in SPENT or not MONEY.search(node.value):
        return False
    words, (bare, number) = context.words, _without_money(context, node.value)
    adding = words.key("fields", SPENT[field])
    right = f"{adding}: {number or windowed(words, SPENT[field], bare) or _meant(context, bare)}"
    if field == "donations" and "amount" in (context.occasion or ()):
        right = f"{words.key('occasion', 'amount')}: {number or _meant(context, bare)}"  # of this one gift
    elif NAMED.search(fold(bare)):
        tell_named(context, node.place, path, node.value, adding, number_asked(words.language, bare))
        return True
    context.tell(node.place, "money-for-count", path, node.value, field=shown, suggestion=right)
    return True


def tell_money_counted(context: Context, field: str, block: Block, path: str) -> bool:
    """The same between braces: `dons: {nombre: plus de 100 €, sur: 12 mois}`."""
    words, asked = context.words, {context.words.find("window", entry.key.value): entry for entry in block.entries}
    entry = asked.get("count")
    if field not in SPENT or entry is None or not isinstance(entry.value, Text) or not MONEY.search(entry.value.value):
        return False
    bare, number = _without_money(context, entry.value.value)
    times = listed(Block(tuple(asked[name] for name in ("within", "date") if name in asked), block.place))
    lines = ", ".join(filter(None, (f"{words.key('window', 'amount')}: {number or _meant(context, bare)}", times)))
    right = f"{words.key('fields', SPENT[field])}: {{{lines}}}"
    here, shown = f"{path}.{entry.key.value}", entry.key.value
    context.tell(entry.value.place, "money-for-count", here, entry.value.value, field=shown, suggestion=right)
    return True


def _without_money(context: Context, text: str) -> tuple[str, str | None]:
    """A text without its signs of money, and again if it is a number then."""
    bare = " ".join(MONEY.sub(" ", text).split())
    return bare, bare if read_phrase(context.words.language, "number", bare) else None


def _meant(context: Context, bare: str) -> str:
    return suggest(context.words.language, "number", bare) or bare
