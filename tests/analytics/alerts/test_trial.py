"""What was planted is found: precision and recall at a fixed budget, over seeds. docs/algorithms/fraud-alerts.md."""

import numpy as np
import pandas as pd
import pytest

from analytics.alerts.cases import find_alerts, ranked
from analytics.alerts.trial import Trial, tried
from analytics.synthetic.city import make
from analytics.synthetic.plan import NO_MISDEEDS, CityPlan

BUDGET = 10
"""Cases an officer looks at; as many as are planted in the small city."""


def trial_of(seed: int) -> Trial:
    city = make(CityPlan(), np.random.default_rng(seed))
    households = city.truth.households
    relations = households.assign(relation=pd.Series("household", index=households.index, dtype="str"))
    findings = find_alerts(city.frames["spending"], city.frames["residents"], relations)
    return tried(findings, ranked(findings, BUDGET), city.truth.misdeeds)


def _mean(seeds: range) -> tuple[float, float, float]:
    trials = [trial_of(seed) for seed in seeds]
    rings = pd.concat([trial.recalls for trial in trials]).query("kind == 'cash_out_ring'")
    return (
        float(np.mean([trial.precision for trial in trials])),
        float(np.mean([trial.recall for trial in trials])),
        float(rings["found"].sum() / rings["planted"].sum()),
    )


def test_most_of_what_was_planted_is_found_within_the_budget() -> None:
    precision, recall, rings = _mean(range(400, 402))
    assert precision >= 0.8
    assert recall >= 0.8
    assert rings == 1.0


@pytest.mark.long
def test_most_of_what_was_planted_is_found_within_the_budget_over_thirty_seeds() -> None:
    precision, recall, rings = _mean(range(500, 530))
    assert precision >= 0.85
    assert recall >= 0.85
    assert rings >= 0.95


@pytest.mark.parametrize("seed", range(1))
def test_an_honest_city_has_no_ring(seed: int) -> None:
    city = make(CityPlan(misdeeds=NO_MISDEEDS), np.random.default_rng(seed))
    findings = find_alerts(city.frames["spending"], city.frames["residents"])
    assert "new_account_ring" not in set(findings.alerts["rule"])
