"""`python -m bench`: everything that is measured, one after another, in one table. `python -m bench NAME`: one of them.

Each is measured in a process of its own, beside what one would use instead where there is such a thing, in the same run
on the same machine: the ratio says more than the seconds. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

GIGABYTE = 1_000


class Line(msgspec.Struct):
    """One line of the table. `goal` in words, `reached` whether it was."""

    what: str
    ours: str
    other: str
    ratio: float | None
    megabytes: float
    goal: str
    reached: bool


def pulling() -> Iterable[Line]:
    from bench.pulling import AIM, MEGABYTES, MEMBERS, measure

    found = measure()
    ours, other = found["ours"], found["dlt"]
    ratio = ours["rate"] / other["rate"]
    yield Line(
        f"{MEMBERS:,} members, HTTP to committed rows", f"{ours['rate']:,.0f} a second",
        f"dlt: {other['rate']:,.0f} a second, {other['megabytes']:.0f} MB", ratio, ours["megabytes"],
        f"{AIM} times as quick, {MEGABYTES} MB", ratio >= AIM and ours["megabytes"] < MEGABYTES,
    )  # fmt: skip


def evaluate() -> Iterable[Line]:
    from bench.evaluate import measure

    ours, hand, memory = measure()
    what = "50 rules over 1,000,000 people"
    yield Line(
        what, f"{ours:.2f} s", f"Polars by hand: {hand:.2f} s", hand / ours, memory, "0.5 times", ours <= 2 * hand
    )


def windows() -> Iterable[Line]:
    from bench import engine
    from bench.windows import PEOPLE, RECORDS, SECONDS, measure

    ours, hand, memory = measure()
    what = f"50 rules with windows, {PEOPLE:,} people, {RECORDS:,} records"
    reached = ours < SECONDS and ours <= 2 * hand and memory < GIGABYTE
    beside = f"Polars by hand: {hand:.2f} s; business-rule-engine, from one person in {engine.ONE_IN}: {engine.measure():,.0f} s"
    yield Line(what, f"{ours:.2f} s", beside, hand / ours, memory, "0.5 times, 5 s, 1 GB", reached)


def reading() -> Iterable[Line]:
    from bench.reading import SECONDS, measure
    from bench.windows import RECORDS

    ours, other, memory = measure()
    what = f"{RECORDS:,} records out of SQLite, and counted"
    reached = ours < SECONDS and memory < GIGABYTE
    yield Line(
        what, f"{ours:.1f} s", f"pl.read_database, uncounted: {other:.1f} s", other / ours, memory,
        f"{SECONDS:g} s, 1 GB", reached,
    )  # fmt: skip


def workbook() -> Iterable[Line]:
    from bench.workbook import COLUMNS, ROWS, measure

    found = {one.name: one for one in measure()}
    for what, name, other, times, most in (
        (f"100 cells changed of {ROWS:,} × {COLUMNS}", "ours", "openpyxl", 5.0, 700),
        (f"{ROWS:,} × {COLUMNS} cells read", "ours_reading", "calamine_reading", 0.2, GIGABYTE),
    ):
        mine, theirs = found[name], found[other]
        ratio = theirs.seconds / mine.seconds
        yield Line(
            what, f"{mine.seconds:.1f} s", f"{other.partition('_')[0]}: {theirs.seconds:.1f} s, {theirs.megabytes:.0f} MB",
            ratio, mine.megabytes, f"{times:g} times as quick, {most} MB", ratio >= times and mine.megabytes < most,
        )  # fmt: skip


def planning() -> Iterable[Line]:
    from bench.planning import bench_load, bench_plan

    loading, took = bench_load(100_000, 10), bench_plan(500_000, 25)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Line("what is agreed loaded, 100,000 × 10", f"{loading:.2f} s", "", None, memory, "1.5 s", loading < 1.5)
    yield Line("cells compared, 500,000 × 25", f"{took:.2f} s", "", None, memory, "10 s", took < 10)


def deciding() -> Iterable[Line]:
    from bench.deciding import FIRST, PEOPLE, QUIET, measure

    days = measure()
    for name, took, most in (("first", days.first, FIRST), ("quiet", days.quiet, QUIET)):
        what = f"50 rules, {PEOPLE:,} people, deeds: {name} day"
        yield Line(what, f"{took:.1f} s", "", None, days.megabytes, f"{most:g} s", took < most)


def journeys() -> Iterable[Line]:
    from bench.journeys import QUIET, SECONDS, measure
    from bench.windows import PEOPLE, RECORDS

    days = measure()
    what = f"6 journeys, {PEOPLE:,} people, {RECORDS:,} records: a day"
    beside = f"SQL and Polars by hand, nothing written: {days.hand:.1f} s"
    reached = days.ours < SECONDS and days.megabytes < GIGABYTE
    yield Line(
        what, f"{days.ours:.1f} s", beside, days.hand / days.ours, days.megabytes, f"{SECONDS:g} s, 1 GB", reached
    )
    again = "the same day again"
    yield Line(again, f"{days.quiet:.1f} s", "", None, days.megabytes, f"{QUIET:g} s", days.quiet < QUIET)


def quiet_run() -> Iterable[Line]:
    from bench.quiet_run import counted, measure

    aims = {"first": 300.0, "same day": 5.0, "next day": 15.0, "100 orders": 20.0}
    with tempfile.TemporaryDirectory() as made:
        found = measure(Path(made))
        size = counted(Path(made))
    for name, spent in found.items():
        what = f"a run, {size['people']:,} people, {size['records']:,} records: {name}"
        reached = spent.seconds < aims[name] and spent.megabytes < GIGABYTE
        yield Line(what, f"{spent.seconds:.1f} s", "", None, spent.megabytes, f"{aims[name]:g} s, 1 GB", reached)


def mailing() -> Iterable[Line]:
    from bench.mailing import AIM, MAILS, measure

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for rates in measure():
        what = f"{MAILS:,} e-mails composed and sent, {rates.database}"
        yield Line(
            what, f"{rates.ours:,.0f} a second", f"smtplib alone, ready messages: {rates.smtplib:,.0f} a second",
            rates.ours / rates.smtplib, memory, f"{AIM} a second", rates.ours >= AIM,
        )  # fmt: skip


def airtable() -> Iterable[Line]:
    from bench.airtable import AIMS, CHANGED, PEOPLE, measure

    found = measure()
    other, memory = found["upsert"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, what in (("quiet", "nothing changed"), ("busy", f"{CHANGED} changed"), ("all", "all changed")):
        ours, ratio = found[name], other.calls / found[name].calls
        yield Line(
            f"Airtable, {PEOPLE:,} people, {what}", f"{ours.calls} calls, {ours.seconds:.0f} s", f"pyairtable's batch_upsert of all: {other.calls} calls, {other.seconds:.0f} s",
            ratio, memory, f"calls {AIMS[name]:g} times fewer", ratio >= AIMS[name],
        )  # fmt: skip


BENCHES: dict[str, Callable[[], Iterable[Line]]] = {
    bench.__name__: bench
    for bench in (
        evaluate,
        windows,
        reading,
        planning,
        deciding,
        journeys,
        workbook,
        pulling,
        airtable,
        mailing,
        quiet_run,
    )
}


def measured(name: str) -> list[Line]:
    """One bench in a fresh process."""
    with tempfile.NamedTemporaryFile() as answer:
        subprocess.run(
            [sys.executable, "-m", "bench", "--into", answer.name, name],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=900,
        )
        return msgspec.json.decode(Path(answer.name).read_bytes(), type=list[Line])


def show(line: Line) -> None:
    ratio = f"× {line.ratio:.1f}" if line.ratio else ""
    reached = "reached" if line.reached else "MISSED"
    print(
        f"{line.what:58} {line.ours:>16} {ratio:>8} {line.megabytes:6,.0f} MB  {reached:8} {line.goal:30} {line.other}",
        flush=True,
    )


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--into"]:
        _, file, name = arguments
        Path(file).write_bytes(msgspec.json.encode(list(BENCHES[name]())))
        return 0
    if strange := set(arguments) - BENCHES.keys():
        print(f"{', '.join(strange)}? There are: {', '.join(BENCHES)}")
        return 2
    print(f"{'what':58} {'ours':>16} {'ratio':>8} {'memory':>9}  {'':8} {'goal':30} beside")
    missed = False
    for name in arguments or BENCHES:
        for line in measured(name):
            show(line)
            missed = missed or not line.reached
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
