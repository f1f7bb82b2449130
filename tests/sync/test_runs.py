"""The table of runs and the lease: two instances never run at once."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from sync import runs
from sync.store import Store
from tests.sync.conftest import NOW

TODAY = date(2026, 3, 14)
ELSEWHERE = "other-machine 17 4242"


def test_runs_are_numbered_and_told(store: Store) -> None:
    first = runs.begin(store, TODAY, "cli", NOW)
    runs.finish(store, first, "done", {"people": 3}, NOW + timedelta(seconds=2))
    second = runs.begin(store, TODAY, "schedule", NOW + timedelta(days=1))
    assert [(run.id, run.state) for run in runs.last_runs(store)] == [(second, "running"), (first, "done")]
    assert runs.last_runs(store)[1].summary == {"people": 3}


def test_a_run_that_was_killed_is_called_stopped(store: Store) -> None:
    killed = runs.begin(store, TODAY, "cli", NOW)
    runs.begin(store, TODAY, "cli", NOW + timedelta(hours=1))
    assert runs.last_runs(store)[1].state == "stopped"
    assert runs.last_runs(store)[1].id == killed


def test_a_second_instance_is_turned_away_and_told_since_when(store: Store) -> None:
    runs.take(store, "run", NOW, ELSEWHERE)
    runs.begin(store, TODAY, "schedule", NOW)
    with pytest.raises(runs.Busy) as busy:
        runs.take(store, "run", NOW + timedelta(seconds=30))
    assert busy.value.since == NOW


def test_a_lease_that_is_not_renewed_runs_out(store: Store) -> None:
    runs.take(store, "run", NOW, ELSEWHERE)
    runs.take(store, "run", NOW + runs.LEASE + timedelta(seconds=1))


def test_a_lease_given_back_is_free_at_once(store: Store) -> None:
    holder = runs.take(store, "run", NOW, ELSEWHERE)
    runs.give_back(store, "run", holder)
    runs.take(store, "run", NOW)


def test_the_holder_renews_its_own(store: Store) -> None:
    mine = runs.take(store, "run", NOW)
    assert runs.take(store, "run", NOW + timedelta(seconds=10)) == mine


def test_a_dead_process_of_this_machine_does_not_make_us_wait(store: Store) -> None:
    code = "from sync.runs import identity; print(identity())"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    runs.take(store, "run", NOW, gone)
    runs.take(store, "run", NOW + timedelta(seconds=1))


def test_a_process_number_used_again_is_another_process(store: Store) -> None:
    host, process, _ = runs.identity().rsplit(" ", 2)
    assert int(process) == os.getpid()
    runs.take(store, "run", NOW, f"{host} {process} 1")
    runs.take(store, "run", NOW + timedelta(seconds=1))


def test_the_lease_is_held_for_the_block_only(store: Store) -> None:
    with runs.lease(store) as lost:
        assert not lost.is_set()
        with pytest.raises(runs.Busy):
            runs.take(store, "run", NOW, ELSEWHERE)
    runs.take(store, "run", NOW, ELSEWHERE)


def test_organisations_do_not_wait_for_each_other(store: Store) -> None:
    other = Store.open(str(store.engine.url), "autre", NOW)
    runs.take(store, "run", NOW, ELSEWHERE)
    runs.take(other, "run", NOW)
    other.close()
