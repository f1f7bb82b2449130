"""The library that ships: right in both languages, its examples true, the same rules in each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rules.canonical import condition_json
from rules.compiler import evaluate
from rules.conditions import Book, Email, Rule
from rules.examples import run_examples
from rules.journeys import Journey
from rules.reader import read
from rules.recipes import Recipe, named, recipes

LIBRARY = Path(__file__).parents[2] / "rules" / "library"
COLUMNS = ["Type", "Note", "Score", "Dernier contact", "Last contact"]
EVERY = [recipe for language in ("en", "fr") for recipe in recipes(language)]
DAYS = [date(2026, 11, 23), date(2028, 2, 29), date(2027, 3, 31), date(2026, 1, 1)]


def templates(language: str) -> list[str]:
    return [file.stem for file in (LIBRARY / language / "templates").glob("*.md")]


def book(recipe: Recipe, **values: str) -> Book:
    text = recipe.text(recipe.defaults | values)
    columns = [*COLUMNS, *values.values()]
    reading = read({"x.yaml": text.encode()}, columns=columns, templates=templates(recipe.language), language="en")
    assert [mistake.show("en", "") for mistake in reading.mistakes] == []
    return reading.book


def failed(book: Book, today: date) -> list[Any]:
    return [outcome.why.lines() for outcome in run_examples(book, today) if not outcome.passed]


@pytest.mark.parametrize("recipe", EVERY, ids=lambda recipe: f"{recipe.language}-{recipe.name}")
def test_every_rule_has_examples_and_they_hold(recipe: Recipe) -> None:
    rules = book(recipe)
    assert [failed(rules, today) for today in DAYS] == [[]] * len(DAYS)
    for one in rules.acting:
        asks = isinstance(one, Rule) or any(step.when or step.unless for step in one.steps) or one.when or one.unless
        assert {example.expect for example in one.examples} == ({True, False} if asks else {True})


@pytest.mark.parametrize("number", ["1", "2", "31", "400"])
@pytest.mark.parametrize("recipe", EVERY, ids=lambda recipe: f"{recipe.language}-{recipe.name}")
def test_they_hold_whatever_number_is_chosen(recipe: Recipe, number: str) -> None:
    if recipe.key == "data-to-erase" and number == "400":
        pytest.skip("there is no year before 1")
    chosen = {one.name: number for one in recipe.inputs if one.is_number}
    rules = read({"x.yaml": recipe.text(recipe.defaults | chosen).encode()}, columns=COLUMNS).book
    assert rules.acting
    assert failed(rules, DAYS[0]) == []


def test_a_column_may_be_called_anything() -> None:
    for header in ("Note (sur 10)", "L'avis : qu'en dit-on ?", "#", "{x}", 'le "vrai"', "oui", "Étoiles, données"):
        for recipe in EVERY:
            if recipe.key in {"unhappy-answers", "partners-not-contacted"}:
                (column,) = [one.name for one in recipe.inputs if one.name in {"colonne", "column"}]
                assert failed(book(recipe, **{column: header}), DAYS[0]) == []


def test_what_can_not_stand_inside_a_phrase_is_refused() -> None:
    (recipe,) = [one for one in recipes("fr") if one.key == "subscribers-to-renew"]
    assert book(recipe, nom="Carte d'abonné").rules
    for wrong in ("a: b", "x # y", "[a, b", ""):
        with pytest.raises(ValueError, match="nom"):
            recipe.text(recipe.defaults | {"nom": wrong})
    for wrong in ("0", "-3", "trois", "2.5", ""):
        with pytest.raises(ValueError, match="mois"):
            recipe.text(recipe.defaults | {"mois": wrong})


def test_both_languages_hold_the_same_rules() -> None:
    def meaning(recipe: Recipe) -> Any:
        texts = {one.name: f"text{place}" for place, one in enumerate(recipe.inputs) if not one.is_number}
        found = book(recipe, **texts)
        rules, names = found.acting, {one.id: str(place) for place, one in enumerate(found.segments)}
        numbers = [one.default for one in recipe.inputs if one.is_number]
        told = [
            (_named(condition_json(rule.condition), names), len(rule.examples), _kinds(rule.actions), _course(rule))
            for rule in rules
        ]
        drawn = [one.digest for one in found.segments]
        return recipe.key, recipe.place, recipe.minutes, numbers, told, drawn

    assert [meaning(recipe) for recipe in recipes("en")] == [meaning(recipe) for recipe in recipes("fr")]


def _course(rule: Rule | Journey) -> Any:
    """What a journey is around, and when each of its steps is for whom."""
    if isinstance(rule, Rule):
        return None
    steps = [(step.at, step.no_later_than, condition_json(rule.condition_of(step))) for step in rule.steps]
    return rule.around, steps


def _named(condition: Any, names: Mapping[str, str]) -> Any:
    """The same with the place of each segment for its id, which is of its language."""
    match condition:
        case {"segment": name}:
            return {"segment": names[name]}
        case dict():
            return {key: _named(value, names) for key, value in condition.items()}
        case list():
            return [_named(one, names) for one in condition]
        case _:
            return condition


def _kinds(actions: Iterable[Any]) -> list[Any]:
    return [
        (type(action).__name__, *([action.wait, action.again, action.purpose] if isinstance(action, Email) else []))
        for action in actions
    ]


@pytest.mark.parametrize("numbers", [("6", "3", "12"), ("1", "1", "1"), ("400", "2", "1"), ("2", "31", "400")])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_everybody_is_in_one_segment(language: str, numbers: tuple[str, ...]) -> None:
    (recipe,) = [one for one in recipes(language) if one.key == "audience-segments"]
    found = book(recipe, **dict(zip(recipe.defaults, numbers, strict=True)))
    (counted,) = found.windows
    today = DAYS[0]
    ago = [0, 1, 6, 7, 13, 14, 41, 42, 43, 364, 365, 366, 729, 730, 731, 732, 4000, 12000, 13000]
    visits = [(first, last, n) for first in ago for last in ago if last <= first for n in (1, 2, 3, 40)]
    people = pl.DataFrame(
        [
            {"first_visit": today - timedelta(first), "last_visit": today - timedelta(last), counted: n, "visits": n}
            for first, last, n in visits
        ]
    ).with_columns(next_visit=pl.lit(None, pl.Date))
    nobody = people.clear(1).with_columns(pl.lit(0).alias(counted), visits=pl.lit(0))
    everybody = pl.concat([people, nobody], how="diagonal_relaxed").with_row_index("key")
    verdicts = evaluate(found, everybody, today)
    inside = verdicts.frame.select(pl.sum_horizontal(pl.col(f"segment:{one.id}") for one in found.segments))
    assert set(inside.to_series()) == {1}
    assert verdicts.segment(found.segments[0].id).to_list() == [*[False] * len(people), True]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_they_stand_side_by_side(language: str) -> None:
    """No two with one id, and every template is of use."""
    every = [rule for recipe in recipes(language) for rule in book(recipe).acting]
    assert len({rule.id for rule in every}) == len(every)
    used = {action.template for rule in every for action in rule.actions if isinstance(action, Email)}
    assert used == set(templates(language))


@pytest.mark.parametrize("recipe", EVERY, ids=lambda recipe: f"{recipe.language}-{recipe.name}")
def test_each_says_what_it_is_for(recipe: Recipe) -> None:
    told = (recipe.title, recipe.purpose, recipe.needs, recipe.changes, recipe.measure)
    assert all(len(text) > 5 for text in told)
    assert 0 < recipe.minutes <= 60
    assert len(recipe.purpose) <= 100  # one line of the list


def test_a_rule_is_found_by_its_name_in_either_language_and_by_its_title() -> None:
    for asked in (
        "regulars-not-seen",
        "habitues-perdus-de-vue",
        "Habitués perdus de vue",
        "habitues-perdus-de-vue.yaml",
    ):
        found = named(asked, "fr")
        assert found is not None
        assert (found.language, found.name) == ("fr", "habitues-perdus-de-vue")
    assert named("habituels", "fr") is None


@pytest.mark.parametrize("file", sorted(LIBRARY.glob("*/templates/*.md")), ids=lambda file: file.name)
def test_a_template_has_a_head(file: Path) -> None:
    text = file.read_text("utf-8")
    words = ("objet:", "finalité:") if "fr" in file.parts else ("subject:", "purpose:")
    assert text.startswith("---\n")
    assert all(word in text.split("---")[1] for word in words)
