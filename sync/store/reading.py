"""Records as rows: what one object says, ready to be stored. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, cast

import msgspec

from connectors.records import (
    Answer,
    Consent,
    Donation,
    Engagement,
    Event,
    Membership,
    Money,
    Order,
    Person,
    Product,
    Record,
    Subscription,
    Visit,
)
from connectors.trouble import SetAside

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LARGEST = 2**62
HUNDRED = Decimal(100)
_encode = msgspec.json.Encoder().encode


class Sighted(NamedTuple):
    """A Person record. `seen` in microseconds since 1970 UTC."""

    id: str
    given: bytes
    seen: int | None


class Fact(NamedTuple):
    """Any record of what a person did. `person` is the id of a Person record; `values` stand in the `COLUMNS` of its
    kind; `scanned` is the event at whose door that person was.
    """

    kind: str
    id: str
    person: str
    values: tuple[object, ...]
    scanned: str | None = None


COLUMNS = {
    "order": ("at", "status", "cents", "currency", "quantity"),
    "visit": ("at", "status", "event", "ref", "label", "quantity", "attended", "rest"),
    "donation": ("at", "status", "cents", "currency"),
    "membership": ("status", "label", "first_day", "last_day"),
    "subscription": ("at", "status", "label"),
    "engagement": ("at", "status", "quantity"),
    "answer": ("at", "label", "score", "rest"),
    "consent": ("at", "status", "label", "rest"),
}
"""Of the table `fact`, by kind: the others are null."""


class Happening(NamedTuple):
    """An Event record."""

    id: str
    name: str
    starts: int | None
    ends: int | None
    genre: str | None
    location: str | None
    cancelled: bool


class Read(NamedTuple):
    """Everything that one object says."""

    people: list[Sighted]
    facts: list[Fact]
    events: list[Happening]
    products: list[tuple[str, str]]


def read(records: Iterable[Record]) -> Read:
    """Sort an object's records into rows.

    Raises `SetAside` when two of one kind have the same id, and ValueError, TypeError or OverflowError for a value that
    no database could keep (a time without a zone, an amount of 30 digits).
    """
    found = Read([], [], [], [])
    ids = set()
    count = 0
    for record in records:
        _READERS[type(record)](record, found)
        ids.add((type(record), record.id))
        count += 1
    if len(ids) != count:
        raise SetAside("same-id-twice")
    return found


def micros(value: datetime | None) -> int | None:
    """Microseconds since 1970 UTC. ValueError for a time without a zone."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a time without a zone")
    return (value - EPOCH) // MICROSECOND


def cents(amount: Decimal) -> int:
    """Whole hundredths of the unit, halves away from zero."""
    found = int((amount * HUNDRED).quantize(Decimal(1), ROUND_HALF_UP)) if amount.is_finite() else LARGEST
    return _fits(found)


def storable(value: str) -> str:
    """Text that both databases keep: without NUL and halves of surrogate pairs."""
    if value.isprintable():
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _text(value: str | None) -> str | None:
    return None if value is None else storable(value)


def _fits(value: int) -> int:
    if abs(value) >= LARGEST:
        raise OverflowError("a number too large to keep")
    return value


def _money(paid: Money | None) -> tuple[int | None, str | None]:
    return (None, None) if paid is None else (cents(paid.amount), storable(paid.currency).upper())


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _rest(**values: str | None) -> str | None:
    known = {name: storable(value) for name, value in values.items() if value}
    return _encode(known).decode() if known else None


def _person(one: Person, found: Read) -> None:
    found.people.append(Sighted(storable(one.id), _encode(one), micros(one.seen)))


def _event(one: Event, found: Read) -> None:
    found.events.append(
        Happening(
            storable(one.id),
            storable(one.name),
            micros(one.starts),
            micros(one.ends),
            _text(one.genre),
            _text(one.location),
            one.cancelled,
        )
    )


def _product(one: Product, found: Read) -> None:
    found.products.append((storable(one.id), storable(one.name)))


def _order(one: Order, found: Read) -> None:
    values = (micros(one.at), one.status, *_money(one.paid), _fits(one.tickets))
    found.facts.append(Fact("order", storable(one.id), storable(one.person), values))


def _visit(one: Visit, found: Read) -> None:
    event = _text(one.event)
    values = (
        micros(one.starts),
        one.status,
        event,
        _text(one.order),
        _text(one.genre),
        _fits(one.tickets),
        one.attended,
        _rest(product=one.product),
    )
    scanned = event if one.attended else None
    found.facts.append(Fact("visit", storable(one.id), storable(one.person), values, scanned))


def _donation(one: Donation, found: Read) -> None:
    values = (micros(one.at), one.status, *_money(one.paid))
    found.facts.append(Fact("donation", storable(one.id), storable(one.person), values))


def _membership(one: Membership, found: Read) -> None:
    values = (one.status, storable(one.name), _day(one.starts), _day(one.ends))
    found.facts.append(Fact("membership", storable(one.id), storable(one.person), values))


def _subscription(one: Subscription, found: Read) -> None:
    values = (micros(one.at), one.status, storable(one.list))
    found.facts.append(Fact("subscription", storable(one.id), storable(one.person), values))


def _engagement(one: Engagement, found: Read) -> None:
    values = (micros(one.at), one.action, _fits(one.count))
    found.facts.append(Fact("engagement", storable(one.id), storable(one.person), values))


def _answer(one: Answer, found: Read) -> None:
    score = None if one.score is None else float(one.score)
    values = (micros(one.at), storable(one.survey), score, _rest(question=one.question, text=one.text))
    found.facts.append(Fact("answer", storable(one.id), storable(one.person), values))


def _consent(one: Consent, found: Read) -> None:
    word = "granted" if one.granted else "refused"
    values = (micros(one.at), word, one.purpose, _rest(proof=one.proof))
    found.facts.append(Fact("consent", storable(one.id), storable(one.person), values))


_READERS = cast(
    "dict[type[Record], Callable[[Any, Read], None]]",
    {
        Person: _person,
        Event: _event,
        Product: _product,
        Order: _order,
        Visit: _visit,
        Donation: _donation,
        Membership: _membership,
        Subscription: _subscription,
        Engagement: _engagement,
        Answer: _answer,
        Consent: _consent,
    },
)
