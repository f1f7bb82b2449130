"""`filrouge explain`: why a person is in each rule or not, how far they are on each journey, and what comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import polars as pl

from rules.conditions import Book, Email, Rule, SetCell
from rules.explain import explain
from rules.journeys import Journey
from rules.phrases import unit_word
from sync import right_to_write
from sync.addressee import Addressee
from sync.beginning import read_rules
from sync.deedwords import about, became
from sync.desk import Desk
from sync.followup import segments, standings
from sync.knowledge import know
from sync.nobody import not_on
from sync.one_rule import meant
from sync.outcome import Outcome
from sync.people.story import story
from sync.person import told_when
from sync.report.gather import shown
from sync.rows import called, everybody, filled, set_columns, with_team, with_windows
from sync.sheet.columns import FORMULA, cell_of
from sync.sheet.look import Look, look
from sync.stays import stay_facts, stay_line
from sync.tabs import people_tab
from sync.underway import Trip, asked_first, does, trips

ANSWERS_FIRST = (True, None, False)


def _named(book: Book, name: str | None) -> tuple[list[Rule], list[Journey]]:
    """The rules and journeys of this name (None: all)."""
    only = name and meant(book, name)
    return [one for one in book.rules if only in {None, one.id}], [
        one for one in book.journeys if only in {None, one.id}
    ]


def _on_journeys(
    desk: Desk, facts: dict[str, Any], found: Sequence[Trip], asked: Sequence[Journey], person: pl.DataFrame, name: str
) -> Iterator[str]:
    """The person's journeys in lines, and into the facts; of those `asked` for by name also that they are on none."""
    facts["journeys"] = {}
    for trip in found:
        facts["journeys"].setdefault(trip.journey.id, []).append(trip.to_json())
        yield from (*trip.lines(desk, name), "")
    yield from (not_on(desk, one, person, name) for one in asked if one.id not in facts["journeys"])


def explain_person(desk: Desk, who: str, rule: str | None) -> Outcome:
    """Every condition of every rule for one person: its value, yes or no, since when, what was done, what comes.

    First the rules that the person is inside, then those that can't be decided today, then their journeys.
    """
    book, _ = read_rules(desk, keep_last_right=False)
    code = story(desk.store, who, list(desk.config.sources)).code
    with closing(desk.config.open_sheet(desk.clock)) as sheet:
        tab = people_tab(desk.config, set_columns(book), desk.store)
        seen = look(desk.store, sheet, tab, 0, desk.clock.now(), fresh=True)
    people = with_team(desk, everybody(desk), seen, {})
    headers = [name.removeprefix("sheet:") for name in people.columns if name.startswith("sheet:")]
    unknown = know(desk, book, desk.clock.read(), headers).unknown
    person = with_windows(desk, people.filter(pl.col("key") == code), book, desk.clock.now())
    person = right_to_write.with_ends(desk, person, book.fields, seen, {})
    name = called(person.row(0, named=True)) or code
    with desk.store.look() as connection:
        past = standings.of_person(connection, desk.store.org, person["person_id"][0])
        stays = segments.of_person(connection, desk.store.org, person["person_id"][0])
    reader = Addressee.of(desk, book, person, seen, past["outbox"])
    may = right_to_write.standing(desk, person, code, seen)
    facts: dict[str, Any] = {"person": code, "name": name, "rules": {}, **right_to_write.facts(may)}
    chosen, walked = _named(book, rule)
    told: dict[bool | None, list[str]] = {answer: [] for answer in ANSWERS_FIRST}
    today, language = desk.clock.today(), desk.language
    whys = [explain(book, one, person, today, unknown=unknown, language=language, name=name) for one in chosen]
    for one, why in sorted(zip(chosen, whys, strict=True), key=lambda pair: ANSWERS_FIRST.index(pair[1].answer)):
        done = _done(desk, one, past, person.row(0, named=True), reader, holds=why.answer)
        done += _kept(desk, one, seen, person.row(0, named=True)) if why.answer else []
        told[why.answer] += [*why.lines(), *(f"  {line}" for line in done), ""]
        facts["rules"][one.id] = {**why.to_json(), "done": done}
    found = trips(desk, walked, book, person, unknown, past, reader)
    travels = list(_on_journeys(desk, facts, found, walked if rule else (), person, name))
    said = list(right_to_write.right_lines(desk, may))
    said += ["", *told[True], *told[None], *travels, *told[False]]
    if stays and rule is None:
        said += [desk.say("person-segments"), *(f"  {stay_line(desk, one)}" for one in stays)]
    return Outcome(said, facts | stay_facts(stays))


def _done(
    desk: Desk, rule: Rule, past: dict[str, list[Any]], person: Mapping[str, Any], reader: Addressee,
    *, holds: bool | None,
) -> list[str]:  # fmt: skip
    """Since when the person is inside, and what was done for them. Where the last run saw it otherwise, what the next one
    does.
    """
    mine = [row for row in past["standing"] if row.rule == rule.id and row.inside]
    since = "explain-still" if holds is False else "explain-since"
    found = [desk.say(since, since=told_when(desk, row.since)) for row in mine]
    for row in past["flag"]:
        if row.rule == rule.id and row.until is None:
            what, state = (
                desk.say("journey-flag", what=row.name),
                desk.say("journey-flag-on", when=told_when(desk, row.since)),
            )
            found.append(desk.say("explain-does", what=what, state=state))
    for row in past["outbox"]:
        if row.rule == rule.id:
            when = told_when(desk, row.settled_at or row.not_before)
            found.append(desk.say("explain-mail", template=row.template, state=reader.state(row), when=when))
    for row in past["task"]:
        if row.rule == rule.id:
            state, when = desk.say(f"task-{row.state}"), told_when(desk, row.made)
            found.append(desk.say("explain-task", what=filled(desk, row.text, person), state=state, when=when))
    for row in past["deed"]:
        if row.rule == rule.id:
            what, when = filled(desk, about(desk, row), person), told_when(desk, row.settled_at or row.made)
            found.append(desk.say("explain-deed", what=what, state=became(desk, row), when=when))
    return found + (list(_enters(desk, rule, person, reader)) if holds and not mine else [])


def _enters(desk: Desk, rule: Rule, person: Mapping[str, Any], reader: Addressee) -> Iterator[str]:
    """What the next run does for somebody who comes into a rule with it."""
    if not rule.active:
        yield desk.say("explain-paused")
        return
    yield desk.say("explain-enters")
    for action in rule.actions:
        what, barred = filled(desk, does(desk, action), person), None
        if isinstance(action, Email):
            barred = reader.barred(action, desk.clock.today())
            wait = action.wait and f"{action.wait.count} {unit_word(desk.language, action.wait)}"
            what = desk.say("explain-waits", what=what, period=wait) if wait else what
        state = barred or asked_first(desk, rule, action)
        yield f"  {desk.say('explain-does', what=what, state=state)}" if state else f"  {what}"


def _kept(desk: Desk, rule: Rule, seen: Look, person: Mapping[str, Any]) -> list[str]:
    """The cells that the rule would set in the person's row, and where the team wrote something else."""
    row = seen.seen.filter(pl.col("key") == person["key"])
    fields = {one.header: one for one in seen.tab.columns}
    found = []
    for action in (one for one in rule.actions if isinstance(one, SetCell)):
        mapped, ours = fields[action.column], filled(desk, action.value, person)
        there = "" if row.is_empty() or mapped.field not in row.columns else row[mapped.field][0]
        if there not in {"", ours}:
            stays = shown(cell_of(there.removeprefix(FORMULA), mapped.kind), desk.language)
            found.append(desk.say("explain-cell-kept", column=action.column, stays=stays, rule=ours))
    return found
