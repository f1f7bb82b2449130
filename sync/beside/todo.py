"""The tab To do: what rules ask the team to do. A tick closes a task; its row stays, ticked, until the team removes it.
The line of a task that was taken back is emptied, and takes a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from sqlalchemy.engine import Connection

from sync.beside.lines import empty
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
    return SideTab(tab, _tasks, _finish)


def _finish(connection: Connection, org: int, id_: str, _new: object) -> None:
    standings.finish_task(connection, org, id_)


def _tasks(work: Work, seen: Look) -> Wanted:
    desk = work.desk
    there = seen.rows.agreed["key"].to_list()
    with desk.store.look() as connection:
        rows = standings.open_tasks(connection, desk.store.org)
        gone = standings.cancelled_tasks(connection, desk.store.org, there)
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
    new = [str(line["key"]) for line in told if line["key"] not in there]
    merged = dict(zip([key for key in empty(seen, ()) if key in gone], new, strict=False))
    blank = [{**dict.fromkeys(SCHEMA), "key": key} for key in gone if key not in merged]
    return Wanted(pl.DataFrame([*told, *blank], schema=SCHEMA), merged=merged)
