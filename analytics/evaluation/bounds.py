"""What part of redeemed spending can be additional: at most, and at least.

What people pay with points says nothing of what they would have paid otherwise. Without an assumption only trivial
bounds hold; each further row names the assumption that it buys its narrowness with. docs/algorithms/evaluation.md,
"Bounds".
"""

from typing import Final

import pandas as pd

from analytics.evaluation.estimates import conform_unique
from analytics.frames import OUTCOMES, SPENDING

WHAT: Final = "substitution_bounds"
PROPENSITIES: Final = (0.1, 0.2)
"""Out of vouchers in Japan, 1999 (Hsieh, Shimizutani and Hori 2010)."""


def substitution_bounds(
    spending: pd.DataFrame, outcomes: pd.DataFrame | None = None, *, programme: str | None = None
) -> pd.DataFrame:
    """Bounds of the additional consumption in what was redeemed.

    spending: the declared frame, net of cancels and refunds. outcomes: what people spent in the weeks, from
    elsewhere; used for the third row only. programme: this one only.

    Returns `assumption, redeemed_yen, low_yen, high_yen, low_share, high_share, residents` (on whom it rests):
    `none`: from nothing to everything. `points_are_money`: everybody would have spent as much in these stores anyway,
    so that points freed money of which between nothing and all of the premium was spent. `japan_1999`: the same,
    and 10 to 20 % of the premium was spent. `usual_spending_goes_on` (with outcomes): nobody would have spent more
    than in the weeks before the person's first payment, so that what was redeemed beyond it is additional;
    people without weeks before count as nothing. Shares are NaN where nothing was redeemed. Raises FrameUnfit,
    also for a row that is there twice.
    """
    spent = SPENDING.sound(spending)
    if programme is not None:
        spent = spent[spent["programme"] == programme]
    redeemed, premium = int(spent["amount_yen"].sum()), int(spent["premium_yen"].sum())
    people = int(spent["resident"].nunique())
    most, most_premium = max(redeemed, 0), max(premium, 0)  # where more came back than was spent, nothing can be extra
    rows: list[tuple[str, float, float, int]] = [
        ("none", 0.0, float(most), people),
        ("points_are_money", 0.0, float(most_premium), people),
        ("japan_1999", PROPENSITIES[0] * most_premium, PROPENSITIES[1] * most_premium, people),
    ]
    if outcomes is not None:
        beyond, known = _beyond_usual(spent, conform_unique(OUTCOMES, outcomes))
        rows.append(("usual_spending_goes_on", beyond, float(max(redeemed, beyond)), known))
    table = pd.DataFrame(rows, columns=["assumption", "low_yen", "high_yen", "residents"])
    table.insert(1, "redeemed_yen", redeemed)
    whole = float(redeemed) if redeemed > 0 else float("nan")
    return table.assign(low_share=table["low_yen"] / whole, high_share=table["high_yen"] / whole)


def _beyond_usual(spent: pd.DataFrame, outcomes: pd.DataFrame) -> tuple[float, int]:
    """Yen redeemed beyond the person's usual spending from the first payment to the last day seen, and how many
    people's usual is known. The whole time counts at once: what moves from one week to another is not additional."""
    first = spent.groupby("resident")["day"].min().rename("first")
    told = outcomes.groupby(["resident", "week"], as_index=False)["spent_yen"].max().merge(first, on="resident")
    before = told[told["week"] + pd.Timedelta(days=7) <= told["first"]]
    usual = before.groupby("resident")["spent_yen"].mean()
    weeks = (spent["day"].max() - first).dt.days // 7 + 1
    beyond = (spent.groupby("resident")["amount_yen"].sum() - usual * weeks).dropna().clip(lower=0)
    return float(beyond.sum()), len(beyond)
