"""A word that is no field, and what was probably meant by it: an age, a column of the sheet, a genre beside a count."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import cast

from rules.again import tell_again, tell_again_key
from rules.by_itself import tell_beside, told_by_itself
from rules.conditions import Period
from rules.context import Context, alike_in_number
from rules.denied import NOT, tell_denied, tell_denied_key, undenied
from rules.fields import SINCE
from rules.heads import begun_with
from rules.mistakes import fold, nearest
from rules.phrases import Phrase, read_phrase, typed
from rules.suggestions import suggest
from rules.windows import OPTIONS, main_of
from rules.words import LANGUAGES, Vocabulary, meant, vocabulary
from rules.yamltext import Block, Entry, Node, Text

OF_SHEET = re.compile(r"(?:colonne|column|tableau|sheet)[ .]\s*(.+)", re.IGNORECASE)
OF = re.compile(r"(?:(?:of|for|in|de|en|pour)\s+|d')", re.IGNORECASE)
BARE = re.compile(r"[^\W\d_][\w'’-]*(?: [\w'’-]+){0,2}")
"""A name, and no sentence."""
PLAIN = re.compile(
    r"ne?|ils?|elles?|qui|a|ont|est|sont|deja|encore|pas|non|jamais|rien|aucune?|sans|de?|une?|l[ae]?|they|who|has|have|"
    r"ha(?:s|ve)nt?|t|is|isnt?|are|arent?|did|didnt?|ever|already|yet|not|never|no|nothing|any|an|without"
)
"""Words beside what a key asks that leave it as it is, or deny it: what has others (`this season`) asks more."""
MORE = re.compile(r"\d|\bqu'|\bn(?:e |').* plus$|\bno longer\b|\bany ?more$")
"""In a sentence, what no line known says: `venus qu'une fois`, `ne donnent plus`."""
JOINED = re.compile(r"[,&/+]|\b(?:and|or|et|ou)\b", re.IGNORECASE)
YEAR = re.compile(r"(?:19|20)\d\d")


def tell_unknown_field(
    context: Context, entry: Entry, block: Block, path: str, sections: tuple[str, ...]
) -> Entry | None:
    """Tell a line of a block whose word is no field, with what was meant. `sections` of the vocabulary may stand there.
    Gives the line with the word that was probably meant, where that is all there is to mend in this word.
    """
    key = entry.key
    begun = OF_SHEET.match(key.value)
    if begun and (column := _column(context, begun[1])):
        _tell_column(context, entry, path, column)
        return None
    if _column(context, key.value) is None and (
        tell_denied_key(context, entry, path)
        or tell_beside(context, entry, block, path)
        or told_by_itself(context, entry, path)
        or tell_again_key(context, entry, path)
    ):
        return None
    if context.words.find("occasion", key.value) and not context.words.nearest(("fields",), key.value):
        since = context.words.find("occasion", key.value) in SINCE
        code = "since-rule" if since else "occasion-rule" if context.occasion is None else "occasion-journey"
        context.tell(key.place, code, f"{path}.{key.value}", key.value)
        return None
    about = context.words.meant(("about",), key.value)
    column = _column(context, key.value)
    if about and column is None:
        ABOUT[about](context, entry, path)
        return None
    foreign = any(one.find("fields", key.value) for one in map(vocabulary, LANGUAGES))
    if column and not foreign and (about or not nearest(key.value, context.words.all("fields"))):
        _tell_column(context, entry, path, column)
    elif ((near := context.words.nearest(("fields",), key.value)) and alike_in_number(near, key.value)) or not (
        right := _answered(context, entry) or _of_a_kind(context, entry)
    ):
        return context.line_meant(entry, sections, path, _cell(context, entry))
    else:
        cell = _cell(context, entry)
        context.tell(key.place, "unknown-field", f"{path}.{key.value}", key.value, value=cell, suggestion=right)
    return None


def may_be_lines(context: Context, node: Node) -> bool:
    """Whether a block may be conditions, and not `field: visits`, `operator: ">="`, `value: 3`."""
    keys = [entry.key.value for entry in node.entries] if isinstance(node, Block) else []
    words = context.words
    return len(keys) == 1 or any(words.nearest(("fields", "logic"), key) or _column(context, key) for key in keys)


def tell_no_line(context: Context, node: Text, path: str) -> bool:
    """Tell a text where lines should stand: a segment by its name alone, a line without its colon, a free sentence. False
    where nobody can tell what was meant.
    """
    text, words = node.value.strip(), context.words
    segment, rest = words.key("logic", "segment"), undenied(text)
    head = begun_with(text)
    if fold(text) in context.segments:
        context.tell(node.place, "bare-segment", path, text, suggestion=f"{segment}: {text}")
    elif rest and fold(rest) in context.segments:
        tell_denied(context, node.place, path, text, f"{segment}: {rest}")
    elif head and head != text and not re.search("[:,]", text) and context.find(("fields", "logic"), head):
        context.tell(node.place, "no-colon", path, head, suggestion=f"{head}: {text[len(head) :].strip(' =')}")
    elif (cut := _column_ends(context, text)) is not None:
        cell = f"{words.key('logic', 'sheet')}: {{{text[:cut]}: {text[cut:].strip(' =')}}}"
        context.tell(node.place, "column-not-field", path, text[:cut], suggestion=cell)
    elif tell_again(context, node, path):
        return True
    elif right := line_meant(words, text):
        context.tell(node.place, "sentence", path, text, suggestion=right)
    elif BARE.fullmatch(text) and not head:
        word = text if "," not in text else f'"{text}"'
        genres = f"{words.key('fields', 'genres')}: {typed(words.language, 'tags', Phrase('contain', (text,)))}"
        context.tell(
            node.place, "bare-word", path, text, line=genres, column=f"{words.key('logic', 'sheet')}: {{…: {word}}}"
        )
    else:
        return False
    return True


def line_meant(words: Vocabulary, text: str, *, answer: str = "yes") -> str | None:
    """The line that says what a free sentence asks: `ils ont réservé`, `jamais venus`. `answer`: `no` asks for the others."""
    known = cast("dict[str, list[str]]", meant(words.language)["sentences"])
    parts = re.split(r"[ '-]+", fold(text))
    denied = bool(NOT.search(fold(text))) is not (answer == "no")
    if (
        not parts
        or words.find("fields", parts[0])
        or words.find("fields", " ".join(parts[:2]))
        or MORE.search(fold(text))
    ):
        return None  # a line without its colon
    begun = next((lines for begins, lines in known.items() if any(one.startswith(fold(begins)) for one in parts)), None)
    return begun[denied] if begun else None


def _column(context: Context, name: str) -> str | None:
    return next((one for one in context.columns or () if fold(one) == fold(name)), None)


def _cell(context: Context, entry: Entry) -> str:
    """What a line asks, as it may be asked of a column of the sheet."""
    text = entry.value.value.strip() if isinstance(entry.value, Text) else ""
    if not text or "\n" in text:
        return "…"
    number = suggest(context.words.language, "number", text) if re.search(r"\d", text) else None
    return number or text


def _column_ends(context: Context, text: str) -> int | None:
    """Where in `Group Dance` the name of a column of the sheet ends."""
    ends = [found.start() for found in re.finditer(r"[ =]+(?=[^ =])", text)]
    return next((end for end in reversed(ends) if _column(context, text[:end])), None)


def _answered(context: Context, entry: Entry) -> str | None:
    """`donateur: non` and `jamais venu: oui` as what says so."""
    answer = context.words.find("yesno", entry.value.value) if isinstance(entry.value, Text) else None
    if not answer or context.words.meant(("fields",), entry.key.value):
        return context.words.meant(("denied",), entry.key.value) if answer == "no" else None
    others = {one for one in re.split(r"[ '-]+", fold(entry.key.value)) if not PLAIN.fullmatch(one)}
    alone = len(others) == 1 and context.occasion is None  # in a journey it may be meant of what came since
    return line_meant(context.words, entry.key.value, answer=answer) if alone else None


def _of_a_kind(context: Context, entry: Entry) -> str | None:
    """`visites danse: au moins 3` and `visites 2026: au moins 3` as the blocks that say so."""
    words, parts = context.words, entry.key.value.split()
    known = words.meant(("fields", "logic"), entry.key.value) or JOINED.search(entry.key.value)
    if known or not isinstance(entry.value, Text) or words.find("yesno", entry.value.value):
        return None
    number = read_phrase(words.language, "number", entry.value.value) and entry.value.value.strip()
    number = number or suggest(words.language, "number", entry.value.value)
    for cut in range(1, len(parts)) if number else ():
        for named, rest in ((parts[:cut], parts[cut:]), (parts[cut:], parts[:cut])):
            field, kind = words.find("fields", " ".join(named)), OF.sub("", " ".join(rest), count=1)
            line = f"{' '.join(named).lower()}: {{{words.key('window', main_of(field or ''))}: {number}"
            if field in OPTIONS and YEAR.fullmatch(kind):
                year = Phrase("between", (date(int(kind), 1, 1), date(int(kind), 12, 31)))
                return f"{line}, {words.key('window', 'date')}: {typed(words.language, 'date', year)}}}"
            if kind and "genre" in OPTIONS.get(field or "", ()):
                return f"{line}, {words.key('window', 'genre')}: {kind}}}"
    return None


# --- words of which nobody can know what was meant ---------------------------------------------------------------------


def _tell_age(context: Context, entry: Entry, path: str) -> None:
    """`age: over 65` as `birthday: more than 65 years ago`."""
    words, found = context.words, entry.value.value if isinstance(entry.value, Text) else ""
    number = read_phrase(words.language, "number", found)
    number = number or read_phrase(words.language, "number", suggest(words.language, "number", found) or "")
    born = words.key("fields", "birthday")
    tests = [f"{born}: {typed(words.language, 'date', one)}" for one in _born(number)]
    shown = "…" if number is None else typed(words.language, "number", number)
    facts = {"column": f"{words.key('logic', 'sheet')}: {{{entry.key.value}: {shown}}}", "field": born}
    here = f"{path}.{entry.key.value}"
    if len(tests) == 2:
        lines = {"all_of": words.key("logic", "all_of"), "first": f"- {tests[0]}", "second": f"- {tests[1]}"}
        context.tell(entry.key.place, "age-between", here, entry.key.value, **facts, **lines)
    elif tests:
        context.tell(entry.key.place, "age", here, entry.key.value, suggestion=tests[0], **facts)
    else:
        line = f"{born}: {typed(words.language, 'date', _years('less_ago', 26))}"
        context.tell(entry.key.place, "age-unclear", here, entry.key.value, line=line, **facts)


def _born(number: Phrase | None) -> list[Phrase]:
    """What is asked of the birthday of somebody of this age, in whole years: one test or two; none where it is unclear."""
    ages = [int(value) for value in number.values if isinstance(value, Decimal)] if number else []
    match number and number.op:
        case "at_least" | "more":
            return [_years("more_ago", ages[0])]
        case "less":
            return [_years("less_ago", ages[0])]
        case "at_most":
            return [_years("less_ago", ages[0] + 1)]
        case "is" | "between":
            return [_years("more_ago", ages[0]), _years("less_ago", ages[-1] + 1)]
        case _:
            return []


def _years(op: str, count: int) -> Phrase:
    return Phrase(op, (Period(count, "year"),))


def _tell_subscriber(context: Context, entry: Entry, path: str) -> None:
    """`abonné: oui`: to the season, or to the newsletter?"""
    words, found = context.words, entry.value.value.strip() if isinstance(entry.value, Text) else ""
    answer = words.find("yesno", found)
    season = str(words.words["expected"]["subscription"]).strip("`")
    begun = fold(season)[:6]
    column = next((one for one in context.columns or () if fold(one).startswith(begun)), season.capitalize())
    told = words.shown("yesno", "yes") if answer or not found else found
    contains = typed(words.language, "text", Phrase("contains", (season,)))
    facts = {
        "membership": f"{words.key('fields', 'membership')}: {contains}",
        "column": f"{words.key('logic', 'sheet')}: {{{column}: {told}}}",
        "newsletter": f"{words.key('fields', 'newsletter')}: {words.shown('choices', 'subscribed')}",
    }
    code = "subscriber-not" if answer == "no" else "subscriber"
    context.tell(entry.key.place, code, f"{path}.{entry.key.value}", entry.key.value, **facts)


def _tell_labels(context: Context, entry: Entry, path: str) -> None:
    """`étiquettes: Amis`: what rules have flagged, or a column of the sheet."""
    words, found = context.words, entry.value.value.strip() if isinstance(entry.value, Text) else ""
    facts = {
        "flags": f"{words.key('fields', 'flags')}: {typed(words.language, 'tags', Phrase('contain', (found or '…',)))}",
        "column": f"{words.key('logic', 'sheet')}: {{{entry.key.value}: {found or '…'}}}",
    }
    context.tell(entry.key.place, "labels", f"{path}.{entry.key.value}", entry.key.value, **facts)


def _tell_booked(context: Context, entry: Entry, path: str) -> None:
    """`bookings: at least 1`, `booked: yes`: what was ordered, or a visit still to come?"""
    words, found = context.words, entry.value.value.strip() if isinstance(entry.value, Text) else ""
    number = found if read_phrase(words.language, "number", found) else suggest(words.language, "number", found)
    none = words.find("yesno", found) == "no" or number == "0"
    ahead = words.words["phrases"]["date"]["never" if none else "known"][0]
    least = typed(words.language, "number", Phrase("at_least", (Decimal(1),)))
    ordered = f"{words.key('fields', 'purchases')}: {'0' if none else number or least}"
    day = None if number else read_phrase(words.language, "date", found)
    if day and day.values:
        right = words.key("fields", "next_visit" if day.op in {"in", "next", "today"} else "last_purchase")
        context.tell(
            entry.key.place, "unknown-key-near", f"{path}.{entry.key.value}", entry.key.value, suggestion=right
        )
        return
    facts = {"ordered": ordered, "ahead": f"{words.key('fields', 'next_visit')}: {ahead}"}
    context.tell(entry.key.place, "booked", f"{path}.{entry.key.value}", entry.key.value, **facts)


def tell_not_asked(context: Context, entry: Entry, path: str) -> None:
    """`product: Season ticket`, `tarif: réduit`: what a source's columns tell, and no rule can ask."""
    words, found = context.words, entry.value.value.strip() if isinstance(entry.value, Text) else ""
    least = typed(words.language, "number", Phrase("at_least", (Decimal(1),)))
    genre = str(words.words["expected"]["genre"]).split("`")[1]
    block = f"{{{words.key('window', 'count')}: {least}, {words.key('window', 'genre')}: {genre}}}"
    facts = {
        "genre": f"{words.key('fields', 'visits')}: {block}",
        "column": f"{words.key('logic', 'sheet')}: {{{entry.key.value}: {found or '…'}}}",
    }
    context.tell(entry.key.place, "not-asked", f"{path}.{entry.key.value}", entry.key.value, **facts)


ABOUT = {
    "not_asked": tell_not_asked,
    "age": _tell_age,
    "subscriber": _tell_subscriber,
    "labels": _tell_labels,
    "booked": _tell_booked,
}


def _tell_column(context: Context, entry: Entry, path: str, column: str) -> None:
    value = entry.value.value if isinstance(entry.value, Text) else "…"
    right = f"{context.words.key('logic', 'sheet')}: {{{column}: {value}}}"
    context.tell(entry.key.place, "column-not-field", f"{path}.{entry.key.value}", column, suggestion=right)
