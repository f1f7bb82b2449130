"""Changes in a Mailchimp audience: subscribe, unsubscribe, tags; each harmless when made twice.

Whoever unsubscribed, bounced or was deleted for good there is not brought back: Mailchimp refuses it ("Member In
Compliance State"), and so do we. `is_syncing` is left out of tags: an automation that a tag starts is wanted.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from connectors.client import Client
from connectors.source import CHANGES, Change, Changed

LEFT = ("unsubscribed", "cleaned")
THERE = ("subscribed", "pending")


class Writing:
    """What `Mailchimp` can change."""

    writes: ClassVar[frozenset[str]] = CHANGES
    asks: ClassVar[bool] = True
    _client: Client
    _list: str

    def erase(self, email: str) -> Changed:
        """For good: Mailchimp lets nobody import this address again."""
        path = f"{self._member(email)}/actions/delete-permanent"
        return "unknown" if self._client.request("POST", path, safe=True, expect=(404,)).status == 404 else "done"

    def _member(self, email: str) -> str:
        hash_ = hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()
        return f"lists/{self._list}/members/{hash_}"

    def change(self, wanted: Change) -> Changed:
        path = self._member(wanted.email)
        answer = self._client.get(path, {"fields": "status,tags"}, expect=(404,))
        member: dict[str, Any] = {} if answer.status == 404 else answer.json()
        match wanted.verb:
            case "subscribe":
                return self._subscribe(path, wanted, str(member.get("status", "")))
            case "unsubscribe":
                return self._unsubscribe(path, str(member.get("status", "")))
            case _:
                return self._tag(path, wanted, member)

    def _subscribe(self, path: str, wanted: Change, status: str) -> Changed:
        if status in LEFT:
            return "refused"
        if status in THERE:
            return "already"
        become = "subscribed" if wanted.consented else "pending"
        names = {"FNAME": wanted.first_name, "LNAME": wanted.last_name}
        body = {
            "email_address": wanted.email,
            "status_if_new": become,
            "merge_fields": {name: value for name, value in names.items() if value},
            **({"status": become} if status else {}),  # archived, or known from the shop only
            **({"language": wanted.language} if wanted.language else {}),
        }
        params = {"skip_merge_validation": "true"}
        answer = self._client.request("PUT", path, params=params, json=body, safe=True, expect=(400,))
        if answer.status == 400:
            return "refused"
        return "done" if wanted.consented else "asked"

    def _unsubscribe(self, path: str, status: str) -> Changed:
        if not status:
            return "unknown"
        if status not in THERE:
            return "already"
        self._client.request("PATCH", path, json={"status": "unsubscribed"}, safe=True)
        return "done"

    def _tag(self, path: str, wanted: Change, member: dict[str, Any]) -> Changed:
        if member.get("status") in {None, "archived"}:
            return "unknown"
        on = wanted.verb == "add_tag"
        worn = any(str(tag.get("name", "")).casefold() == wanted.tag.casefold() for tag in member.get("tags") or ())
        if worn == on:
            return "already"
        tags = [{"name": wanted.tag, "status": "active" if on else "inactive"}]
        self._client.request("POST", f"{path}/tags", json={"tags": tags}, safe=True)
        return "done"
