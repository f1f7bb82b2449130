"""Reading the tabs and acting on the ticks, before anything is done; bringing them up to date, after everything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl

from connectors.sheets.sheet import Sheet
from connectors.trouble import Trouble
from sync.beside import check, journal, outbox, todo
from sync.beside.tab import TICK, SideTab, ticked_before
from sync.rights.rows import settle_written, with_blanks
from sync.sheet.apply import finish
from sync.sheet.look import Look, look
from sync.sheet.plan import Wanted

if TYPE_CHECKING:
    from sync.work import Work

ROWS_MAY_GO = {"missing": sys.maxsize}
"""Clearing up here is no accident: what stood in these tabs is known without them."""


def side_tabs(work: Work) -> list[SideTab]:
    """Those that the config names, in the order in which they are written."""
    named = work.desk.config.tab.beside
    make = {
        "todo": todo.side_tab, "outbox": outbox.side_tab, "check": check.side_tab, "journal": journal.side_tab,
    }  # fmt: skip
    return [make[kind](work, name) for kind, name in named.items()]


def take_ticks(work: Work, sheet: Sheet) -> None:
    """Read the tabs, and do what was ticked."""
    work.side_tabs = side_tabs(work)
    for one in work.side_tabs:
        allow = {**work.wishes.allow, **ROWS_MAY_GO}
        try:
            one.seen = look(work.desk.store, sheet, one.tab, work.number, work.now, allow=allow)
        except Trouble as trouble:
            work.sheet_trouble = work.sheet_trouble or trouble
        else:
            _settle(work, one, one.seen)


def _settle(work: Work, one: SideTab, seen: Look) -> None:
    if one.settle is None or TICK not in seen.seen.columns or seen.closed:
        return
    ticked = seen.seen.filter(pl.col(TICK) == "true")["key"].to_list()
    if ticked:
        before = ticked_before(seen)
        with work.desk.store.begin() as connection:
            for key in ticked:
                one.settle(connection, work.desk.store.org, key, key not in before)


def write_tabs(work: Work, sheet: Sheet) -> None:
    """Bring the tabs to what is so at the end of the run; but not in a sheet that another store kept."""
    another = work.look is not None and work.look.foreign and work.closed
    for one in work.side_tabs:
        if one.seen is None or another:
            continue

        def again(seen: Look, one: SideTab = one) -> Wanted:
            _settle(work, one, seen)
            return with_blanks(work.desk.store, seen, one.fill(work, seen))

        try:
            done = finish(
                work.desk.store, sheet, one.seen, with_blanks(work.desk.store, one.seen, one.fill(work, one.seen)),
                work.number, work.now, again=again, allow={**work.wishes.allow, **ROWS_MAY_GO},
            )  # fmt: skip
            if not done.closed:
                settle_written(work.desk.store, one.tab.name, work.now)
            work.notes += [gate.sentence(work.desk.language) for gate in done.closed]
        except Trouble as trouble:
            work.sheet_trouble = work.sheet_trouble or trouble
