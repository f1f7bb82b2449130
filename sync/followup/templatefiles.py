"""E-mail templates: Markdown files with a head of a few lines, one file a language.

we-miss-you.en.md                     on-se-revoit.fr.md
---                                   ---
subject: We miss you                  objet: On se revoit ?
preview: The season is out            aperçu: La saison est sortie
---                                   ---
Hello {{ first_name or "you" }},      Bonjour {{ prénom or "à vous" }},
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

import jinja2

from connectors.mail.mailer import mailbox
from rules.conditions import Rule, texts_of
from rules.encoding import LARGEST, misnamed, read_text, split_lines
from rules.fields import FIELDS
from rules.journeys import Journey
from rules.marks import CODE, straight
from rules.mistakes import Mistake, Place, fold, nearest, shorten
from rules.words import vocabulary
from rules.yamltext import Block, Text, parse
from sync.followup import fill, proof
from sync.followup.pictures import Album
from sync.followup.templates import Shared, Template, Templates
from sync.messages import LANGUAGES, say

KEYS: dict[str, tuple[str, ...]] = {
    "subject": ("subject", "objet"),
    "preview": ("preview", "aperçu"),
    "purpose": ("purpose", "finalité"),
    "topic": ("topic", "thème"),
    "from": ("from", "de", "expéditeur"),
    "reply-to": ("reply-to", "reply to", "répondre à"),
    "language": ("language", "langue"),
}
PURPOSES: dict[str, Literal["marketing", "service"]] = {
    "marketing": "marketing", "promotion": "marketing", "service": "service",
}  # fmt: skip
FILE = re.compile(r"(?P<name>.+?)(\.(?P<language>[A-Za-z]{2}))?\.md", re.IGNORECASE)
BLOCKS = {"header": "header", "en-tete": "header", "footer": "footer", "pied": "footer", "pied de page": "footer"}
EDGE = re.compile(r"^-{3,}[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class TemplateMistake(Mistake):
    """A mistake in a template; its sentence is in `sync/words`."""

    def message(self, language: str) -> str:
        facts = {"found": shorten(self.found), "expected": self.expected, "path": self.path} | dict(self.facts)
        said = say(language, self.code, **facts)
        return f"{said} {say(language, 'template-nearest', suggestion=self.suggestion)}" if self.suggestion else said


def read_templates(
    files: Mapping[str, bytes], pictures: Mapping[str, bytes] | None = MappingProxyType({})
) -> tuple[Templates, list[Mistake]]:
    """Templates by file (`templates/we-miss-you.fr.md`), and everything that is wrong in them, by file and line.
    `pictures`: those beside them, by name; None where e-mails leave by a way that carries none.

    A file with a mistake gives no template.
    """
    album = Album(pictures)
    good: dict[tuple[str, str | None], Template | Shared] = {}
    mistakes: list[Mistake] = []
    advice: list[Mistake] = []
    for file in sorted(files):
        read, found = _read(file, files[file], advice, album)
        if read is not None and not found:
            first = good.setdefault((fold(read.name), read.language), read)
            if first is not read:
                found = [TemplateMistake(Place(file, 1, 1), "template-twice", facts={"first": first.file})]
        mistakes += found
    blocks = [one for one in good.values() if isinstance(one, Shared)]
    templates = (one for one in good.values() if isinstance(one, Template))
    return Templates(templates, blocks, advice, album.good), mistakes


def _read(
    file: str, data: bytes, advice: list[Mistake], album: Album
) -> tuple[Template | Shared | None, list[Mistake]]:
    if len(data) > LARGEST:
        facts = {"kb": len(data) // 1024, "most": LARGEST // 1024}
        return None, [TemplateMistake(Place(file, 1, 1), "template-too-big", facts=facts)]
    text, mistakes = read_text(data, file)
    mistakes += misnamed(file)
    if text is None:
        return None, mistakes
    text = "\n".join(split_lines(text))
    edges = list(EDGE.finditer(text))
    headed = len(edges) >= 2 and not text[: edges[0].start()].strip()
    if block := block_of(file):
        if headed:
            return None, [*mistakes, TemplateMistake(Place(file, 1, 1), "template-block-head")]
        reader = _Reader(file, text, 0, 0, 0, advice, album)
        return reader.block(*block), [*mistakes, *reader.mistakes]
    if not headed:
        return None, [*mistakes, TemplateMistake(Place(file, 1, 1), "template-head")]
    reader = _Reader(file, text, edges[0].start(), edges[1].start(), edges[1].end(), advice, album)
    return reader.template(), [*mistakes, *sorted(reader.mistakes, key=lambda mistake: mistake.place)]


def name_of(file: str) -> str:
    """The name by which rules know a template: `on-se-revoit` of `templates/on-se-revoit.fr.md`."""
    name = FILE.fullmatch(PurePosixPath(file).name)
    return name["name"] if name else PurePosixPath(file).stem


def block_of(file: str) -> tuple[str, str | None] | None:
    """Of a file that holds a block of all e-mails, `header` or `footer` and its language; else None."""
    name = FILE.fullmatch(PurePosixPath(file).name)
    kind = BLOCKS.get(fold(name["name"])) if name else None
    return (kind, (name["language"] or "").lower() or None) if name and kind else None


class _Reader:
    """One file: the head lies between two lines of dashes, the body below."""

    def __init__(
        self, file: str, text: str, head: int, head_end: int, body: int, advice: list[Mistake], album: Album
    ) -> None:
        self.file, self.text, self.advice, self.album = file, text, advice, album
        self.body = text[body:].lstrip("\n")
        self.body_line = text.count("\n", 0, len(text) - len(self.body)) + 1
        above = [""] * (text.count("\n", 0, head) + 1)  # so that the lines keep their numbers
        self.mistakes: list[Mistake] = []
        self.head: dict[str, Text] = {}
        self.written = [*above, *text[head:head_end].split("\n")[1:]]
        node, found = parse("\n".join(self.written).encode(), file)
        self.mistakes += found
        for entry in node.entries if isinstance(node, Block) else ():
            self._take(entry.key, entry.value)

    def _take(self, key: Text, value: object) -> None:
        name = next((name for name, words in KEYS.items() if fold(key.value) in map(fold, words)), None)
        if name is None:
            allowed = [word for words in KEYS.values() for word in words]
            self._tell(key.place, "template-key", key.value, nearest(key.value, allowed))
        elif isinstance(value, Text):
            self.head[name] = value
        else:
            self._tell(key.place, "template-value", key.value)

    def block(self, name: str, language: str | None) -> Shared:
        self._check_body()
        return Shared(name, language, self.body, self.file, self.body_line)

    def template(self) -> Template:
        self._fields("subject")
        self._fields("preview")
        self._check_body()
        if not self._value("subject") and ("subject" in self.head or not self._tried("subject")):
            self._tell(self._place("subject"), "template-subject")
        if not self.body.strip():
            self._tell(Place(self.file, self.body_line, 1), "template-body")
        return Template(
            name=name_of(self.file),
            language=self._language(
                named["language"] if (named := FILE.fullmatch(PurePosixPath(self.file).name)) else None
            ),
            subject=self._value("subject"),
            preview=self._value("preview"),
            purpose=self._purpose(),
            topic=" ".join(self._value("topic").split()) or None,
            sender=self._address("from"),
            reply_to=self._address("reply-to"),
            body=self.body,
            file=self.file,
            lines=(self._place("subject").line, self._place("preview").line, self.body_line),
        )

    def _value(self, key: str) -> str:
        return self.head[key].value.strip() if key in self.head else ""

    def _tried(self, key: str) -> bool:
        """Whether a line of the head says it, or nearly: what is wrong with that line has been told."""
        begun = [fold(re.split("[:：]", line.strip(), maxsplit=1)[0]) for line in self.written]
        meant = [mistake.suggestion for mistake in self.mistakes if mistake.code == "template-key"]
        return any(word in KEYS[key] for word in meant) or any(
            line == fold(word) or line.startswith(f"{fold(word)} ") for line in begun for word in KEYS[key]
        )

    def _place(self, key: str) -> Place:
        return self.head[key].place if key in self.head else Place(self.file, 1, 1)

    def _fields(self, key: str) -> None:
        if key in self.head:
            place = self.head[key].place
            self._check_text(self.head[key].value, place.line, place.column)

    def _language(self, of_file: str | None) -> str | None:
        told = self._value("language")
        if told and not re.fullmatch(r"[A-Za-z]{2}", told):
            self._tell(self._place("language"), "template-language", told)
        return (told or of_file or "").lower() or None

    def _purpose(self) -> Literal["marketing", "service"]:
        told = self._value("purpose")
        if not told and not self._tried("purpose"):
            self.advice.append(TemplateMistake(Place(self.file, 1, 1), "template-no-purpose"))
        if told and fold(told) not in PURPOSES:
            self._tell(self._place("purpose"), "template-purpose", told, nearest(told, PURPOSES))
        return PURPOSES.get(fold(told), "marketing")

    def _address(self, key: str) -> str | None:
        told = self._value(key)
        if not told:
            return None
        try:
            mailbox(told)
        except ValueError:
            self._tell(self._place(key), "template-address", told)
        return told

    def _check_text(self, text: str, line: int, column: int) -> None:
        written = "\n".join(self.text.split("\n")[line - 1 :])  # a value of the head may be folded over several lines
        text = self._straightened(text)
        try:
            names = fill.names_in(text)
        except jinja2.TemplateSyntaxError as fault:
            lines = text.split("\n")
            found = lines[min(fault.lineno, len(lines)) - 1].strip()
            code = "template-include" if fault.message == "include" else "template-syntax"
            self._tell(Place(self.file, line + fault.lineno - 1, column if fault.lineno == 1 else 1), code, found)
            return
        for name in sorted(names):
            if fill.field_of(name) is None:
                place = place_in(written, name, Place(self.file, line, 1))
                self.mistakes.append(_no_such_field(place, name))

    def _straightened(self, text: str) -> str:
        """A body with straight marks between its braces, so that one slip hides nothing; those that were not are told. Those
        of the head are straight already.
        """
        for code in CODE.finditer(text):
            if (right := straight(code[0])) != code[0]:
                above = text[: code.start()]
                line, column = self.body_line + above.count("\n"), code.start() - above.rfind("\n")
                self._tell(Place(self.file, line, column), "template-curly", code[0], _in_a_line(right))
        return CODE.sub(lambda code: straight(code[0]), text)

    def _check_body(self) -> None:
        self._check_text(self.body, self.body_line, 1)
        for flaw in proof.flaws(self.body):
            place = Place(self.file, self.body_line + flaw.line - 1, flaw.column)
            relative = flaw.code == "template-image-relative"
            code, facts = self.album.why_not(flaw.found) if relative else (flaw.code, {})
            if not code:
                continue
            found = TemplateMistake(place, code, found=flaw.found, facts=facts)
            (self.mistakes if flaw.serious else self.advice).append(found)

    def _tell(self, place: Place, code: str, found: str = "", suggestion: str | None = None) -> None:
        self.mistakes.append(TemplateMistake(place, code, found=found, suggestion=suggestion))


def place_in(text: str, name: str, begins: Place) -> Place:
    """Where a merge field stands in a text that begins there."""
    typed = re.escape(name).replace("_", "[ _'’-]")
    for code in CODE.finditer(text):
        at = re.search(rf"(?<!\w){typed}(?!\w)", code[0])
        if at:
            before = text[: code.start() + at.start()]
            start = begins.column if "\n" not in before else 1
            column = start + len(before) - before.rfind("\n") - 1
            return Place(begins.file, begins.line + before.count("\n"), column)
    return begins


def action_mistakes(acting: Iterable[Rule | Journey], lines: Mapping[str, Sequence[str]]) -> list[Mistake]:
    """What is wrong in the texts of rules that a person's facts are put into. `lines`: the rule files, for showing where."""
    found = (
        mistake
        for rule in acting
        for action in rule.actions
        for text in texts_of(action)
        for mistake in _in_text(text, _place_of(text, rule.place, lines.get(rule.place.file, ())))
    )
    return list({(mistake.place, mistake.code, mistake.found): mistake for mistake in found}.values())


def _in_text(written: str, stands: tuple[Place, bool]) -> Iterator[TemplateMistake]:
    begins, exactly = stands
    curly = [(code[0], straight(code[0])) for code in CODE.finditer(written) if straight(code[0]) != code[0]]
    yield from (
        TemplateMistake(begins, "template-curly", found=one, suggestion=_in_a_line(right)) for one, right in curly
    )
    text = CODE.sub(lambda code: straight(code[0]), written)
    try:
        names = sorted(fill.names_in(text))
    except jinja2.TemplateSyntaxError as fault:
        code = "template-include" if fault.message == "include" else "template-syntax"
        yield TemplateMistake(begins, code, found=text)
        return
    for name in names:
        place = place_in(text, name, begins) if exactly else begins
        if fill.field_of(name) is None:
            yield _no_such_field(place, name)
        elif fill.field_of(name) in fill.OF_OCCASION:
            yield TemplateMistake(place, "template-occasion-text", found=name)


def _place_of(text: str, rule: Place, lines: Sequence[str]) -> tuple[Place, bool]:
    """Where the text stands below its rule, and whether it stands there as it is: the reader straightens marks. The rule's
    own place if it is folded over several lines.
    """
    below = list(enumerate(lines[rule.line - 1 :], rule.line))
    for n, line in below:
        if text in line:
            return Place(rule.file, n, line.index(text) + 1), "\n" not in text
    for n, line in below:
        if text in (right := CODE.sub(lambda code: straight(code[0]), line)):
            return Place(rule.file, n, min(right.index(text), len(line)) + 1), False
    return rule, False


def _in_a_line(text: str) -> str | None:
    """What can be typed in one line."""
    return None if "\n" in text else text


def _no_such_field(place: Place, name: str) -> TemplateMistake:
    near = _near(name)
    return TemplateMistake(place, "template-field" if near else "template-field-any", found=name, suggestion=near)


def _near(name: str) -> str | None:
    words = [_typed(vocabulary(language).shown("fields", f)) for language in LANGUAGES for f in FIELDS]
    return nearest(name, [*words, *FIELDS, *fill.OURS, *fill.OF_OCCASION])


def _typed(word: str) -> str:
    return re.sub(r"[ '’-]", "_", word)
