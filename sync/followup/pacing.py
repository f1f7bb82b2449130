"""How many e-mails may still go: counted from the outbox each time, so that no crash and no clock makes it forget.

What was refused does not count; what may have arrived does. Only one sender is at work at a time (the lease of `run`); one
that slept so long that another took its place counts anew before its next e-mail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup.consent import Purpose
from sync.followup.tables import GONE_STATES, is_in, is_now_in, outbox
from sync.limits import Limits, day_begins

WARM_DAYS = 30  # a sender that was silent for longer begins anew
KEPT_FOR_SERVICE = 10  # a tenth
COUNT_LASTS = timedelta(seconds=20)  # less than the lease: nobody else can have begun to send in between


@dataclass
class Pace:
    """`domain`: of the sender's address, in ASCII; `news`: whether any marketing e-mail may go. Every question is asked inside a transaction of the caller's."""

    connection: Connection
    org: int
    limits: Limits
    zone: ZoneInfo
    domain: str
    news: bool = True
    _best: dict[date, int] = field(default_factory=dict)
    _most: tuple[datetime, int, datetime] | None = None  # of which day, how many can have gone in it, counted when

    def count(self, now: datetime, coming: int) -> None:
        """Count what went today. Until it is counted anew, no more than so many e-mails leave."""
        today = day_begins(now, self.zone)
        self._most = (today, self._gone_today(today) + coming, now) if self._limited else None

    def bar(self, purpose: Purpose, now: datetime) -> str | None:
        """The word for why no e-mail of this purpose goes at this moment, whoever it is for; None: they may."""
        if not self.news and purpose == "marketing":
            return "older-copy"
        return self.limits.quiet(now.astimezone(self.zone), purpose) or self._full(purpose, now)

    def had_enough(self, person_id: int, address_hash: str, now: datetime) -> bool:
        """Did this person, or anybody at this address, get as many marketing e-mails lately as there may be?"""
        cap = self.limits.cap
        if cap is None:
            return False
        who = {"this_org": self.org, "this_person": person_id, "this_address": address_hash}
        since = day_begins(now, self.zone, cap.days - 1)
        return (self.connection.scalar(_LATELY, {**who, "this_since": since}) or 0) >= cap.mails

    def again(self, reasons: set[str], now: datetime) -> datetime | None:
        """When the first of those that wait for such reasons may go: a moment of the clock, or tomorrow."""
        tomorrow = day_begins(now, self.zone, -1)
        moments = [
            self.limits.opens(now, self.zone, "service") if "quiet-hours" in reasons else None,
            self.limits.opens(now, self.zone, "marketing") if "quiet-day" in reasons else None,
            self.limits.opens(tomorrow, self.zone, "marketing") if reasons & {"day-full", "slow-start"} else None,
        ]
        return min((moment for moment in moments if moment), default=None)

    def _full(self, purpose: Purpose, now: datetime) -> str | None:
        rooms = [("day-full", self.limits.per_day), ("slow-start", self._warm(now))]
        reason, room = min(((word, room) for word, room in rooms if room), key=lambda one: one[1], default=("", None))
        if room is None:
            return None
        kept = room // KEPT_FOR_SERVICE if purpose == "marketing" else 0
        today = day_begins(now, self.zone)
        if self._few(now, today, room - kept):
            return None
        return reason if self._gone_today(today) >= room - kept else None

    def _few(self, now: datetime, today: datetime, room: int) -> bool:
        """So few can have gone that nothing has to be counted."""
        day, most, counted = self._most or (now, room, now)
        return day == today and most < room and timedelta(0) <= now - counted < COUNT_LASTS

    @property
    def _limited(self) -> bool:
        return bool(self.limits.per_day or self.limits.first_day)

    def _gone_today(self, today: datetime) -> int:
        return self.connection.scalar(self._gone_since(today)) or 0

    def _warm(self, now: datetime) -> int | None:
        """How many a new sender may send today: at most twice the best of its last days."""
        first = self.limits.first_day
        if first is None:
            return None
        today = now.astimezone(self.zone).date()
        if today not in self._best:
            self._best = {today: self._best_day(now)}
        return max(first, 2 * self._best[today])

    def _best_day(self, now: datetime) -> int:
        ours = outbox.c.message_id.endswith(f"@{self.domain}>", autoescape=True)
        best = 0
        for before in range(1, WARM_DAYS + 1):
            day = self._gone_since(day_begins(now, self.zone, before)).where(ours)
            day = day.where(outbox.c.settled_at < day_begins(now, self.zone, before - 1))
            best = max(best, self.connection.scalar(day) or 0)
        return best

    def _gone_since(self, moment: datetime) -> sa.Select[int]:
        return _gone(self.org, moment)


def _gone(org: Any, since: Any, is_in: Callable[..., sa.ColumnElement[bool]] = is_in) -> sa.Select[int]:
    """How many left since then; what is leaving right now counts."""
    recent = sa.or_(outbox.c.settled_at >= since, is_in("sending"))
    gone = (outbox.c.org == org, is_in(*GONE_STATES), recent)
    return sa.select(sa.func.count()).select_from(outbox).where(*gone)


_LATELY = _gone(sa.bindparam("this_org"), sa.bindparam("this_since"), is_now_in).where(
    sa.or_(outbox.c.person_id == sa.bindparam("this_person"), outbox.c.address_hash == sa.bindparam("this_address")),
    outbox.c.purpose == "marketing",
)
"""Of one person or address: asked for every e-mail, so built once."""
