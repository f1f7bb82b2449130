"""How much goes, when, and what goes first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from connectors.mail.mailer import RefusedForNow
from rules.conditions import Email, Period
from sync.followup import outbox
from sync.limits import Limits
from tests.sync.followup.theatre import NOW, Inbox, Theatre, person, rule

LONG = Period(30, "day")


def mail(template: str = "on-se-revoit", no_later_than: Period = LONG) -> Email:
    return Email(template, no_later_than=no_later_than)


def approved(theatre: Theatre, people: Iterable[int]) -> None:
    theatre.decide({each.id: list(people) for each in theatre.rules})
    for each in theatre.rules:
        theatre.approve(each.id)


def subjects(theatre: Theatre) -> list[str]:
    return [str(message["Subject"]) for message in theatre.mailer.arrived]


def test_a_person_gets_so_many_in_so_many_days_and_the_rest_follows(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 3 days")
    theatre.rules = [rule("un", mail()), rule("deux", mail()), rule("trois", mail())]
    approved(theatre, [1, 2])
    sent = []
    for _ in range(8):
        done = theatre.send()
        sent.append((done.sent, done.held.get("cap", 0)))
        theatre.later(days=1)
    assert sent == [(2, 4), (0, 4), (0, 4), (2, 2), (0, 2), (0, 2), (2, 0), (0, 0)]


def test_what_waited_too_long_for_its_turn_is_told_as_too_late(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 30 days")
    theatre.rules = [rule("un", mail()), rule("deux", mail(no_later_than=Period(2, "day")))]
    approved(theatre, [1])
    assert theatre.send().held == {"cap": 1}
    theatre.later(days=3)
    assert theatre.send().held == {"too-late": 1}
    assert theatre.states()[1] in {"held too-late", "sent"}
    assert theatre.send().held == {}, "it is told once"


def test_the_rule_that_stands_first_goes_first_whenever_it_was_decided(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 7 days")
    theatre.rules = [rule("premier", mail()), rule("second", mail())]
    theatre.decide({"second": [1, 2]})
    theatre.later(hours=1)
    theatre.decide({"premier": [1], "second": [1, 2]})
    theatre.approve("second")
    theatre.approve("premier")
    theatre.send()
    with theatre.store.look() as connection:
        gone = {(row.rule, row.person_id) for row in outbox.listed(connection, theatre.store.org, ["sent"])}
    assert gone == {("premier", 1), ("second", 2)}


def test_practical_information_goes_first_and_does_not_count(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 7 days")
    theatre.rules = [rule("perdus", mail()), rule("infos", mail("infos"))]
    approved(theatre, [1])
    assert theatre.send().sent == 2
    assert subjects(theatre)[0] == "Votre venue"


def test_a_sender_that_slept_counts_anew_what_another_sent_meanwhile(theatre: Theatre) -> None:
    """Its lease ran out in the midst of a page, and somebody else sent up to the day's number."""
    theatre.limits = Limits(per_person="none", per_day=40)
    theatre.fill(40)
    theatre.rules = [rule("un", mail()), rule("deux", mail())]
    approved(theatre, range(1, 41))
    other, said = replace(theatre, mailer=Inbox(), rules=theatre.rules[::-1]), 0

    def sleeps(_message: EmailMessage) -> str:
        nonlocal said
        said += 1
        if said == 3:
            other.later(minutes=2)
            other.send()
            theatre.now = other.now
        return "250"

    theatre.mailer.answer = sleeps
    theatre.send()
    assert len(theatre.mailer.arrived) + len(other.mailer.arrived) == 36  # a tenth is kept


def test_two_people_at_one_address_are_one_reader(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 7 days")
    theatre.rules = [rule("un", mail()), rule("deux", mail())]
    theatre.people[2] = person(2, email="P1@example.org")
    theatre.decide({"un": [1], "deux": [2]})
    theatre.approve("un")
    theatre.approve("deux")
    done = theatre.send()
    assert (done.sent, done.held) == (1, {"cap": 1})


def test_whoever_changes_their_address_is_still_one_person(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 7 days")
    theatre.rules = [rule("un", mail()), rule("deux", mail())]
    theatre.decide({"un": [1]})
    theatre.approve("un")
    theatre.send()
    theatre.people[1] = person(1, email="nouvelle@example.org")
    theatre.decide({"un": [1], "deux": [1]})
    theatre.approve("deux")
    assert theatre.send().held == {"cap": 1}


def test_nothing_goes_in_quiet_hours_and_all_goes_after_them(theatre: Theatre) -> None:
    theatre.limits = Limits(quiet_hours="21:00 to 6:00")
    theatre.now = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # 23:30 in Paris, in the night in which the clocks change
    theatre.rules = [rule("perdus", mail()), rule("infos", mail("infos"))]
    approved(theatre, [1, 2])
    done = theatre.send()
    assert (done.sent, done.held) == (0, {"quiet-hours": 4})
    assert done.again == datetime(2026, 3, 29, 4, tzinfo=UTC)
    theatre.now = done.again
    done = theatre.send()
    assert (done.sent, done.held, done.again) == (4, {}, None)


def test_marketing_waits_for_the_end_of_a_quiet_day(theatre: Theatre) -> None:
    theatre.limits = Limits(quiet_days=["samedi", "dimanche"])  # the first day of the tests is a Saturday
    theatre.rules = [rule("perdus", mail()), rule("infos", mail("infos"))]
    approved(theatre, [1])
    done = theatre.send()
    assert (done.sent, done.held, subjects(theatre)) == (1, {"quiet-day": 1}, ["Votre venue"])
    assert done.again == datetime(2026, 3, 15, 23, tzinfo=UTC)


def test_a_reason_of_the_persons_own_is_told_even_at_night(theatre: Theatre) -> None:
    theatre.people[1] = person(1, newsletter="unsubscribed")
    approved(theatre, [1])
    theatre.send()
    theatre.limits = Limits(quiet_hours="9:00 to 12:00")
    assert theatre.send().held == {"unsubscribed": 1}


def test_a_day_has_room_for_so_many_and_keeps_some_for_practical_information(theatre: Theatre) -> None:
    theatre.fill(33)
    theatre.limits = Limits(per_day=20, quiet_hours="21:00 to 6:00")
    theatre.rules = [rule("perdus", mail()), rule("infos", mail("infos"))]
    theatre.decide({"perdus": range(1, 31)})
    theatre.approve("perdus")
    done = theatre.send()
    assert (done.sent, done.held) == (18, {"day-full": 12})
    assert done.again == datetime(2026, 3, 15, 5, tzinfo=UTC), "tomorrow, after the quiet hours"
    theatre.decide({"perdus": range(1, 31), "infos": [31, 32, 33]})
    theatre.approve("infos")
    done = theatre.send()
    assert (done.sent, done.held) == (2, {"day-full": 13})
    theatre.now = done.again or NOW
    assert theatre.send().sent == 13


def test_a_day_is_filled_to_the_last_place_over_several_pages(theatre: Theatre) -> None:
    theatre.fill(90)
    theatre.limits = Limits(per_day=60)
    approved(theatre, range(1, 91))
    tried = iter(range(90))

    def some_refused(_message: object) -> str:
        if next(tried) % 10 == 9:
            raise RefusedForNow("smtp-refused-now", answer="451 4.3.0 later")
        return "250 taken"

    theatre.mailer.answer = some_refused
    done = theatre.send()
    assert (done.sent, done.later) == (54, 5), "a tenth is kept; what was refused takes no place"
    assert theatre.send().sent == 0


def test_a_new_sender_begins_slowly(theatre: Theatre) -> None:
    theatre.fill(34)
    theatre.limits = Limits(first_day=5, per_person="none")
    approved(theatre, range(1, 35))
    sent = []
    for _ in range(5):
        done = theatre.send()
        sent.append(done.sent)
        theatre.later(days=1)
    assert sent == [5, 9, 17, 3, 0], "9 of 10, 17 of 18: the rest is kept for practical information"
    theatre.limits = Limits(first_day=5, per_person="none")
    theatre.later(days=31)
    theatre.rules = [*theatre.rules, rule("encore", mail())]
    approved(theatre, range(1, 35))
    done = theatre.send()
    assert (done.sent, done.held) == (5, {"slow-start": 29}), "silent for a month: it begins anew"


def test_what_was_sent_is_counted_again_after_a_crash(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 7 days")
    theatre.rules = [rule("un", mail()), rule("deux", mail())]
    approved(theatre, [1])

    def falls(_message: object) -> str:
        raise KeyboardInterrupt

    theatre.mailer.answer = falls
    with pytest.raises(KeyboardInterrupt):
        theatre.send()
    theatre.mailer.answer = lambda _message: "250"
    done = theatre.send()
    assert (done.sent, done.uncertain, done.held) == (0, 1, {"cap": 1}), "it may have arrived"


def test_mails_held_in_the_old_way_are_not_forgotten(theatre: Theatre) -> None:
    theatre.limits = Limits(per_person="1 in 7 days")
    theatre.rules = [rule("un", mail()), rule("deux", mail())]
    approved(theatre, [1])
    assert theatre.send().held == {"cap": 1}
    theatre.limits = Limits(per_person="none")
    assert theatre.send().sent == 1, "a limit that is lifted holds nothing back"
