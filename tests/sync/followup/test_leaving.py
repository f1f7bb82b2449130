"""What a power cut can take: not that an e-mail was leaving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from sync.followup.leaving import leaving
from sync.store import Store
from tests.sync.followup.theatre import NOW

NOW_AND_THEN, EACH_COMMIT = 1, 2


def waits(connection: Connection) -> int:
    """How it does, in SQLite's numbers; asked without a transaction, which would keep the other one out."""
    driver: Any = connection.connection.dbapi_connection
    return int(driver.execute("PRAGMA synchronous").fetchone()[0])


@pytest.mark.usefixtures("stores_from_nothing")
def test_the_disk_is_waited_for_before_an_e_mail_leaves_and_not_otherwise(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'filrouge.db'}", "phare", NOW)
    with store.begin() as connection:
        assert waits(connection) == NOW_AND_THEN
    with leaving(store, 1, lambda: NOW) as sending:
        assert (waits(sending.connection), waits(sending.settling)) == (EACH_COMMIT, NOW_AND_THEN)
    store.close()
