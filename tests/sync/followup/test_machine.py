"""A machine that lives a theatre's life at random: people come and go, unsubscribe, runs crash, mail servers fail.

Always: nobody gets the e-mail of one occasion twice; nobody who said no, or has no right address, gets marketing; what
goes was approved; each e-mail that went was inside its rule when it left; nobody gets one e-mail from two rules soon
after each other; nobody gets more than the cap, nothing goes in quiet hours or beyond a day's number; and what nothing
stands in the way of goes.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from connectors.mail.mailer import AnswerLost, RefusedForGood, RefusedForNow
from connectors.trouble import TryLater
from rules.conditions import Email, Flag, Period
from sync.followup import outbox
from sync.followup.consent import Purpose, right
from sync.followup.tables import GONE_STATES
from sync.limits import Limits
from sync.store import Store
from tests.sync.followup import theatre as house

PEOPLE = st.integers(1, 5)
LIMITS = Limits(per_person="1 in 7 days", quiet_hours="21:00 to 6:00", quiet_days=["sunday"], per_day=3)
CAP, DAYS, PER_DAY, SUNDAY, APART = 1, 7, 3, 6, 25
FATES = st.lists(st.sampled_from(["ok", "ok", "lost", "later", "never", "down", "crash"]), max_size=4)
TROUBLES = {
    "lost": AnswerLost("smtp-answer-lost", host="x"),
    "later": RefusedForNow("smtp-refused-now", answer="450"),
    "never": RefusedForGood("smtp-refused", answer="550"),
    "down": TryLater("smtp-down", host="x", detail="y"),
}


class Gone(NamedTuple):
    """An e-mail that left, at a local time."""

    message: str
    person: int
    rule: str
    at: datetime


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.theatre = house.Theatre(Store.open(f"sqlite:///{self.place.name}/m.db", "phare", house.NOW))
        self.theatre.fill(5)
        again = Email("on-se-revoit", wait=Period(1, "day"), again=Period(2, "month"))
        self.theatre.people[5] = house.person(5, email="P4@example.org")
        self.theatre.limits, self.theatre.apart = LIMITS, Period(APART, "day")
        names = {"perdus": Email("on-se-revoit"), "amis": again, "infos": Email("infos")}
        self.theatre.rules = [house.rule(name, Flag(name), email) for name, email in names.items()]
        self.inside: dict[str, set[int]] = {"perdus": {1, 2, 4}, "amis": {2, 3, 5}, "infos": {1, 2, 4, 5}}
        self.decided: dict[str, set[int]] = {name: set() for name in names}
        self.stale: set[str] = set()
        self.approved: set[str] = set()
        self.fate: list[str] = []
        self.crash = False
        self.left: list[Gone] = []  # whatever left, whether we were told or not
        self.theatre.mailer.answer = self.answer

    def teardown(self) -> None:
        self.theatre.store.close()
        self.place.cleanup()

    def answer(self, message: EmailMessage) -> str:
        fate = self.fate.pop() if self.fate else "ok"
        if fate in {"later", "never", "down"}:
            raise TROUBLES[fate]
        gone = self.gone(message)
        self.may_go(gone)
        self.left.append(gone)
        if fate == "lost":
            raise TROUBLES["lost"]
        if fate == "crash":
            raise KeyboardInterrupt
        return "250"

    def gone(self, message: EmailMessage) -> Gone:
        with self.theatre.store.look() as connection:
            (row,) = outbox.listed(connection, self.theatre.store.org, ["sending"])
        return Gone(str(message["Message-ID"]), row.person_id, row.rule, self.theatre.now.astimezone(house.ZONE))

    def may_go(self, gone: Gone) -> None:
        facts = self.theatre.people[gone.person]
        assert not facts.get("do_not_contact")
        assert not facts.get("bounced")
        assert any(gone.person in self.decided[name] for name in self.approved)
        assert 6 <= gone.at.hour < 21
        assert sum(one.at.date() == gone.at.date() for one in self.left) < PER_DAY
        if gone.rule == "infos":
            return
        if gone.rule == "perdus":
            before = [one for one in self.left if (one.rule, one.person) == ("perdus", gone.person)]
            assert all(one.message == gone.message or (gone.at.date() - one.at.date()).days >= APART for one in before)
        others = [one for one in self.left if one.rule not in {"infos", gone.rule}]
        theirs = [one for one in others if self.same_reader(one.person, gone.person)]
        assert all((gone.at.date() - one.at.date()).days >= APART for one in theirs)
        assert facts["newsletter"] == "subscribed"
        assert "unsubscribed" not in facts.get("suppressed", {})
        assert gone.at.weekday() != SUNDAY
        lately = [one for one in self.left if one.rule != "infos" and (gone.at.date() - one.at.date()).days < DAYS]
        assert sum(self.same_reader(one.person, gone.person) for one in lately) < CAP

    def same_reader(self, one: int, other: int) -> bool:
        return one == other or {one, other} == {4, 5}

    @rule(name=st.sampled_from(["perdus", "amis", "infos"]), person=PEOPLE)
    def move(self, name: str, person: int) -> None:
        self.inside[name] ^= {person}

    @rule(person=PEOPLE, newsletter=st.sampled_from(["subscribed"] * 3 + ["unsubscribed", "none"]))
    def say(self, person: int, newsletter: str) -> None:
        self.theatre.people[person] = {**self.theatre.people[person], "newsletter": newsletter}

    @rule(person=PEOPLE)
    def refuse(self, person: int) -> None:
        facts = self.theatre.people[person]
        self.theatre.people[person] = {**facts, "do_not_contact": not facts.get("do_not_contact")}

    @rule(person=PEOPLE, reason=st.sampled_from(["unsubscribed", "bounced"]))
    def come_back(self, person: int, reason: str) -> None:
        """An address is suppressed, or taken off the list again."""
        facts = self.theatre.people[person]
        known = facts.get("suppressed", {})
        left = {name: at for name, at in known.items() if name != reason}
        now = left if reason in known else {**known, reason: self.theatre.now}
        self.theatre.people[person] = {**facts, "suppressed": now, "bounced": "bounced" in now}

    @rule(hours=st.sampled_from([1, 5, 13, 24, 24 * 6, 24 * 20, 24 * 70]))
    def wait(self, hours: int) -> None:
        self.theatre.later(hours=hours)

    @rule(
        stale=st.sampled_from([{}, {}, {}, {"perdus": "billetterie"}]),
        approved=st.sampled_from(["", "perdus", "amis", "infos"]),
    )
    def decide(self, stale: dict[str, str], approved: str) -> None:
        self.theatre.decide(self.inside, stale=stale)
        self.stale = set(stale)
        self.decided = {name: set(people) for name, people in self.inside.items()}
        if self.theatre.approve(approved):
            self.approved.add(approved)

    @initialize()
    def season_begins(self) -> None:
        """Something may go from the first day on; else most lives end before their first e-mail."""
        for name in ("infos", "perdus"):
            self.decide({}, name)

    @rule(fate=FATES)
    def two_days_running(self, fate: list[str]) -> None:
        """What one run leaves in doubt, the next must leave alone."""
        for approved, met in (("amis", fate), ("perdus", [])):
            self.decide({}, approved)
            self.send(met)

    @rule(person=PEOPLE, days=st.integers(3, 6))
    def come_and_go(self, person: int, days: int) -> None:
        for _ in range(2):
            self.move("perdus", person)
            self.decide({}, "perdus")
            self.calm_days(days)

    @rule(fate=FATES)
    def send(self, fate: list[str]) -> None:
        self.fate = fate
        with suppress(KeyboardInterrupt):
            self.theatre.send()
        self.fate = []

    @rule(days=st.integers(1, 9))
    def calm_days(self, days: int) -> None:
        """Whatever still waits after a sending in the daytime has something standing in its way."""
        for _ in range(days):
            self.theatre.later(days=1)
            self.theatre.now = self.theatre.now.astimezone(house.ZONE).replace(hour=12).astimezone(UTC)
            self.theatre.send()
            for row in self.open():
                assert self.in_the_way(row), (row.rule, row.person_id, row.state, row.reason)

    def open(self) -> list[Any]:
        with self.theatre.store.look() as connection:
            rows = outbox.listed(connection, self.theatre.store.org, ["approved", "held"])
        now = self.theatre.now
        return [row for row in rows if row.approved_at and row.not_before <= now <= row.no_later_than]

    def in_the_way(self, row: Any) -> bool:
        now, facts = self.theatre.now.astimezone(house.ZONE), self.theatre.people[row.person_id]
        purpose: Purpose = "service" if row.rule == "infos" else "marketing"
        if row.rule in self.stale or right(facts, purpose, "gdpr", now.date()).reason:
            return True
        with self.theatre.store.look() as connection:
            gone = outbox.listed(connection, self.theatre.store.org, GONE_STATES)
        days = {each.id: (now.date() - each.settled_at.astimezone(house.ZONE).date()).days for each in gone}
        if sum(since == 0 for since in days.values()) >= PER_DAY:
            return True
        readers = [each for each in gone if self.same_reader(each.person_id, row.person_id)]
        if any(each.rule == row.rule and each.person_id != row.person_id for each in readers):
            return True  # somebody else at this address has it
        lately = [each for each in readers if each.purpose == "marketing" and days[each.id] < DAYS]
        return purpose == "marketing" and (now.weekday() == SUNDAY or len(lately) >= CAP)

    @invariant()
    def nobody_twice(self) -> None:
        assert max(Counter(one.message for one in self.left).values(), default=1) == 1

    @invariant()
    def all_that_left_is_on_the_books(self) -> None:
        with self.theatre.store.look() as connection:
            found = outbox.listed(connection, self.theatre.store.org, ["sent", "uncertain", "sending"])
        assert {one.message for one in self.left} == {row.message_id for row in found}


def live(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_a_theatres_life() -> None:
    live(16, 25)


@pytest.mark.long
def test_many_theatres_lives() -> None:
    live(400, 60)
