"""What a member of a Mailchimp audience means, as kept by `connectors.sources.mailchimp`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import msgspec

from connectors.records import Consent, Engagement, Person, Record, Subscription

Id = Annotated[str, msgspec.Meta(min_length=1)]
Status = Literal["subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"]
STANDS: dict[str, Literal["subscribed", "pending", "unsubscribed", "bounced", "none"]] = {
    "subscribed": "subscribed",
    "unsubscribed": "unsubscribed",
    "cleaned": "bounced",
    "pending": "pending",
    "transactional": "none",
    "archived": "none",
}
VIP = "VIP"


class Tag(msgspec.Struct):
    name: str


class Permission(msgspec.Struct):
    enabled: bool = False


class Member(msgspec.Struct):
    """A member as kept. Times that do not apply are empty text, not null. `audience` is the audience's name."""

    id: Id
    status: Status
    email_address: str | None = None
    contact_id: str | None = None
    full_name: str | None = None
    merge_fields: dict[str, Any] = {}
    timestamp_signup: str | None = None
    timestamp_opt: str | None = None
    last_changed: str | None = None
    language: str | None = None
    vip: bool | None = None
    marketing_permissions: list[Permission] | None = None
    source: str | None = None
    tags: list[Tag] | None = None
    audience: str = ""


class Act(msgspec.Struct):
    action: Literal["open", "click"]
    timestamp: str


class Activity(msgspec.Struct):
    """All that one person did with one campaign."""

    person: Id
    acts: list[Act]


def member_records(member: Member) -> Iterator[Record]:
    yield _person(member)
    yield Subscription(
        id=member.id,
        person=member.id,
        list=member.audience or "Mailchimp",
        status=STANDS[member.status],
        at=_since(member),
    )
    yield from _consent(member)


def act_records(activity: Activity, thing: str) -> Iterator[Engagement]:
    """One record an act; several in one second are told apart by their number."""
    times: Counter[tuple[str, str]] = Counter()
    for act in activity.acts:
        number = times[act.action, act.timestamp]
        times[act.action, act.timestamp] += 1
        yield Engagement(
            id=f"{thing}/{act.action}/{act.timestamp}{f'/{number}' if number else ''}",
            person=activity.person,
            action="opened" if act.action == "open" else "clicked",
            at=time_of(act.timestamp),
        )


def time_of(value: object) -> datetime | None:
    """A time with its zone; UTC where none is told. None for the empty text that Mailchimp writes for no time."""
    try:
        moment = datetime.fromisoformat(str(value or ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _person(member: Member) -> Person:
    merge = member.merge_fields
    address = merge["ADDRESS"] if isinstance(merge.get("ADDRESS"), dict) else {}
    first, last = _text(merge.get("FNAME")), _text(merge.get("LNAME"))
    return Person(
        id=member.id,
        email=member.email_address or None,
        phone=_text(merge.get("PHONE")),
        first_name=first,
        last_name=last,
        name=None if first or last else member.full_name or None,
        language=member.language or None,
        postcode=_text(address.get("zip")),
        city=_text(address.get("city")),
        region=_text(address.get("state")),
        country=_text(address.get("country")),
        birthday=_day(merge.get("BIRTHDAY")),
        organisation=_text(merge.get("COMPANY")),
        customer=member.contact_id or None,
        tags=(*(tag.name for tag in member.tags or [] if tag.name), *([VIP] if member.vip else [])),
        seen=time_of(member.last_changed),
    )


def _since(member: Member) -> datetime | None:
    """Since when they stand where they do. Mailchimp dates only the confirmation and the request; of an unsubscribe it
    tells the last change of the member, which is that moment or later.
    """
    if member.status == "subscribed":
        return time_of(member.timestamp_opt) or time_of(member.timestamp_signup)
    return time_of(member.last_changed) if member.status == "unsubscribed" else None


def _consent(member: Member) -> Iterator[Consent]:
    """Yes from who is subscribed (and ticked a permission, where the audience asks for them), no from who left. Who is
    pending, archived, bounced or only bought something said neither.
    """
    where = f"Mailchimp: {member.audience or 'audience'}"
    permissions = member.marketing_permissions or []
    if member.status == "unsubscribed":
        yield Consent(
            id=member.id,
            person=member.id,
            purpose="marketing",
            granted=False,
            at=_since(member),
            proof=f"{where}, unsubscribed",
        )
    elif member.status == "subscribed" and (not permissions or any(each.enabled for each in permissions)):
        proof = f"{where}, {member.source}" if member.source else where
        yield Consent(id=member.id, person=member.id, purpose="marketing", granted=True, at=_since(member), proof=proof)


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _day(value: Any) -> date | None:
    """A whole date. Mailchimp's birthdays are month and day alone, which say no age and are left out."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None
