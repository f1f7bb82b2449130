"""Flags that are asked for and that no rule sets: `unless: {flags: Curious}` keeps nobody out, and nothing shows it."""

from __future__ import annotations

from collections.abc import Iterator

from rules.conditions import Book, Flag
from rules.mistakes import Mistake, fold, nearest
from rules.tally import checks_of

FEW = 8


def unset_flags(book: Book) -> Iterator[Mistake]:
    """Each such word at its place, with the nearest that a rule sets, or with all if they are few."""
    actions = [action for rule in book.rules for action in rule.actions]
    actions += [step.action for journey in book.journeys for step in journey.steps]
    known = {fold(one.name): one.name for one in actions if isinstance(one, Flag)}
    listed = ", ".join(f"`{name}`" for name in sorted(known.values())) if len(known) <= FEW else ""
    for check in checks_of(book):
        asked = check.values if check.field == "flags" and check.window is None else ()
        for word in (str(value) for value in asked if fold(str(value)) not in known):
            meant = nearest(word, known.values())
            code = "flag-unset-near" if meant else "flag-unset" if listed else "flag-unset-many"
            yield Mistake(check.place, code, found=word, expected=listed, suggestion=meant)
