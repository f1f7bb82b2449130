"""The reader's words and phrases as patterns for text that is not folded: JSON Schema knows no letter case or accents.

They are read alike by Python and by ECMAScript, which the editors use: nothing but classes, groups and repetitions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache

from rules.mistakes import fold
from rules.phrases import patterns_of
from rules.words import Vocabulary, root

SPACE = r"[\s_]"
TOKEN = re.compile(r"\\.|\[[^\]]*\]|\{\d+(?:,\d*)?\}|\((?:\?:)?|.", re.DOTALL)
MARK = "[\u0300-\u036f]?"  # an accent that stands by itself, as text copied from a PDF or a Mac's file names has it
SYNTAX = set("^$\\.*+?()[]{}|/")


def unfolded(expression: str) -> str:
    """A pattern for folded text as one for the text as somebody typed it."""
    return "".join(_token(token) for token in TOKEN.findall(expression))


def _token(token: str) -> str:  # noqa: PLR0911  one return a kind of token
    match token:
        case r"\s":
            return SPACE
        case r"\d":
            return "[0-9]"
        case " " | "\\ ":
            return f"{SPACE}+"
        case "'":
            return "['’]"
        case ".":
            return r"[\s\S]"
        case "(":
            return "(?:"
        case _ if len(token) == 1 and token.isalpha():
            return _letter(token)
        case _ if len(token) == 2 and token[0] == "\\" and token[1] not in SYNTAX:
            return token[1]
        case _:
            return token


@cache
def _letter(letter: str) -> str:
    """Everything that keyboards make and that folds to this letter."""
    latin = [chr(code) for code in (*range(0x41, 0x7B), *range(0xC0, 0x100))]
    forms = [one for one in latin if one.isalpha() and fold(one) == letter]
    return f"(?:[{''.join(forms)}]{MARK})" if len(forms) > 2 else f"[{''.join(forms)}]"


def word_pattern(words: Vocabulary, section: str, name: str) -> str:
    """What `Vocabulary.find` takes for a canonical name."""
    return _any(_agreeing(words, str(word)) for word in words.words[section][name])


def _agreeing(words: Vocabulary, word: str) -> str:
    folded = fold(word)
    if words.language != "fr":
        return re.escape(folded)
    return r"\ ".join(f"{re.escape(part)}e?s?" for part in root(folded).split())


def name_pattern(names: Iterable[str]) -> str:
    """These names, letter case and accents apart."""
    return _any(re.escape(fold(name)) for name in names)


def phrase_pattern(language: str, kind: str, ops: Collection[str] | None = None) -> str:
    """What `read_phrase` takes for a type of field, or for `again`, `due`, `wait`; `ops`: only these phrases."""
    return _any(
        f"{expression.pattern}(?:e|s|es)?" if language == "fr" and "{" not in pattern else expression.pattern
        for op, pattern, expression in patterns_of(language, kind)
        if ops is None or op in ops
    )


def _any(expressions: Iterable[str]) -> str:
    return rf"^\s*(?:{'|'.join(dict.fromkeys(unfolded(one) for one in expressions))})\s*$"
