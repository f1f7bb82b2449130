"""What a person sees while a run works: one line that says what is being done, only when someone is looking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TextIO

from sync.messages import say

if TYPE_CHECKING:
    from rich.status import Status


class Progress:
    """Rich honours NO_COLOR by itself. It is loaded only where somebody looks: a run of the night has no use for it."""

    def __init__(self, stream: TextIO, language: str) -> None:
        from rich.console import Console

        self.language = language
        self.console = Console(file=stream)
        self._status: Status | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show that this step is under way for the length of the block."""
        with self.console.status(say(self.language, f"step-{name}")) as self._status:
            yield

    def count(self, name: str, n: int) -> None:
        """So many so far, in the step under way."""
        if self._status:
            self._status.update(say(self.language, f"step-{name}-n", n=n))


class Silent:
    """A progress that nobody watches: a pipe, a log, JSON asked for."""

    def step(self, _name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def count(self, _name: str, _n: int) -> None: ...
