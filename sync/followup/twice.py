"""The same e-mail from two rules or journeys: nobody gets it twice within `same_email`, and the one that goes first wins.

Practical information always goes. What a journey sends around each ticket, gift or answer, and an e-mail that names its
occasion, is about that occasion: it is the same only around the same one. A rule's `again` that is shorter than
`same_email` is enough. How often one rule sends an e-mail itself is no matter of this: `decide` sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rules.conditions import Book, Period
from rules.journeys import AnchorKind
from rules.mistakes import fold
from sync.followup.decide import steps
from sync.followup.leaving import Row
from sync.followup.occasions import used
from sync.followup.outbox import HAD_ELSEWHERE, SPLIT, WENT
from sync.followup.tables import GONE_STATES, OPEN_STATES, PASSING, is_now_in, outbox
from sync.followup.templates import Templates
from sync.followup.turn import HALF_A_DAY
from sync.store.base import Utc, slices

COME_AGAIN: frozenset[AnchorKind] = frozenset({"ticket", "donation", "answer"})
LET_GO = ("approved", "held")

_GONE = sa.or_(is_now_in(*GONE_STATES), outbox.c.reason.in_((SPLIT, WENT)))
_WAITS = sa.or_(is_now_in("planned", "waiting", "approved"), sa.and_(is_now_in("held"), outbox.c.reason.in_(PASSING)))
_AT = sa.func.coalesce(outbox.c.settled_at, outbox.c.created_at, type_=Utc)
_WHO = (outbox.c.person_id == sa.bindparam("this_person"), outbox.c.address_hash == sa.bindparam("this_address"))
_LATELY: sa.Select[Any] = (
    sa.select(outbox.c.rule, outbox.c.template, outbox.c.occasion)
    .where(outbox.c.org == sa.bindparam("this_org"), outbox.c.rule != sa.bindparam("this_rule"), _GONE)
    .where(sa.or_(sa.bindparam("this_since", type_=Utc) < _AT, is_now_in("sending")), sa.or_(*_WHO))
    .order_by(_AT.desc())
)
"""What a person or address had of other rules: asked for every e-mail of news, so built once."""


@dataclass(frozen=True)
class Twice:
    """`apart` None: the same e-mail may come from as many as ask for it."""

    book: Book
    templates: Templates
    language: str
    apart: Period | None

    def had(self, connection: Connection, org: int, row: Row, address_hash: str, now: datetime) -> str | None:
        """The rule or journey that this e-mail of news went from lately, to the same person or address; None: it may go."""
        if self.apart is None:
            return None
        this = {"this_org": org, "this_rule": row.rule, "this_person": row.person_id, "this_address": address_hash}
        rows = connection.execute(_LATELY, {**this, "this_since": self._since(row, now)})
        return next((str(other.rule) for other in rows if self._same(row, other)), None)

    def others(self, connection: Connection, org: int, rows: Sequence[Row], now: datetime) -> dict[str, str]:
        """Of these rows of the outbox, those that do not go, or would not, since another rule or journey sends the same:
        by id, the name of that one. Of two that both wait, the one that a person let go, then the earlier one, then the
        one whose rule stands first.
        """
        mine = [row for row in rows if self._asked(row)]
        if self.apart is None or not mine:
            return {}
        theirs = self._of_people(connection, org, {row.person_id for row in mine})
        place = {rule: number for number, rule in enumerate(self.book.names)}
        found: dict[str, str] = {}
        for row in mine:
            known = [one for one in theirs.get(row.person_id, ()) if one.rule != row.rule and self._same(row, one)]
            if first := self._first(row, known, now, place):
                found[row.id] = self.book.names.get(first, first)
        return found

    def _first(self, row: Row, known: Sequence[Row], now: datetime, place: Mapping[str, int]) -> str | None:
        def turn(one: Row) -> tuple[int, datetime, int, datetime, str]:
            waits = one.state in OPEN_STATES
            rank = 0 if not waits else 1 if one.state in LET_GO else 2
            at = max(now, one.not_before) if waits else one.settled_at or one.created_at
            return rank, at, place.get(one.rule, len(place)), one.created_at, one.id

        mine = turn(row)
        since = self._since(row, mine[1])
        before = [one for one in known if turn(one) < mine and turn(one)[1] > since]
        return str(min(before, key=turn).rule) if before else None

    def _asked(self, row: Row) -> bool:
        """Is it news, and not settled otherwise?"""
        news = (row.purpose or self.templates.kind(row.template)[0]) == "marketing"
        return news and (row.state in OPEN_STATES or row.reason == HAD_ELSEWHERE)

    def _of_people(self, connection: Connection, org: int, people: set[int]) -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = {}
        for some in slices(sorted(people)):
            asked = sa.select(outbox).where(outbox.c.org == org, outbox.c.person_id.in_(some))
            for one in connection.execute(asked.where(sa.or_(_GONE, _WAITS))):
                found.setdefault(one.person_id, []).append(one)
        return found

    def _same(self, row: Row, other: Row) -> bool:
        name = fold(row.template)
        if name != fold(other.template):
            return False
        return row.occasion == other.occasion or not (row.rule in self._each or name in self._telling)

    def _since(self, row: Row, now: datetime) -> datetime:
        """What went before then does not count any more."""
        assert self.apart is not None
        again = self._again.get((row.rule, row.step))
        return max(_ago(now, one) for one in (self.apart, again) if one) + HALF_A_DAY

    @cached_property
    def _telling(self) -> set[str]:
        """The templates that name their occasion, folded."""
        return {fold(one.name) for one in self.templates if used(self.templates.with_blocks(one, self.language).whole)}

    @cached_property
    def _each(self) -> set[str]:
        return {one.id for one in self.book.journeys if one.around.kind in COME_AGAIN}

    @cached_property
    def _again(self) -> dict[tuple[str, str], Period]:
        every = ((rule.id, step, email) for rule in self.book.rules for step, email in steps(rule))
        return {(rule, step): email.again for rule, step, email in every if email.again}


def _ago(now: datetime, period: Period) -> datetime:
    """Further back than the calendar goes is its beginning."""
    try:
        return now - period.delta
    except (OverflowError, ValueError):
        return datetime.min.replace(tzinfo=now.tzinfo)
