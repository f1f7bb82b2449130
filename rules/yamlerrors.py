"""What PyYAML's errors mean for the person who wrote the file."""

from __future__ import annotations

import re

import yaml

from rules.lines import Line
from rules.mistakes import Mistake
from rules.words import LANGUAGES, vocabulary

SIGNS = tuple("\"'&*!|>%@`#{}[],?-")  # what begins with one of them is no plain text
KEY = re.compile(r"\s*(?:- +)*[^\s\"'#{\[\-][^:#]*: +")


def classify(error: yaml.YAMLError, lines: list[Line], file: str) -> tuple[Mistake, int]:
    """The mistake behind a parser's error, and the index of the line that spoils the reading."""
    problem = str(getattr(error, "problem", None) or "")
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None)
    code, at_context = _code(problem, context)
    where = context_mark if at_context and context_mark is not None else mark
    index, column = (where.line, where.column) if where is not None else (0, 0)
    index, column = _back_to_text(lines, index, column)
    line = lines[index]
    if code == "mapping":
        index, code, column = _colon_or_indent(lines, index, column)
        line = lines[index]
    elif code == "block-end":
        code = "after-quote" if "scalar" in problem and line.text[:column].strip() else "indent"
    place, text = line.place(file, index, column), line.text
    sign = text[column : column + 1]
    key, _, value = text.partition(":")
    if code == "below":
        facts = {"word": key.strip().removeprefix("-").strip(), "value": value.strip()}
        return Mistake(place, code, found=text.strip(), facts=facts), index
    if code == "colon-in-text" and (braces := _braces_left_out(text)):
        return Mistake(place, "braces-left-out", found=text.strip(), suggestion=braces), index
    return Mistake(place, code, found=text.strip(), suggestion=_mend(code, text), facts={"sign": sign}), index


def _braces_left_out(text: str) -> str | None:
    """The count that `visits: at least 3, within: 2 years` was to be, as it should be typed."""
    found = re.fullmatch(r"([^:{]+), ([^:,]+): ([^:{]+)", text.partition(":")[2].strip())
    known = [vocabulary(language) for language in LANGUAGES] if found else []
    words = next((words for words in known if found and words.find("window", found[2])), None)
    return f"{{{words.key('window', 'count')}: {found[1]}, {found[2]}: {found[3]}}}" if words and found else None


def _mend(code: str, text: str) -> str | None:
    """The value as it should be typed, where only its quotation marks are wrong or missing."""
    key = KEY.match(text)
    if code not in {"after-quote", "bad-start"} or key is None:
        return None
    value = text[key.end() :].strip()
    if code == "after-quote":
        mark = value[0]
        value = value[1:-1].replace(mark * 2, mark) if value.endswith(mark) else value.replace(mark, "")
    plain = code == "after-quote" and not value.startswith(SIGNS)
    if text.endswith("`") and value.startswith("`"):
        return value.strip("`") or None
    if not value or any(odd in value for odd in (": ", " #", "\\", '"' if not plain else ": ")):
        return None
    return value if plain else f'"{value}"'


def _code(problem: str, context: str) -> tuple[str, bool]:
    """A code, and whether the place is where the thing began rather than where the reader gave up."""
    table = (
        ("quoted scalar" in context and "end of stream" in problem, "quote-open", True),
        ("double-quoted scalar" in context, "bad-escape", True),
        ("quoted scalar" in context, "quote-open", True),
        ("mapping values are not allowed" in problem, "mapping", False),
        ("could not find expected ':'" in problem, "no-colon", True),
        ("'\\t'" in problem, "tab", False),
        ("that cannot start any token" in problem, "bad-start", False),
        ("flow node" in context and problem.endswith("','"), "stray-comma", False),
        ("flow sequence" in context or "flow mapping" in context, "bracket-open", True),
        ("anchor" in context or "alias" in context, "alias", False),
        ("tag" in context or "tag" in problem, "tag", False),
        ("flow node" in context, "bracket-open", False),
        ("<block end>" in problem and problem.endswith(("']'", "'}'", "','")), "stray-bracket", False),
        ("<block end>" in problem, "block-end", False),
        ("not allowed here" in problem, "indent", False),
        ("document start" in problem, "indent", False),
    )
    return next(((code, at_context) for fits, code, at_context in table if fits), ("unreadable", False))


def _back_to_text(lines: list[Line], index: int, column: int) -> tuple[int, int]:
    """An error at the end of a file is told on the last line that says something."""
    index = min(index, len(lines) - 1)
    if lines[index].text.strip():
        return index, column
    while index > 0 and not lines[index].text.strip():
        index -= 1
    return index, lines[index].indent


HEADS = {
    "rule": ("when", "unless", "then", "examples"),
    "journey": ("when", "unless", "steps", "stop_when", "examples"),
    "logic": ("any_of", "all_of", "none_of", "sheet"),
}


def _heads_lines(word: str) -> bool:
    """Whether a word stands before lines of its own: `when`, `alors`."""
    known = [vocabulary(language) for language in LANGUAGES]
    return any(words.find(section, word) in heads for words in known for section, heads in HEADS.items())


def _colon_or_indent(lines: list[Line], index: int, column: int) -> tuple[int, str, int]:
    """A key where none may stand: a second colon in the line, no colon in the line above, or a wrong indent."""
    if ": " in lines[index].text[:column]:
        head = lines[index].text.partition(":")[0].strip().removeprefix("-").strip()
        return index, "below" if _heads_lines(head) else "colon-in-text", column
    above = next((n for n in range(index - 1, -1, -1) if lines[n].text.strip()), None)
    if above is not None and ":" not in lines[above].text and not lines[above].text.lstrip().startswith("-"):
        return above, "no-colon", lines[above].indent
    return index, "indent", lines[index].indent
