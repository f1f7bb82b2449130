from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.thread.small import Small


@pytest.fixture(autouse=True, scope="package")
def _a_short_past() -> Iterator[None]:
    """Two years of segments' past take half of a first run, of which there are hundreds here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sync.history.MONTHS", 2)
        yield


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "phare")
