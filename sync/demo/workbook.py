"""`Contacts.xlsx` as a small team keeps it for years: their columns, colours, a formula, a comment, a second tab, a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import xlsxwriter

from sync.demo.people import Somebody

WIDTHS = (18, 16, 34, 17, 11, 20, 10, 15, 12, 12, 46)


@dataclass(frozen=True)
class _Words:
    """What the team writes, in its language."""

    title: str
    headers: tuple[str, ...]
    yes: str
    no: str
    note: str
    remarks: tuple[str, ...]
    volunteers: str
    rota: tuple[str, ...]
    thanks: str


FRENCH = _Words(
    title="Contacts du Théâtre du Phare",
    headers=(
        "Nom", "Prénom", "Courriel", "Téléphone", "Code postal", "Ville", "Bénévole", "Ne pas relancer", "Parrainages",
        "Cadeau (€)", "Remarques",
    ),
    yes="oui",
    no="non",
    note="Mettre « oui » : plus aucun message. Demander à Marie avant d'enlever.",
    remarks=(
        "Place accessible en fauteuil, prévenir l'accueil", "Aime la danse, pas le cirque",
        "Ancien président de l'association", "Préfère le téléphone", "Vient avec sa chorale",
        "A prêté des costumes en 2019", "Ne voit plus bien : gros caractères", "Tutoie tout le monde",
        "Propose d'héberger des artistes",
    ),
    volunteers="Bénévoles",
    rota=("Qui", "Soirées faites", "Prochaine permanence"),
    thanks="Merci à elles et eux",
)  # fmt: skip
ENGLISH = _Words(
    title="Contacts of the Théâtre du Phare",
    headers=(
        "Last name", "First name", "E-mail", "Phone", "Postcode", "City", "Volunteer", "Do not contact", "Friends brought",
        "Gift (€)", "Remarks",
    ),
    yes="yes",
    no="no",
    note="Put “yes”: no more messages at all. Ask Marie before you take it away.",
    remarks=(
        "Needs a wheelchair place, tell the front desk", "Loves dance, not circus", "Former chair of the association",
        "Would rather be phoned", "Comes with a choir", "Lent us costumes in 2019", "Poor sight: large print",
        "On first-name terms with everybody", "Offers to put artists up",
    ),
    volunteers="Volunteers",
    rota=("Who", "Evenings done", "Next evening"),
    thanks="Thank you all",
)  # fmt: skip


def write_workbook(file: Path, dice: Random, people: Sequence[Somebody], today: date, language: str) -> None:
    """About 150 of the people, typed by hand over the years, with the team's own columns beside, in their language."""
    words = ENGLISH if language == "en" else FRENCH
    book = xlsxwriter.Workbook(file)
    book.set_properties({"title": words.title, "created": datetime.combine(today, time(8))})
    contacts = book.add_worksheet("Contacts")
    _headers(book, contacts, words)
    chosen = sorted(dice.sample([who for who in people if who.habit != "new"], 150), key=lambda who: who.last)
    for row, who in enumerate(chosen, 1):
        _person(book, contacts, row, who, dice, words)
    _dress(book, contacts, len(chosen), words)
    _volunteers(book, dice, chosen, today, words)
    book.close()


def _headers(book: Any, sheet: Any, words: _Words) -> None:
    ours = book.add_format({"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "bottom": 1})
    theirs = book.add_format({"bold": True, "bg_color": "#C55A11", "font_color": "#FFFFFF", "bottom": 1})
    for place, (header, width) in enumerate(zip(words.headers, WIDTHS, strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, header, theirs if place > 5 else ours)
    sheet.write_comment(0, 7, words.note, {"author": "Marie"})


def _person(book: Any, sheet: Any, row: int, who: Somebody, dice: Random, words: _Words) -> None:
    last = who.organisation or (who.last.upper() if dice.random() < 0.3 else who.last)
    for place, text in enumerate(
        (last, "" if who.organisation else who.first, who.email, who.phone, who.postcode, who.town)
    ):
        if text:
            sheet.write_string(row, place, text)
    if dice.random() < 0.14:
        sheet.write_string(row, 6, words.yes)
    if dice.random() < 0.05:
        sheet.write_string(row, 7, words.yes)
    godchildren = dice.choice((0, 0, 0, 1, 2))
    sheet.write_number(row, 8, godchildren)
    sheet.write_formula(row, 9, f"=I{row + 1}*5", None, godchildren * 5)
    if dice.random() < 0.3:
        sheet.write_string(row, 10, dice.choice(words.remarks), book.add_format({"italic": True, "text_wrap": True}))


def _dress(book: Any, sheet: Any, count: int, words: _Words) -> None:
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, count, len(words.headers) - 1)
    red = book.add_format({"bg_color": "#F8CBAD"})
    said_no = {"type": "cell", "criteria": "==", "value": f'"{words.yes}"', "format": red}
    sheet.conditional_format(1, 7, 5000, 7, said_no)
    sheet.data_validation(1, 6, 5000, 7, {"validate": "list", "source": [words.yes, words.no]})


def _volunteers(book: Any, dice: Random, people: Sequence[Somebody], today: date, words: _Words) -> None:
    """The second tab: the volunteers' rota, with a chart of the evenings each has done."""
    sheet = book.add_worksheet(words.volunteers)
    sheet.set_column(0, 0, 26)
    sheet.write_row(0, 0, words.rota, book.add_format({"bold": True}))
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for row, who in enumerate(dice.sample([who for who in people if not who.organisation], 8), 1):
        sheet.write_string(row, 0, who.full)
        sheet.write_number(row, 1, dice.randrange(1, 14))
        sheet.write_datetime(row, 2, datetime.combine(today + timedelta(days=row * 5), time()), day)
    chart = book.add_chart({"type": "bar"})
    who_did, how_many = [words.volunteers, 1, 0, 8, 0], [words.volunteers, 1, 1, 8, 1]
    chart.add_series({"name": words.rota[1], "categories": who_did, "values": how_many})
    chart.set_title({"name": words.thanks})
    sheet.insert_chart("E2", chart)
