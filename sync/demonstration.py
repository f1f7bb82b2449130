"""`filrouge demo`: a small theatre, written into a folder and run as its team would run it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.trouble import FixFile
from sync.clock import Clock
from sync.demo import write_demo
from sync.desk import Desk
from sync.followup import outbox as box
from sync.messages import say
from sync.run import run_once
from sync.work import Wishes

Tell = Callable[[str], None]


def demonstrate(folder: Path, today: date | None, language: str, theatre: str, tell: Tell) -> int:
    """The first time: write, run, approve one batch as a person would, run. Later: run, so that a change can be seen.

    `language` is the reader's; `theatre` the organisation's own.
    """
    file = folder / "config.yaml"
    first = not file.exists()
    if first and folder.exists() and any(folder.iterdir()):
        raise FixFile("demo-not-empty", folder=str(folder))
    if first:
        write_demo(folder, today or _today(), theatre)
        tell(say(language, "demo-written", folder=str(folder)))
    desk = Desk.open(file, language, today)
    try:
        _run(desk, tell)
        if first and (rule := _approve_one(desk)):
            tell("")
            tell(desk.say("demo-approved", command=f"filrouge --config {file} approve {rule}"))
            _run(desk, tell)
        tell("")
        for code in ("demo-open", "demo-try") if first else ("demo-again",):
            tell(desk.say(code, folder=str(folder), config=str(file)))
    finally:
        desk.close()
    return 0


def _today() -> date:
    return Clock(ZoneInfo("Europe/Paris")).today()


def _run(desk: Desk, tell: Tell) -> None:
    for line in run_once(desk, Wishes(), "demo").lines():
        tell(f"  {line}")


def _approve_one(desk: Desk) -> str | None:
    """The smallest batch that waits; its rule."""
    with desk.store.begin() as connection:
        batches = sorted(box.waits(connection, desk.store.org), key=lambda batch: (batch.mails, batch.rule))
        batch = next((one for one in batches if one.mails), None)
        if batch:
            box.approve(connection, desk.store.org, batch.name, "demo", desk.clock.now())
    return batch.rule if batch else None
