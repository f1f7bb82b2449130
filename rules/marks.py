"""Quotation marks of a word processor where straight ones are needed: around a value, and between the braces of a text."""

from __future__ import annotations

import re

BARE = re.compile(r"[^\W\d_][\w '’-]*")
CODE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
"""What a text for people has between braces: `{{ first_name or "you" }}`, `{% if visits > 3 %}`."""
CURLY = re.compile(
    r"(?:(?<=[:\-\[{,] )|(?<=[\[{,]))\s*"
    r"(?:([“”„‟‘’])([^“”„‟\",\[\]{}]*)([“”‟‘’\"'])|(\")([^“”„‟\"]*)([“”‟])|(«)\s*([^«»\"]*?)\s*(»))"
    r"(?=\s*(?:[,\]}]|#.*|$))"
)
VALUE = re.compile(
    r"^(?P<key>\s*(?:- +)+|\s*(?:- +)*[^\W\d][^:\"'{\[]*:\s+)"
    r"(?P<value>[“„‟](?P<double>[^“”„‟]*)[“”‟]|«\s*(?P<french>[^«»]*?)\s*»)\s*(?:\s#.*)?$"
)
INSIDE = re.compile(
    r"(?P<straight>\"[^\"“”„‟]*\"|'[^']*'|\"[^\"]*\")"
    r"|[“”„‟](?P<double>[^“”„‟\"]*)[“”‟\"]|\"(?P<half>[^\"“”„‟]*)[“”‟]|«\s*(?P<french>[^«»]*?)\s*»|[‘’](?P<single>.*?)[‘’](?!\w)"
)


def straight(code: str, mark: str = '"') -> str:
    """What stands between braces, its texts in straight marks: `{{ first_name or "you" }}` of `{{ first_name or “you” }}`."""

    def right(found: re.Match[str]) -> str:
        text = next((found[name] for name in ("double", "half", "french", "single") if found[name] is not None), None)
        if text is None:
            return found[0]
        used = mark if mark not in text else "'" if mark == '"' else '"'
        return f"{used}{text}{used}"

    return INSIDE.sub(right, code)


def curly_in_braces(text: str) -> re.Match[str] | None:
    """The first place between braces where marks are not straight."""
    return next((code for code in CODE.finditer(text) if straight(code[0]) != code[0]), None)


def quoted(text: str) -> str:
    """A text as a value that is read as it is written."""
    return f'"{text}"' if '"' not in text and "\\" not in text else "'{}'".format(text.replace("'", "''"))


def in_marks(line: str) -> list[tuple[int, str, str]]:
    """Of each value in such marks: its column (from 0), it, and how it should be typed."""
    if found := list(CURLY.finditer(line)):
        return [(_begins(one), one[0].strip(), _typed((one[2] or one[5] or one[8] or "").strip())) for one in found]
    masked = CODE.sub(lambda code: "x" * len(code[0]), line)
    if (whole := VALUE.match(masked)) is None:
        return []
    kind = "french" if whole["french"] is not None else "double"
    text = CODE.sub(lambda code: straight(code[0], "'"), line[whole.start(kind) : whole.end(kind)])
    return [(whole.start("value"), line[whole.start("value") : whole.end("value")], _typed(text))]


def _begins(found: re.Match[str]) -> int:
    return next(found.start(group) for group in (1, 4, 7) if found[group])


def _typed(text: str) -> str:
    """Without marks where it can do without: « oui » was meant as the word, and so it is read."""
    return text if BARE.fullmatch(text) else quoted(text)
