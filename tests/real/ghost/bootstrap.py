"""An owner, a key, a second newsletter and 150 members in a fresh Ghost, without a browser; and what an admin would do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

OWNER = {"email": "owner@example.org", "password": "Str0ng-pass-1234"}
HEADER = "email,name,note,subscribed_to_emails,labels,created_at"


@dataclass
class Admin:
    """A person in Ghost's own admin pages, as far as its API plays one."""

    url: str
    key: str

    def call(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        kid, secret = self.key.split(":")
        now = int(time.time())
        token = jwt.encode(
            {"iat": now, "exp": now + 300, "aud": "/admin/"},
            bytes.fromhex(secret),
            algorithm="HS256",
            headers={"kid": kid},
        )
        answer = httpx.request(
            method,
            f"{self.url}/ghost/api/admin/{path}",
            json=json,
            headers={"Authorization": f"Ghost {token}", "Accept-Version": "v6.0"},
            timeout=120,
            **more,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def add(self, **member: Any) -> str:
        return str(self.call("POST", "members/", {"members": [member]})["members"][0]["id"])

    def edit(self, member: str, **changes: Any) -> None:
        self.call("PUT", f"members/{member}/", {"members": [changes]})

    def delete(self, member: str) -> None:
        self.call("DELETE", f"members/{member}/")

    def everybody(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page: int | None = 1
        while page:
            answer = self.call("GET", "members/", params={"limit": 100, "page": page})
            found, page = found + answer["members"], answer["meta"]["pagination"]["next"]
        return found

    def member(self, email: str) -> dict[str, Any]:
        found = self.call("GET", "members/", params={"filter": f"email:'{email}'"})["members"]
        return next(member for member in found if member["email"] == email)


def bootstrap(url: str, members: int = 150) -> Admin:
    admin = Admin(url, _key(url))
    admin.call("POST", "newsletters/", {"newsletters": [{"name": "Les rendez-vous", "subscribe_on_signup": True}]})
    rows = [HEADER]
    for n in range(members):
        subscribed = "false" if n % 10 == 0 else "true"
        when = f"2026-0{1 + n % 9}-11T10:00:00.000Z"
        rows.append(f"user{n:03d}@example.org,Personne {n},note {n},{subscribed},abonné,{when}")
    admin.call("POST", "members/upload/", files={"membersfile": ("m.csv", "\n".join(rows).encode(), "text/csv")})
    return admin


def _key(url: str) -> str:
    with httpx.Client(base_url=f"{url}/ghost/api/admin/", headers={"Origin": url}, timeout=120) as http:
        person = {"name": "Owner", "blogTitle": "Théâtre du Phare", **OWNER}
        http.post("authentication/setup/", json={"setup": [person]}).raise_for_status()
        http.post("session/", json={"username": OWNER["email"], "password": OWNER["password"]}).raise_for_status()
        made = http.post("integrations/?include=api_keys", json={"integrations": [{"name": "Fil rouge"}]})
        made.raise_for_status()
    keys = made.json()["integrations"][0]["api_keys"]
    return next(str(key["secret"]) for key in keys if key["type"] == "admin")
