"""`filrouge serve` as a real process: it runs what is due, tells what is wrong, and ends when asked to."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from sync.schedule import Timetable
from sync.service import Schedule
from tests.thread.small import LINES, Small, line
from tests.thread.test_two_at_once import KEY, silent_service, until

pytestmark = pytest.mark.usefixtures("stores_from_nothing")
QUICKER = "import sync.serve; sync.serve.TICK_SECONDS = 0.2; from sync.cli import main; main()"


class Service:
    """The process and its page."""

    def __init__(self, small: Small, port: int) -> None:
        self.small, self.page = small, f"http://127.0.0.1:{port}"
        command = [sys.executable, "-c", QUICKER, "--config", "config.yaml", "serve", "--port", str(port)]
        env = {**os.environ, "NO_COLOR": "1", "KEY": KEY, "no_proxy": "127.0.0.1"}
        self.process = subprocess.Popen(
            command, cwd=small.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ask(self, path: str) -> httpx.Response | None:
        try:
            # asked every moment, of plain HTTP: the list of certificates would take more time than the answer
            return httpx.get(self.page + path, timeout=5, trust_env=False, verify=False)
        except httpx.TransportError:
            assert self.process.poll() is None, self.process.communicate()
            return None

    def health(self) -> Any:
        answer = self.ask("/healthz")
        return answer.json() if answer is not None and answer.status_code == 200 else {}

    def told(self) -> str:
        answer = self.ask("/")
        return answer.text if answer is not None else ""

    def end(self) -> tuple[int, str]:
        """As a container is stopped; gives the exit code and what was logged. Ten seconds, then Docker would kill."""
        self.process.send_signal(signal.SIGTERM)
        _, erred = self.process.communicate(timeout=9)
        assert "Traceback" not in erred, erred
        assert all(entry.startswith("timestamp=") for entry in erred.splitlines()), erred
        return self.process.returncode, erred


@contextmanager
def serving(small: Small) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = Service(small, port)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.communicate()


def runs_of(small: Small) -> list[dict[str, Any]]:
    """Newest first."""
    found: list[dict[str, Any]] = small.filrouge("runs", "--json", KEY=KEY).facts["runs"]
    return found


def mails_of(small: Small) -> list[tuple[str, str]]:
    return [(mail["id"], mail["state"]) for mail in small.filrouge("outbox", "--json").facts["mails"]]


def a_day_passes(small: Small) -> None:
    """As if every run so far had begun a day and a bit earlier."""
    with closing(sqlite3.connect(small.folder / "filrouge.db", timeout=30)) as store, store:
        store.execute("UPDATE run SET started = started - 90000000000, ended = ended - 90000000000")


def test_a_life_of_serve(small: Small) -> None:
    """Runs at once the first time; goes on with the last right rules; says what is wrong; catches up once."""
    with serving(small) as service:
        until(lambda: service.health().get("run_state") == "waiting")
        assert len(small.rows()) == 3
        assert "Perdus de vue" in service.told()

        small.change("rules/public.yaml", "au moins 2", "au moin 2")
        a_day_passes(small)
        until(lambda: service.health().get("run") == 2)
        until(lambda: service.health().get("run_state") == "waiting")
        assert "rules/public.yaml:3:" in service.told()
        assert small.row("Jeanne")["Signaux"] == "À relancer"
        small.change("rules/public.yaml", "au moin 2", "au moins 2")

        small.change("config.yaml", "schedule:", "shedule:")
        a_day_passes(small)
        until(lambda: service.health().get("run_state") == "refused")
        assert "`schedule`" in service.told()
        assert "config.yaml:11:1" in service.told()
        small.change("config.yaml", "shedule:", "schedule:")
        until(lambda: service.health().get("run_state") == "waiting")
        code, logged = service.end()
    assert code == 0
    assert logged.count("run-refused") == 1
    assert "jeanne" not in logged.lower()
    assert [(run["run"], run["state"]) for run in runs_of(small)] == [
        (4, "waiting"), (3, "refused"), (2, "waiting"), (1, "waiting"),
    ]  # fmt: skip
    assert "shedule" in small.filrouge("runs").said

    a_day_passes(small)
    small.export((*LINES, line(6, "Zoé Martin", "Ubu roi", "01/03/2026")))
    with serving(small) as service:
        until(lambda: service.health().get("run") == 5)
        until(lambda: service.health().get("run_state") == "waiting")
        assert service.end()[0] == 0
    assert len(small.rows()) == 4
    assert len(runs_of(small)) == 5


def test_a_template_that_breaks_while_serving_takes_nothing_back(small: Small) -> None:
    small.filrouge("run")
    before = mails_of(small), small.row("Jeanne")
    assert before[1]["Signaux"] == "À relancer"
    small.change("rules/templates/on-se-revoit.md", '{{ prénom or "à vous" }}', "{{ prenon }}")
    a_day_passes(small)
    with serving(small) as service:
        until(lambda: service.health().get("run") == 2 and service.health()["run_state"] != "running")
        assert "on-se-revoit.md:5" in service.told()
        assert service.end()[0] == 0
    assert (mails_of(small), small.row("Jeanne")) == before


def test_asked_to_end_in_the_midst_of_a_run(small: Small) -> None:
    small.run()
    a_day_passes(small)
    with silent_service(small):
        with serving(small) as service:
            until(lambda: service.health().get("run_state") == "running")
            assert service.end()[0] == 0
        assert "Interrompu" in small.filrouge("runs", "-n", "1", "--json", KEY=KEY).said
        assert runs_of(small)[0]["sources"]["lettre"]["state"] == "stopped"
    a_day_passes(small)
    with serving(small) as service:
        until(lambda: service.health().get("run") == 3 and service.health()["run_state"] == "waiting")
        assert service.end()[0] == 0


def test_two_on_one_port(small: Small) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = Service(small, taken.getsockname()[1]).process
        _, erred = second.communicate(timeout=20)
    assert second.returncode == 2
    assert "--port" in erred
    assert "Traceback" not in erred
    assert not (small.folder / "Contacts.xlsx").exists()


def test_a_config_that_is_wrong_at_the_start_ends_it(small: Small) -> None:
    small.change("config.yaml", "schedule:", "shedule:")
    done = small.filrouge("serve")
    assert done.code == 2
    assert "config.yaml:11:1" in done.erred


def test_another_schedule_counts_without_a_restart(small: Small) -> None:
    config = small.folder / "config.yaml"
    schedule = Schedule(config, Timetable("0 6 * * *", ZoneInfo("America/Montreal")))
    small.change("config.yaml", "every day at 06:00", "every hour")
    assert schedule().cron == "0 * * * *"
    small.change("config.yaml", "every hour", "whenever it suits")
    assert schedule().cron == "0 * * * *"  # the run says what is wrong
    config.unlink()
    assert schedule().cron == "0 * * * *"
