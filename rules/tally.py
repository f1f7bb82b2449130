"""How many people meet each condition of a rule, each by itself: what is asked when nobody is in it, or too many are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

import polars as pl

from rules.checks import ticked
from rules.compiler import answers
from rules.conditions import SHEET, AllOf, AnyOf, Book, Check, Condition, NoneOf, Rule, column_of, leaves
from rules.explain import Wording
from rules.fields import FIELDS
from rules.mistakes import fold, nearest
from rules.phrases import Phrase, number_word, typed
from rules.windows import OPTIONS
from rules.words import vocabulary

MOST_VALUES = 12
LONGEST_VALUE = 40  # characters of a cell that is a word among others, and no note
OURS = {"flags", "segments"}
"""Words of the rules themselves, which nobody need have yet to be left out."""
GROUPS = (AllOf, AnyOf, NoneOf)
PLACES = {"city", "postcode", "region"}
A_NUMBER = re.compile(r"\s*[-+]?\d[\d\s.,]*\s*")
BEGUN_WITH = {"starts", "starts_any"}
PART_OF = {"contains", "contains_any", *BEGUN_WITH}
PERSONAL = {"first_name", "last_name", "email", "phone"}
"""Nobody wants a list of these."""
IN_A_TOWN = re.compile(r"\s*\([^)]*\)|[\d,]+")
"""What people write beside a town: its postcode, the number of its county."""


@dataclass(frozen=True)
class Tally:
    """One condition: `people` meet it (None: it can't be known of anybody). `excepted`: it stands below `unless`. Of a group
    of lines, `words` are the word before them, and `parts` its lines.

    `empty`: fields of it that nobody has a value in. `missing`: words it names that nobody has, each with what was
    probably meant, and those that there are (none, where they are too many to be told). `ever`: it counts all that there
    is, which a window would not. `keeps_out`: of those whom `when` takes, how many an exception leaves out.
    """

    words: str
    people: int | None
    excepted: bool
    empty: tuple[str, ...] = ()
    missing: tuple[tuple[str, str | None, tuple[str, ...]], ...] = ()
    ever: bool = False
    parts: tuple[Tally, ...] = ()
    keeps_out: int = 0


def tally(
    book: Book, rule: Rule, people: pl.DataFrame, today: date, unknown: Collection[str], language: str, who: str = "key"
) -> list[Tally]:
    """A tally for each line of `when`, then of `unless`, and for each line of a group. `people` is a frame as
    `rules.compiler.evaluate` takes it; `who`, the column that tells people apart where they have several rows.
    """
    excepted = rule.unless.items if rule.unless else ()
    asked = [*((item, False) for item in rule.when.items), *((item, True) for item in excepted)]
    nodes = list(dict.fromkeys([rule.when, *(node for item, _ in asked for node in _every(item))]))
    names = {node: str(n) for n, node in enumerate(nodes)}
    found = answers(book, {name: node for node, name in names.items()}, people, today, unknown)
    wording = Wording(language)

    def told(item: Condition, *, out: bool, inside: bool = False) -> Tally:
        met = found[names[item]]
        count = None if met.null_count() == len(met) > 0 else people.filter(met)[who].n_unique()
        kept = people.filter(met & found[names[rule.when]])[who].n_unique() if out and not inside else 0
        if isinstance(item, GROUPS):
            parts = tuple(told(one, out=out, inside=True) for one in item.items)
            return Tally(wording.group(item), count, out and not inside, parts=parts, keeps_out=kept)
        checks = [item] if isinstance(item, Check) else []
        empty = [wording.field(check) for check in checks if not check.window and _is_empty(check, people, unknown)]
        named = [check for check in checks if not (out and check.field in OURS)]
        missing = [pair for check in named for pair in _missing(check, people, language)]
        ever = any(one.field in OPTIONS and not one.window and one.op != "never" for one in checks)
        words = wording.condition(book, item)
        empty = [] if out else empty
        return Tally(words, count, out and not inside, tuple(empty), tuple(missing), ever, keeps_out=kept)

    return [told(item, out=out) for item, out in asked]


def _every(node: Condition) -> Iterator[Condition]:
    """A condition and those in it."""
    yield node
    for item in node.items if isinstance(node, GROUPS) else ():
        yield from _every(item)


def checks_of(book: Book) -> Iterator[Check]:
    """Every line that a rule, a segment or a journey asks, exceptions too."""
    parts: list[Condition] = [part for rule in book.rules for part in (rule.when, rule.unless) if part]
    parts += [segment.condition for segment in book.segments]
    parts += [AllOf(journey.conditions) for journey in book.journeys]
    yield from (leaf for part in parts for leaf in leaves(part) if isinstance(leaf, Check))


def often_empty(rule: Rule, people: pl.DataFrame) -> list[tuple[str, int]]:
    """What `when` asks of our own texts (a town, a postcode), where fewer than half of all people have one: the field,
    and how many have it. Who has none is not found, and the list looks right all the same.
    """
    asked = {check.field: check for item in rule.when.items for check in _needed(item)}
    told = []
    for field, check in asked.items():
        known = len(people) - people[field].null_count() if field in people.columns else 0
        if check.type == "text" and field in FIELDS and check.op != "never" and 0 < known < len(people) / 2:
            told.append((field, known))
    return told


def _needed(node: Condition) -> list[Check]:
    """The lines of a condition, but for those about a place where another field about it will do as well."""
    found = [check for item in node.items for check in _needed(item)] if isinstance(node, GROUPS) else []
    either = isinstance(node, AnyOf) and len({check.field for check in found if check.field in PLACES}) > 1
    return [node] if isinstance(node, Check) else [one for one in found if not (either and one.field in PLACES)]


def _is_empty(check: Check, people: pl.DataFrame, unknown: Collection[str]) -> bool:
    column = column_of(check.field, people.columns)
    if check.op == "never" or check.field in unknown or column is None:
        return False
    values = people[column]
    return bool(values.null_count() == len(values) > 0)


def _missing(check: Check, people: pl.DataFrame, language: str) -> list[tuple[str, str | None, tuple[str, ...]]]:
    """The words of a check that nobody has, as `Tally` tells them."""
    found = missing_words(check, people, language)
    return [(word, word_meant(check, word, there, language), few(there)) for word, there in found]


def few(there: tuple[str, ...]) -> tuple[str, ...]:
    """The words that there are, where they are few and short enough to be told."""
    told = len(there) <= MOST_VALUES and all(len(word) <= LONGEST_VALUE for word in there)
    return there if told else ()


def word_meant(check: Check, word: str, there: Collection[str], language: str) -> str | None:
    """What was probably meant by a word that nobody has, among those that there are."""
    if check.field == "postcode" and any(fold(known).startswith(fold(word)) for known in there):
        return typed(language, "text", Phrase("starts", (word,)))
    if check.op in PART_OF:
        return nearest(word, [*there, *(part for known in there for part in known.split())])
    bare = IN_A_TOWN.sub("", word).strip() if check.field == "city" else word
    if parts := _parts(word, there):
        return None if both_meant(check, word, there) else f"[{', '.join(parts)}]"
    return nearest(bare or word, there)


def both_meant(check: Check, word: str, there: Collection[str]) -> list[str]:
    """The `danse` and `cirque` of `danse et cirque`, where somebody has each and may have both."""
    return _parts(word, there) if check.window or check.field == "genres" else []


def _parts(word: str, there: Collection[str]) -> list[str]:
    known = {fold(one): one for one in there}
    parts = [fold(part) for part in re.split(r"\s+(?:et|and|&|\+)\s+|\s*/\s*", word)]
    return [known[part] for part in parts] if len(parts) > 1 and known.keys() >= set(parts) else []


def missing_words(check: Check, people: pl.DataFrame, language: str) -> list[tuple[str, tuple[str, ...]]]:
    """The genres, or the words of a column, that are asked for and that nobody has, each with all that there are; none
    where nothing is known of anybody.
    """
    if check.window is not None:
        field, words = "genres", check.window.genres
    elif check.field.startswith(SHEET) and check.op == "is" and check.type in {"yesno", "number"}:
        return _missing_cell(check, people, language)
    elif check.op in {"is", "contain", "contain_any", *PART_OF} and check.type in {"text", "tags"}:
        field, words = "genres" if check.field == "genre" else check.field, tuple(str(value) for value in check.values)
    else:
        return []
    column = column_of(field, people.columns)
    if column is None or not words:
        return []
    values = people[column].explode() if isinstance(people.schema[column], pl.List) else people[column]
    there = {str(value) for value in values.drop_nulls().unique() if str(value)}
    known = {fold(value) for value in there}
    told = () if field in PERSONAL and check.op in PART_OF else tuple(sorted(there))
    return [(word, told) for word in words if not _is_met(check.op, fold(word), known)] if there else []


def _is_met(op: str, word: str, known: Collection[str]) -> bool:
    """Whether one of these texts is, contains or begins with a word."""
    if op in BEGUN_WITH:
        return any(text.startswith(word) for text in known)
    return any(word in text for text in known) if op in PART_OF else word in known


def _missing_cell(check: Check, people: pl.DataFrame, language: str) -> list[tuple[str, tuple[str, ...]]]:
    """A yes where no cell of the team's column says yes or no, a number where none is one."""
    column = column_of(check.field, people.columns)
    there = tuple(sorted(set(people[column].drop_nulls().to_list()) - {""})) if column else ()
    known = {fold(one) for one in there}
    if check.type == "yesno":
        word = vocabulary(language).key("yesno", str(check.values[0]))
        said = known & {one for wanted in (True, False) for one in ticked(wanted)}
    else:
        word = ", ".join(number_word(language, cast("Decimal", value)) for value in check.values)
        said = {one for one in known if A_NUMBER.fullmatch(one)}
    return [(word, there)] if there and not said else []
