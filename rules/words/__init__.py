"""The two vocabularies: what people write in each language, and the canonical form behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, cast

from rules import ouryaml
from rules.mistakes import fold, nearest

LANGUAGES = ("en", "fr")


class Vocabulary:
    """The words of one language. A section (`fields`, `action`, …) maps a canonical name to the words for it."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        self.words = words
        self.language: str = words["language"]
        self._known = {section: _by_word(entries) for section, entries in words.items() if isinstance(entries, dict)}
        self._roots = {
            section: {root(word): name for word, name in reversed(known.items())}
            for section, known in self._known.items()
        }
        self._keys: dict[tuple[str, ...], dict[str, str]] = {}

    def find(self, section: str, text: str) -> str | None:
        """The canonical name behind a word, or None. In French gender and number agree freely."""
        known = self._known[section]
        typed = fold(text)
        if self.language != "fr":
            return known.get(typed)
        return known.get(typed) or self._roots[section].get(root(typed))

    def has(self, section: str, text: str) -> bool:
        """Whether a section has this very word, in this gender and number."""
        return fold(text) in self._known[section]

    def shown(self, section: str, name: str) -> str:
        """The word to show for a canonical name."""
        return str(self.words[section][name][0])

    def key(self, section: str, name: str) -> str:
        """The same as somebody would type it before a colon: `last_visit`, `dernière visite`."""
        word = self.shown(section, name)
        return word.replace(" ", "_") if section == "fields" and self.language == "en" else word

    def meant(self, sections: Iterable[str], text: str) -> str | None:
        """What to write instead of a word that people use and rules do not: `zip code`, `or`; the first section counts."""
        known = _meant_by_fold(self.language)
        return next((known[name][fold(text)] for name in sections if fold(text) in known.get(name, {})), None)

    def nearest(self, sections: Iterable[str], text: str) -> str | None:
        """The word of these sections that was probably meant."""
        sections = tuple(sections)
        known = self._keys.get(sections) or self._keys.setdefault(
            sections, {word: self.key(of, name) for of in sections for word, name in self._known[of].items()}
        )
        word = nearest(text, known)
        return None if word is None else known[word]

    def all(self, section: str) -> list[str]:
        """Every word of a section, as shown."""
        return [self.key(section, name) for name in self.words[section]]


def _by_word(entries: Mapping[str, Any]) -> dict[str, str]:
    return {fold(word): name for name, words in entries.items() if isinstance(words, list) for word in words}


@lru_cache(maxsize=8192)
def root(text: str) -> str:
    """French without its endings: `dernières visites` and `dernière visite` are the same words."""
    return " ".join(re.sub(r"e{1,2}$", "", word.removesuffix("s")) for word in text.split())


@cache
def vocabulary(language: str) -> Vocabulary:
    """The words of `en` or `fr`."""
    text = files("rules").joinpath("words", f"{language}.yaml").read_text("utf-8")
    return Vocabulary(ouryaml.read_words(text))


@cache
def meant(language: str) -> dict[str, dict[str, str]]:
    """By section, words that people use and rules do not, and what to write instead; of units the canonical name."""
    text = files("rules").joinpath("words", f"meant.{language}.yaml").read_text("utf-8")
    return cast("dict[str, dict[str, str]]", ouryaml.read_words(text))


@cache
def _meant_by_fold(language: str) -> dict[str, dict[str, str]]:
    return {name: {fold(word): right for word, right in words.items()} for name, words in meant(language).items()}
