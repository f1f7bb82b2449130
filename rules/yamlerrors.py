"""What PyYAML's errors mean for the person who wrote the file."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from rules.heads import begun_with, families, families_below
from rules.indents import KEYED
from rules.lines import Line
from rules.mistakes import Mistake
from rules.words import LANGUAGES, vocabulary

SIGNS = tuple("\"'&*!|>%@`#{}[],?-")  # what begins with one of them is no plain text
EITHER = {"ou": "fr", "or": "en"}
TEXTS = {("rule", "name"), ("option_task", "for"), *(("action", name) for name in ("flag", "task", "notify", "forget"))}
"""Words after which any text may stand."""
KEY = re.compile(r"\s*(?:- +)*[^\s\"'#{\[\-][^:#]*: +")


@dataclass(frozen=True)
class Slip:
    """What made the parser stop, and the index of the line that spoils the reading. `mended`: another line (its index) as
    it was surely meant.
    """

    mistake: Mistake
    index: int
    mended: tuple[int, Line] | None = None


def classify(error: yaml.YAMLError, lines: list[Line], file: str) -> Slip:
    """The slip behind a parser's error. The lines may be a part of a file, read by itself."""
    problem = str(getattr(error, "problem", None) or "")
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None)
    if context_mark is not None and mark is not None and (comma := _comma(problem, (context_mark, mark), lines, file)):
        return comma
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
    place, text = line.place(file, column), line.text
    sign = text[column : column + 1]
    key, _, value = text.partition(":")
    facts: dict[str, object] = {"sign": sign}
    suggestion = _mend(code, text)
    if code == "indent" and (keyed := KEYED.match(text)) and (keyed["value"] or "").startswith("- "):
        code = "below"
    if code == "below":
        facts = {"word": key.strip().removeprefix("-").strip(), "value": value.strip()}
    elif code == "colon-in-text" and (braces := _braces_left_out(text)):
        code, suggestion, facts = "braces-left-out", braces, {}
    elif code == "colon-in-text" and (second := _second_line(text)):
        code, facts = second
    elif code == "colon-in-text" and (whole := _text_quoted(text)):
        code, suggestion, facts = "colon-in-name", whole, {}
    mistake = Mistake(place, code, found=text.strip(), suggestion=suggestion, facts=facts)
    return Slip(mistake, index)


def _comma(problem: str, marks: tuple[yaml.Mark, yaml.Mark], lines: list[Line], file: str) -> Slip | None:
    """A comma left out between brackets or braces: `{count: at least 2 within: 12 months}`, `["Lyon" "Nantes"]`."""
    opened, stopped = marks
    got = re.search(r"expected ',' or '[\]}]', but got '(:|<scalar>)'", problem)
    if got is None or stopped.line >= len(lines):
        return None
    if stopped.line != opened.line and lines[stopped.line].indent < _inside_of(lines[opened.line]):
        return None
    line, end = lines[stopped.line], stopped.column
    if got[1] == ":":
        begun = opened.column + 1 if stopped.line == opened.line else line.indent
        begun = max(
            [begun, *(found.end() for found in re.finditer(r"[,{\[]\s*|:\s+", line.text[:end]) if found.end() < end)]
        )
        key_at = begun + _next_key(line.text[begun:end])
    else:
        key_at = end
    before = line.text[:key_at].rstrip()
    before = before.removesuffix(";") if got[1] == ":" else before  # as in other languages
    first = before if before.strip() else next(o.text for o in reversed(lines[: stopped.line]) if o.text.strip())
    words = [re.split(r"[\s,{\[]+", first.rstrip())[-1], re.split(r"\s*[:,}\]]", line.text[key_at:])[0]]
    facts = {"first": words[0].strip("\"'"), "second": words[1].strip("\"'")}
    if before.strip():
        right = f"{before}, {line.text[key_at:]}"
        index, mended = stopped.line, line.edited(right, (len(before) + 1, 1))
        shown = right[opened.column :].strip() if opened.line == stopped.line else right.strip()
    else:
        index = next(n for n in range(stopped.line - 1, -1, -1) if lines[n].text.strip())
        shown = f"{first.strip()},"
        mended = lines[index].edited(f"{first.rstrip()},")
    mistake = Mistake(line.place(file, key_at), "comma-missing", found=shown, suggestion=shown, facts=facts)
    return Slip(mistake, stopped.line, (index, mended))


def _inside_of(line: Line) -> int:
    """The column from which on a line below belongs to the brackets that are open in this line."""
    keyed = KEYED.match(line.text)
    return (len(keyed["head"]) if keyed else line.indent) + 1


def _next_key(text: str) -> int:
    """Where in `at least 2 within` the next word before a colon begins: a known one, or the last."""
    begins = [found.start() for found in re.finditer(r"(?<=\s)\S", text)]
    known = [vocabulary(language) for language in LANGUAGES]
    sections = ("window", "deed", "option_email", "option_task", "option_newsletter", "option_webhook", "fields")
    for at in begins:
        if any(words.find(section, text[at:]) for words in known for section in sections):
            return at
    answered = re.match(r"\S+\s+", text)
    if answered and any(words.find("yesno", answered[0].strip()) for words in known):
        return answered.end()
    return begins[-1] if begins else 0


def _braces_left_out(text: str) -> str | None:
    """The count that `visits: at least 3, within: 2 years` was to be, as it should be typed."""
    found = re.fullmatch(r"([^:{]+), ([^:,]+): ([^:{]+)", text.partition(":")[2].strip())
    known = [vocabulary(language) for language in LANGUAGES] if found else []
    words = next((words for words in known if found and words.find("window", found[2])), None)
    return f"{{{words.key('window', 'count')}: {found[1]}, {found[2]}: {found[3]}}}" if words and found else None


def _second_line(text: str) -> tuple[str, dict[str, object]] | None:
    """What to tell of `city: Brest visits: at least 3`: two lines in one, with or without a word between them."""
    keyed = KEYED.match(text)
    if keyed is None:
        return None
    value = text[keyed.end("key") + 1 :]
    for found in re.finditer(r"(?<=\s)\S", value):
        rest = value[found.start() :].strip()
        word, colon, _ = rest.partition(": ")
        if colon and families(word) & families(keyed["key"]):
            between = re.search(r"(?:^|\s)(et|and|ou|or)\s+$", value[: found.start()], re.IGNORECASE)
            if between and between[1].lower() in EITHER:
                return "or-key", {"any_of": vocabulary(EITHER[between[1].lower()]).key("logic", "any_of")}
            facts: dict[str, object] = {"word": keyed["key"], "second": rest, "between": between and between[1]}
            return "two-lines-and" if between else "two-lines", facts
    return None


def _text_quoted(text: str) -> str | None:
    """The line `objet: On se revoit : la saison` as it should be typed: any text may stand after its word."""
    key = KEY.match(text)
    word = KEYED.match(text)
    if key is None or word is None or any(odd in text for odd in ('"', "\\", " #")):
        return None
    known = [vocabulary(language) for language in LANGUAGES]
    named = {(part, words.find(part, word["key"])) for words in known for part in ("rule", "action", "option_task")}
    return f'{key[0]}"{text[key.end() :].strip()}"'.strip() if named & TEXTS or not families(word["key"]) else None


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


def _colon_or_indent(lines: list[Line], index: int, column: int) -> tuple[int, str, int]:
    """A key where none may stand: a second colon in the line, no colon in the line above, or a wrong indent."""
    if ": " in lines[index].text[:column]:
        head = lines[index].text.partition(":")[0].strip().removeprefix("-").strip()
        return index, "below" if families_below(head) else "colon-in-text", column
    above = next((n for n in range(index - 1, -1, -1) if lines[n].text.strip()), None)
    if above is not None and ":" not in lines[above].text:
        said = lines[above].text.lstrip("- ")
        if begun_with(said) or not lines[above].text.lstrip().startswith("-"):
            return above, "no-colon", len(lines[above].text) - len(said)
    return index, "indent", lines[index].indent
