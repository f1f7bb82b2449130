"""The body of an e-mail: Markdown to HTML with its style in place, and to plain text that reads well.

A line that holds nothing but a bold link becomes a button: `**[See the season](https://example.org)**`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from sync.followup.fill import Filled

STYLE = {
    "p": "margin:0 0 18px;",
    "h1": "margin:8px 0 18px;font-size:26px;line-height:1.3;font-weight:normal;",
    "h2": "margin:26px 0 12px;font-size:21px;line-height:1.35;font-weight:normal;",
    "h3": "margin:22px 0 10px;font-size:17px;",
    "ul": "margin:0 0 18px;padding-left:22px;",
    "ol": "margin:0 0 18px;padding-left:24px;",
    "li": "margin:0 0 6px;",
    "blockquote": "margin:0 0 18px;padding:2px 0 2px 18px;border-left:3px solid #e6ddd1;",
    "hr": "border:0;border-top:1px solid #e6ddd1;margin:26px 0;",
    "a": "color:#a8321f;",
    "img": "max-width:100%;height:auto;border:0;",
    "code": "font-size:15px;",
}
BUTTON = (
    "display:inline-block;margin:6px 0 10px;padding:13px 28px;background:#b93a26;color:#ffffff;border-radius:4px;text-decoration:none;"
    "font:600 16px/1.3 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
)
QUOTED = "margin:6px 0;font-style:italic;"
LONE_LINK = ["strong_open", "link_open", "text", "link_close", "strong_close"]
BARE_LINK = re.compile(r"(?<![\w<(\[\"'=/])(https?://[^\s<>()\[\]\"']*[^\s<>()\[\]\"'.,;:!?…])")
NARROW, WIDE = "\u202f", "\u00a0"


def render(body: Filled, language: str) -> tuple[str, str]:
    """HTML and plain text of a filled body."""
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    tokens = reader.parse(BARE_LINK.sub(r"<\1>", body.text))
    for token in tokens:
        _settle(token, body, language)
    _style(tokens)
    return reader.renderer.render(tokens, reader.options, {}).strip(), _plain(tokens)


def typeset(text: str, language: str) -> str:
    """French: the space that stands before ; ! ? : » and after « never breaks a line."""
    if language != "fr":
        return text
    text = re.sub(r"[ \u00a0]([;!?]+)", NARROW + r"\1", text)
    return re.sub(r"[ ](?=[:»%€])|(?<=«)[ ]", WIDE, text)


def _settle(token: Token, body: Filled, language: str) -> None:
    """Put the values in: as text into text, quoted into addresses of links. The renderer escapes what is text."""
    for name in ("href", "src"):
        address = token.attrGet(name)
        if isinstance(address, str):
            token.attrSet(name, body.put(address, lambda value: quote(value, safe="")))
    for name in ("alt", "title"):
        words = token.attrGet(name)
        if isinstance(words, str):
            token.attrSet(name, body.put(words))
    if token.type != "inline":
        token.content = body.put(token.content)
    if token.type == "text":
        token.content = typeset(token.content, language)
    for child in token.children or ():
        _settle(child, body, language)


def _style(tokens: Sequence[Token]) -> None:
    quoted = 0
    for token in tokens:
        quoted += token.nesting if token.tag == "blockquote" else 0
        if token.nesting >= 0 and token.tag in STYLE:
            token.attrSet("style", QUOTED if quoted and token.tag == "p" else STYLE[token.tag])
        _style(token.children or ())
        if token.type == "inline" and _is_button(token):
            link = next(child for child in token.children or () if child.type == "link_open")
            link.attrSet("style", BUTTON)
            link.attrSet("class", "button")


def _is_button(token: Token) -> bool:
    return [child.type for child in token.children or () if child.type != "text" or child.content] == LONE_LINK


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
    return re.sub(r"\n\n(?=\x00)", "\n", "\n\n".join(blocks)).replace("\x00", "").strip()


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
    write: Callable[[str], None] = said.append
    for token in tokens:
        match token.type:
            case "softbreak" | "hardbreak":
                write("\n")
            case "link_open":
                links.append((str(token.attrGet("href") or ""), len(said)))
            case "link_close":
                address, start = links.pop()
                words = "".join(said[start:])
                write("" if words in {address, address.removeprefix("mailto:")} else f" ({address})")
            case "image":
                write(token.content)
            case _:
                write(token.content)
    return "".join(said).replace("\x00", "")
