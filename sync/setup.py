"""`filrouge init`: a few questions, then config.yaml, rules/ with their templates, and a .env to fill in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connectors import catalog
from connectors.trouble import FixFile, Trouble
from rules.encoding import read_text
from rules.reader import read
from rules.recipes import Recipe, guide, recipes
from rules.schema import Names
from sync.clock import time_zones
from sync.editing import CONFIG, POINTER, RULES, write_help
from sync.followup.typography import typeset
from sync.library import STARTERS, copy, recipe_named
from sync.messages import say
from sync.setup_columns import Guess, added, agreed, columns_of, guess_columns, is_yes, names_people, show
from sync.setup_config import Facts, config_text, secrets
from sync.setup_sheet import TOKEN, Found, Place, Setup, find, near, place_of, values_of

Ask = Callable[..., Any]
ZONES = {
    "CA": "America/Montreal",
    "FR": "Europe/Paris",
    "BE": "Europe/Brussels",
    "CH": "Europe/Zurich",
    "LU": "Europe/Luxembourg",
}
KEY_FILE = "google-key.json"


@dataclass(frozen=True)
class Answers:
    """What was told beforehand; None is asked, or guessed with `--yes`."""

    name: str | None = None
    country: str | None = None
    timezone: str | None = None
    sheet: str | None = None
    tab: str | None = None
    sources: tuple[str, ...] = ()
    credentials: str | None = None
    endpoint: str | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """All answers. `token` is what was typed for `.env`."""

    name: str
    country: str
    timezone: str
    place: Place
    sources: tuple[str, ...]
    token: str = field(default="", repr=False)


def set_up(folder: Path, answers: Answers, language: str, ask: Ask | None, tell: Callable[[str], None]) -> int:
    """Write the files into `folder`; files that are there are never overwritten, and of the sheet nothing is changed.
    `ask` None: ask nothing. Where the sheet can't be read, nothing is written at all.
    """
    if (folder / "config.yaml").exists():
        raise FixFile("init-exists", file=str(folder / "config.yaml"))
    made = _folders_made(folder)
    told = _asked(folder, answers, language, ask)
    setup = Setup(folder, language, told.country, told.timezone, ask, tell)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = find(told.place, {"token": told.token} if told.token else {}, answers.tab, setup)
        guesses = _understood(found, setup)
        new = _new_columns(guesses, setup) if guesses else {}
        wanted = _rules_wanted(answers.rules, setup)
    except Trouble:
        for empty in made:
            with suppress(OSError):
                empty.rmdir()
        tell(say(language, "init-nothing-written"))
        raise
    facts = _facts(told, found, guesses, new, language)
    _write(folder / "config.yaml", f"{POINTER}{CONFIG}\n{config_text(facts, language)}")
    variables = [*secrets(told.sources), *(["AIRTABLE_TOKEN"] if told.place.type == "airtable" else [])]
    missing = _keep_secrets(folder / ".env", variables, {"AIRTABLE_TOKEN": told.token}, language)
    before = set(folder.glob("rules/*.yaml"))
    _copy_rules(folder / "rules", wanted)
    _write(folder / "rules" / "GUIDE.md", guide(language))
    for file in set(folder.glob("rules/*.yaml")) - before:
        file.write_text(f"{POINTER}../{RULES}\n{file.read_text('utf-8')}", "utf-8")
    write_help(folder, language, _names(folder, found, facts, language))
    if "files" in told.sources:
        (folder / "exports").mkdir(exist_ok=True)
    for line in _next_steps(told, found, missing, language):
        tell(line)
    tell(say(language, "init-next-rules", n=len(recipes(language)) - len(wanted)))
    tell(say(language, "init-next-check"))
    return 0


def _folders_made(folder: Path) -> list[Path]:
    """The folders that are still to be made, the innermost first."""
    return [one for one in (folder, *folder.parents) if not one.exists()]


# --- questions -------------------------------------------------------------------------------------------------------


def _asked(folder: Path, given: Answers, language: str, ask: Ask | None) -> Told:
    def one(value: str | None, code: str, default: str) -> str:
        return value or (str(ask(say(language, code), default=default)) if ask else default)

    name = one(given.name, "init-ask-name", folder.resolve().name)
    country = one(given.country, "init-ask-country", "CA" if "Montreal" in str(given.timezone) else "FR").upper()
    zone = one(given.timezone, "init-ask-timezone", ZONES.get(country, "Europe/Paris"))
    if zone not in time_zones():
        raise FixFile("config-timezone", found=zone)
    books = sorted(file.name for file in folder.glob("*.xlsx") if not file.name.startswith("~"))
    place = place_of(one(given.sheet, "init-ask-sheet", books[0] if books else "Contacts.xlsx"), folder)
    if place.type == "google":
        key = one(given.credentials, "init-ask-credentials", _key_file(folder) or KEY_FILE)
        place = replace(place, settings={**place.settings, "credentials": key if "$" in key else near(key, folder)})
    if given.endpoint and place.type != "excel":
        place = replace(place, settings={**place.settings, "endpoint": given.endpoint})
    token = _token(folder, language, ask) if place.type == "airtable" else ""
    sources = given.sources or tuple(one(None, "init-ask-sources", "files").replace(",", " ").split())
    for source in sources:
        catalog.source(source)  # an unknown name is told now, with the nearest one
    return Told(name, country, zone, place, sources, token)


def _token(folder: Path, language: str, ask: Ask | None) -> str:
    """The token for Airtable if it is nowhere yet: typed now, or to be put where the sentence says."""
    if values_of({"token": TOKEN}, folder)["token"]:
        return ""
    if ask:
        typed = str(ask(say(language, "init-ask-token"), default="", show_default=False, hide_input=True)).strip()
        if typed:
            return typed
    raise FixFile("init-no-token", env=str(folder / ".env"))


def _key_file(folder: Path) -> str | None:
    """The key of a service account that lies in the folder, or where the command is run."""
    for place in (folder, Path()):
        for file in sorted(place.glob("*.json")):
            with suppress(OSError, ValueError):
                facts = json.loads(file.read_text("utf-8"))
                if isinstance(facts, dict) and facts.get("type") == "service_account":
                    return str(file) if place != folder else file.name
    return None


def _understood(found: Found, setup: Setup) -> list[Guess]:
    """The columns as they are agreed upon; none where the sheet is still to be made."""
    if found.table is None:
        return []
    guesses = guess_columns(found.table, setup.country)
    show(found.table, found.name, guesses, setup.language, setup.tell)
    if setup.ask:
        guesses = agreed(guesses, setup.language, setup.ask, setup.tell)
    if not names_people(guesses):
        raise FixFile("init-nobody", tab=found.name)
    return guesses


def _new_columns(guesses: list[Guess], setup: Setup) -> dict[str, str]:
    new = added(guesses, setup.language)
    if not new:
        return {}
    names = ", ".join(new)
    if setup.ask is None:
        setup.tell(setup.say("init-added", names=names))
        return new
    return new if is_yes(setup.ask(setup.say("init-ask-added", names=names), default=setup.say("init-yes"))) else {}


def _rules_wanted(given: tuple[str, ...], setup: Setup) -> list[Recipe]:
    """The rules of the library to begin with; an unknown name is told with the nearest one."""
    usual = [recipe.name for recipe in recipes(setup.language) if recipe.key in STARTERS]
    if given or setup.ask is None:
        return [recipe_named(name, setup.language) for name in given or usual]
    setup.tell(setup.say("init-rules"))
    for recipe in recipes(setup.language):
        setup.tell(f"  {recipe.name:<28}  {typeset(recipe.purpose, setup.language)}")
    typed = str(setup.ask(setup.say("init-ask-rules"), default=" ".join(usual))).replace(",", " ").split()
    return [recipe_named(name, setup.language) for name in typed if name != "-"]


# --- files -----------------------------------------------------------------------------------------------------------


def _facts(told: Told, found: Found, guesses: list[Guess], new: Mapping[str, str], language: str) -> Facts:
    place = told.place
    notes = {
        "plan": say(language, "init-note-plan"),
        "tab": "" if found.tab == found.name else found.name,
        "credentials": say(language, "init-note-shared", email=found.email),
    }
    return Facts(
        told.name,
        told.timezone,
        told.country,
        told.sources,
        sheet={"type": place.type, **place.settings, "tab": found.tab},
        notes=notes,
        columns=columns_of(guesses),
        added=new,
        by_hand={one.header: one.like for one in guesses if one.like and not one.field},
    )


def _copy_rules(folder: Path, wanted: Iterable[Recipe]) -> None:
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    for recipe in wanted:
        with suppress(FileExistsError):
            copy(folder, recipe, recipe.defaults)


def _names(folder: Path, found: Found, facts: Facts, language: str) -> Names:
    """What rules may name from the first day: the sheet's columns, the templates and segments that were copied."""
    rules = {file.name: file.read_bytes() for file in folder.glob("rules/*.yaml")}
    templates = [file.stem for file in folder.glob("rules/templates/*.md")]
    headers = [column.header for column in found.table.columns] if found.table else []
    segments = [segment.name for segment in read(rules, language=language).book.segments]
    return Names([*headers, *facts.added], sorted(templates), segments)


def _write(file: Path, text: str) -> None:
    if not file.exists():
        file.write_text(text, "utf-8")


def _keep_secrets(file: Path, names: Iterable[str], known: Mapping[str, str], language: str) -> list[str]:
    """Put `NAME=` into `.env` for each that it has not; those still without a value come back. What stands there stays."""
    names = list(names)
    stands = values_of({name: f"${{{name}}}" for name in names}, file.parent)
    text = read_text(file.read_bytes(), file.name)[0] if file.exists() else None
    before = (text if text is not None else say(language, "init-env")).rstrip("\n")
    there = {line.partition("=")[0].strip() for line in before.splitlines()}
    lines = [f"{name}={known.get(name, '')}" for name in names if known.get(name) or name not in there]
    if lines or not file.exists():
        _write_for_us_alone(file, "\n".join([before, *lines]) + "\n")
    return [name for name in names if not (stands[name] or known.get(name))]


def _write_for_us_alone(file: Path, text: str) -> None:
    """Tokens stand in it: nobody else on this machine may read it."""
    file = file.resolve()
    fresh = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    fresh.replace(file)


def _next_steps(told: Told, found: Found, missing: list[str], language: str) -> Iterable[str]:
    yield say(language, "init-done")
    if "files" in told.sources:
        yield say(language, "init-next-files")
    if missing:
        yield say(language, "init-next-env", names=", ".join(missing))
    if told.place.type == "google":
        yield say(language, "init-next-google", email=found.email)
    yield from (f"· {say(language, code, **facts)}" for code, facts in found.remarks)
