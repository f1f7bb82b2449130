"""Sending no faster than a mail service wants, evenly."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """At most so many a minute, evenly; None: as fast as it goes."""

    def __init__(self, per_minute: int | None, sleep: Callable[[float], None] | None = None) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._sleep = sleep or time.sleep
        self._turn = 0.0

    def wait(self) -> None:
        """Until it is one's turn."""
        now = time.monotonic()
        if self._turn > now:
            self._sleep(self._turn - now)
        self._turn = max(self._turn, now) + self._gap
