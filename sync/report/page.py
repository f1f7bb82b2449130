"""One run as one self-contained page: what changed, the public over time, what waits, what was set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import jinja2
from babel.numbers import format_decimal
from markupsafe import Markup

from sync.dates import format_date, format_datetime
from sync.messages import say, why_not
from sync.report import charts

KEPT = 50


@dataclass(frozen=True)
class SourceLine:
    name: str
    state: str
    pulled: int
    changed: int
    set_aside: int
    sentence: str


@dataclass(frozen=True)
class RuleLine:
    name: str
    inside: int
    entered: int
    left: int
    sentence: str = ""


@dataclass(frozen=True)
class Sample:
    """One e-mail as an example of those with the same text: its subject, to whom, and how it reads."""

    subject: str
    to: str
    text: str


@dataclass(frozen=True)
class Waiting:
    """What of one rule waits for a person: `counted` in words, with an example of each text. `command` lets it go, and
    `covers` says what else a yes is for: a sentence, and a line each. `barred` of them would not go even then. `until`: how
    many are soon too late.
    """

    id: str
    rule: str
    counted: str
    samples: Sequence[Sample]
    command: str
    covers: Sequence[str] = ()
    barred: int = 0
    until: str = ""


@dataclass(frozen=True)
class Report:
    """All that the page shows, ready in the organisation's words. Times are in its zone."""

    organisation: str
    language: str
    number: int
    when: datetime
    state: str
    headline: Sequence[str]
    tiles: Sequence[tuple[str, float]]
    sources: Sequence[SourceLine] = ()
    rules: Sequence[RuleLine] = ()
    journeys: Sequence[tuple[str, str]] = ()
    waiting: Sequence[Waiting] = ()
    tasks: Sequence[tuple[str, str, str, str]] = ()
    unsure: Sequence[tuple[str, str, str]] = ()
    held: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    set_aside: Sequence[tuple[str, str]] = ()
    journal: Sequence[tuple[str, str, str, str, str]] = ()
    visitors: Sequence[tuple[str, int, int]] = ()
    segments: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    moves: Sequence[tuple[str, str, int, int]] = ()
    sheet: str = ""


@cache
def _template(language: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sync.report", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.globals["say"] = lambda code, **facts: say(language, f"report-{code}", **facts)
    environment.filters["why_not"] = lambda reason: why_not(language, reason)
    environment.filters["number"] = lambda value: format_decimal(value, locale=language)
    return environment.get_template("report.html.j2")


def render(report: Report) -> str:
    """The whole page as HTML."""
    template = _template(report.language)
    when = format_datetime(report.when, "full" if report.language == "fr" else "long", locale=report.language)
    day = format_date(report.when.date(), "full", locale=report.language)
    return template.render(
        report=report,
        when=when,
        day=day,
        time=report.when.strftime("%H:%M"),
        visitors=_visitors(report),
        segments=_segments(report),
    )


def _visitors(report: Report) -> Markup | None:
    if not report.visitors:
        return None
    title = say(report.language, "report-visitors")
    labels = [label for label, _, _ in report.visitors]
    returning = charts.Series(say(report.language, "report-returning"), [back for _, _, back in report.visitors])
    new = charts.Series(say(report.language, "report-first-time"), [first for _, first, _ in report.visitors])
    return charts.stacked_bars(title, labels, [returning, new])


def _segments(report: Report) -> Markup | None:
    days = sorted({day for sizes in report.segments.values() for day in sizes})
    if not days:
        return None
    labels = [format_date(datetime.fromisoformat(day), "d MMM yy", locale=report.language) for day in days]
    series = [charts.Series(name, [sizes.get(day) for day in days]) for name, sizes in report.segments.items()]
    return charts.lines(say(report.language, "report-segments"), labels, series)


def pages(folder: Path) -> list[Path]:
    """The page of the last run, where there is one, and those of earlier runs."""
    return [*folder.glob("report.html"), *sorted((folder / "reports").glob("????-??-??-?????.html"))]


def write(report: Report, folder: Path) -> Path:
    """Put the page at `report.html` and beside the earlier ones in `reports/`; the oldest beyond 50 go."""
    page = render(report)
    archive = folder / "reports"
    archive.mkdir(exist_ok=True)
    kept = archive / f"{report.when:%Y-%m-%d}-{report.number:05d}.html"
    kept.write_text(page, "utf-8")
    for old in sorted(archive.glob("????-??-??-?????.html"), key=lambda file: file.stem[-5:])[:-KEPT]:
        old.unlink()
    latest = folder / "report.html"
    draft = folder / ".report.html.part"
    draft.write_text(page, "utf-8")
    draft.replace(latest)
    return latest
