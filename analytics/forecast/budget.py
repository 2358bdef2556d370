"""On which day what is for sale, or may be granted, is gone.

The pace of the last weeks is carried on; nobody knows of a campaign that starts tomorrow. The interval counts both
how well the pace is known and how much single days differ. docs/algorithms/forecasts.md, "Remaining budget".
"""

from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from analytics.evaluation.estimates import CONFIDENCE, conform_unique
from analytics.forecast.unused import civil_day
from analytics.frames import LOTS, PROGRAMMES

WINDOW_DAYS: Final = 28
LEAST_DAYS: Final = 3
HORIZON_DAYS: Final = 3_650

COLUMNS: Final = [
    "programme",
    "budget",
    "total",
    "taken",
    "left",
    "per_day",
    "day",
    "low_day",
    "high_day",
    "days_seen",
    "state",
]


def remaining_budget_day(lots: pd.DataFrame, programmes: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """For each programme's `stock` (units for sale) and `grants` (points that may be granted): when it is gone.

    lots, programmes: the declared frames; rows after the civil day `as_of` (a date, or any time of it) are not looked
    at.

    Returns, by programme, `programme, budget, total, taken, left, per_day` (units or points; the mean of the last 28
    days, or since the sale or the first grant), `day` (expected), `low_day`, `high_day` (95 %; NaT is "not within ten
    years"), `days_seen`, `state`: `gone` (then all three are the day it went), `running`, `standing` (nothing is taken
    any more: no day), `too_early` (fewer than three days seen) or `none` (there was no such budget). Raises FrameUnfit,
    also for a lot that is there twice, and NotEstimable.
    """
    today = civil_day(as_of)
    terms = conform_unique(PROGRAMMES, programmes).sort_values("programme")
    issued = LOTS.sound(lots)
    issued = issued[issued["day"] <= today]
    rows = []
    term: Any
    for term in terms.itertuples(index=False):
        own = issued[issued["programme"] == term.programme]
        bought, granted = own[own["origin"] == "purchase"], own[own["origin"] == "grant"]
        points = granted["paid_yen"] + granted["premium_yen"]
        units = bought["paid_yen"] / max(int(term.unit_price_yen), 1)
        code = str(term.programme)
        rows.append(_row(code, "stock", int(term.stock_units), _daily(bought, units, term.sale_from, today)))
        first = granted["day"].min() if len(granted) else today
        rows.append(_row(code, "grants", int(term.grant_budget_points), _daily(granted, points, first, today)))
    return _typed(pd.DataFrame(rows, columns=COLUMNS))


def _daily(
    own: pd.DataFrame, amount: "pd.Series[float]", first: pd.Timestamp, today: pd.Timestamp
) -> "pd.Series[float]":
    """What was taken on each civil day from `first` to `today`, days without anything included."""
    first = min(first, own["day"].min()) if len(own) else first
    days = pd.date_range(first, today, freq="D")
    return amount.astype("float64").groupby(own["day"]).sum().reindex(days, fill_value=0.0)


def _row(programme: str, budget: str, total: int, daily: "pd.Series[float]") -> dict[str, object]:
    taken = float(daily.sum())
    left = max(total - taken, 0.0)
    recent = daily.iloc[-WINDOW_DAYS:]
    pace = float(recent.mean()) if len(recent) else 0.0
    row: dict[str, object] = {
        "programme": programme,
        "budget": budget,
        "total": total,
        "taken": taken,
        "left": left,
        "per_day": pace,
        "days_seen": len(recent),
        "day": pd.NaT,
        "low_day": pd.NaT,
        "high_day": pd.NaT,
    }
    if total <= 0:
        return row | {"state": "none"}
    if left <= 0:
        went = daily.index[int(np.argmax(daily.cumsum().to_numpy() >= total))]
        return row | {"state": "gone", "day": went, "low_day": went, "high_day": went}
    if len(recent) < LEAST_DAYS:
        return row | {"state": "too_early"}
    if pace <= 0:
        return row | {"state": "standing"}
    today = daily.index[-1]
    middle, low, high = _days_until(left, recent)
    return row | {
        "state": "running",
        "day": _after(today, middle),
        "low_day": _after(today, low),
        "high_day": _after(today, high),
    }


def _days_until(left: float, recent: "pd.Series[float]") -> tuple[int | None, int | None, int | None]:
    """The first day h on which the sum of h days, as expected and at the two ends of its 95 % interval, reaches it.

    The sum of h days to come differs from h times the mean of n days seen by a variance of s² (h + h²/n). Compared
    n-fold: sums are whole numbers, where a mean is rounded and may miss the day on which it comes out even.
    """
    seen, whole = len(recent), float(recent.sum())
    ahead = np.arange(1, HORIZON_DAYS + 1, dtype="float64")
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, seen - 1)) * float(recent.std()) * np.sqrt(ahead + ahead**2 / seen)
    middle, off, wanted = ahead * whole, seen * reach, seen * left
    return _first(middle >= wanted), _first(middle + off >= wanted), _first(middle - off >= wanted)


def _first(reached: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int | None:
    return int(np.argmax(reached)) + 1 if reached.any() else None


def _after(today: pd.Timestamp, days: int | None) -> object:
    return pd.NaT if days is None else today + pd.Timedelta(days=days)


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    days = dict.fromkeys(("day", "low_day", "high_day"), "datetime64[us]")
    whole = dict.fromkeys(("total", "days_seen"), "int64")
    texts, reals = dict.fromkeys(("programme", "budget", "state"), "str"), ("taken", "left", "per_day")
    return rows.astype(days | whole | texts | dict.fromkeys(reals, "float64"))
