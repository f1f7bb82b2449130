"""The schedule's tick and the page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.applications import Starlette

from sync.runs import Run
from sync.schedule import Timetable
from sync.serve import Keeper
from sync.web.app import Pulse, application
from tests.sync.conftest import NOW

PARIS = ZoneInfo("Europe/Paris")
DAILY = Timetable("0 6 * * *", PARIS)


class World:
    """A table of runs and a clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
        self.starts: list[datetime] = []
        self.fails = False

    def run(self, _stopping: threading.Event) -> None:
        self.starts.append(self.now)
        if self.fails:
            raise RuntimeError("secret of a person")

    def keeper(self) -> Keeper:
        return Keeper(lambda: DAILY, lambda: self.starts[-1] if self.starts else None, self.run, lambda: self.now)


def test_a_day_of_ticks_makes_one_run() -> None:
    world = World()
    keeper = world.keeper()
    for _ in range(24 * 6):
        keeper.tick()
        world.now += timedelta(minutes=10)
    assert len(world.starts) == 2  # the first at once, the second the next morning
    assert world.starts[1].astimezone(PARIS).hour == 6


def test_three_days_of_sleep_are_caught_up_once() -> None:
    world = World()
    keeper = world.keeper()
    keeper.tick()
    world.now += timedelta(days=3)
    assert [keeper.tick() for _ in range(5)] == [True, False, False, False, False]


def test_a_run_that_fails_does_not_end_the_schedule_nor_tell_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    keeper = world.keeper()
    world.fails = True
    assert keeper.tick() is False
    world.fails = False
    world.now += timedelta(days=1)
    assert keeper.tick() is True
    assert "secret of a person" not in "".join(capsys.readouterr())


def test_nothing_begins_while_ending() -> None:
    world = World()
    keeper = world.keeper()
    keeper.stopping.set()
    assert keeper.tick() is False
    assert world.starts == []


def app(runs: Callable[[int], list[Run]], pulse: Pulse, language: str = "fr") -> Starlette:
    return application(
        name="Théâtre <du> Phare", language=language, zone=PARIS, runs=runs, pulse=pulse, now=lambda: NOW
    )


async def ask(application: Starlette, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://phare.example") as client:
        return await client.get(path)


def get(application: Starlette, path: str) -> httpx.Response:
    import anyio

    return anyio.run(ask, application, path)


def some_runs(_most: int) -> list[Run]:
    summary = {"lines": ["exports : 3 commandes", "12 cellules écrites"]}
    return [Run(12, NOW, NOW, date(2026, 3, 14), "schedule", "waiting", summary)]


def ticked() -> Pulse:
    pulse = Pulse()
    pulse.ticked = NOW - timedelta(seconds=10)
    return pulse


def test_the_page_shows_the_last_runs_in_the_organisations_time() -> None:
    page = get(app(some_runs, ticked()), "/").text
    assert "14 mars 2026 10:00" in page
    assert "12 cellules écrites" in page
    assert "vous attend" in page
    assert "Théâtre &lt;du&gt; Phare" in page


def test_the_page_before_the_first_run() -> None:
    assert "No run yet" in get(app(lambda _: [], ticked(), "en"), "/").text


def test_healthy() -> None:
    answer = get(app(some_runs, ticked()), "/healthz")
    assert (answer.status_code, answer.json()["state"]) == (200, "well")


def test_ill_when_the_schedule_stands_still_unless_a_run_is_under_way() -> None:
    pulse = Pulse()
    assert get(app(some_runs, pulse), "/healthz").status_code == 503
    pulse.working = True
    assert get(app(some_runs, pulse), "/healthz").status_code == 200


def test_ill_when_the_store_is_away() -> None:
    def away(_most: int) -> list[Run]:
        raise OSError("disk")

    assert get(app(away, ticked()), "/healthz").status_code == 503


def test_what_only_the_hour_held_back_is_sent_when_it_may() -> None:
    world = World()
    opens = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
    keeper = Keeper(lambda: DAILY, lambda: world.starts[-1] if world.starts else None, world.run, lambda: world.now)
    keeper.wake = lambda: opens
    for _ in range(9 * 6):
        keeper.tick()
        world.now += timedelta(minutes=10)
    assert world.starts == [datetime(2026, 3, 14, 9, 0, tzinfo=UTC), opens]
