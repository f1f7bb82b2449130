"""Every rule that the pages and the editor's schema promise to be right, made from the vocabulary: each field with each
phrase of its type, as different hands type it; each count over a period; each action; each anchor and moment.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from itertools import chain

from rules.fields import FIELDS, OCCASION, SINCE, Field
from rules.never_true import AHEAD, BACK, PAST
from rules.windows import OPTIONS, SUMS
from rules.words import Vocabulary

DAYS = {
    "fr": ("2024-01-31", "31/01/2024", "31 janvier 2024", "1er février 2024", "2 août 2025"),
    "en": ("2024-01-31", "31 January 2024", "1st February 2024", "2nd August 2025"),
}
NUMBERS = {
    "fr": ("3", "12", "1 000", "1\u00a0000", "1\u202f000", "deux", "douze"),
    "en": ("3", "12", "1 000", "two", "twelve"),
}
MONEY = {
    "fr": (
        "12,5",
        "20 €",
        "20€",
        "20\u00a0€",
        "20\u202f€",
        "12,50 €",
        "1 000 €",
        "1\u202f000\u00a0$",
        "50 $",
        "50\u00a0$",
    ),
    "en": ("12.5", "$20", "€20", "£20", "20 €", "20$", "$12.50", "1 000 $"),
}
"""Only in the fields that are money, and in `amount`."""
TEXTS = {
    "fr": (
        "Lyon",
        "l'Haÿ-les-Roses",
        "L’Haÿ-les-Roses",
        "Saint-Étienne",
        "01000",
        "H2X 1Y4",
        "Aix-en-Provence",
        "\u2014",
    ),
    "en": ("Lyon", "St. John's", "St. John’s", "01000", "H2X 1Y4", "Stratford-upon-Avon"),
}
BY_HAND = {"last_visit", "visits", "spent", "newsletter", "genres"}
"""A field of each type, whose phrases are typed in every way; no two ways differ in what the reader does with them."""
WORDS = {"fr": ("danse", "jeune public", "théâtre d'objets", "arts de la rue"), "en": ("dance", "young audience")}


def plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def hands(text: str) -> list[str]:
    """One text as different hands type it."""
    apart = unicodedata.normalize("NFD", text)
    typed = (text, text.replace("'", "’"), text.replace(" ", "\u00a0"), plain(text), text.upper(), apart)
    return list(dict.fromkeys(typed))


def periods(words: Vocabulary) -> Iterator[str]:
    for names in list(words.words["units"].values())[2:]:
        for name in names:
            yield f"2 {name}" if name.endswith("s") else f"1 {name}"
    yield f"{words.words['numbers']['1'][-1]} {words.words['units']['year'][0]}" if words.language == "en" else "un an"
    yield "deux semaines" if words.language == "fr" else "two weeks"


def nexts(words: Vocabulary, lead: str) -> Iterator[str]:
    if words.language == "en":
        yield from periods(words)
    elif lead.endswith("les"):
        yield from ("7 prochains jours", "2 prochaines semaines", "trois prochains mois", "prochains 30 jours")
    elif lead.endswith("la"):
        yield from ("prochaine semaine", "prochaine année")
    else:
        yield from ("prochain mois", "prochain an")


def phrases(words: Vocabulary, kind: str, *, money: bool = False, but: Collection[str] = ()) -> Iterator[str]:
    """Every wording of every phrase of a type, but of some, with all that may stand in its holes."""
    for op, patterns in (words.words["phrases"].get(kind) or {kind: words.words[kind]}).items():
        for pattern in () if op in but else patterns:
            two = pattern.count("{") == 2
            yield from (_two(words, pattern, money=money) if two else _filled(words, pattern, money=money))


def _two(words: Vocabulary, pattern: str, *, money: bool) -> Iterator[str]:
    pairs = [("2024-01-01", "2024-06-30")] if "{date}" in pattern else [("5", "12")]
    if words.language == "fr" and "{date}" in pattern:
        pairs.append(("1er janvier 2024", "30/06/2024"))
    if money:
        pairs.append(("$5", "$12") if words.language == "en" else ("5 €", "12 €"))
    hole = "{date}" if "{date}" in pattern else "{n}"
    yield from (pattern.replace(hole, one, 1).replace(hole, other, 1) for one, other in pairs)


def _filled(words: Vocabulary, pattern: str, *, money: bool) -> list[str]:
    language = words.language
    holes = {
        "{n}": (*NUMBERS[language], *(MONEY[language] if money else ())),
        "{date}": DAYS[language],
        "{period}": periods(words),
        "{next}": nexts(words, pattern.partition(" {")[0]),
        "{list}": (f"[{', '.join(WORDS[language])}]",),
        "{text}": WORDS[language],
    }
    hole = next((hole for hole in holes if hole in pattern), None)
    found = [pattern.replace(hole, one) for one in holes[hole]] if hole else [pattern]
    return [one.replace("de un ", "d'un ").replace("de une ", "d'une ") for one in found]


def agreed(words: Vocabulary, text: str) -> Iterator[str]:
    """`inscrit` as it is written of a woman, and of several."""
    yield text
    if words.language == "fr" and text.rpartition(" ")[2] in {"inscrit", "désinscrit", "connu", "concerné"}:
        yield from (f"{text}{end}" for end in ("e", "s", "es"))
    elif words.language == "fr" and text == "vide":
        yield "vides"


def conditions(words: Vocabulary) -> Iterator[str]:
    """Lines of `when:`, each right by itself."""
    for name, field in FIELDS.items():
        shown = words.key("fields", name)
        values = [one for phrase in of_field(words, field) for one in agreed(words, phrase)]
        typed = chain.from_iterable(map(hands, values)) if name in BY_HAND else values[::3]
        yield from (f"{shown}: {value}" for value in typed)
        for key in words.words["fields"][name]:
            value = next(of_field(words, field))
            yield from (f"{one}: {value}" for one in (*hands(str(key)), str(key).replace(" ", "_"), str(key).title()))
    yield from counts(words)
    yield from sums(words)
    yield from cells(words)


def of_field(words: Vocabulary, field: Field) -> Iterator[str]:
    lists = {
        "text": TEXTS[words.language][:2],
        "tags": WORDS[words.language],
        "number": ("1", "2"),
        "money": ("1", "2"),
    }
    if field.name.endswith("_score"):
        yield from ("4", *(phrase.replace("{n}", "4") for phrase in words.words["phrases"]["number"]["at_least"]))
        return
    if field.type == "choice":
        shown = [words.shown("choices", choice) for choice in field.choices]
        yield from (*shown, f"[{shown[0]}, {shown[1]}]", *words.words["phrases"]["choice"]["known"])
        return
    if field.type in {"text", "tags"}:
        yield from (TEXTS if field.type == "text" else WORDS)[words.language]
    but = AHEAD if field.name in PAST else BACK if field.name == "next_visit" else ()  # they would be true of nobody
    yield from phrases(words, {"money": "number"}.get(field.type, field.type), money=field.type == "money", but=but)
    if field.type in lists:
        yield f"[{', '.join(lists[field.type])}]"


def counts(words: Vocabulary) -> Iterator[str]:
    """A count over a period, and what each of those counted must have."""
    lines = ("count", "within", "date", "amount", "score", "genre")
    count, within, date, amount, score, genre = (words.key("window", name) for name in lines)
    past = {"never", "known", *AHEAD}
    least = str(words.words["phrases"]["number"]["at_least"][0])
    usual = f"{count}: {least.format(n=2)}"
    decimal = words.words["decimal"]
    for name, options in list(OPTIONS.items())[: -len(SUMS)]:
        shown = words.key("fields", name)
        yield from (f"{shown}: {{{usual}, {date}: {one}}}" for one in phrases(words, "date", but=past))
        yield f"{shown}: {{{usual}, {within}: {next(periods(words))}, {date}: {next(phrases(words, 'date', but=past))}}}"
        for number in phrases(words, "number"):
            if decimal not in number and number not in {"vide", "connu", "empty", "known"}:
                yield f"{shown}: {{{count}: {number}, {within}: {next(periods(words))}}}"
                yield f"{shown}: {{{count}: {number}}}"
        yield from (f"{shown}: {{{usual}, {within}: {one}}}" for period in periods(words) for one in hands(period))
        if "genre" in options:
            names = WORDS[words.language]
            yield from (f"{shown}: {{{usual}, {genre}: {one}}}" for one in (*names, f"[{', '.join(names)}]"))
        if "amount" in options:
            for number in phrases(words, "number", money=True):
                if number in {"vide", "connu", "empty", "known"}:
                    continue
                broken = "," in number
                yield (
                    f'{shown}: {{{usual}, {amount}: "{number}"}}'
                    if broken
                    else f"{shown}: {{{usual}, {amount}: {number}}}"
                )
                yield f"{shown}:\n            {usual}\n            {amount}: {number}"
        if "score" in options:
            yield from (f"{shown}: {{{usual}, {score}: {one}}}" for one in (least.format(n=4), "5", "[1, 2]"))


def sums(words: Vocabulary) -> Iterator[str]:
    """Money added up over a period."""
    within, date, amount = (words.key("window", name) for name in ("within", "date", "amount"))
    past = {"never", "known", *AHEAD}
    for name in SUMS:
        shown = words.key("fields", name)
        bare = [one for one in phrases(words, "number", money=True, but={"never", "known"}) if "," not in one]
        yield from (f"{shown}: {{{amount}: {one}, {within}: {next(periods(words))}}}" for one in bare)
        yield f"{shown}: {{{amount}: {bare[0]}}}"
        yield from (f"{shown}: {{{amount}: {bare[0]}, {date}: {one}}}" for one in phrases(words, "date", but=past))


def cells(words: Vocabulary) -> Iterator[str]:
    """Columns of the team's own: anything may stand in them."""
    sheet = words.key("logic", "sheet")
    values = [*words.words["yesno"]["yes"], *words.words["yesno"]["no"], *TEXTS[words.language]]
    values += [phrase for kind in ("date", "number") for phrase in phrases(words, kind)]
    values += [
        "3,5" if words.language == "fr" else "3.5",
        "75%",
        "50 %",
        "20 € / mois",
        "A+",
        "Saison 26-27",
        "2e rang",
    ]
    for value in values:
        yield f'{sheet}: {{Note: "{value}"}}' if "," in value else f"{sheet}: {{Note: {value}}}"
        yield f"{sheet}:\n            Note: {value}"


def actions(words: Vocabulary) -> Iterator[str]:
    """Items of `then:`, in their short form and with all that may be said of them."""
    key, language = words.key, words.language
    email, task, letter = key("action", "email"), key("action", "task"), key("action", "newsletter")
    first = words.words["fields"]["first_name"][0].replace(" ", "_")
    for name in words.words["action"]["email"]:
        yield f"{name}: we-miss-you"
    for option, section in (("wait", "wait"), ("again", "again"), ("no_later_than", "wait")):
        for phrase in phrases(words, section):
            yield from (f"{email}: we-miss-you\n        {key('option_email', option)}: {one}" for one in hands(phrase))
    for purpose in words.words["purpose"].values():
        yield f"{email}: we-miss-you\n        {key('option_email', 'purpose')}: {purpose[0]}"
    yield f"{key('action', 'flag')}: {WORDS[language][1]}"
    yield f"{key('action', 'set')}: {{Note: {WORDS[language][0]}}}"
    yield f"{key('action', 'set')}:\n          Note: {WORDS[language][0]}"
    yield f'{task}: "{{{{ {first} }}}}"'
    for phrase in phrases(words, "due"):
        yield f"{task}: Call {{{{ {first} }}}}\n        {key('option_task', 'for')}: Marie\n        {key('option_task', 'due')}: {phrase}"
    yield f"{letter}: {key('change', 'subscribe')}\n        {key('option_newsletter', 'source')}: lettre"
    yield f"{letter}: {key('change', 'unsubscribe')}\n        {key('option_newsletter', 'source')}: lettre"
    for change in ("add_tag", "remove_tag"):
        for tags in (WORDS[language][0], f"[{', '.join(WORDS[language])}]"):
            yield f"{letter}: {{{key('change', change)}: {tags}}}\n        {key('option_newsletter', 'source')}: lettre"
    yield f'{key("action", "notify")}: "{{{{ {first} }}}} !"'
    review = words.words["review"][0]
    yield from (f"{key('action', 'review')}: {review.replace('{n}', one)}" for one in (*NUMBERS[language][:2], "500"))
    fields = ", ".join(words.words["fields"][name][0] for name in ("email", "last_visit"))
    yield f"{key('action', 'webhook')}: crm"
    yield f"{key('action', 'webhook')}: crm\n        {key('option_webhook', 'fields')}: [{fields}]"
    yield f"{key('action', 'forget')}: {WORDS[language][1]}"


def journeys(words: Vocabulary) -> Iterator[tuple[str, str, str]]:
    """Anchor, moment of a step, and a line of its `when:` (empty: none)."""
    for around in phrases(words, "around"):
        yield from ((one, next(phrases(words, "at")), "") for one in hands(around))
    ticket = words.words["phrases"]["around"]["ticket"][0]
    for at in phrases(words, "at"):
        yield from ((ticket, one, "") for one in hands(at))
    gift = words.words["phrases"]["around"]["donation"][0]
    amounts = [one for one in phrases(words, "number", money=True) if "," not in one]
    asked = {"attended": words.words["yesno"]["yes"], "genre": WORDS[words.language], "amount": amounts}
    assert {*asked, *SINCE} == {*OCCASION}
    for name, values in asked.items():
        shown, around = words.key("occasion", name), gift if name == "amount" else ticket
        yield from ((around, next(phrases(words, "at")), f"{shown}: {value}") for value in values)
    after = str(words.words["phrases"]["at"]["after"][0]).replace("{period}", next(periods(words)))
    for name in SINCE:
        shown = words.key("occasion", name)
        yield from ((around, after, f"{shown}: 0") for around in phrases(words, "around"))
        yield from ((gift, after, f"{shown}: {value}") for value in phrases(words, "number"))
    moments = [f"{n} {words.words['units'][unit][-1]}" for n, unit in ((90, "minute"), (2, "hour"))]
    for moment in moments:
        for op in ("before", "after"):
            yield ticket, str(words.words["phrases"]["at"][op][0]).replace("{period}", moment), ""
