"""`filrouge check`: config, rules and templates, every mistake at once; online also accounts and the sheet."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.mail.domain import SystemDns
from connectors.sources.files import Files
from connectors.trouble import FixFile, Trouble
from rules import reader
from rules.conditions import Book, Email
from rules.encoding import lines_of
from rules.lines import ONE_MEND
from rules.mistakes import Mistake
from sync.clock import Clock
from sync.coming import coming_visits
from sync.config import Config
from sync.configfile import Reading, read_config
from sync.day_words import day_words
from sync.desk import ADDED, Desk, beside_templates, files_in, files_seen, show_mistakes
from sync.domain import look_at_domains
from sync.editing import refresh_help
from sync.followup.pictures import ENDINGS
from sync.followup.templatefiles import action_mistakes, read_templates
from sync.late_hours import late_hours
from sync.merge_signs import merge_signs
from sync.messages import LANGUAGES, say
from sync.near_emails import near_emails
from sync.outcome import Outcome
from sync.past_days import past_days
from sync.people.facts import donors
from sync.perhaps_service import perhaps_service
from sync.schedule import Timetable
from sync.templatecheck import advise, goes_on, holes, links, made_service, misplaced
from sync.understood import understood
from sync.unheard import unheard
from sync.unsubscribing import try_page

DONE, PARTIAL, WRONG = 0, 1, 2
MARKS = {"ok": "✓", "failed": "✗", "wrong": "!", "unknown": "?"}


def check(
    file: Path, language: str | None, *, online: bool, sources: bool = False, today: date | None = None
) -> Outcome:
    """Look over everything that was written by hand. Exit 2 with mistakes, 1 when only an account failed. `sources`: with
    every column of the exports. `today`: as if it were this day.
    """
    if not file.exists():
        raise FixFile("config-not-found", file=str(file))
    reading = read_config(file)
    said = language or reading.language
    mistakes, lines = list(reading.mistakes), {file.name: reading.lines}
    remarks: list[str] = []
    advice: list[Mistake] = []
    accounts: dict[str, dict[str, str]] = {}
    if reading.config:
        desk = Desk(reading.config, Clock(reading.config.zone, today), said)
        headers = headers_now(desk, accounts, online=online)
        refresh_help(desk, headers)
        rules = desk.read_rules(headers)
        mistakes += [*desk.mistakes(rules), *misplaced(desk, rules.book)]
        lines |= desk.lines()
        remarks = [
            *understood(desk, columns=sources),
            *_unfilled(desk),
            *_not_read(desk),
            *_rules_read(desk, rules.book),
        ]
        if not mistakes:
            advice = sorted(
                [
                    *advise(desk),
                    *rules.advice,
                    *coming_visits(rules.book, desk.clock.today(), desk.language_at),
                    *past_days(rules.book, desk.clock.today(), desk.language_at),
                    *near_emails(rules.book, desk.language_at, lambda email: _is_news(desk, email)),
                    *_merged(desk, rules.book),
                    *made_service(desk, rules.book),
                    *day_words(desk, rules.book),
                    *late_hours(desk, rules.book),
                    *_of_the_store(desk, rules.book, remarks),
                ],
                key=lambda one: one.place,
            )
        if online:
            _try_accounts(desk, accounts)
        desk.close()
    else:
        found, seen = _without_config(file.parent, reading)
        mistakes, lines = [*mistakes, *found], lines | seen
    return _outcome(said, (mistakes, advice), lines, remarks, accounts, reading.config)


def _without_config(home: Path, config: Reading) -> tuple[list[Mistake], dict[str, list[str]]]:
    """What is wrong in rules and e-mails, though the config can't be used: all but what only it could tell."""
    emails = config.rules_folder / "templates"
    files = files_seen(home, config.rules_folder, ".yaml", ".yml")
    written = files_seen(home, emails, ".md")
    lines = {name: lines_of(data) for name, data in (files | written).items()}
    templates, wrong = read_templates(written, files_in(emails, *ENDINGS) if emails.is_dir() else {})
    rules = reader.read(files, templates=templates.names, language=config.language)
    told = sorted([*rules.mistakes, *action_mistakes(rules.written, lines)], key=lambda mistake: mistake.place)
    return beside_templates(told, wrong), lines


def _merged(desk: Desk, book: Book) -> list[Mistake]:
    lines = desk.lines()
    return merge_signs(book, {name: lines[name] for name in desk.template_files}, lines)


def _of_the_store(desk: Desk, book: Book, remarks: list[str]) -> list[Mistake]:
    """What only those whom the store knows show."""
    try:
        remarks += _charity(desk)
        return [*holes(desk, book), *unheard(desk, book), *perhaps_service(desk, book)]
    except Trouble as trouble:
        remarks.append(desk.say(trouble.code, **trouble.facts))
        return []


def _is_news(desk: Desk, email: Email) -> bool:
    return (email.purpose or desk.templates[0].kind(email.template)[0]) == "marketing"


def _charity(desk: Desk) -> list[str]:
    """Who gave, where a gift may or may not be a right to write: only the organisation itself knows what it is."""
    who = desk.config.organisation
    if who.country != "CA" or who.charity is not None or not desk.has_store:
        return []
    with desk.store.look() as connection:
        n = donors(connection, desk.store.org)
    return [desk.say("check-charity", n=n)] if n else []


def headers_now(desk: Desk, accounts: dict[str, dict[str, str]], *, online: bool) -> list[str] | None:
    """The sheet's headers, so that rules can be held against them. None where they can't be had now."""
    local = desk.config.outline.sheet["type"] == "excel"
    if not (online or local):
        return None
    sheet = desk.config.open_sheet(desk.clock)
    try:
        table = sheet.read(desk.config.tab.tab)
        if hasattr(sheet, "month"):  # the tabs beside it cost calls too
            for tab in desk.config.tab.beside.values():
                sheet.read(tab)
    except Trouble as trouble:
        accounts["sheet"] = {"state": "failed", "message": desk.say(trouble.code, **trouble.facts)}
        return None
    finally:
        sheet.close()
    accounts["sheet"] = {"state": "ok", "message": desk.say("check-sheet-ok", sheet=sheet.address())}
    if table is None:
        accounts["sheet"]["message"] = desk.say("check-sheet-new", sheet=sheet.address(), tab=desk.config.tab.tab)
        return list(desk.config.columns)
    month = getattr(sheet, "month", None)
    if month:
        code, facts = month(_runs_a_month(desk.config.timetable, desk.clock.now()))
        accounts["sheet"]["message"] += f" {desk.say(code, **facts)}"
    for code, facts in getattr(sheet, "remarks", ()):
        accounts["sheet"]["message"] += f" {desk.say(code, **facts)}"
    return [column.header for column in table.columns]


def _runs_a_month(timetable: Timetable, now: datetime) -> float:
    """By the coming four weeks, or by the next 300 runs if they are nearer."""
    runs, moment, end = 0, now, now + timedelta(days=28)
    while runs < 300 and (following := timetable.next_after(moment)) and following < end:
        runs, moment = runs + 1, following
    span = (moment if runs == 300 else end) - now
    return runs * (timedelta(days=365.25 / 12) / span)


def _unfilled(desk: Desk) -> list[str]:
    """What `init` wrote for the team to replace, and that nobody replaced yet."""
    left = {say(language, "init-address") for language in LANGUAGES}
    found = {
        "address": desk.config.organisation.address in left,
        "from": "bonjour@example.org" in str(desk.config.outline.mail)
        or "hello@example.org" in str(desk.config.outline.mail),
    }
    return [desk.say("check-unfilled", key=key) for key, still in found.items() if still]


def _not_read(desk: Desk) -> list[str]:
    """Rules in folders below the folder of rules: an archive perhaps, or somebody believes that they are followed."""
    folder, found = desk.config.rules_folder, list[str]()
    for file in sorted(folder.rglob("*.y*ml")):
        inside = file.relative_to(folder)
        if len(inside.parts) > 1 and not any(part.startswith(".") for part in inside.parts):
            found.append((desk.as_seen(folder) / inside).as_posix())
    if not found:
        return []
    return [desk.say("check-not-read", files=", ".join(found[:5]) + ("…" if len(found) > 5 else ""), n=len(found))]


def _rules_read(desk: Desk, book: Book) -> list[str]:
    """How much was found in which files, so that one that is missing is missed; and what in the folder was not taken."""
    found = [
        desk.say(f"check-rules-{kind}", n=len(there))
        for kind, there in (("rules", book.rules), ("journeys", book.journeys), ("segments", book.segments))
        if there
    ]
    empty = [name for name, data in desk.rule_files.items() if not data.strip()]
    folder = desk.config.rules_folder
    others = [file for file in sorted(folder.glob("*")) if file.suffix.lower() in ADDED and file.name[0] not in ".~"]
    left = [name for one in others if (name := (desk.as_seen(folder) / one.name).as_posix()) not in desk.rule_files]
    files = ", ".join(Path(name).name for name in desk.rule_files if name not in empty)
    said = [desk.say("check-rules", found=", ".join(found), files=files)] if found else []
    said += [desk.say("check-rules-empty", file=name) for name in empty]
    return said + [desk.say("check-rules-other", file=name) for name in left[:5]]


def _try_accounts(desk: Desk, accounts: dict[str, dict[str, str]]) -> None:
    for name, source in desk.sources().items():
        try:
            account = source.check()
        except Trouble as trouble:
            accounts[name] = {"state": "failed", "message": desk.say(trouble.code, **trouble.facts)}
        else:
            told = () if isinstance(source, Files) else account.remarks  # the tables above say it better
            remarks = " ".join(desk.say(code, **facts) for code, facts in told)
            accounts[name] = {"state": "ok", "message": f"{account.name}. {remarks}".strip()}
        finally:
            source.close()
    if found := links(desk):
        accounts["links"] = found
    if found := try_page(desk):
        accounts["page"] = found
    if mailbox := desk.config.open_mailbox(desk.clock):
        try:
            accounts["mailbox"] = {"state": "ok", "message": mailbox.check()}
        except Trouble as trouble:
            accounts["mailbox"] = {"state": "failed", "message": desk.say(trouble.code, **trouble.facts)}
        finally:
            mailbox.close()
    mailer = desk.config.open_mailer(desk.clock)
    try:
        if mailer.way:
            accounts |= look_at_domains(desk, mailer.sender, mailer.way, SystemDns())
        accounts["mail"] = {"state": "ok", "message": mailer.check()}
    except Trouble as trouble:
        accounts["mail"] = {"state": "failed", "message": desk.say(trouble.code, **trouble.facts)}
    finally:
        mailer.close()


def _is_mendable(mistake: Mistake) -> bool:
    """`filrouge rules fix` mends it: a tab or a word processor's quotation marks in a file of rules or a template's head."""
    file = Path(mistake.place.file)
    return mistake.code in ONE_MEND and len(file.parts) > 1 and file.suffix in {".yaml", ".yml", ".md"}


def _outcome(
    language: str,
    found: tuple[list[Mistake], list[Mistake]],
    lines: dict[str, list[str]],
    remarks: list[str],
    accounts: dict[str, dict[str, str]],
    config: Config | None,
) -> Outcome:
    mistakes, advice = found
    failed = [name for name, account in accounts.items() if account["state"] == "failed"]
    all_right = all(account["state"] == "ok" for account in accounts.values())
    said = [] if mistakes else list(remarks)
    for name, account in accounts.items():
        shown = say(language, f"check-{name}") if name in {"sheet", "mail", "links", "page", "mailbox"} else name
        said.append(say(language, "check-account", mark=MARKS[account["state"]], name=shown, **account))
    if mistakes:  # last, where the eye is
        stopping = sum(not goes_on(mistake) for mistake in mistakes)
        counted = {"check-mistakes": stopping, "check-mistakes-go-on": len(mistakes) - stopping}
        said += ["", show_mistakes(mistakes, language, lines), ""]
        said += [say(language, code, n=n) for code, n in counted.items() if n]
        said += [] if config else [say(language, "check-config-first")]
        said += [say(language, "check-fixable")] if any(_is_mendable(mistake) for mistake in mistakes) else []
    if advice:
        said += ["", say(language, "check-advice", n=len(advice)), show_mistakes(advice, language, lines), ""]
    if not mistakes and all_right and config:
        said.append(say(language, "check-right-advised" if advice else "check-right"))
    facts: dict[str, Any] = {"mistakes": [mistake.to_json(language) for mistake in mistakes], "accounts": accounts}
    facts["advice"] = [one.to_json(language) for one in advice]
    return Outcome(said, facts, WRONG if mistakes else PARTIAL if failed else DONE)
