"""Slips that show in a single line: tabs, quotes from a word processor, a missing space, marks left by a merge.

Each is told and mended in the copy that is read further, so that one slip does not hide the next mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rules.encoding import split_lines
from rules.heads import families, families_below, takes_braces
from rules.marks import CODE, curly_in_braces, in_marks, quoted, straight
from rules.mistakes import Mistake, Place
from rules.phrases import begins_of_lists

ODD_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2007\u2009\u200a\u3000"), " ")
BLOCK_TEXT = re.compile(r"(?:^|[:\-]\s+)[|>][+\-0-9]*\s*(?:#.*)?$")
MERGE = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(\s|$)")
TIGHT_COLON = re.compile(r"^(\s*(?:- +)?)([^\W\d][\w '’]*?):([^\s/:][^:]*)$")
TIGHT_DASH = re.compile(r"^(\s*)-([^\W\d][^:]*:(?:\s.*)?)$")
BULLET = re.compile(r"^(\s*)([–—−•·▪●◦*])\s+(?=\S)")
NUMBERED = re.compile(r"(?<=: )#\d[^\"]*$")  # `flag: #1`: YAML drops what follows the sign
CUT = re.compile(r"#[^\W_]")
FILLING = re.compile(r"^\s*(?:- +)*[^\W\d][^:\"'{\[]*: +(?P<value>\{\{.*)$")
IN_DOUBLE = re.compile(r"^\s*(?:- +)*[^\W\d][^:\"'{\[]*: +\"")
JOINED = re.compile(r"^(?P<head>\s*(?:- +)*(?P<key>[^\W\d][^:\"'{\[]*?) *:)\s+(?P<sign>[|>])[+\-0-9]*\s*(?:#.*)?$")
SIGN = re.compile(r"(?<=: )(?:>(?:=\s*| +)\d|!=\s*\w)[^,}\]#\"']*")
BEGUN = "|".join(sorted(re.escape(start).replace(r"\ ", " +") for start in begins_of_lists()))
LIST_IN_BRACES = re.compile(rf"(?<=: )(?:{BEGUN}) *\[[^\[\]{{}}\"\\]*\](?=\s*[,}}])", re.IGNORECASE)
"""`{city: contains any of [Brest, Lyon]}`: between braces YAML knows no text that ends with a list."""
BROKEN_ACCENT = re.compile(r"[ÃÂ][\u0080-\u00bf\u0152-\u0178\u02c6\u2018-\u2122]|â€")
WIDE_COLON = re.compile(r"^(\s*(?:- +)?[^\W\d][\w '’]*?)\s*([：﹕∶])\s*(.*)$")
QUOTED_MAIL = re.compile(r"^(\s*)>[ \t]?(?=\s*[-\w#])")
FENCE = re.compile(r"^\s*(?:```|~~~)\w*\s*$")
OTHER_NOTE = re.compile(r"^(\s*)(//|;|--|%|/\*)(?=[\s\w])")
BRACKETS = re.compile(
    r"^(?P<head>\s*(?:- +)*(?P<key>[^\W\d][^:\"'{\[(]*): +)(?P<open>[(\[])(?P<inside>\s*(?P<first>[^\W\d][^:\"'{\[(]*): .*)(?P<close>[)\]])"
    r"\s*(?:#.*)?$"
)
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
    "curly-in-braces",
    "wide-colon",
    "odd-brackets",
}
MOST_SLIPS = 20  # in one line
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Line:
    """A line as it is read. `edits` say where (0-based) how many characters were put in or, below zero, taken out, one
    after the other, so that places can be told as the person sees them. `verbatim`: it belongs to a block text.
    """

    text: str
    edits: tuple[tuple[int, int], ...] = ()
    number: int = 0
    verbatim: bool = False

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip(" "))

    @property
    def moved(self) -> bool:
        """Whether it begins in another column than in the file."""
        return any(at == 0 for at, _ in self.edits)

    def edited(self, text: str, *edits: tuple[int, int]) -> Line:
        """This line with another text."""
        return replace(self, text=text, edits=(*self.edits, *edits))

    def place(self, file: str, column: int) -> Place:
        for at, added in reversed(self.edits):
            column = max(at, column - added) if column > at else column
        return Place(file, self.number, column + 1)


Found = tuple[Line, list[Mistake]]


def mend(text: str, file: str, tab: int = 2) -> tuple[list[Line], list[Mistake]]:
    """Every line of the text, mended where that is safe, and what had to be mended. `tab`: how many spaces a tab is."""
    lines: list[Line] = []
    text, mistakes = _right_accents(text, file)
    text, quoted = _out_of_mail(text, file)
    mistakes += quoted
    inside: int | None = None  # the indent of the key whose block text (| or >) we are in
    for index, raw in enumerate(split_lines(text)):
        if inside is not None and (not raw.strip() or _indent(raw) > inside):
            clean = CONTROL.sub(" ", raw).replace("\u2028", " ").replace("\u2029", " ")
            line, told = _verbatim(clean, index, file)
            lines.append(line)
            mistakes += told
            continue
        line, told = _mend_line(
            raw.replace("\x85", " ").replace("\u2028", " ").replace("\u2029", " "), index, file, tab
        )
        inside = line.indent if BLOCK_TEXT.search(line.text) else None
        lines.append(replace(line, number=index + 1))
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
    stays as it is: line ends, comments, block texts but for what stands between braces in them. `tab`: how many spaces a tab stands for.
    """
    pieces = LINE_END.split(text)  # lines, with their ends between them
    inside: int | None = None
    for index in range(0, len(pieces), 2):
        raw = pieces[index]
        if inside is not None and (not raw.strip() or _indent(raw) > inside):
            pieces[index] = CODE.sub(lambda code: straight(code[0]), raw)
            continue
        pieces[index] = _rewritten(raw, tab)
        line = _mend_line(pieces[index], index, "")[0]
        inside = line.indent if BLOCK_TEXT.search(line.text) else None
    return "".join(pieces)


def _rewritten(raw: str, tab: int) -> str:
    for _ in range(MOST_SLIPS):
        line, told = _slip(raw, tab)
        if not told or told[0].code not in ONE_MEND or (told[0].code == "smart-quotes" and "\\" in raw):
            break
        raw = line.text
    if not raw.strip() or raw.lstrip().startswith("#"):
        return raw
    raw = _lists_quoted(raw).text
    indent = len(raw) - len(raw.lstrip())
    return raw[:indent].translate(ODD_SPACES) + HARD_COLON.sub(r"\1 ", raw[indent:])


def _indent(raw: str) -> int:
    return len(raw) - len(raw.lstrip(" \t"))


def _mend_line(raw: str, index: int, file: str, tab: int = 2) -> tuple[Line, list[Mistake]]:
    """One slip after the other."""
    line, found = Line(raw, number=index + 1), list[Mistake]()
    for _ in range(MOST_SLIPS):
        mended, told = _slip(line.text, tab)
        found += [replace(mistake, place=line.place(file, mistake.place.column - 1)) for mistake in told]
        line = line.edited(mended.text, *mended.edits)
        if not told or told[0].code not in ONE_MEND:
            break
    return line, found


def _slip(raw: str, tab: int) -> Found:
    """The line with its first slip mended, and what that was; its place names no more than the column."""
    if found := next((found for look in WHOLE_LINE if (found := look(raw))), None):
        return found
    text = _plain_spaces(raw).rstrip()
    head = text[: _indent(text)]
    if "\t" in head:
        right = Line(head.replace("\t", " " * tab) + text.lstrip(), ((0, head.count("\t") * (tab - 1)),))
        return right, _told("tab", head.index("\t"))
    text = text.replace("\t", " ")
    return next((found for look in IN_A_LINE if (found := look(text))), (Line(text), []))


def _told(code: str, column: int, found: str = "", suggestion: str | None = None) -> list[Mistake]:
    return [Mistake(Place("", 1, column + 1), code, found=found, suggestion=suggestion)]


def _merge_mark(raw: str) -> Found | None:
    return (Line(""), _told("merge-mark", 0, raw[:7])) if MERGE.match(raw) else None


def _control_character(raw: str) -> Found | None:
    control = CONTROL.search(raw)
    return (Line(CONTROL.sub(" ", raw)), _told("control-character", control.start())) if control else None


def _nothing(raw: str) -> Found | None:
    return (Line(""), []) if not raw.strip() or raw.lstrip().startswith("#") else None


def _strange(raw: str) -> Found | None:
    """A line that is none of this language: a fence around code, or a note as other languages begin it."""
    if FENCE.match(raw):
        return Line(""), _told("fence", _indent(raw), raw.strip()[:3])
    slip = OTHER_NOTE.match(raw)
    return (Line(""), _told("other-note", slip.start(2), slip[2], f"# {raw[slip.end() :].strip()}")) if slip else None


def _bullet(text: str) -> Found | None:
    if (slip := BULLET.match(text)) is None:
        return None
    right = f"{slip[1]}- {text[slip.end() :]}"
    return Line(right), _told("bullet", slip.start(2), slip[2], right.strip())


def _wide_colon(text: str) -> Found | None:
    slip = WIDE_COLON.match(text)
    if slip is None or ":" in slip[1]:
        return None
    right = f"{slip[1]}: {slip[3]}".rstrip()
    return Line(right), _told("wide-colon", slip.start(2), slip[2], right.strip())


def _tight_colon(text: str) -> Found | None:
    slip = TIGHT_COLON.match(text)
    if slip is None or (slip[1].strip() and not families(slip[2])):
        return None
    at, right = slip.end(2) + 1, f"{slip[2]}: {slip[3]}".rstrip()
    return Line(f"{text[:at]} {text[at:]}", ((at, 1),)), _told("no-space-after-colon", at - 1, text.strip(), right)


def _tight_dash(text: str) -> Found | None:
    if (slip := TIGHT_DASH.match(text)) is None:
        return None
    at, right = slip.end(1) + 1, f"- {slip[2]}"
    return Line(f"{text[:at]} {text[at:]}", ((at, 1),)), _told("no-space-after-dash", at - 1, text.strip(), right)


def _sign(text: str) -> Found | None:
    """`visits: >= 3`: a phrase to be told as one, not the start of a block text."""
    if (slip := SIGN.search(text)) is None:
        return None
    return Line(f'{text[: slip.start()]}"{slip[0].rstrip()}"{text[slip.end() :]}', ((slip.start() + 1, 1),)), []


def _list_in_braces(text: str) -> Found | None:
    lists = _lists_quoted(text)
    return (lists, []) if lists.edits else None


def _lists_quoted(text: str) -> Line:
    """The line with the phrases that end with a list, and stand between braces, in quotes."""
    right, edits = text, list[tuple[int, int]]()
    for found in LIST_IN_BRACES.finditer(text):
        before, at = text[: found.start()], found.start() + len(edits)
        if before.count("{") > before.count("}"):
            right = f'{right[:at]}"{found[0]}"{right[at + len(found[0]) :]}'
            edits += [(at + 1, 1), (at + len(found[0]) + 2, 1)]
    return Line(right, tuple(edits))


def _smart_quotes(text: str) -> Found | None:
    edits, told, right, shift = list[tuple[int, int]](), list[Mistake](), text, 0
    for at, found, typed in in_marks(text):
        start = at + shift
        right = right[:start] + typed + right[start + len(found) :]
        edits.append((start, len(typed) - len(found)))
        shift += len(typed) - len(found)
        told += _told("smart-quotes", at, found, typed)
    return (Line(right, tuple(edits)), told) if told else None


def _filling(text: str) -> Found | None:
    if (slip := FILLING.match(text)) is None:
        return None
    at = slip.start("value")
    right = quoted(CODE.sub(lambda code: straight(code[0], "'"), slip["value"]))
    return Line(text[:at] + right, ((at + 1, 1),)), _told("filling", at, slip["value"], right)


def _joined(text: str) -> Found | None:
    slip = JOINED.match(text)
    if slip is None or not families_below(slip["key"]):
        return None
    return Line(slip["head"]), _told("joined-lines", slip.start("sign"), slip["sign"])


def _curly(text: str) -> Found | None:
    if (slip := curly_in_braces(text)) is None:
        return None
    right = straight(slip[0], "'" if IN_DOUBLE.match(text) else '"')
    return _with_straight(text, slip, right), _told("curly-in-braces", slip.start(), slip[0], right)


def _brackets(text: str) -> Found | None:
    """`visits: (count: at least 2, within: 24 months)`, and in square ones: braces were meant."""
    if not (slip := BRACKETS.match(text)) or not takes_braces(slip["key"], slip["first"]):
        return None
    right, sign = f"{slip['head']}{{{slip['inside'].strip()}}}", f"{slip['open']} {slip['close']}"
    return Line(right + text[slip.end("close") :]), _told("odd-brackets", slip.start("open"), sign, right.strip())


def _numbered(text: str) -> Found | None:
    if (slip := NUMBERED.search(text)) is None:
        return None
    right = f'"{slip[0]}"'
    return Line(text[: slip.start()] + right, ((slip.start() + 1, 1),)), _told("hash", slip.start(), slip[0], right)


WHOLE_LINE = (_merge_mark, _control_character, _nothing, _strange)
IN_A_LINE = (
    _bullet, _wide_colon, _tight_colon, _tight_dash, _sign, _list_in_braces, _smart_quotes, _filling, _joined, _curly, _brackets, _numbered,
)  # fmt: skip
"""Each gives the line without its slip, and what to tell, or None where there is no such slip; the first that is counts."""


def cut_by_a_note(lines: list[Line], file: str) -> Iterator[Mistake]:
    """Advice on `flag: Call #1 list`, of which only `Call` is read. A note is written with a space after its sign."""
    for line in lines:
        before, sign, rest = line.text.partition(" #")
        kept, cut = before.partition(": ")[2].strip(), f"#{rest}"
        plain = kept and kept[0] not in "\"'{[|>" and ": " not in rest
        if sign and plain and CUT.match(cut) and not line.verbatim:
            place = line.place(file, len(before) + 1)
            yield Mistake(place, "hash-cut", found=cut, facts={"kept": kept, "whole": f'"{kept} {cut}"'})


def _verbatim(raw: str, index: int, file: str) -> tuple[Line, list[Mistake]]:
    """A line of a block text, in which only what stands between braces is no text."""
    line, told = Line(raw, number=index + 1, verbatim=True), list[Mistake]()
    for _ in range(MOST_SLIPS):
        if (slip := curly_in_braces(line.text)) is None:
            break
        right = straight(slip[0])
        place = line.place(file, slip.start())
        told.append(Mistake(place, "curly-in-braces", found=slip[0], suggestion=right))
        mended = _with_straight(line.text, slip, right)
        line = line.edited(mended.text, *mended.edits)
    return line, told


def _with_straight(text: str, slip: re.Match[str], right: str) -> Line:
    return Line(f"{text[: slip.start()]}{right}{text[slip.end() :]}", ((slip.end(), len(right) - len(slip[0])),))


def _plain_spaces(raw: str) -> str:
    """No-break spaces, which nobody sees, in the indent and after a colon become spaces."""
    indent = len(raw) - len(raw.lstrip())
    return raw[:indent].translate(ODD_SPACES) + re.sub(r":[\u00a0\u202f]", ": ", raw[indent:])
