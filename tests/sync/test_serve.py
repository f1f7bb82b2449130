"""The schedule's tick and the page."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from sync.runs import Run
from sync.schedule import Timetable
from sync.serve import Keeper
from sync.web.app import Pulse, application
from sync.web.door import Door
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
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        return await client.get(path)


def get(application: Starlette, path: str) -> httpx.Response:
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


HERE, ELSEWHERE, BRIDGE = "127.0.0.1", "192.0.2.7", "172.17.0.1"
OURS, PROXIED = "localhost:8080", "nouvelles.example.org"
PASSWORD = "un mot de passe é"


def through(door: Door, peer: str, host: str, path: str = "/", **headers: str) -> httpx.Response:
    """How the service answers somebody at this address who asks for this host."""
    page = application(
        name="Phare", language="fr", zone=PARIS, runs=some_runs, pulse=ticked(), now=lambda: NOW, door=door
    )

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app=page, client=(peer, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return anyio.run(call)


@pytest.mark.parametrize(
    ("peer", "host", "headers", "status"),
    [
        (HERE, OURS, {}, 200),
        ("::1", "[::1]:8080", {}, 200),
        (ELSEWHERE, OURS, {}, 403),
        (BRIDGE, OURS, {}, 403),  # in a container: whoever it is
        (HERE, "rebound.example.net", {}, 403),  # a page of the web that had its name lead here
        (HERE, OURS, {"x_forwarded_for": "127.0.0.1"}, 403),  # a proxy on this machine, and what its caller wrote
        (HERE, OURS, {"forwarded": "for=127.0.0.1"}, 403),
        (ELSEWHERE, OURS, {"x_forwarded_for": "127.0.0.1"}, 403),
    ],
)
def test_without_a_password_the_teams_page_is_for_this_machine(
    peer: str, host: str, headers: dict[str, str], status: int
) -> None:
    answer = through(Door(), peer, host, **headers)
    assert answer.status_code == status
    assert ("12 cellules" in answer.text) is (status == 200)
    assert status == 200 or "password" in answer.text


def test_where_the_public_is_led_no_address_is_believed() -> None:
    """A proxy on this machine that passes everything on, without a word of it, as nginx does unless told otherwise."""
    assert through(Door(public=True), HERE, OURS).status_code == 403


def test_the_password_opens_from_anywhere() -> None:
    door = Door(PASSWORD, public=True)
    for wrong in ("", "Basic", "Basic ?!", "Bearer x", _basic("un mot de passe"), _basic("")):
        answer = through(door, HERE, OURS, authorization=wrong)
        assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic"), wrong
    assert "12 cellules" in through(door, ELSEWHERE, PROXIED, authorization=_basic(PASSWORD)).text
    assert PASSWORD not in repr(door)


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"marie:{password}".encode()).decode()


def test_a_stranger_learns_of_its_health_only_whether_it_is_well() -> None:
    assert through(Door(), ELSEWHERE, PROXIED, "/healthz").json() == {"state": "well"}
    assert through(Door(), HERE, OURS, "/healthz").json() == {"state": "well", "run": 12, "run_state": "waiting"}
