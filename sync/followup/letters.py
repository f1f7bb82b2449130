"""Changes in newsletters that rules want made: with the right to, once approved, each recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from connectors.source import Change, Newsletter
from sync.followup import deeds
from sync.followup.consent import Contact, Law, is_address, right
from sync.followup.doing import Done, do_due
from sync.followup.send import People
from sync.store import Store

Open = Callable[[str | None], Newsletter | None]


def change_newsletters(
    store: Store,
    sources: Open,
    clock: Callable[[], datetime],
    *,
    people: People,
    law: Law,
    today: date,
    stop: Callable[[], bool],
) -> Done:
    """Make every change that is due and lawful. `sources` opens a newsletter by its name in the config; by None the only
    one there is; None comes back where there is none such. A change made twice is one change.
    """
    opened: dict[str | None, Newsletter | None] = {}

    def do(row: deeds.Row) -> deeds.Outcome:
        told = deeds.what(row)
        name, person = told["source"], people([row.person_id]).get(row.person_id)
        if name not in opened:
            opened[name] = sources(name)
        letter = opened[name]
        if letter is None or person is None:
            return deeds.Outcome("held", "newsletter-gone" if letter is None else "unknown-person")
        consented, reason = _may(told["change"], person, letter, law, today)
        if reason:
            return deeds.Outcome("held", reason)
        facts = {field: str(person.get(field) or "") for field in ("email", "first_name", "last_name", "language")}
        facts |= {"email": told["email"]} if told.get("email") else {}  # another address of theirs
        became = letter.change(Change(told["change"], tag=told["tag"] or "", consented=consented, **facts))
        if became in {"unknown", "refused"}:
            return deeds.Outcome("held" if became == "unknown" else "failed", f"newsletter-{became}", became)
        return deeds.Outcome("done", answer=became)

    try:
        return do_due(store, "newsletter", clock, lambda row: str(deeds.what(row)["source"]), do, stop)
    finally:
        for letter in filter(None, opened.values()):
            letter.close()


def _may(verb: str, person: Contact, letter: Newsletter, law: Law, today: date) -> tuple[bool, str | None]:
    """Whether the person agreed, and in a word why the change is not made. Only who agreed is subscribed at once; who
    may be written to without having agreed is asked by the service itself, where it does that.
    """
    if not is_address(person.get("email")):
        return False, "no-address"
    if verb == "unsubscribe":
        return False, None
    if person.get("do_not_contact"):
        return False, "do-not-contact"
    if verb != "subscribe":
        return False, None
    may = right(person, "marketing", law, today)
    consented = may.basis == "consent"
    return consented, may.reason or (None if consented or letter.asks else "no-consent")
