"""Who may be written to: GDPR and CASL, day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.headerregistry import AddressHeader, HeaderRegistry
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.mailer import PLAIN, mailbox
from connectors.records import Consent
from sync.followup.consent import Law, Right, hashed, is_address, right

TODAY = date(2026, 3, 14)
YES = Consent(id="1", person="1", purpose="marketing", granted=True, at=datetime(2025, 1, 1, tzinfo=UTC), proof="form")
NO = Consent(id="2", person="1", purpose="marketing", granted=False, at=datetime(2025, 2, 1, tzinfo=UTC), proof="form")
UNDATED = Consent(id="3", person="1", purpose="marketing", granted=False, proof="note")


def may(law: Law = "gdpr", **facts: object) -> Right:
    return right({"email": "camille@example.org", **facts}, "marketing", law, TODAY)


@pytest.mark.parametrize(
    ("law", "field", "last_good", "too_old"),
    [
        ("gdpr", "last_purchase", date(2023, 3, 14), date(2023, 3, 13)),
        ("gdpr", "last_visit", date(2023, 3, 14), date(2023, 3, 13)),
        ("casl", "last_purchase", date(2024, 3, 14), date(2024, 3, 13)),
        ("casl", "last_visit", date(2024, 3, 14), date(2024, 3, 13)),
        ("casl-charity", "last_donation", date(2024, 3, 14), date(2024, 3, 13)),
        ("casl-charity", "last_visit", date(2024, 3, 14), date(2024, 3, 13)),
        ("casl", "membership_ends", date(2024, 3, 14), date(2024, 3, 13)),
        ("gdpr", "membership_ends", date(2023, 3, 14), date(2023, 3, 13)),
        ("casl", "last_inquiry", date(2025, 9, 14), date(2025, 9, 13)),
    ],
)
def test_customers_may_be_written_to_for_a_time(law: Law, field: str, last_good: date, too_old: date) -> None:
    assert may(law, **{field: last_good}).reason is None
    assert may(law, **{field: last_good}).until == TODAY
    assert may(law, **{field: too_old}).reason == "no-consent"


def test_the_longest_right_counts_and_says_by_what() -> None:
    found = may("casl-charity", last_purchase=date(2024, 6, 1), last_donation=date(2025, 1, 1), last_inquiry=TODAY)
    assert found == Right(basis="donor", until=date(2027, 1, 1))
    assert may("casl", membership_ends=date(2026, 12, 31)) == Right(basis="member", until=date(2028, 12, 31))
    assert may("casl", membership="Amis du Phare") == Right(basis="member"), "a membership without an end"


def test_a_right_that_is_over_says_since_when() -> None:
    assert may("casl", last_purchase=date(2020, 1, 5)) == Right("no-consent", until=date(2022, 1, 5))


def test_an_inquiry_is_no_purchase_under_gdpr() -> None:
    assert may(last_inquiry=TODAY).reason == "no-consent"


@pytest.mark.parametrize("law", ["gdpr", "casl"])
def test_a_gift_alone_is_no_purchase_but_for_a_registered_charity_in_canada(law: Law) -> None:
    assert may(law, last_donation=TODAY) == Right("no-consent")
    assert may("casl-charity", last_donation=TODAY).basis == "donor"


def test_the_newest_word_counts_and_a_no_without_a_date_is_a_no() -> None:
    assert may(consents=[YES]).basis == "consent"
    assert may(consents=[YES, NO], last_purchase=TODAY).reason == "said-no"
    later = {"purpose": "marketing", "granted": True, "at": datetime(2025, 3, 1, tzinfo=UTC)}
    assert may(consents=[NO, later]).basis == "consent"
    assert may(consents=[later, UNDATED]).reason == "said-no"


@pytest.mark.parametrize(
    "refusal", [{"newsletter": "unsubscribed"}, {"unsubscribed": True}, {"do_not_contact": True}, {"complained": True}]
)
def test_no_purchase_outweighs_a_no(refusal: dict[str, object]) -> None:
    facts: dict[str, Any] = {"last_purchase": TODAY, "consents": [YES], **refusal}
    assert may(**facts).reason is not None


def test_waiting_for_a_confirmation_is_no_consent() -> None:
    assert may(newsletter="pending").reason == "no-consent"


@pytest.mark.parametrize(
    "address",
    [
        "",
        None,
        "x",
        "x@",
        "@x.org",
        "a@b@c.org",
        "a b@c.org",
        "a@localhost",
        "Zoé <z@example.org>",
        "a@x.org\nBcc: b@x.org",
        7,
    ],
)
def test_what_is_no_address(address: object) -> None:
    assert not is_address(address)


@given(st.from_regex(PLAIN, fullmatch=True))
def test_what_is_plainly_an_address_is_one_by_the_whole_grammar(address: str) -> None:
    (found,) = cast("AddressHeader", HeaderRegistry()("To", address)).addresses
    assert mailbox(address) == found
    assert (found.display_name, f"{found.username}@{found.domain}") == ("", address)


def test_an_address_is_the_same_in_any_case() -> None:
    assert hashed("Zoe@Example.org ") == hashed("zoe@example.org")
    assert "zoe" not in hashed("zoe@example.org")
