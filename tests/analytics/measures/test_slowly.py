"""Every figure of the dashboard, and others beside it, is what a slow and plain count over the same rows says.

The slow way walks rows one by one and keeps sets of whoever it met; it shares nothing with the expressions.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import pandas as pd
import pytest

from analytics.lake.lake import InMemory
from analytics.measures.ask import ask
from analytics.measures.question import Question
from infra.benchmarks.insight_child import DASHBOARD
from tests.analytics.hand import frame

Rows = list[dict[str, Any]]

START = datetime.fromisoformat("2026-04-01T00:00+09:00")
MORE = (
    Question("repeat_share", ("week",)),
    Question("repeat_share", ("store", "hour")),
    Question("repeat_share"),
    Question("active_residents", ("store",)),
    Question("active_residents", ("category",)),
    Question("new_customers", ("purse",)),
    Question("new_customers", ("day", "home_district")),
    Question("new_customers", where={"purse": ("small",)}),
    Question("average_payment", ("store", "purse")),
    Question("payments", ("mode",)),
    Question("remaining", ("week", "age_band")),
    Question("redeemed_share", ("month", "purse")),
)


@pytest.fixture(scope="module")
def rows() -> dict[str, Rows]:
    """Forty residents at nine stores in five weeks: two purses in one payment, cancels, refunds, a store that moved."""
    chance = random.Random(20260401)
    spending: Rows = []
    for deed in range(1, 900, 3):
        minute = chance.randrange(5 * 7 * 24 * 12) * 5
        paid: dict[str, Any] = {
            "at": START + timedelta(minutes=minute),
            "deed": deed,
            "payment": deed,
            "resident": chance.randrange(1, 41),
            "store": f"S{min(chance.randrange(9), chance.randrange(9))}",
            "mode": chance.choice(("cpm", "mpm", "till", "card")),
        }
        purses = chance.choice((("common",), ("small",), ("common", "small")))
        parts = [paid | {"purse": purse, "amount_yen": 10 * chance.randrange(1, 90)} for purse in purses]
        back = chance.choice((None, None, None, None, "cancel", "refund"))
        for part in parts:
            part["premium_yen"] = part["amount_yen"] // 5
            spending.append(part)
            if back is not None:
                later = {"at": paid["at"] + timedelta(hours=30), "deed": deed + 1, "kind": back}
                spending.append(part | later | {"amount_yen": -part["amount_yen"], "premium_yen": -part["premium_yen"]})
    lots = [
        {"at": START + timedelta(hours=chance.randrange(300)), "resident": 1 + lot % 50, "purse": purse}
        | {"lot": lot, "paid_yen": 1_000 * chance.randrange(1, 9), "premium_yen": 500}
        for lot, purse in enumerate(chance.choices(("common", "small"), k=90))
    ]
    expiries = [
        {"at": START + timedelta(days=40), "resident": each["resident"], "purse": each["purse"], "premium_yen": 500}
        | {"expiry": each["lot"], "lot": each["lot"], "paid_yen": 0}
        for each in lots[::7]
    ]
    trades = ("food", "restaurant", "other")
    stores: Rows = [
        {"store": f"S{n}", "category": trades[n % 3], "store_class": "large" if n == 0 else "small"}
        | {"district": "north" if n % 2 else "south", "from_day": "2026-01-01", "to_day": None}
        for n in range(8)  # of the ninth nothing is known
    ]
    stores[1]["to_day"] = "2026-04-10"
    stores.append(stores[1] | {"from_day": "2026-04-10", "to_day": None, "category": "medical", "district": "west"})
    residents = [
        {"resident": n, "age_band": ("18-29", "30-39", "70-79")[n % 3], "district": "north" if n % 4 else "west"}
        for n in range(1, 48)
    ]
    return {"spending": spending, "lots": lots, "expiries": expiries, "stores": stores, "residents": residents}


@pytest.fixture(scope="module")
def town(rows: dict[str, Rows]) -> Iterator[InMemory]:
    with InMemory({name: frame(name, told) for name, told in rows.items()}) as source:
        yield source


@pytest.mark.parametrize(
    "question",
    [*(Question(*each) for each in DASHBOARD), *MORE],
    ids=lambda each: f"{each.measure}-{'-'.join(each.by)}",
)
def test_every_figure_is_what_a_plain_count_says(question: Question, town: InMemory, rows: dict[str, Rows]) -> None:
    answer = ask(town, question)
    keys = answer[list(question.by)].itertuples(index=False, name=None) if question.by else [()] * len(answer)
    figures = answer[["value", "people", "stores", "top_store_share"]].itertuples(index=False, name=None)
    assert answer["people"].sum() > 0
    assert dict(zip(keys, figures, strict=True)) == slowly(rows, question)


def slowly(rows: dict[str, Rows], question: Question) -> dict[Any, Any]:
    """By cell: the value, the people, the stores, the largest store's share."""
    told = [dict(row, **_dimensions(rows, row)) for row in _told(rows, question)]
    told = [row for row in told if all(str(row[name]) in wanted for name, wanted in question.where.items())]
    cells: dict[Any, Rows] = defaultdict(list)
    for row in told:
        cells[tuple(row[name] for name in question.by)].append(row)
    time = next((at for at, name in enumerate(question.by) if name in ("day", "week", "month")), None)
    if question.measure not in ("remaining", "redeemed_share") or time is None:
        return {key: _figures(question.measure, each, each) for key, each in cells.items()}
    found = {}
    for key, each in cells.items():
        others = key[:time] + key[time + 1 :]
        so_far = [
            row
            for of, many in cells.items()
            if of[:time] + of[time + 1 :] == others and of[time] <= key[time]
            for row in many
        ]
        found[key] = _figures(question.measure, so_far, each)
    return found


def _told(rows: dict[str, Rows], question: Question) -> Rows:
    spending = [{"kind": "payment", **row} for row in rows["spending"]]
    cancelled = {row["payment"] for row in spending if row["kind"] == "cancel"}
    visits = [row for row in spending if row["kind"] == "payment" and row["payment"] not in cancelled]
    lots = [row | {"amount_yen": row["paid_yen"] + row["premium_yen"]} for row in rows["lots"]]
    gone = [row | {"amount_yen": row["paid_yen"] + row["premium_yen"]} for row in rows["expiries"]]
    match question.measure:
        case "sales" | "store_gini" | "top_tenth_share" | "average_payment":
            kept = {id(row) for row in visits}
            return [
                row | {"plus": row["amount_yen"], "counted": row["payment"] if id(row) in kept else None}
                for row in spending
            ]
        case "premium_spent":
            return [row | {"plus": row["premium_yen"]} for row in spending]
        case "issued":
            return [row | {"plus": row["amount_yen"]} for row in lots]
        case "remaining" | "redeemed_share" as name:
            spent = -1 if name == "remaining" else 1
            return [
                *(
                    {**row, "plus": row["amount_yen"] if spent < 0 else 0, "over": row["amount_yen"], "store": None}
                    for row in lots
                ),
                *({**row, "plus": spent * row["amount_yen"], "over": 0, "store": None} for row in spending),
                *({**row, "plus": -row["amount_yen"], "over": 0} for row in (gone if spent < 0 else [])),
            ]
        case "new_customers":
            first: dict[Any, Any] = {}
            for row in sorted(visits, key=lambda row: (row["at"], row["deed"], row["purse"])):
                first.setdefault((row["resident"], row["store"]), row)
            return [row | {"plus": 1} for row in first.values()]
        case _:
            return [row | {"plus": row["amount_yen"], "counted": row["payment"]} for row in visits]


def _dimensions(rows: dict[str, Rows], row: dict[str, Any]) -> dict[str, Any]:
    at = row["at"].astimezone(START.tzinfo)
    day = pd.Timestamp(at.date())
    who = next((each for each in rows["residents"] if each["resident"] == row["resident"]), {})
    of_store = [each for each in rows["stores"] if each["store"] == row.get("store")]
    then = [each for each in of_store if pd.Timestamp(each["from_day"]) <= day]
    store = then[-1] if then else {}
    return {
        "day": day,
        "week": day - pd.Timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "hour": at.hour,
        "weekday": at.weekday(),
        "age_band": who.get("age_band", "unknown"),
        "home_district": who.get("district", "unknown"),
        **{name: store.get(name, "unknown") for name in ("category", "district", "store_class")},
    }


def _figures(measure: str, rows: Rows, now: Rows) -> tuple[Any, int, int, float]:
    """Of a stock `rows` is everything up to then; `now` is what happened in the cell itself."""
    people = {row["resident"] for row in rows}
    stores = {row["store"] for row in now if row.get("store")}
    of_store: dict[str, Callable[[Rows], int]] = {
        "payments": lambda many: len({row["counted"] for row in many}),
        "active_residents": lambda many: len({row["resident"] for row in many}),
        "repeat_share": lambda many: len({row["resident"] for row in many}),
        "active_stores": lambda many: 1,
    }
    weigh = of_store.get(measure, _added)
    weights = [weigh([row for row in now if row.get("store") == store]) for store in stores]
    share = max(weights) / sum(weights) if sum(weights) else 0.0
    return _value(measure, rows, people, stores), len(people), len(stores), share


def _added(rows: Rows) -> int:
    added: int = sum(row["plus"] for row in rows)
    return abs(added)


def _value(measure: str, rows: Rows, people: set[Any], stores: set[Any]) -> Any:
    plus = sum(row["plus"] for row in rows)
    payments: dict[Any, set[Any]] = defaultdict(set)
    for row in rows:
        if row.get("counted") is not None:
            payments[row["resident"]].add(row["counted"])
    special: dict[str, Callable[[], Any]] = {
        "payments": lambda: sum(len(each) for each in payments.values()),
        "active_residents": lambda: len(people),
        "active_stores": lambda: len(stores),
        "average_payment": lambda: plus / sum(len(each) for each in payments.values()),
        "redeemed_share": lambda: plus / sum(row["over"] for row in rows),
        "repeat_share": lambda: sum(len(each) > 1 for each in payments.values()) / len(people),
        "store_gini": lambda: _concentration(measure, rows, sorted(stores)),
        "top_tenth_share": lambda: _concentration(measure, rows, sorted(stores)),
    }
    return special.get(measure, lambda: plus)()


def _concentration(measure: str, rows: Rows, stores: Sequence[str]) -> float:
    took: list[int] = sorted(max(0, sum(row["plus"] for row in rows if row["store"] == store)) for store in stores)
    if measure == "top_tenth_share":
        return sum(took[-ceil(len(took) / 10) :]) / sum(took)
    apart = sum(abs(one - other) for one in took for other in took)
    return apart / (2 * len(took) * sum(took))
