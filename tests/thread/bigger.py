"""A theatre of sixty people with a workbook of its own, and what stands there when all is done, told without numbers."""

from __future__ import annotations

import json
import random
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from email import message_from_bytes
from functools import cached_property
from pathlib import Path
from typing import Any

import openpyxl

import sync.run  # noqa: F401  every room's tables
from sync.store.base import Utc, metadata
from tests.thread.small import Small, line

RULES = """\
segments:
  - nom: Habitués
    quand: {visites: au moins 2}
règles:
  - nom: Perdus de vue
    quand:
      segment: Habitués
      dernière visite: il y a plus de 6 mois
      prochaine visite: jamais
    alors:
      - signaler: À relancer
      - écrire: {Suivi: "à relancer, {{ prénom }}"}
      - courriel: on-se-revoit
  - nom: Fidèles
    quand: {visites: au moins 3}
    alors:
      - signaler: Fidèle
      - tâche: Remercier {{ prénom }}
        pour: Accueil
"""
FIRST = ["Jeanne", "Awa", "Luc", "Zoé", "Paul", "Inès", "Marc", "Léa", "Hugo", "Nour"]
LAST = ["Exemple", "Diallo", "Roy", "Martin", "Côté", "Gagnon"]
PEOPLE = tuple(f"{first} {last}" for last in LAST for first in FIRST)
SHOWS = ("Cyrano", "Antigone", "Ubu roi", "Le Cid", "Phèdre")
HEADERS = ("Nom", "Prénom", "Courriel", "Visites", "Notes", "Ne pas relancer", "Suivi", "Initiale")
MAIN = "Contacts"


def plainly(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def mail_of(who: str) -> str:
    return f"{plainly(who).replace(' ', '.')}@example.org"


def order(number: int, who: str, show: str, day: str, status: str = "Validé") -> str:
    accented = line(number, who, show, day, status=status)
    return accented.replace(who.lower().replace(" ", "."), mail_of(who).partition("@")[0])


def orders(chance: random.Random) -> tuple[str, ...]:
    found: list[str] = []
    for place, who in enumerate(PEOPLE):
        for _ in range(chance.choice((1, 1, 2, 3, 4))):
            day = f"{chance.randint(1, 28):02}/{chance.randint(1, 12):02}/{chance.choice((2023, 2024, 2025))}"
            status = "Annulé" if chance.random() < 0.05 else "Validé"
            found.append(order(1000 + len(found), who, SHOWS[place % 5], day, status))
    return tuple(found)


class Bigger(Small):
    """Sixty people, two rules, and a workbook that the team began before."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write("rules/public.yaml", RULES)
        self.lines = orders(random.Random(60))
        self.export(self.lines)
        self.begin_workbook()

    @classmethod
    def at(cls, folder: Path) -> Bigger:
        """One that stands there already."""
        found = cls.__new__(cls)
        found.folder, found.lines = folder, ()
        return found

    @property
    def file(self) -> Path:
        return self.folder / "Contacts.xlsx"

    def begin_workbook(self) -> None:
        """Fourteen that the tickets know too, three that nobody knows, one without a name, and a tab of their own."""
        book = openpyxl.Workbook()
        sheet: Any = book.active
        sheet.title = MAIN
        sheet.append(HEADERS)
        known = [(who.split()[1], who.split()[0], mail_of(who)) for who in PEOPLE[::4][:14]]
        strange = [
            ("Tremblay", "Rose", "rose@example.org"),
            ("Bouchard", "Ali", None),
            (None, None, "billets@example.org"),
        ]
        for number, (last, first, mail) in enumerate([*known, *strange], 2):
            sheet.append((last, first, mail, None, f"note {number}", None, None, f"=LEFT(B{number},1)"))
        book.create_sheet("Budget").append(("Mécénat", 1200))
        book.save(self.file)

    def take_away(self, row: int) -> None:
        """The team deletes a row."""
        book = openpyxl.load_workbook(self.file)
        book[MAIN].delete_rows(row)
        book.save(self.file)

    def news(self) -> None:
        """A week later: new tickets and people, an order called off, and the team at work in the sheet."""
        more = [order(3000 + n, who, "Phèdre", "01/03/2026") for n, who in enumerate(PEOPLE[:6])]
        more += [order(3100 + n, f"Nouveau{n} Venu", "Phèdre", "20/03/2026") for n in range(5)]
        self.export((self.lines[0].replace("Validé", "Annulé"), *self.lines[1:], *more))
        book = openpyxl.load_workbook(self.file)
        sheet: Any = book[MAIN]
        place = {cell.value: cell.column for cell in sheet[1]}
        for row in range(2, 12):
            sheet.cell(row, place["Notes"]).value = f"rappelé {row}"
        sheet.cell(3, place["Courriel"]).value = "autre@example.net"
        sheet.cell(4, place["Prénom"]).value = "Corrigé"
        sheet.cell(5, place["Visites"]).value = 99
        for row in (6, 7, 20, 21, 22, 23):
            sheet.cell(row, place["Ne pas relancer"]).value = "oui"
        for last, first, mail in (
            ("Venu", "Nouveau1", "nouveau1.venu@example.org"),
            ("Neuve", "Toute", "neuve@example.org"),
        ):
            sheet.append((last, first, mail, None, "tapée à la main"))
        book.save(self.file)

    # What stands there --------------------------------------------------------------------------------------------------

    def everything(self) -> dict[str, Any]:
        """The workbook, the store and the mails, people called by who they are: the same whatever the number of runs."""
        return {"workbook": workbook(self), "store": Books(self.folder / "filrouge.db").dump(), "mails": letters(self)}


def letters(small: Small) -> Counter[str]:
    """How many files by Message-ID and recipient."""
    found = (message_from_bytes(file.read_bytes()) for file in (small.folder / "outbox").glob("*.eml"))
    return Counter(f"{mail['Message-ID']} {mail['To']}" for mail in found)


def workbook(bigger: Bigger) -> dict[str, list[Any]]:
    """Every cell of every tab; the lasting key of a row is told as the person it stands for."""
    names = Books(bigger.folder / "filrouge.db").by_code
    book = openpyxl.load_workbook(bigger.file)
    return {
        sheet.title: [[names.get(str(value), value) for value in row] for row in sheet.iter_rows(values_only=True)]
        for sheet in book.worksheets
    }


# --- the store -------------------------------------------------------------------------------------------------------

APART = frozenset({"run", "lease", "counter", "organisation", "rule_file", "source", "sheet_journal", "raw"})
NUMBERS = frozenset({"no", "line", "missing", "missing_run", "attempts", "answer", "wanted", "revision", "team"})
OF_A_RUN = frozenset({
    "run", "created_run", "entered_run", "left_run", "until_run", "written_run", "sending_run", "batch", "hash", "id",
})  # fmt: skip
PEOPLES = frozenset({"person", "person_id", "first_person", "from_person", "to_person", "merged_into", "one", "other"})
SAID_BY_SOURCES = frozenset({"fact", "event"})


class Books:
    """The store as somebody reads it who cares what is known, not in which run it came to be known."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(question).fetchall()

    @cached_property
    def people(self) -> dict[int, str]:
        said = self.ask(
            "SELECT p.id, f.first_name, f.last_name, f.email, p.merged_into FROM person AS p LEFT JOIN profile AS f"
            " ON f.org = p.org AND f.person = coalesce(p.merged_into, p.id)"
        )
        return {
            id_: " ".join(filter(None, (*names, "(merged)" if merged is not None else None)))
            for id_, *names, merged in said
        }

    @cached_property
    def by_code(self) -> dict[str, str]:
        return {code: self.people[id_] for id_, code in self.ask("SELECT id, code FROM person")}

    @cached_property
    def things(self) -> dict[int, str]:
        return {
            no: f"{source} {kind} {id_}"
            for no, source, kind, id_ in self.ask("SELECT no, source, kind, id FROM object")
        }

    @cached_property
    def sightings(self) -> dict[int, str]:
        return {no: f"{source} {id_}" for no, source, id_ in self.ask("SELECT no, source, id FROM sighting")}

    def dump(self) -> dict[str, Counter[str]]:
        """By table its rows, each as text."""
        return {name: self._table(name) for name in metadata.tables if name not in APART} | {"journal": self.journal()}

    def journal(self) -> Counter[str]:
        said = self.ask("SELECT kind, key, field, was, value FROM sheet_journal")
        named = ([self.by_code.get(str(word).strip('"'), word) for word in line] for line in said)
        return Counter(f"{kind} {key} {rest}" for kind, key, *rest in named)

    def _table(self, name: str) -> Counter[str]:
        table = metadata.tables[name]
        tell = {column.name: self._teller(name, column) for column in table.columns if column.name != "org"}
        tell = {column: teller for column, teller in tell.items() if teller is not None}
        columns = ", ".join(f'"{column}"' for column in tell)
        # The names are the tables' own. The counted visitors stand beside the numbers of runs, of which a kill makes more.
        where = " WHERE name <> 'visitors'" if name == "remembered" else ""
        rows = self.ask(f'SELECT {columns} FROM "{name}"{where}')
        return Counter(
            json.dumps({column: tell[column](value) for column, value in zip(tell, row, strict=True)}, default=str)
            for row in rows
        )

    def _teller(self, table: str, column: Any) -> Any:
        name = column.name
        known: Mapping[str, Callable[[Any], Any]] = {
            "object": lambda no: self.things.get(no, no),
            "sighting": lambda no: self.sightings.get(no, no),
            "code": lambda code: self.by_code.get(code, code),
            "key": lambda code: self.by_code.get(code, code),
        }
        if name in PEOPLES:
            return lambda id_: self.people.get(id_, id_)
        if name in NUMBERS or (table == "person" and name == "id"):
            return None
        if table in ("outbox", "task") and name == "id":
            return None
        if name in OF_A_RUN - {"id"} or (isinstance(column.type, Utc) and table not in SAID_BY_SOURCES):
            return lambda value: value is not None
        return known.get(name, lambda value: value)
