"""Scores go from 1 to 5: a number beyond would be true of nobody, or of everybody, and nobody would see why."""

from __future__ import annotations

from decimal import Decimal

from rules.conditions import Check
from rules.context import Context
from rules.fields import SCORES
from rules.yamltext import Entry, Text

LEAST, MOST = 1, 5


def within_five(context: Context, name: str, check: Check | None, entry: Entry, path: str) -> tuple[Check, ...]:
    """The check of the field `name`, if there is one; none, and told, when it asks for a score that there is not."""
    if check is None:
        return ()
    if name not in SCORES or all(LEAST <= value <= MOST for value in check.values if isinstance(value, Decimal)):
        return (check,)
    found = entry.value.value if isinstance(entry.value, Text) else ""
    context.tell(entry.value.place, "score-range", path, found, field=entry.key.value, expected="score")
    return ()
