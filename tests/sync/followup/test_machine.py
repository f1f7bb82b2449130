"""A machine that lives a theatre's life at random: people come and go, unsubscribe, runs crash, mail servers fail.

Always: nobody gets the e-mail of one occasion twice; nobody who said no, or has no right address, gets marketing; what
goes was approved; each e-mail that went was inside its rule when it left.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from connectors.mail.mailer import AnswerLost, RefusedForGood, RefusedForNow
from connectors.trouble import TryLater
from rules.conditions import Email, Flag, Period
from sync.followup import outbox
from sync.store import Store
from tests.sync.followup import theatre as house

PEOPLE = st.integers(1, 5)
FATES = st.lists(st.sampled_from(["ok", "ok", "lost", "later", "never", "down", "crash"]), max_size=4)
TROUBLES = {
    "lost": AnswerLost("smtp-answer-lost", host="x"),
    "later": RefusedForNow("smtp-refused-now", answer="450"),
    "never": RefusedForGood("smtp-refused", answer="550"),
    "down": TryLater("smtp-down", host="x", detail="y"),
}


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.theatre = house.Theatre(Store.open(f"sqlite:///{self.place.name}/m.db", "phare", house.NOW))
        self.theatre.fill(5)
        again = Email("on-se-revoit", wait=Period(1, "day"), again=Period(2, "month"))
        self.theatre.rules = [house.rule("perdus", Flag("x"), Email("on-se-revoit")), house.rule("amis", again)]
        self.inside: dict[str, set[int]] = {"perdus": {1, 2, 3}, "amis": {2, 3, 4}}
        self.decided: dict[str, set[int]] = {"perdus": set(), "amis": set()}
        self.approved: set[str] = set()
        self.fate: list[str] = []
        self.crash = False
        self.left: list[EmailMessage] = []  # whatever left, whether we were told or not
        self.theatre.mailer.answer = self.answer

    def teardown(self) -> None:
        self.theatre.store.close()
        self.place.cleanup()

    def answer(self, message: EmailMessage) -> str:
        fate = self.fate.pop() if self.fate else "ok"
        if fate in {"later", "never", "down"}:
            raise TROUBLES[fate]
        self.may_go(message)
        self.left.append(message)
        if fate == "lost":
            raise TROUBLES["lost"]
        if fate == "crash":
            raise KeyboardInterrupt
        return "250"

    def may_go(self, message: EmailMessage) -> None:
        person = int(message["To"].addresses[0].addr_spec[1:].partition("@")[0])
        facts = self.theatre.people[person]
        assert facts["newsletter"] == "subscribed"
        assert not facts.get("do_not_contact")
        assert any(person in self.decided[name] for name in self.approved)

    @rule(name=st.sampled_from(["perdus", "amis"]), person=PEOPLE)
    def move(self, name: str, person: int) -> None:
        self.inside[name] ^= {person}

    @rule(person=PEOPLE, newsletter=st.sampled_from(["subscribed"] * 3 + ["unsubscribed", "bounced", "none"]))
    def say(self, person: int, newsletter: str) -> None:
        self.theatre.people[person] = {**self.theatre.people[person], "newsletter": newsletter}

    @rule(person=PEOPLE)
    def refuse(self, person: int) -> None:
        facts = self.theatre.people[person]
        self.theatre.people[person] = {**facts, "do_not_contact": not facts.get("do_not_contact")}

    @rule(hours=st.sampled_from([1, 24, 24 * 20, 24 * 70]))
    def wait(self, hours: int) -> None:
        self.theatre.later(hours=hours)

    @rule(
        stale=st.sampled_from([{}, {}, {}, {"perdus": "billetterie"}]), approved=st.sampled_from(["", "perdus", "amis"])
    )
    def decide(self, stale: dict[str, str], approved: str) -> None:
        self.theatre.decide(self.inside, stale=stale)
        self.decided = {name: set(people) for name, people in self.inside.items()}
        if self.theatre.approve(approved):
            self.approved.add(approved)

    @initialize()
    def season_begins(self) -> None:
        """Something may go from the first day on; else most lives end before their first e-mail."""
        self.decide({}, "perdus")

    @rule(fate=FATES)
    def two_days_running(self, fate: list[str]) -> None:
        """What one run leaves in doubt, the next must leave alone."""
        for approved, met in (("amis", fate), ("perdus", [])):
            self.decide({}, approved)
            self.send(met)

    @rule(fate=FATES)
    def send(self, fate: list[str]) -> None:
        self.fate = fate
        with suppress(KeyboardInterrupt):
            self.theatre.send()
        self.fate = []

    @invariant()
    def nobody_twice(self) -> None:
        assert max(Counter(str(message["Message-ID"]) for message in self.left).values(), default=1) == 1

    @invariant()
    def all_that_left_is_on_the_books(self) -> None:
        with self.theatre.store.look() as connection:
            found = outbox.listed(connection, self.theatre.store.org, ["sent", "uncertain", "sending"])
        assert {str(message["Message-ID"]) for message in self.left} == {row.message_id for row in found}


def live(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_a_theatres_life() -> None:
    live(20, 25)


@pytest.mark.long
def test_many_theatres_lives() -> None:
    live(400, 60)
