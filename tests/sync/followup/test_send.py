"""Sending: the right to write at the last moment, the carrier's troubles, and what a crash leaves."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa

from connectors.mail.mailer import AnswerLost, Greylisted, RefusedForGood, RefusedForNow, SenderRefused
from connectors.trouble import LogInAgain, TryLater
from rules.conditions import Email
from sync.followup import approvals, outbox, standings
from sync.followup.tables import outbox as table
from tests.sync.followup.theatre import Inbox, Theatre, person, refuse, rule


def approved(theatre: Theatre, *people: int) -> None:
    theatre.decide({each.id: people or [1] for each in theatre.rules})
    for each in theatre.rules:
        theatre.approve(each.id)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"newsletter": "unsubscribed"}, "unsubscribed"),
        ({"unsubscribed": True}, "unsubscribed"),
        ({"bounced": True}, "bounced"),
        ({"complained": True}, "complained"),
        ({"do_not_contact": True}, "do-not-contact"),
        ({"newsletter": "none"}, "no-consent"),
        ({"email": None}, "no-address"),
        ({"email": "camille chez elle"}, "no-address"),
    ],
)
def test_the_right_to_write_counts_at_the_last_moment(theatre: Theatre, facts: dict[str, object], reason: str) -> None:
    approved(theatre, 1, 2)
    theatre.people[1] = person(1, **facts)
    done = theatre.send()
    assert (done.sent, done.held) == (1, {reason: 1})
    assert theatre.states()[1] == f"held {reason}"
    theatre.people[1] = person(1)
    assert theatre.send().sent == 1
    assert theatre.send().sent == 0


def test_practical_information_needs_no_consent(theatre: Theatre) -> None:
    theatre.rules = [rule("infos", Email("infos")), rule("perdus", Email("on-se-revoit", purpose="service"))]
    theatre.people[1] = person(1, newsletter="unsubscribed")
    approved(theatre)
    assert theatre.send().sent == 2
    assert all("List-Unsubscribe" not in message for message in theatre.mailer.arrived)


def test_a_couple_on_one_address_gets_one(theatre: Theatre) -> None:
    theatre.people[2] = person(2, email="P1@Example.org")
    approved(theatre, 1, 2)
    assert theatre.send().held == {"same-address": 1}
    assert len(theatre.mailer.arrived) == 1
    theatre.later(days=3)
    theatre.people[3] = person(3, email="p1@example.org")
    theatre.decide({"perdus": [1, 2, 3]})
    assert theatre.send().sent == 0


def test_a_missing_template_holds_until_it_is_there(theatre: Theatre) -> None:
    theatre.rules = [rule("perdus", Email("pas-encore-écrit"))]
    approved(theatre)
    assert theatre.send().held == {"template": 1}


def test_not_now_is_tried_later_and_given_up_after_days(theatre: Theatre) -> None:
    approved(theatre)
    theatre.mailer.answer = refuse(RefusedForNow("smtp-refused-now", answer="450 4.2.0 greylisted"))
    tries, start = 0, theatre.now
    for pause in (0, *(30 * 2**n for n in range(8))):
        theatre.later(minutes=pause - 1)
        assert pause == 0 or theatre.send().later == 0  # not a minute too soon
        theatre.later(minutes=1)
        done = theatre.send()
        tries += done.later + done.failed
        if done.failed:
            break
    assert tries == 8
    assert theatre.states() == {1: "failed refused-too-often"}
    assert timedelta(days=2) < theatre.now - start < timedelta(days=5)
    theatre.mailer.answer = lambda _message: "250"
    theatre.later(days=1)
    assert theatre.send().sent == 0


def test_no_for_good_keeps_the_servers_words(theatre: Theatre) -> None:
    approved(theatre)
    theatre.mailer.answer = refuse(RefusedForGood("smtp-refused", answer="550 5.1.1 no such user"))
    assert theatre.send().failed == 1
    with theatre.store.look() as connection:
        (row,) = outbox.listed(connection, theatre.store.org, ["failed"])
    assert (row.reason, row.answer) == ("refused", "550 5.1.1 no such user")


def test_a_lost_answer_is_never_sent_again_by_itself(theatre: Theatre) -> None:
    approved(theatre)
    theatre.mailer.answer = refuse(AnswerLost("smtp-answer-lost", host="x"))
    assert theatre.send().uncertain == 1
    theatre.mailer.answer = lambda _message: "250"
    theatre.later(days=2)
    theatre.decide({"perdus": [1]})
    assert theatre.send().sent == 0
    with theatre.store.begin() as connection:
        (row,) = outbox.listed(connection, theatre.store.org, ["uncertain"])
        assert outbox.resend(connection, theatre.store.org, row.id, "Marie", theatre.now)
    assert theatre.send().sent == 1


def test_three_lost_answers_in_a_row_leave_the_others_untouched(theatre: Theatre) -> None:
    theatre.fill(9)
    approved(theatre, *range(1, 10))
    theatre.mailer.answer = refuse(AnswerLost("smtp-answer-lost", host="x"))
    done = theatre.send()
    assert done.uncertain == 3
    assert done.trouble is not None
    assert done.trouble.code == "mail-answers-lost"
    assert list(theatre.states().values()).count("approved") == 6


def test_a_person_may_drop_what_is_uncertain(theatre: Theatre) -> None:
    approved(theatre)
    theatre.mailer.answer = refuse(AnswerLost("smtp-answer-lost", host="x"))
    theatre.send()
    with theatre.store.begin() as connection:
        (row,) = outbox.listed(connection, theatre.store.org, ["uncertain"])
        assert outbox.drop(connection, theatre.store.org, row.id, "Marie")
    assert theatre.states() == {1: "cancelled dropped"}


@pytest.mark.parametrize("trouble", [LogInAgain("smtp-login", host="x"), TryLater("smtp-down", host="x", detail="y")])
def test_when_nothing_can_go_out_all_wait_and_nobody_is_spoiled(theatre: Theatre, trouble: Exception) -> None:
    approved(theatre, 1, 2, 3)
    tried: list[EmailMessage] = []

    def down(message: EmailMessage) -> str:
        tried.append(message)
        raise trouble

    theatre.mailer.answer = down
    done = theatre.send()
    assert done.trouble is trouble
    assert len(tried) == 1
    assert set(theatre.states().values()) == {"approved"}
    theatre.mailer.answer = lambda _message: "250"
    assert theatre.send().sent == 3
    assert str(tried[0]["Message-ID"]) == str(theatre.mailer.arrived[0]["Message-ID"])


def test_ten_refusals_in_a_row_stop_the_sending(theatre: Theatre) -> None:
    theatre.fill(30)
    approved(theatre, *range(1, 31))
    theatre.mailer.answer = refuse(RefusedForGood("smtp-refused", answer="550 5.1.1 no such user"))
    done = theatre.send()
    assert done.failed == 10
    assert done.trouble is not None
    assert done.trouble.code == "mail-too-many-refusals"
    assert list(theatre.states().values()).count("approved") == 20


@pytest.mark.parametrize("answer", ["554 5.7.1 Relay access denied", "550 5.7.26 unauthenticated", "550 blocked"])
def test_the_same_no_to_everybody_is_about_us_and_gives_nobody_up(theatre: Theatre, answer: str) -> None:
    theatre.fill(12)
    approved(theatre, *range(1, 13))
    theatre.mailer.answer = refuse(RefusedForGood("smtp-refused", answer=answer))
    for day in range(1, 6):
        done = theatre.send()
        assert done.failed == 0
        assert done.trouble is None or done.trouble.code == "mail-too-many-refusals"
        theatre.later(days=1 if day < 5 else 4)
    assert set(theatre.states().values()) == {"approved"}
    theatre.mailer.answer = lambda _message: "250"
    assert theatre.send().sent == 12
    assert len(set(theatre.mailer.addresses)) == 12


def test_a_no_to_one_between_others_is_about_that_one(theatre: Theatre) -> None:
    theatre.fill(30)
    approved(theatre, *range(1, 31))

    def every_third(message: EmailMessage) -> str:
        if int(str(message["To"].addresses[0].username)[1:]) % 3 == 0:
            raise RefusedForGood("smtp-refused", answer="554 5.7.1 not to me")
        return "250"

    theatre.mailer.answer = every_third
    done = theatre.send()
    assert (done.sent, done.failed, done.trouble) == (20, 10, None)


def test_greylisting_stops_nothing(theatre: Theatre) -> None:
    theatre.fill(30)
    approved(theatre, *range(1, 31))
    theatre.mailer.answer = refuse(Greylisted("smtp-refused-now", answer="450 4.2.0 greylisted"))
    done = theatre.send()
    assert (done.later, done.trouble) == (30, None)
    theatre.mailer.answer = lambda _message: "250"
    theatre.later(minutes=31)
    assert theatre.send().sent == 30


def test_a_sender_that_the_server_refuses_keeps_no_other_waiting(theatre: Theatre) -> None:
    theatre.rules = [rule("infos", Email("infos")), rule("perdus", Email("on-se-revoit"))]
    approved(theatre, 1, 2, 3)

    def not_this_one(message: EmailMessage) -> str:
        if str(message["Subject"]).startswith("On se revoit"):
            raise SenderRefused("smtp-sender", host="x", answer="553 not yours")
        return "250"

    theatre.mailer.answer = not_this_one
    theatre.senders = {"infos": "Billetterie <billets@phare.example>"}
    done = theatre.send()
    assert done.sent == 3
    assert done.trouble is not None
    assert done.trouble.code == "smtp-sender"
    theatre.mailer.answer = lambda _message: "250"
    assert theatre.send().sent == 3


def test_what_the_carrier_learns_later_settles_what_is_uncertain(theatre: Theatre) -> None:
    approved(theatre)
    theatre.mailer.answer = refuse(AnswerLost("smtp-answer-lost", host="x"))
    theatre.send()
    theatre.mailer = Inbox(knows=lambda _message_id: False)
    theatre.send()
    assert theatre.states() == {1: "uncertain answer-lost"}
    theatre.mailer = Inbox(knows=lambda _message_id: True)
    theatre.send()
    assert theatre.states() == {1: "sent"}
    assert theatre.mailer.arrived == []


@pytest.mark.parametrize(
    ("knows", "state", "arrived"), [(None, "uncertain interrupted", 0), (True, "sent", 0), (False, "sent", 1)]
)
def test_a_run_cut_off_while_sending(theatre: Theatre, *, knows: bool | None, state: str, arrived: int) -> None:
    approved(theatre)

    def cut(_message: EmailMessage) -> str:
        raise KeyboardInterrupt

    theatre.mailer.answer = cut
    with pytest.raises(KeyboardInterrupt):
        theatre.send()
    assert theatre.states() == {1: "sending"}
    theatre.mailer = Inbox(knows=lambda _message_id: knows)
    theatre.send()
    assert theatre.states() == {1: state}
    assert len(theatre.mailer.arrived) == arrived


def test_two_senders_at_once_send_each_once(theatre: Theatre) -> None:
    theatre.fill(40)
    approved(theatre, *range(1, 41))
    first, second = theatre.mailer, Inbox()
    nested = False

    def busy(_message: EmailMessage) -> str:
        nonlocal nested
        if not nested:
            nested = True
            theatre.mailer = second
            theatre.send()
        return "250"

    first.answer = busy
    theatre.send()
    assert sorted(first.addresses + second.addresses) == sorted(f"p{n}@example.org" for n in range(1, 41))


def test_one_email_can_be_approved_alone(theatre: Theatre) -> None:
    theatre.decide({"perdus": [1, 2]})
    with theatre.store.begin() as connection:
        row = outbox.listed(connection, theatre.store.org, ["waiting"])[0]
        assert approvals.approve(connection, theatre.store.org, row.id, "Marie", theatre.now) == 1
        assert approvals.approve(connection, theatre.store.org, "nobody", "Marie", theatre.now) == 0
        (batch,) = approvals.waits(connection, theatre.store.org)
    assert (batch.name, batch.mails, batch.rule_name) == ("perdus-1", 1, "Perdus")
    assert theatre.send().sent == 1


def test_what_was_sent_is_known_of_the_person(theatre: Theatre) -> None:
    approved(theatre)
    theatre.send()
    with theatre.store.look() as connection:
        assert standings.last_emailed(connection, theatre.store.org) == {1: theatre.now}
        known = standings.of_person(connection, theatre.store.org, 1)
        (row,) = known["outbox"]
        assert outbox.counts(connection, theatre.store.org) == {("sent", None): 1}
    assert (row.basis, row.subject, row.approved_by) == ("consent", "On se revoit, Camille1\u202f?", "Marie")


def test_the_outbox_keeps_no_address(theatre: Theatre) -> None:
    approved(theatre)
    theatre.send()
    with theatre.store.look() as connection:
        assert "@example.org" not in repr(connection.execute(sa.select(table)).all())


def test_what_a_person_lets_go_once_more_goes_though_its_time_is_over(theatre: Theatre) -> None:
    theatre.mailer.answer = refuse(AnswerLost("mail-answer-lost"))
    theatre.decide({"perdus": [1]})
    theatre.approve()
    assert theatre.send().uncertain == 1
    theatre.later(days=60)
    theatre.mailer.answer = lambda _message: "250 ok"
    with theatre.store.begin() as connection:
        (row,) = outbox.listed(connection, theatre.store.org)
        assert outbox.resend(connection, theatre.store.org, row.id, "Marie", theatre.now)
    theatre.decide({"perdus": [1]})
    assert theatre.send().sent == 1
