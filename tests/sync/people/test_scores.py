"""Scores from 1 to 5: against a small reference that goes person by person, and where people would stumble."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.fields import SCORES
from sync.people import measures
from sync.people.scores import score
from sync.people.windows import used
from tests.thread.small import LINES, Small, line

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
RECENCY, FREQUENCY, MONEY = SCORES
Deeds = list[tuple[int, datetime, int | None]]


def micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def scored(visits: Deeds, orders: list[tuple[int, datetime, int, str, str]], people: int) -> list[tuple[Any, ...]]:
    """Visits as (person, when, event or None), orders as (person, when, cents, currency, status)."""
    rows = [
        {
            "person": who,
            "kind": "visit",
            "at": micros(at),
            "status": "booked",
            "event": f"E{event}" if event else None,
            "id": f"v{n}",
        }
        for n, (who, at, event) in enumerate(visits)
    ]
    rows += [
        {"person": who, "kind": "order", "at": micros(at), "cents": cents, "currency": currency, "status": status}
        for who, at, cents, currency, status in orders
    ]
    facts = pl.DataFrame([{"source": "box", **row} for row in rows], schema=measures.FACTS)
    of = {
        kind: facts.lazy().filter(pl.col("kind") == kind).select(names)
        for kind, names in used(["visits", "purchases"]).items()
    }
    everybody = pl.DataFrame({"person": range(people)}, schema={"person": pl.Int64})
    events = pl.DataFrame(schema=measures.EVENTS)
    found = score(everybody, of, events, now=NOW, timezone="Europe/Paris", currency="EUR")
    assert found["person"].to_list() == list(range(people))
    return [tuple(row) for row in found.select(SCORES).iter_rows()]


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def fifth(mine: Any, all_of_them: list[Any]) -> int:
    """Where the middle of those with my value stands, in fifths of everybody."""
    below, same, everybody = sum(v < mine for v in all_of_them), all_of_them.count(mine), len(all_of_them)
    return next(n for n in range(1, 6) if (below + same / 2) / everybody < n / 5)


def reference(visits: Deeds, orders: list[tuple[int, datetime, int, str, str]], people: int) -> list[tuple[Any, ...]]:
    begins = datetime(2024, 9, 2, tzinfo=PARIS)
    came: dict[int, list[datetime]] = {}
    for who, at in {(who, at) for who, at, _ in visits}:
        if begins <= at <= NOW:
            came.setdefault(who, []).append(at)
    paid: dict[int, int] = {}
    for who, at, cents, currency, status in orders:
        if who in came and begins <= at <= NOW and currency == "EUR" and status != "pending":
            paid[who] = paid.get(who, 0) + cents
    days = {who: max(at.astimezone(PARIS).date() for at in when) for who, when in came.items()}
    often, money = {who: len(when) for who, when in came.items()}, {who: paid.get(who, 0) for who in came}
    return [
        (
            fifth(days[who], list(days.values())),
            fifth(often[who], list(often.values())),
            fifth(money[who], list(money.values())) if paid else None,
        )
        if who in came
        else (None, None, None)
        for who in range(people)
    ]


days_ago = st.sampled_from([-3, 0, 0.6, 1, 2, 30, 364, 365, 728, 729, 730, 731, 2000])
someone = st.integers(0, 11)


@given(
    st.lists(st.tuples(someone, days_ago.map(ago), st.none()), max_size=25),
    st.lists(
        st.tuples(
            someone, days_ago.map(ago), st.sampled_from([0, 500, 1250, -300]),
            st.sampled_from(["EUR", "EUR", "CAD"]), st.sampled_from(["paid", "refunded", "pending"]),
        ),
        max_size=15,
    ),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_everybody_has_the_score_of_the_reference(visits: Deeds, orders: Any) -> None:
    assert scored(visits, orders, 12) == reference(visits, orders, 12)


def test_five_people_have_five_scores() -> None:
    visits: Deeds = [(n, ago(10 * n + 1), None) for n in range(5)]
    visits += [(n, ago(10 * n + 2 + more), None) for n in range(5) for more in range(4 - n)]
    orders = [(n, ago(50), 1000 * (5 - n), "EUR", "paid") for n in range(5)]
    assert scored(visits, orders, 6) == [(5, 5, 5), (4, 4, 4), (3, 3, 3), (2, 2, 2), (1, 1, 1), (None, None, None)]


@pytest.mark.parametrize(("people", "expected"), [(1, [3]), (2, [4, 2]), (3, [5, 3, 1]), (4, [5, 4, 2, 1])])
def test_fewer_than_five_people(people: int, expected: list[int]) -> None:
    found = scored([(n, ago(n + 1), None) for n in range(people)], [], people)
    assert [row[0] for row in found] == expected
    assert {row[1] for row in found} == {3}


def test_when_all_are_the_same_all_are_in_the_middle() -> None:
    visits: Deeds = [(n, ago(5), None) for n in range(40)]
    orders = [(n, ago(5), 2000, "EUR", "paid") for n in range(40)]
    assert set(scored(visits, orders, 40)) == {(3, 3, 3)}


def test_one_evening_is_one_day_and_one_visit() -> None:
    evening = datetime(2026, 8, 30, 18, tzinfo=UTC)
    visits: Deeds = [(0, evening, 1), (0, evening, 1), (1, evening + timedelta(hours=3), 2)]
    assert scored(visits, [], 2) == [(3, 3, None), (3, 3, None)]


def test_nobody_has_a_money_score_where_no_purchase_is_known() -> None:
    assert scored([(0, ago(3), None)], [(0, ago(3), 1000, "CAD", "paid")], 1) == [(3, 3, None)]
    assert scored([], [(0, ago(3), 1000, "EUR", "paid")], 1) == [(None, None, None)]


RULES = """\
règles:
  - nom: Fidèles
    quand: {score de fréquence: au moins 4}
    alors: [{signaler: Fidèle}]
    exemples:
      - personne: {score de fréquence: 5}
        attendu: concerné
      - personne: {}
        attendu: pas concerné
  - nom: Sans visite récente
    quand: {score de récence: vide}
    alors: [{signaler: Absent}]
"""


def test_scores_through_the_whole_thread(tmp_path_factory: pytest.TempPathFactory) -> None:
    small = Small(tmp_path_factory.mktemp("small"))
    small.write("rules/public.yaml", RULES)
    assert small.filrouge("check").code == 0
    assert small.filrouge("test").code == 0
    small.change("config.yaml", "Signaux: flags}", "Signaux: flags, Récence: recency_score, Montant: money_score}")
    small.run(today="2024-06-01")
    scores = {name: (small.row(name)["Récence"], small.row(name)["Montant"]) for name in ("Jeanne", "Awa", "Luc")}
    assert scores == {"Jeanne": (4, 3), "Awa": (2, 3), "Luc": ("", "")}
    assert (small.row("Jeanne")["Signaux"], small.row("Luc")["Signaux"]) == ("Fidèle", "Absent")
    told = small.filrouge("explain", "jeanne.exemple@example.org", today="2024-06-01").said
    assert "score de fréquence de 4 sur 5 (au moins 4 ✓)" in told
    told = small.filrouge("--language", "en", "explain", "luc.roy@example.org", today="2024-06-01").said
    assert "frequency score: empty (at least 4 ✗)" in told
    small.export((*LINES, line(6, "Awa Diallo", "Phèdre", "20/05/2024", price="90,00")))
    small.run(today="2024-06-01")
    assert (small.row("Jeanne")["Récence"], small.row("Awa")["Montant"]) == (2, 4)
    small.run(today="2026-06-01")  # time alone
    assert (small.row("Jeanne")["Récence"], small.row("Jeanne")["Signaux"]) == ("", "Absent")
    small.change("config.yaml", ", Récence: recency_score, Montant: money_score", "")
    small.write("rules/public.yaml", "règles: [{nom: a, quand: {visites: 9}, alors: [{signaler: a}]}]")
    small.run(today="2026-06-02")
    assert "core de" not in small.filrouge("person", "show", "awa.diallo@example.org").said


def test_the_window_is_of_calendar_months() -> None:
    zone = ZoneInfo("Europe/Paris")
    edge = [datetime.combine(date(2024, 9, day), datetime.min.time(), zone) for day in (1, 2)]
    assert [row[0] for row in scored([(0, edge[0], None), (1, edge[1], None)], [], 2)] == [None, 3]
