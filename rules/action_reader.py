"""`then:` as canonical actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, cast

from rules.conditions import Action, Email, Flag, Period, SetCell, Task
from rules.context import Context
from rules.mistakes import fold
from rules.phrases import read_phrase
from rules.suggestions import suggest
from rules.words import LANGUAGES, vocabulary
from rules.yamltext import Block, Entry, Items, Node, Text

LATER = {"newsletter", "notify", "review", "webhook", "forget"}
OPTIONS = {"email": ("option_email",), "task": ("option_task",)}


def read_actions(context: Context, node: Node, path: str) -> tuple[Action, ...]:
    """The actions of a rule. One action may stand without a dash."""
    if isinstance(node, Block) and node.entries:
        return tuple(_read_action(context, node, path))
    if not isinstance(node, Items) or not node.items:
        context.wrong_shape(node, path, "then")
        return ()
    found: list[Action] = []
    for n, item in enumerate(node.items, 1):
        if isinstance(item, Text) and _is_tight(context, item.value):
            right = item.value.replace(":", ": ", 1)
            context.tell(item.place, "no-space-after-colon", f"{path}[{n}]", item.value, suggestion=right)
        elif block := context.block(item, f"{path}[{n}]", "action"):
            found += _read_action(context, block, f"{path}[{n}]")
    return tuple(found)


def _is_tight(context: Context, text: str) -> bool:
    head, colon, _ = text.partition(":")
    return bool(colon) and context.words.find("action", head) is not None


def _read_action(context: Context, block: Block, path: str) -> Iterable[Action]:
    named = [(name, entry) for entry in block.entries if (name := context.words.find("action", entry.key.value))]
    if not named:
        for entry in block.entries[:1]:
            context.unknown_key(entry.key, ("action",), path)
        return ()
    name, entry = named[0]
    if len(named) > 1:
        context.tell(named[1][1].key.place, "two-actions", path, named[1][1].key.value, first=entry.key.value)
        return ()
    here = f"{path}.{entry.key.value}"
    if name in LATER:
        context.tell(entry.key.place, "comes-later", here, entry.key.value)
        return ()
    rest = Block(tuple(other for other in block.entries if other is not entry), block.place)
    options = _options(context, name, entry.key.value, rest, path)
    return {"flag": _flag, "set": _set, "email": _email, "task": _task}[name](context, entry, options, path)


def _options(context: Context, action: str, shown: str, rest: Block, path: str) -> dict[str, Entry]:
    if action in OPTIONS:
        return context.entries(rest, OPTIONS[action], path)
    for entry in rest.entries:
        context.tell(entry.key.place, "no-options", f"{path}.{entry.key.value}", entry.key.value, action=shown)
    return {}


def _flag(context: Context, entry: Entry, _: dict[str, Entry], path: str) -> Iterable[Action]:
    name = context.text(entry.value, f"{path}.{entry.key.value}", "flag")
    return () if name is None else (Flag(name),)


def _set(context: Context, entry: Entry, _: dict[str, Entry], path: str) -> Iterable[Action]:
    here = f"{path}.{entry.key.value}"
    if not (block := context.block(entry.value, here, "set")):
        return
    for cell in block.entries:
        column = header_for(context, cell.key.value)
        if not isinstance(cell.value, Text):
            context.wrong_shape(cell.value, f"{here}.{cell.key.value}", "set")
        elif column:
            yield SetCell(column, cell.value.value)


def header_for(context: Context, name: str) -> str:
    """The header as it stands in the sheet; a column that is not there yet is added to it."""
    return next((header for header in context.columns or () if fold(header) == fold(name)), name.strip())


def _email(context: Context, entry: Entry, options: dict[str, Entry], path: str) -> Iterable[Action]:
    here = f"{path}.{entry.key.value}"
    template = context.text(entry.value, here, "template")
    template = None if template is None else template.removesuffix(".md").rpartition("/")[2]
    known = {fold(name): name for name in context.templates or ()}
    if template and fold(template) in known:
        template = known[fold(template)]
    elif template and context.templates is not None:
        context.near(entry.value.place, "unknown-template", here, template, sorted(context.templates))
    spans = {
        name: _span(context, "again" if name == "again" else "wait", options.get(name), path)
        for name in ("wait", "again", "no_later_than")
    }
    if template is None:
        return
    late: dict[str, Any] = {"no_later_than": spans["no_later_than"]} if spans["no_later_than"] else {}
    yield Email(template, spans["wait"], spans["again"], _purpose(context, options.get("purpose"), path), **late)


def _task(context: Context, entry: Entry, options: dict[str, Entry], path: str) -> Iterable[Action]:
    text = context.text(entry.value, f"{path}.{entry.key.value}", "task")
    who = options.get("for")
    assignee = None if who is None else context.text(who.value, f"{path}.{who.key.value}", "name")
    due = _span(context, "due", options.get("due"), path)
    return () if text is None else (Task(text, assignee, due),)


def _span(context: Context, kind: str, entry: Entry | None, path: str) -> Period | None:
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, kind)
    if text is None:
        return None
    language = context.words.language
    phrase = read_phrase(language, kind, text)
    if phrase is not None:
        return cast("Period", phrase.values[0])
    meant = suggest(language, kind, text)
    code = "value-near" if meant else "value"
    context.tell(entry.value.place, code, here, text, field=entry.key.value, expected=kind, suggestion=meant)
    return None


def _purpose(context: Context, entry: Entry | None, path: str) -> Literal["marketing", "service"] | None:
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    shown = [context.words.shown("purpose", name) for name in ("marketing", "service")]
    text = context.text(entry.value, here, ", ".join(f"`{word}`" for word in shown))
    found = None if text is None else context.words.find("purpose", text)
    if text is not None and found is None:
        there = next((name for other in LANGUAGES if (name := vocabulary(other).find("purpose", text))), None)
        if there:
            right = context.words.shown("purpose", there)
            context.tell(entry.value.place, "unknown-value-near", here, text, suggestion=right)
        else:
            context.near(entry.value.place, "unknown-value", here, text, shown)
    return cast("Literal['marketing', 'service'] | None", found)
