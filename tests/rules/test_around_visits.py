"""What reads well in a journey around a visit and misses somebody is advised on; nothing else is."""

from __future__ import annotations

import pytest

from rules.mistakes import Mistake
from rules.reader import read

JOURNEY = "journeys:\n  - name: J\n    around: {around}\n    when: {{{when}}}\n    steps:\n      - {{at: {at}, {asked}, flag: X}}\n"


def advice(text: str) -> list[Mistake]:
    found = read({"r.yaml": text.encode()})
    assert found.mistakes == []
    return found.advice


def walks(around: str, at: str, asked: str, when: str = "city: Lyon") -> list[Mistake]:
    return advice(JOURNEY.format(around=around, at=at, asked=asked, when=when))


@pytest.mark.parametrize("at", ["3 days before", "2 hours before"])
def test_before_a_show_the_first_visit_is_not_counted_yet(at: str) -> None:
    (own,) = walks("each ticket", at, "when: {visits: 1}")
    (shared,) = walks("each ticket", at, "when: {visits: 1}", when="visits: 1")[:1]
    assert {own.code, shared.code} == {"once-before"}
    assert "`visits: 0`, or a journey with `around: first visit`" in own.message("en")
    (first,) = walks("first visit", at, "when: {visits: 1}")
    assert first.code == "once-before-first"


@pytest.mark.parametrize(
    ("asked", "code", "line"),
    [
        ("unless: {visits: at least 2}", "again-before", "visits: at least 1"),
        ("when: {visits: more than 1}", "again-before", "visits: at least 1"),
        ("when: {visits: at most 1}", "few-before", "visits: 0"),
        ("unless: {visits: less than 2}", "few-before", "visits: 0"),
    ],
)
def test_before_a_show_a_count_leaves_this_visit_out(asked: str, code: str, line: str) -> None:
    (told,) = walks("each ticket", "3 days before", asked)
    assert (told.code, told.facts["line"]) == (code, line)
    assert asked.partition("{")[2].rstrip("}") in told.message("en")
    assert walks("each ticket", "1 day after", asked) == []
    assert [one.code for one in walks("first visit", "3 days before", asked)] == ["once-before-first"] * (
        code == "again-before"
    )


@pytest.mark.parametrize("asked", ["unless: {next visit: known}", "when: {next visit: never}"])
def test_before_a_show_everybody_who_comes_to_it_has_a_visit_to_come(asked: str) -> None:
    (told,) = walks("each ticket", "3 days before", asked)
    assert told.code == "coming-is-this"
    assert walks("each ticket", "3 days before", asked.replace("known", "in the next 2 days")) == [] or "never" in asked


@pytest.mark.parametrize(
    ("asked", "line"),
    [("unless: {next visit: known}", "visits: at least 2"), ("when: {next visit: never}", "visits: 1")],
)
def test_who_came_back_has_nothing_booked_any_more(asked: str, line: str) -> None:
    (one,) = walks("first visit", "6 weeks after", asked)
    assert (one.code, one.facts["line"], one.place.line) == ("only-booked", line, 6)


def test_in_french_it_is_told_in_the_words_of_the_file() -> None:
    text = "parcours:\n  - nom: P\n    autour: {}\n    étapes:\n      - {{à: {}, {}, signaler: X}}\n"
    (once,) = advice(text.format("chaque billet", "la veille", "quand: {visites: 1}"))
    assert "`visites: 0`, ou un parcours avec `autour: première visite`" in once.message("fr")
    (back,) = advice(text.format("première visite", "1 mois après", "sauf: {prochaine visite: connue}"))
    assert "`prochaine visite: connue` ne dit pas" in back.message("fr")
    assert back.message("fr").endswith("la ligne `visites: au moins 2`.")


@pytest.mark.parametrize(
    ("around", "at", "asked"),
    [
        ("each ticket", "1 day after", "when: {visits: 1}"),
        ("each ticket", "3 days before", "when: {visits: 0}"),
        ("each ticket", "3 days before", "when: {visits: at least 1}"),
        ("each ticket", "3 days before", "unless: {visits: at least 5}"),
        ("each ticket", "3 days before", "when: {visits: {count: 1, within: 1 year}}"),
        ("birthday", "3 days before", "when: {visits: 1}"),
        ("birthday", "3 days before", "unless: {next visit: known}"),
        ("each ticket", "3 days before", "when: {next visit: known}"),
        ("birthday", "1 month after", "unless: {next visit: known}"),
        ("first visit", "1 day after", "unless: {next visit: known}"),
        ("first visit", "1 month after", "unless: {next visit: known, visits: at least 2}"),
        ("first visit", "1 month after", "unless: {next visit: known}, when: {last visit: more than 1 week ago}"),
        ("first visit", "1 month after", "when: {next visit: in the next 7 days}"),
    ],
)
def test_nothing_is_said_of_what_is_right(around: str, at: str, asked: str) -> None:
    assert walks(around, at, asked) == []


def test_what_ends_the_journey_tells_it_too() -> None:
    text = JOURNEY.format(
        around="first visit", at="6 weeks after", asked="unless: {next visit: known}", when="city: Lyon"
    )
    assert advice(f"{text}    stop when: {{visits: at least 2}}\n") == []
