"""Small worlds whose truth is known because it was put in: a lottery, its applicants, and what they spend."""

import numpy as np
import pandas as pd

from analytics.frames import APPLICATIONS, OUTCOMES, Frame

DRAWN = pd.Timestamp("2026-06-03")
FIRST_WEEK = pd.Timestamp("2026-05-04")


def typed(rows: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """The declared columns with their declared types."""
    return rows.astype({column.name: column.dtype.value for column in frame.columns})


def lottery(
    rng: np.random.Generator,
    *,
    people: int = 300,
    strata: int = 3,
    weeks: tuple[int, int] = (4, 8),
    per_unit: float = 900.0,
    heavy: float = 0.8,
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Applications and weekly outcomes, and the true effect of winning over the weeks after (yen per winner).

    Who asks for more units spends more anyway, and strata differ in their chances: without cells the comparison
    would be biased. Spending is lognormal, as spending is. `per_unit` is yen of extra consumption per unit bought
    in all weeks after; a person buys what was won.
    """
    stratum = rng.integers(0, strata, people)
    asked = rng.integers(1, 4, people)
    chance = 0.25 + 0.5 * stratum / max(strata - 1, 1)
    won = (rng.random(people) < chance) * asked
    before, after = weeks
    level = np.exp(rng.normal(9.0, heavy, people)) * (1 + 0.2 * stratum) + 2_000 * asked
    noise = np.exp(rng.normal(0, 0.5, (people, before + after)) - 0.125)
    spent = level[:, None] * noise
    spent[:, before + 1 :] += per_unit * won[:, None] / (after - 1)
    applications = pd.DataFrame(
        {
            "draw": "d1",
            "resident": np.arange(people),
            "programme": "p",
            "stratum": np.char.add("s", stratum.astype(str)),
            "units_applied": asked,
            "units_won": won,
            "drawn_day": DRAWN,
        }
    )
    outcomes = pd.DataFrame(
        {
            "resident": np.repeat(np.arange(people), before + after),
            "week": np.tile(FIRST_WEEK + pd.to_timedelta(7 * np.arange(before + after), unit="D"), people),
            "spent_yen": spent.round().ravel(),
            "source": "panel",
        }
    )
    return typed(applications, APPLICATIONS), typed(outcomes, OUTCOMES), per_unit
