"""What a command has to say at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
