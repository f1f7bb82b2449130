"""Commands that tell what is known: explain, test, approve, outbox, runs, status. `sync.person` tells of one person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import polars as pl

from connectors.trouble import Trouble
from rules.conditions import Book, Rule, SetCell
from rules.examples import run_examples as try_examples
from rules.explain import explain
from rules.journeys import Journey
from sync import right_to_write, runs
from sync.beginning import read_rules
from sync.deedwords import about, became, waiting_lines
from sync.desk import Desk, show_mistakes
from sync.drafts import twice
from sync.followup import approvals, segments, standings
from sync.followup import outbox as box
from sync.knowledge import know, stale_sources
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
from sync.underway import Trip, mail_state, trips
from sync.unheard import unheard

MOST = 50
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
    """Every condition of every rule for one person: its value, yes or no, since when, what was done.

    The rules that the person is inside come first, then those that can't be decided today.
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
        others = twice(desk, book).others(connection, desk.store.org, past["outbox"], desk.clock.now())
    may = right_to_write.standing(desk, person, code, seen)
    said = [right_to_write.right_line(desk, purpose, one) for purpose, one in may.rights.items()] + [""]
    facts: dict[str, Any] = {"person": code, "name": name, "rules": {}, **right_to_write.facts(may)}
    chosen, walked = _named(book, rule)
    today, language = desk.clock.today(), desk.language
    whys = [explain(book, one, person, today, unknown=unknown, language=language, name=name) for one in chosen]
    reasons = zip(chosen, whys, strict=True)
    for one, why in sorted(reasons, key=lambda pair: ANSWERS_FIRST.index(pair[1].answer)):
        row = person.row(0, named=True)
        done = _done(desk, one, past, row, others, holds=why.answer)
        done += _kept(desk, one, seen, row) if why.answer else []
        said += [*why.lines(), *(f"  {line}" for line in done), ""]
        facts["rules"][one.id] = {**why.to_json(), "done": done}
    found = trips(desk, walked, book, person, unknown, past, others)
    said += _on_journeys(desk, facts, found, walked if rule else (), person, name)
    if stays and rule is None:
        said += [desk.say("person-segments"), *(f"  {stay_line(desk, one)}" for one in stays)]
    return Outcome(said, facts | stay_facts(stays))


def _done(
    desk: Desk, rule: Rule, past: dict[str, list[Any]], person: Mapping[str, Any], others: Mapping[str, str],
    *, holds: bool | None,
) -> list[str]:  # fmt: skip
    """Since when the person is inside, and what was done for them. Where it does not hold any more, the next run will
    see it.
    """
    since = "explain-still" if holds is False else "explain-since"
    found = [
        desk.say(since, since=told_when(desk, row.since))
        for row in past["standing"]
        if row.rule == rule.id and row.inside
    ]
    for row in past["outbox"]:
        if row.rule == rule.id:
            state = mail_state(desk, row, others)
            when = told_when(desk, row.settled_at or row.not_before)
            found.append(desk.say("explain-mail", template=row.template, state=state, when=when))
    tasks = [row for row in past["task"] if row.rule == rule.id]
    found += [
        desk.say(
            "explain-task", what=filled(desk, row.text, person), state=desk.say(f"task-{row.state}"),
            when=told_when(desk, row.made),
        )
        for row in tasks
    ]  # fmt: skip
    for row in past["deed"]:
        if row.rule == rule.id:
            when = told_when(desk, row.settled_at or row.made)
            found.append(
                desk.say(
                    "explain-deed", what=filled(desk, about(desk, row), person), state=became(desk, row), when=when
                )
            )
    return found


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


WORDS_OF_NOBODY = {"nobody-has", "nobody-has-near", "nobody-has-many"}


def run_examples(desk: Desk) -> Outcome:
    """The examples written in the rules. Exit 2 when one does not hold."""
    book, _ = read_rules(desk, keep_last_right=False)
    outcomes = try_examples(book, desk.clock.today(), desk.language)
    said = []
    for one in outcomes:
        mark = "✓" if one.passed else "✗"
        said.append(f"{mark} {one.example.place}  {one.rule.name}")
        if not one.passed:
            said += [f"    {line}" for line in one.why.lines()]
    failed = sum(not one.passed for one in outcomes)
    bare = [one for one in book.acting if not one.examples]
    if outcomes:
        code = "test-failed" if failed else "test-passed"
        said.append(desk.say(code, n=failed or len(outcomes), of=len(outcomes)))
    if bare:
        said.append(desk.say("test-without", n=len(bare), names=", ".join(one.name for one in bare)))
    try:
        strange = [one for one in unheard(desk, book) if one.code in WORDS_OF_NOBODY]
        said += ["", show_mistakes(strange, desk.language, desk.lines())] if strange else []
    except Trouble as trouble:
        said += ["", desk.say(trouble.code, **trouble.facts)]
    facts = {
        "passed": len(outcomes) - failed,
        "failed": failed,
        "without_examples": [one.id for one in bare],
        "examples": [
            {"rule": one.rule.id, "place": str(one.example.place), "passed": one.passed, "why": one.why.to_json()}
            for one in outcomes
        ],
    }
    return Outcome(said, facts, 2 if failed else 0)


def show_runs(desk: Desk, most: int) -> Outcome:
    """The last runs, newest first."""
    found = runs.last_runs(desk.store, most)
    said: list[str] = []
    for run in found:
        said.append(f"{run.id:>5}  {told_when(desk, run.started)}  {desk.say(f'state-{run.state}')}")
        said += [f"       {line}" for line in run.summary.get("lines", [])[:3]]
    facts = {
        "runs": [
            {"run": run.id, "started": run.started.isoformat(), "state": run.state, "trigger": run.trigger,
             "ended": run.ended.isoformat() if run.ended else None, **{k: v for k, v in run.summary.items() if k != "lines"}}
            for run in found
        ]
    }  # fmt: skip
    return Outcome(said or [desk.say("runs-none")], facts)


def show_status(desk: Desk) -> Outcome:
    """What is fresh, late, failing, waiting. Exit 1 when a source is late, 7 when something waits for a person."""
    store, now = desk.store, desk.clock.read()
    newest = runs.last_runs(store, 1)
    late = stale_sources(store, desk.config.sources, now, desk.config.freshness)
    with store.look() as connection:
        batches = approvals.waiting_rules(connection, store.org)
        counts = box.counts(connection, store.org)
    following = desk.config.timetable.next_after(now)
    said = [
        desk.say("status-last", when=told_when(desk, newest[0].started), state=desk.say(f"state-{newest[0].state}"))
        if newest
        else desk.say("runs-none"),
        desk.say("status-next", when=told_when(desk, following)),
    ]
    for name in desk.config.sources:
        code = "status-fresh" if name not in late else "status-late" if late[name] else "status-never"
        said.append(desk.say(code, source=name, when=told_when(desk, late.get(name))))
    said += waiting_lines(desk, batches)
    states: dict[str, int] = {}
    for (state, _), n in counts.items():
        states[state] = states.get(state, 0) + n
    facts = {
        "last_run": {"run": newest[0].id, "state": newest[0].state, "started": newest[0].started.isoformat()}
        if newest
        else None,
        "next": following.isoformat() if following else None,
        "sources": {
            name: "fresh" if name not in late else "late" if late[name] else "never" for name in desk.config.sources
        },
        "mail": states,
        "waiting": [{"rule": b.rule, "mails": b.mails} for b in batches],
    }
    return Outcome(said, facts, 1 if late else 7 if batches else 0)
