"""800 invented people as a small theatre knows them: who comes how often, and the dirt of real life in their addresses."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

Habit = Literal["regular", "lapsed", "occasional", "once", "new", "school", "reader"]
HABITS: dict[Habit, int] = {
    "regular": 190, "lapsed": 52, "occasional": 215, "once": 220, "new": 31, "school": 14, "reader": 78,
}  # fmt: skip
FIRST_NAMES = [
    "Jeanne",
    "Marie",
    "Camille",
    "Léa",
    "Chloé",
    "Inès",
    "Awa",
    "Fatou",
    "Nathalie",
    "Sylvie",
    "Martine",
    "Monique",
    "Chantal",
    "Hélène",
    "Aurélie",
    "Émilie",
    "Élodie",
    "Océane",
    "Zoé",
    "Anaïs",
    "Maëlle",
    "Gwenaëlle",
    "Solenn",
    "Nolwenn",
    "Yasmine",
    "Samira",
    "Leïla",
    "Khadija",
    "Mei",
    "Thu",
    "Linh",
    "Rosalie",
    "Florence",
    "Mélissa",
    "Geneviève",
    "Marguerite",
    "Odile",
    "Colette",
    "Françoise",
    "Sophie",
    "Noémie",
    "Béatrice",
    "Louise",
    "Agnès",
    "Paul",
    "Jean",
    "Pierre",
    "Michel",
    "Luc",
    "Léo",
    "Hugo",
    "Théo",
    "Mathis",
    "Loïc",
    "Yann",
    "Ewen",
    "Malo",
    "Erwan",
    "Gaël",
    "Tanguy",
    "Mamadou",
    "Ousmane",
    "Karim",
    "Mehdi",
    "Rachid",
    "Amine",
    "Nguyên",
    "Minh",
    "José",
    "Antoine",
    "François",
    "André",
    "René",
    "Benoît",
    "Rémi",
    "Jérôme",
    "Stéphane",
    "Sébastien",
    "Cédric",
    "Frédéric",
    "Guillaume",
    "Étienne",
    "Maxime",
    "Olivier",
    "Xavier",
    "Marc-Antoine",
    "Jean-François",
    "Jean-Baptiste",
    "Félix",
    "Alexis",
    "Gabriel",
    "Raphaël",
    "Noah",
    "Samuel",
    "Thomas",
    "Nicolas",
    "Didier",
    "Alain",
]
LAST_NAMES = [
    "Tremblay",
    "Gagnon",
    "Roy",
    "Côté",
    "Bouchard",
    "Gauthier",
    "Morin",
    "Lavoie",
    "Fortin",
    "Gagné",
    "Ouellet",
    "Pelletier",
    "Bélanger",
    "Lévesque",
    "Bergeron",
    "Leblanc",
    "Paquette",
    "Girard",
    "Simard",
    "Boucher",
    "Caron",
    "Beaulieu",
    "Cloutier",
    "Dubé",
    "Poirier",
    "Fournier",
    "Lapointe",
    "Nadeau",
    "Le_Goff",
    "Le_Gall",
    "Kerbrat",
    "Quéméneur",
    "Guivarc'h",
    "Salaün",
    "Abgrall",
    "Kervella",
    "Cadiou",
    "Tanguy",
    "Prigent",
    "Le_Bris",
    "Madec",
    "Floc'h",
    "Cozic",
    "Riou",
    "Martin",
    "Bernard",
    "Thomas",
    "Petit",
    "Robert",
    "Richard",
    "Durand",
    "Dubois",
    "Moreau",
    "Laurent",
    "Lefèvre",
    "Michel",
    "Garcia",
    "David",
    "Bertrand",
    "Roux",
    "Vincent",
    "Diallo",
    "Traoré",
    "Diop",
    "Ndiaye",
    "N'Guessan",
    "Benali",
    "Haddad",
    "Bouzid",
    "Amrani",
    "El_Khoury",
    "Nguyen",
    "Tran",
    "Pham",
    "Lopes",
    "Da_Silva",
    "Fernandes",
    "Ferreira",
    "Rossi",
    "Kowalski",
    "Schmitt",
    "Müller",
    "D'Hondt",
    "Delaunay",
    "Lemoine",
    "Marchand",
    "Renaud",
    "Perrot",
    "Hamon",
    "Rivière",
    "Château",
    "Fleury",
    "Chevallier",
    "Picard",
    "Lécuyer",
    "Dufour",
    "Mercier",
    "Blanchard",
    "Brunet",
    "Guérin",
    "Boyer",
    "Noël",
    "Hébert",
    "Charpentier",
    "Barbier",
    "Renard",
    "Colas",
]
TOWNS = (
    ("29200", "Brest"), ("29200", "Brest"), ("29200", "Brest"), ("29480", "Le Relecq-Kerhuon"), ("29490", "Guipavas"),
    ("29280", "Plouzané"), ("29860", "Plabennec"), ("29800", "Landerneau"), ("29217", "Le Conquet"), ("29290", "Saint-Renan"),
    ("29160", "Crozon"), ("29000", "Quimper"), ("22300", "Lannion"), ("01000", "Bourg-en-Bresse"), ("35000", "Rennes"),
)  # fmt: skip
STREETS = (
    "rue du Phare",
    "quai des Brumes",
    "rue de l'Église",
    "allée des Ajoncs",
    "place de la Liberté",
    "rue Sans-Nom",
)
SCHOOLS = (
    "École Jean-Macé", "Collège des Îles", "Lycée Marie-Curie", "École Sainte-Anne", "École du Bourg", "Collège Les Embruns",
    "Lycée Vauban", "École Diwan", "Collège Saint-Pol", "École des Mouettes", "Lycée de l'Iroise", "École Paul-Bert",
    "Centre social Kerangoff", "Maison de retraite Les Genêts",
)  # fmt: skip


@dataclass(frozen=True)
class Somebody:
    """`number` tells people apart. `email` "" for those who only ever came to the desk. `other_email` is a second one."""

    number: int
    first: str
    last: str
    email: str
    habit: Habit
    other_email: str
    phone: str
    street: str
    postcode: str
    town: str
    birth_year: int
    woman: bool
    organisation: str = ""
    newsletter: str = ""
    partner: str = ""

    @property
    def full(self) -> str:
        return f"{self.first} {self.last}".strip()


def plain(text: str) -> str:
    """Without accents, as some forms and people write."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def everybody(dice: Random) -> list[Somebody]:
    """All 800, in a fixed order for a given seed."""
    people: list[Somebody] = []
    names: set[str] = set()
    for habit, count in HABITS.items():
        for place in range(count):
            first, last = _name(dice, names)
            person = _somebody(dice, len(people), first, last, habit)
            people.append(_school(person, SCHOOLS[place]) if habit == "school" else person)
    return _couples(dice, people)


def _name(dice: Random, names: set[str]) -> tuple[str, str]:
    while True:
        first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES).replace("_", " ")
        if (key := f"{first} {last}") not in names:
            names.add(key)
            return first, last


def _somebody(dice: Random, number: int, first: str, last: str, habit: Habit) -> Somebody:
    postcode, town = dice.choice(TOWNS)
    address = _address(dice, first, last, number)
    faceless = habit in {"once", "occasional"} and dice.random() < 0.12
    return Somebody(
        number,
        first,
        last,
        "" if faceless else address,
        habit,
        _address(dice, first[:1], last, number + 1000) if habit == "regular" and dice.random() < 0.16 else "",
        f"06 39 98 {dice.randrange(100):02d} {dice.randrange(100):02d}" if dice.random() < 0.6 else "",
        f"{dice.randrange(1, 90)} {dice.choice(STREETS)}",
        postcode,
        town,
        dice.randrange(1938, 2004),
        FIRST_NAMES.index(first) < FIRST_NAMES.index("Paul"),
        newsletter=_newsletter(dice, habit, faceless=faceless),
    )


def _address(dice: Random, first: str, last: str, number: int) -> str:
    name = "".join(c for c in plain(f"{first}.{last}").lower() if c.isalnum() or c in ".-")
    figure = str(number) if dice.random() < 0.3 else ""
    return f"{name}{figure}@example.{dice.choice(('org', 'org', 'com', 'net'))}"


def _newsletter(dice: Random, habit: Habit, *, faceless: bool) -> str:
    if faceless or habit in {"school", "new"}:
        return ""
    share = dice.random()
    if habit == "reader":
        return "subscribed" if share < 0.75 else "unsubscribed" if share < 0.9 else "cleaned"
    return "subscribed" if share < 0.55 else "unsubscribed" if share < 0.64 else "cleaned" if share < 0.67 else ""


def _school(person: Somebody, name: str) -> Somebody:
    address = "".join(c if c.isalnum() else "-" for c in plain(name).lower()).replace("--", "-") + "@example.org"
    return replace(person, organisation=name, email=address, other_email="", newsletter="", birth_year=0)


def _couples(dice: Random, people: list[Somebody]) -> list[Somebody]:
    """Some share one address with somebody who came under their own first name."""
    chosen = dice.sample([p for p in people if p.habit in {"regular", "occasional"} and p.email], 34)
    partners = {person.number: dice.choice(FIRST_NAMES) for person in chosen}
    return [replace(person, partner=partners.get(person.number, "")) for person in people]
