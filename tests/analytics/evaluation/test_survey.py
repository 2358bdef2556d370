"""docs/algorithms/evaluation.md, "Survey" and "Ratios"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.csv_file import MOST_ROWS
from analytics.evaluation.estimates import ColumnUnfit, NotEstimable
from analytics.evaluation.ratio import mean_of, ratio_of_means
from analytics.evaluation.survey import SurveyUnreadable, read_survey, survey_effect
from tests.analytics.evaluation.coverage import SEEDS, Once, bounds, held

HEADER = "respondent,usual_yen,extra_yen,extra_cash_yen\n"


def _answers(usual: Any, extra: Any, cash: Any) -> pd.DataFrame:
    return pd.DataFrame({"usual_yen": usual, "extra_yen": extra, "extra_cash_yen": cash})


def _of(found: pd.DataFrame, estimand: str) -> Any:
    return found.set_index("estimand").loc[estimand]


def test_tottoris_means_give_tottoris_share() -> None:
    """Tottori 2015, per household: A 43,073, B 29,366, C 17,170; (B + C) / (A + B) = 64.2 %."""
    means = np.array([43_073, 29_366, 17_170])
    answers = _answers(*np.stack([means * 0.5, means * 1.5]).T.tolist())
    found = survey_effect(answers, invited=4, unit_price_yen=10_000, unit_points=13_000)
    share = _of(found, "extra_per_redeemed")
    assert share["estimate"] == pytest.approx(0.642, abs=0.0005)
    assert (share["households"], share["response"]) == (2, 0.5)
    assert _of(found, "propensity")["estimate"] == pytest.approx(share["estimate"] * 13 / 3)
    assert _of(found, "extra_per_household")["estimate"] == 29_366 + 17_170
    silent = _of(found, "extra_per_redeemed_if_silent_bought_nothing_extra")
    assert silent["estimate"] == pytest.approx(share["estimate"] / 2)


def answered(rng: np.random.Generator) -> Sequence[bool]:
    """250 households tell."""
    return _told(rng, 250)


def answered_by_few(rng: np.random.Generator) -> Sequence[bool]:
    """40 households tell: too few for Student's interval of a mean so skewed."""
    return _told(rng, 40)


def answered_with_weights(rng: np.random.Generator) -> Sequence[bool]:
    """250 households that stand for one to five of their kind."""
    return _told(rng, 250, rng.integers(1, 6, 250).astype("float64"))


def _told(rng: np.random.Generator, count: int, weight: Any = 1.0) -> Sequence[bool]:
    """Households differ as spending does (lognormal); who redeems more also buys more besides."""
    size = np.exp(rng.normal(0, 0.6, count))
    usual = 43_073 * size * np.exp(rng.normal(-0.125, 0.5, count))
    extra = 29_366 * size * rng.gamma(1.5, 1 / 1.5, count)
    cash = 17_170 * size * rng.gamma(0.7, 1 / 0.7, count)
    found = survey_effect(_answers(usual, extra, cash).assign(weight=weight))
    truth = {
        "extra_per_redeemed": (29_366 + 17_170) / (43_073 + 29_366),
        "points_only_per_redeemed": 29_366 / (43_073 + 29_366),
        "extra_per_household": (29_366 + 17_170) * np.exp(0.6**2 / 2),
    }
    return [bool(_of(found, name)["low"] <= value <= _of(found, name)["high"]) for name, value in truth.items()]


@pytest.mark.parametrize("seeds", [400, pytest.param(SEEDS, marks=pytest.mark.long)])
@pytest.mark.parametrize("once", [answered, answered_by_few, answered_with_weights])
def test_the_interval_holds_what_was_put_in(once: Once, seeds: int) -> None:
    least, most = bounds(seeds)
    shares = held(once, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


def test_the_interval_of_a_skewed_mean_reaches_further_up() -> None:
    """Hall's by hand for 0, 0, 0, 8: mean 2, standard error 2, skewness of the mean 1, t = 3.1824."""
    mean, se, low, high = mean_of(np.array([0.0, 0.0, 0.0, 8.0]))
    assert (mean, se) == (2.0, 2.0)
    assert low == pytest.approx(2 - 2 * 3 * (np.cbrt(1 + (3.18245 - 1 / 6)) - 1), abs=1e-4)
    assert high == pytest.approx(2 - 2 * 3 * (np.cbrt(1 + (-3.18245 - 1 / 6)) - 1), abs=1e-4)
    assert mean_of(np.array([1.0, 3.0]))[2:] == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-3)
    assert mean_of(np.full(4, 7.0)) == (7.0, 0.0, 7.0, 7.0)


def test_an_uncertain_denominator_has_no_bounded_interval() -> None:
    ratio, _, low, high = ratio_of_means(np.array([1.0, 2.0, 3.0]), np.array([-1.0, 1.5, 0.1]))
    assert np.isfinite(ratio)
    assert (low, high) == (-np.inf, np.inf)


def test_weights_count_as_households() -> None:
    answers = _answers([100, 300] * 2, [100, 0] * 2, [0, 0] * 2)
    heavy = survey_effect(answers.assign(weight=[3.0, 1.0] * 2))
    assert _of(heavy, "extra_per_redeemed")["estimate"] == pytest.approx(300 / 900)


def test_one_household_that_stands_for_all_others_is_one_answer() -> None:
    """Without, its own ratio would be the city's, and nearly exact: the others' answers do not move it."""
    answers = _answers([20_000, 43_000, 50_000], [5_000, 29_000, 10_000], [2_000, 17_000, 20_000])
    with pytest.raises(NotEstimable) as refused:
        survey_effect(answers.assign(weight=[1_000.0, 1.0, 2.0]))
    assert refused.value.params["reason"] == "too_few_residents"
    alike: Any = survey_effect(answers.assign(weight=7.0))
    pd.testing.assert_frame_equal(alike, survey_effect(answers))


def answered_with_uneven_weights(rng: np.random.Generator) -> Sequence[bool]:
    """30 households, of which four stand for thirty of their kind each: the shares of what was redeemed."""
    return _told(rng, 30, np.repeat([30.0, 1.0], [4, 26]))[:2]


def test_the_interval_of_a_share_stands_uneven_weights() -> None:
    """These answers know as much as six equal ones. With Student's of 29 degrees the truth was in it in 86 of 100."""
    least, most = bounds(400)
    shares = held(answered_with_uneven_weights, 400)
    assert ((shares >= least) & (shares <= most)).all(), shares


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("1,,0,0", "usual_yen", "empty"),
        ("1,-5,0,0", "usual_yen", "negative"),
        ("1,5,many,0", "extra_yen", "no_number"),
        ("1,5,1.5,0", "extra_yen", "no_number"),
        ("1,５,1,0", "usual_yen", "no_number"),
        ("1,5,1,99999999999", "extra_cash_yen", "too_large"),
        ("1,5,1," + "9" * 400, "extra_cash_yen", "too_large"),
        ("1,30000,10000,0", "usual_yen", "more_than_held"),
        ("1,0,0,500", "extra_cash_yen", "cash_without_points"),
        (",1,1,1", "respondent", "empty"),
        ("0,1,1,1", "respondent", "twice"),
        ("1,1,1", "", "cells"),
        ("1,1,1,1,1", "", "cells"),
    ],
)
def test_an_impossible_answer_is_left_out_and_told(line: str, column: str, reason: str) -> None:
    found = read_survey((HEADER + "0,1000,500,0\n" + line + "\n").encode(), most_points=39_000)
    assert found.answers["respondent"].tolist() == ["0"]
    assert found.rejected[["line", "column", "reason"]].to_numpy().tolist() == [[3, column, reason]]


def test_a_rejected_answer_may_be_given_again() -> None:
    found = read_survey((HEADER + "1,x,0,0\n1,10,0,0\n").encode())
    assert found.answers["usual_yen"].tolist() == [10]
    assert len(found.rejected) == 1


def test_columns_come_in_any_order_with_a_mark_of_byte_order_and_weights() -> None:
    text = "﻿weight,extra_yen,usual_yen,note,respondent,extra_cash_yen\r\n2.5,20,10,hello,a,30\r\n"
    found = read_survey(text.encode()).answers
    assert found.to_dict(orient="records") == [
        {"respondent": "a", "usual_yen": 10, "extra_yen": 20, "extra_cash_yen": 30, "weight": 2.5}
    ]


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "much", "", "1_0", "１２"])
def test_a_weight_that_is_none_is_told(weight: str) -> None:
    found = read_survey(f"respondent,usual_yen,extra_yen,extra_cash_yen,weight\n1,1,1,1,{weight}\n".encode())
    assert found.rejected[["column", "reason"]].to_numpy().tolist() == [["weight", "no_weight"]]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "header"),
        (b"respondent,usual_yen,extra_yen\n", "header"),
        (HEADER.replace("extra_yen", "usual_yen").encode(), "header"),
        (HEADER.replace(",", ";").encode(), "header"),
        (b"respondent,usual_yen,extra_yen,extra_cash_yen,weight,weight\n1,2,3,4,5,6\n", "header"),
        (HEADER.encode() + "1,五".encode("shift_jis"), "encoding"),
        (HEADER.encode() + b'1,"2"x,3,4\n', "format"),
        (HEADER.encode() + b"1,2,3,4\n" * (MOST_ROWS + 1), "rows"),
        (b"x" * 20_000_001, "size"),
    ],
)
def test_a_file_that_is_no_survey_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(SurveyUnreadable) as refused:
        read_survey(content)
    assert refused.value.params["problem"] == problem


@pytest.mark.parametrize("unnamed", [",", ",,", ", ,note"])
def test_columns_without_a_name_are_left_aside_as_a_sheet_writes_them_after_its_last(unnamed: str) -> None:
    found = read_survey((HEADER.strip() + unnamed + "\n1,10,20,30" + "," * unnamed.count(",") + "\n2,1,2,3\n").encode())
    assert found.answers["respondent"].tolist() == ["1"]
    assert found.rejected.to_dict("records") == [{"line": 3, "column": "", "reason": "cells", "value": "4"}]


def test_an_empty_survey_reads_and_does_not_answer() -> None:
    found = read_survey(HEADER.encode())
    assert found.answers.empty
    with pytest.raises(NotEstimable) as refused:
        survey_effect(found.answers)
    assert refused.value.params["reason"] == "too_few_residents"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"invited": 1}, "more_answers_than_invited"),
        ({"unit_price_yen": 10_000, "unit_points": 10_000}, "no_premium"),
    ],
)
def test_what_does_not_fit_the_answers_is_refused(asked: Any, reason: str) -> None:
    with pytest.raises(NotEstimable) as refused:
        survey_effect(_answers([1, 2], [1, 2], [0, 0]), **asked)
    assert refused.value.params["reason"] == reason


def test_nobody_who_used_points_has_no_share() -> None:
    with pytest.raises(NotEstimable):
        survey_effect(_answers([0, 0], [0, 0], [0, 0]))
    with pytest.raises(ColumnUnfit):
        survey_effect(_answers([1, -1], [0, 0], [0, 0]))
