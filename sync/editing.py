"""What an editor needs to help with rules and config: their schemas, and the files that point an editor to them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rules.conditions import SHEET
from rules.schema import Names, Schema, schema
from sync.configschema import config_schema
from sync.desk import Desk

FOLDER = "schemas"
RULES, CONFIG = f"{FOLDER}/rules.json", f"{FOLDER}/config.json"
POINTER = "# yaml-language-server: $schema="
POINTERS: dict[str, Any] = {
    ".vscode/settings.json": {"yaml.schemas": {RULES: ["rules/*.yaml", "rules/*.yml"], CONFIG: "config.yaml"}},
    ".vscode/extensions.json": {"recommendations": ["redhat.vscode-yaml"]},
}


def schema_of(what: str, file: Path, language: str | None, spoken: str | None, usual: str) -> Schema:
    """The schema of `rules` or `config`. Where there is a config, with the team's own names, and by itself in the
    organisation's language; without one in the language `usual`. Raises `WrongFiles` for a config with mistakes.
    """
    if not file.exists():
        language = language or usual
        return config_schema(language) if what == "config" else schema(language, None, spoken)
    desk = Desk.open(file, spoken)
    try:
        language = language or desk.config.language
        if what == "config":
            return config_schema(language)
        return schema(language, names_known(desk), spoken)
    finally:
        desk.close()


def names_known(desk: Desk, headers: Iterable[str] | None = None) -> Names:
    """The team's own names. `headers`: those of their sheet, if they were just read; else as the last run saw them."""
    columns = headers if headers is not None else [*desk.config.columns, *_headers_kept(desk)]
    segments = [segment.name for segment in desk.read_rules(None).book.segments]
    return Names(
        list(dict.fromkeys(columns)),
        sorted(desk.templates[0].names),
        list(dict.fromkeys(segments)),
        sorted(desk.config.outline.webhooks),
        desk.config.newsletters,
    )


def _headers_kept(desk: Desk) -> list[str]:
    """The headers of the sheet as the last run read them; none before the first run."""
    if not desk.has_store:
        return []
    import polars as pl

    from sync.sheet.state import load_tab

    state = load_tab(desk.store, desk.config.tab.tab)
    if state is None:
        return []
    team = list(pl.read_ipc(io.BytesIO(state.team), n_rows=0).columns) if state.team else []
    return [
        *(column.header for column in state.columns),
        *(name.removeprefix(SHEET) for name in team if name.startswith(SHEET)),
    ]


def write_help(folder: Path, language: str, names: Names) -> None:
    """Schemas, and where VS Code finds them. Files that are there are left as they are."""
    for name, found in {RULES: schema(language, names), CONFIG: config_schema(language), **POINTERS}.items():
        if not (folder / name).exists():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(_json(found), "utf-8")


def refresh_help(desk: Desk, headers: Iterable[str] | None) -> None:
    """Bring the schemas that stand beside the config up to date, if they are there and the folder may be written."""
    found = {RULES: schema(desk.config.language, names_known(desk, headers))}
    found[CONFIG] = config_schema(desk.config.language)
    for name, fresh in found.items():
        with suppress(OSError):
            file = desk.config.folder / name
            if file.exists() and file.read_text("utf-8") != _json(fresh):
                file.write_text(_json(fresh), "utf-8")


def _json(found: Schema) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
