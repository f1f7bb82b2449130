"""Commands that tell what is known: test, runs, status. `sync.explaining` and `sync.person` tell of one person."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.trouble import Trouble
from rules import examples
from rules.conditions import Period
from rules.explain import Wording
from rules.phrases import Phrase, typed
from rules.windows import SUMS
from rules.words import vocabulary
from sync import runs
from sync.awaiting import waiting_lines
from sync.beginning import read_rules
from sync.desk import Desk, show_mistakes
from sync.followup import approvals
from sync.followup import outbox as box
from sync.knowledge import stale_sources
from sync.outcome import Outcome
from sync.person import told_when
from sync.unheard import unheard

WORDS_OF_NOBODY = {"nobody-has", "nobody-has-near", "nobody-has-many"}


def run_examples(desk: Desk) -> Outcome:
    """The examples written in the rules. Exit 2 when one does not hold."""
    book, _ = read_rules(desk, keep_last_right=False)
    outcomes = examples.run_examples(book, desk.clock.today(), desk.language)
    said = []
    for one in outcomes:
        mark = "✓" if one.passed else "✗"
        said.append(f"{mark} {one.example.place}  {one.rule.name}")
        said += [f"    {line}" for line in one.why.lines()] if not one.passed else []
        said += [f"    {line}" for line in notes(desk, one)]
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
            {
                "rule": one.rule.id, "place": str(one.example.place), "passed": one.passed, "why": one.why.to_json(),
                "notes": list(notes(desk, one)),
            }
            for one in outcomes
        ],
    }  # fmt: skip
    return Outcome(said, facts, 2 if failed else 0)


def notes(desk: Desk, tried: examples.Outcome) -> Iterator[str]:
    """What an example leaves open: of the thing its journey is around, and of when what it counts was."""
    language = desk.language_at(tried.example.place)
    words, day = vocabulary(language), typed(language, "date", Phrase("ago", (Period(2, "year"),)))
    for field in tried.missing:
        yield desk.say("test-missing", field=words.key("occasion", field))
    for check in () if tried.passed else tried.assumed:
        key, deed = words.key("fields", check.field), day
        if check.field in SUMS:
            deed = f"{{{words.key('deed', 'date')}: {day}, {words.key('deed', 'amount')}: 50}}"
        yield desk.say("test-assumed", field=key, counted=Wording(desk.language).field(check), line=f"{key}: [{deed}]")


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
        "waiting": [{"rule": b.rule, "mails": b.mails, "tasks": b.tasks, "deeds": b.deeds} for b in batches],
    }
    return Outcome(said, facts, 1 if late else 7 if batches else 0)
