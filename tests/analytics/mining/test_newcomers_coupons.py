from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.frames import COUPONS, SPENDING, FrameUnfit
from analytics.mining.coupon_lift import COUPON_LIFT, coupon_lift
from analytics.mining.newcomers import newcomers
from analytics.mining.refusals import HistoryTooShort, NoComparison, OutOfRange, WindowEmpty
from tests.analytics.evaluation.coverage import bounds, held, over_seeds
from tests.analytics.mining.world import START, coupon, coupons, pay, resident, residents, spending

MAY, END = pd.Timestamp("2026-05-01"), pd.Timestamp("2026-05-31")


def _month() -> pd.DataFrame:
    return spending(
        pay(1, 1, "A", "2026-04-01"),
        pay(2, 1, "A", "2026-05-02"),
        pay(3, 1, "B", "2026-05-03", 700),
        pay(4, 2, "A", "2026-05-04 10:00", 300),
        pay(5, 2, "A", "2026-05-09", 200),
        pay(6, 3, "B", "2026-05-04"),
        pay(7, 3, "A", "2026-05-04"),
        pay(8, 4, "A", "2026-05-04"),
        pay(8, 4, "A", "2026-06-04", -1000, "refund", deed=9),
        pay(10, 5, "A", "2026-06-01"),
    )


def test_new_customers_are_told_from_old_ones_and_from_those_new_to_the_city() -> None:
    found: Any = newcomers(_month(), MAY, END, coupons(coupon("k", "A", 2, "2026-05-01", "2026-05-04"))).set_index(
        "store"
    )
    a = found.loc["A", ["customers", "new_customers", "new_to_city", "by_coupon", "returned", "new_yen"]]
    assert a.tolist() == [3, 2, 1, 1, 1, 1500], "who was refunded whole is no customer; who came in June not yet"
    assert found.loc["B", ["customers", "new_customers", "new_to_city"]].tolist() == [2, 2, 1]
    assert found["new_to_city"].sum() == 2, "first visits of one instant are new to the city at one store only"


def test_a_frame_that_begins_with_the_window_cannot_tell_who_is_new() -> None:
    with pytest.raises(HistoryTooShort):
        newcomers(_month().iloc[1:], MAY, END)
    assert newcomers(_month().iloc[1:], MAY, END, lookback_days=0)["new_customers"].sum() == 5
    with pytest.raises(WindowEmpty):
        newcomers(_month(), END, MAY)
    with pytest.raises(OutOfRange):
        newcomers(_month(), MAY, END, lookback_days=-1)


SHOWN = START + pd.Timedelta(days=28)


def _campaign(seed: int, lift: int, to_customers: bool = False) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """400 people; half are regulars of A with 2,000 yen a month; the coupon adds `lift` yen to each who sees it."""
    rng = np.random.default_rng(seed)
    rows = []
    regular = np.arange(400) < 200
    chance = np.where(regular, 0.8, 0.2) if to_customers else 0.5
    shown = rng.random(400) < chance
    for who in range(400):
        before = int(rng.normal(2000, 400)) if regular[who] else 0
        after = max(int(rng.normal(2000 if regular[who] else 300, 400)), 0) + lift * int(shown[who])
        for place, (yen, days) in enumerate(((before, 10), (after, 35))):
            if yen > 0:
                rows.append(pay(10 * who + place, who, "A", START + pd.Timedelta(days=days), yen))
    seen = coupons(*[coupon("k", "A", who, f"{SHOWN:%Y-%m-%d}") for who in range(400) if shown[who]])
    return seen, spending(*rows), residents(*[resident(who) for who in range(400)])


def lifted(rng: np.random.Generator) -> list[bool]:
    """A coupon for everybody on one day, and one that sixty people see on one of four days, others being few."""
    found = coupon_lift(*_campaign(int(rng.integers(2**31)), 500)).iloc[0]
    again = coupon_lift(*_in_four_days(rng, 500)).iloc[0]
    return [bool(each["low_yen"] <= 500 <= each["high_yen"]) for each in (found, again)]


def _in_four_days(rng: np.random.Generator, lift: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A hundred people of whom sixty see the coupon; the same forty are compared with on each of its days."""
    rows, seen = [], []
    for who in range(100):
        day = pd.Timestamp(SHOWN) + pd.Timedelta(days=int(rng.integers(4)))
        if who < 60:
            seen.append(coupon("k", "A", who, f"{day:%Y-%m-%d}"))
        before, after = (int(rng.lognormal(7.6, 0.5)) for _ in range(2))
        rows.append(pay(10 * who, who, "A", day - pd.Timedelta(days=6), before))
        rows.append(pay(10 * who + 1, who, "A", day + pd.Timedelta(days=6), after + lift * (who < 60)))
    return coupons(*seen), spending(*rows), residents(*[resident(who) for who in range(100)])


@over_seeds
def test_the_interval_holds_the_lift_that_was_put_in(seeds: int) -> None:
    least, most = bounds(seeds)
    shares = held(lifted, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


def test_people_who_are_compared_with_on_two_days_are_no_new_people() -> None:
    """All whom the coupon was shown change alike, so the interval is the others' luck: the same on one day or two."""
    rng = np.random.default_rng(7)
    rows = [pay(10 * who, who, "A", SHOWN - pd.Timedelta(days=5), 1_000) for who in range(40)]
    after = [1_500 if who < 20 else int(rng.lognormal(7, 0.5)) for who in range(40)]
    rows += [pay(10 * who + 1, who, "A", SHOWN + pd.Timedelta(days=5), after[who]) for who in range(40)]
    people = residents(*[resident(who) for who in range(40)])
    reach = []
    for days in (1, 2):
        day = [SHOWN + pd.Timedelta(days=who % days) for who in range(20)]
        seen = coupons(*[coupon("k", "A", who, f"{day[who]:%Y-%m-%d}") for who in range(20)])
        found = coupon_lift(seen, spending(*rows), people).iloc[0]
        reach.append(found["high_yen"] - found["lift_yen"])
    luck = np.std(after[20:], ddof=1) / np.sqrt(20)
    assert reach == pytest.approx([2.093024 * luck] * 2, rel=1e-5), "Student's t with 19 degrees of freedom"


def test_a_coupon_shown_to_the_best_customers_gets_no_credit_for_what_they_buy_anyway() -> None:
    found = coupon_lift(*_campaign(1, 0, to_customers=True)).iloc[0]
    assert abs(found["lift_yen"]) < 150
    assert found["low_yen"] < 0 < found["high_yen"]
    assert found["shown"] == found["compared"]


def test_without_people_to_compare_with_there_is_no_lift() -> None:
    shown, paid, people = _campaign(1, 0)
    with pytest.raises(NoComparison):
        coupon_lift(shown, paid, people[people["resident"].isin(shown["resident"])])
    with pytest.raises(NoComparison):
        young = people.assign(joined_day=people["joined_day"] + pd.Timedelta(days=400))
        coupon_lift(shown, paid, young)
    with pytest.raises(OutOfRange):
        coupon_lift(shown, paid, people, window_days=0)
    pd.testing.assert_frame_equal(coupon_lift(COUPONS.empty(), SPENDING.empty(), people), COUPON_LIFT.empty())


def test_a_coupon_that_led_to_no_payment_has_a_lift_of_nothing() -> None:
    shown, _, people = _campaign(1, 0)
    found = coupon_lift(shown, SPENDING.empty(), people).iloc[0]
    assert found[["lift_yen", "low_yen", "high_yen"]].tolist() == [0.0, 0.0, 0.0]


def test_a_coupon_of_two_stores_is_refused_for_its_lift_would_be_that_of_one() -> None:
    shown, paid, people = _campaign(1, 0)
    elsewhere = shown["store"].where(shown.index != shown.index[-1], "elsewhere")
    with pytest.raises(FrameUnfit) as refused:
        coupon_lift(shown.assign(store=elsewhere), paid, people)
    assert refused.value.params == {"frame": "coupons", "column": "store", "problem": "not_one"}
