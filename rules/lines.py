"""Slips that show in a single line: tabs, quotes from a word processor, a missing space, marks left by a merge.

Each is told and mended in the copy that is read further, so that one slip does not hide the next mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rules.encoding import split_lines
from rules.mistakes import Mistake, Place

ODD_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2007\u2009\u200a\u3000"), " ")
BLOCK_TEXT = re.compile(r"(?:^|[:\-]\s+)[|>][+\-0-9]*\s*(?:#.*)?$")
MERGE = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(\s|$)")
TIGHT_COLON = re.compile(r"^(\s*(?:- +)?)([^\W\d][\w '’]*?):([^\s/:][^:]*)$")
TIGHT_DASH = re.compile(r"^(\s*)-([^\W\d][^:]*:(?:\s.*)?)$")
CURLY = re.compile(
    r"(?:(?<=[:\-\[{,] )|(?<=[\[{,]))\s*"
    r"(?:([“”„‟‘’])([^“”„‟\",\[\]{}]*)([“”‟‘’\"'])|(\")([^“”„‟\"]*)([“”‟])|(«)\s*([^«»\"]*?)\s*(»))"
    r"(?=\s*(?:[,\]}]|#.*|$))"
)
BULLET = re.compile(r"^(\s*)([–—−•·▪●◦*])\s+(?=\S)")
NUMBERED = re.compile(r"(?<=: )#\d[^\"]*$")  # `flag: #1`: YAML drops what follows the sign
FILLING = re.compile(r"(?<=: )\{\{.*$")
SIGN = re.compile(r"(?<=: )(?:>(?:=\s*| +)\d|!=\s*\w)[^,}\]#\"']*")
BROKEN_ACCENT = re.compile(r"[ÃÂ][\u0080-\u00bf\u0152-\u0178\u02c6\u2018-\u2122]|â€")
WIDE_COLON = re.compile(r"^(\s*(?:- +)?[^\W\d][\w '’]*?)\s*([：﹕∶])\s*(.*)$")
BARE = re.compile(r"[^\W\d_][\w '’-]*")
QUOTED_MAIL = re.compile(r"^(\s*)>[ \t]?(?=\s*[-\w#])")
FENCE = re.compile(r"^\s*(?:```|~~~)\w*\s*$")
OTHER_NOTE = re.compile(r"^(\s*)(//|;|--|%|/\*)(?=[\s\w])")
LINE_END = re.compile(r"(\r\n|\r|\n)")
HARD_COLON = re.compile(r"^((?:- +)*(?:\"[^\"]*\"|'[^']*'|[^\s\"'#{\[\-][^:#]*):)[\u00a0\u202f\t]")
ONE_MEND = {
    "tab",
    "tabs",
    "no-space-after-colon",
    "no-space-after-dash",
    "smart-quotes",
    "bullet",
    "filling",
    "wide-colon",
}
MOST_SLIPS = 20  # in one line
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Line:
    """A line as it is read. `added` characters were put in from column `at` on (0-based), so places can be told as the
    person sees them.
    """

    text: str
    at: int = 0
    added: int = 0

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip(" "))

    def place(self, file: str, index: int, column: int) -> Place:
        return Place(file, index + 1, 1 + (max(self.at, column - self.added) if column > self.at else column))


def mend(text: str, file: str) -> tuple[list[Line], list[Mistake]]:
    """Every line of the text, mended where that is safe, and what had to be mended."""
    lines: list[Line] = []
    text, mistakes = _right_accents(text, file)
    text, quoted = _out_of_mail(text, file)
    mistakes += quoted
    inside: int | None = None  # the indent of the key whose block text (| or >) we are in
    for index, raw in enumerate(split_lines(text)):
        if inside is not None and (not raw.strip() or _indent(raw) > inside):
            lines.append(Line(CONTROL.sub(" ", raw).replace("\u2028", " ").replace("\u2029", " ")))
            continue
        line, told = _mend_line(raw.replace("\x85", " ").replace("\u2028", " ").replace("\u2029", " "), index, file)
        inside = line.indent if BLOCK_TEXT.search(line.text) else None
        lines.append(line)
        if not (told and told[0].code == "merge-mark" and any(known.code == "merge-mark" for known in mistakes)):
            mistakes += told
    return lines, mistakes


def _right_accents(text: str, file: str) -> tuple[str, list[Mistake]]:
    """A file whose accents a program read in the wrong encoding and saved so: `rÃ¨gles`. Told once."""
    found = BROKEN_ACCENT.search(text)
    if found is None:
        return text, []
    before = split_lines(text[: found.start()])
    word = re.search(r"\S*$", before[-1])[0] + re.match(r"\S*", text[found.start() :])[0]  # type: ignore[index]
    right = "\n".join(_decoded(line) for line in split_lines(text))
    meant = _decoded(word)
    place = Place(file, len(before), len(before[-1]) + 1)
    return right, [Mistake(place, "broken-accents", found=word, suggestion=meant if meant != word else None)]


def _out_of_mail(text: str, file: str) -> tuple[str, list[Mistake]]:
    """A text pasted out of an answer to an e-mail, `>` before each line. Told once."""
    lines = split_lines(text)
    marked = [index for index, line in enumerate(lines) if QUOTED_MAIL.match(line)]
    if len(marked) < 2 or len(marked) < len([line for line in lines if line.strip()]) - 1:
        return text, []  # a single one begins a block text
    place = Place(file, marked[0] + 1, lines[marked[0]].index(">") + 1)
    return "\n".join(QUOTED_MAIL.sub(r"\1", line) for line in lines), [Mistake(place, "quoted-mail", found=">")]


def _decoded(line: str) -> str:
    try:
        return line.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return line


def rewrite(text: str, tab: int = 2) -> str:
    """The text with those slips mended that have one right mend, and no-break spaces and tabs around a key made spaces. All else
    stays as it is: line ends, comments, block texts. `tab`: how many spaces a tab stands for.
    """
    pieces = LINE_END.split(text)  # lines, with their ends between them
    inside: int | None = None
    for index in range(0, len(pieces), 2):
        raw = pieces[index]
        if inside is not None and (not raw.strip() or _indent(raw) > inside):
            continue
        pieces[index] = _rewritten(raw, tab)
        line = _mend_line(pieces[index], index, "")[0]
        inside = line.indent if BLOCK_TEXT.search(line.text) else None
    return "".join(pieces)


def _rewritten(raw: str, tab: int) -> str:
    for _ in range(MOST_SLIPS):
        line, told = _mend_line(raw, 0, "")
        if not told or told[0].code not in ONE_MEND or (told[0].code == "smart-quotes" and "\\" in raw):
            break
        head = raw[: _indent(raw)].replace("\t", " " * tab)
        raw = head + raw[_indent(raw) :] if told[0].code == "tab" else line.text
    if not raw.strip() or raw.lstrip().startswith("#"):
        return raw
    indent = len(raw) - len(raw.lstrip())
    return raw[:indent].translate(ODD_SPACES) + HARD_COLON.sub(r"\1 ", raw[indent:])


def _indent(raw: str) -> int:
    return len(raw) - len(raw.lstrip(" \t"))


def _mend_line(raw: str, index: int, file: str) -> tuple[Line, list[Mistake]]:  # noqa: C901, PLR0911, PLR0912  one return a slip
    def told(code: str, column: int, found: str = "", suggestion: str | None = None) -> list[Mistake]:
        return [Mistake(Place(file, index + 1, column + 1), code, found=found, suggestion=suggestion)]

    if MERGE.match(raw):
        return Line(""), told("merge-mark", 0, raw[:7])
    if control := CONTROL.search(raw):
        return Line(CONTROL.sub(" ", raw)), told("control-character", control.start())
    if not raw.strip() or raw.lstrip().startswith("#"):
        return Line(""), []
    if strange := _strange(raw):
        return Line(""), told(*strange)
    text = _plain_spaces(raw).rstrip()
    head = text[: _indent(text)]
    if "\t" in head:
        return Line(head.replace("\t", "  ") + text.lstrip(), 0, head.count("\t")), told("tab", head.index("\t"))
    text = text.replace("\t", " ")
    if slip := BULLET.match(text):
        right = f"{slip[1]}- {text[slip.end() :]}"
        return Line(right), told("bullet", slip.start(2), slip[2], right.strip())
    if (slip := WIDE_COLON.match(text)) and ":" not in slip[1]:
        right = f"{slip[1]}: {slip[3]}".rstrip()
        return Line(right), told("wide-colon", slip.start(2), slip[2], right.strip())
    if (slip := TIGHT_COLON.match(text)) and not slip[1].strip():
        at = slip.end(2) + 1
        right = f"{slip[2]}: {slip[3]}".rstrip()
        return Line(f"{text[:at]} {text[at:]}", at, 1), told("no-space-after-colon", at - 1, text.strip(), right)
    if slip := TIGHT_DASH.match(text):
        at = slip.end(1) + 1
        return Line(f"{text[:at]} {text[at:]}", at, 1), told(
            "no-space-after-dash", at - 1, text.strip(), f"- {slip[2]}"
        )
    if slip := SIGN.search(text):  # `visits: >= 3`: a phrase to be told as one, not the start of a block text
        quoted = f'{text[: slip.start()]}"{slip[0].rstrip()}"{text[slip.end() :]}'
        return Line(quoted, slip.start() + 1, 1), []
    if slips := list(CURLY.finditer(text)):
        return Line(CURLY.sub(_straight, text)), [
            one
            for slip in slips
            for one in told("smart-quotes", _quote_at(slip), slip[0].strip(), _straight(slip).strip())
        ]
    if (slip := FILLING.search(text)) and '"' not in slip[0]:
        right = f'"{slip[0]}"'
        return Line(text[: slip.start()] + right, slip.start() + 1, 1), told("filling", slip.start(), slip[0], right)
    if slip := NUMBERED.search(text):
        right = f'"{slip[0]}"'
        return Line(text[: slip.start()] + right, slip.start() + 1, 1), told("hash", slip.start(), slip[0], right)
    return Line(text), []


def _strange(raw: str) -> tuple[str, int, str, str | None] | None:
    """A line that is none of this language: a fence around code, or a note as other languages begin it."""
    if FENCE.match(raw):
        return "fence", _indent(raw), raw.strip()[:3], None
    if slip := OTHER_NOTE.match(raw):
        return "other-note", slip.start(2), slip[2], f"# {raw[slip.end() :].strip()}"
    return None


def _straight(slip: re.Match[str]) -> str:
    """The text without its marks where it can do without: « oui » was meant as the word, and so it is read."""
    text = (slip[2] or slip[5] or slip[8] or "").strip()
    return text if BARE.fullmatch(text) else f'"{text}"'


def _quote_at(slip: re.Match[str]) -> int:
    return next(slip.start(group) for group in (1, 4, 7) if slip[group])


def _plain_spaces(raw: str) -> str:
    """No-break spaces, which nobody sees, in the indent and after a colon become spaces."""
    indent = len(raw) - len(raw.lstrip())
    return raw[:indent].translate(ODD_SPACES) + re.sub(r":[\u00a0\u202f]", ": ", raw[indent:])
