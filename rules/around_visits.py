"""Visits around a visit: who has booked since, and who comes for the first time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from rules.again import booked, checks
from rules.conditions import AllOf, AnyOf, Check, Condition, NoneOf, Period, Shift, Value
from rules.context import Context
from rules.journeys import EXACT, VISITS, Around, Step
from rules.phrases import Phrase, typed

LATER = {"visits", "visits_since", "last_visit", "last_activity", "tickets", "purchases"}
"""What may tell who came back, beside the next visit."""
ONE, TWO, NONE = Decimal(1), Decimal(2), Phrase("is", (Decimal(0),))
BESIDE_ONE: dict[tuple[str, tuple[Value, ...]], tuple[str, Phrase]] = {
    ("is", (ONE,)): ("once-before", NONE),
    ("at_least", (TWO,)): ("again-before", Phrase("at_least", (ONE,))),
    ("more", (ONE,)): ("again-before", Phrase("at_least", (ONE,))),
    ("at_most", (ONE,)): ("few-before", NONE),
    ("less", (TWO,)): ("few-before", NONE),
}
"""Counts of visits that part the first from the later ones, each with the code of an advice before a show."""
AT_ONCE = 6  # days after a visit in which hardly anybody has been back


def after_of(at: Shift | None) -> Period | None:
    """How long after what it is around a step is, where that is days or more."""
    return at.period if at and at.sign > 0 and at.period.count and at.period.unit not in EXACT else None


# --- what reads well, and misses somebody -----------------------------------------------------------------------------


def advise_visits(
    context: Context,
    around: Around,
    steps: Iterable[Step],
    shared: tuple[Condition, ...],
    stop: AllOf | None,
    path: str,
) -> None:
    """Advise on steps before a show that ask for a first visit, and on those after a first one that ask only what is
    booked. `shared`: what is asked at every step.
    """
    if around.kind not in VISITS:
        return
    told: set[object] = set()
    for step in steps:
        own = (*(step.when.items if step.when else ()), *((step.unless,) if step.unless else ()))
        asked = list(checks((*shared, *own)))
        none_left = {check.place for check in _leave_nobody((*shared, *own))}
        stops = {check.field for check in checks((stop,) if stop else ())}
        for check in asked:
            if check.place in told:
                continue
            if step.at.sign < 0 and check.place in none_left:
                told.add(check.place)
                context.advise(
                    check.place, "coming-is-this", path, booked(context.words.language, nothing=check.op == "never")
                )
            elif step.at.sign < 0 and _beside_one(check):
                told.add(check.place)
                _advise_before(context, around, check, path)
            elif check.field == "next_visit" and around.kind == "first_visit" and _misses(step, asked, stops):
                told.add(check.place)
                _advise_after(context, check, path)


def _leave_nobody(items: Iterable[Condition], *, out: bool = False) -> Iterator[Check]:
    """Checks of the next visit that a show still to come makes true, or false, of everybody who comes to it."""
    for item in items:
        if isinstance(item, Check):
            if item.field == "next_visit" and item.op == ("known" if out else "never"):
                yield item
        elif not isinstance(item, AnyOf):
            yield from _leave_nobody(getattr(item, "items", ()), out=out is not isinstance(item, NoneOf))


def _misses(step: Step, asked: list[Check], stops: set[str]) -> bool:
    """Whether the step comes long enough after the visit, and nothing tells who was there again."""
    after = after_of(step.at)
    known = {check.field for check in asked} | stops
    return after is not None and (after.unit != "day" or after.count > AT_ONCE) and not known & LATER


def _beside_one(check: Check) -> tuple[str, Phrase] | None:
    """What to advise on a count that tells the first visit from the later ones, once this one counts, and what says so
    before it does.
    """
    whole = check.field == "visits" and check.window is None
    return BESIDE_ONE.get((check.op, check.values)) if whole else None


def _advise_before(context: Context, around: Around, check: Check, path: str) -> None:
    words, language = context.words, context.words.language
    code, right = _beside_one(check) or ("", Phrase(""))
    if around.kind != "ticket" and code == "few-before":
        return  # it is true of everybody who comes
    visits = words.key("fields", "visits")
    first = f"{words.key('journey', 'around')}: {typed(language, 'around', Phrase('first_visit'))}"
    found = f"{visits}: {typed(language, 'number', Phrase(check.op, check.values))}"
    line = f"{visits}: {typed(language, 'number', right)}"
    code = code if around.kind == "ticket" else "once-before-first"
    context.advise(check.place, code, path, found, line=line, first=first)


def _advise_after(context: Context, check: Check, path: str) -> None:
    if check.op not in {"never", "known"}:
        return
    words, language = context.words, context.words.language
    test = Phrase("is", (Decimal(1),)) if check.op == "never" else Phrase("at_least", (Decimal(2),))
    line = f"{words.key('fields', 'visits')}: {typed(language, 'number', test)}"
    found = booked(language, nothing=check.op == "never")
    context.advise(check.place, "only-booked", path, found, line=line)
