"""What pretix' objects mean: pure, from the raw JSON that `connectors.sources.pretix` keeps.

Facts from pretix 2026.8: a cancelled order keeps its total and its positions; a partial refund shows in `refunds` only;
`require_approval` is an order not yet accepted; add-ons are not places; answers to yes/no questions are the texts
"True" and "False".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from connectors.records import Consent, Donation, Event, Money, Order, Person, Product, Record, Visit
from connectors.source import Object
from connectors.sources.pretix_shapes import (
    Bought,
    RawAddress,
    RawCheckin,
    RawEvent,
    RawItem,
    RawPosition,
    Text,
)
from connectors.trouble import Nobody, SetAside

RECEIVED = ("confirmed", "refunded")  # states of a payment that came in; what went out again is in `refunds`


@dataclass(frozen=True)
class Wishes:
    """What the team says about its own pretix."""

    language: str = "fr"
    consent: str | None = None
    genre: str | None = None
    donations: tuple[str, ...] = ()


def read(thing: Object, wishes: Wishes) -> Sequence[Record]:
    """The records of an object. Raises `SetAside` with the place in the JSON that can't be understood, and `Nobody`."""
    try:
        match thing.kind:
            case "event":
                return list(_event(msgspec.json.decode(thing.raw, type=RawEvent), wishes))
            case "item":
                return list(_item(thing.id, msgspec.json.decode(thing.raw, type=RawItem), wishes))
            case "order":
                return _Reader(msgspec.json.decode(thing.raw, type=Bought), wishes).records()
    except (msgspec.DecodeError, ArithmeticError, ValueError, RecursionError) as error:
        where = str(error).rpartition(" - at ")[2].strip("`") if isinstance(error, msgspec.ValidationError) else "?"
        raise SetAside("pretix-unreadable", kind=thing.kind, id=thing.id, where=where) from None
    return ()


def _event(raw: RawEvent, wishes: Wishes) -> Iterator[Event]:
    if raw.has_subevents:
        return  # a series is no evening to go to; its dates are
    slug = raw.event or raw.slug
    if not slug:
        raise ValueError("an event without a short name")
    id = f"{slug}/{raw.id}" if raw.event and raw.id is not None else slug  # noqa: A001  the record's field
    yield Event(
        id=id,
        name=_in(wishes.language, raw.name) or id,
        starts=_utc(raw.date_from),
        ends=_utc(raw.date_to),
        genre=_blank((raw.meta_data or {}).get(wishes.genre)) if wishes.genre else None,
        location=_in(wishes.language, raw.location),
    )


def _item(id: str, raw: RawItem, wishes: Wishes) -> Iterator[Product]:  # noqa: A002  the record's field
    name = _in(wishes.language, raw.name) or id
    yield Product(id=id, name=name)
    for variation in raw.variations or ():
        yield Product(
            id=f"{id}/{variation.id}", name=f"{name} – {_in(wishes.language, variation.value) or variation.id}"
        )


class _Reader:
    """One order and what it says."""

    def __init__(self, bought: Bought, wishes: Wishes) -> None:
        self.order = bought.order
        self.currency = bought.currency
        self.items = bought.items
        self.wishes = wishes
        self.at = bought.order.datetime.astimezone(UTC)
        self.people: dict[str, Person] = {}
        self.holder: dict[int, str] = {}
        gifts = {wish.casefold() for wish in wishes.donations}
        self.gifts = {item for item, raw in bought.items.items() if _names(item, raw) & gifts}

    def records(self) -> Sequence[Record]:
        if self.order.testmode:
            return []
        self._meet()
        if not self.people:
            raise Nobody("pretix-nobody")  # sold at the door, or the buyer's data were erased in pretix
        return [*self.people.values(), *self._purchase(), *self._visits(), *self._donations(), *self._consents()]

    # --- who ---

    def _meet(self) -> None:
        buyer = self._buyer()
        if buyer:
            self.people[buyer.id] = buyer
        for position in self.order.positions:
            attendee = self._attendee(position, buyer)
            if attendee:
                self.people[attendee.id] = attendee
                self.holder[position.positionid] = attendee.id
        self.first = next(iter(self.people), "")

    def _buyer(self) -> Person | None:
        order, address = self.order, self.order.invoice_address or RawAddress()
        near = self._own_place()
        first, last, name = _name(address.name, address.name_parts)
        if not (first or last or name) and near:
            first, last, name = _name(near.attendee_name, near.attendee_name_parts)
        home = address if _blank(address.zipcode) or _blank(address.city) or not near else near
        email, phone, customer = _blank(order.email), _blank(order.phone), _blank(order.customer)
        if not (email or phone or customer or first or last or name):
            return None
        return Person(
            id=order.code,
            email=email,
            phone=phone,
            first_name=first,
            last_name=last,
            name=name,
            customer=customer,
            organisation=_blank(address.company),
            **self._home(home),
        )

    def _own_place(self) -> RawPosition | None:
        """The place that the buyer holds: under the buyer's e-mail, or the only name there is and no e-mail."""
        email = _fold(self.order.email)
        held = [one for one in self.order.positions if _said(one)]
        if mine := next((one for one in held if email and _fold(one.attendee_email) == email), None):
            return mine
        names = {_fold(one.attendee_name) for one in held}
        return held[0] if len(names) == 1 and not any(_blank(one.attendee_email) for one in held) else None

    def _attendee(self, position: RawPosition, buyer: Person | None) -> Person | None:
        """Somebody else than the buyer who holds this place: with an e-mail of their own, or another name."""
        first, last, name = _name(position.attendee_name, position.attendee_name_parts)
        email = _blank(position.attendee_email)
        if not (email or first or last or name) or position.addon_to is not None:
            return None
        own_email = email and _fold(email) != _fold(buyer.email if buyer else None)
        called = _fold(position.attendee_name) or _fold(" ".join(filter(None, (first, last))) or name)
        known_as = _fold(" ".join(filter(None, (buyer.first_name, buyer.last_name))) or buyer.name) if buyer else ""
        if buyer and not own_email and called in ("", known_as):
            return None
        return Person(
            id=f"{self.order.code}/{position.positionid}",
            email=email,
            first_name=first,
            last_name=last,
            name=name,
            organisation=_blank(position.company),
            **self._home(position),
        )

    def _home(self, place: RawAddress | RawPosition) -> dict[str, Any]:
        return {
            "postcode": _blank(place.zipcode),
            "city": _blank(place.city),
            "region": _blank(place.state),
            "country": _blank(place.country),
            "language": _blank((self.order.locale or "").partition("-")[0]),
            "seen": self.at,
        }

    def _of(self, position: RawPosition) -> str:
        return self.holder.get(position.positionid, self.first)

    # --- what ---

    def _net(self) -> Decimal:
        received = sum((one.amount for one in self.order.payments if one.state in RECEIVED), Decimal(0))
        return _finite(received - sum((one.amount for one in self.order.refunds if one.state == "done"), Decimal(0)))

    def _standing(self) -> Literal["booked", "pending", "cancelled"]:
        order = self.order
        if order.status in "ec":
            return "cancelled"
        if order.status == "p" or (order.valid_if_pending and not order.require_approval):
            return "booked"
        return "pending"

    def _is_refunded(self) -> bool:
        given_back = any(one.state == "done" and one.amount > 0 for one in self.order.refunds)
        return given_back and self._net() <= 0

    def _status(self) -> Literal["paid", "pending", "cancelled", "refunded"]:
        if self.order.status in "pc" and self._is_refunded():
            return "refunded"
        statuses: dict[str, Literal["paid", "pending", "cancelled"]] = {"p": "paid", "n": "pending"}
        return statuses.get(self.order.status, "cancelled")

    def _places(self) -> list[RawPosition]:
        return [
            one
            for one in self.order.positions
            if one.addon_to is None and self._admits(str(one.item)) and str(one.item) not in self.gifts
        ]

    def _admits(self, item: str) -> bool:
        return item not in self.items or self.items[item].admission is not False

    def _given(self) -> list[RawPosition]:
        return [one for one in self.order.positions if str(one.item) in self.gifts and not one.canceled]

    def _purchase(self) -> Iterator[Order]:
        gifts = self._given()
        if gifts and len(gifts) == sum(not one.canceled for one in self.order.positions):
            return  # only a donation
        paid = self._net()
        if gifts:
            paid = max(paid - _finite(sum((one.price for one in gifts), Decimal(0))), Decimal(0))
        live = [one for one in self._places() if not one.canceled and self._standing() != "cancelled"]
        yield Order(
            id=self.order.code,
            person=self.first,
            at=self.at,
            status=self._status(),
            paid=Money(paid, self.currency),
            tickets=len(live),
        )

    def _visits(self) -> Iterator[Visit]:
        order, standing = self.order, self._standing()
        bought = any(True for _ in self._purchase())
        for one in self._places():
            yield Visit(
                id=f"{order.code}/{one.positionid}",
                person=self._of(one),
                order=order.code if bought else None,
                event=order.event if one.subevent is None else f"{order.event}/{one.subevent}",
                product="/".join(str(part) for part in (order.event, one.item, one.variation) if part is not None),
                status="cancelled" if one.canceled else standing,
                attended=True if any(_is_entry(checkin) for checkin in one.checkins) else None,
            )

    def _donations(self) -> Iterator[Donation]:
        status = self._status()
        if status == "cancelled":
            return
        for one in self._given():
            yield Donation(
                id=f"{self.order.code}/{one.positionid}",
                person=self._of(one),
                at=self.at,
                status=status,
                paid=Money(_finite(one.price), self.currency),
            )

    def _consents(self) -> Iterator[Consent]:
        """One word a person: who said yes on one of their tickets and left the others blank has said yes."""
        said: dict[str, tuple[int, bool]] = {}
        for one in self.order.positions:
            for answer in one.answers:
                if self.wishes.consent and answer.question_identifier == self.wishes.consent and answer.answer:
                    yes, person = answer.answer == "True", self._of(one)
                    if person not in said or (yes and not said[person][1]):
                        said[person] = (one.positionid, yes)
        for person, (number, yes) in said.items():
            id = f"{self.order.code}/{number}"  # noqa: A001  the record's field
            proof = f"pretix {id}: {self.wishes.consent} = {yes}"
            yield Consent(id=id, person=person, purpose="marketing", granted=yes, at=self.at, proof=proof)


def _names(item: str, raw: RawItem) -> set[str]:
    """All that the team may call a product by: its number, its name in each language."""
    names = raw.name.values() if isinstance(raw.name, dict) else (raw.name,)
    return {item, *(name.casefold() for name in names if name)}


def _name(name: str | None, parts: dict[str, str | None] | None) -> tuple[str | None, str | None, str | None]:
    """First name, last name, and the full name where the two are not told apart."""
    parts = parts or {}
    first, last = _blank(parts.get("given_name")), _blank(parts.get("family_name"))
    if first or last:
        return first, last, None
    return None, None, _blank(parts.get("full_name")) or _blank(name) or _blank(parts.get("_legacy"))


def _said(position: RawPosition) -> bool:
    return bool(_blank(position.attendee_name) or _blank(position.attendee_email)) and position.addon_to is None


def _is_entry(checkin: RawCheckin) -> bool:
    return checkin.type == "entry" and not checkin.auto_checked_in


def _in(language: str, text: Text) -> str | None:
    """A name in the team's language, or else in another one."""
    if not isinstance(text, dict):
        return _blank(text)
    same = [text.get(language), *(value for key, value in text.items() if key.partition("-")[0] == language)]
    return next((value for value in (*same, text.get("en"), *text.values()) if _blank(value)), None)


def _blank(value: str | None) -> str | None:
    return value if value and value.strip() else None


def _fold(value: str | None) -> str:
    return " ".join((value or "").casefold().split())


def _utc(value: datetime | None) -> datetime | None:
    return value.astimezone(UTC) if value else None


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ArithmeticError("an amount that is no number")
    return value
