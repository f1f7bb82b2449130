"""What a reader of a template would stumble over: links that lead nowhere, images that say nothing.

Seen before anybody is filled in: the text of every condition counts, and merge fields count as some word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from rules.marks import CODE
from sync.followup.fill import MARK
from sync.followup.markdown import tokens_of

SOME_VALUE = "zq0000qz"
NOT_READ = re.compile(r"\]\([^()\s]*|\] \((?:https?:|www\.)[^()\s]*")
ADDRESS = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")
CLIPPED = 102 * 1024  # bytes of HTML after which Gmail cuts an e-mail off and hides the rest behind a link


class Flaw(NamedTuple):
    """`serious`: the reader would be led nowhere. Line and column count from 1 in the text."""

    code: str
    line: int
    column: int
    found: str
    serious: bool


class Link(NamedTuple):
    """An address that a reader may follow or that an image comes from; `line` counts from 1."""

    address: str
    line: int


def flaws(text: str) -> list[Flaw]:
    """Everything in a Markdown text with merge fields, in the order of its lines."""
    seen = as_seen(text)
    lines = seen.split("\n")
    found = [
        Flaw(code, line, max(1, lines[line - 1].find(what) + 1), _typed(what), serious)
        for token, line in _inline(tokens_of(seen))
        for code, what, serious in _of(token)
    ]
    return sorted(found, key=lambda flaw: flaw[1:3])


def links(text: str) -> list[Link]:
    """The addresses on the web that are the same for everybody."""
    return [
        Link(address, line)
        for token, line in _inline(tokens_of(as_seen(text)))
        for address in (token.attrGet("href"), token.attrGet("src"))
        if isinstance(address, str) and address.startswith(("https://", "http://")) and not MARK.search(address)
    ]


def as_seen(text: str) -> str:
    """The text with everything in it that any condition may show, and a word for each value; each line stays where it
    is.
    """

    def stand_in(code: re.Match[str]) -> str:
        return (SOME_VALUE if code[0].startswith("{{") else "") + "\n" * code[0].count("\n")

    return CODE.sub(stand_in, text)


def _inline(tokens: list[Token]) -> Iterator[tuple[Token, int]]:
    """Each piece of text, link or image, with its line."""
    for token in tokens:
        line = token.map[0] + 1 if token.map else 1
        for child in token.children or ():
            line += child.type in {"softbreak", "hardbreak"}
            yield child, line


def _of(token: Token) -> Iterator[tuple[str, str, bool]]:
    match token.type:
        case "link_open":
            yield from _address(str(token.attrGet("href") or ""), "link")
        case "image":
            address = str(token.attrGet("src") or "")
            yield from _address(address, "image")
            if not token.content.strip():
                yield "template-image-alt", address, False
        case "text":
            yield from (("template-link-unread", found[0], True) for found in NOT_READ.finditer(token.content))


def _address(address: str, kind: str) -> Iterator[tuple[str, str, bool]]:
    parts = urlsplit(address)
    if not address or address == "#":
        yield f"template-{kind}-empty", address, True
    elif parts.scheme == "mailto" and kind == "link":
        people = [unquote(one) for one in parts.path.split(",")]
        if not all(ADDRESS.fullmatch(one) for one in people):
            yield "template-link-mail", address, True
    elif parts.scheme == "tel" and kind == "link":
        return
    elif parts.scheme not in {"http", "https"} or not parts.hostname:
        yield f"template-{kind}-relative", address, True
    elif parts.scheme == "http":
        yield "template-link-http", address, False


def _typed(address: str) -> str:
    return MARK.sub("{{…}}", unquote(address))
