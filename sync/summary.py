"""What a run has to say: the lines on the terminal, the `--json` object, the page, and the row in the table of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.sheets.sheet import Refused
from connectors.trouble import Trouble
from sync import runs
from sync.awaiting import waiting_lines
from sync.dates import format_datetime
from sync.desk import Desk
from sync.followup import deeds, segments
from sync.followup import outbox as box
from sync.followup.segments import Move
from sync.mailbox import TOLD
from sync.messages import why_not
from sync.outcome import Outcome
from sync.people.doubts import doubts
from sync.templatecheck import going_wrong
from sync.underway import counts

if TYPE_CHECKING:
    from sync.work import Work

DONE, PARTIAL, WRONG, DECIDE = 0, 1, 2, 7
REASONS = 5
MOVES = 6


def summarise(work: Work) -> Outcome:
    """Close the run: judge it, note it, write its page, and give what is to be shown: the page and the note are the
    whole team's and in the organisation's language, what is shown is in the reader's.
    """
    desk = work.desk
    with desk.speaking(desk.config.language):
        facts = facts_so_far(work)
        said = lines(work, facts)
        facts["lines"] = said
        runs.finish(desk.store, work.number, facts["state"], facts, desk.clock.read())
        from sync.report.gather import gather
        from sync.report.page import write

        write(gather(work, facts), desk.config.folder)
    if desk.language != desk.config.language:
        facts = facts_so_far(work)
        said = lines(work, facts)
    code = {"done": DONE, "partial": PARTIAL, "waiting": DECIDE, "refused": DECIDE}[facts["state"]]
    return Outcome(said, {key: value for key, value in facts.items() if key != "lines"}, code)


def facts_so_far(work: Work) -> dict[str, Any]:
    """The `--json` object of `filrouge run`, as it is at this point of the run."""
    waiting = sum(held.batch.mails for held in work.waiting)
    tasks = sum(held.batch.tasks for held in work.waiting)
    others = sum(held.batch.deeds for held in work.waiting)
    applied, decisions = work.applied, work.decisions
    return {
        "run": work.number,
        "state": _state(work, waiting + tasks + others),
        "today": work.desk.clock.today().isoformat(),
        "sources": {
            name: {
                "pulled": one.read,
                "changed": one.result.new + one.result.changed,
                "gone": one.result.gone,
                "set_aside": one.result.set_aside,
                "state": one.state,
                "error": _sentence(work, one.trouble),
            }
            for name, one in work.pulled.items()
        },
        "people": {"new": work.people_new, "merged": work.people.merged, "total": work.people_count},
        **_decided(work),
        "cells": {
            "written": applied.written if applied else 0,
            "rows_added": applied.rows_added if applied else 0,
            "edits_kept": applied.edits_kept if applied else 0,
            "conflicts": applied.conflicts if applied else 0,
        },
        "tasks": decisions.tasks if decisions else 0,
        "deeds": dict(decisions.deeds) if decisions else {},
        "services": {
            kind: {"done": one.done, "failed": one.failed, "later": one.later, "held": one.held}
            for kind, one in work.deeds.items()
        },
        "calls": {name: {"read": calls.read, "write": calls.write} for name, calls in work.calls.items()},
        "mail": _mail(work, waiting, tasks, others),
        "gates": [gate.sentence(work.desk.language) for gate in _gates(work)],
        "told": work.told,
        "notes": [*work.notes, *_notes(work)],
    }  # fmt: skip


def _decided(work: Work) -> dict[str, Any]:
    """What each rule, journey and segment came to."""
    decisions = work.decisions
    return {
        "rules": {
            rule: {
                "entered": len(moved.entered), "left": len(moved.left), "inside": moved.inside, "unknown": moved.unknown,
            }
            for rule, moved in (decisions.rules.items() if decisions else ())
        },
        "journeys": {
            journey: {
                "done": one.done, "passed": one.passed, "late": one.late, "taken_back": one.taken_back,
                "undecided": one.undecided,
            }
            for journey, one in (decisions.journeys.items() if decisions else ())
        },
        "segments": {
            segment: {"inside": one.inside, "entered": one.entered, "left": one.left, "unknown": one.unknown}
            for segment, one in work.segments.items()
        },
    }  # fmt: skip


def _mail(work: Work, waiting: int, tasks: int, others: int) -> dict[str, Any]:
    """What became of the e-mails, and what waits: `waiting` of them, `tasks`, and `others` of all else."""
    sent = work.sent
    return {
        "sent": sent.sent if sent else 0,
        "failed": sent.failed if sent else 0,
        "uncertain": sent.uncertain if sent else 0,
        "late": work.decisions.too_late if work.decisions else 0,
        "waiting": waiting,
        "tasks_waiting": tasks,
        "others_waiting": others,
        "waiting_barred": sum(held.barred for held in work.waiting),
        "held": dict(sent.held) if sent else {},
        "back": {word: work.came.counts[word] for word in TOLD if work.came.counts[word]} if work.came else {},
    }


def _state(work: Work, waiting: int) -> str:
    failed = [one for one in work.pulled.values() if one.trouble]
    if (
        any(gate.stops and not gate.open_by(work.wishes.allow) for gate in _gates(work))
        or _disbelieved(work)
        or work.older
    ):
        return "waiting"
    if work.stopped or failed or any(_troubles(work)):
        return "partial"
    return "waiting" if waiting else "done"


def _troubles(work: Work) -> tuple[Trouble | None, ...]:
    sent, came = work.sent, work.came
    elsewhere = [trouble for one in work.deeds.values() for trouble in one.troubles.values()]
    ours = (work.sheet_trouble, came.trouble if came else None, work.mail_trouble, sent.trouble if sent else None)
    return *ours, *elsewhere


def _gates(work: Work) -> tuple[Any, ...]:
    if work.applied:
        return work.applied.gates
    return work.look.gates if work.look else ()


def _disbelieved(work: Work) -> int:
    return sum(one.result.disbelieved for one in work.pulled.values())


def _sentence(work: Work, trouble: Trouble | None) -> str | None:
    return work.desk.say(trouble.code, **trouble.facts) if trouble else None


def _approved(work: Work) -> int:
    with work.desk.store.look() as connection:
        states = box.counts(connection, work.desk.store.org).items()
    return sum(n for (state, _), n in states if state in {"approved", "held"})


def _notes(work: Work) -> list[str]:
    """What is good to know: what was left out, skipped or not believed."""
    say = work.desk.say
    notes = [
        say("run-gone-kept", source=name, n=one.result.disbelieved)
        for name, one in work.pulled.items()
        if one.result.disbelieved
    ]
    if work.stopped:
        notes.append(say("run-interrupted"))
    if unsure := sum(one.run == work.number for one in doubts(work.desk.store)):
        notes.append(say("run-unsure", n=unsure))
    if work.knowledge:
        notes += going_wrong(work)
        stale = work.knowledge.stale.items()
        notes += [say("run-stale" if last else "run-never-read", source=source) for source, last in stale]
    if work.closed and (held := _approved(work)):
        notes.append(say("run-mail-behind-gate", n=held))
    if work.sent and work.sent.again:
        notes.append(say("run-mail-again", at=_moment(work, work.sent.again)))
    if work.applied:
        seen = work.applied
        told = {
            "doubled": len(seen.doubled),
            "nameless": seen.look.nameless,
            "unclear": len(seen.look.unclear),
            "cut": seen.cut,
        }
        notes += [say(f"run-{code}", n=n) for code, n in told.items() if n]
        notes += _refused(work.desk, seen.refused)
    for trouble in _troubles(work):
        if trouble:
            notes.append(say(trouble.code, **trouble.facts))
    return notes


def _moment(work: Work, moment: datetime) -> str:
    local = moment.astimezone(work.desk.config.zone)
    return format_datetime(local, "EEEE d MMMM HH:mm", locale=work.desk.language)


def _refused(desk: Desk, refused: Sequence[Refused]) -> list[str]:
    """The cells that the sheet could not take: each reason once, with the first cell, the most frequent first."""
    reasons: dict[object, list[Refused]] = {}
    for one in refused:
        why = [(name, str(fact)) for name, fact in sorted(one.facts.items()) if name != "cell"]
        reasons.setdefault((one.code, *why), []).append(one)
    found = sorted(reasons.values(), key=len, reverse=True)
    told = [(desk.say(cells[0].code, **cells[0].facts), len(cells)) for cells in found[:REASONS]]
    shown = [f"{reason} (× {n})" if n > 1 else reason for reason, n in told]
    rest = sum(map(len, found[REASONS:]))
    return [*shown, desk.say("run-refused-more", n=rest)] if rest else shown


def lines(work: Work, facts: dict[str, Any]) -> list[str]:
    """One line a step, for the terminal and the page of runs."""
    say = work.desk.say
    said = [_source_line(work, name, one) for name, one in facts["sources"].items()]
    said += [say(f"run-back-{word}", n=n) for word, n in facts["mail"]["back"].items()]
    people = facts["people"]
    of_these = {name: say(f"run-people-{name}", n=people[name]) for name in ("new", "merged")}
    said.append(say("run-people", n=people["total"], **of_these))
    for rule in work.book.rules:
        moved = facts["rules"].get(rule.id)
        if moved and (moved["entered"] or moved["left"]):
            said.append(say("run-rule", name=rule.name, n=moved["inside"], **moved))
    said += _journey_lines(work)
    if moved := moves_since(work, work.now):
        told = [f"{one.was or '–'} → {one.now or '–'} ({one.people})" for one in moved[:MOVES]]
        said.append(say("run-segments", moves=" · ".join(told) + (" …" if len(moved) > MOVES else "")))
    said += [say("run-tasks", n=n) for n in (facts["tasks"],) if n]
    said += [say(f"run-deeds-{kind}", n=n) for kind, n in facts["deeds"].items() if n and kind in deeds.TICKED]
    cells, mail = facts["cells"], facts["mail"]
    if work.applied and not any(cells.values()):
        said.append(say("run-cells-none"))
    elif work.applied:
        said.append(say("run-cells", n=cells["written"], rows=cells["rows_added"]))
        said += [say(f"run-{name}", n=cells[name]) for name in ("edits_kept", "conflicts") if cells[name]]
    for name in ("sent", "failed", "uncertain", "late", "waiting", "waiting_barred", "tasks_waiting", "others_waiting"):
        command = work.desk.command("outbox", "--state", "waiting")
        said += [say(f"run-mail-{name}", n=mail[name], command=command)] if mail[name] else []
    for kind, one in facts["services"].items():
        said += [say(f"run-{kind}-{name}", n=one[name]) for name in ("done", "failed", "later") if one[name]]
        said += [
            say(f"run-{kind}-held", n=n, reason=why_not(work.desk.language, why)) for why, n in one["held"].items()
        ]
    said += [say("report-held", n=n, reason=why_not(work.desk.language, reason)) for reason, n in mail["held"].items()]
    if facts["told"]:
        said.append(say("run-told", n=facts["told"]))
    said += [*facts["gates"], *facts["notes"]]
    said += [f"  {line}" for line in waiting_lines(work.desk, [held.batch for held in work.waiting])]
    if _nothing_new(facts):
        said.append(say("run-nothing-new"))
    return said


def moves_since(work: Work, since: datetime) -> list[Move]:
    """Who went from which segment to which in the runs since then, this one included."""
    if not work.segments:
        return []
    with work.desk.store.look() as connection:
        return segments.moves(connection, work.desk.store.org, since)


def _journey_lines(work: Work) -> list[str]:
    """What was done for each journey; passing over alone is no news."""
    walked = work.decisions.journeys.items() if work.decisions else ()
    told = {name: counts(work.desk, one) for name, one in walked if one.done or one.late or one.taken_back}
    return [work.desk.say("run-journey", name=work.book.names[name], counts=text) for name, text in told.items()]


def _source_line(work: Work, name: str, one: dict[str, Any]) -> str:
    say = work.desk.say
    if one["error"]:
        return f"{name} : {one['error']}" if work.desk.language == "fr" else f"{name}: {one['error']}"
    said = source_read(work, name, one["pulled"], one["changed"])
    return f"{said} {say('run-source-aside', n=one['set_aside'])}" if one["set_aside"] else said


def source_read(work: Work, name: str, pulled: int, changed: int) -> str:
    """How much a source gave in this run."""
    say = work.desk.say
    return say("run-source", source=name, n=pulled, changed=say("run-source-changed", n=changed))


def _nothing_new(facts: dict[str, Any]) -> bool:
    return facts["state"] == "done" and not changed(facts)


def changed(facts: Mapping[str, Any]) -> bool:
    """Whether a run, by its `--json` object (which an older program may have made), changed anything that a team cares
    about.
    """
    mail, people = facts["mail"], facts["people"]
    return (
        any(facts["cells"].values())
        or any(people[name] for name in ("new", "merged"))
        or any(mail[name] for name in ("sent", "failed", "uncertain"))
        or any(moved["entered"] or moved["left"] for moved in facts["rules"].values())
        or any(one["changed"] or one["gone"] for one in facts["sources"].values())
        or bool(facts.get("tasks"))
        or any(facts["deeds"].values())
        or any(one["done"] or one["taken_back"] for one in facts["journeys"].values())
        or any(one["done"] or one["failed"] for one in facts["services"].values())
    )
