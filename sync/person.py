"""`filrouge person show`: everything known about one person, where it comes from, and whether they may be written to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency, format_decimal

from connectors.trouble import Trouble
from rules.fields import FIELDS
from rules.words import vocabulary
from sync import right_to_write
from sync.beginning import read_rules
from sync.dates import format_date, format_datetime
from sync.desk import Desk
from sync.followup import segments, standings
from sync.followup.segments import Stay
from sync.messages import sentences, why_not
from sync.outcome import Outcome
from sync.people.story import Ambiguous, Did, Story, Value, story
from sync.right_to_write import Standing
from sync.rows import called, everybody, set_columns
from sync.sheet.look import Look, look
from sync.stays import stay_facts, stay_line
from sync.tabs import people_tab

MOST = 50


def told_when(desk: Desk, moment: Any) -> str:
    """A moment by the clock of the house, as the reader writes it; "" for none."""
    if not moment:
        return ""
    local = moment.astimezone(desk.config.zone)
    pattern = "d MMM y" if (local.hour, local.minute) == (0, 0) else "d MMM y HH:mm"  # a day without its hour
    return format_datetime(local, pattern, locale=desk.language)


def show_person(desk: Desk, who: str) -> Outcome:
    """Everything known about one person, and where from."""
    try:
        one = story(desk.store, who, list(desk.config.sources))
    except Ambiguous as several:
        some = several.some(lambda code: desk.command("person", "show", code))
        lines = [desk.say(several.code, **{**several.facts, "some": some})]
        found = [{"code": person.code, "name": person.name, "email": person.email} for person in several.candidates]
        return Outcome(lines, {"candidates": found}, 2)
    with desk.store.look() as connection:
        past = standings.of_person(connection, desk.store.org, one.person_id)
        stays = segments.of_person(connection, desk.store.org, one.person_id)
    may = right_to_write.standing(desk, everybody(desk), one.code, *_sheet(desk))
    facts = _person_facts(one, past) | stay_facts(stays) | right_to_write.facts(may)
    return Outcome(list(_person_lines(desk, one, past, stays, may)), facts)


def _sheet(desk: Desk) -> tuple[Look | None, Trouble | None]:
    """The sheet as it is, or why it can't be read: what the team noted counts, and who asks is told when it is missing."""
    try:
        book, _ = read_rules(desk, keep_last_right=True)
        with closing(desk.config.open_sheet(desk.clock)) as sheet:
            tab = people_tab(desk.config, set_columns(book), desk.store)
            return look(desk.store, sheet, tab, 0, desk.clock.now(), fresh=True), None
    except Trouble as trouble:
        return None, trouble


def _person_lines(
    desk: Desk, one: Story, past: dict[str, list[Any]], stays: Sequence[Stay], may: Standing
) -> Iterator[str]:
    words = vocabulary(desk.language)
    values = {value.field: value for value in one.values}
    name = called({field: value.value for field, value in values.items()})
    yield f"{name or '–'}   {one.code}"
    if one.once:
        yield desk.say("person-once", codes=", ".join(one.once))
    for value in one.values:
        if value.value not in (None, "", "[]", 0, "0"):
            label = words.shown("fields", value.field).capitalize()
            yield f"  {label} : {value_words(desk, value)}{_origin(desk, value)}"
    worn = [row.name for row in past["flag"] if row.until is None]
    if worn:
        yield f"  {words.shown('fields', 'flags').capitalize()} : {', '.join(worn)}"
    yield from _section(desk, "person-right", list(right_to_write.lines(desk, may)))
    yield from _section(desk, "person-segments", [stay_line(desk, stay) for stay in stays])
    did = Counter(did_line(desk, did) for did in one.did)  # four tickets for one evening are one line
    yield from _section(desk, "person-did", [f"{line}  × {n}" if n > 1 else line for line, n in did.items()])
    yield from _section(desk, "person-mails", [_mail_line(desk, row) for row in past["outbox"]])
    yield from _section(desk, "person-sightings", [_sighting_line(desk, seen) for seen in one.sightings])
    moves = [desk.say("person-move", source=m.source, old=m.came_from, new=m.went_to, run=m.run) for m in one.moves]
    yield from _section(desk, "person-moves", moves)


def _section(desk: Desk, code: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield desk.say(code)
        yield from (f"  {line}" for line in lines[:MOST])
        if len(lines) > MOST:
            yield desk.say("person-more", n=len(lines) - MOST)


def value_words(desk: Desk, value: Value) -> str:
    """What is known of a field, as it is shown."""
    kind, shown = FIELDS[value.field].type, value.value
    if kind == "date":
        return format_date(date.fromisoformat(str(shown)), "long", locale=desk.language)
    if kind == "money" and isinstance(shown, int):
        return str(format_currency(Decimal(shown) / 100, desk.config.organisation.money, locale=desk.language))
    if kind == "choice":
        return vocabulary(desk.language).shown("choices", str(shown))
    if kind == "tags":
        return ", ".join(json.loads(str(shown)))
    return str(format_decimal(shown, locale=desk.language)) if isinstance(shown, int | float) else str(shown)


def _origin(desk: Desk, value: Value) -> str:
    if value.corrected:
        return "   " + desk.say("person-corrected", run=value.run, when=told_when(desk, value.seen))
    return "   " + desk.say("person-from", source=place_name(desk, value.source)) if value.source else ""


def did_line(desk: Desk, did: Did) -> str:
    """One thing that somebody did, in a line."""
    fact = did.fact
    money = ""
    if fact.cents is not None:
        money = " · " + str(format_currency(Decimal(fact.cents) / 100, fact.currency or "EUR", locale=desk.language))
    what = did.event or fact.label or ""
    known = f"did-status-{fact.status}"
    status = f" [{desk.say(known) if known in sentences(desk.language) else fact.status}]" if fact.status else ""
    told = " ".join(part for part in (desk.say(f"did-{fact.kind}"), what) if part)
    return f"{told_when(desk, did.at) or '–':<18} {told}{money}{status} ({place_name(desk, did.source)})"


def place_name(desk: Desk, source: str) -> str:
    """A source as it is shown; the sheet has none of its own."""
    return desk.say("person-sheet") if source == "sheet" else source


def _mail_line(desk: Desk, row: Any) -> str:
    reason = f" ({why_not(desk.language, row.reason)})" if row.reason else ""
    return f"{told_when(desk, row.settled_at or row.not_before):<18} {row.template} · {desk.say(f'mail-{row.state}')}{reason}"


def _sighting_line(desk: Desk, seen: Any) -> str:
    given = seen.given
    if given is None:
        return f"{place_name(desk, seen.source)} · {desk.say('person-withdrawn')}  [{seen.object}]"
    name = given.name or called({"first_name": given.first_name, "last_name": given.last_name})
    parts = [part for part in (name, given.email, given.phone, given.postcode, given.city) if part]
    return f"{place_name(desk, seen.source)} · {' · '.join(parts)}  [{seen.object}]"


def _person_facts(one: Story, past: dict[str, list[Any]]) -> dict[str, Any]:
    return {
        "code": one.code,
        "once": list(one.once),
        "values": {
            value.field: {
                "value": value.value, "source": value.source, "corrected": value.corrected,
                "seen": value.seen.isoformat() if value.seen else None,
            }
            for value in one.values
        },
        "did": [
            {"kind": did.fact.kind, "at": did.at.isoformat() if did.at else None, "event": did.event,
             "status": did.fact.status, "cents": did.fact.cents, "currency": did.fact.currency, "source": did.source}
            for did in one.did
        ],
        "sightings": [{"source": seen.source, "object": seen.object} for seen in one.sightings],
        "flags": [row.name for row in past["flag"] if row.until is None],
        "mails": [{"id": row.id, "template": row.template, "state": row.state, "reason": row.reason} for row in past["outbox"]],
    }  # fmt: skip
