"""A real Ghost: after every kind of change, what was applied pull by pull is what a whole new pull gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.records import Consent, Person, Subscription
from connectors.source import Setting
from connectors.sources.ghost import Ghost, GhostSettings
from connectors.trouble import LogInAgain
from tests.contracts import whole
from tests.real.ghost.bootstrap import Admin, bootstrap
from tests.real.ghost.start import running
from tests.real.kept import Kept

pytestmark = pytest.mark.real
MEMBERS = 250
SETTLED = 3.1  # seconds after which an edit is no longer looked at again, see `Ghost._settled`


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    with running(tmp_path_factory.mktemp("ghost")) as url:
        yield bootstrap(url, MEMBERS)


@pytest.fixture
def ours(admin: Admin, tmp_path: Path) -> Iterator[Ghost]:
    settings = GhostSettings.model_validate({"url": admin.url, "key": admin.key})
    source = Ghost(settings, Setting("infolettre", tmp_path, now=lambda: datetime.now(UTC)))
    yield source
    source.close()


def user(admin: Admin, n: int) -> str:
    return str(admin.member(f"user{n:03d}@example.org")["id"])


CHANGES: dict[str, Callable[[Admin], object]] = {
    "unsubscribed": lambda admin: admin.edit(user(admin, 11), newsletters=[]),
    "left one of two": lambda admin: admin.edit(
        user(admin, 12), newsletters=[{"id": admin.member("user012@example.org")["newsletters"][0]["id"]}]
    ),
    "relabelled": lambda admin: admin.edit(user(admin, 13), labels=[{"name": "mécène"}]),
    "label taken away": lambda admin: admin.edit(user(admin, 14), labels=[]),
    "renamed": lambda admin: admin.edit(user(admin, 15), name="Éloïse Œuvrard"),
    "a new address": lambda admin: admin.edit(user(admin, 16), email="nouvelle@example.org"),
    "deleted": lambda admin: admin.delete(user(admin, 17)),
    "the same address in capitals": lambda admin: admin.add(email="USER018@example.org", name="Personne 18"),
    "subscribed again": lambda admin: admin.edit(
        user(admin, 11), newsletters=[{"id": n["id"]} for n in admin.member("user012@example.org")["newsletters"]]
    ),
    "unsubscribed by the link in a mail": lambda admin: one_click(admin, 19),
}


def one_click(admin: Admin, n: int) -> None:
    """What a mail program does with the `List-Unsubscribe` header (RFC 8058)."""
    link = admin.member(f"user{n:03d}@example.org")["unsubscribe_url"]
    httpx.post(link, data={"List-Unsubscribe": "One-Click"}).raise_for_status()


def test_every_change_is_known_with_the_next_pull(ours: Ghost, admin: Admin, tmp_path: Path) -> None:
    time.sleep(SETTLED)
    ledger = Kept.open(tmp_path, "Europe/Paris", datetime.now(UTC)).pull(ours)
    assert len([key for key in ledger.things if key[0] == "member"]) == MEMBERS
    for name, change in CHANGES.items():
        before = ours._client.calls
        assert ledger.pull(ours).changed == [], f"before {name}"
        assert ours._client.calls - before == 3, "a quiet pull asks three questions"
        change(admin)
        ledger.pull(ours)
        assert ledger.things == whole(ours).things, name
        assert len(ledger.changed) == 1, name
        the_store_agrees(ledger, admin, name)
        time.sleep(SETTLED)
        ledger.pull(ours)
    ledger.store.close()


def the_store_agrees(ledger: Kept, admin: Admin, name: str) -> None:
    """Everybody Ghost lists is one person for each address, with the newsletter's state; who was deleted is nobody."""
    states: dict[str, set[str]] = {}
    for member in admin.everybody():
        state = "subscribed" if member["newsletters"] else "unsubscribed"
        states.setdefault(member["email"].lower(), set()).add(state)
    kept = [(str(row["email"]).lower(), {row["newsletter"]}) for row in ledger.profiles().values()]
    assert len(kept) == len(states), name
    assert dict(kept) == states, name


def test_the_records_say_what_ghost_says(ours: Ghost, admin: Admin) -> None:
    ledger = whole(ours)
    records = [record for found in ledger.records(ours).values() for record in found]
    people = {record.id: record for record in records if isinstance(record, Person)}
    no = {record.person for record in records if isinstance(record, Consent) and not record.granted}
    receiving = {r.person for r in records if isinstance(r, Subscription) and r.status == "subscribed"}
    assert people[admin.member("USER018@example.org")["id"]].name == "Personne 18"
    assert people[admin.member("user013@example.org")["id"]].tags == ("mécène",)
    assert admin.member("user019@example.org")["id"] in no
    assert receiving | no == set(people)
    assert not receiving & no


def test_the_account_is_named(ours: Ghost) -> None:
    account = ours.check()
    assert account.name == "Théâtre du Phare"
    assert [code for code, _ in account.remarks] == ["ghost-found"]


@pytest.mark.parametrize("hours", [-2, 48])
def test_a_clock_that_is_wrong_here(admin: Admin, tmp_path: Path, hours: int) -> None:
    wrong = Setting("ours", tmp_path, now=lambda: datetime.now(UTC) + timedelta(hours=hours))
    ours = Ghost(GhostSettings.model_validate({"url": admin.url, "key": admin.key}), wrong)
    assert ours.check().name == "Théâtre du Phare"
    ours.close()


def test_a_wrong_key(admin: Admin, tmp_path: Path) -> None:
    key = f"{admin.key.partition(':')[0]}:{'ab' * 32}"
    ours = Ghost(GhostSettings.model_validate({"url": admin.url, "key": key}), Setting("ours", tmp_path))
    with pytest.raises(LogInAgain):
        ours.check()
    ours.close()
