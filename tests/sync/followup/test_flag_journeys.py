"""A journey around a flag: once for each time that it is put on, and a flag that comes and goes is put on once."""

from __future__ import annotations

import pytest

from rules.reader import read
from sync.store import Store
from tests.sync.followup.theatre import Theatre, person

WELCOME = """\
règles:
  - nom: Nouveaux venus
    quand: {visites: au moins 1}
    alors:
      - signaler: Nouveau
parcours:
  - nom: Accueil
    autour: signal nouveau
    étapes:
      - {à: le jour même, courriel: infos}
      - {à: 4 jours après, courriel: on-se-revoit}
"""
FIRST, SECOND = "Votre venue", "On se revoit, Camille1 ?"


class Door:
    """Where one person comes into the rule and leaves it."""

    def __init__(self, store: Store) -> None:
        book = read({"a.yaml": WELCOME.encode()}, templates=["infos", "on-se-revoit"]).book
        self.rules = book.rules
        self.theatre = Theatre(store, book.rules, {1: person(1)}, journeys=book.journeys)

    def finds(self, day: str, *, inside: bool) -> list[str]:
        """The subjects that went on this day of March or later, in a run at six o'clock by the clock of Paris."""
        month, number = (int(part) for part in day.split("-"))
        clock = 5 if (month, number) < (3, 29) else 4
        self.theatre.now = self.theatre.now.replace(month=month, day=number, hour=clock)
        before = len(self.theatre.mailer.arrived)
        self.theatre.decide({"nouveaux-venus": [1] if inside else []})
        self.theatre.approve("accueil")
        self.theatre.send()
        return [
            str(mail["Subject"]).replace("\N{NARROW NO-BREAK SPACE}", " ")
            for mail in self.theatre.mailer.arrived[before:]
        ]


@pytest.fixture
def door(store: Store) -> Door:
    return Door(store)


def test_a_flag_away_for_some_days_is_the_same_occasion(door: Door) -> None:
    assert door.finds("3-01", inside=True) == [FIRST]
    assert door.finds("3-02", inside=False) == []
    assert door.finds("3-03", inside=True) == []
    assert door.finds("3-05", inside=True) == [SECOND], "four days after it first came"
    assert door.finds("3-06", inside=False) == []
    assert door.finds("3-12", inside=True) == []
    assert door.finds("3-16", inside=True) == []


@pytest.mark.parametrize(("lost", "back"), [("3-02", "3-09"), ("3-23", "3-30")])
def test_a_flag_away_for_a_week_begins_anew(door: Door, lost: str, back: str) -> None:
    """Also for the week that is an hour shorter, when the clocks change."""
    assert door.finds("3-01", inside=True) == [FIRST]
    assert door.finds(lost, inside=False) == []
    assert door.finds(back, inside=True) == [FIRST]


def test_what_waited_comes_back_with_the_flag(door: Door) -> None:
    assert door.finds("3-01", inside=True) == [FIRST]
    assert door.finds("3-04", inside=False) == []
    assert door.finds("3-05", inside=False) == [], "nobody is thanked for what they gave back"
    assert door.finds("3-06", inside=True) == [SECOND]


def test_a_rule_that_slept_wakes_without_a_second_welcome(door: Door) -> None:
    assert door.finds("3-01", inside=True) == [FIRST]
    assert door.finds("3-05", inside=True) == [SECOND]
    door.theatre.rules = ()
    assert door.finds("3-10", inside=True) == []
    door.theatre.rules = door.rules
    assert door.finds("4-10", inside=True) == []
    assert door.finds("4-14", inside=True) == []
