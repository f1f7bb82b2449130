"""Ghost, against a server that behaves as Ghost 6.65 was seen to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest

from connectors.records import Consent, Engagement, Person, Subscription
from connectors.source import Object, Setting
from connectors.sources.ghost import Ghost, GhostSettings
from connectors.trouble import FixFile, GiveUp, LogInAgain, SetAside
from sync.messages import LANGUAGES, say
from tests.contracts import NOW, HttpSourceContract, Ledger, whole
from tests.fakes.ghost import ADMIN, KEY, LETTRE, RENDEZ_VOUS, SECRET, FakeGhost


class TestGhostKeepsTheContract(HttpSourceContract):
    token = SECRET
    quiet_calls = 3
    api = "members/"

    def world(self, folder: Path) -> FakeGhost:
        return FakeGhost(now=lambda: NOW)

    def source(self, world: FakeGhost, setting: Setting) -> Ghost:
        return Ghost(settings(world), setting)

    def touch(self, world: FakeGhost) -> None:
        world.receive(somebody(world))

    def name_somebody(self, world: FakeGhost, name: str) -> None:
        world.add("nouvelle@example.org", name)


def settings(world: FakeGhost, **more: Any) -> GhostSettings:
    return GhostSettings.model_validate({"url": world.url, "key": KEY, **more})


def somebody(world: FakeGhost, n: int = 123) -> str:
    return list(world.members)[n]


class Clock:
    """The time on our side."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Iterator[FakeGhost]:
    with FakeGhost(now=clock) as world:
        yield world


@pytest.fixture
def setting(tmp_path: Path, clock: Clock) -> Setting:
    return Setting("infolettre", tmp_path, now=clock, sleep=lambda _: None)


@pytest.fixture
def ours(world: FakeGhost, setting: Setting) -> Iterator[Ghost]:
    source = Ghost(settings(world), setting)
    yield source
    source.close()


def meaning(ours: Ghost, ledger: Ledger, id_: str) -> list[Any]:
    return list(ours.records(ledger.things["member", id_]))


def replace_somebody(world: FakeGhost) -> None:
    world.delete(somebody(world))
    world.add("n@example.org")


CHANGES: dict[str, Callable[[FakeGhost], object]] = {
    "an unsubscribe": lambda world: world.receive(somebody(world)),
    "one newsletter more": lambda world: world.receive(somebody(world), LETTRE, RENDEZ_VOUS),
    "a new label": lambda world: world.label(somebody(world), "mécène"),
    "a label taken away": lambda world: world.label(somebody(world)),
    "a corrected name": lambda world: world.edit(somebody(world), name="Léa Tremblay"),
    "a new address": lambda world: world.edit(somebody(world), email="autre@example.org"),
    "a new member": lambda world: world.add("nouveau@example.org"),
    "the same address in capitals": lambda world: world.add("PERSONNE001@example.org"),
    "a deletion": lambda world: world.delete(somebody(world)),
    "a deletion and a new member": replace_somebody,
    "an opened e-mail": lambda world: world.mail(somebody(world), opened=True),
    "a bounce": lambda world: world.mail(somebody(world), failed=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_known_with_the_next_pull(ours: Ghost, world: FakeGhost, change: str) -> None:
    ledger = whole(ours)
    CHANGES[change](world)
    ledger.pull(ours)
    assert ledger.things == whole(ours).things
    assert len(ledger.changed) in (1, 2)
    assert ledger.pull(ours).changed == []


def test_what_the_questions_cannot_see_is_known_within_a_day(ours: Ghost, world: FakeGhost, clock: Clock) -> None:
    world.label(somebody(world, 1), "mécène")
    ledger = whole(ours)
    world.label(somebody(world, 1), "abonné")
    world.label(somebody(world, 2), "mécène")
    assert ledger.pull(ours).changed == []
    clock.at += timedelta(hours=23)
    assert len(ledger.pull(ours).changed) == 2


def test_a_clock_set_back_reads_everybody(ours: Ghost, world: FakeGhost, clock: Clock) -> None:
    ledger = whole(ours)
    before = len(world.requests)
    clock.at -= timedelta(days=400)
    ledger.pull(ours)
    assert len(world.requests) - before > 3


def test_an_edit_in_this_very_second_is_looked_at_again(ours: Ghost, world: FakeGhost) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    ledger = whole(ours)
    world.members[somebody(world)]["updated_at"] = now
    ledger.pull(ours)
    world.members[somebody(world)]["name"] = "Same second"
    assert len(ledger.pull(ours).changed) == 1


def test_members_deleted_while_we_read_take_nobody_along(ours: Ghost, world: FakeGhost) -> None:
    ledger, first = Ledger(), list(world.members)[:30]
    for page in ours.pull(None):
        ledger.apply(page)
        for id_ in first:
            if id_ in world.members and len(ledger.things) > 100:
                world.delete(id_)
        assert not page.complete or page.complete == ("newsletter",)
    assert set(world.members) <= {id_ for kind, id_ in ledger.things if kind == "member"}
    ledger.pull(ours)
    assert set(world.members) == {id_ for kind, id_ in ledger.things if kind == "member"}


def test_more_than_a_page_is_never_asked_for(ours: Ghost, world: FakeGhost) -> None:
    whole(ours)
    assert {request.one("limit") for request in world.requests} <= {"1", "100"}


def test_nothing_that_acts_in_a_members_name_is_kept(ours: Ghost) -> None:
    raws = b" ".join(thing.raw for thing in whole(ours).things.values())
    for secret in (b"unsubscribe_url", b"secret-of-", b"uuid", b"private note"):
        assert secret not in raws


def test_a_member_in_full(ours: Ghost, world: FakeGhost) -> None:
    id_ = world.add("Lea.Tremblay@Example.org", "Léa Tremblay", labels=["mécène", "presse"])
    world.mail(id_, opened=True)
    world.mail(id_)
    person, lettre, other, consent, sent, opened = meaning(ours, whole(ours), id_)
    assert (person.id, person.customer, person.email) == (id_, id_, "Lea.Tremblay@Example.org")
    assert (person.name, person.tags) == ("Léa Tremblay", ("mécène", "presse"))
    assert (lettre.list, lettre.status) == ("La lettre", "subscribed")
    assert (other.list, other.status) == ("Les rendez-vous", "none")
    assert (consent.granted, consent.purpose, consent.proof) == (True, "marketing", "Ghost: newsletter La lettre")
    assert (sent.action, sent.count, sent.at) == ("sent", 2, None)
    assert (opened.action, opened.count) == ("opened", 1)
    assert opened.at is not None


def test_who_unsubscribed(ours: Ghost, world: FakeGhost) -> None:
    world.receive(id_ := somebody(world))
    records = meaning(ours, whole(ours), id_)
    assert {record.status for record in records if isinstance(record, Subscription)} == {"unsubscribed"}
    assert [record.granted for record in records if isinstance(record, Consent)] == [False]


@pytest.mark.parametrize(
    ("reason", "status", "granted"),
    [("fail", "bounced", True), ("bounce", "bounced", True), ("spam", "unsubscribed", False)],
)
def test_an_address_that_ghost_no_longer_writes_to(
    ours: Ghost, world: FakeGhost, reason: str, status: str, granted: object
) -> None:
    world.mail(id_ := somebody(world), failed=True)
    world.members[id_]["email_suppression"]["info"]["reason"] = reason
    _, lettre, _, consent = meaning(ours, whole(ours), id_)
    assert (lettre.status, consent.granted) == (status, granted)
    assert lettre.at is not None


def test_one_address_in_two_letter_cases_is_two_members(ours: Ghost, world: FakeGhost) -> None:
    ids = [world.add("lea@example.org", "Léa"), world.add("LEA@example.org", "Léa T.")]
    ledger = whole(ours)
    assert [meaning(ours, ledger, id_)[0].email for id_ in ids] == ["lea@example.org", "LEA@example.org"]


def test_only_the_newsletters_asked_for(world: FakeGhost, setting: Setting) -> None:
    ours = Ghost(settings(world, newsletters=["les-rendez-vous"]), setting)
    records = meaning(ours, whole(ours), somebody(world))
    assert [(r.list, r.status) for r in records if isinstance(r, Subscription)] == [("Les rendez-vous", "none")]
    assert not [r for r in records if isinstance(r, Consent)], "who reads another newsletter said neither yes nor no"
    ours.close()


def test_changed_settings_read_everybody_again(world: FakeGhost, setting: Setting) -> None:
    ours, later = Ghost(settings(world), setting), Ghost(settings(world, engagement="no"), setting)
    world.mail(id_ := somebody(world), opened=True)
    ledger = whole(ours)
    assert [r for r in meaning(ours, ledger, id_) if isinstance(r, Engagement)]
    ledger.pull(later)
    assert not [r for r in meaning(ours, ledger, id_) if isinstance(r, Engagement)]
    assert b"opened" not in ledger.things["member", id_].raw
    ours.close()
    later.close()


def test_a_newsletter_that_is_not_there(world: FakeGhost, setting: Setting) -> None:
    ours = Ghost(settings(world, newsletters=["la-letre"]), setting)
    with pytest.raises(FixFile) as trouble:
        list(ours.pull(None))
    assert trouble.value.facts == {"missing": "la-letre", "known": "la-lettre, les-rendez-vous"}
    ours.close()


@pytest.mark.parametrize("hours", [-30, -1, 0, 1, 30])
def test_a_wrong_clock_on_our_side_is_put_up_with(world: FakeGhost, tmp_path: Path, hours: int) -> None:
    world.now = lambda: datetime.now(UTC)
    skewed = Setting("ours", tmp_path, now=lambda: datetime.now(UTC) + timedelta(hours=hours), sleep=lambda _: None)
    ours = Ghost(settings(world), skewed)
    assert len(whole(ours).things) == 252
    remarks = dict(ours.check().remarks)
    assert ("clock-wrong" in remarks) == (hours < 0)
    ours.close()


def test_a_run_longer_than_a_token(ours: Ghost, clock: Clock) -> None:
    for _ in ours.pull(None):
        clock.at += timedelta(minutes=10)


def test_another_sites_key_is_refused(world: FakeGhost, setting: Setting) -> None:
    ours = Ghost(settings(world, key=f"{'a' * 24}:{'b' * 64}"), setting)
    with pytest.raises(LogInAgain):
        ours.check()
    ours.close()


def test_a_site_that_is_no_ghost(world: FakeGhost, ours: Ghost) -> None:
    world.fail(path=f"{ADMIN}site/", status=404)
    with pytest.raises(FixFile) as trouble:
        ours.check()
    assert trouble.value.code == "ghost-not-here"


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"members": 3, "meta": {}}', b'{"meta": {"pagination": {}}}'])
def test_an_answer_of_another_shape(world: FakeGhost, ours: Ghost, body: bytes) -> None:
    world.fail(path="members/", status=200, body=body)
    with pytest.raises(GiveUp):
        list(ours.pull(None))


def test_a_list_that_goes_in_circles_is_left(world: FakeGhost, ours: Ghost) -> None:
    first = {"members": [{"id": "c" * 24}], "meta": {"pagination": {"total": 9, "next": 2}}}
    world.fail(path="members/", skip=2, times=99, status=200, body=msgspec.json.encode(first))
    with pytest.raises(GiveUp):
        list(ours.pull(None))


def test_a_member_without_an_id_is_set_aside_and_the_rest_goes_on(world: FakeGhost, ours: Ghost) -> None:
    world.members[somebody(world)]["id"] = None
    world.members = {id_: member for id_, member in world.members.items() if member["id"]}
    one = {"members": [{"email": "x@example.org"}, *[{"id": "d" * 24}]], "meta": {"pagination": {"total": 1}}}
    world.fail(path="members/", skip=2, status=200, body=msgspec.json.encode(one))
    ledger = whole(ours)
    assert [broken.code for broken in ledger.broken.values()] == ["ghost-unreadable"]
    assert ("member", "d" * 24) in ledger.things


def test_an_unreadable_member_says_where(ours: Ghost) -> None:
    with pytest.raises(SetAside) as trouble:
        ours.records(Object("member", "x", b'{"id": "x", "email": 3}'))
    assert trouble.value.facts == {"detail": "Expected `str | null`, got `int` - at `$.email`"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://phare.example", "https://phare.example"),
        (" https://phare.example/ ", "https://phare.example"),
        ("https://phare.example/ghost/#/members", "https://phare.example"),
        ("https://phare.example/journal/ghost", "https://phare.example/journal"),
        ("http://127.0.0.1:2368/", "http://127.0.0.1:2368"),
    ],
)
def test_the_address_as_people_copy_it(written: str, meant: str) -> None:
    assert GhostSettings.model_validate({"url": written, "key": KEY}).url == meant
    assert GhostSettings.model_validate({"endpoint": written, "key": KEY}).url == meant


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"url": "phare.example"}, "ghost-url"),
        ({"url": "ftp://phare.example"}, "ghost-url"),
        ({"key": "5f5f5f5f"}, "ghost-key"),
        ({"key": f"{'a' * 24}:nothex"}, "ghost-key"),
        ({"key": "a" * 26}, "ghost-key"),
    ],
)
def test_wrong_settings_say_where_to_find_the_right_ones(values: dict[str, str], code: str) -> None:
    with pytest.raises(pydantic.ValidationError) as fault:
        GhostSettings.model_validate({"url": "https://phare.example", "key": KEY, **values})
    (error,) = fault.value.errors()
    assert error["type"] == code
    for language in LANGUAGES:
        assert say(language, code, found="x")


def test_the_persons_of_everybody(ours: Ghost, world: FakeGhost) -> None:
    people = [r for records in whole(ours).records(ours).values() for r in records if isinstance(r, Person)]
    assert {person.id: person.email for person in people} == {m["id"]: m["email"] for m in world.members.values()}
