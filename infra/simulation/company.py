"""Everybody and everything that takes part in one play."""

from dataclasses import dataclass, field

from infra.simulation.office import Office
from infra.simulation.people import Resident
from infra.simulation.shops import Shop
from infra.simulation.stage import Stage
from infra.simulation.trips import Market


@dataclass
class Company:
    """`cast` are residents whose every payment is written down; the others shop as it comes."""

    stage: Stage
    office: Office
    shops: list[Shop]
    market: Market
    residents: list[Resident] = field(default_factory=list)
    buyers: set[int] = field(default_factory=set)
    cast: dict[str, Resident] = field(default_factory=dict)
