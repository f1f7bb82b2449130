"""What was pulled: objects as their services gave them, and the records read out of them.

    source ──< object ── raw            an object's records are replaced as a set when it changes
                 ├──< sighting          how this object names somebody; `sync.people` says which person it is
                 ├──< fact >── sighting what that somebody did
                 ├──< event, product    names and dates that facts refer to
                 └─── set_aside         why it could not be read

Numbers (`no`) come from `counter`, so a transaction that is rolled back leaves no trace of itself.
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.store.base import Utc, metadata, org_column


def number(name: str, *, primary: bool = False, nullable: bool = False) -> sa.Column[int]:
    """A number of ours; never one that the database counts up."""
    return sa.Column(name, sa.BigInteger, primary_key=primary, nullable=nullable, autoincrement=False)


def text(name: str, *, primary: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=primary, nullable=nullable)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def only(name: str, table: sa.Table, *columns: str, where: str) -> sa.Index:
    """An index over the rows that matter, so that the others cost nothing."""
    condition = sa.text(where)
    return sa.Index(name, *(table.c[column] for column in columns), sqlite_where=condition, postgresql_where=condition)


counter = sa.Table("counter", metadata, org_column(), text("name", primary=True), number("last"))

source = sa.Table(
    "source",
    metadata,
    org_column(),
    text("name", primary=True),
    text("cursor", nullable=True),
    sa.Column("tried", Utc),
    sa.Column("succeeded", Utc),
    number("run", nullable=True),
    text("code", nullable=True),  # of the trouble that the last pull ended with; null: none
    text("facts", nullable=True),
)

thing = sa.Table(
    "object",
    metadata,
    org_column(),
    text("source", primary=True),
    text("kind", primary=True),
    text("id", primary=True),
    number("no"),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    number("run"),  # in which it last changed
    sa.Column("changed", Utc, nullable=False),
    sa.Column("gone", Utc),
    text("line", nullable=True),
    sqlite_with_rowid=False,
)
sa.Index("ix_object_no", thing.c.org, thing.c.no, unique=True)
only("ix_object_gone", thing, "org", "gone", where="gone IS NOT NULL")

raw = sa.Table(
    "raw", metadata, org_column(), number("object", primary=True), sa.Column("body", sa.LargeBinary, nullable=False)
)

set_aside = sa.Table(
    "set_aside",
    metadata,
    org_column(),
    text("source", primary=True),
    text("kind", primary=True),
    text("id", primary=True),
    number("object", nullable=True),  # null: not even an object (`connectors.source.Broken`)
    sa.Column("body", sa.LargeBinary),  # of what is not an object; an object's is in `raw`
    text("code"),
    text("facts"),
    text("line", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    number("run"),
    sa.Column("at", Utc, nullable=False),
)

sighting = sa.Table(
    "sighting",
    metadata,
    org_column(),
    number("no", primary=True),
    text("source"),
    text("id"),
    number("object"),  # 0: only referred to so far; below: what the team corrected of that person
    sa.Column("given", sa.LargeBinary),  # the Person record as JSON; null: withdrawn, or only referred to
    sa.Column("seen", Utc),
    sa.Column("dirty", sa.Boolean, nullable=False, server_default=sa.true()),  # `given` was not looked at yet
    flag("loose"),  # who it is has to be worked out again
    flag("stale"),  # facts changed: the person's profile has to be worked out again
    number("person", nullable=True),
    number("first_person", nullable=True),  # who it was before any merge
    flag("known"),  # has an e-mail, a phone number or a name
    text("customer", nullable=True),
    text("email_key", nullable=True),
    text("name_key", nullable=True),
    text("phone_key", nullable=True),
    text("place_key", nullable=True),
    text("email", nullable=True),
    text("phone", nullable=True),
    text("first_name", nullable=True),
    text("last_name", nullable=True),
    text("language", nullable=True),
    text("postcode", nullable=True),
    text("city", nullable=True),
    text("region", nullable=True),
    text("country", nullable=True),
    text("birthday", nullable=True),
    text("organisation", nullable=True),
    sqlite_with_rowid=False,
)
sa.Index("ix_sighting_object", sighting.c.org, sighting.c.object, sighting.c.source, sighting.c.id, unique=True)
sa.Index("ix_sighting_id", sighting.c.org, sighting.c.source, sighting.c.id)
for _mark in ("dirty", "loose", "stale"):
    only(f"ix_sighting_{_mark}", sighting, "org", "no", where=_mark)
only("ix_sighting_customer", sighting, "org", "source", "customer", where="customer IS NOT NULL")
only(
    "ix_sighting_person", sighting, "org", "person", "email_key", where="person IS NOT NULL"
)  # and whose address it is
for _key in ("email_key", "phone_key", "place_key", "name_key"):
    # Most sightings lack most keys, and all lack all of them until `sync.people` has looked.
    only(f"ix_sighting_{_key}", sighting, "org", _key, where=f"{_key} IS NOT NULL")

erased = sa.Table(  # what a person who was erased stood in: it is not taken in again
    "erased", metadata, org_column(), text("mark", primary=True)
)

fact = sa.Table(
    "fact",
    metadata,
    org_column(),
    number("object", primary=True),
    text("kind", primary=True),  # as in connectors.records.KINDS
    text("id", primary=True),
    text("source"),
    number("sighting"),
    sa.Column("at", Utc),  # a visit's `starts` as it says itself; its event's goes before
    text("status", nullable=True),  # an engagement's action; `granted` or `refused` for a consent
    text("event", nullable=True),
    text("ref", nullable=True),  # a visit's order
    text("label", nullable=True),  # genre, name, list, survey or purpose
    number("cents", nullable=True),
    text("currency", nullable=True),
    number("quantity", nullable=True),
    sa.Column("attended", sa.Boolean),
    sa.Column("score", sa.Float(53)),
    text("first_day", nullable=True),
    text("last_day", nullable=True),
    text("rest", nullable=True),  # JSON: product, question, text, proof
    sqlite_with_rowid=False,
)
sa.Index("ix_fact_sighting", fact.c.org, fact.c.sighting)
only("ix_fact_event", fact, "org", "source", "event", where="event IS NOT NULL")
only("ix_fact_attended", fact, "org", "source", "event", where="attended")
only("ix_fact_said", fact, "org", "sighting", where="kind IN ('consent', 'subscription')")
only("ix_fact_loose", fact, "org", "at", where="kind = 'visit' AND event IS NULL")  # for journeys, as the two below
only("ix_fact_donation", fact, "org", "at", where="kind = 'donation'")
only("ix_fact_answer", fact, "org", "at", where="kind = 'answer'")

event = sa.Table(
    "event",
    metadata,
    org_column(),
    number("object", primary=True),
    text("id", primary=True),
    text("source"),
    text("name"),
    sa.Column("starts", Utc),
    sa.Column("ends", Utc),
    text("genre", nullable=True),
    text("location", nullable=True),
    flag("cancelled"),
    sqlite_with_rowid=False,
)
sa.Index("ix_event_id", event.c.org, event.c.source, event.c.id)

product = sa.Table(
    "product",
    metadata,
    org_column(),
    number("object", primary=True),
    text("id", primary=True),
    text("source"),
    text("name"),
    sqlite_with_rowid=False,
)
sa.Index("ix_product_id", product.c.org, product.c.source, product.c.id)
