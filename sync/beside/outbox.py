"""The tab Outbox: the e-mails of the last weeks. A tick lets one go that waits for approval; it stays ticked,
unless its approval is asked for again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy.engine import Connection

from sync.beside.tab import TICK, Fields, SideTab, columns, in_house, tick_box, ticked_before
from sync.clock import utc_now
from sync.contacts import Contacts, keep_out
from sync.deedwords import about
from sync.drafts import Draft, drafts
from sync.followup import approvals, deeds
from sync.followup import outbox as box
from sync.messages import why_not
from sync.rows import called
from sync.sheet.columns import Tab
from sync.sheet.look import Look
from sync.sheet.plan import Wanted

if TYPE_CHECKING:
    from sync.work import Work

KIND = "outbox"
FIELDS: Fields = tuple((name, "text") for name in ("rule", "to", "subject", "state", "reason"))
SHOWN_DAYS = 60
MOST = 5_000


def side_tab(work: Work, name: str) -> SideTab:
    tab = Tab(name, (*columns(work, KIND, FIELDS), tick_box(work, KIND, stays=True)))
    return SideTab(tab, _mails, _approve)


def _approve(connection: Connection, org: int, id_: str, new: bool) -> int:  # noqa: FBT001  as every tab's tick tells it
    return approvals.approve(connection, org, id_, "sheet", utc_now(), anew=new)


def _mails(work: Work, seen: Look) -> Wanted:
    desk = work.desk
    ticks = TICK in seen.seen.columns
    ticked = set(seen.seen.filter(pl.col(TICK) == "true")["key"]) if ticks else set()
    since = work.now - timedelta(days=SHOWN_DAYS)
    with desk.store.look() as connection:
        rows = box.listed(connection, desk.store.org, limit=MOST)
    rows = [row for row in rows if row.state == "waiting" or (row.settled_at or row.created_at) >= since]
    names = work.book.names
    contacts = Contacts(desk, work.frame, keep_out(desk, work.look, work.codes))
    told = [
        {
            "key": row.id,
            "rule": names.get(row.rule, row.rule),
            "to": mail.to or mail.name,
            "subject": row.subject or mail.subject,
            "state": in_house(work, f"mail-{row.state}"),
            "reason": why_not(desk.config.language, *why) if (why := _why(row, mail)) else _what_a_tick_does(work, row),
        }
        for row, mail in zip(rows, drafts(desk, rows, contacts, work.book), strict=True)
    ]
    told += _deeds(work, since, names, contacts)
    lines = pl.DataFrame(told, schema=dict.fromkeys(("key", *(name for name, _ in FIELDS)), pl.String))
    if not ticks:
        return Wanted(lines)
    asked_again = {row.id for row in rows if row.state == "waiting" and row.reason == box.ASKED_AGAIN}
    asked_again &= ticked_before(seen)  # a tick of today is agreed upon first, and taken away by the next run
    return Wanted(
        lines.with_columns(pl.col("key").is_in(sorted(ticked - asked_again)).replace(False, None).alias(TICK))
    )


def _why(row: Any, mail: Draft) -> tuple[str, str] | None:
    """Of one that waits, first why it would not go even then; with the rule that has a part in it."""
    reason = (mail.reason if row.state == "waiting" else None) or row.reason or mail.reason
    return (reason, mail.other if reason == mail.reason else "") if reason else None


def _what_a_tick_does(work: Work, row: Any) -> str | None:
    """Of one that waits: that a tick is for it alone, and how all of its rule are let go."""
    if row.state != "waiting":
        return None
    return in_house(work, "tab-outbox-one", command=f"filrouge approve {row.rule}")


def _deeds(work: Work, since: datetime, names: dict[str, str], contacts: Contacts) -> list[dict[str, str | None]]:
    """What goes to other services, beside the e-mails."""
    desk = work.desk
    with desk.store.look() as connection:
        rows = deeds.listed(connection, desk.store.org, deeds.BRAKED, limit=MOST)
    rows = [row for row in rows if row.state == "waiting" or (row.settled_at or row.made) >= since]
    people = contacts([row.person_id for row in rows])
    with desk.speaking(desk.config.language):
        return [
            {
                "key": row.id,
                "rule": names.get(row.rule, row.rule),
                "to": person.get("email") or called(person) or person.get("code"),
                "subject": about(desk, row),
                "state": desk.say(f"deed-state-{row.state}"),
                "reason": why_not(desk.language, row.reason) if row.reason else _what_a_tick_does(work, row),
            }
            for row in rows
            for person in (people.get(row.person_id, {}),)
        ]
