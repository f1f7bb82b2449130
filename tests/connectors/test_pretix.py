"""pretix: the contract, its traps, and what its objects mean."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import pytest

from connectors.records import Consent, Donation, Event, Money, Order, Person, Product, Record, Visit
from connectors.source import Setting, Source
from connectors.sources.pretix import Pretix, PretixSettings
from connectors.trouble import FixFile, GiveUp, LogInAgain, Nobody
from sync.messages import LANGUAGES, say
from tests import hostile
from tests.contracts import HttpSourceContract, Ledger, whole
from tests.fakes.pretix import ORGANIZER, TOKEN, FakePretix

T = TypeVar("T", bound=Record)


def settings(fake: FakePretix, **more: Any) -> PretixSettings:
    return PretixSettings.model_validate(
        {
            "endpoint": fake.url,
            "organizer": ORGANIZER,
            "token": TOKEN,
            "consent": "NEWSLETTER",
            "genre": "Genre",
            **more,
        }
    )


class TestContract(HttpSourceContract):
    token = TOKEN
    api = "/orders/"
    quiet_calls = 3

    def world(self, folder: Path) -> FakePretix:
        fake = FakePretix()
        fake.tick(3600)
        return fake

    def source(self, world: FakePretix, setting: Setting) -> Source:
        return Pretix(settings(world), replace(setting, now=lambda: world.now))

    def touch(self, world: FakePretix) -> None:
        world.refund("C0003", "5.00")

    def name_somebody(self, world: FakePretix, name: str) -> None:
        order = world.sell(900)
        order["invoice_address"]["name_parts"] = {"_scheme": "given_family", "given_name": "Marie", "family_name": name}


@pytest.fixture
def fake() -> Iterator[FakePretix]:
    with FakePretix() as made:
        made.tick(3600)
        yield made


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(
        name="billetterie", folder=tmp_path, now=lambda: datetime(2026, 10, 26, tzinfo=UTC), sleep=lambda _: None
    )


@pytest.fixture
def pretix(fake: FakePretix, setting: Setting) -> Iterator[Pretix]:
    made = Pretix(settings(fake), setting)
    yield made
    made.close()


def of(source: Source, code: str, ledger: Ledger | None = None) -> list[Record]:
    return list(source.records((ledger or whole(source)).things["order", code]))


def one(records: list[Record], kind: type[T]) -> T:
    found = [record for record in records if isinstance(record, kind)]
    assert len(found) == 1, found
    return found[0]


# --- the traps of the walk ---


def test_an_order_touched_between_two_pages_hides_no_other(pretix: Pretix, fake: FakePretix) -> None:
    ledger = Ledger()
    fake.after_page = lambda: fake.touch("C0001").update(comment=str(fake.now)) if len(fake.requests) < 40 else None
    ledger.pull(pretix)
    fake.after_page = None
    ledger.pull(pretix)
    assert ledger.things == whole(pretix).things
    assert sum(kind == "order" for kind, _ in ledger.things) == 70


def test_an_order_committed_late_is_found(pretix: Pretix, fake: FakePretix) -> None:
    fake.sell(500, code="LATE")
    fake.unseen.add("LATE")  # stamped now, in a transaction that is still open
    fake.tick(240)
    ledger = whole(pretix)
    assert ("order", "LATE") not in ledger.things
    fake.unseen.clear()
    fake.tick(5)
    assert ("order", "LATE") in ledger.pull(pretix).things


def test_an_order_committed_late_behind_a_walk_cut_short_is_found(pretix: Pretix, fake: FakePretix) -> None:
    fake.orders["C0001"]["datetime"] = fake.orders["C0000"]["datetime"]
    fake.stamps["C0001"] = fake.tick()
    fake.unseen.add("C0001")
    ledger = Ledger()
    while not ledger.cursor:
        ledger.pull(pretix, 6)
    fake.unseen.clear()
    ledger.pull(pretix)
    ledger.pull(pretix)
    assert ledger.things == whole(pretix).things


def test_a_refund_that_moves_nothing_is_found_within_a_week(fake: FakePretix, setting: Setting) -> None:
    source = Pretix(settings(fake), replace(setting, now=lambda: fake.now))
    ledger = whole(source)
    fake.tick(3600)
    fake.orders["C0003"]["refunds"].append(
        {"local_id": 1, "state": "done", "amount": "5.00"}
    )  # no new stamp, as in pretix
    assert ledger.pull(source).changed == []
    fake.tick(8 * 86400)
    assert [thing.id for thing in ledger.pull(source).changed] == ["C0003"]
    before = len(fake.requests)
    ledger.pull(source)
    assert len(fake.requests) - before <= 3
    source.close()


def test_many_orders_of_one_stamp_all_arrive(pretix: Pretix, fake: FakePretix) -> None:
    for number in range(100, 300):
        fake.sell(number)
    ledger = whole(pretix)
    fake.tick(3600)
    for order in fake.orders.values():
        order["comment"] = "moved"
    fake.move_date(1, fake.now + timedelta(days=9))
    fake.stamps = dict.fromkeys(fake.stamps, fake.now)
    ledger.pull(pretix)
    assert ledger.things == whole(pretix).things


def test_a_walk_that_is_cut_short_goes_on_where_it_was(pretix: Pretix, fake: FakePretix) -> None:
    for number in range(100, 500):
        fake.sell(number)
    pages = len(list(pretix.pull(None)))
    ledger = Ledger().pull(pretix, pages - 2)
    before = len(fake.requests)
    ledger.pull(pretix)
    assert len(fake.requests) - before <= 7
    assert ledger.things == whole(pretix).things


def test_old_orders_of_an_event_that_the_team_sees_from_now_on(fake: FakePretix, pretix: Pretix) -> None:
    fake.hidden.add("fete")
    ledger = whole(pretix)
    assert not [key for key in ledger.things if key[1].startswith("fete")]
    fake.hidden.clear()
    ledger.pull(pretix)
    assert ledger.things == whole(pretix).things
    assert ledger.pull(pretix).changed == []


def test_a_product_that_becomes_none_of_the_tickets(pretix: Pretix, fake: FakePretix) -> None:
    ledger = whole(pretix)
    fake.tick(3600)
    fake.change_item("saison", 11, admission=False)
    fake.touch("C0000")
    ledger.pull(pretix)
    assert ledger.things == whole(pretix).things
    assert not [record for record in of(pretix, "C0001", ledger) if isinstance(record, Visit)]


def test_a_renamed_event_brings_its_dates_again(pretix: Pretix, fake: FakePretix) -> None:
    ledger = whole(pretix)
    fake.events["saison"]["name"] = {"fr": "Saison 2027"}
    fake.dates.pop()
    ledger.pull(pretix)
    assert ("event", "saison/4") not in ledger.things
    assert ledger.things.keys() == whole(pretix).things.keys()


def test_only_the_events_that_were_named(fake: FakePretix, setting: Setting) -> None:
    source = Pretix(settings(fake, events=["fete"]), setting)
    ledger = whole(source)
    assert {key[1] for key in ledger.things if key[0] == "event"} == {"fete"}
    fake.refund("C0004", "1.00")
    fake.refund("C0003", "1.00")
    assert [thing.id for thing in ledger.pull(source).changed] == ["C0004"]
    source.close()
    other = Pretix(settings(fake), setting)
    assert len(ledger.pull(other).things) == len(whole(other).things)
    other.close()


def test_the_hosted_limit_slows_it_down_only(setting: Setting) -> None:
    with FakePretix(hosted=3) as fake:
        source = Pretix(settings(fake), setting)
        assert sum(kind == "order" for kind, _ in whole(source).things) == 70
        source.close()


def test_no_way_into_an_order_and_no_bank_detail_is_kept(pretix: Pretix) -> None:
    kept = b"".join(thing.raw for thing in whole(pretix).things.values())
    for unwanted in (b"s3cret", b"iban", b"valid_keys"):
        assert unwanted not in kept


# --- set-up ---


def test_check_says_what_it_sees(pretix: Pretix) -> None:
    account = pretix.check()
    assert account.name == "Compagnie du Phare"
    assert account.remarks[0] == ("pretix-events", {"n": "2", "events": "fete, saison"})


def test_check_says_that_nobody_is_asked(fake: FakePretix, setting: Setting) -> None:
    source = Pretix(settings(fake, consent="NOVELTIES"), setting)
    assert ("pretix-no-question", {"question": "NOVELTIES"}) in source.check().remarks
    source.close()


@pytest.mark.parametrize(
    ("more", "kind", "code"),
    [
        ({"organizer": "nobody"}, LogInAgain, "pretix-no-organizer"),
        ({"events": ["saison", "sesame"]}, FixFile, "pretix-event-unseen"),
        ({"token": "wrong"}, LogInAgain, "login-refused"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_mistake_has_its_sentence(
    fake: FakePretix, setting: Setting, more: dict[str, Any], kind: type[FixFile | LogInAgain], code: str, language: str
) -> None:
    source = Pretix(settings(fake, **more), setting)
    with pytest.raises(kind) as trouble:
        source.check()
    source.close()
    assert trouble.value.code == code
    assert "{" not in say(language, code, **trouble.value.facts)


def test_an_unknown_organizer_is_told_by_a_pull_too(fake: FakePretix, setting: Setting) -> None:
    source = Pretix(settings(fake, organizer="nobody"), setting)
    with pytest.raises(LogInAgain) as trouble:
        whole(source)
    source.close()
    assert trouble.value.code == "pretix-no-organizer"


def test_a_token_that_sees_nothing_is_no_quiet_day(fake: FakePretix, pretix: Pretix) -> None:
    ledger = whole(pretix)
    fake.hidden |= set(fake.events)
    with pytest.raises(LogInAgain) as trouble:
        ledger.pull(pretix)
    assert trouble.value.code == "pretix-no-events"


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda order: order["positions"][0].pop("item"), "$.positions[0]"),
        (lambda order: order.update(positions=None), "$.positions"),
        (lambda order: order.update(event=None), "$.event"),
        (lambda order: order.update(event="../x"), "$.event"),
    ],
)
def test_one_order_of_another_shape_is_set_aside_alone(
    fake: FakePretix, pretix: Pretix, spoil: Callable[[dict[str, Any]], object], where: str
) -> None:
    expected, order = whole(pretix), copy.deepcopy(fake.orders["C0003"])
    spoil(fake.orders["C0003"])
    ledger = whole(pretix)
    assert set(expected.things) - set(ledger.things) == {("order", "C0003")}
    broken = ledger.broken["order", "C0003"]
    assert (broken.code, broken.facts["where"]) == ("pretix-unreadable", where)
    assert b"s3cret" not in broken.raw
    fake.orders["C0003"] = order
    fake.touch("C0003")
    assert ("order", "C0003") in ledger.pull(pretix).things


def test_an_answer_of_another_shape_is_told(fake: FakePretix, pretix: Pretix) -> None:
    del next(iter(fake.events.values()))["currency"]
    with pytest.raises(GiveUp, match="pretix-unexpected"):
        whole(pretix)


def test_the_address_may_be_pasted_from_the_shop() -> None:
    given = {"url": "https://pretix.eu/phare/saison/", "organizer": "phare", "token": "x"}
    assert PretixSettings.model_validate(given).url == "https://pretix.eu"
    for wrong in ({"url": "pretix.eu"}, {"organizer": "a/b"}, {"colour": "red"}):
        with pytest.raises(pydantic.ValidationError):
            PretixSettings.model_validate(given | wrong)


# --- what an order means ---


def test_a_plain_order(pretix: Pretix, fake: FakePretix) -> None:
    fake.orders["C0001"] |= {"customer": "ABC123", "phone": "+33261910001"}
    records = of(pretix, "C0001")
    bought = fake.orders["C0001"]["datetime"].astimezone(UTC)
    assert one(records, Person) == Person(
        id="C0001", email="public0@example.org", phone="+33261910001", first_name="Zoé", last_name="Le Goff 0", language="fr",
        postcode="29200", city="Brest", country="FR", customer="ABC123", seen=bought,
    )  # fmt: skip
    assert one(records, Order) == Order(
        id="C0001", person="C0001", at=bought, status="paid", paid=Money(Decimal("40.00"), "EUR"), tickets=2
    )
    visits = [record for record in records if isinstance(record, Visit)]
    assert [visit.id for visit in visits] == ["C0001/1", "C0001/2"]
    assert visits[0] == Visit(id="C0001/1", person="C0001", order="C0001", event="saison/2", product="saison/11")
    assert one(records, Consent).granted is False
    assert one(records, Consent).proof == "pretix C0001/1: NEWSLETTER = False"


def test_the_currency_is_the_events(pretix: Pretix) -> None:
    assert one(of(pretix, "C0004"), Order).paid == Money(Decimal("40.00"), "CAD")
    assert {record.event for record in of(pretix, "C0004") if isinstance(record, Visit)} == {"fete"}


def test_a_guest_with_an_address_is_a_person_of_their_own(pretix: Pretix) -> None:
    records = of(pretix, "C0002")
    people = {record.id: record for record in records if isinstance(record, Person)}
    assert people.keys() == {"C0002", "C0002/3"}
    assert people["C0002/3"].email == "ami2@example.org"
    assert [record.person for record in records if isinstance(record, Visit)] == ["C0002", "C0002", "C0002/3"]


def change(fake: FakePretix, how: str) -> None:  # noqa: C901, PLR0912  a table of what happens to orders
    order, place = fake.orders["C0001"], fake.orders["C0001"]["positions"][1]
    match how:
        case "partial refund":
            fake.refund("C0001", "15.00")
        case "refunded and cancelled":
            fake.refund("C0001", "40.00", cancel=True)
        case "partly kept and cancelled":
            fake.refund("C0001", "30.00", cancel=True)
        case "more given back than paid":
            fake.refund("C0001", "52.50", cancel=True)
        case "one place cancelled":
            place["canceled"] = True
        case "refund under way":
            order["refunds"] = [{"local_id": 1, "state": "transit", "amount": "40.00"}]
        case "pending":
            order |= {"status": "n", "payments": []}
        case "valid though not paid":
            order |= {"status": "n", "payments": [], "valid_if_pending": True}
        case "waits for approval":
            order |= {"status": "n", "payments": [], "valid_if_pending": True, "require_approval": True}
        case "expired":
            order |= {"status": "e", "payments": []}
        case "free":
            order |= {"payments": [], "total": "0.00"}
        case "failed payment":
            order["payments"].append({"local_id": 2, "state": "failed", "amount": "40.00"})
        case "a poster and an add-on":
            place["item"] = 13
            order["positions"].append({**place, "positionid": 3, "item": 11, "addon_to": 10})


@pytest.mark.parametrize(
    ("how", "status", "paid", "tickets", "visits"),
    [
        ("partial refund", "paid", "25.00", 2, ["booked", "booked"]),
        ("refunded and cancelled", "refunded", "0.00", 0, ["cancelled", "cancelled"]),
        ("partly kept and cancelled", "cancelled", "10.00", 0, ["cancelled", "cancelled"]),
        ("more given back than paid", "refunded", "-12.50", 0, ["cancelled", "cancelled"]),
        ("one place cancelled", "paid", "40.00", 1, ["booked", "cancelled"]),
        ("refund under way", "paid", "40.00", 2, ["booked", "booked"]),
        ("pending", "pending", "0", 2, ["pending", "pending"]),
        ("valid though not paid", "pending", "0", 2, ["booked", "booked"]),
        ("waits for approval", "pending", "0", 2, ["pending", "pending"]),
        ("expired", "cancelled", "0", 0, ["cancelled", "cancelled"]),
        ("free", "paid", "0", 2, ["booked", "booked"]),
        ("failed payment", "paid", "40.00", 2, ["booked", "booked"]),
        ("a poster and an add-on", "paid", "40.00", 1, ["booked"]),
    ],
)
def test_what_became_of_an_order(
    pretix: Pretix, fake: FakePretix, how: str, status: str, paid: str, tickets: int, visits: list[str]
) -> None:
    change(fake, how)
    records = of(pretix, "C0001")
    order = one(records, Order)
    assert (order.status, order.paid, order.tickets) == (status, Money(Decimal(paid), "EUR"), tickets)
    assert [record.status for record in records if isinstance(record, Visit)] == visits


def test_who_came(pretix: Pretix, fake: FakePretix) -> None:
    def came() -> list[bool | None]:
        return [record.attended for record in of(pretix, "C0001") if isinstance(record, Visit)]

    assert came() == [None, None]
    fake.check_in("C0001", 2)
    assert came() == [None, True]
    fake.orders["C0001"]["positions"][1]["checkins"][0]["type"] = "exit"
    assert came() == [None, None]
    fake.orders["C0001"]["positions"][1]["checkins"] = [{"type": "entry", "auto_checked_in": True}]
    assert came() == [None, None]


@pytest.mark.parametrize("named", ["don", "12", "Don (en)"])
def test_gifts_are_donations(fake: FakePretix, setting: Setting, named: str) -> None:
    fake.orders["C0001"]["positions"][1] |= {"item": 12, "price": "15.00"}
    source = Pretix(settings(fake, donations=[named]), setting)
    records = of(source, "C0001")
    order, gift = one(records, Order), one(records, Donation)
    assert (order.paid, order.tickets) == (Money(Decimal("25.00"), "EUR"), 1)
    assert (gift.id, gift.status, gift.paid) == ("C0001/2", "paid", Money(Decimal("15.00"), "EUR"))
    fake.orders["C0001"]["positions"][0] |= {"item": 12, "price": "25.00"}
    assert {type(record) for record in of(source, "C0001")} == {Person, Donation, Consent}
    source.close()


def test_test_orders_count_as_nothing(pretix: Pretix, fake: FakePretix) -> None:
    thing = whole(pretix).things["order", "C0001"]
    fake.orders["C0002"]["testmode"] = True
    assert ("order", "C0002") not in whole(pretix).things
    tested = replace_raw(thing.raw, b'"testmode":false', b'"testmode":true')
    assert pretix.records(type(thing)("order", "C0001", tested)) == []


def replace_raw(raw: bytes, old: bytes, new: bytes) -> bytes:
    assert old in raw
    return raw.replace(old, new)


def test_who_said_yes_once_said_yes(pretix: Pretix, fake: FakePretix) -> None:
    places = fake.orders["C0001"]["positions"]
    places[1]["answers"] = [{**places[0]["answers"][0], "answer": "True"}]
    consent = one(of(pretix, "C0001"), Consent)
    assert (consent.granted, consent.id, consent.person) == (True, "C0001/2", "C0001")


def test_a_buyer_who_only_named_the_guest(pretix: Pretix, fake: FakePretix) -> None:
    order = fake.orders["C0001"]
    order["invoice_address"] = None
    order["positions"][0] |= {"attendee_name_parts": {"_scheme": "full", "full_name": "Anne Roy"}, "attendee_name": "Anne Roy", "zipcode": "H2X 1Y4", "city": "Montréal", "state": "QC", "country": "CA"}  # fmt: skip
    person = one(of(pretix, "C0001"), Person)
    assert (person.name, person.postcode, person.region, person.country) == ("Anne Roy", "H2X 1Y4", "QC", "CA")
    order["positions"][1]["attendee_name"] = "Paul Roy"
    people = [record for record in of(pretix, "C0001") if isinstance(record, Person)]
    assert [(person.id, person.name) for person in people] == [
        ("C0001", None),
        ("C0001/1", "Anne Roy"),
        ("C0001/2", "Paul Roy"),
    ]


def test_a_sale_to_nobody_is_nobodys(pretix: Pretix, fake: FakePretix) -> None:
    fake.orders["C0001"] |= {"email": None, "invoice_address": None}
    thing = whole(pretix).things["order", "C0001"]
    with pytest.raises(Nobody, match="pretix-nobody"):
        pretix.records(thing)


def test_an_office_writes_for_its_people(pretix: Pretix, fake: FakePretix) -> None:
    fake.orders["C0001"]["invoice_address"]["company"] = "Lycée Kléber"
    assert one(of(pretix, "C0001"), Person).organisation == "Lycée Kléber"


@pytest.mark.parametrize("which", hostile.EMAILS)
def test_addresses_stay_as_they_were_typed(pretix: Pretix, fake: FakePretix, which: str) -> None:
    fake.orders["C0001"]["email"] = hostile.EMAILS[which]
    assert one(of(pretix, "C0001"), Person).email == hostile.EMAILS[which]


@pytest.mark.parametrize("which", hostile.TIMES)
def test_times_are_the_moment_they_were(pretix: Pretix, fake: FakePretix, which: str) -> None:
    when = hostile.TIMES[which]
    fake.dates[0]["date_from"] = when
    event = pretix.records(whole(pretix).things["event", "saison/1"])[0]
    assert isinstance(event, Event)
    assert event.starts == when.astimezone(UTC)


def test_dates_and_products_have_names_in_the_teams_language(
    pretix: Pretix, fake: FakePretix, setting: Setting
) -> None:
    fake.items["saison"][0]["variations"] = [{"id": 7, "value": {"fr": "Balcon"}}]
    ledger = whole(pretix)
    assert pretix.records(ledger.things["event", "saison"]) == []
    date = pretix.records(ledger.things["event", "saison/1"])[0]
    assert isinstance(date, Event)
    assert (date.name, date.genre) == ("Cyrano", "Théâtre")
    assert pretix.records(ledger.things["item", "saison/11"]) == [
        Product(id="saison/11", name="Plein tarif"),
        Product(id="saison/11/7", name="Plein tarif – Balcon"),
    ]
    english = Pretix(settings(fake), replace(setting, language="en"))
    named = english.records(ledger.things["item", "saison/11"])[0]
    assert isinstance(named, Product)
    assert named.name == "Plein tarif (en)"
    english.close()
