"""Pull all sources side by side into the ledger: threads read, one hand writes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from time import monotonic
from typing import NamedTuple

from sqlalchemy.engine import Connection

from connectors.source import Page, Source
from connectors.trouble import GiveUp, Trouble
from sync.followup import suppression
from sync.followup.consent import hashed
from sync.store import ledger
from sync.store.again import reread
from sync.store.base import Store
from sync.store.ledger import PageResult, Seen

PAGES_AHEAD = 4
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_END = 2.0


@dataclass
class Pulled:
    """What one source gave. `trouble` None: read to its end. `gone_kept` entries vanished at once and were not believed."""

    result: PageResult = field(default_factory=PageResult)
    trouble: Trouble | None = None
    stopped: bool = False

    @property
    def state(self) -> str:
        return "stopped" if self.stopped else "failed" if self.trouble else "done"

    @property
    def read(self) -> int:
        """How many objects the service showed."""
        return self.result.new + self.result.changed + self.result.unchanged


class _Said(NamedTuple):
    """From a reading thread: a page, or the end (with trouble or without)."""

    name: str
    page: Page | None = None
    trouble: Trouble | None = None


def pull_all(
    store: Store,
    sources: Mapping[str, Source],
    run: int,
    now: datetime,
    stop: Callable[[], bool],
    count: Callable[[int], None],
    *,
    allow_gone: int = 0,
) -> dict[str, Pulled]:
    """Read every source to its end and keep what it gives, page by page. One that fails leaves the others alone.

    `stop` is asked between pages; `count` is told how many objects were read so far. `allow_gone`: up to so many
    entries may vanish from a source at once.
    """
    pulled = {name: Pulled() for name in sources}
    for name, source in sources.items():
        pulled[name].result += _again(store, name, source, run, now)
    said: queue.Queue[_Said] = queue.Queue(maxsize=PAGES_AHEAD * max(1, len(sources)))
    over = threading.Event()
    threads = [
        threading.Thread(target=_read, args=(name, source, ledger.cursor(store, name), said, over), daemon=True)
        for name, source in sources.items()
    ]
    for thread in threads:
        thread.start()
    try:
        _keep(store, sources, run, now, said, stop, count, pulled, allow_gone)
    finally:
        over.set()
        _drain(said, threads)
    return pulled


def _again(store: Store, name: str, source: Source, run: int, now: datetime) -> PageResult:
    """What an older version read is read anew first; it is not news from the service, so only the set-asides count."""
    found = reread(store, name, source.version, source.records, run, now)
    return PageResult(set_aside=found.set_aside)


def _read(name: str, source: Source, cursor: str | None, said: queue.Queue[_Said], over: threading.Event) -> None:
    trouble: Trouble | None = None
    try:
        for page in source.pull(cursor):
            said.put(_Said(name, page))
            if over.is_set():
                return
    except Trouble as met:
        trouble = met
    except Exception as error:  # noqa: BLE001  a connector that stumbles must not take the run with it
        trouble = GiveUp("source-stumbled", service=name, what=type(error).__name__)
    said.put(_Said(name, None, trouble))


def _keep(  # noqa: PLR0913, PLR0917  the state of pull_all
    store: Store,
    sources: Mapping[str, Source],
    run: int,
    now: datetime,
    said: queue.Queue[_Said],
    stop: Callable[[], bool],
    count: Callable[[int], None],
    pulled: dict[str, Pulled],
    allow_gone: int,
) -> None:
    seen = {name: Seen() for name in sources}
    waiting = set(sources)
    while waiting:
        one = _next(said, stop)
        if one is None:
            for name in waiting:
                pulled[name].stopped = True
            return
        if one.page is None:
            waiting.discard(one.name)
            pulled[one.name].trouble = one.trouble
            ledger.settle(store, one.name, run, now, one.trouble)
            continue
        source = sources[one.name]
        result = ledger.commit_page(
            store, one.name, run, now, one.page, source.records, source.version, seen[one.name],
            believe=allow_gone, parting=partial(keep_the_no, now),
        )  # fmt: skip
        pulled[one.name].result += result
        count(sum(each.read for each in pulled.values()))


def keep_the_no(now: datetime, connection: Connection, org: int, source: str, addresses: Sequence[str]) -> None:
    """Whose entry vanished was unsubscribed, and stays so: a no is not taken back by being deleted."""
    for address in addresses:
        suppression.add(connection, org, hashed(address), "unsubscribed", now, f"gone {source}")


def _next(said: queue.Queue[_Said], stop: Callable[[], bool]) -> _Said | None:
    """What a source says next, however long that takes; None when we are asked to stop."""
    while not stop():
        with suppress(queue.Empty):
            return said.get(timeout=SECONDS_BETWEEN_LOOKS)
    return None


def _drain(said: queue.Queue[_Said], threads: list[threading.Thread]) -> None:
    """Let threads that wait for room in the queue see that it is over. One that waits for a service that does not answer
    is left behind: it has nothing more to say to anybody.
    """
    end = monotonic() + SECONDS_TO_END
    for thread in threads:
        while thread.is_alive() and monotonic() < end:
            try:
                said.get(timeout=0.05)
            except queue.Empty:
                thread.join(0.05)
