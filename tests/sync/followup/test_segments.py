"""Who is in which segment: what is written down, and what is told of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from rules.conditions import AllOf, Book, Segment
from sync.followup import segments
from sync.followup.segments import Move, Shift
from sync.store import Store
from tests.sync.followup.theatre import NOW

DAY = timedelta(days=1)


def segment(name: str, digest: str = "1", was: tuple[str, ...] = ()) -> Segment:
    return Segment(name.lower(), name, AllOf(()), digest=digest, was=was)


BOOK = Book(segments=(segment("Regular"), segment("Lost")))


class Days:
    """A run a day; each takes who is in which segment (`?`: not known) by person."""

    def __init__(self, store: Store) -> None:
        self.store, self.number = store, 0

    def run(self, people: dict[int, str], book: Book = BOOK) -> dict[str, Shift]:
        self.number += 1
        verdicts = pl.DataFrame(
            {
                "person_id": list(people),
                **{
                    f"segment:{one.id}": [None if "?" in said else one.name[0] in said for said in people.values()]
                    for one in book.segments
                },
            },
            schema={"person_id": pl.Int64, **{f"segment:{one.id}": pl.Boolean for one in book.segments}},
        )
        with self.store.begin() as connection:
            return segments.follow(connection, self.store.org, book, verdicts, self.number, self.now)

    @property
    def now(self) -> datetime:
        return NOW + self.number * DAY

    def column(self) -> dict[int, list[str]]:
        with self.store.look() as connection:
            return dict(segments.column(connection, self.store.org).iter_rows())

    def moves(self) -> list[Move]:
        with self.store.look() as connection:
            return segments.moves(connection, self.store.org, NOW)

    def stays(self, person: int) -> list[tuple[str, int, int | None, bool]]:
        with self.store.look() as connection:
            found = segments.of_person(connection, self.store.org, person)
        return [(one.name, one.run, one.until_run, one.drawn) for one in found]

    def absorb(self, merged: dict[int, int]) -> None:
        with self.store.begin() as connection:
            segments.absorb(connection, self.store.org, merged)


@pytest.fixture
def days(store: Store) -> Days:
    return Days(store)


def test_people_come_and_go(days: Days) -> None:
    assert days.run({1: "R", 2: "R", 3: ""})["regular"] == Shift("Regular", 2, 2, 0, 0, drawn=True)
    assert days.moves() == []
    assert days.run({1: "R", 2: "L", 3: "RL"}) == {
        "regular": Shift("Regular", 2, 1, 1, 0, drawn=False),
        "lost": Shift("Lost", 2, 2, 0, 0, drawn=False),
    }
    assert days.column() == {1: ["Regular"], 2: ["Lost"], 3: ["Lost", "Regular"]}
    assert days.moves() == [Move(None, "Lost", 1), Move(None, "Regular", 1), Move("Regular", "Lost", 1)]
    assert days.stays(2) == [("Lost", 2, None, False), ("Regular", 1, 2, True)]
    assert not any(one.entered or one.left for one in days.run({1: "R", 2: "L", 3: "RL"}).values())


def test_who_cannot_be_judged_stays(days: Days) -> None:
    days.run({1: "R", 2: "L"})
    assert days.run({1: "?", 2: "?", 3: "?"})["regular"] == Shift("Regular", 1, 0, 0, 3, drawn=False)
    assert days.column() == {1: ["Regular"], 2: ["Lost"]}


def test_who_is_no_more_is_in_no_segment(days: Days) -> None:
    days.run({1: "R", 2: "L"})
    days.run({1: "R"})
    assert days.column() == {1: ["Regular"]}


def test_a_return_is_a_time_of_its_own(days: Days) -> None:
    for said in ("R", "L", "R"):
        days.run({1: said})
    assert days.stays(1) == [("Regular", 3, None, False), ("Lost", 2, 3, False), ("Regular", 1, 2, True)]


def test_nobody_moves_when_a_segment_is_drawn_anew(days: Days) -> None:
    days.run({1: "R", 2: "L"})
    drawn = Book(segments=(segment("Regular", "2"), segment("Lost")))
    assert days.run({1: "", 2: "RL"}, drawn)["regular"].drawn
    assert days.moves() == []
    days.run({1: "L", 2: "L"}, drawn)
    assert set(days.moves()) == {Move(None, "Lost", 1), Move("Regular", None, 1)}


def test_a_segment_of_which_nothing_was_known_is_drawn_when_it_is(days: Days) -> None:
    days.run({1: "?"})
    assert days.run({1: "R"})["regular"].drawn
    assert days.moves() == []


def test_a_new_name_takes_people_and_past_along(days: Days) -> None:
    days.run({1: "R"})
    days.run({1: "L"})
    days.run({1: "R"})
    book = Book(segments=(segment("Rather faithful", was=("regular",)), segment("Lost")))
    assert not days.run({1: "R"}, book)["rather faithful"].drawn
    assert days.column() == {1: ["Rather faithful"]}
    assert [stay[0] for stay in days.stays(1)] == ["Rather faithful", "Lost", "Rather faithful"]


def test_a_segment_taken_out_holds_nobody_and_may_come_back(days: Days) -> None:
    days.run({1: "R"})
    days.run({1: "R"}, Book(segments=(segment("Lost"),)))
    assert (days.column(), days.moves()) == ({}, [])
    assert days.run({1: "R"})["regular"].drawn
    assert days.column() == {1: ["Regular"]}
    assert days.moves() == []


@pytest.mark.parametrize(("gone", "kept"), [(1, 2), (2, 1)])
def test_two_who_are_one_have_one_past(days: Days, gone: int, kept: int) -> None:
    days.run({1: "R", 2: ""})
    days.run({1: "R", 2: "R"})
    days.absorb({gone: kept})
    days.absorb({gone: kept})
    assert days.stays(kept) == [("Regular", 1, None, True)]
    assert days.stays(gone) == []
    assert days.run({kept: "R"})["regular"] == Shift("Regular", 1, 0, 0, 0, drawn=False)


def test_what_the_other_was_in_counts_for_both(days: Days) -> None:
    days.run({1: "R", 2: "L"})
    days.run({1: "L", 2: "L"})
    days.absorb({2: 1})
    assert days.stays(1) == [("Lost", 1, None, True), ("Regular", 1, 2, True)]
