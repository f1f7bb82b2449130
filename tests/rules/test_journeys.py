"""Journeys as they are read, and when their steps are due: time zones, hours that clocks skip or repeat, leap days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.canonical import to_json
from rules.conditions import Email, Period, Shift, Task
from rules.examples import run_examples
from rules.journeys import DEFAULT_LATEST, Around, Journey, Step, anniversary, due, latest
from rules.reader import Reading, read

EN = """
journeys:
  - name: Around the show
    was: Around
    around: each ticket
    when: {genre: [dance, circus], genres: contain dance}
    unless: {attended: no}
    no later than: 2 days
    steps:
      - at: 3 days before
        email: practical-information
        purpose: service
      - at: the same day
        task: Greet {{ first_name }}
        for: Marie
      - at: 1 day after
        when: {visits: 1}
        email: thank-you
        no later than: 12 hours
      - at: two weeks after
        unless: {answered: satisfaction}
        email: thank-you
    stop when: {newsletter: unsubscribed}
    examples:
      - person: {visits: 1, attended: yes, genre: Dance, genres: [dance]}
        at: 1 day after
        expect: match
      - person: {visits: 2, attended: yes, genre: dance, genres: [dance]}
        at: 1 day after
        expect: no match
      - person: {visits: 2, attended: yes, genre: dance, genres: [dance]}
        expect: match
      - person: {attended: yes, genre: theatre, genres: [dance]}
        expect: no match
"""
FR = """
parcours:
  - nom: Around the show
    ancien_nom: Around
    autour: chaque billet
    quand: {genre: [dance, circus], genres: contiennent dance}
    sauf: {est_venu: non}
    au plus tard: 2 jours
    étapes:
      - à: 3 jours avant
        courriel: practical-information
        finalité: service
      - à: le jour même
        tâche: Greet {{ first_name }}
        pour: Marie
      - à: le lendemain
        quand: {visites: 1}
        courriel: thank-you
        au plus tard: 12 heures
      - à: deux semaines après
        sauf: {a répondu: satisfaction}
        courriel: thank-you
    arrêter quand: {infolettre: désinscrit}
    exemples:
      - personne: {visites: 1, est venu: oui, genre: Dance, genres: [dance]}
        à: le lendemain
        attendu: concerné
      - personne: {visites: 2, est venu: oui, genre: dance, genres: [dance]}
        à: 1 jour après
        attendu: pas concerné
      - personne: {visites: 2, est venu: oui, genre: dance, genres: [dance]}
        attendu: concerné
      - personne: {est venu: oui, genre: theatre, genres: [dance]}
        attendu: pas concerné
"""
PARIS, MONTREAL, CAIRO = (ZoneInfo(name) for name in ("Europe/Paris", "America/Montreal", "Africa/Cairo"))


def one(text: str) -> Reading:
    return read({"r.yaml": text.encode()})


def journey(text: str) -> Journey:
    found = one(text)
    assert found.mistakes == []
    return found.book.journeys[0]


def test_a_misspelled_word_for_the_time_is_told_with_what_is_wrong_in_it() -> None:
    text = "parcours:\n  - nom: A\n    autour: anniversaire\n    étapes:\n      - le: 2 heures avant\n        signaler: A\n"
    assert [mistake.code for mistake in read({"a.yaml": text.encode()}).mistakes] == [
        "unknown-key-near",
        "step-day-only",
    ]


def test_french_and_english_are_the_same_journey() -> None:
    english, french = one(EN), one(FR)
    assert english.mistakes == french.mistakes == []
    assert to_json(english.book) == to_json(french.book)


@pytest.mark.parametrize(
    ("day", "days"), [("la veille", -1), ("1 jour avant", -1), ("le lendemain", 1), ("1 jour après", 1)]
)
def test_the_day_before_and_the_day_after_are_days(day: str, days: int) -> None:
    text = f"parcours:\n  - nom: A\n    autour: anniversaire\n    étapes:\n      - à: {day}\n        signaler: A\n"
    assert journey(text).steps[0].at == Shift(days, Period(1, "day"))


def test_what_a_journey_holds() -> None:
    found = journey(EN)
    assert (found.id, found.was, found.around) == ("around-the-show", ("around",), Around("ticket"))
    assert [step.name for step in found.steps] == ["practical-information", "task", "thank-you", "thank-you#2"]
    assert [step.at for step in found.steps] == [
        Shift(-1, Period(3, "day")), Shift(+1, Period(0, "day")), Shift(+1, Period(1, "day")), Shift(+1, Period(2, "week")),
    ]  # fmt: skip
    assert [step.no_later_than for step in found.steps] == [Period(2, "day")] * 2 + [
        Period(12, "hour"),
        Period(2, "day"),
    ]
    assert found.actions[0] == Email("practical-information", purpose="service", no_later_than=Period(2, "day"))
    assert found.actions[1] == Task("Greet {{ first_name }}", "Marie")
    assert found.needs >= {"visits", "genre", "genres", "attended", "newsletter", "answered"}
    assert found.kinds >= {"visit", "subscription", "answer"}


@pytest.mark.parametrize("text", [EN, FR])
def test_its_examples_are_tried_at_the_step_they_name(text: str) -> None:
    tried = run_examples(one(text).book, date(2026, 3, 14))
    assert len(tried) == 4
    assert [one.why.lines() for one in tried if not one.passed] == []


def test_the_digest_follows_the_meaning_and_not_the_name() -> None:
    first = journey(EN)
    renamed = journey(EN.replace("name: Around the show", "name: Something else"))
    assert renamed.digest == first.digest
    for old, new in (
        ("3 days before", "4 days before"), ("each ticket", "first visit"), ("12 hours", "13 hours"),
        ("newsletter: unsubscribed", "newsletter: bounced"), ("Marie", "Paul"), ("visits: 1}\n", "visits: 2}\n"),
    ):  # fmt: skip
        assert journey(EN.replace(old, new)).digest != first.digest, old


def test_a_broken_journey_costs_only_itself_and_the_last_right_one_stays() -> None:
    before = one(EN).book
    broken = EN.replace("3 days before", "soon") + "rules:\n  - {name: A, when: {visits: 1}, then: {flag: B}}\n"
    found = read({"r.yaml": broken.encode()}, previous=before)
    assert [mistake.code for mistake in found.mistakes] == ["value"]
    assert found.book.journeys == before.journeys
    assert [rule.id for rule in found.book.rules] == ["a"]
    assert found.kept == {"around-the-show"}
    assert one(broken).book.journeys == ()


def test_genre_is_the_persons_where_there_is_no_visit() -> None:
    text = "parcours:\n  - {nom: A, autour: anniversaire, quand: {genre: contient danse}, étapes: [{à: le jour même, courriel: b}]}"
    assert journey(text).needs == {"genres", "birthday"}


# --- when a step is due ----------------------------------------------------------------------------------------------


def step(sign: int, at: Period, late: Period = DEFAULT_LATEST) -> Step:
    return Step("a", Shift(sign, at), Email("a"), no_later_than=late)


def local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def show(text: str, zone: ZoneInfo = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_days_fall_on_the_local_day_whatever_the_hour() -> None:
    late_show = show("2026-03-14 23:30", MONTREAL)  # the 15th in UTC
    assert local(due(Shift(+1, Period(1, "day")), late_show, MONTREAL), MONTREAL) == "2026-03-15 00:00"
    assert local(due(Shift(-1, Period(3, "day")), late_show, MONTREAL), MONTREAL) == "2026-03-11 00:00"
    assert local(latest(step(+1, Period(1, "day")), late_show, MONTREAL), MONTREAL) == "2026-03-18 23:59"


def test_days_across_a_change_of_clocks_keep_the_day() -> None:
    for day, shown in (("2026-03-30 20:00", "2026-03-28 00:00"), ("2026-10-26 20:00", "2026-10-24 00:00")):
        assert local(due(Shift(-1, Period(2, "day")), show(day), PARIS), PARIS) == shown


def test_hours_are_counted_exactly_through_skipped_and_repeated_ones() -> None:
    assert local(due(Shift(-1, Period(2, "hour")), show("2026-03-29 04:00"), PARIS), PARIS) == "2026-03-29 01:00"
    repeated = due(Shift(-1, Period(2, "hour")), show("2026-10-25 04:00"), PARIS)
    assert local(repeated, PARIS) == "2026-10-25 02:00"
    assert show("2026-10-25 04:00").astimezone(UTC) - repeated == timedelta(hours=2)


def test_a_day_that_has_no_midnight_begins_when_it_begins() -> None:
    """In Cairo the clocks go from 23:59 to 01:00 on 24 April 2026."""
    found = due(Shift(+1, Period(1, "day")), show("2026-04-23 20:00", CAIRO), CAIRO)
    assert local(found, CAIRO) == "2026-04-24 01:00"


def test_months_are_calendar_ones() -> None:
    assert local(due(Shift(-1, Period(1, "month")), date(2026, 3, 31), PARIS), PARIS) == "2026-02-28 00:00"
    assert local(due(Shift(+1, Period(1, "year")), date(2028, 2, 29), PARIS), PARIS) == "2029-02-28 00:00"


def test_a_birthday_on_29_february_is_kept_on_the_28th() -> None:
    assert anniversary(date(2000, 2, 29), 2026) == date(2026, 2, 28)
    assert anniversary(date(2000, 2, 29), 2028) == date(2028, 2, 29)


def test_what_goes_before_never_goes_once_it_has_begun() -> None:
    tonight = show("2026-03-14 20:00")
    assert latest(step(-1, Period(3, "day")), tonight, PARIS) == tonight
    assert latest(step(-1, Period(1, "hour"), Period(3, "day")), tonight, PARIS) == tonight
    assert local(latest(step(-1, Period(1, "month")), tonight, PARIS), PARIS) == "2026-02-17 23:59"
    assert local(latest(step(-1, Period(1, "day")), date(2026, 3, 14), PARIS), PARIS) == "2026-03-14 23:59"


@given(
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  it adds the zone
    zone=st.sampled_from([PARIS, MONTREAL, CAIRO, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Australia/Lord_Howe")]),
    sign=st.sampled_from([-1, 1]),
    at=st.builds(Period, st.integers(0, 90), st.sampled_from(["minute", "hour", "day", "week", "month"])),
    late=st.builds(Period, st.integers(0, 40), st.sampled_from(["minute", "hour", "day", "month"])),
)
def test_a_step_is_never_over_before_it_is_due(
    moment: datetime, zone: ZoneInfo, sign: int, at: Period, late: Period
) -> None:
    start, end = due(Shift(sign, at), moment, zone), latest(step(sign, at, late), moment, zone)
    if sign > 0 or start <= moment:
        assert start <= end
    if at.unit not in {"minute", "hour"}:
        there = start.astimezone(zone)
        assert (start - timedelta(microseconds=1)).astimezone(zone).date() < there.date()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("journeys:\n  - {name: J, around: each ticket, steps: [{at: 1 day before, task: T, no later than: the same day}]}", "en"),
        ("parcours:\n  - {nom: J, autour: chaque billet, étapes: [{à: 1 jour avant, tâche: T, au plus tard: le jour même}]}", "fr"),
        ("parcours:\n  - {nom: J, autour: chaque billet, au plus tard: le jour même, étapes: [{à: la veille, tâche: T}]}", "fr"),
    ],
)  # fmt: skip
def test_no_later_than_the_same_day_is_until_that_day_ends(text: str, language: str) -> None:
    found = read({"j.yaml": text.encode()}, language=language)
    assert not found.mistakes
    ((step,),) = (journey.steps for journey in found.book.journeys)
    show = datetime(2026, 3, 20, 20, tzinfo=ZoneInfo("Europe/Paris"))
    last = latest(step, show, ZoneInfo("Europe/Paris")).astimezone(ZoneInfo("Europe/Paris"))
    assert (last.date(), last.hour, last.minute) == (date(2026, 3, 19), 23, 59)
    meant = text.replace("le jour même", "fin de journée").replace("the same day", "end of the day")
    (told,) = read({"j.yaml": meant.encode()}, language=language).mistakes
    assert told.suggestion == {"en": "the same day", "fr": "le jour même"}[language]
