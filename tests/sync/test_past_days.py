"""Seasons that are over long ago are advised on, with the days of the newest; nothing is said where they are meant."""

from __future__ import annotations

from datetime import date

import pytest

from rules.reader import read
from sync.past_days import past_days
from tests.thread.small import Small

TODAY = date(2027, 11, 23)
OLD = "date: between 2025-09-01 and 2026-06-30"
NEW = "date: between 2027-09-01 and 2028-06-30"
RULE = "rules:\n  - name: R\n    when:\n      spent: at least 1\n      {when}\n    unless:\n      city: Lyon\n      {unless}\n    then:\n      - flag: X\n"


def told(text: str, today: date = TODAY) -> list[tuple[str, object]]:
    found = read({"r.yaml": text.encode()})
    assert found.mistakes == []
    advice = past_days(found.book, today, lambda _: "en")
    assert {one.code for one in advice} <= {"past-days"}
    return [(one.found, one.facts["newer"]) for one in advice]


@pytest.mark.parametrize(
    ("when", "unless", "expected"),
    [
        (f"visits: {{count: at least 1, {OLD}}}", "", [(OLD, NEW)]),
        (f"donated: {{amount: at least 1, {OLD}}}", "", [(OLD, NEW)]),
        (
            "last donation: between 2025-01-01 and 2025-12-31",
            "",
            [("last donation: between 2025-01-01 and 2025-12-31", "last donation: between 2027-01-01 and 2027-12-31")],
        ),
        ("", f"none of: [{{visits: {{count: at least 1, {OLD}}}}}]", [(OLD, NEW)]),
        (  # who came in one season and not in the next: both move together
            "visits: {count: at least 1, date: between 2024-09-01 and 2025-06-30}",
            f"visits: {{count: at least 1, {OLD}}}",
            [("date: between 2024-09-01 and 2025-06-30", "date: between 2026-09-01 and 2027-06-30"), (OLD, NEW)],
        ),
    ],
)
def test_a_season_that_is_over_is_told_with_the_newest(when: str, unless: str, expected: object) -> None:
    assert told(RULE.format(when=when, unless=unless)) == expected


@pytest.mark.parametrize(
    ("when", "unless"),
    [
        ("", f"visits: {{count: at least 1, {OLD}}}"),  # who came then is left out
        (f"visits: {{count: 0, {OLD}}}", ""),
        ("visits: {count: at least 1, date: between 2015-09-01 and 2026-06-30}", ""),  # history
        ("visits: {count: at least 1, date: before 2026-06-30}", ""),
        ("last visit: before 2026-06-30", ""),
        ("last visit: more than 2 years ago", ""),
        ("birthday: between 1980-01-01 and 1980-12-31", ""),
        ("sheet: {Joined: between 2025-01-01 and 2025-12-31}", ""),
        (f"visits: {{count: at least 1, {NEW}}}\n      donated: {{amount: at least 1, {OLD}}}", ""),  # one goes on
    ],
)
def test_nothing_is_said_of_days_that_are_meant(when: str, unless: str) -> None:
    assert told(RULE.format(when=when, unless=unless)) == []


def test_it_is_told_from_ten_months_on_and_only_with_a_season_that_has_begun() -> None:
    text = RULE.format(when=f"visits: {{count: at least 1, {OLD}}}", unless="")
    assert told(text, date(2027, 4, 30)) == []
    assert told(text, date(2027, 5, 1)) == [(OLD, "date: between 2026-09-01 and 2027-06-30")]
    december = RULE.format(when="last visit: between 2026-12-01 and 2026-12-31", unless="")
    assert told(december, date(2027, 11, 30)) == []
    assert [newer for _, newer in told(december, date(2027, 12, 1))] == [
        "last visit: between 2027-12-01 and 2027-12-31"
    ]


def test_segments_and_steps_are_looked_at_and_what_is_paused_is_not() -> None:
    when = f"visits: {{count: at least 1, {OLD}}}"
    assert told(f"segments:\n  - name: S\n    when:\n      {when}\n") == [(OLD, NEW)]
    journey = f"journeys:\n  - name: J\n    around: birthday\n    steps:\n      - {{at: the same day, when: {{{when}}}, flag: X}}\n"
    assert told(journey) == [(OLD, NEW)]
    assert told(journey.replace("    around", "    active: no\n    around")) == []
    assert told(RULE.format(when=when, unless="").replace("    when", "    active: no\n    when")) == []


def test_check_says_so_on_the_day_that_it_is_given(small: Small) -> None:
    rule = "règles:\n  - nom: R\n    quand:\n      visites: {nombre: au moins 1, date: entre 2025-09-01 et 2026-06-30}\n    alors:\n      - signaler: X\n"
    small.write("rules/saison.yaml", rule)
    assert small.filrouge("check", "--json", today="2026-11-23").facts["advice"] == []
    (advice,) = small.filrouge("check", "--json", today="2027-11-23").facts["advice"]
    assert (advice["line"], "comme `date: entre 2027-09-01 et 2028-06-30`" in advice["message"]) == (4, True)
