"""Charts as inline SVG: no script, no picture files, readable by a screen reader, printed as well as shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 28
SERIES = ("a", "b", "c", "d", "e", "f")


@dataclass(frozen=True)
class Series:
    """One named row of numbers, one for each label of the chart; None where nothing is known."""

    name: str
    values: Sequence[float | None]


def nice_step(most: float, parts: int = 4) -> float:
    """A round step (1, 2, 5 × 10ⁿ) that divides 0…`most` into about `parts`."""
    rough = max(most, 1) / parts
    power = 10.0 ** int(log10(rough)) if rough >= 1 else 1.0
    return next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), power * 10)


class _Frame:
    """The box the numbers are drawn into."""

    def __init__(self, count: int, most: float) -> None:
        self.step = nice_step(most)
        self.top = self.step * max(1, ceil(most / self.step))
        self.slot = (WIDTH - LEFT - RIGHT) / max(1, count)

    def y(self, value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top), 1)

    def x(self, index: float) -> float:
        return round(LEFT + self.slot * index, 1)

    def grid(self) -> str:
        lines, value = [], 0.0
        while value <= self.top + 1e-9:
            y = self.y(value)
            lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
            lines.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:g}</text>')
            value += self.step
        return "".join(lines)

    def labels(self, labels: Sequence[str]) -> str:
        every = max(1, ceil(len(labels) / 12))
        last = len(labels) - 1
        return "".join(
            f'<text class="axis" x="{WIDTH - RIGHT if index == last else self.x(index + 0.5)}" y="{HEIGHT - 8}"'
            f' text-anchor="{"end" if index == last else "middle"}">{escape(label)}</text>'
            for index, label in enumerate(labels)
            if (last - index) % every == 0
        )


def stacked_bars(title: str, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Columns of several series on top of each other, the first at the bottom."""
    totals = [sum(one.values[index] or 0 for one in series) for index in range(len(labels))]
    frame = _Frame(len(labels), max(totals, default=0))
    bars = []
    for index, label in enumerate(labels):
        base = 0.0
        for mark, one in zip(SERIES, series, strict=False):
            value = one.values[index] or 0
            if value:
                top, bottom = frame.y(base + value), frame.y(base)
                bars.append(
                    f'<rect class="fill-{mark}" x="{frame.x(index + 0.14)}" width="{round(frame.slot * 0.72, 1)}" y="{top}"'
                    f' height="{round(bottom - top, 1)}"><title>{escape(label)} · {escape(one.name)} : {value:g}</title></rect>'
                )
            base += value
    return _svg(title, frame.grid() + "".join(bars) + frame.labels(labels))


def lines(title: str, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """One line for each series; a point alone is drawn as a dot."""
    frame = _Frame(len(labels), max((value or 0 for one in series for value in one.values), default=0))
    drawn = []
    for mark, one in zip(SERIES, series, strict=False):
        points = [(frame.x(i + 0.5), frame.y(value)) for i, value in enumerate(one.values) if value is not None]
        path = " ".join(f"{x},{y}" for x, y in points)
        drawn.append(f'<polyline class="line-{mark}" points="{path}"/>')
        for (x, y), value in zip(points, (v for v in one.values if v is not None), strict=True):
            drawn.append(
                f'<circle class="fill-{mark}" cx="{x}" cy="{y}" r="3"><title>{escape(one.name)} : {value:g}</title></circle>'
            )
    return _svg(title, frame.grid() + "".join(drawn) + frame.labels(labels))


def _svg(title: str, inside: str) -> Markup:
    # Everything a person wrote was escaped where it was put in.
    return Markup(  # noqa: S704  built from numbers and escaped text
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>{inside}</svg>'
    )
