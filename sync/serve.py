"""`filrouge serve`: the schedule and the page, in one process that ends cleanly when asked to.

APScheduler gives the tick. Whether a run is due is asked of the table of runs each time (`sync.schedule`).
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler
from starlette.applications import Starlette

from connectors.trouble import FixFile
from sync.schedule import Timetable
from sync.web.app import Pulse

TICK_SECONDS = 20
SECONDS_TO_END = 3
log = structlog.get_logger()


@dataclass
class Keeper:
    """Runs what is due by the timetable as it stands then, and once more when what only the hour held back may go
    (`wake`). `last_start`, `wake` and `run` come from the store and from `sync.run`; `stopping` asks the run that is under way to end after its present step.
    """

    timetable: Callable[[], Timetable]
    last_start: Callable[[], datetime | None]
    run: Callable[[threading.Event], None]
    now: Callable[[], datetime]
    wake: Callable[[], datetime | None] = lambda: None
    pulse: Pulse = field(default_factory=Pulse)
    stopping: threading.Event = field(default_factory=threading.Event)

    def tick(self) -> bool:
        """One beat: True when a run was due and was made. A failure is logged and tried again at the next due time."""
        self.pulse.ticked = self.now()
        try:
            if self.stopping.is_set() or not self._is_due(self.last_start(), self.now()):
                return False
            self.pulse.working = True
            self.run(self.stopping)
        except Exception as error:  # noqa: BLE001  the schedule must outlive whatever one run meets
            log.error("run-failed", error=type(error).__name__)  # noqa: TRY400  a traceback could hold a person's data
            return False
        finally:
            self.pulse.working, self.pulse.ticked = False, self.now()
        return True

    def _is_due(self, last: datetime | None, now: datetime) -> bool:
        if self.timetable().is_due(last, now):
            return True
        wake = self.wake()
        return wake is not None and last is not None and last < wake <= now


def serve(keeper: Keeper, application: Starlette, host: str, port: int) -> None:
    """Tick and answer until SIGTERM or Ctrl-C; then let the step under way finish. Raises `FixFile` where the address is
    somebody's already.
    """
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as fault:
        raise FixFile("web-no-address", address=f"{host}:{port}", detail=fault.strerror or "") from None
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a tick finds a run under way is no news
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        keeper.tick, "interval", seconds=TICK_SECONDS, max_instances=1, coalesce=True, next_run_time=keeper.now()
    )
    server = uvicorn.Server(
        uvicorn.Config(
            application, host=host, port=port, log_level="warning", access_log=False, server_header=False,
            proxy_headers=False,  # who is asking is who is asking: see `sync.web.door`
            timeout_graceful_shutdown=SECONDS_TO_END,
        )
    )  # fmt: skip
    scheduler.start()
    try:
        server.run(sockets=[listening])
    finally:
        keeper.stopping.set()
        scheduler.shutdown(wait=True)
        listening.close()
