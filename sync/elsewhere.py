"""What rules want done in other services: messages to other programs, changes in newsletters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from connectors.source import Newsletter
from sync.contacts import Contacts, keep_out
from sync.desk import Desk
from sync.followup.hooks import call_webhooks
from sync.followup.letters import change_newsletters
from sync.followup.passing_on import pass_on

if TYPE_CHECKING:
    from sync.work import Work


def do_deeds(work: Work, stop: Callable[[], bool]) -> None:
    """Do what is due; behind the same doors as the e-mails: a row that can't be taken in may say what not to do."""
    if work.look is None or work.closed:
        return
    desk = work.desk
    contacts = Contacts(desk, work.frame, keep_out(desk, work.look, work.codes))
    work.deeds["webhook"] = call_webhooks(
        desk.store, lambda name: desk.config.open_webhook(name, desk.clock), desk.clock.now,
        people=contacts, house=desk.config.organisation.slug, book=work.book, stop=stop,
    )  # fmt: skip
    with desk.store.begin() as connection:
        pass_on(connection, desk.store.org, desk.config.newsletters, work.number, work.now)
    work.deeds["newsletter"] = change_newsletters(
        desk.store, lambda name: _newsletter(desk, name), desk.clock.now,
        people=contacts, law=desk.config.organisation.law, today=desk.clock.today(), stop=stop,
    )  # fmt: skip


def _newsletter(desk: Desk, name: str | None) -> Newsletter | None:
    """A newsletter by its name; without a name the only one."""
    known = desk.config.newsletters
    chosen = name if name in known else known[0] if name is None and len(known) == 1 else None
    return cast("Newsletter", desk.config.open_source(chosen, desk.clock)) if chosen else None
