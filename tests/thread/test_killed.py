"""`kill -9` at any instant of `filrouge run`, then `run` again: the end is the same as without the kill."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.smtp import Post, server
from tests.thread.bigger import Bigger, Books
from tests.thread.forked import Commands, Ended, commands
from tests.thread.small import TODAY

RUN = ("run", "--json", "--today", TODAY)
MOST_RUNS = 4


@dataclass
class Case:
    """A folder as it stood before a command, and how everything stood when nobody killed it."""

    before: Path
    command: tuple[str, ...]
    whole: Ended
    after: dict[str, Any]

    @property
    def points(self) -> list[str]:
        return self.whole.points


class Lives:
    """The same history again and again, with another death in it each time."""

    def __init__(self, give: Commands, place: Path) -> None:
        self.give, self.place, self.count = give, place, 0

    def copy(self, of: Path) -> Bigger:
        self.count += 1
        return Bigger.at(Path(shutil.copytree(of, self.place / f"life{self.count}")))

    def case(self, before: Bigger, command: tuple[str, ...]) -> Case:
        one = self.copy(before.folder)
        whole = self.give(one.folder, *command, told=True)
        assert whole.code in (0, 7), whole.erred
        self.to_the_end(one)
        return Case(before.folder, command, whole, one.everything())

    def to_the_end(self, one: Bigger) -> None:
        for _ in range(MOST_RUNS):
            ended = self.give(one.folder, *RUN)
            if ended.code != 1:
                assert ended.code in (0, 7), ended.erred
                return
        raise AssertionError(f"no end in sight: {ended.said} {ended.erred}")

    def dies(self, case: Case, **death: Any) -> bool:
        """Kill the command so; then let it run, and compare. False where it was done before death came."""
        one = self.copy(case.before)
        ended = self.give(one.folder, *case.command, **death)
        assert ended.killed or ended.code in (0, 7), ended.erred
        self.to_the_end(one)
        told = f"killed {death}" + (f" {case.points[death['at'] - 1]}" if "at" in death else "")
        assert different(case.after, one.everything()) == {}, told
        shutil.rmtree(one.folder)
        return ended.killed


def different(wanted: Any, found: Any) -> Any:
    """Only what differs."""
    if isinstance(wanted, Counter):
        return {row: (wanted[row], found[row]) for row in wanted.keys() | found.keys() if wanted[row] != found[row]}
    if isinstance(wanted, dict):
        parts = {key: different(wanted.get(key), found.get(key)) for key in wanted.keys() | found.keys()}
        return {key: part for key, part in parts.items() if part}
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        parts = {place: different(one, other) for place, (one, other) in enumerate(zip(wanted, found, strict=True))}
        return {place: part for place, part in parts.items() if part}
    return {} if wanted == found else (wanted, found)


@pytest.fixture(scope="module")
def give() -> Iterator[Commands]:
    with commands() as given:
        yield given


@pytest.fixture(scope="module")
def lives(give: Commands, tmp_path_factory: pytest.TempPathFactory) -> Lives:
    return Lives(give, tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="module")
def first(lives: Lives) -> Case:
    """The very first run, into a workbook that the team began long ago."""
    return lives.case(Bigger(lives.place / "first"), RUN)


def a_week_later(lives: Lives, name: str, port: int | None = None) -> Bigger:
    """Runs behind it, mails approved, new tickets, and the team at work."""
    later = Bigger(lives.place / name)
    if port:
        served = f"type: smtp, host: localhost, port: {port}, security: none, limits: {{quiet_hours: none}}, from"
        later.change("config.yaml", "type: folder, folder: outbox/, from", served)
    assert lives.give(later.folder, *RUN).code == 7
    later.take_away(30)
    assert lives.give(later.folder, *RUN).code == 7
    assert lives.give(later.folder, "approve", "perdus-de-vue").code == 0
    later.news()
    return later


@pytest.fixture(scope="module")
def second(lives: Lives) -> Case:
    return lives.case(a_week_later(lives, "second"), RUN)


def some_of_each(points: list[str], most: int) -> list[int]:
    """Crossings, each kind of them among the first, then spread evenly."""
    kinds = {name: place for place, name in enumerate(points, 1) if name.startswith(("before s", "after s", "after r"))}
    step = max(1, len(points) // max(1, most - len(kinds)))
    return sorted({*kinds.values(), *range(step // 2 + 1, len(points) + 1, step)})[:most]


def test_all_that_stands_there_is_told(second: Case) -> None:
    """The measure itself: mails went, rows and corrections and flags stand there, and nothing is half done."""
    store = second.after["store"]
    assert sum(second.after["mails"].values()) == len(second.after["mails"]) >= 8
    assert all(
        store[name] for name in ("person", "fact", "profile", "standing", "flag", "outbox", "correction", "task")
    )
    assert not store["sheet_intent"]
    assert {"before commit", "after replace", "before send", "after fsync"} <= set(second.points)


def test_killed_in_the_first_run(lives: Lives, first: Case) -> None:
    assert all(lives.dies(first, at=at) for at in some_of_each(first.points, 5))


def test_killed_a_week_later(lives: Lives, second: Case) -> None:
    assert all(lives.dies(second, at=at) for at in some_of_each(second.points, 7))


@pytest.mark.long
def test_killed_at_every_point_of_the_first_run(lives: Lives, first: Case) -> None:
    assert all(lives.dies(first, at=at) for at in range(1, len(first.points) + 1))


@pytest.mark.long
def test_killed_at_every_point_a_week_later(lives: Lives, second: Case) -> None:
    assert all(lives.dies(second, at=at) for at in range(1, len(second.points) + 1))


@pytest.mark.long
def test_killed_at_two_hundred_instants(lives: Lives, first: Case, second: Case) -> None:
    chance = random.Random(200)
    for case in (first, second):
        killed, seconds = 0, case.whole.seconds
        while killed < 100:
            if lives.dies(case, after=chance.uniform(0, seconds)):
                killed += 1
            else:  # it had ended: runs are quicker now than the one that was measured
                seconds *= 0.98


# --- through a mail server ---------------------------------------------------------------------------------------------


@dataclass
class Served:
    """A week later, with a mail server; `case.after` has every e-mail sent."""

    lives: Lives
    post: Post
    case: Case

    def dies(self, at: int) -> bool:
        """Each person has the e-mail at most once, and it is known of whom it is not known. True if somebody's is not."""
        one, before = self.lives.copy(self.case.before), len(self.post.recipients)
        assert self.lives.give(one.folder, *RUN, at=at).killed
        self.lives.to_the_end(one)
        arrived = Counter(self.post.recipients[before:])
        states = Counter(
            dict(Books(one.folder / "filrouge.db").ask("SELECT state, count(*) FROM outbox GROUP BY state"))
        )
        told = f"killed at {at} {self.case.points[at - 1]}: {states}"
        assert set(arrived.values()) == {1}, told
        assert states["sent"] <= len(arrived) <= states["sent"] + states["uncertain"] == self.wanted, told
        assert states["uncertain"] <= 1, told
        found = one.everything()
        found["store"]["outbox"] = self.case.after["store"]["outbox"]
        assert different(self.case.after, found) == {}, told
        shutil.rmtree(one.folder)
        return states["uncertain"] == 1

    @property
    def wanted(self) -> int:
        return int(self.case.whole.facts["mail"]["sent"])

    @property
    def sending(self) -> range:
        """From the first claim to the last settlement."""
        sends = [place for place, name in enumerate(self.case.points, 1) if name.endswith(" send")]
        return range(sends[0] - 4, sends[-1] + 4)


@pytest.fixture(scope="module")
def served(lives: Lives) -> Iterator[Served]:
    post = Post()
    with server(post) as port:
        yield Served(lives, post, lives.case(a_week_later(lives, "served", port), RUN))


def test_killed_while_a_mail_server_listens(served: Served) -> None:
    one = served.case.points.index("after send") + 1
    assert [served.dies(at) for at in (one - 8, one)] == [True, True]


@pytest.mark.long
def test_killed_at_every_line_told_to_a_mail_server(served: Served) -> None:
    uncertain = [served.dies(at) for at in served.sending]
    assert served.wanted < sum(uncertain) < len(uncertain)
