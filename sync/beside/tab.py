"""What one such tab is: its columns, what it should say, what a tick in it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
from sqlalchemy.engine import Connection

from rules.fields import FieldType
from sync.messages import say
from sync.sheet.columns import Mapped, Tab
from sync.sheet.look import Look
from sync.sheet.plan import Wanted

if TYPE_CHECKING:
    from sync.work import Work

TICK = "tick"
Fields = tuple[tuple[str, FieldType], ...]


@dataclass
class SideTab:
    """One tab. `fill`: what it should say, given how it was read; `settle`: what a tick in the row with this key does, told
    whether it is a new one;
    `seen`: how it was read at the beginning of the run, None where it could not be.
    """

    tab: Tab
    fill: Callable[[Work, Look], Wanted]
    settle: Callable[[Connection, int, str, bool], object] | None = None
    seen: Look | None = None


def in_house(work: Work, code: str, /, **facts: object) -> str:
    """A sentence in the organisation's language, whoever runs the command: the sheet is the whole team's."""
    return say(work.desk.config.language, code, **facts)


def columns(work: Work, kind: str, fields: Fields) -> tuple[Mapped, ...]:
    """Columns of ours: what the team changes there is put back."""
    return tuple(Mapped(in_house(work, f"tab-{kind}-{field}"), field, type_) for field, type_ in fields)


def tick_box(work: Work, kind: str, *, stays: bool) -> Mapped:
    """A box to tick. `stays`: the tick is the team's and stays; else it is taken away once it was acted on."""
    return Mapped(in_house(work, f"tab-{kind}-tick"), TICK, "yesno", corrected=stays)


def ticked_before(seen: Look) -> set[str]:
    """Keys of the rows whose tick an earlier run has met already."""
    agreed = seen.rows.agreed
    return set(agreed.filter(pl.col(TICK) == "true")["key"]) if TICK in agreed.columns else set()
