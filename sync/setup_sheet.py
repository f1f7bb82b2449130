"""Which sheet `filrouge init` is about: told by a file, an address or an id; opened only to be read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pydantic

from connectors import catalog
from connectors.sheets.sheet import Browsable, Column, Table, TabName
from connectors.source import Setting
from connectors.trouble import FixFile, Trouble
from rules.mistakes import fold, nearest
from sync.configfile import FILLED, SECRET_NAMES, dotenv
from sync.messages import say, sentences
from sync.setup_columns import guess_columns, names_people

GOOGLE = re.compile(
    r"/(?:spreadsheets|file)/(?:u/\d+/)?d/(?!e/)([A-Za-z0-9_-]{20,})|/open\?(?:.*&)?id=([A-Za-z0-9_-]{20,})"
)
GOOGLE_ID = re.compile(r"[A-Za-z0-9_-]{40,}")
GOOGLE_TAB = re.compile(r"[#?&]gid=(\d+)")
AIRTABLE = re.compile(r"(?:^|/)(app[A-Za-z0-9]{14})\b(?:/(tbl[A-Za-z0-9]{14})\b)?")
LIKELY = (
    "contact",
    "public",
    "personne",
    "people",
    "spectat",
    "adresse",
    "carnet",
    "membre",
    "member",
    "adherent",
    "audience",
)
TOKEN = "${AIRTABLE_TOKEN}"  # noqa: S105  the name under which it is found, not a token
LOOKED_AT = 8
IN_OTHER_WORDS = {
    "google-key-missing": "init-google-key",
    "google-gone": "init-google-gone",
    "google-office-file": "init-google-office",
    "airtable-login": "init-airtable-login",
    "airtable-not-allowed": "init-airtable-not-allowed",
}
"""Troubles whose own sentence speaks of a config that is still to be written."""


@dataclass(frozen=True)
class Place:
    """Where the team's sheet is. `settings` as they are written in the config; `pointer` is the tab in the address."""

    type: str
    settings: Mapping[str, str]
    pointer: str | None = None


@dataclass(frozen=True)
class Found:
    """What is there. `tab` as it is written in the config, `name` as people see it; `table` None: it is still to be
    made. `email`: whom the sheet is shared with. `remarks` are (code, facts) for who sets it up.
    """

    tab: str
    name: str
    table: Table | None = None
    email: str = ""
    remarks: Sequence[tuple[str, dict[str, str]]] = field(default=())


@dataclass(frozen=True)
class Setup:
    """What is known when the sheet is opened. `ask` None: ask nothing."""

    folder: Path
    language: str
    country: str
    timezone: str
    ask: Callable[..., Any] | None
    tell: Callable[[str], None]

    def say(self, code: str, **facts: object) -> str:
        return say(self.language, code, **facts)


def place_of(told: str, folder: Path) -> Place:
    """The sheet that is meant by a file's name, an address in the browser, or an id. Raises `FixFile` for what is none."""
    told = told.strip()
    if not (_file(told, folder).exists() or told.endswith((".xlsx", ".xlsm"))):
        if found := AIRTABLE.search(told):
            return Place("airtable", {"base": found[1], "token": TOKEN, "plan": "free"}, found[2])
        if found := GOOGLE.search(told) or re.fullmatch(f"({GOOGLE_ID.pattern})", told):
            pointer = GOOGLE_TAB.search(told)
            address = f"https://docs.google.com/spreadsheets/d/{found[1] or found[2]}/edit"
            return Place("google", {"spreadsheet": address}, pointer[1] if pointer else None)
        for host, code in (("airtable.com", "init-airtable-address"), ("google.com", "init-google-address")):
            if host in told:
                raise FixFile(code, given=told[:100])
        if "://" in told:
            raise FixFile("init-sheet-unknown", given=told[:100])
    return Place("excel", {"file": near(told, folder)})


def _file(told: str, folder: Path) -> Path:
    try:
        return folder / near(told, folder)
    except (OSError, ValueError):  # an address is no path everywhere
        return folder / "?"


def near(told: str, folder: Path) -> str:
    """A path as the config of `folder` would write it: a file that lies where the command is run is meant too."""
    own = Path(told).expanduser()
    if own.is_absolute() or (folder / own).exists() or not own.exists():
        return told
    return Path(os.path.relpath(own, folder)).as_posix()


def values_of(settings: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The settings with `${NAME}` filled in as the config will have it; what is not set is empty."""
    known = {**(dotenv(folder / ".env") if (folder / ".env").exists() else {}), **os.environ}

    def value(found: re.Match[str]) -> str:
        if found["file"]:
            file = folder / found["file"]
            return file.read_text("utf-8").strip() if file.is_file() else ""
        return known.get(found["name"]) or found["default"] or ""

    return {name: FILLED.sub(value, text) for name, text in settings.items()}


def find(place: Place, secrets: Mapping[str, str], tab: str | None, setup: Setup) -> Found:
    """Open the sheet, choose its tab, and read it. `secrets`: what was just told, by the setting's name."""
    settings = {**values_of(place.settings, setup.folder), **secrets}
    kind = cast("type[Browsable]", catalog.sheet(place.type))
    try:
        sheet = kind(
            _validated(kind, settings), Setting("sheet", setup.folder, setup.country, setup.timezone, setup.language)
        )
        try:
            return _look(sheet, place, tab, setup)
        finally:
            sheet.close()
    except Trouble as trouble:
        code = IN_OTHER_WORDS.get(trouble.code)
        if not code:
            raise
        raise type(trouble)(
            code, **{"base": settings.get("base"), "env": str(setup.folder / ".env")} | trouble.facts
        ) from None


def _validated(kind: type[Browsable], settings: Mapping[str, str]) -> pydantic.BaseModel:
    try:
        return kind.Settings.model_validate(dict(settings))
    except pydantic.ValidationError as errors:
        first = errors.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][-1]) if first["loc"] else "sheet"
        if first["type"] in sentences("en"):
            raise FixFile(first["type"]) from None
        shown = "" if name in SECRET_NAMES else settings.get(name, "")
        raise FixFile("config-invalid", found=shown, name=name, detail=first["msg"]) from None


def _look(sheet: Browsable, place: Place, tab: str | None, setup: Setup) -> Found:
    if place.type == "excel":
        sheet.check("")  # a name that no workbook can have, a file that may not be written
    tabs = sheet.tabs()
    chosen = _chosen(sheet, tabs, place.pointer, tab, setup)
    email = str(getattr(getattr(sheet, "account", None), "email", ""))
    remarks = tuple((code, dict(facts)) for code, facts in getattr(sheet, "remarks", ()))
    if chosen is None:
        name = tab or "Contacts"
        return Found(name, name, None, email, remarks)
    in_config = chosen.ref if place.type == "airtable" else chosen.name
    table = sheet.read(in_config)
    return Found(in_config, chosen.name, table if table and table.columns else None, email, remarks)


def _chosen(
    sheet: Browsable, tabs: Sequence[TabName], pointer: str | None, tab: str | None, setup: Setup
) -> TabName | None:
    """The tab that was named, else the one in the address, else the one where people are; None: it is to be made."""
    names = " · ".join(one.name for one in tabs)
    if tab:
        return _named(tabs, tab, names, setup)
    if pointer:
        there = next((one for one in tabs if one.ref == pointer), None)
        if there is None:
            raise FixFile("init-tab-gone", found=pointer, tabs=names)
        return there
    if len(tabs) < 2:
        return tabs[0] if tabs else None
    best = _with_people(sheet, tabs)
    if setup.ask is None:
        return best
    return _named(tabs, str(setup.ask(setup.say("init-ask-tab", tabs=names), default=best.name)), names, setup)


def _named(tabs: Sequence[TabName], wanted: str, names: str, setup: Setup) -> TabName | None:
    exact = [one for one in tabs if wanted in (one.name, one.ref)]
    alike = exact or [one for one in tabs if fold(one.name) == fold(wanted)]
    if alike:
        return alike[0]
    near_one = nearest(wanted, [one.name for one in tabs])
    if near_one:
        raise FixFile("init-tab-near", found=wanted, near=near_one, tabs=names)
    if wanted.startswith("tbl"):
        raise FixFile("init-tab-gone", found=wanted, tabs=names)
    if tabs:
        setup.tell(setup.say("init-tab-new", tab=wanted, tabs=names))
    return None


def _with_people(sheet: Browsable, tabs: Sequence[TabName]) -> TabName:
    """The first tab whose headers tell who somebody is; those with a likely name are looked at first."""
    likely = sorted(tabs, key=lambda one: not any(word in fold(one.name) for word in LIKELY))
    for one in likely[:LOOKED_AT]:
        headers = sheet.check(one.ref or one.name) if sheet.service == "airtable" else sheet.check(one.name)
        if names_people(guess_columns(Table(one.name, [Column("", header) for header in headers], [], ""))):
            return one
    return likely[0]
