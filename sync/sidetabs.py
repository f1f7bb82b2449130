"""The tabs beside the people, each optional: what the team is to do, and the e-mails. The same engine keeps them up.

A tick in *Done* closes a task, a tick in *Approved* lets one e-mail go: both are read before anything else is done, so
the run that sees the tick acts on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy.engine import Connection

from connectors.sheets.sheet import Sheet
from connectors.trouble import Trouble
from rules.fields import FieldType
from sync.drafts import drafts
from sync.followup import outbox as box
from sync.followup import standings
from sync.messages import say, sentences
from sync.rows import Contacts, filled, keep_out
from sync.sheet.apply import finish
from sync.sheet.columns import Mapped, Tab
from sync.sheet.look import Look, look
from sync.sheet.plan import Wanted

if TYPE_CHECKING:
    from sync.run import Work

TICK = "tick"
Fields = tuple[tuple[str, FieldType], ...]
TO_DO: Fields = (("person", "text"), ("what", "text"), ("who", "text"), ("until", "date"))
OUTBOX: Fields = tuple((name, "text") for name in ("rule", "to", "subject", "state", "reason"))
SHOWN_DAYS = 60
MOST = 5_000
Settle = Callable[[Connection, int, str], object]


@dataclass
class SideTab:
    """One such tab: how it looks, what a tick in it does, what it should say."""

    tab: Tab
    settle: Settle
    frame: Callable[[Work], pl.DataFrame]
    seen: Look | None = None


def side_tabs(work: Work) -> list[SideTab]:
    """Those that the config names."""
    block = work.desk.config.tab

    def tab(name: str, kind: str, fields: Fields) -> Tab:
        shown = [Mapped(_say(work, f"tab-{kind}-{field}"), field, type_) for field, type_ in fields]
        return Tab(name, (*shown, Mapped(_say(work, f"tab-{kind}-tick"), TICK, "yesno", corrected=True)))

    found = []
    if block.todo:
        found.append(SideTab(tab(block.todo, "todo", TO_DO), standings.finish_task, _tasks))
    if block.outbox:
        found.append(SideTab(tab(block.outbox, "outbox", OUTBOX), _approve, _mails))
    return found


def _say(work: Work, code: str) -> str:
    """In the organisation's language, whoever runs the command: the sheet is the whole team's."""
    return say(work.desk.config.language, code)


def _approve(connection: Connection, org: int, id_: str) -> int:
    from sync.clock import utc_now

    return box.approve(connection, org, id_, "sheet", utc_now())


def take_ticks(work: Work, sheet: Sheet) -> None:
    """Read the tabs, and do what was ticked."""
    work.side_tabs = side_tabs(work)
    for one in work.side_tabs:
        try:
            one.seen = look(work.desk.store, sheet, one.tab, work.number, work.now, allow=work.wishes.allow)
        except Trouble as trouble:
            work.sheet_trouble = work.sheet_trouble or trouble
        else:
            _settle(work, one, one.seen)


def _settle(work: Work, one: SideTab, seen: Look) -> None:
    if TICK not in seen.seen.columns or seen.closed:
        return
    ticked = seen.seen.filter(pl.col(TICK) == "true")["key"].to_list()
    if ticked:
        with work.desk.store.begin() as connection:
            for key in ticked:
                one.settle(connection, work.desk.store.org, key)


def write_tabs(work: Work, sheet: Sheet) -> None:
    """Bring the tabs to what is so at the end of the run."""
    for one in work.side_tabs:
        if one.seen is None:
            continue

        def again(seen: Look, one: SideTab = one) -> Wanted:
            _settle(work, one, seen)
            return Wanted(one.frame(work))

        try:
            done = finish(
                work.desk.store, sheet, one.seen, Wanted(one.frame(work)), work.number, work.now,
                again=again, allow=work.wishes.allow,
            )  # fmt: skip
            work.notes += [gate.sentence(work.desk.language) for gate in done.closed]
        except Trouble as trouble:
            work.sheet_trouble = work.sheet_trouble or trouble


def _tasks(work: Work) -> pl.DataFrame:
    desk = work.desk
    with desk.store.look() as connection:
        rows = standings.open_tasks(connection, desk.store.org)
    known = {row.person_id for row in rows}
    people = {
        row["person_id"]: row for row in work.frame.filter(pl.col("person_id").is_in(known)).iter_rows(named=True)
    }
    told = [
        {
            "key": row.id,
            "person": _called(people[row.person_id]),
            "what": filled(desk, row.text, people[row.person_id]),
            "who": row.assignee,
            "until": row.due,
        }
        for row in rows[:MOST]
        if row.person_id in people
    ]
    return pl.DataFrame(
        told, schema={"key": pl.String, "person": pl.String, "what": pl.String, "who": pl.String, "until": pl.Date}
    )


def _called(person: dict[str, Any]) -> str:
    parts = [person["first_name"], person["last_name"], person["phone"] or person["email"]]
    return " ".join(part for part in parts if part)


def _mails(work: Work) -> pl.DataFrame:
    desk = work.desk
    since = work.now - timedelta(days=SHOWN_DAYS)
    with desk.store.look() as connection:
        rows = box.listed(connection, desk.store.org, limit=MOST)
    rows = [row for row in rows if row.state == "waiting" or (row.settled_at or row.created_at) >= since]
    names = {rule.id: rule.name for rule in work.book.rules}
    contacts = Contacts(desk, work.frame, keep_out(desk, work.look, work.codes))
    told = [
        {
            "key": row.id,
            "rule": names.get(row.rule, row.rule),
            "to": mail.to or mail.name,
            "subject": row.subject or mail.subject,
            "state": _say(work, f"mail-{row.state}"),
            "reason": _reason(work, row.reason or mail.reason),
        }
        for row, mail in zip(rows, drafts(desk, rows, contacts), strict=True)
    ]
    return pl.DataFrame(told, schema=dict.fromkeys(("key", "rule", "to", "subject", "state", "reason"), pl.String))


def _reason(work: Work, reason: str | None) -> str | None:
    code = f"report-reason-{reason}"
    return _say(work, code) if code in sentences(work.desk.config.language) else reason
