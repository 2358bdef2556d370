"""An invented city: its frames, and apart from them its truth. The same plan and seed make the same city.

Residents are made in parts, so that a city of any size needs the memory of one part and of its deeds in small
columns. See docs/algorithms/synthetic-city.md.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analytics.frames import COUPONS, OUTCOMES
from analytics.synthetic.books import Booked, Lots, book
from analytics.synthetic.calendar import Ints
from analytics.synthetic.coupons import Campaign, Tally, companions, plan_coupons, pull, show, tally, walk_on
from analytics.synthetic.deeds import Deeds, in_order, joined
from analytics.synthetic.joining import Sales, opened, plan_days, send_elsewhere, tell_sales
from analytics.synthetic.misdeeds import Case, deeds_of, keep_in_family, plan_cases, replaces_visits
from analytics.synthetic.mishaps import with_mishaps
from analytics.synthetic.outcomes import Panel, build_panel
from analytics.synthetic.people import People, build_people
from analytics.synthetic.places import Places, build_places
from analytics.synthetic.plan import CityPlan
from analytics.synthetic.rows import (
    Spent,
    applications_frame,
    concatenated,
    lots_frames,
    programmes_frame,
    residents_frame,
    spending_frame,
    spent_rows,
    titles_frame,
)
from analytics.synthetic.truth import (
    Truth,
    coupons_of,
    effect_of,
    flows_of,
    meant,
    misdeeds_of,
    pairs_of,
    stores_of,
    use_of,
    used,
)
from analytics.synthetic.visits import BETWEEN_STOPS, plan_visits
from analytics.synthetic.wallets import lots_of

RESIDENTS_A_PART = 20_000


@dataclass(frozen=True)
class City:
    """The frames by their name, and the truth."""

    frames: Mapping[str, pd.DataFrame]
    truth: Truth
    sales: pd.DataFrame | None = None
    """What stores tell of their weeks, as a city's desk collects it; no frame of a lake."""


@dataclass(frozen=True)
class World:
    """What is there before anybody pays."""

    plan: CityPlan
    places: Places
    people: People
    cases: list[Case]
    misdeeds: Deeds
    campaigns: list[Campaign]
    pairs: list[tuple[int, int]]
    joined: Ints
    """The day of the origin on which each store begins to take part, 0 where it does from the beginning."""
    sales: Sales | None


@dataclass(frozen=True)
class Part:
    """Some residents, their lots, what they did and what came of it; `deeds.resident` is a place in `who`."""

    who: Ints
    deeds: Deeds
    lots: Lots
    booked: Booked
    shown: Ints
    pulled: np.ndarray


@dataclass
class Sums:
    """What the parts leave behind."""

    spent: list[Spent] = field(default_factory=list)
    lots: list[pd.DataFrame] = field(default_factory=list)
    expiries: list[pd.DataFrame] = field(default_factory=list)
    coupons: list[pd.DataFrame] = field(default_factory=list)
    tallies: list[list[Tally]] = field(default_factory=list)
    use: list[pd.DataFrame] = field(default_factory=list)
    pulled: list[np.ndarray] = field(default_factory=list)
    deeds: int = 0
    payments: int = 0


def make(plan: CityPlan, rng: np.random.Generator) -> City:
    """The whole city in memory: some 200 bytes a row."""
    world = build_world(plan, rng)
    sums = Sums()
    for part in play(world, rng):
        add(world, rng, part, sums)
    frames, truth = close(world, rng, sums)
    spending = spending_frame(plan, world.people, world.places, concatenated(sums.spent))
    return City({"spending": spending} | frames, truth, None if world.sales is None else world.sales.frame)


def build_world(plan: CityPlan, rng: np.random.Generator) -> World:
    """Places, people, and who will do what is not allowed."""
    places = build_places(plan, rng)
    people = build_people(plan, rng)
    cases = plan_cases(plan, rng, places, people)
    misdeeds = deeds_of(plan, rng, places, people, cases)
    campaigns, pairs = plan_coupons(plan, rng, places), companions(plan, rng, places)
    # A stream of its own, so that the rest of a city is the same with and without stores that join later.
    (apart,) = rng.spawn(1)
    joined_on = plan_days(plan, apart, places, campaigns, pairs, cases)
    send_elsewhere(apart, places, joined_on, people.district[misdeeds.resident], misdeeds)
    sales = tell_sales(plan, apart, places, people, joined_on)
    places = opened(plan, places, joined_on)
    return World(plan, places, people, cases, misdeeds, campaigns, pairs, joined_on, sales)


def play(world: World, rng: np.random.Generator, told: Callable[[int], None] = lambda _: None) -> Iterator[Part]:
    """Part by part; `told` hears how many residents are done."""
    count = len(world.people)
    for first in range(0, max(count, 1), RESIDENTS_A_PART):
        yield _part(world, rng, np.arange(first, min(first + RESIDENTS_A_PART, count)))
        told(min(first + RESIDENTS_A_PART, count))


def _part(world: World, rng: np.random.Generator, who: Ints) -> Part:
    plan, places, people = world.plan, world.places, world.people
    deeds = plan_visits(plan, rng, places, people, who)
    deeds = deeds.take(~replaces_visits(world.cases, len(people))[who[deeds.resident]])
    pulled = walk_on(plan, rng, places, world.pairs, deeds, BETWEEN_STOPS[1])
    keep_in_family(rng, places, world.cases, who[deeds.resident], deeds)
    shown = show(plan, rng, places, world.campaigns, people.district[who])
    pull(plan, rng, places, world.campaigns, shown, deeds)
    send_elsewhere(rng.spawn(1)[0], places, world.joined, people.district[who[deeds.resident]], deeds)
    deeds = in_order(joined([with_mishaps(plan, rng, deeds), _planted(world, who)], shifted=True))
    lots = lots_of(plan, people, who)
    return Part(who, deeds, lots, book(deeds, lots, places.large), shown, pulled)


def _planted(world: World, who: Ints) -> Deeds:
    """The planted deeds of these residents; a case's deeds stand together, so that what returns finds its payment."""
    first = int(who[0]) if len(who) else 0
    mine = np.isin(world.misdeeds.resident, who)
    place = np.cumsum(mine) - 1
    deeds = world.misdeeds.take(mine)
    deeds.resident = deeds.resident - first
    deeds.of = np.where(deeds.of >= 0, place[deeds.of], deeds.of)
    return deeds


def add(world: World, rng: np.random.Generator, part: Part, sums: Sums) -> None:
    """Turn a part into rows, and add it to what the others left."""
    plan, people = world.plan, world.people
    yen = part.booked.yen
    sums.spent.append(spent_rows(plan, part.deeds, part.booked, part.lots, part.who, sums.deeds + 1))
    sums.deeds += int((yen > 0).sum())
    sums.payments += int(((yen > 0) & (part.deeds.kind == 0)).sum())
    first_lot, first_expiry = (1 + sum(map(len, each)) for each in (sums.lots, sums.expiries))
    lots, expiries = lots_frames(plan, people, part.lots, part.booked, part.who, first_lot, first_expiry)
    sums.lots.append(lots)
    sums.expiries.append(expiries)
    sums.use.append(use_of(people, part.lots, part.booked))
    numbers = people.number[part.who]
    shown, tallies = tally(plan, rng, world.places, world.campaigns, part.shown, part.deeds, yen, numbers)
    sums.coupons.append(shown)
    sums.tallies.append(tallies)
    sums.pulled.append(part.pulled)


def close(world: World, rng: np.random.Generator, sums: Sums) -> tuple[dict[str, pd.DataFrame], Truth]:
    """Every frame but that of spending, and the truth."""
    plan, people, places = world.plan, world.people, world.places
    panel: Panel | None = build_panel(plan, rng, people) if plan.lottery else None
    frames = {
        "lots": pd.concat(sums.lots, ignore_index=True),
        "expiries": pd.concat(sums.expiries, ignore_index=True),
        "residents": residents_frame(plan, people),
        "stores": places.frame,
        "programmes": programmes_frame(plan, people),
        "titles": titles_frame(plan),
        "applications": applications_frame(plan, people),
        "outcomes": OUTCOMES.empty() if panel is None else OUTCOMES.conform(panel.frame),
        "coupons": COUPONS.conform(pd.concat(sums.coupons, ignore_index=True)),
    }
    shares = meant(plan, places)
    effect, propensity, mean_propensity = effect_of(panel)
    use = used(people, sums.use)
    misdeeds = misdeeds_of(people, places, world.cases)
    own = misdeeds[misdeeds["kind"] == "own_household"]
    truth = Truth(
        effect=effect,
        propensity=propensity,
        mean_propensity=mean_propensity,
        use=use,
        flows=flows_of(plan, places, shares),
        stores=stores_of(plan, people, places, shares),
        coupons=coupons_of(places, world.campaigns, sums.tallies),
        pairs=pairs_of(plan, places, world.pairs, np.sum(sums.pulled, axis=0)),
        misdeeds=misdeeds,
        households=own[["resident", "store"]].reset_index(drop=True),
        joining=None if world.sales is None else world.sales.effect,
        joining_yen=None if world.sales is None else world.sales.mean_yen,
        payments=sums.payments,
        used_yen=int(use["used_yen"].sum()),
        lapsed_yen=int(use["lapsed_yen"].sum()),
    )
    return frames, truth
