"""A mark beside the config: the last run that sent e-mails. A database that knows of none so late was put back from an
older copy, and does not know to whom they went.

The sheet shows the same only when somebody new stands in it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from sync.desk import Desk
from sync.followup.outbox import ask_again
from sync.followup.tables import outbox
from sync.store.base import organisation


class Mark(msgspec.Struct, frozen=True):
    """`began`: when the database began to count people; another one's runs are counted anew."""

    began: datetime
    run: int


def mind_older_copy(desk: Desk) -> list[str]:
    """Take every approval back, once, if runs that this database does not know of sent e-mails; what is to be said of it."""
    mark, known = _noted(desk), _known(desk)
    if mark is None or mark.began != known.began or mark.run <= known.run:
        return []
    with desk.store.begin() as connection:
        ask_again(connection, desk.store.org)
    note_sent(desk)
    return [desk.say("run-older-store", run=mark.run)]


def note_sent(desk: Desk) -> None:
    """Set the mark as the database has it."""
    known = _known(desk)
    if known != _noted(desk):
        with suppress(OSError):  # a config folder that may only be read has no mark: then the sheet alone can tell
            _file(desk).write_bytes(msgspec.json.encode(known))


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
