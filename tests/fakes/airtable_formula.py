"""The part of Airtable's formula language that filters need: OR, AND, NOT, comparisons, fields, texts, numbers."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

CREATED = " created"
"""Under this name the values hold when the record was made."""
Meaning = Callable[[str, Mapping[str, Any]], Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")|\{(?P<field>[^}]+)\}|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<mark>!=|[=(),]))"
)


class NotAFormula(Exception):  # noqa: N818  what it is
    pass


def matches(formula: str, record: str, values: Mapping[str, Any]) -> bool:
    """Is the record (its values by field name and id) among those that the formula lets through?"""
    return bool(_meaning(formula)(record, values))


@lru_cache(maxsize=20)
def _meaning(formula: str) -> Meaning:
    reader = _Reader(formula)
    meaning = reader.expression()
    if reader.tokens:
        raise NotAFormula(formula)
    return meaning


def _field(name: str) -> Meaning:
    def value(_record: str, values: Mapping[str, Any]) -> Any:
        if name not in values:
            raise NotAFormula(f"Unknown field names: {name}")
        return values[name]

    return value


def _same(left: Meaning, right: Meaning, *, wanted: bool) -> Meaning:
    def compared(record: str, values: Mapping[str, Any]) -> bool:
        one, other = left(record, values), right(record, values)
        return (("" if one is None else one) == ("" if other is None else other)) == wanted

    return compared


class _Reader:
    def __init__(self, formula: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place, text = 0, formula.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise NotAFormula(formula)
            self.tokens.append((str(found.lastgroup), str(found[found.lastgroup or 0])))
            place = found.end()
        self.tokens.reverse()

    def expression(self) -> Meaning:
        left = self.term()
        if self.tokens and self.tokens[-1][1] in ("=", "!="):
            sign = self.tokens.pop()[1]
            return _same(left, self.term(), wanted=sign == "=")
        return left

    def term(self) -> Meaning:
        kind, text = self.tokens.pop() if self.tokens else ("mark", "the end")
        if kind == "field" or (kind == "word" and self.tokens[-1:] != [("mark", "(")]):
            return _field(text)
        if kind == "word":
            return self.call(text)
        if kind == "mark":
            raise NotAFormula(text)
        constant = float(text) if kind == "number" else re.sub(r"\\(.)", r"\1", text[1:-1])
        return lambda _record, _values: constant

    def call(self, name: str) -> Meaning:
        self.take("(")
        given: list[Meaning] = []
        while self.tokens and self.tokens[-1][1] != ")":
            given.append(self.expression())
            if self.tokens and self.tokens[-1][1] == ",":
                self.tokens.pop()
        self.take(")")
        known: dict[str, Meaning] = {
            "OR": lambda record, values: any(one(record, values) for one in given),
            "AND": lambda record, values: all(one(record, values) for one in given),
            "NOT": lambda record, values: not given[0](record, values),
            "RECORD_ID": lambda record, _values: record,
            "CREATED_TIME": lambda _record, values: values[CREATED],
            "TRUE": lambda _record, _values: True,
            "FALSE": lambda _record, _values: False,
            "BLANK": lambda _record, _values: None,
        }
        of_two: dict[str, Callable[[Any, Any], bool]] = {
            "IS_AFTER": operator.gt,
            "IS_BEFORE": operator.lt,
            "FIND": lambda part, text: part in str(text or ""),
        }
        if name in of_two and len(given) == 2:
            return lambda record, values: of_two[name](given[0](record, values) or "", given[1](record, values) or "")
        if name == "DATETIME_PARSE" and len(given) == 1:  # texts of the same form are compared as moments
            return given[0]
        if name not in known or bool(given) != (name in ("OR", "AND", "NOT")):
            raise NotAFormula(name)
        return known[name]

    def take(self, mark: str) -> None:
        if not self.tokens or self.tokens.pop()[1] != mark:
            raise NotAFormula(mark)
