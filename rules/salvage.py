"""What can still be read in a file that YAML does not accept, so that one slip hides no other mistake.

The file is taken apart by its own layout: what begins at its left edge, then the items of a list or the lines of a
block below. In each piece every error is told, and its line is mended in the copy where it shows what was meant; a mend
counts only if what follows can be read as far as without the line. Else the line goes, with those that hang from it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import yaml
from yaml.events import Event, MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent

from rules.indents import KEYED
from rules.lines import Line
from rules.mistakes import Mistake
from rules.yamlerrors import Slip, classify
from rules.yamlmends import MOVING, Mend, mends

DEEPEST = 24
EFFORT = 1_200_000  # characters to read at most, again and again: three seconds
EACH_TIME = 60  # what beginning to read costs, in characters
OPENING = re.compile(r" *(?:- +)*(?:[^\s\"'#{\[\-][^:#]*: +)?(?P<mark>[\"'])(?P<rest>.*)$")
CLOSERS = ("]", "}", ",")


@dataclass
class Salvage:
    """`lines` can be read, unless `given_up`. `lost`: the numbers of lines that were taken out. Of the lines `told` no more
    is said, nor of how lines line up beside those of `tabs`, which began with one: nobody can tell how wide it was meant.
    """

    file: str
    lines: list[Line]
    told: frozenset[int] = frozenset()
    tabs: frozenset[int] = frozenset()
    mistakes: list[Mistake] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    given_up: bool = False
    _left: int = EFFORT
    _unaligned: set[int] = field(default_factory=set)
    _said: set[int] = field(default_factory=set)
    _tried: set[int] = field(default_factory=set)

    def work(self) -> Salvage:
        """Mend or take out all that can't be read."""
        try:
            mended: list[Line] = []
            for piece in pieces(self.lines):
                numbers = {line.number for line in piece}
                self._unaligned |= numbers if numbers & self.tabs else set()
                mended += self._sound(self._quotes_closed(piece)) if self._error(piece) else piece
            self.lines = self._sound(mended)
        except _TooMuch:
            self.given_up = True
        return self

    def _sound(self, lines: list[Line]) -> list[Line]:
        while (error := self._error(lines)) is not None:
            slip = classify(error, lines, self.file)
            lines = self._further(lines, slip)
        return lines

    def _further(self, lines: list[Line], slip: Slip) -> list[Line]:
        """The lines with the slip mended, if what follows can be read as far as without it; else without it."""
        end = _end(lines, slip.index)
        if end is None:
            self._tell(slip.mistake)
            raise _TooMuch
        without = [*lines[: slip.index], *(replace(line, text="") for line in lines[slip.index : end]), *lines[end:]]
        tried = [(self._reach(mend.lines), mend) for mend in self._mends(lines, slip)]
        reached, best = max(tried, key=lambda one: one[0], default=(0, None))
        alone = slip.mistake.code not in MOVING and not any(line.text.strip() for line in lines[slip.index + 1 : end])
        if best and reached > slip.index and (alone or reached < end or reached >= self._reach(without)):
            self._tell(best.mistake or slip.mistake)
            return best.lines
        self._tell(slip.mistake)
        self.lost |= {line.number for line in lines[slip.index : end] if line.text.strip()}
        return without

    def _mends(self, lines: list[Line], slip: Slip) -> Iterator[Mend]:
        """None for a line that was mended before, nor for columns of which nobody can tell."""
        number = lines[slip.index].number
        if number not in self._tried and not (slip.mistake.code == "indent" and number in self._unaligned):
            self._tried.add(number)
            yield from mends(slip, lines)

    def _reach(self, lines: list[Line]) -> int:
        """The line at which reading ends, beyond the last one if nothing stops it."""
        error = self._error(lines)
        return len(lines) if error is None else classify(error, lines, self.file).index

    def _quotes_closed(self, lines: list[Line]) -> list[Line]:
        """Quotation marks that are never closed, before they swallow lines up to the next mark."""
        found = list(lines)
        for index, line in enumerate(lines):
            opening = None if line.verbatim else OPENING.match(line.text)
            if opening is None or _closed(opening["mark"], opening["rest"]):
                continue
            keyed = KEYED.match(line.text)
            edge = len(keyed["head"]) if keyed else line.indent
            below = next((other for other in lines[index + 1 :] if other.text.strip()), None)
            if below is None or below.indent <= edge:
                at = opening.start("mark")
                self._tell(Mistake(line.place(self.file, at), "quote-open", found=line.text.strip()))
                text = opening["rest"].replace("\\", "\\\\") if opening["mark"] == '"' else opening["rest"]
                found[index] = line.edited(f"{line.text[:at]}{opening['mark']}{text.rstrip()}{opening['mark']}")
        return found

    def _tell(self, mistake: Mistake) -> None:
        line = mistake.place.line
        known = line in self._said or (line in self.told and mistake.code != "comma-missing")
        if not known and not (mistake.code == "indent" and line in self._unaligned):
            self._said.add(line)
            self.mistakes.append(mistake)

    def _error(self, lines: list[Line]) -> yaml.YAMLError | None:
        self._left -= EACH_TIME + sum(len(line.text) + 1 for line in lines)
        if self._left < 0:
            raise _TooMuch
        return error_in(lines)


class _TooMuch(Exception):  # noqa: N818  the effort is spent; nobody else sees it
    pass


def error_in(lines: list[Line]) -> yaml.YAMLError | None:
    """Why these lines can't be read. What is nested too deep counts as sound: it is refused when the tree is built."""
    depth = 0
    try:
        for event in events(lines):
            depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
            depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
            if depth > DEEPEST:
                return None
    except yaml.YAMLError as error:
        return error
    return None


def events(lines: Iterable[Line]) -> Iterator[Event]:
    return iter(yaml.parse("\n".join(line.text for line in lines) + "\n", Loader=yaml.SafeLoader))


def pieces(lines: list[Line]) -> Iterator[list[Line]]:
    """The lines by what stands at the left edge and, where that is a word with lines below it, by those one step in."""
    first = next((line.indent for line in lines if line.text.strip()), 0)
    for part in _split(lines, first, dashed=False):
        heads = [n for n, line in enumerate(part) if line.text.strip()]
        head = KEYED.match(part[heads[0]].text) if heads else None
        if head is None or head["value"] or len(heads) < 2 or part[heads[1]].indent <= part[heads[0]].indent:
            yield part
        else:
            yield part[: heads[1]]
            items = part[heads[1]]
            yield from _split(part[heads[1] :], items.indent, dashed=items.text.lstrip().startswith("- "))


def _split(lines: list[Line], edge: int, *, dashed: bool) -> Iterator[list[Line]]:
    begun = [n for n, line in enumerate(lines) if _begins(line, edge, dashed=dashed)]
    bounds = sorted({0, *begun, len(lines)})
    yield from (lines[start:end] for start, end in itertools.pairwise(bounds))


def _begins(line: Line, edge: int, *, dashed: bool) -> bool:
    text = line.text.lstrip()
    at_edge = line.indent < edge or (line.indent == edge and (not dashed or text.startswith("-")))
    return bool(text) and at_edge and not line.verbatim and not text.startswith(CLOSERS)


def _end(lines: list[Line], index: int) -> int | None:
    """The end of a line with those below that hang from it. None where no line is left."""
    if not 0 <= index < len(lines) or not lines[index].text.strip():
        return None
    below = range(index + 1, len(lines))
    return next((n for n in below if lines[n].text.strip() and lines[n].indent <= lines[index].indent), len(lines))


def _closed(mark: str, rest: str) -> bool:
    return mark in (rest.replace("''", "") if mark == "'" else re.sub(r"\\.", "", rest))
