"""What every source must pass. A new one subclasses `SourceContract`, or `HttpSourceContract` if it asks a service.

class TestGhost(HttpSourceContract):
    token = "…"
    def world(self, folder): return FakeGhost()
    def source(self, world, setting): return Ghost(Ghost.Settings(…), setting)
    def touch(self, world): …
    def name_somebody(self, world, name): …
"""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.records import Money, Of, Person, Record, Visit
from connectors.source import Account, Broken, Object, Page, Setting, Source
from connectors.trouble import LogInAgain, SetAside, Trouble, TryLater
from tests import hostile
from tests.fakes.server import FakeService

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SCRAPS: tuple[Any, ...] = (
    None, "", " ", "x", "é", "NaN", "Infinity", "-1e9999", "2026-13-45", "0001-01-01T00:00:00+23:59", "\x00",
    0, -1, 1e308, 2**80, True, False, [], {}, [None], [[]], [{}], {"": ""}, {"fr": None}, "7" * 400,
)  # fmt: skip


@dataclass
class Ledger:
    """What a store keeps of a source: objects, those set aside, and the cursor, page by page."""

    things: dict[tuple[str, str], Object] = field(default_factory=dict)
    broken: dict[tuple[str, str], Broken] = field(default_factory=dict)
    cursor: str | None = None
    changed: list[Object] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def pull(self, source: Source, pages: int | None = None) -> Ledger:
        """Commit so many pages (None: all), then drop the iterator, as a killed run does."""
        self._told, self.changed = set(), []
        walk = cast("Generator[Page]", source.pull(self.cursor))
        with closing(walk):
            for number, page in enumerate(walk, 1):
                self.apply(page)
                if number == pages:
                    break
        return self

    def apply(self, page: Page) -> None:
        for thing in page.objects:
            key = (thing.kind, thing.id)
            if self.things.get(key) != thing:
                self.changed.append(thing)
            self.things[key] = thing
            self._told.add(key)
        for broken in page.broken:
            self.broken[(broken.kind, broken.id)] = broken
        for key in [key for key in self.things if key[0] in page.complete and key[1].startswith(page.scope)]:
            if key not in self._told:
                self.changed.append(self.things.pop(key))
        self.cursor = page.cursor or self.cursor

    def records(self, source: Source) -> dict[tuple[str, str], list[Record]]:
        """Every object's records; those set aside give none."""
        return {key: read(source, thing) for key, thing in sorted(self.things.items())}


def read(source: Source, thing: Object) -> list[Record]:
    try:
        return list(source.records(thing))
    except SetAside:
        return []


def whole(source: Source) -> Ledger:
    """All there is, read from the beginning."""
    return Ledger().pull(source)


class SourceContract:
    """For any source. `world` is what it reads: a fake service, a folder."""

    token = ""
    """A secret that the source was given; it must show up nowhere."""
    attacks = 150
    """How many times a raw object is spoilt."""

    def world(self, folder: Path) -> AbstractContextManager[Any]:
        """A service or folder with at least two pages of invented people, made anew for each test."""
        raise NotImplementedError

    def source(self, world: Any, setting: Setting) -> Source:
        raise NotImplementedError

    def touch(self, world: Any) -> None:
        """Change one object, as life does."""
        raise NotImplementedError

    def name_somebody(self, world: Any, name: str) -> None:
        """Add a person with this last name, or full name where the service has but one."""
        raise NotImplementedError

    @pytest.fixture
    def sleeps(self) -> list[float]:
        return []

    @pytest.fixture
    def setting(self, tmp_path: Path, sleeps: list[float]) -> Setting:
        return Setting(name="ours", folder=tmp_path, now=lambda: NOW, sleep=sleeps.append)

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[Any]:
        with self.world(tmp_path) as place:
            yield place

    @pytest.fixture
    def ours(self, place: Any, setting: Setting) -> Iterator[Source]:
        source = self.source(place, setting)
        yield source
        source.close()

    def test_it_is_a_source_and_describes_its_settings(self, ours: Source) -> None:
        assert isinstance(ours, Source)
        assert ours.gives
        assert ours.version >= 1
        for name, described in type(ours).Settings.model_fields.items():
            assert described.description, f"{name} is not described"
        assert not self.token or self.token not in repr(vars(ours))

    def test_a_first_pull_gives_things_and_ends(self, ours: Source) -> None:
        pages = list(ours.pull(None))
        assert sum(bool(page.objects) for page in pages) >= 2
        assert any(page.cursor for page in pages)
        for page in pages:
            assert len({(thing.kind, thing.id) for thing in page.objects}) == len(page.objects)
            assert all(msgspec.json.decode(thing.raw) is not None for thing in page.objects)

    def test_no_cursor_comes_twice(self, ours: Source) -> None:
        cursors = [page.cursor for page in ours.pull(None) if page.cursor]
        assert len(set(cursors)) == len(cursors)

    def test_check_names_the_account(self, ours: Source) -> None:
        account = ours.check()
        assert isinstance(account, Account)
        assert account.name

    def test_dropped_anywhere_nothing_is_lost(self, ours: Source) -> None:
        expected = whole(ours)
        for pages in range(1, len(list(ours.pull(None)))):
            ledger = Ledger().pull(ours, pages)
            assert ledger.pull(ours).things == expected.things, f"dropped after page {pages}"

    def test_dropped_at_every_page_it_still_gets_there(self, ours: Source) -> None:
        expected, ledger = whole(ours), Ledger()
        for pages in range(1, 40):
            ledger.pull(ours, pages)
        assert ledger.things == expected.things

    def test_a_change_arrives(self, ours: Source, place: Any) -> None:
        ledger = whole(ours)
        self.touch(place)
        ledger.pull(ours)
        assert ledger.changed
        assert ledger.things == whole(ours).things

    def test_nothing_new_changes_nothing(self, ours: Source) -> None:
        ledger = whole(ours).pull(ours)
        assert ledger.changed == []
        assert ledger.pull(ours).changed == []

    @pytest.mark.parametrize("which", hostile.NAMES)
    def test_hostile_names_survive_unchanged(self, ours: Source, place: Any, which: str) -> None:
        name = hostile.NAMES[which]
        self.name_somebody(place, name)
        people = [
            record for found in whole(ours).records(ours).values() for record in found if isinstance(record, Person)
        ]
        assert any(name in (person.last_name, person.name) for person in people)

    def test_records_are_what_they_should_be(self, ours: Source) -> None:
        ledger = whole(ours)
        found = [record for records in ledger.records(ours).values() for record in records]
        assert found
        assert {type(record).__name__.lower() for record in found} <= ours.gives
        twice = [key for key, times in Counter((type(record), record.id) for record in found).items() if times > 1]
        assert not twice
        _refs_hold(found)
        for record in found:
            _is_sound(record)

    def test_records_are_pure(self, ours: Source, place: Any, setting: Setting) -> None:
        ledger = whole(ours)
        before = ledger.records(ours)
        other = self.source(place, setting)
        ours.close()
        assert ledger.records(other) == before == ledger.records(ours)
        other.close()

    def test_spoilt_objects_are_set_aside_at_worst(self, ours: Source) -> None:
        things = list(whole(ours).things.values())

        @settings(max_examples=self.attacks, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.randoms(use_true_random=False))
        def attack(dice: random.Random) -> None:
            thing = dice.choice(things)
            spoilt = msgspec.structs.replace(
                thing, raw=msgspec.json.encode(_spoil(dice, msgspec.json.decode(thing.raw)))
            )
            for record in read(ours, spoilt):
                _is_sound(record)
            assert read(ours, spoilt) == read(ours, spoilt)

        attack()
        for raw in (b"", b"{", b"null", b"[]", b"\xff", b'"x"', b"1"):
            for kind in {thing.kind for thing in things}:
                read(ours, Object(kind, "x", raw))

    def test_no_secret_and_nobody_in_the_log(self, ours: Source, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        with structlog.testing.capture_logs() as lines:
            ours.check()
            people = [
                record for found in whole(ours).records(ours).values() for record in found if isinstance(record, Person)
            ]
        told = f"{lines} {caplog.text}"
        assert not self.token or self.token not in told
        assert not [person.email for person in people if person.email and person.email in told]


class HttpSourceContract(SourceContract):
    """For a source behind HTTP: its world is a `FakeService`."""

    quiet_calls = 4
    """At most so many calls when nothing is new."""
    api = ""
    """A piece of the path of the main list, for faults in the middle of it."""

    def test_a_quiet_day_costs_next_to_nothing(self, ours: Source, place: FakeService) -> None:
        ledger = whole(ours)
        before = len(place.requests)
        ledger.pull(ours)
        assert len(place.requests) - before <= self.quiet_calls

    def test_it_waits_as_told(self, ours: Source, place: FakeService, sleeps: list[float]) -> None:
        expected = whole(ours)
        place.fail(path=self.api, status=429, headers={"Retry-After": "17"})
        assert whole(ours).things == expected.things
        assert max(sleeps) >= 17

    @pytest.mark.parametrize("act", [lambda source: source.check(), whole])
    def test_a_refused_token_says_log_in_again(
        self, ours: Source, place: FakeService, act: Callable[[Source], object]
    ) -> None:
        place.fail(status=401, times=99)
        with pytest.raises(LogInAgain) as trouble:
            act(ours)
        assert self.token not in repr(trouble.value)

    @pytest.mark.parametrize(
        "fault", [{"status": 500}, {"status": 503, "times": 3}, {"drop": True}, {"cut": True}, {"cut_json": True}]
    )
    @pytest.mark.parametrize("skip", [0, 1])
    def test_a_passing_failure_passes(self, ours: Source, place: FakeService, fault: dict[str, Any], skip: int) -> None:
        expected = whole(ours)
        place.fail(path=self.api, skip=skip, **fault)
        assert whole(ours).things == expected.things

    @pytest.mark.parametrize(
        "fault", [{"status": 503}, {"status": 400}, {"status": 403}, {"html": True}, {"drop": True}, {"cut_json": True}]
    )
    def test_a_lasting_failure_is_told_and_mended_later(
        self, ours: Source, place: FakeService, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        expected, ledger = whole(ours), Ledger()
        lasting = place.fail(path=self.api, skip=1, times=99, **fault)
        caplog.set_level("DEBUG")
        with structlog.testing.capture_logs() as lines, pytest.raises(Trouble) as trouble:
            ledger.pull(ours)
        told = f"{trouble.value!r} {trouble.value.__cause__!r} {lines} {caplog.text}"
        assert self.token not in told
        lasting.times = 0
        assert ledger.pull(ours).things == expected.things

    def test_when_it_is_down_it_says_later(self, setting: Setting, tmp_path: Path) -> None:
        with self.world(tmp_path) as place:
            source = self.source(place, setting)
        with pytest.raises(TryLater):
            whole(source)
        source.close()
        gc.collect()


def _refs_hold(found: Sequence[Record]) -> None:
    ids: dict[str, set[str]] = {}
    for record in found:
        ids.setdefault(type(record).__name__, set()).add(record.id)
    for record in found:
        if isinstance(record, Of):
            assert record.person in ids["Person"], f"{record.id} is of nobody"
        if isinstance(record, Visit):
            assert record.event is None or record.event in ids["Event"], f"{record.id} is of no event"
            assert record.order is None or record.order in ids["Order"], f"{record.id} is of no order"


def _is_sound(record: Record) -> None:
    """Times aware, money exact and with a currency, nothing that is empty but pretends to be there."""
    for name in record.__struct_fields__:
        value = getattr(record, name)
        assert value != "", f"{name} of {record.id} is empty, not None"
        if isinstance(value, datetime):
            assert value.utcoffset() is not None, f"{name} of {record.id} has no zone"
        if isinstance(value, Money):
            assert value.amount.is_finite()
            assert len(value.currency) == 3
    assert msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record


def _spoil(dice: random.Random, value: Any) -> Any:
    """Somewhere inside, a key is gone, doubled, or holds something it never should."""
    for _ in range(dice.randint(1, 3)):
        value = _spoil_once(dice, value)
    return value


def _spoil_once(dice: random.Random, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or dice.random() < 0.1:
        return dice.choice(SCRAPS)
    if isinstance(value, dict):
        key = dice.choice(sorted(value))
        rest = {name: inner for name, inner in value.items() if name != key}
        return rest if dice.random() < 0.25 else {**rest, key: _spoil_once(dice, value[key])}
    at = dice.randrange(len(value))
    put: list[Any] = [] if dice.random() < 0.2 else [_spoil_once(dice, value[at])]
    return [*value[:at], *put, *value[at + 1 :]]
