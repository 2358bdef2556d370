"""Planted misdeeds, each with who did it where: what the alerts of RELIABILITY.md are tried against.

`cash_out_ring`: new accounts buy the most they may and leave all of it at one small store within two days.
`refund_loop`: one person pays and is refunded at one store, again and again. `own_household`: most visits of a
family go to the store that one of them owns. `split_payment`: one purchase paid in many parts within minutes.
`night`: payments between one and four. `velocity`: a dozen payments within a quarter of an hour.
"""

from dataclasses import dataclass

import numpy as np

from analytics.synthetic.calendar import DAY_SECONDS, Ints
from analytics.synthetic.deeds import ALL, CPM, NONE, REFUND, Deeds, joined, payments
from analytics.synthetic.people import People, day_of
from analytics.synthetic.places import Places
from analytics.synthetic.plan import CityPlan

KINDS = ("cash_out_ring", "refund_loop", "own_household", "split_payment", "night", "velocity")
FAMILY = 3
AT_OWN_STORE = 0.75
GOES_ON = {"cash_out_ring": 1, "refund_loop": 16, "night": 7}
"""For how many days after the first one at most."""


@dataclass(frozen=True)
class Case:
    """One misdeed: its kind, who takes part, and the store where it has one (NONE otherwise)."""

    kind: str
    people: tuple[int, ...]
    store: int


def plan_cases(plan: CityPlan, rng: np.random.Generator, places: Places, people: People) -> list[Case]:
    """Cases among those who bought the most; nobody is in two. As many as there are people and days for.

    Ring members join on the same days and buy within an hour; that changes `people`.
    """
    wanted = plan.misdeeds
    sizes = (
        [("cash_out_ring", wanted.ring_size)] * wanted.rings
        + [("refund_loop", 1)] * wanted.refund_loops
        + [("own_household", FAMILY)] * wanted.households
        + [("split_payment", 1)] * wanted.splits
        + [("night", 1)] * wanted.nights
        + [("velocity", 1)] * wanted.velocities
    )
    most = np.flatnonzero(people.bought == plan.cap_units)
    free = list(rng.permutation(most))
    quiet = _quiet_stores(places)
    stores = rng.permutation(quiet)
    cases = []
    for turn, (kind, size) in enumerate(sizes):
        if len(free) < size:
            break
        members = tuple(sorted(int(free.pop()) for _ in range(size)))
        if not _is_in_time(plan, people, kind, members):
            continue
        store = NONE if kind in ("night", "velocity") else int(stores[turn % len(stores)])
        cases.append(Case(kind, members, store))
        if kind == "cash_out_ring":
            _move_in_together(plan, rng, people, members)
    return cases


def _quiet_stores(places: Places) -> Ints:
    """Small stores of the lower half of their trade, where many payments of few people are seen."""
    small = np.flatnonzero(~places.large)
    return small[np.argsort(places.weight[small], kind="stable")][: max(len(small) // 2, 1)]


def _move_in_together(plan: CityPlan, rng: np.random.Generator, people: People, members: tuple[int, ...]) -> None:
    who = np.array(members)
    people.joined[who] = day_of(plan, plan.drawn_day if plan.lottery else plan.sale_from) - 1
    people.bought_at[who] = people.bought_at[who[0]] + rng.integers(0, 3_600, len(who))
    people.holds_back[who] = 0.0


def replaces_visits(cases: list[Case], count: int) -> np.ndarray:
    """Which residents make no visits of their own."""
    replaced = np.zeros(count, dtype=bool)
    for case in cases:
        if case.kind in ("cash_out_ring", "refund_loop"):
            replaced[list(case.people)] = True
    return replaced


def deeds_of(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, cases: list[Case]) -> Deeds:
    """What the planted people do besides, or instead of, their visits. `of` counts rows of what is returned."""
    made = {
        "cash_out_ring": _ring,
        "refund_loop": _refund_loop,
        "split_payment": _split,
        "night": _night,
        "velocity": _velocity,
    }
    parts = [_at_store(0, NONE, [], [])]
    parts += [made[case.kind](plan, rng, places, people, case) for case in cases if case.kind in made]
    return joined(parts, shifted=True)


def keep_in_family(rng: np.random.Generator, places: Places, cases: list[Case], whose: Ints, deeds: Deeds) -> None:
    """Send most visits of an owner's household to small stores to the owner's; `whose` is the resident of each."""
    for case in cases:
        if case.kind == "own_household":
            free = np.flatnonzero(np.isin(whose, case.people) & ~places.large[deeds.store])
            deeds.store[free[rng.random(len(free)) < AT_OWN_STORE]] = case.store


def _at_store(who: int, store: int, at: list[int], yen: list[int]) -> Deeds:
    count = len(at)
    return payments(
        np.full(count, who, dtype=np.int64),
        np.array(at, dtype=np.int64),
        np.full(count, store, dtype=np.int64),
        np.array(yen, dtype=np.int64),
        np.full(count, CPM, dtype=np.int64),
    )


def _start(plan: CityPlan, people: People, who: int) -> int:
    """The day after the points can be used."""
    return max(int(people.bought_at[who]) // DAY_SECONDS, day_of(plan, plan.use_from)) + 1


def _is_in_time(plan: CityPlan, people: People, kind: str, members: tuple[int, ...]) -> bool:
    """Whether it is over before the points are: a household's visits always are."""
    first = max(_start(plan, people, who) for who in members)
    return kind == "own_household" or first + GOES_ON.get(kind, 0) <= day_of(plan, plan.use_to)


def _ring(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, case: Case) -> Deeds:
    parts = []
    for who in case.people:
        at = _start(plan, people, who) * DAY_SECONDS + int(rng.integers(14 * 3_600, 17 * 3_600))
        first = int(rng.integers(10, 20)) * 1_000
        parts.append(_at_store(who, case.store, [at, at + int(rng.integers(300, 86_000))], [first, int(ALL)]))
    return joined(parts, shifted=True)


def _refund_loop(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, case: Case) -> Deeds:
    who, turns = case.people[0], int(rng.integers(5, 9))
    day = _start(plan, people, who)
    at = [(day + 2 * turn) * DAY_SECONDS + 12 * 3_600 for turn in range(turns)]
    yen = [int(rng.integers(60, 120)) * 100 for _ in range(turns)]
    paid = _at_store(who, case.store, [*at, (day + 2 * turns) * DAY_SECONDS + 12 * 3_600], [*yen, int(ALL)])
    refunds = _at_store(who, case.store, [instant + 86_400 for instant in at], yen)
    refunds.kind[:] = REFUND
    whole = joined([paid, refunds], shifted=False)
    whole.of[len(paid) :] = np.arange(turns)
    return whole


def _split(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, case: Case) -> Deeds:
    who = case.people[0]
    at = _start(plan, people, who) * DAY_SECONDS + int(rng.integers(10 * 3_600, 17 * 3_600))
    count = int(rng.integers(5, 8))
    return _at_store(who, case.store, [at + 70 * turn for turn in range(count)], [2_980] * count)


def _night(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, case: Case) -> Deeds:
    who, count = case.people[0], int(rng.integers(6, 9))
    small = np.flatnonzero(~places.large)
    day = _start(plan, people, who)
    at = [(day + turn) * DAY_SECONDS + int(rng.integers(3_600, 4 * 3_600)) for turn in range(count)]
    whole = _at_store(who, 0, at, [int(rng.integers(15, 40)) * 100 for _ in at])
    whole.store[:] = rng.choice(small, count)
    return whole


def _velocity(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, case: Case) -> Deeds:
    who, count = case.people[0], int(rng.integers(10, 14))
    small = np.flatnonzero(~places.large)
    at = _start(plan, people, who) * DAY_SECONDS + int(rng.integers(10 * 3_600, 18 * 3_600))
    whole = _at_store(who, 0, [at + 65 * turn for turn in range(count)], [int(rng.integers(3, 12)) * 100] * count)
    whole.store[:] = rng.choice(small, count)
    return whole
