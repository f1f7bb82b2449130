"""Changes in Ghost: who receives the newsletters, and labels; each harmless when made twice.

Ghost takes newsletters and labels of a member as a whole, so both are read just before and sent back with the change.
It has no question of its own whether somebody wants the newsletter: only who agreed is subscribed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from connectors.client import Client
from connectors.source import CHANGES, Change, Changed


class Writing(ABC):
    """What `Ghost` can change."""

    writes: ClassVar[frozenset[str]] = CHANGES
    asks: ClassVar[bool] = False
    _client: Client

    def erase(self, email: str) -> Changed:
        """For good: Ghost keeps nothing of a deleted member."""
        member = self._found(email)
        if member is None:
            return "unknown"
        self._client.request("DELETE", f"members/{member['id']}/", safe=True, expect=(404,))
        return "done"

    def _found(self, email: str) -> dict[str, Any] | None:
        quoted = email.replace("\\", "\\\\").replace("'", "\\'")
        params = {"filter": f"email:'{quoted}'", "limit": 1, "include": "newsletters,labels"}
        members: Sequence[dict[str, Any]] = self._client.get("members/", params).json().get("members", ())
        return members[0] if members else None

    def change(self, wanted: Change) -> Changed:
        member = self._found(wanted.email)
        match wanted.verb:
            case "subscribe":
                return self._subscribe(wanted, member)
            case "unsubscribe":
                return self._receive(member, sorted({*_ids(member)} - {*self.letters()}))
            case _:
                return self._label(wanted, member)

    @abstractmethod
    def letters(self) -> list[str]:
        """The ids of the newsletters that the config names, or of all."""

    def _subscribe(self, wanted: Change, member: dict[str, Any] | None) -> Changed:
        if not wanted.consented or (member and (member.get("email_suppression") or {}).get("suppressed")):
            return "refused"
        if member is not None:
            return self._receive(member, sorted({*_ids(member), *self.letters()}))
        name = " ".join(part for part in (wanted.first_name, wanted.last_name) if part)
        new = {"email": wanted.email, "name": name or None, "newsletters": [{"id": one} for one in self.letters()]}
        answer = self._client.request("POST", "members/", json={"members": [new]}, safe=True, expect=(422,))
        return "already" if answer.status == 422 else "done"  # 422: there meanwhile

    def _receive(self, member: dict[str, Any] | None, letters: list[str]) -> Changed:
        if member is None:
            return "unknown"
        if sorted(_ids(member)) == letters:
            return "already"
        return self._put(member, {"newsletters": [{"id": one} for one in letters]})

    def _label(self, wanted: Change, member: dict[str, Any] | None) -> Changed:
        if member is None:
            return "unknown"
        worn = [str(label["name"]) for label in member.get("labels") or ()]
        others = [name for name in worn if name.casefold() != wanted.tag.casefold()]
        on = wanted.verb == "add_tag"
        if (len(others) < len(worn)) == on:
            return "already"
        return self._put(member, {"labels": [{"name": name} for name in ([*worn, wanted.tag] if on else others)]})

    def _put(self, member: dict[str, Any], values: dict[str, Any]) -> Changed:
        self._client.request("PUT", f"members/{member['id']}/", json={"members": [values]}, safe=True)
        return "done"


def _ids(member: dict[str, Any] | None) -> list[str]:
    return [str(letter["id"]) for letter in (member or {}).get("newsletters") or ()]
