"""An older copy of the database that was put back: how it is known, and what waits until a person has seen to it.

It does not know to whom e-mails went since, nor who unsubscribed. It is known by what it does not know: a mark beside the
config (the last run that sent e-mails), rows of people that it never made (`look.foreign`), lines of the tab of e-mails.
A whole folder put back holds the mark of its own day: then the sheet alone can tell, if it stood elsewhere.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import runs
from sync.beside.tab import in_house
from sync.dates import format_datetime
from sync.desk import Desk
from sync.followup import suppression
from sync.followup.approvals import ask_again
from sync.followup.consent import hashed, is_address
from sync.followup.outbox import WENT
from sync.followup.tables import GONE_STATES, OPEN_STATES, deed, outbox
from sync.runs import run_table
from sync.store.base import organisation, slices

if TYPE_CHECKING:
    from sync.sheet.look import Look
    from sync.work import Work

STANDING = "older copy"
STRANGE = "older copy's strange e-mails"
ID = re.compile(r"[0-9a-f]{16}")


class Mark(msgspec.Struct, frozen=True):
    """`began`: when the database began to count people; another one's runs are counted anew."""

    began: datetime
    run: int


class Older(msgspec.Struct, frozen=True):
    """That this database is an older copy, and nobody has seen to it yet: `run` found out, `since` is the last run before
    it, after which nothing is known.
    """

    run: int
    since: datetime | None


def mind_older_copy(work: Work) -> None:
    """Look whether this is an older copy, once both the sheet and its tabs were read. As long as it is, and no person has
    said yes (`--allow-older`, with the number of the run that found out), the team is told with each run, what the sheet
    says of those who unsubscribed is believed, and `work.older` tells that no news may go.
    """
    _mind_mark(work)
    _mind_people(work)
    _mind_emails(work)
    older = _standing(work.desk)
    if older and work.wishes.allow.get("older", -1) >= older.run:
        with work.desk.store.begin() as connection:
            connection.execute(sa.delete(runs.remembered).where(*_named(work.desk, STANDING)))
        return
    work.older = older
    if older:
        n = _take_unsubscribed(work)
        say = work.desk.say
        since = older.since.astimezone(work.desk.config.zone) if older.since else None
        day = format_datetime(since, "d MMMM y HH:mm", locale=work.desk.language) if since else "–"
        work.notes += [say("older-copy", day=day), *([say("older-copy-read", n=n)] if n else [])]
        work.notes.append(say("older-copy-yes", command=work.desk.command("run", "--allow-older", str(older.run))))


def note_sent(desk: Desk) -> None:
    """Set the mark as the database has it."""
    known = _known(desk)
    if known != _noted(desk):
        with suppress(OSError):  # a config folder that may only be read has no mark: then the sheet alone can tell
            _file(desk).write_bytes(msgspec.json.encode(known))


# --- how it is known -------------------------------------------------------------------------------------------------


def _mind_mark(work: Work) -> None:
    mark, known = _noted(work.desk), _known(work.desk)
    if mark and mark.began == known.began and mark.run > known.run:
        _recognise(work, "run-older-store", run=mark.run)
        note_sent(work.desk)


def _mind_people(work: Work) -> None:
    if work.look and work.look.known and work.look.foreign:
        _recognise(work, "run-older-copy", n=work.look.foreign, tab=work.tab.name)


def _mind_emails(work: Work) -> None:
    """Each e-mail has its line in the tab, by its lasting name."""
    seen = _emails(work)
    if seen is None:
        return
    strange = set(_strange(work, seen)["key"])
    before = set(msgspec.json.decode(runs.recall(work.desk.store, STRANGE) or "[]", type=list[str]))
    if not strange - before:
        return
    if seen.known:  # a new database finds those of the one before it
        _recognise(work, "older-copy-emails", n=len(strange - before), tab=seen.tab.name)
    runs.remember(work.desk.store, STRANGE, msgspec.json.encode(sorted(strange)).decode())


def _emails(work: Work) -> Look | None:
    """The tab of e-mails as it was read in this run."""
    name = work.desk.config.tab.beside.get("outbox")
    seen = next((one.seen for one in work.side_tabs if one.tab.name == name), None)
    return None if seen is None or seen.unread else seen


def _strange(work: Work, seen: Look) -> pl.DataFrame:
    """Its lines that this database never wrote."""
    ids = [key for key in seen.seen["key"] if ID.fullmatch(key)]
    fresh = sorted(set(ids) - set(seen.rows.agreed["key"]))
    strange = set(fresh) - _ours(work.desk, fresh)
    return seen.seen.filter(pl.col("key").is_in(sorted(strange)))


def _ours(desk: Desk, ids: list[str]) -> set[str]:
    found: set[str] = set()
    with desk.store.look() as connection:
        for table in (outbox, deed):
            for some in slices(ids):
                known = sa.select(table.c.id).where(table.c.org == desk.store.org, table.c.id.in_(some))
                found |= set(connection.scalars(known))
    return found


def _recognise(work: Work, code: str, **facts: object) -> None:
    """Take every approval back, and let it stand until a person says yes."""
    store = work.desk.store
    work.notes.append(work.desk.say(code, **facts))
    with store.begin() as connection:
        ask_again(connection, store.org)
        last = sa.select(sa.func.max(run_table.c.started)).where(run_table.c.org == store.org)
        since = connection.scalar(last.where(run_table.c.id < work.number))
    if _standing(work.desk) is None:
        runs.remember(store, STANDING, msgspec.json.encode(Older(work.number, since)).decode())


# --- what waits ------------------------------------------------------------------------------------------------------


def _take_unsubscribed(work: Work) -> int:
    """Who stands in the sheet as unsubscribed and did not when the copy was made, is. Gives how many."""
    if work.look is None:
        return 0
    said = [one.key for one in work.look.computed_edits if one.field == "newsletter" and one.value == "unsubscribed"]
    if not said:
        return 0
    addresses = work.frame.filter(pl.col("key").is_in(said), pl.col("newsletter").ne_missing("unsubscribed"))["email"]
    known = [hashed(address) for address in addresses if is_address(address)]
    with work.desk.store.begin() as connection:
        for address in known:
            suppression.add(connection, work.desk.store.org, address, "unsubscribed", work.now, "sheet")
    if known:
        work.forget_frame()
    return len(known)


def drop_what_went(work: Work, connection: Connection) -> None:
    """E-mails that wait, of which a line of the tab says that they went: a later run of the database that was lost sent
    them, from the same rule to the same address.
    """
    seen = _emails(work)
    if work.older is None or seen is None:
        return
    words = [in_house(work, f"mail-{state}") for state in GONE_STATES]
    lines = _strange(work, seen)
    if not {"rule", "to", "state"} <= set(lines.columns):  # the team took a column away
        return
    went = set(lines.filter(pl.col("state").is_in(words)).select("rule", "to").iter_rows())
    addresses = dict(work.frame.select("person_id", "email").iter_rows())
    names = {id_: name for id_, name in work.book.names.items() if name in {rule for rule, _ in went}}
    mine = (outbox.c.org == work.desk.store.org, outbox.c.state.in_(OPEN_STATES))
    waits = sa.select(outbox.c.id, outbox.c.rule, outbox.c.person_id).where(*mine, outbox.c.rule.in_(names))
    rows = connection.execute(waits).all()
    gone = [row.id for row in rows if (names[row.rule], addresses.get(row.person_id)) in went]
    for some in slices(gone):
        dropped = sa.update(outbox).where(*mine, outbox.c.id.in_(some))
        connection.execute(dropped.values(state="cancelled", reason=WENT))


def _standing(desk: Desk) -> Older | None:
    kept = runs.recall(desk.store, STANDING)
    return msgspec.json.decode(kept, type=Older) if kept else None


def _named(desk: Desk, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return runs.remembered.c.org == desk.store.org, runs.remembered.c.name == name


def _known(desk: Desk) -> Mark:
    org = desk.store.org
    with desk.store.look() as connection:
        began = connection.execute(sa.select(organisation.c.created).where(organisation.c.id == org)).scalar_one()
        last = connection.scalar(sa.select(sa.func.max(outbox.c.sending_run)).where(outbox.c.org == org))
    return Mark(began, last or 0)


def _noted(desk: Desk) -> Mark | None:
    try:
        return msgspec.json.decode(_file(desk).read_bytes(), type=Mark)
    except (OSError, msgspec.MsgspecError):
        return None


def _file(desk: Desk) -> Path:
    return desk.config.folder / f"{desk.config.organisation.slug}.sent"
