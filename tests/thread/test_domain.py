"""`check --online` on the sender's domain: what is missing, in words and records to pass on."""

from __future__ import annotations

from tests.fakes.dns import dns_server
from tests.fakes.smtp import Post, server
from tests.thread.small import Small

FOLDER = '{type: folder, folder: outbox/, from: "Théâtre du Phare <bonjour@example.org>"}'
SENDER = "Théâtre du Phare <bonjour@phare.example>"


def sending_by_smtp(small: Small, port: int) -> None:
    small.change(
        "config.yaml", FOLDER, f'{{type: smtp, host: localhost, port: {port}, security: none, from: "{SENDER}"}}'
    )


def test_what_is_missing_is_told_with_the_record_to_add(small: Small) -> None:
    with server(Post()) as port, dns_server({"phare.example": ["v=spf1 mx ~all"]}):
        sending_by_smtp(small, port)
        done = small.filrouge("check", "--online", "--json")
        said = small.filrouge("check", "--online").said
    assert done.code == 0
    assert done.facts["accounts"]["@phare.example"]["state"] == "wrong"
    assert done.facts["accounts"]["mail"]["state"] == "ok"
    assert "_dmarc.phare.example" in said
    assert "v=DMARC1; p=none" in said
    assert "localhost" in said
    assert "! @phare.example" in said


def test_a_domain_in_order_is_told_so(small: Small) -> None:
    records = {"phare.example": ["v=spf1 mx ~all"], "_dmarc.phare.example": ["v=DMARC1; p=none"]}
    with server(Post()) as port, dns_server(records):
        sending_by_smtp(small, port)
        assert small.filrouge("check", "--online", "--json").facts["accounts"]["@phare.example"]["state"] == "ok"


def test_a_template_with_a_sender_of_its_own_is_looked_at_too(small: Small) -> None:
    small.change(
        "rules/templates/on-se-revoit.md", "purpose: service", "purpose: service\nfrom: Café <cafe@autre.example>"
    )
    with server(Post()) as port, dns_server({}):
        sending_by_smtp(small, port)
        assert "@autre.example" in small.filrouge("check", "--online", "--json").facts["accounts"]


def test_a_dns_that_is_away_is_no_verdict(small: Small) -> None:
    with server(Post()) as port, dns_server({}, broken="phare.example"):
        sending_by_smtp(small, port)
        done = small.filrouge("check", "--online", "--json")
    assert (done.code, done.facts["accounts"]["@phare.example"]["state"]) == (0, "unknown")


def test_nothing_is_asked_where_nothing_leaves_the_house(small: Small) -> None:
    with dns_server({}) as asked:
        assert small.filrouge("check", "--online").code == 0
    assert asked == []
