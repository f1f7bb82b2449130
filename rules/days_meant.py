"""Times back from today, and to come, as people write them, and rules do not: `hier`, `un an et demi`, `d'ici 3 mois`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator

from rules.calendar_meant import month_named
from rules.mistakes import fold
from rules.phrases import read_period
from rules.words import vocabulary

DAY_UNITS = ("day", "week", "month", "year")
TO_COME = re.compile(
    r"^(?:dans|d'ici|in|within|by)\b|^(?:les |the )?(?:prochaine?s?|next)\b|prochaine?s?|\b(?:demain|tomorrow)\b"
)
BEFORE_NOW = re.compile(r"\b(?:derniere?s?|last|past)\b")
WHOLE = re.compile(
    r"(la |le |the )?(?=.*(?:derni|prochain|last|next))(?:last |next )?(semaine|mois|week|month)(?: derni\w+| prochaine?)?"
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
    if bound := re.fullmatch(
        r"(?:il y a )?(.+?)(?: ago)? (?:ou|or|et|and) (plus|davantage|more|longer|moins|less)(?: ago)?", folded
    ):
        op = "less_ago" if bound[2] in {"moins", "less"} else "more_ago"
        yield phrases[op][0].replace("{period}", bound[1])
    if french := re.fullmatch(r"(?:plus|moins) d(?:e |').+|more than .+|less than .+", folded):
        rest = re.sub(r"^(?:plus|moins) d(?:e |')|^(?:more|less) than ", "", french[0])
        op = "less_ago" if french[0].startswith(("moins", "less")) else "more_ago"
        yield phrases[op][0].replace("{period}", rest)


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
    """The day in a text that names no year: `14 juillet`, `July 14th`."""
    months = [fold(month) for month in vocabulary(language).words["months"]]
    american = re.finditer(r"\b([^\W\d]+) (\d{1,2})(?:st|nd|rd|th)?\b(?!,? ?\d)", text)
    if day := next((f"{found[2]} {found[1]}" for found in american if fold(found[1]) in months), None):
        return day
    named = re.finditer(r"\b\d{1,2}(?:er)? ([^\W\d]+)\b(?!\.?,? ?\d)", text)
    return next((found[0] for found in named if fold(found[1]) in months), None)


def no_such_day(language: str, text: str) -> bool:
    """Whether a text names a day that the calendar does not have."""
    if any(_is_no_day(language, *found.groups()) for found in DATES.finditer(text)):
        return True
    named = re.finditer(r"\b(\d{1,2})(?:er)? ([a-z]+)\.? (\d{4})\b", fold(text))
    days = [(int(found[3]), month_named(language, found[2]), int(found[1])) for found in named]
    return any(month and not _is_day(year, month, day) for year, month, day in days)


def _is_no_day(language: str, year: str | None, month: str, day: str, *slashed: str) -> bool:
    orders = [(year, month, day)] if year else [slashed[::-1]]
    orders += [(slashed[2], slashed[0], slashed[1])] if not year and language == "en" else []
    return not any(_is_day(*map(int, order)) for order in orders)


def _is_day(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= year <= 9999 and 1 <= day <= calendar.monthrange(year, month)[1]


DATES = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
