"""Stores that take part only later, and what small stores tell of their weeks. docs/algorithms/synthetic-city.md."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.joined import read_joined
from analytics.synthetic.joining import as_csv
from analytics.synthetic.joining_plan import Joining
from analytics.synthetic.plan import CityPlan
from tests.factories.cities import HONEST, SMALL, city

PLAN = replace(SMALL, joining=Joining())
STILL = Joining(noise=(0.0, 0.0), spread=0.0, told=1.0, tells=1.0)
EXACT = replace(PLAN, joining=STILL)


def monday(days: Any) -> Any:
    return days - pd.to_timedelta(days.dt.day_of_week, unit="D")


def test_nobody_pays_at_a_store_before_it_takes_part_and_its_trade_keeps_the_visit() -> None:
    made, always = city(PLAN).frames, city(SMALL).frames
    first = made["stores"].drop_duplicates("store").set_index("store")
    late = first[first["from_day"] > pd.Timestamp(PLAN.use_from)]
    assert len(late) > 10
    spent = made["spending"]
    assert (spent["day"] >= spent["store"].map(first["from_day"])).all()
    assert len(set(late.index) & set(spent["store"])) > 0.8 * len(late), "and once it takes part, people come"
    moved = spent["store"].to_numpy() != always["spending"]["store"].to_numpy()
    assert moved.sum() > 50
    for trait in ("category", "store_class"):
        trade = first[trait]
        assert (spent["store"].map(trade) == always["spending"]["store"].map(trade)).all()


def test_no_visit_is_moved_once_its_store_takes_part() -> None:
    """Without refunds, whose points are spent where the payment was."""
    calm = replace(HONEST, refunded=0.0)
    made, always = (city(plan).frames for plan in (replace(calm, joining=Joining()), calm))
    opened = made["stores"].drop_duplicates("store").set_index("store")["from_day"]
    meant = always["spending"]
    moved = made["spending"]["store"].to_numpy() != meant["store"].to_numpy()
    assert moved.sum() > 50
    assert (moved == (meant["day"] < meant["store"].map(opened)).to_numpy()).all()


def test_the_rest_of_a_city_is_the_same_with_and_without_stores_that_join_later() -> None:
    made, always = city(PLAN), city(SMALL)
    for name, frame in always.frames.items():
        # Who is sent to a store whose coupon they were shown may use it there.
        other = {"spending": ["store"], "stores": ["from_day"], "coupons": ["used_day"]}.get(name, [])
        pd.testing.assert_frame_equal(made.frames[name].drop(columns=other), frame.drop(columns=other))
    assert always.sales is None and always.truth.joining is None and always.truth.joining_yen is None


def test_what_stores_tell_says_when_they_joined_as_the_lake_has_it_and_nothing_of_the_truth() -> None:
    made = city(PLAN)
    assert made.sales is not None
    assert list(made.sales.columns) == ["unit", "week", "sales_yen", "joined_week"]
    stores = made.frames["stores"].drop_duplicates("store").set_index("store")
    told = made.sales.drop_duplicates("unit").set_index("unit")["joined_week"]
    outside = ~told.index.isin(stores.index)
    assert outside.sum() == round(0.3 * PLAN.stores)
    assert told[outside].isna().all()
    inside = told[~outside]
    assert (stores.loc[inside.index, "store_class"] == "small").all()
    began = monday(stores.loc[inside.index, "from_day"].clip(lower=pd.Timestamp(PLAN.use_from)))
    assert (inside == began).all()
    assert inside.nunique() > 5
    assert 0.9 < len(made.sales) / (made.sales["unit"].nunique() * made.sales["week"].nunique()) < 1.0


def test_the_file_reads_back_without_a_fault() -> None:
    made = city(PLAN)
    assert made.sales is not None
    read = read_joined(as_csv(made.sales))
    assert read.rejected.empty
    columns = ["unit", "week", "sales_yen", "joined_week"]
    pd.testing.assert_frame_equal(read.sales[columns], made.sales[columns], check_dtype=False)


def test_without_noise_sales_differ_by_the_effect_that_is_said_to_be_true() -> None:
    """The same seed without an effect is what would have been."""
    made, without = city(EXACT), city(replace(EXACT, joining=replace(STILL, lift=0.0)))
    assert made.sales is not None and without.sales is not None and made.truth.joining is not None
    gain = made.sales["sales_yen"] - without.sales["sales_yen"]
    since = (made.sales["week"] - made.sales["joined_week"]).dt.days // 7
    assert (gain[~(since >= 0)] == 0).all(), "none before joining, and none for those who never do"
    truth = made.truth.joining.set_index("since")
    found = gain.groupby(since).mean()
    assert found.loc[truth.index].to_numpy() == pytest.approx(truth["per_unit_yen"].to_numpy(), abs=1.0)
    assert gain[since >= 0].mean() == pytest.approx(made.truth.joining_yen, abs=1.0)
    assert truth["per_unit_yen"].loc[1] > 1.15 * truth["per_unit_yen"].loc[8], "more at first"


def test_effects_differ_between_stores_around_the_one_that_is_true() -> None:
    plan = replace(EXACT, stores=400, joining=replace(STILL, spread=0.6))
    made, without = city(plan), city(replace(plan, joining=replace(STILL, spread=0.6, lift=0.0)))
    assert made.sales is not None and without.sales is not None and made.truth.joining_yen is not None
    gain = (made.sales["sales_yen"] - without.sales["sales_yen"])[made.sales["week"] > made.sales["joined_week"]]
    own = gain.groupby(made.sales["unit"]).mean() / made.truth.joining_yen
    assert own.mean() == pytest.approx(1.0, abs=0.06)
    assert 0.25 < own.std() < 0.45


def test_a_store_that_joins_late_has_no_part_of_its_own_in_coupons_or_misdeeds() -> None:
    made = city(PLAN)
    stores = made.frames["stores"].drop_duplicates("store").set_index("store")["from_day"]
    late = set(stores.index[stores > pd.Timestamp(PLAN.use_from)])
    busy = {*made.truth.coupons["store"], *made.truth.pairs["first"], *made.truth.pairs["second"]}
    assert not late & (busy | set(made.truth.misdeeds["store"]))


@pytest.mark.parametrize("plan", [CityPlan(residents=0), CityPlan(stores=16), CityPlan(use_to=date(2025, 10, 10))])
def test_any_city_can_have_them(plan: CityPlan) -> None:
    made = city(replace(plan, joining=Joining()))
    assert made.sales is not None
    assert np.isfinite(made.truth.joining_yen or 0.0)
