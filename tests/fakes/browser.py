"""Somebody who calls an application of ours, without a network: a browser, a mail service's scanner, a mail program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from starlette.applications import Starlette


@dataclass(frozen=True)
class Browser:
    application: Starlette
    address: str = "https://phare.example.org"

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return anyio.run(self._ask, method, path, more)

    async def _ask(self, method: str, path: str, more: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.application)
        async with httpx.AsyncClient(transport=transport, base_url=self.address) as client:
            return await client.request(method, path, **more)
