"""What the files gave, as one book: doubles and circles told, earlier versions kept where the new ones are wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from rules.canonical import digest, journey_digest
from rules.conditions import AllOf, Book, InSegment, Rule, Segment, fields_of, leaves, uses
from rules.journeys import READS, Journey
from rules.mistakes import Mistake

Named = TypeVar("Named", Rule, Segment, Journey)
Acting = Rule | Journey


@dataclass
class Part:
    """What one file gave. `broken` are the objects (by `id()`) with a mistake in them; a file that is not `sound` YAML
    may have lost lines, so nothing in it is trusted.
    """

    name: str
    sound: bool
    rules: list[Rule] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    mistakes: list[Mistake] = field(default_factory=list)
    advice: list[Mistake] = field(default_factory=list)

    def add(self, one: Rule | Segment | Journey) -> None:
        match one:
            case Rule():
                self.rules.append(one)
            case Segment():
                self.segments.append(one)
            case _:
                self.journeys.append(one)


def assemble(parts: list[Part], previous: Book) -> tuple[Book, frozenset[str], list[Mistake]]:
    """The book, the ids of rules that stand in it as they were before, and mistakes seen only across files."""
    every_rule = [rule for part in parts for rule in part.rules]
    every_segment = [segment for part in parts for segment in part.segments]
    every_journey = [journey for part in parts for journey in part.journeys]
    doubled: list[tuple[Acting | Segment, Acting | Segment]] = [
        *_doubled([*every_rule, *every_journey]),
        *_doubled(every_segment),
    ]
    circles = list(_circles(every_segment))
    bad = {id(item) for item, _ in doubled} | {identity for part in parts for identity in part.broken}
    bad |= {id(segment) for _, ring in circles for segment in every_segment if segment.id in ring}
    told = [_told(item, first) for item, first in doubled] + [mistake for mistake, _ in circles]
    segments = _sealed(_chosen([(part, part.segments) for part in parts], previous.segments, bad))
    known = {segment.id: segment for segment in segments}
    chosen = _chosen([(part, part.rules) for part in parts], previous.rules, bad)
    rules = tuple(_seal_rule(rule, known) for rule in chosen if uses(rule.condition) <= known.keys())
    walked = _chosen([(part, part.journeys) for part in parts], previous.journeys, bad)
    journeys = tuple(_seal_journey(one, known) for one in walked if uses(AllOf(one.conditions)) <= known.keys())
    sound = [part for part in parts if part.sound]
    fresh = {one.place for part in sound for one in part.rules if id(one) not in bad}
    fresh |= {one.place for part in sound for one in part.journeys if id(one) not in bad}
    book = Book(rules, segments, journeys)
    return book, frozenset(one.id for one in book.acting if one.place not in fresh), told


def _chosen(parts: list[tuple[Part, list[Named]]], earlier: tuple[Named, ...], bad: set[int]) -> list[Named]:
    """Each right one as read; in the place of each wrong one, and of each unsound file, what stood there before."""
    right = {item.id for part, items in parts if part.sound for item in items if id(item) not in bad}
    before = {item.id: item for item in earlier}
    found: dict[str, Named] = {}
    for part, items in parts:
        for item in items:
            if part.sound and id(item) not in bad:
                found[item.id] = item
            elif item.id in before and item.id not in right:
                found.setdefault(item.id, before[item.id])
        if not part.sound:
            for item in earlier:
                if item.place.file == part.name and item.id not in right:
                    found.setdefault(item.id, item)
    return list(found.values())


def _doubled(items: Iterable[Acting | Segment]) -> Iterator[tuple[Acting | Segment, Acting | Segment]]:
    """Two with one id: the second, and the first."""
    first: dict[str, Acting | Segment] = {}
    for item in items:
        if item.id and (known := first.setdefault(item.id, item)) is not item:
            yield item, known


def _told(item: Acting | Segment, first: Acting | Segment) -> Mistake:
    code = "duplicate-rule" if isinstance(item, Rule) else "duplicate-segment"
    code = "duplicate-journey" if isinstance(item, Journey) or isinstance(first, Journey) else code
    return Mistake(item.place, code, found=item.name, facts={"first": first.place.file, "line": first.place.line})


def _circles(segments: list[Segment]) -> Iterator[tuple[Mistake, frozenset[str]]]:
    """Segments that use each other in a circle, each circle once: the mistake that names it, and its ids."""
    known = {segment.id: segment for segment in reversed(segments)}
    next_of = {name: [leaf for leaf in leaves(s.condition) if isinstance(leaf, InSegment)] for name, s in known.items()}
    done: set[str] = set()
    for start in reversed(known):
        path, waiting = [start], [iter(next_of[start])] if start not in done else []
        while waiting:
            leaf = next(waiting[-1], None)
            if leaf is None:
                waiting.pop()
                done.add(path.pop())
            elif leaf.segment in path:
                ring = path[path.index(leaf.segment) :]
                names = " → ".join(known[name].name for name in [*ring, leaf.segment])
                code = "circle" if len(ring) > 1 else "circle-itself"
                yield (
                    Mistake(leaf.place, code, found=known[leaf.segment].name, facts={"circle": names}),
                    frozenset(ring),
                )
            elif leaf.segment in known and leaf.segment not in done:
                path.append(leaf.segment)
                waiting.append(iter(next_of[leaf.segment]))


def _sealed(segments: list[Segment]) -> tuple[Segment, ...]:
    """The segments whose own segments are all there, with what they need and mean, in their order."""
    known: dict[str, Segment] = {}
    for layer in Book(segments=tuple(segments)).layers:
        for segment in layer:
            needs, meaning = fields_of(segment.condition, known), digest(segment.condition, (), known)
            known[segment.id] = replace(segment, needs=needs, digest=meaning)
    return tuple(known[segment.id] for segment in segments if segment.id in known)


def _seal_rule(rule: Rule, segments: dict[str, Segment]) -> Rule:
    return replace(
        rule,
        needs=fields_of(rule.condition, segments),
        digest=digest(rule.condition, rule.actions, segments),
    )


def _seal_journey(journey: Journey, segments: dict[str, Segment]) -> Journey:
    needs = fields_of(AllOf(journey.conditions), segments) | {READS[journey.around.kind]}
    return replace(journey, needs=needs, digest=journey_digest(journey, segments))
