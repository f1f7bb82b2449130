"""`filrouge demo`: a small theatre, written into a folder and run as its team would run it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from connectors.trouble import FixFile
from sync.clock import Clock
from sync.demo import write_demo
from sync.desk import Desk, typed_here
from sync.followup import approvals
from sync.followup import outbox as box
from sync.messages import say
from sync.people.profile import people_frame
from sync.rows import called
from sync.run import run_once
from sync.work import Wishes

Tell = Callable[[str], None]


def demonstrate(folder: Path, today: date | None, language: str, tell: Tell) -> int:
    """The first time: write, run, approve one batch as a person would, run. Later: run, so that a change can be seen.

    `language` is the reader's, and the theatre's.
    """
    file = folder / "config.yaml"
    first = not file.exists()
    if first and folder.exists() and any(folder.iterdir()):
        raise FixFile("demo-not-empty", folder=str(folder))
    if first:
        write_demo(folder, today or _today(), language)
        tell(say(language, "demo-written", folder=str(folder)))
    desk = Desk.open(file, language, today)
    try:
        _run(desk, tell)
        rule = _approve_one(desk) if first else None
        if rule:
            tell("")
            tell(desk.say("demo-approved", command=f"{typed_here()} --config {file} approve {rule}"))
            _run(desk, tell)
        tell("")
        for code in ("demo-open", "demo-try") if first else ("demo-again",):
            who = _somebody(desk, rule)
            tell(
                desk.say(
                    code, folder=str(folder), config=str(file), who=who, again=_again(folder), filrouge=typed_here()
                )
            )
    finally:
        desk.close()
    return 0


def _again(folder: Path) -> str:
    """What does the same once more, as it was done: with make (which counts its levels), or by the command itself."""
    if "MAKELEVEL" in os.environ:
        return "make demo"
    return shlex.join([typed_here(), "demo", *([] if folder == Path("demo") else [str(folder)])])


def _today() -> date:
    return Clock(ZoneInfo("Europe/Paris")).today()


def _run(desk: Desk, tell: Tell) -> None:
    for line in run_once(desk, Wishes(), "demo").lines():
        tell(f"  {line}")


def _approve_one(desk: Desk) -> str | None:
    """The smallest batch that waits, that of a journey before all others; its rule."""
    journeys = desk.read_rules(None).book.journey
    with desk.store.begin() as connection:
        waits = [batch for batch in approvals.waits(connection, desk.store.org) if batch.mails]
        batch = min(waits, key=lambda batch: (batch.rule not in journeys, batch.mails, batch.rule), default=None)
        if batch:
            approvals.approve(connection, desk.store.org, batch.name, "demo", desk.clock.now())
    return batch.rule if batch else None


def _somebody(desk: Desk, rule: str | None) -> str:
    """Whom an e-mail of this rule has just gone to, by their name; "" for nobody."""
    with desk.store.look() as connection:
        gone = {row.person_id for row in box.listed(connection, desk.store.org, ["sent"]) if row.rule == rule}
    people = people_frame(desk.store).filter(pl.col("person_id").is_in(gone)).sort("last_name", "first_name")
    return called(people.row(0, named=True)) if len(people) else ""
