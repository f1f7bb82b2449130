"""A message to another program of the team: JSON, signed, to one address of the config.

Signed as Standard Webhooks (https://www.standardwebhooks.com, 1.0) says, for which there are libraries in many
languages: HMAC-SHA-256 over `id.timestamp.body`. A secret that begins with `whsec_` is base64 after that, any other one
is taken as it stands. Whoever receives a message twice knows it by its `webhook-id`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

from connectors.source import Setting
from connectors.trouble import GiveUp

MOVED = (301, 302, 303, 307, 308)
NOT_TAKEN = (400, 406, 409, 413, 415, 422)
"""The other side understood, and does not want this one message."""
SECONDS = 15.0
ATTEMPTS = 3


class NotTaken(GiveUp):
    """The other program refused this one message for good; the next may do."""


class Webhook:
    """Raises `NotTaken` for one message, and the client's troubles when none can be delivered."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        setting: Setting,
        *,
        own_network: bool = False,
    ) -> None:
        from connectors.client import Client  # most organisations have no webhook, and httpx takes long to import
        from connectors.outward import Outward

        service = f"webhook {name}"
        self._url, self._key, self._setting = url, _key(secret), setting
        self._client = Client(
            service,
            url,
            setting=setting,
            timeout=SECONDS,
            attempts=ATTEMPTS,
            secrets=[secret],
            transport=None if own_network else Outward(service),
        )

    def send(self, id_: str, message: Any) -> str:
        """Deliver one message; gives the other side's status. The same `id_` once more is the same message."""
        body = msgspec.json.encode(message, enc_hook=str)
        at = str(int(self._setting.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": at,
            "webhook-signature": signature(self._key, id_, at, body),
        }
        answer = self._client.request(
            "POST", self._url, content=body, safe=True, headers=headers, expect=(*MOVED, *NOT_TAKEN)
        )
        if answer.status in MOVED:
            raise GiveUp("webhook-moved", service=self._client.service, status=answer.status)
        if answer.status in NOT_TAKEN:
            raise NotTaken("webhook-not-taken", service=self._client.service, status=answer.status)
        return f"HTTP {answer.status}"

    def close(self) -> None:
        self._client.close()


def signature(key: bytes, id_: str, at: str, body: bytes) -> str:
    """What stands in `webhook-signature`: `v1,` and the base64 of the HMAC-SHA-256."""
    digest = hmac.new(key, b".".join([id_.encode(), at.encode(), body]), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
