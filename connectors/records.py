"""What a source may say about people and what they did.

Every record stands inside one *object* of its service (an order, a member, a line of a file): see
`connectors.source.Object`. When the object changes, its records are replaced as a set, so a cancelled ticket or a
corrected e-mail needs no word of its own.

Money is `Decimal` with an ISO 4217 currency. Times are aware datetimes in UTC; a service that gives a local time has it
made aware by its connector, with the time zone of the service or else of the organisation.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec


class Money(msgspec.Struct, frozen=True):
    """An amount as charged, tax included. `amount` may be negative (a refund larger than its order)."""

    amount: Decimal
    currency: str


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag=str.lower):
    """`id` is stable and unique among the records of the same kind in one source, e.g. `ABCDE/2` for a ticket."""

    id: str


class Person(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One *sighting* of a person: how one object of one service names somebody.

    Values are as the service has them (letter case, spaces); normalising is the work of `sync.people`. `name` is the full
    name where first and last are not told apart. `customer` is the service's own lasting id of the person, if it has
    one: two sightings of one source with the same `customer` are the same person. `seen` says as of when (UTC).
    `organisation` is the company, school or association the person wrote for.
    """

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    language: str | None = None
    postcode: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    birthday: date | None = None
    organisation: str | None = None
    customer: str | None = None
    tags: tuple[str, ...] = ()
    seen: datetime | None = None


class Event(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A performance, screening, match or opening: what a visit is a visit *of*. `starts`/`ends` in UTC."""

    name: str
    starts: datetime | None = None
    ends: datetime | None = None
    genre: str | None = None
    location: str | None = None
    cancelled: bool = False


class Product(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a ticket is called (`Plein tarif`), for people who read; rules do not look at it."""

    name: str


class Of(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a person did. `person` is the `id` of a `Person` record of the same source."""

    person: str


class Order(Of, frozen=True, kw_only=True, omit_defaults=True):
    """A purchase. `paid` is what was paid in the end: payments less refunds; `tickets` how many still stand."""

    at: datetime
    status: Literal["paid", "pending", "cancelled", "refunded"]
    paid: Money | None = None
    tickets: int = 0


class Visit(Of, frozen=True, kw_only=True, omit_defaults=True):
    """A place at an event, held by `person`. `event` is the `id` of an `Event` of the same source; `starts` (UTC) and
    `genre` serve where there is none. `attended` is None where nobody scans tickets or this one was not scanned yet.
    A `pending` place (reserved, not paid) is a next visit but never a past one.
    """

    order: str | None = None
    event: str | None = None
    starts: datetime | None = None
    genre: str | None = None
    product: str | None = None
    status: Literal["booked", "pending", "cancelled"] = "booked"
    attended: bool | None = None
    tickets: int = 1


class Donation(Of, frozen=True, kw_only=True, omit_defaults=True):
    at: datetime
    status: Literal["paid", "pending", "refunded"] = "paid"
    paid: Money | None = None


class Membership(Of, frozen=True, kw_only=True, omit_defaults=True):
    """A membership, subscription to a season, or pass: from `starts` to the end of the day `ends` (local dates)."""

    name: str
    starts: date | None = None
    ends: date | None = None
    status: Literal["active", "cancelled"] = "active"


class Subscription(Of, frozen=True, kw_only=True, omit_defaults=True):
    """Where a person stands with one newsletter list. `at` is when that became so, where the service tells."""

    list: str
    status: Literal["subscribed", "pending", "unsubscribed", "bounced", "none"]
    at: datetime | None = None


class Engagement(Of, frozen=True, kw_only=True, omit_defaults=True):
    """What a person did with mails: one act (`count` 1), or a service's own running total with the time of the last."""

    action: Literal["sent", "opened", "clicked"]
    at: datetime | None = None
    count: int = 1


class Answer(Of, frozen=True, kw_only=True, omit_defaults=True):
    """An answer to a survey. `score` as given, on the survey's own scale."""

    at: datetime
    survey: str
    question: str | None = None
    score: Decimal | None = None
    text: str | None = None


class Consent(Of, frozen=True, kw_only=True, omit_defaults=True):
    """A yes or no to being written to. `proof` says in words where it was given, so that it can be shown later."""

    purpose: Literal["marketing", "service"]
    granted: bool
    at: datetime | None = None
    proof: str


AnyRecord = (
    Person | Event | Product | Order | Visit | Donation | Membership | Subscription | Engagement | Answer | Consent
)
KINDS: dict[str, type[Record]] = {
    kind.__name__.lower(): kind
    for kind in (Person, Event, Product, Order, Visit, Donation, Membership, Subscription, Engagement, Answer, Consent)
}
