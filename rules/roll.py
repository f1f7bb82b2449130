"""The people of a rule beside what its lines ask about, so that who reads the list sees whether it is the one meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl

from rules.conditions import AllOf, AnyOf, Book, Check, Condition, InSegment, Rule, column_of
from rules.explain import Reason, Wording


@dataclass(frozen=True)
class Roll:
    """`titles` name what the lines of `when` ask about, in their order; `values` has a person's, by id, in words."""

    titles: tuple[str, ...]
    values: dict[int, tuple[str, ...]]


def roll(book: Book, rule: Rule, people: pl.DataFrame, unknown: Collection[str], language: str) -> Roll:
    """The values of these people (a frame as `rules.compiler.evaluate` takes it, with their `person_id`). What a line
    leaves no choice in (`never`, one town) is left out: it would be the same for all.
    """
    wording = Wording(language)
    checks = {wording.field(check): check for check in _asked(book, rule.when)}
    titles = tuple(checks)
    columns = []
    for title in titles:
        check = checks[title]
        column = None if check.field in set(unknown) else column_of(check.column, people.columns)
        known = people[column].to_list() if column else [None] * len(people)
        columns.append([wording.cell(check, value, known=column is not None) for value in known])
    rows = zip(*columns, strict=True) if columns else [()] * len(people)
    return Roll(titles, dict(zip(people["person_id"].to_list(), rows, strict=True)))


def _asked(book: Book, node: Condition, *, needed: bool = True) -> Iterator[Check]:
    """What is asked; of what everybody in the rule must have (`needed`), only what leaves a choice."""
    match node:
        case Check():
            if not (needed and (node.op == "never" or (node.op == "is" and len(node.values) == 1))):
                yield node
        case InSegment(segment=identity):
            yield from _asked(book, book.segment[identity].condition, needed=needed)
        case AllOf() | AnyOf():
            for item in node.items:
                yield from _asked(book, item, needed=needed and isinstance(node, AllOf))


def why_out(reason: Reason) -> list[str]:
    """What keeps a person out of a rule, from what `rules.explain.explain` says of it: each line that does not hold, and
    each exception that does, with the value and what was asked.
    """
    found = []
    for below in reason.below:
        if below.kind == "none_of":
            found += [one.words for one in _tests(below, answer=True)] if below.answer is False else []
        elif below.answer is False:
            found += [one.words for one in _tests(below, answer=False)] or [below.words]
    return found


def _tests(reason: Reason, *, answer: bool) -> Iterator[Reason]:
    if reason.kind == "test":
        yield from [reason] if reason.answer is answer else []
    else:
        for below in reason.below:
            yield from _tests(below, answer=answer)
