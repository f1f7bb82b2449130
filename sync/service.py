"""`filrouge serve`: one desk, its schedule, its page."""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from pathlib import Path

import structlog

from connectors.trouble import Trouble
from sync import runs
from sync.desk import Desk
from sync.run import Wishes, run_once
from sync.serve import Keeper, serve
from sync.web.app import application

log = structlog.get_logger()


def serve_desk(file: Path, language: str | None, host: str | None, port: int | None) -> int:
    """Serve until asked to end; gives the exit code. A config that is wrong at the start is told and ends it (2)."""
    desk = Desk.open(file, language)
    config = desk.config
    where = host or config.outline.web.host, config.outline.web.port if port is None else port
    keeper = Keeper(
        config.timetable, lambda: _last_start(desk), lambda stop: _run(file, language, stop), desk.clock.read
    )
    page = application(
        name=config.organisation.name,
        language=desk.language,
        zone=config.zone,
        runs=lambda most: runs.last_runs(desk.store, most),
        pulse=keeper.pulse,
        now=desk.clock.read,
    )
    log.info("serving", address=f"http://{where[0]}:{where[1]}", schedule=config.timetable.cron)
    signal.signal(signal.SIGTERM, lambda *_: keeper.stopping.set())
    try:
        serve(keeper, page, *where)
    finally:
        desk.close()
    return 0


def _last_start(desk: Desk) -> datetime | None:
    newest = runs.last_runs(desk.store, 1)
    return newest[0].started if newest else None


def _run(file: Path, language: str | None, stop: threading.Event) -> None:
    """One run with the config as it stands now; what goes wrong is logged by its code."""
    desk = Desk.open(file, language)
    try:
        outcome = run_once(desk, Wishes(keep_last_right=True), "schedule", stop=stop.is_set)
        log.info("run", state=outcome.facts.get("state"), run=outcome.facts.get("run"))
    except Trouble as trouble:
        log.warning("run-not-made", why=trouble.code)
    finally:
        desk.close()
