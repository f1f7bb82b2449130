"""A text that is no phrase of its kind, told with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from rules.calendar_meant import SEASON, calendar_meant, season_meant, season_within
from rules.conditions import Period
from rules.context import Context
from rules.days_meant import DAY_UNITS, NAMED, no_such_day, without_year
from rules.mistakes import Place, fold
from rules.phrases import Phrase, grammar_of, read_period, read_phrase, typed
from rules.suggestions import suggest, unknown_unit
from rules.windows import OPTIONS as WINDOWS
from rules.windows import SUMS, main_of

ONCE = {
    *(
        "jamais",
        "non",
        "une fois",
        "une seule fois",
        "1 fois",
        "une fois seulement",
        "qu'une fois",
        "pas",
        "seulement une fois",
    ),
    *("never", "no", "once", "only once", "just once", "one time", "1 time", "one time only", "once only", "not again"),
}
"""What is written after `again` where an e-mail is to go once."""
AROUND = {
    *(
        "la",
        "le",
        "l'",
        "cette",
        "ce",
        "en",
        "sur",
        "pendant",
        "derniere",
        "dernier",
        "prochaine",
        "prochain",
        "passee",
    ),
    *("the", "this", "last", "next", "past", "in", "during", "over"),
}
"""Words around the name of a time: `la saison dernière`."""
BESIDE_A_TIME = AROUND | {
    *(
        "au",
        "moins",
        "plus",
        "de",
        "d'un",
        "d'une",
        "il",
        "y",
        "a",
        "dans",
        "les",
        "des",
        "depuis",
        "durant",
        "derniers",
    ),
    *("at", "least", "most", "more", "less", "than", "within", "for", "since", "every", "ago", "dernieres"),
}
"""Words beside a length of time that name no number of times."""
ABOUT_TIME = ("date", "within", "wait", "latest", "again", "due", "at", "sheet")


@dataclass(frozen=True)
class Misread:
    """`kind`: the phrases it was held against; `field`: the word before it, as written; `code`: the mistake (with `-near`
    where `meant`, what was probably meant, is known); `expected`: an entry of the vocabulary's `expected`.
    """

    place: Place
    path: str
    found: str
    field: str
    kind: str
    expected: str
    code: str
    meant: str | None
    quotable: bool = False  # it may be meant as it stands, and then goes into quotes


def tell_misread(context: Context, one: Misread) -> None:  # noqa: C901  one case a way to misread
    """Its own code, unless more can be said: a day that there is not, a unit that nobody knows, a season."""
    language, folded, tell = context.words.language, fold(one.found), partial(context.tell, one.place)
    dated = one.kind in {"date", "sheet"}
    day = without_year(language, one.found) if dated and (one.kind == "sheet" or not one.meant) else None
    block = (one.meant or "").startswith("{")
    whole = {"line_meant": f"{one.field}: {one.meant}"} if one.kind == "date" or block else {}
    if one.kind == "number" and _no_number_of_times(context, one, folded):
        return
    if dated and len(both := calendar_meant(language, one.found)) == 2:
        tell_two_ways(context, one.place, one.path, one.found, [_line(language, one.field, day) for day in both])
    elif dated and no_such_day(language, one.found):
        tell("no-such-date-near" if one.meant else "no-such-date", one.path, one.found, suggestion=one.meant, **whole)
    elif day:
        tell("no-year", one.path, one.found, day=day)
    elif one.meant:
        more = whole | ({"quotable": True} if one.quotable else {})
        tell(f"{one.code}-near", one.path, one.found, field=one.field, suggestion=one.meant, **more)
    elif one.kind == "date" and (season := season_meant(one.found)):
        tell("named-season", one.path, one.found, suggestion=_line(language, one.field, season))
    elif one.kind in ABOUT_TIME and (word := unknown_unit(language, one.kind, one.found)):
        tell("unknown-unit", one.path, one.found, unit=word, expected=_units(context, one.kind))
    elif one.kind in {"date", "number"} and (each := _two_phrases(language, one.kind, one.found)):
        facts = {name: f"- {one.field}: {text}" for name, text in zip(("first", "second"), each, strict=True)}
        tell("two-phrases", one.path, one.found, all_of=context.words.key("logic", "all_of"), **facts)
    elif one.kind == "again" and folded in ONCE:
        tell_once(context, one.place, one.path, one.found)
    elif one.kind == "date" and NAMED.search(folded):
        tell("named-time", one.path, one.found, expected=_named(folded))
    else:
        tell(one.code, one.path, one.found, field=one.field, expected=one.expected)


def tell_once(context: Context, place: Place, path: str, found: str) -> None:
    """Tell how an e-mail goes once and never again."""
    again, never = context.words.key("option_email", "again"), typed(context.words.language, "again", Phrase("never"))
    context.tell(place, "again-never", path, found, field=again, line=f"{again}: {never}")


def tell_two_ways(context: Context, place: Place, path: str, found: str, lines: Sequence[str]) -> None:
    """Tell a day that may be read in two ways, with the line for each."""
    context.tell(place, "two-ways", path, found, first=lines[0], second=lines[1])


def _line(language: str, field: str, phrase: Phrase) -> str:
    return f"{field}: {typed(language, 'date', phrase)}"


def tell_named(context: Context, place: Place, path: str, found: str, shown: str, asked: str | None = None) -> None:
    """Tell a season or `this year`, with a block that names the days. `shown`: the field that counts, and `asked`: the
    number, as written.
    """
    words = context.words
    field = words.find("fields", shown) or ""
    number = asked or typed(words.language, "number", Phrase("at_least", (Decimal(100 if field in SUMS else 3),)))
    season = season_within(found)
    days = str(words.words["expected"][_named(fold(found))]).split("`")[1]
    days = typed(words.language, "date", season) if season else days
    block = f"{{{words.key('window', main_of(field))}: {number}, {words.key('window', 'date')}: {days}}}"
    if season:
        context.tell(place, "named-season", path, found, suggestion=f"{shown}: {block}")
        return
    span = (
        f"{words.key('window', 'within')}: {typed(words.language, 'within', Phrase('within', (Period(12, 'month'),)))}"
    )
    context.tell(place, "named-window", path, found, expected=f"`{shown}: {block}`", span=span)


def _named(folded: str) -> str:
    return "named_year" if re.search(r"\b(?:annee|an|year)\b", folded) else "named_time"


def number_asked(language: str, text: str) -> str | None:
    """The `plus de 100` of `plus de 100 cette année`; of a time alone, `au moins 1`."""
    bare = " ".join(word for word in NAMED.sub(" ", SEASON.sub(" ", fold(text))).split() if word not in AROUND)
    if not bare:
        return typed(language, "number", Phrase("at_least", (Decimal(1),)))
    return bare if read_phrase(language, "number", bare) else suggest(language, "number", bare)


def _two_phrases(language: str, kind: str, text: str) -> tuple[str, str] | None:
    """`il y a plus de 6 mois et moins de 2 ans` as its two phrases."""
    parts = re.split(r"\s+(?:et|and|mais|but)\s+", text)
    if len(parts) != 2:
        return None
    right = [part if read_phrase(language, kind, part) else suggest(language, kind, part) for part in parts]
    return (right[0], right[1]) if right[0] and right[1] else None


def _no_number_of_times(context: Context, one: Misread, folded: str) -> bool:
    """Tell `au moins 80 %`, `2 ans` and `3 cette année`, where a number of times is asked for."""
    named: object = None
    span = None if (one.meant or "").startswith("{") else _span(context.words.language, folded)
    if "%" in one.found:
        context.tell(one.place, "percent", one.path, one.found, field=one.field, expected="number")
    elif span:
        told = set(folded.removesuffix(span).split())
        right = _counted(context, one.field, span) if told <= BESIDE_A_TIME else None
        context.tell(one.place, "time-for-count", one.path, one.found, field=one.field, suggestion=right)
    elif named := not one.meant and NAMED.search(folded) and context.words.find("fields", one.field) in WINDOWS:
        tell_named(context, one.place, one.path, one.found, one.field, number_asked(context.words.language, one.found))
    return bool(span or "%" in one.found or named)


def _span(language: str, folded: str) -> str | None:
    """The `2 ans` of `au moins 2 ans`."""
    grammar = grammar_of(language)
    found = re.search(rf"\b(?:{grammar.number})\s+(?:{grammar.unit})$", folded)
    return found[0] if found else None


def _counted(context: Context, shown: str, span: str) -> str | None:
    """What asks for one of them within this time, of a field that can be counted so."""
    words = context.words
    field = words.find("fields", shown)
    if field not in WINDOWS or field in SUMS:
        return None
    least = typed(words.language, "number", Phrase("at_least", (Decimal(1),)))
    period = read_period(words.language, span)
    within = typed(words.language, "within", Phrase("within", (period,))) if period else span
    return f"{{{words.key('window', 'count')}: {least}, {words.key('window', 'within')}: {within}}}"


def _units(context: Context, kind: str) -> str:
    known = context.words.words["units"]
    names = DAY_UNITS if kind in {"date", "within", "sheet"} else ("minute", "hour", *DAY_UNITS)
    return ", ".join(f"`{known[name][min(1, len(known[name]) - 1)]}`" for name in names)
