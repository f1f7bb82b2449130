"""Every field of a person that a rule may read and a column may show: name, type, and which records it comes from.

Names are canonical (English, `_` between words); `rules/words/*.yaml` has what people write. A field whose records come
from no connected source, or from one that failed or is stale, is *unknown*: see `rules.conditions`.

In the profile a date is a local date in the organisation's zone (None: never, or not known), money is in the
organisation's currency, tags are a list of text, yes/no is a bool.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

FieldType = Literal["date", "number", "money", "text", "choice", "yesno", "tags"]


@dataclass(frozen=True)
class Field:
    """`source` are the kinds of record it is made from (`connectors.records.KINDS`); empty: the service itself or the
    sheet knows it. `about_person` fields are the team's to correct in the sheet; the others are computed, and put back.
    """

    name: str
    type: FieldType
    source: frozenset[str] = frozenset()
    choices: tuple[str, ...] = ()
    about_person: bool = False


def _field(name: str, type_: FieldType, *source: str, choices: tuple[str, ...] = ()) -> Field:
    return Field(name, type_, frozenset(source), choices)


def _about(name: str, type_: FieldType = "text") -> Field:
    return Field(name, type_, frozenset({"person"}), about_person=True)


NEWSLETTER = ("subscribed", "pending", "unsubscribed", "bounced", "none")

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        _about("first_name"),
        _about("last_name"),
        _about("email"),
        _about("phone"),
        _about("language"),
        _about("postcode"),
        _about("city"),
        _about("region"),
        _about("country"),
        _about("birthday", "date"),
        _about("organisation"),
        _field("first_visit", "date", "visit"),
        _field("last_visit", "date", "visit"),
        _field("next_visit", "date", "visit"),
        _field("visits", "number", "visit"),
        _field("no_shows", "number", "visit"),
        _field("last_purchase", "date", "order"),
        _field("purchases", "number", "order"),
        _field("tickets", "number", "order", "visit"),
        _field("spent", "money", "order"),
        _field("last_donation", "date", "donation"),
        _field("donations", "number", "donation"),
        _field("donated", "money", "donation"),
        _field("membership", "text", "membership"),
        _field("membership_ends", "date", "membership"),
        _field("newsletter", "choice", "subscription", choices=NEWSLETTER),
        _field("opens", "number", "engagement"),
        _field("clicks", "number", "engagement"),
        _field("last_opened", "date", "engagement"),
        _field("last_clicked", "date", "engagement"),
        _field("answers", "number", "answer"),
        _field("answered", "tags", "answer"),
        _field("satisfaction", "number", "answer"),
        _field("genres", "tags", "visit"),
        _field("last_activity", "date", "visit", "order", "donation", "answer", "engagement"),
        _field("flags", "tags"),
        _field("last_emailed", "date"),
        _field("may_write_until", "date", "order", "visit", "donation", "membership"),
        _field("verified", "date"),
        _field("recency_score", "number", "visit"),
        _field("frequency_score", "number", "visit"),
        _field("money_score", "number", "order"),
    )
}
SCORES = ("recency_score", "frequency_score", "money_score")
"""From 1 to 5 beside everybody else who came in the last 24 months; the others have none."""
COLUMNS: dict[str, Field] = FIELDS | {"segments": _field("segments", "tags")}
"""Every field that a column of the sheet may show: those of rules, and the segments that a person is in (a rule asks for
these with `segment`).
"""

OCCASION: dict[str, Field] = {
    field.name: field
    for field in (
        _field("attended", "yesno", "visit"),
        _field("genre", "text", "visit"),
        _field("amount", "money", "donation"),
        _field("visits_since", "number", "visit"),
        _field("donations_since", "number", "donation"),
    )
}
"""What a journey may ask of the one thing it is around: of a visit, whether the person came (null where nobody was
scanned, or not yet: unknown) and the genre of its event; of a gift, its amount (null in another currency); of anything,
how often the person came on a later day until now, and how many gifts they made after it.
"""
SINCE = {"visits_since": "visits", "donations_since": "donations"}
"""Of these the fields that count the same things, whenever they were: both are known, or neither."""
EVERY = FIELDS | OCCASION


def kinds_of(names: Iterable[str]) -> frozenset[str]:
    """The kinds of record that these fields are made from."""
    return frozenset(kind for name in names if name in EVERY for kind in EVERY[name].source)
