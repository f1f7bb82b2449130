"""Quotation marks of a word processor where a template needs straight ones: between braces, and around a value of its head.

`rules.lines` finds those that rule files have too; a subject may also hold commas and braces.
"""

from __future__ import annotations

import re

from rules.lines import BARE, CURLY, LINE_END, rewrite
from sync.followup.fill import CODE

MARKS = re.compile(
    r"(?P<straight>\"[^\"“”„‟]*\"|'[^']*'|\"[^\"]*\")"
    r"|[“”„‟](?P<double>[^“”„‟\"]*)[“”‟\"]|\"(?P<half>[^\"“”„‟]*)[“”‟]|«\s*(?P<french>[^«»]*?)\s*»|[‘’](?P<single>.*?)[‘’](?!\w)"
)
VALUE = re.compile(
    r"^(?P<key>\s*[^\W\d][^:\"'{\[]*:\s+)(?:[“„‟](?P<double>[^“”„‟]*)[“”‟]|«\s*(?P<french>[^«»]*?)\s*»)\s*$"
)


def straight(code: str, mark: str = '"') -> str:
    """What stands between braces, its texts in straight marks: `{{ first_name or "you" }}` of `{{ first_name or “you” }}`."""

    def right(found: re.Match[str]) -> str:
        text = next((found[name] for name in ("double", "half", "french", "single") if found[name] is not None), None)
        if text is None:
            return found[0]
        used = mark if mark not in text else "'" if mark == '"' else '"'
        return f"{used}{text}{used}"

    return MARKS.sub(right, code)


def value_in_marks(line: str) -> tuple[int, str, str] | None:
    """Of a line of the head whose whole value stands in such marks: its column (from 0), it, and as it should be typed."""
    masked = CODE.sub(lambda code: "x" * len(code[0]), line)
    found = VALUE.match(masked)
    if found is None or CURLY.search(line):
        return None
    kind = "french" if found["french"] is not None else "double"
    text = CODE.sub(lambda code: straight(code[0], "'"), line[found.start(kind) : found.end(kind)])
    if '"' in text or "\\" in text:
        return None
    typed = text if BARE.fullmatch(text) else f'"{text}"'
    return found.end("key"), line[found.end("key") :].strip(), typed


def rewritten_head(head: str) -> str:
    """A template's head with all of this mended, and the slips that a rule file may have. Its line ends are kept."""
    pieces = LINE_END.split(head)
    for index in range(0, len(pieces), 2):
        if value := value_in_marks(pieces[index]):
            pieces[index] = pieces[index][: value[0]] + value[2]
    pieces = LINE_END.split(rewrite("".join(pieces)))
    for index in range(0, len(pieces), 2):
        mark = "'" if re.search(r":\s+\"", pieces[index]) else '"'
        pieces[index] = CODE.sub(lambda code, mark=mark: straight(code[0], mark), pieces[index])
    return "".join(pieces)
