"""Which tab of the sheet shows what, in the team's words."""

from __future__ import annotations

from functools import cache, partial

from rules.fields import FIELDS
from rules.words import vocabulary
from sync.config import Config
from sync.people.merge import known_codes
from sync.sheet.columns import Mapped, Tab, people_columns
from sync.store.base import Store

SET = "set:"
"""Begins the name of a column that rules `set`: the team's own, where both may write and the team has the last word."""


def people_tab(config: Config, set_columns: tuple[str, ...] = (), store: Store | None = None) -> Tab:
    """The tab of people: the mapped columns, and those that rules `set`. The keys of its rows are codes of `store`."""
    words = {name: dict(choice_words(config.language)) for name, field in FIELDS.items() if field.type == "choice"}
    columns = people_columns(config.columns, words=words)
    mapped = {column.header for column in columns}
    extra = tuple(Mapped(header, SET + header, corrected=True) for header in set_columns if header not in mapped)
    return Tab(config.tab.tab, columns + extra, knows=partial(known_codes, store) if store else None)


@cache
def choice_words(language: str) -> tuple[tuple[str, str], ...]:
    """How a newsletter's state is shown: `unsubscribed` is `désinscrit`."""
    return tuple((choice, vocabulary(language).shown("choices", choice)) for choice in FIELDS["newsletter"].choices)
