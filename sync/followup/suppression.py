"""Addresses not to be written to, known again without being known: the list outlives the erasure of a person.

Every function works inside the transaction of its caller and takes addresses as `consent.hashed` gives them, as the
outbox keeps them too. What is stored is keyed once more with a secret of the organisation: an entry that is shown or
handed on as a proof can't be found by trying addresses, and two organisations' lists can't be laid side by side. The
secret stands in the same database, so a restored copy knows its own list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256
from hmac import HMAC
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup.tables import SUPPRESSIONS, suppression
from sync.store.base import organisation, pepper, slices, upsert
from sync.store.rows import are_many


def add(connection: Connection, org: int, address: str, reason: str, at: datetime, evidence: str) -> None:
    """From `at` on, this address is not written to. `reason` is one of `SUPPRESSIONS`; `evidence` says in words where
    that was said, without naming anybody. One that is there already keeps the day it was first said.
    """
    if reason not in SUPPRESSIONS:
        raise ValueError(reason)
    key = _keyed(pepper(connection, org), address)
    mine = (suppression.c.org == org, suppression.c.address_hash == key, suppression.c.reason == reason)
    if connection.scalar(sa.select(suppression.c.at).where(*mine, suppression.c.lifted_at.is_(None))) is None:
        row = {"org": org, "address_hash": key, "reason": reason, "at": at, "evidence": evidence}
        upsert(connection, suppression, [row | {"lifted_at": None, "lifted_by": None}])


def lift(
    connection: Connection, org: int, addresses: Iterable[str], reasons: Collection[str], at: datetime, by: str
) -> int:
    """The person asked to be written to again, or showed that the address works: `by` says how, in words. Gives how many
    entries that lifted. An import, or a service that counts somebody as subscribed, is no reason to call this.
    """
    secret = pepper(connection, org)
    keys = [_keyed(secret, address) for address in addresses]
    mine = sa.update(suppression).where(suppression.c.org == org, suppression.c.lifted_at.is_(None))
    mine = mine.where(suppression.c.reason.in_(reasons)).values(lifted_at=at, lifted_by=by)
    lifted = 0
    for some in slices(keys):
        lifted += connection.execute(mine.where(suppression.c.address_hash.in_(some))).rowcount
    return lifted


def among(connection: Connection, org: int, addresses: Iterable[str]) -> dict[str, dict[str, datetime]]:
    """Of these addresses those that are on the list: for which reasons, and since when. It only reads."""
    secret = connection.scalar(sa.select(organisation.c.pepper).where(organisation.c.id == org))
    if secret is None:
        return {}
    known = {_keyed(secret, address): address for address in addresses}
    rows = sa.select(suppression).where(suppression.c.org == org, suppression.c.lifted_at.is_(None))
    found: dict[str, dict[str, datetime]] = {}
    parts = [()] if are_many(known) else slices(list(known))
    for some in parts:
        for row in connection.execute(rows.where(suppression.c.address_hash.in_(some)) if some else rows):
            if row.address_hash not in known:
                continue
            found.setdefault(known[row.address_hash], {})[row.reason] = row.at
    return found


def entries(connection: Connection, org: int, addresses: Iterable[str]) -> list[sa.Row[Any]]:
    """All that the list holds of these addresses, what was lifted too: reason, at, evidence, lifted_at, lifted_by."""
    secret = connection.scalar(sa.select(organisation.c.pepper).where(organisation.c.id == org))
    keys = [_keyed(secret, address) for address in addresses] if secret else []
    rows = sa.select(suppression).where(suppression.c.org == org, suppression.c.address_hash.in_(keys))
    return list(connection.execute(rows.order_by(suppression.c.at)).all())


def forget_words(connection: Connection, org: int, addresses: Iterable[str]) -> None:
    """By whose word entries of these addresses were lifted may name somebody: that they were lifted stays."""
    secret = pepper(connection, org)
    mine = sa.update(suppression).where(suppression.c.org == org, suppression.c.lifted_by.is_not(None))
    for some in slices([_keyed(secret, address) for address in addresses]):
        connection.execute(mine.where(suppression.c.address_hash.in_(some)).values(lifted_by=""))


def is_empty(connection: Connection, org: int) -> bool:
    """Whether nobody is on the list: then no address has to be looked up."""
    one = sa.select(sa.literal(1)).where(suppression.c.org == org, suppression.c.lifted_at.is_(None)).limit(1)
    return connection.scalar(one) is None


def _keyed(secret: str, address: str) -> str:
    return HMAC(secret.encode(), address.encode(), sha256).hexdigest()
