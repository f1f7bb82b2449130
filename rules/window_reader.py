"""`{count: at least 2, within: 12 months, genre: dance}`: a count over a window; and what an example's person did."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from rules.conditions import Check, Deed, Period, Shift, Window
from rules.context import Context
from rules.days_meant import DAY_UNITS, NAMED
from rules.fields import FieldType
from rules.misread import Misread, tell_misread
from rules.mistakes import fold
from rules.phrases import read_fact_date, read_number, read_period, read_phrase, typed
from rules.suggestions import suggest
from rules.windows import OPTIONS
from rules.words import Vocabulary
from rules.yamltext import Block, Entry, Items, Node, Text

Compare = Callable[[FieldType, Entry], Check | None]
OWN = ("count", "within")


def read_window(context: Context, field: str, shown: str, block: Block, path: str, compare: Compare) -> Check | None:
    """The count that a block asks for; None when a mistake in it is told. `compare` reads a line of it as a test."""
    before = len(context.mistakes)
    entries = context.entries(_whole(context, block, path), ("window",), path)
    for name in entries.keys() - {*OWN, *OPTIONS[field]}:
        _does_not_go(context, field, shown, entries[name], OWN, path)
    if "count" not in entries and len(context.mistakes) == before:
        context.tell(block.place, "window-no-count", path, shown, expected="count")
    count = _number_test(context, entries["count"], path, compare) if "count" in entries else None
    each = next((name for name in ("amount", "score") if name in entries and name in OPTIONS[field]), None)
    test = _number_test(context, entries[each], path, compare) if each else None
    window = Window(
        _within(context, entries.get("within"), path),
        _genres(context, entries.get("genre"), path, compare) if "genre" in OPTIONS[field] else (),
        test and replace(test, field=str(each)),
    )
    return None if count is None or len(context.mistakes) > before else replace(count, window=window)


OVER = re.compile(r"(.+?),? (?:en|sur|dans|depuis|ces|pendant|in|within|over|during)(?: ?:)? (.+)")


def windowed(words: Vocabulary, field: str, text: str) -> str | None:
    """`au moins 3 en 12 mois` as the block that says so."""
    found = OVER.fullmatch(fold(text)) if field in OPTIONS else None
    if found is None:
        return None
    many, kind = _of_a_genre(words, field, found[1])
    number = many if read_phrase(words.language, "number", many) else suggest(words.language, "number", many)
    if number and (exact := read_phrase(words.language, "number", number)) and exact.op == "is":
        number = typed(words.language, "number", replace(exact, op="at_least"))  # three visits in a year: three or more
    period = found[2] if read_period(words.language, found[2]) else suggest(words.language, "within", found[2])
    count, within = words.key("window", "count"), words.key("window", "within")
    genre = f", {words.key('window', 'genre')}: {kind}" if kind else ""
    return f"{{{count}: {number}, {within}: {period}{genre}}}" if number and period else None


PLAIN = {"fois", "times", "visite", "visites", "visit", "visits", "spectacle", "spectacles", "show", "shows", "venues"}
"""Words after a number of visits that name no genre."""


def _of_a_genre(words: Vocabulary, field: str, text: str) -> tuple[str, str | None]:
    """`au moins 3 concerts` as the number and the genre."""
    number, _, last = text.rpartition(" ")
    named = "genre" in OPTIONS[field] and last not in PLAIN and read_phrase(words.language, "number", number)
    return (number, last) if named and not read_phrase(words.language, "number", text) else (text, None)


def not_counted(context: Context, shown: str, block: Block, path: str) -> None:
    """Tell that this field is not counted over a period."""
    counted = ", ".join(f"`{context.words.key('fields', name)}`" for name in OPTIONS)
    context.tell(block.place, "window-not-here", path, field=shown, expected=counted)


def _whole(context: Context, block: Block, path: str) -> Block:
    """Without what a decimal comma broke off: in `{montant: 50,5}` a comma ends the amount."""
    kept: list[Entry] = []
    for entry in block.entries:
        broken = (
            re.fullmatch(r"\d+\s*[€$£]?", entry.key.value) and isinstance(entry.value, Text) and not entry.value.value
        )
        if broken and kept and isinstance(kept[-1].value, Text):
            number = f"{kept[-1].value.value},{entry.key.value}"
            context.tell(entry.key.place, "decimal-comma", path, number, suggestion=f'"{number}"')
        else:
            kept.append(entry)
    return replace(block, entries=tuple(kept))


def _number_test(context: Context, entry: Entry, path: str, compare: Compare) -> Check | None:
    """A line as a test of a number; `known` and `empty` make no sense of what is counted."""
    if isinstance(entry.value, Block):
        context.wrong_shape(entry.value, f"{path}.{entry.key.value}", "number")
        return None
    check = compare("number", entry)
    if check is not None and check.op in {"never", "known"}:
        here, shown = f"{path}.{entry.key.value}", entry.key.value
        context.tell(entry.value.place, "phrase", here, _text(entry.value), field=shown, expected="number")
    return check


def _does_not_go(context: Context, field: str, shown: str, entry: Entry, may: tuple[str, ...], path: str) -> None:
    section = "deed" if "date" in may else "window"
    expected = ", ".join(f"`{context.words.key(section, name)}`" for name in (*may, *OPTIONS[field]))
    here = f"{path}.{entry.key.value}"
    context.tell(entry.key.place, "window-option", here, entry.key.value, field=shown, expected=expected)


def _within(context: Context, entry: Entry | None, path: str) -> Period | None:
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "within")
    if text is None:
        return None
    period, language = read_period(context.words.language, text), context.words.language
    if period is None and NAMED.search(fold(text)) and not text[0].isdigit():
        context.tell(entry.value.place, "named-window", here, text, expected="within")
    elif period is None:
        meant = suggest(language, "within", text)
        shown = entry.key.value
        tell_misread(context, Misread(entry.value.place, here, text, shown, "within", "within", "phrase", meant))
    elif period.unit not in DAY_UNITS:
        context.tell(entry.value.place, "window-hours", here, text, expected="within")
    elif not period.count:
        context.tell(entry.value.place, "window-zero", here, text, expected="within")
    return period


def _genres(context: Context, entry: Entry | None, path: str, compare: Compare) -> tuple[str, ...]:
    """Names of genres; phrases about text other than names are told."""
    if entry is None:
        return ()
    if isinstance(entry.value, Block):
        context.wrong_shape(entry.value, f"{path}.{entry.key.value}", "genre")
        return ()
    check = compare("text", entry)
    if check is None:
        return ()
    if check.op != "is":
        here, shown = f"{path}.{entry.key.value}", entry.key.value
        context.tell(entry.value.place, "phrase", here, _text(entry.value), field=shown, expected="genre")
        return ()
    return tuple(str(value) for value in check.values)


def _text(node: Node) -> str:
    return node.value.strip() if isinstance(node, Text) else ""


def read_deeds(context: Context, field: str, shown: str, node: Items, path: str) -> tuple[Deed, ...] | None:
    """`[2 years ago, {date: 3 months ago, genre: dance}]`; None when a mistake in it is told."""
    before = len(context.mistakes)
    found = [_deed(context, field, shown, item, f"{path}[{n}]") for n, item in enumerate(node.items, 1)]
    return None if len(context.mistakes) > before else tuple(deed for deed in found if deed)


def _deed(context: Context, field: str, shown: str, node: Node, path: str) -> Deed | None:
    if not isinstance(node, Block):
        day = _day(context, node, shown, path)
        return None if day is None else Deed(day)
    entries = context.entries(_whole(context, node, path), ("deed",), path)
    for name in entries.keys() - {"date", *OPTIONS[field]}:
        _does_not_go(context, field, shown, entries[name], ("date",), path)
    if "date" not in entries:
        context.tell(node.place, "deed-no-date", path, shown, expected="deed")
        return None
    day = _day(context, entries["date"].value, entries["date"].key.value, f"{path}.{entries['date'].key.value}")
    genre = context.text(entries["genre"].value, path, "genre") if "genre" in entries else None
    numbers = {name: _number(context, entries[name], path) for name in ("amount", "score") if name in entries}
    return None if day is None else Deed(day, genre, **numbers)


def _day(context: Context, node: Node, shown: str, path: str) -> Shift | date | None:
    text = context.text(node, path, "deed_day")
    if text is None:
        return None
    language = context.words.language
    day = read_fact_date(language, text, read_phrase(language, "date", text))
    if isinstance(day, Shift | date):
        return day
    context.tell(node.place, "value", path, text, field=shown, expected="deed_day")
    return None


def _number(context: Context, entry: Entry, path: str) -> Decimal | None:
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "fact_number")
    number = None if text is None else read_number(context.words.language, text.strip("€$£ "))
    if text is not None and number is None:
        context.tell(entry.value.place, "value", here, text, field=entry.key.value, expected="fact_number")
    return number
