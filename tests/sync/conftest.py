"""What tests of `sync` share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync.store import Store
from tests.thread.small import Small

NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'filrouge.db'}", "phare", NOW)
    yield store
    store.close()


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "phare")
