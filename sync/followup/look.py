"""The organisation's colours as its e-mails need them: every pairing can be read, by day and in dark mode.

A pairing reaches the contrast that WCAG 2.2 asks of text (1.4.3, level AA: 4.5 to 1); the house's colour is made darker or
lighter until it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sync.config import Colours

READABLE, VISIBLE = 4.5, 2.0
STEP = 0.04
INK, NIGHT, NIGHT_SHEET, NIGHT_INK = "#2a2521", "#171513", "#221f1c", "#efe9e1"


@dataclass(frozen=True)
class Look:
    """Colours as `#rrggbb`. `line` goes around the sheet, `hair` across it. `accent` fills, `link` is text on `sheet`; the second half is for dark mode."""

    background: str
    sheet: str
    ink: str
    line: str
    hair: str
    accent: str
    on_accent: str
    link: str
    soft: str
    soft_link: str
    night_line: str
    night_link: str
    night_soft: str
    night_accent: str
    night_on_accent: str
    night: str = NIGHT
    night_sheet: str = NIGHT_SHEET
    night_ink: str = NIGHT_INK


@lru_cache(64)
def look_of(colours: Colours) -> Look:
    """All colours of an e-mail, from the two that were chosen."""
    ground, accent = colours.background, colours.accent
    sheet = _mix("#ffffff", ground, 0.08) if _luminance(ground) > 0.5 else "#ffffff"
    ends = "#ffffff" if _luminance(ground) < 0.18 else "#000000"
    night_link = _readable(accent, NIGHT_SHEET, "#ffffff")
    night_accent = accent if contrast(accent, NIGHT_SHEET) >= VISIBLE else night_link
    return Look(
        background=ground,
        sheet=sheet,
        ink=INK,
        line=_mix(ground, ends, 0.08),
        hair=_mix(sheet, INK, 0.14),
        accent=accent,
        on_accent=_on(accent),
        link=_readable(accent, sheet, "#000000"),
        soft=_readable(_mix(ends, ground, 0.45), ground, ends),
        soft_link=_readable(accent, ground, ends),
        night_line=_mix(NIGHT_SHEET, "#ffffff", 0.1),
        night_link=night_link,
        night_soft=_readable("#a79f95", NIGHT, "#ffffff"),
        night_accent=night_accent,
        night_on_accent=_on(night_accent),
    )


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _on(ground: str) -> str:
    return "#ffffff" if contrast("#ffffff", ground) >= contrast(INK, ground) else INK


def _readable(colour: str, ground: str, towards: str) -> str:
    share = 0.0
    while contrast(mixed := _mix(colour, towards, share), ground) < READABLE and share < 1:
        share += STEP
    return mixed


def _mix(one: str, other: str, share: float) -> str:
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * min(share, 1)):02x}" for a, b in pairs)


def _parts(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    shares = [part / 255 for part in _parts(colour)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
