"""kill -9 while e-mails leave through a real SMTP server, and two senders at once: nobody gets two, and every one is
accounted for.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from email import message_from_bytes
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from connectors.mail.folder import Folder, FolderSettings
from connectors.mail.mailer import Mailer
from connectors.mail.smtp import Smtp, SmtpSettings
from connectors.source import Setting
from rules.conditions import Email
from sync.followup import outbox
from sync.followup.leaving import Leaving, Row, leaving
from sync.followup.pacing import Pace
from sync.followup.send import send_due
from sync.followup.tables import outbox as outbox_table
from sync.limits import Limits
from sync.messages import sentences
from sync.store import Store
from tests.fakes.smtp import Post, server
from tests.sync.followup.theatre import HOUSE, NOW, ZONE, Theatre, person, rule, templates
from tests.sync.store.databases import new_database, postgres, postgres_folder

HAVE = ["sqlite", *(["postgresql"] if postgres_folder() else [])]


def send(url: str, mailer: Mailer, run: int) -> None:
    store = Store.open(url, "phare", NOW)
    try:
        done = send_due(
            store, mailer, run, lambda: NOW,
            people=lambda ids: {i: person(i) for i in ids}, templates=templates(), house=HOUSE,
        )  # fmt: skip
        assert done.trouble is None
    finally:
        mailer.close()
        store.close()


def in_a_process(url: str, mailer: Mailer, run: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            send(url, mailer, run)
            os._exit(0)
        finally:
            os._exit(1)
    return child


def meeting(mailer: Smtp, both: Barrier) -> Mailer:
    """Hands over its first e-mail once the other one has its own in hand too, however busy the machine is."""
    hand_over, met = mailer.send, False

    def send(*args: Any, **more: Any) -> Any:
        nonlocal met
        if not met:
            both.wait(60)
            met = True
        return hand_over(*args, **more)

    mailer.send = send  # type: ignore[method-assign]  # this one alone
    return mailer


def killed(url: str, mailer: Mailer, kills: int, chance: random.Random, count: Callable[[], int]) -> int:
    """Start sending and kill it, so many times, each time after some e-mails; then let it finish. Gives how many runs
    died at work.
    """
    at_work = 0
    for run in range(1, kills + 1):
        before, some = count(), chance.randint(1, 5)
        child = in_a_process(url, mailer, run)
        while count() < before + some and os.waitpid(child, os.WNOHANG) == (0, 0):
            time.sleep(0.0005)
        time.sleep(chance.uniform(0.0, 0.01))  # the instant of death is the experiment
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            at_work += 1
    child = in_a_process(url, mailer, kills + 1)
    assert os.waitpid(child, 0)[1] == 0
    return at_work


def prepared(place: Path, people: int, url: str = "") -> str:
    url = url or f"sqlite:///{place / 'kill.db'}"
    theatre = Theatre(Store.open(url, "phare", NOW))
    theatre.fill(people)
    theatre.decide({"perdus": theatre.people})
    assert theatre.approve() == people
    theatre.store.close()
    sentences("fr")  # read once for all that is forked
    return url


def states(url: str) -> Counter[str]:
    store = Store.open(url, "phare", NOW)
    with store.look() as connection:
        found = Counter[str]()
        for (state, _), n in outbox.counts(connection, store.org).items():
            found[state] += n
    store.close()
    return found


def smtp(place: Path, port: int) -> Smtp:
    told = {"host": "localhost", "port": port, "security": "none", "from": HOUSE.sender}
    return Smtp(SmtpSettings.model_validate(told), Setting("mail", place))


def through_smtp(place: Path, people: int, kills: int) -> None:
    post = Post()
    url = prepared(place, people)
    with server(post) as port:
        mailer = smtp(place, port)
        at_work = killed(url, mailer, kills, random.Random(kills), lambda: len(post.arrived))
    arrived = Counter(post.recipients)
    assert set(arrived.values()) == {1}
    found = states(url)
    assert found["sent"] + found["uncertain"] == people
    assert set(found) <= {"sent", "uncertain"}
    assert found["sent"] <= len(arrived) <= found["sent"] + found["uncertain"]
    assert found["uncertain"] <= at_work
    assert at_work > kills // 2


def test_killed_while_sending_through_smtp(tmp_path: Path) -> None:
    through_smtp(tmp_path, people=60, kills=12)


@pytest.mark.long
def test_killed_five_hundred_times_while_sending_two_thousand_through_smtp(tmp_path: Path) -> None:
    through_smtp(tmp_path, people=2_000, kills=500)


@pytest.mark.parametrize("database", HAVE)
def test_two_senders_at_once_write_to_nobody_twice(tmp_path: Path, database: str) -> None:
    post = Post()
    with ExitStack() as stack:
        url = "" if database == "sqlite" else new_database(stack.enter_context(postgres()))
        url = prepared(tmp_path, 100, url)
        port = stack.enter_context(server(post))
        both = multiprocessing.get_context("fork").Barrier(2)
        children = [in_a_process(url, meeting(smtp(tmp_path, port), both), run) for run in (1, 2)]
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
        assert states(url) == {"sent": 100}
    assert post.connections == 2
    assert set(Counter(post.recipients).values()) == {1}
    assert len(post.recipients) == 100


@pytest.mark.parametrize("database", HAVE)
def test_two_senders_at_once_do_not_pass_a_persons_cap_together(tmp_path: Path, database: str) -> None:
    with ExitStack() as stack:
        url = "" if database == "sqlite" else new_database(stack.enter_context(postgres()))
        theatre = Theatre(Store.open(url or f"sqlite:///{tmp_path / 'cap.db'}", "phare", NOW))
        stack.callback(theatre.store.close)
        theatre.fill(1)
        theatre.rules = (rule("perdus"), rule("saison", Email("on-se-revoit")))
        theatre.decide({"perdus": [1], "saison": [1]})
        assert theatre.approve("perdus") + theatre.approve("saison") == 2
        both_counted = threading.Barrier(2)

        def leave(way: Leaving, pace: Pace, row: Row) -> str | None:
            def bar() -> str | None:
                had_enough = pace.had_enough(1, "x", NOW)
                with suppress(threading.BrokenBarrierError):
                    both_counted.wait(0.3)  # as long as the other one may need to count too
                return "cap" if had_enough else None

            values = dict.fromkeys(("message_id", "subject", "language", "basis"), "x")
            return way.claim(row, {**values, "purpose": "marketing", "address_hash": "x"}, bar)

        with theatre.store.look() as connection:
            rows = connection.execute(outbox_table.select()).all()
        senders = [stack.enter_context(leaving(theatre.store, 1, lambda: NOW)) for _ in rows]
        paces = [Pace(way.connection, way.org, Limits(per_person="1 per week"), ZONE, "x") for way in senders]
        with ThreadPoolExecutor() as at_once:
            words = list(at_once.map(leave, senders, paces, rows))
    assert sorted(words, key=str) == [None, "cap"]


def test_killed_while_writing_into_the_folder_all_arrive_once_and_none_is_uncertain(tmp_path: Path) -> None:
    url = prepared(tmp_path, 60)
    settings = FolderSettings.model_validate({"folder": "outbox", "from": HOUSE.sender})
    there = tmp_path / "outbox"
    there.mkdir()
    folder = Folder(settings, Setting("mail", tmp_path))
    assert killed(url, folder, 12, random.Random(7), lambda: len(list(there.glob("*.eml")))) > 6
    assert states(url) == {"sent": 60}
    files = [file for file in (tmp_path / "outbox").iterdir() if file.suffix == ".eml"]
    recipients = Counter(message_from_bytes(file.read_bytes())["To"] for file in files)
    assert len(recipients) == 60
    assert set(recipients.values()) == {1}
