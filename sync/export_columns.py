"""What a column of an export may be said to hold, in the words that `check` shows for it."""

from __future__ import annotations

from functools import cache

from connectors.files.words import fields
from rules.mistakes import fold
from rules.words import vocabulary
from sync.messages import LANGUAGES, say

IGNORE = "ignore"


@cache
def _known() -> dict[str, str]:
    """Folded word -> the field, of both languages."""
    names = (*fields(), IGNORE)
    told = {fold(say(language, f"column-{name}")): name for language in LANGUAGES for name in names}
    return told | {fold(name): name for name in names}


def column_meant(word: str) -> str | None:
    """The field of an export that a word means: its canonical name, what `check` calls it, or what a rule does."""
    asked = (vocabulary(language).find("fields", word) for language in LANGUAGES)
    return _known().get(fold(word)) or next((name for name in asked if name in fields()), None)


def column_words(language: str) -> list[str]:
    """Every word that may be written, in one language, with those that rules have for the same."""
    told = [say(language, f"column-{name}") for name in (*fields(), IGNORE)]
    asked = [word for name, words in vocabulary(language).words["fields"].items() if name in fields() for word in words]
    return sorted(dict.fromkeys((*told, *asked)), key=fold)


def is_age(header: str) -> bool:
    """Whether a column tells how old somebody is, from which nobody's birthday can be known."""
    return any(vocabulary(language).meant(("about",), header) == "age" for language in LANGUAGES)
