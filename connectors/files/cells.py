"""The cells of one line, read as their file says: moments, days, money, order states. What can't be read is set aside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, cast

import msgspec

from connectors.files import values
from connectors.files.words import fold, forms
from connectors.records import Money
from connectors.trouble import SetAside

Fields = Mapping[str, str]
OrderStatus = Literal["paid", "pending", "cancelled", "refunded"]
ListStatus = Literal["subscribed", "pending", "unsubscribed", "bounced", "none"]
_NEVER = {"", "0000-00-00", "00/00/0000", "00/00/00", "0000-00-00 00:00:00", "-"}


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the cells of a file are to be read. `consent` is the header of the question that people answered."""

    timezone: str
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    day_first: bool = True
    status: ListStatus | None = None
    list: str | None = None
    statuses: dict[str, OrderStatus] = {}
    event: str | None = None
    event_date: str | None = None
    genre: str | None = None
    genres: dict[str, str] = {}
    consent: str | None = None

    @property
    def order(self) -> values.DayOrder:
        return "day" if self.day_first else "month"


class Raw(msgspec.Struct, frozen=True):
    """An object as kept: the lines it was made of, each with its number in the file and its cells by field."""

    context: Context
    lines: Sequence[tuple[int, dict[str, str]]]


def digest(*parts: str) -> str:
    """A short name for a thing that has none; it does not show the person it was made from."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]


def moment(context: Context, cells: Fields, field: str, clock: str | None = None) -> datetime | None:
    """The moment in a cell (and the time in another one), in UTC; None where there is no day."""
    text = cells.get(field, "")
    if text.strip() in _NEVER:
        return None
    found = reading(field, text, lambda: values.moment(text, context.order))
    if found is None:
        return None
    day, at, offset = found
    beside = cells.get(clock, "") if clock else ""
    if beside.strip():
        at, offset = reading(clock or field, beside, lambda: values.clock(beside)), None
    utc: datetime = reading(field, text, lambda: values.in_utc(day, at or time(0), context.timezone, offset))
    return utc


def day(context: Context, cells: Fields, field: str, pivot: int = 69) -> date | None:
    text = cells.get(field, "")
    if text.strip() in _NEVER:
        return None
    found = reading(field, text, lambda: values.moment(text, context.order, pivot))
    return found[0] if found else None


def reading(field: str, text: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except values.Unreadable as trouble:
        raise SetAside(f"files-{trouble.code}", column=field, found=trouble.text) from None
    except (ValueError, ArithmeticError):
        raise SetAside("files-bad-date", column=field, found=text[:80]) from None


def money(context: Context, cells: Fields, field: str) -> Money | None:
    text = cells.get(field, "")
    found = reading(field, text, lambda: values.amount(text))
    if found is None:
        return None
    written = cells.get("currency", "").strip().upper()
    currency = written if len(written) == 3 and written.isascii() and written.isalpha() else found[1]
    return Money(found[0], currency or context.currency)


def order_status(context: Context, cells: Fields) -> OrderStatus:
    text = cells.get("status", "")
    word = fold(text)
    if not word:
        return "paid"
    known = {fold(form): status for form, status in context.statuses.items()}.get(word) or forms("status").get(word)
    if known is None:
        raise SetAside("files-unknown-status", found=text[:80])
    return cast(OrderStatus, known)
