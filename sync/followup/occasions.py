"""What an e-mail of a journey says of its occasion: which show, when and where; which gift.

It is read when the e-mail is written, so that a show that moved tells its new hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy.engine import Connection

from rules.journeys import VISITS, AnchorKind, Around
from sync.followup.anchors import Anchors, moment_of
from sync.followup.compose import House
from sync.followup.fill import OF_OCCASION, Money, field_of, names_in
from sync.followup.leaving import Row
from sync.followup.templates import Templates

GIFTS: frozenset[AnchorKind] = frozenset({"donation"})
KINDS = {field: GIFTS if field.startswith("donation") else VISITS for field in OF_OCCASION.values()}
"""Around what a journey turns whose e-mails may use a field."""


def occasions(
    connection: Connection, org: int, rows: Iterable[Row], templates: Templates, house: House
) -> dict[tuple[int, str], dict[str, Any]]:
    """Merge fields by person and occasion, for rows of the outbox; only of those whose template asks for any. An
    occasion that is gone is not there.
    """
    language, asks, found = house.organisation.language, dict[str, bool](), dict[tuple[int, str], dict[str, Any]]()
    for row in rows:
        if row.template not in asks:
            asks[row.template] = any(used(one.whole) for one in templates.variants(row.template, language))
        if asks[row.template]:
            found[row.person_id, row.occasion] = {}
    if not found:
        return {}
    anchors = Anchors(connection, org, pl.DataFrame(), house.zone, date.min)  # people and today: for other kinds
    for kind, (prefix, read) in _READ.items():
        people = {person for person, occasion in found if occasion.startswith(prefix)}
        for one in anchors.of(Around(kind), people).iter_rows(named=True):
            if (key := (one["person_id"], one["occasion"])) in found:
                found[key] = read(one, house.zone)
    return found


def used(text: str) -> list[str]:
    """The names in a text that tell of an occasion, as they are written."""
    return sorted(name for name in names_in(text) if field_of(name) in KINDS)


def _of_show(one: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Midnight is a day without its hour, as export files have it."""
    starts = moment_of(one["at"], one["day"], zone)
    hour = starts.time() if isinstance(starts, datetime) else time()
    return {
        "event": one["title"],
        "event_date": one["day"],
        "event_time": hour if hour != time() else None,
        "event_place": one["place"] and ", ".join(filter(None, map(str.strip, one["place"].splitlines()))),
    }


def _of_gift(one: Mapping[str, Any], _zone: ZoneInfo) -> dict[str, Any]:
    amount = None if one["cents"] is None else Money(Decimal(one["cents"]) / 100)
    if amount is not None:
        amount.currency = one["currency"]
    return {"donation_amount": amount, "donation_date": one["day"]}


_READ: dict[AnchorKind, tuple[str, Callable[[Mapping[str, Any], ZoneInfo], dict[str, Any]]]] = {
    "ticket": ("visit ", _of_show),
    "donation": ("donation ", _of_gift),
}
"""How the text of an occasion begins, and what is said of it; a first visit is a ticket's."""
