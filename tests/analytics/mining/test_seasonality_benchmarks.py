from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.frames import SPENDING, STORES
from analytics.mining.benchmarks import FIGURES, LIKENESSES, benchmarks
from analytics.mining.refusals import OutOfRange, SeriesTooShort, StoreUnknown, TooFewSimilar, WindowEmpty
from analytics.mining.seasonality import days, seasons, week_hours
from tests.analytics.mining.world import START, pay, spending, store, stores
from tests.house.test_texts import LANGUAGES, texts

MAY, END = pd.Timestamp("2026-05-01"), pd.Timestamp("2026-05-31")


def test_a_day_without_payments_is_a_zero_and_refunds_beyond_sales_a_day_below_it() -> None:
    data = spending(pay(1, 1, "A", "2026-04-28"), pay(1, 1, "A", "2026-05-01 00:00", -400, "refund", deed=2))
    found = days(data)
    assert found["net_yen"].tolist() == [1000, 0, 0, -400]
    assert found["payments"].tolist() == [1, 0, 0, 0]
    assert found["holiday"].tolist() == [False, True, False, False], "29 April is a national holiday"
    assert days(data, START, START)["net_yen"].tolist() == [0]
    with pytest.raises(WindowEmpty):
        days(data, END, MAY)


def _year(noise: float = 0.0) -> pd.DataFrame:
    """Twelve weeks: 10,000 yen a day, 4,000 more on Sundays, 3,000 less on holidays."""
    rng = np.random.default_rng(1)
    every = pd.date_range("2026-04-01", periods=84)
    off = days(spending(pay(1, 1, "A", every[0])), every[0], every[-1])["holiday"]
    yen = [
        int(10_000 + 4_000 * (day.weekday() == 6) - 3_000 * free + rng.normal(0, noise))
        for day, free in zip(every, off, strict=True)
    ]
    return spending(
        *[pay(n, 1, "A", day + pd.Timedelta(hours=12), y) for n, (day, y) in enumerate(zip(every, yen, strict=True))]
    )


def test_level_sundays_and_holidays_that_were_put_in_are_found() -> None:
    found = seasons(_year(noise=300))
    parts = found["trend"] + found["weekly"] + found["holiday_yen"] + found["rest"]
    assert np.allclose(parts, found["net_yen"])
    weekly: Any = found["weekly"].groupby(found["day"].dt.day_of_week).mean()
    assert abs(weekly[6] - weekly.drop(6).mean() - 4_000) < 400
    assert abs(found.loc[found["holiday"], "holiday_yen"].iloc[0] + 3_000) < 600
    assert (found.loc[~found["holiday"], "holiday_yen"] == 0).all()


def test_too_few_days_are_refused_and_days_that_are_all_alike_have_no_rhythm() -> None:
    with pytest.raises(SeriesTooShort):
        seasons(_year(), START, START + pd.Timedelta(days=19))
    with pytest.raises(SeriesTooShort):
        seasons(SPENDING.empty())
    flat = spending(*[pay(n, 1, "A", START + pd.Timedelta(days=n)) for n in range(30)])
    assert (seasons(flat)["weekly"] == 0).all()
    assert (seasons(flat)["trend"] == 1000).all()


def test_an_hour_is_one_that_people_lived_in_tokyo() -> None:
    found = week_hours(spending(pay(1, 1, "A", "2026-04-05 23:59"), pay(2, 1, "A", "2026-04-06 00:00")))
    assert found.loc[found["visits"] > 0, ["weekday", "hour"]].to_numpy().tolist() == [[0, 0], [6, 23]]
    assert found["share"].sum() == pytest.approx(1.0)
    assert len(week_hours(SPENDING.empty())) == 168


@pytest.mark.parametrize(
    ("lived", "hour"),
    [("1969-12-31 23:30", 23), ("1970-01-01 00:30", 0), ("1950-07-01 12:30", 12)],
    ids=["before 1970", "at the beginning of 1970 in Japan", "in Japan's summer time"],
)
def test_an_hour_is_one_that_people_lived_however_long_ago(lived: str, hour: int) -> None:
    found = week_hours(spending(pay(1, 1, "A", lived)))
    assert found.loc[found["visits"] > 0, "hour"].tolist() == [hour]


def _street(count: int, **more: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stores T0, T1, … of a merchant each; Tn has one customer and n + 1 payments of 1,000 yen."""
    rows = [pay(100 * n + k, n, f"T{n}", MAY + pd.Timedelta(days=k % 28)) for n in range(count) for k in range(n + 1)]
    return spending(*rows), stores(*[store(f"T{n}", **more) for n in range(count)])


def test_own_figures_stand_beside_the_median_of_others_and_name_the_likeness() -> None:
    paid, street = _street(17)
    found: Any = benchmarks(paid, street, "T4", MAY, END).set_index("figure")
    assert found["likeness"].unique().tolist() == ["category_class_district_size"]
    assert found.loc["visits", ["own", "median", "similar"]].tolist() == [5, 10, 11], (
        "T3 and T5 to T14, of 4 and 6 to 15 visits; T2 is too small and T15 too large"
    )
    assert found.loc["net_yen", "own"] == 5000


def test_a_merchant_with_many_stores_counts_once() -> None:
    paid, street = _street(15)
    chain = street.assign(merchant=["Chain" if n >= 8 else f"M{n}" for n in range(15)])
    found: Any = benchmarks(paid, chain, "T4", MAY, END).set_index("figure")
    assert found.loc["visits", ["median", "similar"]].tolist() == [7, 11], (
        "of 4, 6, 7, 8 and the chain's own median, 12"
    )


def test_below_k_other_merchants_no_median_is_told() -> None:
    paid, street = _street(6)
    assert len(benchmarks(paid, street, "T5", MAY, END)) == len(FIGURES)
    with pytest.raises(TooFewSimilar) as refused:
        benchmarks(paid, street, "T5", MAY, END, least=6)
    assert refused.value.params == {"found": 5, "needed": 6}
    with pytest.raises(TooFewSimilar):
        benchmarks(paid, street.assign(merchant="M"), "T5", MAY, END)
    chain = street.assign(merchant=["M", "M", "N", "O", "P", "Q"])
    with pytest.raises(TooFewSimilar):
        benchmarks(paid, chain, "T5", MAY, END)


def test_a_store_is_compared_as_what_it_is_on_the_last_day() -> None:
    paid, street = _street(7)
    renamed = street[street["store"] == "T6"].assign(to_day=pd.Timestamp("2026-05-15"))
    later = stores(store("T6", "2026-05-15", category="other"))
    moved = pd.concat([street[street["store"] != "T6"], renamed, later], ignore_index=True)
    with pytest.raises(TooFewSimilar):
        benchmarks(paid, moved, "T6", MAY, END)
    assert len(benchmarks(paid, moved, "T6", MAY, pd.Timestamp("2026-05-14"))) == len(FIGURES)


def test_a_store_without_a_payment_has_zeros_and_no_averages() -> None:
    paid, street = _street(6)
    found = benchmarks(paid, pd.concat([street, stores(store("T9"))], ignore_index=True), "T9", MAY, END)
    own = found.set_index("figure")["own"]
    assert own[["net_yen", "visits", "customers"]].tolist() == [0, 0, 0]
    assert own[["yen_per_visit", "repeat_share"]].isna().all()
    assert found["likeness"].unique().tolist() == ["category_class"]


def test_what_cannot_be_compared_is_refused() -> None:
    paid, street = _street(6)
    with pytest.raises(StoreUnknown):
        benchmarks(paid, STORES.empty(), "T1", MAY, END)
    with pytest.raises(WindowEmpty):
        benchmarks(paid, street, "T1", END, MAY)
    with pytest.raises(OutOfRange):
        benchmarks(paid, street, "T1", MAY, END, least=2)


def test_every_figure_and_likeness_has_its_words() -> None:
    for language in LANGUAGES:
        known = texts(language)
        assert all(known[f"figure.{figure}"] for figure in FIGURES)
        assert all(known[f"likeness.{likeness}"] for likeness in LIKENESSES)
