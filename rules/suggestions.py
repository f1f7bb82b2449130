"""What was probably meant by a text that is no phrase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rapidfuzz.distance import OSA

from rules.calendar_meant import calendar_meant
from rules.days_meant import BEFORE_NOW, TO_COME, put_next, rewritten_date
from rules.mistakes import fold, nearest
from rules.phrases import Phrase, grammar_of, patterns_of, read_number, read_period, read_phrase, typed
from rules.words import LANGUAGES, meant, root, vocabulary

NONE = {"aucun", "aucune", "rien", "none", "nothing", "non", "no", "pas"}
YES = {"oui", "yes"}
PAST = {"more_ago", "less_ago", "ago"}
AHEAD = {"next", "in"}
SPANS = {"again", "due", "wait", "within"}
"""Of these a length of time is all there is to read: the words of another language would be guessed at."""


def suggest(language: str, kind: str, text: str) -> str | None:
    """The phrase of this type that was probably meant, as it should be typed."""
    if kind == "number":
        text = re.sub({"fr": r"(?<=\d)\.(?=\d{3}(?!\d))", "en": r"(?<=\d),(?=\d{3}(?!\d))"}[language], "", text)
    bare = re.sub(r"\s*(?://.*|\([^()]*\))$", "", text)
    if bare != text:
        return suggest(language, kind, bare)
    if kind == "date" and (days := calendar_meant(language, text)):
        return typed(language, kind, days[0]) if len(days) == 1 else None
    found = [phrase for one in (language, *LANGUAGES) if (phrase := read_phrase(one, kind, text))]
    if not found and kind == "review" and (count := re.match(r"\d+", text)):
        found = [Phrase(kind, (Decimal(count[0]),))]
    return typed(language, kind, found[0]) if found else _suggested(language, kind, text)


FORTNIGHT = re.compile(
    r"(?:(?:sous|d'ici|dans|apres|chaque|within|in|by|after|every|each) )?(?:l[ae] |une |an? )?(huitaine|quinzaine|fortnight)"
    r"(?: de jours)?"
)
"""With no number beside it."""


def _suggested(language: str, kind: str, text: str) -> str | None:
    for candidate in _rewritten(language, kind, fold(text)):
        phrase = read_phrase(language, kind, candidate)
        if phrase and not _turned_round(phrase.op, kind, fold(text)):
            return typed(language, kind, phrase)
    fortnight = FORTNIGHT.fullmatch(fold(text)) if kind in SPANS else None
    for one, candidate in _nearest_patterns(language, kind, f"1 {fortnight[1]}" if fortnight else fold(text)):
        phrase = read_phrase(one, kind, candidate)
        if phrase and not _turned_round(phrase.op, kind, fold(text)):
            return typed(language, kind, phrase)
    return None


def known_or_not(language: str, kind: str, text: str) -> str | None:
    """`renseigné`, `pas vide`, `manquant`: the phrase for whether anything is known at all."""
    ops = {root(fold(word)): op for word, op in meant(language)["known"].items()}
    patterns = vocabulary(language).words["phrases"].get("number" if kind == "money" else kind, {})
    op = ops.get(root(fold(text)))
    return str(patterns[op][0]) if op in patterns else None


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
    if kind == "number":
        yield from _rewritten_number(language, folded, phrases)
    if comma := re.fullmatch(r"(.*\d)[.,](\d+)(.*)", folded):
        yield f"{comma[1]}{words['decimal']}{comma[2]}{comma[3]}"
    if kind in {"date", "number"}:
        yield from _yes_or_none(kind, folded, phrases)
    yield from _rewritten_time(language, kind, folded)
    if kind == "number" and folded in {
        fold(word) for word in (*words["phrases"]["date"]["never"], words["choices"]["none"][0])
    }:
        yield "0"


NUMBER = r"[€$£]?\s*(\d+(?:[., ]\d+)*)\s*[€$£]?(?: (?!ou\b|et\b|or\b|and\b|a\b|to\b|max|min)[a-z]+)?"
BOUNDS = (
    ("at_least", rf"{NUMBER}\s*(?:\+|(?:ou|et) (?:plus|davantage|au-dela)|(?:or|and) (?:more|over|up|above|upwards?))"),
    ("at_least", rf"{NUMBER}\s*(?:upwards?|onwards?|at least|au moins|(?:au )?minimum|min)"),
    ("at_least", rf"(?:from|starting (?:at|from)|as of|a partir de|a compter de|des) {NUMBER}(?: (?:on|up))?"),
    ("at_least", rf"(?:au |a |at )?(?:minimum|min\.?)(?: de| of)? {NUMBER}"),
    (
        "at_least",
        rf"(?:superieure?s?|plus grande?s?) ou egale?s? a {NUMBER}|(?:more|greater) than or equal to {NUMBER}",
    ),
    ("more", rf"(?:superieure?s? a|plus grande?s? que|greater than|over|above|au-dela de|au-dessus de) {NUMBER}"),
    ("at_most", rf"{NUMBER}\s*(?:ou moins|or less|or fewer|et moins|and less|and under|maximum|max)"),
    ("at_most", rf"(?:au |a |at )?(?:maximum|max\.?)(?: de| of)? {NUMBER}|(?:jusqu'a|up to) {NUMBER}"),
    ("at_most", rf"(?:no|not|pas) (?:more than|plus de) {NUMBER}"),
    ("at_least", rf"(?:no|not|pas) (?:less than|fewer than|moins de) {NUMBER}"),
    ("at_most", rf"(?:inferieure?s?|plus petite?s?) ou egale?s? a {NUMBER}|(?:less|fewer) than or equal to {NUMBER}"),
    ("less", rf"(?:inferieure?s? a|plus petite?s? que|fewer than|under|below|en dessous de) {NUMBER}"),
    ("between", rf"(?:au moins|at least) {NUMBER} (?:et|and|mais|but) (?:au plus|at most) {NUMBER}"),
    ("between", rf"(?:de |entre |from |between )?{NUMBER} ?(?:-|–|a|au|to|until) ?{NUMBER}"),
)


EXACTLY = re.compile(
    r"\b(?:exactly|precisely|only|just|single|exactement|precisement|seulement|uniquement|juste|pile|"
    r"(?:seule?s? et )?(?:uniques?|seule?s?))\b|(?:\bne \S+ )?\bqu'(?=une?\b|\d)|(?<=\d) ?x\b"
)
"""Words beside a number that leave it as it is: `only 1`, `une seule fois`, `2x`."""
ARTICLES = {"a", "an", "un", "une"}


def _rewritten_number(language: str, folded: str, phrases: Mapping[str, list[str]]) -> Iterator[str]:
    """`minimum 3`, `3 à 5`, `1.000`, `at least 3 times`, `exactly once`."""
    spelled = vocabulary(language).words["numbers"].items()
    named = {fold(word): str(digits) for digits, words in spelled for word in words if word not in ARTICLES}
    named |= {fold(word): digits for word, digits in meant(language)["numbers"].items()}
    folded = re.sub(r"\bune?\b(?= (?:seule?|fois|visites?|a|ou)\b)", "1", folded)
    folded = re.sub(r"[a-z]+(?:-[a-z]+)*", lambda word: named.get(word[0], word[0]), folded)
    folded = " ".join(EXACTLY.sub(" ", folded).split())
    yield folded
    for op, pattern in BOUNDS:
        if found := re.fullmatch(pattern, folded):
            text = phrases[op][0]
            for number in filter(None, found.groups()):
                text = text.replace("{n}", number, 1)
            yield text
    if (either := re.fullmatch(r"(\d+) (?:ou|or) (\d+)", folded)) and int(either[2]) == int(either[1]) + 1:
        yield phrases["between"][0].replace("{n}", either[1], 1).replace("{n}", either[2], 1)
    if counted := re.fullmatch(r"(.*\d|.+ \w+)(?= [a-z]+$) .+|(.+) (?:times?|fois)", folded):
        yield counted[1] or counted[2]


def _rewritten_time(language: str, kind: str, folded: str) -> Iterator[str]:
    match kind:
        case "at":
            yield from _rewritten_step(language, folded)
        case "date":
            yield from rewritten_date(language, folded)
        case "within":
            yield from _rewritten_span(folded)
        case "again" | "wait":
            yield from _rewritten_pause(language, kind, folded)


def _yes_or_none(kind: str, folded: str, phrases: dict[str, list[str]]) -> Iterator[str]:
    if folded in YES:
        yield phrases["known"][0] if kind == "date" else phrases["at_least"][0].replace("{n}", "1")
    elif folded in NONE:
        yield phrases["never"][0] if kind == "date" else "0"


STEP_BEFORE = re.compile(r"(.+?) (?:earlier|prior|ahead|beforehand|plus tot|en avance|auparavant|before .+|avant .+)")
STEP_AFTER = re.compile(r"(.+?) (?:later|afterwards?|plus tard|ensuite|after .+|apres .+)")
STEP_COUNTED = re.compile(r"[jd]? ?([+-]) ?(\d+)(?: (?:days?|jours?))?")


def _rewritten_step(language: str, folded: str) -> Iterator[str]:
    """`3 days earlier`, `3 jours avant le spectacle`, `J-3`."""
    phrases = vocabulary(language).words["phrases"]["at"]
    day = vocabulary(language).words["units"]["day"][-1]
    if re.fullmatch(r"[jd]? ?[+-]? ?0(?: (?:days?|jours?))?", folded):
        yield phrases["same"][0]
    if counted := STEP_COUNTED.fullmatch(folded):
        yield phrases["before" if counted[1] == "-" else "after"][0].replace("{period}", f"{counted[2]} {day}")
    for op, pattern in (("before", STEP_BEFORE), ("after", STEP_AFTER)):
        if found := pattern.fullmatch(folded):
            yield phrases[op][0].replace("{period}", found[1])


EVERY = re.compile(r"(?:chaque|every|each|tous les|toutes les|une fois par|once an?|once every) (?:(\d+) )?([a-z]+)")


def _rewritten_pause(language: str, kind: str, folded: str) -> Iterator[str]:
    """`tous les ans`, `every 6 months`; `le lendemain`."""
    words = vocabulary(language).words
    if folded in {"le lendemain", "lendemain", "the next day", "next day", "the day after"}:
        yield _paused(words, kind).replace("{period}", f"1 {words['units']['day'][0]}")
    folded = {"yearly": "every year", "monthly": "every month"}.get(folded, folded)
    if (every := EVERY.fullmatch(folded)) and read_period(language, f"{every[1] or 1} {every[2]}"):
        period = read_period(language, f"{every[1] or 1} {every[2]}")
        yield (
            _paused(words, kind).replace("{period}", typed(language, "wait", Phrase("wait", (period,))))
            if period
            else ""
        )


def _paused(words: Mapping[str, Any], kind: str) -> str:
    return str(words["phrases"]["again"]["again"][0] if kind == "again" else words[kind][0])


def _rewritten_span(folded: str) -> Iterator[str]:
    """`les 12 derniers mois`, `the past 12 months`; `cette année`."""
    if year := re.fullmatch(r"(?:l'|the |cette |this )?(?:past |last )?(an|annee|year)(?: derni\w+)?", folded):
        yield "12 months" if year[1] == "year" else "12 mois"
    yield re.sub(r"\b(?:les?|la|the|derniere?s?|last|past|in|over|sur|depuis)\b ?", "", folded)


def _nearest_patterns(language: str, kind: str, folded: str) -> list[tuple[str, str]]:
    """The phrase of each language that the text reads most like, the nearest first: in an English file too `au moin 3`
    is no `at most 3`.
    """
    ours_first = sorted(LANGUAGES, key=lambda one: one != language)[: 1 if kind in SPANS else None]
    found = [(*near, one) for one in ours_first if (near := _nearest_pattern(one, kind, folded))]
    return [(one, pattern) for _, pattern, one in sorted(found, key=lambda near: near[0])]


def _nearest_pattern(language: str, kind: str, folded: str) -> tuple[int, str] | None:
    """How far the phrase is that reads most like the text once its numbers, periods and dates are set aside; and the phrase,
    filled with them.
    """
    shape, fillings = _shape(language, folded)
    shapes = {re.sub(r"\{next\}", "{period}", pattern): pattern for _, pattern, _ in patterns_of(language, kind)}
    if kind in SPANS and "period" in fillings:
        shape = next(iter(shapes))
    near = nearest(shape, shapes)
    if near is None:
        return None
    wanted, pattern = re.findall(r"\{(\w+)\}", near), shapes[near]
    if any(len(fillings.get(hole, [])) != wanted.count(hole) for hole in wanted):
        return None
    for hole in wanted:
        filling = fillings[hole].pop(0)
        pattern = pattern.replace("{next}", put_next(filling), 1).replace(f"{{{hole}}}", filling, 1)
    return OSA.distance(shape, fold(near)), pattern


def _shape(language: str, folded: str) -> tuple[str, dict[str, list[str]]]:
    """`plu de 18 moi` as `plu de {period}` and `18 mois`."""
    words = vocabulary(language).words
    units = [fold(word) for names in words["units"].values() for word in names]
    grammar = grammar_of(language)
    fillings: dict[str, list[str]] = {}

    def keep(hole: str, text: str) -> str:
        fillings.setdefault(hole, []).append(text)
        return f"{{{hole}}}"

    def found_period(match: re.Match[str]) -> str:
        meant_period = _longer_unit(language, match[1], match[2])
        short = meant(language)["units"].get(match[2]) or _foreign_unit(language, match[2])
        guessed = len(match[2]) > 1 and match[1] != "une"  # `une fois` is no `un mois`
        known = units if guessed else [unit for unit in units if unit == match[2]]
        unit = words["units"][short][-1] if short else nearest(match[2], known)
        period = meant_period or (unit and f"{match[1]} {unit}")
        return keep("period", period) if period else match[0]

    shape = re.sub(grammar.date, lambda match: keep("date", match[0]), folded)
    shape = re.sub(rf"\b({grammar.number})(?:\s+|(?<=\d))(?:prochaine?s?\s+)?([a-z]+)\b(?!\}})", found_period, shape)
    return re.sub(r"(?<![{\w])\d+(?:[.,]\d+)?(?![\w}])", lambda match: keep("n", match[0]), shape), fillings


def _longer_unit(language: str, count: str, unit: str) -> str | None:
    """`3 trimestres` as `9 mois`."""
    spans = {fold(word): span for word, span in meant(language)["spans"].items()}
    span, number = spans.get(unit) or spans.get(unit.removesuffix("s")), read_number(language, count)
    if span is None or number is None:
        return None
    each, _, short = span.partition(" ")
    return f"{number * int(each):f} {short}"


def _foreign_unit(language: str, word: str) -> str | None:
    return next((unit for one in LANGUAGES if one != language and (unit := vocabulary(one).find("units", word))), None)


def unknown_unit(language: str, kind: str, text: str) -> str | None:
    """The word of a phrase that is no unit of time, where all the rest of it is right: `il y a plus de 3 lunes`."""
    right = vocabulary(language).words["units"]["month"][-1]
    for found in re.finditer(
        rf"\b(?:{grammar_of(language).number})\s+(?:prochaine?s? )?([a-z]+)\b", folded := fold(text)
    ):
        if read_phrase(language, kind, f"{folded[: found.start(1)]}{right}{folded[found.end(1) :]}"):
            return found[1]
    return None
