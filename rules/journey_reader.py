"""`journeys:` as canonical journeys: what they are around, and their steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from rules.action_reader import read_action
from rules.again import advise_since
from rules.around_visits import advise_visits
from rules.condition_reader import read_all
from rules.conditions import Action, AllOf, Email, NoneOf, Period, SetCell, Shift
from rules.context import Context
from rules.fields import OCCASION
from rules.journeys import DAYS_ONLY, DEFAULT_LATEST, EXACT, AnchorKind, Around, Step, asked_of, lasting_name
from rules.misread import Misread, tell_misread
from rules.mistakes import fold
from rules.nobody_left import tell_nobody_left
from rules.options import OPTIONS as BY_ACTION
from rules.phrases import Phrase, read_period, read_phrase, typed
from rules.step_times import THE_SAME_DAY, advise_due
from rules.suggestions import suggest
from rules.until import tell_until_step
from rules.words import meant
from rules.yamltext import Block, Entry, Items, Node, Text

OPTIONS = ("option_email", "option_task")
EVERY_OPTION = tuple(dict.fromkeys(section for sections in BY_ACTION.values() for section in sections))


@dataclass(frozen=True)
class Course:
    """What is a journey's own, beside its name."""

    around: Around
    steps: tuple[Step, ...]
    when: AllOf | None
    unless: NoneOf | None
    stop: AllOf | None


def read_course(context: Context, entries: dict[str, Entry], block: Block, path: str, name: str) -> Course:
    """What a journey is around, its steps and conditions. Mistakes are told."""
    around = _around(context, entries.get("around"), block, path, name)
    context.occasion = frozenset(OCCASION) if around is None else asked_of(around.kind)
    context.around = None if around is None else around.kind
    try:
        when, unless = _conditions(context, entries, path)
        stop = _all_of(context, entries.get("stop_when"), path)
        late = read_length(context, entries.get("no_later_than"), path) or DEFAULT_LATEST
        steps = _steps(context, entries.get("steps"), block, path, name, late, when)
    finally:
        context.occasion = context.around = None
    if around is not None:
        shared = (*(when.items if when else ()), *((unless,) if unless else ()))
        advise_visits(context, around, steps, shared, stop, path)
        advise_since(context, around, steps, shared, path)
    if around is not None and around.kind in DAYS_ONLY:
        _told_by_days(context, entries.get("steps"), steps, path)
    return Course(around or Around("ticket"), steps, when, unless, stop)


def _conditions(
    context: Context, entries: dict[str, Entry], path: str, known: AllOf | None = None
) -> tuple[AllOf | None, NoneOf | None]:
    """What stands below `when` and `unless`; `known`: what the journey asks at every step."""
    unless = entries.get("unless")
    out = () if unless is None else read_all(context, unless.value, f"{path}.{unless.key.value}")
    when = _all_of(context, entries.get("when"), path)
    tell_nobody_left(context, when.items if when else (), out, path, known.items if known else ())
    return when, NoneOf(out) if out else None


def _all_of(context: Context, entry: Entry | None, path: str) -> AllOf | None:
    found = () if entry is None else read_all(context, entry.value, f"{path}.{entry.key.value}")
    return AllOf(found) if found else None


# --- what it is around -----------------------------------------------------------------------------------------------


def _around(context: Context, entry: Entry | None, block: Block, path: str, name: str) -> Around | None:
    if entry is None:
        context.tell(block.place, "missing-around", path, name, expected="around")
        return None
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "around")
    if text is None:
        return None
    phrase = read_phrase(context.words.language, "around", text)
    if phrase is not None:
        return Around(cast("AnchorKind", phrase.op), str(phrase.values[0]) if phrase.values else "")
    _no_phrase(context, "around", entry, here, text)
    return None


def _no_phrase(context: Context, kind: str, entry: Entry, path: str, text: str) -> None:
    """Tell a text that is no phrase of this kind, with the one that was probably meant."""
    language = context.words.language
    if kind == "around" and (both := _with_amount(context, text)):
        context.tell(entry.value.place, "around-more", path, text, first=both[0], line=both[1])
        return
    words = {fold(word): right for word, right in meant(language)[kind].items()} if kind in meant(language) else {}
    right = (
        words.get(fold(text))
        or _begun(words, language, kind, text)
        or _with_its_key(language, kind, entry, text)
        or suggest(language, kind, text)
    )
    tell_misread(context, Misread(entry.value.place, path, text, entry.key.value, kind, kind, "value", right))


OF = re.compile(r"(?:(?:of|worth|de|avec|with)\s+|d')")


def _with_amount(context: Context, text: str) -> tuple[str, str] | None:
    """`each gift of 100 or more` as what it is around, and the line that says which."""
    parts, language = fold(text).split(), context.words.language
    for cut in range(1, len(parts)):
        head, rest = " ".join(parts[:cut]), OF.sub("", " ".join(parts[cut:]), count=1)
        known = {fold(word): right for word, right in meant(language)["around"].items()}
        phrase = read_phrase(language, "around", known.get(head, head))
        number = rest if read_phrase(language, "number", rest) else suggest(language, "number", rest)
        if phrase is None or phrase.op != "donation" or number is None:
            continue
        if (exact := read_phrase(language, "number", number)) and exact.op == "is":
            number = typed(language, "number", replace(exact, op="at_least"))  # a gift of 100: of 100 or more
        return typed(language, "around", phrase), f"{context.words.key('occasion', 'amount')}: {number}"
    return None


def _begun(words: Mapping[str, str], language: str, kind: str, text: str) -> str | None:
    """`la veille au soir`, `chaque spectacle de danse`: what the first words of a text mean."""
    parts = fold(text).split()
    for some in range(len(parts) - 1, 1, -1):
        head = " ".join(parts[:some])
        if head in words:
            return words[head]
        if phrase := read_phrase(language, kind, head):
            return typed(language, kind, phrase)
    return None


def _with_its_key(language: str, kind: str, entry: Entry, text: str) -> str | None:
    """`after: 1 day` as `1 day after`, and a bare period too: a step that says neither comes after."""
    period = read_period(language, text) if kind == "at" else None
    if period is None or not period.count:
        return None
    return typed(language, kind, read_phrase(language, kind, f"{text} {entry.key.value}") or Phrase("after", (period,)))


# --- steps -----------------------------------------------------------------------------------------------------------


def _steps(
    context: Context, entry: Entry | None, block: Block, path: str, name: str, late: Period, known: AllOf | None
) -> tuple[Step, ...]:
    if entry is None:
        if not context.misplaced:
            context.tell(block.place, "missing-steps", path, name, expected="steps")
        return ()
    here = f"{path}.{entry.key.value}"
    items = entry.value.items if isinstance(entry.value, Items) else ()
    if not items:
        context.wrong_shape(entry.value, here, "steps")
    found: list[Step] = []
    for n, item in enumerate(items, 1):
        if (one := context.block(item, f"{here}[{n}]", "steps")) is not None:
            found += _step(context, one, f"{here}[{n}]", late, [step.name for step in found], known)
    return tuple(found)


def _step(
    context: Context, block: Block, path: str, late: Period, before: list[str], known: AllOf | None
) -> Iterable[Step]:
    told = len(context.mistakes)
    entries, rest = _parted(context, block, path)
    if "at" not in entries and (time := _time_as_condition(context, entries.get("when"))):
        line = f"{context.words.key('step', 'at')}: {time}"
        context.tell(
            entries["when"].key.place, "time-not-condition", path, entries.pop("when").key.value, suggestion=line
        )
    at = read_at(context, entries["at"], path) if "at" in entries else None
    if "at" not in entries and len(context.mistakes) == told:
        context.tell(block.place, "missing-at", path, expected="at")
    context.before = at is not None and at.sign < 0
    when, unless = _conditions(context, entries, path, known)
    context.before = False
    last = read_length(context, entries.get("no_later_than"), path) or late
    action = _action(context, rest, block, path, silent=len(context.mistakes) > told)
    if isinstance(action, Email):
        action = replace(action, no_later_than=last)
    if at is not None and action is not None:
        late_place = entries["no_later_than"].value.place if "no_later_than" in entries else block.place
        step = Step(lasting_name(action, before), at, action, when, unless, last, block.place, late_place)
        advise_due(context, step, rest, path)
        yield step


def _time_as_condition(context: Context, when: Entry | None) -> str | None:
    """The time in `quand: 1 semaine après`, which is no condition."""
    if when is None or not isinstance(when.value, Text) or not when.value.value.strip():
        return None
    text, language = when.value.value.strip(), context.words.language
    return text if read_phrase(language, "at", text) else suggest(language, "at", text)


def _parted(context: Context, block: Block, path: str) -> tuple[dict[str, Entry], Block]:
    """The lines that say when a step is, by canonical key, and those that say what it does."""
    own: dict[str, Entry] = {}
    rest: list[Entry] = []
    sections = ("action", *_options(context, block))
    for entry in block.again:
        if context.words.find("action", entry.key.value):
            key = entry.key
            context.tell(key.place, "two-actions-step", f"{path}.{key.value}", key.value, first=key.value)
    for entry in [one for one in block.entries if not tell_until_step(context, one, block, path)]:
        name = context.words.find("step", entry.key.value)
        if name in own:
            first = own[name].key.place.line
            context.tell(entry.key.place, "duplicate-key", path, entry.key.value, first=first)
        elif name is not None:
            own[name] = entry
        elif context.find(sections, entry.key.value):
            rest.append(entry)
        elif at := _short(context, entry, path):
            own.setdefault("at", at)
        else:
            meant = context.line_meant(entry, ("step", *sections), path)
            name = context.words.find("step", meant.key.value) if meant else None
            if meant and name:
                own.setdefault(name, meant)
            elif meant:
                rest.append(meant)
    return own, Block(tuple(rest), block.place)


def _short(context: Context, entry: Entry, path: str) -> Entry | None:
    """Tell `3 jours avant: rappel`, a step on one line; gives the line that says when."""
    words, key = context.words, entry.key
    at = key.value.strip() if read_phrase(words.language, "at", key.value) else None
    if at is None and re.search(r"\d", key.value):
        at = suggest(words.language, "at", key.value)
    if at is None:
        return None
    shown, below, here = words.key("step", "at"), entry.value, f"{path}.{key.value}"
    if isinstance(below, Block) and below.entries and isinstance(below.entries[0].value, Text):
        second = f"{below.entries[0].key.value}: {below.entries[0].value.value}"
    else:
        text = _text(below)
        second = f"{words.key('action', 'email')}: {'…' if ' ' in text else text}" if text else ""
    if second:
        context.tell(key.place, "step-short", here, key.value, first=f"- {shown}: {at}", second=second)
    else:
        context.tell(key.place, "unknown-key-near", here, key.value, suggestion=f"{shown}: {at}")
    return replace(entry, key=replace(key, value=shown), value=replace(key, value=at))


def _options(context: Context, block: Block) -> Iterable[str]:
    """The sections of options that may be meant in a step: where no time is told yet, `in: 3 days` is one."""
    keys = [entry.key.value for entry in block.entries]
    if any(context.words.find("step", key) == "at" for key in keys):
        return EVERY_OPTION
    actions = {context.words.find("action", key) or "" for key in keys}
    return [one for one in EVERY_OPTION if one in OPTIONS or any(one in BY_ACTION.get(each, ()) for each in actions)]


def _action(context: Context, rest: Block, block: Block, path: str, *, silent: bool) -> Action | None:
    waits = [
        entry for entry in rest.entries if context.words.find("option_email", entry.key.value) in {"wait", "again"}
    ]
    for entry in waits:
        context.tell(entry.key.place, "step-has-its-time", f"{path}.{entry.key.value}", entry.key.value)
    rest = Block(tuple(entry for entry in rest.entries if entry not in waits), rest.place)
    if not any(context.words.find("action", entry.key.value) for entry in rest.entries):
        if not silent and not waits:
            context.tell(block.place, "missing-action", path, expected="step_action")
        return None
    found = list(read_action(context, rest, path, "two-actions-step"))
    if len(found) > 1:
        key = next(entry.key for entry in rest.entries if context.words.find("action", entry.key.value))
        code = "step-one-column" if isinstance(found[0], SetCell) else "step-one-tag"
        context.tell(key.place, code, f"{path}.{key.value}", key.value)
    return found[0] if len(found) == 1 else None


def read_at(context: Context, entry: Entry, path: str) -> Shift | None:
    """`3 days before`, `the same day`; None when it is told as a mistake."""
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "at")
    if text is None:
        return None
    match read_phrase(context.words.language, "at", text):
        case Phrase(op="before", values=(Period() as period,)):
            return Shift(-1, period)
        case Phrase(op="after", values=(Period() as period,)):
            return Shift(+1, period)
        case Phrase(op="same"):
            return Shift(+1, Period(0, "day"))
        case Phrase(op="day_before" | "day_after" as op):
            return Shift(-1 if op == "day_before" else +1, Period(1, "day"))
    _no_phrase(context, "at", entry, here, text)
    return None


def read_length(context: Context, entry: Entry | None, path: str) -> Period | None:
    """The time after which a step is too late; None: none is told, or it is told as a mistake."""
    if entry is None:
        return None
    here = f"{path}.{entry.key.value}"
    text = context.text(entry.value, here, "latest")
    if text is None:
        return None
    match read_phrase(context.words.language, "latest", text):
        case Phrase(op="same"):
            return THE_SAME_DAY
        case Phrase(values=(Period() as period,)):
            return period
    words = {fold(word): right for word, right in meant(context.words.language)["latest"].items()}
    right = words.get(fold(text)) or suggest(context.words.language, "latest", text)
    one = Misread(entry.value.place, here, text, entry.key.value, "latest", "latest", "value", right)
    tell_misread(context, one)
    return None


def _told_by_days(context: Context, entry: Entry | None, steps: tuple[Step, ...], path: str) -> None:
    """A birthday has no hour from which minutes could be counted."""
    items = {item.place: item for item in entry.value.items} if entry and isinstance(entry.value, Items) else {}
    for step in steps:
        if step.at.period.unit in EXACT and isinstance(block := items.get(step.place), Block):
            named = (line for line in block.entries if context.words.find("step", line.key.value) == "at")
            at = next(named, block.entries[0])  # the word for it may be misspelled, and is told
            found = at.value.value if isinstance(at.value, Text) else ""
            context.tell(at.value.place, "step-day-only", path, found, expected="at_days")


def at_said(language: str, at: Shift) -> str:
    """`3 days before`, as somebody would type it."""
    if not at.period.count:
        return typed(language, "at", Phrase("same"))
    return typed(language, "at", Phrase("before" if at.sign < 0 else "after", (at.period,)))


def around_said(language: str, around: Around) -> str:
    """`each ticket`, `flag To follow up`."""
    return typed(language, "around", Phrase(around.kind, (around.flag,) if around.flag else ()))


def read_example_at(context: Context, entry: Entry | None, path: str, steps: Iterable[Step]) -> Shift | None:
    """Of which step an example speaks; told when there is none at that time."""
    at = None if entry is None else read_at(context, entry, path)
    known = {at_said(context.words.language, step.at) for step in steps}
    if entry is not None and at is not None and known and at_said(context.words.language, at) not in known:
        found = _text(entry.value)
        context.near(entry.value.place, "unknown-value", f"{path}.{entry.key.value}", found, sorted(known))
    return at


def _text(node: Node) -> str:
    return node.value.strip() if isinstance(node, Text) else ""
