"""How Ghost knows who asks: a token signed with the Admin API key, new for each request."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import jwt

from connectors.source import Setting

TOKEN_SECONDS = 300  # Ghost takes no longer
SKEW_SECONDS = 60


class Signature(httpx.Auth):
    """Signs each request anew (JSON Web Token, HS256), for a token lasts five minutes and a run may last longer.

    When Ghost refuses a token and its own clock is far from ours, the request is signed again by Ghost's clock; `skew`
    then says by how many seconds ours is behind.
    """

    def __init__(self, key: str, setting: Setting) -> None:
        self._id, self._secret = key.split(":")
        self._setting = setting
        self.skew = 0.0

    @property
    def secrets(self) -> list[str]:
        return [f"{self._id}:{self._secret}", self._secret]

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Ghost {self._token()}"
        response = yield request
        if response.status_code == 401 and not self.skew:
            skew = (its_time(response.headers, self._setting) - self._setting.now()).total_seconds()
            if abs(skew) > SKEW_SECONDS:
                self.skew = skew
                request.headers["Authorization"] = f"Ghost {self._token()}"
                yield request

    def _token(self) -> str:
        made = int(self._setting.now().timestamp() + self.skew)
        claims = {"iat": made, "exp": made + TOKEN_SECONDS, "aud": "/admin/"}
        return jwt.encode(claims, bytes.fromhex(self._secret), algorithm="HS256", headers={"kid": self._id})


def its_time(headers: httpx.Headers, setting: Setting) -> datetime:
    """The service's own clock, which its times go by; ours where it does not tell."""
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return setting.now()
