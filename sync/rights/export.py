"""`filrouge person export`: everything known about one person, as JSON and as a page to read or print.

The right of access (GDPR art. 15 and 20; Québec's Law 25, s. 27): what, where from, what was done with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from connectors.trouble import FixFile, Trouble
from rules.words import vocabulary
from sync import right_to_write
from sync.desk import Desk
from sync.followup import segments, standings
from sync.messages import why_not
from sync.outcome import Outcome
from sync.people.story import Sighting, Story, story
from sync.person import did_line, place_name, told_when, value_words
from sync.rows import called, everybody
from sync.sheet.columns import plain

NOT_SAID = frozenset({"kind", "id", "seen"})
NOTHING = (None, "", "[]", 0, "0")


@dataclass(frozen=True)
class _Section:
    """A part of the page: rows under headings."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def export_person(desk: Desk, who: str, folder: Path | None) -> Outcome:
    """Write `<code>.json` and `<code>.html` into `folder` (here, if none is given), for nobody else to read.

    Raises `Ambiguous` and `FixFile` as `story`, `FixFile` where the folder can't be written in.
    """
    one = story(desk.store, who, list(desk.config.sources))
    with desk.store.look() as connection:
        past = standings.of_person(connection, desk.store.org, one.person_id)
        stays = segments.of_person(connection, desk.store.org, one.person_id)
    row = _row_in_the_sheet(desk, one)
    may = right_to_write.standing(desk, everybody(desk), one.code, None, None)
    facts = _facts(desk, one, past, stays, row) | right_to_write.facts(may)
    target = folder or Path()
    names = (target / f"{one.code}.json", target / f"{one.code}.html")
    page = _page(desk, one, past, row, list(right_to_write.lines(desk, may)))
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file, text in zip(names, (json.dumps(facts, ensure_ascii=False, indent=1), page), strict=True):
            file.touch(mode=0o600)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise FixFile("export-not-written", file=str(error.filename or target)) from None
    said = [desk.say("export-written", json=str(names[0]), page=str(names[1])), desk.say("export-care")]
    return Outcome(said, {"files": [str(name) for name in names], "person": facts})


def _row_in_the_sheet(desk: Desk, one: Story) -> dict[str, str] | None:
    """Header and text of each filled cell of their row, the team's own columns too. None: no row, or no sheet now."""
    sheet = desk.config.open_sheet(desk.clock)
    try:
        table = sheet.read(desk.config.tab.tab)
    except Trouble as trouble:
        raise FixFile("export-no-sheet", why=desk.say(trouble.code, **trouble.facts)) from None
    finally:
        sheet.close()
    for row in table.rows if table else ():
        if row.key in {one.code, *one.once}:
            cells = zip(table.columns if table else (), row.cells, strict=True)
            return {column.header: text for column, cell in cells if (text := plain(cell))}
    return None


# --- JSON ------------------------------------------------------------------------------------------------------------


def _facts(
    desk: Desk, one: Story, past: Mapping[str, list[Any]], stays: Sequence[Any], row: Mapping[str, str] | None
) -> dict[str, Any]:
    return {
        "organisation": desk.config.organisation.name,
        "written": desk.clock.now().isoformat(),
        "code": one.code,
        "codes_before": list(one.once),
        "values": [
            {"field": v.field, "value": v.value, "source": v.source, "corrected": v.corrected, "as_of": _iso(v.seen)}
            for v in one.values
            if v.value not in NOTHING
        ],
        "as_named_by_sources": [
            {"source": seen.source, "entry": seen.object, "as_of": _iso(seen.seen), "said": _said(seen)}
            for seen in one.sightings
        ],
        "did": [
            {"source": did.source, "at": _iso(did.at), "event_name": did.event}
            | {name: value for name, value in did.fact._asdict().items() if value is not None}
            for did in one.did
        ],
        "row_in_the_sheet": row,
        "rules": [_plain_row(entry, ("rule", "inside", "since", "left_at")) for entry in past["standing"]],
        "segments": [_plain_row(stay, ("segment", "name", "since", "until")) for stay in stays],
        "flags": [_plain_row(entry, ("rule", "name", "since", "until")) for entry in past["flag"]],
        "tasks": [_plain_row(entry, ("rule", "text", "assignee", "due", "state", "made")) for entry in past["task"]],
        "e-mails": [
            _plain_row(entry, ("rule", "template", "subject", "purpose", "basis", "state", "reason", "settled_at"))
            for entry in past["outbox"]
        ],
        "deeds": [
            _plain_row(entry, ("kind", "rule", "what", "state", "reason", "answer", "made", "settled_at"))
            for entry in past["deed"]
        ],
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _plain_row(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in found.items()}


def _said(seen: Sighting) -> dict[str, Any] | None:
    if seen.given is None:
        return None
    given: dict[str, Any] = msgspec.to_builtins(seen.given)
    return {name: value for name, value in given.items() if value not in (None, "") and name not in NOT_SAID}


def _word(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


# --- the page --------------------------------------------------------------------------------------------------------


def _page(
    desk: Desk, one: Story, past: Mapping[str, list[Any]], row: Mapping[str, str] | None, may: Sequence[str]
) -> str:
    template = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(
        files("sync.rights").joinpath("export.html.j2").read_text("utf-8")
    )
    values = {value.field: value.value for value in one.values}
    who = desk.config.organisation
    return template.render(
        language=desk.language,
        title=called(values) or one.code,
        organisation=who.name,
        address=who.address,
        intro=desk.say("export-intro", organisation=who.name, day=told_when(desk, desk.clock.now())),
        rights=desk.say("export-rights", organisation=who.name, address=who.address),
        sections=[part for part in _sections(desk, one, past, row, may) if part.rows],
    )


def _sections(
    desk: Desk, one: Story, past: Mapping[str, list[Any]], row: Mapping[str, str] | None, may: Sequence[str]
) -> Iterator[_Section]:
    words = vocabulary(desk.language)

    def heads(*codes: str) -> tuple[str, ...]:
        return tuple(desk.say(f"export-head-{code}") for code in codes)

    yield _Section(
        desk.say("export-known"),
        heads("what", "value", "from"),
        [
            (
                words.shown("fields", v.field).capitalize(),
                value_words(desk, v),
                place_name(desk, v.source) if v.source else "",
            )
            for v in one.values
            if v.value not in NOTHING
        ],
    )
    yield _Section(
        desk.say("export-sources"),
        heads("from", "when", "value"),
        [
            (
                place_name(desk, s.source),
                told_when(desk, s.seen),
                " · ".join(_word(value) for value in (_said(s) or {}).values()),
            )
            for s in one.sightings
        ],
    )
    yield _Section(desk.say("export-did"), heads("what"), [(did_line(desk, did).strip(),) for did in one.did])
    cells = list((row or {}).items())
    yield _Section(desk.say("export-row", tab=desk.config.tab.tab), heads("what", "value"), cells)
    yield _Section(desk.say("person-right"), heads("what"), [(line,) for line in may])
    yield _Section(
        desk.say("export-rules"),
        heads("what", "since", "until"),
        [(entry.rule, told_when(desk, entry.since), told_when(desk, entry.left_at)) for entry in past["standing"]],
    )
    yield _Section(
        desk.say("export-mails"),
        heads("when", "what", "state"),
        [
            (
                told_when(desk, entry.settled_at or entry.not_before),
                entry.subject or entry.template,
                desk.say(f"mail-{entry.state}")
                + (f" ({why_not(desk.language, entry.reason)})" if entry.reason else ""),
            )
            for entry in past["outbox"]
        ],
    )
