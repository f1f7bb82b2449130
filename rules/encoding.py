"""Bytes that a person's editor saved, as text."""

from __future__ import annotations

import codecs

from rules.mistakes import Mistake, Place

LARGEST = 256 * 1024  # bytes; nobody writes as many rules by hand
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
NOT_TEXT = {b"PK\x03\x04": "zip", b"\xd0\xcf\x11\xe0": "office", b"%PDF": "pdf", b"{\\rtf": "rtf"}


def read_text(data: bytes, file: str) -> tuple[str | None, list[Mistake]]:
    """The text of a file and what is wrong with how it was saved.

    UTF-8 and UTF-16 with or without byte-order mark are right (YAML 1.2, 5.2). Windows-1252 is read, so that the other
    mistakes can be told too, and told as a mistake: its accents are a guess. None: not a text file.
    """
    if any(data.startswith(mark) for mark in NOT_TEXT):
        return None, [Mistake(Place(file, 1, 1), "not-text")]
    for mark, name in UTF16.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), []
    if unmarked := _unmarked_utf16(data):
        return data.decode(unmarked, "replace"), []
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _guess(data, error.start, file)
    return (None, [Mistake(Place(file, 1, 1), "not-text")]) if text.count("\0") > len(text) // 8 else (text, [])


def _unmarked_utf16(data: bytes) -> str | None:
    """Every second byte of Latin letters in UTF-16 is nought: no other text has that."""
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        halves = data[first::2], data[1 - first :: 2]
        if len(data) >= 8 and halves[0].count(0) * 10 > len(halves[0]) * 9 and 0 not in halves[1]:
            return name
    return None


def _guess(data: bytes, start: int, file: str) -> tuple[str | None, list[Mistake]]:
    if b"\0" in data:
        return None, [Mistake(Place(file, 1, 1), "not-text")]
    text = data.decode("cp1252", "replace")
    before = _one_break(data[:start].decode("cp1252", "replace"))
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    found = split_lines(text)[line - 1]
    return text, [Mistake(Place(file, line, column), "not-utf8", found=found.strip())]


def misnamed(file: str) -> list[Mistake]:
    """`rules.yaml.txt`: what an editor makes of a name on a machine that hides the ends of names."""
    if not file.lower().endswith(".txt"):
        return []
    name = file.rpartition("/")[2]
    return [Mistake(Place(file, 1, 1), "wrong-ending", found=name, facts={"right": name[:-4]})]


def lines_of(data: bytes) -> list[str]:
    """The lines of a file as a person sees them and as places count them, for showing where a mistake stands.

    Of what is no text or far too large, one line or the first few; never none.
    """
    text, _ = read_text(data[:LARGEST], "")
    return split_lines(text or "")


def split_lines(text: str) -> list[str]:
    """Lines end as editors end them, on any machine; `str.splitlines` would end some in the midst of a sentence."""
    return _one_break(text).split("\n")


def _one_break(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
