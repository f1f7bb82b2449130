"""Who came back, or gave again, since what a journey is around: free sentences, words that are no fields, and periods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import cast

from rules.conditions import Check, Condition, Period
from rules.context import Context
from rules.denied import NOT
from rules.fields import SINCE
from rules.journeys import VISITS, Around, Step
from rules.mistakes import fold
from rules.phrases import Phrase, read_phrase, said, typed, unit_word
from rules.since import leaves_out
from rules.suggestions import suggest
from rules.words import Vocabulary, meant
from rules.yamltext import Entry, Text

BOOKED = re.compile(r"\b(?:re-?)?(?:book|reserv)|\b(?:pris|repris)\b")
CAME = re.compile(r"\b(?:revenu|revien|return)|\b(?:came|come|been|venue?s?|visit(?:ed|s)?|visites?)\b")
GAVE = re.compile(r"\b(?:re-?)?(?:donat(?!eur|ric)|donn)|\b(?:gave|give[ns]?|gifts?|dons?)\b")
AGAIN = re.compile(
    r"\b(?:again|back|another|new|encore|autres?|nouveaux?|nouvelles?)\b|\b[ad]e? nouveau\b|\b(?:revenu|revien|return|redon)"
)
NOT_YET = re.compile(r"\b(?:(?:pas|jamais) encore|encore (?:pas|jamais)) (?!re)")
SINCE_THEN = re.compile(
    r"\b(?:plus|any ?more|no longer|since|then|after|afterwards|later|depuis|apres|ensuite|entre-temps)\b"
)
NEAR = 0.15
"""A period differs so little, of its length, from the time of the step."""
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
ONE, TWO = Decimal(1), Decimal(2)
TRAPS: dict[str, dict[str, str]] = {
    "donation": {"last_donation": "donations_since", "donations": "donations_since"},
    **{kind: {"last_visit": "visits_since", "visits": "visits_since"} for kind in VISITS},
}
"""By anchor, what counts that very visit or gift too, and what is asked instead."""


def booked(language: str, *, nothing: bool = False) -> str:
    """The line that says who has booked, or who has not."""
    known = cast("dict[str, list[str]]", meant(language)["sentences"])
    return {fold(begins): lines for begins, lines in known.items()}["reserv"][nothing]


def tell_again(context: Context, node: Text, path: str) -> bool:
    """Tell `booked again`, `came again`, `s'ils ont redonné` with the lines that say so; whether it is one of them."""
    text = fold(node.value)
    parts = text.replace("'", " ").split()
    if re.search(r"\d|:", text) or any(context.words.find("fields", " ".join(parts[:some])) for some in (1, 2)):
        return False
    denied, out = bool(NOT.search(text)), leaves_out(context, path)
    lines = list(_lines(context, text, denied=denied, out=out))
    if not lines:
        return False
    facts: dict[str, object] = {"first": lines[0], "second": lines[-1], "key": path.rsplit(".", 1)[-1]}
    if len(lines) == 2:
        context.tell(node.place, "sentence-again", path, node.value, **facts)
    else:
        context.tell(node.place, "sentence", path, node.value, suggestion=lines[0])
    return True


def tell_again_key(context: Context, entry: Entry, path: str) -> bool:
    """Tell `came again: yes` and `redonné: non` with the lines that say so; whether it is one of them."""
    value = entry.value.value.strip() if isinstance(entry.value, Text) else ""
    words, text, here = context.words, fold(entry.key.value), f"{path}.{entry.key.value}"
    denied, answer = bool(NOT.search(text)), words.find("yesno", value)
    if answer:
        lines = list(_lines(context, text, denied=denied is not (answer == "no"), out=leaves_out(context, path)))
    else:
        line = _counted(context, text, value, denied=denied)
        lines = [line] if line else []
    if len(lines) == 2:
        facts = {"first": lines[0], "second": lines[1], "key": path.rsplit(".", 1)[-1]}
        context.tell(entry.key.place, "sentence-again", here, entry.key.value, **facts)
    elif lines:
        context.tell(entry.key.place, "unknown-key-near", here, entry.key.value, suggestion=lines[0])
    return bool(lines)


def _counted(context: Context, text: str, value: str, *, denied: bool) -> str | None:
    """`redonné: au moins 2`, in a journey; of a number that is denied nobody knows what is asked: `pas revenu: 2`."""
    name, language = _again(context, text) if context.occasion is not None else None, context.words.language
    if name is None or denied:
        return None
    day = read_phrase(language, "date", value)
    if day is not None and day.op == "never":
        return _since(context.words, name, none=True)
    number = value if read_phrase(language, "number", value) else suggest(language, "number", value)
    return f"{context.words.key('occasion', name)}: {number}" if number else None


def _lines(context: Context, text: str, *, denied: bool, out: bool) -> Iterator[str]:
    """Who came back has nothing booked any more: after a visit it takes both lines to tell who has booked again."""
    books, name = BOOKED.search(text), _again(context, text)
    around_visit = context.around in VISITS
    # those who neither came nor booked, in lines that all hold, or none of which does
    whole = denied is not out and not context.before
    if name and not books and context.occasion is None:  # in a rule it is the second time in all
        yield f"{context.words.key('fields', SINCE[name])}: {_at_least(context.words, TWO, none=denied)}"
    elif name and not books:
        yield _since(context.words, name, none=denied)
    elif books and around_visit and whole:
        yield _since(context.words, "visits_since", none=denied)
    if books and around_visit:
        yield booked(context.words.language, nothing=denied)


def _again(context: Context, text: str) -> str | None:
    """Which of the counts since is meant; outside journeys `since` alone means nothing."""
    so_far = context.occasion is None and NOT_YET.search(text)
    if so_far or not (AGAIN.search(text) or (context.occasion is not None and SINCE_THEN.search(text))):
        return None
    return "donations_since" if GAVE.search(text) else "visits_since" if CAME.search(text) else None


def _since(words: Vocabulary, name: str, *, none: bool) -> str:
    """The line that says who came back since, or who did not."""
    return f"{words.key('occasion', name)}: {_at_least(words, ONE, none=none)}"


def _at_least(words: Vocabulary, least: Decimal, *, none: bool) -> str:
    """So many times, or once less."""
    test = Phrase("is", (least - 1,)) if none else Phrase("at_least", (least,))
    return typed(words.language, "number", test)


# --- what reads well, and asks something else ---------------------------------------------------------------------------


def advise_since(
    context: Context, around: Around, steps: Iterable[Step], shared: tuple[Condition, ...], path: str
) -> None:
    """Advise on steps that count back from their day what came since, and on those that count it before it can be.
    `shared`: what is asked at every step.
    """
    told: set[object] = set()
    for step in steps:
        own = list(checks((*(step.when.items if step.when else ()), *((step.unless,) if step.unless else ()))))
        early = [check for check in own if check.field in SINCE and _too_early(step, check.field)]
        for check in early:
            context.advise(check.place, "since-too-early", path, context.words.key("occasion", check.field))
        for check in (*own, *checks(shared)):
            name = TRAPS.get(around.kind, {}).get(check.field)
            period = _back(check)
            if name and period and check.place not in told and _as_long(period, step):
                told.add(check.place)
                _advise_period(context, check, period, name, path)


def _too_early(step: Step, name: str) -> bool:
    """Whether nothing can count yet: visits do from the next day on, gifts from the very moment."""
    return step.at.sign < 0 or (name == "visits_since" and not step.at.period.count)


def _back(check: Check) -> Period | None:
    """The period that a check looks back over."""
    asked = [check] if check.type == "date" else [check.window.days] if check.window else []
    periods = [one.values[0] for one in asked if one is not None and one.op in {"less_ago", "more_ago"}]
    found = [one for one in periods if isinstance(one, Period)]
    return check.window.within if check.window and check.window.within else next(iter(found), None)


def _as_long(period: Period, step: Step) -> bool:
    """Whether it is about the time that has passed by the step."""
    if step.at.sign < 0 or step.at.period.unit not in DAYS:
        return False
    long, since = (one.count * DAYS.get(one.unit, 0) for one in (period, step.at.period))
    return bool(since) and abs(long - since) <= max(1, NEAR * since)


def _advise_period(context: Context, check: Check, period: Period, name: str, path: str) -> None:
    words = context.words
    none = check.op == "more_ago" if check.type == "date" else _one_at_most(check)
    length = f"{period.count} {unit_word(words.language, period)}"
    window = f"{{…, {words.key('window', 'within')}: {length}}}"
    shown = said(words.language, replace(check, window=None)) if check.type == "date" else window
    found = f"{words.key('fields', check.field)}: {shown}"
    code = "since-counted-back-gift" if name == "donations_since" else "since-counted-back"
    context.advise(check.place, code, path, found, line=_since(context.words, name, none=none))


def _one_at_most(check: Check) -> bool:
    """Whether the count leaves no room for a second one."""
    most = check.values[-1] if check.op in {"is", "at_most", "less", "between"} else None
    return isinstance(most, Decimal) and most <= (TWO if check.op == "less" else ONE)


def checks(items: Iterable[Condition]) -> Iterator[Check]:
    """Every test among these conditions and below them."""
    for item in items:
        match item:
            case Check():
                yield item
            case _:
                yield from checks(getattr(item, "items", ()))
