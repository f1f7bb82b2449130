"""Days of the calendar as people write them, and rules do not: `entre septembre 2025 et juin 2026`, `until June`, `en 2025`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from rules.mistakes import fold, nearest
from rules.phrases import Phrase
from rules.words import vocabulary

Days = tuple[date, date]
FIRST_YEAR, LAST_YEAR = 1900, 2200
OPS = (
    ("since", r"on or after|since|from|as of|starting(?: from| on)?|depuis|a partir d[eu]|a compter d[eu]|des|du"),
    (
        "until",
        r"on or before|up to(?: and including)?|until|till?|through|by|no later than|jusqu'(?:au|a|en)|d'ici(?: a| au)?",
    ),
    ("before", r"avant|before|prior to|earlier than"),
    ("after", r"apres|after|later than"),
    ("between", r"en|in|on|dans|within|during|over|for|pendant|durant|courant|sur|au cours d[eu]"),
)
"""What a word before a time makes of it."""
BETWEEN = re.compile(r"(?:(?:entre|between|from|des?|du|d'|depuis|since) ?)?(.+)")
TO = re.compile(r" (?:et|and|au|a|to|until|till|through|jusqu'(?:au|a|en)) | ?[-\u2013\u2014\u2192] ?")
ARTICLE = re.compile(r"^(?:le |la |l'|the |on |of )+")
EDGE = re.compile(r"(?:(debut|beginning of|start of)|(?:fin|end of))(?: de| d')? ?(?:the |of |l')?(.+)")
WEEKDAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche),? "
)
ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})")
NAMED = re.compile(r"(\d{1,2})(?:er|st|nd|rd|th)?(?: of| de)? ([a-z]+)[.,]*(?: of| de)? (\d{4})")
AMERICAN = re.compile(r"([a-z]+)\.? (?:the )?(\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
MONTH = re.compile(r"([a-z]+)\.?(?: of| de)?,? (\d{4})")
IN_FIGURES = re.compile(r"(\d{4})-(\d{1,2})|(\d{1,2})/(\d{4})")
YEAR = re.compile(r"(?:(?:annee|year) )?(\d{4})")
DAY = re.compile(r"(\d{1,2})(?:er|st|nd|rd|th)?")
SEASON = re.compile(
    r"(?:(?:saison|season) (?:of |de )?(?P<first>(?:20)?\d\d)|(?P<year>20\d\d)) ?[-/\u2013] ?(?P<last>(?:20)?\d\d)(?: season)?"
)


def calendar_meant(language: str, text: str) -> list[Phrase]:
    """The phrase about days that was probably meant; two of them where `03/04/2024` may be either day; none where nobody
    can tell.
    """
    folded = WEEKDAY.sub("", fold(text))
    found = [one for first in (True, False) if (one := _phrase(language, folded, day_first=first))]
    same = len(found) == 2 and found[0] == found[1]
    return found[:1] if same or language != "en" else found


def season_meant(text: str) -> Phrase | None:
    """`saison 2025-2026` as its days, where it runs from September to August."""
    for op, rest in _begun(fold(text)):
        season = SEASON.fullmatch(ARTICLE.sub("", rest))
        if season and (days := _of_season(season["first"] or season["year"], season["last"])):
            return _with(op, days)
    return None


def season_within(text: str) -> Phrase | None:
    """The season that a text names somewhere: `au moins 2 pendant la saison 2025-2026`."""
    found = SEASON.search(fold(text))
    return season_meant(found[0]) if found else None


def _phrase(language: str, folded: str, *, day_first: bool) -> Phrase | None:
    if season_meant(folded):
        return None  # its days are each house's own
    for op, rest in _begun(folded):
        vague = op == "between" and EDGE.fullmatch(ARTICLE.sub("", rest))  # `fin 2025` by itself
        if not vague and (days := _days(language, rest, day_first=day_first)):
            return _with(op, days)
    return _between(language, folded, day_first=day_first)


def _begun(folded: str) -> Iterator[tuple[str, str]]:
    """What a text may be once a word before the time is off it, and what this word makes of the time."""
    for op, pattern in OPS:
        if found := re.match(rf"(?:{pattern}) ", folded):
            yield op, folded[found.end() :]
    yield "between", folded


def _with(op: str, days: Days) -> Phrase:
    first, last = days
    match op:
        case "between":
            return Phrase("on", (first,)) if first == last else Phrase("between", days)
        case "since" | "before":
            return Phrase(op, (first,))
        case _:
            return Phrase(op, (last,))


def _between(language: str, folded: str, *, day_first: bool) -> Phrase | None:
    """`du 1er septembre au 30 juin 2026`: what the first day leaves out, the last one tells."""
    begun = BETWEEN.fullmatch(folded)
    for cut in TO.finditer(begun[1]) if begun else ():
        one, other = begun[1][: cut.start()], begun[1][cut.end() :]  # type: ignore[index]  # there are none otherwise
        last = _days(language, other, day_first=day_first)
        for text in _completed(one, last) if last else ():
            first = _days(language, text, day_first=day_first)
            if first and last and first[0] < last[1]:
                return Phrase("between", (first[0], last[1]))
    return None


def _completed(text: str, last: Days) -> Iterator[str]:
    """A day or a month, and again with what it leaves out."""
    day, bare = last[1], ARTICLE.sub("", text)
    yield text
    if alone := DAY.fullmatch(bare):
        yield f"{day.year}-{day.month}-{alone[1]}"
    elif not re.search(r"\d{4}", bare):
        yield f"{bare} {day.year}"
        yield f"{bare} {day.year - 1}"


def _days(language: str, text: str, *, day_first: bool) -> Days | None:  # noqa: PLR0911  one return a way to write it
    """The first and the last day of a day, a month or a year."""
    bare = ARTICLE.sub("", text.strip())
    if edge := EDGE.fullmatch(bare):
        days = _days(language, edge[2], day_first=day_first)
        return days and ((days[0], days[0]) if edge[1] else (days[1], days[1]))
    if found := ISO.fullmatch(bare):
        return _of_day(found[1], found[2], found[3])
    if found := SLASHED.fullmatch(bare):
        day, month = (found[1], found[3]) if day_first else (found[3], found[1])
        return _of_day(_long(found[4]), month, day)
    if (found := NAMED.fullmatch(bare)) and (month_number := month_named(language, found[2])):
        return _of_day(found[3], str(month_number), found[1])
    if (found := AMERICAN.fullmatch(bare)) and (month_number := month_named(language, found[1])):
        return _of_day(found[3], str(month_number), found[2])
    if (found := MONTH.fullmatch(bare)) and (month_number := month_named(language, found[1])):
        return _of_month(int(found[2]), month_number)
    if found := IN_FIGURES.fullmatch(bare):
        return _of_month(int(found[1] or found[4]), int(found[2] or found[3]))
    found = YEAR.fullmatch(bare)
    year = int(found[1]) if found else 0
    return (date(year, 1, 1), date(year, 12, 31)) if FIRST_YEAR <= year <= LAST_YEAR else None


def _long(year: str) -> str:
    return year if len(year) == 4 else f"20{year}"


def _of_day(year: str, month: str, day: str) -> Days | None:
    """`2024-02-30` as the last day of that month, which is what was meant."""
    months = _of_month(int(year), int(month))
    if not months or not 1 <= int(day) <= 31:
        return None
    found = months[0] + timedelta(days=min(int(day), months[1].day) - 1)
    return found, found


def _of_month(year: int, month: int) -> Days | None:
    if not (1 <= month <= 12 and 1 <= year <= 9999):
        return None
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _of_season(begins: str, ends: str) -> Days | None:
    first, last = int(_long(begins)), int(_long(ends))
    return (date(first, 9, 1), date(last, 8, 31)) if last == first + 1 else None


@cache
def month_named(language: str, word: str) -> int | None:
    """`janv`, `Sept` or `fevrir` as the number of a month."""
    months = [fold(month) for month in vocabulary(language).words["months"]]
    begun = [month for month in months if len(word) > 2 and month.startswith(word)]
    meant = begun[0] if len(begun) == 1 else nearest(word, months) if len(word) > 3 else None
    return None if meant is None else months.index(meant) + 1
