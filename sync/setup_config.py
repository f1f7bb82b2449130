"""The text of the `config.yaml` that `filrouge init` writes: complete, with a sentence for each part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.headerregistry import Address

import yaml

from connectors import catalog
from sync.configfile import SECRET_NAMES
from sync.messages import say

OURS = ("files", "pretix", "ghost", "mailchimp")
EXAMPLES = {
    ("files", "folder"): "exports/",
    ("pretix", "organizer"): "my-organizer",
    ("ghost", "url"): "https://my-site.example.org",
    ("mailchimp", "list"): "a1b2c3d4e5",
}


@dataclass(frozen=True)
class Facts:
    """What goes into the file. `sheet`: its settings with `type` and `tab`; `notes`: a remark behind one of them.
    `columns` stand in the sheet, `added` are made by the first run, `by_hand` are offered in a comment.
    """

    name: str
    timezone: str
    country: str
    sources: tuple[str, ...]
    sheet: Mapping[str, str]
    notes: Mapping[str, str]
    columns: Mapping[str, str]
    added: Mapping[str, str]
    by_hand: Mapping[str, str]


def config_text(facts: Facts, language: str) -> str:
    def note(code: str) -> str:
        return f"# {say(language, code)}"

    who = str(Address(facts.name, addr_spec=say(language, "init-from")))
    lines = [
        note("init-note-top"),
        "organisation:",
        f"  name: {scalar(facts.name)}",
        f"  language: {language}",
        f"  timezone: {facts.timezone}",
        f"  country: {facts.country}",
        f"  {note('init-note-address')}",
        f"  address: {scalar(say(language, 'init-address'))}",
        *([f"  # charity: yes   {note('init-note-charity')}"] if facts.country == "CA" else []),
        f"  {note('init-note-look')}",
        "  # logo: https://…",
        '  # colours: {accent: "#b93a26", background: "#f4efe8"}',
        "",
        note("init-note-sources"),
        "sources:",
        *(line for source in facts.sources for line in _source_lines(source, language)),
        "",
        note("init-note-sheet"),
        "sheet:",
        *_sheet_lines(facts),
        *_column_lines(facts, language),
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
            yield f'    {name}: "${{{variable(source, name)}}}"'
        elif info.is_required():
            yield f"    {name}: {scalar(EXAMPLES.get((source, name), 'exports/' if name == 'folder' else '…'))}"


def variable(source: str, name: str) -> str:
    """The name in `.env` for a secret of a source."""
    return f"{source}_{name}".upper()


def secrets(sources: Iterable[str]) -> Iterator[str]:
    """The names in `.env` that these sources need."""
    for source in sources:
        for name in catalog.source(source).Settings.model_fields:
            if name in SECRET_NAMES:
                yield variable(source, name)


def _sheet_lines(facts: Facts) -> Iterator[str]:
    for name, value in facts.sheet.items():
        behind = f"   # {facts.notes[name]}" if facts.notes.get(name) else ""
        yield f"  {name}: {_quoted(value)}{behind}"


def _quoted(value: str) -> str:
    return f'"{value}"' if value.startswith("${") else scalar(value)


def _column_lines(facts: Facts, language: str) -> Iterator[str]:
    if not facts.columns:
        return
    yield f"  # {say(language, 'init-note-columns')}"
    yield "  columns:"
    yield from (f"    {scalar(header)}: {name}" for header, name in facts.columns.items())
    for code, columns, before in (
        ("init-note-added", facts.added, ""),
        ("init-note-by-hand", facts.by_hand, "# "),
    ):
        if columns:
            yield f"    # {say(language, code)}"
            yield from (f"    {before}{scalar(header)}: {name}" for header, name in columns.items())


def scalar(text: str) -> str:
    """A text as YAML would write it, quoted only where it must be."""
    return yaml.safe_dump(text, allow_unicode=True, width=10_000).removesuffix("...\n").strip()
