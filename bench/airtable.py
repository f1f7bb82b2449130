"""A day at Airtable on the fake base: what changed, beside pyairtable's `batch_upsert` of everything. `python -m bench.airtable`

Counted are calls, of which a plan has so many a month, and the seconds that Airtable's pace of 5 calls a second makes of
them, on a clock that only sleeping moves on. Ours is a whole run of the sheet's engine, the reading included, after which
nothing is overwritten that the team typed. pyairtable does not pace; here it is held to the same pace.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyairtable
import requests
import structlog

from connectors.sheets.airtable import Airtable, AirtableSettings
from connectors.sheets.airtables.line import SPACING
from connectors.sheets.sheet import KEY_HEADER
from connectors.source import Setting
from tests.fakes.airtable import BASE, TOKEN, Clock, FakeAirtable
from tests.sync.sheet.office import TAB, Office, organisations

PEOPLE, CHANGED = 2_000, 100
AIMS = {"quiet": 5.0, "busy": 5.0, "all": 0.8}


@dataclass(frozen=True)
class Spent:
    calls: int
    seconds: float


class Paced(requests.Session):
    """A session at Airtable's pace."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def request(self, *args: Any, **more: Any) -> requests.Response:
        self.clock.sleep(SPACING)
        return super().request(*args, **more)


def measure() -> dict[str, Spent]:
    """Days of ours on which nothing changed (`quiet`), some did (`busy`) or `all`; and `upsert`, always the same."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, FakeAirtable(clock) as world:
        store = next(organisations(f"sqlite:///{Path(folder) / 'bench.db'}"))
        people = {
            f"p{n}": {"email": f"p{n}@example.org", "first_name": f"P{n}", "visits": n % 40} for n in range(PEOPLE)
        }
        settings = AirtableSettings.model_validate({"base": BASE, "token": TOKEN, "endpoint": world.url})
        ours = Airtable(settings, Setting("sheet", Path(folder), sleep=clock.sleep))
        office = Office(store, ours, people=dict(people))
        office.run()
        found = {"quiet": spent(world, clock, office.run)}
        for day, every, visits in (("busy", PEOPLE // CHANGED, 1000), ("all", 1, 2000)):
            for number in range(0, PEOPLE, every):
                office.people[f"p{number}"]["visits"] = visits
            found[day] = spent(world, clock, office.run)
        found["upsert"] = spent(world, clock, lambda: upsert(world, clock, office))
        store.close()
    return found


def spent(world: FakeAirtable, clock: Clock, work: Any) -> Spent:
    calls, since = len(world.requests), clock.now
    work()
    return Spent(len(world.requests) - calls, clock.now - since)


def upsert(world: FakeAirtable, clock: Clock, office: Office) -> None:
    headers = {column.field: column.header for column in TAB.columns}
    records = [
        {"fields": {KEY_HEADER: code} | {headers[name]: value for name, value in person.items()}}
        for code, person in office.people.items()
    ]
    api = pyairtable.Api(TOKEN, endpoint_url=world.url, retry_strategy=None)
    api.session = Paced(clock)
    api.api_key = TOKEN
    api.table(BASE, TAB.name).batch_upsert(records, key_fields=[KEY_HEADER])


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    for day, cost in measure().items():
        print(f"{day}: {cost.calls} calls, {cost.seconds:.0f} s")
