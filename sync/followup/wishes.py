"""What people told us themselves of what they want to receive: on the unsubscribe page, by one click, by a mail.

A no stands at once and against whatever is pulled later: the address goes on the list of those not to be written to,
the person's wish is noted as the proof, and e-mails that wait are taken back. Only the person's own yes undoes it.
Every function works inside the transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup import suppression
from sync.followup.consent import Purpose, hashed
from sync.followup.tables import OPEN_STATES, outbox, wish
from sync.followup.tokens import Meant
from sync.people.tables import person
from sync.store.base import slices
from sync.store.rows import are_many, take
from sync.store.tables import fact, sighting

How = Literal["page", "one-click", "mail", "answer", "complaint"]
"""By what way somebody said it."""
NO_MORE = ("unsubscribed", "complained")
ALL = ("nothing-more",)
"""Who said no to practical information too, said it for whoever else is written to at that address."""
Kind = Callable[[str], tuple[Purpose, str | None]]
"""The purpose and the topic of a template, by its name in the outbox."""


@dataclass(frozen=True)
class Wishes:
    """Where somebody stands: wants nothing more at all, or nothing of these `topics`."""

    refused: bool
    topics: frozenset[str] = frozenset()


def standing(connection: Connection, org: int, meant: Meant) -> Wishes:
    """What the people at this address wish, for the page: as far as it can be changed there."""
    sharing = _sharing(connection, org, meant)
    told = among(connection, org, sharing.people)
    refused = any(told.get(one, {}).get(meant.purpose, {}).get(None) is False for one in sharing.with_no_other_no)
    listed = suppression.among(connection, org, [meant.address]).get(meant.address, {})
    refused = refused or not listed.keys().isdisjoint(NO_MORE if meant.purpose == "marketing" else ALL)
    news = [told.get(one, {}).get("marketing", {}) for one in sharing.at_no_other_address or sharing.people]
    topics = {topic for one in news for topic, granted in one.items() if topic and not granted}
    return Wishes(refused, frozenset(topics))


def refuse(connection: Connection, org: int, meant: Meant, at: datetime, how: How, kind: Kind) -> bool:
    """Nothing more of this purpose to this address, nor to whom the e-mail was written at any other of theirs; where that
    is not known, to nobody of this address. False: that was so already.

    Whoever refuses even service e-mails refuses news too.
    """
    people = people_meant(connection, org, meant)
    before = standing(connection, org, meant).refused
    reason = "complained" if how == "complaint" else "unsubscribed"
    for why in (reason, *(ALL if meant.purpose == "service" else ())):
        suppression.add(connection, org, meant.address, why, at, how)
    purposes: tuple[Purpose, ...] = ("marketing", "service") if meant.purpose == "service" else ("marketing",)
    for purpose in purposes:
        _note(connection, org, people, purpose, {None: False}, at, how)
    _take_back(connection, org, people, kind, lambda purpose, _topic: purpose in purposes)
    return not before


def choose(
    connection: Connection, org: int, meant: Meant, topics: Mapping[str, bool], at: datetime, kind: Kind
) -> None:
    """By topic (as `Templates.kind` tells it), whether they want it. Who wants some of it wants to be written to again;
    who wants none of it wants no news, of no topic either.
    """
    sharing = _sharing(connection, org, meant)
    if not any(topics.values()):
        refuse(connection, org, meant, at, "page", kind)
    elif standing(connection, org, meant).refused:
        again(connection, org, meant, at)
    unwanted = {topic for topic, yes in topics.items() if not yes}
    _note(connection, org, sharing.people, "marketing", dict.fromkeys(unwanted, False), at, "page")
    _note(
        connection,
        org,
        sharing.at_no_other_address,
        "marketing",
        dict.fromkeys(topics.keys() - unwanted, True),
        at,
        "page",
    )
    _take_back(
        connection, org, sharing.people, kind, lambda purpose, topic: purpose == "marketing" and topic in unwanted
    )


def again(connection: Connection, org: int, meant: Meant, at: datetime) -> None:
    """They want to be written to after all, under whichever of their addresses they said no. Where several people are
    written to at this address, nobody knows who says so: it takes back what was said at this address, no more.
    """
    sharing = _sharing(connection, org, meant)
    addresses = {meant.address}
    if len(sharing.people) == 1:
        addresses |= _written_to(connection, org, sharing.people[0])
    reasons = (*NO_MORE, *(ALL if meant.purpose == "service" else ()))
    suppression.lift(connection, org, sorted(addresses), reasons, at, "page")
    purposes: tuple[Purpose, ...] = ("service", "marketing") if meant.purpose == "service" else ("marketing",)
    for purpose in purposes:
        _note(connection, org, sharing.with_no_other_no, purpose, {None: True}, at, "page")


def agree(connection: Connection, org: int, person_id: int, at: datetime, words: str) -> None:
    """They told the team that they want news; `words` say how, and are the proof."""
    _note(connection, org, [person_id], "marketing", {None: True}, at, words)


def said_yes_since(connection: Connection, org: int, meant: Meant, at: datetime) -> bool:
    """Whether they asked to be written to again after `at`: an old no that is met again is settled."""
    told = consents(connection, org, people_meant(connection, org, meant)).values()
    return any(one["granted"] and one["purpose"] == meant.purpose and one["at"] > at for some in told for one in some)


def among(connection: Connection, org: int, people: Iterable[int]) -> dict[int, dict[str, dict[str | None, bool]]]:
    """By person, purpose and topic (None: everything) the newest word of those who said something."""
    found: dict[int, dict[str, dict[str | None, bool]]] = {}
    for row in _said(connection, org, people):
        found.setdefault(row.person_id, {}).setdefault(row.purpose, {})[row.topic] = row.granted
    return found


def refusing(connection: Connection, org: int) -> dict[int, datetime]:
    """Ids of the people whose newest word on news is no, and when they said it."""
    said = sa.select(wish.c.person_id).where(wish.c.org == org, wish.c.purpose == "marketing", wish.c.topic.is_(None))
    people = _as_known(connection, org, set(connection.scalars(said.distinct())))
    rows = [row for row in _said(connection, org, people) if row.purpose == "marketing" and row.topic is None]
    last = {row.person_id: row for row in rows}
    return {person_id: row.at for person_id, row in last.items() if not row.granted}


def refused_at(connection: Connection, org: int, moments: Collection[datetime]) -> dict[datetime, set[int]]:
    """Who said no to something at exactly these moments: whose word it is that an address is on the list."""
    whose = sa.func.coalesce(person.c.merged_into, person.c.id).label("person_id")
    said = sa.select(wish.c.at, whose).join(
        person, sa.and_(person.c.org == wish.c.org, person.c.id == wish.c.person_id)
    )
    said = said.where(wish.c.org == org, wish.c.granted.is_(False))
    found: dict[datetime, set[int]] = {}
    for some in slices(sorted(moments)):
        for row in connection.execute(said.where(wish.c.at.in_(some))):
            found.setdefault(row.at, set()).add(row.person_id)
    return found


def back(connection: Connection, org: int, people: Iterable[int]) -> dict[int, datetime]:
    """Ids of the people whose newest word on news is a yes on our page, and when they said it."""
    rows = [row for row in _said(connection, org, people) if row.purpose == "marketing" and row.topic is None]
    last = {row.person_id: row for row in rows}
    return {person_id: row.at for person_id, row in last.items() if row.granted and row.how == "page"}


def _as_known(connection: Connection, org: int, people: Iterable[int]) -> set[int]:
    """These people under the ids of those whom they turned out to be."""
    whose = sa.select(sa.func.coalesce(person.c.merged_into, person.c.id)).where(person.c.org == org)
    found: set[int] = set()
    for some in slices(sorted(people)):
        found |= set(connection.scalars(whose.where(person.c.id.in_(some))))
    return found


def consents(connection: Connection, org: int, people: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """The same with all that was said, oldest first, in the words of `connectors.records.Consent`; topics left out."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in _said(connection, org, people):
        if row.topic is None:
            told = {"purpose": row.purpose, "granted": row.granted, "at": row.at, "proof": row.how}
            found.setdefault(row.person_id, []).append(told)
    return found


def _said(connection: Connection, org: int, people: Iterable[int]) -> list[sa.Row[Any]]:
    """Rows of `wish`, oldest first, under the person whom each turned out to be."""
    whose = sa.func.coalesce(person.c.merged_into, person.c.id)
    rows = sa.select(whose.label("person_id"), *(wish.c[name] for name in ("purpose", "topic", "granted", "at", "how")))
    rows = rows.join(person, sa.and_(person.c.org == wish.c.org, person.c.id == wish.c.person_id))
    rows = rows.where(wish.c.org == org).order_by(wish.c.no)
    wanted = set(people)
    if are_many(wanted):
        return [row for row in connection.execute(rows) if row.person_id in wanted]
    found: list[sa.Row[Any]] = []
    for some in slices(sorted(wanted)):
        found += connection.execute(rows.where(whose.in_(some))).all()
    return found


def people_at(connection: Connection, org: int, address: str) -> list[int]:
    """Whom we wrote to at this address (`consent.hashed`), as they are known today."""
    whose = sa.func.coalesce(person.c.merged_into, person.c.id)
    written = sa.select(whose).select_from(outbox)
    written = written.join(person, sa.and_(person.c.org == outbox.c.org, person.c.id == outbox.c.person_id))
    return list(connection.scalars(written.where(outbox.c.org == org, outbox.c.address_hash == address).distinct()))


def people_meant(connection: Connection, org: int, meant: Meant) -> list[int]:
    """Whom a token was made for, as they are known today; everybody at its address where it does not say. Nobody, if they
    were erased since.
    """
    if meant.person is None:
        return people_at(connection, org, meant.address)
    known = person.alias()
    now = sa.select(known.c.id).join(person, known.c.id == sa.func.coalesce(person.c.merged_into, person.c.id))
    mine = (known.c.org == org, person.c.org == org, person.c.id == meant.person, known.c.live)
    return list(connection.scalars(now.where(*mine)))


@dataclass(frozen=True)
class _Sharing:
    """The `people` of one address (ids), and those among them who can have said what they said nowhere else: who have
    `at_no_other_address` than this one, or `with_no_other_no`. Whoever is alone there is in both.
    """

    people: Sequence[int]
    at_no_other_address: Sequence[int]
    with_no_other_no: Sequence[int]


def _sharing(connection: Connection, org: int, meant: Meant) -> _Sharing:
    people, address = people_meant(connection, org, meant), meant.address
    if len(people) < 2:
        return _Sharing(people, people, people)
    others = {one: _addresses(connection, org, one) - {address} for one in people}
    listed = suppression.among(connection, org, set().union(*others.values()))
    said_no = {other for other, reasons in listed.items() if not reasons.keys().isdisjoint((*NO_MORE, *ALL))}
    unsubscribed = _unsubscribed_elsewhere(connection, org, people, address)
    return _Sharing(
        people,
        [one for one in people if not others[one]],
        [one for one in people if others[one].isdisjoint(said_no) and one not in unsubscribed],
    )


def _addresses(connection: Connection, org: int, person_id: int) -> set[str]:
    """Every address that somebody was written to at or is known by."""
    known = sa.select(sighting.c.email_key).where(sighting.c.org == org, sighting.c.person == person_id)
    keys = connection.scalars(known.where(sighting.c.email_key.is_not(None)).distinct())
    return _written_to(connection, org, person_id) | {hashed(key) for key in keys}


def _written_to(connection: Connection, org: int, person_id: int) -> set[str]:
    theirs = sa.select(outbox.c.address_hash).where(outbox.c.org == org, outbox.c.person_id == person_id)
    return set(connection.scalars(theirs.where(outbox.c.address_hash.is_not(None)).distinct()))


def _unsubscribed_elsewhere(connection: Connection, org: int, people: Sequence[int], address: str) -> set[int]:
    """Who left a newsletter under another address than this one."""
    said = sa.select(sighting.c.person, sighting.c.email_key).distinct()
    said = said.where(sighting.c.org == org, sighting.c.person.in_(people), sighting.c.email_key.is_not(None))
    said = said.where(fact.c.org == org, fact.c.sighting == sighting.c.no, fact.c.kind == "subscription")
    rows = connection.execute(said.where(fact.c.status == "unsubscribed"))
    return {row.person for row in rows if hashed(row.email_key) != address}


def _note(
    connection: Connection, org: int, people: Collection[int], purpose: Purpose,
    said: Mapping[str | None, bool], at: datetime, how: How | str,
) -> None:  # fmt: skip
    """Only what is another word than the last one."""
    known = among(connection, org, people)
    usual: dict[str | None, bool] = {
        topic: True for topic in said if topic is not None
    }  # a topic nobody refused is wanted; all of it, not so
    rows = [
        {"org": org, "person_id": one, "purpose": purpose, "topic": topic, "granted": granted, "at": at, "how": how}
        for one in people
        for topic, granted in said.items()
        if (usual | known.get(one, {}).get(purpose, {})).get(topic) != granted
    ]
    if rows:
        first = take(connection, org, "wish", len(rows))
        connection.execute(sa.insert(wish), [{**row, "no": no} for no, row in enumerate(rows, first)])


def _take_back(
    connection: Connection, org: int, people: Sequence[int], kind: Kind, unwanted: Callable[[Purpose, str | None], bool]
) -> None:
    """E-mails to them that wait, of the kind they do not want."""
    mine = (outbox.c.org == org, outbox.c.person_id.in_(people), outbox.c.state.in_(OPEN_STATES))
    waiting = connection.execute(sa.select(outbox.c.id, outbox.c.template, outbox.c.purpose).where(*mine)).all()
    kinds = {row.id: (row.purpose, *kind(row.template)) for row in waiting}
    ids = [id_ for id_, (told, usual, topic) in kinds.items() if unwanted(told or usual, topic)]
    for some in slices(ids):
        taken = sa.update(outbox).where(outbox.c.org == org, outbox.c.id.in_(some), outbox.c.state.in_(OPEN_STATES))
        connection.execute(taken.values(state="cancelled", reason="unsubscribed"))
