"""What the team is told after a run: what rules have told it, what went wrong, what waits, what happened. Once.

What goes wrong with each run is told when it begins, when it changes and when it is mended; what waits, when more does.
A run after which there is nothing new to say sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import sqlalchemy as sa

from connectors.mail.mailer import Mailer
from connectors.trouble import Trouble
from sync import runs
from sync.awaiting import waiting_lines
from sync.dates import format_date
from sync.followup import approvals, deeds
from sync.followup.staff import HOOK, MEMORY, Bulletin, Post, Section, settle_interrupted, tell
from sync.rows import filled, house_of, reached
from sync.summary import changed, facts_so_far, lines, source_read

if TYPE_CHECKING:
    from sync.work import Work

MOST = 40  # lines of one part
Broken = dict[str, list[str]]
"""By what is wrong: how it is wrong (in a word), and the sentence."""


def tell_team(work: Work) -> None:
    """Send the one e-mail of this run, if there is anything to tell and anybody to be told."""
    desk, staff = work.desk, work.desk.config.outline.staff
    addresses = [*staff.email, *([HOOK + staff.webhook] if staff.webhook else [])]
    if not addresses:
        return
    mailer: Mailer = desk.config.open_mailer(desk.clock)
    try:
        post = Post(
            desk.store, house_of(desk), mailer, lambda name: desk.config.open_webhook(name, desk.clock), desk.clock.now
        )
        unsure = settle_interrupted(post)
        with desk.speaking(desk.config.language):
            bulletin = _bulletin(work, unsure)
        if bulletin is None:
            return
        told = tell(post, work.number, bulletin, addresses, unsure)
        work.told = len(told.reached)
        for address, trouble in told.troubles:
            work.notes.append(desk.say("staff-not-told", address=address, why=desk.say(trouble.code, **trouble.facts)))
    except Trouble as trouble:
        work.notes.append(
            desk.say("staff-not-told", address=", ".join(addresses), why=desk.say(trouble.code, **trouble.facts))
        )
    finally:
        mailer.close()


def _bulletin(work: Work, unsure: Sequence[sa.Row[Any]]) -> Bulletin | None:
    """What is new since the team was last told; None if nothing is."""
    desk, say = work.desk, work.desk.say
    known: dict[str, Any] = msgspec.json.decode(runs.recall(desk.store, MEMORY) or "{}")
    facts = facts_so_far(work)
    broken = dict(_broken(work, facts, int(known.get("run", 0))))
    before: Broken = known.get("broken", {})
    kept = {} if _whole(work) else before
    news = [sentence for key, (how, sentence) in broken.items() if before.get(key, [None])[0] != how]
    mended = [_mended(work, key, was) for key, was in before.items() if key not in {**broken, **kept} and _lasts(key)]
    news += [say("staff-uncertain", address=row.address, day=_day(work, row.made)) for row in unsure]
    ids, notices = _notices(work)
    waits, more = _waits(work, known.get("waits", {}))
    happened = _happened(work, facts) if changed(facts) else []
    wanted = desk.config.outline.staff.digest == "each run" and happened
    memory = {"run": work.number, "broken": {**kept, **broken}, "waits": {batch: n for batch, (n, _) in waits.items()}}
    if not (news or mended or notices or more or wanted):
        if memory["broken"] != before or memory["waits"] != known.get("waits", {}):
            runs.remember(desk.store, MEMORY, msgspec.json.encode({**known, **memory}).decode())
        return None
    still = [sentence for key, (_, sentence) in broken.items() if sentence not in news and _lasts(key)]
    parts = {
        "notices": notices,
        "broken": news,
        "mended": mended,
        "waits": [*(sentence for _, sentences in waits.values() for sentence in sentences), *_asked(work)],
        "still": still,
        "happened": happened,
    }
    sections = [Section(say(f"staff-{name}"), _cut(work, told)) for name, told in parts.items() if told]
    kind = next(name for name, new in (*parts.items(), ("happened", True)) if new and name != "still")
    subject = say(f"staff-subject-{kind}", house=desk.config.organisation.name, day=_day(work, work.now))
    return Bulletin(subject, tuple(sections), tuple(ids), memory)


def _day(work: Work, moment: Any) -> str:
    day = moment.astimezone(work.desk.config.zone).date()
    return str(format_date(day, "long", locale=work.desk.config.language))


def _cut(work: Work, told: Sequence[str]) -> tuple[str, ...]:
    more = [work.desk.say("staff-more", n=len(told) - MOST)] if len(told) > MOST else []
    return (*told[:MOST], *more)


def _whole(work: Work) -> bool:
    """Whether this run did everything, so that what is not wrong now is mended."""
    from sync.work import STEPS

    return work.wishes.steps >= STEPS and not work.wishes.sources and not work.stopped


# What went wrong -------------------------------------------------------------------------------------------------------


def _broken(work: Work, facts: Mapping[str, Any], last_told: int) -> Iterator[tuple[str, list[str]]]:
    for name, one in work.pulled.items():
        if one.trouble:
            yield f"source {name}", [one.trouble.code, f"{name} – {facts['sources'][name]['error']}"]
    yield from _troubles(work)
    told = {sentence for _, (_, sentence) in _troubles(work)}
    for sentence in facts["gates"]:
        yield f"gate {_print(sentence)}", ["", sentence]
    for kind in ("failed", "uncertain", "late"):
        if n := facts["mail"][kind]:
            yield f"mails {kind} {work.number}", ["", work.desk.say(f"run-mail-{kind}", n=n)]
    for sentence in facts["notes"]:
        if sentence.strip() and sentence not in told and not sentence.startswith(" "):
            yield f"note {_print(sentence)}", ["", sentence]
    yield from _fallen(work, last_told)


def _troubles(work: Work) -> Iterator[tuple[str, list[str]]]:
    """What can't be reached, but for the sources."""
    elsewhere = [trouble for done in work.deeds.values() for trouble in done.troubles.values()]
    sent = work.sent.trouble if work.sent else None
    for trouble in (work.sheet_trouble, work.mail_trouble, sent, *elsewhere):
        if trouble:
            sentence = work.desk.say(trouble.code, **trouble.facts)
            yield f"trouble {trouble.code} {trouble.facts.get('service', '')}", [trouble.code, sentence]


def _fallen(work: Work, last_told: int) -> Iterator[tuple[str, list[str]]]:
    """Runs since the last one told that did not come to their end, and told nobody."""
    for run in runs.last_runs(work.desk.store, 50):
        if run.state == "stopped" and last_told and last_told < run.id < work.number:
            said = " ".join(run.summary.get("lines", ())) or work.desk.say("report-state-stopped")
            yield f"run {run.id}", ["", work.desk.say("staff-run-stopped", run=run.id, why=said)]


def _print(sentence: str) -> str:
    """The same sentence with another number is no news."""
    return re.sub(r"\d+", "#", sentence)


def _lasts(key: str) -> bool:
    return key.partition(" ")[0] in {"source", "trouble", "gate"}


def _mended(work: Work, key: str, was: Sequence[str]) -> str:
    kind, _, name = key.partition(" ")
    return work.desk.say("staff-mended-source", source=name) if kind == "source" else was[1]


# What rules have told, what waits, what happened -----------------------------------------------------------------------


def _notices(work: Work) -> tuple[list[str], list[str]]:
    """The deeds, and their lines: by rule, in the order of the rules."""
    desk = work.desk
    with desk.store.look() as connection:
        rows = deeds.listed(connection, desk.store.org, ("notify",), ("approved",))
    ids = {row.person_id for row in rows}
    people = work.frame.filter(pl.col("person_id").is_in(ids)).iter_rows(named=True) if rows else ()
    facts = {one["person_id"]: one for one in people}
    names = work.book.names
    order = {rule: place for place, rule in enumerate(names)}
    rows.sort(key=lambda row: (order.get(row.rule, len(order)), row.made, row.id))
    told = [
        f"{names.get(row.rule, row.rule)} – {filled(desk, deeds.what(row)['text'], facts[row.person_id])}"
        f" ({reached(facts[row.person_id])})"
        for row in rows
        if row.person_id in facts
    ]
    return [row.id for row in rows], told


def _waits(work: Work, before: Mapping[str, int]) -> tuple[dict[str, tuple[int, list[str]]], bool]:
    """By rule, how many wait for an approval and the sentences; and whether there are more than were told."""
    with work.desk.store.look() as connection:
        batches = approvals.waiting_rules(connection, work.desk.store.org)
    found = {
        batch.rule: (batch.mails + batch.deeds + batch.tasks, waiting_lines(work.desk, [batch])) for batch in batches
    }
    return found, any(n > before.get(rule, 0) for rule, (n, _) in found.items())


def _asked(work: Work) -> list[str]:
    """What this run gave the team to do, beside approvals."""
    if work.decisions is None:
        return []
    new = {"task": work.decisions.tasks, **work.decisions.deeds}
    return [work.desk.say(f"staff-new-{kind}", n=new[kind]) for kind in ("task", "review", "forget") if new.get(kind)]


def _happened(work: Work, facts: Mapping[str, Any]) -> list[str]:
    told = {*facts["gates"], *facts["notes"], *_repeated(work, facts)}
    return [line for line in lines(work, dict(facts)) if line not in told and not line.startswith("  ")]


def _repeated(work: Work, facts: Mapping[str, Any]) -> Iterator[str]:
    """Lines of the run that stand in another part already, or say that nothing happened."""
    mail = facts["mail"]
    yield work.desk.say("run-cells-none")
    command = work.desk.command("outbox", "--state", "waiting")
    for name in ("failed", "uncertain", "late", "waiting", "waiting_barred", "tasks_waiting", "others_waiting"):
        yield work.desk.say(f"run-mail-{name}", n=mail[name], command=command)
    yield work.desk.say("run-tasks", n=facts["tasks"])
    for kind in ("review", "forget"):
        yield work.desk.say(f"run-deeds-{kind}", n=facts["deeds"].get(kind, 0))
    for name, one in facts["sources"].items():
        if one["error"]:
            yield f"{name} : {one['error']}"
            yield f"{name}: {one['error']}"
        elif not one["changed"]:
            yield source_read(work, name, one["pulled"], 0)
