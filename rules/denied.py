"""`not segment: Regulars`, `segment: not Regulars`: a line that is denied, told with where it says so."""

from __future__ import annotations

import re

from rules.context import Context
from rules.mistakes import Place
from rules.since import leaves_out
from rules.yamltext import Entry, Text

DENIED = re.compile(
    r"(?:not|no|non|pas|without|sans|except(?: for)?|sauf|never|jamais|aucune?|hors|outside)"
    r"(?: (?:an?|in|of|dans|le|la|les|de|du|des|un|une))?\s+(?=\S)",
    re.IGNORECASE,
)

NOT = re.compile(
    r"\b(?:ne(?!.* qu')|pas|non|ni|plus(?! d[e']| que| souvent)|jamais|aucune?|sans|rien|cesse\w*|arrete\w*|not|never|no|nor|neither|nothing|without|none|cannot|"
    r"fail(?:s|ed)? to|yet to|stop(?:s|ped)?|(?:has|have|had|did|does|do|is|are|was|were)nt)\b|n't\b|\bn'(?!.* qu')"
)
"""In a sentence, folded."""


def undenied(text: str) -> str | None:
    """The rest of a text that begins with a `not`; None where it begins otherwise."""
    begun = DENIED.match(text.strip())
    return text.strip()[begun.end() :] if begun else None


def tell_denied_key(context: Context, entry: Entry, path: str) -> bool:
    """Tell `no newsletter: subscribed`; whether it is such a line."""
    word = undenied(entry.key.value)
    if word is None or not context.find(("logic", "fields"), word):
        return False
    value = entry.value.value.strip() if isinstance(entry.value, Text) else ""
    again = undenied(value) is not None or context.words.find("yesno", value) == "no"  # denied twice
    line = f"{word}: {value}" if value and not again else None
    tell_denied(context, entry.key.place, path, entry.key.value, line)
    return True


def tell_denied(context: Context, place: Place, path: str, found: str, line: str | None) -> None:
    """Tell what is denied in the lines at `path`. `line`: the same without the `not`."""
    parent = re.sub(r"\[\d+\]$", "", path.rsplit(".", 1)[-1])
    if leaves_out(context, path) or line is None:
        code = "negation-left-out" if leaves_out(context, path) else "negation"
        context.tell(place, code, path, found)
    elif context.find(("rule",), parent) == "when":
        context.tell(place, "denied-line", path, found, line=line)
    else:
        right = f"{context.words.key('logic', 'none_of')}: {{{line}}}"
        context.tell(place, "denied-among", path, found, suggestion=right)


def tell_denied_cell(context: Context, entry: Entry, path: str) -> bool:
    """Tell `sheet: {Volunteer: not yes}`, by the path of `sheet`; whether it is one. Other cells may begin with `not`."""
    value = entry.value if isinstance(entry.value, Text) and not entry.value.quoted else None
    rest = undenied(value.value) if value else None
    if value is None or rest is None or not context.words.find("yesno", rest):
        return False
    above, sheet = path.rsplit(".", 1)
    tell_denied(context, value.place, above, value.value, f"{sheet}: {{{entry.key.value}: {rest}}}")
    return True
