"""Conditions that read well and are true of nobody, or of everybody, whoever the people are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import cast

from rules.conditions import Check, Condition, Period
from rules.context import Context
from rules.fields import EVERY, SCORES
from rules.phrases import Phrase, read_phrase, typed
from rules.windows import OPTIONS
from rules.yamltext import Block, Entry, Items, Node, Text

LEAST, MOST = 1, 5
AHEAD, BACK = {"in", "next"}, {"more_ago", "less_ago", "ago"}
PAST = {
    *("first_visit", "last_visit", "last_purchase", "last_donation", "last_opened", "last_clicked", "last_activity"),
    *("last_emailed", "verified"),
}
LIFE = 130  # years
SOME_DAY = date(2024, 1, 1)  # lengths of time are compared from a day on
FIRST_YEAR, LAST_YEAR = 1900, 2200


def days_asked(field: str) -> str:
    """The entry of `expected` with the phrases that a date takes here."""
    return (
        "window_date"
        if field in OPTIONS
        else {"next_visit": "date_ahead"}.get(field, "date_past" if field in PAST else "date")
    )


def sensible(context: Context, name: str, check: Check | None, entry: Entry, path: str) -> tuple[Check, ...]:
    """The check of the field `name`, if there is one; none, and told, when no person could make a difference to it."""
    if check is None:
        return ()
    items = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
    found = ", ".join(item.value.strip() for item in items if isinstance(item, Text))
    code, more = _out_of_range(context, name, check) or _out_of_time(context, name, check) or ("", {})
    if not code:
        return (check,)
    context.tell(entry.value.place, code, path, found, field=entry.key.value, **more)
    return ()


def _out_of_range(context: Context, name: str, check: Check) -> tuple[str, dict[str, object]] | None:
    numbers = [value for value in check.values if isinstance(value, Decimal)]
    if name in SCORES:
        return None if all(LEAST <= value <= MOST for value in numbers) else ("score-range", {"expected": "score"})
    if check.type not in {"number", "money"} or check.window or not numbers or name in {"satisfaction", "score"}:
        return None
    language, least = context.words.language, numbers[0]
    if any(value < 0 for value in numbers) or (check.op == "less" and not least):
        right = Phrase("is", (Decimal(0),)) if check.op in {"less", "at_most", "is"} else None
        return "below-zero", {"suggestion": right and typed(language, "number", right)}
    if check.op == "at_least" and not least:
        return "everyone", {"suggestion": typed(language, "number", Phrase("at_least", (Decimal(1),)))}
    whole = name in EVERY and EVERY[name].type == "number"
    if whole and check.op == "is" and any(value != value.to_integral_value() for value in numbers):
        return "not-whole", {}
    return None


def _out_of_time(context: Context, name: str, check: Check) -> tuple[str, dict[str, object]] | None:
    if check.type != "date" or not check.values:
        return None
    value, other = check.values[0], {"next_visit": "last_visit"}.get(name, "next_visit")
    phrase = typed(context.words.language, "date", Phrase(check.op, check.values))
    right = f"{context.words.key('fields', other)}: {phrase}" if name.endswith("_visit") else None
    if name in PAST and check.op in AHEAD:
        return "always-past", {"suggestion": right}
    if name == "next_visit" and check.op in BACK:
        return "always-ahead", {"suggestion": right}
    if isinstance(value, Period) and check.op in {"more_ago", "ago"} and value.count >= LIFE and value.unit == "year":
        return "too-long-ago", {}
    years = [one.year for one in check.values if isinstance(one, date)]
    strange = [year for year in years if not FIRST_YEAR <= year <= LAST_YEAR]
    return ("strange-year", {"year": f"{strange[0]:04d}"}) if strange else None


def tell_waits_in_vain(context: Context, when: Iterable[Condition], actions: Node, path: str) -> None:
    """An e-mail that waits until its own rule can't hold any more: a first visit does not become younger."""
    young = [one for one in when if isinstance(one, Check) and (one.field, one.op) == ("first_visit", "less_ago")]
    blocks = actions.items if isinstance(actions, Items) else (actions,)
    options = [entry for block in blocks if isinstance(block, Block) for entry in block.entries]
    for entry in options:
        if context.words.find("option_email", entry.key.value) != "wait" or not isinstance(entry.value, Text):
            continue
        phrase = read_phrase(context.words.language, "wait", entry.value.value)
        for check in young if phrase else ():
            limit, wait = cast("Period", check.values[0]), cast("Period", phrase and phrase.values[0])
            if wait.after(SOME_DAY) >= limit.after(SOME_DAY):
                words = context.words
                context.tell(
                    entry.key.place, "waits-in-vain", f"{path}.{entry.key.value}", entry.value.value.strip(),
                    wait=entry.key.value, field=words.key("fields", check.field),
                    condition=typed(words.language, "date", Phrase(check.op, check.values)),
                )  # fmt: skip
