"""RFM, cohorts and flows against plain loops, and the cases where a definition has to be chosen."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from analytics.frames import SPENDING, FrameUnfit
from analytics.mining.cohorts import cohorts
from analytics.mining.flows import district_flows, store_flows
from analytics.mining.refusals import OutOfRange
from analytics.mining.segments import SEGMENT_WORDS, segment_sizes, segments
from tests.analytics.mining.world import (
    START,
    any_spending,
    kept,
    pay,
    resident,
    residents,
    spending,
    store,
    stores,
)

END = START + pd.Timedelta(days=80)


def _rows(data: pd.DataFrame) -> Iterator[Any]:
    return iter(data.itertuples())


@settings(max_examples=10, deadline=None)
@given(any_spending())
def test_rfm_is_what_a_plain_loop_finds(data: pd.DataFrame) -> None:
    visits = defaultdict(list)
    for _, _, who, _, day, net in kept(data):
        visits[who].append((day, net))
    plain = {who: (-(END - max(v)[0]).days, len(v), sum(n for _, n in v)) for who, v in visits.items()}
    found = segments(data, END)
    assert found["resident"].tolist() == sorted(plain)
    for row in _rows(found):
        mine = plain[row.resident]
        assert (-row.recency_days, row.frequency, row.monetary_yen) == mine
        for place, score in enumerate((row.r, row.f, row.m)):
            worse = sum(other[place] < mine[place] for other in plain.values())
            equal = sum(other[place] == mine[place] for other in plain.values())
            assert score == 1 + 5 * (2 * worse + equal) // (2 * len(plain))


def test_when_all_are_equal_all_are_in_the_middle() -> None:
    data = spending(*[pay(i, i, "A", START) for i in range(7)])
    found = segments(data, END)
    assert set(found["r"]) == set(found["f"]) == set(found["m"]) == {3}
    assert set(found["segment"]) == {"steady"}
    sizes = segment_sizes(found)
    assert sizes["segment"].tolist() == list(SEGMENT_WORDS)
    assert sizes["residents"].sum() == 7
    assert sizes.loc[sizes["segment"] == "steady", "monetary_yen"].tolist() == [7000]


def test_five_who_differ_have_the_five_scores_and_a_single_one_the_middle() -> None:
    data = spending(*[pay(10 * i + n, i, "A", START) for i in range(5) for n in range(i + 1)])
    assert segments(data, END)["f"].tolist() == [1, 2, 3, 4, 5]
    assert segments(data.iloc[:1], END)["f"].tolist() == [3]
    with pytest.raises(OutOfRange):
        segments(data, END, bins=1)


def test_what_happens_after_the_day_is_not_known_on_it() -> None:
    data = spending(
        pay(1, 1, "A", "2026-04-01 12:00"), pay(2, 1, "A", "2026-04-02 00:00"), pay(3, 2, "A", "2026-04-02")
    )
    found = segments(data, pd.Timestamp("2026-04-01"))
    assert found[["resident", "recency_days", "frequency"]].to_numpy().tolist() == [[1, 0, 1]]


@settings(max_examples=10, deadline=None)
@given(any_spending())
def test_cohorts_are_what_a_plain_loop_finds(data: pd.DataFrame) -> None:
    months: dict[Any, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for _, _, who, _, day, net in kept(data):
        months[who][day.year * 12 + day.month - 1] += net
    last = data["day"].max()
    expected = {}
    for first in {min(m) for m in months.values()}:
        members = [m for m in months.values() if min(m) == first]
        for since in range(last.year * 12 + last.month - first):
            active = [m[first + since] for m in members if first + since in m]
            begins = pd.Timestamp(first // 12, first % 12 + 1, 1)
            expected[begins, since] = (len(members), len(active), sum(active), len(active) / len(members))
    found = cohorts(data)
    rows = found[["people", "active", "net_yen", "retention"]].itertuples(index=False, name=None)
    keys = zip(found["cohort"], found["months_since"], strict=True)
    assert dict(zip(keys, rows, strict=True)) == expected


def test_a_month_in_which_nobody_came_is_a_zero_and_december_leads_to_january() -> None:
    data = spending(pay(1, 1, "A", "2025-12-31 23:59"), pay(2, 1, "A", "2026-02-01 00:00"))
    found = cohorts(data)
    assert found["active"].tolist() == [1, 0, 1]
    assert found["retention"].tolist() == [1.0, 0.0, 1.0]
    assert cohorts(data, pd.Timestamp("2026-01-31"))["active"].tolist() == [1, 0]


@settings(max_examples=10, deadline=None)
@given(any_spending())
def test_moves_between_stores_are_what_a_plain_loop_finds(data: pd.DataFrame) -> None:
    ways = defaultdict(list)
    for _, _, who, shop, day, _ in kept(data):
        ways[who].append((shop, day))
    steps = [(a, b, who) for who, way in ways.items() for a, b in pairwise(way)]
    moves = Counter((a[0], b[0]) for a, b, _ in steps)
    near = Counter((a[0], b[0]) for a, b, _ in steps if a[1] == b[1])
    people = Counter((a, b) for a, b, _ in {(a[0], b[0], who) for a, b, who in steps})
    found = store_flows(data)
    keys = list(zip(found["store"], found["next_store"], strict=True))
    assert dict(zip(keys, found["moves"], strict=True)) == moves
    assert dict(zip(keys, found["residents"], strict=True)) == people
    assert {key: n for key, n in zip(keys, found["same_day_moves"], strict=True) if n} == near
    same_day = store_flows(data, within_days=0)
    assert (
        dict(zip(zip(same_day["store"], same_day["next_store"], strict=True), same_day["moves"], strict=True)) == near
    )


def test_a_payment_taken_back_is_no_stop_on_the_way() -> None:
    data = spending(
        pay(1, 1, "A", "2026-04-01 10:00"),
        pay(2, 1, "B", "2026-04-01 11:00", 500),
        pay(2, 1, "B", "2026-04-01 11:01", -500, "cancel", deed=9),
        pay(3, 1, "C", "2026-04-01 12:00"),
    )
    found = store_flows(data)
    assert found[["store", "next_store"]].to_numpy().tolist() == [["A", "C"]]
    with pytest.raises(OutOfRange):
        store_flows(data, within_days=-1)


@pytest.mark.parametrize("seed", range(5))
def test_the_district_flows_that_were_put_in_are_found(seed: int) -> None:
    """Drawn shares lie within five standard errors of the truth, and the counts add up to the visits."""
    rng = np.random.default_rng(seed)
    districts = ["North", "East", "South"]
    truth = rng.dirichlet([2, 2, 2], size=3)
    home = rng.integers(0, 3, 300)
    payer = rng.integers(0, 300, 4000)
    where = [int(rng.choice(3, p=truth[home[who]])) for who in payer]
    data = spending(
        *[
            pay(i, int(who), f"S{d}", START + pd.Timedelta(minutes=i))
            for i, (who, d) in enumerate(zip(payer, where, strict=True))
        ]
    )
    people = residents(*[resident(i, districts[h]) for i, h in enumerate(home)])
    found = district_flows(data, people, stores(*[store(f"S{d}", district=name) for d, name in enumerate(districts)]))
    assert found["visits"].sum() == 4000
    for row in _rows(found):
        true = truth[districts.index(str(row.home)), districts.index(str(row.district))]
        number = found.loc[found["home"] == row.home, "visits"].sum()
        assert abs(row.visit_share - true) <= 5 * np.sqrt(true * (1 - true) / number)


def test_nobody_and_nowhere_flow_between_unknown_districts() -> None:
    data = spending(pay(1, 1, "A", START))
    found = district_flows(data, residents(), stores())
    assert found[["home", "district", "visits"]].to_numpy().tolist() == [["unknown", "unknown", 1]]
    assert len(district_flows(SPENDING.empty(), residents(), stores())) == 0


def test_a_resident_who_is_in_a_segment_twice_is_refused() -> None:
    found = segments(spending(pay(1, 1, "A", START)), END)
    assert segment_sizes(found)["residents"].sum() == 1
    with pytest.raises(FrameUnfit) as refused:
        segment_sizes(pd.concat([found, found]))
    assert refused.value.params["problem"] == "repeated"
