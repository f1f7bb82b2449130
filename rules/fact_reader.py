"""What an example says of its person: `visits: 5`, `last_visit: 2 years ago`."""

from __future__ import annotations

from rules.conditions import SHEET, Fact
from rules.context import Context
from rules.fields import EVERY, FIELDS, FieldType
from rules.phrases import read_fact_date, read_number, read_phrase
from rules.window_reader import read_deeds
from rules.windows import OPTIONS, SUMS
from rules.yamltext import Entry, Items, Text


def read_fact(context: Context, name: str, entry: Entry, path: str) -> tuple[Fact] | None:  # noqa: C901  one case a type
    """What an example says of a person; None when it is told as a mistake."""
    language, node = context.words.language, entry.value
    kind: FieldType = EVERY[name].type if name in EVERY else "text"
    if isinstance(node, Items) and name in OPTIONS:
        deeds = read_deeds(context, name, entry.key.value, node, path)
        return None if deeds is None else (deeds,)
    if isinstance(node, Items) and kind == "tags":
        return (tuple(item.value for item in node.items if isinstance(item, Text)),)
    wanted = (
        "deeds"
        if name in OPTIONS and name not in SUMS
        else "fact_number"
        if kind in {"number", "money"}
        else f"fact_{kind}"
    )
    wanted = "yesno" if kind == "yesno" else wanted
    text = context.text(node, path, wanted if kind in {"number", "money"} else "name")
    if text is None:
        return None
    never = read_phrase(language, "date", text)
    if never and never.op == "never":
        return (None,)
    fact: Fact = None
    match kind:
        case "date":
            fact = read_fact_date(language, text, never)
        case "number" | "money":
            fact = read_number(language, text)
        case "choice":
            fact = context.words.find("choices", text)
        case "tags":
            fact = (text,)
        case "yesno":
            fact = _yes_or_no(context, text)
        case _:
            fact = _sheet_fact(context, name, text)
    if fact is None:
        context.tell(node.place, "value", path, text, field=entry.key.value, expected=_expected(context, wanted, name))
        return None
    return (fact,)


def _yes_or_no(context: Context, text: str) -> bool | None:
    found = context.words.find("yesno", text)
    return None if found is None else found == "yes"


def _expected(context: Context, code: str, name: str) -> str:
    if code == "fact_choice":
        return ", ".join(f"`{context.words.shown('choices', choice)}`" for choice in FIELDS[name].choices)
    return code


def _sheet_fact(context: Context, name: str, text: str) -> Fact:
    """A cell as the sheet would give it: yes and no as such, dates as days, numbers as numbers."""
    if not name.startswith(SHEET):
        return text
    if answer := context.words.find("yesno", text):
        return answer == "yes"
    phrase = read_phrase(context.words.language, "date", text)
    day = read_fact_date(context.words.language, text, phrase)
    number = read_number(context.words.language, text)
    if day is not None:
        return day
    return number if number is not None and not text.startswith("0") else text
