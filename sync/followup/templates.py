"""The e-mail templates of an organisation: each in its languages, with the header and footer that all of them share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

from rules.mistakes import Mistake, fold
from sync.followup import fill
from sync.followup.pictures import Picture, used

EDGE_OF_PART = "\x01"
BETWEEN = f"\n{EDGE_OF_PART}\n"


@dataclass(frozen=True)
class Shared:
    """A text above or below all e-mails of a language: `header.en.md`, `pied.fr.md`. `line` is where it begins."""

    name: str
    language: str | None
    text: str
    file: str = ""
    line: int = 1


@dataclass(frozen=True)
class Gap:
    """A merge field that stays empty for somebody: as it is written, and where."""

    field: str
    file: str
    line: int


@dataclass(frozen=True)
class Template:
    """`language` None: for readers of any language. `topic`: in words for readers, who may choose it. `sender` and `reply_to` None: as the config says."""

    name: str
    language: str | None
    subject: str
    body: str
    preview: str = ""
    purpose: Literal["marketing", "service"] = "marketing"
    topic: str | None = None
    sender: str | None = None
    reply_to: str | None = None
    file: str = ""
    lines: tuple[int, int, int] = (1, 1, 1)  # where subject, preview and body begin in the file
    header: Shared | None = None
    footer: Shared | None = None
    pictures: tuple[Picture, ...] = ()

    @property
    def whole(self) -> str:
        """Subject, preview, header, footer and body in one, so that they are filled at once."""
        return BETWEEN.join(piece.text.replace(EDGE_OF_PART, " ") for piece in self.pieces)

    @property
    def pieces(self) -> tuple[Shared, ...]:
        """The same, each with where it begins."""
        none = Shared("", None, "")
        texts = zip((self.subject, self.preview, self.body), self.lines, strict=True)
        subject, preview, body = (Shared("", None, text, self.file, line) for text, line in texts)
        return (subject, preview, self.header or none, self.footer or none, body)

    def gap(self, empty: fill.Empty) -> Gap:
        """Where in the files a field stands that stayed empty in `whole`."""
        begins = 1
        for piece in self.pieces:
            ends = begins + piece.text.count("\n")
            if empty.line <= ends:
                return Gap(empty.name, piece.file, piece.line + empty.line - begins)
            begins = ends + BETWEEN.count("\n")
        raise AssertionError("not a line of the whole")


class Templates:
    """All templates of a folder, and the blocks that all e-mails share. `advice` is what might be better in them."""

    def __init__(
        self, templates: Iterable[Template], blocks: Iterable[Shared] = (), advice: Sequence[Mistake] = (),
        pictures: Iterable[Picture] = (),
    ) -> None:  # fmt: skip
        self.advice, self._pictures = advice, {one.name: one for one in pictures}
        self._by_name: dict[str, dict[str | None, Template]] = {}
        for template in templates:
            self._by_name.setdefault(fold(template.name), {})[template.language] = template
        self._blocks = {(block.name, block.language): block for block in blocks}

    def __contains__(self, name: str) -> bool:
        return fold(name) in self._by_name

    def __iter__(self) -> Iterator[Template]:
        return (template for variants in self._by_name.values() for template in variants.values())

    def kind(self, name: str) -> tuple[Literal["marketing", "service"], str | None]:
        """The purpose of a template (one that is gone is taken for news), and its topic, alike in all languages."""
        variants = self._by_name.get(fold(name), {})
        topics = sorted((language or "", one.topic) for language, one in variants.items() if one.topic)
        service = variants and all(one.purpose == "service" for one in variants.values())
        return "service" if service else "marketing", fold(topics[0][1]) if topics else None

    def fingerprint(self, names: Iterable[str]) -> str:
        """One word for the text that a reader of these templates would see: another one when any of it is changed, header
        and footer too. What only the look is (colours, the logo) does not count.
        """
        shown = ("name", "subject", "preview", "body", "purpose", "topic", "sender", "reply_to")
        variants = [one for name in sorted({fold(name) for name in names}) for one in self._variants(name)]
        told = [[one.language or "", *(str(getattr(one, field) or "") for field in shown)] for one in variants]
        told += self._shared(variants)
        told += [[mark] for mark in used([one.whole for one in variants], self._pictures)]
        return blake2b(json.dumps(told).encode(), digest_size=8).hexdigest() if told else ""

    def _shared(self, variants: Sequence[Template]) -> list[list[str]]:
        """The header and footer that these templates may go with: one without a language goes with any."""
        all_ = {language for _, language in self._blocks}
        wanted = {None} | {language for one in variants for language in ([one.language] if one.language else all_)}
        used = sorted(
            (name, language or "", block.text) for (name, language), block in self._blocks.items() if language in wanted
        )
        return [list(one) for one in used]

    def _variants(self, name: str) -> list[Template]:
        return [one for _, one in sorted(self._by_name.get(name, {}).items(), key=lambda pair: pair[0] or "")]

    def topics(self, language: str) -> dict[str, str]:
        """The topics of news, as `kind` tells them, each with what it is called in a language, in alphabetical order."""
        found: dict[str, str] = {}
        for template in sorted(self, key=lambda one: one.language != language):
            purpose, topic = self.kind(template.name)
            if template.topic and topic and purpose == "marketing":
                found.setdefault(topic, template.topic)
        return dict(sorted(found.items(), key=lambda pair: fold(pair[1])))

    @property
    def names(self) -> list[str]:
        return sorted({template.name for template in self})

    def choose(self, name: str, language: str | None, default: str) -> Template | None:
        """The template in the reader's language, else in the organisation's, else the one there is; with its blocks."""
        variants = self._by_name.get(fold(name), {})
        wanted = (language or "")[:2].lower()
        found = (
            variants.get(wanted) or variants.get(default) or variants.get(None) or next(iter(variants.values()), None)
        )
        return found and self.with_blocks(found, default)

    def variants(self, name: str, default: str) -> list[Template]:
        """The template in every language there is, each with its blocks."""
        return [self.with_blocks(one, default) for one in self._by_name.get(fold(name), {}).values()]

    def foreign(self, default: str) -> list[Template]:
        """One of each e-mail that there is neither in the organisation's language nor for all."""
        known = [variants for variants in self._by_name.values() if variants.keys().isdisjoint({default, None})]
        return [next(iter(variants.values())) for variants in known]

    def with_blocks(self, template: Template, default: str) -> Template:
        """With header and footer in the template's language (`default` is that of one without), and with the pictures."""
        if self._pictures:
            template = replace(template, pictures=tuple(self._pictures.values()))
        if not self._blocks:
            return template
        language = template.language or default
        header, footer = (
            self._blocks.get((name, language)) or self._blocks.get((name, None)) for name in ("header", "footer")
        )
        return replace(template, header=header, footer=footer)
