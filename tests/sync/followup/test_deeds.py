"""What rules have done beyond the sheet and the e-mails: asked once, taken back with the rule, behind the brake."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from rules.conditions import Action, Email, Flag, Forget, Newsletter, Notify, Review, Task, Webhook
from sync.followup import approvals, deeds, outbox, standings
from sync.followup.tables import deed
from tests.sync.followup.theatre import Theatre, rule

SUBSCRIBE = Newsletter("subscribe")


def of(theatre: Theatre, kind: str, state: str | None = None) -> list[int]:
    """Whom there is a deed of this kind for, in this state, by person."""
    with theatre.store.look() as connection:
        rows = deeds.listed(connection, theatre.store.org, (kind,), (state,) if state else ())
    return sorted(row.person_id for row in rows)


def tick(theatre: Theatre, person: int) -> None:
    with theatre.store.begin() as connection:
        (row,) = connection.execute(sa.select(deed).where(deed.c.person_id == person, deed.c.state == "approved")).all()
        deeds.tick(connection, theatre.store.org, row.id, theatre.now)


@pytest.mark.parametrize("action", [Notify("x"), Webhook("crm"), SUBSCRIBE, Forget("x"), Review(5)], ids=str)
def test_who_enters_has_it_done_once(theatre: Theatre, action: Action) -> None:
    theatre.rules = [rule("perdus", action)]
    for _ in range(2):
        theatre.decide({"perdus": [1, 2]})
    kind = {"Notify": "notify", "Webhook": "webhook", "Newsletter": "newsletter", "Forget": "forget"}
    assert of(theatre, kind.get(type(action).__name__, "review")) == [1, 2]


@pytest.mark.parametrize("action", [Webhook("crm"), SUBSCRIBE, Forget("x"), Review(5)], ids=str)
def test_who_leaves_takes_it_back_and_coming_back_the_same_day_is_one(theatre: Theatre, action: Action) -> None:
    theatre.rules = [rule("perdus", action)]
    theatre.decide({"perdus": [1, 2]})
    theatre.decide({"perdus": [2]})
    kind = next(kind for kind in deeds.KINDS if of(theatre, kind))
    assert of(theatre, kind, "cancelled") == [1]
    theatre.decide({"perdus": [1, 2]})
    assert (of(theatre, kind, "cancelled"), of(theatre, kind)) == ([], [1, 2])


def test_the_team_is_told_also_of_who_left_meanwhile(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Notify("{{ first_name }} is angry"))]
    theatre.decide({"perdus": [1]})
    theatre.decide({"perdus": []})
    assert of(theatre, "notify", "approved") == [1]


def test_a_webhook_goes_by_itself_and_a_newsletter_waits_for_the_first_yes(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Webhook("crm"), SUBSCRIBE)]
    theatre.decide({"perdus": [1]})
    assert (of(theatre, "webhook", "approved"), of(theatre, "newsletter", "waiting")) == ([1], [1])
    assert theatre.approve() == 1
    theatre.later(days=1)
    theatre.decide({"perdus": [1, 2]})
    assert of(theatre, "newsletter", "approved") == [1, 2]


def test_the_brake_holds_both_and_one_yes_lets_all_go(theatre: Theatre) -> None:
    theatre.fill(60)
    theatre.rules = [rule("perdus", Webhook("crm"), SUBSCRIBE, Email("on-se-revoit"))]
    theatre.decide({"perdus": range(1, 61)})
    with theatre.store.look() as connection:
        (batch,) = approvals.waits(connection, theatre.store.org)
    assert (batch.mails, batch.deeds) == (60, 120)
    assert theatre.approve() == 180
    assert len(of(theatre, "webhook", "approved")) == 60


def test_a_stale_source_keeps_them_back(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Webhook("crm"))]
    theatre.decide({"perdus": [1]}, stale={"perdus": "billets"})
    assert of(theatre, "webhook", "planned") == [1]
    theatre.decide({"perdus": [1]})
    assert of(theatre, "webhook", "approved") == [1]


def test_a_rule_that_sleeps_takes_back_and_gives_back(theatre: Theatre) -> None:
    for active in (True, False):
        theatre.rules = [rule("perdus", Forget("x"), active=active)]
        theatre.decide({"perdus": [1]})
    assert of(theatre, "forget", "cancelled") == [1]
    theatre.rules = [rule("perdus", Forget("x"))]
    theatre.decide({"perdus": [1]})
    assert of(theatre, "forget", "approved") == [1]


def test_what_a_rule_no_longer_asks_for_is_taken_back(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Webhook("crm"), Webhook("crm"), Forget("x"))]
    theatre.decide({"perdus": [1]})
    theatre.rules = [rule("perdus", Webhook("crm"))]
    theatre.decide({"perdus": [1]})
    assert (of(theatre, "webhook", "approved"), of(theatre, "forget", "cancelled")) == ([1], [1])


def test_erasure_is_proposed_also_for_who_was_inside_before(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Flag("x"))]
    theatre.decide({"perdus": [1]})
    theatre.rules = [rule("perdus", Flag("x"), Forget("x"))]
    theatre.later(days=1)
    theatre.decide({"perdus": [1]})
    assert of(theatre, "forget", "approved") == [1]
    tick(theatre, 1)  # to be kept: not proposed again as long as the rule holds
    theatre.later(days=1)
    theatre.decide({"perdus": [1]})
    assert of(theatre, "forget") == [1]
    theatre.decide({"perdus": []})
    theatre.later(days=1)
    theatre.decide({"perdus": [1]})
    assert of(theatre, "forget", "approved") == [1]


def test_so_many_records_a_day_and_never_more_open_ones(theatre: Theatre) -> None:
    theatre.fill(7)
    theatre.rules = [rule("perdus", Review(2))]
    inside = {"perdus": range(1, 8)}
    for _ in range(3):  # nobody checked any: two stay open, however many days pass
        theatre.decide(inside)
        assert of(theatre, "review", "approved") == [1, 2]
        theatre.later(days=1)
    tick(theatre, 1)
    tick(theatre, 2)
    theatre.decide(inside)
    assert of(theatre, "review", "approved") == [3, 4]
    tick(theatre, 3)
    theatre.decide(inside)  # the same day: its two were given out
    assert of(theatre, "review", "approved") == [4]
    theatre.later(days=1)
    theatre.decide(inside)
    assert of(theatre, "review", "approved") == [4, 5]


def test_who_was_checked_longest_ago_comes_first(theatre: Theatre) -> None:
    theatre.fill(3)
    theatre.rules = [rule("perdus", Review(1))]
    for person in (2, 1, 3):
        theatre.decide({"perdus": [person]})
        tick(theatre, person)
        theatre.later(days=1)
    for person in (2, 1, 3):
        theatre.decide({"perdus": [1, 2, 3]})
        assert of(theatre, "review", "approved") == [person]
        tick(theatre, person)
        theatre.later(days=1)
    with theatre.store.look() as connection:
        assert deeds.verified(connection, theatre.store.org)[3] == theatre.now - timedelta(days=1)


def test_two_people_found_to_be_one_have_it_done_once(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Webhook("crm"), Forget("x"))]
    theatre.decide({"perdus": [1, 2]})
    with theatre.store.begin() as connection:
        standings.absorb(connection, theatre.store.org, {2: 1})
    assert (of(theatre, "webhook", "approved"), of(theatre, "forget", "approved")) == ([1], [1])


def test_who_was_taken_for_somebody_else_has_nothing_done_again(theatre: Theatre) -> None:
    """2 was a part of 1 when the other program was told of them, and is inside as well; 3 is somebody else."""
    theatre.rules = [rule("perdus", Webhook("crm"), SUBSCRIBE, Task("Appeler"))]
    theatre.decide({"perdus": [1]})
    theatre.approve()
    with theatre.store.begin() as connection:
        connection.execute(sa.update(deed).values(state="done"))
        standings.inherit(connection, theatre.store.org, 1, 2)
    for inside in ([1, 2, 3], [1], [1, 2]):  # 2 leaves and comes back on the same day
        theatre.decide({"perdus": inside})
    for kind in ("webhook", "newsletter"):
        assert (of(theatre, kind, "done"), of(theatre, kind, "cancelled")) == ([1], [2, 3])
    with theatre.store.look() as connection:
        kept = connection.execute(sa.select(deed.c.person_id, deed.c.reason)).all()
    assert {reason for person, reason in kept if person == 2} == {"split"}


def test_what_nobody_approved_in_a_month_is_too_late(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", SUBSCRIBE)]
    theatre.decide({"perdus": [1]})
    theatre.later(days=31)
    theatre.decide({"perdus": [1]})
    assert of(theatre, "newsletter", "held") == [1]
    assert theatre.approve() == 0


def test_a_person_may_drop_one(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Webhook("crm"))]
    theatre.decide({"perdus": [1]})
    with theatre.store.begin() as connection:
        (row,) = deeds.listed(connection, theatre.store.org, ("webhook",))
        assert outbox.drop(connection, theatre.store.org, row.id, "Marie")
    assert of(theatre, "webhook", "cancelled") == [1]
