"""How every chart looks: sizes, fonts, and colours that nobody has to tell apart by hue alone.

The colours are few and dark enough for white paper (3:1 at least, WCAG 2.2 criterion 1.4.11); a test computes
how they look with each kind of colour blindness and asks that they stay apart. Amounts are shades of one colour
that only get darker, so they survive a black-and-white printer. What a line says by its colour it also says by
its dashes.

Vega measures text with the fonts that it finds and leaves out text whose font it does not know; so the stack
begins with fonts of Debian packages (`fonts-noto-cjk`, `fonts-morisawa-bizud-gothic`), goes on with those of
Windows, macOS and Android, and ends with the generic family.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from analytics.charts.data import Say
from analytics.charts.names import Shape

FONT_FAMILIES: Final = (
    "Noto Sans CJK JP",
    "BIZ UDGothic",
    "Hiragino Sans",
    "Yu Gothic UI",
    "Meiryo",
    "Noto Sans JP",
)
FONTS: Final = ", ".join(FONT_FAMILIES) + ", sans-serif"

TEXT_PX: Final = 14
"""No text in a chart is smaller."""

_APART_PX: Final = 6
"""Between two labels of an axis: where they come nearer, as the last one may that ends with its axis, every second is
left out."""

INK: Final = "#1a1a1a"
QUIET: Final = "#595959"
RULES: Final = "#d9d9d9"
PAPER: Final = "#ffffff"
FIRST: Final = "#00569e"
SECOND: Final = "#b84a00"
THIRD: Final = "#5c5c5c"
PALETTE: Final = (FIRST, SECOND, THIRD)
DASHES: Final = ([1, 0], [6, 3], [2, 2])
SHADES: Final = ("#eef4fa", "#c5daee", "#8db9dd", "#4f90c4", "#1f66a3", "#0b4478", "#062a4d")
"""From little to much."""


@dataclass(frozen=True)
class Look:
    """In which words and for which width."""

    say: Say
    shape: Shape = Shape.SCREEN

    @property
    def narrow(self) -> bool:
        return self.shape is Shape.PHONE


@dataclass(frozen=True)
class YenScale:
    """The unit of an axis: so many yen, and the key of its word."""

    yen: int
    key: str


def yen_scale(largest: int, figures: int = 4) -> YenScale:
    """The smallest unit in which the largest amount of an axis has at most so many figures."""
    for yen, key in ((1, "insight.unit.yen"), (1_000, "insight.unit.thousand_yen")):
        if abs(largest) < 10**figures * yen:
            return YenScale(yen, key)
    return YenScale(1_000_000, "insight.unit.million_yen")


def round_up(largest: int) -> int:
    """The end of a scale for amounts up to `largest`: 2, 4, 6, 8 or 10 times a power of ten, at least 2."""
    power = int(f"1{'0' * (len(str(max(largest, 1))) - 1)}")
    return max(2, next(step * power for step in (2, 4, 6, 8, 10) if step * power >= largest))


def text_width(text: str, size: int = TEXT_PX) -> int:
    """About how wide a line of text is: a full-width sign takes its size, another 0.65 of it."""
    units = sum(1.0 if unicodedata.east_asian_width(sign) in "FWA" else 0.65 for sign in text)
    return round(units * size)


def margin_for(words: list[str], most: int) -> int:
    """The room beside an axis for its longest word, at most `most` pixels."""
    return min(max((text_width(word) for word in words), default=0) + 6, most)


def in_two_lines(words: list[str], room: int) -> str:
    """The Vega expression that writes an axis's labels in two lines where one is longer than `room` pixels: at a blank,
    or where there is none in the middle.

    No word stands in the expression: Vega takes some, as `constructor`, for its own.
    """
    long = [word for word in words if text_width(word) > room]
    if not long:
        return "datum.label"
    most = min(max((end for end in range(1, len(word)) if text_width(word[:end]) <= room), default=1) for word in long)
    blank = f"lastindexof(slice(datum.label, 0, {most + 1}), ' ')"
    end = f"({blank} > 0 ? {blank} : min({most}, ceil(length(datum.label) / 2)))"
    lines = f"[slice(datum.label, 0, {end}), trim(slice(datum.label, {end}))]"
    return f"length(datum.label) > {most} ? {lines} : datum.label"


def config() -> dict[str, Any]:
    """The `config` of every specification."""
    label = {"font": FONTS, "labelFont": FONTS, "titleFont": FONTS}
    size = {"labelFontSize": TEXT_PX, "titleFontSize": TEXT_PX}
    colour = {"labelColor": INK, "titleColor": INK}
    axis = {"gridColor": RULES, "domainColor": QUIET, "tickColor": QUIET, "titleFontWeight": "normal"}
    fonts = {key: value for key, value in label.items() if key != "font"}
    return {
        "background": PAPER,
        "font": FONTS,
        "view": {"stroke": None},
        "axis": {**fonts, **size, **colour, **axis, "labelSeparation": _APART_PX},
        "legend": {**fonts, **size, **colour, "titleFontWeight": "normal", "orient": "bottom"},
        "header": {**fonts, **size, **colour, "labelFontWeight": "bold"},
        "text": {"font": FONTS, "fontSize": TEXT_PX, "color": INK},
        "range": {"category": list(PALETTE), "ramp": list(SHADES), "heatmap": list(SHADES)},
    }
