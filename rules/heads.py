"""Words that stand before lines of their own: `when`, `alors`, `steps`."""

from __future__ import annotations

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


def families(word: str) -> frozenset[int]:
    """The families that a word is of, by their numbers."""
    known = [vocabulary(language) for language in LANGUAGES]
    return frozenset(
        n for n, sections in enumerate(FAMILIES) for words in known for section in sections if words.find(section, word)
    )


def families_below(word: str) -> frozenset[int]:
    """The families of what may stand on the lines below a word; none if it takes its value on its own line."""
    known = [vocabulary(language) for language in LANGUAGES]
    names = {words.find(section, word) for words in known for sections in FAMILIES for section in sections}
    return frozenset(BELOW[name] for name in names if name in BELOW)
