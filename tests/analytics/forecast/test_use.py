"""docs/algorithms/forecasts.md, "Use and lapse" and "Extrapolated"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.estimates import NotEstimable
from analytics.forecast.unused import Wallets, days_of, in_order
from analytics.forecast.use import forecast_lapse, forecast_use
from analytics.frames import EXPIRIES, LOTS, SPENDING
from tests.analytics.evaluation.coverage import BOUNDED, SEEDS, believable, bounds, held, over_seeds
from tests.analytics.forecast.points import DAYS, Frames, programme, together
from tests.analytics.hand import april, frame, on

BEGIN = pd.Timestamp("2026-01-05")
SEEN = BEGIN + pd.Timedelta(days=80)


def _lapsed(frames: Frames) -> int:
    return int((frames[2]["paid_yen"] + frames[2]["premium_yen"]).sum())


def lapse_and_use(rng: np.random.Generator) -> Sequence[bool]:
    """Final use is what was issued less what lapses; four weeks ahead, what the wallets still hold."""
    old, new = programme(rng, "old", "2025-01-06", people=400), programme(rng, "new", "2026-01-05")
    found: Any = forecast_use(*together(old, new), as_of=SEEN)
    ordered = in_order(new[0])
    ahead = found[found["day"] == SEEN + pd.Timedelta(days=28)].iloc[0]
    day = np.full(len(ordered), days_of(pd.Series([ahead["day"]]))[0])
    then = Wallets(ordered, new[1], new[2]).unused(day).sum()
    last, truth = found.iloc[-1], _lapsed(new)
    final = int(ordered["size"].sum()) - truth
    return [
        bool(last["unused_low"] <= truth <= last["unused_high"]),
        bool(last["used_low"] <= final <= last["used_high"]),
        bool(ahead["unused_low"] <= then <= ahead["unused_high"]),
    ]


def test_intervals_of_use_and_lapse_hold_what_came() -> None:
    least, most = believable(BOUNDED)
    shares = held(lapse_and_use, BOUNDED)
    assert ((shares >= least) & (shares <= most)).all(), shares


@pytest.mark.long
def test_coverage_is_between_93_and_97_per_cent_over_two_thousand_seeds() -> None:
    shares = held(lapse_and_use, SEEDS)
    assert ((shares >= 0.93) & (shares <= 0.97)).all(), shares


def rarely_left(rng: np.random.Generator) -> Sequence[bool]:
    """One in two hundred forgets a part; of the sixty people of the earlier programme often nobody did."""
    old = programme(rng, "old", "2025-01-06", people=60, forgets=0.005)
    new = programme(rng, "new", "2026-01-05", people=150, forgets=0.005)
    whole = [_to_the_yen(each) for each in (old, new)]
    found: Any = forecast_lapse(*together(*whole), as_of=SEEN).iloc[0]
    return [bool(np.floor(found["unused_low"]) <= _lapsed(whole[1]) <= found["unused_high"])]


def _to_the_yen(frames: Frames) -> Frames:
    """Without the few yen that rounding leaves in every wallet: whoever has less than a hundred left has spent them."""
    lots, spent, lost = frames
    rest = lost.set_index("resident")["paid_yen"]
    rest = rest[rest < 100]
    last = ~spent.duplicated("resident", keep="last")
    more = spent["resident"].map(rest).fillna(0).astype("int64").where(last, 0)
    spent = spent.assign(amount_yen=spent["amount_yen"] + more, paid_yen=spent["paid_yen"] + more)
    return lots, spent, lost[lost["paid_yen"] >= 100]


@over_seeds
def test_intervals_hold_what_lapses_where_hardly_anybody_forgets(seeds: int) -> None:
    least, most = bounds(seeds)
    assert least <= held(rarely_left, seeds)[0] <= most


def test_that_nobody_left_anything_before_does_not_make_it_certain() -> None:
    old, new = (
        _to_the_yen(programme(np.random.default_rng(1), code, first, people=people, forgets=0))
        for code, first, people in (("old", "2025-01-06", 60), ("new", "2026-01-05", 150))
    )
    found = forecast_use(*together(old, new), as_of=SEEN)
    last: Any = found.iloc[-1]
    assert last["unused_yen"] == last["unused_low"] == 0
    assert 13_000 <= last["unused_high"] <= found["unused_yen"].iloc[0] / 2


def test_a_first_programme_is_extrapolated_and_says_so() -> None:
    new = programme(np.random.default_rng(1), "new", "2026-01-05")
    found: Any = forecast_lapse(*new, as_of=SEEN).iloc[0]
    assert (found["method"], found["earlier"]) == ("extrapolated", 0)
    assert 0 <= found["unused_low"] < found["unused_yen"] < found["unused_high"]
    assert found["unused_low"] / 2 < _lapsed(new) < 2 * found["unused_high"]
    again: Any = forecast_lapse(*new, as_of=SEEN).iloc[0]
    assert found.equals(again), "the same seed, the same bytes"


def test_the_future_is_not_looked_at() -> None:
    """What happens after the day changes nothing, and today's figures are facts without an interval."""
    new = programme(np.random.default_rng(1), "new", "2026-01-05")
    cut = (new[0], new[1][new[1]["day"] <= SEEN], EXPIRIES.empty())
    pd.testing.assert_frame_equal(forecast_use(*cut, as_of=SEEN), forecast_use(*new, as_of=SEEN))
    today: Any = forecast_use(*new, as_of=SEEN).iloc[0]
    spent = new[1].loc[new[1]["day"] <= SEEN, "amount_yen"].sum()
    assert today["used_low"] == today["used_yen"] == today["used_high"] == spent


@pytest.mark.parametrize("before", range(1, 8))
def test_in_the_last_week_of_a_first_programme_todays_figures_are_facts_too(before: int) -> None:
    """What hurried in the days of that week that are over has been spent; it is not taken off once more."""
    new, now = programme(np.random.default_rng(1), "new", "2026-01-05"), BEGIN + pd.Timedelta(days=DAYS - 1 - before)
    found: Any = forecast_use(*new, as_of=now)
    spent = new[1].loc[new[1]["day"] <= now, "amount_yen"].sum()
    assert set(found["method"]) == {"extrapolated"}
    assert found["used_low"].iloc[0] == found["used_yen"].iloc[0] == found["used_high"].iloc[0] == spent


def test_use_only_grows_towards_the_end() -> None:
    frames = together(
        programme(np.random.default_rng(2), "old", "2025-01-06"),
        programme(np.random.default_rng(1), "new", "2026-01-05"),
    )
    found = forecast_use(*frames, as_of=SEEN)
    assert found["used_yen"].is_monotonic_increasing
    assert (found["used_yen"] + found["unused_yen"]).round(3).nunique() == 1


def test_nothing_outstanding_is_an_empty_frame() -> None:
    new = programme(np.random.default_rng(1), "new", "2026-01-05", people=3)
    assert forecast_use(*new, as_of=BEGIN + pd.Timedelta(days=DAYS)).empty
    assert forecast_use(LOTS.empty(), SPENDING.empty(), EXPIRIES.empty(), as_of=SEEN).empty


def test_one_resident_who_has_spent_everything_lapses_nothing() -> None:
    lots, _, _ = programme(np.random.default_rng(1), "new", "2026-01-05", people=1)
    lots, spent, _ = lots, *programme(np.random.default_rng(1), "new", "2026-01-05", people=1, forgets=0)[1:]
    rest = int(lots["paid_yen"].iloc[0] + lots["premium_yen"].iloc[0]) - int(spent["amount_yen"].iloc[1:].sum())
    spent.loc[0, "amount_yen"] = rest
    spent["day"] = BEGIN + pd.Timedelta(days=30)
    spent["at"] = spent["day"].dt.tz_localize("Asia/Tokyo")
    found: Any = forecast_lapse(lots, spent, EXPIRIES.empty(), as_of=SEEN).iloc[0]
    assert found["unused_low"] == found["unused_yen"] == found["unused_high"] == 0


def test_a_curve_that_hardly_falls_any_more_is_carried_on_flat() -> None:
    """Half is used in the first week, and a yen in each of the next: the curve's scale is beyond all numbers."""
    whole, weeks = 1_000_000_000, [500_000_000, 1, 1, 1]
    lots = frame("lots", [{"paid_yen": whole, "premium_yen": 0, "expires_at": "2026-06-10T00:00+09:00"}])
    paid = [{"amount_yen": yen, "at": on(3 + 7 * week)} for week, yen in enumerate(weeks)]
    found: Any = forecast_lapse(lots, frame("spending", paid), EXPIRIES.empty(), as_of=april(29)).iloc[0]
    rush = whole - 500_000_003 - found["unused_yen"]
    assert rush == pytest.approx(0.0075 * whole, rel=1e-3)


def test_two_weeks_of_a_first_programme_are_too_few() -> None:
    new = programme(np.random.default_rng(1), "new", "2026-01-05")
    with pytest.raises(NotEstimable) as refused:
        forecast_use(*new, as_of=BEGIN + pd.Timedelta(days=15))
    assert refused.value.params["reason"] == "too_few_weeks"


def test_a_wallet_spends_what_expires_first_and_a_refund_goes_back_the_same_way() -> None:
    lots, spent, _ = programme(np.random.default_rng(1), "new", "2026-01-05", people=1, payments=1, forgets=0)
    later = lots.assign(lot=7, expires_at=lots["expires_at"] + pd.Timedelta(days=30))
    both = in_order(pd.concat([later, lots], ignore_index=True))
    size = int(both["size"].iloc[0])
    paid = spent.assign(amount_yen=size + 100, paid_yen=size + 100, day=SEEN)
    refund = paid.assign(kind="refund", amount_yen=-250, paid_yen=-250, day=SEEN + pd.Timedelta(days=1))
    on = np.full(2, days_of(pd.Series([SEEN]))[0])
    wallets = Wallets(both, pd.concat([paid, refund]), EXPIRIES.empty())
    assert wallets.unused(on - 1).tolist() == [size, size]
    assert wallets.unused(on).tolist() == [0, size - 100]
    assert wallets.unused(on + 1).tolist() == [150, size]
