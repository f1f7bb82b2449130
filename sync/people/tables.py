"""Who is who: people, how they were joined, what the team corrected, and the profile that rules read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from rules.fields import FIELDS, Field
from sync.store.base import Utc, metadata, org_column
from sync.store.tables import flag, number, only, text

person = sa.Table(
    "person",
    metadata,
    org_column(),
    number("id", primary=True),
    text("code"),  # the lasting key of a row in the sheet
    sa.Column("created", Utc, nullable=False),
    number("run"),
    number("merged_into", nullable=True),  # always the last of a chain
    flag("live"),  # some sighting says who it is
    flag("stale"),  # the profile has to be worked out again
    sqlite_with_rowid=False,
)
sa.Index("ix_person_code", person.c.org, person.c.code, unique=True)
only("ix_person_stale", person, "org", "id", where="stale")
only("ix_person_merged_into", person, "org", "merged_into", where="merged_into IS NOT NULL")

move = sa.Table(  # every sighting that passed from one person to another, so that a merge can be told and split
    "move",
    metadata,
    org_column(),
    number("no", primary=True),
    number("sighting"),
    number("from_person"),
    number("to_person"),
    number("run"),
    sa.Column("at", Utc, nullable=False),
    sqlite_with_rowid=False,
)
sa.Index("ix_move_from_person", move.c.org, move.c.from_person)
sa.Index("ix_move_to_person", move.c.org, move.c.to_person)

correction = sa.Table(  # the last one of a field counts; earlier ones stay, so that it can be undone
    "correction",
    metadata,
    org_column(),
    number("no", primary=True),
    number("person"),
    text("field"),
    text("value", nullable=True),  # null: the team emptied it
    number("run"),
    sa.Column("at", Utc, nullable=False),
    sqlite_with_rowid=False,
)
sa.Index("ix_correction_person", correction.c.org, correction.c.person)

to_check = sa.Table(  # pairs that may be one person, for somebody to look at; one < other
    "to_check",
    metadata,
    org_column(),
    number("one", primary=True),
    number("other", primary=True),
    text("reason"),  # a code of sync/words
    number("run"),
    sa.Column("at", Utc, nullable=False),
    text("answer", nullable=True),
)


joined = sa.Table(  # somebody said that two sightings are one person; one < other
    "joined",
    metadata,
    org_column(),
    number("one", primary=True),
    number("other", primary=True),
    number("run"),
    sa.Column("at", Utc, nullable=False),
    text("by"),
)

parted = sa.Table(  # somebody said that sightings of different sides are different people
    "parted",
    metadata,
    org_column(),
    number("sighting", primary=True),
    number("side"),
    number("run"),
    sa.Column("at", Utc, nullable=False),
    text("by"),
)


def _column(field: Field) -> sa.Column[Any]:
    if field.name == "satisfaction":
        return sa.Column(field.name, sa.Float(53))
    return sa.Column(field.name, sa.BigInteger() if field.type in ("number", "money") else sa.Text())


ELSEWHERE = frozenset({"flags", "last_emailed", "may_write_until", "verified"})
"""Fields that other rooms know; the run joins them."""

profile = sa.Table(  # a date is a local date (ISO); money is in cents of the organisation's currency; tags are JSON
    "profile",
    metadata,
    org_column(),
    number("person", primary=True),
    *(_column(field) for field in FIELDS.values() if field.name not in ELSEWHERE),
    text("email_key", nullable=True),
    text("other_money", nullable=True),  # JSON: currency -> cents that are not in `spent` and `donated`
    number("due", nullable=True),  # when its next visit turns into a past one; microseconds since 1970 UTC
    number("past", nullable=True),  # the newest visit counted as past
    sqlite_with_rowid=False,
)
only("ix_profile_due", profile, "org", "due", where="due IS NOT NULL")
only("ix_profile_past", profile, "org", "past", where="past IS NOT NULL")
only("ix_profile_email_key", profile, "org", "email_key", where="email_key IS NOT NULL")
