"""Dates as Excel counts them.

A date is a number of days since 1899-12-31, with a 29 February 1900 that never was; or since 1904-01-01 where the
workbook says so (ECMA-376 part 1, 18.17.4.1).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from connectors.sheets.sheet import Cell

Kind = Literal["number", "date", "datetime", "time"]

_FIRST_1900, _FIRST_1904 = datetime(1899, 12, 31), datetime(1904, 1, 1)  # noqa: DTZ001  cells have no zone
_LEAP_THAT_NEVER_WAS = 60
_MILLISECONDS = 86_400_000


def from_serial(serial: float, kind: Kind, *, from_1904: bool) -> Cell:
    """What a number means in a cell with a date format. What is no date in any calendar stays a number or a text."""
    if kind == "time":
        return _clock(serial)
    days, milliseconds = divmod(round(serial * _MILLISECONDS), _MILLISECONDS)
    if not from_1904:
        if days == _LEAP_THAT_NEVER_WAS:
            return "1900-02-29"
        days -= days > _LEAP_THAT_NEVER_WAS
    if serial < (0 if from_1904 else 1):
        return serial
    try:
        found = (_FIRST_1904 if from_1904 else _FIRST_1900) + timedelta(days=days, milliseconds=milliseconds)
    except OverflowError:
        return serial
    return found.date() if kind == "date" and not milliseconds else found


def to_serial(value: date, *, from_1904: bool) -> float | None:
    """The number for a date; None for one that Excel can't hold (it is then written as text)."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001  cells have no zone
    since = moment.replace(tzinfo=None) - (_FIRST_1904 if from_1904 else _FIRST_1900)
    milliseconds = round(since / timedelta(milliseconds=1))
    if milliseconds < (0 if from_1904 else _MILLISECONDS):
        return None
    days, rest = divmod(milliseconds, _MILLISECONDS)
    if not from_1904:
        days += days >= _LEAP_THAT_NEVER_WAS
    return days if not rest else days + rest / _MILLISECONDS


def _clock(serial: float) -> Cell:
    seconds = round(serial * 86_400)
    if seconds < 0:
        return serial
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:02}:{minutes:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")
