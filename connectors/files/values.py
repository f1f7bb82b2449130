"""What is written in a cell: moments, amounts, counts, yes or no, e-mail addresses.

Every function takes the cell's text and gives None for an empty cell; what can't be read raises `Unreadable`, whose
code and text say why. Nothing here depends on the machine's locale or clock.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from connectors.files.words import choices, fold, forms

DayOrder = Literal["day", "month"]
_NUMERIC = re.compile(r"(\d{1,4})([/.\-])(\d{1,2})\2(\d{1,4})(?=\D|$)", re.ASCII)
_CLOCK = re.compile(
    r"(?:^|[\sT,])(\d{1,2})(?:\s?[:hH]\s?(\d{2})?(?::(\d{2})(?:[.,]\d+)?)?\s*([aApP]\.?[mM]\.?)?|\s*([aApP]\.?[mM]\.?))"
    r"\s*(Z|[+-]\d{2}:?\d{2})?\s*(?:UTC|GMT)?$",
    re.ASCII,
)
_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?$", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$", re.ASCII)
_SIGNS = {"€": "EUR", "£": "GBP", "eur": "EUR", "euro": "EUR", "euros": "EUR", "cad": "CAD", "ca": "CAD", "usd": "USD"}
_SIGNS |= {"us": "USD", "gbp": "GBP", "chf": "CHF", "fr": "CHF", "c": "CAD"}
_AMOUNT = re.compile(r"[+-]?\d[\d.,' ]*$|[+-]?[.,]\d+$", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1900, 2199
LARGEST = Decimal(10) ** 12


class Unreadable(Exception):  # noqa: N818  it names what the cell is
    """`code` is the end of a code in `sync/words/*/files.yaml` (`bad-date`); `text` what stood in the cell."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text[:80]


def _year(digits: str, pivot: int) -> int:
    """`26` or `2026`; nobody writes a year with one digit or three."""
    if len(digits) == 2:
        return int(digits) + (2000 if int(digits) <= pivot else 1900)
    if len(digits) != 4:
        raise ValueError
    return int(digits)


def day_parts(text: str) -> tuple[int, int, int] | None:
    """The three numbers of `31/12/26` as they stand, unless the year comes first (then nothing is in doubt)."""
    found = _NUMERIC.match(text.strip())
    if not found or len(found[1]) > 2:
        return None
    return int(found[1]), int(found[3]), int(found[4])


@lru_cache(maxsize=50_000)
def moment(text: str, order: DayOrder = "day", pivot: int = 69) -> tuple[date, time | None, str | None] | None:
    """`04/06/25 16:26`, `Sep 26, 2026 7:05 PM`, `3 mars 2026`, `2026-03-04T10:00:00Z`: day, clock, offset from UTC.

    `order` says whether `04/06/25` is in June or in April. Two-digit years up to `pivot` are of this century.
    """
    text = text.strip().replace(" ", " ").replace(" ", " ")
    if not text:
        return None
    if len(text) > 60:
        raise Unreadable("bad-date", text)
    try:
        return _serial(text) or _numeric(text, order, pivot) or _in_words(text, pivot)
    except ValueError:
        raise Unreadable("bad-date", text) from None


def _serial(text: str) -> tuple[date, time | None, str | None] | None:
    """A date cell that was copied as a bare number: days since 1899-12-30, as Excel counts."""
    found = _SERIAL.match(text)
    if not found:
        return None
    when = datetime(1899, 12, 30) + timedelta(days=float(f"{found[1]}.{found[2] or 0}"))  # noqa: DTZ001  a local clock
    when = (when + timedelta(milliseconds=500)).replace(microsecond=0)
    return when.date(), (when.time() if found[2] else None), None


def _numeric(text: str, order: DayOrder, pivot: int) -> tuple[date, time | None, str | None] | None:
    if re.fullmatch(r"(19|20)\d{6}", text, re.ASCII):
        return _checked(date(int(text[:4]), int(text[4:6]), int(text[6:]))), None, None
    found = _NUMERIC.match(text)
    if not found:
        return None
    first, second, third = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        day = date(first, second, third)
    elif order == "day":
        day = date(_year(found[4], pivot), second, first)
    else:
        day = date(_year(found[4], pivot), first, second)
    clock, offset = _clock(text[found.end() :])
    return _checked(day), clock, offset


def _in_words(text: str, pivot: int) -> tuple[date, time | None, str | None]:
    found = _CLOCK.search(text)
    clock, offset = _clock(found[0]) if found else (None, None)
    months: list[int] = []
    numbers: list[str] = []
    for word in fold(text[: found.start()] if found else text).split():
        if word in forms("months"):
            months.append(int(forms("months")[word]))
        elif number := re.fullmatch(r"(\d{1,4})(?:st|nd|rd|th|er)?", word, re.ASCII):
            numbers.append(number[1])
    if len(months) == 2 and months[0] == 3:  # «mar. 3 avril»: mardi, not mars
        months = months[1:]
    if len(months) != 1 or len(numbers) != 2:
        raise Unreadable("bad-date", text)
    day, year = reversed(numbers) if len(numbers[0]) == 4 else numbers
    return _checked(date(_year(year, pivot), months[0], int(day))), clock, offset


def _checked(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError
    return day


def _clock(text: str) -> tuple[time | None, str | None]:
    text = re.sub(r"^\s*(à|a|at|-)\s", " ", text)
    if not text.strip(" ,.à"):
        return None, None
    found = _CLOCK.search(text)
    if not found or text[: found.start()].strip(" ,"):
        raise ValueError
    hour = int(found[1])
    if half := found[4] or found[5]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return time(hour, int(found[2] or 0), int(found[3] or 0)), found[6]


def clock(text: str) -> time | None:
    """A cell that holds the time alone: `20:00:00`, `20h30`, `7:05 PM`; or a whole moment, of which the time counts."""
    if not text.strip():
        return None
    try:
        return _clock(" " + text.strip())[0]
    except ValueError:
        whole = moment(text)
        return whole[1] if whole else None


def in_utc(day: date, at: time, zone: str, offset: str | None = None) -> datetime:
    """Local clock to UTC. The hour that clocks repeat is its first; the hour they skip is moved on by the gap."""
    local = datetime.combine(day, at)
    if offset:
        sign = -1 if offset[0] == "-" else 1
        ahead = timedelta(0) if offset == "Z" else sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
        return (local - ahead).replace(tzinfo=UTC)
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=20_000)
def amount(text: str) -> tuple[Decimal, str | None] | None:
    """`1 234,50 €`, `$1,234.50`, `(12.00)`, `27`: the amount and the currency its sign tells (`$`: not which)."""
    plain = re.sub(r"[\s\u00a0\u202f\u2009']+", "", text.replace("’", "'").replace("−", "-"))
    if not plain:
        return None
    negative = plain.startswith("(") and plain.endswith(")")
    plain = plain.strip("()")
    currency = None
    for sign in re.findall(r"[A-Za-z]+|[€£]", plain):
        if fold(sign) not in _SIGNS and sign not in _SIGNS:
            raise Unreadable("bad-amount", text)
        currency = _SIGNS.get(sign) or _SIGNS[fold(sign)]
    number = re.sub(r"[A-Za-z€£$]", "", plain)
    if not _AMOUNT.match(number) or len(number) > 24:
        raise Unreadable("bad-amount", text)
    try:
        value = Decimal(_point(number)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    except ArithmeticError:
        raise Unreadable("bad-amount", text) from None
    if abs(value) > LARGEST:
        raise Unreadable("bad-amount", text)
    return (-value if negative else value), currency


def _point(number: str) -> str:
    """The number with a decimal point: the last mark is the decimal one, unless it stands before three digits alone."""
    last = max(number.rfind(","), number.rfind("."))
    if last < 0:
        return number
    mark, other = number[last], "." if number[last] == "," else ","
    whole, part = number[:last], number[last + 1 :]
    thousands = number.count(mark) > 1 or (len(part) == 3 and other not in whole and whole.lstrip("+-0") != "")
    groups = (number if thousands else whole).lstrip("+-").split(mark if thousands else other)
    if len(groups) > 1 and not (0 < len(groups[0]) <= 3 and all(re.fullmatch(r"\d{3}", group) for group in groups[1:])):
        return "?"
    sign = "-" if number[0] == "-" else ""
    return f"{sign}{''.join(groups) or '0'}" + ("" if thousands else f".{part or '0'}")


def count(text: str) -> int | None:
    """A number of tickets: `2`, `2,0`."""
    found = amount(text)
    if found is None:
        return None
    if found[0] != int(found[0]) or not 0 <= found[0] <= 100_000:
        raise Unreadable("bad-count", text)
    return int(found[0])


def yes(text: str) -> bool | None:
    """Yes, no, or None where it says neither."""
    word = fold(text)
    return True if word in choices("says_yes") else False if word in choices("says_no") else None


def email(text: str) -> str | None:
    """The address, or None where the cell holds none. An address with a space or an accent is `not-an-email`."""
    plain = text.strip().strip("<>").removeprefix("mailto:").strip()
    if not plain or plain in {"-", "/", "."}:
        return None
    if ".." in plain or not _EMAIL.match(plain):
        raise Unreadable("not-an-email", text)
    return plain


def tags(text: str) -> tuple[str, ...]:
    """`"VIP","Danse"` (Mailchimp), `VIP, Danse` or `VIP|Danse`: the words, in their order, each once."""
    words = (word.strip().strip('"').strip() for word in re.split(r"[,;|\n]", text))
    return tuple(dict.fromkeys(word for word in words if word))
