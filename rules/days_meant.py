"""Days and periods as people write them, and rules do not: `31 janv. 2024`, `avant 2024`, `un an et demi`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache

from rules.mistakes import fold, nearest
from rules.phrases import read_date, read_period
from rules.words import vocabulary

DAY_UNITS = ("day", "week", "month", "year")
TO_COME = re.compile(
    r"^(?:dans|d'ici|in|within|by)\b|^(?:les |the )?(?:prochaine?s?|next)\b|prochaine?s?|\b(?:demain|tomorrow)\b"
)
BEFORE_NOW = re.compile(r"\b(?:derniere?s?|last|past)\b")
WHOLE = re.compile(
    r"(la |le |the )?(?=.*(?:derni|prochain|last|next))(?:last |next )?(semaine|mois|week|month)(?: derni\w+| prochaine?)?"
)
SLASHED = re.compile(r"(.*?)\b(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})\b(.*)")
SINCE = re.compile(r"(?:since|from|as of|depuis|a partir d[eu]|a compter d[eu]|du) (?:the |le )?(.+)")
SPAN = re.compile(r"(?:(avant|before|apres|after|depuis|since|en|in) )?(?:le |the )?(?:([a-z]+)\.? )?(\d{4})")
ONE_MONTH = re.compile(
    r"(?:entre |between |du |de |from )?(?:le |the )?(\d{1,2})(?:er)? (?:et|and|au|a|to|-) (?:le |the )?(\d{1,2})(?:er)? ([a-z]+)\.? (\d{4})"
)
NAMED = re.compile(
    r"\b(?:saisons?|seasons?|(?:cette|l'|derniere|prochaine) ?annee|l'an (?:dernier|prochain)|(?:this|last|next) year|"
    r"ce mois(?:-ci)?|this month|cette semaine|this week|trimestres?|semestres?|quarters?|printemps|spring|ete|summer|"
    r"automne|autumn|fall|hiver|winter|noel|christmas)\b"
)
"""Times that each house begins and ends on days of its own."""


def rewritten_date(language: str, folded: str) -> Iterator[str]:
    """Phrases that may have been meant, to be tried one after the other."""
    phrases = vocabulary(language).words["phrases"]["date"]
    day_word = vocabulary(language).words["units"]["day"][-1]
    whole_months = _whole_months(language, folded)
    if whole_months != folded:
        yield whole_months
    folded = whole_months
    if day := {"hier": "ago", "yesterday": "ago", "demain": "in", "tomorrow": "in"}.get(folded):
        yield phrases[day][0].replace("{period}", f"1 {vocabulary(language).words['units']['day'][0]}")
    if whole := WHOLE.fullmatch(folded):
        days = "7" if whole[2] in {"semaine", "week"} else "30"
        yield (
            phrases["next" if TO_COME.search(folded) else "less_ago"][0]
            .replace("{next}", put_next(f"{days} {day_word}") if language == "fr" else f"{days} {day_word}")
            .replace("{period}", f"{days} {day_word}")
        )
    yield from _rewritten_days(language, folded, phrases)
    late = re.fullmatch(r"(?:(?:dans|in|over) )?(?:les |ces |the )?(?:last |past )?(\d+) (?:derni\w+ )?(\w+)", folded)
    if late and BEFORE_NOW.search(folded):
        yield phrases["less_ago"][0].replace("{period}", f"{late[1]} {late[2]}")
    if since := re.fullmatch(r"(?:since|for|depuis|older than|longer than|earlier than) (.+)", folded):
        yield phrases["more_ago"][0].replace("{period}", since[1])
    if read_period(language, folded):
        yield phrases["more_ago"][0].replace("{period}", folded)
    if soon := re.fullmatch(r"(?:dans moins d(?:e |')|d'ici (?:a )?|in less than |within (?:the next )?)(.+)", folded):
        yield phrases["next"][0].replace("{period}", soon[1])
        yield f"dans les {put_next(re.sub(r'^(?:une?) ', '1 ', soon[1]))}"
    if french := re.fullmatch(r"(?:plus|moins) d(?:e |').+|more than .+|less than .+", folded):
        rest = re.sub(r"^(?:plus|moins) d(?:e |')|^(?:more|less) than ", "", french[0])
        op = "less_ago" if french[0].startswith(("moins", "less")) else "more_ago"
        yield phrases[op][0].replace("{period}", rest)


def _rewritten_days(language: str, folded: str, phrases: Mapping[str, list[str]]) -> Iterator[str]:
    if both := re.fullmatch(r"(?:du|de|from|entre|between) (\S+) (?:au|a|to|until|et|and|-) (\S+)", folded):
        yield phrases["between"][0].replace("{date}", both[1], 1).replace("{date}", both[2], 1)
    if span := SPAN.fullmatch(folded):
        yield from _whole_span(language, span, phrases)
    named = re.fullmatch(r"(.*?)\b(\d{1,2})(?:er)? ([a-z]+)\.? (\d{4})(.*)", folded)
    if named and (month := _month(language, named[3])) and int(named[4]):
        yield f"{named[1]}{named[4]}-{month:02}-{int(named[2]):02}{named[5]}"
        most = calendar.monthrange(int(named[4]), month)[1]
        yield f"{named[1]}{named[4]}-{month:02}-{most:02}{named[5]}" if 28 < int(named[2]) <= 31 else ""
    if (within := ONE_MONTH.fullmatch(folded)) and (month := _month(language, within[3])):
        days = [f"{within[4]}-{month:02}-{int(within[n]):02}" for n in (1, 2)]
        yield phrases["between"][0].replace("{date}", days[0], 1).replace("{date}", days[1], 1)
    if (slashed := SLASHED.fullmatch(folded)) and not two_ways(language, folded):
        day, month = int(slashed[2]), int(slashed[3])
        if month > 12 >= day and language == "en":
            day, month = month, day
        year = slashed[4] if len(slashed[4]) == 4 else f"20{slashed[4]}"
        yield f"{slashed[1]}{year}-{month:02}-{day:02}{slashed[5]}"
    if (since := SINCE.fullmatch(folded)) and (first := read_date(language, since[1])) and first > date.min:
        yield phrases["after"][0].replace("{date}", date.fromordinal(first.toordinal() - 1).isoformat())
    if swapped := re.fullmatch(r"(.*?)(\d{4})[/.](\d{1,2})[/.](\d{1,2})", folded):
        yield f"{swapped[1]}{swapped[2]}-{int(swapped[3]):02}-{int(swapped[4]):02}"
    if not two_ways(language, folded) and (last := _last_of_month(folded)):
        yield last


def two_ways(language: str, folded: str) -> tuple[date, date] | None:
    """The two days that `03/04/2024` may be in English: Britain puts the day first, the United States the month."""
    found = SLASHED.fullmatch(folded)
    if language != "en" or not found or len(found[4]) != 4 or found[2] == found[3]:
        return None
    try:
        return date(int(found[4]), int(found[3]), int(found[2])), date(int(found[4]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _whole_span(language: str, span: re.Match[str], phrases: Mapping[str, list[str]]) -> Iterator[str]:
    """`avant janvier 2024`, `en 2024`: the days that a month or a year begins and ends on."""
    month, year = _month(language, span[2]) if span[2] else None, int(span[3])
    if (span[2] and not month) or not 1900 <= year <= 2100:
        return
    first = date(year, month or 1, 1)
    last = date(year, month or 12, calendar.monthrange(year, month or 12)[1])
    match span[1]:
        case "avant" | "before":
            yield phrases["before"][0].replace("{date}", first.isoformat())
        case "apres" | "after":
            yield phrases["after"][0].replace("{date}", last.isoformat())
        case "depuis" | "since":
            yield phrases["after"][0].replace("{date}", date.fromordinal(first.toordinal() - 1).isoformat())
        case _:
            both = phrases["between"][0].replace("{date}", first.isoformat(), 1)
            yield both.replace("{date}", last.isoformat(), 1)


def _last_of_month(folded: str) -> str | None:
    """`2024-02-30` as the last day of that month, which is what was meant."""

    def right(found: re.Match[str]) -> str:
        year, month, day = (int(text) for text in found.groups())
        known = 1 <= month <= 12 and 28 < day <= 31 and year > 0
        return f"{year}-{month:02}-{min(day, calendar.monthrange(year, month)[1]):02}" if known else found[0]

    iso = re.sub(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b", r"\3-\2-\1", folded)
    mended = re.sub(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", right, iso)
    return mended if mended != folded else None


@cache
def _month(language: str, word: str) -> int | None:
    """`janv`, `Sept` or `fevrir` as the number of a month."""
    months = [fold(month) for month in vocabulary(language).words["months"]]
    begun = [month for month in months if len(word) > 2 and month.startswith(word)]
    meant = begun[0] if len(begun) == 1 else nearest(word, months) if len(word) > 3 else None
    return None if meant is None else months.index(meant) + 1


def _whole_months(language: str, folded: str) -> str:
    """`1,5 an` and `un an et demi` as `18 mois`: periods are whole."""
    month = vocabulary(language).words["units"]["month"][-1]
    folded = re.sub(r"\b(\d+)[.,]5 (?:ans?|years?)\b", lambda found: f"{int(found[1]) * 12 + 6} {month}", folded)
    folded = re.sub(r"d'(un an et demi)\b", r"de \1", folded)
    return re.sub(r"\b(?:un an et demi|a year and a half|one and a half years?)\b", f"18 {month}", folded)


def put_next(period: str) -> str:
    """`7 jours` as `7 prochains jours`."""
    return period.replace(" ", " prochains ", 1)


def without_year(language: str, text: str) -> str | None:
    """The day in a text that names no year: `14 juillet`."""
    months = [fold(month) for month in vocabulary(language).words["months"]]
    named = re.finditer(r"\b\d{1,2}(?:er)? ([^\W\d]+)\b(?!\.? ?\d)", text)
    return next((found[0] for found in named if fold(found[1]) in months), None)


def no_such_day(language: str, text: str) -> bool:
    """Whether a text names a day that the calendar does not have."""
    if any(_is_no_day(language, *found.groups()) for found in DATES.finditer(text)):
        return True
    named = re.finditer(r"\b(\d{1,2})(?:er)? ([a-z]+)\.? (\d{4})\b", fold(text))
    days = [(int(found[3]), _month(language, found[2]), int(found[1])) for found in named]
    return any(month and not _is_day(year, month, day) for year, month, day in days)


def _is_no_day(language: str, year: str | None, month: str, day: str, *slashed: str) -> bool:
    orders = [(year, month, day)] if year else [slashed[::-1]]
    orders += [(slashed[2], slashed[0], slashed[1])] if not year and language == "en" else []
    return not any(_is_day(*map(int, order)) for order in orders)


def _is_day(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= year <= 9999 and 1 <= day <= calendar.monthrange(year, month)[1]


DATES = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
