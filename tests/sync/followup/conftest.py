from __future__ import annotations

import pytest

from sync.store import Store
from tests.sync.followup.theatre import Theatre


@pytest.fixture
def theatre(store: Store) -> Theatre:
    theatre = Theatre(store)
    theatre.fill(3)
    return theatre
