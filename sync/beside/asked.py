"""What rules want a person to look at: records to check, people whose data may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from sync.beside.lines import Doubt
from sync.beside.tab import in_house
from sync.dates import format_date
from sync.followup import deeds
from sync.rows import called, filled

if TYPE_CHECKING:
    from sync.work import Work

MOST = 501  # one more than the tab shows, so that it is known that there are more
SHOWN = ("email", "phone", "postcode", "city")


def reviews(work: Work) -> Iterator[Doubt]:
    """Records that are this day's to check, with what stands in them."""
    for row, person in _open(work, "review"):
        last = person.get("verified")
        when = format_date(last, "long", locale=work.desk.config.language) if last else ""
        advice = in_house(work, "doubt-review-again" if last else "doubt-review-advice", tab=work.tab.name, when=when)
        detail = " · ".join(str(person[name]) for name in SHOWN if person.get(name))
        yield Doubt(f"review.{row.id}", called(person) or str(person["key"]), detail, advice)


def erasures(work: Work) -> Iterator[Doubt]:
    """People whom a rule proposes to forget, with its reason."""
    for row, person in _open(work, "forget"):
        reason = filled(work.desk, deeds.what(row)["text"], person)
        advice = in_house(work, "doubt-forget-advice", command=work.desk.command("person", "erase", person["key"]))
        yield Doubt(f"forget.{row.id}", called(person) or str(person["key"]), reason, advice)


def _open(work: Work, kind: str) -> Iterator[tuple[deeds.Row, Mapping[str, Any]]]:
    store = work.desk.store
    with store.look() as connection:
        rows = deeds.listed(connection, store.org, (kind,), ("approved",), MOST)
    known = {row.person_id for row in rows}
    people = work.frame.filter(pl.col("person_id").is_in(known)).iter_rows(named=True) if rows else ()
    facts = {person["person_id"]: person for person in people}
    yield from ((row, facts[row.person_id]) for row in rows if row.person_id in facts)
