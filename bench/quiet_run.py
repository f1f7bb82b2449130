"""A large organisation's days: 100,000 people, 1,000,000 records, a workbook of 100,000 rows. `python -m bench.quiet_run`

Export files are written in the columns of a box office and of Mailchimp; all the rest is done by the command itself, as
its user would: the first run makes the store and the workbook, then come a run with nothing new on the same day, one on
the next day, and one with 100 new orders. Each is a process of its own: wall time, and the peak of its memory.
`python -m bench.quiet_run keep DIR` makes the organisation in a folder and leaves it there.
"""

from __future__ import annotations

import csv
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sync.demo.exports import BOX_OFFICE

PEOPLE, ORDERS, READERS, NEW = 100_000, 250_000, 30_000, 100
DAY = date(2026, 9, 1)
TOWNS = ("Brest", "Quimper", "Lorient", "Morlaix", "Landerneau", "Plougastel-Daoulas")
FIRST = ("Léa", "Hugo", "Chloé", "Louis", "Émilie", "Noël", "Zoé", "Jean-Baptiste", "Aïcha", "Mamadou", "Linh", "Anaïs")
MEMBERS = [
    "Email Address",
    "First Name",
    "Last Name",
    "MEMBER_RATING",
    "OPTIN_TIME",
    "OPTIN_IP",
    "CONFIRM_TIME",
    "CONFIRM_IP",
    "LAST_CHANGED",
    "LEID",
    "EUID",
    "TAGS",
]
CONFIG = """
organisation: {name: Grand Théâtre, language: fr, timezone: Europe/Paris, country: FR, address: "1, quai des Brumes, 29200 Brest, France"}
sources:
  exports: {type: files, folder: exports/}
sheet:
  type: excel
  file: Contacts.xlsx
  tab: Contacts
  columns: {Nom: last_name, Prénom: first_name, Courriel: email, Code postal: postcode, Première visite: first_visit,
    Dernière visite: last_visit, Prochaine visite: next_visit, Visites: visits, Billets: tickets, Dépensé: spent,
    Infolettre: newsletter, Genres: genres, Signaux: flags}
mail: {type: folder, folder: outbox/, from: "Grand Théâtre <bonjour@example.org>"}
rules: rules/
store: sqlite:///filrouge.db
"""
RULES = """
segments:
  - name: Habitués
    quand: {visites: au moins 3}
  - name: Fidèles
    quand: {visites: au moins 5}
règles:
  - {name: Habitués perdus de vue, quand: {segment: Habitués, dernière visite: il y a plus de 12 mois, prochaine visite: jamais}, alors: [{signaler: À relancer}, {courriel: on-se-revoit, encore: après 6 mois}]}
  - {name: Nouveaux venus, quand: {première visite: il y a moins de 2 semaines, visites: 1}, alors: [{signaler: Nouveau}, {courriel: bienvenue}]}
  - {name: Lecteurs jamais venus, quand: {infolettre: inscrit, première visite: jamais}, alors: [{signaler: Curieux}]}
  - {name: Grands acheteurs, quand: {dépensé: au moins 300, segment: Fidèles}, alors: [{signaler: Mécène possible}]}
  - {name: Viendra bientôt, quand: {prochaine visite: dans les 7 prochains jours}, alors: [{signaler: Cette semaine}]}
  - {name: Venus hier, quand: {dernière visite: il y a moins de 2 jours}, alors: [{signaler: Vient de venir}]}
  - {name: Sans courriel, quand: {courriel: vide, visites: au moins 2}, alors: [{signaler: Adresse à demander}]}
  - {name: Adresses en erreur, quand: {infolettre: en erreur}, alors: [{signaler: Adresse à corriger}]}
  - {name: Une seule fois, quand: {visites: 1, dernière visite: il y a plus de 24 mois}, alors: [{signaler: Une fois}]}
  - {name: Familles, quand: {billets: au moins 12, code postal: commence par 29}, sauf: {dernière visite: il y a plus de 6 mois}, alors: [{signaler: Famille}]}
""".replace("name:", "nom:")
MAIL = "---\nobjet: {subject}\n---\n\nBonjour {{{{ prénom }}}},\n\nNous serions heureux de vous revoir.\n"


@dataclass(frozen=True)
class Spent:
    """What one command took."""

    seconds: float
    megabytes: float
    said: str


def person(number: int) -> tuple[str, str, str, str]:
    """Last name, first name, e-mail, postal code."""
    last, first = f"Nom{number % 20011}", FIRST[number % len(FIRST)]
    return last.upper() if number % 7 == 0 else last, first, f"personne.{number}@example.org", f"29{number % 1000:03}"


def lines(orders: range, people: Sequence[int], chance: random.Random) -> Iterator[list[str]]:
    """The tickets of orders, one to three each, at one of 400 performances from three years ago to two months ahead."""
    for order, who in zip(orders, people, strict=True):
        show = chance.randrange(400)
        starts = datetime(2023, 9, 2, 20, 30) + timedelta(days=show * 1155 // 400)  # noqa: DTZ001  as the box office writes it
        bought = min(starts - timedelta(days=chance.randrange(1, 40)), datetime(2026, 8, 31))  # noqa: DTZ001  the same
        last, first, email, postcode = person(who)
        genre = ("DANSE", "CIRQUE", "CONCERT", "THÉÂTRE")[show % 4]
        for ticket in range(1 + order % 3):
            yield [
                str(order * 10 + ticket), str(order), f"{bought:%d/%m/%y} 00:00", "10:11:12", str(show), f"{genre} - Pièce {show}",
                str(show), f"{genre} - Pièce {show}", f"{starts:%d/%m/%y}", "20:30:00", f"{starts:%d/%m/%y}", "22:10:00",
                "27", "Plein tarif", "INTERNET", last, first, email, "1 rue du Phare", postcode, "France", "", "",
            ]  # fmt: skip


def write_orders(file: Path, orders: range, people: Sequence[int], seed: int) -> None:
    with file.open("w", encoding="cp1252", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(BOX_OFFICE)
        writer.writerows(lines(orders, people, random.Random(seed)))


def write_readers(folder: Path) -> None:
    """The newsletter's readers, every tenth of whom never bought a ticket."""
    with (folder / "subscribed_members_export_a1b2c3.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(MEMBERS)
        for number in range(READERS):
            who = number * 3 if number % 10 else PEOPLE - 1 - number // 10
            last, first, email, _ = person(who)
            at = "2024-03-04 05:06:07"
            writer.writerow([email, first, last, "3", "", "", at, "192.0.2.1", at, str(number), f"{number:08x}", '"Abonnés"'])  # fmt: skip


def write_organisation(folder: Path) -> None:
    for name in ("exports", "rules/templates"):
        (folder / name).mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "rules" / "suivi.yaml").write_text(RULES, encoding="utf-8")
    for name in ("on-se-revoit", "bienvenue"):
        file = folder / "rules" / "templates" / f"{name}.md"
        file.write_text(MAIL.format(subject=name.replace("-", " ")), encoding="utf-8")
    buyers = PEOPLE - READERS // 10
    chance = random.Random(1)
    people = [*range(buyers), *(int(buyers * chance.random() ** 2) for _ in range(ORDERS - buyers))]
    write_orders(folder / "exports" / "billetterie.csv", range(900_000, 900_000 + ORDERS), people, 2)
    write_readers(folder / "exports")


def add_orders(folder: Path) -> None:
    """A hundred orders more: half by people known, half by new ones."""
    people = [*range(0, 50_000, 1_000), *range(PEOPLE, PEOPLE + NEW // 2)]
    write_orders(folder / "exports" / "billetterie-du-jour.csv", range(1_900_000, 1_900_000 + NEW), people, 3)


def run(folder: Path, day: date) -> Spent:
    """`filrouge run` on a day."""
    call = "from sync.cli import main; main()"
    command = [sys.executable, "-c", call, "--config", str(folder / "config.yaml"), "run", "--today", day.isoformat()]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 7), said
    return Spent(time.perf_counter() - began, used.ru_maxrss / 1024, said)


def counted(folder: Path) -> dict[str, int]:
    """Records and people in the store."""
    store = sqlite3.connect(folder / "filrouge.db")
    count = {
        name: int(store.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
        for name in ("fact", "sighting", "event", "person")
    }
    store.close()
    return {"records": count["fact"] + count["sighting"] + count["event"], "people": count["person"]}


def measure(folder: Path) -> dict[str, Spent]:
    """Make the organisation, and live its days."""
    write_organisation(folder)
    found = {"first": run(folder, DAY)}
    found["same day"] = run(folder, DAY)
    found["next day"] = run(folder, DAY + timedelta(days=1))
    add_orders(folder)
    found["100 orders"] = run(folder, DAY + timedelta(days=1))
    return found


def main() -> None:
    if sys.argv[1:2] == ["keep"]:
        folder = Path(sys.argv[2])
        write_organisation(folder)
        print(run(folder, DAY), counted(folder))
        return
    with tempfile.TemporaryDirectory() as made:
        for name, spent in measure(Path(made)).items():
            print(f"{name:12} {spent.seconds:7.1f} s {spent.megabytes:6.0f} MB")
        print(counted(Path(made)))


if __name__ == "__main__":
    main()
