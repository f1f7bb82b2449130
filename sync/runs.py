"""The table of runs: what was done when, what is due, and who is at it right now.

A lease in the store sees to it that two instances never run at once. Its holder renews it while it lives. A holder on
this machine whose process is gone is passed over at once; one on another machine when its lease has run out.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.clock import utc_now
from sync.store.base import Store, Utc, insert_new, metadata, org_column, upsert

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 15.0
MAIL_AGAIN = "mail-again"

run_table = sa.Table(
    "run",
    metadata,
    org_column(),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("started", Utc, nullable=False),
    sa.Column("ended", Utc),
    sa.Column("today", sa.Text, nullable=False),
    sa.Column("trigger", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("summary", sa.Text),
)
lease_table = sa.Table(
    "lease",
    metadata,
    org_column(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", Utc, nullable=False),
)
segment_size = sa.Table(
    "segment_size",
    metadata,
    org_column(),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("segment", sa.Text, primary_key=True),
    sa.Column("people", sa.Integer, nullable=False),
)
remembered = sa.Table(
    "remembered",
    metadata,
    org_column(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
rule_file = sa.Table(
    "rule_file",
    metadata,
    org_column(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("seen", Utc, nullable=False),
)


class Busy(Exception):  # noqa: N818  it says what is so, as the sentence does
    """Another instance is at it. `since` is when its run began, if it has begun one."""

    def __init__(self, since: datetime | None) -> None:
        super().__init__("another run is under way")
        self.since = since


@dataclass(frozen=True)
class Run:
    """One run as it stands in the table. `state`: running, done, partial, refused, waiting, or stopped (it was killed
    or asked to end; the next one takes up where it was).
    """

    id: int
    started: datetime
    ended: datetime | None
    today: date
    trigger: str
    state: str
    summary: dict[str, Any]


def begin(store: Store, today: date, trigger: str, now: datetime) -> int:
    """Number a new run. Runs that never ended were killed: they are marked `stopped`."""
    with store.begin() as connection:
        of_org = run_table.c.org == store.org
        connection.execute(
            sa.update(run_table).where(of_org, run_table.c.state == "running").values(state="stopped", ended=now)
        )
        number = (connection.scalar(sa.select(sa.func.max(run_table.c.id)).where(of_org)) or 0) + 1
        row = {"org": store.org, "id": number, "started": now, "today": today.isoformat(), "trigger": trigger}
        connection.execute(sa.insert(run_table).values(state="running", **row))
    return number


def finish(store: Store, number: int, state: str, summary: dict[str, Any], now: datetime) -> None:
    with store.begin() as connection:
        connection.execute(
            sa.update(run_table)
            .where(run_table.c.org == store.org, run_table.c.id == number)
            .values(state=state, ended=now, summary=msgspec.json.encode(summary).decode())
        )


def refuse(store: Store, today: date, trigger: str, now: datetime, said: Sequence[str]) -> bool:
    """Note that a run was due and could not even begin, with what there is to say; once for the same words. False: it
    stands there already.
    """
    summary = {"state": "refused", "lines": list(said)}
    newest = last_runs(store, 1)
    if newest and newest[0].state == "refused" and newest[0].summary == summary:
        return False
    with store.begin() as connection:
        last = connection.scalar(sa.select(sa.func.max(run_table.c.id)).where(run_table.c.org == store.org)) or 0
        row = {"org": store.org, "id": last + 1, "started": now, "ended": now, "today": today.isoformat()}
        told = msgspec.json.encode(summary).decode()
        connection.execute(sa.insert(run_table).values(trigger=trigger, state="refused", summary=told, **row))
    return True


def last_start(store: Store) -> datetime | None:
    """When the newest run began that was not refused."""
    begun = (run_table.c.org == store.org, run_table.c.state != "refused")
    query = sa.select(run_table.c.started).where(*begun).order_by(run_table.c.id.desc()).limit(1)
    with store.look() as connection:
        return connection.scalar(query)


def last_runs(store: Store, most: int = 20) -> list[Run]:
    """The newest runs first."""
    query = sa.select(run_table).where(run_table.c.org == store.org).order_by(run_table.c.id.desc()).limit(most)
    with store.look() as connection:
        return [_run(row) for row in connection.execute(query)]


def _run(row: Any) -> Run:
    summary = msgspec.json.decode(row.summary) if row.summary else {}
    return Run(row.id, row.started, row.ended, date.fromisoformat(row.today), row.trigger, row.state, summary)


# --- what goes with runs ------------------------------------------------------------------------------------------


def note_segments(connection: Connection, org: int, sizes: Mapping[str, int], today: date) -> None:
    """How many people each segment (by name) holds today, for the charts; the last run of a day counts."""
    rows = [{"org": org, "day": today.isoformat(), "segment": name, "people": n} for name, n in sizes.items()]
    upsert(connection, segment_size, rows)


def segment_history(store: Store) -> dict[str, dict[str, int]]:
    """By segment, people by day."""
    query = sa.select(segment_size).where(segment_size.c.org == store.org).order_by(segment_size.c.day)
    found: dict[str, dict[str, int]] = {}
    with store.look() as connection:
        for row in connection.execute(query):
            found.setdefault(row.segment, {})[row.day] = row.people
    return found


def recall(store: Store, name: str) -> str | None:
    """What `remember` noted last under this name."""
    query = sa.select(remembered.c.value).where(remembered.c.org == store.org, remembered.c.name == name)
    with store.look() as connection:
        return connection.scalar(query)


def remember(store: Store, name: str, value: str) -> None:
    with store.begin() as connection:
        upsert(connection, remembered, [{"org": store.org, "name": name, "value": value}])


def mail_again(store: Store) -> datetime | None:
    """When e-mails may go that only the hour or the day held back."""
    found = recall(store, MAIL_AGAIN)
    return datetime.fromisoformat(found) if found else None


def note_mail_again(store: Store, moment: datetime | None) -> None:
    """Remember it for `serve`; None when nothing waits so."""
    if mail_again(store) != moment:
        remember(store, MAIL_AGAIN, moment.isoformat() if moment else "")


def remember_rules(store: Store, files: Mapping[str, bytes], now: datetime) -> None:
    """Keep rule files that are right, for the day when one of them no longer is."""
    if last_right_rules(store) == files:
        return
    rows = [{"org": store.org, "name": name, "content": content, "seen": now} for name, content in files.items()]
    with store.begin() as connection:
        connection.execute(sa.delete(rule_file).where(rule_file.c.org == store.org))
        upsert(connection, rule_file, rows)


def last_right_rules(store: Store) -> dict[str, bytes]:
    with store.look() as connection:
        rows = connection.execute(sa.select(rule_file).where(rule_file.c.org == store.org)).all()
    return {row.name: bytes(row.content) for row in rows}


# --- the lease ----------------------------------------------------------------------------------------------------


def identity() -> str:
    """This process, told apart from an earlier one that had the same number: machine, process, its start."""
    return f"{socket.gethostname()} {os.getpid()} {_birth(os.getpid())}"


def _birth(process: int) -> str:
    with suppress(OSError, IndexError):  # where there is no /proc, a number used again counts as alive
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    return "?"


def _is_dead(holder: str) -> bool:
    """True only when the holder surely lived on this machine and lives no more."""
    host, process, birth = holder.rsplit(" ", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _birth(int(process)) != birth


def take(store: Store, name: str, now: datetime, holder: str | None = None) -> str:
    """Take or renew the lease; raises `Busy` while somebody else holds it."""
    holder = holder or identity()
    with store.begin() as connection:
        key = (lease_table.c.org == store.org, lease_table.c.name == name)
        free = {"org": store.org, "name": name, "holder": holder, "until": now}
        insert_new(connection, lease_table, [free])  # so that two who come first at once meet at one row
        held = connection.execute(sa.select(lease_table).where(*key).with_for_update()).one_or_none()
        if held and held.holder != holder and held.until > now and not _is_dead(held.holder):
            since = connection.scalar(
                sa.select(sa.func.max(run_table.c.started)).where(
                    run_table.c.org == store.org, run_table.c.state == "running"
                )
            )
            raise Busy(since)
        upsert(connection, lease_table, [{"org": store.org, "name": name, "holder": holder, "until": now + LEASE}])
    return holder


def give_back(store: Store, name: str, holder: str) -> None:
    with store.begin() as connection:
        connection.execute(
            sa.delete(lease_table).where(
                lease_table.c.org == store.org, lease_table.c.name == name, lease_table.c.holder == holder
            )
        )


def renew(store: Store, name: str, now: datetime, holder: str) -> None:
    """Hold it longer; raises `Busy` when it is no longer ours. Given back by another holder since: not ours either, for
    that one was at work in between.
    """
    mine = (lease_table.c.org == store.org, lease_table.c.name == name, lease_table.c.holder == holder)
    with store.begin() as connection:
        if not connection.execute(sa.update(lease_table).where(*mine).values(until=now + LEASE)).rowcount:
            raise Busy(None)


class Held:
    """A lease for as long as it is held. `is_set()`: it was lost (this machine slept too long, the database was away);
    whoever sees it must stop before the next act outside.
    """

    def __init__(self, store: Store, name: str, clock: Callable[[], datetime]) -> None:
        self.store, self.name, self.clock = store, name, clock
        began = clock()
        self.holder = take(store, name, began)
        self.until = began + LEASE
        self._lost = threading.Event()
        self._one_at_a_time = threading.Lock()

    def is_set(self) -> bool:
        if not self._lost.is_set() and self.clock() >= self.until:
            self.renew()
            if self.clock() >= self.until:  # the database did not answer: nobody knows whose it is
                self._lost.set()
        return self._lost.is_set()

    def renew(self) -> None:
        with self._one_at_a_time:
            now = self.clock()
            try:
                renew(self.store, self.name, now, self.holder)
            except Busy:
                self._lost.set()
            except sa.exc.DBAPIError:
                return  # the database is busy or away for a moment; the lease lasts four heartbeats
            else:
                self.until = now + LEASE


@contextmanager
def lease(store: Store, name: str = "run", clock: Callable[[], datetime] = utc_now) -> Iterator[Held]:
    """Hold the lease for the length of the block."""
    held, over = Held(store, name, clock), threading.Event()

    def beat() -> None:
        while not (held.is_set() or over.wait(HEARTBEAT_SECONDS)):
            held.renew()

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join(HEARTBEAT_SECONDS)
        give_back(store, name, held.holder)
