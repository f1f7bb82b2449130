"""Counts over windows as people write them: the same in both languages, in words, in examples, on boundary days."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from rules.canonical import condition_json, to_json
from rules.compiler import evaluate
from rules.conditions import Book, Check, Window
from rules.examples import run_examples
from rules.explain import explain
from rules.phrases import read_period
from rules.reader import Reading, read
from rules.windows import count

TODAY = date(2026, 11, 23)
EN = """
rules:
  - name: Dance
    when:
      visits: {count: at least 2, within: 12 months, genre: [Dance, circus]}
      donations: {count: 1, within: 1 year, amount: more than 50}
      answers: {within: 90 days, count: less than 3, score: at most 2.5}
      purchases: {count: between 1 and 3, within: 2 weeks, amount: at least 20}
    unless:
      opens: {count: 0, within: 1 month}
      clicks: {count: at most 1}
      tickets: {count: 4, genre: dance}
    then:
      - flag: Dance
"""
FR = """
règles:
  - nom: Dance
    quand:
      visites: {nombre: au moins 2, sur: douze mois, genre: [cirCus, dance]}
      dons: {montant: plus de 50, nombre: 1, sur: 1 an}
      réponses: {sur: 90 jours, nombre: moins de 3, note: "au plus 2,5"}
      achats:
        nombre: entre 1 et 3
        sur: 2 semaines
        montant: au moins 20 €
    sauf:
      ouvertures: {nombre: 0, sur: un mois}
      clics: {nombre: au plus 1}
      billets: {nombre: 4, genre: dance}
    alors:
      - signaler: Dance
"""


def book(text: str) -> Book:
    reading: Reading = read({"r.yaml": text.encode()})
    assert reading.mistakes == []
    return reading.book


def test_french_and_english_are_the_same_count() -> None:
    english, french = to_json(book(EN)), to_json(book(FR))
    assert english == french
    assert book(EN).rules[0].digest == book(FR).rules[0].digest
    assert book(EN).rules[0].kinds == {"visit", "donation", "answer", "order", "engagement"}
    assert english["rules"][0]["when"]["all_of"][0] == {
        "field": "visits", "type": "number", "op": "at_least", "values": ["2"],
        "window": {"within": "12 month", "genres": ["circus", "dance"], "each": None},
    }  # fmt: skip


def test_another_window_is_another_rule() -> None:
    texts = [EN, EN.replace("12 months", "6 months"), EN.replace("circus", "opera"), EN.replace("than 50", "than 60")]
    assert len({book(text).rules[0].digest for text in texts}) == 4


def test_a_plain_count_means_what_it_meant() -> None:
    plain = Check("visits", "number", "is", (), window=None)
    assert "window" not in condition_json(plain)


def test_windows_of_one_meaning_are_counted_once() -> None:
    text = EN.replace(
        "unless:", "unless:\n      visits: {count: at least 9, within: 12 months, genre: [circus, DANCE]}"
    )
    assert len(book(text).windows) == len(book(EN).windows) == 7


@pytest.mark.parametrize(
    ("language", "words", "said"),
    [
        ("en", "visits: {count: at least 2, within: 12 months, genre: dance}", "2 visits to dance in the last 12 months (at least 2 ✓)"),
        ("en", "visits: {count: at least 3, within: 1 month}", "2 visits in the last month (at least 3 ✗)"),
        ("en", "tickets: {count: 2, genre: [dance, circus, jazz]}", "2 tickets to dance, circus or jazz (2 ✓)"),
        ("en", "donations: {count: at least 1, within: 2 years, amount: at least 50}", "2 donations, amount at least 50, in the last 2 years (at least 1 ✓)"),
        ("en", "answers: {count: 1, score: at most 2}", "2 answers, score at most 2 (1 ✗)"),
        ("fr", "visites: {nombre: au moins 2, sur: 12 mois, genre: danse}", "2 visites en danse sur 12 mois (au moins 2 ✓)"),
        ("fr", "dons: {nombre: au moins 1, sur: 1 an, montant: 'plus de 50,5'}", "2 dons, montant plus de 50,5, sur 1 an (au moins 1 ✓)"),
        ("fr", "ouvertures: {nombre: au plus 1, sur: 3 semaines}", "2 ouvertures sur 3 semaines (au plus 1 ✗)"),
    ],
)  # fmt: skip
def test_words(language: str, words: str, said: str) -> None:
    keys = {
        "en": "rules: [{name: a, when: {%s}, then: [{flag: a}]}]",
        "fr": "règles: [{nom: a, quand: {%s}, alors: [{signaler: a}]}]",
    }
    found = book(keys[language] % words)
    (column,) = found.windows
    person = pl.DataFrame({"key": [1], column: [2]})
    assert explain(found, found.rules[0], person, TODAY, language=language).lines()[1].strip() == said


def test_what_cannot_be_known_of_somebody_is_unknown() -> None:
    found = book("rules: [{name: a, when: {opens: {count: at least 2, within: 12 months}}, then: [{flag: a}]}]")
    (column,) = found.windows
    people = pl.DataFrame({"key": [1, 2, 3], column: [2, None, 0]})
    assert evaluate(found, people, TODAY).rule("a").to_list() == [True, None, False]
    assert evaluate(found, people, TODAY, {"opens"}).rule("a").to_list() == [None, None, None]
    assert evaluate(found, people.drop(column), TODAY).rule("a").to_list() == [None, None, None]
    for person, unknown in ((people[1:2], ()), (people[:1], {"opens"}), (people[:1].drop(column), ())):
        told = explain(found, found.rules[0], person, TODAY, unknown=unknown)
        assert told.lines()[1].strip() == "opens in the last 12 months: not known for now (at least 2 ?)"


EXAMPLES = """
règles:
  - nom: Danse
    quand:
      visites: {nombre: au moins 2, sur: 12 mois, genre: danse}
    sauf:
      dons: {nombre: au moins 1, sur: 1 an, montant: au moins 50}
      réponses: {nombre: au moins 1, note: au plus 2}
    alors:
      - signaler: Danse
    exemples:
      - personne: {visites: 3}
        attendu: concerné
      - personne: {visites: [{date: il y a 2 mois, genre: Dansé}, {date: aujourd'hui, genre: danse}]}
        attendu: concerné
      - personne: {visites: [{date: il y a 12 mois, genre: danse}, {date: aujourd'hui, genre: danse}]}
        attendu: pas concerné
      - personne: {visites: [il y a 2 mois, il y a 3 mois, dans 2 jours]}
        attendu: pas concerné
      - personne: {visites: 2, dons: [{date: il y a 2 mois, montant: "60"}]}
        attendu: pas concerné
      - personne: {visites: 2, dons: [{date: il y a 2 mois, montant: "49,9"}, {date: 2020-01-01, montant: 100}]}
        attendu: concerné
      - personne: {visites: 2, réponses: [{date: il y a 8 ans, note: 2}]}
        attendu: pas concerné
      - personne: {}
        attendu: pas concerné
"""


def test_examples_tell_a_number_or_days() -> None:
    found = book(EXAMPLES)
    outcomes = run_examples(found, TODAY, "fr")
    assert [one.passed for one in outcomes] == [True] * 8
    assert "2 dons" not in outcomes[5].why.lines()[1]
    facts = to_json(found)["rules"][0]["examples"][5]["person"]["donations"]
    assert facts == [{"amount": "49.9", "day": "-2 month"}, {"amount": "100", "day": "2020-01-01"}]


def test_days_of_an_example_are_as_many_as_they_are() -> None:
    text = "rules: [{name: a, when: {visits: 2}, then: [{flag: a}], examples: [{person: {visits: [today, 2 years ago]}, expect: match}]}]"
    assert [one.passed for one in run_examples(book(text), TODAY)] == [True]


@pytest.mark.parametrize(
    ("today", "within", "first"),
    [
        (date(2026, 11, 23), "12 months", date(2025, 11, 24)),
        (date(2028, 2, 29), "12 months", date(2027, 3, 1)),
        (date(2028, 2, 29), "4 years", date(2024, 3, 1)),
        (date(2029, 2, 28), "12 months", date(2028, 2, 29)),
        (date(2026, 3, 31), "1 month", date(2026, 3, 1)),
        (date(2026, 3, 30), "1 month", date(2026, 3, 1)),
        (date(2026, 3, 8), "1 week", date(2026, 3, 2)),
        (date(2026, 3, 8), "1 day", date(2026, 3, 8)),
        (date(2026, 3, 8), "9999 years", date(1, 1, 2)),
    ],
)
def test_the_first_day_of_a_window(today: date, within: str, first: date) -> None:
    period = read_period("en", within)
    assert period is not None
    days = [first - timedelta(days=1), first, today, today + timedelta(days=1)]
    deeds = pl.DataFrame({"key": [0, 1, 2, 3], "day": days})
    asked = {"w": Check("visits", "number", "is", window=Window(period))}
    found = count(pl.Series("key", [0, 1, 2, 3, 4]), {"visits": deeds}, asked, today)
    assert found["w"].to_list() == [0, 1, 1, 0, 0]


def test_a_window_holds_the_days_of_in_the_last() -> None:
    text = "rules: [{name: a, when: {visits: {count: 1, within: 7 months}}, then: [{flag: a}]}, {name: b, when: {last_visit: in the last 7 months}, then: [{flag: b}]}]"
    found, days = book(text), [TODAY - timedelta(days=n) for n in range(-3, 260)]
    keys = pl.Series("key", range(len(days)))
    counted = count(keys, {"visits": pl.DataFrame({"key": keys, "day": days})}, found.windows, TODAY)
    answers = evaluate(found, counted.with_columns(last_visit=pl.Series(days)), TODAY)
    assert answers.rule("a").to_list() == answers.rule("b").to_list()
    assert answers.rule("a").sum() == (TODAY - date(2026, 4, 23)).days
