"""Bytes that a person's editor saved, as text."""

from __future__ import annotations

import codecs

from rules.mistakes import Mistake, Place

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
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        return _guess(data, error.start, file)
    return (None, [Mistake(Place(file, 1, 1), "not-text")]) if text.count("\0") > len(text) // 8 else (text, [])


def _guess(data: bytes, start: int, file: str) -> tuple[str | None, list[Mistake]]:
    if b"\0" in data:
        return None, [Mistake(Place(file, 1, 1), "not-text")]
    text = data.removeprefix(codecs.BOM_UTF8).decode("cp1252", "replace")
    before = data[:start].decode("cp1252", "replace")
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    found = (text.splitlines() or [""])[line - 1 : line]
    return text, [Mistake(Place(file, line, column), "not-utf8", found="".join(found).strip())]
