"""From a run to its page: what is shown, in the organisation's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from babel.numbers import format_decimal

from connectors.sheets.sheet import Formula
from sync import runs
from sync.aside import all_aside
from sync.contacts import Contacts, keep_out
from sync.dates import format_date
from sync.followup import standings
from sync.people.doubts import doubts
from sync.people.facts import newest
from sync.report.page import Report, RuleLine, SourceLine
from sync.rows import called, filled, reached
from sync.sheet import journal
from sync.store.rows import ask
from sync.summary import moves_since
from sync.underway import counts
from sync.waiting import shown_waiting

if TYPE_CHECKING:
    from sync.work import Work

MONTHS = 24
MOST_LINES = 200
MOST_MOVES = 30
DAYS = 30
SHOWN = ("edit", "conflict", "put-back", "stands", "formula", "hidden", "cut")


def gather(work: Work, facts: dict[str, Any]) -> Report:
    """Everything the page shows of this run."""
    desk, say = work.desk, work.desk.say
    people, cells, mail = facts["people"], facts["cells"], facts["mail"]
    waiting = mail["waiting"] + mail["tasks_waiting"] + mail["others_waiting"]
    tiles = [
        (say("tile-people", n=people["total"]), people["total"]),
        (say("tile-new", n=people["new"]), people["new"]),
        (say("tile-cells", n=cells["written"]), cells["written"]),
        (say("tile-waiting", n=waiting), waiting),
        (say("tile-sent", n=mail["sent"]), mail["sent"]),
    ]
    return Report(
        desk.config.organisation.name,
        desk.config.language,
        work.number,
        work.now.astimezone(desk.config.zone),
        facts["state"],
        [line for line in _headline(facts["lines"]) if line],
        tiles,
        sources=[_source(name, one, say) for name, one in facts["sources"].items()],
        rules=[_rule(work, rule, facts["rules"][rule.id]) for rule in work.book.rules if rule.id in facts["rules"]],
        journeys=_journeys(work),
        waiting=shown_waiting(
            desk, work.book, work.waiting, Contacts(desk, work.frame, keep_out(desk, work.look, work.codes))
        ),
        tasks=tasks(work),
        unsure=unsure(work),
        held=mail["held"],
        notes=[*facts["gates"], *facts["notes"]],
        set_aside=_set_aside(work),
        journal=list(_journal(work)),
        visitors=visitors(work),
        segments=runs.segment_history(desk.store),
        moves=_moves(work),
        sheet=desk.config.open_sheet(desk.clock).address(),
    )


def _headline(lines: Sequence[str]) -> Iterable[str]:
    return (line for line in lines if not line.startswith("  "))


def _source(name: str, one: dict[str, Any], say: Any) -> SourceLine:
    sentence = one["error"] or (say("run-stopped") if one["state"] == "stopped" else "")
    state = "done" if one["state"] == "done" else "partial"
    return SourceLine(name, state, one["pulled"], one["changed"], one["set_aside"], sentence)


def _rule(work: Work, rule: Any, moved: dict[str, int]) -> RuleLine:
    say = work.desk.say
    source = work.knowledge.stale_rules.get(rule.id) if work.knowledge else None
    sentence = (
        say("rule-waits", source=source)
        if source
        else say("rule-unknown", n=moved["unknown"])
        if moved["unknown"]
        else ""
    )
    return RuleLine(rule.name, moved["inside"], moved["entered"], moved["left"], sentence)


def _journeys(work: Work) -> list[tuple[str, str]]:
    """Each journey, and what this run did for it or which source it waits for."""
    stale = work.knowledge.stale_rules if work.knowledge else {}
    walked = work.decisions.journeys if work.decisions else {}
    told = {one: counts(work.desk, did) or work.desk.say("report-journey-quiet") for one, did in walked.items()}
    told |= {one: work.desk.say("rule-waits", source=stale[one]) for one in walked if one in stale}
    return [(work.book.names[one], sentence) for one, sentence in told.items()]


def _moves(work: Work) -> list[tuple[str, str, int, int]]:
    """From which segment to which ("": none), how many in this run, and in the last 30 days."""
    now = {(one.was, one.now): one.people for one in moves_since(work, work.now)}
    month = moves_since(work, work.now - timedelta(days=DAYS))[:MOST_MOVES]
    return [(one.was or "", one.now or "", now.get((one.was, one.now), 0), one.people) for one in month]


def tasks(work: Work) -> list[tuple[str, str, str, str]]:
    """What people of the team are to do: about whom, what, who, until when."""
    desk = work.desk
    with desk.store.look() as connection:
        rows = standings.open_tasks(connection, desk.store.org)
    facts = {row["person_id"]: row for row in work.frame.iter_rows(named=True)} if rows else {}
    return [
        (
            reached(facts[row.person_id]),
            filled(desk, row.text, facts[row.person_id]),
            row.assignee or "",
            _day(row.due, desk.config.language),
        )
        for row in rows[:MOST_LINES]
        if row.person_id in facts
    ]


def unsure(work: Work) -> list[tuple[str, str, str]]:
    """Pairs of people who may be one: how each is called and reached, and why."""
    found = doubts(work.desk.store)[:MOST_LINES]
    wanted = {person for one in found for person in (one.one, one.other)}
    some = work.frame.filter(pl.col("person_id").is_in(sorted(wanted))) if wanted else work.frame.clear()
    who = {row["person_id"]: _by_address(row) for row in some.iter_rows(named=True)}
    return [
        (who[one.one], who[one.other], work.desk.say(one.reason))
        for one in found
        if one.one in who and one.other in who
    ]


def _by_address(person: dict[str, Any]) -> str:
    parts = (called(person) or str(person["key"]), person["email"] or person["phone"], person["city"])
    return " · ".join(part for part in parts if part)


def _day(day: date | None, language: str) -> str:
    return format_date(day, "long", locale=language) if day else ""


def _set_aside(work: Work) -> list[tuple[str, str]]:
    found = all_aside(work.desk.store, MOST_LINES, each_line=True)
    return [(one.place, work.desk.say(one.code, **one.facts)) for one in found]


def _journal(work: Work) -> Iterable[tuple[str, str, str, str, str]]:
    """The team's own edits and what became of them; the cells that simply follow the sources are counted, not listed."""
    lines = [line for line in journal.of_run(work.desk.store, work.number) if line.kind in SHOWN][:MOST_LINES]
    names = work.names({line.key for line in lines if line.key})
    headers = {mapped.field: mapped.header for mapped in work.tab.columns}
    for line in lines:
        why = work.desk.say(f"journal-{line.kind}")
        language = work.desk.language
        who = names.get(line.key or "", "") or line.key or ""
        yield (
            who,
            headers.get(line.field or "", line.field or ""),
            shown(line.was, language),
            shown(line.value, language),
            why,
        )


def shown(cell: Any, language: str) -> str:
    """A cell as a person reads it."""
    if isinstance(cell, Formula):
        return cell.text
    if isinstance(cell, datetime | date):
        return format_date(cell, "medium", locale=language)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return str(format_decimal(cell, locale=language))
    return "" if cell is None else str(cell)


def visitors(work: Work) -> list[tuple[str, int, int]]:
    """By month of the last two years: how many people came for the first time, and how many came back.

    Counted anew only on another day or when something was pulled or joined since.
    """
    store, language = work.desk.store, work.desk.config.language
    with store.look() as connection:
        basis = [work.desk.clock.today().isoformat(), str(work.desk.config.zone), *newest(connection, store.org)]
    known = msgspec.json.decode(runs.recall(store, "visitors") or "{}")
    if known.get("basis") != basis:
        known = {"basis": basis, "months": _count_visitors(work)}
        runs.remember(store, "visitors", msgspec.json.encode(known).decode())
    return [
        (format_date(date.fromisoformat(f"{month}-01"), "MMM yy", locale=language), first, back)
        for month, first, back in known["months"]
    ]


def _count_visitors(work: Work) -> list[tuple[str, int, int]]:
    """The months as `2026-03`, with first and repeated visitors."""
    store = work.desk.store
    at = "coalesce(e.starts, f.at)"
    sql = (
        f"SELECT DISTINCT {at}, s.person FROM fact AS f"  # noqa: S608  words of our own
        " JOIN sighting AS s ON s.org = f.org AND s.no = f.sighting AND s.person IS NOT NULL"
        " LEFT JOIN event AS e ON e.org = f.org AND e.source = f.source AND e.id = f.event"
        f" WHERE f.org = ? AND f.kind = 'visit' AND f.status = 'booked' AND {at} <= ?"
    )
    with store.look() as connection:
        rows = ask(connection, sql, store.org, int(work.now.timestamp() * 1_000_000))
    came = pl.DataFrame(list(zip(*rows, strict=True)) or None, schema={"at": pl.Int64, "person": pl.Int64})
    local = pl.from_epoch("at", "us").dt.convert_time_zone(str(work.desk.config.zone))
    months_of = came.select("person", month=local.dt.strftime("%Y-%m")).unique()
    new = pl.col("month") == pl.col("month").min().over("person")
    told = months_of.with_columns(new=new).group_by("month").agg(pl.col("new").sum(), back=(~pl.col("new")).sum())
    return list(told.sort("month").tail(MONTHS).iter_rows())
