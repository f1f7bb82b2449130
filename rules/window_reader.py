"""`{count: at least 2, within: 12 months, genre: dance}`: a count or a sum over a window; what an example's person did."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from rules.calendar_meant import calendar_meant, season_meant
from rules.conditions import Check, Deed, Period, Shift, Window
from rules.context import Context
from rules.days_meant import DAY_UNITS, NAMED
from rules.fields import FIELDS, FieldType
from rules.misread import Misread, tell_misread, tell_named, tell_two_ways
from rules.mistakes import fold
from rules.never_true import AHEAD, sensible
from rules.phrases import read_fact_date, read_number, read_period, read_phrase, typed
from rules.suggestions import suggest
from rules.thousands import IN_BRACES, tell_thousands
from rules.windows import OPTIONS, SUMS, main_of
from rules.words import Vocabulary
from rules.yamltext import Block, Entry, Items, Node, Text

Compare = Callable[[FieldType, Entry], Check | None]
WHEN = ("within", "date")
CALENDAR = {"before", "after", "since", "until", "between", "on"}


@dataclass(frozen=True)
class _Asked:
    """Of what a block tells the time: the field, and its number, as written; and the block."""

    field: str
    number: str | None
    block: Block


def read_window(context: Context, field: str, shown: str, block: Block, path: str, compare: Compare) -> Check | None:
    """The count or the sum that a block asks for; None when a mistake in it is told. `compare` reads a line of it as a
    test.
    """
    before, main = len(context.mistakes), main_of(field)
    block = _from_to(_whole(context, field, block, path))
    of = _Asked(shown, _first_number(context.words, block), block)
    lines = _without_times(context, of, block, path)
    entries = context.entries(lines, ("window",), path)
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
    keys = {words.find("window", entry.key.value): _text(entry.value) for entry in block.entries}
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


def listed(block: Block) -> str:
    """The lines of a block as they stand between braces."""
    return ", ".join(f"{entry.key.value}: {_typed(entry.value)}" for entry in block.entries)


def _typed(node: Node) -> str:
    if isinstance(node, Items):
        return f"[{', '.join(map(_typed, node.items))}]"
    return f'"{_text(node)}"' if isinstance(node, Text) and node.quoted else _text(node)


# --- which time ------------------------------------------------------------------------------------------------------

TIMES = {
    *("en", "sur", "dans", "depuis", "ces", "pendant", "durant", "entre", "apres", "avant", "du", "de", "des"),
    *("jusqu'au", "jusqu'a", "jusqu'en", "courant"),
    *("in", "within", "over", "during", "since", "between", "after", "before", "from", "for", "until", "till"),
}
"""Words before a time, in a sentence."""
KINDS_OF_TIME = {"saison", "annee", "mois", "periode", "dates", "season", "year", "month"}
FROM, TO = (
    {"de", "du", "depuis", "des", "from", "since", "entre", "between"},
    {"a", "au", "to", "until", "till", "jusqu'au", "et", "and"},
)


def windowed(words: Vocabulary, field: str, text: str) -> str | None:
    """`au moins 3 en 12 mois` and `au moins 3 en 2026` as the block that says so."""
    parts = fold(text).split() if field in OPTIONS else []
    for cut in range(1, len(parts)):
        begins = parts[cut].rstrip(":")
        if begins not in TIMES:
            continue
        many, kind = _of_a_genre(words, field, " ".join(parts[:cut]).rstrip(","))
        number = many if read_phrase(words.language, "number", many) else suggest(words.language, "number", many)
        when = _time_meant(words, begins, " ".join(parts[cut + 1 :]).removeprefix(": "))
        if number is None or when is None:
            continue
        if (exact := read_phrase(words.language, "number", number)) and exact.op == "is" and exact.values[0]:
            number = typed(words.language, "number", replace(exact, op="at_least"))  # three in a year: three or more
        genre = f", {words.key('window', 'genre')}: {kind}" if kind else ""
        return f"{{{words.key('window', main_of(field))}: {number}, {when}{genre}}}"
    return None


NOT_ONCE = re.compile(
    r"(?:(?:ne |n')\S+ )?(?:pas|not?|none?|aucune?|jamais|never|rien|nothing|0)(?: (?:de |d')?(\S+))?"
)
"""`no visit`, `pas venu`, `aucun concert`."""


def never_in(words: Vocabulary, field: str, text: str) -> str | None:
    """`pas depuis 6 mois` and `pas plus de 3` of what is counted, as what says so."""
    parts = fold(text).split()
    if NO_MORE.match(fold(text)):
        return windowed(words, field, text) or suggest(words.language, "number", text)
    cut = next((n for n, part in enumerate(parts) if part in TIMES), 0)
    return windowed(words, field, text) if cut and _not_once(" ".join(parts[:cut])) else None


def _not_once(text: str) -> re.Match[str] | None:
    found = NOT_ONCE.fullmatch(text)
    return None if found and found[1] in BOUNDS else found


def _time_meant(words: Vocabulary, begins: str, rest: str) -> str | None:
    """`sur 12 mois` as `sur: 12 mois`; `en 2026` and `depuis le 1er mars 2026` as `date: …`."""
    days = _days_meant(words, begins, rest)
    if days or NAMED.search(rest) or not rest:
        return days[0] if len(days) == 1 else None
    within = words.key("window", "within")
    if read_period(words.language, rest):
        return f"{within}: {rest}"
    for text in (f"{begins} {rest}", rest):
        meant = suggest(words.language, "date", text)
        phrase = read_phrase(words.language, "date", meant) if meant else None
        if phrase and phrase.op in CALENDAR:
            return f"{words.key('window', 'date')}: {typed(words.language, 'date', phrase)}"
    period = suggest(words.language, "within", rest)
    return f"{within}: {period}" if period else None


def _days_meant(words: Vocabulary, begins: str, rest: str) -> list[str]:
    """`en 2026` and `depuis le 1er mars 2026` as `date: …`; both lines where a day may be read in two ways."""
    language, date_key = words.language, words.key("window", "date")
    for text in (f"{begins} {rest}", rest):
        right = read_phrase(language, "date", text)
        days = [right] if right and right.op in CALENDAR else calendar_meant(language, text)
        if days:
            return [f"{date_key}: {typed(language, 'date', one)}" for one in days]
    return []


def _from_to(block: Block) -> Block:
    """With `from: September 2025, to: June 2026` as one line."""
    kept: list[Entry] = []
    for entry in block.entries:
        first = kept[-1] if kept else entry
        if fold(entry.key.value) in TO and fold(first.key.value) in FROM and _text(first.value) and _text(entry.value):
            both = Text(f"{_text(first.value)} - {_text(entry.value)}", first.value.place)
            kept[-1] = replace(first, value=both)
        else:
            kept.append(entry)
    return replace(block, entries=tuple(kept))


def _without_times(context: Context, of: _Asked, block: Block, path: str) -> Block:
    """Without the lines that say when in other words, which are told: `in: 12 months`, `since: 2026-01-01`."""
    kept: list[Entry] = []
    for entry in block.entries:
        words, key = context.words, fold(entry.key.value)
        spoken = key in TIMES | KINDS_OF_TIME or words.meant(("window",), key) == words.key("window", "within")
        if words.find("window", key) or not (spoken and _tell_time(context, of, entry, path, key)):
            kept.append(entry)
    return replace(block, entries=tuple(kept))


def _tell_time(context: Context, of: _Asked, entry: Entry, path: str, begins: str = "") -> bool:
    """Tell a time that is no length of time, or stands after another word, with the line that says it."""
    words, text, here = context.words, fold(_text(entry.value)), f"{path}.{entry.key.value}"
    season, days = season_meant(f"{begins} {text}") or season_meant(text), _days_meant(words, begins, text)
    right = days[0] if days else _time_meant(words, begins, text)
    if season:
        line = f"{words.key('window', 'date')}: {typed(words.language, 'date', season)}"
        context.tell(entry.value.place, "named-season", here, text, suggestion=_instead(words, of, entry, line))
    elif len(days) == 2:
        tell_two_ways(context, entry.value.place, here, text, [_instead(words, of, entry, one) for one in days])
    elif not days and NAMED.search(text) and not text[0].isdigit():
        tell_named(context, entry.value.place, here, _text(entry.value), of.field, of.number)
    elif right:
        context.tell(
            entry.key.place, "window-time", here, entry.key.value, suggestion=_instead(words, of, entry, right)
        )
    else:
        return False
    return True


def _instead(words: Vocabulary, of: _Asked, entry: Entry, line: str) -> str:
    """The block as it should be typed, with another line in place of this one; the line alone where there is more to mend."""
    names = {one.key.value: words.find("window", one.key.value) for one in of.block.entries if one is not entry}
    if not all(names.values()):
        return line
    lines = [line if one is entry else f"{one.key.value}: {_right(words, of, one)}" for one in of.block.entries]
    return f"{of.field}: {{{', '.join(lines)}}}"


def _right(words: Vocabulary, of: _Asked, entry: Entry) -> str:
    """What stands there, or the number that was probably meant."""
    number = words.find("window", entry.key.value) in {"count", "amount"}
    misread = number and not read_phrase(words.language, "number", _text(entry.value))
    return of.number if misread and of.number else _typed(entry.value)


NO_MORE = re.compile(r"(?:pas|not|no) (?:plus|moins|more|less|fewer)\b")
BOUNDS = {"plus", "moins", "more", "less", "fewer", "au", "at"}
PLAIN = {
    "fois",
    "times",
    "venu",
    "venue",
    "venus",
    "been",
    "seen",
    "come",
    "came",
    "visite",
    "visites",
    "visit",
    "visits",
    "spectacle",
    "spectacles",
    "show",
    "shows",
    "venues",
}
"""Words after a number of visits that name no genre."""


def _of_a_genre(words: Vocabulary, field: str, text: str) -> tuple[str, str | None]:
    """`au moins 3 concerts` as the number and the genre."""
    if none := _not_once(text):
        return "0", none[1] if "genre" in OPTIONS[field] and none[1] not in PLAIN else None
    number, _, last = text.rpartition(" ")
    named = "genre" in OPTIONS[field] and last not in PLAIN and read_phrase(words.language, "number", number)
    return (number, last) if named and not read_phrase(words.language, "number", text) else (text, None)


def not_counted(context: Context, shown: str, block: Block, path: str) -> None:
    """Tell that this field is not counted over a period."""
    counted = ", ".join(f"`{context.words.key('fields', name)}`" for name in OPTIONS)
    context.tell(block.place, "window-not-here", path, field=shown, expected=counted)


def _whole(context: Context, field: str, block: Block, path: str) -> Block:
    """Without what a decimal comma broke off: in `{montant: 50,5}` a comma ends the amount."""
    kept: list[Entry] = []
    for entry in block.entries:
        broken = (
            re.fullmatch(r"\d+\s*[€$£]?", entry.key.value) and isinstance(entry.value, Text) and not entry.value.value
        )
        if broken and kept and isinstance(kept[-1].value, Text):
            number = f"{kept[-1].value.value},{entry.key.value}"
            shown = kept[-1].key.value
            if not tell_thousands(context, field, shown, Text(number, entry.key.place), path, IN_BRACES):
                context.tell(entry.key.place, "decimal-comma", path, number, suggestion=f'"{number}"')
        else:
            kept.append(entry)
    return replace(block, entries=tuple(kept))


def _number_test(context: Context, name: str, entry: Entry, path: str, compare: Compare) -> Check | None:
    """A line as a test of a number; `known` and `empty` make no sense of what is counted. `name`: what the number is of."""
    if isinstance(entry.value, Block):
        context.wrong_shape(entry.value, f"{path}.{entry.key.value}", "number")
        return None
    check, here = compare("number", entry), f"{path}.{entry.key.value}"
    if check is not None and check.op in {"never", "known"}:
        shown = entry.key.value
        context.tell(entry.value.place, "phrase", here, _text(entry.value), field=shown, expected="number")
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


def _within(context: Context, of: _Asked, entry: Entry | None, path: str) -> Period | None:
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "within")
    if text is None:
        return None
    period, language = read_period(context.words.language, text), context.words.language
    if period is None:
        meant = suggest(language, "within", text)
        if (not meant or NAMED.search(fold(text))) and _tell_time(context, of, entry, path):
            return None
        misread = Misread(entry.value.place, here, text, entry.key.value, "within", "within", "phrase", meant)
        tell_misread(context, misread)
    elif period.unit not in DAY_UNITS:
        context.tell(entry.value.place, "window-hours", here, text, expected="within")
    elif not period.count:
        context.tell(entry.value.place, "window-zero", here, text, expected="within")
    return period


def _days(context: Context, of: _Asked, entry: Entry | None, path: str, compare: Compare) -> Check | None:
    """The days of the calendar on which a thing counts."""
    if entry is None:
        return None
    here, text = f"{path}.{entry.key.value}", _text(entry.value)
    if not text:
        context.wrong_shape(entry.value, here, "window_date")
        return None
    phrase = read_phrase(context.words.language, "date", text)
    spoken = read_period(context.words.language, text) or NAMED.search(fold(text)) or season_meant(text)
    if phrase is None and spoken and _tell_time(context, of, entry, path):
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
    entries = context.entries(_whole(context, field, node, path), ("deed",), path)
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
