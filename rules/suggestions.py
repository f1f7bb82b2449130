"""What was probably meant by a text that is no phrase."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules.mistakes import fold, nearest
from rules.phrases import grammar_of, patterns_of, read_period, read_phrase, typed
from rules.words import LANGUAGES, vocabulary

NONE = {"aucun", "aucune", "rien", "none", "nothing", "non", "no", "pas"}
YES = {"oui", "yes"}
FUTURE = re.compile(r"^(?:dans|d'ici|in|within|by)\b")
PAST = {"more_ago", "less_ago", "ago"}


def suggest(language: str, kind: str, text: str) -> str | None:
    """The phrase of this type that was probably meant, as it should be typed."""
    for other in LANGUAGES:
        if other != language and (phrase := read_phrase(other, kind, text)):
            return typed(language, kind, phrase)
    for candidate in _rewritten(language, kind, fold(text)):
        phrase = read_phrase(language, kind, candidate)
        if phrase and not (phrase.op in PAST and FUTURE.match(fold(text))):
            return typed(language, kind, phrase)
    return None


SIGNS = {
    ">=": "at_least",
    "≥": "at_least",
    "=>": "at_least",
    "<=": "at_most",
    "≤": "at_most",
    "=<": "at_most",
    ">": "more",
    "<": "less",
    "=": "is",
    "==": "is",
}


def _rewritten(language: str, kind: str, folded: str) -> Iterator[str]:
    words = vocabulary(language).words
    phrases = words["phrases"].get(kind, {})
    if sign := re.match(r"(>=|=>|<=|=<|==|≥|≤|>|<|=)\s*(.+)", folded):
        op = SIGNS[sign[1]]
        op = (
            {"at_least": "more_ago", "more": "more_ago", "at_most": "less_ago", "less": "less_ago"}.get(op, "on")
            if kind == "date"
            else op
        )
        if op in phrases:
            yield re.sub(r"\{\w+\}", sign[2].removesuffix("ago").strip(), phrases[op][0])
    if plus := re.fullmatch(r"(\d+)\s*[€$£]?\s*(?:\+|ou plus|or more|et plus|and more|minimum|min)", folded):
        yield phrases.get("at_least", [""])[0].replace("{n}", plus[1])
    if comma := re.fullmatch(r"(.*\d)[.,](\d+)(.*)", folded):
        yield f"{comma[1]}{words['decimal']}{comma[2]}{comma[3]}"
    if kind in {"date", "number"}:
        yield from _yes_or_none(kind, folded, phrases)
    if kind == "date":
        yield from _rewritten_date(language, folded)
    if kind == "number" and folded in {
        fold(word) for word in (*words["phrases"]["date"]["never"], words["choices"]["none"][0])
    }:
        yield "0"
    if near := _nearest_pattern(language, kind, folded):
        yield near


def _yes_or_none(kind: str, folded: str, phrases: dict[str, list[str]]) -> Iterator[str]:
    if folded in YES:
        yield phrases["known"][0] if kind == "date" else phrases["at_least"][0].replace("{n}", "1")
    elif folded in NONE:
        yield phrases["never"][0] if kind == "date" else "0"


def _rewritten_date(language: str, folded: str) -> Iterator[str]:
    phrases = vocabulary(language).words["phrases"]["date"]
    if read_period(language, folded):
        yield phrases["more_ago"][0].replace("{period}", folded)
    if slashed := re.fullmatch(r"(.*?)(\d{1,2})[/.](\d{1,2})[/.](\d{4})", folded):
        yield f"{slashed[1]}{slashed[4]}-{int(slashed[3]):02}-{int(slashed[2]):02}"
    if soon := re.fullmatch(r"(?:dans moins d(?:e |')|d'ici (?:a )?|in less than |within (?:the next )?)(.+)", folded):
        yield phrases["next"][0].replace("{period}", soon[1])
        yield f"dans les {_put_next(soon[1])}"
    if french := re.fullmatch(r"(?:plus|moins) de .+|more than .+|less than .+", folded):
        rest = re.sub(r"^(?:plus|moins) de |^(?:more|less) than ", "", french[0])
        op = "less_ago" if french[0].startswith(("moins", "less")) else "more_ago"
        yield phrases[op][0].replace("{period}", rest)


def _nearest_pattern(language: str, kind: str, folded: str) -> str | None:
    """The phrase that reads most like the text once its numbers, periods and dates are set aside, filled with them."""
    shape, fillings = _shape(language, folded)
    shapes = {re.sub(r"\{next\}", "{period}", pattern): pattern for _, pattern, _ in patterns_of(language, kind)}
    if kind in {"again", "due", "wait"} and "period" in fillings:
        shape = next(iter(shapes))
    near = nearest(shape, shapes)
    if near is None:
        return None
    wanted, pattern = re.findall(r"\{(\w+)\}", near), shapes[near]
    if any(len(fillings.get(hole, [])) != wanted.count(hole) for hole in wanted):
        return None
    for hole in wanted:
        filling = fillings[hole].pop(0)
        pattern = pattern.replace("{next}", _put_next(filling), 1).replace(f"{{{hole}}}", filling, 1)
    return pattern


def _put_next(period: str) -> str:
    return period.replace(" ", " prochains ", 1)


def _shape(language: str, folded: str) -> tuple[str, dict[str, list[str]]]:
    """`plu de 18 moi` as `plu de {period}` and `18 mois`."""
    words = vocabulary(language).words
    units = [fold(word) for names in words["units"].values() for word in names]
    grammar = grammar_of(language)
    fillings: dict[str, list[str]] = {}

    def keep(hole: str, text: str) -> str:
        fillings.setdefault(hole, []).append(text)
        return f"{{{hole}}}"

    def period(match: re.Match[str]) -> str:
        unit = nearest(match[2], units)
        return keep("period", f"{match[1]} {unit}") if unit and len(match[2]) > 1 else match[0]

    shape = re.sub(grammar.date, lambda match: keep("date", match[0]), folded)
    shape = re.sub(rf"\b({grammar.number})\s*(?:prochaine?s?\s+)?([a-z]+)\b(?!\}})", period, shape)
    return re.sub(r"(?<![{\w])\d+(?:[.,]\d+)?(?![\w}])", lambda match: keep("n", match[0]), shape), fillings
