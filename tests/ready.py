"""New SQLite stores, ready made: the file that the real way makes once is what every other new store begins as. Nor do
they wait for the disk: that is for power cuts, which no test makes, and was a third of the time of those that send.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sync import desk
from sync.store import base
from sync.store.upgrade import upgrade


class Ready:
    """Making all tables takes 40 milliseconds, and some fifteen hundred tests begin with a new store."""

    def __init__(self, folder: Path) -> None:
        file = folder / "ready.db"
        engine = base.connect(f"sqlite:///{file}")
        upgrade(engine)
        engine.dispose()
        self.made = file.read_bytes()
        self.lock = threading.Lock()
        self.off = False

    def before(self, real: Callable[[str], Any]) -> Callable[[str], Any]:
        """`real`, given the URL of a store; of one that was not there before, the file is ready afterwards."""

        def given(url: str) -> Any:
            place = sa.make_url(url)
            file = Path(place.database or "")
            with self.lock:
                new = place.get_backend_name() == "sqlite" and file.parent.is_dir() and not file.exists()
                done = real(url)
                if new and not self.off:
                    file.write_bytes(self.made)
            return done

        return given

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """For the length of a block, each store makes its tables itself, and waits for the disk."""
        before, self.off = self.off, True
        try:
            yield
        finally:
            self.off = before

    @classmethod
    @contextmanager
    def in_use(cls, folder: Path) -> Iterator[Ready]:
        ready = cls(folder)
        with pytest.MonkeyPatch.context() as patch:
            for room, name in ((desk, "_for_us_alone"), (base, "connect")):
                patch.setattr(room, name, ready.before(getattr(room, name)))
            wait = base.wait_for_disk
            patch.setattr(base, "wait_for_disk", lambda driver, how: wait(driver, how if ready.off else "OFF"))
            fsync = os.fsync
            patch.setattr(os, "fsync", lambda file: fsync(file) if ready.off else None)  # workbooks, mails in a folder
            yield ready
