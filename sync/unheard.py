"""Words of rules that nobody in the store has: a genre, a town, a membership spelled in another way."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rules.conditions import AllOf, Book, Check, Condition, leaves
from rules.mistakes import Mistake, fold, nearest
from rules.phrases import Phrase, typed
from rules.tally import MOST_VALUES, missing_words
from sync.desk import Desk
from sync.people.profile import people_frame

ASKED = frozenset(
    {"genre", "genres", "membership", "answered", "city", "postcode", "region", "country", "organisation"}
)
"""Fields whose words come from a source, or from a list of places; names, flags and the like are anybody's."""


def unheard(desk: Desk, book: Book) -> list[Mistake]:
    """Each such word at its place, with the nearest that somebody has. Before the first run nothing is known.

    Raises `Trouble` for a store that can't be read.
    """
    asked = [check for check in _checks(book) if check.window or check.field in ASKED]
    if not asked or not desk.has_store:
        return []
    people = people_frame(desk.store)
    told = [mistake for check in asked for mistake in _told(check, people, desk.config.language)]
    return list({(mistake.place, mistake.found): mistake for mistake in told}.values())


def _checks(book: Book) -> Iterator[Check]:
    parts: list[Condition] = [part for rule in book.rules for part in (rule.when, rule.unless) if part]
    parts += [segment.condition for segment in book.segments]
    parts += [AllOf(journey.conditions) for journey in book.journeys]
    yield from (leaf for part in parts for leaf in leaves(part) if isinstance(leaf, Check))


def _told(check: Check, people: pl.DataFrame, language: str) -> Iterator[Mistake]:
    for word, there in missing_words(check, people):
        begun = any(fold(known).startswith(fold(word)) for known in there)
        if check.field == "postcode" and begun:
            meant: str | None = typed(language, "text", Phrase("starts", (word,)))
        else:
            meant = nearest(word, there)
        listed = ", ".join(f"`{known}`" for known in there) if len(there) <= MOST_VALUES else ""
        code = "nobody-has-near" if meant else "nobody-has" if listed else "nobody-has-many"
        yield Mistake(check.place, code, found=word, expected=listed, suggestion=meant)
