"""What the DNS says of a sender's domain, and what would mend it: every record offered is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from connectors.mail.domain import Finding, SystemDns, look
from connectors.mail.mailer import Way
from connectors.trouble import TryLater
from tests.fakes.dns import dns_server

SIGNED = Way("mail.phare.example", ("filrouge._domainkey.phare.example", "v=DKIM1; k=rsa; p=MIIBKEY"))
DMARC = {"_dmarc.phare.example": ["v=DMARC1; p=none"]}
KEY = {"filrouge._domainkey.phare.example": ["v=DKIM1; k=rsa; p=MIIB KEY"]}
SPF = {"phare.example": ["google-site-verification=x", "v=spf1 mx ~all"]}
RIGHT = SPF | KEY | DMARC
OLD = {"old.example": ["v=spf1 ip4:192.0.2.2 -all"]}
GOOGLE = {
    "_spf.google.com": ["v=spf1 include:_netblocks.google.com ~all"],
    "_netblocks.google.com": ["v=spf1 ip4:192.0.2.1 ~all"],
}


@dataclass
class Records:
    records: dict[str, list[str]]
    asked: list[str] = field(default_factory=list)

    def txt(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self.records.get(name, ())


def found(records: dict[str, list[str]], way: Way = SIGNED, domain: str = "phare.example") -> list[Finding]:
    return look(Records(records), domain, way)


def codes(records: dict[str, list[str]], way: Way = SIGNED, domain: str = "phare.example") -> list[str]:
    return [one.code for one in found(records, way, domain)]


def without(*names: str) -> dict[str, list[str]]:
    return {name: texts for name, texts in RIGHT.items() if name not in names}


def test_a_domain_in_order_has_nothing_to_tell() -> None:
    assert found(RIGHT) == []


@pytest.mark.parametrize(
    ("records", "code"),
    [
        (without("phare.example"), "domain-spf-missing"),
        (RIGHT | {"phare.example": ["v=spf10 mx"]}, "domain-spf-missing"),
        (RIGHT | {"phare.example": ["v=spf1 mx ~all", "v=spf1 include:old.example -all"]}, "domain-spf-several"),
        (RIGHT | {"phare.example": ["v=spf1 mx include:_spf.gone.example ~all"]}, "domain-spf-dead"),
        (RIGHT | {"phare.example": ["v=spf1 mx REDIRECT=_spf.gone.example"]}, "domain-spf-dead"),
        (RIGHT | {"phare.example": ["V=SPF1 mx +all"]}, "domain-spf-open"),
        (RIGHT | {"phare.example": ["v=spf1 all"]}, "domain-spf-open"),
        (without("filrouge._domainkey.phare.example"), "domain-dkim-missing"),
        (RIGHT | {"filrouge._domainkey.phare.example": ["v=DKIM1; p="]}, "domain-dkim-differs"),
        (RIGHT | {"filrouge._domainkey.phare.example": ["k=rsa; p=OTHER"]}, "domain-dkim-differs"),
        (without("_dmarc.phare.example"), "domain-dmarc-missing"),
        (RIGHT | {"_dmarc.phare.example": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "domain-dmarc-several"),
        (RIGHT | {"_dmarc.phare.example": ["v=DMARC1; p=nope"]}, "domain-dmarc-wrong"),
        (RIGHT | {"_dmarc.phare.example": ["v=DMARC1"]}, "domain-dmarc-wrong"),
    ],
)
def test_what_is_wrong_is_found_and_the_record_offered_mends_it(records: dict[str, list[str]], code: str) -> None:
    (one,) = found(records)
    assert (one.level, one.code) == ("wrong", code)
    assert one.record is not None
    name, value = one.record
    assert found(records | {name: [value]} | OLD) == []


def test_several_records_become_one_that_allows_what_all_did() -> None:
    two = {
        "phare.example": ["v=spf1 ip4:192.0.2.7 include:_spf.google.com -all", "v=spf1 mx include:_spf.google.com -all"]
    }
    (one,) = found(RIGHT | GOOGLE | two, Way("smtp.gmail.com", SIGNED.dkim))
    assert one.record == ("phare.example", "v=spf1 ip4:192.0.2.7 include:_spf.google.com mx -all")


@pytest.mark.parametrize(
    ("host", "include"),
    [("smtp-relay.gmail.com", "_spf.google.com"), ("smtp.office365.com", "spf.protection.outlook.com"),
     ("ssl0.ovh.net", "mx.ovh.com"), ("pro1.mail.ovh.net", "mx.ovh.com")],
)  # fmt: skip
def test_the_service_that_carries_them_has_to_be_in_spf(host: str, include: str) -> None:
    way = Way(host, SIGNED.dkim)
    (one,) = found(RIGHT, way)
    assert (one.code, one.record) == ("domain-spf-carrier", ("phare.example", f"v=spf1 mx include:{include} ~all"))
    its = {include: ["v=spf1 ip4:192.0.2.1 ~all"]}
    assert found(RIGHT | its | {"phare.example": [f"v=spf1 mx include:{include} ~all"]}, way) == []
    inside = {
        "phare.example": ["v=spf1 redirect=all.phare.example"],
        "all.phare.example": [f"v=spf1 include:{include} ~all"],
    }
    assert found(RIGHT | its | inside, way) == []
    (missing,) = found(without("phare.example"), way)
    assert missing.record == ("phare.example", f"v=spf1 include:{include} ~all")


def test_a_service_that_refers_to_nothing_is_named() -> None:
    records = {
        "phare.example": ["v=spf1 include:mail.service.example include:%{i}.lists.example ~all"],
        "mail.service.example": ["v=spf1 include:_spf.gone.example ~all"],
    }
    (one,) = found(RIGHT | records)
    assert (one.code, one.record) == ("domain-spf-dead-inside", None)
    assert one.facts == {"found": "_spf.gone.example", "service": "mail.service.example"}


def test_brevo_writes_under_an_address_of_its_own_and_needs_no_spf() -> None:
    way = Way("smtp-relay.brevo.com")
    assert codes(DMARC, way) == ["domain-dkim-carrier"]
    for selector in ("brevo1", "brevo2", "mail"):
        assert codes(DMARC | {f"{selector}._domainkey.phare.example": ["k=rsa; p=KEY"]}, way) == []


def test_more_than_ten_lookups_are_counted_through_includes_and_circles() -> None:
    many = {f"s{n}.example": [f"v=spf1 a mx include:s{n + 1}.example ~all"] for n in range(4)}
    circle = {"s4.example": ["v=spf1 include:s0.example ~all"]}
    assert codes(RIGHT | many | circle | {"phare.example": ["v=spf1 include:s0.example ~all"]}) == [
        "domain-spf-lookups"
    ]
    assert codes(RIGHT | {"phare.example": [f"v=spf1 {'a ' * 10}~all"]}) == []
    assert codes(RIGHT | {"phare.example": [f"v=spf1 {'a ' * 11}~all"]}) == ["domain-spf-lookups"]
    assert codes(RIGHT | {"phare.example": [f"v=spf1 {'ip4:192.0.2.1 ' * 20}~all"]}) == []


def test_a_strict_policy_without_a_signature_is_told() -> None:
    strict = {"_dmarc.phare.example": ["v=DMARC1; p=quarantine"]}
    assert codes(RIGHT | strict) == []
    unsigned = {name: texts for name, texts in RIGHT.items() if "_domainkey" not in name}
    assert codes(unsigned | strict) == ["domain-dkim-missing", "domain-dmarc-strict"]


def test_a_subdomain_lives_by_the_policy_above_it() -> None:
    way = Way("mail.phare.example", ("filrouge._domainkey.lettre.phare.example", "v=DKIM1; k=rsa; p=KEY"))
    own = {"lettre.phare.example": ["v=spf1 mx ~all"]}
    assert (
        codes(own | {"filrouge._domainkey.lettre.phare.example": ["p=KEY"]} | DMARC, way, "lettre.phare.example") == []
    )
    above = {"_dmarc.phare.example": ["v=DMARC1; p=none; sp=reject"]}
    assert "domain-dmarc-strict" in codes(own | above, way, "lettre.phare.example")


def test_a_key_under_another_domain_signs_for_nobody() -> None:
    way = Way("mail.phare.example", ("filrouge._domainkey.autre.example", "v=DKIM1; k=rsa; p=KEY"))
    assert codes(RIGHT | {"filrouge._domainkey.autre.example": ["p=KEY"]}, way) == ["domain-dkim-other"]


def test_where_the_key_can_not_be_looked_up_it_is_said_and_nothing_is_claimed() -> None:
    (one,) = found(SPF | DMARC, Way("mail.phare.example"))
    assert (one.level, one.code) == ("note", "domain-dkim-unknown")


def test_a_private_persons_mailbox_is_nobody_elses_to_write_from() -> None:
    assert codes({}, Way("mail.phare.example"), "gmail.com") == ["domain-public"]
    assert codes({}, Way("smtp.gmail.com"), "gmail.com") == ["domain-public-own"]


# --- the resolver ----------------------------------------------------------------------------------------------------


def test_the_machines_resolver_is_asked_and_long_records_come_whole() -> None:
    long = "v=DKIM1; k=rsa; p=" + "A" * 392
    with dns_server({"a.example": [long, "x"], "empty.example": []}) as asked:
        dns = SystemDns()
        assert sorted(dns.txt("a.example")) == sorted([long, "x"])
        assert list(dns.txt("empty.example")) == list(dns.txt("none.example")) == []
        dns.txt("a.example")
        assert list(dns.txt(f"{'x' * 64}.example")) == []
    assert asked == ["a.example", "empty.example", "none.example"]


def test_a_dns_that_fails_is_no_answer() -> None:
    with dns_server({}, broken="a.example"), pytest.raises(TryLater) as down:
        SystemDns(1).txt("a.example")
    assert down.value.code == "dns-down"
