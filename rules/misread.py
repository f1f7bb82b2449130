"""A text that is no phrase of its kind, told with what was probably meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from rules.context import Context
from rules.days_meant import DAY_UNITS, NAMED, no_such_day, two_ways, without_year
from rules.mistakes import Place, fold
from rules.phrases import read_phrase
from rules.suggestions import suggest, unknown_unit

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
    quotable: bool = False  # it may be meant as it stands, and then goes into quotes


def tell_misread(context: Context, one: Misread) -> None:
    """Its own code, unless more can be said: a day that there is not, a unit that nobody knows, a season."""
    language, folded, tell = context.words.language, fold(one.found), partial(context.tell, one.place)
    dated = one.kind in {"date", "sheet"}
    if dated and (both := two_ways(language, folded)):
        tell("two-ways", one.path, one.found, first=both[0].isoformat(), second=both[1].isoformat())
    elif dated and no_such_day(language, one.found):
        tell("no-such-date-near" if one.meant else "no-such-date", one.path, one.found, suggestion=one.meant)
    elif one.kind == "sheet" and (day := without_year(language, one.found)):
        tell("no-year", one.path, one.found, day=day)
    elif one.meant:
        more = {"quotable": True} if one.quotable else {}
        tell(f"{one.code}-near", one.path, one.found, field=one.field, suggestion=one.meant, **more)
    elif one.kind in ABOUT_TIME and (word := unknown_unit(language, one.kind, one.found)):
        tell("unknown-unit", one.path, one.found, unit=word, expected=_units(context, one.kind))
    elif one.kind in {"date", "number"} and (each := _two_phrases(language, one.kind, one.found)):
        facts = {name: f"- {one.field}: {text}" for name, text in zip(("first", "second"), each, strict=True)}
        tell("two-phrases", one.path, one.found, all_of=context.words.key("logic", "all_of"), **facts)
    elif one.kind == "date" and (day := without_year(language, one.found)):
        tell("no-year", one.path, one.found, day=day)
    elif one.kind == "again" and folded in {"jamais", "never", "non", "no"}:
        tell("again-never", one.path, one.found, field=one.field)
    elif one.kind == "date" and NAMED.search(folded):
        tell("named-time", one.path, one.found, expected="named_time")
    else:
        tell(one.code, one.path, one.found, field=one.field, expected=one.expected)


def _two_phrases(language: str, kind: str, text: str) -> tuple[str, str] | None:
    """`il y a plus de 6 mois et moins de 2 ans` as its two phrases."""
    parts = re.split(r"\s+(?:et|and|mais|but)\s+", text)
    if len(parts) != 2:
        return None
    right = [part if read_phrase(language, kind, part) else suggest(language, kind, part) for part in parts]
    return (right[0], right[1]) if right[0] and right[1] else None


def _units(context: Context, kind: str) -> str:
    known = context.words.words["units"]
    names = DAY_UNITS if kind in {"date", "within", "sheet"} else ("minute", "hour", *DAY_UNITS)
    return ", ".join(f"`{known[name][min(1, len(known[name]) - 1)]}`" for name in names)
