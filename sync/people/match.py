"""Which sightings are the same person. Pure, and the same whatever the order in which they came.

Four steps, each over groups that share a key; none looks at what an earlier run decided:
1. what a service itself calls the same: record id, customer id;
2. the same e-mail and compatible names. Two names that can't be one person's share the address: a couple, a school.
   Who has no name there is taken for the main one: whose name the address carries, else who was seen there first;
3. the same phone number and the same whole name;
4. the same whole name and postal code, where at most one of them is known by an e-mail.
What somebody said about two people goes over all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.people.normalise import fold, is_whole

LATE = 2**62


class Sight(NamedTuple):
    """A sighting, by what tells who it is. `seen` in microseconds; empty sightings have nothing but their id."""

    no: int
    source: str
    id: str
    customer: str | None = None
    email_key: str | None = None
    name_key: str | None = None
    phone_key: str | None = None
    place_key: str | None = None
    seen: int | None = None


class Groups:
    """Union-find over positions; the root of a group is its smallest position, so order of joining leaves no trace."""

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def root(self, one: int) -> int:
        parent = self.parent
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        first, second = self.root(one), self.root(other)
        if first != second:
            self.parent[max(first, second)] = min(first, second)

    def join_all(self, members: Sequence[int]) -> None:
        for member in members[1:]:
            self.join(members[0], member)


@dataclass(frozen=True)
class Said:
    """What somebody said about who is who. `same`: pairs of sightings (`no`) that are one person. `sides`: sightings on
    different sides are different people; of what is on no side, each goes with the side that it resembles.
    """

    same: Collection[tuple[int, int]] = ()
    sides: Mapping[int, int] = field(default_factory=dict)


NOTHING_SAID = Said()


def clusters(sights: Sequence[Sight], said: Said = NOTHING_SAID) -> list[list[int]]:
    """Groups of sightings (their `no`, ascending) that are one person each, ordered by their first."""
    ordered = sorted(sights, key=lambda one: one.no)
    groups = Groups(len(ordered))
    _same_service(ordered, groups)
    _same_email(ordered, groups)
    for bucket in _buckets(ordered, lambda one: one.phone_key):
        groups.join_all(bucket)
    _same_place(ordered, groups)
    place = {one.no: position for position, one in enumerate(ordered)}
    for pair in said.same:
        if place.keys() >= set(pair):
            groups.join(*(place[number] for number in pair))
    found: dict[int, list[Sight]] = defaultdict(list)
    for position, one in enumerate(ordered):
        found[groups.root(position)].append(one)
    return sorted(part for group in found.values() for part in _parted(group, said.sides))


def _parted(group: Sequence[Sight], sides: Mapping[int, int]) -> list[list[int]]:
    """A group, or its parts where somebody said that it is several people."""
    if len({sides[one.no] for one in group if one.no in sides}) < 2:
        return [[one.no for one in group]]
    alike: dict[tuple[str, object], set[int]] = defaultdict(set)
    for one in group:
        if one.no in sides:
            for trait in _traits(one):
                alike[trait].add(sides[one.no])
    usual = min(sides[one.no] for one in group if one.no in sides)
    parts: dict[int, list[int]] = defaultdict(list)
    for one in group:
        fits = (alike[trait] for trait in _traits(one))
        own = next((next(iter(fit)) for fit in fits if len(fit) == 1), usual)
        parts[sides.get(one.no, own)].append(one.no)
    return list(parts.values())


def _traits(one: Sight) -> list[tuple[str, object]]:
    """What makes a sighting resemble another, the surest first."""
    known = (("id", (one.source, one.id)), ("customer", one.customer and (one.source, one.customer)))
    more = (("name", one.name_key), ("email", one.email_key), ("phone", one.phone_key))
    return [(kind, value) for kind, value in (*known, *more) if value is not None]


def _buckets(sights: Sequence[Sight], key: Callable[[Sight], object]) -> Iterable[list[int]]:
    found: dict[object, list[int]] = defaultdict(list)
    for position, one in enumerate(sights):
        value = key(one)
        if value is not None:
            found[value].append(position)
    return [bucket for bucket in found.values() if len(bucket) > 1]


def _same_service(sights: Sequence[Sight], groups: Groups) -> None:
    for bucket in _buckets(sights, lambda one: (one.source, one.id)):
        groups.join_all(bucket)
    for bucket in _buckets(sights, lambda one: one.customer and (one.source, one.customer)):
        groups.join_all(bucket)


class _Holder(NamedTuple):
    """Who uses an address: a group of step 1, and the names it goes by. The main one has the lowest rank."""

    rank: tuple[int, int, str]
    root: int
    names: tuple[str, ...]


def _same_email(sights: Sequence[Sight], groups: Groups) -> None:
    names: dict[int, set[str]] = defaultdict(set)
    for position, one in enumerate(sights):
        if one.name_key:
            names[groups.root(position)].add(one.name_key)
    joins: list[tuple[int, int]] = []
    for bucket in _buckets(sights, lambda one: one.email_key):
        since: dict[int, tuple[int, str]] = {}
        for position in bucket:
            one = sights[position]
            place = (LATE if one.seen is None else one.seen, f"{one.source} {one.id}")
            root = groups.root(position)
            since[root] = min(since.get(root, place), place)
        local = fold((sights[bucket[0]].email_key or "").partition("@")[0])
        joins += _sharing(sorted(_holder(root, names.get(root, set()), place, local) for root, place in since.items()))
    # Joined only now: what one address says must not depend on which address was looked at first.
    for one_root, other in joins:
        groups.join(one_root, other)


def _holder(root: int, names: set[str], place: tuple[int, str], local: str) -> _Holder:
    hits = max((sum(len(word) > 2 and word in local for word in name.split(" ")) for name in names), default=0)
    return _Holder((-hits, *place), root, tuple(sorted(names)))


def _sharing(holders: Sequence[_Holder]) -> list[tuple[int, int]]:
    """Which holders of one address are the same person, as pairs."""
    if len(holders) < 2:
        return []
    whole: dict[str, int] = {}
    joins: list[tuple[int, int]] = []
    for holder in holders:
        for name in (name for name in holder.names if is_whole(name)):
            full = " ".join(word for word in name.split(" ") if len(word) > 1)
            joins.append((whole.setdefault(full, holder.root), holder.root))
    partial = [one for one in holders if one.names and not any(is_whole(name) for name in one.names)]
    # The fullest first, so that what each finds does not depend on the order they stand in.
    partial.sort(key=lambda one: (-max(map(len, one.names)), one.names, one.rank))
    known: list[tuple[str, int]] = list(whole.items())
    for holder in partial:
        fits = [root for full, root in known if any(compatible(name, full) for name in holder.names)]
        if fits:
            joins.append((fits[0], holder.root))
        else:
            known += [(name, holder.root) for name in holder.names]
    nameless = [one for one in holders if not one.names]
    main = next((one for one in holders if one.names), holders[0])
    return joins + [(main.root, one.root) for one in nameless]


def compatible(part: str, whole: str) -> bool:
    """Every word of a partial name has its own word in the other, an initial the one it begins."""
    left = whole.split(" ")
    for word in sorted(part.split(" "), key=len, reverse=True):
        fit = next((one for one in left if one == word or (1 in (len(word), len(one)) and one[0] == word[0])), None)
        if fit is None:
            return False
        left.remove(fit)
    return True


def _same_place(sights: Sequence[Sight], groups: Groups) -> None:
    has_email = {groups.root(position) for position, one in enumerate(sights) if one.email_key}
    neighbours: list[tuple[int, list[int]]] = []
    for bucket in _buckets(sights, lambda one: one.place_key):
        roots = sorted({groups.root(position) for position in bucket})
        unknown = [root for root in roots if root not in has_email]
        if unknown:
            neighbours.append((unknown[0], [root for root in roots if root in has_email]))
            groups.join_all(unknown)
    wanted: dict[int, set[int]] = defaultdict(set)
    for unknown_root, known in neighbours:
        wanted[groups.root(unknown_root)].update(known)
    for unknown_root, known_roots in wanted.items():
        if len(known_roots) == 1:
            groups.join(unknown_root, known_roots.pop())
