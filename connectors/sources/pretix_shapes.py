"""The parts of pretix' JSON that we read, as pretix 2026.8 gives them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

Text = str | dict[str, str | None] | None
Time = Annotated[datetime, msgspec.Meta(tz=True)]
Id = Annotated[str, msgspec.Meta(min_length=1)]


class RawEvent(msgspec.Struct):
    """An event, or a date of a series (those have an `id` and the series' short name in `event`)."""

    name: Text = None
    slug: str | None = None
    id: int | None = None
    event: str | None = None
    date_from: Time | None = None
    date_to: Time | None = None
    location: Text = None
    has_subevents: bool = False
    meta_data: dict[str, str | None] | None = None


class RawVariation(msgspec.Struct):
    id: int
    value: Text = None


class RawItem(msgspec.Struct):
    name: Text = None
    admission: bool | None = True
    variations: list[RawVariation] | None = None


class RawCheckin(msgspec.Struct):
    type: str = "entry"
    auto_checked_in: bool = False


class RawAnswer(msgspec.Struct):
    question_identifier: str | None = None
    answer: str | None = None


class RawAddress(msgspec.Struct):
    company: str | None = None
    name: str | None = None
    name_parts: dict[str, str | None] | None = None
    zipcode: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None


class RawPosition(msgspec.Struct):
    positionid: int
    item: int
    price: Decimal
    id: int | None = None
    variation: int | None = None
    subevent: int | None = None
    addon_to: int | None = None
    canceled: bool = False
    attendee_name: str | None = None
    attendee_name_parts: dict[str, str | None] | None = None
    attendee_email: str | None = None
    company: str | None = None
    zipcode: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    checkins: list[RawCheckin] = []
    answers: list[RawAnswer] = []


class RawMove(msgspec.Struct):
    """A payment or a refund."""

    state: str
    amount: Decimal


class RawOrder(msgspec.Struct):
    code: Id
    event: Id
    status: Literal["n", "p", "e", "c"]
    datetime: Time
    testmode: bool = False
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    customer: str | None = None
    require_approval: bool = False
    valid_if_pending: bool | None = None
    invoice_address: RawAddress | None = None
    positions: list[RawPosition] = []
    payments: list[RawMove] = []
    refunds: list[RawMove] = []


class Bought(msgspec.Struct):
    """An order with what it does not say itself: its event's currency, and the products in it by their number."""

    order: RawOrder
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    items: dict[str, RawItem] = {}
