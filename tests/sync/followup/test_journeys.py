"""Journeys over a season: what each day brings, and a machine of random seasons held against a small reference."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rules.conditions import Email
from rules.journeys import Step, due, latest
from sync.followup import outbox, standings, tables
from sync.people.tables import person
from sync.store import Store
from tests.sync.followup.season import PARIS, Key, Season


@pytest.fixture
def season(store: Store) -> Season:
    return Season(store)


def sent(season: Season) -> set[Key]:
    return {key for key, state in season.rows().items() if state == "sent"}


# --- one day after the other -----------------------------------------------------------------------------------------


def test_a_show_that_moves_takes_what_has_not_gone_with_it(season: Season) -> None:
    season.show("Ubu", "2026-03-28 20:00")
    season.book_seat("A", "Ubu")
    season.at("2026-03-26 08:00")
    season.run(approve=False)
    assert season.rows() == {("infos", "A", "Ubu"): "waiting"}
    season.show("Ubu", "2026-04-10 20:00")
    season.at("2026-03-27 08:00")
    assert season.run().taken_back == 1
    assert season.rows() == {("infos", "A", "Ubu"): "cancelled moved"}
    season.at("2026-04-08 08:00")
    assert season.run().done == 1
    assert sent(season) == {("infos", "A", "Ubu")}
    season.show("Ubu", "2026-04-20 20:00")  # what has gone does not go again
    season.at("2026-04-18 08:00")
    season.run()
    assert len(season.mailer.arrived) == 1


def test_a_cancelled_show_takes_back_what_waits(season: Season) -> None:
    season.show("Ubu", "2026-03-28 20:00")
    season.book_seat("A", "Ubu")
    season.at("2026-03-26 08:00")
    season.run(approve=False)
    season.cancelled.add("Ubu")
    season.run()
    assert season.rows() == {("infos", "A", "Ubu"): "cancelled occasion-gone"}


def test_hours_are_exact_on_the_night_the_clocks_change(season: Season) -> None:
    """A show at 04:30 on 29 March in Paris: three hours before was 00:30, since the hour from 2 to 3 was skipped."""
    season.show("Nuit", "2026-03-29 04:30")
    season.book_seat("A", "Nuit")
    season.at("2026-03-27 08:00")
    season.run()
    season.at("2026-03-29 00:29")
    assert season.run().done == 0
    season.at("2026-03-29 00:30")
    assert season.run().done == 1
    assert ("on-se-revoit", "A", "Nuit") in sent(season)


def test_who_came_decides_as_soon_as_it_is_known_and_not_after(season: Season) -> None:
    season.show("Ubu", "2026-03-26 20:00")
    for who in "ABC":
        season.book_seat(who, "Ubu")
    season.at("2026-03-26 21:00")
    season.run()
    season.at("2026-03-27 08:00")
    assert season.run().undecided == 3  # nobody was scanned yet
    season.came.add(("A", "Ubu"))
    season.at("2026-03-28 08:00")
    walked = season.run()
    assert (walked.done, walked.passed, walked.undecided) == (1, 2, 0)
    season.came.add(("B", "Ubu"))  # the scanner's list was corrected: it was judged at its time
    season.at("2026-03-29 08:00")
    assert season.run().done == 0
    assert sent(season) == {("infos#2", "A", "Ubu")}


def test_what_a_person_of_the_team_dropped_does_not_come_back_with_a_new_date(season: Season) -> None:
    season.show("Ubu", "2026-03-28 20:00")
    season.book_seat("A", "Ubu")
    season.at("2026-03-26 08:00")
    season.run(approve=False)
    with season.store.begin() as connection:
        (row,) = outbox.listed(connection, season.store.org)
        assert outbox.drop(connection, season.store.org, row.id, "Marie")
    season.show("Ubu", "2026-04-10 20:00")
    season.at("2026-04-08 08:00")
    season.run()
    assert season.rows() == {("infos", "A", "Ubu"): "cancelled dropped"}


def test_a_pause_takes_back_and_lists_nothing_of_its_time(season: Season) -> None:
    season.show("Ubu", "2026-03-28 20:00")
    season.show("Cyrano", "2026-04-20 20:00")
    for name in ("Ubu", "Cyrano"):
        season.book_seat("A", name)
    season.at("2026-03-26 08:00")
    season.run(approve=False)
    active = season.text
    season.text = active.replace("nom: Autour", "nom: Autour\n    actif: non")
    season.at("2026-03-27 08:00")
    season.run()
    assert season.rows() == {("infos", "A", "Ubu"): "cancelled rule-paused"}
    season.text = active
    season.at("2026-04-10 08:00")
    assert season.run().late == 0
    season.at("2026-04-18 08:00")
    season.run()
    assert sent(season) == {("infos", "A", "Cyrano")}


DEEDS = """
journeys:
  - name: Deeds
    around: each ticket
    steps:
      - {at: 1 day before, flag: Soon}
      - {at: the same day, task: "Greet {{ first_name }}", for: Marie}
      - {at: 1 day after, set: {Last show: seen}, no later than: 1 day}
"""


def test_a_step_may_flag_make_a_task_and_fill_a_column(season: Season) -> None:
    season.text = DEEDS
    season.show("Ubu", "2026-03-28 20:00")
    season.book_seat("A", "Ubu")
    worn, tasks, cells = [], [], []
    for day in ("03-26", "03-27", "03-28", "03-29", "03-30", "03-31", "04-01"):
        season.at(f"2026-{day} 08:00")
        season.run()
        with season.store.look() as connection:
            worn.append(standings.flags(connection, season.store.org)["flags"].to_list())
            tasks.append([row.assignee for row in standings.open_tasks(connection, season.store.org)])
            cells.append([row.value for row in standings.cells_to_set(connection, season.store.org)])
    assert worn == [[], [["Soon"]], [["Soon"]], [["Soon"]], [["Soon"]], [["Soon"]], []]
    assert tasks == [[], [], *[["Marie"]] * 5]
    assert cells == [[], [], [], *[["seen"]] * 4]


AWAY = """
journeys:
  - name: Not seen since
    around: first visit
    steps:
      - {at: 1 day after, flag: New}
      - {at: 30 days after, when: {visits: 1, next visit: never}, flag: Not seen since}
"""


def test_a_flag_of_a_step_that_asks_something_stays_as_long_as_it_is_true(season: Season) -> None:
    season.text = AWAY
    season.show("Ubu", "2026-03-28 20:00")
    season.show("Nuit", "2026-09-28 20:00")
    for who in "AB":
        season.book_seat(who, "Ubu")
    worn = {}
    for day in ("03-29", "04-28", "07-01", "09-01", "09-02"):
        if day == "09-02":
            season.book_seat("A", "Nuit")
        season.at(f"2026-{day} 08:00")
        season.run()
        with season.store.look() as connection:
            worn[day] = sorted(standings.flags(connection, season.store.org)["flags"].to_list())
    assert worn == {
        "03-29": [["New"], ["New"]],
        "04-28": [["New", "Not seen since"]] * 2,
        "07-01": [["Not seen since"]] * 2,
        "09-01": [["Not seen since"]] * 2,
        "09-02": [["Not seen since"]],
    }, "what asks nothing goes with the journey's end; what asks something goes when it is no longer true"


def test_a_task_goes_with_a_cancelled_show(season: Season) -> None:
    season.text = DEEDS
    season.show("Ubu", "2026-03-28 20:00")
    season.book_seat("A", "Ubu")
    season.at("2026-03-28 08:00")
    season.run()
    season.cancelled.add("Ubu")
    season.run()
    with season.store.look() as connection:
        assert standings.open_tasks(connection, season.store.org) == []
        assert standings.flags(connection, season.store.org).is_empty()


def test_a_task_of_somebody_who_was_merged_goes_with_the_show_too(season: Season) -> None:
    season.text = DEEDS
    season.show("Ubu", "2026-03-28 20:00")
    season.show("Nuit", "2026-06-28 20:00")
    season.book_seat("A", "Nuit")
    season.book_seat("B", "Ubu")
    season.at("2026-03-28 08:00")
    season.run()
    with season.store.begin() as connection:
        one, other = connection.scalars(sa.select(person.c.id).order_by(person.c.id)).all()
        connection.execute(sa.update(person).where(person.c.id == other).values(merged_into=one))
        standings.absorb(connection, season.store.org, {other: one})
    season.cancelled.add("Ubu")
    season.run()
    with season.store.look() as connection:
        assert standings.open_tasks(connection, season.store.org) == []


def test_people_made_one_get_no_step_twice(season: Season) -> None:
    season.show("Ubu", "2026-03-28 20:00")
    for who in "AB":
        season.book_seat(who, "Ubu")
    season.at("2026-03-26 08:00")
    season.run()
    assert len(season.mailer.arrived) == 2
    with season.store.begin() as connection:
        one, other = sorted(connection.scalars(sa.select(tables.journey_step.c.person_id)))
        standings.absorb(connection, season.store.org, {other: one})
        rows = connection.execute(sa.select(tables.journey_step).where(tables.journey_step.c.person_id == one)).all()
    assert len(rows) == 1


# --- a machine of random seasons -------------------------------------------------------------------------------------

PEOPLE, SHOWS = st.sampled_from("AB"), st.sampled_from(["Ubu", "Nuit"])
STARTS = {"Ubu": "2026-03-28 20:00", "Nuit": "2026-03-29 03:30"}


class Reference:
    """What ought to happen, said one step, person and show after the other."""

    def __init__(self) -> None:
        self.judged: dict[Key, tuple[datetime, str]] = {}
        self.waiting: set[Key] = set()
        self.late: set[Key] = set()
        self.sent: set[Key] = set()
        self.approved: set[str] = set()
        self.last: datetime | None = None

    def run(self, season: Season, *, sends: bool, approve: bool) -> None:
        now, since = season.now, self.last or season.now
        steps = season.book.journeys[0].steps
        every = [(step, who, name) for step in steps for who, name in season.tickets]
        for step, who, name in every:
            key = (step.name, who, name)
            time = due(step.at, season.shows[name], PARIS)
            stands = "booked" in season.tickets[who, name] and name not in season.cancelled
            if key in self.waiting | self.late and (not stands or self.judged[key][0] != time):
                self.waiting.discard(key)
                self.late.discard(key)
                del self.judged[key]
            elif key in self.waiting and self.verdict(season, step, who, name) is False:
                self.waiting.discard(key)
                self.judged[key] = (time, "skipped")
        for step, who, name in every:
            if "booked" in season.tickets[who, name] and name not in season.cancelled:
                self.judge(season, step, who, name, since)
        too_late = {key for key in self.waiting if self.end(season, key) < now}
        self.waiting -= too_late
        self.late |= too_late
        self.last = now
        if approve:
            self.approved |= {self.template(season, key) for key in self.waiting}
        if sends:
            self.send(season)

    def template(self, season: Season, key: Key) -> str:
        """What a person sees of a step and says yes to; nothing of what needs no yes."""
        action = season.book.journeys[0].step[key[0]].action
        return action.template if isinstance(action, Email) else ""

    def send(self, season: Season) -> None:
        """What waits goes, as long as it makes sense and a person has said yes to such an e-mail."""
        too_late = {key for key in self.waiting if self.end(season, key) < season.now}
        self.late |= too_late
        self.waiting -= too_late
        gone = {key for key in self.waiting if self.template(season, key) in self.approved | {""}}
        self.sent |= gone
        self.waiting -= gone

    def judge(self, season: Season, step: Step, who: str, name: str, since: datetime) -> None:
        key, time = (step.name, who, name), due(step.at, season.shows[name], PARIS)
        end = latest(step, season.shows[name], PARIS)
        if time > season.now or end < since or (key in self.judged and self.judged[key][0] == time):
            return
        verdict = self.verdict(season, step, who, name)
        if verdict is False:
            self.judged[key] = (time, "skipped")
        elif end < season.now:
            self.judged[key] = (time, "late")
            if key not in self.sent:
                self.late.add(key)
        elif verdict:
            self.judged[key] = (time, "done")
            if key not in self.sent:
                self.waiting.add(key)

    def verdict(self, season: Season, step: Step, who: str, name: str) -> bool | None:
        if step.when is None or (who, name) in season.came:
            return True
        return False if any(show == name for _, show in season.came) else None

    def end(self, season: Season, key: Key) -> datetime:
        step = season.book.journeys[0].step[key[0]]
        return latest(step, season.shows[key[2]], PARIS)


class Seasons(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.season = Season(Store.open(f"sqlite:///{self.place.name}/m.db", "phare", datetime(2026, 3, 1, tzinfo=UTC)))
        self.reference = Reference()
        self.crashed = False
        self.checked: set[str] = set()
        self.cuts: list[tuple[datetime, dict[str, datetime]]] = []
        self.fate: list[str] = []
        self.left: list[EmailMessage] = []
        self.seen = dict(self.season.shows)
        self.season.mailer.answer = self.answer

    def teardown(self) -> None:
        self.season.store.close()
        self.place.cleanup()

    def answer(self, message: EmailMessage) -> str:
        self.left.append(message)
        if self.fate and self.fate.pop() == "crash":
            self.crashed = True
            self.cuts.append((self.season.now, dict(self.seen)))
            raise KeyboardInterrupt
        return "250"

    @initialize()
    def shows_are_planned(self) -> None:
        for name, text in STARTS.items():
            self.season.show(name, text)
        for who in "AB":
            self.season.book_seat(who, "Ubu")

    @rule(who=PEOPLE, name=SHOWS, status=st.sampled_from(["booked", "booked", "pending"]))
    def book(self, who: str, name: str, status: str) -> None:
        self.season.book_seat(who, name, status)

    @rule(who=PEOPLE, name=SHOWS)
    def refund(self, who: str, name: str) -> None:
        if (who, name) in self.season.tickets:
            self.season.tickets[who, name] = ["cancelled"]

    @rule(name=SHOWS, hours=st.sampled_from([-26, -3, 1, 24, 24 * 6]))
    def move(self, name: str, hours: int) -> None:
        self.season.shows[name] += timedelta(hours=hours)

    @rule(name=SHOWS)
    def cancel_or_not(self, name: str) -> None:
        self.season.cancelled ^= {name}

    @rule(who=PEOPLE, name=SHOWS)
    def come(self, who: str, name: str) -> None:
        if (who, name) in self.season.tickets:  # nobody is scanned without one
            self.season.came.add((who, name))

    @rule(hours=st.sampled_from([0.4, 1, 5, 24, 24, 48, 24 * 9]))
    def time_passes(self, hours: float) -> None:
        self.season.later(hours=hours)

    @rule(
        name=SHOWS, number=st.integers(0, 3), minutes=st.sampled_from([-1, 0, 25, 120]), approve=st.booleans()
    )  # fmt: skip
    def run_about_the_time_of_a_step(self, name: str, number: int, minutes: int, *, approve: bool) -> None:
        """Else few lives would meet a step that has an hour or two only."""
        time = due(self.season.book.journeys[0].steps[number].at, self.season.shows[name], PARIS)
        self.season.now = max(self.season.now, time + timedelta(minutes=minutes))
        self.run(approve, [])

    @rule(approve=st.booleans(), fate=st.lists(st.sampled_from(["ok", "ok", "ok", "crash"]), max_size=3))
    def run(self, approve: bool, fate: list[str]) -> None:  # noqa: FBT001  drawn by hypothesis
        self.decide(approve=approve)
        self.fate = fate
        with suppress(KeyboardInterrupt):
            self.season.send()
        self.fate = []

    @rule()
    def killed_before_sending(self) -> None:
        self.decide(approve=False, killed=True)

    @rule()
    def run_twice(self) -> None:
        self.run(approve=True, fate=[])
        count = len(self.left)
        self.run(approve=True, fate=[])
        assert len(self.left) == count

    @precondition(lambda self: self.season.number > 0)
    @rule()
    def send_again(self) -> None:
        """As after a kill: what was decided goes, as long as it is in time; what has moved since is not known yet."""
        shows, self.season.shows = self.season.shows, self.seen
        self.reference.send(self.season)
        self.season.send()
        self.season.shows = shows

    def decide(self, *, approve: bool, killed: bool = False) -> None:
        self.season.run(approve=approve, send=False)
        self.seen = dict(self.season.shows)
        self.reference.run(self.season, sends=not killed, approve=approve)

    @invariant()
    def nobody_twice(self) -> None:
        assert max(Counter(str(message["Message-ID"]) for message in self.left).values(), default=1) == 1
        assert max(Counter(self.season.called).values(), default=1) == 1

    @invariant()
    def in_its_time(self) -> None:
        if not self.season.number:
            return
        steps = self.season.book.journeys[0].step
        with self.season.store.look() as connection:
            rows = outbox.listed(connection, self.season.store.org, ["sent", "uncertain"])
        for row in rows:
            if row.id not in self.checked:
                self.checked.add(row.id)
                show, step = row.occasion.rpartition("/")[2], steps[row.step]
                # one that was cut off left then, whenever a later run settled it and wherever its show is by now
                moments = [(row.settled_at, self.seen)] if row.state == "sent" else self.cuts
                assert any(
                    due(step.at, starts[show], PARIS) <= at <= latest(step, starts[show], PARIS)
                    for at, starts in moments
                )

    @invariant()
    def as_the_reference_says(self) -> None:
        if self.season.number and not self.crashed:
            found = self.season.rows()
            assert {key for key, state in found.items() if state in {"sent", "done"}} == self.reference.sent
            assert {key for key, state in found.items() if state == "held too-late"} == self.reference.late


def live(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Seasons,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
            phases=(Phase.reuse, Phase.generate),  # making a season shorter takes minutes
        ),
    )  # fmt: skip


def test_random_seasons() -> None:
    live(12, 20)


@pytest.mark.long
def test_many_random_seasons() -> None:
    live(400, 50)
