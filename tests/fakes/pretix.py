"""A pretix played from what the real one was seen to do (2026.8.0): its caps, its silences, its clocks."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from tests.fakes.server import FakeService, Request, Response

TOKEN = "fake-pretix-token-0123456789abcdef"
ORGANIZER = "phare"
CAP = 50
SERVER_ZONE = ZoneInfo("Europe/Paris")
WORDS = {
    401: {"detail": "Jeton invalide."},
    403: {"detail": "Vous n'avez pas la permission d'effectuer cette action."},
    404: {"detail": "Page invalide."},
    429: {"detail": "Requête ralentie."},
}


class FakePretix(FakeService):
    """An organizer with a series of four dates, a single event in Canada, and `orders` orders.

    `hosted` limits to so many requests a minute. `after_page` is called when a page of orders was served: what life
    does in the middle of a walk. `hidden` events are those that the token's team may not see.
    """

    def __init__(self, orders: int = 70, *, hosted: int | None = None) -> None:
        super().__init__()
        self.now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the night the clocks go back in Paris
        self.hosted = hosted
        self.after_page: Callable[[], None] | None = None
        self.hidden: set[str] = set()
        self.events: dict[str, dict[str, Any]] = {}
        self.dates: list[dict[str, Any]] = []
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.items_changed: dict[str, datetime] = {}
        self.questions: dict[str, list[dict[str, Any]]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.stamps: dict[str, datetime] = {}
        self.unseen: set[str] = set()
        self._served: list[datetime] = []
        self._furnish()
        for number in range(orders):
            self.sell(number)

    # --- life ---

    def tick(self, seconds: float = 1) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def touch(self, code: str) -> dict[str, Any]:
        self.stamps[code] = self.tick()
        return self.orders[code]

    def sell(self, number: int, **more: Any) -> dict[str, Any]:
        """An order in the shop, of one to three places."""
        single = number % 5 == 4
        event, item = ("fete", 21) if single else ("saison", 11)
        code = more.pop("code", f"C{number:04d}")
        count = number % 3 + 1
        positions = [self._place(number, index, item, None if single else number % 4 + 1) for index in range(count)]
        total = Decimal("20.00") * count
        order = {
            "code": code, "event": event, "status": "p", "testmode": False, "secret": "s3cret-way-in",
            "email": f"public{number // 2}@example.org", "phone": None, "locale": "fr", "customer": None,
            "total": str(total), "require_approval": False, "valid_if_pending": False, "comment": "",
            "url": "https://example.org/s3cret-way-in", "sales_channel": "web", "positions": positions,
            "invoice_address": {"company": "", "name": "", "name_parts": {"_scheme": "given_family", "given_name": "Zoé", "family_name": f"Le Goff {number // 2}"}, "zipcode": "29200", "city": "Brest", "state": "", "country": "FR"},
            "payments": [{"local_id": 1, "state": "confirmed", "amount": str(total), "provider": "manual", "details": {"iban": "FR00"}}],
            "refunds": [], "fees": [], "downloads": [], **more,
        }  # fmt: skip
        self.orders[code] = {**order, "datetime": more.get("datetime", self.tick(60))}
        self.stamps[code] = self.now
        return self.orders[code]

    def refund(self, code: str, amount: str, *, cancel: bool = False) -> None:
        order = self.touch(code)
        order["refunds"].append({"local_id": 1, "state": "done", "amount": amount, "payment": 1})
        order["status"] = "c" if cancel else order["status"]

    def cancel(self, code: str) -> None:
        self.touch(code)["status"] = "c"

    def check_in(self, code: str, positionid: int = 1) -> None:
        position = self.touch(code)["positions"][positionid - 1]
        position["checkins"].append({"id": 1, "datetime": self._said(self.now), "list": 1, "auto_checked_in": False, "type": "entry"})  # fmt: skip

    def move_date(self, number: int, start: datetime) -> None:
        """Every order of the date gets one and the same stamp."""
        date = next(date for date in self.dates if date["id"] == number)
        date["date_from"] = start
        date["last_modified"] = self.tick()
        for code, order in self.orders.items():
            if any(position["subevent"] == number for position in order["positions"]):
                self.stamps[code] = self.now

    def change_item(self, event: str, number: int, **values: Any) -> None:
        next(item for item in self.items[event] if item["id"] == number).update(values)
        self.items_changed[event] = self.tick()

    def _place(self, number: int, index: int, item: int, date: int | None) -> dict[str, Any]:
        answers = []
        if index == 0:
            answers.append({"question": 5, "question_identifier": "NEWSLETTER", "answer": str(number % 2 == 0), "options": [], "option_identifiers": []})  # fmt: skip
        return {
            "id": number * 10 + index, "positionid": index + 1, "item": item, "variation": None, "price": "20.00",
            "attendee_name": f"Maël Ami {number}" if index == 2 else None,
            "attendee_name_parts": {"_scheme": "given_family", "given_name": "Maël", "family_name": f"Ami {number}"} if index == 2 else {},
            "attendee_email": f"ami{number}@example.org" if index == 2 else None,
            "company": None, "zipcode": None, "city": None, "state": None, "country": None,
            "addon_to": None, "subevent": date, "canceled": False, "secret": "ticket-s3cret", "checkins": [], "answers": answers,
        }  # fmt: skip

    def _furnish(self) -> None:
        both: list[tuple[str, str, str, bool]] = [
            ("saison", "Saison", "EUR", True),
            ("fete", "Fête d'été", "CAD", False),
        ]
        for slug, name, currency, series in both:
            self.events[slug] = {
                "slug": slug, "name": {"fr": name, "en": f"{name} (en)"}, "currency": currency, "live": True, "testmode": False,
                "has_subevents": series, "date_from": self.now - timedelta(days=30), "date_to": None,
                "location": {"fr": "Québec"}, "timezone": "America/Toronto", "meta_data": {"Genre": "Fête"},
                "valid_keys": {"pretix_sig1": ["key"]},
            }  # fmt: skip
            self.questions[slug] = [{"id": 5, "identifier": "NEWSLETTER", "type": "B"}]
        for number, show in enumerate(("Cyrano", "Antigone", "Ubu roi", "Godot"), 1):
            self.dates.append({
                "id": number, "event": "saison", "name": {"fr": show}, "active": True, "date_to": None, "location": None,
                "date_from": self.now + timedelta(days=number - 2), "meta_data": {"Genre": "Théâtre"}, "last_modified": self.now,
            })  # fmt: skip
        self.items["saison"] = [
            self._item(11, "Plein tarif"),
            self._item(12, "Don"),
            self._item(13, "Affiche", admission=False),
        ]
        self.items["fete"] = [self._item(21, "Entrée")]

    def _item(self, number: int, name: str, *, admission: bool = True) -> dict[str, Any]:
        return {"id": number, "name": {"fr": name, "en": f"{name} (en)"}, "admission": admission, "variations": []}

    # --- the API ---

    def handle(self, request: Request) -> Response | None:
        self.tick(0.2)
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return self._refuse(401)
        if not request.path.endswith("/"):
            return Response(301, b"", {"Location": f"{request.path}/"})
        if self._is_too_fast():
            return Response.json(WORDS[429], 429, Retry_After="13")
        found = re.fullmatch(r"/api/v1/organizers/([^/]+)/(?:events/([^/]+)/)?(?:(\w+)/)?", request.path)
        if request.method != "GET" or found is None:
            return None
        organizer, event, what = found.groups()
        if organizer != ORGANIZER or (event and (event in self.hidden or event not in self.events)):
            return self._refuse(403)
        return self._route(request, event, what)

    def _route(self, request: Request, event: str | None, what: str | None) -> Response | None:  # noqa: PLR0911  a table
        match event, what:
            case None, None:
                return Response.json({"slug": ORGANIZER, "name": "Compagnie du Phare"})
            case str(), None:
                return Response.json(self._told(self.events[event]))
            case None, "events":
                return self._page(
                    request, [one for slug, one in sorted(self.events.items()) if slug not in self.hidden]
                )
            case _, "subevents":
                return self._stamped(request, self._some_dates(request, event))
            case str(), "items":
                return self._conditional(request, event)
            case str(), "questions":
                return self._page(request, self.questions[event])
            case _, "orders":
                return self._serve_orders(request, event)
        return None

    def _serve_orders(self, request: Request, event: str | None) -> Response:
        response = self._stamped(request, self._some_orders(request, event))
        if self.after_page and response.status == 200:
            self.after_page()
        return response

    def _some_orders(self, request: Request, event: str | None) -> list[dict[str, Any]]:
        found = [
            {**order, "last_modified": self.stamps[code]}
            for code, order in self.orders.items()
            if order["event"] not in self.hidden and event in (None, order["event"]) and code not in self.unseen
        ]
        if request.one("testmode") == "false":
            found = [order for order in found if not order["testmode"]]
        found = self._since(request, found, created_since="datetime", modified_since="last_modified")
        by = request.one("ordering") if request.one("ordering") in ("datetime", "code", "last_modified") else "datetime"
        found.sort(key=lambda order: (order[by], order["code"]))
        if request.one("include_canceled_positions") != "true":
            found = [
                {**order, "positions": [one for one in order["positions"] if not one["canceled"]]} for order in found
            ]
        return found

    def _some_dates(self, request: Request, event: str | None) -> list[dict[str, Any]]:
        dates = [date for date in self.dates if date["event"] not in self.hidden and event in (None, date["event"])]
        dates = self._since(request, dates, modified_since="last_modified")
        return sorted(dates, key=lambda date: date["id" if request.one("ordering") == "id" else "date_from"])

    def _since(self, request: Request, things: list[dict[str, Any]], **filters: str) -> list[dict[str, Any]]:
        for name, key in filters.items():
            if text := request.one(name):
                since = datetime.fromisoformat(text)  # a raw + came as a space: ValueError, 400
                since = since if since.tzinfo else since.replace(tzinfo=SERVER_ZONE)
                things = [thing for thing in things if thing[key] >= since]
        return things

    def _stamped(self, request: Request, things: list[dict[str, Any]]) -> Response:
        response = self._page(request, things)
        response.headers["X-Page-Generated"] = self._said(self.now)
        return response

    def _conditional(self, request: Request, event: str) -> Response:
        changed = self.items_changed.get(event)
        stamp = format_datetime(changed, usegmt=True) if changed else ""
        if stamp and request.headers.get("if-modified-since") == stamp:
            return Response(304)
        response = self._page(request, self.items[event])
        return Response(response.status, response.body, response.headers | ({"Last-Modified": stamp} if stamp else {}))

    def _page(self, request: Request, things: list[dict[str, Any]]) -> Response:
        size = min(int(request.one("page_size", str(CAP)) or CAP), CAP)
        page, last = int(request.one("page", "1")), max(1, -(-len(things) // size))
        if not 1 <= page <= last:
            return self._refuse(404)
        path = f"{self.url}{request.path}"
        query = {name: values[-1] for name, values in request.query.items()}
        following = f"{path}?{urlencode(query | {'page': page + 1})}" if page < last else None
        results = [self._told(thing) for thing in things[(page - 1) * size : page * size]]
        return Response.json({"count": len(things), "next": following, "previous": None, "results": results})

    def _told(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._told(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._told(inner) for inner in value]
        return self._said(value) if isinstance(value, datetime) else copy.copy(value)

    def _said(self, when: datetime) -> str:
        return when.astimezone(SERVER_ZONE).isoformat()

    def _refuse(self, status: int) -> Response:
        return Response.json(WORDS[status], status)

    def _is_too_fast(self) -> bool:
        self._served = [when for when in self._served if when > self.now - timedelta(minutes=1)]
        if self.hosted is not None and len(self._served) >= self.hosted:
            self.tick(13)
            return True
        self._served.append(self.now)
        return False

    def _known(self, request: Request) -> Response:
        try:
            if request.one("modified_since"):
                datetime.fromisoformat(request.one("modified_since"))
        except ValueError:
            return Response.json({"modified_since": ["Saisissez une date et une heure valides."]}, 400)
        return super()._known(request)
