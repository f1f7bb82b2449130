"""What must stand in the sheet, worked out from what the team typed and what the ticket office sold; nothing of the product's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from connectors.sheets.sheet import KEY_HEADER, Cell, Formula
from tests.thread.hands import Shown
from tests.thread.messy import (
    FIRST_NAME,
    LAST_NAME,
    LAST_VISIT,
    MAIL,
    NO_MORE,
    PHONE,
    PRICE,
    TOWN,
    VISITS,
    Person,
    Theatre,
)

SPENT, FLAGS, FOLLOW, PAUSE = "Dépensé", "Signaux", "Suivi", "Pause"
ABOUT = {LAST_NAME: "last_name", FIRST_NAME: "first_name", MAIL: "email", PHONE: "phone", TOWN: "city"}
COMPUTED = {LAST_VISIT: "last_visit", VISITS: "visits", SPENT: "spent", FLAGS: "flags"}
FIELDS = {**ABOUT, **COMPUTED, FOLLOW: f"set:{FOLLOW}"}
OUT_OF_SIGHT, FAITHFUL, TO_CALL = "À relancer", "Fidèle", "à relancer"


@dataclass(frozen=True)
class Facts:
    """What somebody did, as of a day."""

    visits: int
    last: date | None
    spent: int
    coming: bool
    known: bool

    def out_of_sight(self, today: date) -> bool:
        """At least two visits, the last more than six months ago, and nothing booked."""
        month = today.month - 6
        since = today.replace(year=today.year - (month < 1), month=month + 12 * (month < 1))
        return self.visits >= 2 and self.last is not None and self.last < since and not self.coming

    def flags(self, today: date) -> set[str]:
        return {OUT_OF_SIGHT} & ({OUT_OF_SIGHT} if self.out_of_sight(today) else set()) | (
            {FAITHFUL} if self.visits >= 3 else set()
        )


def facts(theatre: Theatre, who: str, today: date) -> Facts:
    tickets = theatre.of(who, today)
    past = {one.day for one in tickets if one.day < today}
    coming = any(one.day > today for one in tickets)
    ever = any(one.who == who and one.bought <= today for one in theatre.tickets)
    return Facts(len(past), max(past, default=None), PRICE * len(tickets), coming, ever)


@dataclass
class Overwritten:
    key: str
    header: str
    was: Cell | Formula


@dataclass
class Truth:
    """`sheet`: as the team last saw it. `whose`: who each row is about. `typed`: what the team typed last, None where they
    emptied it; what stood there when the sheet was adopted counts as typed.
    """

    theatre: Theatre
    sheet: Shown
    whose: dict[str, str | None]
    typed: dict[tuple[str, str], Cell | Formula] = field(default_factory=dict)
    overwritten: list[Overwritten] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    written_to: set[str] = field(default_factory=set)
    approved: bool = False

    def __post_init__(self) -> None:
        for row, cells in self.sheet.items():
            self.typed |= {(row, header): value for header, value in cells.items()}

    def type(self, row: str, header: str, value: Cell | Formula) -> None:
        self.typed[row, header] = value
        self.sheet[row] = {**self.sheet[row], header: value}

    def rename(self, old: str, new: str) -> None:
        self.typed = {(row, new if name == old else name): value for (row, name), value in self.typed.items()}

    def rows_of(self, who: str) -> list[str]:
        return [row for row, one in self.whose.items() if one == who]

    def passes(self, today: date) -> None:
        """What a run decides: each letter once, and none to those who came back before it went or are not to be written to."""
        inside = {who for who in self.theatre.people if facts(self.theatre, who, today).out_of_sight(today)}
        self.waiting |= inside - self.called
        self.called |= inside
        self.waiting &= inside
        if self.approved:
            free = {who for who in self.waiting if not any(self.sheet[row].get(NO_MORE) for row in self.rows_of(who))}
            self.written_to |= free
            self.waiting -= free

    # After each run ----------------------------------------------------------------------------------------------------

    def compare(self, after: Shown, *, sorted_meanwhile: bool = False) -> None:
        """Nothing of the team's was touched, and what was written over is noted for the journal's examination."""
        before = self.sheet
        if not sorted_meanwhile:
            assert list(after)[: len(before)] == list(before), "rows were moved"
        assert before.keys() <= after.keys(), "a row is gone"
        wrong: list[str] = []
        for row, cells in after.items():
            stood = before.get(row)
            if stood is None:
                self._new_row(row, cells)
            else:
                wrong += self._same_row(row, stood, cells)
        assert not wrong, "\n".join([f"{len(wrong)} cells:", *wrong[:20]])
        self.sheet = after

    def _new_row(self, row: str, cells: Mapping[str, Cell | Formula]) -> None:
        assert cells.get(KEY_HEADER) == row, f"a row that nobody typed: {cells}"
        named = [one for one in self.theatre.people.values() if _is_called(one, cells)]
        assert len(named) == 1, cells
        self.whose[row] = named[0].name

    def _same_row(
        self, row: str, stood: Mapping[str, Cell | Formula], cells: Mapping[str, Cell | Formula]
    ) -> Iterator[str]:
        for header in stood.keys() | cells.keys():
            was, now = stood.get(header), cells.get(header)
            if was == now:
                continue
            if why := self._not_ours(row, header, stood):
                yield f"{why}: {row} {self.whose.get(row)}, {header}: {was!r} became {now!r}"
            elif was is not None:
                self.overwritten.append(Overwritten(str(cells[KEY_HEADER]), header, was))

    def _not_ours(self, row: str, header: str, stood: Mapping[str, Cell | Formula]) -> str:
        """Why this cell must not be written, "" if it may."""
        if header == KEY_HEADER:
            return "a key exchanged" if stood.get(header) else ""
        reasons = {
            "a column of the team": header not in FIELDS,
            "a row that is paused": stood.get(PAUSE),
            "a formula": isinstance(stood.get(header), Formula),
            "the team's word": header not in COMPUTED and (row, header) in self.typed,
        }
        return next((reason for reason, so in reasons.items() if so), "")

    # At the end --------------------------------------------------------------------------------------------------------

    def one_row_a_person(self, today: date) -> None:
        keyed = {row: cells[KEY_HEADER] for row, cells in self.sheet.items() if cells.get(KEY_HEADER)}
        assert max(Counter(keyed.values()).values()) == 1, "a key stands twice"
        times = Counter(self.whose[row] for row in keyed)
        wanted = {one for one in self.theatre.people if self.rows_of(one) or facts(self.theatre, one, today).known}
        assert times == Counter(wanted - self.deleted), {
            "twice": [who for who, n in times.items() if n > 1],
            "lost": wanted - self.deleted - times.keys(),
            "too many": times.keys() - (wanted - self.deleted),
        }

    def every_row_of_ours_is_right(self, today: date) -> None:
        wrong = []
        for row, cells in self.sheet.items():
            who = self.whose.get(row)
            if who is not None and cells.get(KEY_HEADER):
                wrong += [(row, who, *one) for one in self._wrong(row, who, cells, today)]
        assert not wrong, f"{len(wrong)} cells, such as {wrong[:8]}"

    def _wrong(
        self, row: str, who: str, cells: Mapping[str, Cell | Formula], today: date
    ) -> list[tuple[str, object, object]]:
        done = facts(self.theatre, who, today)
        wanted: dict[str, set[object]] = {header: self._about(row, who, header) for header in ABOUT}
        wanted |= {
            LAST_VISIT: {done.last, done.last and done.last.isoformat()},
            VISITS: {done.visits},
            SPENT: {done.spent},
            FOLLOW: {TO_CALL if who in self.called else None},
        }
        for header, typed in ((name, self.typed.get((row, name))) for name in COMPUTED):
            never_came = done.last is None if header == LAST_VISIT else wanted.get(header) == {0} and typed is not None
            if isinstance(typed, Formula) or never_came:
                wanted[header] = {typed}
        if (row, FOLLOW) in self.typed:
            wanted[FOLLOW] = {self.typed[row, FOLLOW]}
        said = set(filter(None, str(cells.get(FLAGS) or "").split(", ")))
        found = [(header, cells.get(header), may) for header, may in wanted.items() if cells.get(header) not in may]
        return found + ([(FLAGS, said, done.flags(today))] if said != done.flags(today) else [])

    def _about(self, row: str, who: str, header: str) -> set[object]:
        """What a cell about the person may say: the team's own word, else any word that anybody had about them."""
        if (row, header) in self.typed:
            return {self.typed[row, header]}
        one = self.theatre.people[who]
        bought = any(ticket.who == who for ticket in self.theatre.tickets)
        known: set[object] = {self.typed.get((other, header)) for other in self.rows_of(who)}
        known |= {{LAST_NAME: one.last, FIRST_NAME: one.first, MAIL: one.mail}.get(header)} if bought else set()
        known |= {one.phone} if header == PHONE and known - {None} else set()
        return known - {None} or {None}

    def mails(self) -> Counter[str]:
        """To whom, each once."""
        return Counter(str(self.theatre.people[who].mail) for who in self.written_to)


def _is_called(one: Person, cells: Mapping[str, Cell | Formula]) -> bool:
    return (one.first, one.last, one.mail) == tuple(cells.get(name) for name in (FIRST_NAME, LAST_NAME, MAIL))
