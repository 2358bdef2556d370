"""What households say that they would have bought anyway: Tottori's three questions of 2015.

A: of what was paid with points, what would have been bought without them. B: of it, what was bought only because of
them. C: what was bought besides in cash because of them. (B + C) / (A + B) is extra consumption for a yen redeemed.
An answer that cannot be is not mended but left out, and told with its reason. docs/algorithms/evaluation.md, "Survey".
"""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from analytics.evaluation.csv_file import SURPLUS, amount_fault, lines_of
from analytics.evaluation.estimates import ColumnUnfit, NotEstimable, numbers
from analytics.evaluation.ratio import mean_of, ratio_of_means
from services.kit.errors import Refusal

WHAT: Final = "survey_effect"
QUESTIONS: Final = ("usual_yen", "extra_yen", "extra_cash_yen")
COLUMNS: Final = ("respondent", *QUESTIONS)
WEIGHT: Final = "weight"
MOST_YEN: Final = 10_000_000
"""No household spends more in a programme; such an answer is a slip of the pen, as are two zeros too many."""


class SurveyUnreadable(Refusal):
    """The file as a whole is no survey.

    `problem` is `size`, `encoding`, `header` (with `column`), `rows` or `format`.
    """

    code: ClassVar[str] = "survey_unreadable"


@dataclass(frozen=True)
class Survey:
    """`answers`: respondent, usual_yen, extra_yen, extra_cash_yen, weight. `rejected`: line, column, reason, value."""

    answers: pd.DataFrame
    rejected: pd.DataFrame


def read_survey(content: bytes, *, most_points: int | None = None) -> Survey:
    """A CSV in UTF-8 with a header: respondent, usual_yen (A), extra_yen (B), extra_cash_yen (C), perhaps weight.

    most_points: what one household can have held at most (points): A + B cannot be more. Amounts are whole yen of
    ASCII digits. Lines count from 1, the header's. A respondent who answers twice keeps the first answer. Of every
    rejected line the first fault is told. Raises SurveyUnreadable.
    """
    rows = lines_of(content, COLUMNS, WEIGHT, SurveyUnreadable)
    answers: list[dict[str, object]] = []
    rejected: list[dict[str, object]] = []
    seen: set[str] = set()
    for line, row in rows:
        fault = _fault(row, seen, most_points)
        if fault is None:
            seen.add(row["respondent"])
            amounts = {name: int(row[name]) for name in QUESTIONS}
            answers.append({"respondent": row["respondent"], **amounts, WEIGHT: float(row.get(WEIGHT, "1"))})
        else:
            column, reason = fault
            rejected.append({"line": line, "column": column, "reason": reason, "value": row.get(column, "")[:60]})
    types = {"respondent": "str", **dict.fromkeys(QUESTIONS, "int64"), WEIGHT: "float64"}
    return Survey(
        pd.DataFrame(answers, columns=[*COLUMNS, WEIGHT]).astype(types),
        pd.DataFrame(rejected, columns=["line", "column", "reason", "value"]).astype({"line": "int64"}),
    )


def _fault(row: dict[str, str], seen: set[str], most_points: int | None) -> tuple[str, str] | None:
    """The first column that is at fault and why: empty, no_number, negative, too_large, twice, more_than_held …"""
    if SURPLUS in row:
        return SURPLUS, "cells"
    if not row["respondent"] or row["respondent"] in seen:
        return "respondent", "twice" if row["respondent"] else "empty"
    for name in QUESTIONS:
        fault = amount_fault(row[name], MOST_YEN)
        if fault is not None:
            return name, fault
    if WEIGHT in row and not _is_weight(row[WEIGHT]):
        return WEIGHT, "no_weight"
    usual, extra, cash = (int(row[name]) for name in QUESTIONS)
    return _contradiction(usual, extra, cash, most_points)


def _contradiction(usual: int, extra: int, cash: int, most_points: int | None) -> tuple[str, str] | None:
    if most_points is not None and usual + extra > most_points:
        return "usual_yen", "more_than_held"
    if usual + extra == 0 and cash > 0:
        return "extra_cash_yen", "cash_without_points"
    return None


def _is_weight(text: str) -> bool:
    """A number as sheets write it: what else Python reads (1_0 for ten, digits of other scripts) is none."""
    if not text.isascii() or "_" in text:
        return False
    try:
        weight = float(text)
    except ValueError:
        return False
    return 0 < weight <= 1_000_000


def survey_effect(
    answers: pd.DataFrame,
    *,
    invited: int | None = None,
    unit_price_yen: int | None = None,
    unit_points: int | None = None,
) -> pd.DataFrame:
    """Extra consumption as households told it.

    answers: usual_yen (A), extra_yen (B), extra_cash_yen (C), one row a household, perhaps `weight`; `Survey.answers`
    or any frame with these. invited: households asked, for the response rate. unit_price_yen, unit_points: what a
    unit costs and holds, for the propensity out of the premium.

    Returns rows of `estimand, estimate, se, low, high` (95 %), `households, response` (NaN if not known), `method`:
    `extra_per_redeemed` (B + C) / (A + B); `points_only_per_redeemed` B / (A + B); `extra_per_household` mean of
    B + C, yen; `propensity` extra consumption for a yen of premium (with the unit's terms); and
    `extra_per_redeemed_if_silent_bought_nothing_extra`, the first times the response rate, if invited is given.
    Raises ColumnUnfit, or NotEstimable for fewer than two answers or nobody who used points.
    """
    table = {name: numbers(answers, name).to_numpy(dtype="float64") for name in QUESTIONS}
    if any((values < 0).any() for values in table.values()):
        raise ColumnUnfit(column=next(name for name in QUESTIONS if (table[name] < 0).any()), problem="negative")
    usual, extra, cash = (table[name] for name in QUESTIONS)
    count = len(usual)
    if count < 2:
        raise NotEstimable(what=WHAT, reason="too_few_residents")
    if invited is not None and invited < count:
        raise NotEstimable(what=WHAT, reason="more_answers_than_invited")
    weights = numbers(answers, WEIGHT).to_numpy(dtype="float64") if WEIGHT in answers.columns else np.ones(count)
    if not (weights > 0).all():
        raise ColumnUnfit(column=WEIGHT, problem="no_weight")
    redeemed = usual + extra
    found = {"extra_per_redeemed": ratio_of_means(extra + cash, redeemed, weights)}
    found["points_only_per_redeemed"] = ratio_of_means(extra, redeemed, weights)
    found["extra_per_household"] = mean_of(extra + cash, weights)
    if unit_price_yen is not None and unit_points is not None:
        if unit_points <= unit_price_yen:
            raise NotEstimable(what=WHAT, reason="no_premium")
        found["propensity"] = _times(found["extra_per_redeemed"], unit_points / (unit_points - unit_price_yen))
    response = float("nan")
    if invited is not None:
        response = count / invited
        silent = "extra_per_redeemed_if_silent_bought_nothing_extra"
        found[silent] = _times(found["extra_per_redeemed"], response)
    rows = [
        {"estimand": name, "estimate": estimate, "se": se, "low": low, "high": high}
        for name, (estimate, se, low, high) in found.items()
    ]
    return pd.DataFrame(rows).assign(households=count, response=response, method="ratio of means, Fieller; mean, Hall")


def _times(found: tuple[float, float, float, float], factor: float) -> tuple[float, float, float, float]:
    estimate, se, low, high = (value * factor for value in found)
    return estimate, se, low, high
