"""What is true of an invented city. It is kept apart from the frames, so that no estimator can read it there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analytics.synthetic.books import Booked, Lots
from analytics.synthetic.calendar import DAY_SECONDS, Floats
from analytics.synthetic.coupons import Campaign, Tally
from analytics.synthetic.deeds import NONE
from analytics.synthetic.misdeeds import Case
from analytics.synthetic.outcomes import Panel
from analytics.synthetic.people import People
from analytics.synthetic.places import Places
from analytics.synthetic.plan import CityPlan
from analytics.synthetic.rows import days


@dataclass(frozen=True)
class Truth:
    """What an estimator should find.

    - `effect`: `week`, `per_winner_yen` (mean over all winners, buyers or not), `per_unit_yen` (per unit bought);
      None where there was no draw.
    - `propensity`: `age_band`, `propensity`: yen more spent while points are used, for a yen of premium;
      `mean_propensity` over everybody in the panel, weighted by premium.
    - `use`: `cohort` (the Monday of the week of issue), `issued_yen`, `used_yen` (net), `lapsed_yen`.
    - `flows`: `home`, `district`, `share` of the value that people of a district mean to spend in each district,
      before coupons, pairs, misdeeds and stores that are not there yet send them elsewhere.
    - `stores`: `store`, `popularity` within its trade (Zipf), `share` of all value that is meant for it.
    - `coupons`: `coupon`, `store`, `shown`, `used` (people), `visits` and `yen` of those shown while it held,
      `without` and `yen_without` of them that would have been made there anyway, `lift` in visits per person shown.
    - `pairs`: `first`, `second`, `chance`, `pulled`: stores of which the second is the next stop that often.
    - `misdeeds`: `case`, `kind`, `resident`, `store` (empty where the kind has none), one row a person.
    - `households`: `resident`, `store`: people of the owner's household.
    - `joining`: `since` (weeks since a store joined), `per_unit_yen` (what joining adds to a week's sales on average
      over stores like these, and over `weeks` that were told); `joining_yen` the mean of all those weeks. None where
      nobody told.
    """

    effect: pd.DataFrame | None
    propensity: pd.DataFrame | None
    mean_propensity: float | None
    use: pd.DataFrame
    flows: pd.DataFrame
    stores: pd.DataFrame
    coupons: pd.DataFrame
    pairs: pd.DataFrame
    misdeeds: pd.DataFrame
    households: pd.DataFrame
    joining: pd.DataFrame | None
    joining_yen: float | None
    payments: int
    used_yen: int
    lapsed_yen: int

    def plain(self) -> dict[str, Any]:
        """Everything as JSON holds it: numbers, texts, dates as text, a list of records for a table."""
        return {name: _plain(value) for name, value in vars(self).items()}


def _plain(value: object) -> object:
    if not isinstance(value, pd.DataFrame):
        return value
    dates = [name for name in value.columns if str(value[name].dtype).startswith("datetime64")]
    text = value.assign(**{name: value[name].dt.strftime("%Y-%m-%d") for name in dates}).astype(object)
    return text.where(text.notna(), None).to_dict(orient="records")


def use_of(people: People, lots: Lots, booked: Booked) -> pd.DataFrame:
    """By the Monday of issue: yen issued, used, lapsed, of these residents."""
    issued = lots.paid + lots.premium
    left = booked.left_paid + booked.left_premium
    day = lots.issued_at // DAY_SECONDS
    monday = day - (day + people.origin.weekday()) % 7
    table = pd.DataFrame({"monday": monday.ravel(), "issued_yen": issued.ravel(), "lapsed_yen": left.ravel()})
    return table[table["issued_yen"] > 0].groupby("monday", as_index=False).sum()


def used(people: People, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The parts of `use_of` together, as `Truth.use` has them."""
    whole = pd.concat(parts).groupby("monday", as_index=False).sum()
    return pd.DataFrame(
        {
            "cohort": days(people.origin, whole["monday"].to_numpy(dtype=np.int64)),
            "issued_yen": whole["issued_yen"].astype("int64"),
            "used_yen": (whole["issued_yen"] - whole["lapsed_yen"]).astype("int64"),
            "lapsed_yen": whole["lapsed_yen"].astype("int64"),
        }
    )


def meant(plan: CityPlan, places: Places) -> Floats:
    """Home district × store: the share of their value that people mean to spend there."""
    by_trade = sum(
        (purse.paid_points + purse.premium_points) / plan.unit_points * np.array(plan.shares(purse))
        for purse in plan.purses
    )
    shares = np.zeros((len(plan.districts), len(places.trade)))
    for home in range(len(plan.districts)):
        for trade, share in enumerate(np.asarray(by_trade)):
            shares[home] += share * places.pull(trade, home)
    return shares


def flows_of(plan: CityPlan, places: Places, shares: Floats) -> pd.DataFrame:
    names = [district.name for district in plan.districts]
    rows = [
        {"home": home, "district": district, "share": float(shares[place, places.district == other].sum())}
        for place, home in enumerate(names)
        for other, district in enumerate(names)
    ]
    return pd.DataFrame(rows)


def stores_of(plan: CityPlan, people: People, places: Places, shares: Floats) -> pd.DataFrame:
    held = people.bought * plan.unit_points + people.granted
    by_home = np.bincount(people.district, weights=held, minlength=len(plan.districts))
    return pd.DataFrame(
        {
            "store": places.codes.astype(str),
            "popularity": places.weight,
            "share": (by_home / max(by_home.sum(), 1)) @ shares,
        }
    )


def coupons_of(places: Places, campaigns: Sequence[Campaign], tallies: Sequence[Sequence[Tally]]) -> pd.DataFrame:
    """`tallies` are those of each part of the residents."""
    rows = []
    for turn, campaign in enumerate(campaigns):
        shown, used_by, visits, pulled, yen, pulled_yen = (
            sum(getattr(part[turn], name) for part in tallies) for name in Tally.__dataclass_fields__
        )
        rows.append(
            {
                "coupon": campaign.code,
                "store": str(places.codes[campaign.store]),
                "shown": shown,
                "used": used_by,
                "visits": visits,
                "without": visits - pulled,
                "yen": yen,
                "yen_without": yen - pulled_yen,
                "lift": pulled / max(shown, 1),
            }
        )
    columns = ["coupon", "store", "shown", "used", "visits", "without", "yen", "yen_without", "lift"]
    return pd.DataFrame(rows, columns=columns)


def pairs_of(plan: CityPlan, places: Places, pairs: Sequence[tuple[int, int]], pulled: Floats) -> pd.DataFrame:
    rows = [
        {
            "first": str(places.codes[first]),
            "second": str(places.codes[second]),
            "chance": plan.companion_chance,
            "pulled": int(count),
        }
        for (first, second), count in zip(pairs, pulled, strict=True)
    ]
    return pd.DataFrame(rows, columns=["first", "second", "chance", "pulled"])


def misdeeds_of(people: People, places: Places, cases: Sequence[Case]) -> pd.DataFrame:
    rows = [
        {
            "case": turn + 1,
            "kind": case.kind,
            "resident": int(people.number[who]),
            "store": "" if case.store == NONE else str(places.codes[case.store]),
        }
        for turn, case in enumerate(cases)
        for who in case.people
    ]
    return pd.DataFrame(rows, columns=["case", "kind", "resident", "store"])


def effect_of(panel: Panel | None) -> tuple[pd.DataFrame | None, pd.DataFrame | None, float | None]:
    return (None, None, None) if panel is None else (panel.effect, panel.propensity, panel.mean_propensity)
