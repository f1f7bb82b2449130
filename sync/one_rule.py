"""What one rule moves in the sheet and asks of the team, and why nobody is in it: for `preview`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.trouble import FixFile
from rules.conditions import Book, SetCell
from rules.journey_reader import at_said
from rules.tally import Tally, often_empty, tally
from rules.words import vocabulary
from sync.followup import standings
from sync.nobody import nobody_on, tally_lines
from sync.report.gather import shown
from sync.rows import filled
from sync.sheet.columns import FORMULA, cell_of
from sync.steps_ahead import Coming
from sync.tabs import SET
from sync.underway import does

if TYPE_CHECKING:
    from sync.sheet.plan import Plan
    from sync.work import Work


def meant(book: Book, name: str) -> str:
    """The id of the rule or journey of this name. Raises FixFile `no-such-rule`."""
    if found := book.called(name):
        return found
    raise FixFile("no-such-rule", found=name, known=", ".join(f"`{one.name}`" for one in book.acting))


def moved_cells(work: Work, rule: str) -> set[tuple[str, str]]:
    """The key of a person and the field of a cell, for each that this rule or journey moves in this run."""
    with work.desk.store.look() as connection:
        flagged, cells = standings.moved_by(connection, work.desk.store.org, rule, work.number)
    keys = _keys(work)
    fields = {one.header: one.field for one in work.tab.columns}
    moved = {(keys[person], "flags") for person in flagged if person in keys}
    return moved | {(keys[p], fields.get(column, SET + column)) for p, column in cells if p in keys}


def kept_cells(work: Work, plan: Plan, only: str | None) -> list[dict[str, Any]]:
    """Cells that this rule (None: any) would set now, and that keep what the team wrote."""
    setting = [one.id for one in work.book.acting if any(isinstance(action, SetCell) for action in one.actions)]
    mine = {cell for rule in setting if only in {None, rule, work.book.names[rule]} for cell in moved_cells(work, rule)}
    ours = [(one.key, one.field, one.now, one.ours) for one in plan.keeps]
    ours += [(one.key, one.field, one.now, one.wanted) for one in plan.conflicts if one.winner == "team"]
    headers = {mapped.field: mapped for mapped in work.tab.columns}
    return [
        {
            "key": key,
            "column": headers[field].header,
            "stays": shown(cell_of(now.removeprefix(FORMULA), headers[field].kind), work.desk.language),
            "rule": shown(cell_of(wanted, headers[field].kind), work.desk.language),
        }
        for key, field, now, wanted in ours
        if (key, field) in mine and now != wanted
    ]


def steps_now(work: Work, only: str | None) -> dict[str, list[dict[str, str]]]:
    """The steps that journeys (of this name; None: all) take now, by journey; an empty list for one that takes none."""
    desk, journeys = work.desk, [one for one in work.book.journeys if only in {None, one.id, one.name}]
    with desk.store.look() as connection:
        taken = {one.id: standings.steps_taken(connection, desk.store.org, one.id, work.number) for one in journeys}
    names = work.known_as(row.person_id for rows in taken.values() for row in rows)
    return {
        one.id: [
            {
                "person": names.get(row.person_id, "?"),
                "step": row.step,
                "at": at_said(desk.language, one.step[row.step].at),
                "what": does(desk, one.step[row.step].action),
            }
            for row in taken[one.id]
        ]
        for one in journeys
    }


def tasks(work: Work, only: str | None) -> Iterator[dict[str, Any]]:
    """What the team would find in its list, of this rule (None: of all)."""
    desk = work.desk
    with desk.store.look() as connection:
        rows = standings.new_tasks(connection, desk.store.org, work.number)
    names = work.book.names
    wanted = [row for row in rows if only in {None, row.rule, names.get(row.rule)}]
    of_them = work.frame.filter(work.frame["person_id"].is_in([row.person_id for row in wanted]))
    people = {row["person_id"]: row for row in of_them.iter_rows(named=True)}
    called = work.known_as(people)
    for row in wanted:
        if person := people.get(row.person_id):
            yield {
                "rule": row.rule, "person": called[row.person_id], "what": filled(desk, row.text, person),
                "who": row.assignee, "until": row.due.isoformat() if row.due else None,
                "state": row.state,
            }  # fmt: skip


def empty_rules(work: Work, only: str | None) -> list[str]:
    """The ids of the rules that nobody is in; none as long as no people are known at all."""
    moved = work.decisions.rules if work.decisions else {}
    return [
        rule.id
        for rule in work.book.rules
        if only in {None, rule.id, rule.name} and (now := moved.get(rule.id)) and not (now.inside or now.entered)
    ]


def inside(work: Work, only: str) -> tuple[str, int] | None:
    """The name of this rule, and how many are in it; None where it is a journey or does not run."""
    rule = next((one for one in work.book.rules if only in {one.id, one.name}), None)
    moved = work.decisions.rules.get(rule.id) if rule and work.decisions else None
    return (rule.name, moved.inside) if rule and moved else None


def why_nobody(work: Work, rule: str) -> list[Tally]:
    """How many people meet each condition of a rule."""
    world = work.world
    if world is None:
        return []
    one = next(one for one in work.book.rules if one.id == rule)
    return tally(work.book, one, world.people, work.desk.clock.today(), world.unknown, work.desk.language)


def nobody_lines(work: Work, rule: str) -> Iterator[str]:
    """The same in words, the conditions that fewest meet first."""
    one = next(one for one in work.book.rules if one.id == rule)
    yield work.desk.say("preview-nobody-in", name=one.name, n=len(work.frame))
    yield from tally_lines(work.desk, why_nobody(work, rule))


def concerns_nobody(
    work: Work, facts: Mapping[str, Any], soon: Sequence[Coming], only: str | None
) -> Iterator[list[str]]:
    """Of the rule or journey that is asked for by name and concerns nobody, how many meet each condition: a sentence and
    lines. `facts` are those of a preview, `soon` what comes of the journey.
    """
    if only:
        yield from (list(nobody_lines(work, rule)) for rule in facts["nobody_in"])
        if only in facts["journeys"] and not facts["journeys"][only] and not any(one.likely for one in soon):
            told = (list(nobody_on(work, one)) for one in work.book.journeys if one.id == only)
            yield from filter(None, told)


def conditions_met(work: Work, only: str | None, empty: Collection[str]) -> Iterator[str]:
    """Of the rule that is asked for by name and concerns somebody, how many meet each condition by itself: who meant
    three visits to dance sees that three visits to anything are asked.
    """
    rule = work.book.rule.get(only) if only else None
    if rule is None or not rule.active or rule.id in empty or not work.verdicts:
        return
    yield work.desk.say("preview-met-each", n=int(work.verdicts.rule(rule.id).sum() or 0), all=len(work.frame))
    yield from tally_lines(work.desk, why_nobody(work, rule.id))


def often_empty_lines(work: Work, only: str) -> Iterator[str]:
    """What few people are known by, though the rule asks for it."""
    rule, words = work.book.rule.get(only), vocabulary(work.desk.language)
    people = work.world.people if work.world else None
    for field, n in often_empty(rule, people) if rule and people is not None else ():
        told = work.desk.say("preview-often-empty", field=words.shown("fields", field), n=n, all=len(work.frame))
        coded = people["postcode"].count() if field == "city" and people is not None else 0
        instead = work.desk.say("preview-postcode-instead", field=words.shown("fields", "postcode"), n=coded)
        yield f"{told} {instead}" if coded > n else told


def _keys(work: Work) -> dict[int, str]:
    return dict(work.frame.select("person_id", "key").iter_rows())
