"""`{count: at least 2, within: 12 months, genre: dance}`: a count or a sum over a window; what an example's person did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from rules.calendar_meant import season_meant
from rules.commas import whole
from rules.conditions import Check, Deed, Period, Shift, Window
from rules.context import Context
from rules.days_meant import DAY_UNITS, NAMED
from rules.fields import FIELDS, FieldType
from rules.fields_meant import tell_not_asked
from rules.misread import Misread, tell_misread
from rules.mistakes import fold
from rules.never_true import AHEAD, sensible
from rules.phrases import read_fact_date, read_number, read_period, read_phrase
from rules.suggestions import suggest
from rules.times_meant import Asked, from_to, listed, tell_time, text_of, without_times
from rules.windows import OPTIONS, SUMS, main_of
from rules.words import Vocabulary
from rules.yamltext import Block, Entry, Items, Node

Compare = Callable[[FieldType, Entry], Check | None]
WHEN = ("within", "date")


def read_window(context: Context, field: str, shown: str, block: Block, path: str, compare: Compare) -> Check | None:
    """The count or the sum that a block asks for; None when a mistake in it is told. `compare` reads a line of it as a
    test.
    """
    before, main = len(context.mistakes), main_of(field)
    block = from_to(_whole(context, shown, "window", block, path))
    of = Asked(shown, _first_number(context.words, block), block)
    lines = without_times(context, of, block, path)
    entries = context.entries(_without_what_no_rule_asks(context, lines, path), ("window",), path)
    for name in entries.keys() - {main, *WHEN, *OPTIONS[field]}:
        _does_not_go(context, field, shown, entries[name], (main, *WHEN), path)
    if main not in entries and len(context.mistakes) == before:
        _no_number(context, field, shown, block, entries, path)
    found = _number_test(context, field, entries[main], path, compare) if main in entries else None
    each = next((name for name in ("amount", "score") if name in entries and name in OPTIONS[field]), main)
    test = _number_test(context, each, entries[each], path, compare) if each != main else None
    window = Window(
        _within(context, of, entries.get("within"), path),
        _genres(context, entries.get("genre"), path, compare) if "genre" in OPTIONS[field] else (),
        test and replace(test, field=each),
        _days(context, of, entries.get("date"), path, compare),
    )
    if found is None or len(context.mistakes) > before:
        return None
    plain = field in SUMS and window == Window()  # the sum of everything has a column of its own
    return replace(found, field=field, type=FIELDS[field].type, window=None if plain else window)


def _first_number(words: Vocabulary, block: Block) -> str | None:
    keys = {words.find("window", entry.key.value): text_of(entry.value) for entry in block.entries}
    text = keys.get("count") or keys.get("amount") or ""
    return text if read_phrase(words.language, "number", text) else suggest(words.language, "number", text)


def _no_number(context: Context, field: str, shown: str, block: Block, entries: Mapping[str, Entry], path: str) -> None:
    """Tell a block that asks for no number; beside an amount, the sum of them all may be meant."""
    added = next((name for name, counted in SUMS.items() if counted == field), None)
    if added is None or "amount" not in entries:
        context.tell(block.place, f"window-no-{main_of(field)}", path, shown, expected=main_of(field))
        return
    line = f"{context.words.key('fields', added)}: {{{listed(block)}}}"
    context.tell(block.place, "window-no-count-sum", path, shown, expected="count", line=line)


def not_counted(context: Context, shown: str, block: Block, path: str) -> None:
    """Tell that this field is not counted over a period."""
    counted = ", ".join(f"`{context.words.key('fields', name)}`" for name in OPTIONS)
    context.tell(block.place, "window-not-here", path, field=shown, expected=counted)


def _without_what_no_rule_asks(context: Context, block: Block, path: str) -> Block:
    """Without `product: Season ticket`, which is told."""
    words, kept = context.words, list[Entry]()
    for entry in block.entries:
        if words.meant(("about",), entry.key.value) == "not_asked" and not words.find("window", entry.key.value):
            tell_not_asked(context, entry, path)
        else:
            kept.append(entry)
    return replace(block, entries=tuple(kept))


def _whole(context: Context, shown: str, section: str, block: Block, path: str) -> Block:
    """Without the lines whose value a comma broke off, which are told: `{montant: 50,5}`."""
    types = {"date": "date", "genre": "genre", "within": "within"}

    def kind_of(word: str) -> str | None:
        name = context.words.find(section, word)
        return name and types.get(name, "number")

    return whole(context, shown, block, path, kind_of)


def _number_test(context: Context, name: str, entry: Entry, path: str, compare: Compare) -> Check | None:
    """A line as a test of a number; `known` and `empty` make no sense of what is counted. `name`: what the number is of."""
    if isinstance(entry.value, Block):
        context.wrong_shape(entry.value, f"{path}.{entry.key.value}", "number")
        return None
    check, here = compare("number", entry), f"{path}.{entry.key.value}"
    if check is not None and check.op in {"never", "known"}:
        shown = entry.key.value
        context.tell(entry.value.place, "phrase", here, text_of(entry.value), field=shown, expected="number")
    return next(iter(sensible(context, name, check, entry, here)), None)


def _does_not_go(context: Context, field: str, shown: str, entry: Entry, may: tuple[str, ...], path: str) -> None:
    words, here = context.words, f"{path}.{entry.key.value}"
    context.mistakes[:] = [one for one in context.mistakes if one.place != entry.key.place]  # nor does what was meant
    section = "window" if "within" in may else "deed"
    if field in SUMS and words.find(section, entry.key.value) == "count":
        counted = words.key("fields", SUMS[field])
        context.tell(entry.key.place, "window-sum", here, entry.key.value, field=shown, counted=counted)
        return
    expected = ", ".join(f"`{words.key(section, name)}`" for name in dict.fromkeys((*may, *OPTIONS[field])))
    context.tell(entry.key.place, "window-option", here, entry.key.value, field=shown, expected=expected)


def _within(context: Context, of: Asked, entry: Entry | None, path: str) -> Period | None:
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "within")
    if text is None:
        return None
    period, language = read_period(context.words.language, text), context.words.language
    if period is None:
        meant = suggest(language, "within", text)
        if (not meant or NAMED.search(fold(text))) and tell_time(context, of, entry, path):
            return None
        misread = Misread(entry.value.place, here, text, entry.key.value, "within", "within", "phrase", meant)
        tell_misread(context, misread)
    elif period.unit not in DAY_UNITS:
        context.tell(entry.value.place, "window-hours", here, text, expected="within")
    elif not period.count:
        context.tell(entry.value.place, "window-zero", here, text, expected="within")
    return period


def _days(context: Context, of: Asked, entry: Entry | None, path: str, compare: Compare) -> Check | None:
    """The days of the calendar on which a thing counts."""
    if entry is None:
        return None
    here, text = f"{path}.{entry.key.value}", text_of(entry.value)
    if not text:
        context.wrong_shape(entry.value, here, "window_date")
        return None
    phrase = read_phrase(context.words.language, "date", text)
    spoken = read_period(context.words.language, text) or NAMED.search(fold(text)) or season_meant(text)
    if phrase is None and spoken and tell_time(context, of, entry, path):
        return None
    check = compare("date", entry)
    if check is None:
        return None
    if check.op in {"never", "known"}:
        context.tell(entry.value.place, "phrase", here, text, field=entry.key.value, expected="window_date")
    elif check.op in AHEAD and "genre" in OPTIONS.get(context.words.find("fields", of.field) or "", ()):
        line = f"{context.words.key('fields', 'next_visit')}: {text}"
        context.tell(entry.value.place, "window-ahead", here, text, field=entry.key.value, line=line)
    elif check.op in AHEAD:
        context.tell(entry.value.place, "always-past", here, text, field=entry.key.value)
    return next(iter(sensible(context, "date", replace(check, field="date"), entry, here)), None)


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
        context.tell(entry.value.place, "phrase", here, text_of(entry.value), field=shown, expected="genre")
        return ()
    return tuple(str(value) for value in check.values)


def read_deeds(context: Context, field: str, shown: str, node: Items, path: str) -> tuple[Deed, ...] | None:
    """`[2 years ago, {date: 3 months ago, genre: dance}]`; None when a mistake in it is told."""
    before = len(context.mistakes)
    found = [_deed(context, field, shown, item, f"{path}[{n}]") for n, item in enumerate(node.items, 1)]
    return None if len(context.mistakes) > before else tuple(deed for deed in found if deed)


def _deed(context: Context, field: str, shown: str, node: Node, path: str) -> Deed | None:
    if not isinstance(node, Block):
        day = _day(context, node, shown, path)
        return None if day is None else Deed(day)
    entries = context.entries(_whole(context, "", "deed", node, path), ("deed",), path)
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
