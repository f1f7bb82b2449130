"""A real pretix: pulled, changed in every way a box office changes it, and pulled again after each.

After each change two things must hold: the records of the incremental pull are those of a full one, and they say what
pretix itself says when asked about that one order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa

from connectors.records import Consent, Donation, Event, Order, Person, Product, Record, Visit
from connectors.source import Setting
from connectors.sources.pretix import Pretix, PretixSettings
from connectors.trouble import LogInAgain
from sync.store import tables
from tests.contracts import whole
from tests.real.kept import Kept
from tests.real.pretix.setup import Place, running

pytestmark = pytest.mark.real
PARIS = ZoneInfo("Europe/Paris")
GIFT = "15.00"  # what the seed asks for a gift


@dataclass
class House:
    """The real server, a source that reads it, what was pulled so far, and a hand that changes things."""

    place: Place
    source: Pretix
    ledger: Kept
    hand: httpx.Client

    def ask(self, path: str) -> dict[str, Any]:
        answer = self.hand.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def do(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        answer = self.hand.request(method, path, json=body)
        assert answer.status_code in (200, 201, 204), f"{path}: {answer.status_code} {answer.text[:400]}"
        return answer.json() if answer.content else None

    def records(self, code: str) -> list[Record]:
        return list(self.source.records(self.ledger.things["order", code]))

    def orders(self) -> list[dict[str, Any]]:
        """All orders that pretix has, cancelled places included."""
        found: list[dict[str, Any]] = []
        path: str | None = "orders/?testmode=false&include_canceled_positions=true"
        while path:
            answer = self.ask(path)
            found, path = found + answer["results"], answer["next"]
        return found

    def paid(self, count: int = 1, *, later: bool = False) -> list[dict[str, Any]]:
        """Some orders that are paid in full, of at least two places, nobody let in yet."""
        orders = [one for one in self.orders() if one["status"] == "p"]
        fit = [
            order
            for order in orders
            if len(order["positions"]) >= 2
            and not order["refunds"]
            and Decimal(order["total"]) > 0
            and order["event"] == "saison"
            and not any(position["checkins"] for position in order["positions"])
        ]
        return fit[-count:] if later else fit[:count]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running(tmp_path_factory.mktemp("pretix")) as server:
        yield server


@pytest.fixture(scope="module")
def house(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    source = make(place)
    kept = Kept.open(tmp_path_factory.mktemp("kept"), "Europe/Paris", datetime.now(UTC))
    base = f"{place.url}/api/v1/organizers/{place.organizer}/"
    with httpx.Client(
        base_url=base, headers={"Authorization": f"Token {place.writing}"}, timeout=60, trust_env=False
    ) as hand:
        yield House(place, source, kept.pull(source), hand)
    source.close()
    kept.store.close()


def make(place: Place, weeks: int = 0, **more: Any) -> Pretix:
    given = {
        "url": place.url,
        "organizer": place.organizer,
        "token": place.token,
        "consent": "NEWSLETTER",
        "donations": ["Don"],
    }
    setting = Setting(name="pretix", folder=Path(), now=lambda: datetime.now(UTC) + timedelta(weeks=weeks))
    return Pretix(PretixSettings.model_validate({**given, **more}), setting)


def test_the_account(house: House) -> None:
    account = house.source.check()
    assert account.name == "Compagnie du Phare"
    assert account.remarks == [("pretix-events", {"n": "2", "events": "fete, saison"})]


def test_a_wrong_token_and_a_wrong_name(place: Place) -> None:
    for more, code in (({"token": "nonsense"}, "login-refused"), ({"organizer": "nobody"}, "pretix-no-organizer")):
        source = make(place, 0, **more)
        with pytest.raises(LogInAgain) as trouble:
            source.check()
        source.close()
        assert trouble.value.code == code


def test_everything_arrived(house: House) -> None:
    count = house.ask("orders/?testmode=false")["count"]
    codes = [code for kind, code in house.ledger.things if kind == "order"]
    assert len(codes) == count == 80
    assert all(house.records(code) for code in codes)
    found = [record for records in house.ledger.records(house.source).values() for record in records]
    kinds = {type(record) for record in found}
    assert kinds == {Person, Event, Product, Order, Visit, Consent, Donation}
    orders = [record for record in found if isinstance(record, Order)]
    assert {order.status for order in orders} == {"paid", "pending", "cancelled", "refunded"}
    assert {order.paid.currency for order in orders if order.paid} == {"EUR", "CAD"}


def test_a_quiet_day_is_three_calls(house: House) -> None:
    # The seed itself lies within the overlap only for what was not back-dated, so a first quiet pull settles that.
    house.ledger.pull(house.source)
    assert house.ledger.changed == []
    before = house.source._client.calls
    house.ledger.pull(house.source)
    assert house.ledger.changed == []
    print(f"\nquiet day: {house.source._client.calls - before} calls")


def refund_all(house: House) -> str:
    order = house.paid()[0]
    body = {"state": "done", "source": "admin", "provider": "manual", "payment": 1, "amount": order["total"], "execution_date": order["datetime"], "mark_canceled": True}  # fmt: skip
    house.do(f"events/saison/orders/{order['code']}/refunds/", body)
    return str(order["code"])


def refund_part(house: House) -> str:
    order = house.paid()[0]
    body = {"state": "done", "source": "admin", "provider": "manual", "payment": 1, "amount": "3.50", "execution_date": order["datetime"], "mark_canceled": False, "mark_pending": False}  # fmt: skip
    house.do(f"events/saison/orders/{order['code']}/refunds/", body)
    return str(order["code"])


def cancel(house: House) -> str:
    code = house.paid()[0]["code"]
    house.do(f"events/saison/orders/{code}/mark_canceled/", {"send_email": False})
    return str(code)


def cancel_one_place(house: House) -> str:
    order = house.paid()[0]
    body = {
        "cancel_positions": [{"position": order["positions"][-1]["id"]}],
        "send_email": False,
        "reissue_invoice": False,
    }
    house.do(f"events/saison/orders/{order['code']}/change/", body)
    return str(order["code"])


def let_in(house: House) -> str:
    order = house.paid(later=True)[0]
    lists = [one["id"] for one in house.ask("events/saison/checkinlists/")["results"]]
    house.do("checkinrpc/redeem/", {"secret": order["positions"][0]["secret"], "lists": lists, "force": True})
    return str(order["code"])


def correct_address(house: House) -> str:
    code = house.paid(later=True)[0]["code"]
    house.do(f"events/saison/orders/{code}/", {"email": "Corrigee.Adresse@example.org"}, "PATCH")
    return str(code)


def comment(house: House) -> str:
    code = house.paid(later=True)[0]["code"]
    house.do(f"events/saison/orders/{code}/", {"comment": "Allée, rang B"}, "PATCH")
    return str(code)


def move_date(house: House) -> str:
    order = house.paid(later=True)[0]
    number = order["positions"][0]["subevent"]
    start = datetime.fromisoformat(house.ask(f"events/saison/subevents/{number}/")["date_from"]) + timedelta(days=3)
    house.do(f"events/saison/subevents/{number}/", {"date_from": start.isoformat()}, "PATCH")
    return str(order["code"])


def rename_product(house: House) -> str:
    order = house.paid(later=True)[0]
    house.do(f"events/saison/items/{order['positions'][0]['item']}/", {"name": {"fr": "Tarif normal"}}, "PATCH")
    house.do(f"events/saison/orders/{order['code']}/", {"comment": "après"}, "PATCH")
    return str(order["code"])


def pay(house: House) -> str:
    order = next(
        one
        for one in house.ask("orders/?status=n")["results"]
        if not one["require_approval"] and one["event"] == "saison"
    )
    house.do(f"events/saison/orders/{order['code']}/mark_paid/", {"send_email": False})
    return str(order["code"])


@pytest.mark.parametrize(
    "change",
    [
        refund_all,
        cancel,
        cancel_one_place,
        let_in,
        correct_address,
        comment,
        move_date,
        rename_product,
        pay,
    ],
    ids=lambda change: change.__name__,
)
def test_after_each_change_records_and_store_say_what_pretix_says(
    house: House, change: Callable[[House], str], tmp_path: Path
) -> None:
    code = change(house)
    before = house.source._client.calls
    house.ledger.pull(house.source)
    calls = house.source._client.calls - before
    assert ("order", code) in {(thing.kind, thing.id) for thing in house.ledger.changed}
    full = whole(house.source)
    assert house.ledger.things == full.things
    assert house.ledger.records(house.source) == full.records(house.source)
    agrees(house, code)
    the_store_agrees(house, tmp_path)
    print(f"\n{change.__name__}: {len(house.ledger.changed)} objects changed, {calls} calls")


def test_a_partial_refund_alone_moves_nothing_and_is_found_by_the_weekly_reading(house: House, tmp_path: Path) -> None:
    code = refund_part(house)
    house.ledger.pull(house.source)
    quiet = house.ledger.changed == []
    later = make(house.place, weeks=2)
    house.ledger.pull(later)
    later.close()
    agrees(house, code)
    the_store_agrees(house, tmp_path)
    assert house.ledger.things == whole(house.source).things
    print(f"\npartial refund: pretix moved the order: {not quiet}; found by the weekly reading")


def test_a_scan_taken_back(house: House, tmp_path: Path) -> None:
    """The API can't delete a scan; a box office does it in the browser, so it is done with pretix' own model here."""
    code = let_in(house)
    house.ledger.pull(house.source)
    assert any(isinstance(record, Visit) and record.attended for record in house.records(code))
    take_back(house.place, code)
    house.ledger.pull(house.source)
    assert not any(isinstance(record, Visit) and record.attended for record in house.records(code))
    assert house.ledger.things == whole(house.source).things
    agrees(house, code)
    the_store_agrees(house, tmp_path)


def test_an_address_in_another_letter_case_is_the_same_person(house: House, tmp_path: Path) -> None:
    order = house.paid(later=True)[0]
    other = next(one for one in house.orders() if one["email"].lower() != order["email"].lower())
    names = {"email": order["email"].upper(), "invoice_address": {"name_parts": order["invoice_address"]["name_parts"]}}
    house.do(f"events/{other['event']}/orders/{other['code']}/", names, "PATCH")
    house.ledger.pull(house.source)
    who = house.ledger.who()
    assert who[order["code"]] == who[other["code"]]
    the_store_agrees(house, tmp_path)


def test_a_sale_that_names_nobody_any_more(house: House) -> None:
    """Pretix' own eraser takes e-mail, names and addresses out; so does this, for one order."""
    order = next(one for one in house.orders() if one["event"] == "saison")
    house.place.inside(
        "import django; django.setup()\n"
        "from django_scopes import scopes_disabled\n"
        "from pretix.base.models import InvoiceAddress, Order\n"
        "with scopes_disabled():\n"
        f"    order = Order.objects.get(code={order['code']!r})\n"
        "    InvoiceAddress.objects.filter(order=order).delete()\n"
        "    order.all_positions.update(attendee_name_cached=None, attendee_name_parts={}, attendee_email=None)\n"
        "    order.email, order.phone, order.customer = None, None, None\n"
        "    order.save()\n"
    )
    house.ledger.pull(house.source)
    assert order["code"] not in house.ledger.who()
    assert not [fact for fact in house.ledger.said() if fact[3].startswith(order["code"])]
    with house.ledger.store.look() as connection:
        codes = connection.execute(sa.select(tables.set_aside.c.id, tables.set_aside.c.code)).all()
    assert (order["code"], "pretix-nobody") in [tuple(row) for row in codes]


def take_back(place: Place, code: str) -> None:
    script = (
        "import django; django.setup()\n"
        "from django_scopes import scopes_disabled\n"
        "from pretix.base.models import Checkin, Order\n"
        "with scopes_disabled():\n"
        f"    order = Order.objects.get(code={code!r})\n"
        "    Checkin.all.filter(position__order=order).delete()\n"
        "    order.touch()\n"
    )
    place.inside(script)


def agrees(house: House, code: str) -> None:
    """What we say of an order beside what pretix says of it now, worked out here a second time and plainly."""
    records = house.records(code)
    event = next(record.event for record in records if isinstance(record, Visit) and record.event).partition("/")[0]
    said = house.ask(f"events/{event}/orders/{code}/?include_canceled_positions=true")
    order = next(record for record in records if isinstance(record, Order))
    net = sum(Decimal(one["amount"]) for one in said["payments"] if one["state"] == "confirmed") - sum(
        Decimal(one["amount"]) for one in said["refunds"] if one["state"] == "done"
    )
    assert order.paid is not None
    assert order.paid.amount == net - sum(Decimal(one["price"]) for one in said["positions"] if one["price"] == GIFT)
    live = [one for one in said["positions"] if not one["canceled"] and said["status"] in "np" and one["price"] != GIFT]
    assert order.tickets == len(live)
    buyer = next(record for record in records if isinstance(record, Person) and record.id == code)
    assert buyer.email == said["email"]
    visits = {record.id: record for record in records if isinstance(record, Visit)}
    for one in said["positions"]:
        if visit := visits.get(f"{code}/{one['positionid']}"):
            assert (visit.status == "cancelled") == (one["canceled"] or said["status"] in "ce")
            assert bool(visit.attended) == any(scan["type"] == "entry" for scan in one["checkins"])
            starts = datetime.fromisoformat(house.ask(f"events/{event}/subevents/{one['subevent']}/")["date_from"])
            date = house.source.records(house.ledger.things["event", str(visit.event)])[0]
            assert isinstance(date, Event)
            assert date.starts == starts.astimezone(UTC)


def the_store_agrees(house: House, folder: Path) -> None:
    """Facts are those of a store filled anew, and everybody's numbers are what pretix' own lists add up to now."""
    fresh = Kept.open(folder, "Europe/Paris", house.ledger.moment).pull(house.source)
    assert house.ledger.said() == fresh.said()
    fresh.store.close()
    profiles, expected = house.ledger.profiles(), sums(house)
    assert set(expected) == set(profiles)
    for person, numbers in expected.items():
        assert {name: profiles[person][name] for name in numbers} == numbers, profiles[person]["email"]


def sums(house: House) -> dict[int, dict[str, Any]]:
    """Everybody's numbers, added up a second time and plainly from what pretix lists."""
    starts = {one["id"]: datetime.fromisoformat(one["date_from"]) for one in house.ask("subevents/")["results"]}
    events = {one["slug"]: one for one in house.ask("events/")["results"]}
    who, now, orders = house.ledger.who(), house.ledger.moment, house.orders()
    found: dict[int, dict[str, Any]] = {person: {"purchases": 0, "tickets": 0, "spent": Decimal(0), "donations": 0, "donated": Decimal(0)} for person in who.values()}  # fmt: skip
    went: dict[int, set[Any]] = {}
    will: dict[int, set[datetime]] = {}
    for order in orders:
        if order["code"] not in who:
            continue
        buyer, event = who[order["code"]], events[order["event"]]
        net = moved(order["payments"], "confirmed") - moved(order["refunds"], "done")
        paid = order["status"] == "p" and not (moved(order["refunds"], "done") and net <= 0)
        gifts = [one for one in order["positions"] if one["price"] == GIFT and not one["canceled"]]
        only_gifts = gifts and len(gifts) == sum(not one["canceled"] for one in order["positions"])
        found[buyer]["purchases"] += paid and not only_gifts
        if event["currency"] == "EUR" and order["status"] != "n" and not only_gifts:
            found[buyer]["spent"] += max(net - sum(Decimal(one["price"]) for one in gifts), Decimal(0))
        for one in order["positions"]:
            holder = who.get(f"{order['code']}/{one['positionid']}", buyer)
            if one["price"] == GIFT:
                given = paid and not one["canceled"]
                found[holder]["donations"] += given
                found[holder]["donated"] += Decimal(GIFT) if given and event["currency"] == "EUR" else 0
            elif not one["canceled"] and order["status"] in "np":
                found[holder]["tickets"] += order["status"] == "p"
                at = starts[one["subevent"]] if one["subevent"] else datetime.fromisoformat(event["date_from"])
                if at > now:
                    will.setdefault(holder, set()).add(at)
                elif order["status"] == "p":
                    went.setdefault(holder, set()).add((at, one["subevent"] or order["event"]))
    return {
        person: numbers
        | {"visits": len(went.get(person, ())), "next_visit": day(min(will.get(person, ()), default=None))}
        | {"last_visit": day(max((at for at, _ in went.get(person, ())), default=None))}
        for person, numbers in found.items()
    }


def moved(moves: list[dict[str, Any]], state: str) -> Decimal:
    return sum((Decimal(one["amount"]) for one in moves if one["state"] == state), Decimal(0))


def day(at: datetime | None) -> Any:
    return at.astimezone(PARIS).date() if at else None
