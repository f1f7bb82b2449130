"""When a run is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.schedule import Timetable, read_schedule

PARIS = ZoneInfo("Europe/Paris")


def table(text: str, zone: ZoneInfo = PARIS) -> Timetable:
    found = read_schedule(text, zone)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("every day at 06:00", "0 6 * * *"),
        ("Chaque jour à 6h30", "30 6 * * *"),
        ("tous les jours à 18 h", "0 18 * * *"),
        ("every Monday at 7:15", "15 7 * * mon"),
        ("tous les lundis à 7h", "0 7 * * mon"),
        ("every hour", "0 * * * *"),
        ("toutes les 2 heures", "0 */2 * * *"),
        ("every 15 minutes", "*/15 * * * *"),
        ("5 4 * * 1-5", "5 4 * * 1-5"),
    ],
)
def test_phrases_people_write(text: str, cron: str) -> None:
    assert table(text).cron == cron


@pytest.mark.parametrize(
    "text", ["", "sometimes", "every day", "every day at 25:00", "every blurday at 7:00", "* * * *"]
)
def test_what_is_no_schedule_is_none(text: str) -> None:
    assert read_schedule(text, PARIS) is None


def test_a_missed_tick_is_caught_up_once() -> None:
    daily = table("every day at 06:00")
    three_days_ago = datetime(2026, 3, 11, 5, 0, tzinfo=UTC)
    now = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
    assert daily.is_due(three_days_ago, now)
    assert not daily.is_due(now, now + timedelta(hours=1))


def test_the_first_run_is_due_at_once() -> None:
    assert table("every day at 06:00").is_due(None, datetime(2026, 3, 14, 9, 0, tzinfo=UTC))


def test_times_are_the_organisations() -> None:
    montreal = table("every day at 06:00", ZoneInfo("America/Montreal"))
    before, after = datetime(2026, 7, 1, 9, 59, tzinfo=UTC), datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    yesterday = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
    assert not montreal.is_due(yesterday, before)
    assert montreal.is_due(yesterday, after)


def test_the_hour_that_clocks_skip_does_not_lose_a_day() -> None:
    night = table("every day at 02:30")  # does not exist in Paris on 29 March 2026
    last = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert night.is_due(last, datetime(2026, 3, 30, 12, 0, tzinfo=UTC))
    due = night.next_after(last)
    assert due is not None
    assert due - last < timedelta(hours=26)


def test_the_period_is_the_longest_wait() -> None:
    now = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
    assert table("every 2 hours").period(now) == timedelta(hours=2)
    assert table("every monday at 7:00").period(now) in (timedelta(days=7), timedelta(days=7, hours=-1))
    assert table("0 6 * * 1-5").period(now) == timedelta(days=3)


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    read_schedule(text, PARIS)
