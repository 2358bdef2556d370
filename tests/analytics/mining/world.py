"""Small frames for the tests of mining, and strategies that make any: many ties, refunds, midnights."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from analytics.frames import COUPONS, RESIDENTS, SPENDING, STORES, Frame

START = pd.Timestamp("2026-04-01")


def frame(kind: Frame, rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Rows with defaults as a conforming frame."""
    data = pd.DataFrame(list(rows), columns=kind.column_names)
    for column in kind.columns:
        if column.dtype.value == "datetime64[us, Asia/Tokyo]":
            at = pd.to_datetime(data[column.name])
            data[column.name] = at.dt.tz_localize("Asia/Tokyo") if at.dt.tz is None else at
    typed: dict[str, Any] = {column.name: column.dtype.value for column in kind.columns}
    return kind.conform(data.astype(typed))


def pay(
    payment: int,
    resident: int,
    store: str,
    at: pd.Timestamp | str,
    yen: int = 1000,
    kind: str = "payment",
    deed: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One row of spending; `yen` is signed as given."""
    when = pd.Timestamp(at)
    return {
        "deed": payment if deed is None else deed,
        "payment": payment,
        "kind": kind,
        "resident": resident,
        "store": store,
        "programme": "p",
        "purse": "common",
        "mode": "cpm",
        "at": when,
        "day": when.normalize(),
        "amount_yen": yen,
        "paid_yen": yen,
        "premium_yen": 0,
        "emptied": False,
    } | more


def spending(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(SPENDING, rows)


def store(code: str, from_day: str = "2026-01-01", to_day: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "store": code,
        "from_day": pd.Timestamp(from_day),
        "to_day": pd.NaT if to_day is None else pd.Timestamp(to_day),
        "store_class": "small",
        "category": "food",
        "district": "East",
        "merchant": f"M{code}",
    } | more


def stores(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(STORES, rows)


def resident(number: int, district: str = "East", joined: str = "2026-01-01") -> dict[str, Any]:
    return {"resident": number, "age_band": "30-39", "district": district, "joined_day": pd.Timestamp(joined)}


def residents(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(RESIDENTS, rows)


def coupon(code: str, shop: str, who: int, shown: str, used: str | None = None) -> dict[str, Any]:
    return {
        "coupon": code,
        "store": shop,
        "resident": who,
        "shown_day": pd.Timestamp(shown),
        "used_day": pd.NaT if used is None else pd.Timestamp(used),
    }


def coupons(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(COUPONS, rows)


@st.composite
def any_spending(draw: st.DrawFn, most: int = 30) -> pd.DataFrame:
    """Few residents, stores and instants, so that everything ties; some payments taken back in part or whole."""
    rows: list[dict[str, Any]] = []
    for payment in range(draw(st.integers(0, most))):
        at = START + pd.Timedelta(hours=draw(st.integers(0, 24 * 75)) // 11 * 11)
        who, shop = draw(st.integers(1, 4)), draw(st.sampled_from("ABCD"))
        yen = draw(st.sampled_from([1, 500, 1000]))
        rows.append(pay(payment, who, shop, at, yen))
        back = draw(st.sampled_from([0, 0, 0, yen, yen // 2]))
        if back:
            later = at + pd.Timedelta(hours=draw(st.integers(0, 72)))
            rows.append(pay(payment, who, shop, later, -back, "refund", deed=10_000 + payment))
    shuffled = draw(st.permutations(rows))
    return spending(*shuffled)


def kept(data: pd.DataFrame) -> list[Any]:
    """The visits by a plain loop: (at, payment, resident, store, day, net), in order of time and number."""
    made: dict[int, Any] = {}
    net: dict[int, int] = defaultdict(int)
    for row in data.to_dict("records"):
        net[row["payment"]] += row["amount_yen"]
        if row["kind"] == "payment":
            made[row["payment"]] = row
    return sorted(
        (row["at"], payment, row["resident"], row["store"], row["day"], net[payment])
        for payment, row in made.items()
        if net[payment] > 0
    )
