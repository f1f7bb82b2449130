"""The tab To do: what rules ask the team to do. A tick closes a task; its row stays, ticked, until the team removes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from sync.beside.tab import Fields, SideTab, columns, tick_box
from sync.followup import standings
from sync.rows import filled, reached
from sync.sheet.columns import Tab
from sync.sheet.look import Look
from sync.sheet.plan import Wanted

if TYPE_CHECKING:
    from sync.work import Work

KIND = "todo"
FIELDS: Fields = (("person", "text"), ("what", "text"), ("who", "text"), ("until", "date"))
SCHEMA = {"key": pl.String, "person": pl.String, "what": pl.String, "who": pl.String, "until": pl.Date}
MOST = 5_000


def side_tab(work: Work, name: str) -> SideTab:
    tab = Tab(name, (*columns(work, KIND, FIELDS), tick_box(work, KIND, stays=True)))
    return SideTab(tab, _tasks, standings.finish_task)


def _tasks(work: Work, _seen: Look) -> Wanted:
    desk = work.desk
    with desk.store.look() as connection:
        rows = standings.open_tasks(connection, desk.store.org)
    known = {row.person_id for row in rows}
    facts = work.frame.filter(pl.col("person_id").is_in(known)).iter_rows(named=True)
    people = {row["person_id"]: row for row in facts}
    told = [
        {
            "key": row.id,
            "person": reached(people[row.person_id]),
            "what": filled(desk, row.text, people[row.person_id]),
            "who": row.assignee,
            "until": row.due,
        }
        for row in rows[:MOST]
        if row.person_id in people
    ]
    return Wanted(pl.DataFrame(told, schema=SCHEMA))
