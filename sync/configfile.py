"""`config.yaml`: read like the rules, text first, all mistakes at once, each with file:line:column.

`${NAME}` and `${NAME:-default}` are filled from the environment and from `.env` beside the file (the environment wins),
`${file:/run/secrets/x}` from a file. Tokens and passwords written out in the YAML are a mistake.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo

import babel.numbers
import pydantic
from dotenv import dotenv_values

from connectors import catalog
from connectors.trouble import Trouble
from rules.encoding import lines_of, read_text
from rules.fields import COLUMNS
from rules.follow_ons import MOVED, READ
from rules.mistakes import Mistake, Place, fold, nearest
from rules.words import vocabulary
from rules.yamltext import Block, Items, Node, Text, Tree, plain, tree_of
from sync.clock import time_zones
from sync.config import Config, MailBlock, Outline, SheetBlock, field_named
from sync.export_columns import IGNORE, column_meant, column_words, is_age
from sync.followup.pictures import NO_PICTURES, Album
from sync.messages import LANGUAGES, say, sentences
from sync.schedule import Timetable, read_schedule

FILLED = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{file:(?P<file>[^}]+)\}")
SECRET_NAMES = frozenset({"token", "key", "password", "secret"})
SECRET_SHOWN = re.compile(r"\b(token|key|password|secret)[\"']?\s*[:：]\s*(?![\"'“«]?\s*\$\{)\S", re.IGNORECASE)
COUNTRY = re.compile(r"^[A-Z]{2}$")
OF_ALL: dict[str, type[pydantic.BaseModel]] = {"sheet": SheetBlock, "mail": MailBlock}
"""What each of them has, of whatever type it is."""
Model = TypeVar("Model", bound=pydantic.BaseModel)


@dataclass(frozen=True)
class ConfigMistake(Mistake):
    """A mistake in the config. Its sentence is one of ours (`sync/words`), not of the rule language."""

    def message(self, language: str) -> str:
        facts = {"found": self.found, "expected": self.expected, "path": self.path} | dict(self.facts)
        said = say(language, self.code, **facts)
        return f"{said} {say(language, 'did-you-mean', suggestion=self.suggestion)}" if self.suggestion else said


@dataclass
class Reading:
    """`config` is None when there is any mistake. `lines` are the file's own, for showing where. `rules_folder` is known
    even then, as far as the file says.
    """

    config: Config | None
    mistakes: list[Mistake]
    language: str
    lines: list[str]
    rules_folder: Path


def read_config(file: Path, environment: Mapping[str, str] | None = None) -> Reading:
    """Read and judge the whole file. Never raises for what stands in it; only `OSError` when it can't be opened."""
    data = file.read_bytes()
    tree = tree_of(data, file.name)
    lines = lines_of(data)
    reader = _Reader(file, dict(os.environ if environment is None else environment))
    config = reader.read(tree.node)
    slips = [_without_secret(slip, lines) for slip in tree.mistakes]
    found = sorted([*slips, *_sure(reader.mistakes, tree)], key=lambda mistake: mistake.place)
    top = tree.node.get("rules") if isinstance(tree.node, Block) else None
    rules = top.value.value if top and isinstance(top.value, Text) and top.value.value else "rules/"
    return Reading(None if found else config, found, reader.language, lines, file.parent / rules)


def _sure(told: list[Mistake], tree: Tree) -> list[Mistake]:
    """Without what may only follow: from a slip that YAML does not accept, from a setting's misspelled name."""
    spoiled = {slip.place.line for slip in tree.mistakes if slip.code not in READ | MOVED}
    meant = {(one.path.rpartition(".")[0], one.suggestion) for one in told if one.code == "config-unknown-key"}
    unread = bool(tree.lost) or (tree.node is None and bool(tree.mistakes))

    def stands(one: Mistake) -> bool:
        missing = one.code in {"config-missing", "config-empty"}
        follows = missing and (unread or (one.path, one.facts.get("name")) in meant)
        return not follows and one.place.line not in spoiled

    return [one for one in told if stands(one)]


def _without_secret(slip: Mistake, lines: list[str]) -> Mistake:
    """A slip in a line that holds a password is told without it."""
    line = lines[slip.place.line - 1] if slip.place.line <= len(lines) else ""
    shown = SECRET_SHOWN.search(line)
    if shown is None:
        return slip
    return replace(slip, found=f"{shown[1]}: …", suggestion=None, facts={**slip.facts, "secret": True})


def dotenv(file: Path) -> dict[str, str | None]:
    """What a `.env` says, also as Notepad writes it: with a mark at its beginning, in Windows-1252, in UTF-16."""
    text, _ = read_text(file.read_bytes(), file.name)
    return dict(dotenv_values(stream=StringIO(text or "")))


class _Reader:
    def __init__(self, file: Path, environment: Mapping[str, str]) -> None:
        self.file = file
        beside = file.parent / ".env"
        self.mistakes: list[Mistake] = []
        self.values = {**(dotenv(beside) if beside.exists() else {}), **environment}
        self.secrets: list[str] = []
        self.language = "fr"
        self.tree: Node | None = None

    def read(self, tree: Node | None) -> Config | None:
        if not isinstance(tree, Block):
            self._tell(("",), "config-empty")
            return None
        self.tree = tree
        self.language = self._language(tree)
        filled = plain(self._fill(tree, ()))
        outline = self._validate(Outline, filled, ())
        self._judge_colours()
        sources = self._sources(filled)
        sheet, tab = self._sheet(filled)
        mail, post = self._mail(filled)
        timetable = self._judge(outline) if outline else None
        if self.mistakes or not (outline and sheet and tab and mail and post and timetable):
            return None
        return Config(self.file, outline, sources, sheet, mail, tab, post, timetable, tuple(self.secrets))

    def _language(self, tree: Block) -> str:
        block = tree.get("organisation")
        entry = block.value.get("language") if block and isinstance(block.value, Block) else None
        value = entry.value.value if entry and isinstance(entry.value, Text) else "fr"
        return value if value in LANGUAGES else "fr"

    # --- ${NAME} -------------------------------------------------------------------------------------------------

    def _fill(self, node: Node, path: tuple[str, ...]) -> Node:
        match node:
            case Text():
                return self._fill_text(node, path)
            case Items(items=items, place=place):
                return Items(tuple(self._fill(item, (*path, str(n))) for n, item in enumerate(items)), place)
            case Block(entries=entries, place=place):
                return Block(tuple(type(e)(e.key, self._fill(e.value, (*path, e.key.value))) for e in entries), place)

    def _fill_text(self, node: Text, path: tuple[str, ...]) -> Text:
        secret = path[-1] in SECRET_NAMES
        if secret and node.value and not FILLED.search(node.value):
            self._tell(path, "config-secret", name=_suggested_name(path), secret=True)
        told = len(self.mistakes)
        value = FILLED.sub(lambda found: self._value_of(found, path), node.value)
        if secret and value:
            self.secrets.append(value)
        emptied = (
            value != node.value and not value and told == len(self.mistakes)
        )  # `${NAME:-}` of what is not set counts as left out
        return Text(value, node.place, not emptied and (node.quoted or value != node.value))

    def _value_of(self, found: re.Match[str], path: tuple[str, ...]) -> str:
        if file := found["file"]:
            try:
                return (self.file.parent / file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self._tell(path, "config-no-secret-file", name=file)
                return ""
        value = self.values.get(found["name"]) or found["default"]
        if value is None:
            self._tell(path, "config-no-variable", name=found["name"])
        return value or ""

    # --- the blocks ----------------------------------------------------------------------------------------------

    def _sources(self, filled: Any) -> dict[str, pydantic.BaseModel]:
        blocks = filled.get("sources")
        found = {}
        for name in blocks if isinstance(blocks, dict) else ():
            self._name_columns(blocks[name], ("sources", name, "files"))
            settings = self._block(filled, ("sources", name), catalog.source)
            if settings:
                found[name] = settings
        return found

    def _name_columns(self, block: Any, path: tuple[str, ...]) -> None:
        """Put our own names for what columns of exports are said to hold, in the words of either language."""
        files = block.get("files") if isinstance(block, dict) and block.get("type") == "files" else None
        for n, one in enumerate(files if isinstance(files, list) else ()):
            columns = one.get("columns") if isinstance(one, dict) else None
            columns = columns if isinstance(columns, dict) else {}
            for header, word in list(columns.items()):
                name, where = column_meant(str(word)), (*path, str(n), "columns", header)
                if name is None:
                    known = column_words(self.language)
                    near = nearest(str(word), known)
                    code = "config-no-column-near" if near else "config-no-column"
                    self._tell(where, code, found=word, suggestion=near, known=", ".join(known))
                elif name == "birthday" and is_age(header):
                    self._tell(where, "config-age-column", found=header)
                columns[header] = name or IGNORE

    def _sheet(self, filled: Any) -> tuple[pydantic.BaseModel | None, SheetBlock | None]:
        block = filled.get("sheet")
        if not isinstance(block, dict):
            return None, None
        own = {name: block[name] for name in SheetBlock.model_fields if block.get(name) is not None}
        tab = self._validate(SheetBlock, own, ("sheet",))
        if tab:
            self._judge_columns(tab)
        rest = {name: value for name, value in block.items() if name not in SheetBlock.model_fields}
        return self._block({"sheet": rest}, ("sheet",), catalog.sheet), tab

    def _mail(self, filled: Any) -> tuple[pydantic.BaseModel | None, MailBlock | None]:
        block = filled.get("mail")
        if not isinstance(block, dict):
            return None, None
        own, rest = (
            {k: v for k, v in block.items() if (k in MailBlock.model_fields) is ours} for ours in (True, False)
        )
        return self._block({"mail": rest}, ("mail",), catalog.mailer), self._validate(MailBlock, own, ("mail",))

    def _block(self, filled: Any, path: tuple[str, ...], find: Any) -> pydantic.BaseModel | None:
        block = filled
        for step in path:
            block = block.get(step) if isinstance(block, dict) else None
        if not isinstance(block, dict):
            return None  # already told by the outline
        if not block.get("type"):
            self._tell(path, "config-missing", name="type")
            return None
        try:
            connector = find(str(block["type"]))
        except Trouble as trouble:
            self._tell((*path, "type"), trouble.code, **trouble.facts)
            return None
        return self._validate(connector.Settings, {k: v for k, v in block.items() if k != "type"}, path)

    def _judge_columns(self, tab: SheetBlock) -> None:
        names = [tab.tab, *tab.beside.values()]
        for key, word in tab.beside.items():
            if names.count(word) > 1:
                self._tell(("sheet", key), "config-tab-twice", found=word)
        seen: dict[str, str] = {}
        for header, word in tab.columns.items():
            path, name = ("sheet", "columns", header), field_named(word)
            if name is None:
                words = vocabulary(self.language)
                known = [*words.all("fields"), *words.all("sheet_fields")]
                near = nearest(word, [*known, *COLUMNS])
                self._tell(path, "config-no-field", found=word, suggestion=near, known=", ".join(known))
            elif name in seen:
                self._tell(path, "config-field-twice", found=word, first=seen[name])
            seen.setdefault(name or word, header)

    def _judge(self, outline: Outline) -> Timetable | None:
        who = outline.organisation
        if who.timezone not in time_zones():
            near = nearest(who.timezone, sorted(time_zones()))
            self._tell(("organisation", "timezone"), "config-timezone", found=who.timezone, suggestion=near)
            return None
        if not COUNTRY.match(who.country) or not babel.numbers.get_territory_currencies(who.country):
            self._tell(("organisation", "country"), "config-country", found=who.country)
        if not outline.store.startswith(("sqlite:///", "postgresql://")):
            self._tell(("store",), "config-store", found=outline.store.partition(":")[0])
        self._judge_logo(outline)
        hook = outline.staff.webhook
        if hook is not None and hook not in outline.webhooks:
            self._tell(("staff", "webhook"), "webhook-none", name=hook, suggestion=nearest(hook, outline.webhooks))
        timetable = read_schedule(outline.schedule, ZoneInfo(who.timezone))
        if timetable is None:
            self._tell(("schedule",), "config-schedule", found=outline.schedule)
        return timetable

    def _judge_logo(self, outline: Outline) -> None:
        """A file beside the config travels in each e-mail."""
        logo = outline.organisation.logo
        if logo is None or logo.startswith("https://"):
            return
        file = self.file.parent / logo
        if not file.is_file():
            self._tell(("organisation", "logo"), "config-no-logo", found=logo)
            return
        album = Album(None if outline.mail.get("type") in NO_PICTURES else {logo: file.read_bytes()})
        code, facts = album.why_not(quote(logo))
        if code:
            self._tell(("organisation", "logo"), code, found=logo, **facts)

    def _judge_colours(self) -> None:
        """Without its quotes a colour is a comment, and nobody would know why it is not there."""
        node = self.tree
        for step in ("organisation", "colours"):
            node = entry.value if isinstance(node, Block) and (entry := node.get(step)) else None
        for entry in node.entries if isinstance(node, Block) else ():
            if isinstance(entry.value, Text) and not entry.value.value:
                self._tell(("organisation", "colours", entry.key.value), "config-colour", found="")

    # --- mistakes ------------------------------------------------------------------------------------------------

    def _validate(self, model: type[Model], values: Any, path: tuple[str, ...]) -> Model | None:
        try:
            return model.model_validate(_without_empty(values))
        except pydantic.ValidationError as errors:
            for error in errors.errors(include_url=False):
                where = (*path, *(str(step) for step in error["loc"]))
                self._tell_error(where, error, model)
            return None

    def _tell_error(self, path: tuple[str, ...], error: Any, model: type[pydantic.BaseModel]) -> None:
        kind = error["type"]
        context = {str(key): value for key, value in (error.get("ctx") or {}).items()}
        if kind == "extra_forbidden":
            known = _keys_at(model, error["loc"])
            own = OF_ALL.get(path[0]) if len(path) == 2 else None
            known += own.model_fields if own else ()
            self._tell(
                path, "config-unknown-key", found=path[-1], suggestion=nearest(path[-1], known), known=", ".join(known)
            )
        elif kind == "missing":
            self._tell(path[:-1], "config-missing", name=path[-1])
        elif kind in sentences(self.language):
            self._tell(path, kind, found="" if path[-1] in SECRET_NAMES else str(error["input"]), **context)
        else:
            code = f"config-{kind}" if f"config-{kind}" in sentences(self.language) else "config-invalid"
            found = "" if path[-1] in SECRET_NAMES else str(error["input"])
            if kind == "literal_error":
                context["expected"] = ", ".join(f"`{one}`" for one in re.findall(r"'([^']*)'", context["expected"]))
            context = {"expected": "", "detail": error["msg"], "name": path[-1]} | context
            self._tell(path, code, found=found, **context)

    def _tell(self, path: tuple[str, ...], code: str, **facts: Any) -> None:
        """A mistake at `path`, or at the nearest place above it that stands in the file."""
        known = {name: str(facts.pop(name) or "") for name in ("found", "expected") if name in facts}
        suggestion = facts.pop("suggestion", None)
        mistake = ConfigMistake(self._place(path), code, _path_text(path), suggestion=suggestion, facts=facts, **known)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def _place(self, path: tuple[str, ...]) -> Place:
        node, place = self.tree, Place(self.file.name, 1, 1)
        for step in path:
            if isinstance(node, Block) and (entry := node.get(step)):
                node, place = entry.value, entry.key.place
            elif isinstance(node, Items) and step.isdigit() and int(step) < len(node.items):
                node = node.items[int(step)]
                place = node.place
            else:
                break
        return node.place if isinstance(node, Text) and node.value else place


def _keys_at(model: type[pydantic.BaseModel], location: tuple[Any, ...]) -> list[str]:
    """The keys allowed in the nested model where `location` ends."""
    for step in location[:-1]:
        inner = model.model_fields.get(str(step))
        if inner is None:  # a name that the team chose for one of several blocks
            continue
        kinds = (inner.annotation, *get_args(inner.annotation))
        blocks = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)]
        if not blocks:
            return []
        model = blocks[0]
    return [info.alias or name for name, info in model.model_fields.items()]


def _without_empty(values: Any) -> Any:
    """Keys written without a value count as left out, as people expect."""
    if isinstance(values, dict):
        return {key: _without_empty(value) for key, value in values.items() if value is not None}
    return values


def _path_text(path: tuple[str, ...]) -> str:
    return "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path).lstrip(".")


def _suggested_name(path: tuple[str, ...]) -> str:
    words = [step for step in path if step != "sources"]
    return re.sub(r"[^A-Z0-9]+", "_", fold(" ".join(words)).upper()).strip("_")
