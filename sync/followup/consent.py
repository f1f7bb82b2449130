"""The right to write, for one person and purpose. Facts of law: not advice, and gathered on 2026-11-22.

- GDPR and the French CPCE (art. L34-5): consent; or own customers, for similar things, who can refuse in every message.
  CNIL's reference keeps customers for 3 years after the end of the relationship.
- CASL (S.C. 2010, c. 23, s. 10): consent; or implied for 2 years after a purchase, a visit (the contract of a ticket ends
  with it) or the end of a membership, and for 6 months after an inquiry. A gift counts so, for 2 years, for a registered
  charity or a political party only (s. 10(13)): whether the organisation is one, it says itself (`charity`).

Unsubscribed anywhere is unsubscribed everywhere for marketing. Service e-mails (practical information on what was
bought) need a good address only. Whom the team noted not to contact gets nothing at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Literal

from connectors.mail.mailer import PLAIN, mailbox
from rules.conditions import Period

Purpose = Literal["marketing", "service"]
Law = Literal["gdpr", "casl", "casl-charity"]
Contact = Mapping[str, Any]
"""A person for an e-mail: the fields of `rules.fields` by name, and
`code` (how the team calls the person), `consents` (of `connectors.records.Consent`, or mappings with its keys),
`unsubscribed`, `bounced`, `complained`, `do_not_contact` (bools; absent is no). `unsubscribed` is of *any* list.
`unwanted`: topics of which they want nothing (`Templates.kind`).
`suppressed`: what `suppression.among` says of the address (and of the person's other ones, but for `bounced`).
`last_inquiry`: the local day on which they last asked something."""

CNIL, CASL = Period(3, "year"), Period(2, "year")
_IN_CANADA = {
    "last_purchase": ("customer", CASL),
    "last_visit": ("customer", CASL),
    "membership_ends": ("member", CASL),
    "last_inquiry": ("inquiry", Period(6, "month")),
}
IMPLIED: dict[Law, Mapping[str, tuple[str, Period]]] = {
    "gdpr": {
        "last_purchase": ("customer", CNIL),
        "last_visit": ("customer", CNIL),
        "membership_ends": ("customer", CNIL),
    },
    "casl": _IN_CANADA,
    "casl-charity": {**_IN_CANADA, "last_donation": ("donor", CASL)},
}
"""By what somebody did last, the basis it gives and for how long."""
READ = {"email", "newsletter", "membership"}.union(*IMPLIED.values()) - {"last_inquiry"}
"""The fields of `rules.fields` that `right` looks at."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Right:
    """`reason` says in a word why not (None: may write); `basis` by what right: consent, customer, donor, member,
    inquiry, service. `until` is the last day of a right that the law only implies, also of one that is over.
    """

    reason: str | None = None
    basis: str | None = None
    until: date | None = None


def right(person: Contact, purpose: Purpose, law: Law, today: date) -> Right:
    """May this person be written to for this purpose, on this local day?"""
    if not is_address(person.get("email")):
        return Right("no-address")
    if person.get("bounced") or "bounced" in _suppressed(person):
        return Right("bounced")
    if refusal := next((reason for reason, holds in _refusals(person, purpose) if holds), None):
        return Right(refusal)
    if purpose == "service":
        return Right(basis="service")
    if person.get("newsletter") == "subscribed" or _consent(person) is True:
        return Right(basis="consent")
    return _implied(person, law, today)


def _refusals(person: Contact, purpose: Purpose) -> Iterable[tuple[str, bool]]:
    suppressed = _suppressed(person)
    yield "do-not-contact", bool(person.get("do_not_contact"))
    if purpose == "service":
        yield "erased", "erased" in suppressed and not _came_back(person, suppressed["erased"])
        yield "unsubscribed", _consent(person, "service") is False
        yield "nothing-more", "nothing-more" in suppressed
        return
    yield "erased", "erased" in suppressed
    yield "complained", bool(person.get("complained")) or "complained" in suppressed
    unsubscribed = person.get("unsubscribed") or person.get("newsletter") == "unsubscribed"
    unsubscribed = unsubscribed or not suppressed.keys().isdisjoint({"unsubscribed", "nothing-more"})
    yield "unsubscribed", bool(unsubscribed)
    yield "said-no", _consent(person) is False


def _suppressed(person: Contact) -> Mapping[str, datetime]:
    return person.get("suppressed") or {}


def _came_back(person: Contact, erased: datetime) -> bool:
    """Somebody who was erased bought something again, and needs to know where to come. An old export is no purchase."""
    bought = person.get("last_purchase")
    return bought is not None and bought > erased.date()


def _consent(person: Contact, wanted: Purpose = "marketing") -> bool | None:
    """The newest yes or no for a purpose; of two at the same time, or without a time, the no."""
    if not (told := person.get("consents")):
        return None
    given = [_told(consent) for consent in told]
    said = [(at or LONG_AGO, not granted) for purpose, granted, at in given if purpose == wanted]
    undated_no = any(purpose == wanted and not granted and at is None for purpose, granted, at in given)
    return None if not said else not (undated_no or max(said)[1])


def _told(consent: Any) -> tuple[str, bool, datetime | None]:
    if isinstance(consent, Mapping):
        return consent["purpose"], bool(consent["granted"]), consent.get("at")
    return consent.purpose, consent.granted, consent.at


def _implied(person: Contact, law: Law, today: date) -> Right:
    known = [(person[name], *right) for name, right in IMPLIED[law].items() if person.get(name)]
    until, basis = max(((period.after(day), basis) for day, basis, period in known), default=(None, None))
    if person.get("membership") and not person.get("membership_ends"):
        return Right(basis="customer" if law == "gdpr" else "member")
    return Right(basis=basis, until=until) if until and today <= until else Right("no-consent", until=until)


def is_address(text: object) -> bool:
    """An address that an e-mail can be sent to: one mailbox, with a domain that has a dot."""
    if not isinstance(text, str):
        return False
    if PLAIN.fullmatch(text):
        return True
    try:
        address = mailbox(text)
    except ValueError:
        return False
    return not address.display_name and "." in address.domain.strip(".") and ".." not in address.domain


def hashed(address: str) -> str:
    """What the outbox keeps of an address: enough to know it again, and no address."""
    same = unicodedata.normalize("NFC", address.strip().casefold())
    return sha256(f"filrouge address {same}".encode()).hexdigest()
