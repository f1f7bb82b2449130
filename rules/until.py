"""`until: they come back`, `jusqu'à: son retour`: a flag goes by itself, and nothing else takes an end."""

from __future__ import annotations

import re

from rules.again import CAME, GAVE
from rules.context import Context
from rules.mistakes import fold
from rules.phrases import read_phrase
from rules.suggestions import suggest
from rules.words import meant
from rules.yamltext import Block, Entry, Text

UNTIL = re.compile(r"until|till|as long as|tant que|jusqu'(?:au?x?|a ce que?)")


def tell_until_step(context: Context, entry: Entry, block: Block, path: str) -> bool:
    """Tell such a line of a step; whether it is one. A length of time says how late the step may still be done, unless it
    is to flag.
    """
    words, key, text = context.words, entry.key, _said(entry)
    action = next((one.key.value for one in block.entries if words.find("action", one.key.value)), "")
    flags = words.find("action", action) == "flag"
    if not UNTIL.fullmatch(fold(key.value)) or not (flags or (action and not _is_length(context, "latest", text))):
        return False
    gave = GAVE.search(fold(text)) or (context.around == "donation" and not CAME.search(fold(text)))
    asks = any(words.find("step", one.key.value) in {"when", "unless"} for one in block.entries)
    code = ("until-flag-step" if asks else "until-flag-bare") if flags else "until-step"
    facts = {
        "line": f"{words.key('step', 'when')}: {{{words.key('occasion', 'donations_since' if gave else 'visits_since')}: 0}}",
        "action": action,
    }
    context.tell(key.place, code, f"{path}.{key.value}", key.value, stop=words.key("journey", "stop_when"), **facts)
    return True


def tell_until(context: Context, entry: Entry, action: tuple[str, str], path: str) -> bool:
    """Tell such a line below an action of a rule, by its name and its word; whether it is one."""
    name, shown = action
    if not UNTIL.fullmatch(fold(entry.key.value)) or (name == "email" and _is_length(context, "wait", _said(entry))):
        return False
    context.tell(entry.key.place, "until-flag" if name == "flag" else "until", path, entry.key.value, action=shown)
    return True


def _said(entry: Entry) -> str:
    return entry.value.value.strip() if isinstance(entry.value, Text) else ""


def _is_length(context: Context, kind: str, text: str) -> bool:
    language = context.words.language
    named = kind == "latest" and fold(text) in {fold(word) for word in meant(language)["latest"]}
    return named or bool(read_phrase(language, kind, text) or suggest(language, kind, text))
