"""Who came back or gave again since: what counts back from the day of the step is advised on, with the line to write."""

from __future__ import annotations

from datetime import date

import pytest

from rules.examples import run_examples
from rules.reader import read
from tests.rules.test_around_visits import JOURNEY, advice, walks


@pytest.mark.parametrize(
    ("around", "at", "asked", "line"),
    [
        ("each donation", "11 months after", "unless: {last donation: less than 11 months ago}", "at least 1"),
        ("each donation", "1 year after", "when: {last donation: more than 360 days ago}", "0"),
        ("each donation", "11 months after", "unless: {donations: {count: at least 2, within: 11 months}}", "at least 1"),
        ("each donation", "11 months after", "when: {donations: {count: 1, within: 11 months}}", "0"),
        ("each donation", "11 months after", "when: {none of: {donations: {count: less than 2, date: less than 11 months ago}}}", "0"),
    ],
)  # fmt: skip
def test_a_gift_counted_back_from_the_step_is_advised_on(around: str, at: str, asked: str, line: str) -> None:
    (told,) = walks(around, at, asked)
    assert (told.code, told.facts["line"]) == ("since-counted-back-gift", f"donations since: {line}")


@pytest.mark.parametrize("around", ["each ticket", "first visit"])
def test_so_is_a_visit(around: str) -> None:
    (told,) = walks(around, "2 months after", "when: {visits: 1}, unless: {last visit: less than 2 months ago}")
    assert told.message("en").endswith("What counts only the visits since is `visits since: at least 1`.")
    shared = walks(around, "2 months after", "when: {city: Lyon}", when="last visit: more than 60 days ago")
    assert [(one.code, one.place.line) for one in shared] == [("since-counted-back", 4)]


def test_in_french_it_is_told_in_the_words_of_the_file() -> None:
    text = "parcours:\n  - nom: P\n    autour: chaque don\n    étapes:\n      - {{à: 11 mois après, sauf: {}, signaler: X}}\n"
    (told,) = advice(text.format("{dons: {nombre: au moins 2, sur: 11 mois}}"))
    assert "`dons: {…, sur: 11 mois}` compte à rebours" in told.message("fr")
    assert told.message("fr").endswith("c'est `dons depuis: au moins 1`.")


@pytest.mark.parametrize("at", ["3 days before", "the same day", "2 hours before"])
def test_a_count_that_can_only_be_0_is_advised_on(at: str) -> None:
    (told,) = walks("each ticket", at, "unless: {visits since: at least 1}")
    assert told.code == "since-too-early"


@pytest.mark.parametrize(
    ("around", "at", "asked"),
    [
        ("each donation", "11 months after", "unless: {donations since: at least 1}"),
        ("each donation", "11 months after", "unless: {last visit: less than 11 months ago}"),
        ("each donation", "1 month after", "when: {donations: {count: at least 3, within: 24 months}}"),
        ("each donation", "12 months after", "when: {last donation: less than 1 month ago}"),
        ("each donation", "11 months after", "unless: {last donation: after 2026-01-01}"),
        ("birthday", "1 month after", "unless: {last visit: less than 1 month ago}"),
        ("each ticket", "2 hours after", "unless: {last visit: less than 1 day ago}"),
    ],
)
def test_nothing_is_said_of_what_is_right(around: str, at: str, asked: str) -> None:
    assert walks(around, at, asked) == []


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("nouveau don: oui", "dons depuis: au moins 1"),
        ("pas revenu: oui", "visites depuis: 0"),
        ("revenu: jamais", "visites depuis: 0"),
        ("redonné: au moins 2", "dons depuis: au moins 2"),
        ("autres visites: aumoins 2", "visites depuis: au moins 2"),
        ("nouveau donateur: oui", None),
        ("n'a pas redonné: oui", "dons depuis: 0"),
        ("n'a pas redonné: non", "dons depuis: au moins 1"),
        ("rien redonné: oui", "dons depuis: 0"),
        ("ni revenu: oui", "visites depuis: 0"),
        ("n'a plus donné: oui", "dons depuis: 0"),
        ("hasnt come back: oui", "visites depuis: 0"),
        ("pas revenu: 2", None),
        ("pas redonné: jamais", None),
    ],
)
def test_words_for_it_get_its_line(line: str, right: str | None) -> None:
    text = "parcours:\n  - nom: P\n    autour: chaque don\n    étapes:\n      - {{à: 11 mois après, sauf: {{{}}}, signaler: X}}\n"
    (told,) = read({"r.yaml": text.format(line).encode()}).mistakes
    assert told.suggestion == right


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("jamais venu: oui", "visites: 0"),
        ("jamais venu: non", "visites: au moins 1"),
        ("pas encore venu: oui", "visites: 0"),
        ("pas revenu: oui", "visites: 1"),
        ("n'a rien réservé: oui", "prochaine visite: jamais"),
        ("non adhérent: oui", "adhésion: vide"),
        ("ex-adhérent: oui", None),
        ("n'est venu qu'une fois: oui", None),
        ("ne vient plus: oui", None),
        ("pas venu cette saison: oui", None),
    ],
)
def test_in_a_rule_a_word_that_denies_is_never_told_as_its_opposite(line: str, right: str | None) -> None:
    text = f"règles:\n  - nom: R\n    quand: {{{line}}}\n    alors: {{signaler: X}}\n"
    (told,) = read({"r.yaml": text.encode()}).mistakes
    assert told.suggestion == right


def test_a_gift_later_on_the_same_day_is_one() -> None:
    assert walks("each donation", "the same day", "unless: {donations since: at least 1}") == []
    (told,) = walks("each ticket", "1 day before", "unless: {donations since: at least 1}")
    assert told.code == "since-too-early"


def test_a_journey_may_end_with_it() -> None:
    text = JOURNEY.format(around="each ticket", at="3 days before", asked="when: {city: Lyon}", when="city: Lyon")
    assert advice(f"{text}    stop when: {{visits since: at least 1}}\n") == []


def test_its_line_can_be_tried_by_an_example() -> None:
    text = """journeys:
  - name: J
    around: birthday
    steps:
      - {at: 1 month after, unless: {visits since: at least 1}, flag: X}
    examples:
      - {person: {visits: 3}, at: 1 month after, expect: match}
      - {person: {visits since: 1}, at: 1 month after, expect: no match}
"""

    tried = run_examples(read({"r.yaml": text.encode()}).book, date(2026, 3, 1))
    assert [one.passed for one in tried] == [True, True]
    assert "1 visit since (at least 1 – it is so)" in " ".join(tried[1].why.lines())
