"""Who comes into a rule, who is in it and who leaves, each with what the rule asks about: for `preview`."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from rules.conditions import Rule
from rules.explain import explain
from rules.roll import roll, why_out
from sync.followup.turn import Moved

if TYPE_CHECKING:
    from sync.desk import Desk
    from sync.work import Work

SIGNS = {"enters": "+", "stays": " ", "leaves": "−"}
NARROWEST, NAME_WIDE, VALUE_WIDE, GAP, MOST = 80, 44, 24, 3, 20


@dataclass(frozen=True)
class Listing:
    """How much of each list is shown: its first few and the command that shows the rest, or all with `everybody`. `only`:
    the rule that was asked for; `on_page`: the rest is on the page that is written.
    """

    desk: Desk
    only: str | None
    everybody: bool = False
    on_page: bool = False

    def most(self, usual: int = MOST) -> int:
        return sys.maxsize if self.everybody else usual

    def of(self, lines: Sequence[str], usual: int = MOST) -> Iterator[str]:
        """The first lines, and how many there are besides."""
        yield from lines[: self.most(usual)]
        yield from self.rest(len(lines), self.only, usual)

    def rest(self, n: int, rule: str | None, usual: int = MOST) -> Iterator[str]:
        """How many of `n` are not shown, with the command for all that concerns `rule`; nothing where all are."""
        if n > self.most(usual):
            command = self.desk.command("preview", *([rule] if rule else []), "--all")
            yield self.desk.say("preview-more-page" if self.on_page else "preview-more", n=n - usual, command=command)


@dataclass(frozen=True)
class Person:
    """`values` stand below the titles; who leaves has `why` instead."""

    name: str
    values: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Moves:
    """The people whom one rule concerns, and the titles of what it asks about."""

    rule: Rule
    titles: tuple[str, ...]
    enters: Sequence[Person]
    leaves: Sequence[Person]
    stays: Sequence[Person]

    @property
    def some(self) -> bool:
        return bool(self.enters or self.leaves)

    def names(self) -> dict[str, list[str]]:
        return {verb: [one.name for one in getattr(self, verb)] for verb in ("enters", "leaves")}

    def to_json(self) -> dict[str, Any]:
        """What is known of whoever comes in or stays; why who leaves does."""
        told: dict[str, Any] = {
            verb: [
                {"person": one.name, "values": dict(zip(self.titles, one.values, strict=True))}
                for one in getattr(self, verb)
            ]
            for verb in ("enters", "stays")
        }
        return told | {"leaves": [{"person": one.name, "why": one.why} for one in self.leaves]}


def moves(work: Work, only: str | None, told: int) -> dict[str, Moves]:
    """By the id of each rule that was followed (or of the one of this name). Who stays is told of one rule only, and why
    people leave of the first `told` of each.
    """
    followed = work.decisions.rules if work.decisions else {}
    return {
        rule.id: _moves(work, rule, followed[rule.id], whole=only is not None, told=told)
        for rule in work.book.rules
        if rule.id in followed and only in {None, rule.id, rule.name}
    }


def _moves(work: Work, rule: Rule, moved: Moved, *, whole: bool, told: int) -> Moves:
    here = _inside(work, rule) if whole else []
    new, left = list(moved.entered), list(moved.left)
    stays = [person for person in here if person not in set(new)]
    names = work.known_as([*new, *left, *stays])
    world = work.world
    if world is None:
        return Moves(rule, (), *([Person(names.get(one, "?")) for one in group] for group in (new, left, stays)))
    people = world.people.filter(pl.col("person_id").is_in(sorted({*new, *stays})))
    found = roll(work.book, rule, people, world.unknown, work.desk.language)
    why = {person: _why_out(work, rule, person) for person in left[:told]}
    entering, staying = (
        [Person(names.get(one, "?"), found.values.get(one, ("?",) * len(found.titles))) for one in group]
        for group in (new, stays)
    )
    leaving = [Person(names.get(one, "?"), why=why.get(one, "")) for one in left]
    return Moves(rule, found.titles, entering, leaving, staying)


def _inside(work: Work, rule: Rule) -> list[int]:
    if not (work.verdicts and work.world and rule.active):
        return []
    return work.world.people.filter(work.verdicts.rule(rule.id).fill_null(value=False))["person_id"].to_list()


def _why_out(work: Work, rule: Rule, person: int) -> str:
    world = work.world
    row = world.people.filter(pl.col("person_id") == person) if world else pl.DataFrame()
    if world is None or row.is_empty():
        return ""
    today, language = work.desk.clock.today(), work.desk.language
    reason = explain(work.book, rule, row, today, unknown=world.unknown, language=language)
    return " · ".join(why_out(reason))


def move_lines(listing: Listing, moved: Moves) -> Iterator[str]:
    """The first of each, those who come in beside what the rule asks about, in a table as wide as the window. Who stays
    is told only where nobody moves.
    """
    most = listing.most()
    if moved.some:
        yield listing.desk.say("preview-rule", name=moved.rule.name, enters=len(moved.enters), leaves=len(moved.leaves))
    for verb in ("enters", "leaves") if moved.some else ("stays",):
        people: Sequence[Person] = getattr(moved, verb)
        if moved.titles and verb != "leaves":
            yield from _table(SIGNS[verb], moved.titles, people[:most])
        else:
            yield from (f"  {SIGNS[verb]} {' · '.join(filter(None, (one.name, one.why)))}" for one in people[:most])
        yield from listing.rest(len(people), moved.rule.id)


def _table(sign: str, titles: Sequence[str], people: Sequence[Person]) -> Iterator[str]:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not people:
        return
    width = max(NARROWEST, shutil.get_terminal_size().columns)
    left = width - min(NAME_WIDE, max(len(one.name) for one in people) + 4) - GAP
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    table.add_column("", max_width=NAME_WIDE, overflow="ellipsis", no_wrap=True)
    shown = []
    for n, title in enumerate(titles):  # the first that have room; a title may take several lines
        words = (*(word for word in title.split()), *(one.values[n] for one in people))
        wide = min(VALUE_WIDE, max(map(len, words)))
        left -= wide + GAP
        if left < 0:
            break
        shown.append(n)
        table.add_column(Text(title), vertical="top", min_width=wide, max_width=VALUE_WIDE)
    for one in people:
        table.add_row(Text(f"  {sign} {one.name}"), *(Text(one.values[n]) for n in shown))
    paper = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with paper.capture() as seen:
        paper.print(table)
    yield from (line.rstrip() for line in seen.get().splitlines())
