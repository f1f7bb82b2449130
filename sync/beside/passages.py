"""The journal's lines about runs: what each changed, what stopped it, what was set aside."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import copy
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sync import runs, summary
from sync.aside import all_aside
from sync.beside.lines import Entry
from sync.beside.tab import in_house

if TYPE_CHECKING:
    from sync.work import Work

LOOKED_AT = 50
"""Runs before this one of which it is known whether they were told."""
MOST_ASIDE = 200
Texts = Mapping[str, str]


def entries(work: Work, told: Mapping[str, Texts]) -> list[Entry]:
    """Runs that changed something, sentences that are new, and what was set aside. `told`: the lines that stand."""
    earlier = [run for run in runs.last_runs(work.desk.store, LOOKED_AT + 1) if run.id != work.number]
    facts = _facts_in_house(work)
    found = [entry for run in reversed(earlier) for entry in _earlier(work, run, told)]
    found += _this(work, facts, earlier, told)
    return found + list(_aside(work, told))


def _facts_in_house(work: Work) -> dict[str, Any]:
    """What there is to say of this run so far, in the organisation's language."""
    here, desk = copy(work), copy(work.desk)
    desk.language = work.desk.config.language
    here.desk = desk
    facts = summary.facts_so_far(here)
    return {**facts, "lines": summary.lines(here, facts)}


def _this(work: Work, facts: dict[str, Any], earlier: list[runs.Run], told: Mapping[str, Texts]) -> Iterator[Entry]:
    day = work.desk.clock.today().isoformat()
    if summary.changed(facts):
        yield _run_line(work, work.number, day, "done", facts)
    for place, (event, sentence) in enumerate(_sentences(facts).items()):
        key = f"{work.number}.{blake2b(event.encode(), digest_size=4).hexdigest()}"
        if key in told or not _told_before(event, earlier, told):
            texts = {"event": in_house(work, f"journal-event-{sentence}"), "why": event}
            yield Entry(key, work.number, 2, place - 900, {"day": day, "run": str(work.number), **texts})


def _told_before(sentence: str, earlier: list[runs.Run], told: Mapping[str, Texts]) -> bool:
    """Does it stand in the journal, and was it so in every run since?"""
    last = max(
        (int(texts["run"]) for texts in told.values() if texts["why"] == sentence and texts["run"]), default=None
    )
    return last is not None and all(sentence in _sentences(run.summary) for run in earlier if run.id > last)


def _sentences(facts: Mapping[str, Any]) -> dict[str, str]:
    """What stopped the run, and what is good to know: each sentence once, with its kind."""
    errors = {f"{name} : {one['error']}": "note" for name, one in facts.get("sources", {}).items() if one["error"]}
    notes = dict.fromkeys(facts.get("notes", ()), "note") | errors
    return dict.fromkeys(facts.get("gates", ()), "gate") | {s: k for s, k in notes.items() if s.strip()}


def _earlier(work: Work, run: runs.Run, told: Mapping[str, Texts]) -> Iterator[Entry]:
    """A run that could not write its own line: it was killed, or the sheet was out of reach."""
    if f"{run.id}.0" in told or ("cells" in run.summary and not summary.changed(run.summary)):
        return
    yield _run_line(work, run.id, run.today.isoformat(), run.state, run.summary)


def _run_line(work: Work, number: int, day: str, state: str, facts: Mapping[str, Any]) -> Entry:
    besides = {*_sentences(facts), *facts.get("gates", ()), *facts.get("notes", ())}
    barred, command = facts.get("mail", {}).get("waiting_barred"), work.desk.command("outbox", "--state", "waiting")
    besides |= {in_house(work, "run-cells-none"), in_house(work, "run-mail-waiting_barred", n=barred, command=command)}
    lines = [line for line in facts.get("lines", ()) if line not in besides]
    lines = [line for line in lines if not line.startswith("  ")]  # commands
    if state in {"stopped", "refused"}:
        lines.insert(0, f"{in_house(work, f'report-state-{state}').capitalize()}.")
    texts = {"day": day, "run": str(number), "event": in_house(work, "journal-event-run"), "why": " ".join(lines)}
    return Entry(f"{number}.0", number, 3, -1000, texts)


def _aside(work: Work, told: Collection[str]) -> Iterator[Entry]:
    for place, one in enumerate(all_aside(work.desk.store, MOST_ASIDE)):
        key = f"aside.{one.key}"
        texts = {
            "day": work.desk.clock.today().isoformat(),
            "run": str(one.run),
            "event": in_house(work, "journal-event-aside"),
            "column": one.place,
            "by": one.source,
            "why": in_house(work, one.code, **one.facts),
        }
        yield Entry(key, one.run, 2, place - 800, {} if key in told else texts)
