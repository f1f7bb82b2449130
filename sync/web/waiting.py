"""The page on which the team says yes: what waits of each rule, an example of each text, one button.

It is the team's (`door`). Looking changes nothing. The button carries the seal of what was shown: so no other page can
press it, and what came or was changed since waits for another look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import parse_qs

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from connectors.trouble import Trouble
from sync.messages import say
from sync.report.page import Waiting
from sync.web.door import Door, closed, told_name
from sync.web.stop import CLOSED, some

PATH = "/waiting"


class Asked(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def parts(self) -> Sequence[Waiting]: ...
    @property
    def seal(self) -> str: ...


class Asking(Protocol):
    """See `sync.waiting`."""

    def waiting(self) -> Sequence[Asked]: ...
    def approve(self, rule: str, seal: str, who: str) -> list[str]: ...


class WaitingPage:
    """`told` words a trouble."""

    def __init__(self, asking: Asking, name: str, language: str, door: Door, told: Callable[[Trouble], str]) -> None:
        self.asking, self.name, self.language, self.door, self.told = asking, name, language, door, told
        environment = jinja2.Environment(loader=jinja2.PackageLoader("sync.web", "."), autoescape=True)
        self.template = environment.get_template("waiting.html.j2")

    @property
    def routes(self) -> list[Route]:
        return [Route(PATH, self.look, methods=["GET"]), Route(PATH, self.act, methods=["POST"])]

    async def look(self, request: Request) -> Response:
        if not self.door.opens(request):
            return closed(self.door, self.language)
        return await run_in_threadpool(self._page, [], "")

    async def act(self, request: Request) -> Response:
        if not self.door.opens(request):
            return closed(self.door, self.language)
        form = parse_qs((await some(request) or b"").decode("utf-8", "replace"))
        rule, seal = (form.get(name, [""])[0] for name in ("rule", "seal"))
        return await run_in_threadpool(self._approve, rule, seal, told_name(request) or "page")

    def _approve(self, rule: str, seal: str, who: str) -> Response:
        try:
            return self._page(self.asking.approve(rule, seal, who), "")
        except Trouble as trouble:
            return self._page([], self.told(trouble))

    def _page(self, done: Sequence[str], wrong: str) -> Response:
        asked: Sequence[Asked] = ()
        try:
            asked = self.asking.waiting()
        except Trouble as trouble:
            wrong = wrong or self.told(trouble)
        page = self.template.render(
            name=self.name, language=self.language, asked=asked, done=done, wrong=wrong,
            say=lambda code, **facts: say(self.language, code, **facts),
        )  # fmt: skip
        return HTMLResponse(page, 409 if wrong else 200, CLOSED)
