"""A comma between braces ends a value: the line that is proposed says what was meant."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rules.conditions import Check, leaves
from rules.reader import read

RULE = {
    "en": "rules:\n  - name: R\n    when:\n      {}\n    then:\n      - flag: X\n",
    "fr": "règles:\n  - nom: R\n    quand:\n      {}\n    alors:\n      - signaler: X\n",
}


def asked(language: str, line: str) -> Check:
    found = read({"r.yaml": RULE[language].format(line).encode()})
    assert found.mistakes == []
    check = next(leaves(found.book.rules[0].when))
    assert isinstance(check, Check)
    return check


@pytest.mark.parametrize(
    ("language", "line", "amount"),
    [
        ("en", "donated: {amount: at least 1,000}", "1000"),
        ("en", "donated: {amount: at least 1,000.50, within: 12 months}", "1000.50"),
        ("en", "donated: {within: 12 months, amount: at least 50,5}", "50.5"),
        ("en", "donated: {amount: at least $12,000}", "12000"),
        ("fr", "donné: {montant: au moins 100,00 €}", "100"),
        ("fr", "donné: {montant: au moins 1 000,50 $, sur: 12 mois}", "1000.50"),
        ("fr", "donné: {montant: plus de 50,50 euros}", "50.50"),
    ],
)
def test_the_amount_proposed_is_the_one_meant(language: str, line: str, amount: str) -> None:
    told = read({"r.yaml": RULE[language].format(line).encode()}).mistakes
    assert [one.code for one in told] == ["comma-in-braces"]
    assert asked(language, str(told[0].suggestion)).values == (Decimal(amount),)


@pytest.mark.parametrize(
    ("line", "op", "values"),
    [
        ("sheet: {Note: contains wheelchair, large print}", "contains_any", ("wheelchair", "large print")),
        ("sheet: {Note: wheelchair, large print}", "is", ("wheelchair", "large print")),
    ],
)
def test_the_texts_proposed_are_those_meant(line: str, op: str, values: tuple[str, ...]) -> None:
    told = read({"r.yaml": RULE["en"].format(line).encode()}, columns=["Note"]).mistakes
    assert [one.code for one in told] == ["comma-in-braces"]
    check = asked("en", str(told[0].suggestion))
    assert (check.op, check.values) == (op, values)


@pytest.mark.parametrize("line", ["sheet: {Note: x, Seats: 3}", "visits: {count: 2, within: 1 year}"])
def test_a_comma_between_two_lines_is_none(line: str) -> None:
    asked("en", line)
