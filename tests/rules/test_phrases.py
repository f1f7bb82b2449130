"""Phrases in both languages, and back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions import Check, Period
from rules.phrases import Phrase, read_phrase, said, typed
from rules.suggestions import suggest
from rules.words import vocabulary

A, B = date(2024, 1, 1), date(2024, 6, 30)
SAME = [
    ("date", "more than 18 months ago", "il y a plus de 18 mois", "more_ago", (Period(18, "month"),)),
    ("date", "more than a year ago", "il y a plus d'un an", "more_ago", (Period(1, "year"),)),
    ("date", "over 2 years ago", "depuis plus de 2 années", "more_ago", (Period(2, "year"),)),
    ("date", "less than 3 weeks ago", "Il y a moins de 3 semaines", "less_ago", (Period(3, "week"),)),
    ("date", "in the last 3 weeks", "depuis moins de trois semaines", "less_ago", (Period(3, "week"),)),
    ("date", "2 years ago", "il y a 2 ans", "ago", (Period(2, "year"),)),
    ("date", "in the next 7 days", "dans les 7 prochains jours", "next", (Period(7, "day"),)),
    ("date", "in the next 2 weeks", "dans les deux prochaines semaines", "next", (Period(2, "week"),)),
    ("date", "in the next 2 hours", "dans les prochaines 2 heures", "next", (Period(2, "hour"),)),
    ("date", "in 3 days", "dans 3 jours", "in", (Period(3, "day"),)),
    ("date", "today", "aujourd’hui", "today", ()),
    ("date", "before 2024-01-01", "avant le 01/01/2024", "before", (A,)),
    ("date", "after 1 January 2024", "après le 1er janvier 2024", "after", (A,)),
    ("date", "since 2024-01-01", "depuis le 1er janvier 2024", "since", (A,)),
    ("date", "from 1 January 2024", "à partir du 2024-01-01", "since", (A,)),
    ("date", "on or after 2024-01-01", "depuis 01/01/2024", "since", (A,)),
    ("date", "until 2024-06-30", "jusqu’au 30 juin 2024", "until", (B,)),
    ("date", "up to and including 30 June 2024", "jusqu'au 30/06/2024 compris", "until", (B,)),
    ("date", "between 2024-01-01 and 2024-06-30", "entre le 1er janvier 2024 et le 30 juin 2024", "between", (A, B)),
    ("date", "2024-06-30", "le 30/06/2024", "on", (B,)),
    ("date", "on 30 June 2024", "30 juin 2024", "on", (B,)),
    ("date", "Never", "JAMAIS", "never", ()),
    ("date", "known", "connues", "known", ()),
    ("number", "3", "3", "is", (Decimal(3),)),
    ("number", "at least 12.5", "au moins 12,5", "at_least", (Decimal("12.5"),)),
    ("number", "at most three", "au plus trois", "at_most", (Decimal(3),)),
    ("number", "more than 1 000", "plus de 1\u202f000", "more", (Decimal(1000),)),
    ("number", "fewer than 3", "moins de 3", "less", (Decimal(3),)),
    ("number", "less than 50 $", "moins de 50 €", "less", (Decimal(50),)),
    ("number", "between 2 and 5", "entre 2 et 5", "between", (Decimal(2), Decimal(5))),
    ("text", "contains La Clé", "contient La Clé", "contains", ("La Clé",)),
    ("text", "starts with H1", "commence par H1", "starts", ("H1",)),
    ("text", "contains any of [a, b c]", "contient au moins un de [a, b c]", "contains_any", ("a", "b c")),
    ("text", "contains [a]", "contient [a]", "contains_any", ("a",)),
    ("text", 'contains one of ["a, b", c]', 'contient l\'un de ["a, b", c]', "contains_any", ("a, b", "c")),
    ("text", "starts with any of [29, 22]", "commence par un de [29, 22]", "starts_any", ("29", "22")),
    ("text", "starts with [29, 22]", "commence par [29, 22]", "starts_any", ("29", "22")),
    ("text", 'contains "a, b or c"', 'contient "a, b or c"', "contains", ("a, b or c",)),
    ("text", "empty", "vide", "never", ()),
    ("tags", "contain dance", "contiennent dance", "contain", ("dance",)),
    ("tags", "contains any of [a, b c]", "contient au moins un de [a, b c]", "contain_any", ("a", "b c")),
    ("tags", "contain none of a, b", "ne contiennent aucun de a, b", "contain_none", ("a", "b")),
    ("again", "after 6 months", "après 6 mois", "again", (Period(6, "month"),)),
    ("due", "in 5 days", "dans 5 jours", "due", (Period(5, "day"),)),
    ("wait", "2 days", "2 jours", "wait", (Period(2, "day"),)),
    ("at", "the day before", "la veille", "day_before", ()),
    ("at", "The next day", "le lendemain", "day_after", ()),
]


@pytest.mark.parametrize(("kind", "english", "french", "op", "values"), SAME)
def test_both_languages_mean_the_same(kind: str, english: str, french: str, op: str, values: Any) -> None:
    assert read_phrase("en", kind, english) == Phrase(op, values)
    assert read_phrase("fr", kind, french) == Phrase(op, values)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "2024-02-30"), ("date", "31/01/2024"), ("date", "18 months"), ("date", "more than 1.5 months ago"),
        ("date", "more than 99999999 years ago"), ("number", "12,5"), ("number", "three or so"), ("number", "١٢"),
        ("number", "1e5"), ("number", "0x10"), ("number", ""), ("wait", "two"), ("date", "more than -1 days ago"),
    ],
)  # fmt: skip
def test_what_is_no_phrase(kind: str, text: str) -> None:
    assert read_phrase("en", kind, text) is None


@pytest.mark.parametrize(
    ("language", "kind", "text", "meant"),
    [
        ("fr", "number", "au moin 3", "au moins 3"), ("fr", "number", ">= 3", "au moins 3"),
        ("fr", "number", "3+", "au moins 3"), ("fr", "number", "3 ou plus", "au moins 3"),
        ("fr", "number", "12.5", "12,5"), ("en", "number", "12,5", "12.5"), ("en", "number", "< 3", "less than 3"),
        ("fr", "date", "il y a plus de 18 moi", "il y a plus de 18 mois"), ("fr", "date", "18 mois", "il y a plus de 18 mois"),
        ("fr", "date", "plus de 18 mois", "il y a plus de 18 mois"), ("en", "date", "> 18 months", "more than 18 months ago"),
        ("en", "date", "more then 18 month ago", "more than 18 months ago"), ("en", "date", "31/01/2024", "2024-01-31"),
        ("en", "date", "before 31/01/2024", "before 2024-01-31"), ("fr", "date", "dans les 7 jours", "dans les 7 prochains jours"),
        ("en", "number", "au moins 3", "at least 3"), ("en", "number", "au moin 3", "at least 3"), ("fr", "number", "at mots 3", "au plus 3"), ("fr", "date", "never", "jamais"), ("fr", "again", "6 mois", "après 6 mois"),
        ("fr", "date", "dans moins de 30 jours", "dans les 30 prochains jours"), ("en", "date", "within 7 days", "in the next 7 days"),
        ("en", "date", "in more than 30 days", None), ("fr", "date", "aucune", "jamais"), ("fr", "date", "oui", "connu"),
        ("fr", "number", "100€ minimum", "au moins 100"), ("en", "number", "yes", "at least 1"), ("fr", "number", "aucun", "0"),
        ("en", "date", "since September 2025", "since 2025-09-01"), ("fr", "date", "jusqu'en juin 2026", "jusqu'au 2026-06-30"),
        ("en", "date", "September to June 2026", "between 2025-09-01 and 2026-06-30"), ("en", "date", "since 09/01/2025", None),
        ("en", "date", "between 09/01/2025 and 06/30/2026", "between 2025-09-01 and 2026-06-30"), ("fr", "date", "saison 2025-2026", None),
        ("fr", "date", "fin 2025", None), ("fr", "date", "avant fin 2025", "avant 2025-12-31"), ("fr", "date", "entre juin 2026 et mai 2026", None),
        ("fr", "date", "il y a 2 ans ou plus", "il y a plus de 2 ans"), ("en", "date", "till June 30th, 2026", "until 2026-06-30"),
        ("en", "wait", "in 2 days", "2 days"), ("en", "number", "a lot", None), ("en", "date", "2024-02-30", "2024-02-29"), ("en", "date", "2024-13-01", None),
    ],
)  # fmt: skip
def test_what_was_meant(language: str, kind: str, text: str, meant: str | None) -> None:
    assert suggest(language, kind, text) == meant


PHRASES = st.sampled_from(
    [(kind, op, pattern[0]) for kind, ops in vocabulary("en").words["phrases"].items() for op, pattern in ops.items()]
)
PERIODS = st.builds(Period, st.integers(0, 10_000), st.sampled_from(["minute", "hour", "day", "week", "month", "year"]))
NUMBERS = st.decimals(-100000, 100000, places=2).map(lambda n: n.normalize() + 0)
DAYS = st.dates(date(1000, 1, 1))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "period": PERIODS,
    "n": NUMBERS,
    "date": DAYS,
    "text": st.just("La Clé"),
    "list": st.just("a"),
}


@given(st.data(), PHRASES, st.sampled_from(["en", "fr"]))
@settings(max_examples=300, deadline=None)
def test_what_is_typed_is_read_back(data: st.DataObject, phrase: tuple[str, str, str], language: str) -> None:
    kind, op, pattern = phrase
    holes = [hole for hole in ("period", "date", "n", "text", "list") for _ in range(pattern.count(f"{{{hole}}}"))]
    meant = Phrase(op, tuple(data.draw(VALUES[hole]) for hole in holes))
    assert read_phrase(language, kind, typed(language, kind, meant)) == meant


@given(st.text(max_size=60), st.sampled_from(["date", "number", "text", "tags", "wait"]), st.sampled_from(["en", "fr"]))
@settings(max_examples=200, deadline=None)
def test_no_text_ever_raises(text: str, kind: str, language: str) -> None:
    read_phrase(language, kind, text)
    suggest(language, kind, text)


def test_said_for_reading() -> None:
    before = Check("last_visit", "date", "before", (date(2024, 3, 1),))
    assert said("en", before) == "before 1 March 2024"
    assert said("fr", before) == "avant le 1er mars 2024"
    assert said("fr", Check("newsletter", "choice", "is", ("none", "bounced"))) == "[aucune, en erreur]"
    assert said("fr", Check("last_visit", "date", "more_ago", (Period(1, "week"),))) == "il y a plus d'une semaine"
