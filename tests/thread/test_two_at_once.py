"""Two `filrouge run` at once: one works, the other says so and ends; nobody waits for the dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sync import runs
from sync.clock import utc_now
from sync.store import Store
from tests.sync.store.conftest import cluster, empty_url
from tests.thread.small import TODAY, Done, Small

__all__ = ["cluster", "empty_url"]  # fixtures of the store's room
pytestmark = pytest.mark.usefixtures("stores_from_nothing")
FILROUGE = [sys.executable, "-m", "sync.cli"]
PATIENCE = 120.0  # a busy machine is no failure
KEY = f"{'a' * 24}:{'b' * 64}"


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@contextmanager
def silent_service(small: Small) -> Iterator[None]:
    """One of the organisation's services takes every question and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        source = f'sources:\n  lettre: {{type: ghost, url: "{address}", key: "${{KEY}}"}}\n'
        small.change("config.yaml", "sources:\n", source)
        try:
            yield
        finally:
            small.change("config.yaml", source, "sources:\n")


@contextmanager
def at_work(small: Small) -> Iterator[subprocess.Popen[str]]:
    """A real run in the midst of it."""
    command = [*FILROUGE, "--config", "config.yaml", "run", "--json", "--today", TODAY]
    env = {**os.environ, "KEY": KEY, "no_proxy": "127.0.0.1"}
    with (
        silent_service(small),
        subprocess.Popen(command, cwd=small.folder, env=env, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            until(lambda: '"running"' in small.filrouge("runs", "--json", KEY=KEY).said)
            yield process
        finally:
            process.kill()


@pytest.fixture
def shared(small: Small, empty_url: str) -> Small:
    """The organisation on a database of either make."""
    small.change("config.yaml", "rules: rules/\n", f'rules: rules/\nstore: "{empty_url}"\n')
    return small


def second(small: Small) -> Done:
    return small.filrouge("run", "--json", today=TODAY, KEY=KEY)


def test_the_second_says_so_and_the_dead_are_not_waited_for(shared: Small) -> None:
    with at_work(shared) as first:
        turned_away = second(shared)
        assert turned_away.code == 1
        assert "déjà en cours, depuis" in turned_away.erred
        first.kill()
        first.wait()
    began = time.monotonic()
    done = second(shared)
    assert done.code == 7, done.erred
    assert time.monotonic() - began < runs.LEASE.total_seconds() / 2
    assert [run["state"] for run in shared.filrouge("runs", "--json").facts["runs"]] == ["waiting", "stopped"]


def test_a_run_whose_lease_another_took_stops_before_it_writes(small: Small) -> None:
    """Another machine took over while this one slept: nothing more goes out from here."""
    quick = "import sync.runs; sync.runs.HEARTBEAT_SECONDS = 0.2; from sync.cli import main; main()"
    small.run("--only", "pull")
    command = [FILROUGE[0], "-c", quick, "--config", "config.yaml", "run", "--json", "--today", TODAY]
    env = {**os.environ, "KEY": KEY, "no_proxy": "127.0.0.1"}
    with (
        silent_service(small),
        subprocess.Popen(command, cwd=small.folder, env=env, stdout=subprocess.PIPE, text=True) as process,
    ):
        store = Store.open(f"sqlite:///{small.folder / 'filrouge.db'}", "theatre-du-phare", utc_now())
        try:
            until(lambda: runs.last_runs(store, 1)[0].state == "running")
            with store.begin() as connection:
                taken = runs.lease_table.update().values(holder="other-machine 17 4242", until=utc_now() + runs.LEASE)
                assert connection.execute(taken).rowcount == 1
            said, _ = process.communicate(timeout=20)
            assert process.returncode == 1
            assert '"state": "stopped"' in said
            assert not (small.folder / "Contacts.xlsx").exists()
            with store.look() as connection:
                held = connection.execute(runs.lease_table.select()).one()
            assert held.holder == "other-machine 17 4242"
        finally:
            process.kill()
            store.close()
