"""One line in a wrong column, told as that, and not as all that comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from rules.encoding import read_text, split_lines
from rules.heads import families
from rules.indents import KEYED, Column, meant
from rules.lines import Line, mend
from rules.mistakes import Mistake, Place

COMES_OF_IT = ("indent", "misplaced", "missing-", "no-value", "no-dash", "duplicate-block", "example-incomplete")
"""Beginnings of the codes that a line in a wrong column brings about."""
MOST_BYTES, MOST_MISTAKES, MOST_TOLD, MOST_COLUMNS = 20_000, 12, 3, 2
"""Further than that nobody waits for the trying."""
TOP = Column(0, "", 0, below=False, families=frozenset({0}))


def told_as_one(data: bytes, file: str, told: list[Mistake], again: Callable[[bytes], list[Mistake]]) -> list[Mistake]:
    """What to tell of a file: where one line in another column mends several mistakes and makes none, that line in their
    place; and in the place of one whose own cure would bring about another. `again`: what there is to tell of other bytes.
    """
    suspects = [one for one in told if one.code.startswith(COMES_OF_IT)]
    text, _ = (
        read_text(data, file) if suspects and len(data) <= MOST_BYTES and len(told) <= MOST_MISTAKES else (None, [])
    )
    if text is None or "\t" in text:
        return told
    raw, lines, best, known = split_lines(text), mend(text, file)[0], told, Counter(map(_alike, told))

    def with_line(index: int, right: str) -> list[Mistake]:
        return again("\n".join([*raw[:index], right, *raw[index + 1 :]]).encode())

    if len(told) == 1 and (not told[0].suggestion or not with_line(told[0].place.line - 1, told[0].suggestion)):
        return told
    for index in _suspected(lines, suspects):
        for column in _columns(lines, index):
            after = with_line(index, " " * column.at + raw[index].strip())
            fewer = len(after) + 1 < len(best) or (len(told) == 1 and best is told and not after)
            if fewer and not Counter(map(_alike, after)) - known:
                moved = column.at - len(raw[index]) + len(raw[index].lstrip())
                best = [_told(lines[index], file, column), *(_back(one, index + 1, moved) for one in after)]
            if len(best) == 1 and best is not told:
                return best
    return best


def _back(one: Mistake, line: int, moved: int) -> Mistake:
    """Where it stands in the file, of a mistake in the line that was moved."""
    place = one.place
    return replace(one, place=replace(place, column=max(1, place.column - moved))) if place.line == line else one


def _alike(one: Mistake) -> tuple[int, str, str]:
    return one.place.line, one.code, one.found


def _suspected(lines: list[Line], told: list[Mistake]) -> list[int]:
    """The lines told of, each after the one above it, and what may stand at the left edge only."""
    found = [line.number - 1 for line in lines if line.indent and _at_top(line)]
    for one in told[:MOST_TOLD]:
        here = one.place.line - 1
        above = next((n for n in range(here - 1, -1, -1) if lines[n].text.strip()), here)
        found += [above, here]
    return list(dict.fromkeys(index for index in found if index < len(lines) and lines[index].text.strip()))


def _at_top(line: Line) -> bool:
    keyed = KEYED.match(line.text)
    return bool(keyed and not keyed["value"] and not keyed["dashes"] and families(keyed["key"]) == {0})


def _columns(lines: list[Line], index: int) -> Iterator[Column]:
    if _at_top(lines[index]) and lines[index].indent:
        yield TOP
    else:
        yield from meant(lines, index)[:MOST_COLUMNS]


def _told(line: Line, file: str, column: Column) -> Mistake:
    place, text = Place(file, line.number, line.indent + 1), line.text.strip()
    right = " " * column.at + text
    if column is TOP:
        return Mistake(place, "misplaced-top", found=text.rstrip(": "), suggestion=right)
    code = f"indent-{'below' if column.below else 'dash' if column.word == '-' else 'under'}"
    facts = {"column": place.column, "right": column.at + 1, "word": column.word, "line": column.line}
    return Mistake(place, code, found=text, suggestion=right, facts=facts)
