"""What somebody says yes to with a rule or a journey: each of its e-mails, steps and messages, now or when it comes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rules.conditions import Action, Book, Email, Newsletter, Rule, Task, Webhook
from rules.journey_reader import at_said
from rules.journeys import Journey
from rules.phrases import Phrase, typed, unit_word
from sync.desk import Desk
from sync.followup import approvals
from sync.underway import does


def covers(desk: Desk, book: Book, name: str) -> list[str]:
    """For the rule or journey of this id, a sentence and a line for each thing that a yes lets go; nothing for one that is
    not there any more.
    """
    one = next((one for one in book.acting if one.id == name), None)
    if one is None:
        return []
    with desk.store.look() as connection:
        shown = approvals.shown(connection, desk.store.org, one.id)
    return [desk.say("approval-lets-go", name=one.name), *(f"  {line}" for line in _lines(desk, one, shown))]


def cover_lines(desk: Desk, book: Book, names: Collection[str]) -> Iterator[str]:
    """The same for several, and when the yes is asked for anew."""
    found = [line for name in names for line in covers(desk, book, name)]
    yield from found
    if found:
        yield desk.say("approval-anew")


def _lines(desk: Desk, one: Rule | Journey, shown: Collection[tuple[str, str]]) -> Iterator[str]:
    whens = [(_after(desk, action), action) for action in one.actions] if isinstance(one, Rule) else _steps(desk, one)
    for when, action in whens:
        if isinstance(action, Email | Newsletter | Webhook | Task):
            what = approvals.approvable(action)
            later = [desk.say("approval-later")] if what and what not in shown else []
            yield " · ".join((when, does(desk, action), *_more(desk, action), *later))


def _steps(desk: Desk, journey: Journey) -> list[tuple[str, Action]]:
    return [(at_said(desk.language, step.at), step.action) for step in journey.steps]


def _after(desk: Desk, action: Action) -> str:
    wait = action.wait if isinstance(action, Email) else None
    if wait is None:
        return desk.say("approval-at-once")
    return desk.say("approval-after", period=f"{wait.count} {unit_word(desk.language, wait)}")


def _more(desk: Desk, action: Action) -> Iterator[str]:
    if isinstance(action, Email):
        if (action.purpose or desk.templates[0].kind(action.template)[0]) == "service":
            yield desk.say("approval-service")
        if action.again:
            yield desk.say("approval-again", when=typed(desk.language, "again", Phrase("again", (action.again,))))
        if action.once:
            yield desk.say("approval-once")
