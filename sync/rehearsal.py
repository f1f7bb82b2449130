"""`preview` and `run --dry-run`: the same way of the data on a copy of the store, with nothing leaving the house."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.awaiting import braked, journeys_ask
from sync.beginning import read_rules
from sync.contacts import Contacts, keep_out
from sync.deedwords import about
from sync.desk import Desk
from sync.drafts import Draft, drafts
from sync.followup import deeds
from sync.followup import outbox as box
from sync.followup.templates import Gap
from sync.messages import why_not
from sync.one_rule import (
    concerns_nobody,
    conditions_met,
    empty_rules,
    inside,
    kept_cells,
    meant,
    moved_cells,
    often_empty_lines,
    steps_now,
    tasks,
)
from sync.outcome import Outcome
from sync.outlook import NONE_HELD, Paced, had_elsewhere, had_lately, open_mails, paced, paced_lines, taken_back
from sync.progress import Silent
from sync.report import ahead
from sync.report.ahead import Ahead, RuleAhead
from sync.report.gather import shown
from sync.roll import MOST, Listing, Moves, move_lines, moves
from sync.rows import filled
from sync.sheet.apply import preview as preview_cells
from sync.sheet.columns import cell_of
from sync.steps_ahead import Coming, coming, coming_json, coming_lines
from sync.store import Store
from sync.store.copy import copy_store
from sync.templatecheck import going_wrong
from sync.underway import counts

if TYPE_CHECKING:
    from rules.journeys import Journey
    from sync.work import Wishes, Work

FEW, NAMED, TEXTS = 5, 5, 4


@contextmanager
def _copied(desk: Desk) -> Iterator[Desk]:
    """The same desk over a copy of the store that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="filrouge-") as folder:
        other = Desk(desk.config, desk.clock, desk.language)
        other.__dict__["store"] = _store_to_try_on(desk, Path(folder))
        try:
            yield other
        finally:
            other.close()


def _store_to_try_on(desk: Desk, folder: Path) -> Store:
    """A copy; before the very first run an empty one, so that looking ahead leaves no trace."""
    if desk.has_store:
        return copy_store(desk.store, folder)
    return Store.open(f"sqlite:///{folder / 'copy.db'}", desk.config.organisation.slug, desk.clock.read())


def rehearse(
    desk: Desk,
    wishes: Wishes,
    rule: str | None = None,
    *,
    pull: bool,
    page: Path | None = None,
    everybody: bool = False,
) -> Outcome:
    """What a run would do now. With `pull` the sources are asked, too (into the copy). `page`: the file for a page. `everybody`:
    lists are shown to their end.
    """
    from sync import run
    from sync.work import Work

    book, notes = read_rules(desk, keep_last_right=False)
    rule = rule and meant(book, rule)
    with _copied(desk) as copy:
        work = Work(copy, wishes, 0, copy.clock.now(), book, notes)
        before = open_mails(copy.store)
        sheet = copy.config.open_sheet(copy.clock)
        try:
            run.take_look(work, sheet)
            if pull and "pull" in wishes.steps:
                run.pull(work, Silent(), lambda: False)
            run.work_out_people(work)
            run.apply_rules(work)
            wanted = run.wanted(work) if work.look else None
            plan = preview_cells(copy.store, work.look, wanted, 0) if work.look and wanted else None
        finally:
            sheet.close()
        return _outcome(work, plan, rule, page, before, Listing(desk, rule, everybody, page is not None))


def preview(desk: Desk, rule: str | None, page: Path | None = None, *, everybody: bool = False) -> Outcome:
    """Without asking the sources; before the first run with them, since else there would be nothing to see."""
    from sync.runs import last_runs
    from sync.work import Wishes

    first = not (desk.has_store and last_runs(desk.store, 1))
    return rehearse(desk, Wishes(), rule, pull=first, page=page, everybody=everybody)


def _outcome(
    work: Work, plan: Any, only: str | None, page: Path | None, before: Mapping[str, str], listing: Listing
) -> Outcome:
    rolls = moves(work, only, listing.most())
    rules = {rule: moved.names() for rule, moved in rolls.items()}
    rows, contacts = _to_go(work, only)
    mails = drafts(work.desk, rows, contacts, work.book)
    gone = [one for one in taken_back(work.desk.store, before) if only in {None, one[0], work.book.names.get(one[0])}]
    done = list(_deeds(work, only))
    steps = (
        [one for one in coming(work.desk, work.world) if only in {None, one.journey.id, one.journey.name}]
        if work.world
        else []
    )
    cells = list(_cells(work, plan, only)) if plan else []
    rows_added = len(plan.rows) if plan and only is None else 0
    troubles = [work.sheet_trouble, *(one.trouble for one in work.pulled.values())]
    notes = [work.desk.say(trouble.code, **trouble.facts) for trouble in troubles if trouble]
    wrong = going_wrong(work)
    notes += [*had_lately(work, only), *had_elsewhere(work.desk, work.book, mails), *wrong]
    holes, todo = _holes(mails), list(tasks(work, only))
    facts = {
        "rules": rules,
        "people": {rule: moved.to_json() for rule, moved in rolls.items()},
        "mails": [mail.to_json() for mail in mails],
        "taken_back": [{"rule": rule, "reason": reason, "mails": n} for rule, reason, n in gone],
        "tasks": todo,
        "wait": list(braked(work, todo)),
        "ask_first": list(journeys_ask(work.desk, (one for one in work.book.journeys if only in {None, one.id}))),
        "deeds": done,
        "nobody_in": empty_rules(work, only),
        "journeys": steps_now(work, only),
        "coming": coming_json(steps, _names_of(work, steps)) if steps else [],
        "cells": cells,
        "cells_kept": kept_cells(work, plan, only) if plan else [],
        "rows_added": rows_added,
        "notes": notes,
        "empty_fields": holes,
    }
    held_back = paced(work, rows, contacts) if rows else NONE_HELD  # last: it uses the copy up
    facts["would_wait"] = held_back.waits
    said = [work.desk.say("preview-mistakes", n=len(wrong))] if wrong else []
    said += list(_lines(work, facts, rolls, mails, steps, listing, held_back))
    if any(len(some) > (FEW if only in rolls else MOST) for some in _lists(facts)) and not page:
        said.append(work.desk.say("preview-all", command=_on_a_page(work, only)))
    if page:
        with work.desk.speaking(work.desk.config.language):
            ahead.write(_ahead(work, facts, rolls, mails, steps, only), page)
        said.append(work.desk.say("preview-page", file=page))
    return Outcome(said, facts)


def _lists(facts: dict[str, Any]) -> Iterator[list[Any]]:
    """Everything that is listed, of which only the first few are shown."""
    for moved in facts["rules"].values():
        yield from moved.values()
    yield from (facts[name] for name in ("mails", "tasks", "deeds", "cells"))


def _on_a_page(work: Work, only: str | None) -> str:
    return work.desk.command("preview", *([only] if only else []), "--page", work.desk.say("preview-page-example"))


def _ahead(
    work: Work, facts: dict[str, Any], rolls: Mapping[str, Moves], mails: list[Draft], steps: list[Coming],
    only: str | None,
) -> Ahead:  # fmt: skip
    say, names = work.desk.say, work.names({cell["key"] for cell in facts["cells"]})
    who = work.desk.config.organisation
    return Ahead(
        who.name, who.language, work.desk.clock.today(),
        [
            RuleAhead(
                one.rule.id, one.rule.name, [mail for mail in mails if mail.rule == one.rule.id],
                one.titles, one.enters, one.leaves, one.stays,
            )
            for one in rolls.values()
        ]
        + [
            RuleAhead(one.id, one.name, [mail for mail in mails if mail.rule == one.id])
            for one in work.book.journeys
        ],
        [(names.get(c["key"]) or c["key"], c["column"], c["from"], c["to"]) for c in facts["cells"]],
        facts["rows_added"],
        [(one["person"], one["what"], _whose(work, one)) for one in facts["tasks"]]
        + [(one["person"], one["what"], say(f"deed-state-{one['state']}")) for one in facts["deeds"]],
        [*facts["wait"], *facts["ask_first"], *facts["notes"], *_kept(work, facts["cells_kept"], Listing(work.desk, only, everybody=True)), *(_hole(work.desk, hole) for hole in facts["empty_fields"])],
        list(coming_lines(work.desk, steps, _names_of(work, steps))),
        [*concerns_nobody(work, facts, steps, only), *filter(None, [list(conditions_met(work, only, facts["nobody_in"]))])],
    )  # fmt: skip


def _holes(mails: list[Draft]) -> list[dict[str, Any]]:
    """Merge fields that stay empty, with where they stand and for whom."""
    people: dict[Gap, list[str]] = {}
    for mail in mails:
        for gap in dict.fromkeys(mail.gaps):
            people.setdefault(gap, []).append(mail.name or mail.to)
    return [{"file": gap.file, "line": gap.line, "field": gap.field, "people": who} for gap, who in people.items()]


def _hole(desk: Desk, hole: dict[str, Any]) -> str:
    names = hole["people"]
    some = ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "")
    place = f"{hole['file']}:{hole['line']}"
    return desk.say("preview-hole", place=place, field=hole["field"], n=len(names), names=some)


def _to_go(work: Work, only: str | None) -> tuple[list[Any], Contacts]:
    """The rows of the outbox that have not gone, and the people they are for."""
    store = work.desk.store
    with store.look() as connection:
        rows = box.listed(connection, store.org, ("planned", "waiting", "approved", "held"), limit=100_000)
    ids = {rule.id for rule in work.book.acting if only in {None, rule.id, rule.name}}
    contacts = Contacts(work.desk, work.frame, keep_out(work.desk, work.look, work.codes))
    return [row for row in rows if row.rule in ids], contacts


def _deeds(work: Work, only: str | None) -> Iterator[dict[str, Any]]:
    """What rules would have done beyond the sheet and the e-mails."""
    store = work.desk.store
    with store.look() as connection:
        rows = [row for row in deeds.listed(connection, store.org, deeds.KINDS) if row.run == work.number]
    names = work.book.names
    of_them = work.frame.filter(work.frame["person_id"].is_in([row.person_id for row in rows]))
    people = {row["person_id"]: row for row in of_them.iter_rows(named=True)}
    called = work.known_as(people)
    for row in rows:
        if only in {None, row.rule, names.get(row.rule)}:
            person, what = people.get(row.person_id), about(work.desk, row)
            told = {"rule": row.rule, "kind": row.kind, "person": called.get(row.person_id, "?")}
            yield {**told, "what": filled(work.desk, what, person) if person else what, "state": row.state}


def _cells(work: Work, plan: Any, only: str | None) -> Iterator[dict[str, Any]]:
    headers = {mapped.field: mapped for mapped in work.tab.columns}
    rule = next((one.id for one in work.book.acting if only in {one.id, one.name}), None)
    mine = None if rule is None else moved_cells(work, rule)
    for write in plan.writes:
        if mine is not None and (write.key, write.field) not in mine:
            continue
        mapped = headers[write.field]
        was, to = (shown(cell_of(text, mapped.kind), work.desk.language) for text in (write.now, write.to))
        yield {"tab": work.tab.name, "key": write.key, "column": mapped.header, "from": was, "to": to}


def _names_of(work: Work, steps: list[Coming]) -> dict[int, str]:
    return work.known_as(person for one in steps for person in one.people)


def _soon(work: Work, steps: list[Coming], listing: Listing) -> Iterator[str]:
    for title, *lines in coming_lines(work.desk, steps, _names_of(work, steps), listing.most(NAMED)):
        yield from ("", title, *(f"  {line}" for line in lines))


def _lines(
    work: Work, facts: dict[str, Any], rolls: Mapping[str, Moves], mails: list[Draft], steps: list[Coming],
    listing: Listing, held_back: Paced,
) -> Iterator[str]:  # fmt: skip
    say, cells, only = work.desk.say, facts["cells"], listing.only
    most = FEW if only in rolls else MOST  # its people have just been told
    if not any(moved.some for moved in rolls.values()):
        yield from _nobody_moves(work, facts["nobody_in"], only)
    for moved in rolls.values():
        yield from move_lines(listing, moved)
    for journey in work.book.journeys:
        if only in {None, journey.id}:
            yield from _journey_now(work, journey, facts["journeys"][journey.id], listing)
    for block in concerns_nobody(work, facts, steps, only):
        yield from block
    yield from conditions_met(work, only, facts["nobody_in"])
    yield from _nobody(work, facts["nobody_in"], only)
    yield from _mail_lines(work, facts["taken_back"], mails, held_back, listing)
    if facts["tasks"]:
        yield ""
        yield say("preview-tasks", n=len(facts["tasks"]))
        yield from facts["wait"]
        yield from listing.of([_task(work, one) for one in facts["tasks"]], most)
    if facts["deeds"]:
        yield ""
        yield say("preview-deeds")
        told = [f"  {one['person']} · {one['what']} ({say('deed-state-' + one['state'])})" for one in facts["deeds"]]
        yield from listing.of(told)
    yield from _soon(work, steps, listing)
    yield from facts["ask_first"]
    yield ""
    yield say("preview-cells-of-it" if only else "preview-cells", n=len(cells), rows=facts["rows_added"])
    names = work.names({cell["key"] for cell in cells})
    yield from listing.of([_cell(work, cell, names.get(cell["key"]) or cell["key"]) for cell in cells], most)
    yield from _kept(work, facts["cells_kept"], listing)
    yield from (_hole(work.desk, hole) for hole in facts["empty_fields"])
    yield from facts["notes"]
    yield say("preview-nothing-touched")


def _journey_now(work: Work, journey: Journey, taken: list[dict[str, str]], listing: Listing) -> Iterator[str]:
    """What the journey does now, and for whom; that it does nothing only to who asks for it."""
    say, walked = work.desk.say, work.decisions.journeys.get(journey.id) if work.decisions else None
    told = counts(work.desk, walked) if walked else ""
    if told:
        yield say("preview-journey-now", name=journey.name, counts=told)
        yield from listing.of([f"  + {one['person']} · {one['at']} · {one['what']}" for one in taken])
    elif listing.only == journey.id:
        yield say("preview-journey-nothing", name=journey.name)


def _kept(work: Work, cells: list[dict[str, Any]], listing: Listing) -> Iterator[str]:
    """Cells that a rule would set, were they not the team's."""
    if not cells:
        return
    names = work.names({cell["key"] for cell in cells})
    yield work.desk.say("preview-kept", n=len(cells))
    told = [cell | {"name": names.get(cell["key"]) or cell["key"]} for cell in cells]
    yield from listing.of([work.desk.say("preview-kept-cell", **cell) for cell in told])


def _mail_lines(
    work: Work, gone: list[dict[str, Any]], mails: list[Draft], held_back: Paced, listing: Listing
) -> Iterator[str]:
    say = work.desk.say
    for one in gone:
        name, why = work.book.names.get(one["rule"], one["rule"]), why_not(work.desk.language, one["reason"])
        yield say("preview-taken-back", n=one["mails"], name=name, why=why)
    if mails:
        yield ""
        yield say("preview-mails", n=len(mails))
        wide = [
            min(34, max(len(text) for text in texts)) for texts in zip(*((m.name, m.to) for m in mails), strict=True)
        ]
        lines = [
            f"  {m.name:<{wide[0]}}  {m.to:<{wide[1]}}  {' '.join(filter(None, (m.subject, f'({m.standing(work.desk.language)})')))}"
            for m in mails
        ]
        yield from listing.of(lines)
        yield from paced_lines(work.desk, held_back)
        for example in _examples(mails)[: TEXTS if listing.only else 1]:
            yield from ("", say("preview-example", to=example.to), f"  {example.subject}", "")
            yield from (f"  {line}" for line in example.text.splitlines())


def _examples(mails: Sequence[Draft]) -> list[Draft]:
    """One for each text, of those that would go if there are."""
    found: dict[str, Draft] = {}
    for mail in sorted((mail for mail in mails if mail.text), key=lambda mail: mail.reason is not None):
        found.setdefault(mail.template, mail)
    return list(found.values())


def _nobody_moves(work: Work, empty: list[str], only: str | None) -> Iterator[str]:
    here = inside(work, only) if only else None
    if any(only in {one.id, one.name} for one in work.book.journeys):
        return  # nobody enters or leaves a journey: its steps are told below
    if here is None:
        yield work.desk.say("preview-nobody-moves")
    elif not empty:
        yield work.desk.say("preview-nobody-moves-here", name=here[0], n=here[1])


def _nobody(work: Work, empty: list[str], only: str | None) -> Iterator[str]:
    if only:
        yield from often_empty_lines(work, only)
    elif empty:
        names = ", ".join(rule.name for rule in work.book.rules if rule.id in empty)
        yield work.desk.say("preview-nobody-in-some", names=names, command=f"filrouge preview {empty[0]}")


def _task(work: Work, one: dict[str, Any]) -> str:
    return f"  {' · '.join(filter(None, (one['person'], one['what'], _whose(work, one))))}"


def _whose(work: Work, one: dict[str, Any]) -> str:
    """Who is to do a task, and until when."""
    day = one["until"] and shown(date.fromisoformat(one["until"]), work.desk.language)
    return " · ".join(filter(None, (one["who"], day and work.desk.say("preview-task-until", day=day))))


def _cell(work: Work, cell: dict[str, Any], name: str) -> str:
    blank = work.desk.say("preview-blank")
    was, to = cell["from"] or blank, cell["to"] or blank
    return work.desk.say("preview-cell", name=name, column=cell["column"], was=was, to=to)
