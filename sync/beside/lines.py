"""A tab that shows certain lines and no others, though the engine moves and removes no row.

A line that is no longer shown is emptied; a row that stands empty takes a new line in a later run. A row beside which
the team wrote something of its own is never given to another line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from sync.sheet.look import TEAM, Look
from sync.sheet.plan import Wanted

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A line of the journal: of which run, how much it weighs against the others of its run when there is no room for
    all, where it stands among them, and its plain text by field (none where it stands already).
    """

    key: str
    run: int
    weight: int
    number: int
    texts: Texts


class Doubt(NamedTuple):
    """A line of the tab To check. `key` begins with its kind, and is another one when it is about something else."""

    key: str
    person: str
    detail: str
    advice: str


def standing(seen: Look) -> dict[str, dict[str, str]]:
    """The lines as both sides agreed on them: by key, the plain text of each field. Rows that stand empty are left out."""
    rows = seen.rows.agreed.select("key", *seen.tab.fields).fill_null("").iter_rows(named=True)
    return {row.pop("key"): row for row in rows if any(text for name, text in row.items() if name != "key")}


def show(seen: Look, lines: Mapping[str, Texts]) -> Wanted:
    """Exactly these lines by their keys, new ones in this order."""
    fields = seen.tab.fields
    known = seen.rows.agreed["key"].to_list()
    there = set(known)
    new = [key for key in lines if key not in there]
    merged = dict(zip(empty(seen, lines), new, strict=False))
    gone = [key for key in known if key not in lines and key not in merged]
    rows = [{"key": key, **{name: texts.get(name, "") for name in fields}} for key, texts in lines.items()]
    rows += [{"key": key, **dict.fromkeys(fields, "")} for key in gone]
    return Wanted(pl.DataFrame(rows, schema=dict.fromkeys(("key", *fields), pl.String)), merged=merged)


def empty(seen: Look, lines: Collection[str]) -> list[str]:
    """Keys of rows with nothing in them that are to stay empty, from top to bottom."""
    fields = [name for name in seen.tab.fields if name in seen.seen.columns]
    rows = seen.seen.filter(~pl.col("paused"), *(pl.col(name) == "" for name in fields)).sort("row")
    noted = set(with_notes(seen))
    return [key for key in rows["key"] if key not in lines and key not in noted]


def with_notes(seen: Look) -> Sequence[str]:
    """Keys of rows beside which the team wrote something."""
    theirs = [pl.col(name).is_not_null() for name in seen.team.columns if name.startswith(TEAM)]
    return seen.team.filter(pl.any_horizontal(theirs))["key"].to_list() if theirs else []
