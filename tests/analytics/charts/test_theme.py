"""Labels are really drawn, and colours stay apart for everybody."""

import html
import itertools
import re
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

import locales
from analytics.charts.circulation import CIRCULATION, STATES
from analytics.charts.names import Shape
from analytics.charts.render import png, svg
from analytics.charts.theme import (
    PALETTE,
    PAPER,
    SHADES,
    Look,
    config,
    round_up,
    yen_scale,
)
from tests.analytics.charts.samples import figures

# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes: A Physiologically-based Model for Simulation of Color Vision
# Deficiency (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
    "greyscale": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),
}
by_sight = pytest.mark.parametrize("sight", BLINDNESS)


def linear(colour: str) -> Any:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(colour: str, sight: str) -> Any:
    """CIE L*a*b* (D65) of a colour as somebody with that sight sees it."""
    seen = np.clip(BLINDNESS[sight] @ linear(colour), 0, 1)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    x, y, z = (to_xyz @ seen) / np.array([0.95047, 1.0, 1.08883])
    fx, fy, fz = (v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", [sight for sight in BLINDNESS if sight != "greyscale"])
def test_colours_of_groups_stay_apart(sight: str) -> None:
    """CIE76 distance; 20 is far beyond what anybody confuses side by side."""
    for one, other in itertools.combinations(PALETTE, 2):
        assert np.linalg.norm(lab(one, sight) - lab(other, sight)) > 20, (one, other)


def test_colours_of_groups_stand_out_from_paper() -> None:
    assert min(contrast(colour, PAPER) for colour in PALETTE) >= 4.5


@by_sight
def test_shades_only_get_darker(sight: str) -> None:
    lightness = [float(lab(shade, sight)[0]) for shade in SHADES]
    assert all(later < earlier - 5 for earlier, later in itertools.pairwise(lightness))


def _text(word: str) -> dict[str, Any]:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "text", "text": word},
        "width": 100,
        "height": 30,
        "config": config(),
    }


def test_a_japanese_label_is_really_drawn() -> None:
    """Each sign has a shape of its own: neither nothing nor the empty box of a font without it."""
    pictures = {word: png(_text(word)) for word in ("", "港", "店", "円", "ー")}
    assert len(set(pictures.values())) == len(pictures)


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(each, id=each.name, marks=() if each.name in {"cohorts", "redemption"} else pytest.mark.long)
        for each in figures()
    ],
)
def test_the_labels_of_every_chart_are_drawn(figure: Any) -> None:
    """The same chart whose words are blank is another picture."""
    say = partial(locales.text, "ja")
    spec = figure.spec(Look(say, Shape.PHONE))
    words = {word for word in spec["data"]["values"][0].values() if isinstance(word, str)}
    blank = figure.spec(
        Look(
            lambda key, /, **_: " " if key.startswith(("insight.axis", "insight.column")) else say(key, **_),
            Shape.PHONE,
        )
    )
    assert words
    assert png(spec) != png(blank)


@pytest.mark.parametrize(("largest", "unit"), [(0, 1), (9_999, 1), (10_000, 1_000), (10_000_000, 1_000_000)])
def test_an_axis_has_few_figures(largest: int, unit: int) -> None:
    assert yen_scale(largest).yen == unit


@pytest.mark.parametrize(
    ("largest", "end"), [(-5, 2), (0, 2), (3, 4), (10, 20), (571_492, 600_000), (999_999, 1_000_000)]
)
def test_a_scale_ends_at_a_round_amount(largest: int, end: int) -> None:
    assert round_up(largest) == end


def labels(titles: list[str]) -> list[list[str]]:
    """The lines of each label beside the bars of purses that are called so."""
    codes = [f"p{place}" for place in range(len(titles))]
    rows = [(code, state, 2) for code in codes for state in STATES]
    data = pd.DataFrame(rows, columns=["purse", "state", "points_yen"])
    figure = CIRCULATION.of(data, {"purse": dict(zip(codes, titles, strict=True))})
    drawn = svg(figure.spec(Look(partial(locales.text, "ja"), Shape.PHONE)))
    beside = drawn.split("role-axis-label")[-1].partition("</g>")[0]
    return [
        [html.unescape(line) for line in re.findall(r">([^<>]+)<", f">{text}<")]
        for text in re.findall(r"<text[^>]*>(.*?)</text>", beside)
    ]


@pytest.mark.parametrize(
    ("titles", "lines"),
    [
        (["共通ポイント"], [["共通ポイント"]]),
        (["共通ポイント", "小規模店専用ポイント"], [["共通ポイント"], ["小規模店専", "用ポイント"]]),
        (["Small stores of the town"], [["Small stores", "of the town"]]),
        (["Smallstoresofthetown"], [["Smallstore", "softhetown"]]),
        (["a\"]; {b} \\ 'c' </script>"], [["a\"]; {b} \\ 'c'", "</script>"]]),
    ],
)
def test_a_purse_with_a_long_name_has_a_label_of_two_lines(titles: list[str], lines: list[list[str]]) -> None:
    assert labels(titles) == lines
