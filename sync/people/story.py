"""Everything known about one person, and where from."""

# ruff: noqa: S608  names in these statements are our own; values are always bound
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from rapidfuzz import fuzz, process
from sqlalchemy.engine import Connection

from connectors.records import Person
from connectors.trouble import FixFile
from sync.people.normalise import email, fold, name_key
from sync.people.profile import COMPUTED, about
from sync.people.survive import ABOUT
from sync.store.base import EPOCH, Store
from sync.store.rows import ask, ask_in

MOST_NAMED, MOST_NEAR = 12, 5
A_WORD = 4
ALIKE_ADDRESS = 90  # most of an address is the same for many
ALIKE = 80  # of 100, by letters: `Cedrik` for `Cédric Boucher` is 92, `Marie Roy` for `Marc Roy` 71
ONE = "p.org = ? AND p.id BETWEEN ? AND ?"
_person = msgspec.json.Decoder(Person)


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be meant."""

    code: str
    name: str
    email: str | None
    city: str | None = None

    def __str__(self) -> str:
        return "  ".join(part for part in (self.name, self.email, self.city) if part)


class Ambiguous(FixFile):
    """Several people fit; `candidates` says who. `shared`: it is an address, and theirs."""

    def __init__(self, wanted: str, candidates: Sequence[Candidate], *, shared: bool = False) -> None:
        self.wanted, self.candidates = wanted, tuple(candidates)
        code = "person-shared" if shared else "person-ambiguous"
        super().__init__(code, wanted=wanted, n=len(candidates), some=self.some(lambda code: code))

    def some(self, command: Callable[[str], str]) -> str:
        """The candidates in lines, each with the command for the one with this code."""
        lines = [f"  {command(one.code)}   {one}" for one in self.candidates[:MOST_NAMED]]
        return "\n".join(lines + ["  …"] * (len(self.candidates) > MOST_NAMED))


@dataclass(frozen=True)
class Value:
    """What is shown of a field, and its origin: the source that said it (`sheet`: a row typed by the team) and when, or
    `corrected` by the team in a run. Computed fields have no origin here: it is the records.
    """

    field: str
    value: str | int | float | None
    source: str | None = None
    seen: datetime | None = None
    corrected: bool = False
    run: int | None = None


@dataclass(frozen=True)
class Sighting:
    """How one object of one source names the person. `given` is as written there; None if it was withdrawn since."""

    source: str
    object: str
    id: str
    seen: datetime | None
    given: Person | None


class Fact(NamedTuple):
    """A row of the table `fact`; `person` is the id of a Person record of its source."""

    kind: str
    id: str
    person: str
    at: int | None = None
    status: str | None = None
    event: str | None = None
    ref: str | None = None
    label: str | None = None
    cents: int | None = None
    currency: str | None = None
    quantity: int | None = None
    attended: bool | None = None
    score: float | None = None
    first_day: str | None = None
    last_day: str | None = None
    rest: str | None = None


@dataclass(frozen=True)
class Did:
    """One thing the person did, in the columns of `Fact`; `event` with its name."""

    source: str
    fact: Fact
    at: datetime | None
    event: str | None


@dataclass(frozen=True)
class Moved:
    """A sighting that passed from one person to another (codes)."""

    source: str
    id: str
    came_from: str
    went_to: str
    run: int
    at: datetime


@dataclass(frozen=True)
class Story:
    """One person. `once` are codes that turned out to be the same person; `did` is in order of time, newest first."""

    person_id: int
    code: str
    created: datetime
    once: tuple[str, ...]
    values: tuple[Value, ...]
    sightings: tuple[Sighting, ...]
    did: tuple[Did, ...]
    moves: tuple[Moved, ...]


def story(store: Store, wanted: str, priority: Sequence[str] = ()) -> Story:
    """All about the person with a code, an e-mail address or a name. Values are those of the last `refresh`.

    Raises FixFile `person-not-found`, or `Ambiguous` with the candidates.
    """
    with store.look() as connection:
        people = _find(connection, store.org, wanted)
        if not people:
            near = _candidates(connection, store.org, _near(connection, store.org, wanted))
            code = "person-not-found-near" if near else "person-not-found"
            raise FixFile(code, wanted=wanted, near="\n".join(f"  {one.code}  {one}" for one in near))
        if len(people) > 1:
            shared = email(wanted)[1] is not None
            raise Ambiguous(wanted, _candidates(connection, store.org, people), shared=shared)
        return _tell(connection, store.org, people[0], priority)


def _find(connection: Connection, org: int, wanted: str) -> list[int]:
    """Living people, by code (an old one too), then e-mail, then name."""
    sql = "SELECT coalesce(merged_into, id) FROM person WHERE org = ? AND code = ?"
    if by_code := ask(connection, sql, org, wanted.strip().lower()):
        if ask(connection, "SELECT 1 FROM erasure WHERE org = ? AND code = ?", org, wanted.strip().lower()):
            raise FixFile("person-erased", wanted=wanted)
        return [by_code[0][0]]
    _, address = email(wanted)
    sql = (
        "SELECT DISTINCT person FROM sighting WHERE org = ? AND person IS NOT NULL AND known AND {} = ? ORDER BY person"
    )
    if address is not None:
        shown = "SELECT person FROM profile WHERE org = ? AND email_key = ? ORDER BY person"
        found = ask(connection, shown, org, address) or ask(connection, sql.format("email_key"), org, address)
        return [person for (person,) in found]
    if found := ask(connection, sql.format("name_key"), org, name_key(wanted, None)):
        return [person for (person,) in found]
    shown = "SELECT person, first_name, last_name FROM profile WHERE org = ? ORDER BY person"
    return [
        person
        for person, first, last in ask(connection, shown, org)
        if fold(wanted.strip()) in fold(f"{first or ''} {last or ''}") and wanted.strip()
    ]


def _near(connection: Connection, org: int, wanted: str) -> list[int]:
    """Whose name (or address) reads much like it, the nearest first."""
    asked = "SELECT person, first_name, last_name, email FROM profile WHERE org = ? ORDER BY person"
    rows = ask(connection, asked, org)
    if "@" in wanted:
        known = {person: fold(address) for person, _, _, address in rows if address}
    else:
        known = {person: name_key(first, last) or "" for person, first, last, _ in rows}
    text = fold(wanted.strip()) if "@" in wanted else name_key(wanted, None) or ""
    cutoff = ALIKE_ADDRESS if "@" in wanted else ALIKE
    found = process.extract(text, known, scorer=fuzz.ratio, score_cutoff=cutoff, limit=MOST_NEAR)
    if not found and len(text) >= A_WORD and "@" not in wanted:  # a part of a name, perhaps
        found = process.extract(text, known, scorer=fuzz.partial_ratio, score_cutoff=ALIKE, limit=MOST_NEAR)
    return [person for _, _, person in found]


def _candidates(connection: Connection, org: int, people: Sequence[int]) -> list[Candidate]:
    sql = (
        "SELECT p.code, f.first_name, f.last_name, f.email, f.city, p.id FROM person AS p"
        " LEFT JOIN profile AS f ON f.org = p.org AND f.person = p.id WHERE p.org = ? AND p.id IN ({among}) ORDER BY p.id"
    )
    rows = dict.fromkeys(tuple(row) for row in ask_in(connection, sql, (org,), people))
    found = {
        id_: Candidate(code, " ".join(filter(None, (first, last))), written, city)
        for code, first, last, written, city, id_ in rows
    }
    return [found[person] for person in people if person in found]


def _tell(connection: Connection, org: int, person: int, priority: Sequence[str]) -> Story:
    code, created = ask(connection, "SELECT code, created FROM person WHERE org = ? AND id = ?", org, person)[0]
    once = ask(connection, "SELECT code FROM person WHERE org = ? AND merged_into = ? ORDER BY id", org, person)
    return Story(
        person,
        code,
        _time(created) or EPOCH,
        tuple(old for (old,) in once),
        (*_about(connection, org, person, priority), *_computed(connection, org, person)),
        tuple(_sightings(connection, org, person)),
        tuple(_did(connection, org, person)),
        tuple(_moves(connection, org, person)),
    )


def _about(connection: Connection, org: int, person: int, priority: Sequence[str]) -> list[Value]:
    frame = about(connection, org, person, person, priority, where=ONE)
    row: dict[str, Any] = frame.row(0, named=True) if len(frame) else {}
    seen = "SELECT source, seen FROM sighting WHERE org = ? AND no = ?"
    said = "SELECT run, at FROM correction WHERE org = ? AND no = ?"
    values = []
    for field in ABOUT:
        origin = row.get(f"from_{field}")
        if origin is None:
            values.append(Value(field, None))
        elif origin < 0:
            run, at = ask(connection, said, org, -origin)[0]
            values.append(Value(field, row[field], "sheet", _time(at), corrected=True, run=run))
        else:
            source, at = ask(connection, seen, org, origin)[0]
            values.append(Value(field, row[field], source, _time(at)))
    return values


def _computed(connection: Connection, org: int, person: int) -> list[Value]:
    names = [name for name in COMPUTED if name not in ABOUT]
    found = ask(connection, f"SELECT {', '.join(names)} FROM profile WHERE org = ? AND person = ?", org, person)
    return [Value(name, value) for row in found for name, value in zip(names, row, strict=True)]


def _sightings(connection: Connection, org: int, person: int) -> list[Sighting]:
    sql = (
        "SELECT s.source, o.kind, o.id, s.id, s.seen, s.given FROM sighting AS s"
        " LEFT JOIN object AS o ON o.org = s.org AND o.no = s.object WHERE s.org = ? AND s.person = ? AND s.object >= 0 ORDER BY s.no"
    )
    return [
        Sighting(
            source,
            f"{kind} {thing}" if kind else "",
            id_,
            _time(seen),
            None if given is None else _person.decode(given),
        )
        for source, kind, thing, id_, seen, given in ask(connection, sql, org, person)
    ]


def _did(connection: Connection, org: int, person: int) -> list[Did]:
    columns = ", ".join("s.id" if name == "person" else f"f.{name}" for name in Fact._fields)
    sql = (
        f"SELECT f.source, {columns} FROM sighting AS s JOIN fact AS f ON f.org = s.org AND f.sighting = s.no"
        " WHERE s.org = ? AND s.person = ? ORDER BY f.kind, f.id"
    )
    rows = [(source, Fact(*values)) for source, *values in ask(connection, sql, org, person)]
    events: dict[tuple[str, str], tuple[str, int | None]] = {}
    for source in {source for source, _ in rows}:
        ids = {fact.event for of, fact in rows if of == source and fact.event is not None}
        named = "SELECT id, name, starts FROM event WHERE org = ? AND source = ? AND id IN ({among}) ORDER BY object"
        events |= {(source, id_): (name, starts) for id_, name, starts in ask_in(connection, named, (org, source), ids)}
    done = []
    for source, fact in rows:
        name, starts = events.get((source, fact.event or ""), (fact.event, None))
        done.append(Did(source, fact, _time(fact.at if starts is None else starts), name))
    return sorted(done, key=lambda one: one.at or EPOCH, reverse=True)


def _moves(connection: Connection, org: int, person: int) -> list[Moved]:
    sql = (
        "SELECT s.source, s.id, a.code, b.code, m.run, m.at FROM move AS m"
        " JOIN sighting AS s ON s.org = m.org AND s.no = m.sighting"
        " JOIN person AS a ON a.org = m.org AND a.id = m.from_person"
        " JOIN person AS b ON b.org = m.org AND b.id = m.to_person"
        " WHERE m.org = ? AND (m.from_person = ? OR m.to_person = ?) ORDER BY m.no"
    )
    rows = ask(connection, sql, org, person, person)
    return [Moved(source, id_, old, new, run, _time(at) or EPOCH) for source, id_, old, new, run, at in rows]


def _time(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)
