"""Who told us that they want no more news is unsubscribed in the newsletter services too.

It is the person's own word, so it waits for nobody's approval, and it goes once for each time they said it: who signs up
there again later has changed their mind there. What they told a newsletter service needs no passing on here: it is read.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup import deeds, wishes
from sync.followup.outbox import identity
from sync.followup.tables import deed
from sync.store.base import organisation, slices
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
    still = sa.select(sighting.c.person, fact.c.source).distinct()
    still = still.where(fact.c.org == org, fact.c.kind == "subscription", fact.c.status.in_(STILL))
    still = still.where(sighting.c.org == org, sighting.c.no == fact.c.sighting, fact.c.source.in_(newsletters))
    for some in slices(sorted(refused)):
        for person_id, name in connection.execute(still.where(sighting.c.person.in_(some))).all():
            step, occasion = f"unsubscribe {name}", refused[person_id].isoformat()
            row = {
                "org": org, "id": identity(began, OURS, step, person_id, occasion), "kind": "newsletter", "rule": OURS,
                "step": step, "person_id": person_id, "occasion": occasion, "state": "approved", "not_before": now,
                "no_later_than": None, "made": now, "run": run, "attempts": 0,
                "what": msgspec.json.encode({"change": "unsubscribe", "tag": None, "source": name}).decode(),
            }  # fmt: skip
            deeds.plan(connection, [row])
    asked = (deed.c.org == org, deed.c.rule == OURS, deed.c.state == "planned")  # every approval was taken back
    connection.execute(sa.update(deed).where(*asked).values(state="approved"))
