"""Where any name is right (a town, a genre), what was probably meant as something else: a phrase with a slip in it,
several names, a sign that nobody has in a name.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rules.conditions import SHEET
from rules.mistakes import fold, nearest
from rules.phrases import Phrase, read_phrase, typed
from rules.suggestions import known_or_not
from rules.words import LANGUAGES, Vocabulary, vocabulary

BEGINS = {"begins", "beginning", "begin", "starting", "commençant", "débute", "débutant"}
SIGNED = re.compile(r"^[<>=!≠]|[*;,]$|\.\.$|…$")
WITH = re.compile(r"(?:with|by|par|avec|de)\b\s*")


def may_be_name(words: Vocabulary, field: str, text: str) -> bool:
    """Whether somebody may mean the text as it stands, though it reads like something else: `Continent bleu`."""
    if field in {"postcode", "phone"}:
        return False
    known = (words.find("yesno", text), words.meant(("ticked",), text), known_or_not(words.language, "text", text))
    phrase = any(read_phrase(language, kind, text) for language in LANGUAGES for kind in ("text", "tags", "number"))
    return not (any(known) or phrase or SIGNED.search(text.strip()))


def phrase_meant(words: Vocabulary, field: str, kind: str, text: str) -> str | None:
    """`contian dance` or `jamais` in an English file: a phrase, not the name of a town."""
    phrases = words.words["phrases"][kind]
    for other in LANGUAGES:
        if other != words.language and (phrase := read_phrase(other, kind, text)):
            return typed(words.language, kind, phrase)
    answer = words.find("yesno", text)
    if answer and (kind == "tags" or field == "membership"):
        return str(phrases["known" if answer == "yes" else "never"][0])
    if answer is None and kind == "tags" and text.strip().casefold() in {"none", "aucun", "aucune"}:
        return str(phrases["never"][0])
    if not field.startswith(SHEET) and (cut := without_signs(words, kind, text.strip())):
        return cut
    return _nearly_begun(words, kind, text.strip())


def _nearly_begun(words: Vocabulary, kind: str, text: str) -> str | None:
    """`comence par 69`, `contian danse`. One word alone is a name, however near: there is a town called Commercy."""
    head, _, rest = text.partition(" ")
    starts = [
        pattern.split("{")[0].strip()
        for patterns in words.words["phrases"][kind].values()
        for pattern in patterns
        if "{text}" in pattern or kind == "tags"
    ]
    if len(head) <= 5:
        return None
    for start in starts:
        first, _, second = start.partition(" ")
        begins = head.casefold() in {first, *BEGINS} or (WITH.match(rest) and nearest(head, [first]))
        if kind == "text" and second and begins:
            return f"{start} {WITH.sub('', rest, count=1) or '…'}"
    near = nearest(head, [start for start in starts if " " not in start])
    return f"{near} {rest}" if near and rest else None


def without_signs(words: Vocabulary, kind: str, text: str) -> str | None:
    """`69*`, `69...` and `Lyon;` would be looked for as they stand, and nobody has such a town."""
    if kind == "text" and (star := re.fullmatch(r"([^*\s.…]+)(?:\*|\.{2,}|…)", text)):
        return str(words.words["phrases"]["text"]["starts"][0]).replace("{text}", star[1])
    return text.rstrip(",; ") if text.endswith((",", ";")) and text.rstrip(",; ") else None


def choice_meant(words: Vocabulary, allowed: Collection[str], text: str) -> str | None:
    """The one of these choices that was probably meant, as it is written."""
    if re.match(r"(?:non|pas|not|no|un)\b", fold(text)):
        return None  # the nearest word would say the opposite
    shown = [words.shown("choices", choice) for choice in allowed]
    translated = next((name for other in LANGUAGES if (name := vocabulary(other).find("choices", text))), None)
    near = words.shown("choices", translated) if translated and translated in allowed else nearest(text, shown)
    return words.meant(("choices",), text) or near


def is_code(phrase: Phrase, text: str) -> bool:
    """`01000` is a postcode and `A` a grade, not numbers."""
    bare = text.strip()
    return phrase.op == "is" and ((bare.startswith("0") and bare != "0") or not re.search(r"\d", bare))
