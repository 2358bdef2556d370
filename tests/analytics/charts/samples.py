"""Rows for every chart, drawn from a seed: a small town with Japanese names, a refund below zero and gaps."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analytics.charts.catalogue import CHARTS
from analytics.charts.figure import Figure
from analytics.charts.flows import stays_of
from analytics.frames import CATEGORIES

DISTRICTS = ("中央", "港", "八幡", "須賀", "unknown")


def samples(seed: int = 7) -> Mapping[str, pd.DataFrame]:
    """A frame for each chart of the catalogue, by its name."""
    rng = np.random.default_rng(seed)
    frames = (_circulation(rng), _redemption(rng), _hours(rng), _flows(rng), _cohorts(rng), _ranking(rng), _weeks(rng))
    return {name: _typed(name, frame) for name, frame in zip(CHARTS, frames, strict=True)}


def figures(seed: int = 7) -> list[Figure]:
    return [CHARTS[name].of(frame) for name, frame in samples(seed).items()]


def _typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({field.name: field.kind.dtype.value for field in CHARTS[name].fields})


def _circulation(rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        (purse, state, int(rng.integers(1, 90)) * 1_234_567)
        for purse in ("common", "small-stores", "=granted")
        for state in ("used", "expired", "held")
    ]
    return pd.DataFrame(rows, columns=["purse", "state", "points_yen"])


def _redemption(rng: np.random.Generator) -> pd.DataFrame:
    days = pd.date_range("2026-10-01", "2027-01-31")
    issued = 867_123_457
    used = (issued * (1 - np.exp(-((np.arange(len(days)) / 24) ** 0.91)))).astype("int64")
    known = np.where(np.arange(len(days)) < 60, "counted", "forecast")
    spread = np.where(known == "forecast", (np.arange(len(days)) - 59) * 700_003, 0)
    return pd.DataFrame(
        {
            "day": days,
            "known": known,
            "issued_yen": issued,
            "used_yen": used,
            "low_yen": used - spread,
            "high_yen": np.minimum(used + spread, issued),
        }
    )


def _hours(rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        (district, category, hour, int(rng.gamma(0.8) * 90_000 * np.exp(-((hour - 16) ** 2) / 40)) - 7)
        for district in DISTRICTS
        for category in CATEGORIES
        for hour in range(7, 23)
        if rng.random() < 0.9
    ]
    return pd.DataFrame(rows, columns=["district", "category", "hour", "sales_yen"])


def _flows(rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        (home, place, int(rng.gamma(1.2) * 4e6 * (5 if home == place else 1)) + 1)
        for home in DISTRICTS
        for place in DISTRICTS
    ]
    rows[-1] = ("unknown", "unknown", -321)
    flows = pd.DataFrame(rows, columns=["home", "place", "sales_yen"])
    return flows.assign(stays=stays_of(flows))


def _cohorts(rng: np.random.Generator) -> pd.DataFrame:
    months = pd.date_range("2026-10-01", periods=6, freq="MS")
    rows = []
    for index, month in enumerate(months):
        size = int(rng.integers(500, 9_000))
        for later in range(6 - index):
            people = size if later == 0 else int(size * rng.uniform(0.2, 0.8))
            rows.append((month, later, people, size, people / size))
    return pd.DataFrame(rows, columns=["cohort", "months_later", "people", "cohort_people", "share"])


def _ranking(rng: np.random.Generator) -> pd.DataFrame:
    sales = np.sort(rng.pareto(1.1, 20) * 3e6 + 123_457).astype("int64")[::-1]
    rest = 345_678_901
    total = int(sales.sum()) + rest
    rows = [
        (
            rank,
            f"1000{rank:02}",
            1,
            str(rng.choice(CATEGORIES)),
            str(rng.choice(DISTRICTS)),
            int(yen),
            int(yen) / total,
        )
        for rank, yen in enumerate(sales, start=1)
    ]
    rows.append((21, "others", 980, "mixed", "others", rest, rest / total))
    return pd.DataFrame(rows, columns=["rank", "store", "stores", "category", "district", "sales_yen", "share"])


def _weeks(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for number, week in enumerate(pd.date_range("2026-08-31", periods=16, freq="W-MON")):
        for group in ("won", "lost"):
            lift = 1_400 if group == "won" and number >= 5 else 0
            mean = 9_800 + lift + int(rng.normal(0, 180))
            period = "after" if number >= 5 else "before"
            rows.append((week, period, group, 640, mean, mean - 410, mean + 410))
    names = ["week", "period", "group", "people", "mean_yen", "low_yen", "high_yen"]
    return pd.DataFrame(rows, columns=names)
