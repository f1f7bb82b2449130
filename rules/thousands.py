"""`at least 1.000` in an English file, `au moins 1,000` in a French one: a thousand, or one?"""

from __future__ import annotations

import re

from rules.conditions import SHEET
from rules.context import Context
from rules.phrases import read_phrase
from rules.yamltext import Text

MARKED = re.compile(r"(?<![\d.,])([1-9]\d{0,2})([.,])(\d{3})(?!\d)")


def tell_thousands(context: Context, field: str, shown: str, node: Text, path: str, code: str = "phrase-near") -> bool:
    """Tell a number with the decimal mark before three digits; whether it is one. `code`: what is told where it can only be
    thousands.
    """
    words, text = context.words, node.value.strip()
    found = MARKED.search(text)
    if not found or field.startswith(SHEET):
        return False
    if found[2] != words.words["decimal"]:
        return False
    thousands = MARKED.sub(r"\1\3", text)
    if found[3] == "000" and read_phrase(words.language, "number", text):
        whole = MARKED.sub(r"\1", text)
        context.tell(node.place, "two-numbers", path, text, first=thousands, second=whole)
    else:
        context.tell(node.place, code, path, text, field=shown, suggestion=thousands)
    return True
