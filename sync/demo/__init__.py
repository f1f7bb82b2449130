"""The Théâtre du Phare: a small theatre that does not exist, complete, to try everything on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from importlib.abc import Traversable
from importlib.resources import files
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from random import Random

from rules.recipes import guide
from sync.demo import exports
from sync.demo.people import Somebody, everybody
from sync.demo.seasons import ORDERS, bookings, lately, programme
from sync.demo.workbook import write_workbook

SEED = 1889
LANGUAGES = ("fr", "en")
FAMILIES = {"printemps": (118, 230), "week-end": (38, 2), "suite": (14, -3)}
"""Weekends for families: how many orders, and how many days ago; the last is to come."""
NEW_NEXT = 6
"""So many newcomers come to the weekend that is to come."""


def write_demo(folder: Path, today: date, language: str = "fr") -> None:
    """Write the whole theatre into `folder` (made if need be): exports, workbook, config, rules, templates, a guide.

    800 people and 3,000 orders over the seasons up to `today`; the same day gives the same CSV bytes. Its services are
    French whatever `language` the team writes its workbook, config and rules in. Files that exist are written over.
    Raises OSError.
    """
    dice = Random(SEED)  # noqa: S311  invented people, not secrets
    people = everybody(dice)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "exports").mkdir(exist_ok=True)
    for name, content in _exports(dice, people, today):
        (folder / "exports" / name).write_bytes(content)
    write_workbook(folder / "Contacts.xlsx", dice, people, today, language)
    language = language if language in LANGUAGES else "fr"
    _write_texts(files("sync.demo").joinpath(language), folder, today)
    (folder / "rules" / "GUIDE.md").write_text(guide(language), "utf-8")


def _exports(dice: Random, people: list[Somebody], today: date) -> Iterator[tuple[str, bytes]]:
    shows = programme(dice, today)
    newcomers = [who for who in people if who.habit == "new"]
    at_theatre = newcomers[:15] if lately(shows, today) else []
    sold = bookings(dice, people, at_theatre, shows, today, ORDERS - sum(count for count, _ in FAMILIES.values()))
    for season, of_season in groupby(sorted(sold, key=attrgetter("season", "number")), attrgetter("season")):
        name = f"billetterie-{season}-{season + 1}.csv"
        yield name, exports.box_office(dice, of_season, 1_000_000 + season % 100 * 20_000)
    parents = [who for who in people if who.email and who.habit in {"regular", "occasional"}]
    for place, (name, (count, ago)) in enumerate(FAMILIES.items()):
        day = today - timedelta(days=ago)
        last_days = newcomers[len(at_theatre) : -NEW_NEXT][:24]
        first_time = {"week-end": last_days, "suite": newcomers[-NEW_NEXT:]}.get(name, [])
        families = [*first_time, *dice.sample(parents, count - len(first_time))]
        before = max(1, -ago)
        yield f"helloasso-{name}.csv", exports.ticketing(dice, families, day, before, 172_700_000 + place * 100_000)
    givers = [who for who in people if who.email and who.habit in {"regular", "occasional", "reader"}]
    yield "helloasso-dons.csv", exports.donations(dice, givers, today)
    for status in exports.MORE:
        yield f"{status}_members_export_a1b2c3.csv", exports.audience(dice, people, status, today)


def _write_texts(source: Traversable, folder: Path, today: date) -> None:
    """Copy the written files; `@day name@` becomes the date of that family weekend."""
    for item in source.iterdir():
        if item.is_dir():
            (folder / item.name).mkdir(exist_ok=True)
            _write_texts(item, folder / item.name, today)
        elif not item.name.startswith((".", "_")):
            text = item.read_text("utf-8")
            for name, (_, ago) in FAMILIES.items():
                text = text.replace(f"@day {name}@", f"{today - timedelta(days=ago):%Y-%m-%d}")
            (folder / item.name).write_text(text, "utf-8")
