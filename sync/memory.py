"""What a run does about memory: the program itself is looked through once, and what a step is done with goes back."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def loaded_for_good() -> Iterator[None]:
    """Keep the garbage collector from going, again and again, through all that the program has loaded so far."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def give_back() -> None:
    """Return what was freed to the machine, where the C library would keep it: of a large organisation's first pull that
    is 300 MB, on top of which the next steps would take theirs. A millisecond where there is nothing to return.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """The `malloc_trim` of glibc; other C libraries have none, and most of them return memory by themselves."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # TypeError: Windows
        return None
