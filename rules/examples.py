"""The `examples:` of rules: a person told by facts, and whether the rule holds for them today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from rules.checks import UNSURE
from rules.conditions import SHEET, Book, Check, Example, Fact, Rule, Shift
from rules.explain import Reason, explain
from rules.fields import EVERY, FieldType
from rules.journeys import Journey, as_rule
from rules.windows import OPTIONS, SUMS, count

DTYPES: dict[FieldType, Any] = {
    "date": pl.Date,
    "number": pl.Float64,
    "money": pl.Float64,
    "text": pl.String,
    "choice": pl.String,
    "yesno": pl.Boolean,
    "tags": pl.List(pl.String),
}


@dataclass(frozen=True)
class Outcome:
    """How one example went. `found` None: it could not be decided. `why` tells each condition."""

    rule: Rule | Journey
    example: Example
    found: bool | None
    why: Reason

    @property
    def passed(self) -> bool:
        return self.found is self.example.expect


def run_examples(book: Book, today: date, language: str = "en") -> list[Outcome]:
    """Try every example of every rule and journey. What an example does not say is never, empty or 0; nothing is unknown."""
    return [_outcome(book, one, example, today, language) for one in book.acting for example in one.examples]


def _outcome(book: Book, rule: Rule | Journey, example: Example, today: date, language: str) -> Outcome:
    asked = rule if isinstance(rule, Rule) else as_rule(rule, [one for one in rule.steps if one.at == example.at])
    why = explain(book, asked, person_of(example, rule.needs, today, book.windows), today, language=language)
    return Outcome(rule, example, why.answer, why)


def person_of(
    example: Example, needs: Iterable[str], today: date, windows: Mapping[str, Check] | None = None
) -> pl.DataFrame:
    """An example's person as the frame of one row that `evaluate` takes."""
    facts = {name: _value(name, fact, today) for name, fact in example.facts}
    names = dict.fromkeys([*EVERY, *needs, *facts])
    schema = {name: DTYPES[EVERY[name].type] if name in EVERY else pl.String for name in names}
    told = dict.fromkeys(names) | dict.fromkeys(UNSURE, False) | facts
    person = pl.DataFrame([{"key": 0, **told}], schema={"key": pl.Int64, **schema})
    return person.with_columns(_counts(dict(example.facts), windows or {}, today))


def _counts(facts: Mapping[str, Fact], windows: Mapping[str, Check], today: date) -> list[pl.Series]:
    """The person's counts over windows: of the days that the example tells, or the one number it gives, which then
    stands for every window.
    """
    told = {name: check for name, check in windows.items() if isinstance(facts.get(check.field), tuple)}
    deeds = {check.field: _deeds(facts[check.field], today) for check in told.values()}
    dated = count(pl.Series("key", [0]), deeds, told, today)
    plain = {name: facts.get(check.field) for name, check in windows.items() if name not in told}
    numbers = [pl.Series(name, [float(n) if isinstance(n, Decimal) else 0.0]) for name, n in plain.items()]
    return [*(dated[name] for name in told), *numbers]


def _deeds(fact: Any, today: date) -> pl.DataFrame:
    rows = [(0, _value("", deed.day, today), deed.genre, _float(deed.amount), _float(deed.score)) for deed in fact]
    schema = {"key": pl.Int64, "day": pl.Date, "genre": pl.String, "amount": pl.Float64, "score": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def _value(name: str, fact: Fact, today: date) -> Any:
    value = fact.day(today) if isinstance(fact, Shift) else fact
    if name.startswith(SHEET):
        return _cell(value)
    match value:
        case Decimal():
            return float(value)
        case tuple():
            return _all_of_them(name, value) if name in OPTIONS else list(value)
        case _:
            return value


def _all_of_them(name: str, deeds: tuple[Any, ...]) -> float:
    """How many deeds there are, or how much they come to."""
    return float(sum(deed.amount or 0 for deed in deeds)) if name in SUMS else len(deeds)


def _cell(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case Decimal():
            return format(value.normalize(), "f")
        case _:
            return str(value)
