"""The first of a month, in French, is `1er`; other days, years and hours stay as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sync.dates import format_date, format_datetime


@pytest.mark.parametrize(
    ("day", "shape", "language", "said"),
    [
        (date(2026, 11, 1), "long", "fr", "1er novembre 2026"),
        (date(2026, 11, 1), "full", "fr", "dimanche 1er novembre 2026"),
        (date(2026, 11, 1), "d MMM y", "fr_CA", "1er nov. 2026"),
        (date(2026, 11, 11), "long", "fr", "11 novembre 2026"),
        (date(2026, 11, 21), "medium", "fr", "21 nov. 2026"),
        (date(2026, 11, 1), "long", "en", "November 1, 2026"),
    ],
)
def test_the_first_of_a_month(day: date, shape: str, language: str, said: str) -> None:
    assert format_date(day, shape, locale=language) == said


def test_the_hour_is_left_alone() -> None:
    moment = datetime(2026, 11, 21, 1, 1, tzinfo=UTC)
    assert format_datetime(moment, "EEEE d MMMM HH:mm", locale="fr") == "samedi 21 novembre 01:01"
    assert format_datetime(moment.replace(day=1), "EEEE d MMMM HH:mm", locale="fr") == "dimanche 1er novembre 01:01"
