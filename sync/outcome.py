"""What a command has to say at its end."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """`said` is for a person, one line each; `facts` is the `--json` object; `code` the exit code."""

    said: Sequence[str]
    facts: dict[str, Any] = field(default_factory=dict)
    code: int = 0

    def lines(self) -> Sequence[str]:
        return self.said

    def to_json(self) -> dict[str, Any]:
        return self.facts


def where(error: BaseException) -> str:
    """The innermost line of ours: enough to report, and no data."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
