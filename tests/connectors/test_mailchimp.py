"""Mailchimp, against a server written from its reference (and held to its Swagger in `tests/real`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pydantic
import pytest

from connectors.records import Consent, Engagement, Person, Subscription
from connectors.source import Object, Setting
from connectors.sources import mailchimp
from connectors.sources.mailchimp import Mailchimp, MailchimpSettings
from connectors.trouble import FixFile, GiveUp, LogInAgain, SetAside, TryLater
from sync.messages import LANGUAGES, say
from tests.contracts import NOW, HttpSourceContract, Ledger, whole
from tests.fakes.mailchimp import KEY, LIST, SECRET, START, FakeMailchimp, hash_of

TEXT = {"type": "string"}
MEMBER = {
    "type": "object",
    "required": ["id", "email_address", "status", "merge_fields", "last_changed", "timestamp_opt", "tags"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "status": {"enum": ["subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"]},
        "merge_fields": {"type": "object"},
        "tags": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    }
    | dict.fromkeys(("email_address", "contact_id", "timestamp_signup", "timestamp_opt", "language", "source"), TEXT),
}


class TestMailchimpKeepsTheContract(HttpSourceContract):
    token = SECRET
    quiet_calls = 2
    api = "members"

    def world(self, folder: Path) -> FakeMailchimp:
        return FakeMailchimp()

    def source(self, world: FakeMailchimp, setting: Setting) -> Mailchimp:
        return Mailchimp(settings(world), setting)

    def touch(self, world: FakeMailchimp) -> None:
        world.edit(somebody(world), status="unsubscribed")

    def name_somebody(self, world: FakeMailchimp, name: str) -> None:
        world.add("nouvelle@example.org", "Anne", name)


def settings(world: FakeMailchimp, **more: Any) -> MailchimpSettings:
    return MailchimpSettings.model_validate({"key": KEY, "list": LIST, "endpoint": world.url, **more})


def somebody(world: FakeMailchimp, n: int = 77) -> str:
    return list(world.members)[n]


class Clock:
    at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> Iterator[FakeMailchimp]:
    with FakeMailchimp() as world:
        yield world


@pytest.fixture
def setting(tmp_path: Path, clock: Clock) -> Setting:
    return Setting("infolettre", tmp_path, now=clock, sleep=lambda _: None)


@pytest.fixture
def ours(world: FakeMailchimp, setting: Setting) -> Iterator[Mailchimp]:
    source = Mailchimp(settings(world), setting)
    yield source
    source.close()


def meaning(ours: Mailchimp, ledger: Ledger, id_: str, kind: str = "member") -> list[Any]:
    return list(ours.records(ledger.things[kind, id_]))


CHANGES: dict[str, Callable[[FakeMailchimp], object]] = {
    "an unsubscribe": lambda world: world.edit(somebody(world), status="unsubscribed"),
    "a tag": lambda world: world.edit(somebody(world), tags=[{"id": 1, "name": "mécène"}]),
    "a new member": lambda world: world.add("nouveau@example.org"),
    "a deletion for good": lambda world: world.members.pop(somebody(world)),
    "an opened e-mail": lambda world: world.act("c0ffee0002", somebody(world), "open", START + timedelta(days=10)),
    "a click": lambda world: world.act("c0ffee0002", somebody(world, 1), "click", START + timedelta(days=10)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_known_with_the_next_pull(ours: Mailchimp, world: FakeMailchimp, change: str) -> None:
    ledger = whole(ours)
    CHANGES[change](world)
    ledger.pull(ours)
    assert ledger.things == whole(ours).things
    assert len(ledger.changed) == 1
    assert ledger.pull(ours).changed == []


def test_a_changed_address_is_a_new_member_and_the_old_goes_within_a_day(
    ours: Mailchimp, world: FakeMailchimp, clock: Clock
) -> None:
    ledger, old = whole(ours), somebody(world)
    new = world.rename(old, "Autre@example.org")
    ledger.pull(ours)
    assert {("member", old), ("member", new)} <= set(ledger.things)
    clock.at += timedelta(hours=23)
    ledger.pull(ours)
    assert ("member", old) not in ledger.things
    assert meaning(ours, ledger, new)[0].id == hash_of("autre@example.org")


def test_a_small_change_asks_little(ours: Mailchimp, world: FakeMailchimp) -> None:
    for n, member in enumerate(world.members.values()):
        member["last_changed"] = (START + timedelta(hours=n)).isoformat()
    world._edits = 500 * 3600
    ledger, before = whole(ours), len(world.requests)
    world.edit(somebody(world), vip=True)
    ledger.pull(ours)
    assert len(world.requests) - before == 4  # who changed, the audience's name, the change, the reports


def test_more_in_one_second_than_on_a_page(ours: Mailchimp, world: FakeMailchimp) -> None:
    for member in world.members.values():
        member["last_changed"] = START.isoformat()
    ledger = whole(ours)
    assert {id_ for kind, id_ in ledger.things if kind == "member"} == set(world.members)


def test_who_changes_while_we_read_pushes_nobody_into_a_gap(ours: Mailchimp, world: FakeMailchimp) -> None:
    ledger, first = Ledger(), list(world.members)[:40]
    for number, page in enumerate(ours.pull(None)):
        ledger.apply(page)
        if number == 0:
            for hash_ in first:
                world.edit(hash_, vip=True)
    assert {id_ for kind, id_ in ledger.things if kind == "member"} == set(world.members)
    assert ledger.pull(ours).things == whole(ours).things


def test_nobody_is_gone_when_the_numbers_moved_meanwhile(ours: Mailchimp, world: FakeMailchimp) -> None:
    for number, page in enumerate(ours.pull(None)):
        if number == 0:
            world.members.pop(somebody(world, 0))
        assert "member" not in page.complete


def test_opens_and_clicks(ours: Mailchimp, world: FakeMailchimp) -> None:
    hash_, at = somebody(world, 3), START + timedelta(days=10)
    world.act("c0ffee0002", hash_, "click", at)
    world.act("c0ffee0002", hash_, "click", at)
    world.act("c0ffee0002", hash_, "bounce", at)
    opened, *clicked = meaning(ours, whole(ours), f"c0ffee0002/{hash_}", "activity")
    assert (opened.action, opened.person, opened.at) == ("opened", hash_, START + timedelta(days=9, hours=1))
    assert [(act.action, act.at, act.count) for act in clicked] == [("clicked", at, 1)] * 2
    assert len({act.id for act in clicked}) == 2


def test_an_old_campaign_is_read_once(ours: Mailchimp, world: FakeMailchimp, clock: Clock) -> None:
    ledger = whole(ours)
    clock.at += timedelta(days=60)
    world.act("c0ffee0002", somebody(world), "open", START + timedelta(days=50))
    ledger.pull(ours)
    assert ("activity", f"c0ffee0002/{somebody(world)}") not in ledger.things


def test_many_campaigns_are_caught_up_with_run_by_run(ours: Mailchimp, world: FakeMailchimp) -> None:
    for n in range(45):
        world.send(f"d{n:03d}", START - timedelta(days=n))
        world.act(f"d{n:03d}", somebody(world), "open", START)
    ledger = whole(ours)
    seen = [len({id_.partition("/")[0] for kind, id_ in ledger.pull(ours).things if kind == "activity"}) for _ in "123"]
    assert seen == [40, 47, 47]


def test_campaigns_to_other_audiences_are_not_ours(ours: Mailchimp, world: FakeMailchimp) -> None:
    world.send("0ther", START, list_="zzz")
    world.act("0ther", somebody(world), "open", START)
    assert not [id_ for _, id_ in whole(ours).things if id_.startswith("0ther")]


def test_engagement_can_be_switched_off_and_goes_away(ours: Mailchimp, world: FakeMailchimp, setting: Setting) -> None:
    ledger, without = whole(ours), Mailchimp(settings(world, engagement="no"), setting)
    before = len(world.requests)
    ledger.pull(without)
    assert not [kind for kind, _ in ledger.things if kind == "activity"]
    assert not [request for request in world.requests[before:] if "reports" in request.path]
    without.close()


def test_nothing_more_is_kept_than_is_read(ours: Mailchimp) -> None:
    raws = b" ".join(thing.raw for thing in whole(ours).things.values())
    for private in (b"192.0.2.7", b"not ours", b"https://phare.example", b"interests"):
        assert private not in raws


def test_a_member_in_full(ours: Mailchimp, world: FakeMailchimp) -> None:
    merge = {
        "FNAME": "Léa",
        "LNAME": "Tremblay",
        "PHONE": "418 555-0101",
        "BIRTHDAY": "03/21",
        "COMPANY": "École du Port",
    }
    address = {"addr1": "12, rue du Phare", "city": "Québec", "state": "QC", "zip": "G1R 1A1", "country": "CA"}
    tags = [{"id": 1, "name": "abonné 2026"}]
    more: dict[str, Any] = {"merge_fields": merge | {"ADDRESS": address}, "vip": True, "tags": tags, "contact_id": "k1"}
    hash_ = world.add("Lea.Tremblay@Example.org", **more)
    person, stands, consent = meaning(ours, whole(ours), hash_)
    at = person.seen
    assert person == Person(
        id=hash_of("lea.tremblay@example.org"), email="Lea.Tremblay@Example.org", phone="418 555-0101",
        first_name="Léa", last_name="Tremblay", language="fr", postcode="G1R 1A1", city="Québec", region="QC",
        country="CA", organisation="École du Port", customer="k1", tags=("abonné 2026", "VIP"), seen=at,
    )  # fmt: skip
    assert stands == Subscription(id=hash_, person=hash_, list="Amis du Phare", status="subscribed", at=at)
    assert (consent.granted, consent.at, consent.proof) == (True, at, "Mailchimp: Amis du Phare, API - Generic")


@pytest.mark.parametrize(
    ("status", "stands", "granted"),
    [
        ("subscribed", "subscribed", [True]),
        ("unsubscribed", "unsubscribed", [False]),
        ("cleaned", "bounced", []),
        ("pending", "pending", []),
        ("transactional", "none", []),
        ("archived", "none", []),
    ],
)
def test_every_status(ours: Mailchimp, world: FakeMailchimp, status: str, stands: str, granted: list[bool]) -> None:
    hash_ = world.add("x@example.org", status=status)
    records = meaning(ours, whole(ours), hash_)
    assert [record.status for record in records if isinstance(record, Subscription)] == [stands]
    assert [record.granted for record in records if isinstance(record, Consent)] == granted


@pytest.mark.parametrize(("ticked", "granted"), [(True, [True]), (False, [])])
def test_a_permission_that_was_not_ticked_is_no_consent(
    ours: Mailchimp, world: FakeMailchimp, ticked: object, granted: list[bool]
) -> None:
    asked = [{"marketing_permission_id": "p1", "text": "E-mail", "enabled": ticked}]
    hash_ = world.add("x@example.org", marketing_permissions=asked)
    records = meaning(ours, whole(ours), hash_)
    assert [record.granted for record in records if isinstance(record, Consent)] == granted


def test_empty_times_and_whole_birthdays(ours: Mailchimp, world: FakeMailchimp) -> None:
    hash_ = world.add("x@example.org", timestamp_opt="", merge_fields={"BIRTHDAY": "1980-03-21", "FNAME": ""})
    person, stands, _ = meaning(ours, whole(ours), hash_)
    assert (str(person.birthday), person.first_name, stands.at) == ("1980-03-21", None, None)


def test_an_overloaded_mailchimp_is_no_bad_key(ours: Mailchimp, world: FakeMailchimp) -> None:
    expected = whole(ours)
    page = {"Content-Type": "text/html"}
    world.fail(path="members", status=403, times=2, headers=page, body=b"<html>")
    assert whole(ours).things == expected.things
    world.fail(path="members", status=403, times=99, headers=page, body=b"")
    with pytest.raises(TryLater) as trouble:
        whole(ours)
    assert trouble.value.code == "service-busy"


def test_a_key_that_may_not_read_this(ours: Mailchimp, world: FakeMailchimp) -> None:
    world.fail(status=403, headers={"Content-Type": "application/problem+json"})
    with pytest.raises(LogInAgain):
        ours.check()


def test_an_audience_that_is_not_there(world: FakeMailchimp, setting: Setting) -> None:
    ours = Mailchimp(settings(world, list="ffffff"), setting)
    for act in (ours.check, lambda: list(ours.pull(None))):
        with pytest.raises(FixFile) as trouble:
            act()
        assert trouble.value.facts == {"list": "ffffff", "known": f"{LIST} (Amis du Phare)"}
    ours.close()


def test_another_audience_begins_anew(ours: Mailchimp, world: FakeMailchimp) -> None:
    ledger = whole(ours)
    assert ledger.cursor
    ledger.cursor = ledger.cursor.replace(LIST, "9999999999")
    assert ledger.pull(ours).things == whole(ours).things


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"members": 3, "total_items": 1}', b'{"total_items": "x"}'])
def test_an_answer_of_another_shape(ours: Mailchimp, world: FakeMailchimp, body: bytes) -> None:
    world.fail(path="members", status=200, body=body)
    with pytest.raises(GiveUp):
        list(ours.pull(None))


def test_a_member_without_an_id_is_set_aside_and_the_rest_goes_on(ours: Mailchimp, world: FakeMailchimp) -> None:
    one = {"members": [{"email_address": "x@example.org"}, {"id": "d" * 32}], "total_items": 2}
    world.fail(path="members", skip=1, status=200, body=msgspec.json.encode(one))
    ledger = whole(ours)
    assert [broken.code for broken in ledger.broken.values()] == ["mailchimp-unreadable"]
    assert ("member", "d" * 32) in ledger.things


def test_an_unreadable_member_says_where(ours: Mailchimp) -> None:
    with pytest.raises(SetAside) as trouble:
        ours.records(Object("member", "x", b'{"id": "x", "status": "sulking"}'))
    assert trouble.value.facts == {"detail": "Invalid enum value 'sulking' - at `$.status`"}


@pytest.mark.parametrize(
    "key", ["abc", "0123456789abcdef", "0123456789abcdef-", "-us19", "0123-us19/../evil", "012 3-us19"]
)
def test_a_key_without_its_data_centre(key: str) -> None:
    with pytest.raises(pydantic.ValidationError) as fault:
        MailchimpSettings.model_validate({"key": key, "list": LIST})
    assert [error["type"] for error in fault.value.errors()] == ["mailchimp-key"]
    for language in LANGUAGES:
        assert say(language, "mailchimp-key")


def test_the_key_says_which_data_centre() -> None:
    assert MailchimpSettings.model_validate({"key": KEY, "list": LIST}).base == "https://us19.api.mailchimp.com/3.0"


def test_the_fake_answers_as_the_reference_says(world: FakeMailchimp, ours: Mailchimp) -> None:
    listed = ours._client.get(f"lists/{LIST}/members", {"count": 50}).json()
    assert listed["total_items"] == 130
    for member in listed["members"]:
        jsonschema.validate(member, MEMBER)


def test_what_everybody_did(ours: Mailchimp) -> None:
    acts = [r for found in whole(ours).records(ours).values() for r in found if isinstance(r, Engagement)]
    assert len(acts) == 140
    assert mailchimp.CAMPAIGNS_A_RUN == 20
