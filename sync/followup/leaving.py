"""E-mails on their way out, one commit each, so that a run that dies leaves every one of them accounted for.

Written down as leaving, an e-mail is safe from a power cut: that commit goes to the disk. What became of it need not
wait for the disk: the next e-mail's commit takes it along, and the last one, lost, would be `uncertain`. So each has a
connection of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.followup.tables import GONE_STATES, is_now_in, outbox
from sync.store import base
from sync.store.base import Store

SAME_ADDRESS_DAYS = 30
Row = sa.Row[Any]

_THIS = (outbox.c.org == sa.bindparam("this_org"), outbox.c.id == sa.bindparam("this_id"))
_MAY_LEAVE = sa.update(outbox).where(*_THIS, is_now_in("approved", "held"))
_LEAVES = _MAY_LEAVE.where(outbox.c.attempts == sa.bindparam("this_attempts"))
_LEFT = sa.update(outbox).where(*_THIS, is_now_in("sending", "uncertain"))
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtext('filrouge outbox'), :this_org)")
_FAILED = sa.update(outbox).where(*_THIS, is_now_in("failed"))


def _to_others(*near: Any) -> sa.Select[int]:
    same = [outbox.c[name] == sa.bindparam(f"this_{name}") for name in ("org", "rule", "step", "address_hash")]
    others = (outbox.c.person_id != sa.bindparam("this_person_id"), is_now_in(*GONE_STATES))
    return sa.select(sa.literal(1)).where(*same, *others, *near).limit(1)


_SAME_OCCASION = _to_others(outbox.c.occasion == sa.bindparam("this_occasion"))
_LATELY = _to_others(outbox.c.created_at >= sa.bindparam("this_since"))


@contextmanager
def leaving(store: Store, run: int, clock: Callable[[], datetime]) -> Iterator[Leaving]:
    """For as long as e-mails leave."""
    with _connected(store, wait=True) as claiming, _connected(store, wait=False) as settling:
        yield Leaving(claiming, settling, store.org, run, clock)


@contextmanager
def _connected(store: Store, *, wait: bool) -> Iterator[Connection]:
    """Used for nothing else, and closed after. `wait`: whether a commit waits until the disk has it."""
    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if connection.dialect.name == "sqlite" and driver is not None:
            base.wait_for_disk(driver, "FULL" if wait else "NORMAL")
        elif not wait:
            connection.execution_options(isolation_level="AUTOCOMMIT")  # a statement by itself: no BEGIN, no COMMIT
            connection.exec_driver_sql("SET synchronous_commit TO off")
            connection.rollback()
        connection.detach()
        yield connection


@dataclass(frozen=True)
class Leaving:
    """Every function is a transaction of its own."""

    connection: Connection
    settling: Connection
    org: int
    run: int
    clock: Callable[[], datetime]

    def claim(self, row: Row, values: Mapping[str, Any], bar: Callable[[], str | None]) -> str | None:
        """Write down that it is leaving, unless `bar` has a word against it. None when it may go now; else the word, or
        an empty one when somebody else has it.
        """
        going = {"state": "sending", "reason": None, "sending_run": self.run, "attempts": row.attempts + 1}
        try:
            with self.connection.begin():
                self._alone()
                if word := "same-address" if self._went_to(row, values) else bar():
                    return word
                this = self._this(row) | {"this_attempts": row.attempts}
                done = self.connection.execute(_LEAVES, {**this, **values, **going}).rowcount == 1
        except sa.exc.IntegrityError:  # another sender was quicker at the same address
            return "same-address"
        return None if done else ""

    def _alone(self) -> None:
        """Until the end of the transaction nobody else's e-mail leaves, so that what is counted before it goes still holds
        when it does. (SQLite has one writer at a time anyhow.)
        """
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(_ONE_AT_A_TIME, {"this_org": self.org})

    def settle(self, row: Row, state: str, **values: Any) -> None:
        """What became of it."""
        at = {"settled_at": self.clock()} if state in {"sent", "failed", "uncertain"} else {}
        with self.settling.begin():
            self.settling.execute(_LEFT, {**self._this(row), "state": state, **at, **values})

    def hold(self, row: Row, reason: str) -> None:
        with self.connection.begin():
            self.connection.execute(_MAY_LEAVE, {**self._this(row), "state": "held", "reason": reason})

    def leave_out(self, row: Row, reason: str) -> None:
        """It does not go, now or later."""
        settled = {"state": "cancelled", "reason": reason, "settled_at": self.clock()}
        with self.connection.begin():
            self.connection.execute(_MAY_LEAVE, {**self._this(row), **settled})

    def take_back(self, row: Row, answer: str, not_before: datetime) -> int:
        """A refusal that was not about its reader after all: it waits again. Gives 1 if it was given up before."""
        again = {"state": "approved", "reason": None, "answer": answer, "settled_at": None, "not_before": not_before}
        with self.connection.begin():
            return self.connection.execute(_FAILED, {**self._this(row), **again}).rowcount

    def _this(self, row: Row) -> dict[str, Any]:
        return {"this_org": self.org, "this_id": row.id}

    def _went_to(self, row: Row, values: Mapping[str, Any]) -> bool:
        """Did somebody else at this address get this e-mail: for this occasion, or (marketing) in the last 30 days?"""
        this = {f"this_{name}": getattr(row, name) for name in ("org", "rule", "step", "person_id")}
        this["this_address_hash"] = values["address_hash"]
        if values["purpose"] == "marketing":
            since = row.created_at - timedelta(days=SAME_ADDRESS_DAYS)
            return self.connection.scalar(_LATELY, {**this, "this_since": since}) is not None
        return self.connection.scalar(_SAME_OCCASION, {**this, "this_occasion": row.occasion}) is not None
