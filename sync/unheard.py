"""What rules ask that nobody in the store has: a genre, a town, a membership spelled in another way, a number that
nobody comes near.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rules.conditions import AllOf, Book, Check, Condition, leaves
from rules.fields import FIELDS
from rules.mistakes import Mistake
from rules.tally import MOST_VALUES, missing_words, word_meant
from rules.words import vocabulary
from sync.desk import Desk
from sync.outofreach import out_of_reach
from sync.people.profile import people_frame

ASKED = frozenset(
    {"genre", "genres", "membership", "answered", "city", "postcode", "region", "country", "organisation"}
)
"""Fields whose words come from a source, or from a list of places; names, flags and the like are anybody's."""

GIVEN = {"person", "membership", "engagement", "answer"}
"""Kinds of record that only some services give."""


def unheard(desk: Desk, book: Book) -> list[Mistake]:
    """Each such word at its place, with the nearest that somebody has. Before the first run nothing is known.

    Raises `Trouble` for a store that can't be read.
    """
    checks = list(_checks(book))
    if not checks or not desk.has_store:
        return []
    people, language, today = people_frame(desk.store), desk.config.language, desk.clock.today()
    worded = [check for check in checks if check.window or check.field in ASKED]
    told = [mistake for check in worded for mistake in _told(check, people, language)]
    told += [mistake for check in checks for mistake in out_of_reach(check, people, today, language)]
    told += [mistake for check in checks for mistake in _unfed(check, people, language)]
    return list({(mistake.place, mistake.found): mistake for mistake in told}.values())


def _checks(book: Book) -> Iterator[Check]:
    parts: list[Condition] = [part for rule in book.rules for part in (rule.when, rule.unless) if part]
    parts += [segment.condition for segment in book.segments]
    parts += [AllOf(journey.conditions) for journey in book.journeys]
    yield from (leaf for part in parts for leaf in leaves(part) if isinstance(leaf, Check))


def _told(check: Check, people: pl.DataFrame, language: str) -> Iterator[Mistake]:
    for word, there in missing_words(check, people):
        meant = word_meant(check, word, there, language)
        listed = ", ".join(f"`{known}`" for known in there) if len(there) <= MOST_VALUES else ""
        code = "nobody-has-near" if meant else "nobody-has" if listed else "nobody-has-many"
        yield Mistake(check.place, code, found=word, expected=listed, suggestion=meant)


def _unfed(check: Check, people: pl.DataFrame, language: str) -> Iterator[Mistake]:
    """A field that nobody has anything in, as no source gives it: what asks for it decides nothing."""
    field = FIELDS.get(check.field)
    if field is None or check.op == "never" or check.field not in people.columns or not field.source & GIVEN:
        return
    if people[check.field].null_count() == len(people) > 0:
        yield Mistake(check.place, "nobody-has-field", found=vocabulary(language).shown("fields", check.field))
