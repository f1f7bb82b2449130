"""What can be known today: which fields are fed by a source that was read in time, and which rules must wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from connectors import catalog
from rules.conditions import SHEET, Book
from rules.fields import FIELDS, SCORES
from sync.desk import Desk
from sync.people import scores
from sync.store import Store
from sync.store.tables import fact
from sync.store.tables import source as source_table


@dataclass(frozen=True)
class Knowledge:
    """`unknown` fields (and `sheet:` columns that are gone); `stale` sources with the time of their last good reading;
    `stale_rules`: which source each rule waits for; `columns_gone`: headers that rules name and the sheet has not.
    """

    unknown: frozenset[str]
    stale: Mapping[str, datetime | None]
    stale_rules: Mapping[str, str]
    columns_gone: tuple[str, ...] = ()


def know(desk: Desk, book: Book, now: datetime, headers: Collection[str]) -> Knowledge:
    """`headers`: the team's own columns as they stand in the sheet."""
    fed = feeds(desk)
    stale = stale_sources(desk.store, fed, now, desk.config.freshness)
    late = {name: _late_source(FIELDS[name].source, fed, stale) for name in FIELDS}
    everything = fed | told_by_people(desk)
    unfed = {name for name, field in FIELDS.items() if not is_fed(field.source, everything)}
    unfed |= set() if scores.known(desk.store) else set(SCORES)
    gone = tuple(sorted(book.columns_gone(headers)))
    unknown = unfed | {name for name, source in late.items() if source} | {SHEET + header for header in gone}
    waits = {rule.id: next((late[name] for name in sorted(rule.needs) if late.get(name)), None) for rule in book.acting}
    return Knowledge(
        frozenset(unknown), stale, {rule: source for rule, source in waits.items() if source is not None}, gone
    )


def stale_sources(
    store: Store, names: Collection[str], now: datetime, freshness: timedelta
) -> dict[str, datetime | None]:
    """Sources without a good reading within `freshness`, each with its last one (None: never)."""
    with store.look() as connection:
        rows = connection.execute(
            sa.select(source_table.c.name, source_table.c.succeeded).where(source_table.c.org == store.org)
        ).all()
    last = {row.name: row.succeeded for row in rows}
    return {name: last.get(name) for name in names if not (last.get(name) and now - last[name] <= freshness)}


def feeds(desk: Desk) -> dict[str, frozenset[str]]:
    """The kinds of record that each source feeds."""
    return {name: _kinds(desk, name) for name in desk.config.sources}


def told_by_people(desk: Desk) -> dict[str, frozenset[str]]:
    """What we are told without any source: who unsubscribed on our page or by mail, and whose address came back."""
    hears = desk.config.outline.web.address or desk.config.post.mailbox
    return {"": frozenset({"subscription"})} if hears else {}


def _kinds(desk: Desk, name: str) -> frozenset[str]:
    """Export files may hold anything: of them, what they were seen to hold; nothing before the very first run."""
    source = catalog.source(desk.config.source_type(name))
    if desk.config.source_type(name) != "files":
        return source.gives
    if not desk.has_store:
        return frozenset({"person"})
    query = sa.select(fact.c.kind).where(fact.c.org == desk.store.org, fact.c.source == name).distinct()
    query = query.where(fact.c.object > 0)  # they all are; it leads SQLite along the table, not around by an index
    with desk.store.look() as connection:
        return frozenset(connection.scalars(query)) | {"person"}


def is_fed(kinds: frozenset[str], fed: Mapping[str, frozenset[str]]) -> bool:
    """The sheet itself tells of people; what comes from no record is our own."""
    return not kinds or "person" in kinds or any(kinds & given for given in fed.values())


def _late_source(
    kinds: frozenset[str], fed: Mapping[str, frozenset[str]], stale: Mapping[str, datetime | None]
) -> str | None:
    if "person" in kinds:
        return None
    return next((name for name in stale if kinds & fed[name]), None)
