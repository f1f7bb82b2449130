"""`filrouge init`: a few questions, then config.yaml, rules/ with their templates, and a .env to fill in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import yaml

from connectors import catalog
from connectors.files import words as header_words
from connectors.sheets.sheet import Cell, Formula, Table
from connectors.source import Setting
from connectors.trouble import FixFile, Trouble
from rules.fields import FIELDS
from rules.mistakes import fold
from rules.words import vocabulary
from sync.config import field_named
from sync.configfile import SECRET_NAMES
from sync.messages import say

Ask = Callable[..., Any]
ZONES = {
    "CA": "America/Montreal",
    "FR": "Europe/Paris",
    "BE": "Europe/Brussels",
    "CH": "Europe/Zurich",
    "LU": "Europe/Luxembourg",
}
RATHER_NOT = frozenset({"flags", "last_emailed", "verified"})


@dataclass(frozen=True)
class Answers:
    """What was told beforehand; None is asked, or guessed with `--yes`."""

    name: str | None = None
    country: str | None = None
    timezone: str | None = None
    sheet: str | None = None
    tab: str | None = None
    sources: tuple[str, ...] = ()


def set_up(folder: Path, answers: Answers, language: str, ask: Ask | None, tell: Callable[[str], None]) -> int:
    """Write the files into `folder`; files that are there are never overwritten. `ask` None: ask nothing."""
    if (folder / "config.yaml").exists():
        raise FixFile("init-exists", file=str(folder / "config.yaml"))
    folder.mkdir(parents=True, exist_ok=True)
    answers = _asked(folder, answers, language, ask)
    table = _read_sheet(folder, answers, language, tell)
    columns = guess_columns(table) if table else {}
    if table:
        _show_guess(table, columns, language, tell)
    if columns and ask and not _agreed(ask, language):
        columns = {}
    _write(folder / "config.yaml", config_text(answers, columns, language))
    variables = list(_secrets(answers.sources))
    _write_for_us_alone(folder / ".env", say(language, "init-env") + "\n" + "".join(f"{name}=\n" for name in variables))
    _copy_rules(folder, language)
    if "files" in answers.sources:
        (folder / "exports").mkdir(exist_ok=True)
    for line in _next_steps(answers, variables, language):
        tell(line)
    return 0


def _agreed(ask: Ask, language: str) -> bool:
    answer = fold(str(ask(say(language, "init-take-columns"), default=say(language, "init-yes"))))
    return answer[:1] in {"o", "y", "1", "t", "v"}


def _asked(folder: Path, given: Answers, language: str, ask: Ask | None) -> Answers:
    def one(value: str | None, code: str, default: str) -> str:
        return value or (str(ask(say(language, code), default=default)) if ask else default)

    name = one(given.name, "init-ask-name", folder.resolve().name)
    country = one(given.country, "init-ask-country", "CA" if "Montreal" in str(given.timezone) else "FR").upper()
    zone = one(given.timezone, "init-ask-timezone", ZONES.get(country, "Europe/Paris"))
    if zone not in available_timezones():
        raise FixFile("config-timezone", found=zone)
    books = sorted(file.name for file in folder.glob("*.xlsx") if not file.name.startswith("~"))
    sheet = one(given.sheet, "init-ask-sheet", books[0] if books else "Contacts.xlsx")
    sources = given.sources or tuple(one(None, "init-ask-sources", "files").replace(",", " ").split())
    for source in sources:
        catalog.source(source)  # an unknown name is told now, with the nearest one
    return Answers(name, country, zone, sheet, given.tab or _first_tab(folder / sheet), sources)


def _first_tab(file: Path) -> str:
    if file.exists():
        import python_calamine

        try:
            names = python_calamine.CalamineWorkbook.from_path(str(file)).sheet_names
        except python_calamine.CalamineError:
            return "Contacts"  # reading it below says what is wrong with it
        return next((name for name in names if fold(name).startswith("contact")), names[0])
    return "Contacts"


def _read_sheet(folder: Path, answers: Answers, language: str, tell: Callable[[str], None]) -> Table | None:
    setting = Setting("sheet", folder, now=datetime.now)
    excel = catalog.sheet("excel")
    sheet = excel(excel.Settings.model_validate({"file": answers.sheet}), setting)
    try:
        return sheet.read(str(answers.tab))
    except Trouble as trouble:
        tell(say(language, trouble.code, **trouble.facts))
        return None
    finally:
        sheet.close()


def guess_columns(table: Table) -> dict[str, str]:
    """The team's headers that surely show one of our fields. A field is taken once, by the first such header."""
    known = header_words.headers()
    found: dict[str, str] = {}
    firsts = any(known.get(header_words.fold(column.header), ("", 0))[0] == "first_name" for column in table.columns)
    for column in table.columns:
        name = field_named(column.header) or known.get(header_words.fold(column.header), ("", 0))[0]
        name = "last_name" if name == "name" and firsts else name
        if name in FIELDS and name not in RATHER_NOT and name not in found.values():
            found[column.header] = name
    if "email" not in found.values() and (header := _full_of_addresses(table)):
        found[header] = "email"
    return found


def _full_of_addresses(table: Table) -> str | None:
    for place, column in enumerate(table.columns):
        cells = [row.cells[place] for row in table.rows if row.cells[place] is not None]
        if cells and sum(isinstance(cell, str) and "@" in cell for cell in cells) * 2 > len(cells):
            return column.header
    return None


def _show_guess(table: Table, columns: dict[str, str], language: str, tell: Callable[[str], None]) -> None:
    tell(say(language, "init-columns", n=len(table.rows), tab=table.tab))
    words, rows = vocabulary(language), []
    for place, column in enumerate(table.columns):
        example = next((row.cells[place] for row in table.rows if row.cells[place] is not None), None)
        ours = columns.get(column.header)
        meaning = f"→ {words.shown('fields', ours)}" if ours else say(language, "init-column-theirs")
        if column.header.strip():
            rows.append((_shown(column.header), meaning, _shown(example)))
    wide = [max((len(row[place]) for row in rows), default=0) for place in (0, 1)]
    for header, meaning, shown in rows:
        tell(f"  {header:<{wide[0]}}  {meaning:<{wide[1]}}  {shown}".rstrip())


def _shown(cell: Cell | Formula) -> str:
    text = "" if cell is None else str(cell.text if isinstance(cell, Formula) else cell)
    return text if len(text) < 40 else text[:39] + "…"


def config_text(answers: Answers, columns: dict[str, str], language: str) -> str:
    """A complete config.yaml with a sentence for each part."""

    def note(code: str) -> str:
        return f"# {say(language, code)}"

    who = str(Address(str(answers.name), addr_spec=say(language, "init-from")))
    lines = [
        note("init-note-top"),
        "organisation:",
        f"  name: {_scalar(answers.name)}",
        f"  language: {language}",
        f"  timezone: {answers.timezone}",
        f"  country: {answers.country}",
        f"  {note('init-note-address')}",
        f"  address: {_scalar(say(language, 'init-address'))}",
        "",
        note("init-note-sources"),
        "sources:",
        *(line for source in answers.sources for line in _source_lines(source, language)),
        "",
        note("init-note-sheet"),
        "sheet:",
        "  type: excel",
        f"  file: {_scalar(answers.sheet)}",
        f"  tab: {_scalar(answers.tab)}",
        *_column_lines(columns, note("init-note-columns")),
        "",
        note("init-note-mail"),
        f"mail: {{type: folder, folder: outbox/, from: {json.dumps(who, ensure_ascii=False)}}}",
        "",
        "rules: rules/",
        f"schedule: {say(language, 'init-schedule')}",
        "store: sqlite:///filrouge.db",
    ]
    return "\n".join(lines) + "\n"


def _source_lines(source: str, language: str) -> Iterable[str]:
    yield f"  {say(language, f'init-source-{source}') if source in OURS else source}:"
    yield f"    type: {source}"
    for name, info in catalog.source(source).Settings.model_fields.items():
        if name in SECRET_NAMES:
            yield f'    {name}: "${{{_variable(source, name)}}}"'
        elif info.is_required():
            yield f"    {name}: {_scalar(EXAMPLES.get((source, name), 'exports/' if name == 'folder' else '…'))}"


OURS = ("files", "pretix", "ghost", "mailchimp")
EXAMPLES = {
    ("files", "folder"): "exports/",
    ("pretix", "organizer"): "my-organizer",
    ("ghost", "url"): "https://my-site.example.org",
    ("mailchimp", "list"): "a1b2c3d4e5",
}


def _variable(source: str, name: str) -> str:
    return f"{source}_{name}".upper()


def _secrets(sources: Iterable[str]) -> Iterable[str]:
    for source in sources:
        for name in catalog.source(source).Settings.model_fields:
            if name in SECRET_NAMES:
                yield _variable(source, name)


def _column_lines(columns: dict[str, str], note: str) -> list[str]:
    if not columns:
        return []
    return [f"  {note}", "  columns:", *(f"    {_scalar(header)}: {name}" for header, name in columns.items())]


def _scalar(text: str | None) -> str:
    """A text as YAML would write it, quoted only where it must be."""
    return yaml.safe_dump(str(text), allow_unicode=True, width=10_000).removesuffix("...\n").strip()


def _copy_rules(folder: Path, language: str) -> None:
    library = files("rules").joinpath("library", language)
    (folder / "rules" / "templates").mkdir(parents=True, exist_ok=True)
    for item in library.iterdir():
        if item.name.endswith(".yaml"):
            _write(folder / "rules" / item.name, item.read_text("utf-8"))
    for item in library.joinpath("templates").iterdir():
        _write(folder / "rules" / "templates" / item.name, item.read_text("utf-8"))


def _write(file: Path, text: str) -> None:
    if not file.exists():
        file.write_text(text, "utf-8")


def _write_for_us_alone(file: Path, text: str) -> None:
    """Tokens will stand in it: nobody else on this machine may read it."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
            handle.write(text)


def _next_steps(answers: Answers, variables: list[str], language: str) -> Iterable[str]:
    yield say(language, "init-done")
    if "files" in answers.sources:
        yield say(language, "init-next-files")
    if variables:
        yield say(language, "init-next-env", names=", ".join(variables))
    yield say(language, "init-next-check")
