"""Dense rings of new accounts: people who joined together, paid together, and left most of their money at one store.

Two accounts are joined by an edge when they were opened within three days of each other and their payments at
the store lie within three days of each other. A ring is what is left when everyone with fewer than two edges is
taken away, again and again (the 2-core), if it is dense.

Two rules look for them. Accounts with nearly all of their money at the store are a ring from four on; accounts that
have a life elsewhere as well, as somebody gives them who does not want to be noticed, only from six on.
"""

from itertools import combinations
from typing import Any, Final

import networkx as nx
import pandas as pd

from analytics.alerts.excess import ODD, excess, score_of
from analytics.alerts.findings import Alert

NEW_DAYS: Final = 45
"""An account counts as new if it first paid within so many days of being opened."""

KINDS: Final = (("new_account_ring", 70, 4), ("half_captive_ring", 50, 6))
"""The rule; of all that an account spent, per cent that it left at the one store; the least members."""

LEAST_YEN: Final = 5_000
TOGETHER_DAYS: Final = 3
LEAST_DENSITY: Final = 0.5
MOST_MEMBERS: Final = 2_000
"""Captive accounts of a store beyond which it is the store that is popular, not a ring that is dense."""


def new_account_rings(visits: pd.DataFrame, residents: pd.DataFrame) -> list[Alert]:
    """Rings at stores that have more captive new accounts than usual; nobody is told of in two rings of a store.

    Not found: rings that spread over several stores, accounts that were opened long before or mostly used elsewhere.
    """
    new = _new(visits, residents)
    payers = visits.groupby("store")["resident"].nunique()
    alerts: list[Alert] = []
    told: set[tuple[str, int]] = set()
    for rule, percent, least in KINDS:
        found = _of_kind(visits, new, payers, (rule, percent, least))
        fresh = [alert for alert in found if told.isdisjoint((alert.store, who) for who in alert.residents)]
        told |= {(alert.store, who) for alert in fresh for who in alert.residents}
        alerts += fresh
    return alerts


def _of_kind(visits: pd.DataFrame, new: pd.DataFrame, payers: Any, kind: tuple[str, int, int]) -> list[Alert]:
    rule, percent, least = kind
    captive = new[(new["yen"] * 100 >= new["total"] * percent) & (new["yen"] >= LEAST_YEN)]
    counts = captive.groupby("store").size().reindex(payers.index, fill_value=0)
    odd = excess(counts.to_numpy(), payers.to_numpy())
    alerts = []
    for code, value, count in zip(payers.index, odd, counts, strict=True):
        if value < ODD or not least <= count <= MOST_MEMBERS:
            continue
        for members, density in _rings(captive[captive["store"] == code], least):
            here = visits[(visits["store"] == code) & visits["resident"].isin(members)]
            said = {
                "people": len(members),
                "amount_yen": int(here["net_yen"].sum()),
                "density_percent": int(100 * density),
                "captives": int(count),
            }
            payments = tuple(int(number) for number in here["payment"])
            alerts.append(Alert(rule, str(code), members, payments, score_of(float(value)) * density, said, members[0]))
    return alerts


def _new(visits: pd.DataFrame, residents: pd.DataFrame) -> pd.DataFrame:
    """New accounts at each store: resident, store, yen there, first and last there, total, joined_day."""
    pairs = visits.groupby(["resident", "store"])
    here = pairs.agg(yen=("gross_yen", "sum"), first=("day", "min"), last=("day", "max")).reset_index()
    people = visits.groupby("resident")
    everywhere = people.agg(total=("gross_yen", "sum"), begins=("day", "min")).reset_index()
    known = here.merge(everywhere, on="resident").merge(residents[["resident", "joined_day"]], on="resident")
    return known[(known["begins"] - known["joined_day"]).dt.days.between(0, NEW_DAYS)]


def _rings(captive: pd.DataFrame, least: int) -> list[tuple[tuple[int, ...], float]]:
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
    dense = [(members, float(nx.density(core.subgraph(members)))) for members in rings if len(members) >= least]
    return sorted((members, density) for members, density in dense if density >= LEAST_DENSITY)
