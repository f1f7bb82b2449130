"""Every test with `store` runs on each database that the machine has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from sync.store import Store
from tests.sync.store.databases import NOW, new_database, postgres, postgres_folder

SLUGS = count()
HAVE = ["sqlite", *(["postgresql"] if postgres_folder() else [])]


@pytest.fixture(autouse=True)
def _from_nothing(stores_from_nothing: None) -> None:
    """In this room the making of stores is what is tried."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def shared_urls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"sqlite": f"sqlite:///{tmp_path_factory.mktemp('store')}/store.db"}


@pytest.fixture(params=HAVE)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return new_database(request.getfixturevalue("cluster"))


@pytest.fixture(params=HAVE)
def fresh_store(request: pytest.FixtureRequest, shared_urls: dict[str, str]) -> Iterator[Callable[[], Store]]:
    """Another organisation's empty store each time, all in one database."""
    if request.param not in shared_urls:
        shared_urls[request.param] = new_database(request.getfixturevalue("cluster"))
    opened: list[Store] = []

    def make() -> Store:
        opened.append(Store.open(shared_urls[request.param], f"org{next(SLUGS)}", NOW))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(fresh_store: Callable[[], Store]) -> Store:
    return fresh_store()
