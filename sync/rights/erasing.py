"""`filrouge person erase`: the store, the sheet, the files we made; and what is left for a person to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from connectors import catalog
from connectors.source import Newsletter
from connectors.trouble import Trouble, TryLater
from sync import run, runs
from sync.beginning import read_rules
from sync.beside.keep import take_ticks, write_tabs
from sync.desk import Desk, at_the_keyboard
from sync.outcome import Outcome
from sync.people.story import Story, story
from sync.person import told_when
from sync.rights.erase import Erased, erase
from sync.rights.files import forget_files
from sync.rights.rows import settle_blanks
from sync.rights.tables import erasure, erasure_row
from sync.rows import called
from sync.sheet.look import Look, look
from sync.work import Wishes, Work

DONE, PARTIAL, DECIDE = 0, 1, 7
SHOWN = ("sightings", "facts", "outbox", "correction")


@dataclass
class _Left:
    """What only a person can do: a row of the sheet with the team's own columns, files, services."""

    row: bool = False
    paused: bool = False
    files: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def erase_person(
    desk: Desk, who: str, ask: Callable[..., bool] | None, *, yes: bool, everywhere: bool = False
) -> Outcome:
    """Erase somebody for good, after a yes. Exit 7 without one, 1 when the sheet could not be emptied yet (every run
    tries again). `everywhere`: in the services that let us, too, and first: where one of them fails, nothing is erased.
    Raises `Ambiguous` and `FixFile` as `story`, `TryLater` while a run is at work, and the service's trouble.
    """
    one = story(desk.store, who, list(desk.config.sources))
    told = [*_before(desk, one, everywhere=everywhere)]
    if not yes and not (ask and ask("\n".join([*told, desk.say("erase-ask")]), default=False)):
        return Outcome([*told, desk.say("erase-not")], {"code": one.code, "erased": False}, DECIDE)
    addresses = {str(value.value) for value in one.values if value.field == "email" and value.value}
    addresses |= {seen.given.email for seen in one.sightings if seen.given and seen.given.email}
    book, _ = read_rules(desk, keep_last_right=False)
    erased_at = _at_services(desk, one, addresses) if everywhere else ()
    try:
        with runs.lease(desk.store):
            number = runs.begin(desk.store, desk.clock.today(), "erase", desk.clock.read())
            work = Work(desk, Wishes(), number, desk.clock.now(), book)
            _settle_before(work)
            with desk.store.begin() as connection:
                _write_over(connection)
                gone = erase(connection, desk.store.org, one.person_id, number, desk.clock.now(), at_the_keyboard())
            _give_back_room(desk)
            left = _in_the_sheet(work)
            left.files = tuple(forget_files(desk, gone.words))
            left.sources = tuple(name for name in gone.sources if name not in erased_at and _is_a_service(desk, name))
            waits = _waits(desk, gone)
            said = [*_after(desk, gone, left, waits=waits)]
            said += [desk.say("erase-at", source=name) for name in erased_at]
            state = "partial" if waits else "done"
            runs.finish(desk.store, number, state, {"lines": said[:1]}, desk.clock.read())
    except runs.Busy:
        raise TryLater("run-busy") from None
    facts = {"code": gone.code, "erased": True, "counts": gone.counts, "sheet": "waiting" if waits else "empty"}
    return Outcome(said, facts | {"files": left.files, "sources": left.sources}, PARTIAL if waits else DONE)


def _before(desk: Desk, one: Story, *, everywhere: bool) -> Iterator[str]:
    name = called({value.field: value.value for value in one.values}) or one.code
    sources = ", ".join(dict.fromkeys(seen.source for seen in one.sightings)) or "–"
    yield desk.say("erase-who", name=name, code=one.code, n=len(one.did), sources=sources)
    yield desk.say("erase-what")
    if there := [name for name in _services(desk, one) if _lets_us(desk, name)]:
        yield desk.say("erase-too" if everywhere else "erase-offer", sources=", ".join(there))


def _write_over(connection: sa.Connection) -> None:
    """What is deleted is written over in the file, not only let go."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _give_back_room(desk: Desk) -> None:
    """The log of changes beside an SQLite file still holds the pages as they were."""
    engine = desk.store.engine
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# --- the sheet -------------------------------------------------------------------------------------------------------


def _settle_before(work: Work) -> None:
    """What a killed run left in doubt holds cells of the sheet: a reading settles it. If the sheet can't be read now, the
    next run's does, before it empties their row.
    """
    with closing(work.desk.config.open_sheet(work.desk.clock)) as sheet, suppress(Trouble):
        look(work.desk.store, sheet, work.tab, work.number, work.now, fresh=True)


def _in_the_sheet(work: Work) -> _Left:
    """Empty our cells; what could not be written now is written by the next run."""
    left = _Left()
    sheet = work.desk.config.open_sheet(work.desk.clock)
    try:
        run.take_look(work, sheet)
        take_ticks(work, sheet)
        run.write_sheet(work, sheet)
        write_tabs(work, sheet)
        seen = look(work.desk.store, sheet, work.tab, work.number, work.now, fresh=True)
        settle_blanks(work.desk.store, seen, work.now)
        left = _row_left(work, seen, left)
    except Trouble as trouble:
        work.sheet_trouble = trouble
    finally:
        sheet.close()
    return left


def _row_left(work: Work, seen: Look, left: _Left) -> _Left:
    with work.desk.store.look() as connection:
        codes = set(connection.scalars(sa.select(erasure.c.code).where(erasure.c.run == work.number)))
    own = seen.team.filter(seen.team["key"].is_in(list(codes)))
    return replace(left, row=len(own) > 0, paused=bool(codes & set(seen.paused)))


def _waits(desk: Desk, gone: Erased) -> bool:
    mine = (erasure_row.c.org == desk.store.org, erasure_row.c.code == gone.code)
    with desk.store.look() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(erasure_row).where(*mine)) != 0


# --- services --------------------------------------------------------------------------------------------------------


def _services(desk: Desk, one: Story) -> list[str]:
    """The services that know them."""
    names = dict.fromkeys(seen.source for seen in one.sightings)
    return [name for name in names if _is_a_service(desk, name)]


def _lets_us(desk: Desk, name: str) -> bool:
    return hasattr(catalog.source(desk.config.source_type(name)), "erase")


def _at_services(desk: Desk, one: Story, addresses: set[str]) -> tuple[str, ...]:
    """Erase them in each service that knows them and lets us; its name comes back, also when they were gone there."""
    done = []
    for name in (name for name in _services(desk, one) if _lets_us(desk, name)):
        with closing(desk.config.open_source(name, desk.clock)) as source:
            assert isinstance(source, Newsletter)
            for address in sorted(addresses):
                source.erase(address)
        done.append(name)
    return tuple(done)


def _is_a_service(desk: Desk, name: str) -> bool:
    return name in desk.config.sources and desk.config.source_type(name) != "files"


# --- what is said ----------------------------------------------------------------------------------------------------


def _after(desk: Desk, gone: Erased, left: _Left, *, waits: bool) -> Iterator[str]:
    counts = {name: gone.counts.get(name, 0) for name in SHOWN}
    yield desk.say("erase-done", code=gone.code, **counts)
    if waits:
        yield desk.say("erase-paused" if left.paused else "erase-waits")
    if left.row:
        yield desk.say("erase-row", tab=desk.config.tab.tab)
    if left.files:
        yield desk.say("erase-files", files=", ".join(left.files))
    if left.sources:
        yield desk.say("erase-sources", sources=", ".join(left.sources))
    yield desk.say("erase-proof", code=gone.code)


def show_erased(desk: Desk) -> Outcome:
    """The proofs, newest first."""
    with desk.store.look() as connection:
        rows = connection.execute(
            sa.select(erasure).where(erasure.c.org == desk.store.org).order_by(erasure.c.at.desc())
        )
        found = rows.all()
    facts = [
        {"code": row.code, "at": row.at.isoformat(), "asked_by": row.asked_by, "run": row.run,
         "counts": msgspec.json.decode(row.counts), "sheet_empty": row.done.isoformat() if row.done else None}
        for row in found
    ]  # fmt: skip
    said = [
        desk.say(
            "erased-line", when=told_when(desk, row.at), code=row.code, by=row.asked_by,
            sheet=desk.say("erased-empty", when=told_when(desk, row.done)) if row.done else desk.say("erased-not-yet"),
            counts=desk.say("erased-counts", **{name: fact["counts"].get(name, 0) for name in SHOWN}),
        )
        for row, fact in zip(found, facts, strict=True)
    ]  # fmt: skip
    return Outcome(said or [desk.say("erased-none")], {"erased": facts})
