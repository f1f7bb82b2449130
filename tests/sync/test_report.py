"""The report page: whole by itself, safe with any name, drawn right."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.report import charts
from sync.report.page import KEPT, Report, RuleLine, Sample, SourceLine, Waiting, render, write

WHEN = datetime(2026, 3, 14, 6, 0, tzinfo=UTC)
NASTY = '<script>alert("x")</script>'


def report(language: str = "fr", number: int = 12, **more: object) -> Report:
    facts: dict[str, object] = {
        "headline": [f"812 personnes {NASTY}"],
        "tiles": [("personnes", 8120)],
        "sources": [SourceLine(NASTY, "partial", 3, 2, 1, NASTY)],
        "rules": [RuleLine(NASTY, 46, 3, 1)],
        "waiting": [Waiting("x", NASTY, "2", [Sample(NASTY, NASTY, NASTY)], "filrouge approve x")],
        "tasks": [(NASTY, NASTY, "Marie", "28 mars")],
        "held": {"unsubscribed": 2},
        "notes": [NASTY],
        "set_aside": [("exports/mai.csv:12", NASTY)],
        "journal": [(NASTY,) * 5],
        "visitors": [(f"{month}", month, 12 - month) for month in range(1, 13)],
        "segments": {NASTY: {"2026-03-01": 4, "2026-03-14": 5}},
    }
    return Report("Théâtre", language, number, WHEN, "waiting", **(facts | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_a_person_wrote_becomes_code(language: str) -> None:
    assert "<script" not in render(report(language))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_needs_nothing_from_elsewhere(language: str) -> None:
    page = render(report(language))
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import""", page)


def test_an_empty_run_has_a_page_too() -> None:
    empty = Report("Théâtre", "fr", 1, WHEN, "done", ["Rien de nouveau."], [])
    assert "Rien de nouveau." in render(empty)


def test_the_newest_pages_are_kept(tmp_path: Path) -> None:
    for number in range(1, KEPT + 4):
        write(report(number=number), tmp_path)
    kept = sorted(file.name for file in (tmp_path / "reports").iterdir())
    assert len(kept) == KEPT
    assert kept[0] == "2026-03-14-00004.html"
    assert (tmp_path / "report.html").read_text("utf-8") == render(report(number=KEPT + 3))


numbers = st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=0, max_size=30)


@given(numbers, st.text(max_size=20))
def test_charts_are_whole_svg_and_stay_in_their_frame(values: list[int | None], name: str) -> None:
    labels = [str(number) for number in range(len(values))]
    name = "".join(character for character in name if character.isprintable())
    for draw in (charts.stacked_bars, charts.lines):
        root = ET.fromstring(str(draw(name, labels, [charts.Series(name, values)])))
        for element in root.iter():
            for attribute in ("y", "y1", "cy"):
                assert -1 <= float(element.get(attribute, "0")) <= charts.HEIGHT


@given(st.floats(0, 1e9))
def test_steps_are_round_and_few(most: float) -> None:
    step = charts.nice_step(most)
    assert most / step <= 5
    assert f"{step:e}"[0] in "125"
