"""French typography, as a printer would set it (Lexique des règles typographiques de l'Imprimerie nationale).

Only spaces that the writer typed become no-break ones: in Québec one writes « Bonjour! », and it stays so.
"""

from __future__ import annotations

import re

NARROW, WIDE = "\u202f", "\u00a0"
UNTOUCHED = re.compile(r"(?:https?://|www\.|mailto:)\S+|\S+@\S+\.\w+")
RULES = (
    (re.compile(r"(?<=\w)'"), "’"),
    (re.compile(r"[ \u00a0\u202f]+(?=[;!?])"), NARROW),
    (re.compile(r"[ ](?=[:»])|(?<=«)[ ]"), WIDE),
    (re.compile(r"(?:(?<=\d)|(?<=\dqz))[ ](?=(?:h|min|km)\b|[€$%])|(?<=\d[ \u00a0]h)[ ](?=\d)"), WIDE),
)
BEFORE_A_QUOTATION = " \u00a0\u202f\n(['’«—–-"


def typeset(text: str, language: str) -> str:
    """French: spaces that never break a line, « » and ’. Addresses are left as they are; other languages, too."""
    return Setter(language).set(text)


class Setter:
    """For one paragraph, whose text comes in pieces: a quotation may begin in one and end in another."""

    def __init__(self, language: str) -> None:
        self.french = language == "fr"
        self._open = False
        self._before = ""  # the last character that was set

    def set(self, text: str) -> str:
        """The next piece of the paragraph."""
        if not self.french:
            return text
        found, start = "", 0
        for address in UNTOUCHED.finditer(text):
            found += self._words(text[start : address.start()]) + self.skip(address[0])
            start = address.end()
        return found + self._words(text[start:])

    def skip(self, text: str) -> str:
        """A piece that stays as it is: code, an address."""
        self._before = text[-1:] or self._before
        return text

    def _words(self, text: str) -> str:
        kept = len(self._before)
        text = re.sub('"', self._quote, self._before + text)
        for pattern, mend in RULES:
            text = pattern.sub(mend, text)
        return self.skip(text[kept:])

    def _quote(self, mark: re.Match[str]) -> str:
        self._open = not self._open and mark.string[: mark.start()][-1:] in BEFORE_A_QUOTATION
        return f"«{WIDE}" if self._open else f"{WIDE}»"
