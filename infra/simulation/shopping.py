"""How people shop: at which hour, in what kind of store, for how much.

Source: docs/sources.md, "redemption over time, payment sizes": 900 to 1,000 yen, convenience stores 500 to 590;
peaks at 11 and 12 and from 16 to 18; a tenth of the stores has three fifths of the sales.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random

from services.kit.clock import TOKYO

ZIPF = 0.9
"""Exponent of the stores' shares: of a thousand, the first hundred have about 60 % of the sales."""

LEAST_YEN = 60
HOURS = {8: 2, 9: 4, 10: 7, 11: 12, 12: 11, 13: 6, 14: 5, 15: 6, 16: 11, 17: 13, 18: 11, 19: 6, 20: 4, 21: 2}
"""Weights of the hours of a day in which shops are open."""

BASKET_SIGMA = 0.45
"""How differently people fill their baskets: some come often for little, some seldom for much."""


@dataclass(frozen=True)
class Category:
    """A kind of store: its merchant category code, what people spend there, and the words of its name."""

    mcc: str
    mean_yen: int
    sigma: float
    words: tuple[str, str, str]
    """The last part of a store's name: as written, in kana, in Latin letters."""


SUPERMARKET = Category("5411", 1_100, 0.75, ("スーパー", "スーパー", "SUPER"))
DRUGSTORE = Category("5912", 1_000, 0.70, ("ドラッグ", "ドラッグ", "DRUG"))
HARDWARE = Category("5251", 1_350, 0.80, ("ホームセンター", "ホームセンター", "HOME CENTER"))
RESTAURANT = Category("5812", 1_000, 0.55, ("食堂", "ショクドウ", "SHOKUDO"))
FOOD = Category("5499", 730, 0.60, ("青果店", "セイカテン", "SEIKATEN"))
CONVENIENCE = Category("5499", 545, 0.55, ("ストア", "ストア", "STORE"))
PHARMACY = Category("5912", 1_280, 0.65, ("薬局", "ヤッキョク", "YAKKYOKU"))
SHOP = Category("5999", 1_030, 0.80, ("商店", "ショウテン", "SHOTEN"))

LARGE = ((SUPERMARKET, 75), (DRUGSTORE, 12), (HARDWARE, 8), (RESTAURANT, 5))
SMALL = ((RESTAURANT, 40), (FOOD, 16), (CONVENIENCE, 11), (PHARMACY, 9), (SHOP, 24))
"""Categories with their weights among the stores of each class."""


def zipf_weights(count: int) -> tuple[float, ...]:
    """The shares of stores by rank, the first the largest; they sum to one."""
    weights = [1 / rank**ZIPF for rank in range(1, count + 1)]
    return tuple(weight / sum(weights) for weight in weights)


def basket_factor(rng: Random) -> float:
    """One person's baskets, as a multiple of everybody's.

    The mean of its inverse is one: whoever pays half as much pays twice as often, so that the
    average over payments stays the category's.
    """
    return rng.lognormvariate(BASKET_SIGMA**2 / 2, BASKET_SIGMA)


def amount_yen(rng: Random, category: Category, factor: float) -> int:
    """What a basket costs."""
    centre = math.log(category.mean_yen) - category.sigma**2 / 2
    return max(LEAST_YEN, round(rng.lognormvariate(centre, category.sigma) * factor))


def time_of_day(rng: Random, day: date) -> datetime:
    """An instant at which shops are open, on a civil day in Japan."""
    hour = rng.choices(tuple(HOURS), tuple(HOURS.values()))[0]
    return datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), TOKYO)


def in_quota(weighted: Sequence[tuple[Category, int]], count: int) -> list[Category]:
    """`count` categories in the proportion of their weights, the most wanted first.

    Not drawn: the best places of a small city decide its average, which is not left to chance.
    """
    total = sum(weight for _, weight in weighted)
    found: list[Category] = []
    for turn in range(1, count + 1):
        found.append(max(weighted, key=lambda each: each[1] * turn / total - found.count(each[0]))[0])
    return found
