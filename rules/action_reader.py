"""`then:` as canonical actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Literal, cast

from rules.conditions import (
    Action,
    Email,
    Flag,
    Forget,
    Newsletter,
    Notify,
    Period,
    Review,
    SetCell,
    Task,
    Webhook,
)
from rules.context import Context
from rules.misread import Misread, tell_misread
from rules.mistakes import Place, fold, nearest
from rules.options import read_options
from rules.phrases import Phrase, number_word, read_phrase, typed
from rules.suggestions import suggest
from rules.twice import tell_actions_twice
from rules.words import LANGUAGES, vocabulary
from rules.yamltext import Block, Entry, Items, Node, Text

PAIR = re.compile(r"([^=→:]+?)\s*(?:=|→|->)\s*(.+)")  # `Priorité = Haute`
ADDRESS = re.compile(r"\S+@\S+\.\S+")
A_NAME = re.compile(r"[A-ZÀ-Ý][a-zà-ÿ][\w'’-]*(?: [A-ZÀ-Ý][a-zà-ÿ][\w'’-]*)?")  # `Marie`, `Marie Le-Bris`
MOST_A_DAY = 500  # lines that the tab has room for


def read_actions(context: Context, node: Node, path: str) -> tuple[Action, ...]:
    """The actions of a rule. One action may stand without a dash."""
    if isinstance(node, Block) and node.entries:
        tell_actions_twice(context, node, path)
        return tuple(read_action(context, node, path))
    if not isinstance(node, Items) or not node.items:
        context.wrong_shape(node, path, "then")
        return ()
    found: list[Action] = []
    for n, item in enumerate(node.items, 1):
        if isinstance(item, Text) and _is_tight(context, item.value):
            right = item.value.replace(":", ": ", 1)
            context.tell(item.place, "no-space-after-colon", f"{path}[{n}]", item.value, suggestion=right)
        elif block := context.block(item, f"{path}[{n}]", "action"):
            found += read_action(context, block, f"{path}[{n}]")
    return tuple(found)


def _is_tight(context: Context, text: str) -> bool:
    head, colon, _ = text.partition(":")
    return bool(colon) and context.words.find("action", head) is not None


def read_action(context: Context, block: Block, path: str, several: str = "two-actions") -> Iterable[Action]:
    """The action in a block of lines, with its options; none when a mistake in it is told: `several` where there are two."""
    named = [(name, entry) for entry in block.entries if (name := context.words.find("action", entry.key.value))]
    if not named:
        _tell_unknown(context, block, path)
        return ()
    name, entry = named[0]
    if len(named) > 1:
        context.tell(named[1][1].key.place, several, path, named[1][1].key.value, first=entry.key.value)
        return ()
    rest = Block(tuple(other for other in block.entries if other is not entry), block.place)
    options = read_options(context, name, entry.key.value, rest, path)
    return READERS[name](context, entry, options, path)


def _tell_unknown(context: Context, block: Block, path: str) -> None:
    """Tell an action that there is not, and what else can be mended in its lines."""
    meant = context.line_meant(block.entries[0], ("action",), path) if block.entries else None
    told = len(context.mistakes)
    if meant:
        list(read_action(context, Block((meant, *block.entries[1:]), block.place), path))
        context.keep_cured(told)


def _one_each(context: Context, entry: Entry, path: str) -> bool:
    """Tell `signaler: [A, B]` and `courriel: a, b`: an action takes one, and each has a line of its own."""
    value, here = entry.value, f"{path}.{entry.key.value}"
    names = [item.value.strip() for item in value.items if isinstance(item, Text)] if isinstance(value, Items) else []
    if isinstance(value, Text) and context.words.find("action", entry.key.value) == "email":
        names = [name for name in re.split(r"\s*,\s*|\s+(?:et|and)\s+", value.value.strip()) if name]
        known = {fold(name) for name in context.templates or ()}
        names = names if any(fold(name) in known for name in names) else []
    if len(names) < 2:
        return False
    lines = [f"- {entry.key.value}: {name}" for name in names[:2]]
    context.tell(value.place, "one-each", here, ", ".join(names), first=lines[0], second=lines[1])
    return True


def _text_to_read(context: Context, entry: Entry, path: str, kind: str) -> str | None:
    """What people will read; `oui` would tell nobody anything."""
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, kind)
    if text is None or not context.words.find("yesno", text):
        return text
    context.tell(entry.value.place, "answer-for-text", here, text, expected=kind)
    return None


def _flag(context: Context, entry: Entry, _: dict[str, Entry], path: str) -> Iterable[Action]:
    if _one_each(context, entry, path):
        return ()
    name = _text_to_read(context, entry, path, "flag")
    return () if name is None else (Flag(name),)


def _set(context: Context, entry: Entry, _: dict[str, Entry], path: str) -> Iterable[Action]:
    here = f"{path}.{entry.key.value}"
    if isinstance(entry.value, Text) and (pair := PAIR.fullmatch(entry.value.value.strip())):
        right = f"{{{pair[1]}: {pair[2]}}}"
        context.tell(entry.value.place, "value-near", here, entry.value.value, field=entry.key.value, suggestion=right)
        return
    if not (block := context.block(entry.value, here, "set")):
        return
    for cell in block.entries:
        column = header_for(context, cell.key.value)
        if not isinstance(cell.value, Text):
            context.wrong_shape(cell.value, f"{here}.{cell.key.value}", "set")
        elif column:
            _tell_new_column(context, cell.key, column, here)
            yield SetCell(column, cell.value.value)


def _tell_new_column(context: Context, key: Text, column: str, path: str) -> None:
    """A header that is misspelled would be another column in the team's sheet."""
    own = context.own or ()
    if fold(column) not in {fold(header) for header in own} and (meant := nearest(column, own)):
        context.advise(key.place, "new-column-near", f"{path}.{key.value}", key.value, suggestion=meant)


def header_for(context: Context, name: str) -> str:
    """The header as it stands in the sheet; a column that is not there yet is added to it."""
    return next((header for header in context.columns or () if fold(header) == fold(name)), name.strip())


def _email(context: Context, entry: Entry, options: dict[str, Entry], path: str) -> Iterable[Action]:
    here = f"{path}.{entry.key.value}"
    if _one_each(context, entry, path):
        return
    template = context.text(entry.value, here, "template")
    template = None if template is None else template.removesuffix(".md").rpartition("/")[2]
    known = {fold(name): name for name in context.templates or ()}
    if template and fold(template) in known:
        template = known[fold(template)]
    elif template and context.templates is not None:
        context.near(entry.value.place, "unknown-template", here, template, sorted(context.templates))
    spans = {name: _span(context, "wait", options.get(name), path) for name in ("wait", "no_later_than")}
    again = _phrase(context, "again", options.get("again"), path)
    if template is None:
        return
    late: dict[str, Any] = {"no_later_than": spans["no_later_than"]} if spans["no_later_than"] else {}
    late |= {"once": True} if again and again.op == "never" else {}
    after = cast("Period", again.values[0]) if again and again.values else None
    yield Email(template, spans["wait"], after, _purpose(context, options.get("purpose"), path), **late)


def _task(context: Context, entry: Entry, options: dict[str, Entry], path: str) -> Iterable[Action]:
    text = _text_to_read(context, entry, path, "task")
    who = options.get("for")
    assignee = None if who is None else context.text(who.value, f"{path}.{who.key.value}", "name")
    due = _span(context, "due", options.get("due"), path)
    return () if text is None else (Task(text, assignee, due),)


def _span(context: Context, kind: str, entry: Entry | None, path: str) -> Period | None:
    phrase = _phrase(context, kind, entry, path)
    return None if phrase is None else cast("Period", phrase.values[0])


def _phrase(context: Context, kind: str, entry: Entry | None, path: str) -> Phrase | None:
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, kind)
    if text is None:
        return None
    language = context.words.language
    phrase = read_phrase(language, kind, text)
    if phrase is not None:
        return phrase
    meant, shown = suggest(language, kind, text), entry.key.value
    tell_misread(context, Misread(entry.value.place, here, text, shown, kind, kind, "value", meant))
    return None


def _purpose(context: Context, entry: Entry | None, path: str) -> Literal["marketing", "service"] | None:
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    shown = [context.words.shown("purpose", name) for name in ("marketing", "service")]
    text = context.text(entry.value, here, ", ".join(f"`{word}`" for word in shown))
    found = None if text is None else context.words.find("purpose", text)
    if text is not None and found is None:
        not_among(context, "purpose", shown, text, entry.value.place, here)
    return cast("Literal['marketing', 'service'] | None", found)


def not_among(context: Context, section: str, shown: list[str], text: str, place: Place, path: str) -> None:
    """Tell a word that is none of a section's: the other language's, misspelled, or unknown."""
    there = next((name for other in LANGUAGES if (name := vocabulary(other).find(section, text))), None)
    if right := context.words.shown(section, there) if there else context.words.meant((section,), text):
        context.tell(place, "unknown-value-near", path, text, suggestion=right)
    else:
        context.near(place, "unknown-value", path, text, shown)


def _notify(context: Context, entry: Entry, _: dict[str, Entry], path: str) -> Iterable[Action]:
    text = _text_to_read(context, entry, path, "notify")
    if text is not None and ADDRESS.fullmatch(text):
        context.tell(entry.value.place, "notify-whom", path, text, field=entry.key.value, expected="notify")
        return ()
    if context.outside is not None and not context.outside.staff:
        context.tell(entry.key.place, "notify-nobody", path, entry.key.value)
    elif text is not None and A_NAME.fullmatch(text):
        known = ", ".join(f"`{one}`" for one in context.outside.staff) if context.outside else "…"
        context.advise(
            entry.value.place, "notify-name", path, text, told=known, field=entry.key.value, expected="notify"
        )
    return () if text is None else (Notify(text),)


def _webhook(context: Context, entry: Entry, options: dict[str, Entry], path: str) -> Iterable[Action]:
    here = f"{path}.{entry.key.value}"
    name = context.text(entry.value, here, "webhook")
    if name is not None and context.outside is not None:
        name = _named(context, "webhook", sorted(context.outside.webhooks), name, entry.value.place, here)
    fields = _several(context, options.get("fields"), "webhook_fields", path)
    found = [(text, place, context.words.find("fields", text)) for text, place in fields]
    for text, place, field in found:
        if field is None:
            context.near(place, "unknown-value", f"{path}.{text}", text, context.words.all("fields"))
    return () if name is None else (Webhook(name, tuple(field for _, _, field in found if field)),)


def _named(context: Context, kind: str, known: list[str], name: str, place: Place, path: str) -> str:
    """A name as the config has it; letter case and accents apart. Told where there is none such."""
    there = next((one for one in known if fold(one) == fold(name)), None)
    if there is None:
        context.near(place, f"unknown-{kind}", path, name, known)
    return there or name


def _several(context: Context, entry: Entry | None, expected: str, path: str) -> list[tuple[str, Place]]:
    """One text, or a list of them, each with its place."""
    if entry is None:
        return []
    here = f"{path}.{entry.key.value}"
    nodes = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
    texts = [(context.text(node, here, expected), node.place) for node in nodes]
    return [(text, place) for text, place in texts if text is not None]


def _newsletter(context: Context, entry: Entry, options: dict[str, Entry], path: str) -> Iterable[Action]:
    here = f"{path}.{entry.key.value}"
    source = _source(context, entry, options.get("source"), path)
    if isinstance(entry.value, Block) and entry.value.entries:
        for name, line in context.entries(entry.value, ("change",), here).items():
            if name in TAGGED:
                change = cast("Literal['add_tag', 'remove_tag']", name)
                yield from (Newsletter(change, tag, source) for tag, _ in _several(context, line, "tag", here))
            else:
                context.tell(line.key.place, "not-a-text-here", here, line.key.value, expected="newsletter")
        return
    text = context.text(entry.value, here, "newsletter")
    plain = None if text is None else context.words.find("change", text)
    if plain in TAGGED:
        context.tell(entry.value.place, "no-value", here, text or "", expected="newsletter")
    elif plain is not None:
        yield Newsletter(cast("Literal['subscribe', 'unsubscribe']", plain), None, source)
    elif text is not None:
        known = [context.words.key("change", name) for name in ("subscribe", "unsubscribe")]
        not_among(context, "change", known, text, entry.value.place, here)


def _source(context: Context, entry: Entry, option: Entry | None, path: str) -> str | None:
    """The newsletter that an action names; told where the config has none of that name, or several."""
    known = None if context.outside is None else sorted(context.outside.newsletters)
    name = None if option is None else context.text(option.value, f"{path}.{option.key.value}", "source")
    if known is None:
        return name
    if not known:
        context.tell(entry.key.place, "unknown-newsletter-none", path, entry.key.value)
    elif option is None and len(known) > 1:
        shown, word = ", ".join(f"`{one}`" for one in known), context.words.key("option_newsletter", "source")
        context.tell(entry.key.place, "which-newsletter", path, entry.key.value, expected=shown, option=word)
    elif option is not None and name is not None:
        name = _named(context, "newsletter", known, name, option.value.place, path)
    return name


def _review(context: Context, entry: Entry, _: dict[str, Entry], path: str) -> Iterable[Action]:
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "review")
    if text is None:
        return
    language = context.words.language
    phrase = read_phrase(language, "review", text)
    if phrase is None:
        meant = suggest(language, "review", text)
        code = "value-near" if meant else "value"
        context.tell(entry.value.place, code, here, text, field=entry.key.value, expected="review", suggestion=meant)
        return
    count = cast("Decimal", phrase.values[0])
    if count != count.to_integral_value() or not 1 <= count <= MOST_A_DAY:
        context.tell(entry.value.place, "review-count", here, number_word(language, count), most=MOST_A_DAY)
    else:
        yield Review(int(count))


def _forget(context: Context, entry: Entry, _: dict[str, Entry], path: str) -> Iterable[Action]:
    reason = _text_to_read(context, entry, path, "forget")
    if reason is not None and (span := _time_alone(context, reason)):
        day = context.words.key("fields", "last_activity")
        long_ago = typed(context.words.language, "date", Phrase("more_ago", (span,)))
        line = f"{day}: {long_ago}"
        context.tell(
            entry.value.place, "forget-when", path, reason, field=entry.key.value, expected="forget", line=line
        )
        return ()
    return () if reason is None else (Forget(reason),)


def _time_alone(context: Context, text: str) -> Period | None:
    """The length of time that a text is, and nothing more: `3 ans`, `après 3 ans`, `depuis plus de 3 ans`."""
    language = context.words.language
    phrases = [read_phrase(language, kind, text) for kind in ("wait", "again", "due", "date")]
    return next((one for phrase in phrases if phrase for one in phrase.values if isinstance(one, Period)), None)


TAGGED = frozenset({"add_tag", "remove_tag"})
READERS: dict[str, Callable[[Context, Entry, dict[str, Entry], str], Iterable[Action]]] = {
    "flag": _flag,
    "set": _set,
    "email": _email,
    "task": _task,
    "newsletter": _newsletter,
    "notify": _notify,
    "review": _review,
    "webhook": _webhook,
    "forget": _forget,
}
