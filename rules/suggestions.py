"""What was probably meant by a text that is no phrase."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from rules.mistakes import fold, nearest
from rules.phrases import Phrase, grammar_of, patterns_of, read_period, read_phrase, typed
from rules.words import LANGUAGES, meant, vocabulary

NONE = {"aucun", "aucune", "rien", "none", "nothing", "non", "no", "pas"}
YES = {"oui", "yes"}
FUTURE = re.compile(r"^(?:dans|d'ici|in|within|by)\b")
TO_COME = re.compile(rf"{FUTURE.pattern}|^(?:les |the )?(?:prochaine?s?|next)\b|prochaine?s?|\b(?:demain|tomorrow)\b")
BEFORE_NOW = re.compile(r"\b(?:derniere?s?|last|past)\b")
PAST = {"more_ago", "less_ago", "ago"}
AHEAD = {"next", "in"}


def suggest(language: str, kind: str, text: str) -> str | None:
    """The phrase of this type that was probably meant, as it should be typed."""
    for other in LANGUAGES:
        if other != language and (phrase := read_phrase(other, kind, text)):
            return typed(language, kind, phrase)
    if kind == "review" and (count := re.match(r"\d+", text)):
        return typed(language, kind, Phrase(kind, (Decimal(count[0]),)))
    for candidate in _rewritten(language, kind, fold(text)):
        phrase = read_phrase(language, kind, candidate)
        if phrase and not _turned_round(phrase.op, kind, fold(text)):
            return typed(language, kind, phrase)
    return None


def _turned_round(op: str, kind: str, folded: str) -> bool:
    """A suggestion that would look ahead where the person looked back, or the other way round."""
    if kind != "date":
        return False
    ahead = TO_COME.search(folded) and not BEFORE_NOW.search(folded)
    return bool(op in PAST and ahead) or bool(op in AHEAD and not ahead)


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
    if kind == "number" and (counted := re.fullmatch(r"(.*\d|.+ \w+)(?= [a-z]+$) .+|(.+) (?:times?|fois)", folded)):
        yield counted[1] or counted[2]  # `at least 3 times`
    if kind in {"date", "number"}:
        yield from _yes_or_none(kind, folded, phrases)
    yield from _rewritten_time(language, kind, folded)
    if kind == "number" and folded in {
        fold(word) for word in (*words["phrases"]["date"]["never"], words["choices"]["none"][0])
    }:
        yield "0"
    if near := _nearest_pattern(language, kind, folded):
        yield near


def _rewritten_time(language: str, kind: str, folded: str) -> Iterator[str]:
    match kind:
        case "at":
            yield from _rewritten_step(language, folded)
        case "date":
            yield from _rewritten_date(language, folded)
        case "within":
            yield from _rewritten_span(folded)


def _yes_or_none(kind: str, folded: str, phrases: dict[str, list[str]]) -> Iterator[str]:
    if folded in YES:
        yield phrases["known"][0] if kind == "date" else phrases["at_least"][0].replace("{n}", "1")
    elif folded in NONE:
        yield phrases["never"][0] if kind == "date" else "0"


WHOLE = re.compile(
    r"(la |le |the )?(?=.*(?:derni|prochain|last|next))(?:last |next )?(semaine|mois|week|month)(?: derni\w+| prochaine?)?"
)


def _rewritten_date(language: str, folded: str) -> Iterator[str]:
    phrases = vocabulary(language).words["phrases"]["date"]
    day_word = vocabulary(language).words["units"]["day"][-1]
    folded = _whole_months(language, folded)
    if day := {"hier": "ago", "yesterday": "ago", "demain": "in", "tomorrow": "in"}.get(folded):
        yield phrases[day][0].replace("{period}", f"1 {vocabulary(language).words['units']['day'][0]}")
    if whole := WHOLE.fullmatch(folded):
        days = "7" if whole[2] in {"semaine", "week"} else "30"
        yield (
            phrases["next" if TO_COME.search(folded) else "less_ago"][0]
            .replace("{next}", _put_next(f"{days} {day_word}") if language == "fr" else f"{days} {day_word}")
            .replace("{period}", f"{days} {day_word}")
        )
    yield from _rewritten_days(folded, phrases)
    late = re.fullmatch(r"(?:(?:dans|in|over) )?(?:les |ces |the )?(?:last |past )?(\d+) (?:derni\w+ )?(\w+)", folded)
    if late and BEFORE_NOW.search(folded):
        yield phrases["less_ago"][0].replace("{period}", f"{late[1]} {late[2]}")
    if since := re.fullmatch(r"(?:since|for|depuis|older than|longer than|earlier than) (.+)", folded):
        yield phrases["more_ago"][0].replace("{period}", since[1])
    if read_period(language, folded):
        yield phrases["more_ago"][0].replace("{period}", folded)
    if slashed := re.fullmatch(r"(.*?)(\d{1,2})[/.](\d{1,2})[/.](\d{4})", folded):
        yield f"{slashed[1]}{slashed[4]}-{int(slashed[3]):02}-{int(slashed[2]):02}"
    if soon := re.fullmatch(r"(?:dans moins d(?:e |')|d'ici (?:a )?|in less than |within (?:the next )?)(.+)", folded):
        yield phrases["next"][0].replace("{period}", soon[1])
        yield f"dans les {_put_next(soon[1])}"
    if french := re.fullmatch(r"(?:plus|moins) d(?:e |').+|more than .+|less than .+", folded):
        rest = re.sub(r"^(?:plus|moins) d(?:e |')|^(?:more|less) than ", "", french[0])
        op = "less_ago" if french[0].startswith(("moins", "less")) else "more_ago"
        yield phrases[op][0].replace("{period}", rest)


def _rewritten_days(folded: str, phrases: dict[str, list[str]]) -> Iterator[str]:
    if both := re.fullmatch(r"(?:du|de|from|entre|between) (\S+) (?:au|a|to|until|et|and|-) (\S+)", folded):
        yield phrases["between"][0].replace("{date}", both[1], 1).replace("{date}", both[2], 1)
    if year := re.fullmatch(r"(avant|before|apres|after)(?: le)? (\d{4})", folded):
        op = "before" if year[1] in {"avant", "before"} else "after"
        yield phrases[op][0].replace("{date}", f"{year[2]}-{'01-01' if op == 'before' else '12-31'}")
    if swapped := re.fullmatch(r"(.*?)(\d{4})[/.](\d{1,2})[/.](\d{1,2})", folded):
        yield f"{swapped[1]}{swapped[2]}-{int(swapped[3]):02}-{int(swapped[4]):02}"


STEP_BEFORE = re.compile(r"(.+?) (?:earlier|prior|ahead|beforehand|plus tot|en avance|auparavant|before .+|avant .+)")
STEP_AFTER = re.compile(r"(.+?) (?:later|afterwards?|plus tard|ensuite|after .+|apres .+)")
STEP_COUNTED = re.compile(r"[jd]? ?([+-]) ?(\d+)(?: (?:days?|jours?))?")


def _rewritten_step(language: str, folded: str) -> Iterator[str]:
    """`3 days earlier`, `3 jours avant le spectacle`, `J-3`."""
    phrases = vocabulary(language).words["phrases"]["at"]
    day = vocabulary(language).words["units"]["day"][-1]
    if counted := STEP_COUNTED.fullmatch(folded):
        yield phrases["before" if counted[1] == "-" else "after"][0].replace("{period}", f"{counted[2]} {day}")
    for op, pattern in (("before", STEP_BEFORE), ("after", STEP_AFTER)):
        if found := pattern.fullmatch(folded):
            yield phrases[op][0].replace("{period}", found[1])


def _whole_months(language: str, folded: str) -> str:
    """`1,5 an` and `un an et demi` as `18 mois`: periods are whole."""
    month = vocabulary(language).words["units"]["month"][-1]
    folded = re.sub(r"\b(\d+)[.,]5 (?:ans?|years?)\b", lambda found: f"{int(found[1]) * 12 + 6} {month}", folded)
    folded = re.sub(r"d'(un an et demi)\b", r"de \1", folded)
    return re.sub(r"\b(?:un an et demi|a year and a half|one and a half years?)\b", f"18 {month}", folded)


def _rewritten_span(folded: str) -> Iterator[str]:
    """`les 12 derniers mois`, `the past 12 months`; `cette année`."""
    if year := re.fullmatch(r"(?:l'|the |cette |this )?(?:past |last )?(an|annee|year)(?: derni\w+)?", folded):
        yield "12 months" if year[1] == "year" else "12 mois"
    yield re.sub(r"\b(?:les?|la|the|derniere?s?|last|past|in|over|sur|depuis)\b ?", "", folded)


def _nearest_pattern(language: str, kind: str, folded: str) -> str | None:
    """The phrase that reads most like the text once its numbers, periods and dates are set aside, filled with them."""
    shape, fillings = _shape(language, folded)
    shapes = {re.sub(r"\{next\}", "{period}", pattern): pattern for _, pattern, _ in patterns_of(language, kind)}
    if kind in {"again", "due", "wait", "within"} and "period" in fillings:
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
        short = meant(language)["units"].get(match[2])
        unit = words["units"][short][-1] if short else nearest(match[2], units) if len(match[2]) > 1 else None
        return keep("period", f"{match[1]} {unit}") if unit else match[0]

    shape = re.sub(grammar.date, lambda match: keep("date", match[0]), folded)
    shape = re.sub(rf"\b({grammar.number})\s*(?:prochaine?s?\s+)?([a-z]+)\b(?!\}})", period, shape)
    return re.sub(r"(?<![{\w])\d+(?:[.,]\d+)?(?![\w}])", lambda match: keep("n", match[0]), shape), fillings
