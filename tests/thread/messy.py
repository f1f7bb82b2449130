"""A contacts sheet as a theatre has kept it for years, and the tickets it sold: invented from a seed, always the same.

Who is who is known here by construction, so that what must stand in the sheet can be worked out without the product.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from connectors.sheets.sheet import Cell, Formula
from tests.thread.small import HEAD

FIRST = (  # noqa: SIM905  fifty names read better so
    "Adèle Agnès Alain Amélie André Anaïs Béatrice Benoît Camille Cécile Chloé Clément Colette Damien Denis Édith "
    "Élise Émile Estelle Fabien Florence Françoise Gérard Gilles Hélène Henri Irène Jérôme Joël Josée Laurent Léon "
    "Lucie Maël Maïté Margot Mathis Mélanie Michèle Noémie Olivier Pascal Pénélope Raphaël Régis Rémi Renée Sébastien "
    "Solène Sylvie "
).split()
LAST = (  # noqa: SIM905  as above
    "Allard Arsenault Beaulieu Bédard Bélanger Bergeron Bérubé Blais Boisvert Bouchard Boucher Caron Cloutier Côté "
    "Demers Deschênes Desjardins Dubé Dufour Fontaine Fortin Fournier Gagné Gauthier Giguère Girard Hébert Lachance "
    "Lafleur Lapierre Lavallée Leblanc Lefebvre Lemieux Lessard Lévesque Michaud Morin Nadeau Ouellet Paquette Parent "
    "Pelletier Perreault Poirier Poulin Savard Simard Thibault Turcotte Vachon Villeneuve "
).split()
TOWNS = ("Québec", "Lévis", "Beauport", "Sainte-Foy", None, None)
REMARKS = ("abonnée depuis 2011", "préfère le balcon", "ami de Marie", "à rappeler", "fauteuil roulant", None, None)
NUMBER, LAST_NAME, FIRST_NAME, MAIL, PHONE, TOWN = "N°", "Nom", "Prénom", "Courriel", "Tél.", "Ville"
LAST_VISIT, VISITS, REMARK, NO_MORE, SINCE = "Dernière venue", "Nb venues", "Remarques", "Ne pas relancer", "Ancienneté"
HEADERS = (NUMBER, LAST_NAME, FIRST_NAME, MAIL, PHONE, TOWN, LAST_VISIT, VISITS, REMARK, NO_MORE, SINCE)
SHOWS = {date(2024, 3, 9): "Cyrano", date(2024, 11, 16): "Antigone", date(2025, 2, 8): "Ubu roi", date(2025, 5, 3): "Le Cid",
         date(2025, 9, 10): "Électre", date(2025, 12, 6): "Phèdre", date(2026, 2, 21): "Tartuffe", date(2026, 3, 7): "Médée",
         date(2026, 3, 14): "Dom Juan", date(2026, 4, 11): "Andromaque"}  # fmt: skip
LONG_AGO, LATELY = tuple(SHOWS)[:4], tuple(SHOWS)[5:7]
PRICE = 18


@dataclass(frozen=True)
class Person:
    """Somebody real. `name` is what they are called in the diary; `phone` as everybody dials it."""

    first: str
    last: str
    mail: str | None
    phone: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True)
class Ticket:
    order: int
    who: str
    day: date
    bought: date
    cancelled: date | None = None

    def stands(self, today: date) -> bool:
        return self.bought <= today and (self.cancelled is None or today < self.cancelled)


@dataclass
class Row:
    """A row of the sheet, and whom it is about (nobody: a remark of the team without a person)."""

    who: str | None
    cells: dict[str, Cell | Formula]


@dataclass
class Theatre:
    people: dict[str, Person] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)

    def meet(self, person: Person) -> Person:
        self.people[person.name] = person
        return person

    def sell(self, who: str, day: date, bought: date) -> None:
        assert day in SHOWS
        self.tickets.append(Ticket(1000 + len(self.tickets), who, day, bought))

    def call_off(self, who: str, day: date, today: date) -> None:
        """Their last ticket for that evening."""
        place = max(i for i, one in enumerate(self.tickets) if (one.who, one.day) == (who, day))
        self.tickets[place] = replace(self.tickets[place], cancelled=today)

    def of(self, who: str, today: date) -> list[Ticket]:
        return [one for one in self.tickets if one.who == who and one.stands(today)]

    def export(self, today: date) -> str:
        """The ticket office's export of this morning: everything sold so far."""
        return "\n".join([HEAD, *(self._line(one, today) for one in self.tickets if one.bought <= today)]) + "\n"

    def _line(self, one: Ticket, today: date) -> str:
        who, status = self.people[one.who], "Validé" if one.stands(today) else "Annulé"
        told = (one.order, f"{one.bought:%d/%m/%Y} 10:00", status, who.last, who.first, who.mail, SHOWS[one.day],
                f"{one.day:%d/%m/%Y} 20:00", f"{one.order}1", "Plein tarif", f"{PRICE},00")  # fmt: skip
        return ";".join(map(str, told))


def bare(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def crowd(size: int, chance: random.Random) -> Iterator[Person]:
    """People whose names differ in more than their accents; every 25th pair shares one address."""
    pairs = [(first, last) for first in FIRST for last in LAST]
    chance.shuffle(pairs)
    for place, (first, last) in enumerate(pairs[:size]):
        mail = f"{bare(first)}.{bare(last)}@example.org".lower()
        if place % 50 < 2:
            mail = f"famille{place // 50}@example.org"
        elif place % 12 == 5:
            mail = ""
        phone = f"+1418555{1000 + place}" if chance.random() < 0.7 else None
        yield Person(first, last, mail or None, phone)


def invent(size: int, cast: dict[str, dict[str, Cell]], seed: int = 2026) -> Theatre:
    """`size` rows, the cast among them; about nine in ten people of the crowd bought tickets at some time."""
    chance, theatre = random.Random(seed), Theatre()
    everybody = list(crowd(size, chance))
    for person in everybody[: int(size * 0.85)]:
        theatre.meet(person)
        theatre.rows.append(messy(person, chance))
        if person.mail and person.mail[:7] != "famille" and chance.random() < 0.04:
            again = messy(person, chance)
            again.cells.pop(NO_MORE, None)
            theatre.rows.append(again)
    for person in everybody[int(size * 0.85) :]:  # they bought, and nobody has typed them
        if person.mail:
            theatre.meet(person)
    for person in list(theatre.people.values()):
        _past(theatre, person, chance)
    for name, cells in cast.items():
        theatre.rows.insert(chance.randrange(len(theatre.rows)), _of_the_cast(theatre, name, cells))
    for _ in range(max(2, size // 100)):
        theatre.rows.insert(chance.randrange(len(theatre.rows)), Row(None, {}))
        theatre.rows.insert(chance.randrange(len(theatre.rows)), Row(None, {REMARK: "voir aussi le cahier bleu"}))
    for number, row in enumerate((row for row in theatre.rows if row.cells), 1):
        row.cells = {NUMBER: f"F{number:05}", **row.cells}
    return theatre


def _past(theatre: Theatre, person: Person, chance: random.Random) -> None:
    if not person.mail:
        return
    days = chance.sample(LONG_AGO, chance.choice((0, 0, 1, 1, 2)))
    if len(days) != 2 or chance.random() < 0.5 or person.mail.startswith("famille"):
        days += chance.sample(LATELY, chance.choice((1, 1, 2)))
    for day in sorted(days):
        theatre.sell(person.name, day, day.replace(day=1))


def _of_the_cast(theatre: Theatre, name: str, cells: dict[str, Cell]) -> Row:
    who = name.removesuffix(" (again)")
    first, last = who.split(" ", 1)
    if who not in theatre.people:
        theatre.meet(Person(first, last, str(cells[MAIL]).strip().lower() if MAIL in cells else None))
    return Row(who, {LAST_NAME: last, FIRST_NAME: first, **cells})


def messy(person: Person, chance: random.Random) -> Row:
    """Somebody's row, as one of five people typed it at some time."""
    shared = (person.mail or "famille").startswith("famille")
    first = chance.choice(
        (person.first, person.first, bare(person.first), person.first.upper(), f"{person.first[0]}.", None)
    )
    cells: dict[str, Cell | Formula] = {
        LAST_NAME: chance.choice((person.last, person.last, person.last.upper(), bare(person.last))),
        FIRST_NAME: person.first if shared else first,
        MAIL: person.mail and chance.choice((person.mail, person.mail, person.mail.upper(), person.mail.capitalize())),
        PHONE: person.phone and _dialled(person.phone[2:], chance),
        TOWN: chance.choice(TOWNS),
        LAST_VISIT: chance.choice((None, "12/03/2024", "mars 2024", "2023-11-05", date(2024, 3, 9), "l'an dernier")),
        VISITS: chance.choice((None, None, 2, 7, "3 fois")),
        REMARK: chance.choice(REMARKS),
        NO_MORE: chance.choice((None,) * 12 + ("oui", "x")),
        SINCE: Formula(f"=TODAY()-DATE({chance.randint(1998, 2024)},5,12)"),
    }
    return Row(person.name, {header: value for header, value in cells.items() if value is not None})


def _dialled(ten: str, chance: random.Random) -> Cell:
    area, middle, end = ten[:3], ten[3:6], ten[6:]
    return chance.choice((f"{area} {middle}-{end}", f"({area}) {middle}-{end}", f"+1 {area} {middle} {end}", int(ten),
                          f"{area}.{middle}.{end}", f"1-{area}-{middle}-{end}"))  # fmt: skip
