"""Fill a new pretix: an organizer, tokens, a series of six dates, a single event in Canada, and orders of every fate.

Runs with pretix' own Python: `seed.py ORDERS OUT.json`. What the API can't make (the first token, dates in the past)
is made with pretix' models; all else goes through its REST views.
"""

# mypy: ignore-errors
# ruff: noqa: E402  Django must be set up before its models are loaded
from __future__ import annotations

import hashlib
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import django

django.setup()
from django.test import Client
from django_scopes import scopes_disabled
from pretix.base.models import Event, Order, OrderPayment, Organizer, Team, TeamAPIToken

ORGANIZER, SERIES, SINGLE = "phare", "saison", "fete"
NOW = datetime.now(UTC).replace(microsecond=0)
FATES = ["paid"] * 8 + ["pending", "expired", "canceled", "refunded", "partial", "one gone", "approval", "free"]
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # pretix wants no I and no O in a code
FIRST = ["Hélène", "François", "Zoé", "Maël", "Jean-Baptiste", "Aïcha", "Noémie", "Éloïse"]
LAST = ["Le Goff", "N'Diaye", "Tremblay", "Œuvrard", "Saint-Pierre", "d'Ormesson", "Nguyễn"]
dice = random.Random(20261122)


def key(name: str) -> str:
    return hashlib.sha256(f"fil rouge {name}".encode()).hexdigest()[:64]


def found() -> None:
    with scopes_disabled():
        organizer = Organizer.objects.create(slug=ORGANIZER, name="Compagnie du Phare")
        organizer.settings.set("locales", ["fr", "en"])
        organizer.settings.set("customer_accounts", True)
        organizer.set_active_plugins(["pretix.plugins.banktransfer"])
        organizer.save()
        writers = Team.objects.create(
            organizer=organizer,
            name="writes",
            all_events=True,
            all_event_permissions=True,
            all_organizer_permissions=True,
        )
        readers = Team.objects.create(
            organizer=organizer, name="reads", all_events=True, limit_event_permissions={"event.orders:read": True}
        )
        TeamAPIToken.objects.create(team=writers, name="seed", token=key("writing"))
        TeamAPIToken.objects.create(team=readers, name="sync", token=key("reading"))


class Api:
    def __init__(self) -> None:
        self.client = Client(headers={"authorization": f"Token {key('writing')}"})

    def post(self, path: str, body: dict) -> dict:
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: dict) -> dict:
        answer = self.client.generic(
            method, f"/api/v1/organizers/{ORGANIZER}/{path}", json.dumps(body), content_type="application/json"
        )
        if answer.status_code not in (200, 201, 204):
            sys.exit(f"{method} {path}: {answer.status_code} {answer.content[:600]!r}")
        return json.loads(answer.content or "{}")


def stage(api: Api) -> dict:
    """The two events with their products, question and check-in lists."""
    made: dict = {"items": {}, "lists": {}}
    plans = [(SERIES, "Saison", "EUR", "Europe/Paris", True), (SINGLE, "Fête d'été", "CAD", "America/Toronto", False)]
    for slug, name, currency, zone, series in plans:
        api.post("events/", {
            "name": {"fr": name, "en": f"{name} (en)"}, "slug": slug, "live": False, "testmode": False, "currency": currency,
            "date_from": (NOW - timedelta(days=60)).isoformat(), "has_subevents": series, "timezone": zone, "meta_data": {},
            "location": {"fr": "12 quai des Brumes"}, "plugins": ["pretix.plugins.manualpayment", "pretix.plugins.banktransfer"],
        })  # fmt: skip
        with scopes_disabled():
            Event.objects.get(slug=slug).settings.set("payment_manual__enabled", True)
        made["items"][slug] = [
            api.post(f"events/{slug}/items/", product(name, price, admission=admission))
            for name, price, admission in (
                ("Plein tarif", "24.00", True),
                ("Don", "10.00", False),
                ("Invitation", "0.00", True),
            )
        ]
        made["lists"][slug] = api.post(f"events/{slug}/checkinlists/", {
            "name": "Contrôle", "all_products": True, "limit_products": [], "subevent": None, "include_pending": True,
        })  # fmt: skip
    made["dates"] = [date(api, show, days) for show, days in zip(("Cyrano", "Ubu roi", "Antigone", "Godot", "Phèdre", "Tartuffe"), (-50, -30, -9, 12, 40, 90), strict=True)]  # fmt: skip
    made["quotas"] = [quota(api, SERIES, made["items"][SERIES], one["id"]) for one in made["dates"]]
    quota(api, SINGLE, made["items"][SINGLE], None)
    made["question"] = api.post(f"events/{SERIES}/questions/", {
        "question": {"fr": "Recevoir nos nouvelles ?"}, "type": "B", "required": False, "identifier": "NEWSLETTER",
        "items": [item["id"] for item in made["items"][SERIES]], "options": [],
    })  # fmt: skip
    for slug in (SERIES, SINGLE):
        api.send("PATCH", f"events/{slug}/", {"live": True})
    return made


def product(name: str, price: str, *, admission: bool) -> dict:
    return {
        "name": {"fr": name}, "default_price": price, "admission": admission, "personalized": admission, "active": True,
        "category": None, "tax_rule": None, "free_price": name == "Don", "position": 0, "variations": [], "addons": [], "bundles": [],
    }  # fmt: skip


def date(api: Api, show: str, days: int) -> dict:
    start = (NOW + timedelta(days=days)).replace(hour=19, minute=30, second=0)
    return api.post(f"events/{SERIES}/subevents/", {
        "name": {"fr": show}, "active": True, "date_from": start.isoformat(), "location": None, "meta_data": {},
        "item_price_overrides": [], "variation_price_overrides": [],
    })  # fmt: skip


def quota(api: Api, slug: str, items: list, subevent: int | None) -> dict:
    return api.post(f"events/{slug}/quotas/", {
        "name": "Salle", "size": 500, "items": [item["id"] for item in items], "variations": [], "subevent": subevent,
    })  # fmt: skip


def sell(api: Api, made: dict, number: int) -> None:
    fate, slug = FATES[number % len(FATES)], SINGLE if number % 6 == 5 else SERIES
    first, last = dice.choice(FIRST), dice.choice(LAST)
    person = number * 2 // 3  # so that some come again
    order = api.post(f"events/{slug}/orders/", {
        "code": f"F{LETTERS[number // 20]}{LETTERS[number % 20]}ZZ", "email": f"public{person}@example.org",
        "phone": f"+33261910{person:03d}", "locale": "fr", "sales_channel": "web", "fees": [], "force": True, "send_email": False,
        "testmode": False, "status": "n" if fate in ("pending", "expired", "approval") else "p",
        "payment_provider": "banktransfer" if fate in ("pending", "expired", "approval") else "manual",
        "require_approval": fate == "approval", "positions": places(made, slug, number, fate, (first, last)),
        **({} if number % 4 == 3 else {"invoice_address": address(first, last)}),
    })  # fmt: skip
    suffer(api, made, slug, order, fate)
    backdate(order["code"], NOW - timedelta(days=55 - number / 2))


def address(first: str, last: str) -> dict:
    return {
        "is_business": False, "company": "", "name_parts": {"_scheme": "given_family", "given_name": first, "family_name": last},
        "street": "1 rue du Port", "zipcode": "29200", "city": "Brest", "country": "FR", "state": "", "internal_reference": "", "vat_id": "",
    }  # fmt: skip


def places(made: dict, slug: str, number: int, fate: str, buyer: tuple[str, str]) -> list[dict]:
    item = made["items"][slug][2 if fate == "free" else 0]["id"]
    found = []
    for index in range(2 if fate == "one gone" else number % 3 + 1):
        guest = index == 2
        found.append({
            "positionid": index + 1, "item": item, "variation": None, "answers": [],
            "subevent": made["dates"][number % 6]["id"] if slug == SERIES else None,
            "attendee_name_parts": {"_scheme": "given_family", "given_name": "Paul" if guest else buyer[0], "family_name": buyer[1]} if index != 1 else {},
            "attendee_email": f"guest{number}@example.org" if guest else None,
        })  # fmt: skip
    if slug == SERIES:
        found[0]["answers"].append({"question": made["question"]["id"], "answer": str(number % 3 != 0), "options": []})
    if number % 9 == 8 and fate == "paid":
        found.append(
            {
                **found[0],
                "positionid": len(found) + 1,
                "item": made["items"][slug][1]["id"],
                "answers": [],
                "price": "15.00",
            }
        )
    return found


def suffer(api: Api, made: dict, slug: str, order: dict, fate: str) -> None:
    path, total = f"events/{slug}/orders/{order['code']}/", Decimal(order["total"])
    back = {"state": "done", "source": "admin", "provider": "manual", "payment": 1, "execution_date": NOW.isoformat()}
    match fate:
        case "canceled":
            api.post(f"{path}mark_canceled/", {"send_email": False})
        case "expired":
            api.post(f"{path}mark_expired/", {})
        case "refunded":
            api.post(f"{path}refunds/", {**back, "amount": str(total), "mark_canceled": True})
        case "partial":
            api.post(f"{path}refunds/", {**back, "amount": "5.00", "mark_canceled": False, "mark_pending": False})
        case "one gone":
            gone = [{"position": order["positions"][-1]["id"]}]
            api.post(f"{path}change/", {"cancel_positions": gone, "send_email": False, "reissue_invoice": False})
        case "paid" if slug == SERIES and order["positions"][0]["subevent"] == made["dates"][0]["id"]:
            scan = {"secret": order["positions"][0]["secret"], "lists": [made["lists"][slug]["id"]], "force": True}
            api.post("checkinrpc/redeem/", scan)


def backdate(code: str, when: datetime) -> None:
    with scopes_disabled():
        order = Order.objects.get(code=code)
        Order.objects.filter(pk=order.pk).update(datetime=when, last_modified=when + timedelta(minutes=1))
        OrderPayment.objects.filter(order=order).update(created=when)


def main() -> None:
    found()
    api = Api()
    made = stage(api)
    for number in range(int(sys.argv[1])):
        sell(api, made, number)
    told = {"organizer": ORGANIZER, "token": key("reading"), "writing": key("writing")}
    Path(sys.argv[2]).write_text(json.dumps(told), "utf-8")


main()
