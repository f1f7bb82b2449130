"""The tab To check: what a person should look at, with what to do. A line leaves by itself once it is settled.

A tick says « seen, it is right »: the line leaves and does not come back; the box is emptied for the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.aside import all_aside
from sync.beside.addresses import wrong_addresses
from sync.beside.asked import erasures, reviews
from sync.beside.cells import people_called, refusals
from sync.beside.lines import Doubt, show, standing
from sync.beside.tab import Fields, SideTab, columns, in_house, tick_box
from sync.followup import deeds
from sync.people.doubts import doubts
from sync.people.tables import person, to_check
from sync.rows import called
from sync.runs import remembered
from sync.sheet.columns import Tab
from sync.sheet.look import Look
from sync.sheet.plan import Wanted
from sync.store.base import upsert

if TYPE_CHECKING:
    from sync.work import Work

KIND = "check"
FIELDS: Fields = (("what", "text"), ("person", "text"), ("detail", "text"))
ADVICE: Fields = (("advice", "text"),)
MOST = 500
SEEN = "checked "
"""Begins the name under which a tick is remembered."""
IN_THE_SHEET = ("cell", "date", "row", "twice", "merged")
"""Kinds of doubt that only a reading of the sheet can tell."""
DAY = r"^\d{4}-\d{2}-\d{2}"


def side_tab(work: Work, name: str) -> SideTab:
    tick = tick_box(work, KIND, stays=False)
    tab = Tab(name, (*columns(work, KIND, FIELDS), tick, *columns(work, KIND, ADVICE)))
    return SideTab(tab, _lines, partial(_seen, work.now))


def _seen(now: datetime, connection: Connection, org: int, key: str, _new: object) -> None:
    """Somebody looked at it, and it is right as it is: two people are two, a person is to be kept."""
    kind, _, rest = key.partition(".")
    if kind in deeds.TICKED:
        deeds.tick(connection, org, rest, now)
    elif kind == "pair":
        one, other = (int(number) for number in rest.split("."))
        pair = (to_check.c.org == org, to_check.c.one == one, to_check.c.other == other)
        connection.execute(sa.update(to_check).where(*pair).values(answer="two"))
    else:
        upsert(connection, remembered, [{"org": org, "name": SEEN + key, "value": "sheet"}])


def _lines(work: Work, seen: Look) -> Wanted:
    found = [*_pairs(work), *_asides(work), *_addresses(work)]
    now = work.applied.look if work.applied else work.look
    if now is None or now.closed:
        now = None
    else:
        found += [*_cells(work), *_dates(work, now), *_rows(work, now)]
    found += [*reviews(work), *erasures(work)]
    done = _settled(work)
    open_ = [one for one in found if one.key not in done]
    lines = {one.key: _texts(work, one) for one in open_[:MOST]}
    if now is None:  # they stand as they are until the sheet can be read again
        lines |= {key: texts for key, texts in standing(seen).items() if key.partition(".")[0] in IN_THE_SHEET}
    if len(open_) > MOST:
        more = {
            "what": in_house(work, "doubt-more"),
            "advice": in_house(work, "doubt-more-advice", n=len(open_) - MOST),
        }
        lines["more"] = more
    return show(seen, lines)


def _texts(work: Work, one: Doubt) -> dict[str, str]:
    what = in_house(work, f"doubt-{one.key.partition('.')[0]}")
    return {"what": what, "person": one.person, "detail": one.detail, "advice": one.advice}


def _settled(work: Work) -> set[str]:
    store, name = work.desk.store, remembered.c.name
    ticked = sa.select(name).where(remembered.c.org == store.org, name.startswith(SEEN, autoescape=True))
    with store.look() as connection:
        return {found.removeprefix(SEEN) for found in connection.scalars(ticked)}


def _print(*texts: str) -> str:
    return blake2b("\0".join(texts).encode(), digest_size=6).hexdigest()


# People --------------------------------------------------------------------------------------------------------------


def _pairs(work: Work) -> Iterator[Doubt]:
    """Two people who may be one."""
    found = doubts(work.desk.store)
    ids = {number for pair in found for number in (pair.one, pair.other)}
    rows = work.frame.filter(pl.col("person_id").is_in(ids)).iter_rows(named=True)
    facts = {row["person_id"]: row for row in rows}
    for pair in found:
        if pair.one in facts and pair.other in facts:
            both = [facts[pair.one], facts[pair.other]]
            where = (" · ".join(part for part in (one["email"], one["phone"], one["city"]) if part) for one in both)
            yield Doubt(
                f"pair.{pair.one}.{pair.other}",
                called(both[0]),
                " / ".join(text or "–" for text in where),
                f"{in_house(work, pair.reason)} {in_house(work, 'doubt-pair-advice')}",
            )


def _asides(work: Work) -> Iterator[Doubt]:
    for one in all_aside(work.desk.store, MOST + 1):
        yield Doubt(f"aside.{one.key}", "", one.place, in_house(work, one.code, **one.facts))


def _addresses(work: Work) -> Iterator[Doubt]:
    found = list(wrong_addresses(work.frame))
    names = people_called(work, {one.key for one in found})
    for one in found:
        advice = in_house(work, f"doubt-mail-{one.why}", meant=one.meant, tab=work.tab.name)
        key = f"mail.{one.key}.{_print(one.why, one.address)}"
        yield Doubt(key, names.get(one.key, one.key), one.address, advice)


# The sheet -----------------------------------------------------------------------------------------------------------


def _cells(work: Work) -> Iterator[Doubt]:
    """Cells that the sheet could not take."""
    found = refusals(work)
    names = people_called(work, {key for key, _ in found})
    headers = {mapped.field: mapped.header for mapped in work.tab.columns}
    for (key, field), sentence in found.items():
        yield Doubt(f"cell.{key}.{_print(field)}", names.get(key, key), headers.get(field, field), sentence)


def _dates(work: Work, now: Look) -> Iterator[Doubt]:
    """What the team wrote under a date of theirs and that is none."""
    for mapped in work.tab.columns:
        if mapped.kind == "date" and mapped.corrected and mapped.field in now.seen.columns:
            text = pl.col(mapped.field)
            odd = now.seen.filter((text != "") & ~text.str.contains(DAY) & ~text.str.starts_with("\x1f"))
            names = people_called(work, odd["key"].to_list())
            for key, written in odd.select("key", mapped.field).iter_rows():
                advice = in_house(work, "doubt-date-advice", header=mapped.header)
                yield Doubt(f"date.{key}.{_print(mapped.field, written)}", names.get(key, key), written, advice)


def _rows(work: Work, now: Look) -> Iterator[Doubt]:
    """Rows that are not kept up to date, because another one of the same person is."""
    tab = work.tab.name
    names = people_called(work, now.twice)
    for key in now.twice:
        yield Doubt(f"twice.{key}", names.get(key, key), tab, in_house(work, "doubt-twice-advice"))
    doubled = set(work.applied.doubled) if work.applied else set()
    for stranger in now.strangers:
        if stranger.ref in doubled:
            values = [str(value) for value in stranger.values.values()]
            key = f"row.{_print(*values)}"
            yield Doubt(key, called(stranger.values), " · ".join(values), in_house(work, "doubt-row-advice"))
    merged = _merged_rows(work, now)
    names = people_called(work, merged)
    for key in merged:
        yield Doubt(f"merged.{key}", names.get(key, key), tab, in_house(work, "doubt-merged-advice"))


def _merged_rows(work: Work, now: Look) -> list[str]:
    """Keys of people who became part of another, whose row stands there too."""
    kept = person.alias()
    pairs = sa.select(person.c.code, kept.c.code).where(
        person.c.org == work.desk.store.org, kept.c.org == person.c.org, person.c.merged_into == kept.c.id
    )
    there = set(now.seen["key"])
    with work.desk.store.look() as connection:
        return sorted(old for old, new in connection.execute(pairs) if old in there and new in there)
