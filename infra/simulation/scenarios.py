"""The programmes that can be played, each at any scale up to the real one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from infra.scenarios.hiratsuka import SPLIT, YEAR_2020_SALE, YEAR_2020_USE, terms
from services.campaigns.terms import Terms

LEAST_SCALE, FULL_SCALE = 0.001, 1.0
LEAST_STORES = 10
"""Below this there would be no room for a large store, a chain, and those with troubles of their own."""


@dataclass(frozen=True)
class Scenario:
    """A programme in its real size; `terms` makes its terms for a stock of units.

    `demand` is how many units people want for each one there is.
    """

    name: str
    code: str
    units: int
    stores: int
    grant_budget_points: int
    demand: float
    terms: Callable[[int], Terms]


@dataclass(frozen=True)
class Setting:
    """A scenario at one scale, with the seed of everything that is random in it."""

    scenario: Scenario
    scale: float
    seed: int

    @property
    def units(self) -> int:
        return round(self.scenario.units * self.scale)

    @property
    def stores(self) -> int:
        return max(LEAST_STORES, round(self.scenario.stores * self.scale))

    @property
    def terms(self) -> Terms:
        budget = max(100_000, round(self.scenario.grant_budget_points * self.scale))
        return replace(self.scenario.terms(self.units), grant_budget_points=budget)


def _hiratsuka_2020(units: int) -> Terms:
    return terms(sale=YEAR_2020_SALE, use=YEAR_2020_USE, stock_units=units, purses=SPLIT)


SCENARIOS: Mapping[str, Scenario] = {
    "hiratsuka-2020": Scenario(
        name="hiratsuka-2020",
        code="starlight-2020",
        units=66_692,
        stores=1_000,
        grant_budget_points=50_000_000,
        demand=1.25,
        terms=_hiratsuka_2020,
    )
}
"""Hiratsuka's first issue: 867 million points in units of 13,000, about 1,000 stores, 7,000 people left out."""
