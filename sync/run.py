"""One run, from top to bottom: the one place where the way of the data can be read.

    the team's edits in → sources → people → rules → decisions → cells out → mails out → the page

Each step is safe to be killed in, and to be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from connectors.sheets.sheet import Calls, Sheet
from connectors.trouble import Trouble, TryLater
from rules.compiler import evaluate
from rules.conditions import SHEET
from rules.fields import SCORES
from sync import runs
from sync.beginning import mind_the_clock, read_rules
from sync.beside.keep import take_ticks, write_tabs
from sync.contacts import Contacts, keep_out
from sync.desk import Desk
from sync.digest import tell_team
from sync.elsewhere import do_deeds
from sync.followup import segments, standings
from sync.followup.decide import decide
from sync.followup.journeys import World, walk
from sync.followup.send import send_due
from sync.history import backfill
from sync.knowledge import know
from sync.mailbox import read_mailbox
from sync.memory import give_back, loaded_for_good
from sync.oldercopy import drop_what_went, mind_older_copy, note_sent
from sync.outcome import Outcome, where
from sync.outlook import had_lately
from sync.people.doubts import note_doubts
from sync.people.merge import Resolved, resolve
from sync.people.profile import refresh
from sync.people.scores import refresh_scores
from sync.progress import Silent
from sync.pull import pull_all
from sync.right_to_write import with_ends
from sync.rights.rows import hush, settle_blanks, waiting_rows, with_blanks
from sync.rows import (
    merged_with_a_past,
    set_columns,
    settle_cells,
    wanted_rows,
    with_our_marks,
    with_team,
    with_windows,
)
from sync.sheet.apply import finish
from sync.sheet.look import Look, look
from sync.sheet.plan import Wanted
from sync.store.again import let_go
from sync.store.statistics import look_over
from sync.summary import summarise
from sync.tabs import SET
from sync.takein import take_in
from sync.unsubscribing import letterhead
from sync.work import Wishes, Work

RUNS_WITH = {"tabs": "sheet", "deeds": "mail", "staff": "mail"}
RAW_KEPT_DAYS = 90  # after a service no longer has something: long enough to see that it was a mistake


def run_once(
    desk: Desk, wishes: Wishes, trigger: str, progress: Any = None, stop: Callable[[], bool] = lambda: False
) -> Outcome:
    """Do one run and give what it has to say. Raises `WrongFiles` before anything is done, and `TryLater` when another
    instance is at it; whatever else goes wrong outside is part of the outcome.
    """
    progress = progress or Silent()
    book, notes = read_rules(desk, keep_last_right=wishes.keep_last_right)
    desk.name_check(wishes.sources)
    mind_the_clock(desk, wishes.allow.get("clock", -1))
    try:
        with runs.lease(desk.store) as lost:
            number = runs.begin(desk.store, desk.clock.today(), trigger, desk.clock.read())
            if not notes:  # none of them is a version from before
                runs.remember_rules(desk.store, {**desk.rule_files, **desk.template_files}, desk.clock.read())
            work = Work(desk, wishes, number, desk.clock.now(), book, notes)
            with _told_if_it_falls(work), loaded_for_good():
                _steps(work, progress, lambda: stop() or lost.is_set())
                return summarise(work)
    except runs.Busy as busy:
        since = busy.since.astimezone(desk.config.zone).strftime("%H:%M") if busy.since else ""
        raise TryLater("run-busy-since" if since else "run-busy", since=since) from None


@contextmanager
def _told_if_it_falls(work: Work) -> Iterator[None]:
    """What ends a run in its midst stands in the table of runs, so that the page does not call it under way."""
    try:
        yield
    except Exception as error:
        known = error if isinstance(error, Trouble) else None
        facts = known.facts if known else {"what": type(error).__name__, "where": where(error)}
        said = work.desk.say(known.code if known else "unexpected", **facts)
        with suppress(SQLAlchemyError):
            runs.finish(work.desk.store, work.number, "stopped", {"lines": [said]}, work.desk.clock.read())
        raise


def _steps(work: Work, progress: Any, stop: Callable[[], bool]) -> None:
    """The way of the data."""
    sheet = work.desk.config.open_sheet(work.desk.clock)
    steps: dict[str, Callable[[], None]] = {
        "look": lambda: take_looks(work, sheet),
        "pull": lambda: pull(work, progress, stop),
        "people": lambda: work_out_people(work),
        "rules": lambda: apply_rules(work),
        "sheet": lambda: write_sheet(work, sheet),
        "mail": lambda: send_mail(work, stop),
        "deeds": lambda: do_deeds(work, stop),
        "tabs": lambda: write_tabs(work, sheet),
        "staff": lambda: tell_team(work),
    }
    try:
        for name, step in steps.items():
            if stop():
                work.stopped = True
                return
            if RUNS_WITH.get(name, name) in work.wishes.steps or name == "look":
                with progress.step(name):
                    step()
                give_back()
    finally:
        work.calls["sheet"] = sheet.calls
        work.notes += [work.desk.say(code, **facts) for code, facts in getattr(sheet, "remarks", ())]
        sheet.close()


# --- the steps -------------------------------------------------------------------------------------------------------


def take_looks(work: Work, sheet: Sheet) -> None:
    """Read the sheet: the tab of people, then the ticks in the tabs beside it."""
    take_look(work, sheet)
    take_ticks(work, sheet)
    mind_older_copy(work)


def take_look(work: Work, sheet: Sheet) -> None:
    """Read the sheet before anything else: what the team changed stands against everything that is pulled."""
    try:
        work.look = look(
            work.desk.store, sheet, work.tab, work.number, work.now,
            allow=work.wishes.allow, fresh=bool(set_columns(work.book)),
        )  # fmt: skip
    except Trouble as trouble:
        work.sheet_trouble = trouble
    else:
        settle_blanks(work.desk.store, work.look, work.now)
        _take_in(work, work.look)


def _take_in(work: Work, seen: Look) -> bool:
    """The team's corrections and the rows they typed become known to people. Whether there were any."""
    erased = waiting_rows(work.desk.store, seen.tab.name)
    edits = [edit for edit in seen.edits if not edit.field.startswith(SET) and edit.key not in erased]
    if not (edits or seen.strangers):
        return False
    country = work.desk.config.organisation.country
    work.codes |= take_in(work.desk.store, edits, seen.strangers, work.number, work.now, country, lambda: work.frame)
    work.forget_frame()
    return True


def pull(work: Work, progress: Any, stop: Callable[[], bool]) -> None:
    """Ask every source for what is new, and the mailbox for what came back of our e-mails."""
    sources = work.desk.sources(work.wishes.sources)
    gone = work.wishes.allow.get("gone", 0)
    try:
        work.pulled = pull_all(
            work.desk.store, sources, work.number, work.desk.clock.read(), stop,
            lambda n: progress.count("pull", n), allow_gone=gone,
        )  # fmt: skip
    finally:
        let_go(work.desk.store, work.desk.clock.read(), RAW_KEPT_DAYS)
        look_over(work.desk.store, sum(one.result.new + one.result.changed for one in work.pulled.values()))
        for name, source in sources.items():
            work.calls[name] = Calls(read=int(getattr(source, "calls", 0)))
            source.close()
    if not work.wishes.sources and (mailbox := work.desk.config.open_mailbox(work.desk.clock)):
        work.came = read_mailbox(work.desk, mailbox, stop)


def work_out_people(work: Work) -> None:
    """Who is who, and their profiles: only for those whom something changed for."""
    config, store = work.desk.config, work.desk.store
    who = config.organisation
    resolved = resolve(store, work.number, work.now, who.country)
    note_doubts(store, work.number, work.now)
    work.people = Resolved(
        work.people.new + resolved.new,
        work.people.merged + resolved.merged,
        work.people.moved + resolved.moved,
        resolved.total,
    )
    basis = f"{who.timezone} {who.money} {' '.join(config.sources)}"
    changed = runs.recall(store, "profile-basis") != basis
    refresh(store, work.now, who.timezone, who.money, everything=changed, priority=list(config.sources))
    if changed:
        runs.remember(store, "profile-basis", basis)
    asked = not work.book.fields.union(config.columns.values()).isdisjoint(SCORES)
    refresh_scores(store, work.now, who.timezone, who.money, wanted=asked)
    work.forget_frame()


def apply_rules(work: Work) -> None:
    """Judge everybody by every rule, and write down what follows: flags, tasks, e-mails; each once."""
    store, today = work.desk.store, work.desk.clock.today()
    people = with_team(work.desk, work.frame, work.look, work.codes)
    headers = [name.removeprefix(SHEET) for name in people.columns if name.startswith(SHEET)]
    work.knowledge = know(work.desk, work.book, work.desk.clock.read(), headers)
    people = with_windows(work.desk, people, work.book, work.now)
    people = with_ends(work.desk, people, work.book.fields, work.look, work.codes)
    work.verdicts = evaluate(work.book, people, today, work.knowledge.unknown)
    frame = work.verdicts.frame.join(people.select("key", "person_id"), on="key", how="left")
    backfill(work.desk, work.book)
    world = work.world = World(
        work.book,
        people,
        work.knowledge.unknown,
        work.knowledge.stale_rules,
        work.desk.config.zone,
        work.desk.config.organisation.money,
    )
    with store.begin() as connection:
        standings.absorb(connection, store.org, merged_with_a_past(connection, store.org))
        work.decisions = decide(
            connection, store.org, work.book, frame, work.number, work.now, today,
            stale_rules=work.knowledge.stale_rules, people_count=len(people), walk=lambda turn: walk(turn, world),
            templates=work.desk.templates[0], apart=work.desk.config.limits.apart,
        )  # fmt: skip
        drop_what_went(work, connection)
        work.notes += [work.desk.say("run-reworded", rule=name) for name in work.decisions.reworded]
        work.notes += had_lately(work)
        if alone := work.decisions.reworded_alone:
            work.notes.append(work.desk.say("run-reworded-alone", n=alone))
        work.segments = segments.follow(connection, store.org, work.book, frame, work.number, work.now)
        sizes = {one.name: one.inside for one in work.segments.values()}
        runs.note_segments(connection, store.org, sizes, today)
    work.frame = with_our_marks(work.desk, work.frame)  # reading everybody again would take the longest of all steps


def wanted(work: Work) -> Wanted:
    """What the sheet should say, as things stand."""
    assert work.look is not None
    people = with_ends(work.desk, work.frame, work.look.tab.fields, work.look, work.codes)
    return with_blanks(work.desk.store, work.look, wanted_rows(work.desk, work.look, work.codes, people))


def write_sheet(work: Work, sheet: Sheet) -> None:
    """Bring the sheet to what both sides want."""
    if work.look is None:
        return

    def again(seen: Look) -> Wanted:
        """Somebody saved meanwhile, or rows were given keys: what the team did comes first."""
        work.look = seen
        if _take_in(work, seen):
            work_out_people(work)
        return wanted(work)

    try:
        work.applied = finish(
            work.desk.store, sheet, work.look, wanted(work), work.number, work.now, again=again, allow=work.wishes.allow
        )
        hush(work.desk.store, work.tab.name)
        if not work.applied.closed:
            settle_cells(work.desk, work.number, work.frame, work.applied.look.paused)
    except Trouble as trouble:
        work.sheet_trouble = trouble


def send_mail(work: Work, stop: Callable[[], bool]) -> None:
    """Send what is approved, due and lawful. Without a look at the sheet, or behind a closed gate, nothing goes: a row
    that we may not take in may say whom not to write to.
    """
    if work.look is None or work.closed:
        return
    mailer = work.desk.config.open_mailer(work.desk.clock)
    contacts = Contacts(work.desk, work.frame, keep_out(work.desk, work.look, work.codes))
    try:
        work.sent = send_due(
            work.desk.store, mailer, work.number, work.desk.clock.now,
            people=contacts, templates=work.desk.templates[0], house=letterhead(work.desk), stop=stop,
            limits=work.desk.config.limits, order=list(work.book.names), news=work.older is None, twice=work.twice,
        )  # fmt: skip
        work.stopped = work.sent.stopped
        note_sent(work.desk)
        runs.note_mail_again(work.desk.store, work.sent.again)
    except Trouble as trouble:
        work.mail_trouble = trouble
    finally:
        mailer.close()
