"""The 50 rules of bench.windows by a rule engine from the registry (business-rule-engine), one person after another.

It has no counts over windows: the developer writes a function for each kind of thing that is counted, and its rules call
these. It is asked about one person in two hundred, whose records were put together beforehand, and the seconds for
everybody are told from that; the answers are those of Polars by hand. `python -m bench.engine` prints them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
from business_rule_engine import RuleParser
from dateutil.relativedelta import relativedelta

from bench.windows import GENRES, NOW, PEOPLE, RECORDS, ZONE, by_hand, ledger

ONE_IN = 200
TODAY = date(2026, 9, 1)
Did = list[tuple[str, Any]]


def rules() -> RuleParser:
    def since(**length: int) -> str:
        return f"'{TODAY - relativedelta(**length)}'"  # type: ignore[arg-type]  # months or weeks

    tests = [f"visits(went, {since(months=1 + n)}, '{GENRES[n % 6].upper()}') >= {1 + n % 4}" for n in range(25)]
    tests += [f"over(bought, {since(months=2 + n)}, {100 * (5 * n + 1)}) >= {1 + n % 3}" for n in range(10)]
    tests += [f"over(given, {since(months=3 * n + 1)}, {1000 * n + 1}) >= 1" for n in range(5)]
    tests += [f"acts(opened, {since(weeks=n + 1)}) > {n}" for n in range(5)]
    tests += [f"under(said, {since(months=n + 1)}, {n}) >= 1" for n in range(5)]
    parser = RuleParser()
    for function in (visits, over, under, acts, flag):
        parser.register_function(function)
    for n, test in enumerate(tests):
        parser.add_rule(f"rule-{n}", test, "flag()")
    return parser


def visits(did: Did, since: str, genre: str) -> int:
    return sum(day > since and of == genre for day, of in did)


def over(did: Did, since: str, least: int) -> int:
    return sum(day > since and cents >= least for day, cents in did)


def under(did: Did, since: str, most: int) -> int:
    return sum(day > since and score <= most for day, score in did)


def acts(did: Did, since: str) -> int:
    return sum(day > since for day, _ in did)


def flag() -> None:
    """What a rule would do."""


def gathered(facts: pl.DataFrame, events: pl.DataFrame) -> dict[int, dict[str, Did]]:
    """What each person did until now, by the names that the rules use."""
    shows = events.filter(~pl.col("event_cancelled")).select("event", "starts", "genre")
    places = facts.filter(pl.col("kind") == "visit").join(shows, on="event").unique(["person", "event"])
    parts = {"went": places.select("person", "genre", at="starts")}
    for name, kind, value in (
        ("bought", "order", "cents"), ("given", "donation", "cents"), ("opened", "engagement", "quantity"), ("said", "answer", "score"),
    ):  # fmt: skip
        parts[name] = facts.filter(pl.col("kind") == kind).select("person", value, "at")
    found: dict[int, dict[str, Did]] = defaultdict(lambda: {name: [] for name in parts})
    for name, part in parts.items():
        day = pl.from_epoch("at", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%d")
        until_now = part.filter(pl.col("at") <= int(NOW.timestamp()) * 1_000_000).with_columns(day.alias("at"))
        for person, value, at in until_now.rows():
            found[person][name].append((at, value))
    return found


def measure(people: int = PEOPLE, records: int = RECORDS) -> float:
    """Seconds for everybody, by what some people took. The answers must be those of Polars by hand."""
    facts, events = ledger(people, records)
    some = pl.DataFrame({"key": range(0, people, ONE_IN)}).with_columns(person_id=pl.col("key") + 1)
    facts = facts.filter(pl.col("person").is_in(some["person_id"].implode()))
    did, parser = gathered(facts, events), rules()
    began = time.perf_counter()
    found = [_asked(parser, did[person]) for person in some["person_id"]]
    spent = time.perf_counter() - began
    expected = by_hand(some, facts, events).drop("key")
    assert found == expected.rows(), "the answers differ"
    return spent * people / len(some)


def _asked(parser: RuleParser, did: Mapping[str, Did]) -> tuple[bool, ...]:
    results = parser.execute(did, stop_on_first_trigger=False).results
    return tuple(one.triggered for one in results)


def main() -> None:
    print(
        f"50 rules with windows, {PEOPLE:,} people, by business-rule-engine: {measure():,.0f} s (from one in {ONE_IN})"
    )


if __name__ == "__main__":
    main()
