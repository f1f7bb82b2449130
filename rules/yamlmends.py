"""What was meant where YAML stops reading: the lines mended in the copy, so that the rest can be read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rules.heads import begun_with, families, families_below
from rules.indents import KEYED, begins_item, dash_forgotten, meant
from rules.lines import Line
from rules.mistakes import Mistake
from rules.yamlerrors import KEY, Slip

DASHES = re.compile(r"\s*(?:- +)+")
MOVING = {"indent", "no-colon"}
VALUE_ONLY = {
    "quote-open",
    "after-quote",
    "bad-start",
    "colon-in-text",
    "colon-in-name",
    "two-lines",
    "two-lines-and",
    "bad-escape",
}
"""The line can be read but for its value, which is a guess."""


@dataclass(frozen=True)
class Mend:
    """The lines as they may have been meant. `mistake`: what is to be told then, if it is not what is told otherwise."""

    lines: list[Line]
    mistake: Mistake | None = None


def mends(slip: Slip, lines: list[Line]) -> Iterator[Mend]:
    """The mends of a slip, the most probable first."""
    mistake, index = slip.mistake, slip.index
    line, options = lines[index], list[Line | None]()
    match mistake.code:
        case "comma-missing" if slip.mended:
            at, right = slip.mended
            yield Mend([*lines[:at], right, *lines[at + 1 :]])
        case "indent":
            yield from _moved(mistake, lines, index)
        case "no-colon":
            yield from _with_colon(mistake, lines, index)
        case "below":
            options = [_in_braces(line)]
        case "braces-left-out":
            at = line.text.index(":") + 2
            added = str(mistake.suggestion).index(line.text[at : line.text.index(",")].strip())
            options = [line.edited(f"{line.text[:at]}{mistake.suggestion}", (at, added))]
        case "bracket-open":
            options = [_closed(line), _quoted(line)]
        case _:
            options = [_quoted(line)]
    yield from (Mend([*lines[:index], option, *lines[index + 1 :]]) for option in options if option is not None)


def _moved(mistake: Mistake, lines: list[Line], index: int) -> Iterator[Mend]:
    """The line in each column where it may begin, alone, then with all that hangs from it."""
    line = lines[index]
    facts: dict[str, object]
    if dash := dash_forgotten(lines, index):
        code, facts = "no-dash", {"name": dash}
        told = replace(
            mistake, code=code, found=dash, suggestion=f"{' ' * line.indent}- {line.text.strip()}", facts=facts
        )
        last = next((n for n in range(index + 1, len(lines)) if _ends(lines[n], line.indent)), len(lines))
        begun = line.edited(f"{' ' * line.indent}- {line.text.lstrip()}", (line.indent, 2))
        if any(one.indent == line.indent + 2 for one in lines[index + 1 : last]):  # they stand where a dash needs them
            yield Mend([*lines[:index], begun, *lines[index + 1 :]], told)
        yield Mend([*lines[:index], begun, *(_shifted(one, 2) for one in lines[index + 1 : last]), *lines[last:]], told)
    for other in (_list_above_moved, _dash_above, _odd_one_above):
        if mend := other(mistake, lines, index):
            yield mend
    for column in meant(lines, index)[:4]:
        by = column.at - line.indent
        code = f"indent-{'below' if column.below else 'dash' if column.word == '-' else 'under'}"
        right = mistake.place.column + by
        facts = {"column": mistake.place.column, "right": right, "word": column.word, "line": column.line}
        told = replace(mistake, code=code, suggestion=" " * column.at + line.text.strip(), facts=facts)
        yield Mend([*lines[:index], _shifted(line, by), *lines[index + 1 :]], told)
        edge = max(line.indent, column.at)
        end = next(
            (n for n in range(index + 1, len(lines)) if lines[n].text.strip() and lines[n].indent <= edge), len(lines)
        )
        if any(below.text.strip() for below in lines[index + 1 : end]):
            yield Mend([*lines[:index], *(_shifted(one, by) for one in lines[index:end]), *lines[end:]], told)
    if item := _item_moved(mistake, lines, index):
        yield item


def _list_above_moved(mistake: Mistake, lines: list[Line], index: int) -> Mend | None:
    """The item above moved instead, where this one stands two columns to the right of the word before the list."""
    line = lines[index]
    n = next((n for n in range(index - 1, 0, -1) if DASHES.match(lines[n].text) and not lines[n].verbatim), 0)
    item, head = lines[n], next((one for one in reversed(lines[:n]) if one.text.strip()), None)
    opened = KEYED.match(head.text) if head else None
    if not DASHES.match(line.text) or not opened or opened["value"] or item.moved or not DASHES.match(item.text):
        return None
    by = line.indent - item.indent
    if line.indent != len(opened["head"]) + 2 or not by:
        return None
    place, found = replace(mistake.place, line=item.number, column=item.indent + 1), item.text.strip()
    facts = {"column": item.indent + 1, "right": line.indent + 1, "line": line.number}
    told = Mistake(place, "indent-dash", found=found, suggestion=" " * line.indent + found, facts=facts)
    below = [one for one in lines[n + 1 : index] if one.text.strip()]
    fits = bool(below) and below[0].indent == line.indent + 2
    moved = [item.edited(" " * line.indent + found, (0, max(by, -item.indent)))]
    moved += lines[n + 1 : index] if fits else [_shifted(one, by) for one in lines[n + 1 : index]]
    return Mend([*lines[:n], *moved, *lines[index:]], told)


def _dash_above(mistake: Mistake, lines: list[Line], index: int) -> Mend | None:
    """A dash forgotten before the word above, below which this line stands as it should."""
    n = next((n for n in range(index - 1, 0, -1) if lines[n].text.strip()), 0)
    above, head = lines[n], next((one for one in reversed(lines[:n]) if one.text.strip()), None)
    keyed, opened = KEYED.match(above.text), KEYED.match(head.text) if head else None
    if not keyed or keyed["dashes"] or not begins_item(keyed["key"]) or not opened or opened["value"]:
        return None
    if lines[index].indent != above.indent + 2:
        return None
    text = f"{' ' * above.indent}- {above.text.lstrip()}"
    place, facts = replace(mistake.place, line=above.number, column=above.indent + 1), {"name": keyed["key"]}
    told = Mistake(place, "no-dash", found=keyed["key"], suggestion=text, facts=facts)
    return Mend([*lines[:n], above.edited(text, (above.indent, 2)), *lines[n + 1 :]], told)


def _item_moved(mistake: Mistake, lines: list[Line], index: int) -> Mend | None:
    """The line with the dash above moved instead, so that its word stands right above this one."""
    line = lines[index]
    above = range(index - 1, -1, -1)
    n = next((n for n in above if DASHES.match(lines[n].text) and not lines[n].verbatim), None)
    keyed, mine = (KEYED.match(lines[n].text) if n is not None else None), KEYED.match(line.text)
    if n is None or not keyed or not mine or mine["dashes"] or not families(keyed["key"]) & families(mine["key"]):
        return None
    by = line.indent - len(keyed["head"])
    item = lines[n]
    if not by or item.indent + by < 0 or item.moved:
        return None
    place = replace(mistake.place, line=item.number, column=item.indent + 1)
    facts = {"column": item.indent + 1, "right": item.indent + by + 1, "word": mine["key"], "line": line.number}
    found = item.text.strip()
    told = Mistake(place, "indent-item", found=found, suggestion=" " * (item.indent + by) + found, facts=facts)
    return Mend([*lines[:n], _shifted(item, by), *lines[n + 1 :]], told)


def _odd_one_above(mistake: Mistake, lines: list[Line], index: int) -> Mend | None:
    """The line above moved instead, where it is the only one in its column and more stand in this one."""
    edge = lines[index].indent
    n = next((n for n in range(index - 1, 0, -1) if lines[n].text.strip()), 0)
    above, keyed = lines[n], KEYED.match(lines[index].text)
    head = next((line for line in reversed(lines[:n]) if line.text.strip()), None)
    opened = KEYED.match(head.text) if head else None
    odd = KEYED.match(above.text)
    if not keyed or not odd or odd["dashes"] or not odd["value"] or not opened or opened["value"]:
        return None
    if edge <= len(opened["head"]) or keyed["dashes"] or above.moved:
        return None
    inside = itertools.takewhile(lambda line: not line.text.strip() or line.indent >= edge, lines[index:])
    if sum(line.indent == edge and bool(line.text.strip()) for line in inside) < 2:
        return None
    facts = {"column": above.indent + 1, "right": edge + 1, "word": keyed["key"], "line": lines[index].number}
    found, right = above.text.strip(), " " * edge + above.text.strip()
    place = replace(mistake.place, line=above.number, column=above.indent + 1)
    told = Mistake(place, "indent-like", found=found, suggestion=right, facts=facts)
    return Mend([*lines[:n], _shifted(above, edge - above.indent), *lines[n + 1 :]], told)


def _ends(line: Line, edge: int) -> bool:
    """Whether a line no longer belongs to the item of a list whose dash stands in the column `edge`."""
    return bool(line.text.strip()) and (line.indent < edge or (line.indent == edge and line.text[edge] == "-"))


def _shifted(line: Line, by: int) -> Line:
    if not line.text.strip():
        return line
    return line.edited(" " * max(0, line.indent + by) + line.text.lstrip(), (0, max(by, -line.indent)))


def _with_colon(mistake: Mistake, lines: list[Line], index: int) -> Iterator[Mend]:
    """A word before lines of its own, else the rest of the line above."""
    line = lines[index]
    said, below = line.text.lstrip("- "), next((one for one in lines[index + 1 :] if one.text.strip()), None)
    above = next((one for one in reversed(lines[:index]) if one.text.strip()), None)
    keyed = KEYED.match(above.text) if above else None
    waits = keyed is not None and not keyed["value"] and not families_below(keyed["key"])
    if (word := begun_with(said)) and said != word and not waits:
        at = len(line.text) - len(said) + len(word)
        told = replace(mistake, found=word, suggestion=f"{word}: {said[len(word) :].strip()}")
        yield Mend(
            [*lines[:index], line.edited(f"{line.text[:at]}:{line.text[at:]}", (at, 1)), *lines[index + 1 :]], told
        )
    elif below is not None and below.indent > line.indent:
        yield Mend([*lines[:index], line.edited(f"{line.text}:"), *lines[index + 1 :]])
    elif above and keyed:
        further = _shifted(line, max(1, len(keyed["head"]) + 2 - line.indent))
        both = replace(mistake, facts={**mistake.facts, "lines": (above.number, line.number)})
        yield Mend([*lines[:index], further, *lines[index + 1 :]], both)


def _in_braces(line: Line) -> Line | None:
    """`when: {visits: at least 3}` of `when: visits: at least 3`; `then: [{flag: X}]` of `then: - flag: X`."""
    at = line.text.index(":") + 1
    at += len(line.text[at:]) - len(line.text[at:].lstrip())
    value = line.text[at:]
    if value.startswith("- "):
        item = value[2:]
        return None if re.search(r"[,{}\[\]#\"']", item) else line.edited(f"{line.text[:at]}[{{{item}}}]", (at, 0))
    return None if re.search(r"[,{}\[\]#\"']", value) else line.edited(f"{line.text[:at]}{{{value}}}", (at, 1))


def _value_at(text: str) -> int | None:
    """Where the value of a line begins, or what follows its dash."""
    found = KEY.match(text) or DASHES.match(text)
    return found.end() if found and text[found.end() :].strip() else None


def _quoted(line: Line) -> Line | None:
    """The whole value as one text."""
    at = _value_at(line.text)
    if at is None:
        return None
    text = line.text[at:].strip()
    for mark in "\"'":
        text = text.removeprefix(mark).removesuffix(mark) if text.startswith(mark) else text
    return line.edited("{}'{}'".format(line.text[:at], text.replace("'", "''")), (at, 1))


def _closed(line: Line) -> Line | None:
    """The brackets that are open at the end of the line closed."""
    waiting: list[str] = []
    for sign in line.text[_value_at(line.text) or 0 :]:
        if sign in "[{":
            waiting.append({"[": "]", "{": "}"}[sign])
        elif sign in "]}" and waiting:
            waiting.pop()
    return line.edited(line.text.rstrip() + "".join(reversed(waiting))) if waiting else None
