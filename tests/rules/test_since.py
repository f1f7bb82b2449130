"""A day that is one day only is advised on, and not where it is meant so."""

from __future__ import annotations

import pytest

from rules.reader import read

RULE = {
    "en": "rules:\n  - name: R\n    when:\n      visits: at least 1\n    unless:\n      {}\n    then:\n      - flag: X\n",
    "fr": "règles:\n  - nom: R\n    quand:\n      {}\n    alors:\n      - signaler: X\n",
}


@pytest.mark.parametrize(
    ("language", "line", "both"),
    [
        ("fr", "dernière visite: il y a 2 ans", ("il y a plus de 2 ans", "il y a moins de 2 ans")),
        ("fr", "visites: {nombre: 2, date: il y a 6 mois}", ("il y a plus de 6 mois", "il y a moins de 6 mois")),
        ("en", "last visit: 2 years ago", ("more than 2 years ago", "less than 2 years ago")),
        ("en", "sheet: {Seen: 30 days ago}", ("more than 30 days ago", "less than 30 days ago")),
        ("fr", "dernière visite: il y a 3 jours", None),
        ("fr", "dernière visite: il y a plus de 2 ans", None),
        ("en", "birthday: 18 years ago", None),
    ],
)
def test_one_day_long_ago_is_advised_on(language: str, line: str, both: tuple[str, str] | None) -> None:
    found = read({"r.yaml": RULE[language].format(line).encode()})
    assert found.mistakes == []
    assert [(one.facts["more"], one.facts["less"]) for one in found.advice] == ([both] if both else [])
    assert all(one.code == "that-very-day" and both and both[1] in one.message(language) for one in found.advice)
