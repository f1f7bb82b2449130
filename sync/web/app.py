"""The page of `filrouge serve`: is it well (`/healthz`), and what did the last runs do. No person's data stands on it; what
waits for a yes is on one of its own (`waiting`).

It is the team's (`door`); of its health whoever asks learns no more than whether it is well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sync.dates import format_datetime
from sync.messages import say
from sync.runs import Run
from sync.web.door import Door, closed
from sync.web.stop import StopPage
from sync.web.waiting import PATH, WaitingPage

TEAM_HERE = Door()
MOST_RUNS = 30
TICK_IS_LATE = timedelta(minutes=5)


class Pulse:
    """What `/healthz` looks at: when the schedule last ticked, and whether a run is under way."""

    def __init__(self) -> None:
        self.ticked: datetime | None = None
        self.working = False

    def is_late(self, now: datetime) -> bool:
        """True when the schedule should have ticked since; a long run is no ill health."""
        return not self.working and (self.ticked is None or now - self.ticked > TICK_IS_LATE)


def application(  # noqa: PLR0913  what it shows and to whom, each part given
    *,
    name: str,
    language: str,
    zone: ZoneInfo,
    runs: Callable[[int], list[Run]],
    pulse: Pulse,
    now: Callable[[], datetime],
    stop: StopPage | None = None,
    waiting: WaitingPage | None = None,
    waits: Callable[[], str] = lambda: "",
    door: Door = TEAM_HERE,
) -> Starlette:
    """`runs(n)` gives the last n runs from the store; it is also how `/healthz` sees that the store answers. `waits`: how
    much waits for a yes on the page `waiting`, in words; "" for nothing.
    """
    templates = jinja2.Environment(loader=jinja2.PackageLoader("sync.web", "."), autoescape=True)

    async def health(request: Request) -> Response:
        late = pulse.is_late(now())
        try:
            newest = await run_in_threadpool(runs, 1)
        except Exception as error:  # noqa: BLE001  whatever keeps the store from answering is ill health
            why = {"store": type(error).__name__} if door.opens(request) else {}
            return JSONResponse({"state": "ill", **why}, status_code=503)
        last = {"run": newest[0].id, "run_state": newest[0].state} if newest and door.opens(request) else {}
        return JSONResponse({"state": "late" if late else "well", **last}, status_code=503 if late else 200)

    async def page(request: Request) -> Response:
        if not door.opens(request):
            return closed(door, language)
        rows = [_row(run, language, zone) for run in await run_in_threadpool(runs, MOST_RUNS)]
        template = templates.get_template("runs.html.j2")
        words = {code: say(language, f"web-{code}") for code in ("title", "when", "state", "what", "none")}
        told = await run_in_threadpool(waits) if waiting else ""
        ask = {"path": PATH.removeprefix("/"), "words": say(language, "web-waits", what=told)} if told else None
        return HTMLResponse(template.render(name=name, language=language, rows=rows, words=words, ask=ask))

    return Starlette(
        routes=[
            Route("/healthz", health),
            Route("/", page),
            *(stop.routes if stop else ()),
            *(waiting.routes if waiting else ()),
        ]
    )


def _row(run: Run, language: str, zone: ZoneInfo) -> dict[str, str]:
    return {
        "number": str(run.id),
        "when": format_datetime(run.started.astimezone(zone), "d MMM y HH:mm", locale=language),
        "state": run.state,
        "state_words": say(language, f"state-{run.state}"),
        "lines": "\n".join(run.summary.get("lines", [])),
    }
