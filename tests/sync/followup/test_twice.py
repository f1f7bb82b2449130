"""One e-mail that two rules send: what goes, and what is told beforehand."""

from __future__ import annotations

import pytest

from rules.conditions import Email, Period
from sync.followup import outbox
from tests.sync.followup.theatre import Theatre, person, rule

MONTH = Period(30, "day")


def sent(theatre: Theatre, inside: dict[str, list[int]]) -> list[str]:
    """Where the e-mails of this day went, both rules approved."""
    before = len(theatre.mailer.addresses)
    theatre.decide(inside)
    for name in inside:
        theatre.approve(name)
    theatre.send()
    return sorted(theatre.mailer.addresses[before:])


@pytest.fixture
def two(theatre: Theatre) -> Theatre:
    theatre.apart = MONTH
    theatre.rules = [rule("perdus", Email("on-se-revoit")), rule("amis", Email("on-se-revoit"))]
    return theatre


def test_the_first_wins_by_person_and_by_address(two: Theatre) -> None:
    two.people[3] = person(3, email="P1@example.org")
    assert sent(two, {"perdus": [1], "amis": [1, 2, 3]}) == ["p1@example.org", "p2@example.org"]
    two.later(days=10)
    assert sent(two, {"perdus": [1, 2], "amis": [1, 2, 3]}) == []
    with two.store.look() as connection:
        gone = outbox.listed(connection, two.store.org, ["cancelled"])
    assert {(row.rule, row.person_id, row.reason) for row in gone} == {
        ("amis", 1, "had-elsewhere"), ("amis", 3, "had-elsewhere"), ("perdus", 2, "had-elsewhere"),
    }  # fmt: skip


def test_after_a_while_another_rule_may_send_it(two: Theatre) -> None:
    assert sent(two, {"perdus": [1], "amis": []}) == ["p1@example.org"]
    two.later(days=30)
    assert sent(two, {"perdus": [1], "amis": [1]}) == ["p1@example.org"]


@pytest.mark.parametrize(
    ("email", "days", "went"),
    [
        (Email("on-se-revoit", again=Period(1, "week")), 3, 0),
        (Email("on-se-revoit", again=Period(1, "week")), 7, 1),
        (Email("on-se-revoit", again=Period(9000, "year")), 3, 0),  # further than the calendar goes
        (Email("on-se-revoit", purpose="service"), 0, 1),
        (Email("infos"), 0, 1),
    ],
)
def test_again_and_practical_information(two: Theatre, email: Email, days: int, went: int) -> None:
    two.rules = [two.rules[0], rule("amis", email)]
    sent(two, {"perdus": [1], "amis": []})
    two.later(days=days)
    assert len(sent(two, {"perdus": [1], "amis": [1]})) == went


def test_who_is_told_to_wait_is_the_one_whose_rule_stands_later_or_was_not_let_go(two: Theatre) -> None:
    two.decide({"perdus": [1], "amis": [1]})

    def told() -> dict[str, str]:
        with two.store.look() as connection:
            rows = outbox.listed(connection, two.store.org)
            found = two.twice.others(connection, two.store.org, rows, two.now)
        return {row.rule: found[row.id] for row in rows if row.id in found}

    assert told() == {"amis": "Perdus"}
    two.approve("amis")
    assert told() == {"perdus": "Amis"}
