"""What an editor says of each word, and what it offers to be typed over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from rules import ouryaml
from rules.conditions import Period, Value
from rules.phrases import Phrase

FILLING: dict[str, tuple[Value, ...]] = {
    "more_ago": (Period(18, "month"),),
    "less_ago": (Period(3, "week"),),
    "ago": (Period(2, "year"),),
    "next": (Period(7, "day"),),
    "in": (Period(3, "day"),),
    "before": (date(2024, 1, 31),),
    "after": (date(2024, 1, 31),),
    "since": (date(2024, 9, 1),),
    "until": (date(2024, 6, 30),),
    "on": (date(2024, 1, 31),),
    "again": (Period(6, "month"),),
    "due": (Period(5, "day"),),
    "wait": (Period(2, "day"),),
    "within": (Period(2, "day"),),
    "review": (Decimal(10),),
}
"""What stands in the holes of a phrase when it is offered; the person types over it."""


@cache
def hints(language: str) -> Mapping[str, Any]:
    """What each word means, in one sentence: section, canonical name, sentence."""
    text = files("rules").joinpath("words", f"hints.{language}.yaml").read_text("utf-8")
    found: Mapping[str, Any] = ouryaml.read(text)
    return found


def hint(language: str, section: str, name: str) -> str:
    """What a word means; of one that means the same in several places, told once."""
    same = {"segment": "rule", "journey": "rule", "example_journey": "example"}
    told = hints(language)
    return str(told[section][name] if name in told.get(section, {}) else told[same[section]][name])


def filled(kind: str, op: str) -> Phrase:
    """A phrase with something in its holes."""
    if op == "between":
        values: tuple[Value, ...] = (
            (date(2024, 1, 1), date(2024, 6, 30)) if kind == "date" else (Decimal(2), Decimal(5))
        )
    elif kind == "number":
        values = () if op in {"never", "known"} else (Decimal(3),)
    elif kind == "at":
        values = {"before": (Period(3, "day"),), "after": (Period(1, "day"),)}.get(op, ())
    elif kind == "around":
        values = ("…",) if op == "flag" else ()
    elif kind in {"text", "tags"}:
        values = () if op in {"never", "known"} else ("…",)
    else:
        values = FILLING.get(op, ())
    return Phrase(op, values)


def with_stops(phrase: str) -> str:
    """The numbers and dates of a phrase as places that the person types over, one after the other."""
    stops = iter(range(1, 10))
    return re.sub(r"\d{4}-\d\d-\d\d|\d+|…", lambda hole: f"${{{next(stops)}:{hole[0]}}}", phrase)
