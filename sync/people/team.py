"""What the team says in the sheet: corrections of what is known about somebody, and rows they typed themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.records import Person
from connectors.source import Object
from rules.fields import FIELDS
from sync.people import tables
from sync.people.merge import Moment, look_at, rejoin
from sync.people.survive import SHEET
from sync.store.ledger import Turn, carefully, keep_objects
from sync.store.rows import ask_in, run, take

VERSION = 1
_person = msgspec.json.Decoder(Person)


def correct(
    connection: Connection, org: int, person_id: int, field: str, value: str | None, now: datetime, run_number: int
) -> None:
    """Keep the team's word about one field of a person; later pulls don't undo it. None: they emptied the cell.

    A birthday is given as ISO text. ValueError for a field that is not theirs to correct. Saying it again writes nothing.
    """
    if not FIELDS[field].about_person:
        raise ValueError(f"{field} is computed: a correction of it means nothing")
    one = tables.correction
    last = sa.select(one.c.value).where(one.c.org == org, one.c.person == person_id, one.c.field == field)
    found = connection.execute(last.order_by(one.c.no.desc()).limit(1)).first()
    if found is not None and found.value == value:
        return
    row = {"org": org, "no": take(connection, org, "correction", 1), "person": person_id, "field": field}
    connection.execute(sa.insert(one).values(**row, value=value, run=run_number, at=now))
    sql = "UPDATE person SET stale = true WHERE org = ? AND id IN (SELECT coalesce(merged_into, id) FROM person WHERE org = ? AND id = ?)"
    run(connection, sql, org, org, person_id)


def adopt_rows(
    connection: Connection, org: int, rows: Sequence[Person], run_number: int, now: datetime, country: str = "FR"
) -> list[str | None]:
    """Take in rows that the team typed: the code of each row's person comes back, in order.

    A row that matches somebody known gets their code, and then adds what it knows; any other becomes a new person.
    None for a row without e-mail, phone number and name. Adopting the same rows again changes nothing, so a run that
    was killed before it wrote the codes gives the same ones.
    """
    things = _objects(rows)
    turn = Turn(org, SHEET, run_number, now, VERSION)
    carefully(connection, things, _records, lambda some, how: keep_objects(connection, turn, some, how))
    moment = Moment(org, run_number, now, country)
    while look_at(connection, moment):
        pass
    rejoin(connection, moment)
    sql = (
        "SELECT s.id, p.code FROM sighting AS s JOIN person AS p ON p.org = s.org AND p.id = s.person"
        " WHERE s.org = ? AND s.source = 'sheet' AND s.id IN ({among})"
    )
    found = dict(ask_in(connection, sql, (org,), [thing.id for thing in things]))
    return [found.get(thing.id) for thing in things]


def _objects(rows: Sequence[Person]) -> list[Object]:
    """A row's own content is its id; of rows that say the same, the second is another one."""
    count: Counter[str] = Counter()
    things = []
    for row in rows:
        raw = msgspec.json.encode(msgspec.structs.replace(row, id="", seen=None))
        digest = blake2b(raw, digest_size=16).hexdigest()
        count[digest] += 1
        things.append(Object("row", f"{digest}-{count[digest]}", raw))
    return things


def _records(thing: Object) -> list[Person]:
    return [msgspec.structs.replace(_person.decode(thing.raw), id=thing.id)]
