"""E-mails that follow a visit, a purchase or a gift and would not reach most of those they are for, since they are called news.
A thank-you that sells nothing, or what somebody needs for what they booked, may go without consent: advice says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from rules.conditions import Book, Check, Email, Period, Rule, leaves
from rules.journeys import VISITS, Journey
from rules.mistakes import Mistake, Place
from sync.contacts import Contacts, keep_out
from sync.desk import Desk
from sync.followup.anchors import Anchors
from sync.followup.consent import right
from sync.followup.templatefiles import TemplateMistake
from sync.messages import why_not
from sync.rows import everybody

FOLLOWS = ("last_visit", "last_purchase", "last_donation")
A_MONTH, A_YEAR = timedelta(days=31), timedelta(days=365)
SOME, TRIED = 5, 500
"""Readers that are looked at, the latest, and how few tell nothing."""


def perhaps_service(desk: Desk, book: Book) -> list[Mistake]:
    """Each such e-mail at its step or rule, with how many of its readers may not be sent news and why. Before the first run
    there is nobody to look at. Raises `Trouble` for a store that can't be read.
    """
    asked = list(_thanking(desk, book))
    if not asked or not desk.has_store:
        return []
    people = everybody(desk)
    contacts = Contacts(desk, people, keep_out(desk, None, {}))
    found: list[Mistake] = []
    for one, place, email in asked:
        readers = contacts(_readers(desk, one, people))
        reached, barred = _told(desk, list(readers.values()))
        if reached >= SOME and 2 * sum(barred.values()) > reached:
            why = why_not(desk.language, barred.most_common(1)[0][0])
            facts = {"n": sum(barred.values()), "all": reached, "why": why}
            found.append(TemplateMistake(place, "perhaps-service", found=email.template, facts=facts))
    return found


def _thanking(desk: Desk, book: Book) -> Iterator[tuple[Rule | Journey, Place, Email]]:
    """News that follows at once on something that somebody did."""
    for journey in (one for one in book.journeys if one.around.kind in {*VISITS, "donation"}):
        for step in journey.steps:
            if isinstance(step.action, Email) and _is_news(desk, step.action):
                yield journey, step.place, step.action
    for rule in (one for one in book.rules if _recent(one, desk.clock.today())):
        for action in rule.actions:
            if isinstance(action, Email) and _is_news(desk, action):
                yield rule, rule.place, action


def _is_news(desk: Desk, email: Email) -> bool:
    return (email.purpose or desk.templates[0].kind(email.template)[0]) == "marketing"


def _recent(rule: Rule, today: date) -> tuple[str, date] | None:
    """The field by which a rule is about who came, bought or gave within a month, and since when."""
    for one in leaves(rule.when):
        period = one.values[0] if isinstance(one, Check) and one.field in FOLLOWS and one.op == "less_ago" else None
        if isinstance(one, Check) and isinstance(period, Period) and period.before(today) >= today - A_MONTH:
            return one.field, period.before(today)
    return None


def _readers(desk: Desk, one: Rule | Journey, people: pl.DataFrame) -> Sequence[int]:
    """The latest people whom it is for, by their id."""
    today = desk.clock.today()
    if isinstance(one, Rule):
        field, since = _recent(one, today) or ("last_visit", today)
        return list(people.filter(pl.col(field) > since).sort(field)["person_id"].tail(TRIED))
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, people, desk.config.zone, today)
        near = anchors.near(one.around, [(today - A_YEAR, today + A_YEAR)])
    return list(near.sort("day")["person_id"].unique(maintain_order=True).tail(TRIED))


def _told(desk: Desk, readers: Sequence[Mapping[str, Any]]) -> tuple[int, Counter[str]]:
    """How many may be written to about what they bought or gave; and of them, by the word for why, who may not be sent news."""
    law, today = desk.config.organisation.law, desk.clock.today()
    reached = [one for one in readers if right(one, "service", law, today).reason is None]
    return len(reached), Counter(
        reason for one in reached if (reason := right(_after_it(one), "marketing", law, today).reason)
    )


def _after_it(reader: Mapping[str, Any]) -> Mapping[str, Any]:
    """As they stand once they have come for what they booked: the visit gives a right of its own."""
    return {**reader, "last_visit": reader.get("next_visit") or reader.get("last_visit")}
