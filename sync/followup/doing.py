"""Doing the deeds that go to other services: each is written down as under way, done, and settled, one commit each.

Killed in between, it is done once more by the next run: for a webhook the other side knows it by its id, and a change in
a newsletter made twice is one change. No transaction is open around the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from connectors.trouble import FixFile, LogInAgain, Trouble
from sync.followup import deeds
from sync.store import Store


@dataclass
class Done:
    """What became of them. `later` are tried again, `held` counts by reason, `troubles` by where they go to say why."""

    done: int = 0
    failed: int = 0
    later: int = 0
    held: dict[str, int] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)


def do_due(
    store: Store,
    kind: str,
    clock: Callable[[], datetime],
    where: Callable[[deeds.Row], str],
    do: Callable[[deeds.Row], deeds.Outcome],
    stop: Callable[[], bool] = lambda: False,
) -> Done:
    """Do everything of a kind that is due. `where` it goes to: after a trouble there, the others for the same place wait
    for the next run.
    """
    done = Done()
    with store.begin() as connection:
        deeds.interrupted(connection, store.org, kind)
        deeds.expire(connection, store.org, clock())
        rows = deeds.due(connection, store.org, kind, clock())
    for row in rows:
        if stop():
            break
        if where(row) in done.troubles:
            done.later += 1
            continue
        with store.begin() as connection:
            claimed = deeds.claim(connection, row)
        if claimed:
            became = _try(row, where(row), do, done)
            with store.begin() as connection:
                state = deeds.settle(connection, row, became, clock())
            _count(done, state, became)
    return done


def _try(row: deeds.Row, place: str, do: Callable[[deeds.Row], deeds.Outcome], done: Done) -> deeds.Outcome:
    try:
        return do(row)
    except Trouble as trouble:
        done.troubles[place] = trouble
        ours = isinstance(
            trouble, FixFile | LogInAgain
        )  # nothing wrong with the deed: it is tried as often as it takes
        return deeds.Outcome("approved", answer=trouble.code, counted=not ours)


def _count(done: Done, state: str, became: deeds.Outcome) -> None:
    match state:
        case "done":
            done.done += 1
        case "failed":
            done.failed += 1
        case "held":
            done.held[became.reason or ""] = done.held.get(became.reason or "", 0) + 1
        case _:
            done.later += 1
