"""50 rules over a million people: this project's rules beside the same conditions written by hand in Polars.

`python -m bench.evaluate [PEOPLE]` prints both times, the memory, and that both gave the same answers.
"""

from __future__ import annotations

import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import polars as pl

from rules.compiler import evaluate
from rules.conditions import Book
from rules.reader import read

TODAY = date(2026, 9, 1)
TOWNS = ["Lyon", "Nantes", "Saint-Étienne", "Orléans", "Montréal", "Québec", *(f"Ville {n}" for n in range(3000))]
TEMPLATE = """
  - name: Rule {n}
    when:
      segment: Regulars
      visits: at least {visits}
      last_visit: more than {months} months ago
      next_visit: never
    unless:
      sheet: {{Do not contact: yes}}
    then:
      - flag: Flag {n}
  - name: Money {n}
    when:
      any of:
        spent: more than {spent}
        city: [Lyon, saint-etienne]
      newsletter: subscribed
    then:
      - flag: Money {n}
"""


def folder() -> Book:
    rules = "".join(TEMPLATE.format(n=n, visits=2 + n % 5, months=6 + n, spent=20 * n) for n in range(25))
    text = f"segments:\n  - name: Regulars\n    when: {{visits: at least 2, last_visit: known}}\nrules:{rules}"
    reading = read({"bench.yaml": text.encode()})
    assert not reading.mistakes, reading.mistakes
    return reading.book


def crowd(size: int) -> pl.DataFrame:
    chance = random.Random(7)
    past = [None, *(TODAY - timedelta(days=n) for n in range(1500))]
    ahead = [*[None] * 500, *(TODAY + timedelta(days=n) for n in range(60))]
    return pl.DataFrame(
        {
            "key": range(size),
            "visits": chance.choices([None, *range(9)], k=size),
            "last_visit": chance.choices(past, k=size),
            "next_visit": chance.choices(ahead, k=size),
            "spent": chance.choices([None, *(n / 4 for n in range(4000))], k=size),
            "city": chance.choices([None, *TOWNS], k=size),
            "newsletter": chance.choices(["subscribed", "unsubscribed", "none"], k=size),
            "sheet:Do not contact": chance.choices(["", "x", "oui", "non"], k=size),
        }
    )


def by_hand(people: pl.DataFrame) -> pl.DataFrame:
    """What a developer writes for these 50 rules who knows the data: exact names, no accents to fold, no unknowns."""
    visits, last = pl.col("visits").fill_null(0), pl.col("last_visit")
    regular = (visits >= 2) & last.is_not_null()
    free = ~pl.col("sheet:Do not contact").fill_null("").str.to_lowercase().is_in(["oui", "yes", "x", "true", "1"])
    town = pl.col("city").is_in(["Lyon", "Saint-Étienne"]).fill_null(value=False)
    subscribed = (pl.col("newsletter") == "subscribed").fill_null(value=False)
    rules = []
    for n in range(25):
        before = pl.lit(TODAY).dt.offset_by(f"-{6 + n}mo")
        late = (last < before).fill_null(value=False)
        rules += [
            (regular & (visits >= 2 + n % 5) & late & pl.col("next_visit").is_null() & free).alias(f"rule-{n}"),
            (((pl.col("spent") > 20 * n).fill_null(value=False) | town) & subscribed).alias(f"money-{n}"),
        ]
    return people.lazy().select("key", *rules, regular.alias("segment:regulars")).collect()


def timed(run: Callable[[], pl.DataFrame], times: int = 5) -> tuple[float, pl.DataFrame]:
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        frame = run()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent), frame


def measure(size: int = 1_000_000) -> tuple[float, float, float]:
    """Seconds for ours, seconds by hand, peak memory in megabytes. The answers must be the same."""
    book, people = folder(), crowd(size)
    ours, found = timed(lambda: evaluate(book, people, TODAY).frame)
    hand, expected = timed(lambda: by_hand(people))
    assert found.select(expected.columns).equals(expected), "the answers differ"
    return ours, hand, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    ours, hand, memory = measure(size)
    print(f"50 rules over {size:,} people, the same answers")
    print(f"  rules in YAML      {ours:6.3f} s")
    print(f"  Polars by hand     {hand:6.3f} s")
    print(f"  ratio              {ours / hand:6.2f}   (peak memory {memory:,.0f} MB)")


if __name__ == "__main__":
    main()
