"""Small programmes whose end is known: what was bought, when it was used, and what was left when time was over."""

import numpy as np
import pandas as pd

from analytics.frames import EXPIRIES, LOTS, SPENDING
from tests.analytics.evaluation.worlds import typed

Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
DAYS = 140


def programme(
    rng: np.random.Generator,
    code: str,
    first: str,
    *,
    people: int = 200,
    days: int = DAYS,
    payments: int = 12,
    slow: float = 0.8,
    forgets: float = 0.1,
) -> Frames:
    """Lots, spending and expiries of a programme of `days` from `first`.

    People differ in pace (gamma), use by a Weibull curve (shape 0.91, scale 3.4 weeks: Korea 2025), hurry at the end,
    and some forget a part: nothing of it is in the frames but what it leads to.
    """
    begin = pd.Timestamp(first)
    units = rng.integers(1, 4, people)
    size = 13_000 * units
    bought = rng.integers(0, 10, people)
    pace = rng.gamma(1 / slow**2, slow**2, people)[:, None] + 0.2
    age = 3.4 * 7 * (rng.exponential(1, (people, payments)) / pace) ** (1 / 0.91)
    day = np.minimum(bought[:, None] + age, days - 1 - np.floor(rng.exponential(3, age.shape))).astype(int)
    day = np.maximum(day, bought[:, None])
    share = rng.dirichlet(np.full(payments, 3.0), people)
    kept = np.where(rng.random(people) < forgets, rng.uniform(0.02, 0.6, people), 0.0)
    yen = np.floor(share * (size * (1 - kept))[:, None]).astype(int)
    resident = np.arange(people)
    stamp = begin.tz_localize("Asia/Tokyo")
    lots = pd.DataFrame(
        {
            "lot": _numbers(code, people),
            "resident": resident,
            "programme": code,
            "purse": "common",
            "origin": "purchase",
            "at": stamp + pd.to_timedelta(bought * 24 + 9, unit="h"),
            "day": begin + pd.to_timedelta(bought, unit="D"),
            "usable_from": stamp + pd.to_timedelta(bought * 24 + 9, unit="h"),
            "expires_at": stamp + pd.Timedelta(days=days),
            "paid_yen": 10_000 * units,
            "premium_yen": 3_000 * units,
        }
    )
    spent = pd.DataFrame(
        {
            "deed": np.arange(yen.size),
            "payment": np.arange(yen.size),
            "kind": "payment",
            "resident": np.repeat(resident, payments),
            "store": "100001",
            "programme": code,
            "purse": "common",
            "mode": "cpm",
            "at": stamp + pd.to_timedelta(day.ravel() * 24 + 12, unit="h"),
            "day": begin + pd.to_timedelta(day.ravel(), unit="D"),
            "amount_yen": yen.ravel(),
            "paid_yen": yen.ravel(),
            "premium_yen": 0,
            "emptied": False,
        }
    )
    left = size - yen.sum(axis=1)
    lost = lots[["lot", "resident", "programme", "purse"]].assign(
        expiry=lots["lot"],
        at=stamp + pd.Timedelta(days=days),
        day=begin + pd.Timedelta(days=days),
        paid_yen=left,
        premium_yen=0,
    )
    lost = lost[left > 0]
    return typed(lots, LOTS), typed(spent[spent["amount_yen"] > 0], SPENDING), typed(lost, EXPIRIES)


def _numbers(code: str, count: int) -> np.ndarray:
    return int.from_bytes(code.encode()[-3:], "big") * 1_000_000 + np.arange(count)


def together(*parts: Frames) -> Frames:
    """Several programmes in one lake."""
    lots, spent, lost = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    return lots, spent, lost
