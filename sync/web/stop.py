"""The page by which people unsubscribe: one button, and what they want to receive. Nobody logs in, nothing is a script.

Looking changes nothing: mail services open every link they see. A POST by a mail program's own button (RFC 8058) acts at
once. Whoever holds the link sees no name and no address, and a link that is not ours is not told apart from one cut short.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sync.config import Organisation
from sync.followup.look import look_of
from sync.followup.typography import typeset
from sync.followup.ways import PATH
from sync.messages import LANGUAGES, say

MOST = 16 * 1024  # bytes of a form
ONE_CLICK = re.compile(rb"\bList-Unsubscribe\b.{0,40}\bOne-Click\b", re.DOTALL)  # urlencoded or multipart
CLOSED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


class Standing(Protocol):
    @property
    def purpose(self) -> str: ...
    @property
    def refused(self) -> bool: ...
    @property
    def topics(self) -> Mapping[str, tuple[str, bool]]: ...


class Unsubscribing(Protocol):
    """See `sync.unsubscribing`. A token that is not ours has no standing and does nothing."""

    def stand(self, token: str, language: str) -> Standing | None: ...
    def refuse(self, token: str, how: Any) -> None: ...
    def again(self, token: str) -> None: ...
    def choose(self, token: str, wanted: Collection[str]) -> None: ...


class StopPage:
    """In the organisation's language and colours. `reply_to` is where somebody with a broken link can write to."""

    def __init__(self, acts: Unsubscribing, organisation: Organisation, reply_to: str) -> None:
        self.acts, self.reply_to = acts, reply_to
        self.name, self.language, self.colours = organisation.name, organisation.language, look_of(organisation.colours)
        environment = jinja2.Environment(loader=jinja2.PackageLoader("sync.web", "."), autoescape=True)
        self.template = environment.get_template("stop.html.j2")

    @property
    def routes(self) -> list[Route]:
        path = f"/{PATH}/{{token:path}}"
        return [Route(path, self.look, methods=["GET"]), Route(path, self.act, methods=["POST"])]

    async def look(self, request: Request) -> Response:
        return await run_in_threadpool(self._page, request, "")

    async def act(self, request: Request) -> Response:
        """A form of ours, or one click elsewhere. Anything else, an empty POST too, changes nothing."""
        body = await some(request)
        token = request.path_params["token"]
        form = {} if body is None else parse_qs(body.decode("utf-8", "replace"))
        wish = form.get("wish", [""])[0]
        if body is not None and ONE_CLICK.search(body):
            await run_in_threadpool(self.acts.refuse, token, "one-click")
            return await run_in_threadpool(self._page, request, "stop")
        if wish == "stop":
            await run_in_threadpool(self.acts.refuse, token, "page")
        elif wish == "again":
            await run_in_threadpool(self.acts.again, token)
        elif wish == "choose":
            await run_in_threadpool(self.acts.choose, token, form.get("topic", []))
        return await run_in_threadpool(self._page, request, wish)

    def _page(self, request: Request, done: str) -> Response:
        language = self._spoken(request)
        standing = self.acts.stand(request.path_params["token"], language)
        page = self.template.render(
            name=self.name, language=language, standing=standing, done=done, reply_to=self.reply_to,
            look=self.colours,
            other=next(one for one in LANGUAGES if one != language),
            say=lambda code, **facts: typeset(say(language, f"stop-{code}", **facts), language),
            sender=lambda code: typeset(say(language, f"stop-{code}", house=self.name), language),
        )  # fmt: skip
        return HTMLResponse(page, 200 if standing else 404, {**CLOSED, "Content-Language": language})

    def _spoken(self, request: Request) -> str:
        """As the link says (the e-mail's language, or a choice on the page), else the reader's browser, else ours."""
        if request.url.query in LANGUAGES:
            return request.url.query
        wanted = re.findall(r"(?:^|,)\s*([a-z]{2})", request.headers.get("accept-language", "").lower())
        return next((one for one in wanted if one in LANGUAGES), self.language)


async def some(request: Request) -> bytes | None:
    """The body of a form; None if it is longer than any form of ours."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST:
            return None
    return bytes(body)
