"""`dons: au moins 50 €`, which would ask for fifty gifts: told with what adds up the money, and what asks it of one gift."""

from __future__ import annotations

import re
from decimal import Decimal

from rules.conditions import Period
from rules.context import Context
from rules.days_meant import NAMED
from rules.misread import number_asked, tell_named
from rules.mistakes import fold
from rules.phrases import Phrase, read_phrase, typed
from rules.suggestions import suggest
from rules.times_meant import in_braces, listed, windowed
from rules.windows import OPTIONS
from rules.yamltext import Block, Text

MONEY = re.compile(r"\s*(?:[€$£]|\b(?:euros?|dollars?|eur|cad)\b)", re.IGNORECASE)
SPENT = {"donations": "donated", "purchases": "spent", "tickets": "spent", "visits": "spent"}
"""Fields that count, each with the one that adds up the money."""


def tell_money(context: Context, field: str, shown: str, node: Text, path: str) -> bool:
    """Tell money where a number of times is asked for; whether there is any."""
    if field == "donations_since" and MONEY.search(node.value):
        least = typed(context.words.language, "number", Phrase("at_least", (Decimal(1),)))
        context.tell(node.place, "money-for-count", path, node.value, field=shown, suggestion=least)
        return True
    if field not in SPENT or not MONEY.search(node.value):
        return False
    words, (bare, number) = context.words, _without_money(context, node.value)
    if field == "donations" and "amount" in (context.occasion or ()):
        right = f"{words.key('occasion', 'amount')}: {number or _meant(context, bare)}"  # of this one gift
        context.tell(node.place, "money-for-count", path, node.value, field=shown, suggestion=right)
    elif NAMED.search(fold(bare)):
        adding = words.key("fields", SPENT[field])
        tell_named(context, node.place, path, node.value, adding, number_asked(words.language, bare))
    else:
        block = None if number else windowed(words, SPENT[field], bare)
        amount, _, times = block[1:-1].partition(", ") if block else (number or _meant(context, bare), "", "")
        amount = amount.removeprefix(f"{words.key('window', 'amount')}: ").strip('"')
        _tell(context, field, (shown, amount, times), node, path)
    return True


def tell_money_counted(context: Context, field: str, shown: str, block: Block, path: str) -> bool:
    """The same between braces: `dons: {nombre: plus de 100 €, sur: 12 mois}`."""
    asked = {context.words.find("window", entry.key.value): entry for entry in block.entries}
    entry = asked.get("count")
    if field not in SPENT or entry is None or not isinstance(entry.value, Text) or not MONEY.search(entry.value.value):
        return False
    bare, number = _without_money(context, entry.value.value)
    times = listed(Block(tuple(asked[name] for name in ("within", "date") if name in asked), block.place))
    here = f"{path}.{entry.key.value}"
    _tell(context, field, (shown, number or _meant(context, bare), times), entry.value, here, of=entry.key.value)
    return True


def _tell(
    context: Context, field: str, asked: tuple[str, str, str], node: Text, path: str, of: str | None = None
) -> None:
    """Tell that what counts takes no money. `asked`: the field as written, how much, and in which time (empty: ever)."""
    words, (shown, money, times), amount = context.words, asked, in_braces(asked[1])
    count, within, key = (words.key("window", name) for name in ("count", "within", "amount"))
    together = f"{words.key('fields', SPENT[field])}: " + (f"{{{key}: {amount}, {times}}}" if times else money)
    if "amount" not in OPTIONS[field]:
        context.tell(node.place, "money-for-count", path, node.value, field=of or shown, suggestion=together)
        return
    least = typed(words.language, "number", Phrase("at_least", (Decimal(1),)))
    year = typed(words.language, "within", Phrase("within", (Period(12, "month"),)))
    single = f"{shown}: {{{count}: {least}, {key}: {amount}, {times or f'{within}: {year}'}}}"
    code = "money-two-ways" if times else "money-two-ways-ever"
    context.tell(node.place, code, path, node.value, field=shown, first=together, second=single)


def advise_exact(context: Context, field: str, kind: str, phrase: Phrase, node: Text, path: str) -> None:
    """Advise on `spent: 100`: who paid 99, or 101, is not meant by it."""
    value = phrase.values[0] if phrase.op == "is" else None
    if (kind == "money" or field == "amount") and isinstance(value, Decimal) and value > 0:
        right = typed(context.words.language, "number", Phrase("at_least", (value,)))
        context.advise(node.place, "exact-money", path, node.value.strip(), suggestion=right)


def _without_money(context: Context, text: str) -> tuple[str, str | None]:
    """A text without its signs of money, and again if it is a number then."""
    bare = " ".join(MONEY.sub(" ", text).split())
    return bare, bare if read_phrase(context.words.language, "number", bare) else None


def _meant(context: Context, bare: str) -> str:
    return suggest(context.words.language, "number", bare) or bare
