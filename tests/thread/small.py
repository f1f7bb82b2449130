"""A very small organisation, for trying the whole thread: export files, a workbook, mails in a folder, SQLite."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from sync.cli import main

CONFIG = """\
organisation: {name: Théâtre du Phare, language: fr, timezone: America/Montreal, country: CA, address: "12, rue du Phare, Québec"}
sources:
  exports: {type: files, folder: exports/}
sheet:
  type: excel
  file: Contacts.xlsx
  tab: Contacts
  columns: {Prénom: first_name, Nom: last_name, Courriel: email, Dernière visite: last_visit, Visites: visits, Dépensé: spent, Signaux: flags}
mail: {type: folder, folder: outbox/, from: "Théâtre du Phare <bonjour@example.org>"}
rules: rules/
schedule: every day at 06:00
"""
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
      - courriel: on-se-revoit
"""
TEMPLATE = """\
---
subject: "Cela fait longtemps, {{ prénom or 'vous' }}"
purpose: service
---
Bonjour {{ prénom or "à vous" }},

revenez nous voir.
"""
HEAD = "Référence commande;Date de la commande;Statut de la commande;Nom payeur;Prénom payeur;Email payeur;Spectacle;Date du spectacle;Numéro de billet;Tarif;Montant tarif"
TODAY = "2026-03-14"
TICKS = ("Fait", "D'accord", "Vu, c'est bon")


def _code(command: Callable[[], None]) -> int:
    try:
        command()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def line(order: int, who: str, show: str, day: str, price: str = "18,00", status: str = "Validé") -> str:
    first, last = who.split()
    mail = f"{first}.{last}@example.org".lower()
    return f"{order};01/02/2024 10:00;{status};{last};{first};{mail};{show};{day} 20:00;{order}1;Plein tarif;{price}"


LINES = (
    line(1, "Jeanne Exemple", "Cyrano", "10/03/2024"),
    line(2, "Jeanne Exemple", "Antigone", "12/05/2024"),
    line(3, "Awa Diallo", "Cyrano", "10/03/2024"),
    line(4, "Awa Diallo", "Ubu roi", "01/03/2026"),
    line(5, "Luc Roy", "Cyrano", "10/03/2024", status="Annulé"),
)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    said: str
    erred: str

    @property
    def facts(self) -> Any:
        return json.loads(self.said)


class Small:
    """The organisation's folder, and what its team does there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("exports", "rules/templates"):
            (folder / name).mkdir(parents=True)
        self.write("config.yaml", CONFIG)
        self.write("rules/public.yaml", RULES)
        self.write("rules/templates/on-se-revoit.md", TEMPLATE)
        self.export(LINES)

    @classmethod
    def at(cls, folder: Path) -> Small:
        """One that is there already, a copy of another."""
        small = cls.__new__(cls)
        small.folder = folder
        return small

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def export(self, lines: tuple[str, ...], name: str = "billets.csv") -> None:
        self.write(f"exports/{name}", "\n".join([HEAD, *lines]) + "\n")

    def filrouge(self, *arguments: str, today: str | None = None, **environment: str) -> Done:
        """The command, in this process: a new Python for each would take minutes."""
        command = ["filrouge", "--config", "config.yaml", *arguments, *(["--today", today] if today else [])]
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", command)
            for name, value in environment.items():
                patch.setenv(name, value)
            code = _code(main)
        assert "Traceback" not in out.getvalue() + err.getvalue(), err.getvalue()
        assert "FILROUGE_DEBUG" not in err.getvalue(), err.getvalue()
        return Done(code, out.getvalue(), err.getvalue())

    def run(self, *arguments: str, today: str = TODAY) -> Done:
        return self.filrouge("run", "--json", *arguments, today=today)

    def rows(self, tab: str = "Contacts") -> list[dict[str, Any]]:
        book = python_calamine.CalamineWorkbook.from_path(str(self.folder / "Contacts.xlsx"))
        header, *rows = book.get_sheet_by_name(tab).to_python()
        return [dict(zip(map(str, header), row, strict=True)) for row in rows]

    def row(self, first_name: str) -> dict[str, Any]:
        (found,) = [row for row in self.rows() if row["Prénom"] == first_name]
        return found

    def mails(self) -> list[str]:
        return (
            sorted(file.name for file in (self.folder / "outbox").glob("*.eml"))
            if (self.folder / "outbox").exists()
            else []
        )

    def edit(self, first_name: str, column: str, value: str | int | None) -> None:
        """The team edits a cell with another program."""
        import openpyxl

        file = self.folder / "Contacts.xlsx"
        book = openpyxl.load_workbook(file)
        sheet = book["Contacts"]
        headers = {cell.value: int(cell.column or 0) for cell in sheet[1]}
        (row,) = [row for row in range(2, sheet.max_row + 1) if sheet.cell(row, headers["Prénom"]).value == first_name]
        sheet.cell(row, headers[column]).value = value  # None empties it
        book.save(file)

    def tick(self, tab: str, who: str) -> None:
        """The team ticks the one line of a tab beside the people in which this name stands."""
        import openpyxl

        file = self.folder / "Contacts.xlsx"
        book = openpyxl.load_workbook(file)
        sheet = book[tab]
        (column,) = [int(cell.column or 0) for cell in sheet[1] if cell.value in TICKS]
        (row,) = [
            int(row[0].row or 0) for row in sheet.iter_rows(min_row=2) if any(who in str(cell.value) for cell in row)
        ]
        sheet.cell(row, column).value = "x"
        book.save(file)
