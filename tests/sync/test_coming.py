"""A count over days that are not all over is advised on where coming visits would be missed, and nowhere else."""

from __future__ import annotations

from datetime import date

import pytest

from rules.reader import read
from sync.coming import coming_visits
from tests.thread.small import Small

TODAY = date(2026, 11, 23)
RULE = "rules:\n  - name: R\n    when:\n      spent: at least 1\n      {when}\n    unless:\n      city: Lyon\n      {unless}\n    then:\n      - flag: X\n"
JOURNEY = "journeys:\n  - name: J\n    around: birthday\n    steps:\n      - {at: the same day, unless: {visits: {count: at least 1, date: after 2026-08-31}}, flag: X}\n"
SEASON = "date: between 2026-09-01 and 2027-06-30"
SINCE = "date: after 2026-08-31"


def told(text: str) -> list[tuple[str, object]]:
    found = read({"r.yaml": text.encode()})
    assert found.mistakes == []
    return [(one.code, one.facts["line"]) for one in coming_visits(found.book, TODAY, lambda _: "en")]


@pytest.mark.parametrize(
    ("when", "unless", "code", "line"),
    [
        ("", f"visits: {{count: at least 1, {SINCE}}}", "coming-none", "next visit: known"),
        ("", f"visits: {{count: at least 1, {SEASON}}}", "coming-none", "next visit: known"),
        ("", f"tickets: {{count: more than 0, {SINCE}}}", "coming-none", "next visit: known"),
        (f"visits: {{count: 0, {SEASON}}}", "", "coming-none", "next visit: never"),
        (f"visits: {{count: at most 1, {SINCE}}}", "", "coming-none", "next visit: never"),
        (f"visits: {{count: less than 2, {SINCE}}}", "", "coming-none", "next visit: never"),
        (f"visits: {{count: at least 1, {SEASON}}}", "", "coming-visits", "next visit: never"),
        (f"tickets: {{count: at least 2, {SINCE}}}", "", "coming-tickets", "next visit: never"),
        ("", f"none of: [{{visits: {{count: at least 1, {SEASON}}}}}]", "coming-visits", "next visit: never"),
    ],
)
def test_who_has_booked_is_not_seen_there(when: str, unless: str, code: str, line: str) -> None:
    assert told(RULE.format(when=when, unless=unless)) == [(code, line)]


@pytest.mark.parametrize(
    ("when", "unless"),
    [
        (f"visits: {{count: at least 2, {SINCE}}}", ""),  # of those who came
        ("", "visits: {count: at least 1, date: between 2025-09-01 and 2026-06-30}"),
        ("", "visits: {count: at least 1, date: before 2026-11-24}"),
        ("", "visits: {count: at least 1, within: 3 months}"),
        ("", f"visits: {{count: at least 1, within: 3 months, {SINCE}}}"),
        ("", f"purchases: {{count: at least 1, {SINCE}}}"),  # on the day of purchase
        ("next visit: never", f"visits: {{count: at least 1, {SINCE}}}"),
        ("", "visits: {count: at least 1, date: after 2027-08-31}"),  # told as a day still to come
    ],
)
def test_nothing_is_said_where_none_is_missed(when: str, unless: str) -> None:
    assert told(RULE.format(when=when, unless=unless)) == []


def test_a_step_and_a_segment_are_advised_on_too() -> None:
    segment = f"segments:\n  - name: S\n    when:\n      visits: {{count: 0, {SEASON}}}\n"
    assert told(segment + JOURNEY) == [("coming-none", "next visit: never"), ("coming-none", "next visit: known")]


def test_check_says_so_in_the_writers_language(small: Small) -> None:
    rule = "règles:\n  - nom: R\n    quand: {visites: au moins 1}\n    sauf:\n      visites: {nombre: au moins 1, date: après 2020-08-31}\n    alors:\n      - signaler: X\n"
    small.write("rules/saison.yaml", rule)
    (advice,) = small.filrouge("check", "--json").facts["advice"]
    assert advice["line"] == 5
    assert advice["message"].endswith("ajoutez à côté de cette ligne la ligne `prochaine visite: connue`.")


def test_what_is_to_be_typed_stands_in_the_language_of_the_file(small: Small) -> None:
    """The house speaks French, so does the sentence; this file is in English."""
    small.run()
    rule = "rules:\n  - name: R\n    when: {visits: at least 99}\n    unless:\n      visits: {count: at least 1, date: after 2020-08-31}\n    then:\n      - flag: X\n  - name: Q\n    when: {newsletter: subscribed}\n    then: [{flag: Y}]\n"
    small.write("rules/season.yaml", rule)
    said = [one["message"].replace("\u00a0", " ") for one in small.filrouge("check", "--json").facts["advice"]]
    assert any(one.endswith("ajoutez à côté de cette ligne la ligne `next visit: known`.") for one in said)
    assert any(one.startswith("`visits: at least 99` : personne n'y arrive") for one in said)
    assert any("`newsletter`" in one for one in said), "a field that no source gives"
