import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from analytics.mining.repeat import repeats, return_curve, return_intervals
from tests.analytics.evaluation.coverage import bounds, held, over_seeds
from tests.analytics.mining.world import START, any_spending, kept, pay, spending


@settings(max_examples=12, deadline=None)
@given(any_spending())
def test_intervals_are_what_a_plain_loop_finds(data: pd.DataFrame) -> None:
    last = data["day"].max()
    days: dict[tuple[str, int], list[pd.Timestamp]] = {}
    for _, _, who, shop, day, _ in kept(data):
        mine = days.setdefault((shop, who), [])
        if day not in mine:
            mine.append(day)
    expected = {
        (shop, who, place + 1): ([*mine, last][place + 1] - day).days
        for (shop, who), mine in days.items()
        for place, day in enumerate(mine)
    }
    found = return_intervals(data)
    keys = zip(found["store"], found["resident"], found["visit"], strict=True)
    assert dict(zip(keys, found["days"], strict=True)) == expected
    assert (~found["returned"]).sum() == len(days), "each customer of a store has one interval without an end"


def test_two_payments_on_one_day_are_no_return() -> None:
    data = spending(
        pay(1, 1, "A", "2026-04-01 09:00"), pay(2, 1, "A", "2026-04-01 23:59"), pay(3, 2, "B", "2026-05-20")
    )
    found = repeats(data)
    assert found["repeaters"].tolist() == [0, 0]
    assert found["within_30_days"].iloc[0] == 0.0
    assert np.isnan(found["within_30_days"].iloc[1]), "first seen on the last day: nobody was watched"
    assert return_curve(data, "A").empty


def test_the_estimate_is_that_of_kaplan_and_meier_by_hand() -> None:
    """Returns after 2 and 5 days, censored after 3 and 9: S = 3/4 after 2, and 3/4 * 1/2 after 5."""
    data = spending(
        pay(1, 1, "A", "2026-04-01"), pay(2, 1, "A", "2026-04-03"),
        pay(3, 2, "A", "2026-04-02"), pay(4, 2, "A", "2026-04-07"),
        pay(5, 3, "A", "2026-04-07"),
        pay(6, 4, "A", "2026-04-01"),
    )  # fmt: skip
    curve = return_curve(data, "A", through=pd.Timestamp("2026-04-10"))
    assert curve["days"].tolist() == [2, 5]
    assert curve["waiting"].tolist() == [4, 2]
    assert curve["share"].tolist() == pytest.approx([1 / 4, 5 / 8])
    found = repeats(data, through=pd.Timestamp("2026-04-10")).iloc[0]
    assert found["within_7_days"] == pytest.approx(5 / 8)
    assert found["median_days"] == 5
    assert np.isnan(found["within_30_days"])


def test_half_is_reached_on_the_day_on_which_exactly_half_have_returned() -> None:
    """Returns after 3, 8 and 12 days, one customer censored after 12: S = 3/4, then 3/4 * 2/3, which is a half."""
    data = spending(
        *(pay(who, who, "A", "2026-04-01") for who in (1, 2, 3, 4)),
        *(pay(4 + who, who, "A", day) for who, day in ((1, "2026-04-04"), (2, "2026-04-09"), (3, "2026-04-13"))),
    )
    assert repeats(data)["median_days"].tolist() == [8]


def test_censoring_hides_returns_from_the_raw_share_and_not_from_the_estimate() -> None:
    """Everybody returns after a geometric time, 5 % a day: 1 - 0.95^30 within 30 days. Customers start all along."""
    rng = np.random.default_rng(3)
    rows, last = [], START + pd.Timedelta(days=59)
    for who in range(1200):
        begin = START + pd.Timedelta(days=int(rng.integers(0, 60)))
        again = begin + pd.Timedelta(days=int(rng.geometric(0.05)))
        rows.append(pay(who, who, "A", begin))
        if again <= last:
            rows.append(pay(5_000 + who, who, "A", again))
    found = repeats(spending(*rows), through=last).iloc[0]
    truth = 1 - 0.95**30
    assert abs(found["within_30_days"] - truth) < 0.05
    assert found["repeat_share"] < truth - 0.05


def returning(rng: np.random.Generator) -> list[bool]:
    """Thirty customers, then a hundred: the share who have returned within ten and thirty days, 5 % a day."""
    return [inside for count in (30, 100) for inside in _returned_as_told(rng, count)]


def _returned_as_told(rng: np.random.Generator, count: int) -> list[bool]:
    last = START + pd.Timedelta(days=59)
    begin = START + pd.to_timedelta(rng.integers(0, 60, count), unit="D")
    again = begin + pd.to_timedelta(rng.geometric(0.05, count), unit="D")
    rows = [pay(who, who, "A", begin[who]) for who in range(count)]
    rows += [pay(5_000 + who, who, "A", again[who]) for who in range(count) if again[who] <= last]
    curve = return_curve(spending(*rows), "A", through=last)
    known = [curve[curve["days"] <= days].iloc[-1] for days in (10, 30)]
    truth = [1 - 0.95**days for days in (10, 30)]
    return [bool(row["low"] <= value <= row["high"]) for row, value in zip(known, truth, strict=True)]


@over_seeds
def test_the_interval_of_the_curve_holds_the_share_that_was_put_in(seeds: int) -> None:
    least, most = bounds(seeds)
    shares = held(returning, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


def test_where_all_have_returned_the_interval_begins_where_the_last_known_one_did() -> None:
    data = spending(
        *(pay(who, who, "A", "2026-04-01") for who in range(4)),
        *(pay(10 + who, who, "A", f"2026-04-{3 + 2 * (who > 1):02}") for who in range(4)),
    )
    curve = return_curve(data, "A", through=pd.Timestamp("2026-04-10"))
    assert curve["share"].tolist() == pytest.approx([0.5, 1.0])
    half = np.arcsin(np.sqrt(0.5)) + 1.959964 / 2 * np.sqrt(2 / (4 * 2))
    assert curve["low"].tolist() == pytest.approx([1 - np.sin(half) ** 2] * 2)
    assert curve["high"].iloc[1] == 1.0
