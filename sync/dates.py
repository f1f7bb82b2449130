"""Days and moments in words. In French the first of a month is `1er`."""

from __future__ import annotations

import re
from datetime import date, datetime

from babel import Locale, dates

FIRST = re.compile(r"(?<![\d.:/])1(?= [^\W\d])")


def format_date(day: date, format: str, *, locale: str | Locale) -> str:  # noqa: A002  as Babel names it
    """As Babel's: `1er novembre 2026`."""
    return _written(dates.format_date(day, format, locale=locale), locale)


def format_datetime(moment: datetime, format: str, *, locale: str | Locale) -> str:  # noqa: A002  as Babel names it
    """As Babel's: `dimanche 1er novembre 2026 à 14:30`."""
    return _written(dates.format_datetime(moment, format, locale=locale), locale)


def _written(text: str, locale: str | Locale) -> str:
    return FIRST.sub("1er", text, count=1) if str(locale).startswith("fr") else text
