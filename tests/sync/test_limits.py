"""What the limits' phrases mean, and when quiet ends, clock changes included."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import Period
from sync.limits import Cap, Hours, Limits, Purpose, day_begins, read_cap, read_days, read_hours
from tests.sync.test_config import RIGHT, read, told

MONTREAL = ZoneInfo("America/Montreal")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phrase", "cap"),
    [
        ("2 in 7 days", Cap(2, 7)),
        ("2 en 7 jours", Cap(2, 7)),
        ("1 per week", Cap(1, 7)),
        ("3 par semaine", Cap(3, 7)),
        ("1 par jour", Cap(1, 1)),
        ("4 in 2 weeks", Cap(4, 14)),
        ("None", None),
        ("aucune", None),
    ],
)
def test_how_many_a_person_gets(phrase: str, cap: Cap | None) -> None:
    assert read_cap(phrase) == cap


@pytest.mark.parametrize(
    ("phrase", "apart"),
    [
        ("30 days", Period(30, "day")),
        ("1 jour", Period(1, "day")),
        ("6 semaines", Period(6, "week")),
        ("2 mois", Period(2, "month")),
        ("aucune", None),
    ],
)
def test_how_long_the_same_news_does_not_go_again(phrase: str, apart: Period | None) -> None:
    assert Limits(same_email=phrase).apart == apart


@pytest.mark.parametrize(
    ("phrase", "hours"),
    [
        ("21:00 to 6:00", Hours(time(21), time(6))),
        ("from 21:00 to 6:00", Hours(time(21), time(6))),
        ("de 21 h à 6 h", Hours(time(21), time(6))),
        ("de 20h30 à 8h", Hours(time(20, 30), time(8))),
        ("22:00-24:00", Hours(time(22), time(0))),
        ("12:00 to 14:00", Hours(time(12), time(14))),
        ("aucune", None),
    ],
)
def test_when_nothing_goes(phrase: str, hours: Hours | None) -> None:
    assert read_hours(phrase) == hours


@pytest.mark.parametrize("phrase", ["", "often", "2", "0 in 7 days", "2 in 0 days", "2 in 400 days", "-1 per week"])
def test_what_is_no_number_in_a_time(phrase: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="config-per-person"):
        Limits(per_person=phrase)


@pytest.mark.parametrize("phrase", ["", "at night", "21", "25:00 to 6:00", "6:00 to 6:00", "21:75 to 6:00"])
def test_what_are_no_hours(phrase: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="config-quiet-hours"):
        Limits(quiet_hours=phrase)


def test_days_of_the_week_in_both_languages() -> None:
    assert read_days(["Sunday", "samedis", "dimanche"]) == {5, 6}


@pytest.mark.parametrize(
    ("block", "word"),
    [
        ("per_person: souvent", "2 en 7 jours"),
        ("same_email: parfois", "30 jours"),
        ("quiet_hours: la nuit", "de 21"),
        ("quiet_days: [dimanhce]", "samedi"),
        ("quiet_days: [lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche]", "ou ce sont tous"),
        ("per_day: beaucoup", "nombre entier"),
        ("per_days: 5", "per_day"),
    ],
)
def test_a_limit_that_says_nothing_is_told_where_it_stands(tmp_path: Path, block: str, word: str) -> None:
    text = RIGHT.replace('.example>"}', f'.example>", limits: {{{block}}}}}')
    (mistake,) = told(read(tmp_path, text))
    assert word in mistake.replace("\N{NO-BREAK SPACE}", " ")
    line, column = map(int, mistake.partition("  ")[0].split(":")[1:])
    assert text.splitlines()[line - 1][column - 1 :].startswith((block.partition(": ")[2].lstrip("["), block, "["))


def test_what_leaves_the_house_keeps_quiet_hours_unless_told_otherwise(tmp_path: Path) -> None:
    def hours(mail: str) -> Hours | None:
        config = read(tmp_path, RIGHT.replace("type: folder, folder: outbox/", mail)).config
        assert config is not None
        assert config.limits.cap == Cap(2, 7)
        return config.limits.hours

    assert hours("type: folder, folder: outbox/") is None
    assert hours("type: smtp, host: smtp.example.org") == Hours(time(21), time(6))
    assert hours("type: smtp, host: smtp.example.org, limits: {quiet_hours: none}") is None
    assert hours("type: folder, folder: x, limits: {quiet_hours: 8:00 to 9:00}") == Hours(time(8), time(9))


def test_practical_information_goes_on_quiet_days_but_not_in_quiet_hours() -> None:
    limits = Limits(quiet_hours="21:00 to 6:00", quiet_days=["sunday"])
    sunday = datetime(2026, 3, 15, 12, tzinfo=MONTREAL)
    assert limits.quiet(sunday, "marketing") == "quiet-day"
    assert limits.quiet(sunday, "service") is None
    assert limits.quiet(sunday.replace(hour=23), "service") == "quiet-hours"
    assert limits.quiet(sunday.replace(hour=6), "service") is None
    assert limits.opens(sunday.astimezone(UTC), MONTREAL, "marketing") == datetime(2026, 3, 16, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "hours", "opens"),
    [
        # 8 March 2026: the clocks of Montréal go from 2:00 to 3:00; 1 November: from 2:00 back to 1:00.
        ("2026-03-07 23:00-05:00", "21:00 to 6:00", "2026-03-08 06:00-04:00"),
        ("2026-03-08 01:59-05:00", "1:00 to 2:30", "2026-03-08 03:30-04:00"),
        ("2026-10-31 23:00-04:00", "21:00 to 6:00", "2026-11-01 06:00-05:00"),
        ("2026-11-01 01:10-04:00", "0:30 to 1:30", "2026-11-01 01:30-04:00"),
        ("2026-11-01 01:10-05:00", "0:30 to 1:30", "2026-11-01 01:30-05:00"),
    ],
)
def test_quiet_ends_by_the_clock_on_the_wall(now: str, hours: str, opens: str) -> None:
    limits = Limits(quiet_hours=hours)
    found = limits.opens(datetime.fromisoformat(now).astimezone(UTC), MONTREAL, "service")
    assert found == datetime.fromisoformat(opens)


@given(
    st.integers(0, 365 * 24 * 60).map(lambda minutes: NEW_YEAR + timedelta(minutes=minutes)),
    st.lists(st.integers(0, 24 * 60 - 1), min_size=2, max_size=2, unique=True),
    st.lists(st.sampled_from(["monday", "mardi", "samedi", "sunday"])),
    st.sampled_from(["marketing", "service"]),
)
def test_what_waits_always_finds_its_moment(now: datetime, hours: list[int], days: list[str], purpose: Purpose) -> None:
    start, end = (f"{minute // 60}:{minute % 60:02}" for minute in hours)
    limits = Limits(quiet_hours=f"{start} to {end}", quiet_days=days)
    opens = limits.opens(now, MONTREAL, purpose)
    assert opens is not None
    assert limits.quiet(opens.astimezone(MONTREAL), purpose) is None
    assert now <= opens <= now + timedelta(days=5, hours=2)
    if opens > now:
        just_before = opens - timedelta(microseconds=1)
        assert limits.quiet(just_before.astimezone(MONTREAL), purpose) is not None


def test_a_day_of_25_hours_is_a_day() -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=MONTREAL).astimezone(UTC)
    assert day_begins(noon, MONTREAL) == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert day_begins(noon, MONTREAL, -1) == datetime(2026, 11, 2, 5, tzinfo=UTC)
