"""Who told us that they want no more news is unsubscribed in the newsletter services too, under each of their addresses;
under one that others have too, only where they said it there.

It is the person's own word, so it waits for nobody's approval, and it goes once for each time they said it: who signs up
there again later has changed their mind there. What they told a newsletter service needs no passing on here: it is read.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup import deeds, suppression, wishes
from sync.followup.consent import hashed
from sync.followup.outbox import identity
from sync.followup.tables import deed
from sync.store.base import organisation, slices
from sync.store.rows import ask_about, ask_in
from sync.store.tables import fact, sighting

OURS = "Fil rouge"
"""In the place of a rule's id, of which none holds a space."""
STILL = ("subscribed", "pending")


def pass_on(connection: Connection, org: int, newsletters: Collection[str], run: int, now: datetime) -> None:
    """Plan, in the caller's transaction, what `letters.change_newsletters` then does in each service that still counts
    them as subscribed.
    """
    refused = wishes.refusing(connection, org)
    if not (newsletters and refused):
        return
    began = connection.execute(sa.select(organisation.c.created).where(organisation.c.id == org)).scalar_one()
    still = sa.select(fact.c.source, sighting.c.email_key).distinct()
    still = still.where(fact.c.org == org, fact.c.kind == "subscription", fact.c.status.in_(STILL))
    still = still.where(sighting.c.org == org, sighting.c.no == fact.c.sighting, fact.c.source.in_(newsletters))
    theirs = _addresses(connection, org, refused)
    for some in slices(sorted(theirs)):
        for name, address in connection.execute(still.where(sighting.c.email_key.in_(some))).all():
            person_id, in_use = theirs[address]
            step = f"unsubscribe {name}" if in_use else f"unsubscribe {name} {hashed(address)[:8]}"
            occasion = refused[person_id].isoformat()
            about = {"change": "unsubscribe", "tag": None, "source": name, **({} if in_use else {"email": address})}
            row = {
                "org": org, "id": identity(began, OURS, step, person_id, occasion), "kind": "newsletter", "rule": OURS,
                "step": step, "person_id": person_id, "occasion": occasion, "state": "approved", "not_before": now,
                "no_later_than": None, "made": now, "run": run, "attempts": 0,
                "what": msgspec.json.encode(about).decode(),
            }  # fmt: skip
            deeds.plan(connection, [row])
    asked = (deed.c.org == org, deed.c.rule == OURS, deed.c.state == "planned")  # every approval was taken back
    connection.execute(sa.update(deed).where(*asked).values(state="approved"))


def _addresses(connection: Connection, org: int, refused: Collection[int]) -> dict[str, tuple[int, bool]]:
    """The addresses of those who said no: whose, and whether it is the one they use. Of one that somebody else has too, it
    must have been said there.
    """
    holders: dict[str, set[int]] = {}
    for person_id, address in ask_about(connection, HOLDERS, (org,), "person", refused):
        holders.setdefault(address, set()).add(person_id)
    for person_id, address in ask_in(connection, f"{HOLDERS} AND email_key IN ({{among}})", (org,), list(holders)):
        holders[address].add(person_id)
    listed = suppression.among(connection, org, map(hashed, holders))
    main = dict(
        ask_in(
            connection, "SELECT person, email_key FROM profile WHERE org = ? AND person IN ({among})", (org,), refused
        )
    )
    found: dict[str, tuple[int, bool]] = {}
    for address, people in holders.items():
        said = sorted(people & set(refused))
        if said and (len(people) == 1 or not listed.get(hashed(address), {}).keys().isdisjoint(wishes.NO_MORE)):
            whose = next((one for one in said if main.get(one) == address), said[0])
            found[address] = (whose, main.get(whose) == address)
    return found


HOLDERS = (
    "SELECT DISTINCT person, email_key FROM sighting WHERE org = ? AND person IS NOT NULL AND email_key IS NOT NULL"
)
