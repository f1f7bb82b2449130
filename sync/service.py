"""`filrouge serve`: one desk, its schedule, its page."""

from __future__ import annotations

import signal
import threading
from contextlib import closing, suppress
from pathlib import Path

import structlog

from connectors.trouble import Trouble, TryLater
from sync import runs
from sync.awaiting import how_much
from sync.configfile import read_config
from sync.desk import Desk, WrongFiles
from sync.followup import approvals
from sync.run import run_once
from sync.schedule import Timetable
from sync.serve import Keeper, serve
from sync.unsubscribing import Unsubscribing
from sync.waiting import Asking
from sync.web.app import application
from sync.web.door import Door
from sync.web.stop import StopPage
from sync.web.waiting import WaitingPage
from sync.work import Wishes

log = structlog.get_logger()


class Schedule:
    """The timetable of a config file as it stands now; while the file is wrong or away, the last one that was right."""

    def __init__(self, file: Path, timetable: Timetable) -> None:
        self.file = file
        self.timetable = timetable
        self.read_at = self._saved()

    def __call__(self) -> Timetable:
        if (saved := self._saved()) != self.read_at:
            self.read_at = saved
            config = None
            with suppress(OSError):  # away again
                config = read_config(self.file).config
            if config is not None and config.timetable != self.timetable:
                self.timetable = config.timetable
                log.info("schedule", schedule=self.timetable.cron)
        return self.timetable

    def _saved(self) -> tuple[int, int] | None:
        try:
            state = self.file.stat()
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size


def serve_desk(file: Path, language: str | None, host: str | None, port: int | None) -> int:
    """Serve until asked to end; gives the exit code. A config that is wrong at the start is told and ends it (2)."""
    desk = Desk.open(file, language)
    config = desk.config
    web = config.outline.web
    where = host or web.host, web.port if port is None else port
    keeper = Keeper(
        Schedule(file, config.timetable),
        lambda: runs.last_start(desk.store),
        lambda stop: _run(desk, file, language, stop),
        desk.clock.read,
        lambda: runs.mail_again(desk.store),
    )
    door = Door(web.password.get_secret_value() if web.password else None, public=web.address is not None)
    asking = Asking(lambda: Desk.open(file, language))
    page = application(
        name=config.organisation.name,
        language=desk.language,
        zone=config.zone,
        runs=lambda most: runs.last_runs(desk.store, most),
        pulse=keeper.pulse,
        now=desk.clock.read,
        stop=StopPage(Unsubscribing(desk), config.organisation, config.answers_to),
        waiting=WaitingPage(asking, config.organisation.name, desk.language, door, lambda trouble: told(desk, trouble)),
        waits=lambda: what_waits(desk),
        door=door,
    )
    log.info("serving", address=f"http://{where[0]}:{where[1]}", schedule=config.timetable.cron)
    signal.signal(signal.SIGTERM, lambda *_: keeper.stopping.set())
    try:
        serve(keeper, page, *where)
    finally:
        desk.close()
    return 0


def what_waits(desk: Desk) -> str:
    """All that waits for a yes, counted in words; "" for nothing."""
    with desk.store.look() as connection:
        return how_much(desk, approvals.waits(connection, desk.store.org))


def told(desk: Desk, trouble: Trouble) -> str:
    return trouble.shown if isinstance(trouble, WrongFiles) else desk.say(trouble.code, **trouble.facts)


def _run(served: Desk, file: Path, language: str | None, stop: threading.Event) -> None:
    """One run with the config as it stands now. Where that is wrong the page says so, and it is tried again with each
    tick: the run is made as soon as somebody has mended it.
    """
    try:
        with closing(Desk.open(file, language)) as desk:
            outcome = run_once(desk, Wishes(keep_last_right=True), "schedule", stop=stop.is_set)
            log.info("run", state=outcome.facts.get("state"), run=outcome.facts.get("run"))
    except TryLater as trouble:
        log.warning("run-not-made", why=trouble.code)
    except Trouble as trouble:
        said = told(served, trouble).splitlines()
        if runs.refuse(served.store, served.clock.today(), "schedule", served.clock.read(), said):
            log.warning("run-refused", why=trouble.code)
