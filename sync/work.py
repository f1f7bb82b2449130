"""What is wanted of a run, and what it has found out so far: passed from step to step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import polars as pl
import sqlalchemy as sa

from connectors.sheets.sheet import Calls
from connectors.trouble import Trouble
from rules.compiler import Verdicts
from rules.conditions import Book
from sync.beside.tab import SideTab
from sync.contacts import Contacts, keep_out
from sync.desk import Desk
from sync.drafts import Held, batches, twice
from sync.followup.doing import Done
from sync.followup.journeys import World
from sync.followup.segments import Shift
from sync.followup.send import Sent
from sync.followup.turn import Decisions
from sync.followup.twice import Twice
from sync.knowledge import Knowledge
from sync.mailbox import Came
from sync.oldercopy import Older
from sync.people.merge import Resolved
from sync.people.tables import person
from sync.pull import Pulled
from sync.rows import everybody, set_columns, told_apart
from sync.sheet.columns import Tab
from sync.sheet.land import Applied
from sync.sheet.look import Look
from sync.tabs import people_tab

STEPS = frozenset({"pull", "people", "rules", "sheet", "mail"})


@dataclass(frozen=True)
class Wishes:
    """What the caller wants of this run. `allow`: gates by the number that opens them. `keep_last_right`: a rule file
    with mistakes does not stop the run; its last right version goes on (serve).
    """

    steps: frozenset[str] = STEPS
    sources: tuple[str, ...] = ()
    allow: Mapping[str, int] = field(default_factory=dict)
    keep_last_right: bool = False


@dataclass
class Work:
    """What a run has found out so far; each step adds its part."""

    desk: Desk
    wishes: Wishes
    number: int
    now: datetime
    book: Book
    notes: list[str] = field(default_factory=list)
    pulled: dict[str, Pulled] = field(default_factory=dict)
    calls: dict[str, Calls] = field(default_factory=dict)
    people: Resolved = field(default_factory=Resolved)
    look: Look | None = None
    codes: dict[str, str] = field(default_factory=dict)
    applied: Applied | None = None
    sheet_trouble: Trouble | None = None
    knowledge: Knowledge | None = None
    verdicts: Verdicts | None = None
    world: World | None = None
    decisions: Decisions | None = None
    segments: Mapping[str, Shift] = field(default_factory=dict)
    sent: Sent | None = None
    mail_trouble: Trouble | None = None
    deeds: dict[str, Done] = field(default_factory=dict)
    came: Came | None = None
    older: Older | None = None
    stopped: bool = False
    told: int = 0
    side_tabs: list[SideTab] = field(default_factory=list)

    @cached_property
    def tab(self) -> Tab:
        return people_tab(self.desk.config, set_columns(self.book), self.desk.store)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Everybody as they are now; thrown away when that changes (`forget_frame`)."""
        return everybody(self.desk)

    def forget_frame(self) -> None:
        self.__dict__.pop("frame", None)
        self.__dict__.pop("_told_apart", None)

    @cached_property
    def _told_apart(self) -> pl.DataFrame:
        return told_apart(self.frame)

    def names(self, keys: Iterable[str]) -> dict[str, str]:
        """How the people with these keys are called, by key; "" for who has no name."""
        rows = self._told_apart.filter(pl.col("key").is_in(sorted(set(keys))))
        return {key: shown or "" for key, shown in rows.select("key", "shown").iter_rows()}

    def known_as(self, people: Iterable[int]) -> dict[int, str]:
        """How people are called, else the key of their row, by their id."""
        rows = self._told_apart.filter(pl.col("person_id").is_in(sorted(set(people))))
        return {
            person: shown or str(key) for person, shown, key in rows.select("person_id", "shown", "key").iter_rows()
        }

    @cached_property
    def twice(self) -> Twice:
        return twice(self.desk, self.book)

    @cached_property
    def waiting(self) -> list[Held]:
        """What waits for a person when the run is over."""
        return batches(
            self.desk, Contacts(self.desk, self.frame, keep_out(self.desk, self.look, self.codes)), self.book
        )

    @property
    def people_new(self) -> int:
        """How many people this run met for the first time, in sources or in rows that the team typed."""
        mine = (person.c.org == self.desk.store.org, person.c.run == self.number)
        made = sa.select(sa.func.count()).where(*mine, person.c.live, person.c.merged_into.is_(None))
        with self.desk.store.look() as connection:
            return connection.scalar(made) or 0

    @property
    def closed(self) -> bool:
        """Whether a gate is closed before the tab of people."""
        seen = self.applied.look if self.applied else self.look
        return bool(seen and seen.closed)

    @property
    def people_count(self) -> int:
        return len(self.frame)
