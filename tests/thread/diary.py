"""Plays a diary: each day the team works, the ticket office sells, and the real command runs; then all is compared."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import date
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.sheets.sheet import KEY_HEADER, Formula
from sync.sheet.journal import unpack
from tests.thread.forked import Commands
from tests.thread.hands import Team, as_seen
from tests.thread.messy import HEADERS, LAST_VISIT, MAIL, NUMBER, VISITS, Person, invent
from tests.thread.small import CONFIG, RULES, Small
from tests.thread.truth import ABOUT, FAITHFUL, FIELDS, FLAGS, FOLLOW, SPENT, TO_CALL, Overwritten, Truth

COLUMNS = {
    **{name: ABOUT[name] for name in ABOUT},
    LAST_VISIT: "last_visit",
    VISITS: "visits",
    SPENT: "spent",
    FLAGS: "flags",
}
MORE_RULES = f"""\
      - écrire: {{{FOLLOW}: {TO_CALL}}}
  - nom: Fidèles
    quand: {{visites: au moins 3}}
    alors:
      - signaler: {FAITHFUL}
"""
Facts = dict[str, Any]


class Diary:
    """One kind of sheet, from the first morning to the last."""

    def __init__(self, small: Small, team: Team, text: Path, size: int, give: Commands, *, at_length: bool) -> None:
        self.small, self.team, self.give = small, team, give
        self.told = yaml.safe_load(text.read_text("utf-8"))
        self.chance = random.Random(size)
        self.today = date.min
        self.theatre = invent(size, self.told["cast"])
        for who, days in self.told["tickets sold before"].items():
            for day in days:
                self.theatre.sell(who, day, day.replace(day=1))
        self._set_up()
        self.meanwhile: list[Callable[[], None]] = []
        self.happened = 0
        self.acts: dict[str, Callable[[Any], object]] = {
            "the crowd buys": self.crowd_buys, "buys": self.buys, "calls off": self.calls_off, "type": self.type,
            "formula": self.formula, "fill": self.fill, "new row": self.new_row, "delete row": self.delete_row,
            "new column": self.new_column, "delete column": self.delete_column, "move column": self.move_column,
            "rename": self.rename, "sort": self.sort, "colour": self.colour, "pause": self.pause,
            "unpause": self.unpause, "leave open": self.leave_open, "meanwhile": self.plan_meanwhile,
            "lose an answer": self.lose_an_answer, "approve": self.approve, "crash": self.crash, "run": self.run, "run at length": self.run if at_length else lambda _: None,
        }  # fmt: skip

    def _set_up(self) -> None:
        rules = f"{RULES}{MORE_RULES}"
        self.small.write("rules/public.yaml", rules)
        mapping = ", ".join(f"{header}: {name}" for header, name in COLUMNS.items())
        old = CONFIG[CONFIG.index("  columns: {") : CONFIG.index("\nmail:")]
        self.small.change("config.yaml", old, f"  columns: {{{mapping}}}")
        self.team.start(HEADERS, [row.cells for row in self.theatre.rows])
        rows = [row for row in self.theatre.rows if row.cells]
        self.truth = Truth(self.theatre, self.team.rows(), {str(row.cells[NUMBER]): row.who for row in rows})
        self.coloured: set[str] = set()

    def play(self) -> None:
        for heading, steps in self.told["diary"].items():
            self.today = date.fromisoformat(str(heading)[:10])
            for step in steps:
                ((act, how),) = step.items()
                try:
                    self.acts[act](how)
                except AssertionError as error:
                    raise AssertionError(f"{heading} / {act}: {how}\n{error}") from error

    # The ticket office

    def crowd_buys(self, how: Facts) -> None:
        """A few people of the crowd, somebody new among them; twenty-five times as many people, as many more tickets."""
        known = sorted(
            one.name for one in self.theatre.people.values() if one.mail and one.name not in self.told["cast"]
        )
        evenings = [day for day in (date(2026, 3, 7), date(2026, 3, 14), date(2026, 4, 11)) if day > self.today]
        for n in range(max(how["at least"], len(known) // 50)):
            who = self.chance.choice(known)
            if n % 4 == 0:
                number = sum(one.last == "Nouvelle-Venue" for one in self.theatre.people.values())
                who = self.theatre.meet(
                    Person(f"Personne{number}", "Nouvelle-Venue", f"venue{number}@example.org")
                ).name
            self.theatre.sell(who, self.chance.choice(evenings), self.today)

    def buys(self, how: Facts) -> None:
        self.theatre.sell(how["who"], how["evening"], self.today)

    def calls_off(self, how: Facts) -> None:
        self.theatre.call_off(how["who"], how["evening"], self.today)

    # The team

    def row(self, who: str, *, keyed: bool | None = None) -> str:
        rows = self.truth.rows_of(who.removesuffix(" (again)"))
        if keyed:
            rows = [row for row in rows if self.truth.sheet[row].get(KEY_HEADER)]
        return rows[-1] if who.endswith(" (again)") else rows[0]

    def type(self, how: Facts) -> None:
        self._type(self.row(how["row"]), how["in"], how["this"])

    def _type(self, row: str, header: str, value: Any) -> None:
        self.truth.type(row, header, self.team.type(row, header, value))

    def formula(self, how: Facts) -> None:
        if self.team.single_formulas:
            self._type(self.row(how["row"]), how["in"], Formula(how["this"]))

    def fill(self, how: Facts) -> None:
        for row in list(self.truth.sheet)[:: how["every"]]:
            self._type(row, how["column"], how["with"])

    def new_row(self, how: Facts) -> None:
        cells = {header: value for header, value in how.items() if header != "above"}
        number = f"G{len(self.truth.whose):05}"
        who = f"{cells['Prénom']} {cells['Nom']}" if "Nom" in cells else None
        if who:
            self.theatre.meet(Person(cells["Prénom"], cells["Nom"], cells.get(MAIL)))
        self.team.insert_row({NUMBER: number, **cells}, self.row(how["above"]) if "above" in how else None)
        self.truth.whose[number] = who
        self.truth.sheet = self.team.rows()
        self.truth.typed |= {(number, header): value for header, value in self.truth.sheet[number].items()}

    def delete_row(self, how: Facts) -> None:
        row = self.row(how["row"], keyed="that one" in how)
        who = self.truth.whose.pop(row)
        assert who is not None
        self.team.delete_row(row)
        if not self.truth.rows_of(who):
            self.truth.deleted.add(who)

    def new_column(self, how: Facts) -> None:
        formula = how.get("formula", "")
        self.team.insert_column(how["named"], how["before"], formula=bool(formula))
        for row in self.truth.sheet if formula and self.team.single_formulas else ():
            self._type(row, how["named"], Formula(formula))

    def delete_column(self, how: Facts) -> None:
        self.team.delete_column(how["named"])

    def move_column(self, how: Facts) -> None:
        self.team.move_column(how["named"], how["before"])

    def rename(self, how: Facts) -> None:
        self.team.rename(how["header"], how["to"])
        self.truth.rename(how["header"], how["to"])

    def sort(self, how: Facts) -> None:
        self.team.sort(how["by"], reverse=how.get("reverse", False))

    def colour(self, how: Facts) -> None:
        if self.team.colours:
            self.team.colour(self.row(how["row"]))
            self.coloured.add(self.row(how["row"]))

    def pause(self, how: Facts) -> None:
        self._type(self.row(how["row"]), "Pause", "x")

    def unpause(self, how: Facts) -> None:
        self._type(self.row(how["row"]), "Pause", None)

    def leave_open(self, how: bool) -> None:  # noqa: FBT001  as it stands in the diary
        self.team.save()
        self.team.leave_open(opened=how)

    def plan_meanwhile(self, steps: list[Facts]) -> None:
        def act() -> None:
            self.happened += 1
            for step in steps:
                ((name, how),) = step.items()
                self.acts[name](how)

        self.meanwhile.append(act)

    def lose_an_answer(self, _: str) -> None:
        self.team.lose_an_answer()

    # The command

    def approve(self, rule: str) -> None:
        done = self.small.filrouge("approve", rule, "--json")
        assert done.code == 0, done.erred
        self.truth.approved = True

    def run(self, code: int | dict[str, int | list[int]]) -> None:
        one = code if isinstance(code, int) else code[self.team.kind]
        wanted = one if isinstance(one, list) else [one]
        self._morning()
        acts, self.meanwhile, self.happened = self.meanwhile, [], 0
        with pytest.MonkeyPatch.context() as patch:
            for act in acts:
                self.team.between_two_calls(act, patch)
            done = self.small.run(today=self.today.isoformat())
        assert done.code in wanted, f"ended with {done.code}: {done.said} {done.erred}"
        assert self.happened == len(acts), "nobody wrote, so nobody came between"
        self._evening(sorted_meanwhile=bool(acts))

    def crash(self, where: str) -> None:
        """`kill -9` at the first batch for the sheet; the command has left an intent behind, and no word."""
        point = {"before the write": "after intent", "before the confirmation": "before confirmation"}[where]
        self._morning()
        told = self.give(self.small.folder, "run", "--json", "--today", self.today.isoformat(), point=point)
        assert told.killed, f"it was not killed: {told.code} {told.said} {told.erred}"
        self._evening()

    def _morning(self) -> None:
        self.small.write("exports/billets.csv", self.theatre.export(self.today))
        self.truth.sheet = self.team.rows()
        self.truth.passes(self.today)
        self.headers = self.team.headers()
        self.team.save()

    def _evening(self, *, sorted_meanwhile: bool = False) -> None:
        self.team.forget()
        self.truth.compare(self.team.rows(), sorted_meanwhile=sorted_meanwhile)
        assert self.team.headers()[: len(self.headers)] == self.headers, "columns were moved or renamed"
        assert self.team.coloured() == self.coloured

    # What is left at the end

    def journal(self) -> set[tuple[str, str, Any]]:
        with closing(sqlite3.connect(self.small.folder / "filrouge.db")) as connection:
            lines = connection.execute("SELECT key, field, was FROM sheet_journal").fetchall()
        return {(key, name, as_seen(unpack(was))) for key, name, was in lines}

    def untold(self) -> list[Overwritten]:
        """What was written over, and the journal does not know."""
        told = self.journal()
        return [one for one in self.truth.overwritten if (one.key, FIELDS[one.header], one.was) not in told]

    def mails(self) -> Counter[str]:
        letters = (message_from_bytes(file.read_bytes()) for file in (self.small.folder / "outbox").glob("*.eml"))
        return Counter(str(letter["To"]).rpartition("<")[2].strip(">") for letter in letters)
