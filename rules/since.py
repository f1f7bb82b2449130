"""`depuis 6 mois`, `pas depuis 6 mois`: a length of time back from today, and on which side of its end a day is meant."""

from __future__ import annotations

import re
from functools import cache

from rules.calendar_meant import calendar_meant
from rules.conditions import Period
from rules.context import Context
from rules.mistakes import fold
from rules.never_true import PAST
from rules.phrases import Phrase, grammar_of, read_period, typed
from rules.yamltext import Text

FEW = 10
AHEAD_OF = {"next_visit", "membership_ends", "may_write_until"}

NEVER_IN = (
    r"(?:(?:ne |n')\S+ )?(?:pas|plus|not?|none?|aucune?|rien|nothing|jamais|never)(?: (?!de\b|d'|than\b)[a-z]+)?"
    r" (?:depuis|since|for|in|over|within|en|dans les|sur|ces)"
    r"(?: (?:plus de|au moins|more than|over|at least|les|ces|the|last|past|derni\w+))* {period}(?: derni\w+)?"
)
NEVER_SINCE = re.compile(
    r"(?:(?:ne |n')\S+ )?(?:pas|plus|not?|none?|aucune?|rien|nothing|jamais|never) (?:[a-z]+ )??(?=depuis|since)"
)
SINCE = r"(?:(?:depuis|since|for) )?{period}"


def not_since(language: str, field: str, text: str) -> str | None:
    """What says `pas depuis 6 mois` and `not since 2026-09-01` of the last time that something happened: it was longer ago."""
    if field not in PAST:
        return None
    begun = NEVER_SINCE.match(fold(text))
    days = calendar_meant(language, fold(text)[begun.end() :]) if begun else []
    if len(days) == 1 and days[0].op == "since":
        return typed(language, "date", Phrase("before", days[0].values))
    return _typed(language, "more_ago", _period(language, NEVER_IN, text))


def tell_since(context: Context, field: str, node: Text, path: str, **more: object) -> bool:
    """Tell a time back from today that may be meant in two ways, with both; whether it is one. Where people are left out,
    a `not` may be meant in two ways too.
    """
    language, out, text = context.words.language, leaves_out(context, path), node.value
    period = _period(language, SINCE, text)
    if period is None and out and field in PAST:
        period = _period(language, NEVER_IN, text)
    if period is None or field in AHEAD_OF:
        return False
    both = {"more": _typed(language, "more_ago", period), "less": _typed(language, "less_ago", period)}
    context.tell(node.place, "since-left-out" if out else "since", path, text.strip(), **both, **more)
    return True


def advise_day(context: Context, field: str, phrase: Phrase, node: Text, path: str) -> None:
    """Advise on `il y a 2 ans`, which is one day. Of some days ago, and of a birthday, it is meant so."""
    language = context.words.language
    match phrase:
        case Phrase(op="ago", values=(Period(unit=unit, count=count) as period,)) if field != "birthday":
            if unit == "day" and count <= FEW:
                return
            both = {op: typed(language, "date", Phrase(f"{op}_ago", (period,))) for op in ("more", "less")}
            context.advise(node.place, "that-very-day", path, node.value.strip(), **both)


def leaves_out(context: Context, path: str) -> bool:
    """Whether the lines at this path say whom to leave out."""
    parts = [re.sub(r"\[\d+\]$", "", part) for part in path.split(".")]
    return any(context.find(("rule", "logic"), part) in {"unless", "none_of"} for part in parts)


def _period(language: str, pattern: str, text: str) -> str | None:
    found = _expression(language, pattern).fullmatch(fold(text))
    return found["period"] if found and read_period(language, found["period"]) else None


@cache
def _expression(language: str, pattern: str) -> re.Pattern[str]:
    grammar = grammar_of(language)
    return re.compile(pattern.replace("{period}", rf"(?P<period>(?:{grammar.number})\s+(?:{grammar.unit}))"))


def _typed(language: str, op: str, period: str | None) -> str | None:
    read = read_period(language, period) if period else None
    return typed(language, "date", Phrase(op, (read,))) if read else None
