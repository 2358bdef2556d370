"""An ordinary small town for the tests of alerts, into which a misdeed of one's own is put."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tests.analytics.mining.world import START, pay, resident, residents, spending

SHOPS = tuple(f"S{number:02d}" for number in range(20))


@cache
def ordinary(seed: int = 0, people: int = 120, visits: int = 1000) -> tuple[dict[str, Any], ...]:
    """Payments between nine and eight, for two months, at shops of unequal fame; nothing is wrong with them."""
    rng = np.random.default_rng(seed)
    fame = 1 / np.arange(2, len(SHOPS) + 2)
    rows = []
    for number in range(visits):
        at = START + pd.Timedelta(days=int(rng.integers(0, 60)), minutes=int(rng.integers(540, 1200)))
        shop = SHOPS[int(rng.choice(len(SHOPS), p=fame / fame.sum()))]
        rows.append(pay(number, int(rng.integers(1, people + 1)), shop, at, int(rng.integers(3, 40)) * 100))
    return tuple(rows)


def folk(*more: dict[str, Any], people: int = 120, seed: int = 0) -> pd.DataFrame:
    """Those who live in the town, who joined over two months before it began; with `more`."""
    rng = np.random.default_rng(seed + 1)
    joined = [START - pd.Timedelta(days=int(rng.integers(50, 110))) for _ in range(people)]
    return residents(*[resident(n, joined=f"{day:%Y-%m-%d}") for n, day in enumerate(joined, start=1)], *more)


def ring(store: str, first: int = 900, size: int = 6, day: int = 20) -> list[dict[str, Any]]:
    """New accounts that leave 39,000 yen each at one store in two payments, the second of which empties them."""
    rows = []
    for place in range(size):
        at = START + pd.Timedelta(days=day, hours=15, minutes=7 * place)
        who, number = first + place, 90_000 + 10 * place
        rows.append(pay(number, who, store, at, 14_000))
        rows.append(pay(number + 1, who, store, at + pd.Timedelta(hours=20), 25_000, emptied=True))
    return rows


def ring_people(first: int = 900, size: int = 6, joined: int = 15) -> list[dict[str, Any]]:
    day = START + pd.Timedelta(days=joined)
    return [resident(first + place, joined=f"{day:%Y-%m-%d}") for place in range(size)]


def shuffled(rows: list[dict[str, Any]], seed: int) -> pd.DataFrame:
    return spending(*rows).sample(frac=1, random_state=seed)
