"""The lines below an action that say how: `wait:` below an e-mail, `due:` below a task. Those of another action are told."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from rules.conditions import Period
from rules.context import Context
from rules.misread import ONCE, tell_once
from rules.mistakes import fold
from rules.phrases import Phrase, read_phrase, typed
from rules.suggestions import suggest
from rules.until import tell_until
from rules.yamltext import Block, Entry, Text

OPTIONS = {
    "email": ("option_email",),
    "task": ("option_task",),
    "newsletter": ("option_newsletter",),
    "webhook": ("option_webhook",),
}
SOME_TIME = Period(3, "week")  # an example, where none can be read


def read_options(context: Context, action: str, shown: str, rest: Block, path: str) -> dict[str, Entry]:
    """The options of an action by canonical key; `shown` is its word, `rest` the lines below it."""
    own, kept = OPTIONS.get(action, ()), list[Entry]()
    for entry in rest.entries:
        here, key = f"{path}.{entry.key.value}", entry.key
        if action == "email" and _is_once(context, entry):
            tell_once(context, key.place, here, key.value)
        elif tell_until(context, entry, (action, shown), here):
            continue
        elif context.find(own, key.value) or (own and context.words.meant(own, key.value)):
            kept.append(entry)
        elif of := [name for name, sections in OPTIONS.items() if context.find(sections, key.value)]:
            _tell_of_another(context, (action, shown), of, entry, here)
        elif own:
            kept.append(entry)
        else:
            context.tell(key.place, "no-options", here, key.value, action=shown)
    return context.entries(replace(rest, entries=tuple(kept)), own, path)


def _is_once(context: Context, entry: Entry) -> bool:
    """`once: yes`, which `again: never` says."""
    yes = isinstance(entry.value, Text) and context.words.find("yesno", entry.value.value) == "yes"
    return yes and fold(entry.key.value) in ONCE


def _tell_of_another(context: Context, action: tuple[str, str], of: list[str], entry: Entry, path: str) -> None:
    """Tell an option of another action, and what says the meant thing where it was to wait or to come again."""
    words, key, (name, shown) = context.words, entry.key, action
    option = words.find("option_email", key.value)
    if option == "wait":
        time = _length(context, entry)
        due = typed(words.language, "due", Phrase("due", (time,)))
        facts = {
            "due": f"{words.key('option_task', 'due')}: {due}",
            "later": f"- {words.key('step', 'at')}: {typed(words.language, 'at', Phrase('after', (time,)))}",
            "email": words.key("action", "email"),
        }
        code = "wait-of-email-task" if name == "task" else "wait-of-email"
        context.tell(key.place, code, path, key.value, action=shown, **facts)
    elif option == "again":
        context.tell(key.place, "again-of-email", path, key.value, action=shown, email=words.key("action", "email"))
    else:
        belongs = ", ".join(f"`{words.key('action', one)}`" for one in of)
        context.tell(key.place, "option-of", path, key.value, action=shown, of=belongs)


def _length(context: Context, entry: Entry) -> Period:
    """How long somebody wants to wait."""
    text, language = entry.value.value if isinstance(entry.value, Text) else "", context.words.language
    phrase = read_phrase(language, "wait", text)
    if phrase is None and (meant := suggest(language, "wait", text)):
        phrase = read_phrase(language, "wait", meant)
    return cast("Period", phrase.values[0]) if phrase else SOME_TIME
