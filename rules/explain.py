"""Why a rule holds for one person, or not: the same expressions as in bulk, one for each node, and words for each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from dateutil.relativedelta import relativedelta

from rules.checks import COUNTED, UNSURE
from rules.compiler import answers
from rules.conditions import SHEET, AllOf, AnyOf, Book, Check, Condition, InSegment, NoneOf, Period, Rule, column_of
from rules.fields import FIELDS, OCCASION
from rules.phrases import long_date, number_word, said, unit_word
from rules.words import vocabulary

MARKS = {True: "✓", False: "✗", None: "?"}
PLAINLY = {True: "holds", False: "holds_not", None: "unsure"}


@dataclass(frozen=True)
class Reason:
    """One node of a rule: its answer (None: unknown) and, for a test, the person's value. `words` tells it in the
    reader's language; `below` are the nodes it rests on (for a segment, those of the segment).
    """

    words: str
    answer: bool | None
    kind: str
    field: str | None = None
    value: Any = None
    below: tuple[Reason, ...] = ()

    def lines(self, indent: int = 0) -> list[str]:
        """The tree as lines of text, each with ✓, ✗ or ?."""
        own = "  " * indent + self.words
        return [own, *(line for reason in self.below for line in reason.lines(indent + 1))]

    def to_json(self) -> dict[str, Any]:
        value = self.value
        shown = value if isinstance(value, bool | int | float | list | None) else str(value)
        below = {"below": [reason.to_json() for reason in self.below]} if self.below else {}
        return {
            "kind": self.kind,
            "words": self.words,
            "answer": self.answer,
            "field": self.field,
            "value": shown,
        } | below


def explain(
    book: Book,
    rule: Rule,
    person: pl.DataFrame,
    today: date,
    *,
    unknown: Collection[str] = (),
    language: str = "en",
    name: str | None = None,
) -> Reason:
    """Why `rule` holds for the one person in `person` (a frame of one row, as `evaluate` takes it).

    The root's words are a sentence with `name`; below it stands a reason for each line of the rule.
    """
    answers = _Answers(book, rule, person, today, unknown)
    teller = _Teller(book, answers, person, today, language)
    answer = answers.of(rule.condition)
    say = vocabulary(language).words["say"]
    sentence = say[{True: "in", False: "out", None: "undecided"}[answer]]
    below = [teller.reason(item) for item in rule.when.items]
    below += [teller.unless(rule.unless)] if rule.unless else []
    return Reason(sentence.format(person=name or say["someone"], rule=rule.name), answer, "rule", below=tuple(below))


class _Answers:
    """The answer of every node of a rule, from one select over one row."""

    def __init__(self, book: Book, rule: Rule, person: pl.DataFrame, today: date, unknown: Collection[str]) -> None:
        nodes = [rule.condition, *_nodes(rule.condition)]
        nodes += [node for segment in book.segments for node in _nodes(segment.condition)]
        self.order = {node: str(n) for n, node in enumerate(dict.fromkeys(nodes))}
        wanted = {name: node for node, name in self.order.items()}
        self.found = answers(book, wanted, person, today, unknown).row(0, named=True)
        checks = {node for node in nodes if isinstance(node, Check)}
        columns = {check: column_of(check.column, person.columns) for check in checks}
        self.columns = {check: column for check, column in columns.items() if check.field not in set(unknown)}

    def of(self, node: Condition) -> bool | None:
        answer: bool | None = self.found[self.order[node]]
        return answer


def _nodes(condition: Condition) -> list[Condition]:
    below = condition.items if isinstance(condition, AllOf | AnyOf | NoneOf) else ()
    return [condition, *(node for item in below for node in _nodes(item))]


class Wording:
    """How conditions are told to a person who reads."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.words = vocabulary(language)
        self.say: dict[str, str] = self.words.words["say"]

    def field(self, check: Check) -> str:
        """`visits`, or with the window in which they are counted."""
        name = check.field
        if name.startswith(SHEET):
            return self.windowed(check, name.removeprefix(SHEET))
        return self.windowed(check, self.words.shown("occasion" if name in OCCASION else "fields", name))

    def condition(self, book: Book, node: Condition) -> str:
        """What a condition asks, of nobody in particular, in one line."""
        match node:
            case Check():
                return self.say["value"].format(field=self.field(node), value=said(self.language, node))
            case InSegment(segment=identity):
                return self.say["segment"].format(name=book.segment[identity].name)
            case _:
                return f"{self.group(node)} {' · '.join(self.condition(book, item) for item in node.items)}"

    def group(self, node: AllOf | AnyOf | NoneOf) -> str:
        """The word before the lines of a group."""
        return self.say[{AllOf: "all_of", AnyOf: "any_of", NoneOf: "none_of"}[type(node)]]

    def shown(self, check: Check, value: Any) -> str:
        """A value that is there, in words."""
        match value:
            case bool():
                return self.words.shown("yesno", "yes" if value else "no")
            case int() | float() | Decimal():
                return number_word(self.language, Decimal(str(value)))
            case list():
                return ", ".join(str(item) for item in value)
            case _ if check.type == "choice":
                return self.words.shown("choices", str(value))
            case _:
                return str(value)

    def cell(self, check: Check, value: Any, *, known: bool) -> str:
        """A person's value below the title that `field` gives it; `?` for what can't be known today."""
        if value is None and check.field in COUNTED and known and check.window is None:
            value = 0
        if isinstance(value, date):
            return long_date(self.language, value)
        if value not in (None, "", []):
            return self.shown(check, value)
        if not known or check.window is not None or check.field in UNSURE:
            return "?"
        dated = check.field in FIELDS and FIELDS[check.field].type == "date"
        return said(self.language, Check(check.field, "date", "never")) if dated else ""

    def windowed(self, check: Check, counted: str) -> str:
        """`2 visits`, or `visits`, with the window in which they are counted."""
        window = check.window
        if window is None:
            return counted
        if window.genres:
            *some, last = window.genres
            genre = self.say["or"].format(some=", ".join(some), last=last) if some else last
            counted = self.say["genre"].format(counted=counted, genre=genre)
        if window.each is not None:
            name, asked = self.words.shown("window", window.each.field), said(self.language, window.each)
            counted = self.say["each"].format(counted=counted, name=name, asked=asked)
        if window.within is not None:
            period = f"{window.within.count} {unit_word(self.language, window.within)}"
            last = period.removeprefix("1 ") if self.language == "en" else period
            counted = self.say["within"].format(counted=counted, period=last)
        if window.days is not None:
            counted = self.say["dated"].format(counted=counted, asked=said(self.language, window.days))
        if check.field == "tickets" and (window.within or window.days):  # not by the day on which they were bought
            counted = self.say["of_the_show"].format(counted=counted.removesuffix(","))
        return counted.removesuffix(",")


class _Teller(Wording):
    def __init__(self, book: Book, answers: _Answers, person: pl.DataFrame, today: date, language: str) -> None:
        super().__init__(language)
        self.book, self.answers, self.today = book, answers, today
        self.values = person.row(0, named=True)

    def unless(self, node: NoneOf) -> Reason:
        """What the rule excepts: ✓ when nothing of it holds."""
        answer = self.answers.of(node)
        words = self.say[{True: "unless_none", False: "unless_some", None: "unless_unknown"}[answer]]
        below = tuple(self.reason(item, excepted=True) for item in node.items)
        return Reason(f"{words} {MARKS[answer]}", answer, "none_of", below=below)

    def reason(self, node: Condition, *, excepted: bool = False) -> Reason:
        """`excepted`: it stands in a "none of", where a ✗ would look like what keeps the person out: words then."""
        answer = self.answers.of(node)
        mark = self.say[PLAINLY[answer]] if excepted else MARKS[answer]
        below = excepted or isinstance(node, NoneOf)
        match node:
            case Check():
                value = self.values.get(self.answers.columns.get(node) or "")
                return Reason(self._check(node, value, mark), answer, "test", node.field, value)
            case InSegment(segment=identity):
                segment = self.book.segment[identity]
                inner = self.reason(segment.condition, excepted=excepted)
                rests = inner.below if isinstance(segment.condition, AllOf) else (inner,)
                return Reason(f"{self.say['segment'].format(name=segment.name)} {mark}", answer, "segment", below=rests)
            case _:
                kind = {AllOf: "all_of", AnyOf: "any_of", NoneOf: "none_of"}[type(node)]
                rests = tuple(self.reason(item, excepted=below) for item in node.items)
                return Reason(f"{self.say[kind]} {mark}", answer, kind, below=rests)

    def _check(self, check: Check, value: Any, mark: str) -> str:
        field = self.field(check)
        unsure = (check.window is not None or check.field in UNSURE) and value is None
        if self.answers.columns.get(check) is None or unsure:
            return f"{self.say['unknown'].format(field=field)} ({said(self.language, check)} {mark})"
        shown, asked = self._value(check, field, value), said(self.language, check)
        return f"{shown} {mark}" if shown.endswith(f" {asked}") else f"{shown} ({asked} {mark})"

    def _value(self, check: Check, field: str, value: Any) -> str:
        if value is None and check.field in COUNTED:
            value = 0
        if isinstance(value, date):
            return self._date(check, field, value)
        if value in (None, "", []):
            dated = check.field in FIELDS and FIELDS[check.field].type == "date"
            return self.say["never" if dated else "empty"].format(field=field)
        counted = self.words.words["counted"].get(check.field)
        if counted and isinstance(value, int | float | Decimal):
            return self.windowed(check, self._counted(counted, value))
        return self.say["value"].format(field=field, value=self.shown(check, value))

    def _counted(self, forms: list[str], value: float | Decimal) -> str:
        one = abs(float(value)) < 2 if self.language == "fr" else value == 1
        return forms[0 if one else 1].format(n=number_word(self.language, Decimal(str(value))))

    def _date(self, check: Check, field: str, value: date) -> str:
        facts = {"field": field, "date": long_date(self.language, value)}
        if check.field == "birthday":
            return self.say["value"].format(field=field, value=facts["date"])
        if value == self.today:
            return self.say["today"].format(**facts)
        period = span_between(value, self.today)
        facts["period"] = f"{period.count} {unit_word(self.language, period)}"
        return self.say["past" if value < self.today else "future"].format(**facts)


def span_between(a: date, b: date) -> Period:
    """The time between two days as a person says it: 12 days, 20 months, 4 years."""
    first, last = sorted((a, b))
    whole = relativedelta(last, first)
    months = whole.years * 12 + whole.months
    if months >= 36 or (months >= 24 and whole.months == 0):
        return Period(whole.years, "year")
    if months >= 2:
        return Period(months, "month")
    return Period((last - first).days, "day")
