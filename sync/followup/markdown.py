"""The body of an e-mail: Markdown, taken apart into what an e-mail is built of, and as plain text that reads well.

A line that holds nothing but a bold link becomes a button: `**[See the season](https://example.org)**`. An image alone on
its line takes the whole width: `![The hall, full](https://example.org/hall.jpg)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from sync.followup.fill import KEPT, address_marks
from sync.followup.typography import Setter

STYLE = {
    "p": "margin:0 0 18px;",
    "h1": "margin:8px 0 18px;font-size:26px;line-height:1.3;font-weight:normal;",
    "h2": "margin:26px 0 12px;font-size:21px;line-height:1.35;font-weight:normal;",
    "h3": "margin:22px 0 10px;font-size:17px;",
    "ul": "margin:0 0 18px;padding-left:22px;",
    "ol": "margin:0 0 18px;padding-left:24px;",
    "li": "margin:0 0 6px;",
    "blockquote": "margin:0 0 18px;padding:2px 0 2px 18px;border-left:3px solid;",
    "img": "max-width:100%;height:auto;border:0;",
    "code": "font-size:15px;",
}
QUOTED = "margin:6px 0;font-style:italic;"
BUTTON = ["strong_open", "link_open", "text", "link_close", "strong_close"]
IMAGES = (["image"], ["link_open", "image", "link_close"])
BARE_LINK = re.compile(r"(?<![\w<(\[\"'=/])(https?://[^\s<>()\[\]\"']*[^\s<>()\[\]\"'.,;:!?…])")


@dataclass(frozen=True)
class Part:
    """`html` is the words, as HTML; a button or an image may lead to `href`, an image lies at `src` and says `alt`."""

    kind: Literal["text", "button", "image", "rule"]
    html: str = ""
    href: str = ""
    src: str = ""
    alt: str = ""


@dataclass(frozen=True)
class Written:
    """A text with its marks (see `fill`) still in place: the same for everybody of whom the same is said."""

    parts: tuple[Part, ...]
    plain: str


def tokens_of(text: str) -> list[Token]:
    """The Markdown as `write` reads it."""
    return _reader().parse(BARE_LINK.sub(r"<\1>", text))


@lru_cache(KEPT)
def write(text: str, language: str) -> Written:
    """Take a text with marks apart, set in the typography of its language."""
    tokens = tokens_of(text)
    for token in tokens:
        _settle(token, Setter(language))
    _style(tokens)
    return Written(tuple(_parts(tokens)), _plain(tokens))


def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True})


def _settle(token: Token, setter: Setter, *, linked: bool = False) -> bool:
    """Set the words, and mark values that stand in addresses. True between the ends of a link that shows its address."""
    for name in ("href", "src"):
        address = token.attrGet(name)
        if isinstance(address, str):
            token.attrSet(name, address_marks(address))
    if token.type == "text":
        token.content = setter.skip(token.content) if linked else setter.set(token.content)
    elif token.type == "code_inline":
        setter.skip(token.content)
    elif token.type in {"softbreak", "hardbreak"}:
        setter.skip("\n")
    shown = linked
    for child in token.children or ():
        shown = _settle(child, setter, linked=shown)
    if token.type in {"link_open", "link_close"}:
        return token.type == "link_open" and token.info == "auto"
    return linked


def _style(tokens: Sequence[Token]) -> None:
    quoted = 0
    for token in tokens:
        quoted += token.nesting if token.tag == "blockquote" else 0
        if token.nesting >= 0 and token.tag in STYLE:
            token.attrSet("style", QUOTED if quoted and token.tag == "p" else STYLE[token.tag])
        _style(token.children or ())


def _parts(tokens: Sequence[Token]) -> Iterator[Part]:
    """Paragraphs, lists and headings run together; a button, an image and a line across stand alone."""
    running: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        lone = _lone(tokens[at + 1]) if token.type == "paragraph_open" and token.level == 0 else None
        if lone is None and not (token.type == "hr" and token.level == 0):
            running.append(token)
            at += 1
            continue
        yield from _text(running)
        running = []
        yield lone or Part("rule")
        at += 3 if lone else 1
    yield from _text(running)


def _text(tokens: Sequence[Token]) -> Iterator[Part]:
    if tokens:
        reader = _reader()
        yield Part("text", reader.renderer.render(tokens, reader.options, {}).strip())


def _lone(inline: Token) -> Part | None:
    """The button or the image that a paragraph is, if it holds nothing else."""
    children = [child for child in inline.children or () if child.type != "text" or child.content]
    kinds = [child.type for child in children]
    link = next((child for child in children if child.type == "link_open"), None)
    href = str(link.attrGet("href") or "") if link else ""
    if kinds == BUTTON:
        reader = _reader()
        return Part("button", reader.renderer.render([children[2]], reader.options, {}), href)
    if kinds in IMAGES:
        picture = next(child for child in children if child.type == "image")
        return Part("image", href=href, src=str(picture.attrGet("src") or ""), alt=_inline(picture.children or ()))
    return None


def _plain(tokens: Sequence[Token]) -> str:
    """Paragraphs as one line each (programs wrap them), lists with dashes or numbers, links with their address."""
    blocks: list[str] = []
    writer = _PlainLists()
    for token in tokens:
        writer.see(token)
        if token.type == "inline":
            blocks.append(writer.place(_inline(token.children or ())))
        elif token.type in {"fence", "code_block"}:
            blocks.append(writer.place(token.content.rstrip("\n")))
        elif token.type == "hr":
            blocks.append("—" * 12)
    return re.sub(r"\n\n(?=\x00)", "\n", "\n\n".join(filter(None, blocks))).replace("\x00", "").strip()


class _PlainLists:
    """How deep in lists and quotations we are. A NUL marks what stands right below the line before."""

    def __init__(self) -> None:
        self.numbers: list[int | None] = []
        self.quotes = 0
        self.bullet = ""
        self.first = True

    def see(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.numbers.append(None)
                self.first = len(self.numbers) == 1
            case "ordered_list_open":
                self.numbers.append(int(token.attrGet("start") or 1))
                self.first = len(self.numbers) == 1
            case "bullet_list_close" | "ordered_list_close":
                self.numbers.pop()
            case "list_item_open":
                self.bullet = self._bullet()
            case "blockquote_open" | "blockquote_close":
                self.quotes += 1 if token.nesting > 0 else -1

    def _bullet(self) -> str:
        number = self.numbers[-1]
        if number is None:
            return "– "
        self.numbers[-1] = number + 1
        return f"{number}. "

    def place(self, text: str) -> str:
        indent = "  " * max(0, len(self.numbers) - 1)
        below = "\x00" if self.bullet and not self.first else ""
        lead, self.bullet = self.bullet, ""
        if lead:
            self.first = False
        rest = " " * len(lead or ("  " if self.numbers else ""))
        lines = text.split("\n")
        placed = [indent + (lead or rest) + lines[0], *(indent + rest + line for line in lines[1:])]
        return below + "\n".join("> " * self.quotes + line for line in placed)


def _inline(tokens: Sequence[Token]) -> str:
    said: list[str] = []
    links: list[tuple[str, int]] = []
    tell: Callable[[str], None] = said.append
    for token in tokens:
        match token.type:
            case "softbreak" | "hardbreak":
                tell("\n")
            case "link_open":
                links.append((str(token.attrGet("href") or ""), len(said)))
            case "link_close":
                address, start = links.pop()
                words = "".join(said[start:]).strip()
                if words not in {address, address.removeprefix("mailto:")}:
                    tell(f"\n{address}" if _is_lone(tokens) else f" ({address})" if words else address)
            case "image":
                tell(f"[{token.content}]" if token.content else "")
            case _:
                tell(token.content)
    return "".join(said).replace("\x00", "")


def _is_lone(tokens: Sequence[Token]) -> bool:
    return [token.type for token in tokens if token.type != "text" or token.content] == BUTTON
