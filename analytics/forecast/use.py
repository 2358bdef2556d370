"""How much of what is outstanding will be used by which day, and what will lapse.

Points live towards a day on which they end, and people hurry before it; so programmes are compared at the same
number of days before their end, not at the same age. Where an earlier programme has ended, what its people left
over at that distance tells what these will; where none has, the curve so far is extrapolated and the rush at the
end is taken from the literature. docs/algorithms/forecasts.md, "Use and lapse".
"""

from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from analytics.evaluation.estimates import CONFIDENCE
from analytics.forecast.extrapolate import Holdings, extrapolated
from analytics.forecast.unused import Wallets, Whole, civil_day, days_of, in_order
from analytics.frames import EXPIRIES, LOTS, SPENDING

STEP_DAYS: Final = 7
LEAST_PEOPLE: Final = 10
"""Fewer people with points at the same distance from the end of an earlier programme say nothing of others."""
_TYPES: Final = {
    "programme": "str",
    "last_day": "datetime64[us]",
    "day": "datetime64[us]",
    "issued_yen": "int64",
    **dict.fromkeys(("used_yen", "used_low", "used_high", "unused_yen", "unused_low", "unused_high"), "float64"),
    "residents": "int64",
    "method": "str",
    "earlier": "int64",
}


def forecast_use(
    lots: pd.DataFrame,
    spending: pd.DataFrame,
    expiries: pd.DataFrame,
    *,
    as_of: date,
    programme: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """What will be used of the points outstanding at the end of the civil day `as_of`, week by week, and what lapses.

    lots, spending, expiries: the declared frames, of earlier programmes as well; rows after `as_of` (a date, or any
    time of it) are not looked at. programme: forecast this one only. Points that will be sold later are not in it.
    seed: of the resampling where nothing has ended yet.

    Returns, for every programme and last day of use, rows by `day` from `as_of` to that last day: `programme,
    last_day, day, issued_yen, used_yen, used_low, used_high` (of all issued so far, used by the end of that day),
    `unused_yen, unused_low, unused_high` (the same seen from the other side; on `last_day` it is what lapses),
    `residents` with points left, `method` (`earlier programmes` or `extrapolated`) and `earlier` (people behind it).
    95 % intervals. Without a row where nothing is outstanding. Raises FrameUnfit, also for a row that is there twice,
    and NotEstimable.
    """
    now = int(days_of(pd.Series([civil_day(as_of)]))[0])
    lots, spending, expiries = LOTS.sound(lots), SPENDING.sound(spending), EXPIRIES.sound(expiries)
    spending = spending[days_of(spending["day"]) <= now]
    expiries = expiries[days_of(expiries["day"]) <= now]
    ordered = in_order(lots[days_of(lots["day"]) <= now])
    ended = ordered[ordered["last"] <= now].reset_index(drop=True)
    running = ordered[ordered["last"] > now]
    if programme is not None:
        running = running[running["programme"] == programme]
    groups: Any = running.groupby(["programme", "last"])
    tables = [
        _forecast(str(code), int(last), own.reset_index(drop=True), ordered, ended, spending, expiries, now, seed)
        for (code, last), own in groups
    ]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(_TYPES))
    return found[list(_TYPES)].astype(_TYPES)


def forecast_lapse(
    lots: pd.DataFrame,
    spending: pd.DataFrame,
    expiries: pd.DataFrame,
    *,
    as_of: date,
    programme: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The last row of `forecast_use` for each programme and last day: final use, and what lapses."""
    found = forecast_use(lots, spending, expiries, as_of=as_of, programme=programme, seed=seed)
    return found[found["day"] == found["last_day"]].reset_index(drop=True)


def _forecast(
    code: str,
    last: int,
    own: pd.DataFrame,
    ordered: pd.DataFrame,
    ended: pd.DataFrame,
    spending: pd.DataFrame,
    expiries: pd.DataFrame,
    now: int,
    seed: int,
) -> pd.DataFrame:
    ahead = np.unique(np.append(np.arange(now, last, STEP_DAYS), last))
    left = Wallets(ordered, spending, expiries).unused(np.full(len(ordered), now))
    by_lot = pd.Series(left, index=ordered["lot"]).loc[own["lot"]].to_numpy()
    held = pd.Series(by_lot).groupby(own["resident"].to_numpy()).sum()
    held = held[held > 0].astype("float64")
    earlier = _earlier(ended, spending, expiries, last - ahead, last - now)
    if len(earlier) >= LEAST_PEOPLE:
        middle, low, high = _as_earlier(held.to_numpy(), earlier)
        method = "earlier programmes"
    else:
        people = Holdings(own, by_lot, spending, expiries, now)
        middle, low, high = extrapolated(people, ahead, last, np.random.default_rng(seed))
        method = "extrapolated"
    issued = int(own["size"].sum())
    total = float(held.sum())
    left_yen, left_low, left_high = (np.clip(values, 0, total) for values in (middle, low, high))
    return pd.DataFrame(
        {
            "programme": code,
            "last_day": _dates(np.array([last]))[0],
            "day": _dates(ahead),
            "issued_yen": issued,
            "used_yen": issued - left_yen,
            "used_low": issued - left_high,
            "used_high": issued - left_low,
            "unused_yen": left_yen,
            "unused_low": left_low,
            "unused_high": left_high,
            "residents": len(held),
            "method": method,
            "earlier": len(earlier) if method == "earlier programmes" else 0,
        }
    )


def _dates(days: Whole) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    return days.astype("datetime64[D]").astype("datetime64[us]")


def _earlier(
    ended: pd.DataFrame, spending: pd.DataFrame, expiries: pd.DataFrame, distances: Whole, now: int
) -> np.ndarray:
    """For each person of each programme that has ended: yen unused at `now` days before its end (first column, above
    zero) and at each of `distances`. Lots that were not yet issued at that time are left out."""
    held = (ended["issued"] <= ended["last"] - now).to_numpy()
    if not held.any():
        return np.zeros((0, len(distances)))
    there, last = ended[held].reset_index(drop=True), ended["last"].to_numpy()
    wallets = Wallets(ended, spending, expiries)
    table = pd.DataFrame(np.stack([wallets.unused(last - distance)[held] for distance in distances], axis=1))
    by_person = table.groupby([there["programme"], there["last"], there["resident"]]).sum().to_numpy(dtype="float64")
    return by_person[by_person[:, 0] > 0]


def _as_earlier(held: np.ndarray, earlier: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is left by each day as a share of what is held: the earlier people's share, and how far luck may reach.

    Person j of an earlier programme held x and had y left: the share is q = sum y / sum x, and what a person has
    left is q x give or take, with variance s² x². The interval counts both the error of q and the luck of those
    who hold points now; it is the logarithm's, so that it stays above zero. Few people leave much over, and what they
    do is all that the variance is known from: t has Welch and Satterthwaite's degrees of freedom, a person being one.
    """
    base, later = earlier[:, :1], earlier
    share = later.sum(axis=0) / base.sum()
    off = later - share * base
    count = len(earlier)
    error = np.sqrt((off**2).sum(axis=0) * count / (count - 1))
    middle = share * held.sum()
    luck = (off**2).sum(axis=0) / (base**2).sum() * (held**2).sum()
    se = np.sqrt((error / base.sum() * held.sum()) ** 2 + luck)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.nan_to_num((off**2).sum(axis=0) ** 2 / (off**4).sum(axis=0), nan=1.0)
        reach = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(freedom, 1.0))
        wide = np.where(middle > 0, reach * se / middle, 0.0)
    low, high = middle * np.exp(-wide), middle * np.exp(wide)
    nobody = middle <= 0
    high = np.where(nobody, np.minimum.accumulate(np.where(nobody, _of_the_first_few(held, count), high)), high)
    return middle, low, high


def _of_the_first_few(held: np.ndarray, count: int) -> float:
    """What may be left over though none of `count` earlier people left anything: the upper end of the interval.

    That nobody of so few did does not say that nobody will. How many of those who hold points do is beta-binomial
    (Jeffreys' prior); the upper end is all that so many of them hold, those with the most.
    """
    if not len(held):
        return 0.0
    people = int(stats.betabinom(len(held), 0.5, count + 0.5).ppf((1 + CONFIDENCE) / 2))
    return float(np.sort(held)[len(held) - people :].sum())
