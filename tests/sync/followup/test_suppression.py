"""Addresses that are not written to, whoever brings them back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.records import Subscription
from connectors.source import Object, Page
from sync.followup import suppression, wishes
from sync.followup.consent import Purpose, hashed, right
from sync.followup.tables import suppression as suppression_table
from sync.followup.tokens import Meant
from sync.people.merge import resolve
from sync.pull import keep_the_no
from sync.store import Store
from sync.store.base import organisation
from sync.store.ledger import commit_page
from tests.sync.followup.theatre import NOW
from tests.sync.store.invented import records, someone, thing
from tests.thread.small import LINES, TODAY, Small

ZOE, AWA = hashed("zoe@example.org"), hashed("awa@example.org")


def add(store: Store, address: str, reason: str = "unsubscribed", at: datetime = NOW) -> None:
    with store.begin() as connection:
        suppression.add(connection, store.org, address, reason, at, "the page")


def among(store: Store, *addresses: str) -> dict[str, dict[str, datetime]]:
    with store.look() as connection:
        return suppression.among(connection, store.org, addresses)


def test_an_address_is_known_again_until_its_person_takes_it_back(store: Store) -> None:
    assert among(store, ZOE) == {}
    add(store, ZOE)
    add(store, ZOE, "bounced")
    add(store, ZOE, at=NOW + timedelta(days=9))
    assert among(store, ZOE, AWA) == {ZOE: {"unsubscribed": NOW, "bounced": NOW}}, "the first day counts"
    with store.begin() as connection:
        by = "« oui », au guichet"
        assert suppression.lift(connection, store.org, [ZOE, AWA], ["unsubscribed"], NOW, by) == 1
    assert among(store, ZOE) == {ZOE: {"bounced": NOW}}
    add(store, ZOE, at=NOW + timedelta(days=10))
    assert among(store, ZOE)[ZOE]["unsubscribed"] == NOW + timedelta(days=10)


def test_what_is_kept_is_no_address_and_no_plain_fingerprint_of_one(store: Store) -> None:
    add(store, ZOE)
    with store.look() as connection:
        (row,) = connection.execute(sa.select(suppression_table)).all()
        pepper = connection.scalar(sa.select(organisation.c.pepper))
    assert row.address_hash != ZOE
    assert "zoe" not in str(row)
    assert len(pepper or "") == 64


def test_a_reason_that_nobody_knows_is_not_taken(store: Store) -> None:
    with pytest.raises(ValueError, match="bored"):
        add(store, ZOE, "bored")


@pytest.mark.parametrize(
    ("reason", "marketing", "service"),
    [
        ("unsubscribed", "unsubscribed", None),
        ("complained", "complained", None),
        ("nothing-more", "unsubscribed", "nothing-more"),
        ("bounced", "bounced", "bounced"),
        ("erased", "erased", "erased"),
    ],
)
def test_what_a_suppressed_address_may_still_get(reason: str, marketing: str, service: str | None) -> None:
    person: dict[str, Any] = {"email": "zoe@example.org", "newsletter": "subscribed", "last_purchase": NOW.date()}
    person["suppressed"] = {reason: NOW}
    assert right(person, "marketing", "gdpr", NOW.date()).reason == marketing
    assert right(person, "service", "gdpr", NOW.date()).reason == service


@pytest.mark.parametrize(("purpose", "reason"), [("service", "nothing-more"), ("marketing", None)])
def test_who_wants_nothing_more_says_it_for_the_address(store: Store, purpose: Purpose, reason: str | None) -> None:
    """Also for somebody else there whom nobody wrote to yet."""

    def service() -> str | None:
        other = {"email": "zoe@example.org", "suppressed": among(store, ZOE).get(ZOE, {})}
        return right(other, "service", "casl", NOW.date()).reason

    meant = Meant(ZOE, purpose)
    with store.begin() as connection:
        wishes.refuse(connection, store.org, meant, NOW, "page", lambda _template: ("marketing", None))
        assert wishes.standing(connection, store.org, meant).refused
    assert service() == reason
    with store.begin() as connection:
        wishes.again(connection, store.org, meant, NOW)
        assert not wishes.standing(connection, store.org, meant).refused
    assert service() is None


def test_who_was_erased_and_buys_again_is_told_where_to_come() -> None:
    person = {"email": "zoe@example.org", "last_purchase": date(2026, 5, 1), "suppressed": {"erased": NOW}}
    assert right(person, "service", "gdpr", date(2026, 5, 2)).reason is None
    assert right(person, "marketing", "gdpr", date(2026, 5, 2)).reason == "erased"


def store_of(small: Small) -> Store:
    return Store.open(f"sqlite:///{small.folder}/filrouge.db", "theatre-du-phare", datetime.now(UTC))


@pytest.mark.parametrize("reason", ["erased", "bounced"])
def test_whoever_comes_back_with_an_old_export_stays_unwritten(small: Small, reason: str) -> None:
    small.run()
    store = store_of(small)
    add(store, hashed("Jeanne.Exemple@example.org"), reason)
    store.close()
    small.export(LINES[:2], name="ancien.csv")
    small.filrouge("approve", "perdus-de-vue")
    done = small.run()
    assert done.facts["mail"]["sent"] == 0
    assert done.facts["mail"]["held"] == {reason: 1}
    assert small.mails() == []


def test_a_no_under_one_address_is_a_no_under_all(small: Small) -> None:
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    old = [line.replace("jeanne.exemple@", "jeanne.avant@") + ";0612345678" for line in LINES[:1]]
    new = [line + ";0612345678" for line in LINES[1:2]]
    head = "Téléphone payeur"
    small.export((*old, *new))
    text = (small.folder / "exports/billets.csv").read_text("utf-8")
    first, _, rest = text.partition("\n")
    small.write("exports/billets.csv", f"{first};{head}\n{rest}")
    small.change("config.yaml", "country: CA", "country: FR")
    assert small.run().facts["people"]["total"] == 1
    small.filrouge("approve", "perdus-de-vue")
    used = small.row("Jeanne")["Courriel"]
    (other,) = {"jeanne.avant@example.org", "jeanne.exemple@example.org"} - {used}
    store = store_of(small)
    add(store, hashed(other), "bounced")
    add(store, hashed(other))
    store.close()
    assert small.run(today=TODAY).facts["mail"]["held"] == {"unsubscribed": 1}


def test_a_no_is_not_taken_back_by_deleting_the_entry(store: Store) -> None:
    """Who unsubscribed in a newsletter and is then deleted there does not become a customer to write to."""

    def member(status: str) -> Object:
        said = Subscription(id="s", person="A", list="news", status=status, at=NOW)  # type: ignore[arg-type]
        return thing("A", someone("A", "ada@x.org"), said, kind="member")

    def pull(*members: Object) -> None:
        page = Page(members, complete=("member",))
        commit_page(store, "letter", 1, NOW, page, records, 1, parting=partial(keep_the_no, NOW))
        resolve(store, 1, NOW)

    pull(member("subscribed"))
    pull()
    assert among(store, hashed("ada@x.org")) == {}  # a deleted yes is no no
    pull(member("unsubscribed"))
    pull()
    assert among(store, hashed("ADA@x.org")) == {hashed("ada@x.org"): {"unsubscribed": NOW}}
