"""The `examples:` of rules: a person told by facts, and whether the rule holds for them today.

**A plain number and a window.** `visits: 1` says nothing of when. The days told beside it may (`last visit: 3 years ago`:
none in the last 2 years); where they do not, all of them are taken to lie in the window, and that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from rules.checks import UNSURE
from rules.conditions import SHEET, Book, Check, Condition, Example, Fact, InSegment, Rule, Shift, leaves
from rules.explain import Reason, explain
from rules.fields import EVERY, OCCASION, FieldType
from rules.journeys import Journey, as_rule
from rules.windows import OPTIONS, SUMS, count, span

DTYPES: dict[FieldType, Any] = {
    "date": pl.Date,
    "number": pl.Float64,
    "money": pl.Float64,
    "text": pl.String,
    "choice": pl.String,
    "yesno": pl.Boolean,
    "tags": pl.List(pl.String),
}
DAYS_OF: dict[str, tuple[str, ...]] = {
    "visits": ("last_visit", "first_visit"),
    "tickets": ("last_visit", "first_visit"),
    "purchases": ("last_purchase",),
    "spent": ("last_purchase",),
    "donations": ("last_donation",),
    "donated": ("last_donation",),
    "opens": ("last_opened",),
    "clicks": ("last_clicked",),
}
"""Of what is counted, the fields that tell the last and the first day."""


@dataclass(frozen=True)
class Outcome:
    """How one example went. `found` None: it could not be decided. `why` tells each condition. `assumed` are counts over a
    window of which the example gives a number and no days; `missing` what it does not tell of the thing that its journey
    is around, though the answer hangs on it.
    """

    rule: Rule | Journey
    example: Example
    found: bool | None
    why: Reason
    assumed: tuple[Check, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.found is self.example.expect


def run_examples(book: Book, today: date, language: str = "en") -> list[Outcome]:
    """Try every example of every rule and journey. What an example does not say is never, empty or 0; nothing is unknown."""
    return [_outcome(book, one, example, today, language) for one in book.acting for example in one.examples]


def _outcome(book: Book, rule: Rule | Journey, example: Example, today: date, language: str) -> Outcome:
    asked = rule if isinstance(rule, Rule) else as_rule(rule, [one for one in rule.steps if one.at == example.at])
    why = explain(book, asked, person_of(example, rule.needs, today, book.windows), today, language=language)
    facts = dict(example.facts)
    counted = [check for check in _checks(asked.condition, book) if check.window and facts.get(check.field)]
    numbers = [check for check in counted if not isinstance(facts[check.field], tuple)]
    assumed = dict.fromkeys(check for check in numbers if _inside(facts, check, today) is None)
    return Outcome(rule, example, why.answer, why, tuple(assumed), tuple(_missing(example, why)))


def _checks(condition: Condition, book: Book) -> Iterator[Check]:
    for leaf in leaves(condition):
        if isinstance(leaf, InSegment):
            yield from _checks(book.segment[leaf.segment].condition, book)
        else:
            yield leaf


def _missing(example: Example, why: Reason) -> Iterator[str]:
    """What the example says nothing of, where no other line decides."""
    untold = OCCASION.keys() - {name for name, _ in example.facts}
    against = [{field for field in _fields(line) if field in untold} for line in why.below if line.answer is not True]
    if why.answer is not example.expect or all(against):
        yield from sorted(set().union(*against))


def _fields(why: Reason) -> Iterator[str]:
    if why.field:
        yield why.field
    for reason in why.below:
        yield from _fields(reason)


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
    stands for every window that the days beside it do not leave empty.
    """
    told = {name: check for name, check in windows.items() if isinstance(facts.get(check.field), tuple)}
    deeds = {check.field: _deeds(facts[check.field], today) for check in told.values()}
    dated = count(pl.Series("key", [0]), deeds, told, today)
    plain = {
        name: None if _inside(facts, check, today) is False else facts.get(check.field)
        for name, check in windows.items()
        if name not in told
    }
    numbers = [pl.Series(name, [float(n) if isinstance(n, Decimal) else 0.0]) for name, n in plain.items()]
    return [*(dated[name] for name in told), *numbers]


def _inside(facts: Mapping[str, Fact], check: Check, today: date) -> bool | None:
    """Whether all that the example's number counts lies in the window of the check, or nothing of it; None: its days do not
    tell.
    """
    window, number = check.window, facts.get(check.field)
    if window is None:
        return True
    begins, ends = span(window, today)
    ends = min(today, ends or today)
    days = [_value("", facts.get(name), today) for name in DAYS_OF.get(check.field, ())]
    last, first = (*(day if isinstance(day, date) else None for day in days), None, None)[:2]
    if (last and begins and last < begins) or (first and first > ends):
        return False
    if window.genres or window.each:
        return None
    from_then = begins is None or (first is not None and first >= begins)
    until_then = ends == today or (last is not None and last <= ends)
    the_one = number == 1 and last is not None and (begins is None or begins <= last) and last <= ends
    return True if (from_then and until_then) or (the_one and check.field not in SUMS) else None


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
