import pandas as pd
import pytest
from hypothesis import given, settings

from analytics.frames import RESIDENTS, SPENDING, STORES, FrameUnfit
from analytics.mining.visits import PLACED, VISITS, placed_visits, visits
from tests.analytics.mining.world import (
    any_spending,
    kept,
    pay,
    resident,
    residents,
    spending,
    store,
    stores,
)


def test_a_payment_taken_back_whole_never_was_a_visit() -> None:
    data = spending(
        pay(1, 1, "A", "2026-04-01 10:00", 800),
        pay(1, 1, "A", "2026-04-01 10:05", -800, "cancel", deed=2),
        pay(3, 1, "A", "2026-04-01 11:00", 800),
        pay(3, 1, "A", "2026-04-03 11:00", -300, "refund", deed=4),
    )
    found = visits(data)
    assert found["payment"].tolist() == [3]
    assert found[["gross_yen", "net_yen"]].iloc[0].tolist() == [800, 500]
    assert found["day"].tolist() == [pd.Timestamp("2026-04-01")], "a visit counts on the day of its payment"


def test_the_purses_of_one_payment_are_one_visit() -> None:
    data = spending(
        pay(1, 1, "A", "2026-04-01 10:00", 800),
        pay(1, 1, "A", "2026-04-01 10:00", 200, purse="small", emptied=True),
    )
    found = visits(data)
    assert found[["net_yen", "emptied"]].iloc[0].tolist() == [1000, True]


def test_what_takes_back_an_unknown_payment_lessens_none() -> None:
    data = spending(
        pay(1, 1, "A", "2026-04-01 10:00", 100),
        pay(9, 1, "A", "2026-04-01 10:00", -5000, "refund", deed=2),
    )
    assert visits(data)["net_yen"].tolist() == [100]


def test_a_minute_before_midnight_in_tokyo_is_the_day_that_ends() -> None:
    data = spending(pay(1, 1, "A", "2026-04-01 23:59:59.999999"), pay(2, 1, "A", "2026-04-02 00:00"))
    found = visits(data)
    assert found["day"].dt.day.tolist() == [1, 2]
    assert found["at"].dt.hour.tolist() == [23, 0]


def test_an_empty_frame_has_no_visits_and_a_foreign_one_is_refused() -> None:
    pd.testing.assert_frame_equal(visits(SPENDING.empty()), VISITS.empty())
    nowhere = placed_visits(SPENDING.empty(), RESIDENTS.empty(), STORES.empty())
    pd.testing.assert_frame_equal(nowhere, PLACED.empty())
    with pytest.raises(FrameUnfit):
        visits(pd.DataFrame({"amount": [1]}))


def test_a_store_is_where_and_what_it_was_on_the_day() -> None:
    where = stores(
        store("A", "2026-04-01", "2026-04-10", district="East", category="food"),
        store("A", "2026-04-10", district="West", category="other"),
        store("B", "2026-04-01", "2026-04-05"),
    )
    data = spending(
        pay(1, 1, "A", "2026-04-09 23:59"),
        pay(2, 1, "A", "2026-04-10 00:00"),
        pay(3, 1, "A", "2026-03-31 12:00"),
        pay(4, 1, "B", "2026-04-05 00:00"),
        pay(5, 2, "C", "2026-04-05 00:00"),
    )
    found = placed_visits(data, residents(resident(1, "North")), where)
    assert found["district"].tolist() == ["East", "West", "unknown", "unknown", "unknown"]
    assert found["category"].tolist() == ["food", "other", "unknown", "unknown", "unknown"]
    assert found["home"].tolist() == ["North"] * 4 + ["unknown"]


@settings(max_examples=12, deadline=None)
@given(any_spending())
def test_visits_are_those_of_a_plain_loop(data: pd.DataFrame) -> None:
    found = visits(data).sort_values(["at", "payment"])
    listed = found[["at", "payment", "resident", "store", "day", "net_yen"]].itertuples(index=False, name=None)
    assert list(listed) == kept(data)
