"""Explain agrees with the bulk and reads well; examples run on the same expressions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.compiler import evaluate
from rules.conditions import AllOf, Book, Check, Condition, Example, InSegment, NoneOf, Rule, Segment
from rules.examples import person_of, run_examples
from rules.explain import Reason, Wording, explain
from rules.reader import read
from tests.rules.reference import CHECKS, COLUMNS, TODAY, conditions, verdict
from tests.rules.test_compiler import frame

HABITUES = """
segments:
  - nom: Habitués
    quand: {visites: au moins 3}
règles:
  - nom: Perdus de vue
    quand:
      segment: habitues
      dernière_visite: il y a plus de 18 mois
      prochaine_visite: jamais
    sauf:
      tableau: {Ne pas relancer: oui}
    alors:
      - signaler: À relancer
    exemples:
      - personne: {visites: 5, dernière_visite: il y a 2 ans}
        attendu: concerné
      - personne: {visites: 5, dernière_visite: il y a 2 ans, tableau: {Ne pas relancer: oui}}
        attendu: pas concerné
      - personne: {visites: 5}
        attendu: concerné
"""


def book() -> Book:
    reading = read({"r.yaml": HABITUES.encode()})
    assert reading.mistakes == []
    return reading.book


def test_examples_pass_and_fail_with_why() -> None:
    outcomes = run_examples(book(), date(2026, 11, 23), "fr")
    assert [outcome.passed for outcome in outcomes] == [True, True, False]
    assert "  dernière visite\u00a0: jamais (il y a plus de 18 mois ✗)" in outcomes[2].why.lines()


def test_words_in_both_languages() -> None:
    rule = book().rules[0]
    person = person_of(rule.examples[0], rule.needs, date(2026, 11, 23))
    told = explain(book(), rule, person, date(2026, 11, 23), language="fr", name="Marie Tremblay")
    assert told.lines() == [
        "Marie Tremblay est dans «\u00a0Perdus de vue\u00a0»",
        "  dans «\u00a0Habitués\u00a0» ✓",
        "    5 visites (au moins 3 ✓)",
        "  dernière visite le 23 novembre 2024, il y a 2 ans (il y a plus de 18 mois ✓)",
        "  prochaine visite\u00a0: jamais ✓",
        "  sauf\u00a0: rien de cela ✓",
        "    Ne pas relancer\u00a0: vide (oui – ce n'est pas le cas)",
    ]
    told = explain(book(), rule, person, date(2026, 11, 23), unknown={"last_visit"}, language="en")
    assert told.lines()[0] == "This person: “Perdus de vue” can't be decided today"
    assert "  last visit: not known for now (more than 18 months ago ?)" in told.lines()
    assert told.to_json()["below"][1]["answer"] is None


def _answers(reason: Reason) -> list[bool | None]:
    return [reason.answer, *(answer for below in reason.below for answer in _answers(below))]


@given(
    conditions(CHECKS | st.just(InSegment("s"))),
    conditions(CHECKS),
    st.fixed_dictionaries(COLUMNS),
    st.sets(st.sampled_from(sorted(COLUMNS)), max_size=2),
    st.sampled_from(["en", "fr"]),
)
@settings(max_examples=120, deadline=None)
def test_explain_agrees_with_bulk_and_reference(
    condition: Condition, segment: Condition, person: dict[str, Any], unknown: set[str], language: str
) -> None:
    rule = Rule("r", "r", AllOf((condition,)), NoneOf((CHECKED,)), ())
    book = Book((rule,), (Segment("s", "s", segment),))
    people = frame([person])
    told = explain(book, rule, people, TODAY, unknown=unknown, language=language)
    assert told.answer == evaluate(book, people, TODAY, unknown).rule("r")[0]
    expected = verdict(condition, person, TODAY, unknown, {"s": segment})
    assert told.below[0].answer == expected
    assert len(_answers(told)) >= 3
    assert told.lines()


CHECKED = Check("visits", "number", "at_least", (Decimal(99),))


@pytest.mark.parametrize("value", ["2,5", "dans 3 jours", "abc"])
def test_a_fact_that_is_no_fact_is_told(value: str) -> None:
    text = HABITUES.replace("{visites: 5}", f"{{dernière_visite: {value!r}}}")
    assert [m.code for m in read({"r.yaml": text.encode()}).mistakes] == ([] if value == "dans 3 jours" else ["value"])


def test_several_numbers_are_told_as_a_list() -> None:
    found = read({"r.yaml": b"rules:\n- name: A\n  when: {visits: [1, 3]}\n  then: {flag: A}\n"})
    (rule,) = found.book.rules
    assert rule.when.items
    person = person_of(Example((), expect=False, place=rule.place), ["visits"], TODAY)
    assert "1, 3" in repr(explain(found.book, rule, person, TODAY))


def test_one_row_is_enough() -> None:
    assert person_of(book().rules[0].examples[0], {"sheet:X"}, TODAY).schema["sheet:X"] == pl.String


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "billets: {nombre: au moins 2, date: après 2026-08-31}"),
        ("fr", "billets: {nombre: au moins 2, sur: 12 mois, genre: danse}"),
    ],
)
def test_tickets_over_a_period_say_by_which_day_they_count(language: str, line: str) -> None:
    found = read(
        {"r.yaml": f"règles:\n  - nom: R\n    quand:\n      {line}\n    alors:\n      - signaler: X\n".encode()}
    )
    (asked,) = found.book.rules[0].when.items
    told = Wording(language).condition(found.book, asked).replace("\u00a0", " ")
    assert ("au jour du spectacle : au moins 2" if language == "fr" else "by the day of the show: at least 2") in told
    plain = read({"r.yaml": "règles:\n  - nom: R\n    quand: {billets: 2}\n    alors: [{signaler: X}]\n".encode()}).book
    assert "jour" not in Wording("fr").condition(plain, plain.rules[0].when.items[0])


WITHIN = """
règles:
  - nom: R
    quand: {{{quand}}}
    alors: [signaler: X]
    exemples: [{{personne: {{{personne}}}, attendu: concerné}}]
"""


@pytest.mark.parametrize(
    ("asked", "person", "holds", "assumed"),
    [
        ("visites: {nombre: 1, sur: 2 ans}", "visites: 1, dernière visite: il y a 3 ans", False, 0),
        ("visites: {nombre: 1, sur: 2 ans}", "visites: 1, dernière visite: il y a 1 an", True, 0),
        ("visites: {nombre: 1, sur: 2 ans}", "visites: 1", True, 1),
        ("visites: {nombre: au plus 1, sur: 2 ans}", "visites: 4, dernière visite: il y a 3 ans", True, 0),
        ("visites: {nombre: au moins 4, sur: 2 ans}", "visites: 4, première visite: il y a 1 an", True, 0),
        ("visites: {nombre: au moins 4, sur: 2 ans}", "visites: 4, dernière visite: il y a 1 an", True, 1),
        ("visites: {nombre: au moins 1, date: jusqu'au 2025-12-31}", "visites: 2, première visite: 2026-02-01", False, 0),
        ("visites: {nombre: au moins 1, date: entre 2025-01-01 et 2025-12-31}", "visites: 1, dernière visite: 2025-06-01", True, 0),
        ("visites: {nombre: 1, genre: danse}", "visites: 1, dernière visite: il y a 1 an", True, 1),
        ("donné: {montant: au moins 100, sur: 1 an}", "donné: 150, dernier don: il y a 2 ans", False, 0),
        ("donné: {montant: au moins 100, sur: 1 an}", "donné: 150, dernier don: il y a 2 mois", True, 1),
        ("dons: {nombre: au moins 1, sur: 1 an, montant: au moins 50}", "dons: 1, dernier don: il y a 2 ans", False, 0),
        ("dépensé: {montant: au moins 10, sur: 1 an}", "dépensé: 20, dernier achat: il y a 2 ans", False, 0),
    ],
)  # fmt: skip
def test_the_days_of_an_example_tell_what_its_number_means_for_a_window(
    asked: str, person: str, *, holds: bool, assumed: int
) -> None:
    text = WITHIN.format(quand=asked, personne=person)
    found = read({"r.yaml": text.encode()}, language="fr")
    assert not found.mistakes
    (one,) = run_examples(found.book, TODAY)
    assert (one.found, len(one.assumed)) == (holds, assumed), one.why.lines()


@pytest.mark.parametrize(
    ("person", "expect", "missing"),
    [
        ("donated: 150", "match", ("amount",)),
        ("donated: 50", "no match", ("amount",)),
        ("amount: 50", "no match", ()),
        ("amount: 150, city: Lyon", "match", ()),
        ("city: Brest", "no match", ()),
    ],
)
def test_what_an_example_does_not_say_of_the_gift_is_named(person: str, expect: str, missing: tuple[str, ...]) -> None:
    text = (
        "journeys:\n  - name: J\n    around: each donation\n    when: {amount: at least 100}\n    unless: {city: Brest}\n"
        f"    steps: [{{at: 1 day after, task: T}}]\n    examples: [{{person: {{{person}}}, expect: {expect}}}]\n"
    )
    (one,) = run_examples(read({"r.yaml": text.encode()}).book, TODAY)
    assert one.missing == missing
    assert one.passed is (person != "donated: 150")
