"""A Mailchimp audience as its Marketing API 3.0 describes it; `tests/real/test_mailchimp.py` holds it to the vendor's spec.

`most` stands for the 1000 a page that Mailchimp gives at most, so that a test needs no thousands of members.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.server import FakeService, Request, Response

SECRET = "0123456789abcdef0123456789abcdef"
KEY = f"{SECRET}-us19"
LIST = "a1b2c3d4e5"
START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
SORTED_BY = ("timestamp_opt", "timestamp_signup", "last_changed")
PAGED = {"fields", "count", "offset"}


def hash_of(email: str) -> str:
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


class FakeMailchimp(FakeService):
    """`people` members to begin with, every tenth unsubscribed, and two campaigns that some opened."""

    def __init__(self, people: int = 130, most: int = 50) -> None:
        super().__init__()
        self.most = most
        self.members: dict[str, dict[str, Any]] = {}
        self.campaigns: dict[str, dict[str, Any]] = {}
        self._edits = 0
        for n in range(people):
            status = "unsubscribed" if n % 10 == 0 else "subscribed"
            self.add(f"personne{n:03d}@example.org", "Personne", f"N{n}", status=status)
        for campaign, day in (("c0ffee0001", 2), ("c0ffee0002", 9)):
            self.send(campaign, START + timedelta(days=day))
            for hash_ in list(self.members)[:70]:
                self.act(campaign, hash_, "open", START + timedelta(days=day, hours=1))

    @property
    def url(self) -> str:
        return f"{super().url}/3.0"

    # --- what people do ---------------------------------------------------------------------------------------------

    def add(self, email: str, first: str = "", last: str = "", *, status: str = "subscribed", **more: Any) -> str:
        hash_, at = hash_of(email), self._edited()
        self.members[hash_] = {
            "id": hash_, "email_address": email, "unique_email_id": hash_[:10], "contact_id": hash_[::-1],
            "full_name": f"{first} {last}".strip(), "web_id": len(self.members) + 1, "email_type": "html",
            "status": status, "merge_fields": {"FNAME": first, "LNAME": last, "ADDRESS": "", "SECRET": "not ours"},
            "interests": {"9143cf3bd1": True}, "stats": {"avg_open_rate": 0.4, "avg_click_rate": 0.1},
            "ip_signup": "", "timestamp_signup": "", "ip_opt": "192.0.2.7", "timestamp_opt": at, "member_rating": 3,
            "last_changed": at, "language": "fr", "vip": False, "email_client": "", "source": "API - Generic",
            "location": {"latitude": 0, "longitude": 0, "country_code": "", "timezone": "", "region": ""},
            "tags_count": 0, "tags": [], "list_id": LIST,
        } | more  # fmt: skip
        return hash_

    def edit(self, hash_: str, **values: Any) -> None:
        """Moves `last_changed`, as every change does."""
        self.members[hash_].update(values, last_changed=self._edited())

    def rename(self, hash_: str, email: str) -> str:
        """A new address is a new hash; the old one is gone without a word."""
        member = self.members.pop(hash_)
        self.members[hash_of(email)] = member | {"id": hash_of(email), "email_address": email}
        self.edit(hash_of(email))
        return hash_of(email)

    def send(self, campaign: str, at: datetime, list_: str = LIST) -> None:
        self.campaigns[campaign] = {"send_time": _text(at), "list_id": list_, "emails": {h: [] for h in self.members}}

    def act(self, campaign: str, hash_: str, action: str, at: datetime) -> None:
        act = {"action": action, "timestamp": _text(at), "ip": "192.0.2.7"}
        if action == "click":
            act["url"] = "https://phare.example/saison"
        self.campaigns[campaign]["emails"].setdefault(hash_, []).append(act)

    def _edited(self) -> str:
        self._edits += 1
        return _text(START + timedelta(seconds=self._edits))

    # --- the API ----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        given = base64.b64decode(headers.get("authorization", "").removeprefix("Basic ")).decode()
        if given.partition(":")[2] != KEY:
            return problem(
                401,
                "API Key Invalid",
                "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
            )
        return self._answer(request, request.path.removeprefix("/3.0/").split("/"))

    def _answer(self, request: Request, steps: list[str]) -> Response | None:
        match steps:
            case ["lists", *rest]:
                return self._of_lists(request, rest)
            case ["reports"]:
                return self._reports(request)
            case ["reports", campaign, "email-activity"] if campaign in self.campaigns:
                return self._activity(request, campaign)
        return None

    def _of_lists(self, request: Request, steps: list[str]) -> Response | None:
        match steps:
            case []:
                return self._page(request, {"lists": [self._audience()]}, PAGED)
            case [list_] if list_ == LIST:
                return self._cut(request, self._audience(), {"fields"})
            case [list_, "members"] if list_ == LIST and request.method == "GET":
                return self._browse(request)
            case [list_, "members", hash_] if list_ == LIST:
                return self._one(request, hash_)
            case [list_, "members", hash_, *what] if list_ == LIST and request.method == "POST":
                return self._tag(request, hash_) if what == ["tags"] else self._delete(hash_, what)
        return problem(404, "Resource Not Found", "The requested resource could not be found.")

    def _one(self, request: Request, hash_: str) -> Response | None:
        """One member: read, changed (PATCH), or made or changed (PUT)."""
        member = self.members.get(hash_)
        if request.method == "PUT" and set(request.query) <= {"skip_merge_validation"}:
            return self._put(request.json(), hash_)
        if member is None:
            return problem(404, "Resource Not Found", "The requested resource could not be found.")
        if request.method == "GET":
            return self._cut(request, member, {"fields"})
        if request.method == "PATCH" and request.json() == {"status": "unsubscribed"}:
            self.edit(hash_, status="unsubscribed")
            return Response.json(self.members[hash_])
        return None

    def _put(self, body: dict[str, Any], hash_: str) -> Response | None:
        known = {"email_address", "status_if_new", "status", "merge_fields", "language"}
        if set(body) > known or hash_of(body["email_address"]) != hash_:
            return None
        member = self.members.get(hash_)
        if member is None:
            names = body["merge_fields"]
            self.add(
                body["email_address"], names.get("FNAME", ""), names.get("LNAME", ""), status=body["status_if_new"]
            )
        elif member["status"] in ("unsubscribed", "cleaned") and body.get("status") == "subscribed":
            return problem(400, "Member In Compliance State", "This contact can't be resubscribed by the API.")
        else:
            self.edit(hash_, status=body.get("status", member["status"]))
        return Response.json(self.members[hash_])

    def _delete(self, hash_: str, what: list[str]) -> Response | None:
        if what != ["actions", "delete-permanent"]:
            return None
        gone = self.members.pop(hash_, None)
        return (
            Response(204) if gone else problem(404, "Resource Not Found", "The requested resource could not be found.")
        )

    def _tag(self, request: Request, hash_: str) -> Response | None:
        if hash_ not in self.members:
            return problem(404, "Resource Not Found", "The requested resource could not be found.")
        worn = {tag["name"]: tag for tag in self.members[hash_]["tags"]}
        for tag in request.json()["tags"]:
            if tag["status"] == "active":
                worn.setdefault(tag["name"], {"id": len(worn) + 1, "name": tag["name"]})
            else:
                worn.pop(tag["name"], None)
        self.edit(hash_, tags=list(worn.values()), tags_count=len(worn))
        return Response(204)

    def _browse(self, request: Request) -> Response | None:
        field, way = request.one("sort_field", "timestamp_signup"), request.one("sort_dir", "ASC")
        since = _since(request, "since_last_changed")
        if field not in SORTED_BY or way not in ("ASC", "DESC") or since is None:
            return problem(400, "Invalid Resource", "The resource submitted could not be validated.")
        found = [member for member in self.members.values() if member["last_changed"] > since]
        found.sort(key=lambda member: member[field], reverse=way == "DESC")
        known = PAGED | {"sort_field", "sort_dir", "since_last_changed"}
        return self._page(request, {"members": found, "list_id": LIST}, known)

    def _reports(self, request: Request) -> Response | None:
        since = _since(request, "since_send_time")
        if since is None:
            return problem(400, "Invalid Resource", "The resource submitted could not be validated.")
        found = [self._report(campaign) for campaign, sent in self.campaigns.items() if sent["send_time"] > since]
        return self._page(request, {"reports": found}, PAGED | {"since_send_time"})

    def _report(self, campaign: str) -> dict[str, Any]:
        sent = self.campaigns[campaign]
        acts = [act["action"] for found in sent["emails"].values() for act in found]
        return {
            "id": campaign, "campaign_title": "La lettre", "type": "regular", "list_id": sent["list_id"],
            "send_time": sent["send_time"], "emails_sent": len(sent["emails"]),
            "opens": {"opens_total": acts.count("open"), "unique_opens": 0, "open_rate": 0, "last_open": ""},
            "clicks": {"clicks_total": acts.count("click"), "unique_clicks": 0, "click_rate": 0, "last_click": ""},
        }  # fmt: skip

    def _activity(self, request: Request, campaign: str) -> Response | None:
        since = _since(request, "since")
        if since is None:
            return problem(400, "Invalid Resource", "The resource submitted could not be validated.")
        emails = [
            {
                "campaign_id": campaign, "list_id": LIST, "list_is_active": True, "email_id": hash_,
                "email_address": self.members.get(hash_, {}).get("email_address", "gone@example.org"),
                "activity": [act for act in acts if act["timestamp"] > since],
            }
            for hash_, acts in self.campaigns[campaign]["emails"].items()
        ]  # fmt: skip
        return self._page(request, {"emails": emails, "campaign_id": campaign}, PAGED | {"since"})

    def _audience(self) -> dict[str, Any]:
        subscribed = sum(member["status"] == "subscribed" for member in self.members.values())
        return {"id": LIST, "name": "Amis du Phare", "stats": {"member_count": subscribed}}

    def _page(self, request: Request, whole: dict[str, Any], known: set[str]) -> Response | None:
        (name, rows), *_ = whole.items()
        count, offset = min(int(request.one("count", "10")), self.most), int(request.one("offset", "0"))
        page = {**whole, name: rows[offset : offset + count], "total_items": len(rows)}
        return self._cut(request, page, known)

    def _cut(self, request: Request, value: dict[str, Any], known: set[str]) -> Response | None:
        """Only the `fields` asked for; an unknown or empty parameter is a mistake of ours."""
        if not set(request.query) <= known or not all(request.one(name) for name in request.query):
            return None
        fields = [name.split(".") for name in request.one("fields").split(",") if name]
        return Response.json(_only(value, fields) if fields else value)


def problem(status: int, title: str, detail: str) -> Response:
    kind = "https://mailchimp.com/developer/marketing/docs/errors/"
    made = Response.json({"type": kind, "title": title, "status": status, "detail": detail, "instance": "x-1"}, status)
    made.headers["Content-Type"] = "application/problem+json; charset=utf-8"
    return made


def _only(value: Any, fields: list[list[str]]) -> Any:
    if isinstance(value, list):
        return [_only(inner, fields) for inner in value]
    kept = {}
    for name, inner in value.items():
        deeper = [rest for first, *rest in fields if first == name]
        if deeper:
            kept[name] = inner if [] in deeper or not isinstance(inner, dict | list) else _only(inner, deeper)
    return kept


def _since(request: Request, name: str) -> str | None:
    """The time asked for as members carry it; empty when nothing is asked, None when Mailchimp would refuse it."""
    if name not in request.query:
        return ""
    try:
        moment = datetime.fromisoformat(request.one(name))
    except ValueError:
        return None
    return _text(moment.astimezone(UTC)) if moment.tzinfo else None


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
