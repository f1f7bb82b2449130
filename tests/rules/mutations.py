"""Wrong files without end: right ones with something done to them, as a slip, a bad merge or a broken disk would."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

ODD = [
    "\t", ":", " :", ": ", "-", "- ", "'", '"', "[", "]", "{", "}", "&a ", "*a", "!x ", "|", ">", "%", "@", "`", "#", "?", ",",
    "\n", "\r", "\r\n", "\u00a0", "\u202f", "“", "”", "’", "«", "é", "e\u0301", "\ufeff", "\x85", "\u2028", "\u200b", "\u202e",
    "\0", "\x07", "\x1b[31m", "\ud800", "🎭", "ß", "İ", "---", "...", "<<<<<<< HEAD\n", "=======\n", ">>>>>>> x\n", "? ", "<<: *a",
    "~", "null", "0", "-1", "99999999999999999999", "1e999", "9" * 400, "9999-12-31", "0000-00-00", "10000", "١٢", "²", "½",
    "{{ first_name }}", "{{", "}}", "{% for x in y %}", "{found}", "{0}", "%s", "\\", "\\x", "$(x)", "=1+1",
]  # fmt: skip
Change = Callable[[random.Random, str], str]


def _put(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(ODD) + text[at:]


def _take(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + text[at + dice.choice((1, 1, 1, 2, 5, 40)) :]


def _swap(dice: random.Random, text: str) -> str:
    at = dice.randrange(max(1, len(text) - 1))
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


def _lines(change: Callable[[random.Random, list[str]], None]) -> Change:
    def changed(dice: random.Random, text: str) -> str:
        lines = text.split("\n")
        change(dice, lines)
        return "\n".join(lines)

    return changed


def _indent(dice: random.Random, lines: list[str]) -> None:
    at = dice.randrange(len(lines))
    lines[at] = dice.choice(["", " ", "   ", "\t", "\u00a0\u00a0", " " * 400]) + lines[at].lstrip()


def _again(dice: random.Random, lines: list[str]) -> None:
    first, at = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[at:at] = lines[first : first + dice.randrange(1, 6)] * dice.choice((1, 1, 2, 50))


def _away(dice: random.Random, lines: list[str]) -> None:
    at = dice.randrange(len(lines))
    del lines[at : at + dice.randrange(1, 4)]


def _word(dice: random.Random, text: str) -> str:
    """One word in the place of another: a keyword where a number was, a town where a field was."""
    words = text.split(" ")
    words[dice.randrange(len(words))] = dice.choice([*words, *ODD])
    return " ".join(words)


def _wrapped(dice: random.Random, text: str) -> str:
    many = dice.choice((3, 30, 300))
    opened, closed = dice.choice([("[", "]"), ("{a: ", "}"), ("- ", ""), ("any of: {", "}")])
    at = text.find(": ", dice.randrange(len(text) + 1))
    return text[: at + 2] + opened * many + text[at + 2 :] + closed * many


CHANGES: list[Change] = [_put, _put, _put, _take, _take, _swap, _word, _word, _wrapped] + [
    _lines(change) for change in (_indent, _indent, _again, _away)
]


def broken(dice: random.Random, texts: Sequence[bytes]) -> bytes:
    """One of the texts with one to eight things done to it; now and then mere bytes, or in another encoding."""
    kind = dice.random()
    if kind < 0.05:
        return dice.randbytes(dice.choice((1, 10, 300, 5000)))
    data = dice.choice(texts) or b"\n"
    if kind < 0.15:
        spoiled = bytearray(data)
        for _ in range(dice.randrange(1, 20)):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        return bytes(spoiled)
    text = data.decode("utf-8", "replace") or " "
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        text = dice.choice(CHANGES)(dice, text) or " "
    encoding = dice.choice(["utf-8"] * 12 + ["utf-16", "utf-8-sig", "cp1252", "utf-16-le", "mac-roman"])
    return text.encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")
