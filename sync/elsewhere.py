"""What rules want done in other services: messages to other programs, changes in newsletters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.contacts import Contacts, keep_out
from sync.followup.hooks import call_webhooks

if TYPE_CHECKING:
    from sync.run import Work


def do_deeds(work: Work, stop: Callable[[], bool]) -> None:
    """Do what is due; behind the same doors as the e-mails: a row that can't be taken in may say what not to do."""
    if work.look is None or work.closed:
        return
    desk = work.desk
    contacts = Contacts(desk, work.frame, keep_out(desk, work.look, work.codes))
    work.deeds["webhook"] = call_webhooks(
        desk.store, lambda name: desk.config.open_webhook(name, desk.clock), desk.clock.now,
        people=contacts, house=desk.config.organisation.slug, rules=work.book.names,
        stop=stop,
    )  # fmt: skip
