"""A text that is no phrase of its kind, told with what was probably meant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rules.context import Context
from rules.days_meant import DAY_UNITS, NAMED, no_such_day, two_ways
from rules.mistakes import Place, fold
from rules.suggestions import unknown_unit

ABOUT_TIME = ("date", "within", "wait", "again", "due", "at", "sheet")


@dataclass(frozen=True)
class Misread:
    """`kind`: the phrases it was held against; `field`: the word before it, as written; `code`: the mistake (with `-near`
    where `meant`, what was probably meant, is known); `expected`: an entry of the vocabulary's `expected`.
    """

    place: Place
    path: str
    found: str
    field: str
    kind: str
    expected: str
    code: str
    meant: str | None


def tell_misread(context: Context, one: Misread) -> None:
    """Its own code, unless more can be said: a day that there is not, a unit that nobody knows, a season."""
    language, folded, tell = context.words.language, fold(one.found), partial(context.tell, one.place)
    dated = one.kind in {"date", "sheet"}
    if dated and (both := two_ways(language, folded)):
        tell("two-ways", one.path, one.found, first=both[0].isoformat(), second=both[1].isoformat())
    elif dated and no_such_day(language, one.found):
        tell("no-such-date-near" if one.meant else "no-such-date", one.path, one.found, suggestion=one.meant)
    elif one.meant:
        tell(f"{one.code}-near", one.path, one.found, field=one.field, suggestion=one.meant)
    elif one.kind in ABOUT_TIME and (word := unknown_unit(language, one.kind, one.found)):
        tell("unknown-unit", one.path, one.found, unit=word, expected=_units(context, one.kind))
    elif one.kind == "date" and NAMED.search(folded):
        tell("named-time", one.path, one.found, expected="named_time")
    else:
        tell(one.code, one.path, one.found, field=one.field, expected=one.expected)


def _units(context: Context, kind: str) -> str:
    known = context.words.words["units"]
    names = DAY_UNITS if kind in {"date", "within", "sheet"} else ("minute", "hour", *DAY_UNITS)
    return ", ".join(f"`{known[name][min(1, len(known[name]) - 1)]}`" for name in names)
