"""Frames made by hand: a row says only what matters to its test."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd

from analytics.frames import FRAMES, UNKNOWN, Dtype

DEFAULTS: dict[str, dict[str, Any]] = {
    "spending": {
        "kind": "payment",
        "resident": 1,
        "store": "A",
        "programme": "star",
        "purse": "common",
        "mode": "mpm",
        "at": "2026-04-06T12:00+09:00",
        "amount_yen": 100,
        "premium_yen": 0,
        "emptied": False,
    },
    "lots": {
        "resident": 1,
        "programme": "star",
        "purse": "common",
        "origin": "purchase",
        "at": "2026-04-01T09:00+09:00",
        "usable_from": "2026-04-01T09:00+09:00",
        "expires_at": "2026-10-01T00:00+09:00",
        "paid_yen": 1000,
        "premium_yen": 300,
    },
    "expiries": {
        "lot": 1,
        "resident": 1,
        "programme": "star",
        "purse": "common",
        "at": "2026-10-01T00:00+09:00",
        "paid_yen": 10,
        "premium_yen": 3,
    },
    "residents": {"age_band": UNKNOWN, "district": UNKNOWN, "joined_day": "2026-04-01"},
    "stores": {
        "store": "A",
        "from_day": "2026-04-01",
        "to_day": None,
        "store_class": "small",
        "category": "food",
        "district": "north",
        "merchant": "M1",
    },
    "programmes": {
        "programme": "star",
        "unit_price_yen": 5_000,
        "unit_points": 6_000,
        "cap_yen": 50_000,
        "stock_units": 1_000,
        "grant_budget_points": 0,
        "sale_from": "2026-04-01",
        "use_from": "2026-04-01",
        "use_to": "2026-09-30",
    },
    "titles": {"programme": "star", "purse": "", "title": "星の商品券"},
    "applications": {
        "draw": "first",
        "programme": "star",
        "stratum": "all",
        "units_applied": 3,
        "units_won": 0,
        "drawn_day": "2026-03-01",
    },
    "coupons": {"coupon": "C1", "store": "A", "shown_day": "2026-04-06", "used_day": None},
}


def frame(name: str, rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A declared frame out of rows; `deed` and `payment`, `lot`, `expiry` count up where a row has none."""
    filled = [_filled(name, index, row) for index, row in enumerate(rows, 1)]
    data = {}
    for column in FRAMES[name].columns:
        values = [row[column.name] for row in filled]
        if column.dtype is Dtype.INSTANT:
            parsed = [pd.Timestamp(value).tz_convert("Asia/Tokyo") for value in values]
            data[column.name] = pd.Series(parsed, dtype=column.dtype.value)
        elif column.dtype is Dtype.DAY:
            data[column.name] = pd.Series(pd.to_datetime(values), dtype=column.dtype.value)
        else:
            data[column.name] = pd.Series(values, dtype=column.dtype.value)
    return FRAMES[name].conform(pd.DataFrame(data))


def _filled(name: str, index: int, row: dict[str, Any]) -> dict[str, Any]:
    filled = {**DEFAULTS[name], **row}
    if "at" in filled:
        filled.setdefault("day", pd.Timestamp(filled["at"]).tz_convert("Asia/Tokyo").date().isoformat())
    match name:
        case "spending":
            filled.setdefault("deed", index)
            filled.setdefault("payment", filled["deed"])
            filled.setdefault("paid_yen", filled["amount_yen"] - filled["premium_yen"])
        case "lots":
            filled.setdefault("lot", index)
        case "expiries":
            filled.setdefault("expiry", index)
        case "residents" | "applications" | "coupons":
            filled.setdefault("resident", index)
    return filled


def on(day: int, hour: int = 12, minute: int = 0) -> str:
    """An instant in April 2026, Japan's clock."""
    return f"2026-04-{day:02}T{hour:02}:{minute:02}+09:00"


def april(day: int) -> date:
    return date(2026, 4, day)
