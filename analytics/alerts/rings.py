"""Dense rings of new accounts: people who joined together, paid together, and paid at one store only.

Two accounts are joined by an edge when they were opened within three days of each other and their payments at
the store lie within three days of each other. A ring is what is left when everyone with fewer than two edges is
taken away, again and again (the 2-core), if it is dense.
"""

from itertools import combinations
from typing import Final

import networkx as nx
import pandas as pd

from analytics.alerts.excess import ODD, excess, score_of
from analytics.alerts.findings import Alert

NEW_DAYS: Final = 45
"""An account counts as new if it first paid within so many days of being opened."""

CAPTIVE_PERCENT: Final = 70
"""Of all that an account spent, what it left at the one store."""

LEAST_YEN: Final = 5_000
TOGETHER_DAYS: Final = 3
LEAST_MEMBERS: Final = 4
LEAST_DENSITY: Final = 0.5
MOST_MEMBERS: Final = 2_000
"""Captive accounts of a store beyond which it is the store that is popular, not a ring that is dense."""


def new_account_ring(visits: pd.DataFrame, residents: pd.DataFrame) -> list[Alert]:
    """Rings at stores that have more captive new accounts than usual.

    Not found: rings that spread over several stores, accounts that were opened long before or used elsewhere too.
    """
    captive = _captive(visits, residents)
    payers = visits.groupby("store")["resident"].nunique()
    counts = captive.groupby("store").size().reindex(payers.index, fill_value=0)
    odd = excess(counts.to_numpy(), payers.to_numpy())
    alerts = []
    for code, value, count in zip(payers.index, odd, counts, strict=True):
        if value < ODD or not LEAST_MEMBERS <= count <= MOST_MEMBERS:
            continue
        for members, density in _rings(captive[captive["store"] == code]):
            here = visits[(visits["store"] == code) & visits["resident"].isin(members)]
            told = {
                "people": len(members),
                "amount_yen": int(here["net_yen"].sum()),
                "density_percent": int(100 * density),
                "captives": int(count),
            }
            payments = tuple(int(number) for number in here["payment"])
            score = score_of(float(value)) * density
            alerts.append(Alert("new_account_ring", str(code), members, payments, score, told, members[0]))
    return alerts


def _captive(visits: pd.DataFrame, residents: pd.DataFrame) -> pd.DataFrame:
    """New accounts with nearly all of their money at one store: resident, store, joined_day, first and last there."""
    pairs = visits.groupby(["resident", "store"])
    here = pairs.agg(yen=("gross_yen", "sum"), first=("day", "min"), last=("day", "max")).reset_index()
    people = visits.groupby("resident")
    everywhere = people.agg(total=("gross_yen", "sum"), begins=("day", "min")).reset_index()
    known = here.merge(everywhere, on="resident").merge(residents[["resident", "joined_day"]], on="resident")
    new = (known["begins"] - known["joined_day"]).dt.days.between(0, NEW_DAYS)
    mostly = (known["yen"] * 100 >= known["total"] * CAPTIVE_PERCENT) & (known["yen"] >= LEAST_YEN)
    return known[new & mostly]


def _rings(captive: pd.DataFrame) -> list[tuple[tuple[int, ...], float]]:
    graph: nx.Graph = nx.Graph()
    rows = captive.sort_values("resident")[["resident", "joined_day", "first", "last"]].itertuples(
        index=False, name=None
    )
    for (one, joined, begins, ends), (other, also_joined, also_begins, also_ends) in combinations(rows, 2):
        apart = max(begins, also_begins) - min(ends, also_ends)
        if abs((joined - also_joined).days) <= TOGETHER_DAYS and apart.days <= TOGETHER_DAYS:
            graph.add_edge(int(one), int(other))
    core = nx.k_core(graph, 2)
    rings = [tuple(sorted(members)) for members in nx.connected_components(core)]
    dense = [(members, float(nx.density(core.subgraph(members)))) for members in rings if len(members) >= LEAST_MEMBERS]
    return sorted((members, density) for members, density in dense if density >= LEAST_DENSITY)
