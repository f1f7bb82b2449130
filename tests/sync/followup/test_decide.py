"""Enter, stay, leave; wait and again; the brake; fresh data; renaming."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from rules.conditions import Email, Flag, Period, SetCell, Task
from sync.followup import approvals, outbox, standings, tables
from tests.sync.followup.theatre import Theatre, person, rule


def flags(theatre: Theatre) -> dict[int, list[str]]:
    with theatre.store.look() as connection:
        return {row["person_id"]: row["flags"] for row in standings.flags(connection, theatre.store.org).to_dicts()}


def everything(theatre: Theatre) -> dict[str, list[tuple[object, ...]]]:
    with theatre.store.look() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(sa.select(table)))
            for table in (tables.standing, tables.flag, tables.task, tables.outbox, tables.cell_to_set)
        }


def test_who_enters_is_flagged_and_gets_one_email_after_approval(theatre: Theatre) -> None:
    done = theatre.decide({"perdus": [1, 2]})
    assert (done.rules["perdus"].entered, done.flags_on, done.mails) == ([1, 2], 2, 2)
    assert flags(theatre) == {1: ["À relancer"], 2: ["À relancer"]}
    assert theatre.states() == {1: "waiting", 2: "waiting"}
    assert theatre.send().waiting == 2
    assert not theatre.mailer.arrived
    assert theatre.approve() == 2
    assert theatre.send().sent == 2
    assert theatre.mailer.addresses == ["p1@example.org", "p2@example.org"]


def test_deciding_again_changes_nothing(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Flag("x"), SetCell("Suivi", "oui"), Task("Appeler"), Email("on-se-revoit"))]
    theatre.decide({"perdus": [1, 2]})
    before = everything(theatre)
    again = theatre.decide({"perdus": [1, 2]})
    assert (again.mails, again.tasks, again.cells, again.flags_on, again.flags_off, again.cancelled) == (0,) * 6
    assert again.rules["perdus"].inside == 2
    assert everything(theatre) == before


def test_who_leaves_loses_the_flag_and_the_waiting_email(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1, 2]})
    theatre.later(days=1)
    done = theatre.decide({"perdus": [2]})
    assert (done.rules["perdus"].left, done.flags_off, done.cancelled) == ([1], 1, 1)
    assert theatre.states() == {1: "cancelled left", 2: "waiting"}
    assert flags(theatre) == {2: ["À relancer"]}


def test_an_approved_email_is_taken_back_when_the_person_comes_back_first(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.decide({"perdus": []})
    assert theatre.send().sent == 0
    assert theatre.states() == {1: "cancelled left"}


def test_unknown_keeps_everybody_where_they_were(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    done = theatre.decide({}, unknown=[("perdus", 1), ("perdus", 2)])
    assert (done.rules["perdus"].left, done.rules["perdus"].entered, done.rules["perdus"].unknown) == ([], [], 2)
    assert flags(theatre) == {1: ["À relancer"]}
    assert theatre.states() == {1: "waiting"}


def test_leaving_and_coming_back_the_same_day_is_one_email(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.send()
    theatre.decide({"perdus": []})
    theatre.later(hours=2)
    theatre.decide({"perdus": [1]})
    theatre.send()
    assert len(theatre.mailer.arrived) == 1


def test_an_email_cancelled_this_morning_is_wanted_again_tonight(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.decide({"perdus": []})
    theatre.later(hours=2)
    theatre.decide({"perdus": [1]})
    assert theatre.send().sent == 1


def test_a_new_entry_another_day_is_a_new_occasion(theatre: Theatre) -> None:
    for inside in ([1], [], [1]):
        theatre.decide({"perdus": inside})
        theatre.approve()
        theatre.send()
        theatre.later(days=40)
    assert len({str(message["Message-ID"]) for message in theatre.mailer.arrived}) == 2


def comes_and_goes(theatre: Theatre, days: int) -> list[int]:
    """After how many days an e-mail went to somebody who is in the rule every other day."""
    went, start = [], theatre.now
    for day in range(days):
        theatre.now = start + timedelta(days=day)
        theatre.decide({theatre.rules[0].id: [] if day % 2 else [1]})
        theatre.approve(theatre.rules[0].id)
        went += [day] * theatre.send().sent
    return went


def test_who_comes_and_goes_gets_the_same_news_once_in_a_while(theatre: Theatre) -> None:
    theatre.apart = Period(30, "day")
    assert comes_and_goes(theatre, 33) == [0, 30]
    with theatre.store.look() as connection:
        rows = outbox.listed(connection, theatre.store.org, ["cancelled"])
    assert {row.reason for row in rows} == {"had-lately"}
    assert len(rows) == 15


@pytest.mark.parametrize(
    ("email", "apart", "went"),
    [
        (Email("on-se-revoit", again=Period(4, "day")), Period(30, "day"), [0, 4, 8]),
        (Email("on-se-revoit", once=True), None, [0]),
        (Email("infos", once=True), Period(30, "day"), [0]),
        (Email("infos"), Period(30, "day"), [0, 2, 4, 6, 8]),  # practical information
        (Email("on-se-revoit", purpose="service"), Period(30, "day"), [0, 2, 4, 6, 8]),
        (Email("on-se-revoit"), None, [0, 2, 4, 6, 8]),
        (Email("on-se-revoit"), Period(1, "week"), [0, 8]),
    ],
)
def test_how_soon_it_goes_again_is_for_the_team_to_say(
    theatre: Theatre, email: Email, apart: Period | None, went: list[int]
) -> None:
    theatre.apart, theatre.rules = apart, [rule("perdus", email)]
    assert comes_and_goes(theatre, 10) == went


def test_what_goes_once_goes_later_to_whom_it_was_taken_from_before_it_went(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Email("infos", once=True))]
    for inside in ([1], [], [1]):
        theatre.decide({"perdus": inside})
        theatre.later(days=1)
    theatre.approve()
    assert theatre.send().sent == 1


def test_what_was_taken_back_before_it_went_is_no_reason_to_wait(theatre: Theatre) -> None:
    theatre.apart = Period(30, "day")
    for inside in ([1], [], [1]):
        theatre.decide({"perdus": inside})
        theatre.later(days=1)
    theatre.approve()
    assert theatre.send().sent == 1


def test_what_a_pause_took_back_does_not_wake_what_was_not_to_go(theatre: Theatre) -> None:
    theatre.apart = Period(30, "day")
    comes_and_goes(theatre, 3)
    rules, theatre.rules = theatre.rules, ()
    theatre.decide({})
    theatre.rules = rules
    theatre.decide({"perdus": [1]})
    assert theatre.send().sent == 0


def test_wait_means_still_inside_then(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Email("on-se-revoit", wait=Period(2, "day")))]
    theatre.decide({"perdus": [1, 2]})
    theatre.approve()
    assert theatre.states() == {1: "planned", 2: "planned"}
    theatre.later(days=1)
    theatre.decide({"perdus": [2]})
    theatre.later(days=1, seconds=-20)  # the run of that day may come some seconds earlier
    theatre.decide({"perdus": [2]})
    assert theatre.states() == {1: "cancelled left", 2: "waiting"}


def test_again_repeats_after_calendar_months(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Email("on-se-revoit", again=Period(6, "month")))]
    sent_on = []
    theatre.decide({"perdus": [1]})
    theatre.approve()
    start = theatre.now
    for days in (0, 1, 100, 183, 184, 185, 300, 364, 365, 366):
        theatre.now = start + timedelta(days=days)
        theatre.decide({"perdus": [1]})
        if theatre.send().sent:
            sent_on.append(theatre.today)
    assert [day.isoformat() for day in sent_on] == ["2026-03-14", "2026-09-14", "2027-03-14"]


def test_coming_back_sooner_than_again_writes_only_when_it_is_over(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Email("on-se-revoit", again=Period(6, "month")))]
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.send()
    theatre.later(days=20)
    theatre.decide({"perdus": []})
    theatre.later(days=20)
    assert theatre.decide({"perdus": [1]}).mails == 0
    theatre.later(days=150)
    assert theatre.decide({"perdus": [1]}).mails == 1


def test_later_batches_of_an_approved_rule_go_by_themselves(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.send()
    theatre.later(days=1)
    theatre.decide({"perdus": [1, 2]})
    assert theatre.send().sent == 1


@pytest.mark.parametrize(("entering", "state"), [(50, "approved"), (51, "waiting")])
def test_a_changed_rule_that_reaches_for_many_waits_again(theatre: Theatre, entering: int, state: str) -> None:
    theatre.fill(200)
    theatre.decide({"perdus": [200]})
    theatre.approve()
    theatre.rules = [rule("perdus", digest="2")]
    theatre.decide({"perdus": [200, *range(1, entering + 1)]})
    assert set(theatre.states().values()) - {"sent"} == {"approved", state}
    if state == "waiting":
        theatre.later(days=1)
        theatre.decide({"perdus": [200, *range(1, entering + 2)]})  # one more does not slip by
        assert theatre.states()[entering + 1] == "waiting"
        assert theatre.approve() == entering + 1


def test_the_brake_grows_with_the_public(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Task("Appeler"))]
    theatre.fill(60)
    theatre.decide({"perdus": range(1, 61)}, people_count=600)
    with theatre.store.look() as connection:
        assert len(standings.open_tasks(connection, theatre.store.org)) == 60


def test_a_new_rule_with_tasks_for_many_waits(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Task("Appeler {{ prénom }}", "Marie", Period(5, "day")))]
    theatre.fill(60)
    theatre.decide({"perdus": range(1, 61)})
    with theatre.store.look() as connection:
        assert not standings.open_tasks(connection, theatre.store.org)
    assert theatre.approve("perdus-1") == 60
    with theatre.store.look() as connection:
        first = standings.open_tasks(connection, theatre.store.org)[0]
    assert (first.text, first.assignee, first.due.isoformat()) == ("Appeler {{ prénom }}", "Marie", "2026-03-19")


def test_stale_sources_hold_and_fresh_ones_let_go(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.decide({"perdus": [1, 2]}, stale={"perdus": "billetterie"})
    assert theatre.send().held == {"stale-source": 2}
    theatre.decide({"perdus": [1, 2]})
    assert theatre.send().sent == 2


def test_a_stale_rule_is_not_approved_by_becoming_fresh(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]}, stale={"perdus": "billetterie"})
    assert theatre.states() == {1: "held stale-source"}
    theatre.decide({"perdus": [1]})
    assert theatre.states() == {1: "waiting"}


def test_renaming_with_was_keeps_what_was_done(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.send()
    theatre.rules = [rule("absents", was=("perdus",))]
    theatre.later(days=3)
    done = theatre.decide({"absents": [1]})
    assert (done.rules["absents"].entered, done.mails, done.cancelled) == ([], 0, 0)
    assert flags(theatre) == {1: ["À relancer"]}


def test_a_rule_taken_out_leaves_nothing_behind_and_comes_back_without_repeating(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1, 2]})
    theatre.approve()
    theatre.people[2] = person(2, email="")
    theatre.send()
    rules, theatre.rules = theatre.rules, []
    theatre.decide({})
    assert theatre.states() == {1: "sent", 2: "cancelled rule-removed"}
    assert flags(theatre) == {}
    theatre.rules = rules
    theatre.people[2] = person(2)
    theatre.later(days=2)
    theatre.decide({"perdus": [1, 2]})
    assert flags(theatre) == {1: ["À relancer"], 2: ["À relancer"]}
    assert theatre.send().sent == 1
    assert theatre.mailer.addresses == ["p1@example.org", "p2@example.org"]


def test_a_paused_rule_cancels_with_the_reason(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.rules = [rule("perdus", active=False)]
    theatre.decide({})
    assert theatre.states() == {1: "cancelled rule-paused"}


def test_a_flag_renamed_in_the_rule_changes_on_everybody_inside(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1, 2]})
    theatre.rules = [rule("perdus", Flag("Perdu de vue"))]
    theatre.decide({"perdus": [2]})
    assert flags(theatre) == {2: ["Perdu de vue"]}
    assert theatre.states() == {1: "cancelled left", 2: "cancelled rule-changed"}


def test_one_flag_of_two_rules_stays_while_one_holds(theatre: Theatre) -> None:
    theatre.rules = [rule("a", Flag("VIP")), rule("b", Flag("VIP"))]
    theatre.decide({"a": [1], "b": [1]})
    theatre.decide({"a": [], "b": [1]})
    assert flags(theatre) == {1: ["VIP"]}


def test_what_can_no_longer_go_in_time_is_listed(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.later(days=31)
    assert theatre.decide({"perdus": [1]}).too_late == 1
    assert theatre.states() == {1: "held too-late"}
    assert theatre.approve() == 0


def test_two_who_turn_out_to_be_one_get_nothing_twice(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1, 2]})
    theatre.approve()
    theatre.send()
    theatre.later(days=5)
    with theatre.store.begin() as connection:
        standings.absorb(connection, theatre.store.org, {1: 3, 2: 3})
    del theatre.people[1], theatre.people[2]
    theatre.decide({"perdus": [3]})
    assert theatre.send().sent == 0
    assert flags(theatre) == {3: ["À relancer"]}


def test_cells_are_remembered_until_they_are_written(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", SetCell("Suivi", "à rappeler"))]
    theatre.decide({"perdus": [1]})
    with theatre.store.begin() as connection:
        cells = standings.cells_to_set(connection, theatre.store.org)
        assert [(cell.person_id, cell.column, cell.value) for cell in cells] == [(1, "Suivi", "à rappeler")]
        standings.cells_written(connection, theatre.store.org, cells, 1)
        assert standings.cells_to_set(connection, theatre.store.org) == []


def test_waiting_survives_a_clock_set_back(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.send()
    theatre.now -= timedelta(days=400)
    theatre.decide({"perdus": [1]})
    assert theatre.send().sent == 0


def test_what_a_person_dropped_comes_back_with_no_later_day_and_no_return(theatre: Theatre) -> None:
    """`again` waits for its whole time anew; whoever comes back the same day does not bring it back."""
    theatre.rules = [rule("perdus", Email("on-se-revoit", again=Period(6, "month")))]
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.send()
    theatre.later(days=184)
    theatre.decide({"perdus": [1]})
    drop(theatre, 1)
    for inside in ([], [1]):
        theatre.later(hours=1)
        theatre.decide({"perdus": inside})
    assert theatre.send().sent == 0
    for _ in range(3):
        theatre.later(days=1)
        theatre.decide({"perdus": [1]})
        assert theatre.send().sent == 0
    theatre.later(days=184)
    theatre.decide({"perdus": [1]})
    assert theatre.send().sent == 1


def test_who_got_it_under_the_other_name_does_not_get_what_still_waits_under_this_one(theatre: Theatre) -> None:
    """Two entered on the same day; one's e-mail went, the other's waits, when they turn out to be one."""
    theatre.decide({"perdus": [1, 2]})
    with theatre.store.begin() as connection:
        of_one = connection.scalar(sa.select(tables.outbox.c.id).where(tables.outbox.c.person_id == 1))
        approvals.approve(connection, theatre.store.org, str(of_one), "Marie", theatre.now)
    assert theatre.send().sent == 1
    with theatre.store.begin() as connection:
        standings.absorb(connection, theatre.store.org, {1: 2})
    del theatre.people[1]
    theatre.approve()
    for inside in ([2], [], [2]):
        theatre.later(hours=1)
        theatre.decide({"perdus": inside})
        theatre.approve()
        assert theatre.send().sent == 0
    assert theatre.mailer.addresses == ["p1@example.org"]


def drop(theatre: Theatre, person_id: int) -> None:
    open_one = sa.select(tables.outbox.c.id).where(tables.outbox.c.person_id == person_id)
    with theatre.store.begin() as connection:
        id_ = connection.scalar(open_one.where(tables.outbox.c.state.in_(tables.OPEN_STATES)))
        assert outbox.drop(connection, theatre.store.org, str(id_), "Marie")


def test_who_was_taken_for_somebody_else_had_the_emails_of_both(theatre: Theatre) -> None:
    """2 was a part of 1 when 1 was written to, and is inside as well."""
    theatre.rules = [rule("perdus", Email("on-se-revoit", again=Period(6, "month")))]
    theatre.decide({"perdus": [1]})
    theatre.approve()
    theatre.send()
    with theatre.store.begin() as connection:
        standings.inherit(connection, theatre.store.org, 1, 2)
    for inside in ([1, 2], [1], [1, 2]):  # 2 leaves and comes back
        theatre.later(days=30)
        assert theatre.decide({"perdus": inside}).mails == 0
    theatre.later(days=95)
    assert theatre.decide({"perdus": [1, 2]}).mails == 2
    theatre.send()
    assert theatre.mailer.addresses == ["p1@example.org", "p1@example.org", "p2@example.org"]
