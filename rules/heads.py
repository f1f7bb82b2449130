"""Words that stand before lines of their own: `when`, `alors`, `steps`."""

from __future__ import annotations

from functools import lru_cache

from rules.words import LANGUAGES, vocabulary

FAMILIES = (
    ("top",),
    ("rule", "segment", "journey"),
    ("logic", "fields"),
    ("action", "option_email", "option_task", "option_newsletter", "option_webhook", "change", "step"),
    ("example", "example_journey"),
)
"""Words that stand in one column."""
BELOW = {
    **dict.fromkeys(("rules", "segments", "journeys"), 1),
    **dict.fromkeys(("when", "unless", "stop_when", "any_of", "all_of", "none_of", "sheet", "person"), 2),
    **dict.fromkeys(("then", "steps"), 3),
    "examples": 4,
}
"""Of such a word: the family of what stands below it."""


@lru_cache(maxsize=8192)  # each line of a file is asked for, and the same words begin most of them
def families(word: str) -> frozenset[int]:
    """The families that a word is of, by their numbers."""
    known = [vocabulary(language) for language in LANGUAGES]
    return frozenset(
        n for n, sections in enumerate(FAMILIES) for words in known for section in sections if words.find(section, word)
    )


def families_below(word: str) -> frozenset[int]:
    """The families of what may stand on the lines below a word; none if it takes its value on its own line."""
    known = [vocabulary(language) for language in LANGUAGES]
    sections = [section for family in FAMILIES for section in family if section != "top"]  # `segment` is no `segments`
    names = {words.find(section, word) for words in known for section in sections}
    names |= {words.find("top", word) for words in known if words.has("top", word)}
    return frozenset(BELOW[name] for name in names if name in BELOW)


def takes_braces(word: str, first: str) -> bool:
    """Whether what begins with `first: …` after a word, on its line, goes in braces: `visits: {count: …}`."""
    for words in (vocabulary(language) for language in LANGUAGES):
        heads = (
            words.find("rule", word),
            words.find("journey", word),
            words.find("logic", word),
            words.find("example", word),
        )
        if {*heads} & {"when", "unless", "stop_when", "sheet", "person"} or words.find("action", word) == "set":
            return True
        if words.find("fields", word) and words.find("window", first):
            return True
        if words.find("action", word) == "newsletter" and words.find("change", first):
            return True
    return False


def begun_with(text: str) -> str | None:
    """The word that a line begins with, if it is one that a colon goes after: `name` of `name Regulars`."""
    parts = text.split(" ")
    if parts[1:2] in (["least"], ["most"]):
        return None
    heads = (" ".join(parts[:n]) for n in range(min(4, len(parts)), 0, -1))
    return next((head for head in heads if families(head)), None)
