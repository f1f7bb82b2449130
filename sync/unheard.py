"""What rules ask that nobody has: a genre, a town, a membership spelled in another way, a word that no cell of a column
says, a number that nobody comes near.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from rules.conditions import SHEET, Book, Check, leaves
from rules.mistakes import Mistake, Place
from rules.tally import PART_OF, both_meant, checks_of, few, missing_words, often_empty, word_meant
from rules.words import vocabulary
from sync.desk import Desk
from sync.outofreach import out_of_reach
from sync.people.profile import people_frame
from sync.sheet.look import thawed
from sync.sheet.state import load_tab
from sync.unfed import deciding_nothing, unfed_fields

ASKED = frozenset(
    {"genre", "genres", "membership", "answered", "city", "postcode", "region", "country", "organisation"}
)
"""Fields whose words come from a source, or from a list of places; names, flags and the like are anybody's."""


def unheard(desk: Desk, book: Book) -> list[Mistake]:
    """Each such word at its place, with the nearest that somebody has. Before the first run nothing is known.

    Raises `Trouble` for a store that can't be read.
    """
    checks = list(checks_of(book))
    if not checks or not desk.has_store:
        return []
    people, language_at, today = people_frame(desk.store), desk.language_at, desk.clock.today()
    state = load_tab(desk.store, desk.config.tab.tab)
    team = thawed(state) if state else pl.DataFrame()
    unfed = unfed_fields(desk)
    told = list(deciding_nothing(checks, book, people, unfed, language_at))
    fed = [check for check in checks if check.field not in unfed]
    worded = [check for check in fed if check.window or check.field in ASKED or check.op in PART_OF]
    told += [mistake for check in worded for mistake in _told(check, people, language_at(check.place))]
    cells = [check for check in fed if check.field.startswith(SHEET)]
    told += [mistake for check in cells for mistake in _told(check, team, language_at(check.place))]
    told += [mistake for check in fed for mistake in out_of_reach(check, people, today, language_at(check.place))]
    told += _hardly_known(book, people, language_at)
    return list({(mistake.place, mistake.found): mistake for mistake in told}.values())


def _hardly_known(book: Book, people: pl.DataFrame, language_at: Callable[[Place], str]) -> Iterator[Mistake]:
    """A town that is asked for, where fewer than half of all people have one, and perhaps more a postcode."""
    for rule in book.rules:
        words = vocabulary(language_at(rule.place))
        places = {leaf.field: leaf.place for leaf in leaves(rule.when) if isinstance(leaf, Check)}
        for field, n in often_empty(rule, people):
            coded = people["postcode"].count() if field == "city" else 0
            code = "often-empty-postcode" if coded > n else "often-empty"
            facts = {"n": n, "all": len(people), "coded": coded, "postcode": words.shown("fields", "postcode")}
            yield Mistake(places[field], code, found=words.shown("fields", field), facts=facts)


def _told(check: Check, people: pl.DataFrame, language: str) -> Iterator[Mistake]:
    for word, there in missing_words(check, people, language):
        if parts := both_meant(check, word, there):
            yield _both(check, word, parts, language)
            continue
        meant = word_meant(check, word, there, language)
        listed = ", ".join(f"`{known}`" for known in few(there))
        code = "nobody-has-near" if meant else "nobody-has" if listed else "nobody-has-many"
        yield Mistake(check.place, code, found=word, expected=listed, suggestion=meant)


def _both(check: Check, word: str, parts: list[str], language: str) -> Mistake:
    """One genre or the other, or each of them: nobody else can know which is meant."""
    words = vocabulary(language)
    field, genre = words.key("fields", check.field), words.key("window", "genre")
    lines = [f"`- {field}: {{…, {genre}: {one}}}`" if check.window else f"`- {field}: {one}`" for one in parts]
    facts = {"either": f"[{', '.join(parts)}]", "lines": ", ".join(lines), "all_of": words.key("logic", "all_of")}
    return Mistake(check.place, "nobody-has-both", found=word, facts=facts)
