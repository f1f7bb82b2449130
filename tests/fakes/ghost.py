"""A Ghost 6 as seen by its Admin API: what it does was tried on Ghost 6.65 (see `tests/real/test_ghost.py`).

Above all it keeps its traps: no more than 100 a page whatever is asked, `updated_at` that stands still when somebody
unsubscribes or gets a label, no trace of a deletion, two members for one address in two letter cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from tests.fakes.server import FakeService, Request, Response

KID = "64a1b2c3d4e5f60718293a4b"
SECRET = "5f" * 32
KEY = f"{KID}:{SECRET}"
ADMIN = "/ghost/api/admin/"
START = datetime(2024, 2, 1, 8, 0, tzinfo=UTC)
LETTRE, RENDEZ_VOUS = "b00000000000000000000001", "b00000000000000000000002"


class FakeGhost(FakeService):
    """`now` is its clock; `people` members to begin with, every tenth of them unsubscribed."""

    def __init__(self, people: int = 250, now: Callable[[], datetime] = lambda: START) -> None:
        super().__init__()
        self.now = now
        self.title = "Théâtre du Phare"
        self.newsletters = [self._newsletter(LETTRE, "La lettre"), self._newsletter(RENDEZ_VOUS, "Les rendez-vous")]
        self.labels: dict[str, str] = {}
        self.members: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self._edits = 0
        for n in range(people):
            letters = [] if n % 10 == 0 else [LETTRE]
            self.add(f"personne{n:03d}@example.org", f"Personne {n}", newsletters=letters, labels=["abonné"])

    # --- what admins and members do --------------------------------------------------------------------------------

    def add(self, email: str, name: str | None = None, *, newsletters: Any = (LETTRE,), labels: Any = ()) -> str:
        id_ = f"c{len(self.members) + self._edits:023x}"
        at = self._edited()
        self.members[id_] = {
            "id": id_, "uuid": f"uuid-of-{id_}", "email": email, "name": name, "note": "a private note",
            "geolocation": None, "created_at": at, "updated_at": at, "labels": [], "subscriptions": [],
            "avatar_image": None, "comped": False, "email_count": 0, "email_opened_count": 0, "email_open_rate": None,
            "status": "free", "last_seen_at": None, "current_subscription": None, "tiers": [],
            "unsubscribe_url": f"{self.url}/unsubscribe/?uuid=uuid-of-{id_}&key=secret-of-{id_}",
            "email_suppression": {"suppressed": False, "info": None}, "newsletters": set(newsletters),
        }  # fmt: skip
        for newsletter in newsletters:
            self._event("newsletter_event", id_, newsletter_id=newsletter, subscribed=True)
        self.label(id_, *labels)
        return id_

    def edit(self, id_: str, **values: Any) -> None:
        """Moves `updated_at`, as an edited name, note or address does."""
        if "email" in values:
            self._event("email_change_event", id_, from_email=self.members[id_]["email"], to_email=values["email"])
        self.members[id_].update(values, updated_at=self._edited())

    def receive(self, id_: str, *newsletters: str) -> None:
        """Subscribe to these newsletters and no others. Does not move `updated_at`."""
        before = self.members[id_]["newsletters"]
        for newsletter in before ^ set(newsletters):
            self._event("newsletter_event", id_, newsletter_id=newsletter, subscribed=newsletter in newsletters)
        self.members[id_]["newsletters"] = set(newsletters)

    def label(self, id_: str, *names: str) -> None:
        """Give these labels and no others. Does not move `updated_at`."""
        for name in names:
            self.labels.setdefault(name, f"a{len(self.labels) + 1:023x}")
        self.members[id_]["labels"] = list(names)

    def mail(self, id_: str, *, opened: bool = False, failed: bool = False) -> None:
        """An e-mail that arrived, was opened, or bounced. Does not move `updated_at`."""
        member = self.members[id_]
        if failed:
            info = {"reason": "fail", "timestamp": self._edited()}
            member["email_suppression"] = {"suppressed": True, "info": info}
            self._event("email_failed_event", id_)
            return
        member["email_count"] += 1
        self._event("email_delivered_event", id_)
        if opened:
            member["email_opened_count"] += 1
            member["last_seen_at"] = self._edited()
            self._event("email_opened_event", id_)

    def delete(self, id_: str) -> None:
        del self.members[id_]
        self.events = [event for event in self.events if event["data"]["member_id"] != id_]

    def _edited(self) -> str:
        self._edits += 1
        return _text(START + timedelta(seconds=self._edits))

    def _event(self, kind: str, id_: str, **data: Any) -> None:
        at = _text(START + timedelta(seconds=self._edits))
        data = {"id": f"e{len(self.events) + self._edits:023x}", "member_id": id_, "created_at": at, **data}
        self.events.append({"type": kind, "data": data})

    @staticmethod
    def _newsletter(id_: str, name: str) -> dict[str, Any]:
        slug = name.lower().replace(" ", "-")
        return {
            "id": id_,
            "uuid": f"uuid-of-{id_}",
            "name": name,
            "slug": slug,
            "description": None,
            "status": "active",
        }

    # --- the API ----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | None:
        if not request.path.startswith(ADMIN):
            return None
        path = request.path.removeprefix(ADMIN)
        if path == "site/":
            return Response.json({"site": {"title": self.title, "url": f"{self.url}/", "version": "6.65"}})
        refused = self._refusal(request)
        if refused:
            return refused
        if request.method != "GET":
            return self._remove(path) if request.method == "DELETE" else self._write(path, request)
        return self._list(path, request)

    def _remove(self, path: str) -> Response:
        id_ = path.removeprefix("members/").removesuffix("/")
        if id_ not in self.members:
            return _error(404, "NotFoundError", "Member not found.", None)
        self.delete(id_)
        return Response(204)

    def _write(self, path: str, request: Request) -> Response | None:
        """A member made, or changed: `newsletters` and `labels` take the place of those before."""
        ((name, (given,)),) = request.json().items()
        steps = path.strip("/").split("/")
        if name != "members" or not path.endswith("/") or set(given) - {"email", "name", "newsletters", "labels"}:
            return None
        if (request.method, steps) == ("POST", ["members"]):
            if any(member["email"].lower() == given["email"].lower() for member in self.members.values()):
                return _error(422, "ValidationError", "Member already exists.", None)
            id_ = self.add(given["email"], given["name"], newsletters=[one["id"] for one in given["newsletters"]])
        elif request.method == "PUT" and len(steps) == 2 and steps[1] in self.members:
            id_ = steps[1]
            if "newsletters" in given:
                self.receive(id_, *(one["id"] for one in given["newsletters"]))
            if "labels" in given:
                self.label(id_, *(one["name"] for one in given["labels"]))
        else:
            return None
        return Response.json(
            {"members": [self._shown(self.members[id_], [])]}, 201 if request.method == "POST" else 200
        )

    def _list(self, path: str, request: Request) -> Response | None:
        match path:
            case "members/":
                return self._browse(request)
            case "newsletters/":
                known = {"filter": "status:active", "order": "id asc"}
                return self._page(request, "newsletters", self.newsletters, known)
            case "labels/":
                return self._page(request, "labels", self._counted(), {"include": "count.members", "order": "id asc"})
            case "members/events/":
                return self._feed(request)
        return None

    def _browse(self, request: Request) -> Response | None:
        order = request.one("order", "created_at desc")
        if order not in ("id asc", "updated_at desc", "created_at desc"):
            return None
        field, way = order.split()
        after = re.fullmatch(r"id:>'([0-9a-f]{24})'", request.one("filter")) if request.one("filter") else None
        named = re.fullmatch(r"email:'((?:[^'\\]|\\.)*)'", request.one("filter"))
        if named:
            email = re.sub(r"\\(.)", r"\1", named[1]).lower()
            return self._page(request, "members", [
                self._shown(member, []) for member in self.members.values() if member["email"].lower() == email
            ])  # fmt: skip
        if request.one("filter") and not after:
            return None
        found = [member for member in self.members.values() if not after or member["id"] > after[1]]
        found.sort(key=lambda member: (member[field], member["id"]), reverse=way == "desc")
        fields = [name for name in request.one("fields").split(",") if name]
        return self._page(request, "members", [self._shown(member, fields) for member in found])

    def _shown(self, member: dict[str, Any], fields: list[str]) -> dict[str, Any]:
        """As Ghost shows a member; with `fields` the own columns only, but its relations all the same."""
        newsletters = [
            {"id": letter["id"], "name": letter["name"], "description": None, "status": "active"}
            for letter in self.newsletters
            if letter["id"] in member["newsletters"] and letter["status"] == "active"
        ]
        labels = [{"id": self.labels[name], "name": name, "slug": name} for name in member["labels"]]
        related = {"labels": labels, "newsletters": newsletters, "subscribed": bool(newsletters)}
        own = {name: member[name] for name in fields} if fields else member
        return own | related

    def _counted(self) -> list[dict[str, Any]]:
        having = [name for member in self.members.values() for name in member["labels"]]
        return [
            {"id": id_, "name": name, "slug": name, "count": {"members": having.count(name)}}
            for name, id_ in self.labels.items()
        ]

    def _feed(self, request: Request) -> Response | None:
        kinds = re.fullmatch(r"type:\[([a-z_,]+)\]", request.one("filter"))
        if not kinds:
            return None
        found = [event for event in reversed(self.events) if event["type"] in kinds[1].split(",")]
        limit = min(int(request.one("limit", "10")), 100)
        paging = {"limit": limit, "total": len(found), "pages": -(-len(found) // limit), "page": None, "next": None}
        return Response.json({"events": found[:limit], "meta": {"pagination": paging}})

    def _page(
        self, request: Request, name: str, rows: list[dict[str, Any]], known: dict[str, str] | None = None
    ) -> Response | None:
        for parameter, value in (known or {}).items():
            if request.one(parameter, value) != value:
                return None
        asked = request.one("limit", "15")
        limit = min(int(asked), 100) if asked.isdigit() else 100
        page, pages = int(request.one("page", "1")), -(-len(rows) // limit)
        paging = {
            "page": page, "limit": limit, "pages": pages, "total": len(rows),
            "next": page + 1 if page < pages else None, "prev": page - 1 or None,
        }  # fmt: skip
        return Response.json({name: rows[(page - 1) * limit : page * limit], "meta": {"pagination": paging}})

    def _refusal(self, request: Request) -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Ghost":
            return _error(403, "NoPermissionError", "Authorization failed", None)
        if jwt.get_unverified_header(token).get("kid") != KID:
            return _error(401, "UnauthorizedError", "Unknown Admin API Key", "UNKNOWN_ADMIN_API_KEY")
        claims = jwt.decode(
            token,
            bytes.fromhex(SECRET),
            algorithms=["HS256"],
            audience="/admin/",
            options={"verify_exp": False, "verify_iat": False},  # judged below, by this server's own clock
        )
        if min(claims["exp"], claims["iat"] + 300) <= self.now().timestamp():
            return _error(401, "UnauthorizedError", "Invalid token: jwt expired", "INVALID_JWT")
        return None


def _error(status: int, kind: str, message: str, code: str | None) -> Response:
    return Response.json({"errors": [{"message": message, "type": kind, "code": code, "context": None}]}, status)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
