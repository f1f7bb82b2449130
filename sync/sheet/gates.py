"""The gates before the first write: what looks like an accident waits for a person, with its numbers.

A gate that is closed stops its tab only: nothing is written there, no correction is taken from it, nothing remembered
moves. It opens by the number itself (`--allow-missing 212`), so that yes to 212 is not yes to 900.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sync.messages import say

MISSING_SHARE, MISSING_FLOOR = 0.20, 5
CHANGED_SHARE, CHANGED_FLOOR = 0.30, 10

GateCode = Literal[
    "sheet-gone",
    "sheet-emptied",
    "sheet-rows-gone",
    "sheet-cells-changed",
    "sheet-column-changed",
    "sheet-header-gone",
    "sheet-header-renamed",
    "sheet-header-twice",
    "sheet-mapping-changed",
    "sheet-key-twice",
    "sheet-foreign",
]


class Gate(msgspec.Struct, frozen=True):
    """`n` of `of` are concerned. `allow` is the override's name (`missing` → `--allow-missing N`), "" if there is none:
    then the sheet or the config has to be mended. `stops` is False where only single rows are held.
    """

    code: GateCode
    tab: str
    n: int
    of: int = 0
    allow: str = ""
    stops: bool = True
    facts: dict[str, str] = {}

    @property
    def command(self) -> str:
        """The very command that opens it."""
        return f"filrouge run --allow-{self.allow} {self.n}" if self.allow else ""

    def sentence(self, language: str) -> str:
        return say(language, self.code, n=self.n, of=self.of, tab=self.tab, command=self.command, **self.facts)

    def open_by(self, allow: Mapping[str, int]) -> bool:
        return not self.stops or (bool(self.allow) and allow.get(self.allow, -1) >= self.n)


def closed(gates: Sequence[Gate], allow: Mapping[str, int]) -> list[Gate]:
    """Those that stop the tab."""
    return [gate for gate in gates if not gate.open_by(allow)]


def rows_gate(tab: str, gone: int, known: int, *, exists: bool, keyed: int) -> list[Gate]:
    """`gone` of `known` rows are newly missing; `keyed` rows with a key were read."""
    if not exists:
        return [Gate("sheet-gone", tab, known, known, "missing")] if known else []
    if gone and not keyed:
        return [Gate("sheet-emptied", tab, gone, known, "missing")]
    if gone > max(MISSING_FLOOR, MISSING_SHARE * known):
        return [Gate("sheet-rows-gone", tab, gone, known, "missing")]
    return []


def changed_gate(tab: str, changed: Mapping[str, int], filled: Mapping[str, int]) -> list[Gate]:
    """By header: how many of our `filled` cells somebody `changed`. One column sorted by itself is an accident too."""
    n, of = sum(changed.values()), sum(filled.values())
    if n > max(CHANGED_FLOOR, CHANGED_SHARE * of):
        return [Gate("sheet-cells-changed", tab, n, of, "changed")]
    return [
        Gate("sheet-column-changed", tab, count, filled[header], "changed", facts={"header": header})
        for header, count in changed.items()
        if count > max(CHANGED_FLOOR, CHANGED_SHARE * filled[header])
    ]


def headers_gate(tab: str, gone: Mapping[str, str | None]) -> list[Gate]:
    """Mapped headers that were there and are not, each with the header that holds the same values now, if any."""
    renamed = [(old, new) for old, new in gone.items() if new]
    if len(gone) == 1 and renamed:
        [(old, new)] = renamed
        return [Gate("sheet-header-renamed", tab, 1, allow="headers", facts={"header": old, "new": str(new)})]
    names = ", ".join(gone)
    return [Gate("sheet-header-gone", tab, len(gone), allow="headers", facts={"headers": names})] if gone else []


def double_gate(tab: str, headers: Sequence[str]) -> list[Gate]:
    names = ", ".join(headers)
    return [Gate("sheet-header-twice", tab, len(headers), facts={"headers": names})] if headers else []


def mapping_gate(tab: str, filled: Mapping[str, int]) -> list[Gate]:
    """Headers that now stand for another field than last time, with how many cells are filled below each."""
    n = sum(filled.values())
    return [Gate("sheet-mapping-changed", tab, n, allow="mapping", facts={"headers": ", ".join(filled)})] if n else []


def foreign_gate(tab: str, foreign: int, keyed: int) -> list[Gate]:
    """`foreign` of `keyed` rows have a key that this store never gave: it is not the one that kept this sheet so far."""
    if foreign > max(MISSING_FLOOR, MISSING_SHARE * keyed):
        return [Gate("sheet-foreign", tab, foreign, keyed, "foreign")]
    return []


def twice_gate(tab: str, keys: Sequence[str]) -> list[Gate]:
    return [Gate("sheet-key-twice", tab, len(keys), stops=False)] if keys else []
