"""Times as people write them beside a count, and rules do not: `au moins 3 en 2026`, `{… depuis: 2026-01-01}`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rules.calendar_meant import calendar_meant, season_meant
from rules.context import Context
from rules.days_meant import NAMED
from rules.misread import tell_named, tell_two_ways
from rules.mistakes import fold
from rules.phrases import Phrase, read_period, read_phrase, typed
from rules.suggestions import suggest
from rules.windows import OPTIONS, main_of
from rules.words import Vocabulary
from rules.yamltext import Block, Entry, Items, Node, Text

CALENDAR = {"before", "after", "since", "until", "between", "on"}


@dataclass(frozen=True)
class Asked:
    """Of what a block tells the time: the field, and its number, as written; and the block."""

    field: str
    number: str | None
    block: Block


def text_of(node: Node) -> str:
    return node.value.strip() if isinstance(node, Text) else ""


def listed(block: Block) -> str:
    """The lines of a block as they stand between braces."""
    return ", ".join(f"{entry.key.value}: {as_typed(entry.value)}" for entry in block.entries)


def as_typed(node: Node) -> str:
    if isinstance(node, Items):
        return f"[{', '.join(map(as_typed, node.items))}]"
    return f'"{text_of(node)}"' if isinstance(node, Text) and node.quoted else text_of(node)


TIMES = {
    *("en", "sur", "dans", "depuis", "ces", "pendant", "durant", "entre", "apres", "avant", "du", "de", "des"),
    *("jusqu'au", "jusqu'a", "jusqu'en", "courant"),
    *("in", "within", "over", "during", "since", "between", "after", "before", "from", "for", "until", "till"),
}
"""Words before a time, in a sentence."""
EACH_TIME = {"a", "an", "per", "each", "every", "par", "chaque"}
LONGEST = 500
"""What is longer was not meant as a number and its time."""
KINDS_OF_TIME = {"saison", "annee", "mois", "periode", "dates", "season", "year", "month"}
FROM, TO = (
    {"de", "du", "depuis", "des", "from", "since", "entre", "between"},
    {"a", "au", "to", "until", "till", "jusqu'au", "et", "and"},
)


def windowed(words: Vocabulary, field: str, text: str) -> str | None:
    """`au moins 3 en 12 mois` and `au moins 3 en 2026` as the block that says so."""
    parts = fold(text).split() if field in OPTIONS and len(text) <= LONGEST else []
    for cut in range(1, len(parts)):
        begins = parts[cut].rstrip(":")
        if begins not in TIMES | EACH_TIME:
            continue
        rest = " ".join(parts[cut + 1 :]).removeprefix(": ")
        if begins not in TIMES and not words.find("units", rest):
            continue
        many, kind = _of_a_genre(words, field, " ".join(parts[:cut]).rstrip(","))
        number = many if read_phrase(words.language, "number", many) else suggest(words.language, "number", many)
        when = _time_meant(words, begins, rest)
        if number is None or when is None:
            continue
        genre = f", {words.key('window', 'genre')}: {kind}" if kind else ""
        return f"{{{words.key('window', main_of(field))}: {in_braces(number)}, {when}{genre}}}"
    return None


def in_braces(number: str) -> str:
    """A number as it stands between braces, where a comma ends it."""
    return f'"{number}"' if "," in number else number


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
    if period := read_period(words.language, rest):
        return f"{within}: {typed(words.language, 'within', Phrase('within', (period,)))}"
    for text in (f"{begins} {rest}", rest):
        meant = suggest(words.language, "date", text)
        phrase = read_phrase(words.language, "date", meant) if meant else None
        if phrase and phrase.op in CALENDAR:
            return f"{words.key('window', 'date')}: {typed(words.language, 'date', phrase)}"
    span = suggest(words.language, "within", rest)
    return f"{within}: {span}" if span else None


def _days_meant(words: Vocabulary, begins: str, rest: str) -> list[str]:
    """`en 2026` and `depuis le 1er mars 2026` as `date: …`; both lines where a day may be read in two ways."""
    language, date_key = words.language, words.key("window", "date")
    for text in (f"{begins} {rest}", rest):
        right = read_phrase(language, "date", text)
        days = [right] if right and right.op in CALENDAR else calendar_meant(language, text)
        if days:
            return [f"{date_key}: {typed(language, 'date', one)}" for one in days]
    return []


def from_to(block: Block) -> Block:
    """With `from: September 2025, to: June 2026` as one line."""
    kept: list[Entry] = []
    for entry in block.entries:
        first = kept[-1] if kept else entry
        if (
            fold(entry.key.value) in TO
            and fold(first.key.value) in FROM
            and text_of(first.value)
            and text_of(entry.value)
        ):
            both = Text(f"{text_of(first.value)} - {text_of(entry.value)}", first.value.place)
            kept[-1] = replace(first, value=both)
        else:
            kept.append(entry)
    return replace(block, entries=tuple(kept))


def without_times(context: Context, of: Asked, block: Block, path: str) -> Block:
    """Without the lines that say when in other words, which are told: `in: 12 months`, `since: 2026-01-01`."""
    kept: list[Entry] = []
    for entry in block.entries:
        words, key = context.words, fold(entry.key.value)
        spoken = key in TIMES | KINDS_OF_TIME or words.meant(("window",), key) == words.key("window", "within")
        if words.find("window", key) or not (spoken and tell_time(context, of, entry, path, key)):
            kept.append(entry)
    return replace(block, entries=tuple(kept))


def tell_time(context: Context, of: Asked, entry: Entry, path: str, begins: str = "") -> bool:
    """Tell a time that is no length of time, or stands after another word, with the line that says it."""
    words, text, here = context.words, fold(text_of(entry.value)), f"{path}.{entry.key.value}"
    season, days = season_meant(f"{begins} {text}") or season_meant(text), _days_meant(words, begins, text)
    right = days[0] if days else _time_meant(words, begins, text)
    if season:
        line = f"{words.key('window', 'date')}: {typed(words.language, 'date', season)}"
        context.tell(entry.value.place, "named-season", here, text, suggestion=_instead(words, of, entry, line))
    elif len(days) == 2:
        tell_two_ways(context, entry.value.place, here, text, [_instead(words, of, entry, one) for one in days])
    elif not days and NAMED.search(text) and not text[0].isdigit():
        tell_named(context, entry.value.place, here, text_of(entry.value), of.field, of.number)
    elif right:
        context.tell(
            entry.key.place, "window-time", here, entry.key.value, suggestion=_instead(words, of, entry, right)
        )
    else:
        return False
    return True


def _instead(words: Vocabulary, of: Asked, entry: Entry, line: str) -> str:
    """The block as it should be typed, with another line in place of this one; the line alone where there is more to mend."""
    names = {one.key.value: words.find("window", one.key.value) for one in of.block.entries if one is not entry}
    if not all(names.values()):
        return line
    lines = [line if one is entry else f"{one.key.value}: {_right(words, of, one)}" for one in of.block.entries]
    return f"{of.field}: {{{', '.join(lines)}}}"


def _right(words: Vocabulary, of: Asked, entry: Entry) -> str:
    """What stands there, or the number that was probably meant."""
    number = words.find("window", entry.key.value) in {"count", "amount"}
    misread = number and not read_phrase(words.language, "number", text_of(entry.value))
    return of.number if misread and of.number else as_typed(entry.value)


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
