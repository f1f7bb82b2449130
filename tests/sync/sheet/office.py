"""A small organisation around one tab: its people, the corrections it took in, and runs as `sync/run.py` makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import polars as pl

from connectors.sheets.sheet import Sheet
from sync.sheet import tables as tables_
from sync.sheet.apply import finish
from sync.sheet.columns import Tab, people_columns
from sync.sheet.land import Applied
from sync.sheet.look import Look, look
from sync.sheet.plan import Wanted
from sync.store import Store, metadata
from sync.store.base import connect, organisation

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
TYPES: dict[str, pl.DataType] = {
    "date": pl.Date(),
    "number": pl.Int64(),
    "money": pl.Decimal(12, 2),
    "text": pl.String(),
    "choice": pl.String(),
    "tags": pl.List(pl.String()),
}
HEADERS = {
    "Courriel": "email",
    "Prénom": "first_name",
    "Dernière visite": "last_visit",
    "Visites": "visits",
    "Signaux": "flags",
}
TAB = Tab("Contacts", people_columns(HEADERS))


def organisations(url: str) -> Iterator[Store]:
    """One store after another in one database, each of an organisation that knows nothing yet."""
    engine = connect(url)
    tables = [organisation, tables_.sheet_tab, tables_.sheet_row, tables_.sheet_intent, tables_.sheet_journal]
    metadata.create_all(engine, tables)
    for number in count(1):
        with engine.begin() as connection:
            connection.execute(organisation.insert().values(id=number, slug=f"org{number}", created=START))
        yield Store(engine, number)


@dataclass
class Office:
    """`people`: what the sources say, by code and field. `corrections`: what the team said, above it. `deaf`: no correction is taken in.
    `credulous`: what an adopted row says is a correction even where the sources say the same.
    """

    store: Store
    sheet: Sheet
    tab: Tab = TAB
    people: dict[str, dict[str, object]] = field(default_factory=dict)
    corrections: dict[tuple[str, str], object] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    released: set[tuple[str, str]] = field(default_factory=set)
    deaf: bool = False
    credulous: bool = False
    runs: int = 0
    fed: int = 0

    def run(self, allow: Mapping[str, int] | None = None) -> Applied:
        """One run. Strangers are recognised by their e-mail, or taken in as new people."""
        self.runs += 1
        now = START + timedelta(days=self.runs)
        seen = look(self.store, self.sheet, self.tab, self.runs, now, allow=allow or {})
        return finish(self.store, self.sheet, seen, self.feed(seen), self.runs, now, again=self.feed, allow=allow or {})

    def feed(self, seen: Look) -> Wanted:
        for edit in seen.edits:
            self.correct(edit.key, edit.field, edit.value, known=edit.known)
            self.fed += 1
        codes = {stranger.ref: self.recognise(dict(stranger.values)) for stranger in seen.strangers}
        return Wanted(self.frame(), codes, dict(self.merged), set(self.released))

    def correct(self, key: str, name: str, value: object, *, known: bool) -> None:
        person = self.people.get(self.merged.get(key, key))
        if person is not None and not self.deaf and (known or self.credulous or person.get(name) != value):
            self.corrections[self.merged.get(key, key), name] = value

    def recognise(self, values: dict[str, object]) -> str:
        for code in self.people:
            if values.get("email") and self.value(code, "email") == values["email"]:
                return code
        code = f"n{len(self.people) + 1}"
        self.people[code] = {}
        self.corrections |= {(code, name): value for name, value in values.items()}
        return code

    def value(self, code: str, name: str) -> object:
        return self.corrections.get((code, name), self.people[code].get(name))

    def frame(self) -> pl.DataFrame:
        columns: dict[str, object] = {"key": pl.Series(list(self.people), dtype=pl.String)}
        for mapped in self.tab.columns:
            values = [self.value(code, mapped.field) for code in self.people]
            columns[mapped.field] = pl.Series(values, dtype=TYPES[mapped.kind], strict=False)
        return pl.DataFrame(columns)
