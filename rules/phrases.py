"""`more than 18 months ago`, `au moins 3`, `contient danse`: phrases to canonical tests, and back to words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from typing import Literal, cast

from babel.dates import format_date
from babel.numbers import format_decimal

from rules.conditions import Check, Period, Shift, Unit, Value
from rules.mistakes import fold
from rules.words import LANGUAGES, Vocabulary, vocabulary

PhraseType = Literal["date", "number", "text", "tags", "choice"]
LARGEST_COUNT = 10_000
READ_OTHERWISE = {"before", "after", "since", "until", "between", "on"}
"""Of these the second wording is the one for reading: "avant le 1er mars", "up to and including 30 June"."""
OF_SEVERAL = frozenset({"contains_any", "starts_any", "contain_any", "contain_none"})
"""These take a list of texts."""
ISO = r"\d{4}-\d{1,2}-\d{1,2}"


@dataclass(frozen=True)
class Phrase:
    """What a text says, before it is tied to a field."""

    op: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class _Grammar:
    """The patterns of one language as regular expressions. Those with `{text}` or `{list}` are matched on the
    text as written, since words of the team's own follow; the others on folded text.
    """

    words: Vocabulary

    @cached_property
    def number(self) -> str:
        names = "|".join(_literal(word) for words in self.words.words["numbers"].values() for word in words)
        return rf"(?:-?\d{{1,3}}(?: \d{{3}})+|-?\d+)(?:{re.escape(self.words.words['decimal'])}\d+)?|{names}"

    @cached_property
    def unit(self) -> str:
        return "|".join(_literal(word) for words in self.words.words["units"].values() for word in words)

    @cached_property
    def date(self) -> str:
        months = "|".join(_literal(fold(month)) for month in self.words.words["months"])
        french = r"|\d{1,2}/\d{1,2}/\d{4}" if self.words.language == "fr" else ""
        return rf"{ISO}{french}|\d{{1,2}}(?:er|st|nd|rd|th)? (?:{months}) \d{{4}}"

    def compile(self, pattern: str) -> re.Pattern[str]:
        parts = re.split(r"(\{\w+\})", pattern)
        literal = "".join(part if part.startswith("{") else re.escape(_fold_keep(part)) for part in parts)
        literal = literal.replace(r"\ ", r"\s+")
        literal = literal.replace(r"de\s+{", r"d(?:e\s+|'\s*){")
        holes = {
            "{period}": rf"((?:{self.number})\s+(?:{self.unit})|(?:{self.unit}))",
            "{next}": rf"((?:{self.number})\s+prochaine?s?\s+(?:{self.unit})|prochaine?s?\s+(?:{self.number})\s+(?:{self.unit})|prochaine?\s+(?:{self.unit}))",
            "{date}": rf"({self.date})",
            "{n}": rf"(?:[€$£]\s*)?({self.number})(?:\s*[€$£])?",
            "{text}": r"(.+)",
            "{list}": r"\[?(.+?)\]?",
        }
        for hole, expression in holes.items():
            literal = literal.replace(hole, expression)
        return re.compile(rf"\s*{literal}\s*", re.IGNORECASE | re.DOTALL)


def _fold_keep(part: str) -> str:
    """Fold literal text of a pattern but keep its spaces at both ends."""
    folded = fold(part)
    if not folded:
        return " " if part else ""
    return (" " if part[0] == " " else "") + folded + (" " if part[-1] == " " else "")


def _literal(word: str) -> str:
    return re.escape(fold(word))


@cache
def grammar_of(language: str) -> _Grammar:
    return _Grammar(vocabulary(language))


@cache
def patterns_of(language: str, kind: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """(op, pattern as written, expression) of every phrase of a type, longest first."""
    words, grammar = vocabulary(language).words, grammar_of(language)
    phrases = words["phrases"].get(kind) or {kind: words[kind]}
    found = [(op, pattern, grammar.compile(pattern)) for op, patterns in phrases.items() for pattern in patterns]
    return sorted(found, key=lambda item: -len(item[1]))


@cache
def begins_of_lists() -> frozenset[str]:
    """What stands before the list in the phrases that take one, in either language."""
    phrases = [vocabulary(language).words["phrases"][kind] for language in LANGUAGES for kind in ("text", "tags")]
    patterns = [pattern for ops in phrases for op in ops.keys() & OF_SEVERAL for pattern in ops[op]]
    return frozenset(pattern.partition("{")[0].rstrip(" [") for pattern in patterns)


def read_phrase(language: str, kind: str, text: str) -> Phrase | None:
    """The phrase a text is, or None. `kind` is a type with phrases of its own, or `again`, `due`, `wait`."""
    folded = fold(text)
    root = _last_agreed(language, folded)
    for op, pattern, expression in patterns_of(language, kind):
        loose = "{text}" in pattern or "{list}" in pattern
        for written in (text,) if loose else (folded, root):
            if (match := expression.fullmatch(written)) and (values := _values(language, pattern, match)) is not None:
                return Phrase(op, values)
    return None


def _last_agreed(language: str, folded: str) -> str:
    """`connues` reads as `connu`, `vides` as `vide`."""
    if language != "fr" or " " in folded:
        return folded
    known = [fold(word) for kind in ("date", "text") for op in ("never", "known") for word in _of(language, kind, op)]
    return next((word for word in known if re.fullmatch(rf"{re.escape(word)}(?:e|s|es)?", folded)), folded)


def _of(language: str, kind: str, op: str) -> list[str]:
    return list(vocabulary(language).words["phrases"][kind][op])


def _values(language: str, pattern: str, match: re.Match[str]) -> tuple[Value, ...] | None:
    values: list[Value] = []
    for hole, text in zip(re.findall(r"\{(\w+)\}", pattern), match.groups(), strict=True):
        if hole == "list":
            if not (listed := split_list(text)):
                return None
            values += listed
            continue
        value = _value(language, hole, text)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def _value(language: str, hole: str, text: str) -> Value | None:
    match hole:
        case "n":
            return read_number(language, text)
        case "date":
            return read_date(language, text)
        case "text":
            return unquote(text.strip())
        case _:
            return read_period(language, text)


LISTED = re.compile(r"""\s*(?:"[^"]*"|'[^']*')\s*(?=,|$)|[^,]+""")
QUOTED = re.compile(r"""(?:"[^"]*"|'(?:[^']|(?<=\w)'(?=\w))*')""")


def split_list(text: str) -> list[str]:
    """`[a, "b c"]` or `a, b c` as its words."""
    inner = text.strip().removeprefix("[").removesuffix("]")
    return [unquote(item.strip()) for item in LISTED.findall(inner) if item.strip()]


def unquote(text: str) -> str:
    """A text without the quotes around it; `"a" or "b"` is not one text in quotes."""
    return text[1:-1] if QUOTED.fullmatch(text) else text


def read_number(language: str, text: str) -> Decimal | None:
    """A number in the language's own writing: `12.5`, `12,5`, `1 000`, `three`."""
    folded = fold(text)
    words = vocabulary(language)
    named = words.find("numbers", folded)
    if named:
        return Decimal(named)
    mark = re.escape(words.words["decimal"])
    if not re.fullmatch(rf"-?(?:\d{{1,3}}(?: \d{{3}})+|\d{{1,15}})(?:{mark}\d{{1,9}})?", folded, re.ASCII):
        return None
    return Decimal(folded.replace(" ", "").replace(",", "."))


def read_period(language: str, text: str) -> Period | None:
    """`18 months`, `un an`, `week`: the number one may be left out after "in the last"."""
    words = vocabulary(language)
    parts = [part for part in fold(text).split() if not re.fullmatch(r"prochaine?s?", part)]
    unit = words.find("units", parts[-1]) if parts else None
    count = read_number(language, " ".join(parts[:-1]) or words.words["numbers"]["1"][0])
    if unit is None or count is None or count != count.to_integral_value() or not 0 <= count <= LARGEST_COUNT:
        return None
    return Period(int(count), cast("Unit", unit))


def read_date(language: str, text: str) -> date | None:
    """A day of the calendar: 2024-01-31, and in French 31/01/2024; `31 January 2024` in either."""
    folded = fold(text)
    months = [fold(month) for month in vocabulary(language).words["months"]]
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", folded, re.ASCII):
        year, month, day = match.groups()
    elif language == "fr" and (match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", folded, re.ASCII)):
        day, month, year = match.groups()
    elif match := re.fullmatch(rf"(\d{{1,2}})(?:er|st|nd|rd|th)? ({'|'.join(months)}) (\d{{4}})", folded, re.ASCII):
        day, name, year = match.groups()
        month = str(months.index(name) + 1)
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def typed(language: str, kind: str, phrase: Phrase) -> str:
    """A phrase as somebody would type it in a file of this language."""
    return _filled(language, kind, phrase, iso=True)


def said(language: str, check: Check) -> str:
    """What a check asks, for reading: `more than 18 months ago`, `before 31 January 2024`."""
    words = vocabulary(language)
    if check.type == "choice" and check.op == "is":
        return _one_or_list(language, [words.shown("choices", str(value)) for value in check.values])
    if check.type == "yesno":
        return words.shown("yesno", str(check.values[0]))
    if check.op == "is" and check.type == "text":
        return _one_or_list(language, [str(value) for value in check.values])
    kind = "number" if check.type == "money" else check.type
    each = [(value,) for value in check.values] if check.op == "is" else [check.values]  # `visits: [1, 3]`
    return _one_or_list(language, [_filled(language, kind, Phrase(check.op, values), iso=False) for values in each])


def _one_or_list(language: str, values: list[str]) -> str:
    if len(values) == 1:
        return values[0]
    return str(vocabulary(language).words["say"]["list"]).format(items=", ".join(values))


def _filled(language: str, kind: str, phrase: Phrase, *, iso: bool) -> str:
    words = vocabulary(language).words
    patterns = (words["phrases"].get(kind) or {kind: words[kind]})[phrase.op]
    read = not iso and kind == "date" and phrase.op in READ_OTHERWISE
    pattern = str(patterns[1 if read and len(patterns) > 1 else 0])
    if "{list}" in pattern:
        listed = [f'"{value}"' if "," in str(value) else str(value) for value in phrase.values]
        return pattern.replace("{list}", f"[{', '.join(listed)}]")
    for hole, value in zip(re.findall(r"\{\w+\}", pattern), phrase.values, strict=True):
        if hole == "{next}" and isinstance(value, Period) and value.count == 1:
            pattern = pattern.replace("les {next}", _one_next(value))
        pattern = pattern.replace(hole, _written(language, hole, value, iso=iso), 1)
    if language == "en":
        return pattern.replace("the next 1 ", "the next ")
    return re.sub(r"\bde 1 (\w+)", _elided, pattern)


def _one_next(period: Period) -> str:
    """`la prochaine semaine`, where French has no `les 1 prochaines`."""
    if period.unit in {"day", "month"}:
        return f"le prochain {unit_word('fr', period)}"
    return "la prochaine " + ("année" if period.unit == "year" else unit_word("fr", period))


def _elided(match: re.Match[str]) -> str:
    return f"d'une {match[1]}" if match[1] in {"minute", "heure", "semaine"} else f"d'un {match[1]}"


def _written(language: str, hole: str, value: Value, *, iso: bool) -> str:
    match value:
        case Period():
            unit = unit_word(language, value)
            between = (
                ("prochaines " if value.unit in {"minute", "hour", "week"} else "prochains ")
                if hole == "{next}"
                else ""
            )
            return f"{value.count} {between}{unit}"
        case date():
            return value.isoformat() if iso else long_date(language, value)
        case Decimal():
            return number_word(language, value)
        case _:
            return str(value)


def unit_word(language: str, period: Period) -> str:
    """`month` or `months`, `an` or `ans`."""
    names = vocabulary(language).words["units"][period.unit]
    many = period.count > 1 or (language == "en" and period.count == 0)
    return str(names[1] if many and len(names) > 1 else names[0])


def number_word(language: str, value: Decimal) -> str:
    return str(format_decimal(value, format="0.##########", locale=language))


def long_date(language: str, day: date) -> str:
    """`3 March 2025`, `3 mars 2025`, `1er mars 2025`."""
    text = format_date(day, "d MMMM y", locale="en_GB" if language == "en" else language)
    return re.sub(r"^1 ", "1er ", text) if language == "fr" else text


def read_fact_date(language: str, text: str, phrase: Phrase | None) -> Shift | date | str | None:
    """A date told as a fact about a person, `never` as the word; None when it is no single day."""
    match phrase:
        case Phrase(op="ago", values=(Period() as period,)):
            return Shift(-1, period)
        case Phrase(op="in", values=(Period() as period,)):
            return Shift(+1, period)
        case Phrase(op="today"):
            return Shift(+1, Period(0, "day"))
        case Phrase(op="on", values=(date() as day,)):
            return day
        case Phrase(op="never"):
            return "never"
        case _:
            return read_date(language, text)
