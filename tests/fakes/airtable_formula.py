"""The part of Airtable's formula language that filters need: OR, AND, NOT, comparisons, fields, texts, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")|\{(?P<field>[^}]+)\}|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Z_]+)|(?P<mark>!=|>=|<=|[=<>(),]))"
)


class NotAFormula(Exception):  # noqa: N818  what it is
    pass


def matches(formula: str, record: str, values: Mapping[str, Any]) -> bool:
    """Is the record (its values by field name and id) among those that the formula lets through?"""
    reader = _Reader(formula, record, values)
    result = reader.expression()
    if reader.tokens:
        raise NotAFormula(formula)
    return bool(result)


class _Reader:
    def __init__(self, formula: str, record: str, values: Mapping[str, Any]) -> None:
        self.record, self.values = record, values
        self.tokens: list[tuple[str, str]] = []
        place = 0
        text = formula.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise NotAFormula(formula)
            self.tokens.append((str(found.lastgroup), str(found[found.lastgroup or 0])))
            place = found.end()
        self.tokens.reverse()

    def expression(self) -> Any:
        left = self.term()
        if self.tokens and self.tokens[-1][1] in ("=", "!="):
            sign = self.tokens.pop()[1]
            right = self.term()
            same = ("" if left is None else left) == ("" if right is None else right)
            return same if sign == "=" else not same
        return left

    def term(self) -> Any:
        if not self.tokens:
            raise NotAFormula("it ends too soon")
        kind, text = self.tokens.pop()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return float(text)
        if kind == "field":
            if text not in self.values:
                raise NotAFormula(f"Unknown field names: {text}")
            return self.values[text]
        if kind == "word":
            return self.call(text)
        raise NotAFormula(text)

    def call(self, name: str) -> Any:
        self.take("(")
        given = []
        while self.tokens and self.tokens[-1][1] != ")":
            given.append(self.expression())
            if self.tokens and self.tokens[-1][1] == ",":
                self.tokens.pop()
        self.take(")")
        known: dict[str, Callable[[list[Any]], bool]] = {"OR": any, "AND": all, "NOT": lambda one: not one[0]}
        if name in known:
            return known[name](given)
        simple = {"RECORD_ID": self.record, "TRUE": True, "FALSE": False, "BLANK": None}
        if name not in simple or given:
            raise NotAFormula(name)
        return simple[name]

    def take(self, mark: str) -> None:
        if not self.tokens or self.tokens.pop()[1] != mark:
            raise NotAFormula(mark)
